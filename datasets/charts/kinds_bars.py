"""Bars: single, horizontal, grouped, stacked; and histograms."""

from __future__ import annotations

import numpy as np

import series
import words
from scene import Scene


def bar(scene: Scene) -> None:
    """One upright bar a category."""
    _single(scene, upright=True)


def horizontal_bar(scene: Scene) -> None:
    """One lying bar a category."""
    _single(scene, upright=False)


def _single(scene: Scene, upright: bool) -> None:
    ax, rng = scene.ax, scene.rng
    count = scene.between(2, 12) if scene.chance(0.85) else scene.between(12, 30)
    values = series.amounts(rng, count)
    if scene.chance(0.08):
        values = values * rng.choice([-1, 1], count, p=[0.3, 0.7])
    positions = np.arange(count)
    colours = scene.colours(count) if scene.chance(0.25) else scene.colours(1) * count
    if scene.chance(0.06):
        colours[scene.between(0, count - 1)] = scene.colours(2)[1]
    width = 1.0 if scene.look.name == "gnuplot" and scene.chance(0.15) else rng.uniform(0.35, 0.92)
    errors = np.abs(values) * rng.uniform(0.03, 0.25, count) if scene.chance(0.2) else None
    draw = ax.bar if upright else ax.barh
    size = {"width": width} if upright else {"height": width}
    error = {"xerr" if not upright else "yerr": errors, "capsize": scene.pick([0, 2, 4]), "ecolor": scene.ink()} if errors is not None else {}
    single = len(set(colours)) == 1
    name = scene.names(1)[0] if single and scene.chance(0.25) else None
    bars = None
    for i in range(1 if single else count):
        part = slice(None) if single else slice(i, i + 1)
        own = dict(error)
        if errors is not None:
            own["xerr" if not upright else "yerr"] = errors[part]
        bars = draw(positions[part], values[part], **size, **own, **scene.fill(i, colours[i]), label=name)
    if scene.chance(0.2) and count <= 12 and errors is None and single:
        ax.bar_label(bars, fmt=scene.pick(["%.3g", "%.1f", "%d"]), fontsize="x-small", padding=1)
    _finish(scene, values, positions, count, upright)


def _finish(scene: Scene, values, positions, count: int, upright: bool, logarithmic: bool = True) -> None:
    """Names, limits and labels that all bars share."""
    ax = scene.ax
    names = words.categories(scene.rng, count)
    scene.categories(names, positions, "x" if upright else "y")
    if not upright and scene.chance(0.6):
        ax.invert_yaxis()
    if logarithmic and np.min(values) > 0 and scene.chance(0.08):
        (ax.set_yscale if upright else ax.set_xscale)("log")
    labels = [words.abscissa(scene.rng), words.quantity(scene.rng)]
    scene.text(*(labels if upright else labels[::-1]))
    scene.legend()


def _table(scene: Scene) -> tuple[np.ndarray, list[str], list[str]]:
    """Values (series, categories) with colours and names of the series."""
    groups, count = scene.between(2, 8), scene.between(2, 5)
    base = series.amounts(scene.rng, groups)
    values = np.stack([base * scene.rng.lognormal(0, 0.35, groups) * scene.rng.uniform(0.5, 1.5) for _ in range(count)])
    return values, scene.colours(count), scene.names(count)


def grouped_bar(scene: Scene) -> None:
    """Several bars side by side a category."""
    ax, rng = scene.ax, scene.rng
    values, colours, names = _table(scene)
    upright = scene.chance(0.8)
    count, groups = values.shape
    width = rng.uniform(0.6, 0.9) / count
    inner = width * (1.0 if scene.chance(0.75) else rng.uniform(0.75, 0.95))
    errors = scene.chance(0.2)
    positions = np.arange(groups)
    labelled = scene.chance(0.12) and groups * count < 16
    for i in range(count):
        spots = positions + (i - (count - 1) / 2) * width
        draw, size = (ax.bar, {"width": inner}) if upright else (ax.barh, {"height": inner})
        error = {"yerr" if upright else "xerr": values[i] * rng.uniform(0.03, 0.2, groups), "capsize": scene.pick([0, 2]), "ecolor": scene.ink()}
        bars = draw(spots, values[i], **size, **(error if errors else {}), **scene.fill(i, colours[i]), label=names[i])
        if labelled:
            ax.bar_label(bars, fmt="%.2g", fontsize="xx-small", padding=1)
    if not upright:
        scene.look.grid = {"y": "x"}.get(scene.look.grid, scene.look.grid)
    _finish(scene, values, positions, groups, upright)


