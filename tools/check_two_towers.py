#!/usr/bin/env python3
"""Hold models of two towers, and vision towers alone, to transformers, OpenCLIP and timm.

    tools/check_two_towers.py --vit .build/release/vit --keep /tmp/towers
    SWIFT_VIT_TOWERS=/tmp/towers swift test -c release --filter embeddingsOfAFolderOfCheckpoints

Each configuration is built with random weights and saved as its library saves it. Ten images of many sizes go through
`vit embed`, preprocessing included, and are held to the library's embeddings; for each model of two towers the folder also
keeps the library's embeddings of twenty token sequences (short, of full length, empty, with the end repeated) and the scores
of all pairs, which the test compares. What `vit convert` makes of each is loaded by the library whose layout it is, and held to
the same numbers. The exit code is 1 where a number is off by 1e-4 or more.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
import open_clip
import timm
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

import two_towers

SMALL = dict(hidden_size=64, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4)
TEXT = dict(SMALL, vocab_size=500, max_position_embeddings=77)
VISION = dict(SMALL, image_size=64, patch_size=16)
COUNTS = (10, 20)


def clip(folder, seed, size=64, text=None, vision=None, projection=32):
    config = hf.CLIPConfig(text_config=dict(TEXT, eos_token_id=499, projection_dim=projection) | (text or {}),
                           vision_config=dict(VISION, projection_dim=projection) | (vision or {}), projection_dim=projection)
    processor = hf.CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    return two_towers.transformers_model(folder, config, seed, COUNTS, processor)


def siglip(folder, seed, resample=3, text=None):
    config = hf.SiglipConfig(text_config=dict(TEXT, max_position_embeddings=64) | (text or {}), vision_config=VISION)
    processor = hf.SiglipImageProcessor(size={"height": 64, "width": 64}, resample=resample)
    return two_towers.transformers_model(folder, config, seed, COUNTS, processor)


OWN = {
    "embed_dim": 48,
    "vision_cfg": {"image_size": 64, "layers": 3, "width": 64, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 500, "width": 96, "heads": 4, "layers": 3},
}


def own_siglip(folder, seed):
    config = {
        "embed_dim": 128, "init_logit_bias": -10, "custom_text": True,
        "vision_cfg": {"image_size": 64, "timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map",
                       "timm_model_pretrained": False, "timm_proj": "none"},
        "text_cfg": {"context_length": 64, "vocab_size": 500, "width": 96, "heads": 4, "layers": 2, "no_causal_mask": True,
                     "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6},
                     "act_kwargs": {"approximate": "tanh"}},
    }
    trunk = dict(img_size=64, patch_size=16, embed_dim=128, depth=2, num_heads=2, class_token=False, global_pool="map",
                 num_classes=0)
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    return two_towers.open_clip_model(folder, config, seed, COUNTS, trunk, preprocess)


def vision_alone(kind, config, processor):
    def make(folder, seed):
        golden = two_towers.transformers_vision(folder, kind, config, seed, COUNTS[0])
        processor.save_pretrained(folder)
        return golden
    return make


def timm_tower(name, **arguments):
    small = dict(img_size=64, patch_size=16, embed_dim=64, depth=12, num_heads=4, num_classes=0)
    return lambda folder, seed: two_towers.timm_model(folder, name, seed, COUNTS[0], **(small | arguments))


CLIP_PROCESSOR = hf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
SIGLIP_PROCESSOR = hf.SiglipImageProcessor(size={"height": 64, "width": 64})
CONFIGURATIONS = {
    "clip-quick-gelu": clip,
    "clip-gelu-legacy-end": lambda f, s: clip(f, s, text={"hidden_act": "gelu", "eos_token_id": 2}, vision={"hidden_act": "gelu"}),
    "clip-other-widths": lambda f, s: clip(f, s, text={"hidden_size": 96}, projection=80),
    "open-clip-quick-gelu": lambda f, s: two_towers.open_clip_model(f, dict(OWN, quick_gelu=True), s, COUNTS),
    "open-clip-gelu": lambda f, s: two_towers.open_clip_model(f, OWN, s, COUNTS, pickled=True),
    "open-clip-siglip": own_siglip,
    "siglip": siglip,
    "siglip2": lambda f, s: siglip(f, s, resample=2, text={"vocab_size": 2000, "projection_size": 64}),
    "clip-vision": vision_alone(hf.CLIPVisionModel, hf.CLIPVisionConfig(**VISION), CLIP_PROCESSOR),
    "clip-vision-projected": vision_alone(
        hf.CLIPVisionModelWithProjection, hf.CLIPVisionConfig(**VISION, projection_dim=40), CLIP_PROCESSOR),
    "siglip-vision": vision_alone(hf.SiglipVisionModel, hf.SiglipVisionConfig(**VISION), SIGLIP_PROCESSOR),
    "timm-clip": timm_tower("vit_base_patch32_clip_224"),
    "timm-clip-quickgelu": timm_tower("vit_base_patch16_clip_quickgelu_224"),
    "timm-siglip": timm_tower("vit_base_patch16_siglip_224"),
    "timm-siglip-tanh": timm_tower("vit_base_patch32_siglip_256"),
    "timm-siglip-gap": timm_tower("vit_base_patch16_siglip_gap_224"),
    "clip-vit-b-32": lambda f, s: clip(
        f, s, 224, dict(hidden_size=512, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=8, vocab_size=49408,
                        eos_token_id=49407),
        dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224,
             patch_size=32), 512),
}


def images(folder):
    generator = numpy.random.default_rng(0)
    paths = []
    for index, (width, height) in enumerate([(64, 64), (100, 64), (64, 90), (224, 224), (300, 201), (75, 131), (640, 480),
                                             (48, 48), (257, 224), (90, 400)]):
        small = generator.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=numpy.uint8)
        picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        paths.append(folder / f"{index}.png")
        picture.save(paths[-1])
    return paths


def prepared(name, folder, pictures):
    """The pixels of the images as the library that made the checkpoint prepares them."""
    if name.startswith("timm"):
        settings = json.loads((folder / "config.json").read_text())["pretrained_cfg"]
        kept = {key: settings[key] for key in ("interpolation", "mean", "std", "crop_pct", "crop_mode") if key in settings}
        transform = timm.data.create_transform(input_size=(3, 64, 64), **kept)
        return torch.stack([transform(picture) for picture in pictures])
    if name.startswith("open-clip"):
        description = json.loads((folder / "open_clip_config.json").read_text())
        settings = open_clip.transform.PreprocessCfg(**description["preprocess_cfg"])
        settings.size = description["model_cfg"]["vision_cfg"]["image_size"]
        transform = open_clip.transform.image_transform_v2(settings, is_train=False)
        return torch.stack([transform(picture) for picture in pictures])
    kind = CLIPImageProcessorPil if "clip" in name else SiglipImageProcessorPil
    return torch.cat([kind.from_pretrained(folder)(picture, return_tensors="pt")["pixel_values"] for picture in pictures])


def conversions(name):
    """The layouts that `vit convert` has for a configuration."""
    if name.startswith("timm"):
        return ["timm"]
    if name.endswith(("vision", "vision-projected")):
        return ["hf", "timm"]
    return ["hf"] if "siglip" in name else ["hf", "open_clip"]


def converted(vit, folder, layout, pixels, tokens, scratch):
    """The embeddings of pixels, and of tokens where there are any, by the library that a converted checkpoint is for."""
    target = scratch / "converted"
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([vit, "convert", folder, "--to", layout, "--output", target, "--quiet"], check=True)
    if layout == "timm":
        model = timm.create_model(f"local-dir:{target}", pretrained=True).eval().double()
        has_projection = json.loads((target / "config.json").read_text())["num_classes"] > 0
        return model(pixels) if has_projection else model.forward_head(model.forward_features(pixels), pre_logits=True), None
    if layout == "open_clip":
        model = open_clip.create_model(f"local-dir:{target}").eval().double()
        return model.encode_image(pixels), model.encode_text(tokens)
    kind = getattr(hf, json.loads((target / "config.json").read_text())["architectures"][0])
    model = kind.from_pretrained(target).eval().double()
    if tokens is None:
        output = model(pixel_values=pixels)
        return output.image_embeds if "WithProjection" in kind.__name__ else output.pooler_output, None
    return (two_towers.features(model.get_image_features(pixel_values=pixels)),
            two_towers.features(model.get_text_features(input_ids=tokens)))


def embed(vit, folder, paths, scratch, extra=()):
    output = scratch / "out.npy"
    command = [vit, "embed", *paths, "--model", folder, "--output", output, "--quiet", *extra]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{folder.name}: {result.stderr.strip()}")
    return numpy.load(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", required=True)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for checkpoints and goldens; emptied first")
    parser.add_argument("--name", default="", help="only configurations with this in their names")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    hf.logging.set_verbosity_error()
    hf.logging.disable_progress_bar()
    worst = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        root = options.keep or scratch / "models"
        shutil.rmtree(root, ignore_errors=True)
        (scratch / "images").mkdir()
        paths = images(scratch / "images")
        pictures = [Image.open(path).convert("RGB") for path in paths]
        for seed, (name, make) in enumerate(CONFIGURATIONS.items()):
            if options.name not in name:
                continue
            folder = root / name
            folder.mkdir(parents=True)
            golden, _, embed_pixels = make(folder, seed)
            reference = embed_pixels(prepared(name, folder, pictures).double()).numpy()
            numbers = embed(options.vit, folder, paths, scratch)
            difference = float(numpy.abs(numbers - reference).max()) if numbers.shape == reference.shape else float("inf")
            worst = max(worst, difference)
            if "tokens" in golden:
                stored = {key: tensor.detach().float().contiguous() for key, tensor in golden.items()}
                save_file(stored, folder / "golden.safetensors")
            print(f"{name:24} {numbers.shape[1]:5} numbers, off by {difference:.1e}", flush=True)
            for layout in conversions(name):
                got = converted(options.vit, folder, layout, golden["pixels"].double(), golden.get("tokens"), scratch)
                pairs = [(got[0], golden["image_embeds"]), (got[1], golden.get("text_embeds"))]
                difference = max(float((one - other).abs().max()) for one, other in pairs if one is not None)
                worst = max(worst, difference)
                print(f"{'':24} converted to {layout}, off by {difference:.1e}", flush=True)
    return 1 if worst >= 1e-4 else 0


if __name__ == "__main__":
    with torch.no_grad():
        sys.exit(main())
