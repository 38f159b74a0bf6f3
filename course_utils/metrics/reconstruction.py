"""How good a reconstruction is, and what it costs to store."""

from __future__ import annotations

import math

import torch

from course_utils.errors import InputError

__all__ = ["mosaic", "mse_per_pixel", "psnr", "quantise"]


def mse_per_pixel(x_hat: torch.Tensor, x: torch.Tensor) -> float:
    """Squared error averaged over everything; both of the same shape (N, ...), values on the scale [0, 1].

    Raises:
        InputError: if the shapes differ, which broadcasting would hide.
    """
    if x_hat.shape != x.shape:
        raise InputError(
            f"Reconstruction {tuple(x_hat.shape)} and image {tuple(x.shape)} differ in shape; reshape one."
        )
    return (x_hat - x).square().mean().item()


def psnr(x_hat: torch.Tensor, x: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in decibels, for a peak of 1: −10 log₁₀ MSE; infinite for equal images."""
    mse = mse_per_pixel(x_hat, x)
    return math.inf if mse == 0 else -10 * math.log10(mse)


def mosaic(images: torch.Tensor, columns: int) -> torch.Tensor:
    """Images (N, 1, H, W) side by side as one image (rows · H, columns · W), N a multiple of ``columns``.

    Raises:
        InputError: if the images do not fill the rows.
    """
    n, _, height, width = images.shape
    if n % columns:
        raise InputError(f"{n} images do not fill rows of {columns}; take a multiple of {columns}.")
    grid = images.reshape(n // columns, columns, height, width)
    return grid.transpose(1, 2).reshape(n // columns * height, columns * width)


def quantise(codes: torch.Tensor, low: torch.Tensor, high: torch.Tensor, bits: int = 8) -> torch.Tensor:
    """Round each code to one of 2^bits levels evenly spaced from ``low`` to ``high``; values outside are clipped.

    Args:
        codes: shape (N, k).
        low: shape (k,), the value of the lowest level, from the training set.
        high: shape (k,), the value of the highest.
        bits: bits per number.

    Returns:
        Shape (N, k), on the scale of ``codes``.

    Raises:
        InputError: if ``bits`` is less than 1.
    """
    if bits < 1:
        raise InputError(f"A code needs at least 1 bit per number; got bits = {bits}.")
    step = (high - low) / (2**bits - 1)
    step = torch.where(step > 0, step, torch.ones_like(step))
    return low + step * ((codes - low) / step).round().clamp(0, 2**bits - 1)
