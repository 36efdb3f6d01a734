#!/usr/bin/env python3
"""Links the pictures that `--validation-fraction` holds out into a folder, for programs that do not know the split.

    python tools/held_out.py eurosat-rgb held-out --fraction 0.2 --seed 0

A picture belongs to the part by a hash of its path within the data: FNV-1a and the finaliser of SplitMix64, as a share of
2^64 below the fraction.
"""

from __future__ import annotations

import argparse
from pathlib import Path

WORD = (1 << 64) - 1


def stable_hash(text: str, seed: int) -> int:
    """The package's StableHash of a text."""
    state = 0xCBF29CE484222325
    for byte in (seed.to_bytes(8, "little") if seed else b"") + text.encode():
        state = (state ^ byte) * 0x100000001B3 & WORD
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & WORD
    state = (state ^ state >> 27) * 0x94D049BB133111EB & WORD
    return state ^ state >> 31


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="class folders")
    parser.add_argument("output", type=Path)
    parser.add_argument("--fraction", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = 0
    for path in sorted(options.data.glob("*/*")):
        name = path.relative_to(options.data)
        if (stable_hash(name.as_posix(), options.seed) >> 11) * 2**-53 < options.fraction:
            link = options.output / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
            count += 1
    print(f"{count} pictures")


if __name__ == "__main__":
    main()
