#!/usr/bin/env python3
"""Kills `vit embed` at random moments and goes on with --resume: what comes out is what an uninterrupted run gives.

    python tools/verify_embedding_resume.py --photos DIR [--count 20000] [--corrupt 200] [--kills 10] [--vit .build/release/vit]

Links the photos into a folder, puts damaged ones among them, and also compares the peak memory with that of a tenth of the
photos. Exits with 1 where anything differs.
"""

import argparse
import csv
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Shows the most memory a run had, in kilobytes, in its last line.
MEASURE = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"


def main() -> int:
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="verify-resume-") as folder:
        complaints = run(options, Path(folder))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEG or PNG files, walked recursively")
    parser.add_argument("--count", type=int, default=20_000, help="how many of them")
    parser.add_argument("--corrupt", type=int, default=200, help="how many of these are replaced by damaged ones")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="charts-vit-tiny")
    parser.add_argument("--image-size", default="32", help="small, since it is not the model that is put to the test")
    parser.add_argument("--threads", default="2")
    return parser.parse_args()


def run(options: argparse.Namespace, folder: Path) -> list[str]:
    chance = random.Random(options.seed)
    large, corrupt = lay_out(options, folder / "large", options.count, options.corrupt, chance)
    small, _ = lay_out(options, folder / "small", options.count // 10, options.corrupt // 10, chance)
    complaints = []
    whole = folder / "whole.npy"
    started = time.monotonic()
    large_memory = measured(options, large, whole)
    seconds = time.monotonic() - started
    small_memory = measured(options, small, folder / "small.npy")
    print(f"uninterrupted: {options.count} photos in {seconds:.1f} s, peak memory {large_memory / 1024:.1f} MB;")
    print(f"a tenth of them: {small_memory / 1024:.1f} MB ({large_memory / small_memory - 1:+.1%})")
    if large_memory > 1.1 * small_memory:
        complaints.append("memory grows with the number of photos")
    complaints += check_files(whole, large, corrupt)
    killed = folder / "killed.npy"
    times = []
    for _ in range(options.kills):
        process = subprocess.Popen(command(options, large, killed, "--resume"), stderr=subprocess.DEVNULL)
        # A run that is resumed has less to do; some of the kills come early, while it starts.
        after = chance.uniform(0.02, seconds / (options.kills + 1) * 1.6)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        times.append(f"{after:.2f}{'' if process.returncode == -signal.SIGKILL else ' (had ended)'}")
    print(f"killed after {', '.join(times)} s")
    last = subprocess.run(command(options, large, killed, "--resume"), capture_output=True, text=True)
    if last.returncode != 1:
        complaints.append(f"the last run ended with {last.returncode}: {last.stderr[-300:]}")
    for ending in (".npy", ".index.csv", ".errors.csv", ".settings.json"):
        one, other = (path.with_suffix("").as_posix() + ending for path in (whole, killed))
        same = Path(one).read_bytes() == Path(other).read_bytes()
        print(f"{ending}: {'identical' if same else 'DIFFERENT'}")
        if not same:
            complaints.append(f"{ending} differs from the uninterrupted run's")
    left = [path.name for path in folder.iterdir() if "partial" in path.name]
    return complaints + ([f"left behind: {left}"] if left else [])


def lay_out(options, folder: Path, count: int, corrupt: int, chance: random.Random) -> tuple[Path, set[Path]]:
    """Links of photos, in a hundred folders, some of them replaced by photos that end in the middle."""
    found = sorted(path for path in options.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if len(found) < count:
        raise SystemExit(f"{options.photos} holds {len(found)} photos, {count} are wanted")
    damaged = set()
    bad = set(chance.sample(range(count), corrupt))
    for number, photo in enumerate(chance.sample(found, count)):
        place = folder / f"{number % 100:02}" / f"{number:06}{photo.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        if number in bad:
            data = photo.read_bytes()
            place.write_bytes([data[: len(data) // 10], b"", b"not a photo", data[:3] + bytes(500)][number % 4])
            damaged.add(place)
        else:
            place.symlink_to(photo.resolve())
    return folder, damaged


def command(options, photos: Path, output: Path, *more: str) -> list[str]:
    start = [options.vit, "embed", photos, "--output", output, "--model", options.model, "--quiet", *more]
    return [str(part) for part in start + ["--image-size", options.image_size, "--threads", options.threads]]


def measured(options, photos: Path, output: Path) -> int:
    run = subprocess.run([sys.executable, "-c", MEASURE, *command(options, photos, output)], capture_output=True, text=True)
    if run.returncode != 1:
        raise SystemExit(f"vit embed ended with {run.returncode}: {run.stderr[-500:]}")
    return int(run.stdout.split()[-1])


def check_files(output: Path, photos: Path, corrupt: set[Path]) -> list[str]:
    rows = np.load(output, mmap_mode="r")
    stem = output.with_suffix("").as_posix()
    index = list(csv.DictReader(open(f"{stem}.index.csv", newline="")))
    errors = [Path(line["path"]) for line in csv.DictReader(open(f"{stem}.errors.csv", newline=""))]
    good = sorted(str(path) for path in photos.rglob("*.*") if path not in corrupt)
    complaints = []
    if [line["path"] for line in index] != good or [int(line["row"]) for line in index] != list(range(len(rows))):
        complaints.append("the index does not name the good photos in their order, a row each")
    if any(line["sha256"] != hashlib.sha256(Path(line["path"]).read_bytes()).hexdigest() for line in index[::37]):
        complaints.append("the index has a wrong digest")
    if set(errors) != corrupt or len(errors) != len(corrupt):
        complaints.append(f"the errors file names {len(errors)} photos, {len(corrupt)} are damaged")
    print(f"{len(rows)} rows, {len(index)} in the index, {len(errors)} of {len(corrupt)} damaged photos in the errors file")
    return complaints


if __name__ == "__main__":
    sys.exit(main())
