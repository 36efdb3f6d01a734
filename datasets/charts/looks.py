"""Looks: the appearance that a plotting program or a house style gives its figures.

A look is drawn before the figure (matplotlib parameters, colours) and finished after it (spines, ticks, grid).
Several imitate other programs, for figures in the wild come from gnuplot, R, Excel and plotly as often as from matplotlib.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field

import numpy as np
from matplotlib import style

from words import pick

PALETTES = {
    "tableau": "#1f77b4 #ff7f0e #2ca02c #d62728 #9467bd #8c564b #e377c2 #7f7f7f #bcbd22 #17becf",
    "matplotlib1": "#0000ff #008000 #ff0000 #00bfbf #bf00bf #bfbf00 #000000",
    "gnuplot4": "#ff0000 #00c000 #0080ff #c000ff #00eeee #c04000 #c8c800 #4169e1",
    "gnuplot5": "#9400d3 #009e73 #56b4e9 #e69f00 #f0e442 #0072b2 #e51e10 #000000",
    "r3": "#000000 #ff0000 #00cd00 #0000ff #00ffff #ff00ff #ffff00 #bebebe",
    "r4": "#000000 #df536b #61d04f #2297e6 #28e2e5 #cd0bbc #f5c710 #9e9e9e",
    "rpastel": "#ffffff #add8e6 #ffe4e1 #e0ffff #e6e6fa #fff8dc #ffb6c1 #d3d3d3",
    "hue": "#f8766d #00ba38 #619cff #b79f00 #00bfc4 #f564e3 #c77cff #7cae00",
    "plotly": "#636efa #ef553b #00cc96 #ab63fa #ffa15a #19d3f3 #ff6692 #b6e880 #ff97ff #fecb52",
    "bokeh": "#1f77b4 #ff7f0e #2ca02c #d62728 #3288bd #99d594 #e6f598 #fee08b #fc8d59 #d53e4f",
    "excel2003": "#9999ff #993366 #ffffcc #ccffff #660066 #ff8080 #0066cc #ccccff",
    "excel2007": "#4f81bd #c0504d #9bbb59 #8064a2 #4bacc6 #f79646 #2c4d75 #772c2a",
    "excel2016": "#4472c4 #ed7d31 #a5a5a5 #ffc000 #5b9bd5 #70ad47 #264478 #9e480e",
    "matlab": "#0072bd #d95319 #edb120 #7e2f8e #77ac30 #4dbeee #a2142f",
    "vega": "#4c78a8 #f58518 #e45756 #72b7b2 #54a24b #eeca3b #b279a2 #ff9da6",
    "google": "#3366cc #dc3912 #ff9900 #109618 #990099 #0099c6 #dd4477 #66aa00",
    "highcharts": "#7cb5ec #434348 #90ed7d #f7a35c #8085e9 #f15c80 #e4d354 #2b908f",
    "brewer1": "#e41a1c #377eb8 #4daf4a #984ea3 #ff7f00 #ffff33 #a65628 #f781bf",
    "brewer2": "#66c2a5 #fc8d62 #8da0cb #e78ac3 #a6d854 #ffd92f #e5c494 #b3b3b3",
    "deep": "#4c72b0 #dd8452 #55a868 #c44e52 #8172b3 #937860 #da8bc3 #8c8c8c",
    "viridis": "#440154 #3b528b #21918c #5ec962 #fde725 #31688e #35b779 #90d743",
    "greys": "#000000 #555555 #888888 #aaaaaa #cccccc #333333 #e0e0e0 #666666",
    "blues": "#08306b #2171b5 #6baed6 #c6dbef #4292c6 #9ecae1 #08519c #deebf7",
}
MATPLOTLIB_STYLES = [name for name in style.available if not name.startswith("_") and name != "fast"]
SANS = ["DejaVu Sans", "Liberation Sans", "FreeSans", "Open Sans", "Roboto", "cmss10", "DejaVu Sans Mono", "Liberation Sans Narrow"]
SERIF = ["DejaVu Serif", "STIXGeneral", "Liberation Serif", "FreeSerif", "cmr10"]


@dataclass
class Look:
    """What the drawing functions ask for colours and habits, and what is done to the axes afterwards."""

    name: str
    rc: dict = field(default_factory=dict)
    palette: list[str] = field(default_factory=lambda: PALETTES["tableau"].split())
    fonts: list[str] = field(default_factory=list)
    cmaps: tuple[str, ...] = ()
    grid: str = ""  # "", "x", "y" or "both"
    grid_colour: str = "#cccccc"
    grid_style: str = "-"
    panel: str = ""  # colour of the plotting area
    spines: str = ""  # the sides that are kept, of "ltrb"; empty: as matplotlib has them
    ticks: str = ""  # "in", "out", "none" or as matplotlib has them
    mirror: bool = False  # ticks on all four sides
    fill: str = "solid"  # "solid", "hollow", "hatch" or "grey"
    edge: str | None = None  # outline of bars, slices and boxes
    legend: str = "any"  # "any", "right", "bottom", "topright"
    title: str = "any"  # "any" or "left"
    detached: bool = False  # axes that stop short of each other, as in R
    markers: str = "os^Dv*xP+."


def _gnuplot(rng):
    return Look(
        "gnuplot", {"font.size": rng.uniform(9, 12), "lines.linewidth": rng.choice([0.8, 1, 2])},
        PALETTES[pick(rng, ["gnuplot4", "gnuplot5", "gnuplot5", "greys"])].split(),
        ["Liberation Sans", "FreeSans", "Liberation Serif", "DejaVu Sans"], ("gnuplot", "gnuplot2", "CMRmap", "jet"),
        grid=pick(rng, ["", "", "both"]), grid_colour="#999999", grid_style=":", spines="ltrb", ticks="in", mirror=True,
        fill=pick(rng, ["solid", "hollow", "hatch"]), edge=pick(rng, [None, "black"]), legend="topright", markers="+x*so^vD",
    )  # fmt: skip


def _r_base(rng):
    return Look(
        "r", {"font.size": rng.uniform(9, 12), "axes.titleweight": "bold", "lines.linewidth": rng.choice([0.7, 1])},
        PALETTES[pick(rng, ["r3", "r4", "rpastel", "greys"])].split(), ["Liberation Sans", "FreeSans"],
        ("hot_r", "hot", "terrain", "rainbow", "cool", "YlOrRd_r"), spines=pick(rng, ["ltrb", "lb"]), ticks="out",
        fill=pick(rng, ["grey", "grey", "hollow", "solid"]), edge="black", detached=rng.random() < 0.6, legend="topright", markers="o^+xDvs",
    )  # fmt: skip


def _ggplot(rng):
    panel, line = pick(rng, [("#ebebeb", "#ffffff"), ("#ebebeb", "#ffffff"), ("#ffffff", "#e5e5e5")])
    return Look(
        "ggplot", {"font.size": rng.uniform(8, 11), "axes.labelsize": "large", "xtick.color": "#4d4d4d", "ytick.color": "#4d4d4d"},
        PALETTES[pick(rng, ["hue", "hue", "brewer1", "brewer2", "viridis"])].split(), ["Liberation Sans", "FreeSans"],
        ("Blues_r", "viridis", "RdBu", "YlGnBu_r"), grid="both", grid_colour=line, panel=panel, spines=pick(rng, ["-", "-", "ltrb", "lb"]),
        ticks=pick(rng, ["out", "none"]), fill=pick(rng, ["solid", "solid", "grey", "hollow"]), edge=pick(rng, [None, "#333333"]),
        legend="right", title="left", markers="o",
    )  # fmt: skip


def _plotly(rng):
    dark = rng.random() < 0.15
    panel, line = ("#111111", "#283442") if dark else pick(rng, [("#e5ecf6", "#ffffff"), ("#e5ecf6", "#ffffff"), ("#ffffff", "#ebf0f8")])
    ink = "#f2f5fa" if dark else "#2a3f5f"
    rc = {"text.color": ink, "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink, "font.size": rng.uniform(8, 11),
          "lines.linewidth": 2, "figure.facecolor": "#111111" if dark else "white", "axes.edgecolor": ink}  # fmt: skip
    return Look(
        "plotly", rc, PALETTES["plotly"].split(), ["Open Sans", "DejaVu Sans"], ("plasma", "viridis", "RdBu", "hot", "jet"),
        grid=pick(rng, ["both", "both", "y"]), grid_colour=line, panel=panel, spines="-", ticks="none", edge=panel, legend="right", title="left", markers="o",
    )  # fmt: skip


def _bokeh(rng):
    return Look(
        "bokeh", {"font.size": rng.uniform(7, 10), "axes.titleweight": "bold", "axes.edgecolor": "#e5e5e5", "xtick.color": "#444444",
                  "ytick.color": "#444444"},
        PALETTES[pick(rng, ["bokeh", "tableau", "brewer2", "viridis"])].split(), ["Liberation Sans", "FreeSans"], ("viridis", "magma", "cividis"),
        grid="both", grid_colour="#e5e5e5", spines="ltrb", ticks="out", edge=pick(rng, [None, "white"]), legend="topright", title="left", markers="o^sD",
    )  # fmt: skip


def _excel(rng):
    era = pick(rng, ["excel2003", "excel2007", "excel2016", "excel2016"])
    old = era == "excel2003"
    ink = "black" if old else "#595959"
    rc = {"font.size": rng.uniform(8, 12), "text.color": ink, "xtick.color": ink, "ytick.color": ink, "axes.labelcolor": ink,
          "axes.titlesize": "x-large", "axes.edgecolor": "#808080" if old else "#d9d9d9", "lines.linewidth": 2.2}  # fmt: skip
    return Look(
        "excel", rc, PALETTES[era].split(), ["Liberation Sans", "FreeSans"] if old else ["Carlito", "Liberation Sans"], ("RdYlGn", "Blues", "YlOrRd"),
        grid="y", grid_colour="#000000" if old else "#d9d9d9", panel="#c0c0c0" if old else "", spines="ltrb" if old else "b",
        ticks="out" if old else "none", edge="black" if old else None, legend=pick(rng, ["right", "bottom"]), markers="Ds^xo",
    )  # fmt: skip


def _matlab(rng):
    return Look(
        "matlab", {"font.size": rng.uniform(8, 11), "axes.titleweight": "bold"}, PALETTES[pick(rng, ["matlab", "matlab", "matplotlib1"])].split(),
        ["Liberation Sans", "FreeSans"], ("viridis", "jet", "jet", "hsv", "hot"), grid=pick(rng, ["", "both"]), grid_colour="#dddddd",
        spines="ltrb", ticks="in", mirror=True, edge="black", legend="topright", markers="o+*.xsd^",
    )  # fmt: skip


def _web(rng):
    ink = pick(rng, ["#333333", "#666666", "#000000"])
    return Look(
        "web", {"font.size": rng.uniform(7, 10), "text.color": ink, "xtick.color": ink, "ytick.color": ink, "axes.labelcolor": ink,
                "axes.edgecolor": "#888888", "lines.linewidth": rng.uniform(1.5, 3)},
        PALETTES[pick(rng, ["vega", "google", "highcharts", "tableau"])].split(), ["Liberation Sans", "Roboto", "Open Sans"],
        ("viridis", "Blues", "YlGnBu", "RdYlBu"), grid=pick(rng, ["y", "both", ""]), grid_colour="#dddddd", spines=pick(rng, ["b", "lb", "ltrb", "-"]),
        ticks=pick(rng, ["none", "out"]), edge=pick(rng, [None, "white"]), legend=pick(rng, ["right", "bottom"]), markers="osD^",
    )  # fmt: skip


def _sheet(rng):
    """One of matplotlib's own style sheets, with its colours or with others."""
    name = pick(rng, MATPLOTLIB_STYLES)
    rc = {key: value for key, value in style.library[name].items() if key != "figure.figsize" and "dpi" not in key}
    cycle = rc.get("axes.prop_cycle")
    colours = [entry["color"] for entry in cycle if "color" in entry] if cycle else []
    look = Look("sheet", rc, colours or PALETTES[pick(rng, list(PALETTES))].split())
    look.rc["font.size"] = float(np.clip(float(rc.get("font.size", 10)), 7, 12))
    return look


