"""Masked autoencoding in PyTorch, written from the paper: He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners".

An oracle for tests, made for reading: square or oblong pictures, any patch and width, float32 or float64. Parameters
carry the names of the published checkpoints. `verify_reference_mae.py` holds it to transformers.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Sizes:
    """What a masked autoencoder is made of; lengths in pixels or in numbers a token."""

    image: tuple[int, int] = (32, 32)
    patch: int = 8
    channels: int = 3
    width: int = 32
    depth: int = 2
    heads: int = 2
    hidden: int = 128
    decoder_width: int = 16
    decoder_depth: int = 1
    decoder_heads: int = 2
    decoder_hidden: int = 64
    mask_ratio: float = 0.75
    epsilon: float = 1e-6

    @property
    def grid(self) -> tuple[int, int]:
        return self.image[0] // self.patch, self.image[1] // self.patch

    @property
    def patch_count(self) -> int:
        return self.grid[0] * self.grid[1]

    @property
    def patch_length(self) -> int:
        return self.patch * self.patch * self.channels

    @property
    def kept(self) -> int:
        return int(self.patch_count * (1 - self.mask_ratio))


def sin_cos_table(grid: tuple[int, int], width: int) -> torch.Tensor:
    """(1 + rows · columns, width), float64: a row of zeros for the class token, then the patches row by row.

    The first half of a row encodes the patch's column, the second half its row; each half is sines, then cosines.
    """
    quarter = width // 4
    frequencies = 10000.0 ** (-torch.arange(quarter, dtype=torch.float64) / quarter)

    def encode(length: int) -> torch.Tensor:
        angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    rows, columns = grid
    by_column = encode(columns)[None, :, :].expand(rows, columns, width // 2)
    by_row = encode(rows)[:, None, :].expand(rows, columns, width // 2)
    table = torch.cat([by_column, by_row], dim=2).reshape(rows * columns, width)
    return torch.cat([torch.zeros(1, width, dtype=torch.float64), table])


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        parts = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = query @ key.mT / math.sqrt(width // self.heads)
        mixed = scores.softmax(dim=-1) @ value
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class MLP(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, epsilon: float):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = MLP(width, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchProjection(nn.Module):
    def __init__(self, sizes: Sizes):
        super().__init__()
        self.proj = nn.Conv2d(sizes.channels, sizes.width, kernel_size=sizes.patch, stride=sizes.patch)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.proj(pixels).flatten(2).mT


class MaskedAutoencoder(nn.Module):
    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.patch_embed = PatchProjection(sizes)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = self._fixed_positions(sizes.width)
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, sizes.hidden, sizes.epsilon) for _ in range(sizes.depth)
        )
        self.norm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)
        self.decoder_embed = nn.Linear(sizes.width, sizes.decoder_width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, sizes.decoder_width))
        self.decoder_pos_embed = self._fixed_positions(sizes.decoder_width)
        self.decoder_blocks = nn.ModuleList(
            Block(sizes.decoder_width, sizes.decoder_heads, sizes.decoder_hidden, sizes.epsilon)
            for _ in range(sizes.decoder_depth)
        )
        self.decoder_norm = nn.LayerNorm(sizes.decoder_width, eps=sizes.epsilon)
        self.decoder_pred = nn.Linear(sizes.decoder_width, sizes.patch_length)

    def _fixed_positions(self, width: int) -> nn.Parameter:
        return nn.Parameter(sin_cos_table(self.sizes.grid, width).float()[None], requires_grad=False)

    def forward(self, pixels: torch.Tensor, noise: torch.Tensor) -> dict[str, torch.Tensor]:
        """pixels (B, C, H, W) and noise (B, patches) to the prediction (B, patches, patch²·C) and the mask it is for."""
        order = noise.argsort(dim=1, stable=True)
        visible = order[:, : self.sizes.kept]
        restore = order.argsort(dim=1)
        mask = torch.ones_like(noise).scatter(1, visible, 0)
        latent = self.encode(pixels, visible)
        return {"prediction": self.decode(latent, visible), "mask": mask, "ids_restore": restore, "latent": latent}

    def encode(self, pixels: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """The tokens of the visible patches, in the order of `visible`, after a class token: (B, 1 + kept, D)."""
        tokens = self.patch_embed(pixels) + self.pos_embed[:, 1:]
        tokens = tokens.take_along_dim(visible[:, :, None], dim=1)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(tokens), -1, -1)
        tokens = torch.cat([first, tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def decode(self, latent: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """The visible tokens back at their places, mask tokens at all others; then pixels of every patch."""
        tokens = self.decoder_embed(latent)
        batch, _, width = tokens.shape
        canvas = self.mask_token.expand(batch, self.sizes.patch_count, width)
        canvas = canvas.scatter(1, visible[:, :, None].expand(-1, -1, width), tokens[:, 1:])
        tokens = torch.cat([tokens[:, :1], canvas], dim=1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            tokens = block(tokens)
        return self.decoder_pred(self.decoder_norm(tokens))[:, 1:]

    def target(self, pixels: torch.Tensor, normalized: bool) -> torch.Tensor:
        """(B, patches, patch²·C): row in the patch, column in the patch, channel; each patch normalised or not."""
        patch, channels = self.sizes.patch, self.sizes.channels
        vectors = F.unfold(pixels, kernel_size=patch, stride=patch).mT  # channel, row, column
        vectors = vectors.unflatten(2, (channels, patch * patch)).mT.flatten(2)
        if not normalized:
            return vectors
        variance, mean = torch.var_mean(vectors, dim=2, keepdim=True, correction=1)
        return (vectors - mean) / (variance + 1e-6).sqrt()

    def loss(self, pixels: torch.Tensor, output: dict[str, torch.Tensor], normalized: bool) -> torch.Tensor:
        """The squared error, averaged over the patches that were not seen."""
        error = (output["prediction"] - self.target(pixels, normalized)).square().mean(dim=2)
        return error[output["mask"] == 1].mean()


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """For AdamW: no decay on biases and other one-dimensional parameters; class and mask token do decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
