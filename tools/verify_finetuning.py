"""Loads results of `vit finetune` with transformers (or timm) and compares their logits with `vit classify`.

Trains for a few steps with the class token, with a teacher, from an MAE start at another size, with the mean, and from towers
of CLIP and SigLIP: with the mean, the result is a classifier of transformers, else one of timm, which transformers loads too.

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
from transformers import (
    AutoImageProcessor, AutoModelForImageClassification, CLIPConfig, CLIPModel, SiglipConfig, SiglipModel)

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


def make_towers(folder):
    """CLIP and SigLIP with random weights, as transformers writes them."""
    sizes = dict(hidden_size=96, intermediate_size=192, num_hidden_layers=2, num_attention_heads=3)
    text, vision = dict(sizes, vocab_size=60, max_position_embeddings=8), dict(sizes, image_size=64, patch_size=8)
    for name, kind, config in [("clip", CLIPModel, CLIPConfig), ("siglip", SiglipModel, SiglipConfig)]:
        kind(config(text_config=text, vision_config=vision)).save_pretrained(folder / name)


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
        make_towers(work)
        variants = {
            "class": SHAPE + PICTURES,
            "teacher": SHAPE + PICTURES + ["--teacher", work / "class" / "model"],
            "init": ["--init", work / "mae" / "model", "--image-size", 64],
            "mean": ["--init", work / "mae" / "model", "--image-size", 64, "--pool", "mean"],
            "clip-mean": ["--init", work / "clip", "--pool", "mean"],
            "siglip-mean": ["--init", work / "siglip", "--pool", "mean"],
            "clip-timm": ["--init", work / "clip"],
            "siglip-timm": ["--init", work / "siglip"],
        }
        for name, options in variants.items():
            run(vit, "finetune", folder, "--output", work / name, *options, "--steps", 30, "--lr", 2e-3,
                "--batch-size", 16, "--quiet")  # fmt: skip
            model, logits = work / name / "model", work / f"{name}.npy"
            run(vit, "classify", *paths, "--model", model, "--logits", logits, "--quiet", stdout=subprocess.DEVNULL)
            theirs, labels = (timm_logits if name == "mean" or "timm" in name else transformers_logits)(model, paths)
            assert labels == classes, labels
            difference = numpy.abs(numpy.load(logits) - theirs).max()
            print(f"{name}: logits up to {numpy.abs(theirs).max():.3f}, {difference:.1e} apart")
            worst = max(worst, difference)
            if "timm" in name:
                wrapped = AutoModelForImageClassification.from_pretrained(model)
                pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
                with torch.no_grad():
                    theirs = timm.create_model(f"local-dir:{model}", pretrained=True).eval()(pixels)
                    worst = max(worst, (wrapped.eval()(pixels).logits - theirs).abs().max().item())
    sys.exit(int(worst > 1e-4))


main(*sys.argv[1:])
