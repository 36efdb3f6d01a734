#!/usr/bin/env python3
"""Holds `vit classify` to PyTorch: the same checkpoints, the same photos, from the files to the logits.

    python tools/verify_logits.py --photos DIR [--case NAME …] [--vit .build/release/vit] [--work DIR --keep]

Writes full-size checkpoints of random weights (see random_weights.py and logit_cases.py), computes their logits with
timm and transformers in float32 over Pillow's pixels, runs the executable on the same files, and prints a Markdown
table. Exits with 1 where a logit differs by more than the tolerance. The checkpoints take 2.6 GB with --keep, and
350 MB without.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from logit_cases import CASES, Case, reference_logits

TOLERANCE = 1e-4
TOP_K = 5


def main() -> int:
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    photos = choose_photos(options.photos, options.count, options.seed)
    cases = [case for case in CASES if not options.case or case.name in options.case]
    work = options.work or Path(tempfile.mkdtemp(prefix="verify-logits-"))
    print("| case | reference | spread: classes, photos | max difference | top-1 agrees |")
    print("|---|---|---|---|---|")
    failures = 0
    try:
        for case in cases:
            row, complaint = compare(case, work / case.name, photos, options)
            print(row, flush=True)
            if complaint:
                failures += 1
                print(f"{case.name}: {complaint}", file=sys.stderr)
            if not options.keep:
                shutil.rmtree(work / case.name)
    finally:
        if not options.work and not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    done = "computed" if options.reference_only else f"within {TOLERANCE:g}"
    print(f"\n{len(cases) - failures} of {len(cases)} cases {done} on {len(photos)} photos.")
    return 1 if failures else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEG or PNG files, walked recursively")
    parser.add_argument("--count", type=int, default=20, help="how many of them, chosen by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only this one; repeatable")
    parser.add_argument("--work", type=Path, help="where checkpoints and logits go; default: a temporary folder")
    parser.add_argument("--keep", action="store_true", help="keep checkpoints and logits, and use those that are there")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    parser.add_argument("--reference-only", action="store_true", help="write checkpoints and logits, run no executable")
    options = parser.parse_args()
    if not options.reference_only and not options.vit.is_file():
        parser.error(f"no executable at {options.vit}: build it with `swift build -c release`, or name it with --vit")
    return options


def choose_photos(folder: Path, count: int, seed: int) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if len(found) < count:
        raise SystemExit(f"{folder} holds {len(found)} photos, {count} are wanted")
    return random.Random(seed).sample(found, count)


def compare(case: Case, folder: Path, photos: list[Path], options: argparse.Namespace) -> tuple[str, str | None]:
    """A row of the table, and what is wrong, if anything is."""
    checkpoint, expected = prepare(case, folder, photos)
    spread = f"{expected.std(axis=1).mean():.2f}, {expected.std(axis=0).mean():.2f}"
    start = f"| {case.name} | {case.reference} | {spread} |"
    if expected.std() <= 1:
        return f"{start} – | – |", "the reference's logits spread by less than 1: the comparison would show nothing"
    if options.reference_only:
        return f"{start} – | – |", None
    output = folder / "actual.npy"
    output.unlink(missing_ok=True)
    command = [options.vit, "classify", *photos, "--model", checkpoint, "--logits", output]
    command += ["--format", "jsonl", "--top-k", TOP_K, "--batch-size", 8, "--quiet", *case.arguments]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        return f"{start} failed | – |", f"exit code {run.returncode}: {run.stderr.strip()}"
    actual = np.load(output)
    if actual.shape != expected.shape or actual.dtype != np.float32:
        return f"{start} failed | – |", f"wrote {actual.dtype} {actual.shape}, expected float32 {expected.shape}"
    difference = float(np.abs(actual - expected).max())
    agreeing = int((actual.argmax(axis=1) == expected.argmax(axis=1)).sum())
    row = f"{start} {difference:.1e} | {agreeing}/{len(photos)} |"
    if not difference <= TOLERANCE:
        worst = np.abs(actual - expected).max(axis=1)
        return row, f"differs by {difference:.2e}; photos from {worst.min():.2e} to {worst.max():.2e}. {run.stderr.strip()}"
    return row, check_lines(run.stdout, photos, actual)


def prepare(case: Case, folder: Path, photos: list[Path]) -> tuple[Path, np.ndarray]:
    """The checkpoint and the reference's logits; from an earlier run where that was kept."""
    record = folder / "reference.json"
    wanted = {"reference": case.reference, "photos": [str(photo) for photo in photos]}
    if record.is_file():
        kept = json.loads(record.read_text())
        if {key: kept.get(key) for key in wanted} == wanted:
            return folder / kept["checkpoint"], np.load(folder / "expected.npy")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "checkpoint").mkdir(parents=True)
    checkpoint = case.build(folder / "checkpoint")
    expected = reference_logits(case, checkpoint, photos)
    np.save(folder / "expected.npy", expected)
    record.write_text(json.dumps(wanted | {"checkpoint": str(checkpoint.relative_to(folder))}))
    return checkpoint, expected


def check_lines(text: str, photos: list[Path], logits: np.ndarray) -> str | None:
    """Whether the printed lines say what the logits say."""
    lines = [json.loads(line) for line in text.splitlines()]
    if [line["path"] for line in lines] != [str(photo) for photo in photos]:
        return "the printed paths are not the photos in the order given"
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    for line, row in zip(lines, probabilities):
        predictions = line["predictions"]
        if len(predictions) != min(TOP_K, len(row)):
            return f"{line['path']}: {len(predictions)} predictions"
        for prediction, best in zip(predictions, np.sort(row)[::-1]):
            stated = prediction["probability"]
            if abs(stated - best) > 1e-4 or abs(row[prediction["index"]] - best) > 1e-4:
                return f"{line['path']}: {prediction} where the logits give {best:.6f}"
    return None


if __name__ == "__main__":
    sys.exit(main())
