"""Steps of LARS, a linear probe and nearest neighbours, written out in PyTorch: probe.safetensors.

LARS after You, Gitman and Ginsburg 2017, with PyTorch's form of momentum; nearest neighbours after DINO's evaluation.
"""

from pathlib import Path

import torch
from torch.nn import functional as F

from fixture_file import Tensors, named, numbers, save

CLASSES, WIDTH, BATCH = 4, 6, 8
RATES = [0.5, 1.5, 0.7, 0.2, 0.1]
TEMPERATURE = 0.07
COUNTS = [1, 5, 20]


def write(folder: Path) -> None:
    settings = {"rates": RATES, "temperature": TEMPERATURE, "neighbors": COUNTS, "classes": CLASSES}
    tensors = lars(0.0, "lars") | lars(0.1, "lars-decay") | linear() | neighbors()
    save(folder / "probe.safetensors", tensors, settings)


class Lars:
    """Matrices: decay, and the gradient brought to trust · ‖w‖; vectors: plain momentum."""

    def __init__(self, parameters, momentum=0.9, trust=0.001, decay=0.0):
        self.parameters, self.momentum, self.trust, self.decay = list(parameters), momentum, trust, decay
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for parameter, velocity in zip(self.parameters, self.velocities):
            gradient = parameter.grad
            if parameter.ndim > 1:
                gradient = gradient + self.decay * parameter
                sizes = parameter.norm(), gradient.norm()
                if self.trust is not None and min(sizes) > 0:
                    gradient = gradient * self.trust * sizes[0] / sizes[1]
            velocity.mul_(self.momentum).add_(gradient)
            parameter.sub_(rate * velocity)


def lars(decay: float, name: str) -> Tensors:
    """Five steps on given gradients; the third has none at all."""
    start = {"matrix": numbers((3, 5), 400), "vector": numbers((4,), 401)}
    exact = {key: tensor.double().requires_grad_() for key, tensor in start.items()}
    optimizer = Lars(exact.values(), decay=decay)
    result = {f"{key}/weights": tensor for key, tensor in start.items()}
    for step, rate in enumerate(RATES, start=1):
        for offset, (key, parameter) in enumerate(exact.items()):
            gradient = numbers(tuple(parameter.shape), 410 + 10 * step + offset, 10.0 ** (step - 3))
            if step == 3:
                gradient.zero_()
            parameter.grad = gradient.double()
            result[f"{key}/gradient-{step}"] = gradient
        optimizer.step(rate)
        result |= {f"{key}/after-{step}": parameter.detach().clone() for key, parameter in exact.items()}
    return named(name, result)


def linear() -> Tensors:
    """Batch normalisation and a linear layer on three batches, by SGD and by LARS; then logits of other features."""
    features = 3 + numbers((3 * BATCH, WIDTH), 500) * torch.linspace(0.1, 4, WIDTH)
    labels = torch.randint(0, CLASSES, (3 * BATCH,), generator=torch.Generator().manual_seed(501))
    others = 3 + numbers((5, WIDTH), 502)
    start = {"weight": numbers((CLASSES, WIDTH), 503, 0.3), "bias": numbers((CLASSES,), 504, 0.1)}
    result = {"features": features, "labels": labels, "others": others} | start
    for name, trust in (("sgd", None), ("lars", 0.001)):
        norm = torch.nn.BatchNorm1d(WIDTH, affine=False, eps=1e-6).double()
        exact = {key: tensor.double().requires_grad_() for key, tensor in start.items()}
        optimizer = Lars(exact.values(), trust=trust)
        for step in range(3):
            rows = slice(step * BATCH, (step + 1) * BATCH)
            logits = F.linear(norm(features[rows].double()), exact["weight"], exact["bias"])
            for parameter in exact.values():
                parameter.grad = None
            F.cross_entropy(logits, labels[rows]).backward()
            optimizer.step(RATES[step])
        norm.eval()
        result |= {f"{name}/{key}": parameter.detach() for key, parameter in exact.items()}
        result |= {f"{name}/mean": norm.running_mean, f"{name}/variance": norm.running_var}
        logits = F.linear(norm(others.double()), exact["weight"], exact["bias"]).detach()
        result[f"{name}/loss"] = F.cross_entropy(logits, torch.zeros(5, dtype=torch.long))
    return named("linear", result)


def neighbors() -> Tensors:
    """The ranks of the true classes among those that got votes; -1 where one got none."""
    generator = torch.Generator().manual_seed(600)
    centres = numbers((7, 8), 601)
    known, asked = (torch.randint(0, 7, (count,), generator=generator) for count in (60, 40))
    training = centres[known] + numbers((60, 8), 602, 1.2)
    evaluation = centres[asked] + numbers((40, 8), 603, 1.2)
    cosines = F.normalize(evaluation.double()) @ F.normalize(training.double()).T
    result = {"training": training, "known": known, "evaluation": evaluation, "asked": asked}
    for count in COUNTS:
        similarities, places = cosines.topk(count)
        votes = torch.zeros(40, 7, dtype=torch.double)
        votes.scatter_add_(1, known[places], (similarities / TEMPERATURE).exp())
        own = votes.gather(1, asked[:, None])
        ranks = (votes > own).sum(1)
        ranks[own[:, 0] == 0] = -1
        result[f"top1-{count}"] = (ranks == 0).double().mean()
        result[f"top5-{count}"] = ((ranks >= 0) & (ranks < 5)).double().mean()
    return named("neighbors", result)
