#!/usr/bin/env python3
"""Times a step of masked autoencoding (ViT-B/16, forward, backward and AdamW) beside PyTorch, in turns.

    python tools/compare_pretraining.py [--batch-size 16] [--rounds 5] [--compiled] [--vit .build/release/vit]

PyTorch runs transformers' ViTMAEForPreTraining with fused AdamW, eager or compiled, on as many threads. Prints
milliseconds an image for each round, the medians, their ratio, and the peak memory of both processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining


class PyTorch:
    """The same step in PyTorch."""

    def __init__(self, batch_size: int, compiled: bool):
        torch.manual_seed(0)
        model = ViTMAEForPreTraining(ViTMAEConfig(norm_pix_loss=True))
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
        self.model = torch.compile(model) if compiled else model
        self.pixels = torch.randn(batch_size, 3, 224, 224)

    def step(self) -> float:
        """Milliseconds an image."""
        began = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        self.model(pixel_values=self.pixels).loss.backward()
        self.optimizer.step()
        return (time.perf_counter() - began) * 1000 / len(self.pixels)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


def vit(path: str, batch_size: int, threads: int) -> dict:
    """What `vit benchmark` says of one round after its warm-up."""
    command = [path, "benchmark", "--arch", "vit-base", "--task", "pretrain", "--rounds", "1", "--format", "json"]
    command += ["--batch-size", str(batch_size), "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--vit", default=".build/release/vit")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peer = PyTorch(options.batch_size, options.compiled)
    peer.step()
    ours, theirs, memory = [], [], 0
    for number in range(options.rounds):
        report = vit(options.vit, options.batch_size, options.threads)
        ours.append(report["milliseconds_per_image"][0])
        memory = max(memory, report["peak_memory_bytes"])
        theirs.append(peer.step())
        print(f"round {number + 1}: vit {ours[-1]:.1f} ms an image, PyTorch {theirs[-1]:.1f}", flush=True)
    ratio = statistics.median(theirs) / statistics.median(ours)
    peak = peak_memory()
    print(f"median: vit {statistics.median(ours):.1f}, PyTorch {statistics.median(theirs):.1f}: {ratio:.2f} times as fast")
    print(f"peak memory: vit {memory / 2**20:.0f} MB, PyTorch {peak / 2**20:.0f} MB: {memory / peak:.2f} of it")


if __name__ == "__main__":
    main()
