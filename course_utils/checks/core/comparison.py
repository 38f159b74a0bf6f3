"""Holding the student's function against an independent reference, on arguments drawn fresh."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, equal, isfinite, nn

from course_utils.checks.core.calls import Answer, call
from course_utils.checks.core.check import Mistake
from course_utils.checks.core.differences import both_shown, relation
from course_utils.checks.core.outcomes import Outcome, Wrong
from course_utils.checks.core.values import close, number, tensor

__all__ = ["compare", "in_double"]


def compare(
    answer: Answer,
    reference: Answer,
    draws: Iterable[tuple[Any, ...]],
    mistakes: Sequence[Mistake] = (),
    otherwise: str = "it is {got}, and it should be {expected}.",
    view: Answer = lambda value: value,
    *,
    what: str = "the result",
    overwritten: str = "",
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> None:
    """Hold the student's function against an independent reference, on several draws of its arguments.

    The reference is computed in float64, whatever the arguments are. A disagreement is first held against the known
    mistakes: one that computes what the student's function computes, on every draw, is named.

    Args:
        answer: the student's function.
        reference: the same quantity by other means (autograd, ``torch.distributions``, a closed form).
        draws: argument tuples, drawn fresh.
        mistakes: known mistakes whose ``make`` has the student's signature.
        otherwise: what to say when no known mistake fits; ``{got}`` and ``{expected}`` are filled in.
        view: what is looked at of a function's value: one of two results, directions whatever their sign.
        what: what the result is called in a message about its shape or kind.
        overwritten: what to say of an answer that writes into its arguments.
        rtol: relative tolerance; a tenth of it holds relative to a result's largest entry.
        atol: absolute tolerance.

    Raises:
        NotAttempted: if the function returns nothing and holds nothing but ``...``.
        Wrong: if it disagrees anywhere.
    """
    cases = list(draws)
    got = [view(call(answer, *case, overwritten=overwritten)) for case in cases]
    expected = [view(reference(*in_double(case))) for case in cases]
    slack = [max(atol, rtol / 10 * _size(e)) for e in expected]
    agree = [_is_one(g, e, what) and close(g, e, rtol, a) for g, e, a in zip(got, expected, slack, strict=True)]
    if all(agree):
        return
    for mistake in mistakes:
        results = (_quietly(mistake.make, case, view) for case in cases)
        if all(_agree(g, m, rtol, a) for g, m, a in zip(got, results, slack, strict=True)):
            raise Wrong(mistake.message)
    first = agree.index(False)
    g, e = got[first], expected[first]
    said = relation(got, expected)
    if isinstance(e, Tensor) and e.ndim > 0:
        try:
            tensor(g, e.shape, what)
        except Wrong as wrong:
            raise Wrong(f"{wrong} {said}".strip()) from None
    one, other = both_shown(g, e, rtol, slack[first])
    raise Wrong(f"{otherwise.format(got=one, expected=other)} {said}".strip())


def in_double(value: Any) -> Any:
    """The same in float64: tensors, copies of modules, and those in lists and tuples."""
    if isinstance(value, Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, (list, tuple)):
        return type(value)(map(in_double, value))
    return copy.deepcopy(value).double() if isinstance(value, nn.Module) else value


def _is_one(value: Any, expected: Any, what: str) -> bool:
    """Whether a result is of the kind that is asked for: a tensor of this shape, or one number."""
    try:
        if isinstance(expected, Tensor) and expected.ndim > 0:
            tensor(value, expected.shape, what)
        else:
            number(value, what)
    except Wrong:
        return False
    return True


def _agree(got: Any, mistaken: Any, rtol: float, atol: float) -> bool:
    """Whether a result is what a mistake gives, nan and inf in the same places."""
    if isinstance(got, Tensor) and isinstance(mistaken, Tensor) and got.shape == mistaken.shape:
        numbers = isfinite(mistaken)
        if not equal(numbers, isfinite(got)):
            return False
        got, mistaken = torch.where(numbers, got, 0.0), torch.where(numbers, mistaken, 0.0)
    return close(got, mistaken, rtol, atol)


def _quietly(make: Answer, arguments: tuple[Any, ...], view: Answer) -> Any:
    try:
        return view(call(make, *arguments))
    except (Exception, Outcome):
        return None


def _size(value: Any) -> float:
    if isinstance(value, Tensor):
        return float(value.detach().abs().max()) if value.numel() else 0.0
    return abs(value) if isinstance(value, (int, float)) else 0.0
