"""What an answer may return: a tensor of real numbers where one is asked for, and one number where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, allclose, as_tensor, isfinite

from course_utils.checks.core.outcomes import Wrong, kind_of

__all__ = ["close", "number", "strangeness", "tensor"]


def tensor(value: Any, shape: Sequence[int], name: str = "the result") -> Tensor:
    """``value`` as a detached tensor of the given shape with finite entries, or :class:`Wrong` saying why not."""
    if isinstance(value, np.ndarray):
        raise Wrong(f"{name} is a NumPy array; stay with torch, so that gradients can flow.")
    if not isinstance(value, Tensor):
        raise Wrong(f"{name} should be a tensor of shape {tuple(shape)}, and it is {kind_of(value)}.")
    if strange := strangeness(value):
        raise Wrong(f"{name} {strange}.")
    if tuple(value.shape) != tuple(shape):
        raise Wrong(f"{name} should have the shape {tuple(shape)}, and it has {tuple(value.shape)}.")
    if not isfinite(value).all():
        raise Wrong(f"{name} holds values that are not finite (inf or nan).")
    return value.detach()


def number(value: Any, name: str = "the result") -> float:
    """``value`` as a finite float (a one-element tensor will do), or :class:`Wrong` saying why not."""
    if isinstance(value, np.ndarray):
        raise Wrong(f"{name} is a NumPy array; stay with torch, so that gradients can flow.")
    if isinstance(value, Tensor) and (strange := strangeness(value)):
        raise Wrong(f"{name} {strange}.")
    try:
        result = np.nan if isinstance(value, (bool, np.bool_, str, bytes)) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        result = None
    if result is None or isinstance(value, (bool, np.bool_, str, bytes)):
        raise Wrong(f"{name} should be one number, and it is {kind_of(value)}.")
    if not np.isfinite(result):
        raise Wrong(f"{name} is {result}, which is not finite.")
    return result


def close(one: Any, other: Any, rtol: float = 1e-4, atol: float = 1e-6) -> bool:
    """Whether two results agree in shape and, within the tolerances, in value; False if they cannot be compared."""
    try:
        a, b = (as_tensor(x).detach() for x in (one, other))
        if strangeness(a) or strangeness(b):
            return False
        a, b = (x.cpu().to(torch.float64) for x in (a, b))
    except (TypeError, ValueError, RuntimeError):
        return False
    return a.shape == b.shape and bool(allclose(a, b, rtol=rtol, atol=atol))


def strangeness(value: Tensor) -> str:
    """What keeps a tensor from being one of real numbers, or nothing."""
    if value.is_meta:
        return "is on the device meta, where tensors hold no numbers"
    if value.layout is not torch.strided:
        return "is a sparse tensor; a dense one is asked for"
    if value.is_complex():
        return "is complex, and real numbers are asked for"
    return "holds true and false, and numbers are asked for" if value.dtype is torch.bool else ""
