import Layers
import Models
import Support
import Testing

@Suite struct PositionTests {
    /// Names read `library/old-new-prefix-P`, grids being rows x columns.
    private struct Case {
        let kind: PositionInterpolation
        let old: Size
        let new: Size
        let prefix: Int

        init?(_ name: Substring) {
            let parts = name.split(separator: "/")
            guard parts.count == 2, let kind = PositionInterpolation(rawValue: String(parts[0])) else {
                return nil
            }
            let words = parts[1].split(separator: "-")
            let sizes = words.prefix(2).map { $0.split(separator: "x").compactMap { Int($0) } }
            guard words.count == 4, let prefix = Int(words[3]), sizes.allSatisfy({ $0.count == 2 }) else { return nil }
            self.kind = kind
            old = Size(height: sizes[0][0], width: sizes[0][1])
            new = Size(height: sizes[1][0], width: sizes[1][1])
            self.prefix = prefix
        }
    }

    @Test func resamplingAgreesWithBothLibraries() throws {
        let goldens = try Goldens("positions")
        let names = goldens.names(under: "").filter { $0.hasSuffix("/table") }.map { $0.dropLast("/table".count) }
        #expect(names.count >= 12)
        for name in names {
            let sizes = try #require(Case(name), "\(name)")
            let table = try goldens["\(name)/table"]
            let wanted = try goldens["\(name)/resampled"].values
            let width = table.shape[1]
            let got = PositionResampling.resample(
                Array(table.values.dropFirst(sizes.prefix * width)), width: width, from: sizes.old, to: sizes.new,
                as: sizes.kind)
            // The libraries compute where a place falls in single precision.
            #expect(largestDifference(got, Array(wanted.dropFirst(sizes.prefix * width))) < 1e-5, "\(name)")
        }
    }

    @Test func sinCosTableFollowsTheFormula() throws {
        let goldens = try Goldens("positions")
        for (name, grid, width) in [
            ("14x14-width-4", Size(square: 14), 4), ("3x5-width-16", Size(height: 3, width: 5), 16),
            ("4x4-width-8", Size(square: 4), 8),
        ] {
            let wanted = try goldens["sin-cos/\(name)"].values
            #expect(wanted.prefix(width).allSatisfy { $0 == 0 })
            let got = SinCosPositions.table(grid: grid, width: width)
            #expect(largestDifference(got, Array(wanted.dropFirst(width))) < 1e-7, "\(name)")
        }
    }
}
