#!/usr/bin/env python3
"""Times what happens before and around the model, in turns: preparing pictures, and classifying a folder of them.

    python Benchmarks/pictures.py PHOTOS [--rounds 5] [--vit .build/release/vit]

Preparing (decode, resize to 248, crop 224, normalise; one thread, 500 pictures): `vit classify` with a model that
computes next to nothing, start-up and writing included, against Pillow through timm's transform and against torchvision,
both warm. Classifying: whole processes, ViT-tiny, `vit classify` against timm's loader with two workers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from checkpoint import write_checkpoint

BESIDE = Path(__file__).resolve().parent
COUNT = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vit", type=Path, default=BESIDE.parent / ".build/release/vit")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    with TemporaryDirectory(prefix="pictures-") as folder:
        photos = pictures_in(options.photos)
        report(f"Preparing {min(COUNT, len(photos))} pictures, one thread, ms a picture", preparing(options, Path(folder)), min(COUNT, len(photos)), options.rounds)
        report(f"Classifying {len(photos)} pictures, ViT-tiny, whole process, ms a picture", folders(options, Path(folder)), len(photos), options.rounds)


def pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))


def report(title: str, ways: dict, count: int, rounds: int) -> None:
    """Runs all ways in turns, once without counting, and prints a table."""
    milliseconds = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if number > 0:
                milliseconds[name].append(seconds * 1000 / count)
    ours = milliseconds["swift-vit"]
    print(f"## {title}\n\n| | median | minimum | times as long, median of rounds |\n|---|---|---|---|")
    for name, values in milliseconds.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(values, ours))
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {ratio:.2f} |")
    print(flush=True)


def timed(command: list) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def preparing(options: argparse.Namespace, folder: Path) -> dict:
    import torch
    import torchvision.transforms.v2 as transforms
    from PIL import Image
    from timm.data import create_transform
    from torchvision.io import ImageReadMode, decode_image, read_file

    torch.set_num_threads(1)
    checkpoint = write_checkpoint(folder / "least", "vit_tiny_patch16_224", patch_size=112, embed_dim=8, depth=1, num_heads=1)
    photos = pictures_in(options.photos)[:COUNT]
    names = folder / "photos.txt"
    names.write_text("".join(f"{path.resolve()}\n" for path in photos))
    by_timm = create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.9, mean=(0.5,) * 3, std=(0.5,) * 3)
    by_torchvision = transforms.Compose([
        transforms.Resize(248, interpolation=transforms.InterpolationMode.BICUBIC, antialias=True), transforms.CenterCrop(224),
        transforms.ToDtype(torch.float32, scale=True), transforms.Normalize([0.5] * 3, [0.5] * 3),
    ])  # fmt: skip

    def seconds(way) -> float:
        began = time.perf_counter()
        for path in photos:
            way(path)
        return time.perf_counter() - began

    command = [options.vit, "classify", f"@{names}", "--model", checkpoint, "--threads", 1, "--format", "csv", "--quiet"]
    return {
        "swift-vit": lambda: timed(command),
        "Pillow, timm": lambda: seconds(lambda path: by_timm(Image.open(path).convert("RGB"))),
        "torchvision": lambda: seconds(lambda path: by_torchvision(decode_image(read_file(str(path)), ImageReadMode.RGB))),
    }


def folders(options: argparse.Namespace, folder: Path) -> dict:
    checkpoint = write_checkpoint(folder / "tiny", "vit_tiny_patch16_224")
    ours = [options.vit, "classify", options.photos, "--model", checkpoint, "--threads", options.threads, "--format", "csv", "--quiet"]
    theirs = [sys.executable, BESIDE / "classify_folder_with_timm.py", checkpoint / "model.safetensors", options.photos, options.threads]
    return {"swift-vit": lambda: timed(ours), "timm, two workers": lambda: timed(theirs)}


if __name__ == "__main__":
    main()
