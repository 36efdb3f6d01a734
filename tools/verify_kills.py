#!/usr/bin/env python3
"""Kills `vit pretrain`, `vit finetune` and `vit embed` again and again and goes on with --resume: nothing gets lost.

    python3 tools/verify_kills.py [--vit .build/release/vit] [--kills 300] [--seed 0] [--only "embed"]

A kill is SIGKILL: at a random moment, or, where strace is there, at a random one of the calls that change files. After each
of them, what is under the names of checkpoints, models and rows must be whole. A run that then got to its end must have the
bits of one that nobody killed, the same files beside them, and nothing else. Prints how many kills fell on what, and exits
with 1 where anything differs. Needs Python alone.
"""

import argparse
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from try_numbers import DECODER, FIXTURES, MODEL, picture

# What changes files; of the others, a kill before or after makes no difference that a random moment would not find.
CALLS = ["openat", "mkdir", "write", "pwrite64", "ftruncate", "fsync", "rename", "renameat2", "unlink", "rmdir", "flock"]
# What differs from run to run.
TIMES = re.compile(r'"(time|images_per_second)":[^,}]*')
STRACE = shutil.which("strace")
MOST_KILLS_IN_A_TRIAL = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="the jobs whose name contains this")
    parser.add_argument("--folder", help="where to work: on the file system that is to be tried")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vit-kills-", dir=options.folder) as folder:
        make_inputs(Path(folder))
        jobs = [job for job in all_jobs(options.vit.resolve(), Path(folder)) if options.only in job.name]
        for job in jobs:
            job.run_whole()
        chance = random.Random(options.seed)
        while sum(job.kills.total() for job in jobs) < options.kills:
            min(jobs, key=lambda job: job.kills.total()).try_once(chance)
    for job in jobs:
        print(f"{job.name}: {job.kills.total()} kills in {job.trials} runs, {job.findings} findings")
        print("   " + ", ".join(f"{what} {count}" for what, count in job.kills.most_common()))
    return 1 if any(job.findings for job in jobs) else 0


def make_inputs(folder: Path) -> None:
    for number in range(30):
        place = folder / "data" / "xyz"[number % 3] / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(20 + number, 24))
    for number in range(1500):
        place = folder / "photos" / f"{number % 7}" / f"{number:04}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(40 + number % 50, 60) if number % 40 != 3 else b"\x89PNG no picture")


def all_jobs(vit: Path, folder: Path) -> list["Job"]:
    shape = [*MODEL, "--batch-size", "4", "--threads", "1", "--keep", "2", "--log-every", "2", "--quiet"]
    pretrain = ["pretrain", "data", *shape, *DECODER, "--checkpoint-every", "4"]
    finetune = ["finetune", "data", *shape, "--checkpoint-every", "5", "--validation-fraction", "0.4", "--ema", "0.5"]
    embed = ["embed", "photos", "--model", str(FIXTURES / "hf-vit"), "--image-size", "64", "--threads", "1", "--quiet"]
    return [
        Training("pretrain", vit, folder, [*pretrain, "--steps", "24"]),
        Training("finetune", vit, folder, [*finetune, "--steps", "24"]),
        Embedding("embed to npy", vit, folder, embed, "rows.npy"),
        Training("pretrain, made longer", vit, folder, [*pretrain, "--steps", "16"], [*pretrain, "--steps", "28"]),
        Training("finetune, made longer", vit, folder, [*finetune, "--steps", "16"], [*finetune, "--steps", "28"]),
        Embedding("embed to csv", vit, folder, embed, "rows.csv"),
        Embedding("embed, updated", vit, folder, [*embed, "--shard", "1/2"], "rows.npy", [*embed, "--update"]),
    ]


