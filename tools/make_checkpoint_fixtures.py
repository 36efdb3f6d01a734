#!/usr/bin/env python3
"""Writes the checkpoints under Tests/Fixtures/checkpoints: tiny random models in every layout that can be read.

Needs torch, timm, transformers, safetensors and numpy. Each folder holds a checkpoint as its library writes it,
`golden.safetensors` with an input, its final tokens and its logits, and `parameters.json` with the CRC-32 and shape of
every tensor under the package's own names.

    python3 tools/make_checkpoint_fixtures.py [NAME…]
"""
import argparse
import collections
import datetime
import json
import re
import shutil
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import timm
import torch
import transformers as hf
from safetensors.torch import save_file
from timm.models._hub import save_for_hf

ROOT = Path(__file__).resolve().parent.parent / "Tests/Fixtures/checkpoints"
SIZE, PATCH, WIDTH, HEADS, DEPTH, CLASSES = 16, 4, 16, 2, 1, 5
LABELS = ["ant", "bee", "cicada", "dragonfly", "earwig"]
TIMM = dict(img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, mlp_ratio=2)
DINO = dict(hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, image_size=SIZE, patch_size=PATCH)
HF = dict(DINO, intermediate_size=2 * WIDTH)
HF_LABELS = dict(id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)})


def randomize(model, half=False):
    """Weights large enough that every part of the model shows in the logits."""
    generator = torch.Generator().manual_seed(zlib.crc32(type(model).__name__.encode()))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                value = 1 + 0.2 * noise
            elif "gamma" in name or "lambda" in name:
                value = 0.7 + 0.2 * noise
            elif name.endswith("bias"):
                value = 0.2 * noise
            elif parameter.ndim == 2:
                value = 1.3 * noise / parameter.shape[1] ** 0.5
            elif parameter.ndim == 4:
                value = noise / parameter[0].numel() ** 0.5
            else:
                value = 0.5 * noise
            parameter.copy_(value.half().float() if half else value)
    return model.eval()


def pixels(channels=3, height=SIZE, width=SIZE):
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(1))


def write_golden(folder, parameters, **tensors):
    """`parameters`: canonical name to tensor."""
    tensors = {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}
    if "logits" in tensors:
        assert tensors["logits"].std() > 0.5, (folder.name, tensors["logits"])
    save_file(tensors, folder / "golden.safetensors")
    rows = {}
    for name, tensor in parameters.items():
        array = np.ascontiguousarray(tensor.detach().float().numpy())
        rows[name] = {"shape": list(array.shape), "crc32": zlib.crc32(array.tobytes())}
    text = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    (folder / "parameters.json").write_text("{\n" + text + "\n}\n")


def timm_golden(folder, model, x):
    golden = dict(input=x, tokens=model.forward_features(x))
    if model.num_classes:
        golden["logits"] = model(x)
    write_golden(folder, model.state_dict(), **golden)


RENAMES = [
    (r"^(vit|deit|dinov2|dinov2_with_registers)\.", ""), (r"^decoder\.", ""), (r"^encoder\.layer\.", "layers."),
    (r"^layers\.", "blocks."), (r"^decoder_layers\.", "decoder_blocks."),
    ("layernorm_before", "norm1"), ("layernorm_after", "norm2"), ("attention.o_proj", "attn.proj"),
    (r"layer_scale(.)\.lambda1", r"ls\1.gamma"),
    ("embeddings.cls_token", "cls_token"), ("embeddings.distillation_token", "dist_token"),
    ("embeddings.register_tokens", "reg_token"), ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.patch_embeddings.projection", "patch_embed.proj"), (r"^layernorm", "norm"),
    (r"^(cls_)?classifier", "head"), (r"^distillation_classifier", "head_dist"),
]


