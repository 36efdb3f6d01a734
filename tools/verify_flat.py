#!/usr/bin/env python3
"""Watches long runs of vit: their memory, open files and threads stay what they were early on.

    python tools/verify_flat.py --photos DIR [--vit .build/release/vit] [--only pretrain,finetune,classify,embed]

Trains tiny models for many steps, and classifies and embeds a list that names the photos again and again. Prints a row for
each tenth of a run, and exits with 1 where the last tenth takes more than the second, by 2 % and 1 MB of memory or by an
open file or thread: the first one still fills caches.
"""

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What the last tenth may take more than the second, as pages come and go: a share, and megabytes.
SHARE, MEGABYTES = 0.02, 1
TRAINING = ["--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "8"]
DECODER = ["--decoder-width", "16", "--decoder-depth", "1", "--decoder-heads", "2"]
UPKEEP = ["--checkpoint-every", "50", "--keep", "2", "--log-every", "5", "--validation-fraction", "0.1"]
MIXING = ["--mixup", "0.8", "--cutmix", "1", "--ema", "0.999", "--drop-path", "0.1", "--erasing", "0.25"]


@dataclasses.dataclass
class Sample:
    """What a process takes at a moment."""

    megabytes: float
    files: int
    threads: int


def main() -> int:
    options = parse_arguments()
    found = sorted(path for path in options.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        raise SystemExit(f"{options.photos}: holds no photos; expected a folder of JPEG or PNG files")
    complaints = []
    with tempfile.TemporaryDirectory(prefix="verify-flat-") as folder:
        lay_out(options, found, Path(folder))
        for name, arguments in commands(options, Path(folder)).items():
            if name in options.only.split(","):
                complaints += [f"{name}: {complaint}" for complaint in watch(name, [options.vit, *arguments])]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of class folders with JPEG or PNG files")
    parser.add_argument("--steps", type=int, default=30_000, help="steps of vit pretrain; vit finetune takes a third")
    parser.add_argument("--trained", type=int, default=1000, help="photos to train on, few: the first tenth meets them all")
    parser.add_argument("--count", type=int, default=100_000, help="images to classify and to embed")
    parser.add_argument("--model", default="Tests/Fixtures/checkpoints/hf-vit", help="what classifies and embeds them")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--only", default="pretrain,finetune,classify,embed", help="the commands to watch")
    return parser.parse_args()


def lay_out(options: argparse.Namespace, photos: list[Path], folder: Path) -> None:
    """Links of some photos to train on, and a list of all, as often as it takes."""
    for number, photo in enumerate(photos[:: max(1, len(photos) // options.trained)]):
        link = folder / "photos" / photo.parent.name / f"{number}{photo.suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo.resolve())
    lines = (f"{photos[number % len(photos)].resolve()}\n" for number in range(options.count))
    (folder / "list").write_text("".join(lines))


def commands(options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    every = ["--quiet", "--threads", options.threads]
    training = [f"{folder}/photos", *TRAINING, *UPKEEP, *every]
    inference = [f"@{folder}/list", "--model", options.model, *every]
    return {
        "pretrain": ["pretrain", "--output", f"{folder}/mae", "--steps", f"{options.steps}", *DECODER, *training],
        "finetune": ["finetune", "--output", f"{folder}/tuned", "--steps", f"{options.steps // 3}", *MIXING, *training],
        "classify": ["classify", "--format", "jsonl", "--logits", f"{folder}/logits.npy", *inference],
        "embed": ["embed", "--output", f"{folder}/embedded.npy", *inference],
    }


def watch(name: str, command: list) -> list[str]:
    """Runs a command to its end, prints its curve, and says what grew."""
    started = time.monotonic()
    samples = []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if sample := measure(process.pid):
            samples.append(sample)
        time.sleep(0.1)
    if process.returncode != 0:
        return [f"ended with {process.returncode}"]
    print(f"vit {name}: {time.monotonic() - started:.0f} s, {len(samples)} samples")
    if len(samples) < 100:
        return ["ended too soon to tell; expected more steps or images"]
    print(f"{'':>8}{'MB, median':>12}{'MB, most':>10}{'open files':>12}{'threads':>9}")
    tenths = [samples[len(samples) * part // 10 : len(samples) * (part + 1) // 10] for part in range(10)]
    for part, tenth in enumerate(tenths):
        memory = [sample.megabytes for sample in tenth]
        files, threads = (max(getattr(sample, of) for sample in tenth) for of in ("files", "threads"))
        print(f"{10 * (part + 1):>6} %{statistics.median(memory):>12.1f}{max(memory):>10.1f}{files:>12}{threads:>9}")
    sys.stdout.flush()
    return growth(tenths[1], tenths[-1])


def growth(early: list[Sample], late: list[Sample]) -> list[str]:
    """What the last samples take more than earlier ones."""
    complaints = []
    for kind, of in (("half of the time", statistics.median), ("at most", max)):
        before, after = (of(sample.megabytes for sample in samples) for samples in (early, late))
        if after > before * (1 + SHARE) + MEGABYTES:
            complaints.append(f"takes {after:.1f} MB in the last tenth, {before:.1f} MB in the second ({kind})")
    for kind, field in (("open files", "files"), ("threads", "threads")):
        # A checkpoint's files are open for moments only, which samples hit or miss.
        before, after = (statistics.median_low(getattr(sample, field) for sample in samples) for samples in (early, late))
        if after > before:
            complaints.append(f"has {after} {kind} in the last tenth, {before} in the second")
    return complaints


def measure(process: int) -> Sample | None:
    """What a process takes now; None where it has ended."""
    try:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        files = len(os.listdir(f"/proc/{process}/fd"))
        return Sample(int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"]))
    except (OSError, KeyError):
        return None


if __name__ == "__main__":
    sys.exit(main())
