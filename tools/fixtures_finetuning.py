"""Goldens of a fine-tuning step: classifier-….safetensors with all that a step can have, and layer-decay.safetensors,
average.safetensors."""

from pathlib import Path

import timm
import torch
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV3
from torch.nn import functional as F

import random_weights
from fixture_file import Tensors, numbers, parameters_and_gradients, save

COMMON = {"img_size": (8, 12), "patch_size": 4, "embed_dim": 12, "num_heads": 3, "num_classes": 5}
IMAGES = 4
DISTILLED_WEIGHT, TEMPERATURE = 0.3, 3.0


def write(folder: Path) -> None:
    variants = {
        "drop-path": {"depth": 3, "init_values": 1e-5, "reg_tokens": 2, "no_embed_class": True},
        "drop-path-mean": {"depth": 2, "global_pool": "avg"},
    }
    for name, changes in variants.items():
        save(folder / f"classifier-{name}.safetensors", dropped(VisionTransformer(**(COMMON | changes))))
    for kind in ("hard", "soft"):
        model = VisionTransformerDistilled(**(COMMON | {"depth": 1}))
        save(folder / f"classifier-distillation-{kind}.safetensors", distilled(model, kind))
    save(folder / "layer-decay.safetensors", layer_decay())
    save(folder / "average.safetensors", average())


class GivenPaths(torch.nn.Module):
    """Drop path whose draw is given: what each image's branch is multiplied by."""

    def __init__(self, scales: torch.Tensor):
        super().__init__()
        self.scales = scales

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scales.to(x.dtype)[:, None, None]


def dropped(model: torch.nn.Module) -> Tensors:
    """`paths` (depth, 2, images) scales attention and MLP; targets are soft, and classes are weighted."""
    random_weights.fill(model, seed=31)
    depth = len(model.blocks)
    rates = torch.linspace(0, 0.5, depth)[:, None, None]
    kept = torch.rand((depth, 2, IMAGES), generator=torch.Generator().manual_seed(32)) >= rates
    paths = kept / (1 - rates)
    for block, scales in zip(model.blocks, paths):
        block.drop_path1, block.drop_path2 = GivenPaths(scales[0]), GivenPaths(scales[1])
    pixels, targets = numbers((IMAGES, 3, 8, 12), 33), numbers((IMAGES, 5), 34).softmax(dim=1)
    class_weights = torch.tensor([0.5, 2, 1, 0.25, 1.5])
    model = model.double()
    logits = model(pixels.double())
    loss = F.cross_entropy(logits, targets.double(), weight=class_weights.double())
    loss.backward()
    weights, gradients = parameters_and_gradients(model)
    given = {"pixels": pixels, "targets": targets, "class-weights": class_weights, "paths": paths}
    return weights | gradients | given | {"logits": logits, "loss": loss}


def distilled(model: torch.nn.Module, kind: str) -> Tensors:
    """Equations 2 (soft) and 3 (hard) of DeiT: the class token answers to the labels, the other to the teacher."""
    random_weights.fill(model, seed=41)
    pixels, teacher = numbers((IMAGES, 3, 8, 12), 43), numbers((IMAGES, 5), 44, 2)
    labels = torch.tensor([3, 0, 4, 1])
    model = model.double().train()
    model.set_distilled_training(True)
    logits, distilled_logits = model(pixels.double())
    cross_entropy = F.cross_entropy(logits, labels, label_smoothing=0.1)
    exact = teacher.double()
    if kind == "hard":
        loss = (cross_entropy + F.cross_entropy(distilled_logits, exact.argmax(dim=1))) / 2
    else:
        divergence = F.kl_div(
            (distilled_logits / TEMPERATURE).log_softmax(1), (exact / TEMPERATURE).log_softmax(1),
            reduction="batchmean", log_target=True,
        )  # fmt: skip
        loss = (1 - DISTILLED_WEIGHT) * cross_entropy + DISTILLED_WEIGHT * TEMPERATURE**2 * divergence
    loss.backward()
    weights, gradients = parameters_and_gradients(model)
    given = {"pixels": pixels, "labels": labels, "teacher": teacher}
    return weights | gradients | given | {"logits": logits, "distillation-logits": distilled_logits, "loss": loss}


def layer_decay() -> Tensors:
    """For each parameter of ViT-B its rate's factor and its decay, as MAE fine-tunes it: 0.65 a layer, decay 0.05."""
    with torch.device("meta"):
        model = timm.create_model("vit_base_patch16_224", global_pool="avg")
    groups = param_groups_layer_decay(
        model, 0.05, no_weight_decay_list=model.no_weight_decay(), layer_decay=0.65, verbose=False
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    result = {}
    for group in groups:
        for parameter in group["params"]:
            result[names[id(parameter)]] = torch.tensor([group["lr_scale"], group["weight_decay"]])
    return result


def average() -> Tensors:
    """A moving average with decay 0.9 over ten steps: the weights after each (`weights-0` before), and the average."""
    model = torch.nn.Linear(5, 3, bias=False).double()
    result = {f"weights-{step}": numbers((3, 5), 50 + step) for step in range(11)}
    model.weight.data = result["weights-0"].double()
    moving = ModelEmaV3(model, decay=0.9)
    for step in range(1, 11):
        model.weight.data = result[f"weights-{step}"].double()
        moving.update(model)
    return result | {"average": moving.module.weight}
