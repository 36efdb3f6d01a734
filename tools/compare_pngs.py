#!/usr/bin/env python3
"""Compares what vit and Pillow make of a folder of PNGs, such as PngSuite (http://www.schaik.com/pngsuite/).

    python tools/compare_pngs.py FOLDER [--vit .build/release/vit]

Each file, and what Pillow decodes it to, saved as a PNG of 8-bit RGB, go through a small model that sees every pixel, without
a resize: where the logits are the same to the bit, so are the pixels. Prints what both refuse and where they differ; the
script ends with 1 where they differ in pixels, or where vit reads what Pillow refuses. Needs Pillow and NumPy.

Pillow clips 16-bit grey, where vit takes the high byte; it is compared by the high byte. Pillow checks no checksum of image
data, which vit does (xcsn0g01.png).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

MODEL = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "checkpoints" / "hf-vit"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"))
    options = parser.parse_args()
    refused, equal, stricter, wrong = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="vit-pngs-") as folder:
        for path in sorted(options.folder.glob("*.png")):
            decoded = Path(folder) / path.name
            size = decode(path, decoded)
            mine = logits(options.vit, path, size or (32, 32), folder)
            if size is None or mine is None:
                (refused if size is None and mine is None else stricter if mine is None else wrong).append(path.name)
            else:
                same = numpy.array_equal(mine, logits(options.vit, decoded, size, folder))
                (equal if same else wrong).append(path.name)
    print(f"{len(refused) + len(stricter)} refused, {len(equal)} equal to Pillow to the bit, {len(wrong)} not")
    print("refused by both:", *refused)
    print("refused by vit alone:", *stricter)
    print("not equal, or refused by Pillow alone:", *wrong)
    return 1 if wrong else 0


def decode(path, target):
    """Writes what Pillow makes of a file, and gives its size; None where Pillow refuses it."""
    try:
        with Image.open(path) as image:
            image.load()
            if image.mode.startswith("I"):
                image = Image.fromarray((numpy.asarray(image) >> 8).astype("uint8"))
            if image.mode == "P" and "transparency" in image.info:
                image = image.convert("RGBA")
            image.convert("RGB").save(target)
            return image.size
    except (OSError, SyntaxError, ValueError):
        return None


def logits(vit, path, size, folder):
    """Logits of the image as it is, in the corner of what the model sees; None where vit refuses it."""
    out = Path(folder) / "logits.npy"
    out.unlink(missing_ok=True)
    # The model takes patches of 4 pixels; what lies beyond the image is black.
    sides = [(side + 31) // 32 * 32 for side in size]
    done = subprocess.run(
        [vit, "classify", path, "--model", MODEL, "--resize", "none", "--image-size", f"{sides[1]}x{sides[0]}", "--logits",
         out, "--quiet"], capture_output=True)
    return numpy.load(out) if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
