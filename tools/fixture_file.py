"""How goldens are computed and stored: in float64 from float32 inputs, rounded once, in safetensors."""

import json
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch

Tensors = dict[str, torch.Tensor]


def numbers(shape: tuple[int, ...], seed: int, scale: float = 1) -> torch.Tensor:
    """Normally distributed float32 numbers."""
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def forward_and_backward(function: Callable[..., torch.Tensor], inputs: Tensors, seed: int) -> Tensors:
    """The inputs, `y`, a random `dy`, and for every input of floats its gradient under the name with a `d` before it.

    Computed in float64 from the float32 inputs: the truth to half a unit in the last place, not one library's rounding.
    """
    exact = {name: tensor.double().requires_grad_() for name, tensor in inputs.items()}
    y = function(**exact)
    dy = numbers(tuple(y.shape), seed)
    y.backward(dy.double())
    gradients = {f"d{name}": tensor.grad for name, tensor in exact.items()}
    return inputs | {"y": y.detach(), "dy": dy} | gradients


def parameters_and_gradients(module: torch.nn.Module, prefix: str = "") -> tuple[Tensors, Tensors]:
    """Weights under `weights/NAME` and their gradients under `gradients/NAME`; those that are not trained have none."""
    weights = {f"{prefix}weights/{name}": parameter.detach() for name, parameter in module.named_parameters()}
    gradients = {
        f"{prefix}gradients/{name}": parameter.grad
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }
    return weights, gradients


def named(prefix: str, tensors: Tensors) -> Tensors:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def save(path: Path, tensors: Tensors, settings: dict[str, object] | None = None) -> None:
    """Everything as float32, integers too; settings as JSON in the header's metadata.

    In one entry, since safetensors writes several in any order and the files are to come out the same each time.
    """
    stored = {name: tensor.detach().float().contiguous().clone() for name, tensor in tensors.items()}
    metadata = {"settings": json.dumps(settings)} if settings else None
    safetensors.torch.save_file(stored, path, metadata=metadata)
    print(f"{path.name}: {len(stored)} tensors, {path.stat().st_size / 1000:.1f} kB")
