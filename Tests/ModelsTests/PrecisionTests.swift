import Compute
import Layers
import Models
import ReferenceEngine
import Testing

/// Whole models whose products are rounded: how far their logits are from those of float32.
@Suite struct PrecisionTests {
    private func logits(_ name: String, _ precision: Precision, _ engine: any Engine) throws -> [Float] {
        let goldens = try Goldens("classifier-\(name)")
        var configuration = VisionTransformerTests.configuration(name)
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        let classifier = try Classifier(
            configuration, from: goldens, precision: precision, engine: engine, batchSize: 2)
        return classifier.logits(try goldens["pixels"]).values
    }

    /// Rounding shows, and no more than it has to: the reference engine rounds the same numbers.
    @Test(arguments: ["token", "mean", "registers", "distilled"], [(Precision.bfloat16, 0.03), (.int8, 0.06)])
    func logitsAreNearThoseOfFloat32(name: String, rounding: (precision: Precision, tolerance: Double)) throws {
        let exact = try logits(name, .float32, ReferenceEngine())
        let expected = try logits(name, rounding.precision, ReferenceEngine())
        #expect(relativeDifference(expected, exact) < rounding.tolerance)
        for kind in Engines.all {
            let got = try logits(name, rounding.precision, kind.make(2))
            #expect(got != exact, "\(kind.name)")
            // A sum that is a little different may be rounded to a neighbour.
            #expect(relativeDifference(got, expected) < rounding.tolerance / 3, "\(kind.name)")
        }
    }
}
