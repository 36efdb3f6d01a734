"""Box plots, violins, planes and round charts, as commands of gnuplot; pies as in its own demonstrations."""

from __future__ import annotations

import math
import random

from data import FILLS, Words, amounts, block, colour, density, key, maybe, sample, sequence, surface

PALETTES = (
    "set palette",  # as it is: black, violet, red, yellow
    "set palette",
    "set palette gray",
    "set palette rgbformulae 33,13,10",
    "set palette rgbformulae 30,31,32",
    'set palette defined (0 "blue", 1 "white", 2 "red")',
    "set palette cubehelix",
)


def groups(rng: random.Random, count: int) -> list[list[float]]:
    """Samples whose means differ."""
    size = rng.randint(30, 150)
    return [[value + rng.uniform(-1, 1) * 0.1 for value in sample(rng, size)] for _ in range(count)]


def category_tics(names: list[str]) -> str:
    return "set xtics (" + ", ".join(f'"{name}" {index + 1}' for index, name in enumerate(names)) + ")"


def box(rng: random.Random, words: Words) -> list[str]:
    quantity, count = words.one(rng, "quantities"), rng.randint(2, 7)
    names, samples = words.categories(rng, count), groups(rng, count)
    head = words.axes(rng, quantity, abscissa=False) + [category_tics(names), f"set xrange [0.3:{count + 0.7}]"]
    head += [f"set style fill {rng.choice(FILLS[:3] + ('empty',))}"] + maybe(rng, 0.3, "set grid ytics") + sequence(rng)
    if rng.random() < 0.35:
        rows = []
        for index, values in enumerate(samples):
            values.sort()
            rows.append([index + 1] + [values[int(part * (len(values) - 1))] for part in (0.25, 0.02, 0.98, 0.75, 0.5)])
        tint = colour(rng)
        boxes = f"$data using 1:2:3:4:5 with candlesticks {tint} notitle whiskerbars"
        return (
            block(rows)
            + head
            + ["set boxwidth 0.4", f"plot {boxes}, '' using 1:6:6:6:6 with candlesticks lt -1 notitle"]
        )
    rows = [[index + 1, value] for index, values in enumerate(samples) for value in values]
    tint = "" if rng.random() < 0.5 else colour(rng, 1)
    plots = [f"$data using ({i + 1}):($1=={i + 1}?$2:NaN) with boxplot {tint} notitle" for i in range(count)]
    style = f"set style boxplot {rng.choice(('outliers pointtype 7', 'outliers', 'nooutliers'))}"
    return block(rows) + head + [style, "set boxwidth 0.5", "plot " + ", ".join(plots)]


def violin(rng: random.Random, words: Words) -> list[str]:
    quantity, count = words.one(rng, "quantities"), rng.randint(2, 6)
    names, half, inner = words.categories(rng, count), rng.random() < 0.15, rng.random() < 0.5
    blocks, plots, tint = [], [], colour(rng, 0.6)
    for index, values in enumerate(groups(rng, count)):
        curve = density(values)
        widest = max(height for _, height in curve)
        right = [[index + 1 + 0.4 * height / widest, at] for at, height in curve]
        left = [[index + 1 if half else 2 * (index + 1) - x, at] for x, at in reversed(right)]
        blocks += [line.replace("$data", f"$curve{index}") for line in block(right + left + right[:1])]
        blocks += [line.replace("$data", f"$sample{index}") for line in block([[value] for value in values])]
        plots.append(f"$curve{index} using 1:2 with filledcurves closed {tint} notitle")
        plots += [f"$sample{index} using ({index + 1}):1 with boxplot lt -1 notitle"] if inner else []
    fill = rng.choice(("solid border -1", "solid 0.4 border -1", "solid 0.6", "transparent solid 0.5 border"))
    return (
        blocks
        + words.axes(rng, quantity, abscissa=False)
        + [category_tics(names), f"set xrange [0.3:{count + 0.7}]"]
        + maybe(rng, 0.3, "set grid ytics")
        + sequence(rng)
        + [f"set style fill {fill}", "set style boxplot nooutliers", "set boxwidth 0.08", "plot " + ", ".join(plots)]
    )


def contour(rng: random.Random, words: Words) -> list[str]:
    """Level lines seen from above; or steps of colour, with or without lines between them."""
    span = ["set xrange [-3:3]", "set yrange [-3:3]", "set isosamples 80", "set samples 80", "set view map"]
    head = words.axes(rng, words.one(rng, "quantities")) + span + sequence(rng)
    levels = rng.randint(6, 14)
    lines = ["set contour base", f"set cntrparam levels auto {levels}", "set cntrparam bspline"]
    if rng.random() < 0.35:
        steps = [rng.choice(PALETTES), f"set palette maxcolors {levels}", "set pm3d map interpolate 3,3"]
        over = lines + ["unset key"] if rng.random() < 0.5 else []
        return head + steps + over + [f"splot {surface(rng)} with pm3d notitle"]
    plain = "lt -1" if rng.random() < 0.3 else ""
    legend = rng.choice((["unset key"], ["set key outside"], []))
    formula = surface(rng)
    if rng.random() < 0.4:
        return (
            head
            + lines
            + ["unset surface", "unset key", "set cntrlabel onecolor start 50 interval 2000"]
            + [f"splot {formula} with lines lt -1, {formula} with labels"]
        )
    return head + lines + legend + ["unset surface", f'splot {formula} with lines {plain} title "level"']


