#!/usr/bin/env python3
"""Lets every command of vit that writes run out of disk: the old output stays, and one sentence names the file.

    sudo python3 tools/verify_full_disk.py [--vit .build/release/vit] [--only embed]

Each command has made its output once and is to replace it: on a file system of 4 MB that is full or gets full, on one that
may only be read, under a limit on the size of files (`ulimit -f`), and with standard output on a full disk, on /dev/full and
in a pipe that nobody reads. Then file systems and folders of images vanish while commands use them. Prints a table, and
exits with 1 where an exit code is another one than 73 or 74 (of a pipe: that of SIGPIPE), where there is no sentence, where
an old output is gone or mixed with a new one, or where something unfinished outlives the next run. Where mounting is not
allowed, only the conditions that need none are tried. Needs Python alone.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from try_numbers import DECODER, FIXTURES, MODEL, picture

HF, MAE = str(FIXTURES / "hf-vit"), str(FIXTURES / "mae-full" / "mae_visualize_vit_tiny.pth")
PAGE = 4096
CLASSES = ["ant", "bee", "cicada", "dragonfly"]
#: The files of a run that must be those of one moment.
RUN_PARTS = ["model", "checkpoints"]


class Command:
    """A command: how it makes its old output, and then its new one, in the folder `out`."""

    def __init__(self, name: str, old: list[str], new: list[str] | None = None, output: str | None = None, again: list[str] = []) -> None:
        self.name, self.old, self.new, self.output = name, old, new or old, output
        #: What to add when the disk has room again.
        self.again = again


def commands() -> list[Command]:
    quiet = ["--quiet", "--threads", "1"]
    few, many = ["many/ant"], ["many"]
    shape = [*MODEL, "--width", "48", "--batch-size", "4", "--log-every", "1", "--checkpoint-every", "3", *quiet]
    both = [("embed, npy", "rows.npy"), ("embed, safetensors", "rows.safetensors"), ("embed, csv", "rows.csv"), ("embed, jsonl", "rows.jsonl")]
    model = ["--model", HF, *quiet]
    small = ["--model", HF, "--batch-size", "64", *quiet]
    found = [
        Command("classify --logits", ["classify", *few, "--logits", "out/x.npy", *small], ["classify", *many, "--logits", "out/x.npy", *small], "x.npy"),
        Command("attention", ["attention", "a.png", "--output", "out/x.png", *model], ["attention", "b.png", "--output", "out/x.png", *model], "x.png"),
        Command("attention --weights", ["attention", "a.png", "--output", "drawn.png", "--weights", "out/x.npy", *model],
                ["attention", "b.png", "a.png", "--output", "drawn", "--weights", "out/x.npy", *model], "x.npy"),
        Command("reconstruct", ["reconstruct", "a.png", "--output", "out/x.png", "--model", MAE, *quiet], ["reconstruct", "b.png", "--output", "out/x.png", "--model", MAE, *quiet], "x.png"),
        Command("reconstruct --prediction", ["reconstruct", "a.png", "--output", "drawn.png", "--prediction", "out/x.npy", "--model", MAE, *quiet],
                ["reconstruct", "a.png", "b.png", "--output", "drawn", "--prediction", "out/x.npy", "--model", MAE, *quiet], "x.npy"),
        Command("evaluate --predictions", ["evaluate", "data", "--predictions", "out/x.csv", *model], ["evaluate", "many", "--predictions", "out/x.csv", *model], "x.csv"),
        Command("probe --features", ["probe", "data", "--method", "knn", "--k", "1", "--validation-fraction", "0.5", "--features", "out/x.npy", *model],
                ["probe", "many", "--method", "knn", "--k", "1", "--validation-fraction", "0.5", "--features", "out/x.npy", *model], "x.npy"),
        Command("inspect --output", ["inspect", HF, "--images", "a.png", "--output", "out/x.html", *quiet[1:]], ["inspect", HF, "--images", "many/ant", "--output", "out/x.html", *quiet[1:]], "x.html"),
        Command("map", ["map", "few.npy", "--output", "out/x.html", *quiet], ["map", "rows.npy", "--output", "out/x.html", *quiet], "x.html"),
        Command("search --html", ["search", "few.npy", "a.png", "--html", "out/x.html", *quiet], ["search", "rows.npy", "a.png", "--html", "out/x.html", *quiet], "x.html"),
        Command("duplicates --html", ["duplicates", "few.npy", "--html", "out/x.html", *quiet], ["duplicates", "rows.npy", "--html", "out/x.html", *quiet], "x.html"),
        Command("convert", ["convert", HF, "--to", "timm", "--output", "out/x", "--force"], ["convert", HF, "--to", "hf", "--half", "--output", "out/x", "--force"], "x"),
        Command("convert, to a new folder", [], ["convert", HF, "--to", "timm", "--output", "out/x"], "x"),
    ]
    for name, file in both:
        found.append(Command(name, ["embed", *few, "--output", f"out/{file}", *small], ["embed", *many, "--output", f"out/{file}", *small], file, ["--resume"]))
    for name, more in (("pretrain", DECODER), ("pretrain --method rotation", ["--method", "rotation"]), ("finetune", ["--validation-fraction", "0.4"])):
        base = [name.split()[0], "data", "--output", "out/run", *shape, *more]
        found.append(Command(name, [*base, "--steps", "6"], [*base, "--steps", "12", "--resume"], "run", ["--resume"]))
        found.append(Command(f"{name}, begun", [], [*base, "--steps", "6", "--resume"], "run", ["--resume"]))
    return found


def printing() -> dict[str, list[str]]:
    """Commands that print results."""
    quiet = ["--threads", "1"]
    model = ["--model", HF, *quiet, "--quiet"]
    return {
        "classify": ["classify", "many", "--format", "jsonl", *model],
        "attention": ["attention", "a.png", "--output", "drawn.png", *model],
        "reconstruct": ["reconstruct", "a.png", "--output", "drawn.png", "--model", MAE, *quiet, "--format", "json"],
        "evaluate": ["evaluate", "data", *model],
        "probe": ["probe", "data", "--method", "knn", "--k", "1", "--validation-fraction", "0.5", *model],
        "search": ["search", "rows.npy", "a.png", *quiet],
        "duplicates": ["duplicates", "rows.npy", *quiet],
        "inspect": ["inspect", HF],
        "benchmark": ["benchmark", "--arch", "vit-tiny", "--image-size", "16", "--batch-size", "1", "--rounds", "1", *quiet],
        "pretrain --plan": ["pretrain", "data", "--output", "none", *MODEL, *DECODER, "--steps", "2", "--batch-size", "2", "--plan", *quiet],
        "finetune --plan": ["finetune", "data", "--output", "none", *MODEL, "--steps", "2", "--batch-size", "2", "--plan", *quiet],
        "--help": ["--help"],
        "--version": ["--version"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--only", default="", help="the commands whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vit-disk-") as folder:
        trial = Trial(options.vit.resolve(), Path(folder))
        try:
            for command in commands():
                if options.only in command.name:
                    for condition in (trial.conditions if trial.can_mount else ["a limit on files"]):
                        trial.write(command, condition)
            for name, arguments in printing().items():
                if options.only in name:
                    trial.print(name, arguments)
            for name in ("embed", "pretrain", "finetune", "classify", "duplicates"):
                if options.only in name:
                    trial.vanish(name)
        finally:
            trial.unmount()
    print(f"{trial.count} cases, {trial.findings} findings")
    return 1 if trial.findings else 0


class Trial:
    conditions = ["full", "a page left", "half of it fits", "read-only", "a limit on files"]

    def __init__(self, vit: Path, folder: Path) -> None:
        self.vit, self.folder, self.out = vit, folder, folder / "out"
        self.count = self.findings = 0
        self.is_mounted = False
        self.out.mkdir()
        self.make_inputs()
        self.can_mount = self.mount()
        if not self.can_mount:
            print("Mounting is not allowed here: full, read-only and vanishing file systems are not tried.")
        print("command | condition | exit code | sentence | old output | left until the next run")

    def make_inputs(self) -> None:
        for number in range(16):
            self.picture(f"data/{CLASSES[number % 3]}/{number}.png", 20 + number)
        for number in range(300):
            self.picture(f"many/{CLASSES[number // 75]}/{number}.png", 20 + number % 60)
        self.picture("a.png", 200)
        self.picture("b.png", 260)
        for paths, output in ((["many/ant"], "few.npy"), (["many"], "rows.npy")):
            self.run(["embed", *paths, "--output", output, "--model", HF, "--quiet"])

    def picture(self, name: str, width: int) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(width, width))

    def mount(self) -> bool:
        self.unmount()
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            return False
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(self.out)], capture_output=True)
        self.is_mounted = done.returncode == 0
        return self.is_mounted

    def unmount(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.out)], check=True)
        self.is_mounted = False

    def remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.out)], check=True)

    def run(self, arguments: list[str], file_limit: int | None = None, **more: object) -> subprocess.CompletedProcess:
        def limit() -> None:
            if file_limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
            # As a shell leaves it; Python ignores it.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)

        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **more}
        return subprocess.run(
            [str(self.vit), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, text=True, errors="replace",
            preexec_fn=limit, timeout=120, **streams)

    def clean(self) -> None:
        if self.can_mount:
            self.mount()
        else:
            shutil.rmtree(self.out)
            self.out.mkdir()

    def write(self, command: Command, condition: str) -> None:
        """One command under one condition."""
        # What it writes where all is well.
        self.clean()
        if command.old:
            self.run(command.old)
        old = contents(self.out)
        self.run(command.new)
        new = contents(self.out)
        self.clean()
        if command.old:
            self.run(command.old)
        size = max(len(bytes) for name, bytes in new.items() if bytes is not None and old.get(name) != bytes)
        limit = size // 2 if condition == "a limit on files" else None
        if condition in ("full", "a page left", "half of it fits"):
            keep = {"full": 0, "a page left": 1, "half of it fits": max(1, size // PAGE // 2)}[condition]
            self.fill(keep)
        if condition == "read-only":
            self.remount("ro")
        done = self.run(command.new, limit)
        now = contents(self.out)
        if condition == "read-only":
            self.remount("rw")
        (self.out / "filler").unlink(missing_ok=True)
        state = self.state(old, new, now)
        left = unfinished(now)
        complaints = self.sentence(done, command.output or "")
        if "mix" in state or "gone" in state:
            complaints.append(f"the old output is {state}")
        again = self.run([*command.new, *(more for more in command.again if more not in command.new)])
        if again.returncode != 0:
            complaints.append(f"the next run ended with {again.returncode}: {again.stderr.strip()[-200:]}")
        outlived = unfinished(contents(self.out))
        if outlived:
            complaints.append(f"left behind after the next run: {outlived}")
        self.row(command.name, condition, done, state, left, complaints)

    def fill(self, pages: int) -> None:
        """Fills the file system but for some pages."""
        with open(self.out / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                pass
            file.truncate(max(0, file.tell() // PAGE - pages) * PAGE)

    def state(self, old: dict, new: dict, now: dict) -> str:
        """What became of the old output."""
        names = [name for name, bytes in old.items() if bytes is not None and is_result(name)]
        shown = {name: bytes for name, bytes in now.items() if name in old or name in new}
        if not names:
            found = [name for name, bytes in shown.items() if bytes is not None and is_result(name)]
            if not found:
                return "none"
            # Of a run, each part is whole of itself.
            return "new" if all(equals(new, name, shown) or "run/" in name for name in found) else "none, but a part of the new: mix"
        if all(equals(old, name, shown) for name in names):
            return "old"
        changed = [name for name in new if new[name] is not None and is_result(name) and new.get(name) != old.get(name)]
        if all(equals(new, name, shown) for name in changed):
            return "new"
        if any(name.startswith("run/") for name in names):
            # Checkpoints and the result appear one after the other.
            folders = {name.rsplit("/", 1)[0] for name in names}
            bad = [folder for folder in folders if folder.startswith("run/model") and not any(
                all(equals(which, name, shown) for name in which if name.startswith(folder + "/") and which[name] is not None)
                for which in (old, new))]
            return f"mix in {bad}" if bad else "old and new parts, each whole"
        return "gone" if not any(name in shown for name in names) else "mix"

    def sentence(self, done: subprocess.CompletedProcess, name: str, codes: tuple[int, ...] = (73, 74)) -> list[str]:
        complaints = []
        if done.returncode not in codes:
            complaints.append(f"ended with {done.returncode}")
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        if len(errors) != 1:
            complaints.append(f"{len(errors)} sentences: {done.stderr.strip()[-300:]}")
        elif not any(part in errors[0] for part in (Path(name).stem, "drawn")):
            complaints.append("the sentence does not name the file")
        elif ".partial" in errors[0] or ".replaced" in errors[0]:
            complaints.append("the sentence names what nobody asked for")
        return complaints

    def print(self, name: str, arguments: list[str]) -> None:
        """A command whose standard output cannot be written."""
        with open("/dev/full", "w") as full:
            self.check_print(name, "/dev/full", self.run(arguments, stdout=full))
        if self.can_mount:
            self.clean()
            self.fill(0)
            with open(self.out / "printed", "w") as file:
                self.check_print(name, "a full disk", self.run(arguments, stdout=file))
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run(arguments, stdout=writer)
        os.close(writer)
        complaints = [] if done.returncode == -signal.SIGPIPE and "Error" not in done.stderr else [
            f"ended with {done.returncode}: {done.stderr}"]
        self.row(name, "a closed pipe", done, "-", [], complaints)

    def check_print(self, name: str, condition: str, done: subprocess.CompletedProcess) -> None:
        self.row(name, f"standard output on {condition}", done, "-", [], self.sentence(done, "standard output"))

    def vanish(self, name: str) -> None:
        """File systems and folders that go while they are in use."""
        shutil.rmtree(self.folder / "moving", ignore_errors=True)
        shutil.copytree(self.folder / "many", self.folder / "moving")
        quiet = ["--quiet", "--threads", "1"]
        shape = [*MODEL, *quiet, "--checkpoint-every", "5", "--batch-size", "4", "--cache-memory", "0"]
        large = ["--model", HF, "--image-size", "96", "--batch-size", "1", *quiet]
        arguments = {
            "embed": ["embed", *["moving"] * 12, "--output", "out/rows.npy", *large],
            "pretrain": ["pretrain", "moving", "--output", "out/run", "--steps", "100000", *shape, *DECODER],
            "finetune": ["finetune", "moving", "--output", "out/run", "--steps", "100000", *shape],
            "classify": ["classify", *["moving"] * 12, "--logits", "out/x.npy", *large],
            "duplicates": ["duplicates", "moved.npy", "--html", "out/x.html", "--threads", "1"],
        }[name]
        begun = {"embed": "rows.npy.partial/journal", "classify": ".x.npy.*.partial", "pretrain": "run/checkpoints/[0-9]*", "finetune": "run/checkpoints/[0-9]*"}
        if name == "duplicates":
            # The images go before it starts to read them.
            self.run(["embed", "moving", "--output", "moved.npy", *large])
            (self.folder / "moving").rename(self.folder / "moved")
            done = self.run(arguments)
            shutil.rmtree(self.folder / "moved")
            complaints = [] if done.returncode in (0, 1) else [f"ended with {done.returncode}: {done.stderr[-300:]}"]
            self.row(name, "the images vanish", done, "-", [], complaints)
            return
        if self.can_mount:
            done = self.during(arguments, begun[name], self.unmount)
            self.row(name, "the output's mount vanishes", done, "-", [], self.sentence(done, arguments[arguments.index("--logits" if name == "classify" else "--output") + 1]))
        done = self.during(arguments, begun[name], lambda: (self.folder / "moving").rename(self.folder / "moved"))
        (self.folder / "moved").rename(self.folder / "moving")
        # Images that cannot be read are named, and left out; where none can be, there is nothing to train on.
        trains = name in ("pretrain", "finetune")
        codes = (66,) if trains else (1,)
        complaints = [] if done.returncode in codes and done.stderr else [f"ended with {done.returncode}: {done.stderr[-300:]}"]
        self.row(name, "the images vanish", done, "-", [], complaints)

    def during(self, arguments: list[str], begun: str, change) -> subprocess.CompletedProcess:
        """Lets a command begin, changes something, and waits for its end."""
        self.clean()
        process = subprocess.Popen(
            [str(self.vit), *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL)
        while process.poll() is None and not list(self.out.glob(begun)):
            time.sleep(0.002)
        change()
        try:
            errors = process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            errors = process.communicate()[1] + "\nwas still running after a minute"
        return subprocess.CompletedProcess(arguments, process.returncode, "", errors)

    def row(self, name: str, condition: str, done: subprocess.CompletedProcess, state: str, left: list[str], complaints: list[str]) -> None:
        self.count += 1
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        sentence = errors[-1].removeprefix("Error: ") if errors else "-"
        code = 128 - done.returncode if done.returncode < 0 else done.returncode
        print(f"{name} | {condition} | {code} | {sentence} | {state} | {', '.join(left) or '-'}", flush=True)
        for complaint in complaints:
            self.findings += 1
            print(f"  FINDING {name}, {condition}: {complaint}", flush=True)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder by its name."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.name != "filler"
    }


def equals(one: dict, name: str, other: dict) -> bool:
    return name in other and one.get(name) == other[name]


def is_result(name: str) -> bool:
    """Whether a file must be the old one or the new one; logs and reports of a run go on from step to step."""
    parts = name.split("/")
    if any(part.startswith(".") or part.endswith(".partial") for part in parts):
        return False
    return parts[0] != "run" or len(parts) > 1 and parts[1] in RUN_PARTS


def unfinished(names: dict) -> list[str]:
    """The names of what is not whole, or was to go; but not what lies in such a folder."""
    found = []
    for name in names:
        if re.search(r"(^|/)(\.[^/]*|[^/]*\.partial)$", name) and not any(name.startswith(other + "/") for other in found):
            found.append(name)
    return found


if __name__ == "__main__":
    sys.exit(main())
