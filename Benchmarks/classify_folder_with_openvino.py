"""Classifies a folder with a network of OpenVINO, and timm's loader and two workers.

    python Benchmarks/classify_folder_with_openvino.py NETWORK.xml FOLDER THREADS
"""

import sys

import openvino
import torch
from timm.data import create_dataset, create_loader

network, folder, threads = sys.argv[1:]
settings = {"INFERENCE_NUM_THREADS": int(threads), "PERFORMANCE_HINT": "LATENCY"}
request = openvino.compile_model(network, "CPU", settings).create_infer_request()
loader = create_loader(
    create_dataset("", folder, class_map=""), (3, 224, 224), batch_size=32, use_prefetcher=False, interpolation="bicubic",
    mean=(0.5,) * 3, std=(0.5,) * 3, crop_pct=0.9, num_workers=2, device=torch.device("cpu"),
)  # fmt: skip
for pixels, _ in loader:
    logits = torch.from_numpy(request.infer([pixels.numpy()])[0])
    for probabilities, indices in zip(*logits.softmax(dim=1).topk(5)):
        print(indices.tolist(), probabilities.tolist())
