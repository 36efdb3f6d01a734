#!/usr/bin/env python3
"""Turn what train_charts_timm.py leaves (RUN/best.pt, timm's names) into a Hugging Face directory in float16."""

from __future__ import annotations

import argparse
from pathlib import Path

import timm
import torch
from torch import Tensor
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

OUTSIDE = {
    "cls_token": "vit.embeddings.cls_token",
    "pos_embed": "vit.embeddings.position_embeddings",
    "patch_embed.proj": "vit.embeddings.patch_embeddings.projection",
    "norm": "vit.layernorm",
    "head": "classifier",
}
INSIDE = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.o_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm's tensors under the names of transformers 5; the joint query, key and value apart."""
    result = {}
    for name, value in state.items():
        stem, _, end = name.rpartition(".")
        if name in OUTSIDE:
            result[OUTSIDE[name]] = value
        elif stem in OUTSIDE:
            result[f"{OUTSIDE[stem]}.{end}"] = value
        else:
            _, number, part = stem.split(".", 2)
            if part == "attn.qkv":
                for letter, third in zip("qkv", value.chunk(3)):
                    result[f"vit.layers.{number}.attention.{letter}_proj.{end}"] = third.contiguous()
            else:
                result[f"vit.layers.{number}.{INSIDE[part]}.{end}"] = value
    return result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="RUN/best.pt")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, weights_only=True)
    state, kinds = saved["model"], saved["kinds"]
    configuration = ViTConfig(
        image_size=224, patch_size=16, hidden_size=192, num_hidden_layers=12, num_attention_heads=3, intermediate_size=768,
        layer_norm_eps=1e-6, id2label=dict(enumerate(kinds)), label2id={kind: i for i, kind in enumerate(kinds)},
    )  # fmt: skip
    model = ViTForImageClassification(configuration).eval()
    model.load_state_dict(renamed(state))
    original = timm.create_model("vit_tiny_patch16_224", num_classes=len(kinds)).eval()
    original.load_state_dict(state)
    with torch.inference_mode():
        pixels = torch.rand(2, 3, 224, 224) * 2 - 1
        difference = (model(pixels).logits - original(pixels)).abs().max().item()
    if difference > 1e-4:
        raise SystemExit(f"the renamed model differs from timm's by {difference:.2g} in a logit; expected less than 1e-4")
    model.half().save_pretrained(arguments.output)
    ViTImageProcessor(
        do_resize=True, size={"height": 224, "width": 224}, resample=3, do_rescale=True, rescale_factor=1 / 255, do_normalize=True,
        image_mean=[0.5] * 3, image_std=[0.5] * 3,
    ).save_pretrained(arguments.output)  # fmt: skip


if __name__ == "__main__":
    main()
