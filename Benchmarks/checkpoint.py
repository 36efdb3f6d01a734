"""Checkpoints of random weights, as timm publishes them."""

from __future__ import annotations

import json
from pathlib import Path

PREPROCESSING = {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5] * 3, "std": [0.5] * 3}


def write_checkpoint(folder: Path, name: str, **sizes: int) -> Path:
    """Writes timm's model `name`, with logits that spread, into a new folder."""
    import timm
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    torch.manual_seed(0)
    model = timm.create_model(name, **sizes)
    with torch.no_grad():
        model.head.weight.normal_(std=0.05)
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {"architecture": name, "num_classes": 1000, "pretrained_cfg": PREPROCESSING, "model_args": sizes}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
