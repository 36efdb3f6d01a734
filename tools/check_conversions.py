#!/usr/bin/env python3
"""Converts checkpoints with `vit convert` and loads the results with the libraries that the layouts belong to.

Needs torch, torchvision, timm, transformers, pillow and safetensors. Two tables:

- every fixture in every layout, on a tensor: logits, or final tokens, have to be those of the original;
- every layout that timm or transformers reads, on an image file, as their own code loads it: fixtures, models of 1, 3 and 4
  channels, and what `vit finetune` and `vit pretrain` leave. Their probabilities (of a masked autoencoder, the class token
  of the whole image) have to be those of `vit` on the same file, and so has the original's answer: within 1e-4, but within
  0.01 where torchvision resizes, whose pixels differ from Pillow's by a level here and there.

Known limits are printed as such. transformers' `pipeline` opens every file as RGB, so that models of 1 and 4 channels refuse
it. Its torchvision back-end resizes each channel by itself, where Pillow (and `vit`) first multiplies the colours by alpha:
an image whose alpha varies gets other pixels, by up to 65 levels, and an opaque one does not. timm's settings cannot express
every preprocessing, nor transformers' every crop; `vit convert` says so where it matters.

    python3 tools/check_conversions.py [PATH_TO_VIT]

Last result (timm 1.0.31, transformers 5.23.0, torchvision 0.29.2, Pillow 13.0.0): on a tensor, 62 conversions agree and 13 are
refused, whose layout has no place for the model; of 245 answers about a file, 227 agree (Pillow's within 1.2e-06, torchvision's
within 7.4e-04), 18 are known limits, and none differs.
"""
import json
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy
import timm
import torch
import transformers as hf
from PIL import Image
from random_weights import fill
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
    return difference(model.eval().base_model(x).last_hidden_state, golden["tokens"])


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


def check_tensors():
    """The first table; the number of failures."""
    failures = 0
    for fixture in sorted(path for path in FIXTURES.iterdir() if path.is_dir()):
        golden = load_file(fixture / "golden.safetensors")
        parameters = json.loads((fixture / "parameters.json").read_text())
        for layout, check in (("hf", check_hf), ("timm", check_timm), ("mae", check_mae)):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) / "out"
                run = convert(weights_file(fixture), layout, folder)
                if run.returncode:
                    # 65: the layout has no place for the model, which is an answer.
                    failures += run.returncode != 65
                    print(f"{fixture.name:24} {layout:5} exit {run.returncode}: {run.stderr.strip()}")
                    continue
                with torch.no_grad():
                    result = check(folder, golden, parameters)
                failures += result > EXACT
                print(f"{fixture.name:24} {layout:5} {result:.1e}")
    return failures


# Image files.

EXACT, RESIZED = 1e-4, 0.01
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
FILES = {1: ["grey.png"], 3: ["rgb.jpg", "rgb.png"], 4: ["rgba.png", "alpha.png"]}


def vit(*arguments):
    return subprocess.run([VIT, *map(str, arguments)], capture_output=True, text=True, check=False)


def convert(source, layout, folder):
    return vit("convert", source, "--to", layout, "--output", folder)


def write_images(folder):
    """A smooth picture in colours, grey and with alpha, and the same with an alpha that varies; and classes to train on."""
    random = numpy.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (11, 13, 3), dtype=numpy.uint8))
    photo = small.resize((211, 160), Image.Resampling.BICUBIC)
    photo.save(folder / "rgb.jpg", quality=90)
    photo.save(folder / "rgb.png")
    photo.convert("L").save(folder / "grey.png")
    photo.convert("RGBA").save(folder / "rgba.png")
    alpha = photo.convert("RGBA")
    alpha.putalpha(small.convert("L").resize(photo.size, Image.Resampling.BICUBIC))
    alpha.save(folder / "alpha.png")
    for index in range(8):
        (folder / f"data/{index % 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=numpy.uint8)).save(
            folder / f"data/{index % 2}/{index}.png")


def channel_model(channels, folder):
    """A small model of timm with so many channels and weights that matter."""
    arguments = dict(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, in_chans=channels, num_classes=5)
    half = (0.5,) * channels
    model = timm.create_model(
        "vit_tiny_patch16_224", **arguments, pretrained_cfg_overlay=dict(crop_pct=0.8, mean=half, std=half))
    fill(model, 0)
    timm.models.save_for_hf(model, folder, model_args=arguments, safe_serialization=True)
    return folder


def trained(command, channels, scratch):
    """The result of a short run."""
    run = vit(
        command, scratch / "data", "--output", scratch / "run", "--steps", 2, "--batch-size", 4, "--channels", channels,
        "--image-size", 32, "--patch-size", 8, "--width", 32, "--depth", 1, "--heads", 2, "--lr", 0.1,
        *(["--decoder-width", 16, "--decoder-depth", 1, "--decoder-heads", 2] if command == "pretrain" else []))
    assert run.returncode == 0, run.stderr
    return scratch / "run/model"


def our_probabilities(folder, file):
    run = vit("classify", file, "--model", folder, "--format", "jsonl", "--top-k", 1000)
    assert run.returncode == 0, run.stderr
    predictions = json.loads(run.stdout)["predictions"]
    return torch.tensor([item["probability"] for item in sorted(predictions, key=lambda item: item["index"])])


