#!/usr/bin/env python3
"""How often the nearest neighbour of a picture is of its class: with an encoder, with a random one, and with raw pixels.

    python tools/compare_retrieval.py --data DIR/CLASS/… --model M [--pool mean] [--count 5000] [--vit .build/release/vit]

Prints the share of nearest neighbours, and of the ten nearest, that lie in the same folder. The random encoder has the
configuration of the model, a directory that transformers reads, and fresh weights; other models are compared without one.
"""

import argparse
import csv
import random
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image

transformers.utils.logging.set_verbosity_error()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--data", type=Path, required=True, help="a folder of folders, one a class")
    parser.add_argument("--model", required=True)
    parser.add_argument("--pool", default="mean")
    parser.add_argument("--count", type=int, default=5000, help="how many pictures, chosen by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--arguments", default="", help="more arguments for vit embed, such as --arguments='--layer 6'")
    options = parser.parse_args()
    found = sorted(path for path in options.data.glob("*/*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    pictures = sorted(random.Random(options.seed).sample(found, min(options.count, len(found))))
    with tempfile.TemporaryDirectory(prefix="compare-retrieval-") as folder:
        folder = Path(folder)
        (folder / "list.txt").write_text("".join(f"{path}\n" for path in pictures))
        rows = {"the encoder": embed(options, options.model, folder, "model")}
        if (Path(options.model) / "config.json").is_file():
            rows["a random encoder"] = embed(options, fresh(Path(options.model), folder / "fresh"), folder, "random")
        rows["raw pixels"] = pixels(pictures, folder)
        print(f"{len(pictures)} pictures, {len({path.parent for path in pictures})} classes")
        print("| vectors | nearest of the same class | ten nearest |")
        print("|---|---|---|")
        for name, index in rows.items():
            first, ten = agreement(options.vit, index, pictures)
            print(f"| {name} | {first:.1%} | {ten:.1%} |", flush=True)


def embed(options, model, folder: Path, name: str) -> Path:
    command = [options.vit, "embed", f"@{folder / 'list.txt'}", "--model", model, "--output", folder / f"{name}.npy"]
    command += ["--pool", options.pool, "--quiet", *options.arguments.split()]
    subprocess.run([str(part) for part in command], check=True)
    return folder / f"{name}.npy"


def fresh(model: Path, folder: Path) -> Path:
    """A checkpoint like `model` with the weights that transformers gives a new one."""
    torch.manual_seed(0)
    config = transformers.AutoConfig.from_pretrained(model)
    kind = getattr(transformers, (config.architectures or ["ViTModel"])[0])
    kind(config).save_pretrained(folder)
    settings = model / "preprocessor_config.json"
    if settings.is_file():
        (folder / settings.name).write_bytes(settings.read_bytes())
    return folder


def pixels(pictures: list[Path], folder: Path) -> Path:
    """Pictures of 32 x 32 as they are, less the mean picture."""
    rows = np.stack([np.asarray(Image.open(path).convert("RGB").resize((32, 32)), np.float32).ravel() for path in pictures])
    np.save(folder / "pixels.npy", rows - rows.mean(axis=0))
    return folder / "pixels.npy"


def agreement(vit: Path, index: Path, pictures: list[Path]) -> tuple[float, float]:
    command = [vit, "search", index, index, "--top-k", 11, "--format", "csv", "--quiet"]
    run = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    neighbors = defaultdict(list)
    for line in csv.DictReader(run.stdout.splitlines()):
        query, row = int(line["query"].rsplit(":", 1)[1]), int(line["row"])
        if row != query:
            neighbors[query].append(pictures[row].parent == pictures[query].parent)
    return np.mean([same[0] for same in neighbors.values()]), np.mean([np.mean(same[:10]) for same in neighbors.values()])


if __name__ == "__main__":
    main()
