"""Random weights that make a Vision Transformer answer: logits far apart, and different for every picture.

A freshly initialised model is no test of anything: its blocks hardly change the tokens, its attention is uniform, and its
logits are nearly zero. Here every part of every block matters, activations stay of the order of one, and attention is
picky without being so sharp that float32 itself becomes the limit.
"""

import math

import torch

QUERY_KEY_GAIN = 1.5
HEAD_GAIN = 2.5


def fill(model: torch.nn.Module, seed: int) -> None:
    """Overwrites every parameter of a model of timm or transformers; the same seed gives the same weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(_scaled(name, noise))


def _scaled(name: str, noise: torch.Tensor) -> torch.Tensor:
    if name.endswith(".bias"):
        return 0.1 * noise
    if "norm" in name:
        return 1 + 0.2 * noise
    if "gamma" in name:  # layer scale
        return 0.3 + 0.1 * noise
    if "token" in name or "pos" in name or "latent" in name:
        return 0.3 * noise
    weight = noise / math.sqrt(noise[0].numel())
    if "qkv" in name:
        weight[: 2 * noise.shape[1]] *= QUERY_KEY_GAIN
    elif any(part in name for part in ("query", "key", "q_proj", "k_proj")):
        weight *= QUERY_KEY_GAIN
    elif name.startswith(("head", "classifier")):
        weight *= HEAD_GAIN
    return weight