def our_token(folder, file):
    with tempfile.TemporaryDirectory() as scratch:
        run = vit("embed", file, "--model", folder, "--pool", "cls", "--output", Path(scratch) / "x.npy")
        assert run.returncode == 0, run.stderr
        return torch.from_numpy(numpy.load(Path(scratch) / "x.npy")[0])


def timm_probabilities(folder, image):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    configuration = timm.data.resolve_data_config({}, model=model)
    return model(timm.data.create_transform(**configuration)(image)[None]).softmax(-1)[0]


def hf_probabilities(folder, image, backend):
    model = hf.AutoModelForImageClassification.from_pretrained(folder).eval()
    inputs = hf.AutoImageProcessor.from_pretrained(folder, backend=backend)(image, return_tensors="pt")
    return model(**inputs).logits.softmax(-1)[0]


def hf_token(folder, image, backend):
    model = hf.ViTMAEModel.from_pretrained(folder, mask_ratio=0.0).eval()
    inputs = hf.AutoImageProcessor.from_pretrained(folder, backend=backend)(image, return_tensors="pt")
    count = model.embeddings.patch_embeddings.num_patches
    return model(**inputs, noise=torch.arange(float(count))[None]).last_hidden_state[0, 0]


def pipeline_probabilities(folder, file):
    pipeline = hf.pipeline("image-classification", model=str(folder))
    indices = pipeline.model.config.label2id
    scores = {indices[item["label"]]: item["score"] for item in pipeline(str(file), top_k=1000)}
    return torch.tensor([scores[index] for index in sorted(scores)])


def check_file(name, layout, source, folder, note, file, channels):
    """What `vit` makes of a file before the conversion, and each peer after it, against `vit` after it: a row each."""
    is_mae = layout == "hf" and "ViTMAE" in (folder / "config.json").read_text()
    our_answer, their_answer = (our_token, hf_token) if is_mae else (our_probabilities, hf_probabilities)
    image = Image.open(file).convert(MODES[channels])
    peers = [("before", EXACT, lambda: our_answer(source, file))]
    if layout == "timm":
        peers.append(("timm", EXACT, lambda: timm_probabilities(folder, image)))
    else:
        peers += [(backend, limit, lambda backend=backend: their_answer(folder, image, backend))
                  for backend, limit in (("pil", EXACT), ("torchvision", RESIZED))]
        if not is_mae:
            peers.append(("pipeline", RESIZED, lambda: pipeline_probabilities(folder, file)))
    ours = our_answer(folder, file)
    for peer, limit, answer in peers:
        known = {
            "timm": "timm's settings cannot say all of the preprocessing" if "cannot say all of the preproc" in note else None,
            "before": "the crop may lie a pixel further" if "one pixel further" in note else None,
            "torchvision": "colours are not multiplied by alpha" if file.name == "alpha.png" else None,
            "pipeline": "opens the file as RGB" if channels != 3 else None,
        }.get(peer)
        limit = EXACT if known else limit
        try:
            with torch.no_grad():
                result = difference(answer(), ours)
            verdict, figure = "agrees" if result <= limit else "known" if known else "DIFFERS", f"{result:.1e}"
        except (ValueError, RuntimeError) as error:
            verdict, figure = "known" if known else "FAILS", type(error).__name__
            known = known or error
        print(f"{name:24} {layout:5} {file.name:10} {peer:12} {figure:12} {verdict}"
              + (f": {known}" if verdict in ("known", "FAILS") else ""))
        yield verdict


def check_files():
    """The second table; the number of failures."""
    verdicts = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        write_images(scratch)
        sources = [(path.name, 3, lambda _, path=path: weights_file(path)) for path in sorted(FIXTURES.iterdir())
                   if path.is_dir() and "logits" in load_file(path / "golden.safetensors") or path.name == "hf-mae"]
        for channels in MODES:
            sources.append((f"{channels} channels", channels, lambda place, channels=channels: channel_model(channels, place)))
            for command in ("finetune", "pretrain"):
                sources.append((f"{command}, {channels} channels", channels, None))
        for number, (name, channels, make) in enumerate(sources):
            place = scratch / f"{number}"
            place.mkdir()
            if make is None:
                (place / "data").symlink_to(scratch / "data")
                source = trained(name.split(",")[0], channels, place)
            else:
                source = make(place / "source")
            for layout in ("hf", "timm"):
                folder = place / layout
                run = convert(source, layout, folder)
                if run.returncode == 0:
                    for file in FILES[channels]:
                        verdicts += check_file(name, layout, source, folder, run.stderr, scratch / file, channels)
    counts = {word: verdicts.count(word) for word in ("agrees", "known", "DIFFERS", "FAILS")}
    print(f"of {len(verdicts)} answers about a file, {counts['agrees']} agree, {counts['known']} are known limits, "
          f"{counts['DIFFERS']} differ, {counts['FAILS']} fail")
    return counts["DIFFERS"] + counts["FAILS"]


def main():
    warnings.filterwarnings("ignore")
    hf.logging.set_verbosity_error()
    hf.utils.logging.disable_progress_bar()
    sys.exit(check_tensors() + check_files() > 0)


if __name__ == "__main__":
    main()
