"""Figures over a plane: heat maps and contours."""

from __future__ import annotations

import numpy as np

import series
import words
from scene import Scene


def heatmap(scene: Scene) -> None:
    """A matrix as cells of colour: tables, correlations, fine rasters."""
    ax, rng = scene.ax, scene.rng
    shape = scene.pick(["table", "table", "correlation", "confusion", "raster", "raster"])
    rows, columns = scene.between(3, 12), scene.between(3, 14)
    if shape == "raster":
        rows, columns = scene.between(15, 80), scene.between(15, 100)
        values = series.field(rng, rows, columns)
        values = values + rng.normal(0, 1, values.shape) * values.std() * scene.pick([0.02, 0.15, 0.5])
    elif shape == "table":
        values = (rng.random((rows, columns)) if scene.chance(0.5) else series.field(rng, rows, columns)) * 10
    elif shape == "correlation":
        columns = rows
        values = np.corrcoef(rng.normal(0, 1, (rows, rows + 2)) + rng.normal(0, 1, (1, rows + 2)))
        if scene.chance(0.15):
            values[np.triu_indices(rows, 1)] = np.nan
    else:
        columns = rows
        values = rng.random((rows, rows)) * 0.3 + np.eye(rows) * rng.uniform(0.4, 1, rows)
    cmap = scene.cmap()
    if scene.chance(0.45) or shape == "raster":
        smooth = shape == "raster" and scene.chance(0.15)
        mappable = ax.imshow(values, cmap=cmap, aspect=scene.pick(["auto", "auto", "equal"]), interpolation="bilinear" if smooth else "nearest",
                             origin=scene.pick(["upper", "lower"]))  # fmt: skip
    else:
        lines = {"edgecolors": scene.pick(["white", "black", scene.ink()]), "linewidth": rng.uniform(0.3, 2)} if scene.chance(0.45) else {}
        mappable = ax.pcolormesh(np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5, values, cmap=cmap, **lines)
        if scene.chance(0.5):
            ax.invert_yaxis()
    if rows * columns < 90 and scene.chance(0.45):
        _annotate(scene, values, mappable)
    if shape != "raster" and scene.chance(0.85):
        scene.categories(words.categories(rng, columns), range(columns), "x")
        scene.categories(words.categories(rng, rows), range(rows), "y")
    if scene.chance(0.1):
        ax.xaxis.tick_top()
    scene.look.grid, scene.look.detached = "", False
    scene.text(words.abscissa(rng), words.quantity(rng))
    scene.colourbar(mappable)


def _annotate(scene: Scene, values: np.ndarray, mappable) -> None:
    """The number in each cell, light on dark and dark on light."""
    form, size = scene.pick(["{:.1f}", "{:.2f}", "{:.0f}"]), scene.pick(["x-small", "small", "xx-small"])
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = mappable.cmap(mappable.norm(value))
            ink = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
            scene.ax.text(column, row, form.format(value), ha="center", va="center", fontsize=size, color=ink)


def contour(scene: Scene) -> None:
    """Level lines of a surface, filled or not, labelled or not."""
    ax, rng = scene.ax, scene.rng
    size = scene.between(25, 60)
    values = series.field(rng, size, size)
    low, high = sorted(rng.uniform(-10, 10, 2))
    x, y = np.linspace(low, high + 1, size), np.linspace(0, scene.pick([1, 5, 10, 100]), size)
    levels = scene.between(5, 16)
    filled = scene.chance(0.5)
    mappable = None
    if filled:
        mappable = ax.contourf(x, y, values, levels, cmap=scene.cmap())
    if not filled or scene.chance(0.45):
        single = filled or scene.chance(0.35)
        ink = scene.pick([scene.ink(), "black", "white"]) if filled else scene.visible(scene.pick([scene.ink()] + scene.colours(2)))
        paint = {"colors": ink} if single else {"cmap": scene.cmap()}
        lines = ax.contour(x, y, values, levels, linewidths=rng.uniform(0.5, 1.8), **paint)
        if scene.chance(0.4):
            ax.clabel(lines, fontsize=scene.pick([5, 6, 7, 8]), inline=scene.chance(0.85))
        elif not single and scene.chance(0.3):
            handles, labels = lines.legend_elements()
            ax.legend(handles[:8], [label.strip("$").replace("x = ", "") for label in labels][:8], fontsize="x-small", loc="upper right")
        mappable = mappable or (None if single else lines)
    if scene.chance(0.08):
        where = rng.integers(0, size, (2, scene.between(5, 40)))
        ax.plot(x[where[0]], y[where[1]], scene.pick(["k.", "ro", "wx"]), markersize=3)
    if scene.look.name != "r" or filled:
        scene.look.detached = False
    scene.text(scene.pick(["x", "x", words.abscissa(rng)]), scene.pick(["y", "y", words.quantity(rng)]))
    if mappable is not None:
        scene.colourbar(mappable)
