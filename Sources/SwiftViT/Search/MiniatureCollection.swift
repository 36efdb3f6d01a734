import Compute
import Datasets
import Imaging

/// The miniatures of the images that can be read, by row.
struct MiniatureCollection {
    private var miniatures: [Int: Miniature] = [:]
    /// Images that are there, but could not be read.
    private(set) var unreadable: [InputError] = []
    private let engine: any Engine

    /// Reads some images, a row each; those that cannot be read are left out.
    ///
    /// - Parameter progress: receives the number of images read.
    init(inputs: [InputPaths.Input], engine: any Engine, progress: (Int) -> Void) throws {
        self.engine = engine
        let stream = PreparedInputs(
            inputs: inputs, groupSize: 16, threads: engine.threadCount
        ) { (input) throws(InputError) in Miniature(try Miniature.preparation.prepare(input).image) }
        try stream.forEachGroup { group in
            for item in group {
                switch item.result {
                case .success(let miniature): miniatures[item.index] = miniature
                case .failure(let error): if error.kind == .unreadable { unreadable.append(error) }
                }
            }
            if let last = group.last { progress(last.index + 1) }
        }
    }

    var count: Int { miniatures.count }
    subscript(row: Int) -> Miniature? { miniatures[row] }

    /// The rows whose images are most similar to each row's, as they are or mirrored, with their correlation.
    func neighbors(rowCount: Int, progress: (Int) -> Void) -> [[Match]] {
        var neighbors = [[Match]](repeating: [], count: rowCount)
        let rows = miniatures.keys.sorted()
        guard rows.count > 1 else { return neighbors }
        let images = TensorRows(deviations(of: rows, isMirrored: false))
        let search = CosineSearch(images, engine: engine)
        for queries in [images, TensorRows(deviations(of: rows, isMirrored: true))] {
            for (index, matches) in NearDuplicates.neighbors(of: queries, in: search, progress: progress).enumerated() {
                neighbors[rows[index]] += matches.map { Match(row: rows[$0.row], similarity: $0.similarity) }
            }
        }
        // Images of one colour have no correlation; those next to each other by it may be the same.
        let blanks = rows.filter { miniatures[$0]?.isBlank == true }
            .sorted { (miniatures[$0]?.mean ?? 0) < (miniatures[$1]?.mean ?? 0) }
        for (row, other) in zip(blanks, blanks.dropFirst()) { neighbors[row].append(Match(row: other, similarity: 1)) }
        return neighbors
    }

    private func deviations(of rows: [Int], isMirrored: Bool) -> Tensor {
        let width = Miniature.side * Miniature.side
        let table = Tensor(shape: [rows.count, width])
        for (index, row) in rows.enumerated() {
            table.assign(miniatures[row]?.deviations(isMirrored: isMirrored) ?? [], at: index * width)
        }
        return table
    }
}
