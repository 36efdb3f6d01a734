import Support

/// What the environment says of a process that a launcher started together with others: `mpirun`, `mpiexec` or `srun`.
package struct Launch: Sendable, Hashable {
    /// Who started the processes, which decides which library they talk through.
    package enum Launcher: Sendable, Hashable { case openMPI, hydra, slurm }

    package let launcher: Launcher
    /// Which of the processes this is, counted from 0.
    package let rank: Int
    /// How many there are; at least 2.
    package let count: Int

    /// The variable that names the MPI library; `none` makes every process one of its own.
    package static let libraryVariable = "VIT_MPI_LIBRARY"

    /// Reads the environment; nil where this process was started alone.
    ///
    /// The shells that `salloc` and `sbatch` start are a single task however many the job has: only the tasks of a step,
    /// which `srun` starts, are several.
    ///
    /// - Parameter variable: gives a variable of the environment.
    package init?(_ variable: (String) -> String? = Environment.value) {
        if variable(Self.libraryVariable) == "none" { return nil }
        // `mpirun` may itself have been started by Slurm, whose variables then describe the launcher.
        let kinds: [(Launcher, rank: String, count: String)] = [
            (.openMPI, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), (.hydra, "PMI_RANK", "PMI_SIZE"),
            (.slurm, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
        ]
        for (launcher, rank, count) in kinds {
            guard let rank = variable(rank).flatMap({ Int($0) }), let count = variable(count).flatMap({ Int($0) })
            else { continue }
            guard count > 1, (0..<count).contains(rank) else { return nil }
            (self.launcher, self.rank, self.count) = (launcher, rank, count)
            return
        }
        return nil
    }
}
