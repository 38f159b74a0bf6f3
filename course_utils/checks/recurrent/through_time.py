"""The check of one step of back-propagation through time, worked out by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    by_hand,
    compare,
    fresh,
    integer,
    kind_of,
    normal,
)

__all__ = ["backward_step"]

_NAMES = ("grad_a_before", "grad_W_aa", "grad_W_ax", "grad_b_a")
Gradients = tuple[Tensor, Tensor, Tensor, Tensor]


def _autograd(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> Gradients:
    """The same by autograd, with a W_ax and a b_a that give the state ``a``.

    With one-hot inputs W_ax may be 0 and the pre-activation's rest a constant: derivatives do not depend on it.
    """
    before, W = a_before.detach().requires_grad_(), W_aa.detach().requires_grad_()
    W_ax = a.new_zeros(a.shape[1], x.shape[1]).requires_grad_()
    b_a = a.new_zeros(a.shape[1]).requires_grad_()
    rest = a.detach().atanh() - (a_before @ W_aa.T).detach()
    new = torch.tanh(before @ W.T + x @ W_ax.T + b_a + rest)
    first, second, third, fourth = torch.autograd.grad((grad_a * new).sum(), (before, W, W_ax, b_a))
    return first, second, third, fourth


def _slope(a: Tensor) -> Tensor:
    """The derivative of tanh, from its value."""
    return 1 - a.square()


def _from(delta: Answer) -> Answer:
    """All four gradients from another gradient in the pre-activation, made of (grad_a, a, a_before)."""

    def step(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> Gradients:
        d = delta(grad_a, a, a_before)
        return d @ W_aa, d.T @ a_before, d.T @ x, d.sum(0)

    return step


def _with(change: Answer) -> Answer:
    """The step with some of the right gradients replaced: ``change`` gives them by name, from delta and the rest."""

    def step(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> Gradients:
        d = grad_a * _slope(a)
        right = dict(zip(_NAMES, (d @ W_aa, d.T @ a_before, d.T @ x, d.sum(0)), strict=True))
        changed = right | change(d, grad_a, a, a_before, x, W_aa)
        return changed["grad_a_before"], changed["grad_W_aa"], changed["grad_W_ax"], changed["grad_b_a"]

    return step


def _in_place(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> Gradients:
    grad_a *= _slope(a)
    return grad_a @ W_aa, grad_a.T @ a_before, grad_a.T @ x, grad_a.sum(0)


_IN_PLACE = Mistake(
    "in place",
    "one of the tensors that were handed in is changed. The caller goes on using it: make a new tensor.",
    _in_place,
)
_SLOPES = (
    Mistake(
        "slope forgotten",
        "the derivative of the tanh is forgotten: the gradient in a⟨t⟩ is used as if it were that in the "
        "pre-activation.",
        _from(lambda grad_a, a, a_before: grad_a),
    ),
    Mistake(
        "not squared",
        "the slope is taken as 1 − a. The derivative of tanh has a square in it.",
        _from(lambda grad_a, a, a_before: grad_a * (1 - a)),
    ),
    Mistake(
        "tanh twice",
        "a is behind the tanh already, and a second tanh is applied to it before the square.",
        _from(lambda grad_a, a, a_before: grad_a * _slope(a.tanh())),
    ),
    Mistake(
        "slope of the sigmoid",
        "a (1 − a) is the slope of the sigmoid. In terms of a = tanh(…), what is that of the tanh?",
        _from(lambda grad_a, a, a_before: grad_a * a * (1 - a)),
    ),
    Mistake(
        "slope at the old state",
        "the slope is taken at the old state. The tanh of this step gave the new one, a.",
        _from(lambda grad_a, a, a_before: grad_a * _slope(a_before)),
    ),
    Mistake(
        "square alone",
        "the slope is taken as a². The derivative of tanh is largest where a is 0.",
        _from(lambda grad_a, a, a_before: grad_a * a.square()),
    ),
    Mistake(
        "divided by the slope",
        "the gradient is divided by the slope of the tanh. The chain rule multiplies.",
        _from(lambda grad_a, a, a_before: grad_a / _slope(a)),
    ),
)
_PRODUCTS = (
    Mistake(
        "averaged over the batch",
        "the gradients of the weights are averaged over the batch. Each row of grad_a is what the loss gives it, with "
        "its mean in it already: add the rows up.",
        _with(
            lambda d, grad_a, a, a_before, x, W_aa: {
                "grad_W_aa": d.T @ a_before / len(d),
                "grad_W_ax": d.T @ x / len(d),
                "grad_b_a": d.mean(0),
            }
        ),
    ),
    Mistake(
        "W_aa transposed",
        "the gradient goes back through W_aa the wrong way round. Forwards it was a @ W_aa.T; write one entry of it as "
        "a sum, and differentiate that.",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_a_before": d @ W_aa.T}),
    ),
    Mistake(
        "slope after the matrix",
        "the slope is multiplied after W_aa. On the way back the tanh comes first, and then the matrix.",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_a_before": grad_a @ W_aa * _slope(a)}),
    ),
    Mistake(
        "grad_W_aa transposed",
        "grad_W_aa is transposed: entry (i, j) belongs to the weight from the old unit j to the new unit i.",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_W_aa": a_before.T @ d}),
    ),
    Mistake(
        "a for a_before",
        "grad_W_aa is made with the new state. What W_aa was multiplied with is the old one, a_before.",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_W_aa": d.T @ a}),
    ),
    Mistake(
        "weights without the slope",
        "the gradient of the old state is right; those of the weights are made of grad_a. The tanh stands between "
        "them, too.",
        _with(
            lambda d, grad_a, a, a_before, x, W_aa: {
                "grad_W_aa": grad_a.T @ a_before,
                "grad_W_ax": grad_a.T @ x,
                "grad_b_a": grad_a.sum(0),
            }
        ),
    ),
    Mistake(
        "grad_W_ax transposed",
        "grad_W_ax is transposed: like W_ax itself, it is (hidden, V).",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_W_ax": x.T @ d}),
    ),
    Mistake(
        "bias not summed",
        "grad_b_a has a row for each of the batch. There is one b_a for all of them: add the rows up.",
        _with(lambda d, grad_a, a, a_before, x, W_aa: {"grad_b_a": d}),
    ),
)


def _part(i: int) -> Answer:
    """A view of one of the four gradients."""

    def view(value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != 4:
            raise Wrong(f"four gradients are asked for, {', '.join(_NAMES)}, and what comes back is {kind_of(value)}.")
        return value[i]

    return view


def _draw(generator: torch.Generator, N: int) -> tuple[Tensor, ...]:
    """A step in float64: grad_a, a, a_before (N, hidden), x (N, V) and W_aa; N, hidden and V differ."""
    hidden, V = integer(4, 6, generator), integer(8, 10, generator)
    grad_a, a, a_before = (normal(N, hidden, generator=generator, dtype=torch.float64) for _ in range(3))
    x = one_hot(torch.randint(V, (N,), generator=generator), V).double()
    return grad_a, a.tanh(), a_before.tanh(), x, normal(hidden, hidden, generator=generator, dtype=torch.float64)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, N) for N in (12, 13, 1)]
    for i, name in enumerate(_NAMES):
        text = f"{name} is {{got}}, and autograd finds {{expected}}."
        overwritten = _IN_PLACE.message
        mistakes = _PRODUCTS if i else _SLOPES + _PRODUCTS  # a wrong slope shows in the first gradient
        compare(by_hand(answer), _autograd, draws, mistakes, text, _part(i), what=name, overwritten=overwritten)


backward_step = Check(
    "backward_step",
    _judge,
    "autograd finds the same four gradients, number by number.",
    (*_SLOPES, *_PRODUCTS, _IN_PLACE),
)
