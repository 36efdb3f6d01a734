"""Lines, areas and clouds of points."""

from __future__ import annotations

import numpy as np

import series
import words
from scene import Scene

DASHES = ("-", "--", ":", "-.")


def _abscissae(scene: Scene, t: np.ndarray) -> np.ndarray:
    """Positions along the x axis: years, steps or any interval."""
    choice = scene.between(0, 3)
    if choice == 0:
        return scene.between(1900, 2000) + t * scene.between(8, 110)
    if choice == 1:
        return t * scene.pick([1, 10, 24, 100, 1000, 5000])
    if choice == 2:
        return (t - 0.5) * scene.pick([2, 6.28, 20])
    return 10 ** (t * scene.between(2, 4))


def line(scene: Scene) -> None:
    """One to seven lines, with or without markers, bands, error bars or logarithms."""
    ax, rng = scene.ax, scene.rng
    count = scene.between(1, 7) if scene.chance(0.7) else 1
    points = scene.between(4, 15) if scene.chance(0.4) else scene.between(25, 300)
    magnitude, spread = series.scale(rng), rng.uniform(0, 1.5)
    marked = points <= 30 and scene.chance(0.65)
    dashed, stepped, names = scene.chance(0.35), scene.chance(0.04), scene.names(count)
    bars, band = points <= 30 and scene.chance(0.15), scene.chance(0.08)
    logarithmic = scene.chance(0.1)
    x = None
    for i, colour in enumerate(scene.colours(count)):
        t, y = series.curve(rng, points)
        x = _abscissae(scene, t) if x is None else x
        y = (y + i * spread * rng.normal()) * magnitude
        y = np.exp(y / magnitude * 2) if logarithmic else y
        style = {"color": scene.visible(colour), "linestyle": DASHES[i % 4] if dashed else "-", "label": names[i]}
        if marked:
            style |= {"marker": scene.look.markers[i % len(scene.look.markers)], "markersize": rng.uniform(3, 8)}
            if scene.look.fill == "hollow":
                style["markerfacecolor"] = "none"
        if bars:
            ax.errorbar(x, y, yerr=np.abs(y).mean() * rng.uniform(0.05, 0.2), capsize=scene.pick([0, 2, 3]), **style)
        else:
            (ax.step if stepped else ax.plot)(x, y, **style)
        if band:
            half = (np.abs(y).mean() + 1e-9) * rng.uniform(0.05, 0.2)
            ax.fill_between(x, y - half, y + half, color=style["color"], alpha=0.2, linewidth=0)
    if logarithmic:
        ax.set_yscale("log")
    if x[0] > 0 and x[-1] / x[0] > 90:
        ax.set_xscale("log")
    if scene.chance(0.06):
        ax.axhline(float(np.mean(y)), color=scene.pick(["grey", "red", scene.ink()]), linestyle="--", linewidth=1)
    if scene.chance(0.05):
        where = scene.between(0, points - 1)
        ax.annotate(words.pick(rng, words.SUBJECTS), (x[where], y[where]), xytext=(20, 15), textcoords="offset points", arrowprops={"arrowstyle": "->"})
    if scene.chance(0.4):
        ax.margins(x=0)
    scene.text(words.abscissa(rng), words.quantity(rng))
    scene.legend(0.75 if count > 1 else 0.2)


def area(scene: Scene) -> None:
    """Filled ground under lines: one area, several that overlap, or a stack."""
    ax, rng = scene.ax, scene.rng
    count = 1 if scene.chance(0.35) else scene.between(2, 6)
    points = scene.between(5, 15) if scene.chance(0.35) else scene.between(20, 150)
    magnitude, names, colours = series.scale(rng), scene.names(count), scene.colours(count)
    curves = []
    for _ in range(count):
        t, y = series.curve(rng, points)
        curves.append((y - y.min() + rng.uniform(0.05, 0.8) * (np.ptp(y) + 0.05)) * magnitude * rng.uniform(0.3, 1))
    x = _abscissae(scene, t) if scene.chance(0.8) else t
    outline = scene.chance(0.35)
    if count > 1 and scene.chance(0.7):
        values = np.stack(curves)
        if scene.chance(0.2):
            values = values / values.sum(0) * scene.pick([1, 100])
        edge = {"edgecolor": scene.pick(["white", scene.ink()]), "linewidth": 0.8} if outline else {}
        ax.stackplot(x, values, labels=names, colors=[scene.visible(colour) for colour in colours], alpha=scene.pick([1, 1, 0.8, 0.6]),
                     baseline="wiggle" if scene.chance(0.05) else "zero", **edge)  # fmt: skip
    else:
        alpha = scene.pick([1, 0.7, 0.5, 0.35]) if count == 1 else rng.uniform(0.3, 0.65)
        for i, (y, colour) in enumerate(zip(curves, colours)):
            colour = scene.visible(colour)
            hatch = {"hatch": scene.pick(["//", "..", "xx"]), "edgecolor": scene.ink()} if scene.look.fill == "hatch" else {}
            ax.fill_between(x, 0, y, facecolor=colour, alpha=alpha, label=names[i], step="mid" if scene.chance(0.04) else None, **hatch)
            if outline or alpha < 0.5:
                ax.plot(x, y, color=colour, linewidth=rng.uniform(0.8, 2.2))
    if x[0] > 0 and x[-1] / x[0] > 90 and scene.chance(0.5):
        ax.set_xscale("log")
    if scene.chance(0.6):
        ax.margins(x=0)
    if scene.chance(0.5):
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    scene.text(words.abscissa(rng), words.quantity(rng))
    scene.legend(0.75 if count > 1 else 0.15)