def stacked_bar(scene: Scene) -> None:
    """Several bars on top of each other a category, absolute or as shares."""
    ax, rng = scene.ax, scene.rng
    values, colours, names = _table(scene)
    upright = scene.chance(0.78)
    if scene.chance(0.25):
        values = values / values.sum(0) * scene.pick([1, 100])
    count, groups = values.shape
    width = rng.uniform(0.4, 0.95)
    labelled = scene.chance(0.12)
    start = np.zeros(groups)
    for i in range(count):
        draw, size = (ax.bar, {"width": width, "bottom": start}) if upright else (ax.barh, {"height": width, "left": start})
        bars = draw(np.arange(groups), values[i], **size, **scene.fill(i, colours[i]), label=names[i])
        if labelled:
            ax.bar_label(bars, fmt="%.2g", fontsize="xx-small", label_type="center")
        start = start + values[i]
    if not upright:
        scene.look.grid = {"y": "x"}.get(scene.look.grid, scene.look.grid)
    _finish(scene, values, np.arange(groups), groups, upright, logarithmic=False)


def histogram(scene: Scene) -> None:
    """Counts of a sample in touching bins."""
    ax, rng = scene.ax, scene.rng
    bins = scene.between(6, 45)
    overlaid = scene.between(2, 3) if scene.chance(0.18) else 1
    values = [series.samples(rng, int(10 ** rng.uniform(1.8, 3.5))) for _ in range(overlaid)]
    magnitude = series.scale(rng)
    density = scene.chance(0.3)
    names = scene.names(overlaid)
    edges = np.linspace(min(map(np.min, values)), max(map(np.max, values)), bins + 1) * magnitude
    stepped = scene.chance(0.1)
    for i, (sample, colour) in enumerate(zip(values, scene.colours(overlaid))):
        options = scene.fill(i, colour)
        if overlaid > 1:
            options["alpha"] = rng.uniform(0.4, 0.75)
        if stepped:
            options = {"histtype": pick_step(scene), "edgecolor": scene.visible(colour), "linewidth": 1.3, "facecolor": colour}
        elif "edgecolor" not in options and scene.chance(0.45):
            options |= {"edgecolor": scene.pick(["white", "black"]), "linewidth": 0.6}
        ax.hist(sample * magnitude, edges, density=density, cumulative=False, label=names[i] if overlaid > 1 or scene.chance(0.2) else None,
                orientation="vertical" if overlaid > 1 or scene.chance(0.97) else "horizontal", **options)  # fmt: skip
    if scene.chance(0.14) and overlaid == 1 and density:
        middle, deviation = values[0].mean() * magnitude, values[0].std() * magnitude
        x = np.linspace(edges[0], edges[-1], 150)
        ax.plot(x, np.exp(-(((x - middle) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi)), color=scene.visible(scene.colours(2)[1]))
    if scene.chance(0.07):
        ax.axvline(float(np.median(values[0])) * magnitude, color=scene.pick(["red", "black", "grey"]), linestyle="--")
    if scene.chance(0.05):
        ax.set_yscale("log")
    scene.text(words.quantity(rng), scene.pick(["Frequency", "Count", "Density", "Number", "Probability", "counts"]))
    scene.legend()


def pick_step(scene: Scene) -> str:
    """An outline, filled or not."""
    return scene.pick(["step", "stepfilled"])
