"""The checkpoints that `verify_logits.py` compares on: how each is written, and how its reference library reads it.

A case writes a checkpoint of random weights as its library or its authors would publish it, and computes the reference
logits from that file and the image files alone: nothing of the writing is shared with the reading.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import timm.models
import torch
import transformers
from PIL import Image, ImageOps
from timm.data import create_transform, resolve_model_data_config
from torchvision import transforms
from torchvision.transforms import InterpolationMode

import random_weights

# The photos go through the reference in batches of this size, to keep its memory small.
BATCH_SIZE = 4

transformers.utils.logging.disable_progress_bar()

Prepare = Callable[[Image.Image], torch.Tensor]
Model = Callable[[torch.Tensor], torch.Tensor]


@dataclass
class Case:
    """A checkpoint and its reference."""

    name: str
    reference: str
    # Writes the checkpoint into a folder and gives the path for --model.
    build: Callable[[Path], Path]
    # Reads that path and gives the preprocessing of one image and the model, (B, 3, H, W) → (B, classes).
    load: Callable[[Path], tuple[Prepare, Model]]
    # What `vit classify` is given besides.
    arguments: list[str] = field(default_factory=list)


def open_image(path: Path) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


@torch.no_grad()
def reference_logits(case: Case, checkpoint: Path, photos: list[Path]) -> np.ndarray:
    """(photos, classes), float32."""
    prepare, model = case.load(checkpoint)
    rows = []
    for start in range(0, len(photos), BATCH_SIZE):
        batch = torch.stack([prepare(open_image(photo)) for photo in photos[start : start + BATCH_SIZE]])
        rows.append(model(batch))
    return torch.cat(rows).numpy().astype(np.float32)


# timm


def new_timm(architecture: str, seed: int = 0, **settings) -> torch.nn.Module:
    model = timm.create_model(architecture, pretrained=False, num_classes=1000, **settings).eval()
    random_weights.fill(model, seed)
    return model


def timm_directory(name: str, architecture: str, **settings) -> Case:
    """A folder as `timm.models.save_for_hf` writes it for the Hub."""

    def build(folder: Path) -> Path:
        timm.models.save_for_hf(new_timm(architecture, **settings), str(folder), safe_serialization=True)
        return folder

    def load(checkpoint: Path):
        model = timm.create_model(f"local-dir:{checkpoint}", pretrained=True).eval()
        return create_transform(**resolve_model_data_config(model)), model

    stated = "".join(f", {key}={value}" for key, value in settings.items())
    return Case(name, f"timm {architecture}{stated}", build, load)


def timm_resampled(name: str, architecture: str, size: int) -> Case:
    """A folder for one size of picture, used at another: the positions are resampled."""
    case = timm_directory(name, architecture)

    def load(checkpoint: Path):
        model = timm.create_model(f"local-dir:{checkpoint}", pretrained=True, dynamic_img_size=True).eval()
        settings = resolve_model_data_config(model) | {"input_size": (3, size, size)}
        return create_transform(**settings), model

    return Case(name, f"timm {architecture} at {size} px (dynamic_img_size)", case.build, load, ["--image-size", str(size)])


def timm_file(name: str, architecture: str, suffix: str) -> Case:
    """A state dictionary alone, without a configuration."""

    def build(folder: Path) -> Path:
        state = new_timm(architecture).state_dict()
        path = folder / f"weights{suffix}"
        if suffix == ".safetensors":
            safetensors.torch.save_file(state, path)
        else:
            torch.save(state, path)
        return path

    def load(checkpoint: Path):
        model = timm.create_model(architecture, checkpoint_path=str(checkpoint)).eval()
        return create_transform(**resolve_model_data_config(model)), model

    return Case(name, f"timm {architecture}, {suffix} alone", build, load)


# The MAE authors' fine-tuned checkpoints


def mae_finetuned(name: str) -> Case:
    architecture, settings = "vit_base_patch16_224", {"global_pool": "avg"}

    def build(folder: Path) -> Path:
        model = new_timm(architecture, **settings)
        optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-3)
        model.head(torch.ones(1, model.num_features)).sum().backward()
        untouched = {key: value.clone() for key, value in model.state_dict().items()}
        optimizer.step()
        path = folder / "finetuned.pth"
        arguments = argparse.Namespace(model="vit_base_patch16", drop_path=0.1, input_size=224, global_pool=True)
        torch.save(
            {
                "model": untouched,
                "optimizer": optimizer.state_dict(),
                "epoch": 99,
                "scaler": {"scale": 65536.0, "growth_factor": 2.0},
                "args": arguments,
            },
            path,
        )
        return path

    def load(checkpoint: Path):
        state = torch.load(checkpoint, weights_only=False)["model"]
        model = timm.create_model(architecture, **settings).eval()
        model.load_state_dict(state, strict=True)
        prepare = transforms.Compose([
            transforms.Resize(256, interpolation=InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ])
        return prepare, model

    return Case(name, "MAE fine-tuned ViT-B/16 .pth, in timm with fc_norm", build, load)


# Google's JAX checkpoints


def jax_arrays(state: dict[str, torch.Tensor], heads: int) -> dict[str, np.ndarray]:
    """A state dictionary of timm under the names and in the shapes of Google's ViT-B_16.npz."""
    state = {key: value.numpy() for key, value in state.items()}
    width = state["cls_token"].shape[-1]
    arrays = {
        "cls": state["cls_token"],
        "embedding/kernel": state["patch_embed.proj.weight"].transpose(2, 3, 1, 0),
        "embedding/bias": state["patch_embed.proj.bias"],
        "Transformer/posembed_input/pos_embedding": state["pos_embed"],
        "Transformer/encoder_norm/scale": state["norm.weight"],
        "Transformer/encoder_norm/bias": state["norm.bias"],
        "head/kernel": state["head.weight"].T,
        "head/bias": state["head.bias"],
    }
    depth = len({key.split(".")[1] for key in state if key.startswith("blocks.")})
    for i in range(depth):
        ours, theirs = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
        attention = theirs + "MultiHeadDotProductAttention_1/"
        weights = np.split(state[ours + "attn.qkv.weight"], 3)
        biases = np.split(state[ours + "attn.qkv.bias"], 3)
        for part, weight, bias in zip(("query", "key", "value"), weights, biases):
            arrays[f"{attention}{part}/kernel"] = weight.T.reshape(width, heads, -1)
            arrays[f"{attention}{part}/bias"] = bias.reshape(heads, -1)
        arrays[attention + "out/kernel"] = state[ours + "attn.proj.weight"].T.reshape(heads, -1, width)
        arrays[attention + "out/bias"] = state[ours + "attn.proj.bias"]
        for norm, number in (("norm1", 0), ("norm2", 2)):
            arrays[f"{theirs}LayerNorm_{number}/scale"] = state[f"{ours}{norm}.weight"]
            arrays[f"{theirs}LayerNorm_{number}/bias"] = state[f"{ours}{norm}.bias"]
        for layer, number in (("fc1", 0), ("fc2", 1)):
            arrays[f"{theirs}MlpBlock_3/Dense_{number}/kernel"] = state[f"{ours}mlp.{layer}.weight"].T
            arrays[f"{theirs}MlpBlock_3/Dense_{number}/bias"] = state[f"{ours}mlp.{layer}.bias"]
    return {key: np.ascontiguousarray(value) for key, value in arrays.items()}


