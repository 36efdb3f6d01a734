"""Random words, data and settings of gnuplot that the kinds of charts share."""

from __future__ import annotations

import math
import random
from pathlib import Path

COLOURS = (
    "steelblue",
    "red",
    "dark-green",
    "orange",
    "grey60",
    "navy",
    "#4682b4",
    "#cc3333",
    "gold",
    "#999999",
    "skyblue",
    "black",
)
FILLS = ("solid", "solid 0.5", "solid border -1", "pattern", "empty", "solid 0.3 border", "pattern 3 border -1")


def block(rows: list) -> list[str]:
    """Rows as a named data block."""
    lines = [" ".join(value if isinstance(value, str) else f"{value:.6g}" for value in row) for row in rows]
    return ["$data << EOD", *lines, "EOD"]


def colour(rng: random.Random, chance: float = 0.5) -> str:
    """A named colour, or none: gnuplot's own."""
    return f'lc rgb "{rng.choice(COLOURS)}"' if rng.random() < chance else ""


def maybe(rng: random.Random, chance: float, *commands: str) -> list[str]:
    return list(commands) if rng.random() < chance else []


def key(rng: random.Random) -> list[str]:
    return rng.choice(([], [], ["set key top left"], ["set key outside"], ["set key bottom right box"]))


def sequence(rng: random.Random) -> list[str]:
    """Which colours series have in turn: gnuplot 5's, those of old versions, or those for the colour-blind."""
    return rng.choice(([], [], ["set colorsequence classic"], ["set colorsequence podo"]))


def course(rng: random.Random, count: int) -> list[float]:
    """A series over time between about -1 and 1."""
    shape, rate, noise, level, values = rng.randrange(5), rng.uniform(0.5, 4), rng.uniform(0, 0.08), 0.0, []
    for step in range(count):
        t = step / max(count - 1, 1)
        level += rng.gauss(0.01, 0.12)
        smooth = (
            level,
            math.sin(2 * math.pi * t * rate),
            math.exp(-t * rate),
            math.tanh(3 * rate * (t - 0.5)),
            t * (rate - 2),
        )
        values.append(smooth[shape] + rng.gauss(0, noise))
    largest = max(abs(value) for value in values)
    return [value / largest for value in values]


def amounts(rng: random.Random, count: int) -> list[float]:
    scale = 10 ** rng.uniform(0, 4)
    return [scale * rng.lognormvariate(0, 0.5) for _ in range(count)]


def sample(rng: random.Random, count: int) -> list[float]:
    if rng.random() < 0.25:
        return [rng.expovariate(0.2) for _ in range(count)]
    centre, width, second = rng.uniform(20, 80), rng.uniform(2, 10), rng.choice((0, 0, 3))
    return [rng.gauss(centre + second * width * rng.randrange(2), width) for _ in range(count)]


def density(values: list[float], points: int = 60) -> list[tuple[float, float]]:
    """The Gaussian kernel density of a sample with Silverman's bandwidth (1986, equation 3.28)."""
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    bandwidth = 1.06 * deviation * len(values) ** -0.2
    low, high = min(values) - 2 * bandwidth, max(values) + 2 * bandwidth
    at = [low + (high - low) * step / (points - 1) for step in range(points)]
    return [(x, sum(math.exp(-0.5 * ((x - value) / bandwidth) ** 2) for value in values)) for x in at]


def surface(rng: random.Random) -> str:
    """A formula over x and y from -3 to 3."""
    bumps = []
    for _ in range(rng.randint(2, 5)):
        x, y, height, width = (rng.uniform(*span) for span in ((-2, 2), (-2, 2), (-2, 2), (0.5, 3)))
        bumps.append(f"{height:.2f}*exp(-((x-({x:.2f}))**2+(y-({y:.2f}))**2)/{width:.2f})")
    wave = f"sin({rng.uniform(0.6, 2):.2f}*x)*cos({rng.uniform(0.6, 2):.2f}*y)"
    return rng.choice(("+".join(bumps), "+".join(bumps), wave, "x**2-y**2+x*y", "sin(sqrt(x**2+y**2)*2)"))


class Words:
    """The lists of words.txt by name."""

    def __init__(self, path: Path) -> None:
        self.lists: dict[str, list[list[str]]] = {}
        for line in path.read_text().splitlines():
            name, entries = line.split(": ", 1)
            self.lists.setdefault(name, []).append(entries.split("; "))

    def one(self, rng: random.Random, name: str) -> str:
        return rng.choice(self.lists[name][0])

    def series(self, rng: random.Random, count: int) -> list[str]:
        return rng.sample(self.lists["series"][0], count)

    def categories(self, rng: random.Random, count: int) -> list[str]:
        return rng.choice([entries for entries in self.lists["categories"] if len(entries) >= count])[:count]

    def title(self, rng: random.Random, quantity: str) -> list[str]:
        """The command for a title, which one chart in four has not."""
        if rng.random() < 0.25:
            return []
        return [f'set title "{quantity.split(" (")[0]} of {self.one(rng, "subjects")}"']

    def axes(self, rng: random.Random, quantity: str, abscissa: bool = True) -> list[str]:
        """The commands for a title and the labels of the axes."""
        x = [f'set xlabel "{self.one(rng, "abscissae")}"'] if abscissa and rng.random() < 0.85 else []
        y = [f'set ylabel "{quantity}"'] if rng.random() < 0.85 else []
        return self.title(rng, quantity) + x + y