def _cloud(scene: Scene, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (count,) of one group: correlated, clustered, curved or uniform."""
    rng = scene.rng
    shape = scene.between(0, 4)
    if shape == 0:
        x = rng.normal(0, 1, count)
        return x, x * rng.normal(0, 1) + rng.normal(0, rng.uniform(0.1, 1), count)
    if shape == 1:
        return rng.normal(rng.normal(0, 2), 0.7, count), rng.normal(rng.normal(0, 2), 0.7, count)
    if shape == 2:
        x = rng.uniform(-2, 2, count)
        return x, rng.choice([-1, 1]) * x**2 + rng.normal(0, 0.5, count)
    if shape == 3:
        return rng.uniform(-2, 2, count), rng.uniform(-2, 2, count)
    x = rng.exponential(1, count)
    return x, np.sqrt(x) * 2 + rng.normal(0, 0.4, count)


def scatter(scene: Scene) -> None:
    """Points: groups, sizes, a colour scale, a fitted line."""
    ax, rng = scene.ax, scene.rng
    groups = 1 if scene.chance(0.45) else scene.between(2, 5)
    names, scale_x, scale_y = scene.names(groups), series.scale(rng), series.scale(rng)
    size, alpha = rng.uniform(6, 60), scene.pick([1, 1, 0.8, 0.5])
    hollow = scene.chance(0.3) or scene.look.fill == "hollow" or (scene.look.name == "r" and scene.chance(0.6))
    bubbles, painted = scene.chance(0.14), groups == 1 and scene.chance(0.25)
    markers = scene.look.markers if scene.chance(0.45) else scene.look.markers[scene.between(0, min(2, len(scene.look.markers) - 1))]
    for i, colour in enumerate(scene.colours(groups)):
        count = int(10 ** rng.uniform(1.0, 2.6))
        x, y = _cloud(scene, count)
        x, y = x * scale_x, y * scale_y
        marker = markers[i % len(markers)]
        sizes = size * rng.uniform(0.3, 12, count) if bubbles else size
        style = {"s": sizes, "marker": marker, "alpha": 0.6 if bubbles else alpha, "label": names[i]}
        if painted:
            mappable = ax.scatter(x, y, c=np.hypot(x / scale_x, y / scale_y) + rng.normal(0, 0.3, count), cmap=scene.cmap(), **style)
            scene.colourbar(mappable, 0.8)
        elif hollow and marker not in "x+.*":
            ax.scatter(x, y, facecolors="none", edgecolors=scene.visible(colour), linewidths=rng.uniform(0.6, 1.5), **style)
        elif marker in "x+":
            ax.scatter(x, y, c=scene.visible(colour), linewidths=rng.uniform(0.7, 1.6), **style)
        else:
            edge = {"edgecolors": scene.pick(["white", "black"]), "linewidths": 0.5} if scene.chance(0.2) else {}
            ax.scatter(x, y, c=scene.visible(colour), **edge, **style)
        if scene.chance(0.12):
            slope, offset = np.polyfit(x, y, 1)
            ends = np.array([x.min(), x.max()])
            ax.plot(ends, slope * ends + offset, color=scene.pick(["red", "black", scene.visible(colour)]), linestyle=scene.pick(["-", "--"]))
        if scene.chance(0.04):
            ax.errorbar(x[:30], y[:30], yerr=np.std(y) * 0.2, fmt="none", ecolor=scene.visible(colour), elinewidth=0.8)
    scene.text(words.quantity(rng) if scene.chance(0.5) else words.abscissa(rng), words.quantity(rng))
    scene.legend(0.75 if groups > 1 else 0.1)
