"""Kinds of charts along two axes, as commands of gnuplot: its defaults changed a little, with random data in them."""

from __future__ import annotations

import random

from data import FILLS, Words, amounts, block, colour, course, key, maybe, sample, sequence


def area(rng: random.Random, words: Words) -> list[str]:
    quantity, count, series = words.one(rng, "quantities"), rng.randint(12, 80), rng.randint(1, 4)
    columns = [[60 + 40 * value for value in course(rng, count)] for _ in range(series)]
    if series > 1 and rng.random() < 0.5:  # a stack, the tallest sum behind
        columns = [[sum(values) for values in zip(*columns[: depth + 1])] for depth in range(series)][::-1]
        style = "solid 1.0"
    else:
        style = "transparent solid 0.5" if series > 1 else rng.choice(("solid 1.0", "solid 0.4", "pattern 2"))
    names = words.series(rng, series)
    plots = [
        f'$data using 1:{i + 2} with filledcurves y1=0 {colour(rng, 0.2)} title "{names[i]}"' for i in range(series)
    ]
    return (
        block([[1990 + step] + [column[step] for column in columns] for step in range(count)])
        + words.axes(rng, quantity)
        + key(rng)
        + sequence(rng)
        + maybe(rng, 0.3, "set grid")
        + [f"set style fill {style}", "set yrange [0:*]", "plot " + ", ".join(plots)]
    )


def bar(rng: random.Random, words: Words) -> list[str]:
    quantity, count = words.one(rng, "quantities"), rng.randint(3, 9)
    names, values = words.categories(rng, count), amounts(rng, count)
    drawn = "1:3:xtic(2) with boxes " + colour(rng, 0.6)
    if rng.random() < 0.3:
        drawn = "1:3:1:xtic(2) with boxes linecolor variable"
    title = f'title "{words.series(rng, 1)[0]}"' if rng.random() < 0.4 else "notitle"
    return (
        block([[index, f'"{names[index]}"', values[index]] for index in range(count)])
        + words.axes(rng, quantity, abscissa=False)
        + maybe(rng, 0.3, "set grid ytics")
        + maybe(rng, 0.4, "set xtics rotate by -45")
        + [f"set style fill {rng.choice(FILLS)}", f"set boxwidth {rng.choice((0.5, 0.7, 0.9))}", "set yrange [0:*]"]
        + [f"plot $data using {drawn} {title}"]
    )


def clusters(rng: random.Random, words: Words, style: str) -> list[str]:
    """Bars of several series, by gnuplot's histogram styles."""
    quantity, count, series = words.one(rng, "quantities"), rng.randint(3, 7), rng.randint(2, 4)
    names, titles = words.categories(rng, count), words.series(rng, series)
    rows = [[f'"{names[index]}"'] + [rng.uniform(10, 100) for _ in range(series)] for index in range(count)]
    plots = [f'$data using {i + 2}:xtic(1) title "{titles[i]}"' for i in range(series)]
    return (
        block(rows)
        + words.axes(rng, quantity, abscissa=False)
        + key(rng)
        + sequence(rng)
        + maybe(rng, 0.3, "set grid ytics")
        + maybe(rng, 0.4, "set xtics rotate by -45")
        + maybe(rng, 0.2, "set border 3")
        + [
            "set style data histograms",
            f"set style histogram {style}",
            f"set style fill {rng.choice(FILLS)}",
            "set yrange [0:*]",
        ]
        + (["set boxwidth 0.75"] if style == "rowstacked" else maybe(rng, 0.5, "set boxwidth 0.9"))
        + ["plot " + ", ".join(plots)]
    )


def grouped_bar(rng: random.Random, words: Words) -> list[str]:
    return clusters(rng, words, f"clustered gap {rng.choice((1, 1, 2))}")


def stacked_bar(rng: random.Random, words: Words) -> list[str]:
    return clusters(rng, words, "rowstacked")


