#!/usr/bin/env python3
"""Holds `vit reconstruct` to PyTorch: the same masked autoencoders, photos and noise, from the files to the prediction.

    python tools/verify_reconstruct.py --photos DIR [--case NAME …] [--vit .build/release/vit]

Writes checkpoints of random weights as transformers and as the MAE authors lay them out, computes prediction, kept
patches and loss in float32 over Pillow's pixels, runs the executable on the same files and noise, and prints a Markdown
table. Exits with 1 where a prediction differs by more than 1e-4 or a loss by more than 1e-5 of itself.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

import random_weights
from logit_cases import open_image
from reference_mae import MaskedAutoencoder, Sizes, sin_cos_table
from verify_logits import choose_photos
from verify_reference_mae import to_transformers, transformers_model

PREDICTION_TOLERANCE = 1e-4
LOSS_TOLERANCE = 1e-5
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@dataclass
class Case:
    name: str
    sizes: Sizes
    normalized: bool = True
    is_authors_file: bool = False


BASE = Sizes(
    image=(224, 224), patch=16, width=768, depth=12, heads=12, hidden=3072, decoder_width=512, decoder_depth=8,
    decoder_heads=16, decoder_hidden=2048,
)  # fmt: skip
CASES = [
    Case("tiny", Sizes(image=(64, 64), patch=8, width=96, depth=3, heads=3, hidden=384, decoder_hidden=64)),
    Case("tiny-pixels", Sizes(image=(96, 96), patch=16, width=64, depth=2, heads=4, epsilon=1e-12), normalized=False),
    Case("ratio-0.6", Sizes(image=(64, 64), patch=8, mask_ratio=0.6)),
    Case("base", BASE),
    Case("base-authors", BASE, is_authors_file=True),
]


def main() -> int:
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    photos = choose_photos(options.photos, options.count, seed=0)
    print("| case | image, patch, width | target | spread | prediction: max difference | loss: difference | kept patches |")
    print("|---|---|---|---|---|---|---|")
    failures = 0
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        with tempfile.TemporaryDirectory(prefix="verify-reconstruct-") as folder:
            row, complaint = compare(case, Path(folder), photos, options.vit)
        print(row, flush=True)
        if complaint:
            failures += 1
            print(f"{case.name}: {complaint}", file=sys.stderr)
    return 1 if failures else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEG or PNG files, walked recursively")
    parser.add_argument("--count", type=int, default=6, help="how many of them")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only this one; repeatable")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    return parser.parse_args()


def new_model(case: Case) -> MaskedAutoencoder:
    model = MaskedAutoencoder(case.sizes)
    random_weights.fill(model, seed=1)
    for table, width in ((model.pos_embed, case.sizes.width), (model.decoder_pos_embed, case.sizes.decoder_width)):
        table.data = sin_cos_table(case.sizes.grid, width).float()[None]
    return model.eval()


def write(case: Case, model: MaskedAutoencoder, folder: Path) -> Path:
    """The checkpoint, and the path for --model."""
    if case.is_authors_file:
        arguments = argparse.Namespace(model="mae_vit_base_patch16", mask_ratio=0.75, norm_pix_loss=case.normalized)
        path = folder / "pretrained.pth"
        torch.save({"model": model.state_dict(), "epoch": 799, "args": arguments}, path)
        return path
    theirs = transformers_model(case.sizes, case.normalized)
    theirs.load_state_dict(to_transformers(model.state_dict()), strict=True)
    theirs.save_pretrained(folder)
    side = {"height": case.sizes.image[0], "width": case.sizes.image[1]}
    transformers.ViTImageProcessorPil(
        size=side, resample=Image.Resampling.BICUBIC, image_mean=MEAN, image_std=STD
    ).save_pretrained(folder)
    return folder


def pixels_of(case: Case, checkpoint: Path, photos: list[Path]) -> torch.Tensor:
    if case.is_authors_file:
        prepare = transforms.Compose([
            transforms.Resize(256, interpolation=InterpolationMode.BICUBIC),
            transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(MEAN, STD),
        ])  # fmt: skip
        return torch.stack([prepare(open_image(photo)) for photo in photos])
    processor = transformers.ViTImageProcessorPil.from_pretrained(checkpoint)
    return processor([open_image(photo) for photo in photos], return_tensors="pt").pixel_values


@torch.no_grad()
def reference(case: Case, model: MaskedAutoencoder, checkpoint: Path, pixels: torch.Tensor, noise: torch.Tensor):
    """The prediction, the mask, and each picture's own loss."""
    if not case.is_authors_file:
        theirs = transformers.ViTMAEForPreTraining.from_pretrained(checkpoint).eval()
    predictions, masks, losses = [], [], []
    for one, its_noise in zip(pixels.split(1), noise.split(1)):
        if case.is_authors_file:
            output = model(one, its_noise)
            losses.append(model.loss(one, output, case.normalized))
            predictions.append(output["prediction"])
            masks.append(output["mask"])
        else:
            output = theirs(one, noise=its_noise)
            losses.append(output.loss)
            predictions.append(output.logits)
            masks.append(output.mask)
    return torch.cat(predictions).numpy(), torch.cat(masks).numpy(), [float(loss) for loss in losses]


def compare(case: Case, folder: Path, photos: list[Path], vit: Path) -> tuple[str, str | None]:
    """A row of the table, and what is wrong, if anything is."""
    model = new_model(case)
    (folder / "checkpoint").mkdir()
    checkpoint = write(case, model, folder / "checkpoint")
    noise = np.random.default_rng(0).random((len(photos), case.sizes.patch_count), dtype=np.float32)
    np.save(folder / "noise.npy", noise)
    pixels = pixels_of(case, checkpoint, photos)
    expected, mask, losses = reference(case, model, checkpoint, pixels, torch.from_numpy(noise))
    target = "normalised" if case.normalized else "pixels"
    shape = f"{case.sizes.image[0]}, {case.sizes.patch}, {case.sizes.width}"
    start = f"| {case.name} | {shape} | {target} | {expected.std():.2f} |"
    prediction = folder / "prediction.npy"
    command = [vit, "reconstruct", *photos, "--model", checkpoint, "--output", folder / "pictures", "--quiet"]
    command += ["--noise", folder / "noise.npy", "--prediction", prediction, "--format", "json"]
    command += ["--mask-ratio", case.sizes.mask_ratio]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        return f"{start} failed | – | – |", f"exit code {run.returncode}: {run.stderr.strip()}"
    actual = np.load(prediction)
    if actual.shape != expected.shape:
        return f"{start} failed | – | – |", f"wrote a prediction of {actual.shape}, expected {expected.shape}"
    records = read_records(run.stdout)
    difference = float(np.abs(actual - expected).max())
    loss_difference = max(abs(record["loss"] - loss) / loss for record, loss in zip(records, losses, strict=True))
    wrong = sum(sorted(record["kept"]) != np.flatnonzero(row == 0).tolist() for record, row in zip(records, mask))
    row = f"{start} {difference:.1e} | {loss_difference:.1e} | {len(photos) - wrong}/{len(photos)} |"
    is_good = difference <= PREDICTION_TOLERANCE and loss_difference <= LOSS_TOLERANCE and not wrong
    return row, None if is_good else "differs from the reference"


def read_records(text: str) -> list[dict]:
    """A JSON list, or an object a line."""
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