def hf_canonical(model):
    """transformers' tensors under the package's own names."""
    state, out = model.state_dict(), {}
    for name, tensor in state.items():
        if name.startswith("pooler.") or name.endswith("embeddings.mask_token") or re.search(r"\.[kv]_proj\.", name):
            continue
        if ".q_proj." in name:
            tensor = torch.cat([state[name.replace("q_proj", f"{part}_proj")] for part in "qkv"])
            name = name.replace("attention.q_proj", "attn.qkv")
        for old, new in RENAMES:
            name = re.sub(old, new, name)
        out[name] = tensor
    return out


def hf_golden(folder, model, has_head=True):
    x = pixels()
    golden = dict(input=x)
    canonical = hf_canonical(model)
    if isinstance(model, hf.ViTMAEForPreTraining):
        # Nothing is masked, and ascending noise keeps the patches in their order.
        noise = torch.arange((SIZE // PATCH) ** 2).float()[None]
        golden["tokens"] = model.vit(x, noise=noise).last_hidden_state
        golden["prediction"] = model(x, noise=noise).logits
    else:
        output = model(x)
        base = getattr(model, model.base_model_prefix, model)
        golden["tokens"] = base(x).last_hidden_state
        if hasattr(output, "logits"):
            golden["logits"] = output.logits
    if not has_head:
        canonical = {name: tensor for name, tensor in canonical.items() if not name.startswith("head.")}
        del golden["logits"]
    write_golden(folder, canonical, **golden)


def timm_hub(folder):
    model = randomize(timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, **TIMM))
    names = ["n01", "n02", "n03", "n04", "n05"]
    config = dict(label_names=names, label_descriptions=dict(zip(names, LABELS)))
    save_for_hf(model, folder, model_config=config, safe_serialization=True)
    timm_golden(folder, model, pixels())


def timm_mean_pooled(folder):
    """Not square, half precision, mean pooling with a norm after it."""
    arguments = dict(TIMM, img_size=(16, 24))
    model = randomize(timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, global_pool="avg", **arguments),
                      half=True)
    save_for_hf(model, folder, safe_serialization=True, data_config=dict(crop_mode="center", crop_pct=0.8))
    save_file({name: tensor.half() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    timm_golden(folder, model, pixels(height=16, width=24))


def timm_deit3(folder):
    """Layer scale; the class token has no position."""
    model = randomize(timm.create_model("deit3_small_patch16_224", num_classes=CLASSES, **TIMM))
    save_for_hf(model, folder, safe_serialization=True)
    timm_golden(folder, model, pixels())


def timm_registers(folder):
    """Four registers, a headless encoder in bfloat16."""
    model = randomize(timm.create_model("vit_small_patch14_reg4_dinov2", num_classes=0, **TIMM))
    model = model.bfloat16().float()
    save_for_hf(model, folder, safe_serialization=True)
    save_file({name: tensor.bfloat16() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    timm_golden(folder, model, pixels())


def timm_cait(folder):
    """Talking heads over patches, then blocks of the class token alone."""
    model = randomize(timm.create_model("cait_xxs24_224", num_classes=CLASSES, **dict(TIMM, img_size=(16, 24))))
    save_for_hf(model, folder, model_config=dict(label_names=LABELS), safe_serialization=True)
    timm_golden(folder, model, pixels(height=16, width=24))


def fold(state, *tokens):
    """Adds the first rows of the position table to the tokens that they belong to, as the package does."""
    state = dict(state)
    first = 0
    for name in tokens:
        count = state[name].shape[1]
        state[name] = state[name] + state["pos_embed"][:, first:first + count]
        first += count
    state["pos_embed"] = state["pos_embed"][:, first:]
    return state


def timm_register_positions(folder):
    """Registers that have positions."""
    model = timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, reg_tokens=2, **TIMM)
    save_for_hf(randomize(model), folder, safe_serialization=True)
    x = pixels()
    write_golden(folder, fold(model.state_dict(), "cls_token", "reg_token"), input=x, logits=model(x),
                 tokens=model.forward_features(x))


def deit_distilled(folder):
    """As the authors of DeiT publish it: .pth, everything under "model", no configuration but the heads."""
    model = randomize(timm.create_model("deit_tiny_distilled_patch16_224", num_classes=CLASSES, **TIMM))
    torch.save({"model": model.state_dict()}, folder / "deit_distilled.pth")
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": HEADS}) + "\n")
    timm_golden(folder, model, pixels())


def hf_vit(folder):
    """The classic names, odd preprocessing, two blocks."""
    model = randomize(hf.ViTForImageClassification(hf.ViTConfig(**dict(HF, num_hidden_layers=2), **HF_LABELS)))
    model.save_pretrained(folder)
    hf.ViTImageProcessor(size={"height": 20, "width": 16}, crop_size=SIZE, do_center_crop=True,
                         image_mean=[0.4, 0.5, 0.6], image_std=[0.3, 0.2, 0.25], resample=2).save_pretrained(folder)
    hf_golden(folder, model)


def hf_vit_modern(folder):
    """The names of transformers 5, in several files."""
    model = randomize(hf.ViTForImageClassification(hf.ViTConfig(**HF, **HF_LABELS, hidden_act="gelu_pytorch_tanh")))
    model.save_pretrained(folder, save_original_format=False, max_shard_size="8KB")
    hf_golden(folder, model)


def hf_vit_model(folder):
    """An encoder with a pooler and without a head, without biases of queries, keys and values, in a .bin."""
    model = randomize(hf.ViTModel(hf.ViTConfig(**HF, qkv_bias=False)))
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    model.config.save_pretrained(folder)
    hf_golden(folder, model)


def hf_deit(folder):
    model = randomize(hf.DeiTForImageClassificationWithTeacher(hf.DeiTConfig(**HF, **HF_LABELS)))
    model.save_pretrained(folder)
    hf.DeiTImageProcessor(size=20, crop_size=SIZE).save_pretrained(folder)
    hf_golden(folder, model)


def hf_deit_one_head(folder):
    """A distillation token that no head reads: what fine-tuning with transformers makes of DeiT."""
    model = randomize(hf.DeiTForImageClassification(hf.DeiTConfig(**HF, **HF_LABELS)))
    model.save_pretrained(folder)
    x = pixels()
    canonical = fold(hf_canonical(model), "cls_token", "dist_token")
    canonical["reg_token"] = canonical.pop("dist_token")
    write_golden(folder, canonical, input=x, logits=model(x).logits, tokens=model.deit(x).last_hidden_state)


def hf_vit_msn(folder):
    """As transformers 5 writes it: the prefix before all parts of the encoder but its blocks; numbers as names."""
    labels = dict(id2label=dict(enumerate("98765")), label2id={label: i for i, label in enumerate("98765")})
    model = randomize(hf.ViTMSNForImageClassification(hf.ViTMSNConfig(**HF, **labels)))
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {number: int(label) for number, label in config["id2label"].items()}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    hf_golden(folder, model)


def hf_mae(folder):
    model = randomize(hf.ViTMAEForPreTraining(hf.ViTMAEConfig(
        **HF, mask_ratio=0.0, decoder_hidden_size=12, decoder_num_hidden_layers=1, decoder_num_attention_heads=4,
        decoder_intermediate_size=20)))
    model.save_pretrained(folder)
    hf_golden(folder, model)


def hf_dinov2(folder):
    model = randomize(hf.Dinov2ForImageClassification(hf.Dinov2Config(**DINO, mlp_ratio=2, **HF_LABELS)))
    model.save_pretrained(folder)
    hf_golden(folder, model, has_head=False)


def hf_dinov2_classifier(folder):
    """A head that reads the class token beside the mean of the patches."""
    model = randomize(hf.Dinov2ForImageClassification(hf.Dinov2Config(**DINO, mlp_ratio=3, **HF_LABELS)))
    model.save_pretrained(folder)
    hf_golden(folder, model)


def hf_dinov2_registers(folder):
    config = hf.Dinov2WithRegistersConfig(**DINO, mlp_ratio=2)
    model = randomize(hf.Dinov2WithRegistersModel(config), half=True)
    model.half().save_pretrained(folder, save_original_format=False)
    hf.BitImageProcessor(size={"shortest_edge": 24}, crop_size=SIZE).save_pretrained(folder)
    hf_golden(folder, model.float())


def mae_finetuned(folder):
    """What MAE's fine-tuning saves: optimiser, scaler and arguments beside the model; no configuration.

    One head of 64, half precision."""
    arguments = dict(TIMM, embed_dim=64, num_heads=1, mlp_ratio=0.25)
    model = randomize(timm.create_model("vit_base_patch16_224", num_classes=CLASSES, global_pool="avg", **arguments),
                      half=True).half()
    optimizer = torch.optim.AdamW([model.head.bias], lr=1e-3)
    model.head.bias.grad = torch.ones_like(model.head.bias)
    optimizer.step()
    with torch.no_grad():
        model.head.bias.copy_(model.head.bias.half())
    arguments = argparse.Namespace(batch_size=32, model="vit_base_patch16", output_dir=None, betas=(0.9, 0.999))
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 99,
                "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 7}, "args": arguments},
               folder / "checkpoint-99.pth")
    timm_golden(folder, model.float(), pixels())


def mae_linear_probe(folder):
    """What MAE's linear probe saves: a batch norm without weights before the head."""
    model = randomize(timm.create_model("vit_base_patch16_224", num_classes=CLASSES, **TIMM))
    generator = torch.Generator().manual_seed(5)
    norm = torch.nn.BatchNorm1d(WIDTH, affine=False, eps=1e-6).eval()
    norm.running_mean.copy_(torch.randn(WIDTH, generator=generator))
    norm.running_var.copy_(0.5 + torch.rand(WIDTH, generator=generator))
    linear = model.head
    model.head = torch.nn.Sequential(norm, linear)
    torch.save({"model": model.state_dict(), "epoch": 89}, folder / "checkpoint-89.pth")
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": HEADS, "image_size": SIZE}) + "\n")
    x = pixels()
    deviations = torch.sqrt(norm.running_var.double() + norm.eps)
    weight = linear.weight.double()
    parameters = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("head.")}
    parameters["head.weight"] = (weight / deviations).float()
    parameters["head.bias"] = (linear.bias.double() - (weight * norm.running_mean.double() / deviations).sum(1)).float()
    write_golden(folder, parameters, input=x, tokens=model.forward_features(x), logits=model(x))


def mae_full(folder):
    """MAE's pre-training release: encoder and decoder under the authors' names."""
    source = randomize(hf.ViTMAEForPreTraining(hf.ViTMAEConfig(
        **HF, mask_ratio=0.0, decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=2,
        decoder_intermediate_size=12, layer_norm_eps=1e-6)))
    arguments = argparse.Namespace(mask_ratio=0.75, norm_pix_loss=True)
    torch.save({"model": hf_canonical(source), "args": arguments}, folder / "mae_visualize_vit_tiny.pth")
    heads = {"num_attention_heads": HEADS, "decoder_num_attention_heads": 2}
    (folder / "config.json").write_text(json.dumps(heads) + "\n")
    hf_golden(folder, source)


def dinov2_original(folder):
    """The names of DINOv2's authors: register_tokens, mask_token, a position for the class token."""
    source = randomize(hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**DINO, mlp_ratio=2)))
    state = {name.replace("reg_token", "register_tokens"): tensor for name, tensor in hf_canonical(source).items()}
    state["mask_token"] = source.embeddings.mask_token.data
    torch.save(state, folder / "dinov2_reg4_pretrain.pth")
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": HEADS, "image_size": SIZE}) + "\n")
    hf_golden(folder, source)


