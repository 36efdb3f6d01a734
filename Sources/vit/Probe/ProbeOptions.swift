import ArgumentParser
import SwiftViT
import Training

/// Options of the k-nearest-neighbour protocol.
struct NeighborOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Numbers of neighbours to evaluate. (default: 10,20,100)", valueName: "k,k,…"))
    var k: ListArgument<Int>?

    @Option(help: ArgumentHelp("Temperature of the votes; lower values favour the nearest neighbours.", valueName: "t"))
    var temperature = NearestNeighborProbe().temperature

    func validate() throws {
        if let k, !k.values.allSatisfy({ $0 >= 1 }) { throw ValidationError("--k takes numbers from 1 up") }
        // Votes are exp(cosine / temperature), which must stay finite.
        if !(0.002...1e6).contains(temperature) {
            throw ValidationError("--temperature takes a number from 0.002 up, not \(temperature)")
        }
    }

    var probe: NearestNeighborProbe {
        var probe = NearestNeighborProbe()
        if let k { probe.neighborCounts = k.values }
        probe.temperature = temperature
        return probe
    }
}

/// Options of the linear protocol.
struct LinearProbeOptions: ParsableArguments {
    @Option(help: "Optimizer.")
    var optimizer = LinearProbe.Optimizer.sgd

    @Option(
        help: ArgumentHelp(
            "Base learning rates, all trained in one pass and scaled by --step-size / 256. (default: ten from 0.001 to 1 "
                + "for sgd, nine from 0.1 to 50 for lars)", valueName: "r,r,…"))
    var blr: ListArgument<Double>?

    @Option(help: ArgumentHelp("Training epochs.", valueName: "n"))
    var epochs = LinearProbe().epochs

    @Option(
        help: ArgumentHelp(
            "Warmup epochs. (default: a ninth of --epochs, at most 10)", valueName: "n"))
    var warmupEpochs: Int?

    @Option(help: ArgumentHelp("Images per training step.", valueName: "n"))
    var stepSize = LinearProbe().batchSize

    func validate() throws {
        if let blr, !blr.values.allSatisfy({ $0 > 0 && $0.isFinite }) {
            throw ValidationError("--blr takes numbers above 0")
        }
        if epochs < 1 || stepSize < 2 || !(0...epochs).contains(warmupEpochs ?? 0) {
            throw ValidationError(
                "--epochs takes a number from 1 up, --step-size from 2 up, --warmup-epochs no more than --epochs")
        }
    }

    var probe: LinearProbe {
        var probe = LinearProbe()
        probe.optimizer = optimizer
        probe.baseRates = blr?.values
        probe.epochs = epochs
        probe.warmupEpochs = warmupEpochs ?? min(epochs / 9, probe.warmupEpochs)
        probe.batchSize = stepSize
        return probe
    }
}

extension LinearProbe.Optimizer: ExpressibleByArgument {}
