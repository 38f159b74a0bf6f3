"""Corruptions C(x̃ | x): how a denoising autoencoder's inputs are spoilt, each draw from a generator of its own.

Values are not clipped afterwards: a clipped Gaussian is no Gaussian, and its best linear denoiser is another one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["central_hole", "gaussian", "masking", "salt_and_pepper"]


def gaussian(x: Tensor, std: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Add independent normal noise: x̃ = x + std · ε, ε ~ N(0, 1), not clipped.

    Args:
        x: any shape, floating point.
        std: standard deviation of the noise, 0 or more, in units of ``x``.
        generator: where the noise comes from, on the device of ``x``; torch's own when None.

    Returns:
        A new tensor of the same shape.

    Raises:
        InputError: if ``std`` is below 0.
    """
    if not std >= 0:
        raise InputError(f"std={std} is no standard deviation; give 0 or more.")
    return x + std * torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=generator)


def masking(x: Tensor, probability: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Set each number to zero with the given probability, independently of the others.

    Args:
        x: any shape, floating point.
        probability: of losing a number, in [0, 1].
        generator: where the choice comes from, on the device of ``x``; torch's own when None.

    Returns:
        A new tensor of the same shape.

    Raises:
        InputError: if ``probability`` is not in [0, 1].

    Source: Vincent, Larochelle, Bengio & Manzagol, *Extracting and composing robust features with denoising
    autoencoders*, ICML 2008.
    """
    return torch.where(_chosen(x, probability, generator), 0.0, x)


def salt_and_pepper(x: Tensor, probability: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Replace each number with the given probability by 0 (pepper) or 1 (salt), half of them each.

    Args:
        x: any shape, floating point, values in [0, 1].
        probability: of losing a number, in [0, 1].
        generator: where the choice comes from, on the device of ``x``; torch's own when None.

    Returns:
        A new tensor of the same shape.

    Raises:
        InputError: if ``probability`` is not in [0, 1].

    Source: Vincent, Larochelle, Lajoie, Bengio & Manzagol, *Stacked denoising autoencoders*, JMLR 11, 2010.
    """
    chosen = _chosen(x, probability, generator)
    salt = torch.rand(x.shape, device=x.device, generator=generator) < 0.5
    return torch.where(chosen, salt.to(x.dtype), x)


def central_hole(height: int = 28, width: int = 28, size: int = 12) -> Tensor:
    """A square in the middle of an image: shape (height, width), boolean, True inside.

    Raises:
        InputError: if the square is larger than the image, or empty.
    """
    if not 0 < size <= min(height, width):
        raise InputError(f"A hole of {size} pixels does not fit an image of {height} × {width}; make it smaller.")
    mask = torch.zeros(height, width, dtype=torch.bool)
    top, left = (height - size) // 2, (width - size) // 2
    mask[top : top + size, left : left + size] = True
    return mask


def _chosen(x: Tensor, probability: float, generator: torch.Generator | None) -> Tensor:
    if not 0 <= probability <= 1:
        raise InputError(f"probability={probability} is no probability; give a number from 0 to 1.")
    return torch.rand(x.shape, device=x.device, generator=generator) < probability
