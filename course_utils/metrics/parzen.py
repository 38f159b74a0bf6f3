"""A density made of samples: one small Gaussian on each. It was how generators were compared, and it misleads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["choose_parzen_std", "parzen_log_likelihood"]

_ROWS = 1_000  # of a matrix of distances at a time


def parzen_log_likelihood(x: Tensor, points: Tensor, std: float) -> Tensor:
    """Log of the mean over the points of N(x; point, std² I): the log-likelihood of a Parzen window, in nats.

    In many dimensions it says little of the generator that made the points: k-means centres reach more than real data
    do (Theis, van den Oord & Bethge, *A note on the evaluation of generative models*, ICLR 2016).

    Args:
        x: what is judged, shape (n, …).
        points: samples of a generator, shape (m, …), of the same size each.
        std: of the Gaussians, in the units of the data, more than 0.

    Returns:
        Shape (n,), float64, on the CPU; computed in float32 unless both are float64.

    Raises:
        InputError: if sizes do not fit, there are no points, values are not finite, or std is not positive.

    Source: Breuleux, Bengio & Vincent, *Neural Computation* 23, 2011.
    """
    a, b = _flat(x, points)
    if not std > 0:
        raise InputError(f"std={std}; give a standard deviation of more than 0.")
    return _log_likelihoods(a, b, [std])[0]


def choose_parzen_std(validation: Tensor, points: Tensor, candidates: Sequence[float]) -> float:
    """The standard deviation under which validation data are the most probable.

    Args:
        validation: data that are used for nothing else, shape (n, …).
        points: samples of a generator, shape (m, …).
        candidates: standard deviations to try, more than 0; look whether the answer lies at an end of them.

    Raises:
        InputError: if sizes do not fit, values are not finite, or there is no candidate.
    """
    a, b = _flat(validation, points)
    stds = [float(std) for std in candidates]
    if not stds or not all(std > 0 for std in stds):
        raise InputError(f"candidates={stds}; give one standard deviation or more, each more than 0.")
    means = _log_likelihoods(a, b, stds).mean(1)
    return stds[int(means.argmax())]


def _log_likelihoods(a: Tensor, b: Tensor, stds: Sequence[float]) -> Tensor:
    """For each of several stds, from one set of squared distances: (S, n)."""
    d, squares, found = a.shape[1], b.square().sum(1), []
    for part in a.split(_ROWS):
        distances = (part.square().sum(1)[:, None] + squares - 2 * part @ b.T).clamp_(min=0)
        found.append(
            torch.stack(
                [
                    torch.logsumexp(distances / (-2 * std**2), dim=1).double()
                    - math.log(len(b))
                    - d / 2 * math.log(2 * math.pi * std**2)
                    for std in stds
                ]
            )
        )
    return torch.cat(found, dim=1)


def _flat(x: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    if x.ndim < 2 or points.ndim < 2 or x.shape[1:].numel() != points.shape[1:].numel() or not len(x) * len(points):
        raise InputError(
            f"A Parzen window takes x (n, …) and points (m, …) of the same size each; the shapes are {tuple(x.shape)}"
            f" and {tuple(points.shape)}."
        )
    if not (x.isfinite().all() and points.isfinite().all()):
        raise InputError("Some values are not finite; look at the samples before measuring them.")
    both = x.dtype == points.dtype == torch.float64
    a, b = (part.detach().flatten(1).cpu().to(torch.float64 if both else torch.float32) for part in (x, points))
    centre = b.mean(0)  # distances stay as they are, and float32 loses less of them
    return a - centre, b - centre