class Settings:
    """A program's own class, pickled beside the weights; a reader must neither import nor run it."""

    def __init__(self):
        self.started, self.rates = datetime.datetime(2024, 1, 1), collections.Counter("ab")


def torch_file(folder, save):
    """What `save` makes of a small model of timm."""
    model = randomize(timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, **TIMM))
    save(model, folder / "checkpoint.pth")
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": HEADS, "image_size": SIZE}) + "\n")
    timm_golden(folder, model, pixels())


def torch_legacy(folder):
    """torch's format from before 1.6."""
    torch_file(folder, lambda model, path: torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False))


def torch_module(folder):
    """The whole model, pickled with its classes."""
    torch_file(folder, torch.save)


def torch_training(folder):
    """A training program's file: trained weights, their average, an optimizer's state, and values of all sorts."""
    def save(model, path):
        trained = {f"module.{name}": -tensor for name, tensor in model.state_dict().items()}
        optimizer = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
        torch.save({"state_dict": trained, "state_dict_ema": model.state_dict(), "optimizer": optimizer,
                    "settings": Settings(), "noise": torch.ones(2, dtype=torch.complex64), "eye": torch.eye(2).to_sparse(),
                    "random": np.random.default_rng(0), "version": torch.__version__}, path)
    torch_file(folder, save)


