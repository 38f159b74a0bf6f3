"""The check of the loss of a window, and of the state that is handed on to the next one."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    compare,
    flat_gradient,
    fresh,
    in_double,
    integer,
    kind_of,
)
from course_utils.checks.recurrent.small_network import Network, State, detached

__all__ = ["window_loss"]


def _reference(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
    """The loss as minus the mean log-probability of the targets, picked out one by one."""
    logits, state = model(window[:, :-1], state)
    return -logits.log_softmax(2).gather(2, window[:, 1:, None]).mean(), detached(state)


def _of(loss: Answer) -> Answer:
    """The step with another loss, made of the logits (N, T, V) and the window (N, T + 1)."""

    def step(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
        logits, state = model(window[:, :-1], state)
        return loss(logits, window), detached(state)

    return step


def _mean(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    return cross_entropy(logits.transpose(1, 2), targets, reduction=reduction)


def _fresh(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
    """The step that starts afresh, whatever state it is handed."""
    return _reference(model, window, None)


def _whole(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
    """The step in which the model reads the last target as well."""
    logits, state = model(window, state)
    return _mean(logits[:, :-1], window[:, 1:]), detached(state)


def _swapped(model: nn.Module, window: Tensor, state: State) -> tuple[State, Tensor]:
    loss, state = _reference(model, window, state)
    return state, loss


def _attached(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
    logits, state = model(window[:, :-1], state)
    return _mean(logits, window[:, 1:]), state


def _returned(what: Answer) -> Answer:
    """The step that returns another state, made of (model, window, the old state)."""

    def step(model: nn.Module, window: Tensor, state: State) -> tuple[Tensor, State]:
        return _reference(model, window, state)[0], detached(what(model, window, state))

    return step


_LOSSES = (
    Mistake(
        "targets not shifted",
        "each character is asked to predict itself: the targets are not shifted. The target of a character is the one "
        "that comes after it.",
        _of(lambda logits, window: _mean(logits, window[:, :-1])),
    ),
    Mistake(
        "softmax before the loss",
        "a softmax is applied before the cross-entropy, which has one of its own. Hand it the logits.",
        _of(lambda logits, window: _mean(logits.softmax(2), window[:, 1:])),
    ),
    Mistake(
        "fresh start",
        "the loss does not depend on the state that is handed in: each window starts afresh.",
        _fresh,
    ),
    Mistake(
        "summed",
        "the loss is summed over all characters. Asked is the mean, nats per character.",
        _of(lambda logits, window: _mean(logits, window[:, 1:], "sum")),
    ),
    Mistake(
        "summed over time",
        "the loss is summed over the characters of a window and averaged over the streams. Asked is the mean over "
        "both, nats per character.",
        _of(lambda logits, window: _mean(logits, window[:, 1:], "sum") / len(window)),
    ),
    Mistake(
        "bits",
        "this is in bits. The loss is in nats, the natural logarithm as PyTorch takes it.",
        _of(lambda logits, window: _mean(logits, window[:, 1:]) / math.log(2)),
    ),
    Mistake(
        "last character",
        "only the last character of each window counts here. Every character has a target.",
        _of(lambda logits, window: cross_entropy(logits[:, -1], window[:, -1])),
    ),
    Mistake(
        "first target left out",
        "the first target of each window is left out. With the last token of a window as the first of the next, it is "
        "a target nowhere else.",
        _of(lambda logits, window: _mean(logits[:, 1:], window[:, 2:])),
    ),
    Mistake(
        "two characters on",
        "the targets are shifted twice: each character is asked for the one after the next.",
        _of(lambda logits, window: _mean(logits[:, :-1], window[:, 2:])),
    ),
    Mistake(
        "reshaped",
        "the logits were brought into another shape by a reshape where two dimensions have to change places. "
        "cross_entropy wants (N, V, T), which transpose gives, or (N · T, V).",
        _of(
            lambda logits, window: cross_entropy(
                logits.reshape(len(logits), logits.shape[2], logits.shape[1]), window[:, 1:]
            )
        ),
    ),
    Mistake(
        "perplexity",
        "this is the perplexity, the exponential of the loss. Asked is the mean in nats.",
        _of(lambda logits, window: _mean(logits, window[:, 1:]).exp()),
    ),
    Mistake(
        "sign",
        "the sign is turned: this is the mean log-probability, and a loss is minus that.",
        _of(lambda logits, window: -_mean(logits, window[:, 1:])),
    ),
    Mistake(
        "other order",
        "the two results come in the other order: the loss first, then the state.",
        _swapped,
    ),
)
_LOGITS_DETACHED = Mistake(
    "logits detached",
    "the value is right, but no gradient passes to the model. Look for detach, no_grad or item.",
    _of(lambda logits, window: _mean(logits.detach(), window[:, 1:])),
)
_STATES = (
    Mistake(
        "state of the whole window",
        "the loss is right, but the model has read the last target, too, and the next window begins with that token: "
        "the state would see it twice.",
        _whole,
    ),
    Mistake(
        "old state returned",
        "what is returned is the state that was handed in. The next window needs the one behind this window.",
        _returned(lambda model, window, state: state),
    ),
    Mistake(
        "state of a fresh start",
        "the loss is right, but the state that is returned comes from a fresh start: what was handed in is forgotten.",
        _returned(lambda model, window, state: model(window[:, :-1], None)[1]),
    ),
)
_ATTACHED = Mistake(
    "state not detached",
    "the state that is returned still hangs on the graph of its window. The next backward would go back through all "
    "windows so far, and PyTorch stops it there: detach the state.",
    _attached,
)


def _loss_of(value: Any) -> Any:
    """The first of the two results, and a :class:`Wrong` when there are not two or when they have changed places."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise Wrong(f"two results are asked for, the loss and the state, and what comes back is {kind_of(value)}.")
    if isinstance(value[0], (tuple, list)) and isinstance(value[1], Tensor) and value[1].ndim == 0:
        raise Wrong(next(mistake.message for mistake in _LOSSES if mistake.name == "other order"))
    return value[0]


