"""Answers with several parts: two results, two or three functions in a gap, a loss and its gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core.calls import Answer, call
from course_utils.checks.core.check import Mistake
from course_utils.checks.core.comparison import compare
from course_utils.checks.core.outcomes import Wrong, kind_of

__all__ = ["among", "compare_loss", "differentiated", "flat_gradient", "one_of_two", "upright"]


def compare_loss(
    answer: Answer,
    reference: Answer,
    draws: Sequence[tuple[Any, ...]],
    mistakes: Iterable[Mistake],
    differentiated: Callable[[Answer], Answer],
) -> None:
    """Hold a loss against its reference, first the value and then the gradient.

    Args:
        answer: the student's loss.
        reference: the same by our own hand.
        draws: argument tuples, drawn fresh.
        mistakes: known ones. Those with "detached" in their name have the right value and another gradient.
        differentiated: makes of a loss the function of its arguments that gives its :func:`flat_gradient`.

    Raises:
        Wrong: if value or gradient disagree anywhere.
    """
    known = tuple(mistakes)
    compare(answer, reference, draws, known, "the loss is {got}, and it should be {expected}.", what="the loss")
    text = "the value is right, but its gradient is not: {got} instead of {expected}."
    detached = [replace(m, make=differentiated(m.make)) for m in known if "detached" in m.name]
    compare(differentiated(answer), differentiated(reference), draws, detached, text, what="its gradient")


def differentiated(function: Answer, position: int, without: str) -> Answer:
    """The gradient of a function's summed value with respect to one of its arguments.

    Raises:
        Wrong: with the text ``without`` if the value carries no gradient.
    """

    @functools.wraps(function)
    def gradient_of(*arguments: Any) -> Tensor:
        leaf = arguments[position].clone().requires_grad_()
        value = call(function, *arguments[:position], leaf, *arguments[position + 1 :])
        if not isinstance(value, Tensor) or not value.requires_grad:
            raise Wrong(without)
        return flat_gradient(value, (leaf,), "the function")

    return gradient_of


def flat_gradient(value: Any, weights: tuple[Tensor, ...], name: str) -> Tensor:
    """The gradient of a loss with respect to all weights in one row; zeros for a weight that it does not depend on.

    Raises:
        Wrong: if ``value`` is no tensor or carries no gradient; ``name`` is the function that gave it.
    """
    if not isinstance(value, Tensor):
        raise Wrong(f"{name} should return a tensor, and it returns {kind_of(value)}.")
    if not value.requires_grad:
        raise Wrong("the value is right, but it carries no gradient at all: nothing could be trained with it.")
    parts = torch.autograd.grad(value.sum(), weights, allow_unused=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten() for g, w in zip(parts, weights, strict=True)])


def one_of_two(index: int, *names: str) -> Answer:
    """A view of a function's first or second result; a :class:`Wrong` when there are not two tensors."""

    def view(value: Any) -> Tensor:
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise Wrong(f"two results are asked for, {' and '.join(names)}, and what comes back is {kind_of(value)}.")
        if not isinstance(value[index], Tensor):
            raise Wrong(f"{names[index]} should be a tensor, and it is {kind_of(value[index])}.")
        return value[index]

    return view


def upright(directions: Any, dim: int) -> Any:
    """Directions along ``dim`` with the same side up whatever their sign, which is free.

    The side is that of a fixed odd pattern; entries of a direction may tie, so the largest would not do.
    """
    if not isinstance(directions, Tensor) or directions.ndim == 0 or not directions.is_floating_point():
        return directions
    pattern = torch.arange(1.0, directions.shape[dim] + 1).mul(12.9898).sin().to(directions)
    side = (directions.movedim(dim, -1) * pattern).sum(-1).sign().unsqueeze(dim)
    return directions * side


def among(right: tuple[Answer, ...], position: int, mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """The mistakes in one of several functions, with right ones around it."""
    return tuple(replace(m, make=(*right[:position], m.make, *right[position + 1 :])) for m in mistakes)