def heatmap(rng: random.Random, words: Words) -> list[str]:
    quantity = words.one(rng, "quantities")
    head = words.title(rng, quantity) + [rng.choice(PALETTES)] + maybe(rng, 0.5, f'set cblabel "{quantity}"')
    if rng.random() < 0.35:
        size = rng.randint(15, 60)
        span = [
            "set xrange [-3:3]",
            "set yrange [-3:3]",
            f"set isosamples {size}",
            f"set samples {size}",
            "set view map",
        ]
        return head + span + [f"splot {surface(rng)} with pm3d notitle"]
    rows, columns = rng.randint(4, 10), rng.randint(4, 8)
    values = [[rng.uniform(0, 100) for _ in range(columns)] for _ in range(rows)]
    if rng.random() < 0.7:
        tics = ", ".join(f'"{name}" {index}' for index, name in enumerate(words.categories(rng, columns)))
        head += [f"set xtics ({tics})"]
    plot = "plot $data matrix with image notitle"
    if rng.random() < 0.4:
        plot += ', $data matrix using 1:2:(sprintf("%.0f", $3)) with labels notitle'
    limits = [f"set xrange [-0.5:{columns - 0.5}]", f"set yrange [-0.5:{rows - 0.5}]"]
    return block(values) + head + limits + maybe(rng, 0.4, "unset key", "set tics scale 0") + [plot]


def pie(rng: random.Random, words: Words) -> list[str]:
    quantity, count = words.one(rng, "quantities"), rng.randint(3, 8)
    values, names = amounts(rng, count), words.categories(rng, count)
    turn, rows, angle = 360 / sum(values), [], rng.choice((0.0, 90.0))
    listed, percent = rng.random() < 0.3, rng.random() < 0.5
    for index, value in enumerate(values):
        end, middle = angle + value * turn, math.radians(angle + value * turn / 2)
        label = f'"{names[index]}"' if not percent else f'"{value * turn / 3.6:.0f}%"'
        rows.append([angle, end, index + 1, 1.2 * math.cos(middle), 1.2 * math.sin(middle), label])
        angle = end
    wedges = [
        f'$data every ::{i}::{i} using (0):(0):(1):1:2 with circles lt {i + 1} title "{names[i]}"' for i in range(count)
    ]
    if not listed and not percent:
        wedges = ["$data using (0):(0):(1):1:2:3 with circles linecolor variable notitle"]
    if not listed:
        wedges.append("$data using 4:5:6 with labels notitle")
    hole = (
        ["set object circle at 0,0 size 0.5 front fillcolor rgb 'white' fillstyle solid"] if rng.random() < 0.15 else []
    )
    return (
        block(rows)
        + words.title(rng, quantity)
        + sequence(rng)
        + hole
        + [
            "set size ratio -1",
            "unset border",
            "unset tics",
            "set key outside",
            "set xrange [-1.5:1.5]",
            "set yrange [-1.4:1.4]",
        ]
        + [
            f"set style fill {rng.choice(('solid', 'solid border -1', 'solid 0.6 border -1'))}",
            "plot " + ", ".join(wedges),
        ]
    )


def polar(rng: random.Random, words: Words) -> list[str]:
    """Curves and points in polar axes, or a spider chart."""
    quantity, series = words.one(rng, "quantities"), rng.randint(1, 3)
    titles = words.series(rng, series)
    if rng.random() < 0.3:
        return spider(rng, words, titles)
    head = words.title(rng, quantity) + [
        "set polar",
        "set angles degrees",
        "set size square",
        f"set grid polar {rng.choice((30, 30, 45))}",
    ]
    bare = (
        ["unset border", "unset xtics", "unset ytics", "set ttics 0,30", "set rtics"]
        if rng.random() < 0.7
        else ["set rtics"]
    )
    head += bare + key(rng) + sequence(rng) + ["set trange [0:360]", "set samples 400"]
    if rng.random() < 0.35:
        direction = rng.uniform(0, 360)
        rows = [[rng.gauss(direction, 40), abs(rng.gauss(5, 2))] for _ in range(rng.randint(30, 120))]
        return block(rows) + head + [f"plot $data using 1:2 with points {rng.choice(('', 'pt 7', 'pt 6'))} notitle"]
    formulas = [
        rng.choice(
            (
                f"abs(cos({rng.randint(1, 4)}*t))",
                f"{rng.uniform(0.3, 1):.2f}*(1+cos(t))",
                "t/360.0",
                f"0.6+0.2*sin({rng.randint(2, 6)}*t)",
            )
        )
        for _ in range(series)
    ]
    style = rng.choice(("lines", "lines", "lines lw 2", "filledcurves closed fs transparent solid 0.4"))
    return head + [
        "plot " + ", ".join(f'{formula} with {style} title "{title}"' for formula, title in zip(formulas, titles))
    ]


def spider(rng: random.Random, words: Words, titles: list[str]) -> list[str]:
    names = words.categories(rng, rng.choice((5, 6)))
    rows = [[f'"{title}"'] + [rng.uniform(20, 100) for _ in names] for title in titles]
    axes = [f"set paxis {i + 1} range [0:100]" for i in range(len(names))] + ["set paxis 1 tics 25"]
    plots = [f'$data using {i + 2} title "{name}"' for i, name in enumerate(names)]
    plots[0] = plots[0].replace(" title", ":key(1) title")
    return (
        block(rows)
        + words.title(rng, words.one(rng, "quantities"))
        + ["set spiderplot", "set style data spiderplot"]
        + axes
        + [f"set style spiderplot fillstyle transparent solid {rng.choice(('0.3', '0.1'))} border linewidth 2"]
        + ["set grid spider lt black lw 0.3", "plot " + ", ".join(plots)]
    )
