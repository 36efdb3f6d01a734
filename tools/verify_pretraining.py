"""Loads the result of `vit pretrain` with transformers and computes the loss of a step again.

A run with a learning rate of 0 keeps the weights that it began with, and grid sampling hides the same patches of every
picture: so a batch with all pictures of a folder has one loss, whatever their order.

usage: verify_pretraining.py VIT FOLDER   (8 to 512 pictures)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from transformers import ViTMAEForPreTraining

SIDE, PATCH = 64, 8


def bayer_noise():
    """The rank of each patch in an ordered dither; the smallest stay."""
    rows, columns = numpy.indices((SIDE // PATCH, SIDE // PATCH))
    rank = numpy.zeros_like(rows)
    for bit in range(11):
        r, c = rows >> bit & 1, columns >> bit & 1
        rank = rank << 2 | (r ^ c) << 1 | r
    return torch.tensor(rank.reshape(1, -1).astype(numpy.float32))


def pixels(path):
    image = Image.open(path).convert("RGB")
    scale = max(SIDE / image.width, SIDE / image.height)
    size = (max(SIDE, int(image.width * scale)), max(SIDE, int(image.height * scale)))
    if size != image.size:
        image = image.resize(size, Image.BICUBIC)
    left, top = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    image = image.crop((left, top, left + SIDE, top + SIDE))
    x = torch.tensor(numpy.asarray(image)).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def main(vit, folder):
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    batch = torch.stack([pixels(p) for p in paths])
    worst = 0.0
    for target in ["normalized", "pixels"]:
        with tempfile.TemporaryDirectory() as work:
            run = pathlib.Path(work) / "run"
            command = [vit, "pretrain", folder, "--output", run, "--image-size", SIDE, "--patch-size", PATCH]
            command += ["--width", 96, "--depth", 3, "--heads", 3, "--decoder-width", 64, "--decoder-depth", 2]
            command += ["--steps", 2, "--lr", 0, "--batch-size", len(paths), "--log-every", 1, "--channels", 3]
            command += ["--sampling", "grid", "--augment", "none", "--validation-fraction", 0, "--target", target]
            subprocess.run([str(part) for part in command] + ["--quiet"], check=True)
            ours = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])["loss"]
            model, report = ViTMAEForPreTraining.from_pretrained(run / "model", output_loading_info=True)
            surplus = {key: value for key, value in report.items() if value}
            assert not surplus, surplus
            with torch.no_grad():
                noise = bayer_noise().expand(len(paths), -1)
                theirs = model.eval()(batch, noise=noise).loss.item()
            difference = abs(ours - theirs) / theirs
            print(f"{target}: loss {ours:.7f} here, {theirs:.7f} in transformers, {difference:.1e} apart")
            worst = max(worst, difference)
    sys.exit(worst > 1e-5)


main(*sys.argv[1:])
