#!/usr/bin/env python3
"""Computes how long a step of pre-training takes on several machines, and how much of it is spent computing.

    python3 tools/network_need.py --images-per-second vit-small=90 vit-base=30 vit-large=10

The rates are those of one machine, as `vit benchmark --task pretrain` measures them. The formula is that of the page "On a
cluster".
"""

import argparse

# Width and depth of the encoders; patches of 16 pixels.
ENCODERS = {
    "vit-tiny": (192, 12), "vit-small": (384, 12), "vit-base": (768, 12), "vit-large": (1024, 24), "vit-huge": (1280, 32),
}
PATCH = 16 * 16 * 3


def blocks(width, depth):
    """Attention of 4 matrices, an MLP of 8, their biases, and two norms."""
    return depth * (12 * width**2 + 13 * width)


def weights(model):
    """Those of the encoder, and of the decoder that `vit pretrain` takes for it."""
    width, depth = ENCODERS[model]
    encoder = PATCH * width + width + width + blocks(width, depth) + 2 * width
    narrow = min(512, 2 * width // 3)
    decoder = width * narrow + 2 * narrow + blocks(narrow, 8 if width >= 768 else 4) + 2 * narrow + narrow * PATCH + PATCH
    return encoder + decoder


def step(model, batch, rate, machines, processes, gigabits, delay, add):
    """Seconds of a step, and of these the ones on the network."""
    count = weights(model)
    network = 64 * count * processes * (machines - 1) / machines / (gigabits * 1e9) + 6 * delay
    return batch / (rate * machines) + network + add * count * (machines > 1), network


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--images-per-second", nargs="+", required=True, metavar="MODEL=RATE", help="rates of one machine")
    parser.add_argument("--batches", nargs="+", type=int, default=[1024, 4096])
    parser.add_argument("--gigabits", nargs="+", type=float, default=[1, 10, 100])
    parser.add_argument("--machines", nargs="+", type=int, default=[2, 4, 8, 16, 32, 64])
    parser.add_argument("--processes", type=int, default=1, help="on each machine")
    parser.add_argument("--delay", type=float, default=1e-4, help="seconds that a message takes on its way")
    parser.add_argument("--add", type=float, default=7e-9, help="seconds that adding and copying take for a weight")
    arguments = parser.parse_args()
    print("| model | batch | Gb/s | " + " | ".join(f"{count} machines" for count in arguments.machines) + " |")
    print("|---|---|---|" + "---|" * len(arguments.machines))
    for entry in arguments.images_per_second:
        model, rate = entry.split("=")
        for batch in arguments.batches:
            for gigabits in arguments.gigabits:
                cells = []
                for machines in arguments.machines:
                    seconds, _ = step(
                        model, batch, float(rate), machines, arguments.processes, gigabits, arguments.delay,
                        arguments.add)
                    speedup = batch / float(rate) / seconds
                    cells.append(f"{seconds:.2f} s, {speedup:.1f}×")
                print(f"| {model} | {batch:,} | {gigabits:g} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
