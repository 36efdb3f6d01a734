#!/usr/bin/env python3
"""Times one picture, from the shell's prompt and back: `vit classify` beside the same in Python with timm.

    python Benchmarks/startup.py PICTURE [--rounds 5] [--vit .build/release/vit] [--architecture vit_base_patch16_224]

Both read the same safetensors file of random weights, from the page cache. They take turns, so that whatever else the
machine does meets both; a first round warms up and is not counted. Prints medians of wall time, of processor
time (which tells more on a busy machine) and of the peak of memory. Exits with 1 where the two give different classes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BESIDE = Path(__file__).resolve().parent


def main() -> int:
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="compare-startup-") as folder:
        checkpoint = options.work or Path(folder)
        weights = write_checkpoint(options.architecture, checkpoint)
        commands = {
            "vit classify": [options.vit, "classify", options.picture, "--model", checkpoint, "--format", "jsonl", "--quiet"],
            "Python, timm": [sys.executable, BESIDE / "classify_with_timm.py", options.architecture, weights, options.picture],
        }  # fmt: skip
        seconds = {name: [] for name in commands}
        busy = {name: [] for name in commands}
        megabytes = {name: [] for name in commands}
        answers = {}
        for round in range(options.rounds + 1):
            for name, command in commands.items():
                wall, processor, peak, answers[name] = run([str(part) for part in command])
                if round > 0:
                    seconds[name].append(wall)
                    busy[name].append(processor)
                    megabytes[name].append(peak / 1e6)
    print("## One picture, from the shell's prompt and back\n")
    print("| | wall time, s: median (all) | processor time, s | peak memory, MB |")
    print("|---|---|---|---|")
    for name in commands:
        every = ", ".join(f"{value:.2f}" for value in seconds[name])
        medians = f"{statistics.median(busy[name]):.2f} | {statistics.median(megabytes[name]):.0f}"
        print(f"| {name} | {statistics.median(seconds[name]):.3f} ({every}) | {medians} |")
    ratio = statistics.median(seconds["Python, timm"]) / statistics.median(seconds["vit classify"])
    print(f"\nvit classify takes {1 / ratio:.3f} of the time: {ratio:.1f} times as fast.")
    ours, theirs = classes_of_vit(answers["vit classify"]), classes_of_python(answers["Python, timm"])
    if ours != theirs:
        print(f"but the classes differ: {ours}, expected {theirs}", file=sys.stderr)
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--architecture", default="vit_base_patch16_224", help="of timm")
    parser.add_argument("--work", type=Path, help="where the checkpoint is written and stays; default: a temporary folder")
    options = parser.parse_args()
    for path in (options.vit, options.picture):
        if not path.is_file():
            parser.error(f"no file at {path}")
    return options


def write_checkpoint(architecture: str, folder: Path) -> Path:
    """A folder as timm publishes it, written by another process: a child's peak counts from its parent's."""
    program = (
        "import sys, timm, random_weights\n"
        "model = timm.create_model(sys.argv[1]); random_weights.fill(model, 0)\n"
        "timm.models.save_for_hf(model, sys.argv[2], safe_serialization=True)"
    )
    environment = os.environ | {"PYTHONPATH": str(BESIDE.parent / "tools")}
    subprocess.run([sys.executable, "-c", program, architecture, str(folder)], env=environment, check=True)
    return folder / "model.safetensors"


def run(command: list[str]) -> tuple[float, float, int, str]:
    """Wall and processor time in seconds, the peak of resident memory in bytes, and what was printed."""
    with tempfile.TemporaryFile(mode="w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"exit code {process.returncode} from: {' '.join(command)}")
        output.seek(0)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.read()


def classes_of_vit(text: str) -> list[int]:
    return [prediction["index"] for prediction in json.loads(text)["predictions"]]


def classes_of_python(text: str) -> list[int]:
    return [int(line.split()[1]) for line in text.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
