"""Checks: the Jacobian of a sigmoid encoder, and its squared norm in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import jacrev, vmap
from torch.nn.functional import linear
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    by_hand,
    call,
    compare,
    fresh,
    images_and_encoder,
    in_double,
    kind_of,
)

__all__ = ["jacobian", "penalty"]


def _autograd(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The Jacobian of each image's code by reverse differentiation: (n, d_h, d_x)."""
    return vmap(jacrev(lambda one: torch.sigmoid(W @ one + b)))(x)


def _slope(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    h = linear(x, W, b).sigmoid()
    return h * (1 - h)


def _times(factor: Answer) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """W with its rows multiplied by some factor (n, d_h) of each image."""
    return lambda x, W, b: factor(linear(x, W, b))[:, :, None] * W


# 1. The Jacobian ---------------------------------------------------------------------------------------------------

_JACOBIAN = (
    Mistake(
        "no derivative",
        "the derivative of the sigmoid is missing: this is W for every image, as if the encoder were linear.",
        _times(torch.ones_like),
    ),
    Mistake(
        "on its side",
        "each matrix is the transpose of the Jacobian: h runs down the rows, x along the columns, (n, d_h, d_x).",
        lambda x, W, b: _autograd(x, W, b).mT,
    ),
    Mistake(
        "mean over the batch",
        "this is one matrix, the mean over the batch. Every image has a Jacobian of its own: which dimension is lost?",
        lambda x, W, b: _autograd(x, W, b).mean(0),
    ),
    Mistake(
        "all pairs",
        "this holds the derivative of every code with respect to every image, also the other images', which is zero. "
        "Keep one matrix per image.",
        lambda x, W, b: torch.autograd.functional.jacobian(lambda x: linear(x, W, b).sigmoid(), x),
    ),
    Mistake(
        "the sigmoid itself",
        "the rows of W are multiplied by h itself. The chain rule asks for its slope h′.",
        _times(torch.sigmoid),
    ),
    Mistake(
        "slope of tanh",
        "1 − h² is the slope of tanh; h is the output of a sigmoid here.",
        _times(lambda a: 1 - a.sigmoid().square()),
    ),
    Mistake(
        "bias forgotten",
        "the bias b is forgotten: these are the Jacobians of sigmoid(W x). The slope is taken where W x + b lies.",
        lambda x, W, b: _autograd(x, W, 0 * b),
    ),
    Mistake(
        "slope at h",
        "the slope is taken at h, one sigmoid too far. In terms of h it takes no further sigmoid at all.",
        _times(lambda a: a.sigmoid().sigmoid() * (1 - a.sigmoid().sigmoid())),
    ),
    Mistake(
        "before the sigmoid",
        "a (1 − a) is the slope only when a stands for the sigmoid's output, not for its input W x + b.",
        _times(lambda a: a * (1 - a)),
    ),
)


def _judge_jacobian(answer: Answer) -> None:
    generator = fresh()
    draws = [images_and_encoder(generator, scale=scale) for scale in (1, 1, 1, 10)]
    draws[2:] = in_double(draws[2:])  # the notebook has both
    text = "the Jacobian is {got}, and autograd finds {expected}."
    compare(answer, _autograd, draws, _JACOBIAN, text, what="the Jacobian")
    call(by_hand(answer), *draws[0])


jacobian = Check("jacobian", _judge_jacobian, "autograd finds the same matrix for every image.", _JACOBIAN)


# 2. Its squared norm, without building it --------------------------------------------------------------------------


def _norms(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """‖J‖²_F of each image, from the Jacobian: (n,)."""
    return _autograd(x, W, b).square().sum((1, 2))


_BUILT = (
    "the number is right, but on the way to it you made a tensor with an entry for each image, unit and pixel. That is "
    "what the closed form avoids: take the slope out of the sum over the pixels."
)
_PENALTY = (
    Mistake(
        "no derivative",
        "the derivative of the sigmoid is missing: this is ‖W‖²_F, weight decay. It is the same for every image.",
        lambda x, W, b: W.square().sum(),
    ),
    Mistake(
        "slope of tanh",
        "1 − h² is the slope of tanh; h is the output of a sigmoid here.",
        lambda x, W, b: ((1 - linear(x, W, b).sigmoid().square()).square() @ W.square().sum(1)).mean(),
    ),
    Mistake(
        "bias forgotten",
        "the bias b is forgotten: the slope is taken where W x + b lies.",
        lambda x, W, b: _norms(x, W, 0 * b).mean(),
    ),
    Mistake(
        "not squared",
        "this is the norm; the penalty is its square.",
        lambda x, W, b: _norms(x, W, b).sqrt().mean(),
    ),
    Mistake(
        "slope not squared",
        "a square is missing at the slope: each entry of J is a slope times a weight, and the whole entry is squared.",
        lambda x, W, b: (_slope(x, W, b) @ W.square().sum(1)).mean(),
    ),
    Mistake(
        "weights not squared",
        "a square is missing at the weights: the slope's square belongs to ‖W_j‖², not to ‖W_j‖.",
        lambda x, W, b: (_slope(x, W, b).square() @ W.norm(dim=1)).mean(),
    ),
    Mistake(
        "averaged over the units",
        "the penalty is averaged over the units. Sum over the dimensions, mean over the batch.",
        lambda x, W, b: _norms(x, W, b).mean() / len(W),
    ),
    Mistake(
        "averaged over the pixels",
        "the penalty is averaged over the pixels. Sum over the dimensions, mean over the batch.",
        lambda x, W, b: _norms(x, W, b).mean() / W.shape[1],
    ),
    Mistake(
        "averaged over the entries",
        "the penalty is averaged over the entries of J. Sum over the dimensions, mean over the batch.",
        lambda x, W, b: _norms(x, W, b).mean() / W.numel(),
    ),
    Mistake(
        "summed over the batch",
        "the penalty grows with the number of images: sum over the dimensions, but take the mean over the batch.",
        lambda x, W, b: _norms(x, W, b).sum(),
    ),
    Mistake(
        "of the mean over the batch",
        "this is ‖·‖² of the mean Jacobian of the batch. Slopes of different images cancel in it: square first, then "
        "average.",
        lambda x, W, b: _autograd(x, W, b).mean(0).square().sum(),
    ),
    Mistake(
        "gradient of the sum",
        "the units are added up before the square is taken: that is the gradient of Σ h_j, in which they can cancel.",
        lambda x, W, b: (_slope(x, W, b) @ W).square().sum(1).mean(),
    ),
    Mistake("built", _BUILT, lambda x, W, b: (_slope(x, W, b)[:, :, None] * W).square().sum((1, 2)).mean()),
)


class _Largest(TorchDispatchMode):
    """Notes the largest tensor, in entries that take memory, that any operation makes."""

    entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in tree_leaves(result):
            if isinstance(part, Tensor):
                self.entries = max(self.entries, part.untyped_storage().nbytes() // part.element_size())
        return result


def _judge_penalty(answer: Answer) -> None:
    generator = fresh()
    draws = [images_and_encoder(generator, scale=scale) for scale in (1, 1, 1, 10)]
    draws[3:] = in_double(draws[3:])  # where h is almost 1, float32 knows little of 1 − h
    text = "the penalty is {got}, and the Jacobians of autograd have a mean ‖J‖²_F of {expected}."
    compare(answer, lambda *a: _norms(*a).mean(), draws, _PENALTY[:-1], text, what="the penalty", atol=1e-9)
    x, W, b = draws[0]
    with _Largest() as largest:
        value = call(answer, x, W, b)
    if not isinstance(value, Tensor):
        raise Wrong(f"contractive_penalty should return a tensor of one number, and it returns {kind_of(value)}.")
    if largest.entries >= len(x) * W.numel():
        raise Wrong(_BUILT)


penalty = Check(
    "contractive_penalty",
    _judge_penalty,
    "autograd's Jacobians have the same mean squared norm, and you never built one.",
    _PENALTY,
)
