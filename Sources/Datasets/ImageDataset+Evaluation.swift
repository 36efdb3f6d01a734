extension ImageDataset {
    /// The images to evaluate: those of `part`; if nil, of test, else of validation, else all images.
    ///
    /// Errors: `InputError` of kind usage if the part is empty.
    public func evaluationSamples(of part: Part?) throws(InputError) -> (part: Part, samples: [Sample]) {
        let part = part ?? evaluationPart
        let samples = samples(part)
        if samples.isEmpty {
            let present = Part.allCases.filter { !self.samples($0).isEmpty }.map(\.rawValue)
            throw InputError(
                kind: .usage, path: root,
                description: "\(root): has no \(part.rawValue) part, only \(present.joined(separator: " and ")); "
                    + "name another or split one off with a validation fraction")
        }
        return (part, samples)
    }
}
