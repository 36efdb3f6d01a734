#!/usr/bin/env python3
"""Hold every image model of transformers that the reader could take for a Vision Transformer to transformers' own numbers,
or to a refusal.

    tools/check_transformers_models.py --vit .build/release/vit > transformers-models.txt

Each configuration class with a model of pixels is built small, with random weights, saved as save_pretrained does, and read:
classifiers by their logits, others by the class token of their last hidden state. A line a model: its type and class, and
`agrees`, `REFUSED` with the reason, `DIFFERS` by how much, or `not built` where the class makes no small model of these
settings. The exit code is 1 where one differs.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
import transformers
from PIL import Image
from random_weights import fill
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, MODEL_MAPPING

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32,
             patch_size=8, encoder_stride=8, num_channels=3, decoder_num_hidden_layers=1, decoder_hidden_size=16,
             decoder_num_attention_heads=2, decoder_intermediate_size=32, num_key_value_heads=2)
PIXELS = 32


def models():
    """(model type, model class, whether it classifies) of all models that take pixels alone."""
    for kind, config in CONFIG_MAPPING.items():
        for mapping, classifies in [(MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, True), (MODEL_MAPPING, False)]:
            try:
                found = mapping[config]
            except Exception:
                continue
            for model in found if isinstance(found, tuple) else [found]:
                try:
                    takes_pixels = getattr(model, "main_input_name", "") == "pixel_values"
                except ImportError:
                    continue
                if takes_pixels:
                    yield kind, config, model, classifies


def build(config, model):
    defaults = config()
    settings = {key: value for key, value in SMALL.items() if hasattr(defaults, key)}
    if "hidden_size" not in settings or "patch_size" not in settings:
        return None
    small = config(**settings)
    small.num_labels = 3
    built = model(small).eval()
    fill(built, seed=0)
    return built


def expected(model, pixels, classifies):
    masked = getattr(model.config, "mask_ratio", None)
    if masked is not None:
        model.config.mask_ratio = 0.0
    with torch.no_grad():
        output = model(pixels)
    if masked is not None:
        model.config.mask_ratio = masked
    if classifies:
        return output.logits[0].numpy()
    return output.last_hidden_state[0, 0].numpy()


def check(config, model_class, classifies, vit, image, folder):
    try:
        model = build(config, model_class)
        reference = model and expected(model, pixels_of(image), classifies)
    except Exception as error:
        return f"not built ({type(error).__name__})"
    if model is None:
        return "not built"
    for file in folder.iterdir():
        file.unlink()
    model.save_pretrained(folder)
    command = [vit, "classify", image, "--model", folder, "--logits", folder / "out.npy"] if classifies else \
        [vit, "embed", image, "--model", folder, "--pool", "cls", "--output", folder / "out.npy"]
    same = ["--quiet", "--mean", "0.5", "--std", "0.5", "--resize", f"{PIXELS}x{PIXELS}"]
    result = subprocess.run(command + same, capture_output=True, text=True)
    if result.returncode < 0:
        return f"DIFFERS: ended by signal {-result.returncode}"
    if result.returncode:
        return "REFUSED: " + result.stderr.strip().splitlines()[-1].replace(f"{folder}/", "").removeprefix("Error: ")
    numbers = numpy.load(folder / "out.npy")[0]
    if numbers.shape != reference.shape:
        return f"DIFFERS: {numbers.shape} numbers, not {reference.shape}"
    difference = numpy.abs(numbers - reference).max() / max(1, numpy.abs(reference).max())
    return "agrees" if difference < 1e-4 else f"DIFFERS by {difference:.2g}"


def pixels_of(image):
    values = numpy.asarray(Image.open(image), dtype=numpy.float32) / 255
    return torch.from_numpy((values - 0.5) / 0.5).permute(2, 0, 1)[None]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", required=True)
    parser.add_argument("--name", default="", help="only model types with this in their names")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    differs = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "model"
        folder.mkdir()
        image = pathlib.Path(scratch) / "image.png"
        pixels = numpy.random.default_rng(0).integers(0, 256, (PIXELS, PIXELS, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(image)
        for kind, config, model, classifies in models():
            if options.name not in kind:
                continue
            outcome = check(config, model, classifies, options.vit, image, folder)
            differs += outcome.startswith("DIFFERS")
            print(f"{kind:28} {model.__name__:45} {outcome}", flush=True)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