def _plain(rng):
    """Matplotlib as it comes, or as people change it for papers: fonts, palettes, spines, hatching."""
    look = Look("plain", {"font.size": rng.uniform(7, 12)}, PALETTES[pick(rng, list(PALETTES))].split())
    look.grid = pick(rng, ["", "", "y", "both", "x"])
    look.grid_style = pick(rng, ["-", "--", ":"])
    look.spines = pick(rng, ["", "", "lb", "ltrb", "l", "b"])
    look.ticks = pick(rng, ["", "", "in", "out", "none"])
    look.mirror = look.ticks == "in" and rng.random() < 0.6
    look.fill = pick(rng, ["solid"] * 6 + ["hollow", "hatch", "hatch", "grey"])
    look.edge = pick(rng, [None, None, "black", "white", "#333333"])
    if rng.random() < 0.25:
        look.panel = colorsys_hex(rng.random(), 0.95, rng.uniform(0, 0.5))
    if rng.random() < 0.1:
        look.palette = [colorsys_hex(rng.random(), rng.uniform(0.3, 0.75), rng.uniform(0.3, 1)) for _ in range(8)]
    return look


def _dark(rng):
    """Light ink on a dark page, as dashboards and slides have it."""
    back = pick(rng, ["#000000", "#1e1e1e", "#0d1b2a", "#222831", "#2b2b2b"])
    ink = pick(rng, ["#ffffff", "#dddddd", "#b0bec5"])
    rc = {key: ink for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")}
    rc |= {"figure.facecolor": back, "font.size": rng.uniform(7, 11), "savefig.facecolor": back}
    return Look("dark", rc, PALETTES[pick(rng, ["plotly", "brewer2", "hue", "vega", "highcharts"])].split(), grid=pick(rng, ["", "y", "both"]),
                grid_colour="#444444", panel=back, spines=pick(rng, ["lb", "ltrb", "-"]), edge=pick(rng, [None, ink, back]))  # fmt: skip


LOOKS = (
    [_gnuplot] * 12 + [_r_base] * 12 + [_ggplot] * 11 + [_plotly] * 10 + [_bokeh] * 5 + [_excel] * 9 + [_matlab] * 7 + [_web] * 9
    + [_sheet] * 9 + [_plain] * 20 + [_dark] * 4
)  # fmt: skip


def colorsys_hex(hue: float, lightness: float, saturation: float) -> str:
    """A colour given by hue, lightness and saturation as #rrggbb."""
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def random_look(rng: np.random.Generator) -> Look:
    """A look with its random details settled."""
    look = pick(rng, LOOKS)(rng)
    if not look.fonts and look.name != "sheet":
        look.fonts = SERIF if rng.random() < 0.25 else [pick(rng, SANS)] + SANS
        if look.fonts is SERIF:
            look.fonts = [pick(rng, SERIF)] + SERIF
    if look.fill == "grey":
        look.palette = PALETTES["greys"].split()[2:5] + PALETTES["greys"].split()
    shift = int(rng.integers(len(look.palette))) if rng.random() < 0.3 else 0
    look.palette = look.palette[shift:] + look.palette[:shift]
    return look