class Job:
    """A command that is killed: what it writes lies in a folder of its own."""

    #: A run that resumes may find that all is done.
    success = {0}

    def __init__(self, name: str, vit: Path, folder: Path, command: list[str], output: str, later: list[str] | None) -> None:
        self.name, self.vit, self.folder, self.output = name, vit, folder, output
        self.before = command if later else None
        self.command = later or command
        self.place = folder / re.sub(r"\W+", "-", name)
        self.kills: Counter[str] = Counter()
        self.trials = self.findings = 0

    def arguments(self, command: list[str], *more: str) -> list[str]:
        return [str(self.vit), *command, "--output", str(self.place / "now" / self.output), *more]

    def begin(self) -> None:
        """The folder as it is before the first run that is killed."""
        shutil.rmtree(self.place / "now", ignore_errors=True)
        if self.before and (self.place / "before").exists():
            shutil.copytree(self.place / "before", self.place / "now")
            return
        (self.place / "now").mkdir(parents=True)
        if self.before:
            self.run(self.arguments(self.before))
            shutil.copytree(self.place / "now", self.place / "before")

    def run(self, arguments: list[str]) -> None:
        done = subprocess.run(arguments, cwd=self.folder, capture_output=True, text=True, errors="replace")
        if done.returncode not in self.success:
            self.report(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}")

    def run_whole(self) -> None:
        """What nobody kills, how long that takes, and how often each call is made."""
        self.begin()
        started = time.monotonic()
        self.run(self.arguments(self.command, "--resume"))
        self.seconds = time.monotonic() - started
        (self.place / "now").rename(self.place / "whole")
        self.whole = self.contents(self.place / "whole")
        self.calls: Counter[str] = Counter()
        if STRACE:
            self.begin()
            self.run([*self.strace(CALLS), *self.arguments(self.command, "--resume")])
            lines = re.findall(r"^(\d+) +(\w+)\(", self.log().read_text(errors="replace"), re.MULTILINE)
            for (_, call), count in Counter(lines).items():
                self.calls[call] = max(count, self.calls[call])

    def log(self) -> Path:
        return self.place / "calls"

    def strace(self, calls: list[str], *more: str) -> list[str]:
        return [STRACE, "-f", "-qq", "-o", str(self.log()), "-e", f"trace={','.join(calls)}", *more]

    def try_once(self, chance: random.Random) -> None:
        self.trials += 1
        self.begin()
        self.seen = self.findings_now = 0
        self.look(self.place / "now")
        for _ in range(chance.randint(1, MOST_KILLS_IN_A_TRIAL)):
            where = self.kill(chance)
            if where is None:
                continue
            self.kills[where] += 1
            for complaint in self.look(self.place / "now"):
                self.report(f"{complaint} after a kill at {where}")
        self.run(self.arguments(self.command, "--resume"))
        contents = self.contents(self.place / "now")
        for name in sorted(contents.keys() | self.whole.keys()):
            if name not in contents:
                self.report(f"{name} is missing")
            elif name not in self.whole:
                self.report(f"{name} was left behind")
            elif contents[name] != self.whole[name]:
                self.report(f"{name} differs from the uninterrupted run's")
        if self.findings_now:
            shutil.copytree(self.place / "now", f"{self.place}-{self.trials}-findings", dirs_exist_ok=True)

    def kill(self, chance: random.Random) -> str | None:
        """What a run was doing when it was killed; nil where it ended first."""
        arguments = self.arguments(self.command, "--resume")
        if self.calls and chance.random() < 0.6:
            call = chance.choice(sorted(self.calls))
            number = chance.randint(1, self.calls[call])
            done = subprocess.run(
                [*self.strace([call], "-e", f"inject={call}:signal=KILL:when={number}"), *arguments], cwd=self.folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode in self.success:
                return None
            lines = re.findall(r"^\d+ +(\w+\(.*)", self.log().read_text(errors="replace"), re.MULTILINE)
            return f"{call} {self.part(lines[-1] if lines else '')}".strip()
        process = subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0, self.seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return "a moment" if process.returncode == -signal.SIGKILL else None

    def part(self, call: str) -> str:
        """What of the output a call is about, where it names it."""
        found = re.search(r'"([^"]*/now/[^"]*)"', call)
        if not found:
            return ""
        names = found[1].split("/now/")[1].split("/")[-2:]
        return "of " + re.sub(r"\d+", "N", "/".join(names))

    def contents(self, place: Path) -> dict[str, object]:
        """Every file and folder by its name, and what of it must be the same."""
        contents = {}
        for path in sorted(place.rglob("*")):
            name = re.sub(r"tfevents\.\d+", "tfevents.N", str(path.relative_to(place)))
            # A run's lock names the process that held it last.
            contents[name] = None if path.is_dir() or path.name == ".lock" else self.essence(path)
        return contents

    def report(self, text: str) -> None:
        self.findings += 1
        self.findings_now = 1
        print(f"{self.name}, run {self.trials}: {text}", file=sys.stderr, flush=True)


class Training(Job):
    def __init__(self, name: str, vit: Path, folder: Path, command: list[str], later: list[str] | None = None) -> None:
        super().__init__(name, vit, folder, command, "run", later)

    def essence(self, path: Path) -> object:
        if path.name == "metrics.jsonl":
            return TIMES.sub("", path.read_text())
        if path.name == "config.json" and path.parent.name == "run":
            return {key: value for key, value in json.loads(path.read_text()).items() if key != "command"}
        # The report and TensorBoard's events show times.
        return None if path.name == "report.html" or "tfevents" in path.name else path.read_bytes()

    def look(self, place: Path) -> list[str]:
        run = place / "run"
        complaints = []
        for checkpoint in (run / "checkpoints").glob("[0-9]*"):
            for name in ["model.safetensors", "optimizer.safetensors", "state.json"]:
                if not is_whole(checkpoint / name):
                    complaints.append(f"checkpoints/{checkpoint.name}/{name} is not whole")
        for name in ["config.json", "evaluation.json"]:
            if (run / name).exists() and not is_whole(run / name):
                complaints.append(f"{name} is not whole")
        has_model = (run / "model").exists()
        if has_model and not (is_whole(run / "model" / "config.json") and is_whole(run / "model" / "model.safetensors")):
            complaints.append("model is not whole")
        if self.seen and not has_model:
            complaints.append("model is gone")
        self.seen = self.seen or has_model
        return complaints


class Embedding(Job):
    success = {0, 1}

    def __init__(self, name: str, vit: Path, folder: Path, command: list[str], output: str, later: list[str] | None = None) -> None:
        super().__init__(name, vit, folder, command, output, later)

    def essence(self, path: Path) -> object:
        return path.read_bytes()

    def look(self, place: Path) -> list[str]:
        """The rows, and beside them no index but their own."""
        if not (place / "rows.npy").exists():
            return []
        bytes = (place / "rows.npy").read_bytes()
        shape = re.search(rb"'shape': \((\d+), (\d+)\)", bytes[:128])
        rows, columns = int(shape[1]), int(shape[2])
        complaints = [] if len(bytes) == 128 + rows * columns * 4 else ["rows.npy is not whole"]
        index = place / "rows.index.csv"
        if index.exists() and len(index.read_text().splitlines()) != rows + 1:
            complaints.append("rows.npy lies beside another index")
        return complaints


def is_whole(path: Path) -> bool:
    """Whether a file is there to its end."""
    if not path.exists():
        return False
    bytes = path.read_bytes()
    if path.suffix == ".json":
        try:
            return isinstance(json.loads(bytes), dict)
        except ValueError:
            return False
    head = int.from_bytes(bytes[:8], "little")
    tensors = json.loads(bytes[8 : 8 + head])
    ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"]
    return len(bytes) == 8 + head + max(ends)


if __name__ == "__main__":
    sys.exit(main())
