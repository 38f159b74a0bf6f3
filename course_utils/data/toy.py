"""Toy data whose truth is known: heights of students, and points in the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from course_utils.errors import InputError, did_you_mean

__all__ = ["HEIGHTS", "Heights", "circle", "correlated_gaussian", "heights", "spiral"]

_INCH = 2.54  # cm


@dataclass(frozen=True)
class Heights:
    """The published figures of one group: mean and standard deviation in cm, and where they stand."""

    mean: float
    std: float
    source: str


_SCHILLING = (
    "Schilling, Watkins & Watkins, Is human height bimodal?, The American Statistician 56(3), 2002, p. 223-229: "
    "NHANES III, ages 20 to 29"
)
HEIGHTS: dict[str, Heights] = {
    "men": Heights(69.3 * _INCH, 2.92 * _INCH, f"{_SCHILLING}, men, 69.3 in, standard deviation 2.92 in"),
    "women": Heights(64.1 * _INCH, 2.75 * _INCH, f"{_SCHILLING}, women, 64.1 in, standard deviation 2.75 in"),
    "children": Heights(
        115.5,
        5.0,
        "WHO Growth Reference 2007, height for age at 72 months: girls 115.1 cm (5.1), boys 116.0 cm (4.9), pooled",
    ),
}


def heights(n: int, *, group: str = "men", seed: int | None = None) -> torch.Tensor:
    """Heights simulated from published figures: draws from the normal distribution with a group's mean and deviation.

    They are simulated, not measured: that heights of one group are close to normal is what the sources report.
    Men and women, ages 20 to 29: Schilling, Watkins & Watkins (2002), from the NHANES III survey. Children of six:
    the WHO Growth Reference 2007, both sexes pooled. :data:`HEIGHTS` holds the figures.

    Args:
        n: how many people.
        group: ``"men"``, ``"women"`` or ``"children"``.
        seed: draw from a generator of its own; from torch's unless given.

    Returns:
        Shape (n,), float64, in cm.

    Raises:
        InputError: if there is no such group, or ``n`` is less than 1.
    """
    if group not in HEIGHTS:
        raise InputError(f'There are no heights of "{group}". {did_you_mean(str(group), HEIGHTS)}')
    figures = HEIGHTS[group]
    return figures.mean + figures.std * _normal((n,), seed, torch.float64)


def circle(n: int, *, noise: float = 0.0, seed: int | None = None) -> torch.Tensor:
    """Points on the unit circle at angles drawn uniformly: one dimension that no line can hold.

    Args:
        n: how many points.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: draw from a generator of its own; from torch's unless given.

    Returns:
        Shape (n, 2), float32.

    Raises:
        InputError: if ``n`` is less than 1 or ``noise`` is negative.
    """
    angle = 2 * math.pi * _uniform(n, seed)
    return _with_noise(torch.stack([angle.cos(), angle.sin()], dim=1), noise, seed)


def spiral(n: int, *, turns: float = 1.5, noise: float = 0.0, seed: int | None = None) -> torch.Tensor:
    """Points on a spiral whose radius grows evenly with its angle, from 0.1 to 1, spread evenly along it.

    Args:
        n: how many points.
        turns: how often it goes round.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: draw from a generator of its own; from torch's unless given.

    Returns:
        Shape (n, 2), float32.

    Raises:
        InputError: if ``n`` is less than 1 or ``noise`` is negative.
    """
    radius = (0.01 + 0.99 * _uniform(n, seed)).sqrt()  # the arc grows as the square of the radius
    angle = 2 * math.pi * turns * (radius - 0.1) / 0.9
    return _with_noise(torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), noise, seed)


def correlated_gaussian(
    n: int,
    *,
    mean: tuple[float, float] = (0.0, 0.0),
    std: tuple[float, float] = (1.0, 1.0),
    correlation: float = 0.8,
    seed: int | None = None,
) -> torch.Tensor:
    """Draws from a normal distribution in the plane, through the Cholesky factor of its covariance.

    Args:
        n: how many points.
        mean: of the two coordinates.
        std: standard deviations of the two coordinates, more than 0.
        correlation: between them, in (-1, 1).
        seed: draw from a generator of its own; from torch's unless given.

    Returns:
        Shape (n, 2), float32.

    Raises:
        InputError: if ``n`` is less than 1, or there is no such distribution.
    """
    if min(std) <= 0 or not -1 < correlation < 1:
        raise InputError(
            f"std is {std} and correlation {correlation}; the one must be above 0, the other between -1 and 1."
        )
    factor = torch.tensor([[std[0], 0.0], [correlation * std[1], math.sqrt(1 - correlation**2) * std[1]]])
    return torch.tensor(mean) + _normal((n, 2), seed, torch.float32) @ factor.T


def _generator(n: int, seed: int | None) -> torch.Generator | None:
    if n < 1:
        raise InputError(f"n is {n}; draw at least 1.")
    return None if seed is None else torch.Generator().manual_seed(seed)


def _uniform(n: int, seed: int | None) -> torch.Tensor:
    return torch.rand(n, generator=_generator(n, seed))


def _normal(shape: tuple[int, ...], seed: int | None, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=_generator(shape[0], seed), dtype=dtype)


def _with_noise(points: torch.Tensor, noise: float, seed: int | None) -> torch.Tensor:
    if noise < 0:
        raise InputError(f"noise is {noise}; a standard deviation is 0 or more.")
    if noise == 0:
        return points
    return points + noise * _normal((len(points), 2), None if seed is None else seed + 1, torch.float32)
