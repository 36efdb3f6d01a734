#!/usr/bin/env python3
"""Converts every fixture with `vit convert` and loads the result with the library that the layout belongs to.

Needs torch, timm, transformers and safetensors. Logits, or final tokens, have to be those of the original.

    python3 tools/check_conversions.py [PATH_TO_VIT]
"""
import json
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import timm
import torch
import transformers as hf
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/Fixtures/checkpoints"
VIT = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / ".build/release/vit")


def weights_file(folder):
    names = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "*.pth", "*.npz"]
    return next(file for name in names for file in folder.glob(name))


def difference(a, b):
    return (a.float() - b.float()).abs().max().item()


def check_hf(folder, golden, _):
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    model, info = getattr(hf, architecture).from_pretrained(folder, output_loading_info=True)
    hf.AutoImageProcessor.from_pretrained(folder)
    wrong = [key for keys in info.values() for key in keys if "pooler" not in str(key)]
    assert not wrong, wrong
    x = golden["input"]
    if "prediction" in golden:
        model.config.mask_ratio = model.vit.embeddings.config.mask_ratio = 0.0
        return difference(model.eval()(x, noise=torch.arange(16.0)[None]).logits, golden["prediction"])
    if "logits" in golden:
        return difference(model.eval()(x).logits, golden["logits"])
    return difference(model.eval()(x).last_hidden_state, golden["tokens"])


def check_timm(folder, golden, _):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    if "logits" in golden:
        return difference(model(golden["input"]), golden["logits"])
    return difference(model.forward_features(golden["input"]), golden["tokens"])


def check_mae(folder, _, parameters):
    state = torch.load(folder / "model.pth", weights_only=True)["model"]
    assert set(state) == set(parameters)
    for name, tensor in state.items():
        assert zlib.crc32(tensor.numpy().tobytes()) == parameters[name]["crc32"], name
    return 0.0


def main():
    warnings.filterwarnings("ignore")
    hf.logging.set_verbosity_error()
    failures = 0
    for fixture in sorted(path for path in FIXTURES.iterdir() if path.is_dir()):
        golden = load_file(fixture / "golden.safetensors")
        parameters = json.loads((fixture / "parameters.json").read_text())
        for layout, check in (("hf", check_hf), ("timm", check_timm), ("mae", check_mae)):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) / "out"
                run = subprocess.run(
                    [VIT, "convert", weights_file(fixture), "--to", layout, "--output", folder],
                    capture_output=True, text=True, check=False)
                if run.returncode:
                    # 65: the layout has no place for the model, which is an answer.
                    failures += run.returncode != 65
                    print(f"{fixture.name:24} {layout:5} exit {run.returncode}: {run.stderr.strip()}")
                    continue
                with torch.no_grad():
                    result = check(folder, golden, parameters)
                failures += result > 1e-4
                print(f"{fixture.name:24} {layout:5} {result:.1e}")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
