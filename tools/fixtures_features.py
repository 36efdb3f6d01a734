"""Goldens of what lies inside a transformer: features-….safetensors."""

import warnings
from pathlib import Path

import safetensors.torch
import torch
import transformers

from fixture_file import Tensors, save

CHECKPOINTS = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "checkpoints"


def write(folder: Path) -> None:
    warnings.filterwarnings("ignore")
    save(folder / "features-hf-vit.safetensors", inside("hf-vit"))


@torch.no_grad()
def inside(name: str) -> Tensors:
    """The hidden states (N, D) before the first block and after each, without the final norm, and the attention weights
    (H, N, N) of each block, for the input of the checkpoint's own golden.

    The weights are loaded and run in float64.
    """
    model = transformers.ViTModel.from_pretrained(
        CHECKPOINTS / name, attn_implementation="eager", add_pooling_layer=False
    )
    pixels = safetensors.torch.load_file(CHECKPOINTS / name / "golden.safetensors")["input"]
    states = []
    handles = [layer.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0])) for layer in model.layers]
    handles.append(model.layernorm.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0])))
    output = model.double().eval()(pixels.double(), output_attentions=True)
    for handle in handles:
        handle.remove()
    result = {"input": pixels}
    result |= {f"hidden/{index}": state[0] for index, state in enumerate(states)}
    result |= {f"attention/{index}": weights[0] for index, weights in enumerate(output.attentions)}
    return result
