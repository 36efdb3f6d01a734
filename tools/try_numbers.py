#!/usr/bin/env python3
"""Gives every option of every command of vit, and every number of its files, values that make no sense, or too much.

    python3 tools/try_numbers.py [--vit .build/release/vit] [--only pretrain] [--gigabytes 8]

The options are those that vit itself lists. Each is tried alone, in a small command that works, under a limit of memory
and of time; so is each number in config.json and preprocessor_config.json of a few checkpoints, and in config.json of a
run that is resumed. What ends with another exit code than the contract's, runs out of time, or reports a failure in
anything but one sentence, is printed, and the script ends with 1. Needs Python alone.
"""

import argparse
import json
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "checkpoints"
EXPECTED = {0, 1, 64, 65, 66, 73, 74}
SECONDS_A_RUN = 8
HUGE = "9223372036854775807"
VALUES = [
    "", "0", "1", "-1", "-0.0", "0.5", "1e-19", "-1e-19", "1e308", "-1e308", "nan", "inf", "65535", "1048576", "4294967297",
    HUGE, "-9223372036854775808", "9223372036854775808", f"1x{HUGE}", "1048576x1048576", "65535x65535", "16x0",
    f"{HUGE}G", f"{HUGE},{HUGE}", "0/0", f"{HUGE}/{HUGE}", f"0/{HUGE}", "1,nan,1", "1e308,1e308,1e308",
]
NUMBERS = [
    0, 1, -1, 0.5, 1e-19, -1e-19, 1e308, -1e308, float("nan"), float("inf"), 65535, 1048576, 4294967297, 2**63 - 1,
    -(2**63), 2**64, "", [], [2**63 - 1, 2**63 - 1], {"height": 2**63 - 1, "width": 1},
]
# How long a command takes is what these say; that it began is all that can be asked.
LENGTHS = {("benchmark", "rounds"), ("probe", "epochs"), ("probe", "step-size")}

MODEL = ["--width", "16", "--depth", "1", "--heads", "2", "--image-size", "16", "--patch-size", "8"]
DECODER = ["--decoder-width", "16", "--decoder-depth", "1", "--decoder-heads", "2"]
STEPS = ["--batch-size", "2", "--threads", "1", "--quiet"]


