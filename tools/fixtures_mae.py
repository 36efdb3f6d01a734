"""Goldens of masked autoencoding in three sizes: mae, mae-oblong (one channel, no square), mae-deep (.safetensors)."""

import copy
from pathlib import Path

import torch

import random_weights
from fixture_file import Tensors, numbers, parameters_and_gradients, save
from reference_mae import MaskedAutoencoder, Sizes, parameter_groups, sin_cos_table
from verify_reference_mae import to_transformers, transformers_model

SIZES = Sizes(
    image=(16, 16), patch=4, width=16, depth=2, heads=2, hidden=40, decoder_width=8, decoder_depth=1,
    decoder_heads=2, decoder_hidden=24,
)  # fmt: skip
OBLONG = Sizes(
    image=(8, 20), patch=4, channels=1, width=8, depth=1, heads=2, hidden=12, decoder_width=12, decoder_depth=2,
    decoder_heads=3, decoder_hidden=10, mask_ratio=0.6, epsilon=1e-12,
)  # fmt: skip
DEEP = Sizes(
    image=(32, 32), patch=8, width=24, depth=3, heads=3, hidden=48, decoder_width=16, decoder_depth=2,
    decoder_heads=4, decoder_hidden=32,
)  # fmt: skip
STEPS = 10
RATE = 1e-3
BETAS = (0.9, 0.95)
DECAY = 0.05


def write(folder: Path) -> None:
    adamw = {"steps": STEPS, "lr": RATE, "beta1": BETAS[0], "beta2": BETAS[1], "adamw_epsilon": 1e-8, "weight_decay": DECAY}
    for name, sizes in (("mae", SIZES), ("mae-oblong", OBLONG), ("mae-deep", DEEP)):
        settings = {key: getattr(sizes, key) for key in sizes.__dataclass_fields__}
        save(folder / f"{name}.safetensors", golden(sizes), settings | adamw)


def golden(sizes: Sizes) -> Tensors:
    model = MaskedAutoencoder(sizes)
    random_weights.fill(model, seed=1)
    model.pos_embed.data = sin_cos_table(sizes.grid, sizes.width).float()[None]
    model.decoder_pos_embed.data = sin_cos_table(sizes.grid, sizes.decoder_width).float()[None]
    pixels = numbers((2, sizes.channels, *sizes.image), 2)
    noise = torch.rand((2, sizes.patch_count), generator=torch.Generator().manual_seed(3))
    output = copy.deepcopy(model).double()(pixels.double(), noise.double())
    tensors = {f"weights/{name}": parameter for name, parameter in model.named_parameters()}
    tensors |= {"pixels": pixels, "noise": noise} | output
    for normalized in (True, False):
        name = "normalized" if normalized else "pixels"
        exact = copy.deepcopy(model).double()
        tensors[f"{name}/loss"] = step(exact, pixels.double(), noise.double(), normalized)
        tensors |= parameters_and_gradients(exact, f"{name}/")[1]
        losses, weights = train(copy.deepcopy(model).double(), pixels.double(), noise.double(), normalized)
        tensors |= {f"{name}/after-{STEPS}/{key}": tensor for key, tensor in weights.items()}
        tensors[f"{name}/losses"] = losses
        if sizes.image[0] == sizes.image[1]:  # transformers takes no other
            report_float32(model, pixels, noise, normalized, weights)
    return tensors


def step(model: MaskedAutoencoder, pixels: torch.Tensor, noise: torch.Tensor, normalized: bool) -> torch.Tensor:
    loss = model.loss(pixels, model(pixels, noise), normalized)
    loss.backward()
    return loss.detach()


def train(model: MaskedAutoencoder, pixels: torch.Tensor, noise: torch.Tensor, normalized: bool):
    """The loss before each step, and the trained weights after the last."""
    optimizer = torch.optim.AdamW(parameter_groups(model, DECAY), lr=RATE, betas=BETAS, eps=1e-8)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.append(step(model, pixels, noise, normalized))
        optimizer.step()
    return torch.stack(losses), {key: p.detach() for key, p in model.named_parameters() if p.requires_grad}


def train_transformers(model: MaskedAutoencoder, pixels: torch.Tensor, noise: torch.Tensor, normalized: bool) -> Tensors:
    """The same steps by transformers' model in float32."""
    theirs = transformers_model(model.sizes, normalized)
    theirs.load_state_dict(to_transformers(model.state_dict()), strict=True)
    optimizer = torch.optim.AdamW(parameter_groups(theirs, DECAY), lr=RATE, betas=BETAS, eps=1e-8)
    for _ in range(STEPS):
        optimizer.zero_grad()
        theirs(pixels, noise=noise).loss.backward()
        optimizer.step()
    return {key: p.detach() for key, p in theirs.named_parameters() if p.requires_grad}


def report_float32(model: MaskedAutoencoder, pixels: torch.Tensor, noise: torch.Tensor, normalized: bool, weights: Tensors):
    """How far float32 itself ends from the goldens: what a test can ask for."""
    expected = to_transformers(weights)
    actual = train_transformers(model, pixels, noise, normalized)
    distances = {key: float((actual[key] - expected[key]).norm() / expected[key].norm()) for key in expected}
    for key, distance in sorted(distances.items(), key=lambda item: -item[1])[:6]:
        print(f"  transformers in float32 after {STEPS} steps, {key}: {distance:.1e} of the norm")
