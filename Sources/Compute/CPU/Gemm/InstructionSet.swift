import CKernels
import LibC

/// The instruction sets that matrix products are written for, from the fastest to the one that runs everywhere.
package enum InstructionSet: String, CaseIterable, Sendable {
    /// With BF16, and VNNI, as all of these processors have it.
    case avx512BF16 = "avx512bf16"
    case avx512VNNI = "avx512vnni"
    case avx512
    case avxVNNI = "avxvnni"
    case avx2
    /// Vectors of 128 bits: SSE2 on x86-64, NEON on Arm64.
    case portable

    /// The environment variable that selects one of them instead of the fastest.
    package static let variable = "VIT_INSTRUCTION_SET"

    /// Those that this processor has, the fastest first.
    package static var supported: [InstructionSet] { allCases.filter { vit_supports($0.kernel) != 0 } }

    /// The one that `VIT_INSTRUCTION_SET` names, or else the fastest.
    ///
    /// Throws where the variable names one that this processor lacks.
    package static func selected() throws(InstructionSetError) -> InstructionSet {
        guard let value = unsafe getenv(variable) else { return fastest }
        return try named(unsafe String(cString: value))
    }

    /// The supported instruction set of that name.
    package static func named(_ name: String) throws(InstructionSetError) -> InstructionSet {
        guard let set = supported.first(where: { $0.rawValue == name }) else { throw InstructionSetError(name: name) }
        return set
    }

    /// The set of which a processor's products are fastest; the bits of its results do not depend on it.
    ///
    /// Some processors that multiply pairs of bfloat16 in one instruction are faster by two of single precision.
    static let fastest: InstructionSet = {
        let pairsAreSlow = vit_pairs_are_slow() != 0
        return supported.first { !(pairsAreSlow && $0 == .avx512BF16) } ?? .portable
    }()

    /// What it is usually called: "AVX-512".
    package var displayName: String {
        switch self {
        case .avx512BF16: return "AVX-512 with BF16"
        case .avx512VNNI: return "AVX-512 with VNNI"
        case .avx512: return "AVX-512"
        case .avxVNNI: return "AVX2 with VNNI"
        case .avx2: return "AVX2"
        case .portable:
            #if arch(x86_64)
                return "SSE2"
            #elseif arch(arm64)
                return "NEON"
            #else
                return "portable"
            #endif
        }
    }

    var kernel: vit_instruction_set {
        switch self {
        case .avx512BF16: vit_avx512_bf16
        case .avx512VNNI: vit_avx512_vnni
        case .avx512: vit_avx512
        case .avxVNNI: vit_avx_vnni
        case .avx2: vit_avx2
        case .portable: vit_portable
        }
    }
}

/// An instruction set was asked for that does not exist or that this processor lacks.
package struct InstructionSetError: Error, CustomStringConvertible {
    let name: String

    package var description: String {
        let names = InstructionSet.supported.map(\.rawValue).joined(separator: ", ")
        return "\(InstructionSet.variable) is \"\(name)\", but this processor runs: \(names)"
    }
}
