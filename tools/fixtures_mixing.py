"""Mixup, cutmix and their targets as timm computes them in batch mode, given lambda and the box's middle:
mixing.safetensors."""

from pathlib import Path
from unittest import mock

import numpy
import torch
from timm.data.mixup import Mixup

from fixture_file import Tensors, numbers, save

SHAPE = (4, 3, 9, 14)
CLASSES = 5
SMOOTHING = 0.1
# Lambda; for cutmix also the row and the column of the box's middle, some so that the border cuts the box.
MIXUPS = [0.5, 0.37, 0.93]
CUTMIXES = [(0.4, 4, 7), (0.75, 0, 13), (0.1, 8, 2), (0.999, 3, 3)]


def write(folder: Path) -> None:
    labels = torch.tensor([3, 0, 4, 0])
    tensors = {"pixels": numbers(SHAPE, 200), "labels": labels}
    for index, weight in enumerate(MIXUPS):
        tensors |= mixed(f"mixup-{index}", tensors, weight, False)
    for index, (weight, row, column) in enumerate(CUTMIXES):
        with mock.patch.object(numpy.random, "randint", side_effect=[row, column]):
            tensors |= mixed(f"cutmix-{index}", tensors, weight, True)
    settings = {"classes": CLASSES, "smoothing": SMOOTHING, "mixups": MIXUPS, "cutmixes": CUTMIXES}
    save(folder / "mixing.safetensors", tensors, settings)


def mixed(name: str, tensors: Tensors, weight: float, cuts: bool) -> Tensors:
    mixing = Mixup(0.8, 1.0, label_smoothing=SMOOTHING, num_classes=CLASSES)
    with mock.patch.object(mixing, "_params_per_batch", lambda: (weight, cuts)):
        pixels, targets = mixing(tensors["pixels"].clone(), tensors["labels"])
    return {f"{name}/pixels": pixels, f"{name}/targets": targets}