def jax_file(name: str, architecture: str) -> Case:
    def build(folder: Path) -> Path:
        model = new_timm(architecture)
        path = folder / "ViT-B_16.npz"
        np.savez(path, **jax_arrays(model.state_dict(), model.blocks[0].attn.num_heads))
        return path

    def load(checkpoint: Path):
        model = timm.create_model(architecture).eval()
        model.load_pretrained(str(checkpoint))
        return create_transform(**resolve_model_data_config(model)), model

    return Case(name, f"timm {architecture}.load_pretrained(.npz)", build, load)


# Hugging Face transformers

ODD_SIZES = {
    "image_size": 96, "patch_size": 8, "hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "intermediate_size": 200, "id2label": {i: f"label {i}" for i in range(7)},
    "label2id": {f"label {i}": i for i in range(7)},
}  # fmt: skip
ODD_PIXELS = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3], "resample": Image.Resampling.BILINEAR}


def huggingface(name: str, is_classic: bool, size: int | None = None) -> Case:
    """A folder as `save_pretrained` writes it, in the key names from before transformers 5 or in those it uses itself."""

    def build(folder: Path) -> Path:
        model = transformers.ViTForImageClassification(transformers.ViTConfig(**ODD_SIZES)).eval()
        random_weights.fill(model, seed=0)
        model.save_pretrained(folder, save_original_format=is_classic)
        keys = safetensors.torch.load_file(folder / "model.safetensors").keys()
        expected = "vit.encoder.layer.0.attention.attention.query.weight" if is_classic else "vit.layers.0.attention.q_proj.weight"
        if expected not in keys:
            raise SystemExit(f"{folder}: transformers wrote no {expected}, but {sorted(keys)}")
        side = {"height": 96, "width": 96}
        transformers.ViTImageProcessorPil(size=side, **ODD_PIXELS).save_pretrained(folder)
        return folder

    def load(checkpoint: Path):
        # Not the default processor, which resizes with torchvision: of these photos, 1.1 % of the samples differ by one
        # level from Pillow's, and the logits by up to 0.025.
        processor = transformers.ViTImageProcessorPil.from_pretrained(checkpoint)
        if size:
            processor.size = transformers.image_utils.SizeDict(height=size, width=size)
        model = transformers.ViTForImageClassification.from_pretrained(checkpoint).eval()
        return (
            lambda image: processor(image, return_tensors="pt").pixel_values[0],
            lambda pixels: model(pixels, interpolate_pos_encoding=size is not None).logits,
        )

    keys = "classic keys" if is_classic else "transformers 5 keys"
    at = f" at {size} px (interpolate_pos_encoding)" if size else ""
    arguments = ["--image-size", str(size)] if size else []
    return Case(name, f"transformers ViTForImageClassification, {keys}{at}", build, load, arguments)


