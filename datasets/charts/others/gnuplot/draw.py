#!/usr/bin/env python3
"""Draw charts with gnuplot: OUT/KIND/gnuplot-000.png and so on, the same for the same seed and versions.

python draw.py OUT COUNT SEED [--scripts]
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
from pathlib import Path

import along_axes
import other_kinds
from data import Words

KINDS = {
    "area": along_axes.area,
    "bar": along_axes.bar,
    "box": other_kinds.box,
    "contour": other_kinds.contour,
    "grouped_bar": along_axes.grouped_bar,
    "heatmap": other_kinds.heatmap,
    "histogram": along_axes.histogram,
    "horizontal_bar": along_axes.horizontal_bar,
    "line": along_axes.line,
    "pie": other_kinds.pie,
    "polar": other_kinds.polar,
    "scatter": along_axes.scatter,
    "stacked_bar": along_axes.stacked_bar,
    "violin": other_kinds.violin,
}

SIZES = ((640, 480), (640, 480), (800, 600), (480, 480), (600, 400), (1000, 600), (960, 720))


def script(kind: str, path: Path, rng: random.Random, words: Words) -> str:
    """The commands that draw one chart into `path`."""
    width, height = rng.choice(SIZES)
    font = rng.choice(("", "", 'font "Liberation Sans,12"', 'font "Liberation Serif,13"', 'font ",10"'))
    lines = [f"set terminal pngcairo size {width},{height} {font}", f'set output "{path}"', "set encoding utf8"]
    return "\n".join(lines + KINDS[kind](rng, words)) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int, help="charts of each kind")
    parser.add_argument("seed", type=int)
    parser.add_argument("--scripts", action="store_true", help="keep the commands beside each chart, as .gp")
    arguments = parser.parse_args()
    if shutil.which("gnuplot") is None:
        parser.error("gnuplot is not installed: apt-get install gnuplot-nox")
    words = Words(Path(__file__).parent.parent / "words.txt")
    for kind in KINDS:
        folder = arguments.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(arguments.count):
            path = folder / f"gnuplot-{index:03d}.png"
            commands = script(kind, path, random.Random(f"{arguments.seed} {kind} {index}"), words)
            if arguments.scripts:
                path.with_suffix(".gp").write_text(commands)
            subprocess.run(["gnuplot"], input=commands, text=True, check=True)


if __name__ == "__main__":
    main()
