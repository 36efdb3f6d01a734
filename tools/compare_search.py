#!/usr/bin/env python3
"""Times `vit search` beside NumPy and faiss's flat index, in turns, and compares the answers.

    python tools/compare_search.py [--rows 1000000] [--width 768] [--queries 100] [--threads N] [--vit .build/release/vit]

The index is random float16 in a .npy. NumPy and faiss read it too, as a program would that has to answer these queries:
NumPy in blocks of rows through a memory map, faiss as float32 in its own memory, once whole (`faiss`, the time to load it
apart) and once in blocks (`faiss blocks`, with loading). Exits with 1 where the answers differ.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK = 50_000


def main() -> int:
    options = parse_arguments()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    import faiss
    import numpy as np

    faiss.omp_set_num_threads(options.threads)
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="compare-search-", dir=options.work) as folder:
        index, queries = Path(folder) / "index.npy", Path(folder) / "queries.npy"
        rows = np.lib.format.open_memmap(index, "w+", np.float16, (options.rows, options.width))
        for start in range(0, options.rows, BLOCK):
            part = rows[start : start + BLOCK]
            part[:] = random.standard_normal(part.shape, dtype=np.float32)
        del rows
        np.save(queries, random.standard_normal((options.queries, options.width), dtype=np.float32))
        return compare(options, index, queries, np, faiss)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", help="where the index goes; default: the system's temporary folder")
    return parser.parse_args()


def compare(options, index: Path, queries: Path, np, faiss) -> int:
    k = options.top_k

    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def blocks():
        rows = np.load(index, mmap_mode="r")
        for start in range(0, len(rows), BLOCK):
            yield start, unit(rows[start : start + BLOCK].astype(np.float32))

    def best(scores, rows):
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def with_numpy():
        wanted = unit(np.load(queries)).T
        scores, rows = np.empty((options.queries, 0), np.float32), np.empty((options.queries, 0), np.int64)
        for start, part in blocks():
            products = (part @ wanted).T
            chosen = np.argpartition(-products, k, axis=1)[:, :k]
            products = np.take_along_axis(products, chosen, 1)
            scores, rows = best(np.hstack([scores, products]), np.hstack([rows, chosen + start]))
        return scores, rows

    def with_faiss_blocks():
        wanted = unit(np.load(queries))
        scores, rows = np.empty((options.queries, 0), np.float32), np.empty((options.queries, 0), np.int64)
        for start, part in blocks():
            flat = faiss.IndexFlatIP(options.width)
            flat.add(part)
            found, chosen = flat.search(wanted, k)
            scores, rows = best(np.hstack([scores, found]), np.hstack([rows, chosen + start]))
        return scores, rows

    memory = {}

    def with_vit():
        command = [options.vit, "search", index, queries, "--format", "csv", "--top-k", k, "--threads", options.threads]
        measure = "import resource, subprocess, sys; c = subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(c)"
        run = subprocess.run(
            [sys.executable, "-c", measure, *map(str, command)], capture_output=True, text=True, check=True
        )
        memory["vit"] = int(run.stderr.split()[-1]) / 1024
        lines = [line.split(",") for line in run.stdout.splitlines()[1:]]
        rows = np.array([int(line[2]) for line in lines]).reshape(options.queries, k)
        return np.array([float(line[4]) for line in lines]).reshape(options.queries, k), rows

    started = time.monotonic()
    whole = faiss.IndexFlatIP(options.width)
    for _, part in blocks():
        whole.add(part)
    loading = time.monotonic() - started
    ways = {
        "vit search": with_vit, "NumPy": with_numpy, "faiss blocks": with_faiss_blocks,
        "faiss": lambda: whole.search(unit(np.load(queries)), k),
    }  # fmt: skip
    times = {name: [] for name in ways}
    answers = {}
    for _ in range(options.rounds):
        for name, way in ways.items():
            started = time.monotonic()
            answers[name] = way()
            times[name].append(time.monotonic() - started)
    print(f"{options.rows} x {options.width} float16, {options.queries} queries, {options.threads} threads; seconds:")
    for name in ways:
        listed = ", ".join(f"{value:.2f}" for value in times[name])
        print(f"  {name:12} median {statistics.median(times[name]):.2f} ({listed})")
    print(f"  loading all into faiss took {loading:.2f} s; peak memory of vit search {memory['vit']:.0f} MB")
    expected_scores, expected = answers["NumPy"]
    scores, rows = answers["vit search"]
    differing = int((rows != expected).sum())
    # Rows may change places only where their scores are the same to the last bits.
    close = np.abs(scores - expected_scores).max()
    print(f"  {differing} of {rows.size} answers differ from NumPy's; scores by at most {close:.1e}")
    same_sets = all(set(one) == set(other) for one, other in zip(rows.tolist(), expected.tolist()))
    return 0 if close < 1e-5 and (differing == 0 or same_sets) else 1


if __name__ == "__main__":
    sys.exit(main())
