import ArgumentParser
import Training

struct PretrainCommand: TrainingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train an encoder on images without labels.",
        discussion: """
            Examples:
              vit pretrain photos/ --output run --plan
              vit pretrain photos/ --output run --arch vit-small --epochs 400 --batch-size 64 --accumulate 16
              vit pretrain tiles/ --output run --width 192 --depth 6 --heads 3 --image-size 64 --patch-size 8
              vit pretrain photos/ --output run --init mae-base/ --epochs 100
              vit pretrain photos/ --output run --resume
              mpirun -n 4 vit pretrain photos/ --output run        # several processes, one run

            Methods:
              mae        masked autoencoding (He et al. 2022); its result loads in transformers
              rotation   predicting which of four rotations an image has (Gidaris et al. 2018); square images only

            Images may have labels or none, in any folders, also in a .tar or several ('shard-{000..127}.tar'). The result is RUN/model. An interrupted run saves a checkpoint and exits with 130 \
            (143 if terminated); --resume continues it to the same weights. A loss that is not finite ends the run \
            with 65. Unreadable images are named once and replaced by others; the exit code is then 1.
            """)

    static var methods: [any TrainingMethod.Type] { TrainingMethods.pretraining }
    static var dataHelp: String { "Folder or .tar of images, or a table with the columns path,label[,split]." }
    static var methodHeading: String { "Method" }

    @Option(help: "Training method. (default: mae, or that of the run to resume)")
    var method: MethodName?
    @OptionGroup var arguments: TrainingArguments<PretrainCommand>

    func run() throws { try arguments.run(method: method?.rawValue) }

    /// The name of one of the methods.
    struct MethodName: ExpressibleByArgument {
        let rawValue: String

        init?(argument: String) {
            guard Self.allValueStrings.contains(argument) else { return nil }
            rawValue = argument
        }

        static var allValueStrings: [String] { PretrainCommand.methods.map { $0.name } }
    }
}
