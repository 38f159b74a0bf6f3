"""The best linear denoiser, in closed form from the training covariance: the rival of every denoising network.

With the mean μ and the covariance Σ of clean data, the affine map of the corrupted x̃ with the least squared error is

    x̂ = μ + Cov(x, x̃) Cov(x̃)⁻¹ (x̃ − E x̃),

and for the corruptions of :mod:`course_utils.corruptions` all three moments follow from μ and Σ. (Bishop, *Pattern
Recognition and Machine Learning*, section 2.3; the linear minimum mean square error estimator.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.errors import InputError, did_you_mean

__all__ = ["AffineMap", "best_linear_denoiser", "conditional_mean"]

_KINDS = ("gaussian", "masking", "salt-and-pepper")


@dataclass(frozen=True)
class AffineMap:
    """x ↦ weight x + bias, for rows: (N, d) → (N, d)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Map rows (N, d) to rows (N, d); any other shape raises InputError."""
        if x.ndim != 2 or x.shape[1] != self.weight.shape[1]:
            raise InputError(f"Give rows of {self.weight.shape[1]} numbers, (N, d); the shape is {tuple(x.shape)}.")
        return x @ self.weight.T + self.bias


def best_linear_denoiser(x_train: Tensor, kind: str, strength: float) -> AffineMap:
    """The affine map with the least expected squared error to the clean data, given corrupted data.

    The moments are computed in float64; the map has the type and the device of ``x_train``.

    Args:
        x_train: clean data, shape (N, d).
        kind: ``"gaussian"`` (strength is the standard deviation, not clipped), ``"masking"`` or ``"salt-and-pepper"``
            (strength is the probability, from 0 to below 1), as in :mod:`course_utils.corruptions`.
        strength: see ``kind``.

    Raises:
        InputError: if the kind is unknown, the strength impossible, or ``x_train`` not of the shape (N, d).
    """
    if kind not in _KINDS:
        raise InputError(f"No closed form for {kind!r}: {did_you_mean(kind, _KINDS)}.")
    if not (strength >= 0 if kind == "gaussian" else 0 <= strength < 1):
        raise InputError(f"strength={strength} is impossible for {kind}; see the docstring for its range.")
    mean, covariance = _moments(x_train)
    second = covariance.diag() + mean.square()  # E x²
    if kind == "gaussian":
        keep, corrupted_mean = 1.0, mean
        extra = torch.full_like(mean, strength**2)
    else:
        keep = 1 - strength
        filler = 0.0 if kind == "masking" else 0.5
        filler_second = 0.0 if kind == "masking" else 0.5  # E s² of a coin of 0 and 1
        corrupted_mean = keep * mean + strength * filler
        variance = keep * second + strength * filler_second - corrupted_mean.square()
        extra = variance - keep**2 * covariance.diag()  # independent from pixel to pixel
    return _affine(mean, keep * covariance, keep**2 * covariance + extra.diag(), corrupted_mean, x_train)


def conditional_mean(x_train: Tensor, missing: Tensor) -> AffineMap:
    """Fill missing numbers with their mean given the others, under a Gaussian fitted to the data.

    The numbers that are there are passed on as they are, and what stands in the missing places is not looked at.

    Args:
        x_train: complete data, shape (N, d).
        missing: shape (d,), boolean, True where a number is missing.

    Raises:
        InputError: if the shapes do not belong together.

    Source: Bishop, *Pattern Recognition and Machine Learning*, equation 2.81.
    """
    if x_train.ndim != 2 or missing.shape != x_train.shape[1:] or missing.dtype != torch.bool:
        shapes = f"{tuple(x_train.shape)} and {tuple(missing.shape)}, {missing.dtype}"
        raise InputError(f"Give data (N, d) and a boolean mask (d,); they have {shapes}.")
    missing = missing.to(x_train.device)
    mean, covariance = _moments(x_train)
    seen = ~missing
    part = _affine(
        mean[missing], covariance[missing][:, seen], covariance[seen][:, seen], mean[seen], mean
    )  # float64: (missing, seen)
    weight = torch.diag(seen.to(mean.dtype))
    weight[missing.nonzero(), seen.nonzero().T] = part.weight
    bias = torch.zeros_like(mean)
    bias[missing] = part.bias
    return AffineMap(weight.to(x_train), bias.to(x_train))


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    if x.ndim != 2 or len(x) < 2:
        raise InputError(f"Give data of the shape (N, d) with at least two rows; it has {tuple(x.shape)}.")
    x = x.double() if x.device.type != "mps" else x.cpu().double()
    mean = x.mean(0)
    centred = x - mean
    return mean, centred.T @ centred / len(x)


def _affine(mean: Tensor, cross: Tensor, covariance: Tensor, corrupted_mean: Tensor, like: Tensor) -> AffineMap:
    """The map mean + cross · covariance⁺ (x̃ − corrupted_mean); directions that do not vary are left out."""
    variances, axes = torch.linalg.eigh(covariance)
    varying = variances > 1e-10 * variances[-1]
    inverse = (axes[:, varying] / variances[varying]) @ axes[:, varying].T
    weight = cross @ inverse
    bias = mean - weight @ corrupted_mean
    return AffineMap(weight.to(like), bias.to(like))
