"""Cells that use an answer wait, visibly, until its gap is filled."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import isfinite

from course_utils.checks.core.calls import call
from course_utils.checks.core.outcomes import NotAttempted, Wrong, is_gap, kind_of

__all__ = ["ready"]


def ready(answer: Any, *arguments: Any, name: str = "", like: Any = None) -> bool:
    """Whether a cell that uses an answer can run; prints the line that says what it waits for when it cannot.

    ``if ready(log_likelihood, x, 170.0, 8.0, like=0.0):`` lets a figure wait until its gap is filled. It does not
    ask whether the answer is right: a picture of a wrong answer is worth seeing.

    Args:
        answer: the student's function or variable.
        arguments: called with these, when it is a function.
        name: what to call it; a function knows its own name, a variable needs one.
        like: an example of what is needed: a number, a string, a tensor of the right shape, or a tuple or dict of such.

    Returns:
        True when the function returns something (``like`` the example), or the variable holds something.
    """
    name = name or getattr(answer, "__name__", "the gap above")
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):  # named, or several GPUs warn
            value = call(answer, *arguments) if callable(answer) and not isinstance(answer, type) else answer
        problem = "" if not is_gap(value) else " "
        if not problem and like is not None and not _is_like(value, like):
            problem = f": it gives {_shape(value)}, and {_shape(like)} is needed"
    except NotAttempted:
        problem = " "
    except Wrong as wrong:
        problem = f": {wrong}"
    if problem:
        print(f"This cell waits for {name}{problem.rstrip().rstrip('.')}.")
    return not problem


def _is_like(value: Any, example: Any) -> bool:
    """Whether a value has the shape of the example, entry by entry; its entries' values do not matter."""
    if isinstance(example, dict):
        return isinstance(value, dict) and all(k in value and _is_like(value[k], v) for k, v in example.items())
    if isinstance(example, tuple):
        return isinstance(value, tuple) and len(value) == len(example) and all(map(_is_like, value, example))
    if isinstance(example, str):
        return isinstance(value, str)
    if isinstance(example, torch.Tensor):
        if not isinstance(value, torch.Tensor) or value.shape != example.shape:
            return False
        return bool(isfinite(value).all())
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError, RuntimeError):
        return False


def _shape(value: Any) -> str:
    if isinstance(value, torch.Tensor) and value.ndim:
        holds = "" if isfinite(value).all() else " that holds inf or nan"
        return f"a tensor of shape {tuple(value.shape)}{holds}"
    if isinstance(value, tuple):
        return f"{len(value)} value{'s' if len(value) != 1 else ''} ({', '.join(map(_shape, value))})"
    if not isinstance(value, (int, float, torch.Tensor)):
        return kind_of(value)
    return "a number" if np.isfinite(float(value)) else f"the number {float(value)}"
