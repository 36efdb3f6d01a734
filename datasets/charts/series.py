"""Random numbers that look like measured ones."""

from __future__ import annotations

import numpy as np


def scale(rng: np.random.Generator) -> float:
    """A magnitude between thousandths and millions, mostly ordinary."""
    return float(10.0 ** rng.normal(1.0, 1.3))


def amounts(rng: np.random.Generator, count: int) -> np.ndarray:
    """Positive heights (count,), as bars and slices show them."""
    shape = rng.integers(5)
    if shape == 0:
        values = rng.uniform(0.1, 1, count)
    elif shape == 1:
        values = rng.lognormal(0, 0.7, count)
    elif shape == 2:
        values = np.sort(rng.exponential(1, count) + 0.08)[:: int(rng.choice([-1, 1]))]
    elif shape == 3:
        values = np.linspace(0.3, 1, count)[:: int(rng.choice([-1, 1]))] + rng.normal(0, 0.07, count)
    else:
        values = rng.normal(1, 0.12, count)
    return np.clip(values, 0.03, None) * scale(rng)


def curve(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Abscissae and values (count,) of one line, noise included."""
    t = np.linspace(0, 1, count)
    shape = rng.integers(8)
    if shape == 0:
        y = np.cumsum(rng.normal(rng.normal(0, 0.1), 1, count)) / np.sqrt(count)
    elif shape == 1:
        y = np.sin(2 * np.pi * (t * rng.uniform(0.5, 5) + rng.random())) * np.exp(-t * rng.uniform(0, 3))
    elif shape == 2:
        y = np.exp(-t * rng.uniform(1, 7)) * rng.choice([-1, 1])
    elif shape == 3:
        y = t * rng.normal(0, 1.5) + rng.normal(0, 0.3)
    elif shape == 4:
        y = 1 / (1 + np.exp(-(t - rng.uniform(0.2, 0.8)) * rng.uniform(5, 25))) * rng.choice([-1, 1])
    elif shape == 5:
        y = np.polyval(rng.normal(0, 1, int(rng.integers(3, 5))), 2 * t - 1)
    elif shape == 6:
        y = sum(np.exp(-(((t - rng.random()) / rng.uniform(0.02, 0.2)) ** 2)) for _ in range(int(rng.integers(1, 4))))
    else:
        y = rng.random(count)
    noise = rng.choice([0, 0, 0.02, 0.06, 0.15])
    return t, np.asarray(y) + rng.normal(0, 1, count) * noise


def samples(rng: np.random.Generator, count: int) -> np.ndarray:
    """A sample (count,) of a random distribution."""
    shape = rng.integers(7)
    if shape <= 1:
        values = rng.normal(0, 1, count)
    elif shape == 2:
        values = rng.gamma(rng.uniform(1, 5), 1, count)
    elif shape == 3:
        values = np.where(rng.random(count) < rng.uniform(0.2, 0.8), rng.normal(-2, 0.7, count), rng.normal(1.5, 1, count))
    elif shape == 4:
        values = rng.uniform(-1, 1, count)
    elif shape == 5:
        values = rng.exponential(1, count)
    else:
        values = rng.beta(rng.uniform(0.7, 5), rng.uniform(0.7, 5), count)
    return values * rng.uniform(0.5, 2) + rng.normal(0, 1)


def groups(rng: np.random.Generator, count: int, size: int) -> list[np.ndarray]:
    """Samples of `count` groups on one scale, for boxes and violins."""
    magnitude, centre = scale(rng), rng.normal(0, 3)
    result = []
    for _ in range(count):
        values = samples(rng, size)
        values = (values - values.mean()) / (values.std() + 1e-6) * rng.uniform(0.5, 1.6)
        result.append((centre + rng.normal(0, 0.8) + values) * magnitude)
    return result


def field(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A smooth surface (rows, columns): hills, waves or a saddle."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    z = np.zeros((rows, columns))
    shape = rng.integers(4)
    if shape <= 1:
        for _ in range(int(rng.integers(1, 6))):
            cx, cy, w, h = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.15, 0.8), rng.uniform(0.15, 0.8)
            z += rng.normal(0, 1) * np.exp(-(((x - cx) / w) ** 2) - ((y - cy) / h) ** 2)
    elif shape == 2:
        a, b, c, d = rng.uniform(0.5, 4, 4)
        z = np.sin(a * x + c * y + rng.uniform(0, 6)) * np.cos(b * y - d * x * rng.integers(2) + rng.uniform(0, 6))
    else:
        a, b, c = rng.normal(0, 1, 3)
        z = a * x**2 + b * y**2 + c * x * y + 0.3 * rng.normal() * x
    return z * scale(rng)
