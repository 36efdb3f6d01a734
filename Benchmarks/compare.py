#!/usr/bin/env python3
"""Times this project beside PyTorch (eager and compiled), ONNX Runtime and OpenVINO, in turns.

    python Benchmarks/compare.py [--only classify pretrain finetune] [--precision float32 bfloat16 int8] [--rounds 7] [--threads N]

Every program is a process of its own that computes only when it is its turn (the others are stopped), so that whatever
else the machine does meets all of them. A round lasts a quarter of a second at least; one is not counted. What is
quoted: medians and minima of milliseconds an image, the ratio of medians and the median of the rounds' ratios, peak
memory, and the share of the cores' ceiling that the faster of two measurements gives. Peers compute at the precision that
the table names; those that are "as they come" choose for themselves, which OpenVINO does by the processor.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from checkpoint import write_checkpoint
from turns import Program

BESIDE = Path(__file__).resolve().parent
REPOSITORY = BESIDE.parent
NAMES = {"vit": "swift-vit", "eager": "PyTorch", "compile": "PyTorch, compiled", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
# (task, architecture here, timm's name, batch sizes)
# Who computes at a precision: (engine, its precision)
PEERS = {
    "float32": [("eager", "float32"), ("compile", "float32"), ("onnxruntime", "float32"), ("openvino", "float32")],
    "bfloat16": [("eager", "bfloat16"), ("compile", "bfloat16"), ("openvino", "bfloat16"), ("openvino", "default")],
    "int8": [("onnxruntime", "int8"), ("openvino", "int8"), ("openvino", "default")],
}
# How far logits may be from those of float32, in deviations of the logits. Random weights exaggerate.
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.2, "int8": 1.5}
CASES = [
    ("classify", "vit-tiny", "vit_tiny_patch16_224", [1, 8]),
    ("classify", "vit-base", "vit_base_patch16_224", [1, 8, 32]),
    ("classify", "vit-large", "vit_large_patch16_224", [1, 8]),
    ("pretrain", "vit-base", "vit_base_patch16_224", [16, 64]),
    ("finetune", "vit-small", "vit_small_patch16_224", [32]),
]


def main() -> int:
    options = parse_arguments()
    print("\n".join(heading(options)), flush=True)
    agree = True
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for task, arch, name, batch_sizes in CASES:
            if task not in options.only or (options.arch and arch not in options.arch):
                continue
            # Nobody trains in int8.
            for precision in options.precision if task == "classify" else [kind for kind in options.precision if kind != "int8"]:
                for batch_size in options.batch_size or batch_sizes:
                    lines, agrees = compare(task, arch, name, precision, batch_size, Path(folder), options)
                    agree &= agrees
                    print("\n".join(lines), flush=True)
    return 0 if agree else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=["classify", "pretrain", "finetune"], default=["classify", "pretrain", "finetune"])
    parser.add_argument("--arch", nargs="+", help="only these architectures")
    parser.add_argument("--batch-size", nargs="+", type=int, help="these, not those of the table")
    parser.add_argument("--engines", nargs="+", default=["eager", "compile", "onnxruntime", "openvino"])
    parser.add_argument("--precision", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--vit", type=Path, default=REPOSITORY / ".build/release/vit")
    options = parser.parse_args()
    pictures = sorted((REPOSITORY / "datasets/charts/sample").rglob("*.??g"))
    options.picture = pictures[0]
    return options


def compare(
    task: str, arch: str, name: str, precision: str, batch_size: int, folder: Path, options: argparse.Namespace
) -> tuple[list[str], bool]:
    """A table of all programs at one task, and whether their outputs agree."""
    checkpoint = folder / name
    if not checkpoint.exists():
        write_checkpoint(checkpoint, name)
    ours = [options.vit, "benchmark", "--arch", arch, "--task", task, "--batch-size", batch_size, "--threads", options.threads]
    ours += ["--rounds", options.rounds + 2, "--in-turns", "--format", "json"]
    ours += ["--precision", precision]
    programs = {"vit": Program(ours)}
    engines = [pair for pair in PEERS[precision] if pair[0] in options.engines]
    engines = [pair for pair in engines if task == "classify" or pair[0] in ("eager", "compile")]
    for engine, theirs in engines:
        command = [sys.executable, BESIDE / "peers.py", task, "--engine", engine, "--precision", theirs, "--model", name]
        command += ["--batch-size", batch_size]
        command += ["--threads", options.threads, "--picture", options.picture, "--weights", checkpoint / "model.safetensors"]
        if task == "classify":
            command += ["--logits", folder / f"{engine}-{theirs}.npy"]
        programs[title(engine, theirs)] = Program(command, greets=True)
    for number in range(options.rounds + 1):
        for program in programs.values():
            program.take_turn(counts=number > 0)
    reports = {key: program.finish() for key, program in programs.items()}
    agrees, note = outputs_agree(engines, precision, checkpoint, folder, options) if task == "classify" else (True, "")
    return table(f"{task} in {precision}, {arch}, batch {batch_size}", programs, reports, note), agrees


def title(engine: str, precision: str) -> str:
    """A program and its precision: "OpenVINO, int8"."""
    return f"{NAMES[engine]}, {'as it comes' if precision == 'default' else precision}"


def outputs_agree(
    engines: list[tuple[str, str]], precision: str, checkpoint: Path, folder: Path, options: argparse.Namespace
) -> tuple[bool, str]:
    """Whether all are near our logits in float32, and how near each is."""
    import numpy

    def ours(precision: str):
        file = folder / f"vit-{precision}.npy"
        command = [options.vit, "classify", options.picture, "--model", checkpoint, "--logits", file, "--quiet"]
        command += ["--precision", precision]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
        return numpy.load(file)[0]

    exact = ours("float32")
    logits = {"swift-vit": ours(precision)}
    for engine, theirs in engines:
        logits[title(engine, theirs)] = numpy.load(folder / f"{engine}-{theirs}.npy")[0]
    largest = {name: float(abs(values - exact).max()) for name, values in logits.items()}
    spread = float(exact.std())
    apart = ", ".join(f"{name} {value:.1e}" for name, value in largest.items())
    agree = max(largest.values()) < TOLERANCES[precision] * max(spread, 1)
    return agree, f"Logits of deviation {spread:.2f} are at most so far from swift-vit's in float32: {apart}."


def table(heading: str, programs: dict[str, Program], reports: dict[str, dict], note: str) -> list[str]:
    ours, report = programs["vit"].milliseconds, reports["vit"]
    lines = [f"## {heading}", ""]
    head = ["", "ms an image, median", "minimum", "times as long, by medians", "median of rounds", "peak memory, MB"]
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for key, program in programs.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(program.milliseconds, ours))
        memory = reports[key]["peak_memory_bytes"] / 2**20
        median = statistics.median(program.milliseconds)
        by_medians = median / statistics.median(ours)
        lines.append(f"| {NAMES.get(key, key)} | {median:.2f} | {min(program.milliseconds):.2f} | {by_medians:.2f} | {ratio:.2f} | {memory:.0f} |")
    rate, product, ceiling = (report[key] for key in ("gflops", "matmul_ceiling_gflops", "multiply_add_ceiling_gflops"))
    lines += ["", f"{rate:.0f} GFLOP/s: {100 * rate / product:.0f} % of the best matrix product ({product:.0f}), "
              f"{100 * rate / ceiling:.0f} % of the cores' multiply-adds ({ceiling:.0f}). {note}".rstrip(), ""]  # fmt: skip
    return lines


def heading(options: argparse.Namespace) -> list[str]:
    from importlib.metadata import version

    processor = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", "timm", "transformers", "onnxruntime", "openvino"))
    return [
        "# Results", "", "By `make bench`; see compare.py for how.", "",
        f"{date.today()}, {platform.machine()}, {processor}, {options.threads} threads, {options.rounds} rounds in turns. {versions}.", "",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
