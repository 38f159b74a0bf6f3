"""How much of a picture repeats with a given period, such as the stride of a transposed convolution."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["checkerboard_energy"]


def checkerboard_energy(images: Tensor, period: int = 2) -> Tensor:
    """The share of each picture's energy at the spatial frequency 1/period, along rows, columns or both.

    The energy is the squared size of the discrete Fourier transform, its sum over all frequencies but that of the mean.
    The share is that of the frequencies (f, g), in cycles per pixel, with ∣f∣ or ∣g∣ equal to 1/period: a checkerboard
    and stripes with this period have 1. Harmonics, such as 2/period, are not counted. White noise of side L has
    (2L − 1) / (L² − 1) on average for a period of 2, and 4 (L − 1) / (L² − 1) for a longer one: .070 and .138 at
    L = 28. Compare with real pictures, because edges have a part at every frequency.

    There is no window. The transform continues a picture periodically, so that a difference between opposite borders
    counts as an edge; digits, with paper all around, have none. Where a side is no multiple of the period, its last
    rows or columns are cut off, so that 1/period is one of the frequencies.

    Args:
        images: shape (N, 1, H, W), or (N, H · H); any range.
        period: in pixels, from 2 to the shorter side.

    Returns:
        Shape (N,), float64, in [0, 1], on the CPU; nan for a picture of a single grey value, which has no energy.

    Raises:
        InputError: if the shape is another, there is no picture, a value is not finite, or no such period fits.
    """
    x = images.detach().cpu().double()
    if x.ndim == 2 and round(x.shape[1] ** 0.5) ** 2 == x.shape[1]:
        side = round(x.shape[1] ** 0.5)
        x = x.reshape(-1, 1, side, side)
    if x.ndim != 4 or x.shape[1] != 1 or not x.numel():
        raise InputError(f"Energy is that of images (N, 1, H, W) or (N, H · H); the shape is {tuple(images.shape)}.")
    if not x.isfinite().all():
        raise InputError("The images hold values that are not finite; look at them before measuring them.")
    if not 2 <= period <= min(x.shape[2:]):
        raise InputError(f"period={period}: give 2 to {min(x.shape[2:])} pixels, the shorter side of the images.")
    height, width = (size - size % period for size in x.shape[2:])
    x = x[:, 0, :height, :width]

    # Rounding of the mean must not pass for energy.
    lowest, highest = x.amin((1, 2)), x.amax((1, 2))
    energy = torch.fft.fft2(x - x.mean((1, 2), keepdim=True)).abs().square()
    energy[:, 0, 0] = 0
    down, across = (_repeats(size, period) for size in (height, width))
    share = (energy * (down[:, None] | across[None, :])).sum((1, 2)) / energy.sum((1, 2))
    return torch.where(lowest < highest, share, torch.nan)


def _repeats(size: int, period: int) -> Tensor:
    """Which of the ``size`` frequencies of a side are 1/period cycles per pixel, forwards or backwards."""
    index = torch.arange(size)
    return (index == size // period) | (index == size - size // period)
