#!/usr/bin/env python3
"""Holds the masked autoencoder of reference_mae.py to transformers' ViTMAEForPreTraining.

    python tools/verify_reference_mae.py

Mask, prediction, loss and every gradient, on the same random weights, pixels and noise, at several sizes, in float32
and float64. Prints a table and exits with 1 where the two disagree.
"""

import torch
import transformers
from torch import nn
from transformers.models.vit_mae import modeling_vit_mae

import random_weights
from reference_mae import MaskedAutoencoder, Sizes, sin_cos_table


def to_transformers(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors (weights, or their gradients) under the names of ViTMAEForPreTraining."""
    renamed = {}
    for name, tensor in state.items():
        name = name.replace("patch_embed.proj", "vit.embeddings.patch_embeddings.projection")
        name = name.replace(".norm1.", ".layernorm_before.").replace(".norm2.", ".layernorm_after.")
        name = name.replace(".attn.proj.", ".attention.o_proj.")
        if name == "cls_token":
            name = "vit.embeddings.cls_token"
        elif name == "pos_embed":
            name = "vit.embeddings.position_embeddings"
        elif name.startswith("blocks."):
            name = name.replace("blocks.", "vit.layers.", 1)
        elif name.startswith("norm."):
            name = name.replace("norm.", "vit.layernorm.", 1)
        elif name.startswith(("decoder_", "mask_token")):
            name = "decoder." + name.replace("decoder_blocks.", "decoder_layers.")
        if ".attn.qkv." in name:
            for part, third in zip("qkv", tensor.chunk(3)):
                renamed[name.replace(".attn.qkv.", f".attention.{part}_proj.")] = third
        else:
            renamed[name] = tensor
    return renamed


def transformers_model(sizes: Sizes, normalized: bool) -> nn.Module:
    if sizes.image[0] != sizes.image[1]:
        raise ValueError("transformers' ViTMAE takes square pictures alone")
    return transformers.ViTMAEForPreTraining(
        transformers.ViTMAEConfig(
            image_size=sizes.image[0], patch_size=sizes.patch, num_channels=sizes.channels, hidden_size=sizes.width,
            num_hidden_layers=sizes.depth, num_attention_heads=sizes.heads, intermediate_size=sizes.hidden,
            decoder_hidden_size=sizes.decoder_width, decoder_num_hidden_layers=sizes.decoder_depth,
            decoder_num_attention_heads=sizes.decoder_heads, decoder_intermediate_size=sizes.decoder_hidden,
            mask_ratio=sizes.mask_ratio, norm_pix_loss=normalized, layer_norm_eps=sizes.epsilon,
        )
    )  # fmt: skip


def transformers_positions(sizes: Sizes) -> torch.Tensor:
    """transformers' table, float64. From its function: a model that is constructed without weights keeps zeros."""
    table = modeling_vit_mae.build_2d_sinusoidal_position_embedding(
        *sizes.grid, sizes.width, cls_token=True, dtype=torch.float64
    )
    row, column = table.chunk(2, dim=1)
    return torch.cat([column, row], dim=1)


def relative(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """The norm of the difference beside the norm of what was expected."""
    return float(((actual - expected).norm() / expected.norm().clamp_min(1e-30)).detach())


def compare_with_transformers(sizes: Sizes, normalized: bool, dtype: torch.dtype) -> dict[str, float]:
    """Differences from transformers' model on the same random weights, pixels and noise, relative to the norm."""
    torch.manual_seed(0)
    ours = MaskedAutoencoder(sizes)
    random_weights.fill(ours, seed=1)
    ours.pos_embed.data = sin_cos_table(sizes.grid, sizes.width).float()[None]
    ours.decoder_pos_embed.data = sin_cos_table(sizes.grid, sizes.decoder_width).float()[None]
    theirs = transformers_model(sizes, normalized)
    theirs.load_state_dict(to_transformers(ours.state_dict()), strict=True)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    pixels = torch.randn(2, sizes.channels, *sizes.image, dtype=dtype)
    noise = torch.rand(2, sizes.patch_count, dtype=dtype)
    output = ours(pixels, noise)
    loss = ours.loss(pixels, output, normalized)
    loss.backward()
    reference = theirs(pixels, noise=noise)
    reference.loss.backward()
    gradients = to_transformers({name: p.grad for name, p in ours.named_parameters() if p.grad is not None})
    expected = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    if gradients.keys() != expected.keys():
        raise SystemExit(f"gradients of {gradients.keys() ^ expected.keys()} on one side alone")
    # The gradient of the keys' bias is zero but for rounding: softmax does not see what all keys share.
    worst = max(relative(gradients[name], expected[name]) for name in expected if not name.endswith("k_proj.bias"))
    return {
        "positions": float((transformers_positions(sizes) - sin_cos_table(sizes.grid, sizes.width)).abs().max()),
        "mask": float((output["mask"] - reference.mask).abs().max() + (output["ids_restore"] - reference.ids_restore).abs().max()),
        "prediction": relative(output["prediction"], reference.logits),
        "loss": relative(loss, reference.loss),
        "worst gradient": worst,
    }  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    print("| image | patch | width | target | type | positions | mask | prediction | loss | worst gradient |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    sizes = [
        Sizes(),
        Sizes(image=(64, 64), patch=8, width=96, depth=4, heads=3, hidden=384, decoder_width=64, decoder_heads=4),
        Sizes(image=(224, 224), patch=16, width=192, depth=3, heads=3, hidden=768, decoder_width=128, decoder_heads=8),
    ]
    limits = {torch.float32: 1e-5, torch.float64: 1e-12}
    failed = False
    for one in sizes:
        for normalized in (True, False):
            for dtype, limit in limits.items():
                found = compare_with_transformers(one, normalized, dtype)
                failed |= any(value > limit for value in found.values())
                target = "normalised" if normalized else "pixels"
                kind = str(dtype).removeprefix("torch.")
                cells = " | ".join(f"{value:.1e}" for value in found.values())
                print(f"| {one.image[0]} | {one.patch} | {one.width} | {target} | {kind} | {cells} |")
    if failed:
        raise SystemExit("transformers disagrees")


if __name__ == "__main__":
    main()
