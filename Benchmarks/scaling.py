#!/usr/bin/env python3
"""Times how the cost of a picture depends on threads, on the pictures in a batch, and on the tokens of a picture, in turns.

    python Benchmarks/scaling.py [--rounds 7] [--vit .build/release/vit]

A block of width D costs 12ND² + 2N²D multiply-adds for N tokens: its layers and its attention.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

from turns import Program

REPOSITORY = Path(__file__).resolve().parent.parent
PATCH_SIZE = 16
SMALL_WIDTH = 384


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--vit", type=Path, default=REPOSITORY / ".build/release/vit")
    options = parser.parse_args()
    available = len(os.sched_getaffinity(0))
    for batch_size in (1, 8):
        threads = [count for count in (1, 2, 4, 8, 16) if count <= available]
        times = milliseconds(options, [["--arch", "vit-base", "--batch-size", batch_size, "--threads", count] for count in threads])
        rows = [(count, time, times[0] / time) for count, time in zip(threads, times)]
        report(f"Threads: classify, vit-base, batch {batch_size}", ("threads", "times as fast"), rows)
    batch_sizes = [1, 4, 16, 64]
    times = milliseconds(options, [["--arch", "vit-small", "--batch-size", size, "--threads", 1] for size in batch_sizes])
    rows = [(size, time, time / times[0]) for size, time in zip(batch_sizes, times)]
    report("Pictures: classify, vit-small, one thread", ("batch size", "of a picture alone"), rows)
    sizes = [112, 224, 320, 448]
    times = milliseconds(options, [["--arch", "vit-small", "--image-size", size, "--batch-size", 4, "--threads", 1] for size in sizes])
    tokens = [(size // PATCH_SIZE) ** 2 + 1 for size in sizes]
    costs = [12 * count * SMALL_WIDTH**2 + 2 * count**2 * SMALL_WIDTH for count in tokens]
    rows = [(count, time, time / times[1], cost / costs[1]) for count, time, cost in zip(tokens, times, costs)]
    report("Tokens: classify, vit-small, batch 4, one thread", ("tokens", "of the time of 197", "of their multiply-adds"), rows)


def milliseconds(options: argparse.Namespace, ways: list[list]) -> list[float]:
    """The median of an image's milliseconds in each way."""
    rounds = ["--rounds", options.rounds + 2, "--in-turns", "--format", "json"]
    programs = [Program([options.vit, "benchmark", *way, *rounds]) for way in ways]
    for number in range(options.rounds + 1):
        for program in programs:
            program.take_turn(counts=number > 0)
    for program in programs:
        program.finish()
    return [statistics.median(program.milliseconds) for program in programs]


def report(title: str, columns: tuple[str, ...], rows: list[tuple]) -> None:
    head = [columns[0], "ms an image, median", *columns[1:]]
    print(f"## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for first, *values in rows:
        print(f"| {first} | {' | '.join(f'{value:.2f}' for value in values)} |")
    print(flush=True)


if __name__ == "__main__":
    main()
