"""Checks: the input that excites a unit most."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, integer, normal

__all__ = ["best_input"]


def _best(W: Tensor, R: float) -> Tensor:
    """The argmax of w·x over x ≥ 0 with ‖x‖ ≤ R, for each row of W."""
    return R * normalize(W.clamp(min=0), dim=1)


_BEST = (
    Mistake(
        "negative ink",
        "some pixels have less ink than none. Cauchy–Schwarz gave this one without the condition x ≥ 0.",
        lambda W, R: R * normalize(W, dim=1),
    ),
    Mistake(
        "length too late",
        "the row is scaled before its negative part is cut off, so the inputs are shorter than R and could do more.",
        lambda W, R: R * normalize(W, dim=1).clamp(min=0),
    ),
    Mistake(
        "length one",
        "the inputs have length 1; they may be as long as R, and a longer one excites more.",
        lambda W, R: normalize(W.clamp(min=0), dim=1),
    ),
    Mistake(
        "not scaled",
        "the inputs have the length of the weights that are left; it is R that limits them.",
        lambda W, R: W.clamp(min=0),
    ),
    Mistake(
        "wrong axis",
        "the lengths are taken along the wrong axis: each pixel is scaled over the units. Scale each row.",
        lambda W, R: R * normalize(W.clamp(min=0), dim=0),
    ),
    Mistake(
        "one length for all",
        "all rows together have the length R. Each input may have it by itself.",
        lambda W, R: R * W.clamp(min=0) / W.clamp(min=0).norm(),
    ),
    Mistake(
        "ink at negative weights",
        "the absolute values put ink where the weights are negative, and there it lowers the activation.",
        lambda W, R: R * normalize(W.abs(), dim=1),
    ),
    Mistake(
        "one pixel",
        "all the ink is in the pixel with the largest weight. With a limit on Σ x² it pays to spread it.",
        lambda W, R: R * torch.nn.functional.one_hot(W.argmax(1), W.shape[1]).to(W),
    ),
)


def _judge_best(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        d_h, d_x = integer(3, 6, generator), integer(8, 12, generator)
        W = normal(d_h, d_x, generator=generator, dtype=torch.float64)
        # each row has both signs, the first hardly a negative one, and each column a positive entry
        W[0] = W[0].abs() + 0.1
        W[:, 0], W[1:, 1] = W[:, 0].abs() + 0.1, -W[1:, 1].abs() - 0.1
        W[0, 2], W[1, 2] = -0.5, 0.5
        draws.append((W, 2 + 3 * float(torch.rand((), generator=generator))))
    text = "the inputs are {got}, and the best ones are {expected}."
    compare(answer, _best, draws, _BEST, text, what="the inputs")


best_input = Check(
    "best_input",
    _judge_best,
    "no other input without negative ink, and no longer than R, excites the units more.",
    _BEST,
)