def horizontal_bar(rng: random.Random, words: Words) -> list[str]:
    quantity, count = words.one(rng, "quantities"), rng.randint(3, 9)
    names, values, half = words.categories(rng, count), amounts(rng, count), rng.choice((0.25, 0.35, 0.4))
    tint = "linecolor variable" if rng.random() < 0.3 else colour(rng, 0.6)
    using = f"(0.5*$3):1:(0.5*$3):({half})" + (":1" if "variable" in tint else "") + ":ytic(2)"
    return (
        block([[index, f'"{names[index]}"', values[index]] for index in range(count)])
        + words.title(rng, quantity)
        + [f'set xlabel "{quantity}"', f"set style fill {rng.choice(FILLS)}"]
        + maybe(rng, 0.3, "set grid xtics")
        + maybe(rng, 0.3, "set border 3")
        + [
            "set xrange [0:*]",
            f"set yrange [-0.7:{count - 0.3}]",
            f"plot $data using {using} with boxxyerror {tint} notitle",
        ]
    )


def histogram(rng: random.Random, words: Words) -> list[str]:
    values, bins = sample(rng, rng.randint(80, 2000)), rng.randint(10, 40)
    quantity, label = words.one(rng, "quantities"), rng.choice(("Frequency", "Count", "Number of observations"))
    low, width = min(values), (max(values) - min(values)) / bins
    middle = f"({low:.4g}+{width:.4g}*(floor(($1-({low:.4g}))/{width:.4g})+0.5))"
    counted = f"1 bins={bins} with boxes" if rng.random() < 0.5 else f"{middle}:(1.0) smooth frequency with boxes"
    return (
        block([[value] for value in values])
        + words.title(rng, quantity)
        + [f'set xlabel "{quantity}"', f'set ylabel "{label}"']
        + [f"set style fill {rng.choice(FILLS)}", f"set boxwidth {width:.4g}", "set yrange [0:*]"]
        + maybe(rng, 0.2, "set grid")
        + [f"plot $data using {counted} {colour(rng)} " + rng.choice(("notitle", 'title "sample"'))]
    )


def line(rng: random.Random, words: Words) -> list[str]:
    quantity, count, series = words.one(rng, "quantities"), rng.randint(6, 70), rng.randint(1, 5)
    columns = [[60 + 40 * value for value in course(rng, count)] for _ in range(series)]
    styles = ["lines", "lines", "linespoints", "lines lw 2"] + (
        ["steps"] if count > 25 else ["linespoints pt 7", "yerrorlines"]
    )
    style = rng.choice(styles)
    titles = words.series(rng, series)
    plots = []
    for i in range(series):
        error = f":({rng.uniform(2, 6):.2g})" if style == "yerrorlines" else ""
        plots.append(f'$data using 1:{i + 2}{error} with {style} {colour(rng, 0.15)} title "{titles[i]}"')
    return (
        block([[(step + 1) * 2] + [column[step] for column in columns] for step in range(count)])
        + words.axes(rng, quantity)
        + key(rng)
        + sequence(rng)
        + maybe(rng, 0.4, "set grid")
        + maybe(rng, 0.15, "set logscale y")
        + maybe(rng, 0.2, "set border 3", "set tics nomirror")
        + ["plot " + ", ".join(plots)]
    )


def scatter(rng: random.Random, words: Words) -> list[str]:
    quantity, clouds = words.one(rng, "quantities"), rng.choice((1, 1, 2, 3))
    rows = []
    for cloud in range(clouds):
        centre, slope, spread = rng.uniform(0, 40), rng.uniform(-2, 2), rng.uniform(3, 15)
        for _ in range(rng.randint(20, 150)):
            x = rng.gauss(centre, spread)
            rows.append([x, slope * (x - centre) + rng.gauss(cloud * 20, spread), cloud, rng.uniform(0.5, 3)])
    style = rng.choice(("points", "points", "points pt 7", "points pt 6", "points pt 2"))
    names = words.series(rng, clouds)
    plots = [
        f'$data using 1:($3=={i}?$2:NaN) with {style} {colour(rng, 0.2)} title "{names[i]}"' for i in range(clouds)
    ]
    head = words.axes(rng, quantity) + key(rng) + sequence(rng) + maybe(rng, 0.35, "set grid")
    if rng.random() < 0.15:
        plots = ["$data using 1:2:4 with points pt 7 ps variable notitle"]
    elif rng.random() < 0.15:
        plots = ["$data using 1:2:2 with points pt 7 palette notitle"]
    elif rng.random() < 0.3:
        head += ["set fit quiet logfile '/dev/null'", "f(x) = a*x + b", "fit f(x) $data using 1:2 via a, b"]
        plots.append('f(x) with lines lw 2 title "fit"')
    return block(rows) + head + ["plot " + ", ".join(plots)]
