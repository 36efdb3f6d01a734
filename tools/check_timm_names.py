#!/usr/bin/env python3
"""Hold every model of timm that the reader could take for a plain ViT to timm's own logits, or to a refusal.

    tools/check_timm_names.py --vit .build/release/vit [--module eva] [--name rope] > timm-names.txt

Each model is built with one block, random weights and an image of four patches a side, saved as timm.models.save_for_hf
does, and classified. A line a model: its name, and `agrees`, `REFUSED` with the reason, `DIFFERS` by how much, or `not
built` where timm makes no model of one block of it. The exit code is 1 where one differs.

Last result, timm 1.0.31: of 307 models, 152 agree, 150 are refused, 5 are not built, none differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import timm
import torch
from random_weights import fill
from PIL import Image
from safetensors.torch import save_file
from timm.models._registry import _model_to_module

MODULES = ["vision_transformer", "deit", "vision_transformer_relpos", "eva", "beit", "vision_transformer_sam", "cait",
           "naflexvit", "vision_transformer_hybrid"]


def build(name):
    """A model with one block and seven classes, and the arguments that make it."""
    base = timm.models.get_pretrained_cfg(name)
    patch = next((int(word[5:]) for word in name.split("_") if word.startswith("patch") and word[5:].isdigit()), 16)
    size = 4 * patch
    for arguments in [dict(depth=1, img_size=size), dict(depth=1)]:
        try:
            model = timm.create_model(name, pretrained=False, num_classes=7, **arguments).eval()
        except (TypeError, AssertionError, RuntimeError, ValueError):
            continue
        if "img_size" in arguments:
            model.pretrained_cfg = {**model.pretrained_cfg, "input_size": (3, size, size), "fixed_input_size": True}
            model.pretrained_cfg.pop("test_input_size", None)
        elif base and base.input_size[-1] > 400:
            continue
        fill(model, seed=0)
        return model, arguments
    return None


def save(model, name, arguments, folder):
    # As save_for_hf writes it; only the settings that readers use.
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors")
    keys = ["input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std", "num_classes",
            "first_conv", "classifier"]
    config = {"architecture": name, "num_classes": 7, "num_features": getattr(model, "num_features", None),
              "global_pool": getattr(model, "global_pool", None), "model_args": arguments,
              "pretrained_cfg": {key: model.pretrained_cfg.get(key) for key in keys}}
    (folder / "config.json").write_text(json.dumps(config))


def check(name, vit, image, folder):
    built = build(name)
    if built is None:
        return "not built"
    model, arguments = built
    save(model, name, arguments, folder)
    result = subprocess.run(
        [vit, "classify", image, "--model", folder, "--logits", folder / "out.npy", "--quiet"], capture_output=True,
        text=True)
    if result.returncode < 0:
        return f"DIFFERS: ended by signal {-result.returncode}"
    if result.returncode:
        return "REFUSED: " + result.stderr.strip().replace(f"{folder}/", "").removeprefix("Error: ")
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=model))
    with torch.no_grad():
        expected = model(transform(Image.open(image).convert("RGB"))[None])[0].numpy()
    difference = numpy.abs(numpy.load(folder / "out.npy")[0] - expected).max() / max(1, numpy.abs(expected).max())
    return "agrees" if difference < 1e-4 else f"DIFFERS by {difference:.2g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", required=True)
    parser.add_argument("--module", action="append", help="only models of these modules")
    parser.add_argument("--name", default="", help="only models with this in their names")
    options = parser.parse_args()
    modules = options.module or MODULES
    names = sorted(name for name in timm.list_models() if _model_to_module[name] in modules and options.name in name)
    differs = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        image = scratch / "image.png"
        pixels = numpy.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).resize((160, 120), Image.BICUBIC).save(image)
        for name in names:
            outcome = check(name, options.vit, image, scratch)
            differs += outcome.startswith("DIFFERS")
            print(f"{name:45} {outcome}", flush=True)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
