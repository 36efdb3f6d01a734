"""Classifies a folder with timm's loader and two workers, as timm's inference script does.

    python Benchmarks/classify_folder_with_timm.py NAME WEIGHTS.safetensors FOLDER THREADS
"""

import sys

import timm
import torch
from safetensors.torch import load_file
from timm.data import create_dataset, create_loader

name, weights, folder, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = timm.create_model(name)
model.load_state_dict(load_file(weights))
model.eval()
loader = create_loader(
    create_dataset("", folder, class_map=""), (3, 224, 224), batch_size=32, use_prefetcher=False, interpolation="bicubic",
    mean=(0.5,) * 3, std=(0.5,) * 3, crop_pct=0.9, num_workers=2, device=torch.device("cpu"),
)  # fmt: skip
with torch.inference_mode():
    for pixels, _ in loader:
        for probabilities, indices in zip(*model(pixels).softmax(dim=1).topk(5)):
            print(indices.tolist(), probabilities.tolist())
