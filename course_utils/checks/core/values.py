"""What an answer may return: a tensor where one is asked for, and one number where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from course_utils.checks.core.outcomes import Wrong, kind_of

__all__ = ["close", "number", "tensor"]


def tensor(value: Any, shape: Sequence[int], name: str = "the result") -> torch.Tensor:
    """``value`` as a detached tensor of the given shape with finite entries, or :class:`Wrong` saying why not."""
    if isinstance(value, np.ndarray):
        raise Wrong(f"{name} is a NumPy array; stay with torch, so that gradients can flow.")
    if not isinstance(value, torch.Tensor):
        raise Wrong(f"{name} should be a tensor of shape {tuple(shape)}, and it is {kind_of(value)}.")
    if tuple(value.shape) != tuple(shape):
        raise Wrong(f"{name} should have the shape {tuple(shape)}, and it has {tuple(value.shape)}.")
    if not torch.isfinite(value).all():
        raise Wrong(f"{name} holds values that are not finite (inf or nan).")
    return value.detach()


def number(value: Any, name: str = "the result") -> float:
    """``value`` as a finite float (a one-element tensor will do), or :class:`Wrong` saying why not."""
    try:
        result = float(value)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{name} should be one number, and it is {kind_of(value)}.") from None
    if not np.isfinite(result):
        raise Wrong(f"{name} is {result}, which is not finite.")
    return result


def close(one: Any, other: Any, rtol: float = 1e-4, atol: float = 1e-6) -> bool:
    """Whether two results agree in shape and, within the tolerances, in value; False if they cannot be compared."""
    try:
        a, b = (torch.as_tensor(x).detach().cpu().to(torch.float64) for x in (one, other))
    except (TypeError, ValueError, RuntimeError):
        return False
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=rtol, atol=atol))
