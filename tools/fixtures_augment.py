"""What timm's RandAugment operations give on fixed magnitudes, as checksums: augmented.csv."""

import csv
import itertools
import zlib
from pathlib import Path
from unittest import mock

from PIL import Image
from timm.data import auto_augment

LEVELS = [0, 2.5, 8.6421, 9.37, 10]
FILL = (124, 116, 104)


def write(folder: Path) -> None:
    noise = Image.open(folder / "noise.png").convert("RGB")
    # Noise has every value; the second is narrow in range, the third a picture with even parts, the last two thin.
    sources = {
        "noise": noise,
        "narrow": noise.resize((40, 33), Image.Resampling.BILINEAR),
        "wide": noise.crop((0, 0, 9, 5)).resize((80, 60), Image.Resampling.BICUBIC),
        "thin": noise.crop((0, 0, 2, 30)),
        "even": Image.new("RGB", (8, 8), (10, 200, 30)),
    }
    with open(folder / "augmented.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["operation", "level", "negated", "filter", "source", "channels", "checksum"])
        for name in auto_augment.rand_augment_choices("", increasing=True):
            for source, mode, level, negated, interpolation in cases(name, sources):
                result = applied(name, sources[source].convert(mode), level, negated, interpolation)
                crc = f"{zlib.crc32(result.tobytes()):08x}"
                writer.writerow([name, level, negated, interpolation, source, len(mode), crc])


def cases(name, sources):
    """All combinations that can make a difference."""
    is_geometric = name == "Rotate" or name.startswith(("Shear", "Translate"))
    levels = LEVELS[-1:] if name in ("AutoContrast", "Equalize", "Invert") else LEVELS
    if name == "PosterizeIncreasing":
        # Level 10 leaves no bits, which this Pillow refuses.
        levels = LEVELS[:-1]
    signs = (0, 1) if is_geometric or name.endswith("Increasing") else (0,)
    filters = ("bicubic", "bilinear") if is_geometric else ("bicubic",)
    modes = ("L", "RGB")
    return itertools.product(sources, modes, levels, signs, filters)


def applied(name, image, level, negated, interpolation):
    settings = {
        "img_mean": FILL if image.mode == "RGB" else FILL[0],
        "interpolation": Image.Resampling[interpolation.upper()],
    }
    operation = auto_augment.AugmentOp(name, prob=1, magnitude=level, hparams=settings)
    # The only draw left is the one for the sign.
    with mock.patch.object(auto_augment.random, "random", lambda: 0.9 if negated else 0.1):
        return operation(image)
