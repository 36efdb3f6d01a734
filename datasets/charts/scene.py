"""A figure being drawn: its axes, its look, its random numbers, and what all kinds of figure share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import words
from looks import Look

HATCHES = ("//", "\\\\", "xx", "..", "||", "--", "++", "///", "oo")
CMAPS = (
    "viridis plasma inferno magma cividis Blues Greens Reds Greys Oranges Purples YlOrRd YlGnBu BuPu RdBu_r RdBu coolwarm bwr "
    "seismic Spectral RdYlGn PiYG BrBG jet hot hot_r rainbow terrain gnuplot gnuplot2 cubehelix gray bone copper winter cool twilight turbo"
).split()


@dataclass
class Scene:
    """One figure with one pair of axes."""

    rng: np.random.Generator
    look: Look
    figure: Figure
    ax: Axes

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def pick(self, options):
        """One of the options."""
        return words.pick(self.rng, options)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def colours(self, count: int) -> list[str]:
        """Colours of `count` series, repeated where the palette is short."""
        return [self.look.palette[i % len(self.look.palette)] for i in range(count)]

    def ink(self) -> str:
        """The colour of text, visible on the page."""
        return self.look.rc.get("text.color", "black")

    def visible(self, colour: str) -> str:
        """The colour, or ink where it would vanish on the page (white lines on white paper)."""
        back = np.array(to_rgb(self.look.panel or self.figure.get_facecolor()))
        return colour if np.abs(np.array(to_rgb(colour)) - back).sum() > 0.35 else self.ink()

    def cmap(self) -> str:
        """A colour map that suits the look."""
        return self.pick(self.look.cmaps) if self.look.cmaps and self.chance(0.7) else self.pick(CMAPS)

    def fill(self, index: int, colour: str) -> dict:
        """Face, edge and hatching of a filled shape, as keyword arguments for patches."""
        edge = self.look.edge
        if self.look.fill == "hollow":
            return {"facecolor": "none", "edgecolor": self.visible(colour), "linewidth": 1}
        if self.look.fill == "hatch":
            ink = self.visible(edge or "black")
            face = "white" if index % 2 and ink == "black" else colour
            return {"facecolor": face, "edgecolor": ink, "hatch": HATCHES[index % len(HATCHES)], "linewidth": 0.7}
        if edge is None:
            return {"facecolor": self.visible(colour)}
        return {"facecolor": colour, "edgecolor": edge, "linewidth": 0.8}

    def names(self, count: int) -> list[str]:
        """Names of series for a legend."""
        return words.categories(self.rng, count)

    def legend(self, probability: float = 0.75) -> None:
        """A legend where the look puts it, if there is something to put in."""
        if not self.chance(probability):
            return
        handles, labels = self.ax.get_legend_handles_labels()
        if not handles:
            return
        place = self.look.legend
        if place == "any":
            place = self.pick(["inside", "inside", "inside", "right", "bottom", "top"])
        options = {"fontsize": self.pick(["x-small", "small", "medium"]), "frameon": self.chance(0.5)}
        columns = min(len(labels), self.between(2, 4))
        if place == "right":
            self.figure.subplots_adjust(right=0.76)
            options |= {"loc": "upper left" if self.chance(0.5) else "center left", "borderaxespad": 0}
            options["bbox_to_anchor"] = (1.02, 1) if options["loc"] == "upper left" else (1.02, 0.5)
        elif place == "bottom":
            self.figure.subplots_adjust(bottom=0.24)
            options |= {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": columns}
        elif place == "top":
            options |= {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": columns}
        else:
            right = place == "topright" and self.chance(0.8)
            options["loc"] = "upper right" if right else self.pick(["upper right", "upper left", "lower right", "lower left"])
        self.ax.legend(handles, labels, **options)

    def text(self, x: str | None = None, y: str | None = None) -> None:
        """Title and the labels of the axes, some of them left out."""
        if self.chance(0.62):
            left = self.look.title == "left" or (self.look.title == "any" and self.chance(0.08))
            self.ax.set_title(words.title(self.rng), loc="left" if left else "center")
        if x is not None and self.chance(0.78):
            self.ax.set_xlabel(x)
        if y is not None and self.chance(0.78):
            self.ax.set_ylabel(y)

    def colourbar(self, mappable, probability: float = 0.65) -> None:
        """A scale of colours beside the axes."""
        if self.chance(probability):
            side = self.pick(["right"] * 6 + ["bottom"])
            bar = self.figure.colorbar(mappable, ax=self.ax, location=side, shrink=self.pick([1, 1, 0.8]), aspect=self.between(12, 30))
            if self.chance(0.3):
                bar.set_label(words.quantity(self.rng))

    def categories(self, names: list[str], positions, axis: str = "x") -> None:
        """Names on an axis, turned where they would run into each other."""
        crowded = axis == "x" and sum(map(len, names)) > 7 * self.figure.get_figwidth()
        turn = self.pick([30, 45, 45, 90]) if crowded or (axis == "x" and self.chance(0.06)) else 0
        options = {"rotation": turn, "ha": "right" if 0 < turn < 90 else "center"} if turn else {}
        (self.ax.set_xticks if axis == "x" else self.ax.set_yticks)(positions, names, **options)
        if turn:
            self.figure.subplots_adjust(bottom=0.24 if max(map(len, names)) > 4 else 0.18)
        if axis == "y" and max(map(len, names)) > 6:
            self.figure.subplots_adjust(left=0.24)

    def dress(self) -> None:
        """Spines, ticks, panel and grid as the look has them; for axes with two straight sides."""
        look, ax = self.look, self.ax
        if look.panel:
            ax.set_facecolor(look.panel)
        if look.spines:
            for side in ("left", "top", "right", "bottom"):
                ax.spines[side].set_visible(side[0] in look.spines)
        if look.grid:
            ax.grid(True, axis=look.grid, color=look.grid_colour, linestyle=look.grid_style, linewidth=self.pick([0.5, 0.8, 1]))
            ax.set_axisbelow(True)
        elif look.name != "sheet":
            ax.grid(False)
        if look.ticks in ("in", "out"):
            ax.tick_params(direction=look.ticks, length=self.pick([3, 4, 6]), top=look.mirror, right=look.mirror)
        elif look.ticks == "none":
            ax.tick_params(length=0)
        if look.name == "r" and self.chance(0.7):
            ax.tick_params(axis="y", labelrotation=90)
            for label in ax.get_yticklabels():
                label.set_verticalalignment("center")
        if look.detached:
            ax.spines["left"].set_position(("outward", 6))
            ax.spines["bottom"].set_position(("outward", 6))
        if self.chance(0.04):
            ax.minorticks_on()

    def surround(self) -> None:
        """What stands around a figure now and then: a caption, a note, lettering, a toolbar's dots."""
        ink = self.ink()
        if self.chance(0.05):
            self.figure.text(0.5, 0.005, f"Figure {self.between(1, 19)}: {words.title(self.rng)}.", ha="center", va="bottom", fontsize="small", color=ink)
        if self.chance(0.04):
            self.figure.text(0.01, 0.98, f"{self.pick('abcdefABC')}", ha="left", va="top", fontsize="x-large", weight="bold", color=ink)
        if self.look.name == "bokeh" and self.chance(0.5):
            for i in range(5):
                self.figure.text(0.985, 0.85 - 0.06 * i, self.pick("◯✥◱↻▣"), ha="right", fontsize="small", color="#888888", family="DejaVu Sans")
        if self.look.name == "plotly" and self.chance(0.15):
            for i in range(6):
                self.figure.text(0.75 + 0.035 * i, 0.985, self.pick("▣◱✥+-⌂"), va="top", fontsize="small", color="#a0a8b8", family="DejaVu Sans")
