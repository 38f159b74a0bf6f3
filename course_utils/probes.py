"""The probe: how much of the label a linear reader finds in some features.

Ridge regression from the features to one-hot labels, its strength chosen on the validation images, at most 1,024
features. A probe says something only beside the same probe on pixels, on PCA and on as many random features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_utils.data import ImageData
from course_utils.errors import InputError

__all__ = ["MOST_FEATURES", "Probe", "probe", "random_features"]

MOST_FEATURES = 1024
STRENGTHS = tuple(10.0**power for power in range(-7, 2))
"""Ridge strengths that are tried, as multiples of the features' mean variance."""

Encode = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Probe:
    """What a probe found: accuracies in [0, 1], the strength chosen, and how many features it read."""

    accuracy: float
    val_accuracy: float
    strength: float
    n_features: int


def probe(encode: Encode, images: ImageData, *, n_train: int | None = None) -> Probe:
    """Ridge regression on one-hot labels: fitted on training images, strength chosen on validation, read on test.

    The features are centred, so that the intercept is not penalised; they are not scaled.

    Args:
        encode: maps flat images (N, 784) to features (N, D), D at most 1,024. It is called without gradients, on
            4,096 images at a time.
        images: the data set, its three splits.
        n_train: how many of the training images to use; all when None.

    Raises:
        InputError: if there are more than 1,024 features, or they are not of the shape (N, D), or not finite.

    Source: ridge regression, Hoerl & Kennard, *Technometrics* 12, 1970; linear probes, Alain & Bengio,
    *Understanding intermediate layers using linear classifier probes*, 2016.
    """
    train = images.train if n_train is None else images.train.take(n_train)
    n_classes = len(images.classes)
    features = _features(encode, train.flat)
    mean = features.mean(0)
    targets = torch.nn.functional.one_hot(train.labels, n_classes).to(features)
    centred, prior = features - mean, targets.mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    cross = axes.T @ (centred.T @ (targets - prior)) / len(centred)  # (D, classes)
    scale = variances.mean()
    if not scale > 0:
        raise InputError("All features are constant: there is nothing to probe. Look at what encode returns.")

    def accuracy(z: Tensor, labels: Tensor, strength: float) -> float:
        scores = (z - mean) @ (axes @ (cross / (variances.clamp(min=0) + strength * scale)[:, None])) + prior
        return (scores.argmax(1) == labels).double().mean().item()

    z_val = _features(encode, images.val.flat)
    accuracies = {strength: accuracy(z_val, images.val.labels, strength) for strength in STRENGTHS}
    best = max(STRENGTHS, key=lambda strength: accuracies[strength])
    test = accuracy(_features(encode, images.test.flat), images.test.labels, best)
    return Probe(test, accuracies[best], best, features.shape[1])


def random_features(
    d_x: int, number: int, kind: str = "relu", *, seed: int, device: torch.device | str | None = None
) -> Encode:
    """A layer with random weights, fixed: the features that a learnt layer has to beat.

    Weights are N(0, g²/d_x) and biases N(0, (g s)²), so that units switch at different places. The gain g is 1 for
    ``"relu"``, where it changes nothing, and 5 for ``"sigmoid"``, to reach beyond its straight middle; the spread s is
    0.1 and 0.3. Both were the best of a few for probes on MNIST's validation images.

    Args:
        d_x: dimensions of an input.
        number: features, at most 1,024.
        kind: ``"relu"`` or ``"sigmoid"``.
        seed: of the weights.
        device: where the weights lie; the CPU when None.

    Returns:
        A function (N, d_x) → (N, number).

    Raises:
        InputError: if the kind is unknown.

    Source: Rahimi & Recht, *Weighted sums of random kitchen sinks*, NeurIPS 2008.
    """
    activations: dict[str, tuple[Encode, float, float]] = {
        "relu": (torch.relu, 1.0, 0.1),
        "sigmoid": (torch.sigmoid, 5.0, 0.3),
    }
    if kind not in activations:
        raise InputError(f'kind={kind!r} is unknown; random features are "relu" or "sigmoid".')
    activation, gain, spread = activations[kind]
    generator = torch.Generator().manual_seed(seed)
    W = (torch.randn(number, d_x, generator=generator) * gain / d_x**0.5).to(device)
    b = (torch.randn(number, generator=generator) * gain * spread).to(device)
    return lambda x: activation(nn.functional.linear(x, W, b))


@torch.no_grad()
def _features(encode: Encode, x: Tensor) -> Tensor:
    parts = []
    for part in x.split(4096):
        z = encode(part)
        if z.ndim != 2 or len(z) != len(part):
            raise InputError(f"encode maps {tuple(part.shape)} to {tuple(z.shape)}; features have the shape (N, D).")
        if z.shape[1] > MOST_FEATURES:
            raise InputError(
                f"{z.shape[1]:,} features are more than a probe reads, {MOST_FEATURES:,}: pool or project them first."
            )
        parts.append(z.cpu().double() if z.device.type == "mps" else z.double())
    features = torch.cat(parts)
    if not features.isfinite().all():
        raise InputError("encode returns values that are not finite; look at its training before probing it.")
    return features
