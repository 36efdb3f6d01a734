#!/usr/bin/env python3
"""Holds `vit attention` to transformers' `output_attentions`, and its rollout to the definition, in float64.

    python tools/verify_attention.py --photos DIR [--vit .build/release/vit]

Prints a Markdown table of the largest differences. Exits with 1 where one is beyond the tolerance.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image

import random_weights
from logit_cases import open_image
from verify_logits import choose_photos

TOLERANCE = 1e-5
SMALL = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
CASES = {
    "ViT-S/16, 224": transformers.ViTConfig(**SMALL, image_size=224, patch_size=16),
    "ViT-S/32, 384": transformers.ViTConfig(**SMALL, image_size=384, patch_size=32, num_hidden_layers=6),
    "ViT-B/16, 224": transformers.ViTConfig(image_size=224, patch_size=16),
}
transformers.utils.logging.set_verbosity_error()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEG or PNG files, walked recursively")
    parser.add_argument("--count", type=int, default=3, help="how many of them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    photos = choose_photos(options.photos, options.count, seed=0)
    print("| model | largest weight | weights: max difference, all layers | rollout: max difference |")
    print("|---|---|---|---|")
    worst = 0.0
    for name, config in CASES.items():
        with tempfile.TemporaryDirectory(prefix="verify-attention-") as folder:
            largest, weights, rollout = compare(config, Path(folder), photos, options.vit)
        print(f"| {name} | {largest:.2f} | {weights:.1e} | {rollout:.1e} |", flush=True)
        worst = max(worst, weights, rollout)
    return 0 if worst <= TOLERANCE else 1


@torch.no_grad()
def compare(config, folder: Path, photos: list[Path], vit: Path) -> tuple[float, float, float]:
    model = transformers.ViTModel(config, add_pooling_layer=False)
    random_weights.fill(model, seed=0)
    model.save_pretrained(folder)
    side = {"height": config.image_size, "width": config.image_size}
    transformers.ViTImageProcessorPil(size=side, resample=Image.Resampling.BICUBIC).save_pretrained(folder)
    processor = transformers.ViTImageProcessorPil.from_pretrained(folder)
    model = transformers.ViTModel.from_pretrained(folder, attn_implementation="eager", add_pooling_layer=False).eval()
    pixels = processor([open_image(photo) for photo in photos], return_tensors="pt").pixel_values
    expected = [weights.numpy() for weights in model(pixels, output_attentions=True).attentions]
    difference = max(
        float(np.abs(attend(vit, folder, photos, "--layer", layer + 1) - weights).max())
        for layer, weights in enumerate(expected)
    )
    rollout = np.eye(expected[0].shape[-1])[None]
    for weights in expected:
        rollout = (weights.astype(np.float64).mean(axis=1) / 2 + np.eye(weights.shape[-1]) / 2) @ rollout
    actual = attend(vit, folder, photos, "--rollout")
    return max(float(weights.max()) for weights in expected), difference, float(np.abs(actual - rollout).max())


def attend(vit: Path, folder: Path, photos: list[Path], *more) -> np.ndarray:
    command = [vit, "attention", *photos, "--model", folder, "--output", folder / "pictures", "--quiet", *more]
    command += ["--weights", folder / "weights.npy"]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return np.load(folder / "weights.npy")


if __name__ == "__main__":
    sys.exit(main())
