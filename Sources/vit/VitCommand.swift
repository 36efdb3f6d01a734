import ArgumentParser

@main
struct VitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "vit")
}
