#!/usr/bin/env python3
"""Train timm's vit_tiny_patch16_224 from scratch on the figures that datasets/charts/generate.py draws.

Sized for one core of a machine without accelerator, so nearly all of the run sees a part of each image's patches only: first a
quarter, then half, at the end all of them. The patches that show something are the likeliest to be kept: a figure is mostly paper.
An interrupted run goes on from RUN/last.pt; RUN/best.pt (the moving average of the weights) is what export_charts.py turns into a
Hugging Face directory.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

SIZE, GRID = 224, 14


class Figures:
    """The images below DIR/KIND/, squashed to 224 px and kept as bytes once they were read. New files are found as they appear."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.kinds = sorted(path.name for path in folder.iterdir() if path.is_dir())
        self.paths: list[tuple[Path, int]] = []
        self.pixels: dict[Path, np.ndarray] = {}
        self.queue: list[tuple[Path, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """List the files anew, the youngest few seconds left out, for they may be half written."""
        now = time.time()
        self.paths = [
            (path, label)
            for label, kind in enumerate(self.kinds)
            for path in sorted((self.folder / kind).iterdir())
            if now - path.stat().st_mtime > 5
        ]

    def read(self, path: Path) -> np.ndarray:
        """The squashed image (224, 224, 3)."""
        if path not in self.pixels:
            with Image.open(path) as image:
                self.pixels[path] = np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        return self.pixels[path]

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """Augmented images (B, 3, 224, 224) in [-1, 1] and labels (B,); every image once before one comes again."""
        images, labels = [], []
        for _ in range(count):
            if not self.queue:
                self.refresh()
                self.queue = random.sample(self.paths, len(self.paths))
            path, label = self.queue.pop()
            images.append(zoom(self.read(path)))
            labels.append(label)
        return recolour(to_float(images)), torch.tensor(labels)


def to_float(images: list[np.ndarray]) -> Tensor:
    """Bytes (224, 224, 3) as one batch (B, 3, 224, 224) in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def zoom(pixels: np.ndarray) -> np.ndarray:
    """A window of 86 to 100 % of each side, enlarged again; two images in five stay as they are."""
    if random.random() < 0.4:
        return pixels
    width, height = (SIZE * random.uniform(0.86, 1) for _ in range(2))
    left, top = random.uniform(0, SIZE - width), random.uniform(0, SIZE - height)
    image = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
    return np.asarray(image)


def recolour(x: Tensor) -> Tensor:
    """Grey, inverted, permuted and washed-out variants; none of them changes the kind of a figure."""
    count = len(x)
    grey = torch.rand(count) < 0.12
    x[grey] = x[grey].mean(1, keepdim=True)
    swapped = torch.rand(count) < 0.2
    x[swapped] = x[swapped][:, torch.randperm(3)]
    inverted = torch.rand(count) < 0.05
    x[inverted] *= -1
    contrast = 1 - 0.4 * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.4)
    shift = (torch.rand(count, 3, 1, 1) - 0.5) * 0.3 * (torch.rand(count, 1, 1, 1) < 0.4)
    return (x * contrast + shift).clamp_(-1, 1)


def informative(x: Tensor, keep: int) -> Tensor:
    """Indices (B, keep) of patches, drawn without replacement, likelier the more a patch differs from paper."""
    patches = functional.unfold(x.mean(1, keepdim=True), 16, stride=16)  # (B, 256, 196)
    mean = patches.mean(1)
    paper = mean.median(1, keepdim=True).values
    weight = patches.std(1) + 0.4 * (mean - paper).abs() + 0.03
    gumbel = -torch.log(-torch.log(torch.rand_like(weight).clamp_(1e-9, 1 - 1e-7)))
    return (weight.log() + gumbel).topk(keep, dim=1).indices


def features(model: nn.Module, x: Tensor, keep: int | None) -> Tensor:
    """Logits (B, kinds) from all patches, or from `keep` of them; positions are added before patches are dropped."""
    if keep is None:
        return model(x)
    tokens = model.patch_embed(x) + model.pos_embed[:, 1:]
    chosen = informative(x, keep)
    tokens = tokens.gather(1, chosen.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))
    first = (model.cls_token + model.pos_embed[:, :1]).expand(len(x), -1, -1)
    return model.forward_head(model.norm(model.blocks(torch.cat([first.to(tokens.dtype), tokens], 1))))


def sine_positions(width: int) -> Tensor:
    """Sine and cosine of row and column (1, 1 + 196, width), zeros for the class token."""
    frequencies = 1 / 10000 ** (torch.arange(width // 4) / (width / 4))
    angles = torch.arange(GRID).unsqueeze(1) * frequencies
    axis = torch.cat([angles.sin(), angles.cos()], 1)
    rows, columns = axis.repeat_interleave(GRID, 0), axis.repeat(GRID, 1)
    return torch.cat([torch.zeros(1, width), torch.cat([columns, rows], 1)]).unsqueeze(0)


@torch.no_grad()
def embed_principal_components(projection: nn.Conv2d, x: Tensor) -> None:
    """Start the patch embedding from the principal components of patches of the images x, partly whitened and turned at random.

    White paper becomes the zero token: most of a figure is paper, and as a constant it would drown what is drawn on it.
    """
    patches = (functional.unfold(x, 16, stride=16) - 1).transpose(1, 2).flatten(0, 1)  # (B·196, 768)
    patches = patches[patches.std(1) > 0.02]
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    width = projection.out_channels
    variances, directions = variances.flip(0)[:width], directions.flip(1)[:, :width]
    weight = directions.T / (variances + variances[width // 6]).sqrt().unsqueeze(1)
    weight = torch.linalg.qr(torch.randn(width, width)).Q @ weight
    weight = weight / (patches @ weight.T).square().mean().sqrt()
    projection.weight.copy_(weight.view_as(projection.weight))
    projection.bias.copy_(-weight.sum(1))


@torch.no_grad()
def initialise(model: nn.Module, x: Tensor) -> None:
    """Principal components of the images x (B, 3, 224, 224) as patch embedding, faint sine positions; the rest as timm has it."""
    model.pos_embed.copy_(0.2 * sine_positions(model.embed_dim))
    embed_principal_components(model.patch_embed.proj, x)


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Learning rate: a linear start, then half a cosine down to a hundredth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))))


@torch.no_grad()
def accuracy(model: nn.Module, figures: Figures, limit: int) -> float:
    """Share of the first images a kind that are told right."""
    chosen = [item for label in range(len(figures.kinds)) for item in [p for p in figures.paths if p[1] == label][:limit]]
    right = 0
    model.eval()
    for start in range(0, len(chosen), 50):
        part = chosen[start : start + 50]
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(to_float([figures.read(path) for path, _ in part]))
        right += (logits.argmax(1) == torch.tensor([label for _, label in part])).sum().item()
    return right / max(1, len(chosen))


def save(state: dict, path: Path) -> None:
    """Write beside the place and rename, so that an interruption leaves the old file."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def train(arguments: argparse.Namespace) -> None:
    """The whole run."""
    run: Path = arguments.run
    run.mkdir(parents=True, exist_ok=True)
    random.seed(arguments.seed)
    torch.manual_seed(arguments.seed)
    figures, held_out = Figures(arguments.data), Figures(arguments.validation)
    model = timm.create_model("vit_tiny_patch16_224", num_classes=len(figures.kinds))
    initialise(model, figures.batch(256)[0])
    decayed = [p for p in model.parameters() if p.ndim > 1 and p.shape[0] > 1]
    plain = [p for p in model.parameters() if not (p.ndim > 1 and p.shape[0] > 1)]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0}], betas=(0.9, 0.98), fused=True)
    average, start, spent = deepcopy(model), 0, 0.0
    if arguments.init:
        state = torch.load(arguments.init, weights_only=True)["model"]
        model.load_state_dict(state)
        average.load_state_dict(state)
    last = run / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start, spent = state["step"], state["seconds"]
        random.seed(arguments.seed + start)
    phases = [(49, arguments.samples[0]), (98, arguments.samples[1]), (None, arguments.samples[2])]
    plan = [keep for keep, samples in phases for _ in range(samples // arguments.batch_size)]
    began, shown, log = time.time(), time.time(), 0.0
    for step in range(start, len(plan)):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, len(plan), arguments.lr, arguments.warmup)
        x, y = figures.batch(arguments.batch_size)
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = features(model, x, plan[step])
        loss = functional.cross_entropy(logits.float(), y, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        decay = min(0.995, (step + 1) / (step + 20))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), model.parameters()):
                mean.lerp_(value, 1 - decay)
        log += loss.item()
        if (step + 1) % 50 == 0 or step + 1 == len(plan):
            seconds = spent + time.time() - began
            line = {"step": step + 1, "of": len(plan), "keep": plan[step], "loss": round(log / 50, 4), "figures": len(figures.paths),
                    "images_per_second": round(50 * arguments.batch_size / (time.time() - shown), 1), "seconds": round(seconds)}  # fmt: skip
            log = 0.0
            if (step + 1) % 200 == 0 or step + 1 == len(plan):
                line["accuracy"] = round(accuracy(average, held_out, 50 if step + 1 == len(plan) else 15), 4)
                save({"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1,
                      "seconds": seconds}, last)  # fmt: skip
                save({"model": average.state_dict(), "kinds": figures.kinds}, run / "best.pt")
            print(json.dumps(line), flush=True)
            with (run / "metrics.jsonl").open("a") as stream:
                stream.write(json.dumps(line) + "\n")
            shown = time.time()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="DIR/KIND/ of training figures; it may still be growing")
    parser.add_argument("--validation", type=Path, required=True, help="DIR/KIND/ of figures of another seed")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; an interrupted one goes on")
    parser.add_argument("--init", type=Path, help="best.pt of an earlier run to start from")
    parser.add_argument("--samples", type=int, nargs=3, default=[60_000, 14_000, 4_000], help="images seen with 49, 98 and all patches")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=7e-4)
    parser.add_argument("--warmup", type=int, default=60, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments)


if __name__ == "__main__":
    main()