CASES = [
    timm_directory("tiny-16", "vit_tiny_patch16_224"),
    timm_directory("small-16", "vit_small_patch16_224"),
    timm_directory("base-16", "vit_base_patch16_224"),
    timm_directory("base-32", "vit_base_patch32_224"),
    timm_directory("small-8", "vit_small_patch8_224"),
    timm_directory("small-14", "vit_small_patch14_dinov2", img_size=224),
    timm_directory("base-16-384", "vit_base_patch16_384"),
    timm_directory("deit-distilled", "deit_base_distilled_patch16_224"),
    timm_directory("deit3", "deit3_small_patch16_224"),
    timm_directory("dinov2-registers", "vit_small_patch14_reg4_dinov2"),
    timm_directory("cait", "cait_xxs24_224"),
    timm_directory("cait-384", "cait_xs24_384"),
    timm_directory("mean-pooling", "vit_small_patch16_224", global_pool="avg"),
    timm_directory("non-square", "vit_small_patch16_224", img_size=(192, 288)),
    timm_resampled("timm-resampled", "vit_small_patch16_224", 256),
    timm_file("bare-safetensors", "vit_tiny_patch16_224", ".safetensors"),
    timm_file("bare-pth", "vit_small_patch16_224", ".pth"),
    huggingface("hf-classic", is_classic=True),
    huggingface("hf-5", is_classic=False),
    huggingface("hf-resampled", is_classic=True, size=128),
    mae_finetuned("mae-finetuned"),
    jax_file("jax", "vit_base_patch16_224"),
]