def _state_of(value: Any) -> Tensor:
    """The second of the two results as one row of numbers, whether it is one tensor or a pair."""
    parts = value[1] if isinstance(value[1], (tuple, list)) else (value[1],)
    if not all(isinstance(part, Tensor) for part in parts):
        raise Wrong("the state that is returned should be what the model gives, a tensor or a pair of tensors.")
    return torch.cat([part.flatten() for part in parts])


def _differentiated(function: Answer) -> Answer:
    """The gradient of the loss in all weights of the model, in one row."""

    @functools.wraps(function)
    def gradient_of(model: nn.Module, window: Tensor, state: State) -> Tensor:
        loss = _loss_of(call(function, model, window, state))
        if isinstance(loss, Tensor) and not loss.requires_grad:
            raise Wrong(_LOGITS_DETACHED.message)
        return flat_gradient(loss, tuple(model.parameters()), "window_loss")

    return gradient_of


def _draw(generator: torch.Generator, *, pair: bool, carried: bool) -> tuple[nn.Module, Tensor, State]:
    """A network, a window of N streams and T + 1 tokens, and the state behind an earlier window; N, T and V differ."""
    N, T = integer(3, 4, generator), integer(5, 7, generator)
    V, hidden = integer(9, 11, generator), integer(12, 14, generator)
    model = Network(V, hidden, generator, pair=pair)
    earlier, window = (torch.randint(V, (N, T + 1), generator=generator) for _ in range(2))
    return model, window, detached(model(earlier, None)[1]) if carried else None


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, pair=pair, carried=True) for pair in (False, True, False)]
    draws.append(_draw(generator, pair=False, carried=False))
    draws[2:3] = in_double(draws[2:3])
    text = "the loss is {got}, and it should be {expected}."
    compare(answer, _reference, draws, _LOSSES, text, _loss_of, what="the loss")
    text = "the value is right, but its gradient is not: {got} instead of {expected}."
    compare(_differentiated(answer), _differentiated(_reference), draws, (), text, what="its gradient")
    text = "the state that is returned holds {got}, and it should hold {expected}."
    for cases in (draws[:3], draws):  # where a state is handed in, and at a fresh start as well
        compare(answer, _reference, cases, _STATES, text, _state_of, what="the state")
    if any(_state_of(call(answer, *case)).requires_grad for case in draws):
        raise Wrong(_ATTACHED.message)


window_loss = Check(
    "window_loss",
    _judge,
    "value, gradient and state are right, for a state of one tensor and for a pair, and for a fresh start.",
    (*_LOSSES, _LOGITS_DETACHED, *_STATES, _ATTACHED),
)
