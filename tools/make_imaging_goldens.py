#!/usr/bin/env python3
"""Writes what Pillow makes of the images under $SWIFT_VIT_DATA, as checksums for the tests of Imaging.

    SWIFT_VIT_DATA=... tools/make_imaging_goldens.py > Tests/Fixtures/imaging/corpora.csv

A line an image: its path, then width, height and checksums, or "error" where Pillow refuses it. `rgb` is the
upright image in RGB; `grey` and `rgba` are other layouts; the rest are preprocessed from RGB. 16-bit grey is
taken by its high byte, as Pillow takes 16-bit colour; by itself it clips 16-bit grey at 255.
Needs Pillow, numpy, torch and torchvision.
"""

import csv
import os
import sys
import warnings
import zlib
from pathlib import Path

import numpy
import torch
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.transforms import InterpolationMode

PHOTO_COUNT = 200
COLUMNS = ["path", "width", "height", "rgb", "grey", "rgba", "bilinear96", "filters", "tensor"]

warnings.simplefilter("ignore")
torch.set_num_threads(1)

bicubic224 = transforms.Compose(
    [transforms.Resize(248, InterpolationMode.BICUBIC), transforms.CenterCrop(224)]
)
to_tensor = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
)


def checksum(*parts):
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return f"{crc:08x}"


def filtered(image):
    """Every other filter, shrinking one way and stretching the other, and a part of the image."""
    width, height = image.size
    yield image.resize((160, 120), Image.Resampling.LANCZOS)
    yield image.resize((131, 90), Image.Resampling.NEAREST)
    yield image.resize((64, height + 7), Image.Resampling.HAMMING)
    yield image.resize((width + 5, 48), Image.Resampling.BOX)
    box = (width * 0.125, height * 0.25, width * 0.75, height)
    yield image.resize((77, 33), Image.Resampling.BICUBIC, box=box)


def line(path):
    with Image.open(path) as opened:
        opened.load()
        image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I"):
        image = Image.fromarray((numpy.asarray(image) >> 8).astype("uint8"))
    rgb = image.convert("RGB")
    cropped = bicubic224(rgb)
    return [
        *rgb.size,
        checksum(rgb.tobytes()),
        checksum(image.convert("L").tobytes()),
        checksum(image.convert("RGBA").tobytes()),
        checksum(rgb.resize((96, 96), Image.Resampling.BILINEAR).tobytes()),
        checksum(*(part.tobytes() for part in filtered(rgb))),
        checksum(to_tensor(cropped).numpy().tobytes()),
    ]


def images(data):
    corpora = data / "image-corpora"
    names = ["pngsuite", "libpng", "libjpeg-turbo", "jpeg-decoder", "exif-orientation", "pillow"]
    kinds = {".png", ".apng", ".jpg", ".jpeg"}
    for name in names:
        paths = (path for path in (corpora / name).rglob("*") if path.suffix.lower() in kinds)
        # Pillow's own drawings are many and alike.
        yield from sorted(path for path in paths if "imagedraw" not in str(path))
    photos = sorted((data / "clothing-photos").rglob("*.jpg"))
    yield from photos[:: max(1, len(photos) // PHOTO_COUNT)][:PHOTO_COUNT]


def main():
    data = Path(os.environ["SWIFT_VIT_DATA"])
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for path in images(data):
        try:
            values = line(path)
        except Exception as error:
            print(f"{path}: {error}", file=sys.stderr)
            values = ["error"]
        writer.writerow([path.relative_to(data), *values])


if __name__ == "__main__":
    main()