def jax(folder):
    """Google's arrays: inputs before outputs, heads apart; two blocks, deflated."""
    depth = 2
    model = randomize(timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, **dict(TIMM, depth=depth)))
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    arrays = {"cls": state["cls_token"], "Transformer/posembed_input/pos_embedding": state["pos_embed"],
              "embedding/kernel": state["patch_embed.proj.weight"].transpose(2, 3, 1, 0),
              "embedding/bias": state["patch_embed.proj.bias"],
              "Transformer/encoder_norm/scale": state["norm.weight"],
              "Transformer/encoder_norm/bias": state["norm.bias"],
              "head/kernel": state["head.weight"].T, "head/bias": state["head.bias"]}
    head = WIDTH // HEADS
    for i in range(depth):
        ours, theirs = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
        for part, name in enumerate(["query", "key", "value"]):
            rows = slice(part * WIDTH, (part + 1) * WIDTH)
            attention = f"{theirs}MultiHeadDotProductAttention_1/{name}/"
            arrays[attention + "kernel"] = state[ours + "attn.qkv.weight"][rows].T.reshape(WIDTH, HEADS, head)
            arrays[attention + "bias"] = state[ours + "attn.qkv.bias"][rows].reshape(HEADS, head)
        out = f"{theirs}MultiHeadDotProductAttention_1/out/"
        arrays[out + "kernel"] = state[ours + "attn.proj.weight"].T.reshape(HEADS, head, WIDTH)
        arrays[out + "bias"] = state[ours + "attn.proj.bias"]
        for old, new in (("norm1", "LayerNorm_0"), ("norm2", "LayerNorm_2")):
            arrays[f"{theirs}{new}/scale"] = state[f"{ours}{old}.weight"]
            arrays[f"{theirs}{new}/bias"] = state[f"{ours}{old}.bias"]
        for old, new in (("fc1", "Dense_0"), ("fc2", "Dense_1")):
            arrays[f"{theirs}MlpBlock_3/{new}/kernel"] = state[f"{ours}mlp.{old}.weight"].T
            arrays[f"{theirs}MlpBlock_3/{new}/bias"] = state[f"{ours}mlp.{old}.bias"]
    np.savez_compressed(folder / "vit.npz", **arrays)
    timm_golden(folder, model, pixels())


FIXTURES = [timm_hub, timm_mean_pooled, timm_deit3, timm_registers, timm_register_positions, timm_cait,
            deit_distilled, hf_vit, hf_vit_modern, hf_vit_model, hf_deit, hf_deit_one_head, hf_mae, hf_dinov2,
            hf_dinov2_classifier, hf_dinov2_registers, mae_finetuned, mae_full, dinov2_original, jax, torch_legacy,
            torch_module, torch_training, mae_linear_probe, hf_vit_msn]


def main():
    warnings.filterwarnings("ignore")
    for make in FIXTURES:
        name = make.__name__.replace("_", "-")
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        folder = ROOT / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        print(f"{name:24} {sum(f.stat().st_size for f in folder.iterdir()):8} bytes")


if __name__ == "__main__":
    main()
