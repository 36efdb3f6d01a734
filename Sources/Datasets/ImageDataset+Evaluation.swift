extension ImageDataset {
    /// The images to measure a result on: those of `part`; left out, of test, else of validation, else all there are.
    ///
    /// Errors: `InputError` of kind usage where there are none in the part that was named.
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
