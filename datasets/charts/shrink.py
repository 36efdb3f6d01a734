#!/usr/bin/env python3
"""Shrinks a folder of figures for training: python shrink.py FIGURES OUTPUT [--longest-side 240] [--workers N].

Every picture becomes OUTPUT/<kind>/<name>.jpg, no side longer than that (Pillow's bicubic), as JPEG of quality 95 with
all of its colours. Pictures that OUTPUT has already are left alone.
"""

import argparse
import functools
from multiprocessing import Pool
from pathlib import Path

from PIL import Image


def shrink(figure: Path, output: Path, longest_side: int) -> None:
    target = output / figure.parent.name / f"{figure.stem}.jpg"
    if target.exists():
        return
    picture = Image.open(figure).convert("RGB")
    factor = longest_side / max(picture.size)
    if factor < 1:
        size = tuple(max(1, round(side * factor)) for side in picture.size)
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    unfinished = target.with_suffix(".part")
    picture.save(unfinished, format="JPEG", quality=95, subsampling=0)
    unfinished.rename(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--longest-side", type=int, default=240)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    figures = sorted(path for path in options.figures.glob("*/*") if path.suffix in (".png", ".jpg"))
    for kind in {figure.parent.name for figure in figures}:
        (options.output / kind).mkdir(parents=True, exist_ok=True)
    task = functools.partial(shrink, output=options.output, longest_side=options.longest_side)
    with Pool(options.workers) as pool:
        for _ in pool.imap_unordered(task, figures, chunksize=32):
            pass
    print(f"{len(figures)} figures")


if __name__ == "__main__":
    main()
