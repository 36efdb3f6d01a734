import Foundation
import Support
import TensorFiles
import Testing

struct NumPyMatrixTests {
    private final class File {
        let path = NSTemporaryDirectory() + "matrix-\(UUID().uuidString).npy"

        init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let values: [Float] = [1, -2, 0.5, 3e8, 4, 5]

    private static func array(
        descriptor: String = "<f4", order: String = "False", shape: String = "(2, 3)", version: UInt8 = 1,
        values: [Float] = Self.values
    ) -> [UInt8] {
        let header = Array("{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }".utf8)
        let length = [UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + (version > 1 ? [0, 0] : [])
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header
            + values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * UInt32($0)) & 0xFF) } }
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func rowsAreRead(version: UInt8) throws {
        let file = try File(Self.array(version: version))
        let matrix = try NumPyMatrix(contentsOfFile: file.path)
        #expect(matrix.rows == 2 && matrix.columns == 3 && matrix.isFinite)
        #expect(matrix[0] == [1, -2, 0.5] && matrix[1] == [3e8, 4, 5])
        #expect(matrix.shapeText == "(2, 3)")
    }

    @Test func aMatrixWithoutRowsIsOne() throws {
        let file = try File(Self.array(shape: "(0, 7)", values: []))
        let matrix = try NumPyMatrix(contentsOfFile: file.path)
        #expect(matrix.rows == 0 && matrix.columns == 7)
    }

    /// Extents beside a 0 are multiplied where a row is measured.
    @Test(arguments: ["(0, 9223372036854775807)", "(0, 4611686018427387904, 4)", "(4611686018427387904, 0, 4)"])
    func emptyArraysOfImpossibleExtentsAreRefused(shape: String) throws {
        let file = try File(Self.array(shape: shape, values: []))
        let error = try #require(throws: FileError.self) {
            try NumPyMatrix(contentsOfFile: file.path, isFlattened: true)
        }
        #expect(error.description.contains(shape))
    }

    @Test(arguments: [
        ([], "is empty; expected a NumPy file"), (Array("PK and more of it".utf8), "is no NumPy array"),
        (Array(array().prefix(9)), "damaged header"), (Array(array().prefix(30)), "damaged header"),
        (array(descriptor: "<f8"), "type <f8"), (array(descriptor: ">f4"), "type >f4"),
        (array(order: "True"), "Fortran order"), (array(shape: "(6,)"), "shape (6,)"),
        (array(shape: "(1, 2, 3)"), "shape (1, 2, 3)"), (array(shape: "(2, 4)"), "24 bytes"),
        (array(shape: "(4611686018427387904, 4)"), "24 bytes"), (array(shape: "(-2, -3)"), "damaged header"),
        (array() + [0], "25 bytes"),
    ])
    func whatIsNoMatrixIsRefused(bytes: [UInt8], complaint: String) throws {
        let file = try File(bytes)
        do throws(FileError) {
            _ = try NumPyMatrix(contentsOfFile: file.path)
            Issue.record("expected an error about \(complaint)")
        } catch {
            #expect(error.kind == .malformed && error.description.hasPrefix("\(file.path): "))
            #expect(error.description.contains(complaint), "\(error)")
        }
    }

    @Test func aMissingFileIsMissing() {
        #expect(throws: FileError.self) { try NumPyMatrix(contentsOfFile: "/nowhere/noise.npy") }
    }
}
