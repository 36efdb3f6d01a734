#!/usr/bin/env python3
"""Accuracy of a Hugging Face image classifier on DIR/CLASS/ through transformers, with a confusion matrix in Markdown."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification


def confusion(model, processor, folder: Path, names: list[str], batch: int = 32) -> np.ndarray:
    """Counts (classes, classes): a row the truth, a column the answer."""
    table = np.zeros((len(names), len(names)), int)
    for row, name in enumerate(names):
        paths = sorted(path for path in (folder / name).iterdir() if path.is_file())
        for start in range(0, len(paths), batch):
            images = [Image.open(path).convert("RGB") for path in paths[start : start + batch]]
            with torch.inference_mode():
                logits = model(**processor(images, return_tensors="pt")).logits
            np.add.at(table[row], logits.argmax(1).numpy(), 1)
    return table


def markdown(table: np.ndarray, names: list[str]) -> str:
    """The table with the recall of each class; zeros left out."""
    lines = ["| truth \\ answer | " + " | ".join(names) + " | right |", "|---" * (len(names) + 2) + "|"]
    for row, name in enumerate(names):
        cells = [str(count) if count else "" for count in table[row]]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {table[row, row] / max(1, table[row].sum()):.0%} |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    processor = AutoImageProcessor.from_pretrained(arguments.model)
    model = AutoModelForImageClassification.from_pretrained(arguments.model, dtype=torch.float32).eval()
    names = [model.config.id2label[i] for i in range(model.config.num_labels)]
    for folder in arguments.data:
        table = confusion(model, processor, folder, names)
        print(f"{folder}: {np.trace(table)} of {table.sum()} right, {np.trace(table) / table.sum():.2%}\n\n{markdown(table, names)}\n")


if __name__ == "__main__":
    main()
