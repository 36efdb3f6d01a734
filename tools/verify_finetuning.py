"""Loads results of `vit finetune` with transformers (or timm, for means) and compares their logits with `vit classify`.

Trains for a few steps with the class token, with a teacher, from an MAE start at another size, and with the mean.

usage: verify_finetuning.py VIT FOLDER   (class folders of pictures)
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import timm
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

SHAPE = ["--width", "96", "--depth", "3", "--heads", "3"]
PICTURES = ["--image-size", "64", "--patch-size", "8"]


def run(*arguments, stdout=None):
    subprocess.run([str(part) for part in arguments], check=True, stdout=stdout)


def transformers_logits(folder, paths):
    model, report = AutoModelForImageClassification.from_pretrained(folder, output_loading_info=True)
    surplus = {key: value for key, value in report.items() if value}
    assert not surplus, surplus
    pictures = [Image.open(path).convert("RGB") for path in paths]
    pixels = AutoImageProcessor.from_pretrained(folder)(pictures, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return model.eval()(pixels).logits.numpy(), list(model.config.id2label.values())


def timm_logits(folder, paths):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_data_config(model.pretrained_cfg))
    pixels = torch.stack([transform(Image.open(path).convert("RGB")) for path in paths])
    with torch.no_grad():
        return model(pixels).numpy(), model.pretrained_cfg["label_names"]


def main(vit, folder):
    classes = sorted(path.name for path in pathlib.Path(folder).iterdir() if path.is_dir())
    paths = [sorted((pathlib.Path(folder) / name).glob("*.*"))[0] for name in classes]
    worst = 0.0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        run(vit, "pretrain", folder, "--output", work / "mae", "--image-size", 32, "--patch-size", 8, *SHAPE,
            "--decoder-width", 64, "--decoder-depth", 1, "--steps", 4, "--quiet")  # fmt: skip
        variants = {
            "class": SHAPE + PICTURES,
            "teacher": SHAPE + PICTURES + ["--teacher", work / "class" / "model"],
            "init": ["--init", work / "mae" / "model", "--image-size", 64],
            "mean": ["--init", work / "mae" / "model", "--image-size", 64, "--pool", "mean"],
        }
        for name, options in variants.items():
            run(vit, "finetune", folder, "--output", work / name, *options, "--steps", 30, "--lr", 2e-3,
                "--batch-size", 16, "--quiet")  # fmt: skip
            model, logits = work / name / "model", work / f"{name}.npy"
            run(vit, "classify", *paths, "--model", model, "--logits", logits, "--quiet", stdout=subprocess.DEVNULL)
            theirs, labels = (timm_logits if name == "mean" else transformers_logits)(model, paths)
            assert labels == classes, labels
            difference = numpy.abs(numpy.load(logits) - theirs).max()
            print(f"{name}: logits up to {numpy.abs(theirs).max():.3f}, {difference:.1e} apart")
            worst = max(worst, difference)
    sys.exit(int(worst > 1e-4))


main(*sys.argv[1:])
