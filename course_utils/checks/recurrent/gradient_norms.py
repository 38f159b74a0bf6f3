"""The check of clipping: one common factor for all gradients, so that their norm together stays below a bound."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    compare,
    fresh,
    in_double,
    integer,
    kind_of,
    normal,
)

__all__ = ["clip_gradients"]

Gradients = list[Tensor]


def _norm(gradients: Gradients) -> Tensor:
    return torch.cat([g.flatten() for g in gradients]).norm()


def _by_torch(gradients: Gradients, max_norm: float) -> Gradients:
    """The same by torch's own clipping, which works in place on the gradients of parameters."""
    parameters = [torch.zeros_like(g).requires_grad_() for g in gradients]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def _times(factor: Answer) -> Answer:
    """All gradients times one factor, made of them and the bound."""

    def clip(gradients: Gradients, max_norm: float) -> Gradients:
        by = factor(gradients, max_norm)
        return [by * g for g in gradients]

    return clip


def _at_most_1(ratio: Any) -> Tensor:
    return torch.as_tensor(ratio).clamp(max=1)


def _in_place(gradients: Gradients, max_norm: float) -> Gradients:
    by = _at_most_1(max_norm / _norm(gradients))
    for g in gradients:
        g *= by
    return gradients


_IN_PLACE = Mistake(
    "in place",
    "the gradients that were handed in are changed. Here the caller keeps them, to compare: return new tensors.",
    _in_place,
)
_CLIP = (
    Mistake(
        "each alone",
        "each tensor is clipped by its own norm, so that the direction of the step changes. One factor for all keeps "
        "it.",
        lambda gradients, max_norm: [g * _at_most_1(max_norm / g.norm()) for g in gradients],
    ),
    Mistake(
        "values clamped",
        "each entry is clamped to ± max_norm. Asked is a bound on the norm of all of them together.",
        lambda gradients, max_norm: [g.clamp(-max_norm, max_norm) for g in gradients],
    ),
    Mistake(
        "always rescaled",
        "gradients shorter than max_norm are stretched to it, and those of length 0 become nan. Short gradients "
        "should stay as they are.",
        _times(lambda gradients, max_norm: max_norm / _norm(gradients)),
    ),
    Mistake(
        "nan at 0",
        "gradients that are all 0 become nan: 0 is divided by the norm 0. They should stay 0.",
        lambda gradients, max_norm: [g / _norm(gradients) * _norm(gradients).clamp(max=max_norm) for g in gradients],
    ),
    Mistake(
        "squared norm",
        "what is compared with max_norm is the squared norm: a root is missing.",
        _times(lambda gradients, max_norm: _at_most_1(max_norm / _norm(gradients).square())),
    ),
    Mistake(
        "sum of the norms",
        "the norms of the tensors are added up. Norms add like the sides of a right angle: it is their squares that "
        "add up.",
        _times(lambda gradients, max_norm: _at_most_1(max_norm / sum(g.norm() for g in gradients))),
    ),
    Mistake(
        "largest of the norms",
        "what is compared with max_norm is the largest norm of one tensor. All tensors together have a longer one.",
        _times(lambda gradients, max_norm: _at_most_1(max_norm / max(g.norm() for g in gradients))),
    ),
    Mistake(
        "largest entry",
        "what is compared with max_norm is the largest entry. Asked is the Euclidean norm of all entries.",
        _times(lambda gradients, max_norm: _at_most_1(max_norm / max(g.abs().max() for g in gradients))),
    ),
    Mistake(
        "root of the mean square",
        "the squares are averaged before the root is taken. The norm is the root of their sum.",
        _times(
            lambda gradients, max_norm: _at_most_1(
                max_norm / torch.cat([g.flatten() for g in gradients]).square().mean().sqrt()
            )
        ),
    ),
    Mistake(
        "sum of the entries",
        "the entries are added up as absolute values, |g₁| + |g₂| + …. Asked is the Euclidean norm: squares, their "
        "sum, and its root.",
        _times(
            lambda gradients, max_norm: _at_most_1(max_norm / torch.cat([g.flatten() for g in gradients]).abs().sum())
        ),
    ),
    Mistake(
        "unit length",
        "long gradients come out with the norm 1, whatever max_norm is.",
        _times(
            lambda gradients, max_norm: (
                1 / _norm(gradients) if _norm(gradients) > max_norm else torch.ones_like(_norm(gradients))
            )
        ),
    ),
    Mistake(
        "set to 0",
        "long gradients are thrown away: they become 0. Clipping keeps their direction and shortens them.",
        _times(lambda gradients, max_norm: (_norm(gradients) <= max_norm).to(gradients[0])),
    ),
    Mistake(
        "not clipped",
        "the gradients come back as they were, long ones too.",
        lambda gradients, max_norm: [g.clone() for g in gradients],
    ),
)


def _together(value: Any) -> Any:
    """All gradients in one row."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(g, Tensor) for g in value):
        raise Wrong(f"a list of tensors is asked for, one for each gradient, and what comes back is {kind_of(value)}.")
    return torch.cat([g.flatten() for g in value])


def _sizes(d: int, h: int) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """How large the entries of the three gradients are, and their shapes."""
    return (2.0, (d, h)), (1.0, (h, h)), (0.3, (h,))


def _draw(generator: torch.Generator, share: float, scale: float = 1.0) -> tuple[Gradients, float]:
    """Three gradients whose norms are far apart, and a bound that is ``share`` of their common norm."""
    d, h = integer(4, 6, generator), integer(7, 9, generator)
    gradients = [scale * size * normal(*shape, generator=generator) for size, shape in _sizes(d, h)]
    return gradients, share * float(_norm(gradients))


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, share) for share in (0.05, 0.6, 0.93, 1.3, 3.0)]
    draws += [_draw(generator, 0.2, scale=50.0), in_double(_draw(generator, 0.5))]
    draws.append(([torch.zeros(3, 2), torch.zeros(4)], 1.0))
    text, overwritten = "the gradients hold {got}, and they should hold {expected}.", _IN_PLACE.message
    what = "what clip_gradients returns, in one row,"
    compare(answer, _by_torch, draws, _CLIP, text, _together, what=what, overwritten=overwritten)
    for gradients, max_norm in draws:
        if [g.shape for g in call(answer, gradients, max_norm)] != [g.shape for g in gradients]:
            raise Wrong("the entries are right, but each tensor should have the shape of the gradient it belongs to.")


clip_gradients = Check(
    "clip_gradients",
    _judge,
    "all gradients together are no longer than max_norm, their direction is kept, and short ones are as they were.",
    (*_CLIP, _IN_PLACE),
)
