"""Goldens of positions and of small whole classifiers: positions.safetensors, classifier-….safetensors."""

from functools import partial
from pathlib import Path

import timm.layers
import torch
from timm.layers import LayerNorm
from timm.models.cait import Cait
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from torch.nn import functional as F

import random_weights
from fixture_file import Tensors, numbers, parameters_and_gradients, save
from reference_mae import sin_cos_table


def write(folder: Path) -> None:
    save(folder / "positions.safetensors", positions())
    for name, (model, settings) in classifiers().items():
        save(folder / f"classifier-{name}.safetensors", classifier(model), settings)


def positions() -> Tensors:
    """Keys name library, old grid, new grid (rows x columns) and rows before the patches: timm/4x4-6x6-prefix-1/table."""
    result = {}
    timm_cases = [
        ((4, 4), (6, 6), 1), ((4, 4), (3, 3), 1), ((4, 4), (5, 7), 2), ((3, 5), (6, 4), 0), ((7, 7), (2, 3), 1),
        ((2, 6), (2, 6), 1), ((14, 14), (16, 16), 1), ((14, 14), (12, 18), 0),
    ]  # fmt: skip
    for seed, (old, new, prefix) in enumerate(timm_cases, start=1):
        table = numbers((1, prefix + old[0] * old[1], 4), seed)
        resampled = timm.layers.resample_abs_pos_embed(table, list(new), list(old), num_prefix_tokens=prefix)
        name = f"timm/{old[0]}x{old[1]}-{new[0]}x{new[1]}-prefix-{prefix}"
        result |= {f"{name}/table": table[0], f"{name}/resampled": resampled[0]}
    for seed, (old, new) in enumerate([(4, (6, 6)), (4, (3, 3)), (4, (5, 7)), (14, (16, 12)), (7, (2, 3))], start=20):
        table = numbers((1, 1 + old * old, 4), seed)
        name = f"transformers/{old}x{old}-{new[0]}x{new[1]}-prefix-1"
        result |= {f"{name}/table": table[0], f"{name}/resampled": transformers_resampled(table, old, new)}
    for grid, width in [((4, 4), 8), ((3, 5), 16), ((14, 14), 4)]:
        result[f"sin-cos/{grid[0]}x{grid[1]}-width-{width}"] = sin_cos_table(grid, width)
    return result


def transformers_resampled(table: torch.Tensor, old: int, new: tuple[int, int]) -> torch.Tensor:
    import transformers

    config = transformers.ViTConfig(image_size=old, patch_size=1, hidden_size=table.shape[2], num_attention_heads=1)
    embeddings = transformers.models.vit.modeling_vit.ViTEmbeddings(config)
    embeddings.position_embeddings.data = table
    tokens = torch.zeros(1, 1 + new[0] * new[1], table.shape[2])
    with torch.no_grad():
        return embeddings.interpolate_pos_encoding(tokens, *new)[0]


def classifiers() -> dict[str, tuple[torch.nn.Module, dict[str, object]]]:
    """Small members of the family, and what a configuration says of each."""
    common = {"img_size": (8, 12), "patch_size": 4, "embed_dim": 12, "depth": 1, "num_heads": 3, "num_classes": 5}
    variants = {
        "token": {"depth": 2},
        "mean": {"global_pool": "avg", "mlp_ratio": 2.5},
        "mean-norm-before": {"global_pool": "avg", "fc_norm": False},
        "mean-no-norm": {"global_pool": "avg", "final_norm": False},
        "registers": {"reg_tokens": 2, "no_embed_class": True, "init_values": 1e-5},
        "grey-no-bias-tanh": {"in_chans": 1, "qkv_bias": False, "act_layer": lambda: torch.nn.GELU(approximate="tanh")},
        "distilled": {},
        "clip": {"pre_norm": True, "act_layer": "quick_gelu", "norm_layer": partial(LayerNorm, eps=1e-5)},
        "map-registers": {"global_pool": "map", "reg_tokens": 1, "no_embed_class": True},
        "siglip": {"class_token": False, "global_pool": "map", "mlp_ratio": 2},
        "cait": {"depth": 2, "depth_token_only": 2},
        "cait-mean": {"depth": 1, "depth_token_only": 1, "global_pool": "avg", "mlp_ratio_token_only": 2},
    }
    models = {}
    for name, changes in variants.items():
        kind = Cait if name.startswith("cait") else VisionTransformerDistilled if name == "distilled" else VisionTransformer
        model = kind(**(common | changes)).eval()
        random_weights.fill(model, seed=len(name))
        stated = {key: value for key, value in changes.items() if key not in ("act_layer", "norm_layer")}
        models[name] = model, common | stated
    return models


def classifier(model: torch.nn.Module) -> Tensors:
    """Weights, pixels and labels; logits, their mean cross-entropy, and its gradient in every parameter."""
    pixels = numbers((3, model.patch_embed.proj.in_channels, 8, 12), 99)
    labels = torch.tensor([3, 0, 4])
    model = model.double()
    logits = model(pixels.double())
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    weights, gradients = parameters_and_gradients(model)
    return weights | gradients | {"pixels": pixels, "labels": labels, "logits": logits, "loss": loss}
