#!/usr/bin/env python3
"""Times what happens before and around the model, in turns: preparing pictures, and going through a folder of them.

    python Benchmarks/pictures.py PHOTOS [--rounds 5] [--vit .build/release/vit]

Preparing (decode, resize to 248, crop 224, normalise; all on one processor, 500 pictures): `vit classify` with a model
that computes next to nothing, start-up and writing included, against Pillow through timm's transform and against
torchvision, both warm. The same with 200 of the photos enlarged four times, where `--fast-decode` has something to leave
out, and with those lying on their side, as phones store photos. Going through a folder: whole processes, ViT-tiny and
ViT-S, `vit classify` in float32 and int8 and `vit embed` against timm and OpenVINO in int8, both by timm's loader with two workers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from checkpoint import write_checkpoint
from peers import batch, openvino_network, timm_model

BESIDE = Path(__file__).resolve().parent
COUNT = 500
LARGE_COUNT = 200
ENLARGEMENT = 4
# The number of EXIF's tag.
ORIENTATION = 0x112


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vit", type=Path, default=BESIDE.parent / ".build/release/vit")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    with TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name)
        photos = pictures_in(options.photos)
        small = photos[:COUNT]
        large = enlarged(photos[:LARGE_COUNT], folder / "large")
        turned = enlarged(photos[:LARGE_COUNT], folder / "turned", is_turned=True)
        with one_processor():
            report(f"Preparing {len(small)} pictures, one processor, ms a picture", preparing(options, small, folder), len(small), options.rounds)
            report(f"Preparing {len(large)} large pictures, one processor, ms a picture", preparing(options, large, folder, has_fast=True), len(large), options.rounds)
            report(f"Preparing {len(turned)} large pictures that lie on their side, one processor, ms a picture", preparing(options, turned, folder, is_turned=True), len(turned), options.rounds)
        for name in ("vit_tiny_patch16_224", "vit_small_patch16_224"):
            heading = f"Going through {len(photos)} pictures, {name}, whole process, ms a picture"
            report(heading, folders(options, folder, name), len(photos), options.rounds)


@contextmanager
def one_processor():
    """Lets this process and those that it starts run on one processor only."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


def pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))


def enlarged(photos: list[Path], folder: Path, is_turned: bool = False) -> list[Path]:
    """The photos, several times as large, as JPEG in a new folder."""
    from PIL import Image

    exif = Image.Exif()
    if is_turned:
        exif[ORIENTATION] = 6

    folder.mkdir()
    for number, path in enumerate(photos):
        photo = Image.open(path).convert("RGB")
        photo = photo.resize((photo.width * ENLARGEMENT, photo.height * ENLARGEMENT), Image.BICUBIC)
        photo = photo.transpose(Image.Transpose.ROTATE_90) if is_turned else photo
        photo.save(folder / f"{number:03}.jpg", quality=90, exif=exif)
    return pictures_in(folder)


def report(title: str, ways: dict, count: int, rounds: int) -> None:
    """Runs all ways in turns, once without counting, and prints a table."""
    milliseconds = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if number > 0:
                milliseconds[name].append(seconds * 1000 / count)
    ours = milliseconds[next(iter(ways))]
    print(f"## {title}\n\n| | median | minimum | times as long as the first, median of rounds |\n|---|---|---|---|")
    for name, values in milliseconds.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(values, ours))
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {ratio:.2f} |")
    print(flush=True)


def timed(command: list) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def preparing(options: argparse.Namespace, photos: list[Path], folder: Path, has_fast: bool = False, is_turned: bool = False) -> dict:
    import torch
    import torchvision.transforms.v2 as transforms
    from PIL import Image, ImageOps
    from timm.data import create_transform
    from torchvision.io import ImageReadMode, decode_image, read_file

    torch.set_num_threads(1)
    folder = Path(mkdtemp(dir=folder))
    checkpoint = write_checkpoint(folder / "least", "vit_tiny_patch16_224", patch_size=32, embed_dim=8, depth=1, num_heads=1)
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

    def opened(path):
        return ImageOps.exif_transpose(Image.open(path)) if is_turned else Image.open(path)

    def drafted(path):
        photo = Image.open(path)
        photo.draft("RGB", (248, 248))
        return photo.convert("RGB")

    fast = {
        "swift-vit --fast-decode": lambda: timed(command + ["--fast-decode"]),
        "Pillow in draft mode, timm": lambda: seconds(lambda path: by_timm(drafted(path))),
    }
    return {
        "swift-vit": lambda: timed(command),
        "Pillow, timm": lambda: seconds(lambda path: by_timm(opened(path).convert("RGB"))),
        "torchvision": lambda: seconds(lambda path: by_torchvision(decode_image(read_file(str(path)), ImageReadMode.RGB, apply_exif_orientation=is_turned))),
    } | (fast if has_fast else {})


def folders(options: argparse.Namespace, folder: Path, name: str) -> dict:
    import openvino

    checkpoint = write_checkpoint(folder / name, name)
    model = timm_model(argparse.Namespace(model=name, weights=checkpoint / "model.safetensors")).eval()
    pixels = batch(argparse.Namespace(picture=sorted(options.photos.rglob("*.jpg"))[0], batch_size=32))
    network = folder / f"{name}.xml"
    openvino.save_model(openvino_network(model, pixels, (-1, 3, 224, 224), "int8"), network)
    common = [options.photos, "--model", checkpoint, "--threads", options.threads, "--quiet"]
    classify = [options.vit, "classify"] + common + ["--format", "csv"]
    embed = [options.vit, "embed"] + common + ["--output", folder / "embeddings.npy"]
    theirs = [sys.executable, BESIDE / "classify_folder_with_timm.py", name, checkpoint / "model.safetensors", options.photos, options.threads]
    quantized = [sys.executable, BESIDE / "classify_folder_with_openvino.py", network, options.photos, options.threads]
    return {
        "vit classify": lambda: timed(classify),
        "vit classify --precision int8": lambda: timed(classify + ["--precision", "int8"]),
        "vit embed": lambda: timed(embed),
        "timm, two workers": lambda: timed(theirs),
        "OpenVINO in int8, two workers": lambda: timed(quantized),
    }


if __name__ == "__main__":
    main()
