"""Models of two towers with random weights, as transformers, OpenCLIP and timm save them, and what they compute.

Each maker writes a checkpoint into a folder and returns `Made`: its goldens, which are pixels, tokens, the embeddings of both and
their scores, or what there is of that; the weights under this package's own names; and what embeds pixels.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import open_clip
import timm
import torch
import transformers as hf
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

Tensors = dict[str, torch.Tensor]


class Made(NamedTuple):
    golden: Tensors
    weights: Tensors
    embed: Callable[[torch.Tensor], torch.Tensor]


def fill(model: torch.nn.Module, seed: int, half: bool = False) -> torch.nn.Module:
    """Weights with which every part of the model shows in its embeddings."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name == "logit_scale":
                value = torch.full(parameter.shape, 2.0)
            elif name == "logit_bias":
                value = torch.full(parameter.shape, -1.5)
            elif name.endswith("bias"):
                value = 0.1 * noise
            elif re.search(r"norm|ln_", name):
                value = 1 + 0.2 * noise
            elif re.search(r"token|embedding\.weight|pos_embed|positional|class_emb|latent|probe|ls_", name) and "patch" not in name:
                value = 0.5 * noise
            elif re.search(r"\.proj$|text_projection$", name):
                value = noise / noise.shape[0] ** 0.5
            else:
                value = noise / noise[0].numel() ** 0.5
                if re.search(r"qkv|in_proj|q_proj|k_proj", name):
                    value *= 1.5
            parameter.copy_(value.half().float() if half else value)
    return model.eval()


