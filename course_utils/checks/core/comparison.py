"""Holding the student's function against an independent reference, on arguments drawn fresh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from course_utils.checks.core.calls import Answer, call
from course_utils.checks.core.check import Mistake
from course_utils.checks.core.outcomes import Wrong
from course_utils.checks.core.values import close, tensor

__all__ = ["compare"]


def compare(
    answer: Answer,
    reference: Answer,
    draws: Iterable[tuple[Any, ...]],
    mistakes: Sequence[Mistake] = (),
    otherwise: str = "it is {got}, and it should be {expected}.",
    view: Answer = lambda value: value,
    *,
    what: str = "the result",
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> None:
    """Hold the student's function against an independent reference, on several draws of its arguments.

    A disagreement is first held against the known mistakes: one that computes what the student's function
    computes, on every draw where that mistake makes a difference, is named.

    Args:
        answer: the student's function.
        reference: the same quantity by other means (autograd, ``torch.distributions``, a closed form).
        draws: argument tuples, drawn fresh.
        mistakes: known mistakes whose ``make`` has the student's signature.
        otherwise: what to say when no known mistake fits; ``{got}`` and ``{expected}`` are filled in.
        view: what is looked at of a function's value: one of two results, directions whatever their sign.
        what: what the result is called in a message about its shape or kind.
        rtol: relative tolerance.
        atol: absolute tolerance.

    Raises:
        NotAttempted: if the function returns nothing and holds nothing but ``...``.
        Wrong: if it disagrees anywhere.
    """
    cases = list(draws)
    got = [view(call(answer, *map(_copy, case))) for case in cases]
    expected = [view(reference(*case)) for case in cases]
    agree = [close(g, e, rtol, atol) for g, e in zip(got, expected, strict=True)]
    if all(agree):
        return
    for mistake in mistakes:
        results = (_quietly(lambda *case, make=mistake.make: view(make(*case)), case) for case in cases)
        if all(close(g, m, rtol, atol) for g, m in zip(got, results, strict=True)):
            raise Wrong(mistake.message)
    first = agree.index(False)
    g, e = got[first], expected[first]
    if isinstance(e, torch.Tensor) and e.ndim > 0:
        tensor(g, e.shape, what)
    raise Wrong(otherwise.format(got=_show(g), expected=_show(e)))


def _copy(argument: Any) -> Any:
    """A tensor's clone, so that a function which writes into its argument spoils nothing but its copy."""
    return argument.clone() if isinstance(argument, torch.Tensor) else argument


def _quietly(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*map(_copy, arguments))
    except Exception:
        return None


def _show(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        if value.numel() > 6:
            return f"a tensor of shape {tuple(value.shape)} with mean {value.double().mean():.4g}"
        return (
            str([float(f"{x:.4g}") for x in value.double().flatten().tolist()]) if value.ndim else f"{float(value):.6g}"
        )
    return f"{value:.6g}" if isinstance(value, float) else str(value)
