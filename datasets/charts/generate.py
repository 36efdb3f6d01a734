#!/usr/bin/env python3
"""Draw labelled figures of papers and reports: DIR/KIND/NNNNN.png or .jpg.

An image depends on the seed, its kind and its number alone, so that a run can be split, repeated or extended; and on the fonts
found: those that come with matplotlib, plus those under --fonts.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import warnings
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib import font_manager, rc_context  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

import kinds_bars  # noqa: E402
import kinds_lines  # noqa: E402
import kinds_planes  # noqa: E402
import kinds_round  # noqa: E402
import kinds_spread  # noqa: E402
from capture import capture  # noqa: E402
from looks import random_look  # noqa: E402
from scene import Scene  # noqa: E402

KINDS = {
    "area": kinds_lines.area,
    "bar": kinds_bars.bar,
    "box": kinds_spread.box,
    "contour": kinds_planes.contour,
    "grouped_bar": kinds_bars.grouped_bar,
    "heatmap": kinds_planes.heatmap,
    "histogram": kinds_bars.histogram,
    "horizontal_bar": kinds_bars.horizontal_bar,
    "line": kinds_lines.line,
    "pie": kinds_round.pie,
    "polar": kinds_round.polar,
    "scatter": kinds_lines.scatter,
    "stacked_bar": kinds_bars.stacked_bar,
    "violin": kinds_spread.violin,
}
DRAWN_BARE = ("pie", "polar")  # without the two straight axes that a look dresses
LATEST_STYLE = {"axes.unicode_minus": False, "mathtext.default": "regular", "figure.max_open_warning": 0}


def draw(kind: str, seed: int, index: int, longest: int | None = None) -> tuple[bytes, str]:
    """The figure number `index` of a kind: the bytes of its file and the extension."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), index])
    look = random_look(rng)
    width = rng.uniform(3.2, 7.5)
    height = float(np.clip(width / np.exp(rng.normal(0.25, 0.28)), 2.4, 7.0))
    rc = LATEST_STYLE | look.rc
    if look.fonts:
        rc["font.family"] = [name for name in look.fonts if name in INSTALLED] or ["DejaVu Sans"]
    if rng.random() < 0.07:
        rc |= {"text.antialiased": False, "lines.antialiased": False, "patch.antialiased": False}
    with rc_context(rc), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(width, height), dpi=float(np.clip(rng.uniform(190, 560) / max(width, height), 45, 130)))
        figure.subplots_adjust(left=rng.uniform(0.1, 0.17), right=rng.uniform(0.88, 0.97), bottom=rng.uniform(0.1, 0.17), top=rng.uniform(0.85, 0.96))
        scene = Scene(rng, look, figure, figure.add_subplot(projection="polar" if kind == "polar" else None))
        KINDS[kind](scene)
        if kind not in DRAWN_BARE:
            scene.dress()
        scene.surround()
        if rng.random() < 0.25:
            figure.tight_layout()
        return capture(figure, rng, longest)


def _write(task: tuple[str, int, int, Path, int | None]) -> None:
    """Draw one figure into its file."""
    kind, seed, index, folder, longest = task
    data, extension = draw(kind, seed, index, longest)
    (folder / kind / f"{index:05d}.{extension}").write_bytes(data)


def load_fonts(folder: Path | None) -> set[str]:
    """Names of the font families that looks may use: matplotlib's own and those under the folder."""
    bundled = Path(matplotlib.get_data_path())
    if folder:
        for path in sorted(folder.rglob("*.ttf")):
            font_manager.fontManager.addfont(path)
    roots = (str(bundled), str(folder) if folder else str(bundled))
    font_manager.fontManager.ttflist = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(roots)]
    return {font.name for font in font_manager.fontManager.ttflist}


INSTALLED: set[str] = set()


def _start(fonts: Path | None) -> None:
    """What each worker needs once."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a missing bold face is no loss
    INSTALLED.update(load_fonts(fonts))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder to write KIND/NNNNN.png and .jpg into")
    parser.add_argument("--count", type=int, required=True, help="figures a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first figure (default 0)")
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=sorted(KINDS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--longest", type=int, help="cap of the longer side in pixels")
    parser.add_argument("--fonts", type=Path, help="folder of further TrueType fonts (Liberation, Open Sans, ...)")
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        (arguments.output / kind).mkdir(parents=True, exist_ok=True)
    numbers = range(arguments.start, arguments.start + arguments.count)
    tasks = [(kind, arguments.seed, index, arguments.output, arguments.longest) for index in numbers for kind in arguments.kinds]
    with multiprocessing.Pool(arguments.workers, _start, (arguments.fonts,)) as pool:
        for done, _ in enumerate(pool.imap_unordered(_write, tasks, chunksize=8), 1):
            if done % 1000 == 0 or done == len(tasks):
                print(f"{done} of {len(tasks)} figures", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
