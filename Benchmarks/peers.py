#!/usr/bin/env python3
"""A peer of `vit benchmark --in-turns`: a line on standard input is a round, a line of milliseconds an image is the answer.

    python Benchmarks/peers.py classify --engine eager --model vit_base_patch16_224 --weights W.safetensors --batch-size 8 --threads 2

At the end of the input, a line of JSON: {"peak_memory_bytes": N}. With --logits, the logits are saved first, so that
outputs can be compared. The input is one picture, as often as a batch wants it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

SHORTEST_ROUND = 0.25  # seconds, as `vit benchmark` has it

Step = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["classify", "pretrain", "finetune"])
    parser.add_argument("--engine", required=True, choices=["eager", "compile", "onnxruntime", "openvino"])
    parser.add_argument("--model", default="vit_base_patch16_224", help="timm's name")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16", "int8", "default"], help="default: the engine's own choice")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--logits", type=Path)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries that chat must not be taken for answers
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    step = {"classify": classifier, "pretrain": pretraining, "finetune": finetuning}[options.task](options)
    step()
    step()
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        print(one_round(step, options.batch_size), file=answers, flush=True)
    print(json.dumps({"peak_memory_bytes": peak_memory()}), file=answers, flush=True)


def one_round(step: Step, batch_size: int) -> float:
    """Milliseconds an image."""
    began, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - began < SHORTEST_ROUND:
        step()
        count += 1
    return (time.perf_counter() - began) * 1000 / (count * batch_size)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


def timm_model(options: argparse.Namespace):
    import timm
    from safetensors.torch import load_file

    model = timm.create_model(options.model)
    if options.weights:
        model.load_state_dict(load_file(options.weights))
    return model


def batch(options: argparse.Namespace):
    """The picture as timm prepares it, (B, 3, 224, 224)."""
    from PIL import Image
    from timm.data import create_transform

    transform = create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.9, mean=(0.5,) * 3, std=(0.5,) * 3)
    picture = transform(Image.open(options.picture).convert("RGB"))
    return picture.expand(options.batch_size, -1, -1, -1).contiguous()


def classifier(options: argparse.Namespace) -> Step:
    """The forward pass."""
    import numpy

    run = {"eager": eager, "compile": compiled, "onnxruntime": onnxruntime, "openvino": openvino}[options.engine]
    step = run(timm_model(options).eval(), options)
    if options.logits:
        numpy.save(options.logits, numpy.asarray(step()))
    return step


def eager(model, options: argparse.Namespace) -> Step:
    import torch

    pixels = batch(options)

    def step():
        with torch.inference_mode(), autocast(options):
            return model(pixels).float().numpy()

    return step


def compiled(model, options: argparse.Namespace) -> Step:
    """Inductor with frozen weights, which it packs."""
    import torch
    import torch._inductor.config

    torch._inductor.config.freezing = True
    faster = torch.compile(model)
    pixels = batch(options)

    def step():
        with torch.no_grad(), autocast(options):
            return faster(pixels).float().numpy()

    return step


def autocast(options: argparse.Namespace):
    """PyTorch's mixed precision, where it is asked for."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")


def onnx_file(model, options: argparse.Namespace) -> Path:
    import tempfile

    import torch

    folder = Path(tempfile.mkdtemp())
    torch.onnx.export(model, (batch(options),), str(folder / "model.onnx"), dynamo=True, optimize=True)
    return folder / "model.onnx"


def onnxruntime(model, options: argparse.Namespace) -> Step:
    import onnxruntime as runtime

    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    file = onnx_file(model, options)
    if options.precision == "int8":
        file = dynamically_quantized(file)
    session = runtime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: batch(options).numpy()}
    return lambda: session.run(None, inputs)[0]


def dynamically_quantized(file: Path) -> Path:
    """Weights a channel at a time, activations as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, quantized = file.with_name("prepared.onnx"), file.with_name("int8.onnx")
    quant_pre_process(str(file), str(prepared))
    quantize_dynamic(str(prepared), str(quantized), weight_type=QuantType.QInt8, per_channel=True)
    return quantized


def openvino(model, options: argparse.Namespace) -> Step:
    """Left to itself it computes in bfloat16 where the processor can."""
    import openvino as ov

    pixels = batch(options)
    network = openvino_network(model, pixels, tuple(pixels.shape), options.precision)
    settings = {"INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY"}
    hint = {"float32": "f32", "bfloat16": "bf16"}.get(options.precision)
    if hint:
        settings["INFERENCE_PRECISION_HINT"] = hint
    request = ov.compile_model(network, "CPU", settings).create_infer_request()
    array = pixels.numpy()
    return lambda: request.infer([array])[0]


def openvino_network(model, pixels, shape: tuple[int, ...], precision: str):
    """The model as a network of OpenVINO for images of a shape, whose sizes may be -1."""
    import openvino as ov

    network = ov.convert_model(model, example_input=pixels, input=[shape])
    if precision != "int8":
        return network
    import nncf

    # Random weights have the same ranges everywhere: a few images say as much as many.
    images = nncf.Dataset([pixels.numpy()] * 2)
    return nncf.quantize(network, images, model_type=nncf.ModelType.TRANSFORMER, subset_size=2)


def training_step(model, loss: Callable, options: argparse.Namespace) -> Step:
    """Forward, backward and fused AdamW."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05, fused=True)
    if options.engine == "compile":
        model = torch.compile(model)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast(options):
            value = loss(model)
        value.backward()
        optimizer.step()

    return step


def pretraining(options: argparse.Namespace) -> Step:
    """Masked autoencoding of ViT-B/16 by transformers."""
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    pixels = batch(options)
    model = ViTMAEForPreTraining(ViTMAEConfig(norm_pix_loss=True))
    return training_step(model, lambda model: model(pixel_values=pixels).loss, options)


def finetuning(options: argparse.Namespace) -> Step:
    """Supervised training with timm's model."""
    import torch

    pixels = batch(options)
    labels = torch.arange(options.batch_size)
    model = timm_model(options).train()
    return training_step(model, lambda model: torch.nn.functional.cross_entropy(model(pixels), labels), options)


if __name__ == "__main__":
    main()