def pixels(count: int, size: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def texts(count: int, length: int, vocabulary: int, seed: int = 2) -> torch.Tensor:
    """Token sequences: short, of full length, empty, with the end repeated; the end is the highest number, the padding 0."""
    generator = torch.Generator().manual_seed(seed)
    start, end = vocabulary - 2, vocabulary - 1
    rows = torch.zeros(count, length, dtype=torch.long)
    for index in range(count):
        words = [0, length - 2, 1, 3, length // 2][index % 5]
        row = [start] + torch.randint(1, vocabulary - 2, (words,), generator=generator).tolist() + [end]
        if index % 5 == 3:
            row += [end] * min(2, length - len(row))
        if index % 7 == 6:
            row += torch.randint(1, vocabulary - 2, (length - len(row),), generator=generator).tolist()
        rows[index, : len(row)] = torch.tensor(row[:length])
    return rows


def scores(images: torch.Tensor, words: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    unit = [rows / rows.norm(dim=-1, keepdim=True) for rows in (images, words)]
    logits = unit[0] @ unit[1].T * scale.exp()
    return logits if bias is None else logits + bias


def goldens(model, image_features, text_features, counts, size, length, vocabulary) -> Tensors:
    """In double: the truth to half a unit in the last place."""
    model = model.double()
    images, tokens = pixels(counts[0], size), texts(counts[1], length, vocabulary)
    with torch.no_grad():
        embedded, read = image_features(images.double()), text_features(tokens)
        logits = scores(embedded, read, model.logit_scale, getattr(model, "logit_bias", None))
    return {"pixels": images, "tokens": tokens, "image_embeds": embedded, "text_embeds": read, "logits": logits}


# MARK: transformers


def features(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def transformers_model(folder: Path, config, seed: int, counts=(3, 7), processor=None) -> Made:
    """CLIPModel or SiglipModel."""
    kind = hf.CLIPModel if isinstance(config, hf.CLIPConfig) else hf.SiglipModel
    model = fill(kind(config), seed)
    model.save_pretrained(folder)
    if processor:
        processor.save_pretrained(folder)
    weights = transformers_names(model.state_dict())
    text = config.text_config

    def embed(x):
        return features(model.get_image_features(pixel_values=x))

    golden = goldens(
        model, embed, lambda x: features(model.get_text_features(input_ids=x)), counts, config.vision_config.image_size,
        text.max_position_embeddings, text.vocab_size)
    return Made(golden, weights, embed)


def transformers_vision(folder: Path, kind, config, seed: int, count=3) -> Made:
    """CLIPVisionModel, CLIPVisionModelWithProjection or SiglipVisionModel."""
    model = fill(kind(config), seed)
    model.save_pretrained(folder)
    weights = transformers_names(model.state_dict())
    model = model.double()
    images = pixels(count, config.image_size)

    def embed(x):
        output = model(pixel_values=x)
        return output.image_embeds if "WithProjection" in kind.__name__ else output.pooler_output

    with torch.no_grad():
        return Made({"pixels": images, "image_embeds": embed(images.double())}, weights, embed)


def transformers_classifier(folder: Path, config, seed: int, count=3, processor=None) -> Made:
    """CLIPForImageClassification or SiglipForImageClassification: its head reads the mean of the patches."""
    is_clip = isinstance(config, hf.CLIPConfig)
    model = fill((hf.CLIPForImageClassification if is_clip else hf.SiglipForImageClassification)(config), seed)
    model.save_pretrained(folder)
    if processor:
        processor.save_pretrained(folder)
    unused = "vision_model.post_layernorm." if is_clip else "vision_model.head."
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(unused)}
    weights = {name.replace("classifier.", "head."): tensor for name, tensor in transformers_names(state).items()}
    model = model.double()
    images = pixels(count, config.vision_config.image_size)

    def embed(x):
        return model.vision_model(pixel_values=x).last_hidden_state[:, int(is_clip) :].mean(1)

    with torch.no_grad():
        logits = model(pixel_values=images.double()).logits
        return Made({"pixels": images, "image_embeds": embed(images.double()), "logits": logits}, weights, embed)


RENAMES = [
    (r"^text_model\.", "text."), (r"^vision_model\.", ""), (r"^text_projection", "text.projection"),
    (r"^visual_projection", "projection"), (r"^text\.head", "text.projection"),
    (r"encoder\.layers\.", "blocks."), (r"layer_norm(\d)", r"norm\1"), (r"self_attn\.out_proj", "attn.proj"),
    (r"embeddings\.class_embedding", "cls_token"), (r"embeddings\.patch_embedding", "patch_embed.proj"),
    (r"embeddings\.position_embedding\.weight", "pos_embed"), (r"embeddings\.token_embedding", "token_embed"),
    ("pre_layrnorm", "norm_pre"), ("post_layernorm", "norm"), ("final_layer_norm", "norm"),
    (r"head\.probe", "attn_pool.latent"), (r"head\.attention\.out_proj", "attn_pool.proj"),
    (r"head\.layernorm", "attn_pool.norm"), (r"head\.mlp", "attn_pool.mlp"),
]


def renamed(name: str, renames) -> str:
    for old, new in renames:
        name = re.sub(old, new, name)
    return name


def own_shapes(weights: Tensors) -> Tensors:
    """The shapes of timm and of single numbers."""
    result = {}
    for name, tensor in weights.items():
        if name == "cls_token":
            tensor = tensor.reshape(1, 1, -1)
        elif name == "pos_embed":
            tensor = tensor.reshape(1, *tensor.shape[-2:])
        elif name in ("logit_scale", "logit_bias"):
            tensor = tensor.reshape(1)
        result[name] = tensor
    return result


def transformers_names(state: Tensors) -> Tensors:
    weights, parts = {}, {}
    for stored, tensor in state.items():
        if stored.endswith("position_ids"):
            continue
        if match := re.search(r"(.*)self_attn\.([qkv])_proj\.(weight|bias)", stored):
            parts.setdefault((match[1], match[3]), {})[match[2]] = tensor
        elif match := re.search(r"head\.attention\.in_proj_(weight|bias)", stored):
            width = tensor.shape[0] // 3
            weights[f"attn_pool.q.{match[1]}"], weights[f"attn_pool.kv.{match[1]}"] = tensor[:width], tensor[width:]
        else:
            weights[renamed(stored, RENAMES)] = tensor
    for (block, kind), rows in parts.items():
        weights[renamed(block, RENAMES) + f"attn.qkv.{kind}"] = torch.cat([rows[part] for part in "qkv"])
    return own_shapes(weights)


# MARK: OpenCLIP


def open_clip_model(folder: Path, config: dict, seed: int, counts=(3, 7), trunk: dict | None = None, preprocess: dict | None = None,
                    half: bool = False, pickled: bool = False) -> Made:
    """A model of OpenCLIP; `trunk`: the arguments of the timm model that takes the place of the named one, to be small."""
    config = json.loads(json.dumps(config))
    kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    arguments = {key: value for key, value in config.items() if key != "custom_text"}
    model = kind(**arguments)
    if trunk:
        model.visual.trunk = VisionTransformer(**trunk)
    fill(model, seed, half)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    stored = {name: tensor.half() if half else tensor for name, tensor in state.items()}
    if pickled:
        torch.save(stored, folder / "open_clip_pytorch_model.bin")
    else:
        save_file(stored, folder / "open_clip_model.safetensors")
    description = {"model_cfg": config, "preprocess_cfg": preprocess or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(description, indent=2) + "\n")
    text = config["text_cfg"]
    size = config["vision_cfg"]["image_size"]
    golden = goldens(model, model.encode_image, model.encode_text, counts, size, text["context_length"], text["vocab_size"])
    return Made(golden, open_clip_names(state), model.encode_image)


OPEN_CLIP_RENAMES = [
    (r"^visual\.trunk\.", ""), (r"^visual\.head\.proj", "projection"), (r"^visual\.", ""), (r"transformer\.resblocks\.", "blocks."),
    (r"ln_(\d)", r"norm\1"), (r"attn\.in_proj_", "attn.qkv."), (r"attn\.out_proj", "attn.proj"), (r"mlp\.c_fc", "mlp.fc1"),
    (r"mlp\.c_proj", "mlp.fc2"), (r"ls_(\d)", r"ls\1"), ("class_embedding", "cls_token"), ("conv1", "patch_embed.proj"),
    ("positional_embedding", "pos_embed"), ("token_embedding", "token_embed"), ("ln_pre", "norm_pre"), ("ln_post", "norm"),
    ("ln_final", "norm"), ("text_projection", "projection"),
]


def open_clip_names(state: Tensors) -> Tensors:
    weights = {}
    for stored, tensor in state.items():
        if stored.endswith("attn_mask"):
            continue
        is_image = stored.startswith("visual.")
        name = stored if is_image or stored.startswith(("logit", "text.")) else f"text.{stored}"
        name = renamed(name, OPEN_CLIP_RENAMES)
        if stored == "visual.proj":
            name, tensor = "projection.weight", tensor.T
        elif re.search(r"text_projection$", stored):
            name, tensor = "text.projection.weight", tensor.T
        weights[name] = tensor.contiguous()
    return own_shapes(weights)


# MARK: timm


def timm_model(folder: Path, name: str, seed: int, count=3, **arguments) -> Made:
    """A vision tower with a head, as timm saves it."""
    model = fill(timm.create_model(name, **arguments), seed)
    timm.models._hub.save_for_hf(model, folder, safe_serialization=True)
    config = json.loads((folder / "config.json").read_text())
    config["model_args"] = {key: value for key, value in arguments.items() if key != "num_classes"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = dict(model.state_dict())
    model = model.double()
    images = pixels(count, model.patch_embed.img_size[0])

    def embed(x):
        return model.forward_head(model.forward_features(x), pre_logits=True)

    with torch.no_grad():
        golden = {"pixels": images, "image_embeds": embed(images.double())}
        if model.num_classes:
            golden["logits"] = model(images.double())
    return Made(golden, weights, embed)
