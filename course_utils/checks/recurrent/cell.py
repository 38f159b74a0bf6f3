"""The check of one step of a recurrent network: the new state, and the logits that are read from it."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import linear, one_hot

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    call,
    compare,
    flat_gradient,
    fresh,
    in_double,
    integer,
    normal,
    one_of_two,
)

__all__ = ["rnn_step"]

_STATE, _LOGITS = (one_of_two(i, "the logits", "the new state") for i in (1, 0))


def _by_torch(
    x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor, W_ya: Tensor, b_y: Tensor
) -> tuple[Tensor, Tensor]:
    """The same by torch's own cell, which has two biases; the second is 0."""
    a_next = torch.rnn_tanh_cell(x, a, W_ax, W_aa, b_a, torch.zeros_like(b_a))
    return linear(a_next, W_ya, b_y), a_next


def _with_state(a_next: Answer) -> Answer:
    """The step with another new state, made of (x, a, W_ax, W_aa, b_a); its logits are read from that state."""

    def step(
        x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor, W_ya: Tensor, b_y: Tensor
    ) -> tuple[Tensor, Tensor]:
        new = a_next(x, a, W_ax, W_aa, b_a)
        return linear(new, W_ya, b_y), new

    return step


def _with_logits(logits: Answer) -> Answer:
    """The step with other logits, made of (the new state, the old state, W_ya, b_y)."""

    def step(
        x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor, W_ya: Tensor, b_y: Tensor
    ) -> tuple[Tensor, Tensor]:
        new = torch.tanh(x @ W_ax.T + a @ W_aa.T + b_a)
        return logits(new, a, W_ya, b_y), new

    return step


def _swapped(*arguments: Tensor) -> tuple[Tensor, Tensor]:
    logits, a_next = _by_torch(*arguments)
    return a_next, logits


_STATES = (
    Mistake(
        "W_aa transposed",
        "the old state meets W_aa the wrong way round. Row j of W_aa holds the weights of the new unit j, so a product "
        "with states in rows needs W_aa transposed.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax.T + a @ W_aa + b_a)),
    ),
    Mistake(
        "W_ax transposed",
        "the input meets W_ax the wrong way round. W_ax is (hidden, V): row j holds the weights of the new unit j.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax + a @ W_aa.T + b_a)),
    ),
    Mistake(
        "neither transposed",
        "both matrices are used the wrong way round: row j of each holds the weights of the new unit j.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax + a @ W_aa + b_a)),
    ),
    Mistake(
        "sigmoid",
        "the new state went through a sigmoid, which gives numbers between 0 and 1. The formula has a tanh, and its "
        "states lie between −1 and 1.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.sigmoid(x @ W_ax.T + a @ W_aa.T + b_a)),
    ),
    Mistake(
        "ReLU",
        "the new state went through a ReLU: nothing keeps it small, and it is fed back at each step. The formula has "
        "a tanh.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.relu(x @ W_ax.T + a @ W_aa.T + b_a)),
    ),
    Mistake(
        "no tanh",
        "the tanh is missing: the new state is the pre-activation itself.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: x @ W_ax.T + a @ W_aa.T + b_a),
    ),
    Mistake(
        "bias outside the tanh",
        "b_a is added outside the tanh. It belongs inside: there it shifts the point at which a unit switches.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax.T + a @ W_aa.T) + b_a),
    ),
    Mistake(
        "b_a forgotten",
        "b_a does not appear in the new state.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax.T + a @ W_aa.T)),
    ),
    Mistake(
        "old state forgotten",
        "the new state does not depend on the old one, so this network remembers nothing.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax.T + b_a)),
    ),
    Mistake(
        "input forgotten",
        "the new state does not depend on the input: the network never sees the text.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(a @ W_aa.T + b_a)),
    ),
    Mistake(
        "two tanhs",
        "each product has a tanh of its own here. The formula adds the products and the bias first; then comes one "
        "tanh of the sum.",
        _with_state(lambda x, a, W_ax, W_aa, b_a: torch.tanh(x @ W_ax.T + b_a) + torch.tanh(a @ W_aa.T)),
    ),
    Mistake(
        "other order",
        "the two results come in the other order: the logits first, then the new state.",
        _swapped,
    ),
)
_OUTPUTS = (
    Mistake(
        "logits of the old state",
        "the logits are read from the old state, which has not seen this character yet. They belong to the new one.",
        _with_logits(lambda new, a, W_ya, b_y: a @ W_ya.T + b_y),
    ),
    Mistake(
        "W_ya transposed",
        "the state meets W_ya the wrong way round. W_ya is (V, hidden): row v holds the weights of character v.",
        _with_logits(lambda new, a, W_ya, b_y: new @ W_ya + b_y),
    ),
    Mistake(
        "b_y forgotten",
        "b_y does not appear in the logits.",
        _with_logits(lambda new, a, W_ya, b_y: new @ W_ya.T),
    ),
    Mistake(
        "softmax",
        "these are probabilities: a softmax has been applied. Asked are the logits; the loss takes the softmax itself.",
        _with_logits(lambda new, a, W_ya, b_y: (new @ W_ya.T + b_y).softmax(1)),
    ),
    Mistake(
        "log-softmax",
        "these are log-probabilities: a log-softmax has been applied. Asked are the logits themselves.",
        _with_logits(lambda new, a, W_ya, b_y: (new @ W_ya.T + b_y).log_softmax(1)),
    ),
    Mistake(
        "tanh of the logits",
        "the logits went through a tanh, so that none of them can exceed 1. They are a plain linear function of the "
        "new state.",
        _with_logits(lambda new, a, W_ya, b_y: (new @ W_ya.T + b_y).tanh()),
    ),
    Mistake(
        "logits of the pre-activation",
        "the logits are read from the pre-activation. They belong to the state behind the tanh.",
        _with_logits(lambda new, a, W_ya, b_y: new.atanh() @ W_ya.T + b_y),
    ),
)
_DETACHED = (
    Mistake(
        "old state detached",
        "the values are right, but no gradient passes to the old state: nothing could be learned through time.",
        lambda x, a, *weights: _by_torch(x, a.detach(), *weights),
    ),
    Mistake(
        "new state detached",
        "the values are right, but no gradient passes from the logits to the new state. Only W_ya and b_y would learn.",
        _with_logits(lambda new, a, W_ya, b_y: new.detach() @ W_ya.T + b_y),
    ),
)


