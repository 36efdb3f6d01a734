import ArgumentParser
import Training

struct FinetuneCommand: TrainingCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Train a classifier on labelled images, from a checkpoint or from scratch.",
        discussion: """
            Examples:
              vit finetune photos/ --output run --init mae-run/model --epochs 50
              vit finetune photos/ --output run --init vit-base/ --freeze 10 --epochs 5 --plan
              vit finetune tiles/ --output run --width 192 --depth 6 --heads 3 --image-size 64 --patch-size 8
              vit finetune charts/ --output run --augment none --no-flip --rand-augment none --erasing 0
              vit finetune photos/ --output run --teacher large/ --distillation soft
              vit finetune photos/ --output run --resume

            The data are CLASS/IMAGE, train/CLASS/IMAGE with val/CLASS/IMAGE, or a table with the columns \
            path,label[,split]; folders may lie in a .tar, or in several ('shard-{000..127}.tar'), also with labels as \
            WebDataset has them. The defaults are MAE's fine-tuning recipe (He et al. 2022); 0 or none turns off mixup, \
            cutmix, RandAugment and so on. The held-out images are classified after each epoch; the best model so far is \
            RUN/model, which loads in transformers (in timm with --pool mean). An interrupted run saves a checkpoint and \
            exits with 130 (143 if terminated); --resume continues it to the same weights. Unreadable images are named \
            once and replaced by others; the exit code is then 1.
            """)

    static var methods: [any TrainingMethod.Type] { TrainingMethods.finetuning }
    static var dataHelp: String { "Folder or .tar of class folders, or a table with the columns path,label[,split]." }
    static var methodHeading: String { "Fine-tuning" }

    @OptionGroup var arguments: TrainingArguments<FinetuneCommand>

    func run() throws { try arguments.run() }
}
