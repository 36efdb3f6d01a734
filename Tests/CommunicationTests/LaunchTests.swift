import Communication
import Testing

@Suite struct LaunchTests {
    private func launch(_ variables: [String: String]) -> Launch? { Launch { variables[$0] } }

    @Test func launchersAreRecognized() {
        let openMPI = launch(["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"])
        #expect(openMPI?.launcher == .openMPI && openMPI?.rank == 1 && openMPI?.count == 4)
        let hydra = launch(["PMI_RANK": "0", "PMI_SIZE": "2"])
        #expect(hydra?.launcher == .hydra && hydra?.rank == 0 && hydra?.count == 2)
        let slurm = launch(["SLURM_PROCID": "7", "SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"])
        #expect(slurm?.launcher == .slurm && slurm?.rank == 7 && slurm?.count == 8)
    }

    @Test func oneProcessIsNoLaunch() {
        #expect(launch([:]) == nil)
        #expect(launch(["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]) == nil)
        #expect(launch(["PMI_RANK": "x", "PMI_SIZE": "2"]) == nil)
        #expect(launch(["PMI_RANK": "2", "PMI_SIZE": "2"]) == nil)
    }

    /// A shell of `sbatch` or `salloc` has the job's variables, but is one task.
    @Test func shellsOfSlurmAreOneProcess() {
        #expect(launch(["SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_JOB_ID": "5"]) == nil)
        #expect(launch(["SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"]) == nil)
    }

    /// `mpirun` starts its own helpers by Slurm, a task a machine.
    @Test func mpirunInsideSlurmCountsItsOwnProcesses() {
        let inside = launch([
            "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "16", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2",
        ])
        #expect(inside?.rank == 3 && inside?.count == 16)
    }

    @Test func processesMayRunAlone() {
        #expect(launch(["PMI_RANK": "0", "PMI_SIZE": "2", "VIT_MPI_LIBRARY": "none"]) == nil)
        #expect(launch(["PMI_RANK": "0", "PMI_SIZE": "2", "VIT_MPI_LIBRARY": "libx.so"])?.count == 2)
    }
}
