"""Box plots and violins."""

from __future__ import annotations

import numpy as np

import series
import words
from scene import Scene


def box(scene: Scene) -> None:
    """Quartiles, whiskers and outliers of some groups."""
    ax, rng, look = scene.ax, scene.rng, scene.look
    count = scene.between(1, 8) if scene.chance(0.9) else scene.between(9, 16)
    values = series.groups(rng, count, scene.between(15, 150))
    upright = scene.chance(0.82)
    filled = look.name in ("ggplot", "r", "plotly", "excel", "bokeh") or scene.chance(0.55)
    colours = scene.colours(count) if scene.chance(0.4) else scene.colours(1) * count
    ink = scene.visible(look.edge or scene.ink())
    dashed = look.name == "r" or scene.chance(0.12)
    plain = look.name in ("plotly", "ggplot")
    thin = rng.uniform(0.7, 1.6)
    width = rng.uniform(0.25, 0.85)
    parts = ax.boxplot(
        values, orientation="vertical" if upright else "horizontal", notch=scene.chance(0.15), widths=width, patch_artist=filled,
        showmeans=scene.chance(0.12), showcaps=not (look.name == "ggplot" or scene.chance(0.08)), showfliers=scene.chance(0.8),
        whis=scene.pick([1.5, 1.5, 1.0, (0, 100)]), capwidths=width * rng.uniform(0.4, 1.0),
        flierprops={"marker": scene.pick("oooo+.x"), "markersize": rng.uniform(2, 6), "markeredgecolor": ink,
                    "markerfacecolor": scene.pick(["none", ink])},
        whiskerprops={"linestyle": "--" if dashed else "-", "color": ink, "linewidth": thin}, capprops={"color": ink, "linewidth": thin},
        medianprops={"color": scene.pick([ink, ink, "orange", "red"]), "linewidth": thin * (3 if look.name == "r" else rng.uniform(1, 2))},
        boxprops={"linewidth": thin} | ({} if filled else {"color": ink}),
    )  # fmt: skip
    if filled:
        for i, (patch, colour) in enumerate(zip(parts["boxes"], colours)):
            face = "white" if look.name == "ggplot" and scene.chance(0.5) else "#d3d3d3" if look.fill == "grey" else colour
            patch.set(facecolor="none" if look.fill == "hollow" else face, edgecolor=ink, alpha=0.6 if plain else None)
            if look.fill == "hatch":
                patch.set(hatch=scene.pick(["//", "xx", "..", None]))
    elif len(set(colours)) > 1:
        for patch, colour in zip(parts["boxes"], colours):
            patch.set_color(scene.visible(colour))
    if scene.chance(0.08):
        for i, sample in enumerate(values):
            spots = i + 1 + rng.uniform(-0.1, 0.1, len(sample)) * 1.5
            ax.plot(*((spots, sample) if upright else (sample, spots)), ".", color=ink, markersize=2, alpha=0.5)
    _finish(scene, count, upright)


def violin(scene: Scene) -> None:
    """Densities of some groups, mirrored or halved, with or without quartiles inside."""
    ax, rng, look = scene.ax, scene.rng, scene.look
    count = scene.between(1, 7)
    values = series.groups(rng, count, scene.between(30, 200))
    upright = scene.chance(0.85)
    inner = scene.pick(["none", "median", "means", "extrema", "box", "box", "points", "quartiles"])
    quantiles = [[0.25, 0.5, 0.75]] * count if inner == "quartiles" else None
    parts = ax.violinplot(
        values, orientation="vertical" if upright else "horizontal", widths=rng.uniform(0.5, 0.95), points=60,
        showmeans=inner == "means", showmedians=inner == "median", showextrema=inner in ("extrema", "median", "means") and scene.chance(0.8),
        quantiles=quantiles, bw_method=rng.uniform(0.2, 0.6), side="both" if scene.chance(0.93) else "high",
    )  # fmt: skip
    ink = scene.visible(look.edge or scene.ink())
    colours = scene.colours(count) if scene.chance(0.5) else scene.colours(1) * count
    opaque = scene.pick([1, 1, 0.8, 0.5, 0.3])
    outlined = look.fill != "solid" or scene.chance(0.6)
    for i, (body, colour) in enumerate(zip(parts["bodies"], colours)):
        face = "white" if look.name == "ggplot" and scene.chance(0.5) else scene.visible(colour) if not outlined else colour
        body.set(facecolor="none" if look.fill == "hollow" else face, alpha=opaque)
        if outlined:
            body.set(edgecolor=ink, linewidth=rng.uniform(0.7, 1.5), alpha=None if opaque == 1 else opaque)
        if look.fill == "hatch":
            body.set(hatch=scene.pick(["//", "..", "xx"]))
    for key, part in parts.items():
        if key != "bodies":
            part.set(color=scene.pick([ink, scene.visible(colours[0])]), linewidth=rng.uniform(0.8, 1.8))
    if inner == "box":
        _inner_boxes(scene, values, upright, ink)
    elif inner == "points":
        for i, sample in enumerate(values):
            spots = i + 1 + rng.normal(0, 0.04, len(sample))
            ax.plot(*((spots, sample) if upright else (sample, spots)), ".", color=ink, markersize=2.5, alpha=0.6)
    _finish(scene, count, upright)


def _inner_boxes(scene: Scene, values: list[np.ndarray], upright: bool, ink: str) -> None:
    """A thick line between the quartiles, a thin one for the range, a dot for the median."""
    if scene.chance(0.35):
        scene.ax.boxplot(values, orientation="vertical" if upright else "horizontal", widths=0.1, patch_artist=True, showfliers=scene.chance(0.3),
                         boxprops={"facecolor": "white", "edgecolor": ink}, medianprops={"color": ink}, showcaps=False)  # fmt: skip
        return
    for i, sample in enumerate(values):
        low, middle, high = np.percentile(sample, [25, 50, 75])
        reach = 1.5 * (high - low)
        for ends, width in (((max(sample.min(), low - reach), min(sample.max(), high + reach)), 1), ((low, high), 4)):
            scene.ax.plot(*(((i + 1,) * 2, ends) if upright else (ends, (i + 1,) * 2)), color=ink, linewidth=width, solid_capstyle="butt")
        scene.ax.plot(*((i + 1, middle) if upright else (middle, i + 1)), "o", color="white", markersize=2.5)


def _finish(scene: Scene, count: int, upright: bool) -> None:
    """Names of the groups and labels of the axes."""
    if scene.chance(0.85):
        scene.categories(words.categories(scene.rng, count), range(1, count + 1), "x" if upright else "y")
    labels = [words.abscissa(scene.rng), words.quantity(scene.rng)]
    if not upright and scene.look.grid == "y":
        scene.look.grid = "x"
    scene.text(*(labels if upright else labels[::-1]))
