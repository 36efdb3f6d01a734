#!/usr/bin/env python3
"""Holds `vit embed` to timm's `forward_features` and transformers' hidden states, from the files to the vectors.

    python tools/verify_embeddings.py --photos DIR [--case NAME …] [--vit .build/release/vit]

Writes full-size checkpoints of random weights, computes class token, mean of the patches, all patches and an inner layer
in float32 over Pillow's pixels, runs the executable on the same files, and prints a Markdown table of the largest
differences. Exits with 1 where one is beyond the tolerance.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from PIL import Image
from timm.data import create_transform, resolve_model_data_config

import random_weights
from logit_cases import BATCH_SIZE, CASES, open_image
from verify_logits import choose_photos

TOLERANCE = 1e-4
transformers.utils.logging.set_verbosity_error()

# The final tokens (normed) and those of a layer (as they are), patches alone after the first `prefix` ones.
Tokens = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@dataclass
class Case:
    name: str
    # Writes the checkpoint and gives the path for --model, the preprocessing of an image, and the tokens of a batch.
    make: Callable[[Path, int], tuple[Path, Callable, Tokens]]
    layer: int
    prefix: int


def from_timm(case: str):
    """One of the cases of verify_logits.py."""
    logit_case = next(known for known in CASES if known.name == case)

    def make(folder: Path, layer: int):
        checkpoint = logit_case.build(folder)
        prepare, model = logit_case.load(checkpoint)

        def tokens(pixels: torch.Tensor):
            inner = []
            handle = model.blocks[layer - 1].register_forward_hook(lambda _, inputs, output: inner.append(output))
            final = model.forward_features(pixels)
            handle.remove()
            return final, inner[0]

        return checkpoint, prepare, tokens

    return make


def from_transformers(kind: str):
    """An encoder of transformers: its last hidden state, and the hidden state after a layer."""

    def make(folder: Path, layer: int):
        sizes = {"image_size": 224, "patch_size": 16, "hidden_size": 384, "num_hidden_layers": 12,
                 "num_attention_heads": 6, "intermediate_size": 1536}  # fmt: skip
        if kind == "mae":
            model = transformers.ViTMAEForPreTraining(transformers.ViTMAEConfig(**sizes))
        else:
            model = transformers.ViTModel(transformers.ViTConfig(**sizes), add_pooling_layer=False)
        random_weights.fill(model, seed=0)
        model.eval().save_pretrained(folder)
        side = {"height": 224, "width": 224}
        transformers.ViTImageProcessorPil(size=side, resample=Image.Resampling.BICUBIC).save_pretrained(folder)
        processor = transformers.ViTImageProcessorPil.from_pretrained(folder)
        if kind == "mae":
            # Nothing is masked, and ascending noise keeps the patches in their order.
            encoder = transformers.ViTMAEModel.from_pretrained(folder, mask_ratio=0.0).eval()
            extra = lambda count: {"noise": torch.arange(196).float().expand(count, 196)}
        else:
            encoder = transformers.ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
            extra = lambda count: {}

        def tokens(pixels: torch.Tensor):
            output = encoder(pixels, output_hidden_states=True, **extra(len(pixels)))
            return output.last_hidden_state, output.hidden_states[layer]

        return folder, lambda image: processor(image, return_tensors="pt").pixel_values[0], tokens

    return make


CASES_HERE = [
    Case("timm base-16", from_timm("base-16"), layer=6, prefix=1),
    Case("timm deit-distilled", from_timm("deit-distilled"), layer=3, prefix=2),
    Case("timm dinov2-registers", from_timm("dinov2-registers"), layer=9, prefix=5),
    Case("transformers ViTModel", from_transformers("vit"), layer=6, prefix=1),
    Case("transformers ViTMAEModel", from_transformers("mae"), layer=11, prefix=1),
]


def main() -> int:
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    photos = choose_photos(options.photos, options.count, seed=0)
    print("| model | spread | class | mean | patches | inner layer: class | inner layer: patches |")
    print("|---|---|---|---|---|---|---|")
    failures = 0
    for case in CASES_HERE:
        if options.case and case.name not in options.case:
            continue
        with tempfile.TemporaryDirectory(prefix="verify-embeddings-") as folder:
            differences, spread = compare(case, Path(folder), photos, options.vit)
        failures += not max(differences) <= TOLERANCE
        print(f"| {case.name} | {spread:.2f} | " + " | ".join(f"{value:.1e}" for value in differences) + " |", flush=True)
    return 1 if failures else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEG or PNG files, walked recursively")
    parser.add_argument("--count", type=int, default=8, help="how many of them")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES_HERE], help="only this; repeatable")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    return parser.parse_args()


@torch.no_grad()
def compare(case: Case, folder: Path, photos: list[Path], vit: Path) -> tuple[list[float], float]:
    """The largest differences, in the columns of the table, and the standard deviation of the final tokens."""
    (folder / "checkpoint").mkdir()
    checkpoint, prepare, tokens = case.make(folder / "checkpoint", case.layer)
    parts = []
    for start in range(0, len(photos), BATCH_SIZE):
        parts.append(tokens(torch.stack([prepare(open_image(photo)) for photo in photos[start : start + BATCH_SIZE]])))
    final, inner = (torch.cat([part[index] for part in parts]).numpy() for index in (0, 1))
    expected = [
        (final[:, 0], ["--pool", "cls"]),
        (final[:, case.prefix :].mean(axis=1), ["--pool", "mean"]),
        (final[:, case.prefix :], ["--pool", "patches"]),
        (inner[:, 0], ["--pool", "cls", "--layer", case.layer]),
        (inner[:, case.prefix :], ["--pool", "patches", "--layer", case.layer]),
    ]
    return [difference(values, embed(vit, checkpoint, photos, folder, more)) for values, more in expected], final.std()


def embed(vit: Path, checkpoint: Path, photos: list[Path], folder: Path, more: list) -> np.ndarray:
    command = [vit, "embed", *photos, "--model", checkpoint, "--output", folder / "out.npy", "--quiet", *more]
    subprocess.run([str(part) for part in command], check=True)
    return np.load(folder / "out.npy")


def difference(expected: np.ndarray, actual: np.ndarray) -> float:
    return float(np.abs(expected - actual).max()) if expected.shape == actual.shape else float("inf")


if __name__ == "__main__":
    sys.exit(main())
