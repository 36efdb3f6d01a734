"""Goldens of single operations and layers: operations.safetensors, losses.safetensors, optimizer.safetensors."""

from pathlib import Path

import torch
from torch.nn import functional as F

from fixture_file import Tensors, forward_and_backward, named, numbers, save


def write(folder: Path) -> None:
    save(folder / "operations.safetensors", operations())
    save(folder / "losses.safetensors", losses())
    save(folder / "optimizer.safetensors", *adamw())


def operations() -> Tensors:
    """Each under OPERATION/…; heads, patch sizes and epsilons are those of the keys' names or of the functions here."""
    result = {}
    result |= named("linear", forward_and_backward(F.linear, {
        "input": numbers((5, 12), 1), "weight": numbers((7, 12), 2, 0.3), "bias": numbers((7,), 3),
    }, seed=4))  # fmt: skip
    wide = torch.linspace(-9, 9, 61).reshape(1, 61)
    result |= named("gelu", forward_and_backward(F.gelu, {"input": wide}, seed=5))
    result |= named("gelu-tanh", forward_and_backward(lambda input: F.gelu(input, approximate="tanh"), {"input": wide}, 6))
    result |= named("softmax", forward_and_backward(lambda input: input.softmax(-1), {"input": rows_for_softmax()}, 7))
    for epsilon in ("1e-6", "1e-12"):
        result |= named(f"layer-norm-{epsilon}", forward_and_backward(
            lambda input, weight, bias: F.layer_norm(input, (24,), weight, bias, eps=float(epsilon)),
            {"input": rows_for_norm(), "weight": 1 + numbers((24,), 8, 0.2), "bias": numbers((24,), 9, 0.2)},
            seed=10,
        ))  # fmt: skip
    result |= named("attention-3-heads", forward_and_backward(
        lambda qkv: attention(qkv, heads=3), {"qkv": numbers((2, 5, 36), 11)}, seed=12,
    ))  # fmt: skip
    result |= named("patch-embedding", forward_and_backward(
        lambda pixels, weight, bias: F.conv2d(pixels, weight, bias, stride=(4, 4)).flatten(2).mT,
        {"pixels": numbers((2, 3, 8, 12), 13), "weight": numbers((10, 3, 4, 4), 14, 0.15), "bias": numbers((10,), 15)},
        seed=16,
    ))  # fmt: skip
    result |= named("block-3-heads", forward_and_backward(block, block_inputs(), seed=17))
    scales = {"scale1": 0.3 + numbers((12,), 18, 0.1), "scale2": 0.3 + numbers((12,), 19, 0.1)}
    result |= named("block-3-heads-layer-scale", forward_and_backward(block, block_inputs() | scales, seed=20))
    return result


def rows_for_softmax() -> torch.Tensor:
    """Ordinary logits, large ones, nearly equal ones, and one that outweighs all."""
    rows = numbers((4, 9), 21)
    rows[1] *= 40
    rows[2] = 80 + 0.01 * rows[2]
    rows[3, 4] = 200
    return rows


def rows_for_norm() -> torch.Tensor:
    """Ordinary rows, one so small that epsilon counts, and one far from zero."""
    rows = numbers((5, 24), 22)
    rows[1] *= 1e-3
    rows[2] = 50 + rows[2]
    rows[3] *= 100
    return rows


def attention(qkv: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, N, 3D), a row being all queries, all keys, all values, each head by head, to (B, N, D)."""
    batch, tokens, width = qkv.shape
    query, key, value = qkv.view(batch, tokens, 3, heads, width // (3 * heads)).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(query, key, value)
    return mixed.transpose(1, 2).reshape(batch, tokens, width // 3)


def block(input: torch.Tensor, scale1: torch.Tensor | None = None, scale2: torch.Tensor | None = None, **weights):
    """A pre-norm block of width 12, three heads and a hidden layer of 30; epsilon 1e-6, exact GELU."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights[f"{name}_weight"], weights[f"{name}_bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, (12,), weights[f"{name}_weight"], weights[f"{name}_bias"], eps=1e-6)

    branch = linear("proj", attention(linear("qkv", norm("norm1", input)), heads=3))
    x = input + (branch if scale1 is None else scale1 * branch)
    branch = linear("fc2", F.gelu(linear("fc1", norm("norm2", x))))
    return x + (branch if scale2 is None else scale2 * branch)


def block_inputs() -> Tensors:
    shapes = {"qkv": (36, 12), "proj": (12, 12), "fc1": (30, 12), "fc2": (12, 30)}
    inputs = {"input": numbers((2, 5, 12), 23)}
    for seed, (name, shape) in enumerate(shapes.items(), start=24):
        inputs[f"{name}_weight"] = numbers(shape, seed, 0.35)
        inputs[f"{name}_bias"] = numbers(shape[:1], seed + 10, 0.1)
    for seed, name in enumerate(("norm1", "norm2"), start=50):
        inputs[f"{name}_weight"] = 1 + numbers((12,), seed, 0.2)
        inputs[f"{name}_bias"] = numbers((12,), seed + 10, 0.2)
    return inputs


def losses() -> Tensors:
    """Cross-entropy, the mean over six pictures of five classes: plain, smoothed, and against mixed targets."""
    logits = numbers((6, 5), 70, 2)
    labels = torch.tensor([0, 4, 2, 2, 1, 3])
    mixed = numbers((6, 5), 71).softmax(dim=1)
    result = {"cross-entropy/logits": logits, "cross-entropy/labels": labels, "cross-entropy/mixed-targets": mixed}
    variants = {
        "plain": lambda x: F.cross_entropy(x, labels),
        "smoothed-0.1": lambda x: F.cross_entropy(x, labels, label_smoothing=0.1),
        "mixed": lambda x: F.cross_entropy(x, mixed.double()),
    }
    for name, loss in variants.items():
        exact = logits.double().requires_grad_()
        value = loss(exact)
        value.backward()
        result |= {f"cross-entropy/{name}/loss": value, f"cross-entropy/{name}/dlogits": exact.grad}
    return result


def adamw() -> tuple[Tensors, dict[str, object]]:
    """Three steps of AdamW on given gradients, one tensor that decays and one that does not."""
    settings = {"lr": [1e-3, 2e-3, 5e-4], "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.05}
    weights = {"decayed": numbers((3, 7), 80), "plain": numbers((5,), 81)}
    exact = {name: torch.nn.Parameter(tensor.double()) for name, tensor in weights.items()}
    optimizer = torch.optim.AdamW(
        [{"params": [exact["decayed"]]}, {"params": [exact["plain"]], "weight_decay": 0.0}],
        betas=(0.9, 0.95), eps=1e-8, weight_decay=0.05,
    )  # fmt: skip
    result = {f"adamw/{name}/weights": tensor for name, tensor in weights.items()}
    for step, rate in enumerate(settings["lr"], start=1):
        for offset, (name, parameter) in enumerate(exact.items()):
            gradient = numbers(tuple(parameter.shape), 90 + 10 * step + offset, 10.0 ** (-step))
            parameter.grad = gradient.double()
            result[f"adamw/{name}/gradient-{step}"] = gradient
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        result |= {f"adamw/{name}/after-{step}": parameter.detach().clone() for name, parameter in exact.items()}
    return result, settings
