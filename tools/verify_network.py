#!/usr/bin/env python3
"""Times steps of pre-training on several hosts, and holds them to the formula of the page "On a cluster". Needs root on Linux.

The hosts are network namespaces of this machine with links of the rates and the delay named (tools/slow_network.py), one
process of one thread each. What computing takes is measured without a network, as many processes at a time; what adding
takes for a weight (`a` in the formula) by hosts whose links have no limit.

    python3 tools/verify_network.py --vit .build/release/vit --gigabits 1 10 --delay 0 0.001
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import network_need  # noqa: E402
import slow_network  # noqa: E402
import verify_processes  # noqa: E402

AGENT = """#!/bin/sh
# What a launcher calls instead of ssh: [OPTIONS] HOST COMMAND...
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "$host" unshare --uts --mount sh -c "hostname $host; mount --bind HOSTS /etc/hosts; $*"
"""


def launcher_command(name, hosts, agent):
    if name == "Open MPI":
        return ["mpirun.openmpi", "--mca", "plm_rsh_agent", agent, "--mca", "btl_tcp_if_include", "net0", "--mca",
                "oob_tcp_if_include", "net0", "--mca", "btl", "self,tcp", "--bind-to", "none", "--host", ",".join(hosts)]
    # The hosts are one machine, which the libraries below MPICH would notice.
    tcp = ["env", "UCX_TLS=tcp,self", "UCX_NET_DEVICES=net0", "FI_PROVIDER=tcp", "MPIR_CVAR_NOLOCAL=1"]
    return tcp + ["mpirun.mpich", "-launcher", "ssh", "-launcher-exec", agent, "-iface", "net0", "-bind-to", "none", "-hosts",
            ",".join(hosts), "-n", str(len(hosts))]


class Measurement:
    def __init__(self, arguments, scratch):
        self.arguments, self.scratch, self.runs = arguments, scratch, 0
        self.data, self.agent, self.hosts_file = f"{scratch}/data", f"{scratch}/agent", f"{scratch}/hosts"
        verify_processes.make_data(self.data)
        with open(self.agent, "w") as file:
            file.write(AGENT.replace("HOSTS", self.hosts_file))
        os.chmod(self.agent, 0o755)

    def command(self):
        """The directory of a run, and the command of it."""
        self.runs += 1
        run = f"{self.scratch}/run{self.runs}"
        arguments = self.arguments
        return run, [
            os.path.abspath(arguments.vit), "pretrain", self.data, "--output", run, "--arch", arguments.arch, "--batch-size",
            str(arguments.batch_size), "--steps", str(arguments.steps), "--log-every", "1", "--threads", "1", "--quiet",
            "--checkpoint-every", "1000000"]

    def seconds(self, run):
        """The median of a run's steps, the first two left out."""
        with open(f"{run}/metrics.jsonl") as file:
            rates = [json.loads(line).get("images_per_second") for line in file]
        with open(f"{run}/config.json") as file:
            images = self.arguments.batch_size * json.load(file)["accumulate"]
        shutil.rmtree(run)
        return statistics.median(images / rate for rate in rates[2:] if rate)

    def alone(self, count):
        """Seconds of a step of one pass where `count` processes compute at a time, each by itself."""
        commands = [self.command() for _ in range(count)]
        processes = [
            subprocess.Popen(command, env=os.environ | {"VIT_MPI_LIBRARY": "none"}, stderr=subprocess.DEVNULL)
            for _, command in commands]
        codes = [process.wait() for process in processes]
        if any(code not in (0, 1) for code in codes):
            sys.exit(f"a run without a network ended with {codes}")
        return statistics.mean(self.seconds(run) for run, _ in commands)

    def together(self, launcher, count, bits, delay):
        """Seconds of a step of `count` passes on as many hosts."""
        with slow_network.network(count, bits, delay) as network:
            with open(self.hosts_file, "w") as file:
                file.write(network.hosts_text())
            run, command = self.command()
            command = launcher_command(launcher, network.hosts, self.agent) + command
            result = subprocess.run(
                network.command(0, command, self.hosts_file), env=verify_processes.ENVIRONMENT, capture_output=True,
                text=True)
        if result.returncode not in (0, 1):
            sys.exit(f"{launcher}, {count} hosts: exit code {result.returncode}\n{result.stdout}{result.stderr}")
        return self.seconds(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vit", default=".build/release/vit")
    parser.add_argument("--arch", default="vit-small")
    parser.add_argument("--batch-size", type=int, default=16, help="images of a process in a step")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--hosts", type=int, nargs="+", default=[2])
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--delay", type=float, nargs="+", default=[0, 1e-3], help="seconds")
    parser.add_argument("--launcher", nargs="+", default=list(verify_processes.LAUNCHERS))
    arguments = parser.parse_args()
    weights = network_need.weights(arguments.arch)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        measurement = Measurement(arguments, scratch)
        for count in arguments.hosts:
            for launcher in arguments.launcher:
                before = measurement.alone(count)
                unlimited = measurement.together(launcher, count, 1e12, 0)
                alone = (before + measurement.alone(count)) / 2
                add = max(0, unlimited - alone) / weights
                print(f"{arguments.arch}, {launcher}, {count} hosts: {alone:.3f} s of computing a step, "
                      f"{unlimited:.3f} s with links without a limit: a = {add * 1e9:.2f} ns", flush=True)
                for gigabits in arguments.gigabits:
                    for delay in arguments.delay:
                        measured = measurement.together(launcher, count, gigabits * 1e9, delay)
                        images = arguments.batch_size * count
                        expected, network = network_need.step(
                            arguments.arch, images, arguments.batch_size / alone, count, 1, gigabits, delay, add)
                        ratio = measured / expected
                        wrong += not 0.85 <= ratio <= 1.15
                        print(f"  {gigabits:g} Gb/s, {delay * 1e3:g} ms: {measured:.3f} s a step, {expected:.3f} s by the "
                              f"formula ({network:.3f} s of them on the network): {ratio:.2f}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
