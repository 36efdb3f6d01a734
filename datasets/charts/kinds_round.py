"""Round figures: pies and polar plots."""

from __future__ import annotations

import numpy as np

import series
import words
from scene import Scene


def pie(scene: Scene) -> None:
    """Shares of a whole, also as rings."""
    ax, rng = scene.ax, scene.rng
    count = scene.between(2, 9)
    values = np.clip(series.amounts(rng, count), 1e-9, None)
    values = values / values.sum() + 0.02
    names = words.categories(rng, count)
    ring = scene.chance(0.22)
    legend = scene.chance(0.55 if scene.look.name in ("plotly", "excel", "web") else 0.3)
    percent = scene.pick([None, "%.1f%%", "%.0f%%", "%d%%"])
    explode = np.where(rng.random(count) < 0.2, rng.uniform(0.05, 0.2), 0) if scene.chance(0.2) else None
    wedge = {"width": rng.uniform(0.25, 0.6)} if ring else {}
    edge = scene.look.edge or (scene.pick(["white", "black"]) if scene.chance(0.4) else None)
    wedge |= {"edgecolor": edge, "linewidth": rng.uniform(0.5, 2)} if edge else {}
    colours = scene.colours(count)
    if scene.look.fill == "hollow":
        colours, wedge = ["none"] * count, wedge | {"edgecolor": scene.ink()}
    hatch = [scene.pick(["//", "xx", "..", "\\\\", "", "||"]) for _ in range(count)] if scene.look.fill == "hatch" else None
    parts = ax.pie(
        values, labels=None if legend and scene.chance(0.8) else names, colors=colours, autopct=percent, explode=explode,
        startangle=scene.pick([0, 90, rng.uniform(0, 360)]), counterclock=scene.chance(0.6), shadow=scene.chance(0.06), radius=rng.uniform(0.8, 1.15),
        wedgeprops=wedge, textprops={"fontsize": scene.pick(["small", "x-small", "medium"])}, pctdistance=0.8 if ring else 0.6, hatch=hatch,
        labeldistance=rng.uniform(1.05, 1.2),
    )  # fmt: skip
    if ring and scene.chance(0.3):
        ax.text(0, 0, words.pick(rng, words.QUANTITIES), ha="center", va="center")
    if scene.chance(0.12):
        ax.set_aspect(rng.uniform(0.5, 0.9))
    if legend:
        wedges = parts.wedges if hasattr(parts, "wedges") else parts[0]
        spot = scene.pick([("center left", (0.98, 0.5)), ("upper left", (0.98, 1)), ("upper center", (0.5, 0.02))])
        ax.legend(wedges, names, loc=spot[0], bbox_to_anchor=spot[1], fontsize="small", frameon=scene.chance(0.4), ncols=3 if spot[0] == "upper center" else 1)
    if scene.chance(0.62):
        ax.set_title(words.title(rng), loc="left" if scene.look.title == "left" else "center")


def polar(scene: Scene) -> None:
    """Curves, points, roses or radars around a centre."""
    ax, rng = scene.ax, scene.rng
    shape = scene.pick(["curve", "curve", "points", "rose", "rose", "radar", "radar"])
    count = scene.between(1, 4) if shape in ("curve", "radar", "points") else 1
    names, colours, magnitude = scene.names(count), scene.colours(max(count, 16)), series.scale(rng)
    if shape == "rose":
        sectors = scene.between(6, 24)
        angles = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
        values = series.amounts(rng, sectors)
        many = scene.chance(0.4)
        for i in range(sectors):
            ax.bar(angles[i], values[i], width=2 * np.pi / sectors * 0.92, alpha=scene.pick([1, 0.8]), **scene.fill(i, colours[i % 16 if many else 0]))
    for i in range(count if shape != "rose" else 0):
        colour = scene.visible(colours[i])
        if shape == "radar":
            corners = len(ax.get_xticks()) if i else scene.between(3, 9)
            angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
            values = rng.uniform(0.2, 1, corners) * magnitude
            ax.plot(np.append(angles, 0), np.append(values, values[0]), color=colour, label=names[i], marker=scene.pick([None, "o"]), markersize=4)
            if scene.chance(0.6):
                ax.fill(angles, values, color=colour, alpha=0.25)
            if i == 0:
                ax.set_xticks(angles, words.categories(rng, corners))
        elif shape == "curve":
            t = np.linspace(0, 2 * np.pi * scene.pick([1, 1, 2, 3]), 250)
            lobes = scene.between(1, 7)
            r = scene.pick([np.abs(np.cos(lobes * t)), 1 + rng.uniform(0.1, 1) * np.sin(lobes * t), t / t[-1], 1 + np.cos(t) + 0.2 * np.cos(lobes * t)])
            ax.plot(t, np.abs(r) * magnitude * rng.uniform(0.5, 1), color=colour, label=names[i], linestyle=scene.pick(["-", "-", "--"]))
        else:
            points = scene.between(15, 150)
            ax.scatter(rng.uniform(0, 2 * np.pi, points), magnitude * np.sqrt(rng.random(points)), c=colour, s=rng.uniform(5, 80), alpha=0.75,
                       marker=scene.look.markers[i % len(scene.look.markers)], label=names[i])  # fmt: skip
    if scene.look.panel:
        ax.set_facecolor(scene.look.panel)
    if scene.chance(0.4):
        ax.set_theta_zero_location("N")
        ax.set_theta_direction(-1)
    if scene.chance(0.5):
        ax.grid(True, color=scene.pick(["#bbbbbb", scene.ink(), scene.look.grid_colour]), linestyle=scene.pick(["-", "--", ":"]), linewidth=0.7)
    if scene.chance(0.2):
        ax.set_yticklabels([])
    if scene.chance(0.15):
        ax.spines["polar"].set_visible(False)
    if scene.look.name == "gnuplot" and scene.chance(0.7):
        ax.set_thetagrids(range(0, 360, 30))
    scene.text()
    scene.legend(0.6 if count > 1 else 0.1)