def commands() -> dict[str, list[list[str]]]:
    """A few arguments with which each command works."""
    hf, mae = str(FIXTURES / "hf-vit"), str(FIXTURES / "mae-full" / "mae_visualize_vit_tiny.pth")
    shape = [*MODEL, *STEPS]
    training = [["pretrain", "data", "--output", "run", *shape, *DECODER]]
    training.append(["pretrain", "data", "--output", "run", "--method", "rotation", *shape])
    training.append(["finetune", "data", "--output", "run", *shape])
    both = [[*command, *length] for command in training for length in (["--steps", "2"], ["--steps", "2", "--plan"])]
    return {
        "classify": [["classify", "data", "--model", hf, "--threads", "1"]],
        "attention": [["attention", "a.png", "--model", hf, "--output", "out.png"]],
        "reconstruct": [["reconstruct", "a.png", "--model", mae, "--output", "out.png"]],
        "evaluate": [["evaluate", "data", "--model", hf, "--validation-fraction", "0.5"]],
        "benchmark": [
            ["benchmark", "--arch", "vit-tiny", "--image-size", "16", "--batch-size", "1", "--rounds", "1", *task]
            for task in ([], ["--task", "pretrain", "--patch-size", "8"], ["--task", "finetune"])
        ],
        "embed": [["embed", "data", "--model", hf, "--output", "out.npy"]],
        "search": [["search", "index.npy", "a.png", "--model", hf, "--pool", "cls"]],
        "duplicates": [["duplicates", "index.npy"]],
        "map": [["map", "index.npy", "--output", "map.html"]],
        "pretrain": both[:4],
        "finetune": both[4:],
        "probe": [
            ["probe", "data", "--model", hf, "--method", method, "--validation-fraction", "0.5", *more]
            for method, more in (("linear", ["--epochs", "2"]), ("knn", ["--k", "1"]))
        ],
        "inspect": [["inspect", hf], ["inspect", hf, "--images", "data", "--output", "layers.html"]],
        "convert": [["convert", hf, "--to", "timm", "--output", "converted"]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--only", help="the command to try, or files")
    parser.add_argument("--gigabytes", type=float, default=8, help="the memory that a command may have")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vit-numbers-") as folder:
        trial = Trial(options.vit.resolve(), Path(folder), int(options.gigabytes * 2**30))
        known = json.loads(trial.run(["--experimental-dump-help"]).stdout)["command"]["subcommands"]
        for command in known:
            if options.only in (None, command["commandName"]) and command["commandName"] != "help":
                try_options(trial, command)
        if options.only in (None, "files"):
            try_files(trial)
            try_run(trial)
    print(f"{trial.count} runs, {trial.findings} findings")
    return 1 if trial.findings else 0


def try_options(trial: "Trial", command: dict) -> None:
    name = command["commandName"]
    # What stands for a name or a word is no number.
    options = [
        option["preferredName"]["name"] for option in command["arguments"]
        if option["kind"] == "option" and not option.get("allValues") and option["preferredName"]["name"]
        not in {"model", "output", "init", "teacher", "features", "html", "images", "labels", "logits", "noise", "prediction", "predictions"}
    ]
    for base in commands()[name]:
        trial.check(base)
        for option in options:
            for value in VALUES:
                trial.check(replaced(base, option, value), endless=(name, option) in LENGTHS)


def replaced(arguments: list[str], option: str, value: str) -> list[str]:
    """The arguments with another value of an option."""
    rest = list(arguments)
    if f"--{option}" in rest:
        at = rest.index(f"--{option}")
        del rest[at : at + 2]
    if option in {"epochs", "minutes"} and "--steps" in rest:
        at = rest.index("--steps")
        del rest[at : at + 2]
    return [*rest, f"--{option}={value}"]


def try_files(trial: "Trial") -> None:
    for name in ["hf-vit", "hf-mae", "hf-dinov2-registers", "hf-deit", "timm-hub", "timm-cait"]:
        source = FIXTURES / name
        for file in sorted(source.glob("*.json")):
            if file.name == "parameters.json":
                continue
            content = json.loads(file.read_text())
            for path in numbers(content):
                for value in NUMBERS:
                    trial.reset()
                    shutil.copytree(source, trial.folder / "model")
                    changed = json.loads(file.read_text())
                    put(changed, path, value)
                    (trial.folder / "model" / file.name).write_text(json.dumps(changed))
                    what = f"{name}/{file.name} {'.'.join(map(str, path))} = {value}"
                    codes = [
                        trial.check(arguments, what, resets=False)
                        for arguments in (
                            ["inspect", "model"], ["embed", "a.png", "--model", "model", "--output", "out.npy"],
                            ["convert", "model", "--to", "timm", "--output", "converted"],
                        )
                    ]
                    if codes[0] != codes[1]:
                        trial.report(f"{what}: inspect ends with {codes[0]}, embed with {codes[1]}")


def try_run(trial: "Trial") -> None:
    for base in commands()["pretrain"][0], commands()["pretrain"][2], commands()["finetune"][0]:
        trial.reset()
        trial.run(base)
        run = (trial.folder / "run").rename(trial.folder / "whole")
        content = json.loads((run / "config.json").read_text())
        command = [base[0], "data", "--output", "run", "--resume", "--quiet", "--threads", "1"]
        for path in numbers(content):
            for value in NUMBERS:
                shutil.rmtree(trial.folder / "run", ignore_errors=True)
                shutil.copytree(run, trial.folder / "run")
                changed = json.loads(json.dumps(content))
                put(changed, path, value)
                # One more step is due.
                if path == ["steps"] or "steps" not in changed:
                    pass
                else:
                    changed["steps"] += 1
                (trial.folder / "run" / "config.json").write_text(json.dumps(changed))
                trial.check(command, f"run/config.json {'.'.join(map(str, path))} = {value}", resets=False,
                            endless=path == ["steps"])


def numbers(value: object, path: list = []) -> list[list]:
    """Where in a JSON value numbers are."""
    if isinstance(value, bool):
        return []
    if isinstance(value, (int, float)):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [place for key, item in items for place in numbers(item, [*path, key])]


def put(value: object, path: list, new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


class Trial:
    def __init__(self, vit: Path, folder: Path, memory: int) -> None:
        self.vit, self.folder, self.memory = vit, folder, memory
        self.count = self.findings = 0
        self.reset()

    def reset(self) -> None:
        """Small inputs, and nothing else."""
        shutil.rmtree(self.folder)
        for label in "xyz":
            (self.folder / "data" / label).mkdir(parents=True)
            for number in range(4):
                (self.folder / "data" / label / f"{number}.png").write_bytes(picture(20 + number, 24))
        (self.folder / "a.png").write_bytes(picture(20, 24))
        rows = struct.pack("<64f", *(((7 * i) % 13) / 13 + 0.1 for i in range(64)))
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 16), }"
        header += b" " * (117 - len(header)) + b"\n"
        (self.folder / "index.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + rows)
        names = "".join(f"{i},a.png,\n" for i in range(4))
        (self.folder / "index.index.csv").write_text("row,path,sha256\n" + names)

    def run(self, arguments: list[str]) -> subprocess.CompletedProcess:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))

        return subprocess.run(
            [str(self.vit), *arguments], cwd=self.folder, capture_output=True, timeout=SECONDS_A_RUN, preexec_fn=limit,
            stdin=subprocess.DEVNULL, text=True, errors="replace")

    def check(self, arguments: list[str], what: str | None = None, resets: bool = True, endless: bool = False) -> int | None:
        if resets:
            for name in ["run", "converted", "out.npy", "out.index.csv", "layers.html"]:
                path = self.folder / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.count += 1
        what = what or " ".join(arguments)
        try:
            done = self.run(arguments)
        except subprocess.TimeoutExpired:
            if not endless:
                self.report(f"{what}: ran for more than {SECONDS_A_RUN} s")
            return None
        errors = done.stderr.splitlines()
        if done.returncode not in EXPECTED:
            self.report(f"{what}: ended with {done.returncode}: {' / '.join(errors[:3])}")
        elif done.returncode > 1 and not any(line.startswith("Error: ") for line in errors):
            self.report(f"{what}: ended with {done.returncode} without a word")
        return done.returncode

    def report(self, text: str) -> None:
        self.findings += 1
        print(text, file=sys.stderr, flush=True)


def picture(width: int, height: int) -> bytes:
    """A PNG of a colour gradient."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + bytes(v % 256 for x in range(width) for v in (9 * x, 7 * y, x * y)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    sys.exit(main())
