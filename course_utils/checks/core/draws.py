"""What the checks draw afresh: numbers, data, and an encoder's weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import qr

__all__ = ["cloud", "images_and_encoder", "integer", "normal"]


def integer(low: int, high: int, generator: torch.Generator) -> int:
    """A whole number, both ends included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def normal(*shape: int, generator: torch.Generator) -> Tensor:
    """Standard normal draws in float64."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def cloud(generator: torch.Generator) -> tuple[Tensor, int]:
    """Data (n × d_x, float64) off its mean, whose principal directions cannot be confused, and a k."""
    n, d, k = integer(30, 50, generator), integer(7, 12, generator), integer(2, 4, generator)
    noise = normal(n, d, generator=generator)
    spread = n**0.5 * 3 * 0.75 ** torch.arange(d) * (1 + 0.1 * torch.rand(d, generator=generator))
    rotation = qr(normal(d, d, generator=generator)).Q
    return qr(noise - noise.mean(0)).Q * spread @ rotation + 3 * normal(d, generator=generator), k


def images_and_encoder(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Images x (N × d_x) in [0, 1] and an encoder's W (d_h × d_x) and b (d_h), float64; N, d_x and d_h all differ."""
    N, d_x, d_h = (integer(low, low + 3, generator) for low in (12, 7, 3))
    x = torch.rand(N, d_x, generator=generator, dtype=torch.float64)
    return x, normal(d_h, d_x, generator=generator), normal(d_h, generator=generator)
