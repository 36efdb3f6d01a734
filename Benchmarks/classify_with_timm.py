"""Classifies one picture with timm: what `vit classify` does, as one would write it in Python.

    python Benchmarks/classify_with_timm.py ARCHITECTURE WEIGHTS.safetensors PICTURE
"""

import sys

import timm
import torch
from PIL import Image
from safetensors.torch import load_file

architecture, weights, picture = sys.argv[1:]
model = timm.create_model(architecture)
model.load_state_dict(load_file(weights))
model.eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
pixels = transform(Image.open(picture).convert("RGB")).unsqueeze(0)
with torch.no_grad():
    probabilities = model(pixels).softmax(dim=1)[0]
for probability, index in zip(*probabilities.topk(5)):
    print(f"{probability:.4f} {index}")
