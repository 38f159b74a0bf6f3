"""The check of spherical interpolation between codes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, normal

__all__ = ["slerp"]


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.cosine_similarity(a, b, dim=1)[:, None].arccos()


def _reference(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Turned in the plane of both: a's direction and the part of b at right angles to it."""
    u = a / a.norm(dim=1, keepdim=True)
    v = b / b.norm(dim=1, keepdim=True)
    w = v - (v * u).sum(1, keepdim=True) * u
    w = w / w.norm(dim=1, keepdim=True)
    omega = torch.atan2((v * w).sum(1, keepdim=True), (v * u).sum(1, keepdim=True))
    # the weights of a and b in the sum, from those of the unit vectors
    weight_b = (t * omega).sin() / omega.sin()
    weight_a = (t * omega).cos() - weight_b * omega.cos()
    return weight_a * a + weight_b * b


def _formula(a: Tensor, b: Tensor, t: float, omega: Tensor) -> Tensor:
    return (((1 - t) * omega).sin() * a + (t * omega).sin() * b) / omega.sin()


def _lengths(a: Tensor, b: Tensor, t: float) -> Tensor:
    return (1 - t) * a.norm(dim=1, keepdim=True) + t * b.norm(dim=1, keepdim=True)


def _kept_length(a: Tensor, b: Tensor, t: float) -> Tensor:
    mixed = (1 - t) * a + t * b
    return mixed / mixed.norm(dim=1, keepdim=True) * _lengths(a, b, t)


_TURNS = (
    Mistake(
        "lerp",
        "this is the straight line, (1 − t)·a + t·b. Slerp weighs a and b with sines of the angle between them.",
        lambda a, b, t: (1 - t) * a + t * b,
    ),
    Mistake(
        "t reversed",
        "it begins at b and ends at a: t and 1 − t have changed places.",
        lambda a, b, t: _formula(b, a, t, _angle(a, b)),
    ),
    Mistake(
        "degrees",
        "the angle is in degrees; torch.sin reads it in radians, as arccos gives it.",
        lambda a, b, t: _formula(a, b, t, _angle(a, b) * 180 / math.pi),
    ),
    Mistake(
        "not divided",
        "the sum is not divided by sin ω: at t = 0 it is not a.",
        lambda a, b, t: _formula(a, b, t, _angle(a, b)) * _angle(a, b).sin(),
    ),
    Mistake(
        "cosine for the angle",
        "the cosine of the angle stands where the angle should: arccos is missing.",
        lambda a, b, t: _formula(a, b, t, _angle(a, b).cos()),
    ),
    Mistake(
        "dot product for the cosine",
        "the angle is that of the bare product a·b. Divide it by both lengths first; beyond 1 arccos gives nan.",
        lambda a, b, t: _formula(a, b, t, (a * b).sum(1, keepdim=True).arccos()),
    ),
    Mistake(
        "one angle for all",
        "all pairs are turned by one angle, that of the whole batch. Each pair of rows has its own.",
        lambda a, b, t: _formula(a, b, t, torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).arccos()),
    ),
    Mistake(
        "straight line, stretched",
        "this is the straight line, stretched to the length of the ends. It does not move at an even pace along the "
        "arc; weigh a and b with sines of the angle.",
        _kept_length,
    ),
)


def _draw(generator: torch.Generator, n: int, k: int, t: float) -> tuple[Tensor, Tensor, float]:
    """Codes of unlike lengths, the angles neither small nor near half a turn."""
    a, b = normal(n, k, generator=generator), normal(n, k, generator=generator)
    cosine = torch.cosine_similarity(a, b, dim=1)[:, None]
    b = torch.where(cosine.abs() > 0.8, b - cosine * b.norm(dim=1, keepdim=True) * a / a.norm(dim=1, keepdim=True), b)
    scale = torch.linspace(0.5, 2.0, n)[:, None]
    return scale * a, b, t


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, *of) for of in ((5, 8, 0.3), (4, 64, 0.5), (6, 3, 0.85), (3, 16, 0.0), (3, 16, 1.0))]
    draws[1:2] = in_double(draws[1:2])
    text = "slerp gives {got}, and a turn in the plane of a and b gives {expected}."
    compare(answer, _reference, draws, _TURNS, text, rtol=1e-3, atol=1e-4)


slerp = Check(
    "slerp",
    _judge,
    "it turns each a into its b, in their plane and at an even pace, whatever their lengths.",
    _TURNS,
)
