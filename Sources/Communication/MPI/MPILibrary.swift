import LibC
import Support

/// An MPI library loaded at run time, so that one executable works with whichever a cluster has.
///
/// Handles of communicators, types and requests are numbers in some libraries (MPICH) and addresses in others (Open MPI),
/// and constants with fixed values in MPI 5's standard interface. All of them fit into an `Int`: in the calling
/// conventions of x86-64 and Arm64, a function that takes 32 bits reads the lower half of the register, and one that
/// writes 32 bits of a request leaves the upper ones zero.
@safe struct MPILibrary {
    /// How a library represents its handles.
    enum Interface: String { case standard = "MPI 5", openMPI = "Open MPI", mpich = "MPICH" }

    typealias Wait = @convention(c) (UnsafeMutablePointer<Int>, UnsafeMutableRawPointer) -> Int32

    /// The name it was loaded by.
    let name: String
    let interface: Interface
    let world: Int
    let byte: Int
    let errorsReturn: Int
    let initialize:
        @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<Int32>) -> Int32
    let rank: @convention(c) (Int, UnsafeMutablePointer<Int32>) -> Int32
    let size: @convention(c) (Int, UnsafeMutablePointer<Int32>) -> Int32
    let setErrorHandler: @convention(c) (Int, Int) -> Int32
    let send: @convention(c) (UnsafeRawPointer?, Int32, Int, Int32, Int32, Int, UnsafeMutablePointer<Int>) -> Int32
    let receive:
        @convention(c) (UnsafeMutableRawPointer?, Int32, Int, Int32, Int32, Int, UnsafeMutablePointer<Int>) -> Int32
    let test: @convention(c) (UnsafeMutablePointer<Int>, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer) -> Int32
    let cancel: @convention(c) (UnsafeMutablePointer<Int>) -> Int32
    let wait: Wait
    let abort: @convention(c) (Int, Int32) -> Int32
    let finalize: @convention(c) () -> Int32

    /// The level of support for threads that lets one thread at a time call the library.
    var serializedThreads: Int32 { interface == .standard ? 2048 : 2 }

    /// The names of libraries that a launcher's processes may talk through, the likeliest first.
    static func names(for launcher: Launch.Launcher, _ variable: (String) -> String? = Environment.value) -> [String] {
        if let name = variable(Launch.libraryVariable), !name.isEmpty { return [name] }
        let (openMPI, mpich, intel) = ("libmpi.so.40", "libmpich.so.12", "libmpi.so.12")
        let standard = ["libmpi_abi.so.1", "libmpi_abi.so.0"]
        switch launcher {
        case .openMPI: return [openMPI] + standard
        case .hydra: return (variable("I_MPI_ROOT") == nil ? [mpich, intel] : [intel, mpich]) + standard
        case .slurm: return standard + [openMPI, mpich, intel]
        }
    }

    /// Loads the library that a launcher's processes talk through.
    static func load(for launch: Launch) throws(CommunicationError) -> MPILibrary {
        let names = names(for: launch.launcher)
        var reasons: [String] = []
        for name in names {
            // Plug-ins of Open MPI look for its functions among those of the whole process.
            guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_GLOBAL) else {
                reasons.append(unsafe dlerror().map { unsafe String(cString: $0) } ?? "\(name): cannot be loaded")
                continue
            }
            return try unsafe MPILibrary(name, Symbols(handle: handle, library: name))
        }
        throw CommunicationError(
            "a launcher started this as one of \(launch.count) processes, but no MPI library can be loaded ("
                + reasons.joined(separator: "; ")
                + "); name the launcher's own in \(Launch.libraryVariable), or set it to none "
                + "to run every process alone")
    }

    private init(_ name: String, _ symbols: Symbols) throws(CommunicationError) {
        self.name = name
        interface = try Self.interface(of: symbols)
        switch interface {
        case .openMPI:
            world = try unsafe Int(bitPattern: symbols.address("ompi_mpi_comm_world"))
            byte = try unsafe Int(bitPattern: symbols.address("ompi_mpi_byte"))
            errorsReturn = try unsafe Int(bitPattern: symbols.address("ompi_mpi_errors_return"))
        case .mpich: (world, byte, errorsReturn) = (0x4400_0000, 0x4c00_010d, 0x5400_0001)
        case .standard: (world, byte, errorsReturn) = (0x101, 0x247, 0x143)
        }
        unsafe initialize = try symbols.function("MPI_Init_thread")
        unsafe rank = try symbols.function("MPI_Comm_rank")
        unsafe size = try symbols.function("MPI_Comm_size")
        setErrorHandler = try symbols.function("MPI_Comm_set_errhandler")
        unsafe send = try symbols.function("MPI_Isend")
        unsafe receive = try symbols.function("MPI_Irecv")
        unsafe test = try symbols.function("MPI_Test")
        unsafe cancel = try symbols.function("MPI_Cancel")
        unsafe wait = try symbols.function("MPI_Wait")
        abort = try symbols.function("MPI_Abort")
        finalize = try symbols.function("MPI_Finalize")
    }

    /// Asks the library itself, since different ones share names.
    private static func interface(of symbols: Symbols) throws(CommunicationError) -> Interface {
        typealias Version = @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32
        var (major, minor) = (Int32(0), Int32(0))
        if let version: Version = unsafe symbols.functionIfAny("MPI_Abi_get_version"),
            unsafe version(&major, &minor) == 0, major > 0
        {
            let standard: Version = try unsafe symbols.function("MPI_Get_version")
            _ = unsafe standard(&major, &minor)
            guard major >= 5 else {
                throw CommunicationError(
                    "\(symbols.library): has a draft of MPI 5's binary interface, which differs from the standard; name a library "
                        + "of MPI 5, or the same one's older interface (libmpi.so.12), in \(Launch.libraryVariable)")
            }
            return .standard
        }
        if unsafe symbols.addressIfAny("ompi_mpi_comm_world") != nil { return .openMPI }
        typealias Text = @convention(c) (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
        var (bytes, length) = ([CChar](repeating: 0, count: 1 << 14), Int32(0))
        if let text: Text = unsafe symbols.functionIfAny("MPI_Get_library_version"), unsafe text(&bytes, &length) == 0 {
            let version = String(decoding: bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if ["MPICH", "Intel(R) MPI", "MVAPICH"].contains(where: version.contains) { return .mpich }
        }
        throw CommunicationError(
            "\(symbols.library): is no MPI library whose binary interface is known; expected Open MPI 4 or 5, MPICH 4 or 5, "
                + "Intel MPI or one with MPI 5's standard interface; name it in \(Launch.libraryVariable)")
    }
}

/// The functions and data of a loaded library.
@safe private struct Symbols {
    let handle: UnsafeMutableRawPointer
    let library: String

    func addressIfAny(_ name: String) -> UnsafeMutableRawPointer? { unsafe dlsym(handle, name) }

    func address(_ name: String) throws(CommunicationError) -> UnsafeMutableRawPointer {
        guard let address = unsafe addressIfAny(name) else {
            throw CommunicationError(
                "\(library): has no \(name); expected an MPI library; name one in \(Launch.libraryVariable)")
        }
        return unsafe address
    }

    func function<Function>(_ name: String) throws(CommunicationError) -> Function {
        unsafe unsafeBitCast(try address(name), to: Function.self)
    }

    func functionIfAny<Function>(_ name: String) -> Function? {
        unsafe addressIfAny(name).map { unsafe unsafeBitCast($0, to: Function.self) }
    }
}
