"""What the checks draw afresh: numbers, data, and an encoder's weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import qr

__all__ = ["cloud", "fresh", "images_and_encoder", "integer", "normal", "uniform"]


def fresh(seed: int | None = None) -> torch.Generator:
    """A generator for the draws of one check: new values each time unless ``seed`` is given."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def integer(low: int, high: int, generator: torch.Generator) -> int:
    """A whole number, both ends included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def normal(*shape: int, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal draws."""
    return torch.randn(shape, generator=generator, dtype=dtype)


def uniform(
    low: float, high: float, *shape: int, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Numbers between ``low`` and ``high``, of the given shape; a tensor of one number when no shape is given."""
    return low + (high - low) * torch.rand(shape, generator=generator, dtype=dtype)


def cloud(generator: torch.Generator, dtype: torch.dtype = torch.float32, n: int = 0) -> tuple[Tensor, int]:
    """Data (n × d_x) off its mean, whose principal directions cannot be confused, and a k."""
    n, d, k = n or integer(30, 50, generator), integer(7, 12, generator), integer(2, 4, generator)
    rank = min(n - 1, d)
    noise = normal(n, rank, generator=generator, dtype=torch.float64)
    spread = n**0.5 * 3 * 0.75 ** torch.arange(rank) * uniform(1, 1.1, rank, generator=generator, dtype=torch.float64)
    rotation = qr(normal(d, d, generator=generator, dtype=torch.float64)).Q[:rank]
    mean = 3 * normal(d, generator=generator, dtype=torch.float64)
    return (qr(noise - noise.mean(0)).Q * spread @ rotation + mean).to(dtype), k


def images_and_encoder(generator: torch.Generator, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Images x (N × d_x) in [0, 1] and an encoder's W (d_h × d_x) and b (d_h); N, d_x and d_h all differ.

    With a large ``scale`` of its weights most of a sigmoid encoder's units are saturated.
    """
    N, d_x, d_h = (integer(low, low + 3, generator) for low in (12, 7, 3))
    W, b = (scale * normal(*shape, generator=generator) for shape in ((d_h, d_x), (d_h,)))
    return uniform(0, 1, N, d_x, generator=generator), W, b
