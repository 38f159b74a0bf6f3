"""How a result differs from the expected one, in words: the first entry that differs, a ratio, an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, allclose, isclose, isfinite

from course_utils.checks.core.outcomes import kind_of
from course_utils.checks.core.values import strangeness

__all__ = ["both_shown", "relation"]

_FEW = 6  # so many numbers are shown in full


def both_shown(got: Any, expected: Any, rtol: float, atol: float) -> tuple[str, str]:
    """Two results that differ, as texts: in full when they are short, else the first entry that differs."""
    alike = isinstance(got, Tensor) and isinstance(expected, Tensor) and got.shape == expected.shape
    if not alike or expected.numel() <= _FEW:
        return _shown(got), _shown(expected)
    g, e = (value.detach().cpu().double() for value in (got, expected))
    place = tuple((~isclose(g, e, rtol=rtol, atol=atol)).nonzero()[0].tolist())
    one, other = float(g[place]), float(e[place])
    digits = next((digits for digits in (6, 9) if f"{one:.{digits}g}" != f"{other:.{digits}g}"), 12)
    return f"{one:.{digits}g} at [{', '.join(map(str, place))}]", f"{other:.{digits}g}"


def relation(got: Sequence[Any], expected: Sequence[Any], rtol: float = 1e-4) -> str:
    """A sentence on what all results of several draws have in common with the expected ones, or nothing."""
    try:
        pairs = [tuple(map(_numbers, pair)) for pair in zip(got, expected, strict=True)]
    except (TypeError, ValueError, RuntimeError):
        return ""

    def hold(change: Any, of: Any = lambda e: e) -> bool:
        return all(
            (changed := change(g)).shape == of(e).shape and allclose(changed, of(e), rtol=rtol, atol=rtol * _size(e))
            for g, e in pairs
        )

    if all(e.ndim >= 2 for _, e in pairs) and hold(lambda g: g.mT if g.ndim >= 2 else g):
        return "Yours is the transpose."
    if any(g.shape != e.shape for g, e in pairs):
        return ""
    one, other = (torch.cat([pair[i].flatten() for pair in pairs]) for i in (0, 1))
    largest = other.abs().argmax()
    if len(one) < 2 or other[largest] == 0 or not isfinite(one).all():
        return ""
    ratio, shift = float(one[largest] / other[largest]), float(one[largest] - other[largest])
    if not one.any():
        return "Yours is 0 everywhere."
    if abs(ratio - 1) >= 10 * rtol or abs(shift) >= 10 * rtol * _size(other):  # else the largest number is right
        if allclose(one, ratio * other, rtol=rtol, atol=rtol * abs(ratio) * _size(other) / 10):
            turned = abs(ratio + 1) < rtol
            return "The sign is turned, everywhere." if turned else f"Yours is {ratio:.4g} × that, everywhere."
        if allclose(one - other, torch.full_like(one, shift), rtol=rtol, atol=0):
            return (
                f"Yours is larger by {shift:.4g}, everywhere." if shift > 0 else f"It lacks {-shift:.4g}, everywhere."
            )
    if hold(lambda g: g.flatten().sort().values, lambda e: e.flatten().sort().values) and all(
        e.numel() > 1 for _, e in pairs
    ):
        return "These are the right numbers in another order."
    return ""


def _numbers(value: Any) -> Tensor:
    value = torch.as_tensor(value).detach()
    if strange := strangeness(value):
        raise TypeError(strange)
    return value.cpu().double()


def _size(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0


def _shown(value: Any) -> str:
    if isinstance(value, Tensor) and not value.is_meta and value.numel() <= _FEW:
        value = value.detach().cpu()
        if not value.ndim:
            return _shown(value.item())
        return str([_shown(x) for x in value.flatten().tolist()]).replace("'", "")
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if isinstance(value, (int, str)) and len(str(value)) < 40 else kind_of(value)
