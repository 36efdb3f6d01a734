#!/usr/bin/env python3
"""Writes the checkpoints of CLIP and SigLIP under Tests/Fixtures/towers: tiny random models in every layout that can be read.

Needs torch, timm, transformers, open_clip and safetensors. Each folder holds a checkpoint as its library writes it,
`golden.safetensors` with images and token sequences, their embeddings and scores, and `parameters.json` with the CRC-32 and
shape of every tensor under the package's own names.

    python3 tools/make_tower_fixtures.py [NAME…]
"""
import json
import shutil
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import transformers as hf
from safetensors.torch import save_file

import two_towers

ROOT = Path(__file__).resolve().parent.parent / "Tests/Fixtures/towers"
SMALL = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
TEXT = dict(SMALL, vocab_size=40, max_position_embeddings=12)
VISION = dict(SMALL, image_size=16, patch_size=8)
TIMM = dict(img_size=16, patch_size=8, embed_dim=16, depth=1, num_heads=2, mlp_ratio=2)


def hf_clip(folder):
    """The end of a text by its number, quick GELU, another width of each tower and of the projection."""
    config = hf.CLIPConfig(text_config=dict(TEXT, hidden_size=24, num_hidden_layers=2, eos_token_id=39, projection_dim=12),
                           vision_config=dict(VISION, num_hidden_layers=2, projection_dim=12), projection_dim=12)
    processor = hf.CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    return two_towers.transformers_model(folder, config, 1, processor=processor)


def hf_clip_legacy(folder):
    """As the first configurations: the end of a text is number 2, which means the highest; exact GELU; sections that a second
    one replaces."""
    config = hf.CLIPConfig(text_config=dict(TEXT, eos_token_id=2, hidden_act="gelu", projection_dim=16),
                           vision_config=dict(VISION, hidden_act="gelu", projection_dim=16), projection_dim=16)
    golden = two_towers.transformers_model(folder, config, 2)
    path = folder / "config.json"
    stated = json.loads(path.read_text())
    stated["vision_config_dict"] = stated["vision_config"]
    stated["vision_config"] = dict(stated["vision_config"], hidden_act="quick_gelu")
    path.write_text(json.dumps(stated, indent=2) + "\n")
    return golden


def hf_siglip(folder):
    config = hf.SiglipConfig(text_config=TEXT, vision_config=VISION)
    return two_towers.transformers_model(folder, config, 3, processor=hf.SiglipImageProcessor(size={"height": 16, "width": 16}))


def hf_clip_vision(folder):
    config = hf.CLIPVisionConfig(**VISION, projection_dim=12)
    return two_towers.transformers_vision(folder, hf.CLIPVisionModelWithProjection, config, 4)


def hf_clip_vision_bare(folder):
    return two_towers.transformers_vision(folder, hf.CLIPVisionModel, hf.CLIPVisionConfig(**VISION), 5)


def hf_siglip_vision(folder):
    return two_towers.transformers_vision(folder, hf.SiglipVisionModel, hf.SiglipVisionConfig(**VISION), 6)


def hf_clip_classifier(folder):
    """The head reads the mean of the patches as they leave the last block; the final norm is stored and not used."""
    labels = dict(enumerate(["red", "green", "blue"]))
    config = hf.CLIPConfig(text_config=TEXT, vision_config=VISION, id2label=labels)
    processor = hf.CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    return two_towers.transformers_classifier(folder, config, 12, processor=processor)


def hf_siglip_classifier(folder):
    """The head reads the mean of the patches after the norm; the attention pooling is stored and not used. Several labels an
    image."""
    config = hf.SiglipConfig(text_config=TEXT, vision_config=VISION, num_labels=4, problem_type="multi_label_classification")
    return two_towers.transformers_classifier(folder, config, 13, processor=hf.SiglipImageProcessor(size={"height": 16, "width": 16}))


OWN = {
    "embed_dim": 12,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "patch_size": 8, "head_width": 8, "mlp_ratio": 2.0},
    "text_cfg": {"context_length": 12, "vocab_size": 40, "width": 24, "heads": 2, "layers": 1, "mlp_ratio": 2.0},
}


def open_clip(folder):
    return two_towers.open_clip_model(folder, dict(OWN, quick_gelu=True), 7)


def open_clip_custom(folder):
    """A text tower of its own, every token of which sees all, pooled at a stated end; the mean of patches; no norm before the
    first block; PyTorch's file."""
    config = dict(OWN, custom_text=True, init_logit_bias=-10)
    config["vision_cfg"] = dict(OWN["vision_cfg"], pool_type="avg", no_ln_pre=True, norm_kwargs={"eps": 1e-6},
                                final_ln_after_pool=True)
    config["text_cfg"] = dict(OWN["text_cfg"], no_causal_mask=True, pool_type="eos", eos_id=39, ls_init_value=1e-5,
                              act_kwargs={"approximate": "tanh"})
    return two_towers.open_clip_model(folder, config, 8, pickled=True)


def open_clip_siglip(folder):
    """SigLIP: timm's attention pooling, a text tower with a biased projection of its last token."""
    config = {
        "embed_dim": 64, "init_logit_bias": -10, "custom_text": True,
        "vision_cfg": {"image_size": 16, "timm_model_name": "vit_base_patch16_siglip_224", "timm_model_pretrained": False,
                       "timm_pool": "map", "timm_proj": "none"},
        "text_cfg": {"context_length": 12, "vocab_size": 40, "hf_tokenizer_name": "timm/ViT-B-16-SigLIP",
                     "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 16, "heads": 2, "layers": 1,
                     "no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}},
    }
    trunk = dict(img_size=16, patch_size=8, embed_dim=64, depth=1, num_heads=1, mlp_ratio=0.5, class_token=False,
                 global_pool="map", num_classes=0)
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    return two_towers.open_clip_model(folder, config, 9, trunk=trunk, preprocess=preprocess, half=True)


def timm_clip(folder):
    return two_towers.timm_model(folder, "vit_base_patch32_clip_quickgelu_224", 10, num_classes=5, **TIMM)


def timm_siglip(folder):
    return two_towers.timm_model(folder, "vit_base_patch32_siglip_256", 11, num_classes=5, **TIMM)


FIXTURES = [hf_clip, hf_clip_legacy, hf_siglip, hf_clip_vision, hf_clip_vision_bare, hf_siglip_vision,
            hf_clip_classifier, hf_siglip_classifier, open_clip, open_clip_custom, open_clip_siglip, timm_clip, timm_siglip]


def main():
    warnings.filterwarnings("ignore")
    hf.logging.set_verbosity_error()
    hf.logging.disable_progress_bar()
    for make in FIXTURES:
        name = make.__name__.replace("_", "-")
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        folder = ROOT / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        golden, weights, _ = make(folder)
        save_file({key: tensor.detach().float().contiguous() for key, tensor in golden.items()}, folder / "golden.safetensors")
        rows = {}
        for key, tensor in weights.items():
            array = np.ascontiguousarray(tensor.detach().float().numpy())
            rows[key] = {"shape": list(array.shape), "crc32": zlib.crc32(array.tobytes())}
        text = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in rows.items())
        (folder / "parameters.json").write_text("{\n" + text + "\n}\n")
        print(f"{name:24} {sum(f.stat().st_size for f in folder.iterdir()):8} bytes")


if __name__ == "__main__":
    main()