def _draw(generator: torch.Generator, *, square: bool) -> tuple[Tensor, ...]:
    """N characters, states and weights; V and hidden are the same where ``square``, so that no shape gives away."""
    N, V, hidden = integer(9, 12, generator), integer(6, 8, generator), integer(3, 5, generator)
    hidden = V if square else hidden
    x = one_hot(torch.randint(V, (N,), generator=generator), V).float()
    a = normal(N, hidden, generator=generator).tanh()
    shapes = ((hidden, V), (hidden, hidden), (hidden,), (V, hidden), (V,))
    return (x, a, *(0.7 * normal(*shape, generator=generator) for shape in shapes))


def _differentiated(function: Answer) -> Answer:
    """The gradient of a weighted sum of the logits in the old state and in all weights, in one row."""

    @functools.wraps(function)
    def gradient_of(x: Tensor, *others: Tensor) -> Tensor:
        leaves = tuple(value.clone().requires_grad_() for value in others)
        logits = _LOGITS(call(function, x, *leaves))
        weights = torch.arange(1.0, logits.numel() + 1).sin().to(logits).view_as(logits)
        return flat_gradient(weights * logits, leaves, "rnn_step")

    return gradient_of


def _judge(answer: Answer) -> None:
    generator = fresh()
    for square in (True, False):
        draws = [_draw(generator, square=square) for _ in range(3)]
        draws[2:] = in_double(draws[2:])
        text = "{what} is {{got}}, and torch's own cell gives {{expected}}."
        for view, what, mistakes in (
            (_STATE, "the new state", _STATES),
            (_LOGITS, "the row of logits", _OUTPUTS),
        ):
            compare(answer, _by_torch, draws, mistakes, text.format(what=what), view, what=what)
    detached = [Mistake(m.name, m.message, _differentiated(m.make)) for m in _DETACHED]
    text = "the values are right, but the gradient of the logits is not: {got} instead of {expected}."
    compare(_differentiated(answer), _differentiated(_by_torch), draws, detached, text, what="its gradient")


rnn_step = Check(
    "rnn_step",
    _judge,
    "torch's own cell gives the same state and the same logits, and gradients pass to all weights and to the state.",
    _STATES + _OUTPUTS + _DETACHED,
)
