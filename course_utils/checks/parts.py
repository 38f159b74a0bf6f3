"""Answers with several parts: functions that return two results, gaps that hold two or three functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from torch import Tensor

from course_utils.checks.core import Mistake, Wrong, call, compare, kind_of

__all__ = ["Answer", "among", "hold", "one_of_two"]

Answer = Callable[..., Any]


def hold(
    answer: Answer,
    reference: Answer,
    draws: Iterable[tuple[Any, ...]],
    mistakes: Iterable[Mistake],
    otherwise: str,
    view: Answer = lambda value: value,
    *,
    what: str = "the result",
    atol: float = 1e-6,
) -> None:
    """:func:`compare` after a ``view`` of what the functions return; a message about its shape says ``what`` it is."""

    def seen(function: Answer) -> Answer:
        return functools.wraps(function)(lambda *arguments: view(call(function, *arguments)))

    known = [replace(mistake, make=seen(mistake.make)) for mistake in mistakes]
    try:
        compare(seen(answer), seen(reference), draws, known, otherwise=otherwise, atol=atol)
    except Wrong as wrong:
        raise Wrong(str(wrong).replace("the result ", f"{what} ", 1)) from None


def one_of_two(index: int, *names: str) -> Answer:
    """A view of a function's first or second result; a :class:`Wrong` when there are not two tensors."""

    def view(value: Any) -> Tensor:
        if not isinstance(value, tuple) or len(value) != 2:
            raise Wrong(f"two results are asked for, {' and '.join(names)}, and what comes back is {kind_of(value)}.")
        if not isinstance(value[index], Tensor):
            raise Wrong(f"{names[index]} should be a tensor, and it is {kind_of(value[index])}.")
        return value[index]

    return view


def among(right: tuple[Answer, ...], position: int, mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """The mistakes in one of several functions, with right ones around it."""
    return tuple(replace(m, make=(*right[:position], m.make, *right[position + 1 :])) for m in mistakes)
