#!/usr/bin/env python3
"""Writes the goldens that the tests of Compute, Layers and Models hold to: Tests/Fixtures/numerics/.

    python tools/make_fixtures.py [FOLDER]

From PyTorch, timm and transformers in the versions of requirements.txt; see Tests/Fixtures/README.md for the format.
"""

import argparse
from pathlib import Path

import torch

import fixtures_features
import fixtures_finetuning
import fixtures_mae
import fixtures_metrics
import fixtures_mixing
import fixtures_models
import fixtures_operations
import fixtures_probe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "numerics"
    parser.add_argument("folder", type=Path, nargs="?", default=default)
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    parts = (
        fixtures_operations, fixtures_models, fixtures_mae, fixtures_features, fixtures_mixing, fixtures_metrics,
        fixtures_probe, fixtures_finetuning,
    )  # fmt: skip
    for part in parts:
        part.write(folder)


if __name__ == "__main__":
    main()
