"""What scikit-learn and NumPy say of a classifier's logits: metrics.safetensors."""

from pathlib import Path

import numpy
import torch
from sklearn import metrics
from torch.nn import functional as F

from fixture_file import numbers, save

COUNT, CLASSES = 400, 9


def write(folder: Path) -> None:
    generator = torch.Generator().manual_seed(300)
    # Class 7 has no pictures, and class 8 is never answered.
    labels = torch.randint(0, CLASSES - 1, (COUNT,), generator=generator)
    labels[labels == 7] = 8
    logits = numbers((COUNT, CLASSES), 301, 2)
    logits[torch.arange(COUNT), labels] += 2.5
    logits[:, 8] -= 30
    probabilities = logits.double().softmax(1).numpy()
    truth, answers = labels.numpy(), probabilities.argmax(1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, answers, labels=range(CLASSES), zero_division=0
    )
    known = sorted({*truth, *answers})
    results = {
        "top1": metrics.accuracy_score(truth, answers),
        "top5": metrics.top_k_accuracy_score(truth, probabilities, k=5, labels=range(CLASSES)),
        "loss": F.cross_entropy(logits.double(), labels).item(),
        "calibration_error": calibration_error(probabilities, truth, bins=15),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, answers),
        "macro_f1": metrics.f1_score(truth, answers, labels=known, average="macro", zero_division=0),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "count": support,
        "confusion": metrics.confusion_matrix(truth, answers, labels=range(CLASSES)),
    }
    tensors = {name: torch.as_tensor(numpy.asarray(value, dtype=float)) for name, value in results.items()}
    save(folder / "metrics.safetensors", {"logits": logits, "labels": labels} | tensors)


def calibration_error(probabilities, truth, bins):
    """Guo et al. 2017, equation 3: the gap of accuracy and confidence in bins of equal width, closed on the right."""
    confidence, correct = probabilities.max(1), probabilities.argmax(1) == truth
    place = numpy.digitize(confidence, numpy.linspace(0, 1, bins + 1), right=True)
    gaps = [abs(correct[place == k].mean() - confidence[place == k].mean()) * (place == k).mean() for k in set(place)]
    return sum(gaps)
