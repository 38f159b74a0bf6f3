"""What the checks of top-p and of min-p share: distributions drawn afresh, and what a filter makes of them.

All probabilities are multiples of 1/1,024, so that their sums are exact whatever order they are added in.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.checks.core import Answer, integer

__all__ = ["PARTS", "Kept", "as_it_is", "distributions", "inverted", "renormalised", "softmaxed"]

PARTS = 1_024
"""All probabilities are whole multiples of 1 / PARTS."""
Kept = Callable[[Tensor, float], Tensor]
"""Which characters stay, True and False, of probabilities and a share."""


def distributions(generator: torch.Generator, rows: int) -> Tensor:
    """Distributions (rows, V), or (V,) for no rows, whose entries are all different within a row."""
    V, found = integer(7, 9, generator), list[Tensor]()
    while len(found) < max(rows, 1):
        parts = torch.randperm(200, generator=generator)[: V - 1] + 4
        last = PARTS - int(parts.sum())
        if last > 3 and last not in parts.tolist():
            row = torch.cat([parts, torch.tensor([last])])
            found.append(row[torch.randperm(V, generator=generator)] / PARTS)
    return torch.stack(found) if rows else found[0]


def renormalised(keep: Kept) -> Answer:
    """A filter that keeps some characters, and divides by what is kept."""

    def filtered(probs: Tensor, share: float) -> Tensor:
        kept = torch.where(keep(probs, share), probs, 0.0)
        return kept / kept.sum(-1, keepdim=True)

    return filtered


def as_it_is(keep: Kept) -> Answer:
    """A filter that keeps some characters with the probabilities that they had."""
    return lambda probs, share: torch.where(keep(probs, share), probs, 0.0)


def softmaxed(keep: Kept) -> Answer:
    """A filter that keeps some characters, and takes a softmax over all."""
    return lambda probs, share: torch.softmax(torch.where(keep(probs, share), probs, 0.0), -1)


def inverted(keep: Kept) -> Kept:
    """The other characters."""
    return lambda probs, share: ~keep(probs, share)
