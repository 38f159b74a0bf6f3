"""The checks of exercise 11, sections 1 to 5: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import pytest
import torch
from character_rnn import EXERCISE, NETWORK, detached
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, nll_loss

from course_utils.checks.recurrent import carried_state

pytestmark = pytest.mark.usefixtures("one_thread")


def _state(x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor) -> Tensor:
    return torch.tanh(linear(a, W_aa) + linear(x, W_ax, b_a))


def _step(x: Tensor, a: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
    new = _state(x, a, *weights[:3])
    return linear(new, *weights[3:]), new


def _stepped(state: Any = _state, logits: Any = linear) -> Any:
    """The step with another new state, or with other logits of it."""

    def step(x: Tensor, a: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        new = state(x, a, *weights[:3])
        return logits(new, *weights[3:]), new

    return step


def _picked(x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor, W_ya: Tensor, b_y: Tensor) -> Any:
    """The step with a column of W_ax picked out for each character, in place of a product with a one-hot row."""
    new = torch.tanh(W_ax[:, x.argmax(1)].T + a @ W_aa.T + b_a)
    return new @ W_ya.T + b_y, new


def _side_by_side(x: Tensor, a: Tensor, W_ax: Tensor, W_aa: Tensor, b_a: Tensor, W_ya: Tensor, b_y: Tensor) -> Any:
    """The step with both matrices put together in one."""
    new = torch.tanh((torch.cat([W_aa, W_ax], dim=1) @ torch.cat([a, x], dim=1).T).T + b_a)
    return torch.addmm(b_y, new, W_ya.T), new


def _pieces(tokens: Tensor, num_streams: int) -> Tensor:
    length = len(tokens) // num_streams
    return tokens[: num_streams * length].view(num_streams, length)


def _windows(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    return _pieces(tokens, num_streams).unfold(1, window + 1, window).transpose(0, 1)


def _one_by_one(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    pieces = _pieces(tokens, num_streams)
    starts = range(0, pieces.shape[1] - window, window)
    return torch.stack([pieces[:, start : start + window + 1] for start in starts])


def _from_inputs_and_targets(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """As others cut it: inputs and targets by themselves, and the last target of a piece from the next one."""
    length = (len(tokens) - 1) // num_streams // window * window
    inputs, targets = (tokens[i : i + num_streams * length].view(num_streams, -1, window) for i in (0, 1))
    return torch.cat([inputs, targets[:, :, -1:]], dim=2).transpose(0, 1)


def _windowed(loss: Any = cross_entropy, state: Any = detached) -> Any:
    """The loss of a window with another loss of (N, V, T) and (N, T), or another state handed on."""

    def window_loss(model: Any, window: Tensor, before: Any) -> tuple[Tensor, Any]:
        logits, after = model(window[:, :-1], before)
        return loss(logits.transpose(1, 2), window[:, 1:]), state(after)

    return window_loss


def _by_character(model: Any, window: Tensor, state: Any) -> tuple[Tensor, Any]:
    losses = []
    for i in range(window.shape[1] - 1):
        logits, state = model(window[:, i : i + 1], state)
        losses.append(cross_entropy(logits[:, 0], window[:, i + 1]))
    return torch.stack(losses).mean(), detached(state)


def _of_the_first_stream(model: Any, window: Tensor, state: Any) -> tuple[Tensor, Any]:
    logits, state = model(window[:, :-1], state)
    return cross_entropy(logits[0], window[0, 1:]), detached(state)


def _in_two_halves(model: Any, window: Tensor, state: Any) -> tuple[Tensor, Any]:
    """The loss with a fresh start in the middle of the window."""
    half = window.shape[1] // 2
    first, state = model(window[:, :half], state)
    second, _ = model(window[:, half:-1], None)
    logits = torch.cat([first, second], dim=1)
    return cross_entropy(logits.transpose(1, 2), window[:, 1:]), detached(state)


def _with_a_half_gradient(logits: Tensor, targets: Tensor) -> Tensor:
    loss = cross_entropy(logits, targets)
    return (loss + loss.detach()) / 2


def _after(change: Any) -> Any:
    """The right four gradients, changed."""

    def step(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> Any:
        delta = grad_a - grad_a * a**2
        return change(delta @ W_aa, delta.T @ a_before, delta.T @ x, delta.sum(0))

    return step


def _by_einsum(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> list[Tensor]:
    delta = grad_a * (1 + a) * (1 - a)
    products = ("ni,nj->ij", a_before), ("ni,nj->ij", x)
    return [torch.einsum("nj,ji->ni", delta, W_aa), *(torch.einsum(p, delta, of) for p, of in products), delta.sum(0)]


def _text_by_text(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> tuple[Tensor, ...]:
    back, W, W_x, b = torch.zeros_like(a), torch.zeros_like(W_aa), a.new_zeros(a.shape[1], x.shape[1]), 0
    for n in range(len(a)):
        delta = grad_a[n] * torch.cosh(torch.atanh(a[n])) ** -2
        back[n] = W_aa.T @ delta
        W, W_x, b = W + torch.outer(delta, a_before[n]), W_x + torch.outer(delta, x[n]), b + delta
    return back, W, W_x, b


def _by_autograd(grad_a: Tensor, a: Tensor, a_before: Tensor, x: Tensor, W_aa: Tensor) -> tuple[Tensor, ...]:
    before = a_before.clone().requires_grad_()
    (back,) = torch.autograd.grad((grad_a * torch.tanh(before @ W_aa.T)).sum(), before)
    return back, back, back, back


def _norm(gradients: list[Tensor]) -> float:
    return math.sqrt(sum(float(g.square().sum()) for g in gradients))


def _clipped(factor: Any) -> Any:
    return lambda gradients, max_norm: [g * factor(_norm(gradients), max_norm) for g in gradients]


def _by_torch(gradients: list[Tensor], max_norm: float) -> tuple[Tensor, ...]:
    weights = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for weight, g in zip(weights, gradients, strict=True):
        weight.grad = g.clone()
    nn.utils.clip_grad_norm_(weights, max_norm)
    return tuple(weight.grad for weight in weights)


def _in_one_vector(gradients: list[Tensor], max_norm: float) -> list[Tensor]:
    row = torch.cat([g.flatten() for g in gradients])
    row = row[None].renorm(2, 0, max_norm)[0]
    parts = row.split([g.numel() for g in gradients])
    return [part.view_as(g) for part, g in zip(parts, gradients, strict=True)]


UNKNOWN: dict[str, dict[str, Any]] = {
    "rnn-step": {
        "hard tanh": _stepped(lambda x, a, W_ax, W_aa, b_a: (linear(a, W_aa) + linear(x, W_ax, b_a)).clamp(-1, 1)),
        "mean of old and new": _stepped(lambda x, a, *weights: (a + _state(x, a, *weights)) / 2),
        "bias twice": _stepped(lambda x, a, W_ax, W_aa, b_a: torch.tanh(linear(a, W_aa, b_a) + linear(x, W_ax, b_a))),
        "hidden layer in front": _stepped(lambda x, a, *weights: _state(x, _state(x, a, *weights), *weights)),
        "logits of both states": lambda x, a, *weights: (
            _step(x, a, *weights)[0] + a @ weights[3].T,
            _state(x, a, *weights[:3]),
        ),
        "logits centred": _stepped(
            logits=lambda new, W, b: linear(new, W, b) - linear(new, W, b).mean(1, keepdim=True)
        ),
        "half a gradient": _stepped(logits=lambda new, W, b: linear((new + new.detach()) / 2, W, b)),
        "weights detached": lambda x, a, *weights: _step(x, a, *(weight.detach() for weight in weights)),
        "logits alone": lambda *arguments: _step(*arguments)[0],
        "lists": lambda *arguments: tuple(part.tolist() for part in _step(*arguments)),
        "arrays": lambda *arguments: tuple(part.detach().numpy() for part in _step(*arguments)),
    },
    "streams": {
        "sliding": lambda tokens, num_streams, window: _pieces(tokens, num_streams).unfold(1, window + 1, 1).mT,
        "first window left out": lambda *arguments: _windows(*arguments)[1:],
        "last window left out": lambda *arguments: _windows(*arguments)[:-1],
        "rows in reverse": lambda *arguments: _windows(*arguments).flip(1),
        "text in reverse": lambda *arguments: _windows(*arguments).flip(2),
        "one token on": lambda tokens, num_streams, window: _windows(tokens.roll(-1), num_streams, window),
        "one row": lambda tokens, num_streams, window: _windows(tokens, 1, window),
        "always the first piece": lambda *arguments: _windows(*arguments)[:, :1].expand_as(_windows(*arguments)),
        "as numbers with a point": lambda *arguments: _windows(*arguments).float(),
        "lists": lambda *arguments: _windows(*arguments).tolist(),
        "a pair": lambda *arguments: (_windows(*arguments)[..., :-1], _windows(*arguments)[..., 1:]),
    },
    "window-loss": {
        "label smoothing": _windowed(lambda logits, targets: cross_entropy(logits, targets, label_smoothing=0.1)),
        "a temperature": _windowed(lambda logits, targets: cross_entropy(logits / 0.8, targets)),
        "one stream": _of_the_first_stream,
        "fresh start in the middle": _in_two_halves,
        "half a gradient": _windowed(_with_a_half_gradient),
        "one for each character": _windowed(lambda logits, targets: cross_entropy(logits, targets, reduction="none")),
        "squared error": _windowed(
            lambda logits, targets: (
                (logits.softmax(1) - nn.functional.one_hot(targets, logits.shape[1]).mT).square().mean()
            )
        ),
        "a number": _windowed(lambda logits, targets: float(cross_entropy(logits, targets).detach())),
        "state halved": _windowed(
            state=lambda state: (
                tuple(part.detach() / 2 for part in state) if isinstance(state, tuple) else state.detach() / 2
            )
        ),
        "one state of a pair": _windowed(
            state=lambda state: state[0].detach() if isinstance(state, tuple) else state.detach()
        ),
        "no state": _windowed(state=lambda state: None),
        "loss alone": lambda *arguments: _windowed()(*arguments)[0],
    },
    "prediction": {
        "another word": {"shuffled_rows": "equal"},
        "a number": {"not_shifted": 0.0},
        "a list": {"fresh_starts": ["higher"]},
    },
    "backward-step": {
        "old gradient added": lambda grad_a, *others: (lambda back, *weights: (back + grad_a, *weights))(
            *_after(lambda *right: right)(grad_a, *others)
        ),
        "sign": _after(lambda *right: tuple(-part for part in right)),
        "twice the slope": lambda grad_a, a, *others: _after(lambda *right: right)(2 * grad_a, a, *others),
        "b_a of one text": lambda grad_a, a, *others: (lambda *right: (*right[:3], grad_a[0] * (1 - a[0] ** 2)))(
            *_after(lambda *right: right)(grad_a, a, *others)
        ),
        "inputs added up": _after(lambda back, W, W_x, b: (back, W, W_x.sum(1, keepdim=True).expand_as(W_x), b)),
        "three": _after(lambda *right: right[:3]),
        "another order": _after(lambda back, W, W_x, b: (back, W_x, W, b)),
        "a dict": _after(lambda back, W, W_x, b: {"a": back, "W_aa": W, "W_ax": W_x, "b_a": b}),
        "by autograd": _by_autograd,
    },
    "clip-gradients": {
        "half the bound": _clipped(lambda norm, bound: min(1, bound / 2 / norm) if norm else 1),
        "root of the factor": _clipped(lambda norm, bound: min(1, bound / norm) ** 0.5 if norm else 1),
        "soft": _clipped(lambda norm, bound: bound / (bound + norm)),
        "sign turned": _clipped(lambda norm, bound: -min(1, bound / norm) if norm else 1),
        "first alone": lambda gradients, max_norm: [
            _by_torch(gradients, max_norm)[0],
            *(g.clone() for g in gradients[1:]),
        ],
        "a bound of 1": _clipped(lambda norm, bound: min(1, 1 / norm) if norm else 1),
        "in one row": lambda gradients, max_norm: [torch.cat([g.flatten() for g in _by_torch(gradients, max_norm)])],
        "one tensor": lambda gradients, max_norm: torch.cat([g.flatten() for g in _by_torch(gradients, max_norm)]),
        "the norm": lambda gradients, max_norm: _norm(gradients),
        "lists": lambda gradients, max_norm: [g.tolist() for g in _by_torch(gradients, max_norm)],
        "a number over 0": _clipped(lambda norm, bound: min(1, bound / norm)),
    },
}

RIGHT: list[tuple[str, Any]] = [
    ("rnn-step", _step),
    ("rnn-step", _picked),
    ("rnn-step", lambda *arguments: list(_side_by_side(*arguments))),
    ("streams", _one_by_one),
    ("streams", lambda *arguments: _windows(*arguments).clone().to(torch.int32)),
    ("streams", _from_inputs_and_targets),
    ("window-loss", _by_character),
    (
        "window-loss",
        _windowed(lambda logits, targets: cross_entropy(logits.mT.flatten(0, 1), targets.flatten())),
    ),
    ("window-loss", _windowed(lambda logits, targets: nll_loss(logits.log_softmax(1), targets))),
    ("window-loss", _windowed(lambda logits, targets: cross_entropy(logits.log_softmax(1), targets))),
    ("window-loss", lambda *arguments: list(_windowed()(*arguments))),
    (
        "window-loss",
        _windowed(lambda logits, targets: cross_entropy(logits, targets, reduction="sum") / targets.numel()),
    ),
    ("prediction", {"not_shifted": " Lower ", "shuffled_rows": "SAME"}),
    ("backward-step", _by_einsum),
    ("backward-step", _text_by_text),
    ("clip-gradients", _by_torch),
    ("clip-gradients", _in_one_vector),
    ("clip-gradients", _clipped(lambda norm, bound: min(1, bound / (norm + 1e-6)))),
    ("clip-gradients", _clipped(lambda norm, bound: bound / max(norm, bound))),
    (
        "clip-gradients",
        lambda gradients, max_norm: gradients if _norm(gradients) <= max_norm else _by_torch(gradients, max_norm),
    ),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    gaps = NETWORK
    unknown = UNKNOWN
    right = RIGHT


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE


def test_the_first_of_several_wrong_predictions_is_named():
    message = EXERCISE.outcome("prediction", fresh_starts="same", shuffled_rows="higher")
    assert message.startswith("fresh_starts: ")


@pytest.mark.parametrize("seed", range(5))
def test_experiments_end_far_from_the_border_between_two_words(seed):
    found = carried_state._experiment(torch.Generator().manual_seed(seed))
    assert found["not_shifted"] < 0.1
    assert found["fresh_starts"] > 1.8
    assert found["shuffled_windows"] > 1.8
    assert found["shuffled_rows"] == pytest.approx(1, abs=1e-3)


def test_windows_in_a_wrong_order_that_stays_the_same_are_wrong_as_well():
    def shuffled(tokens: Tensor, num_streams: int, window: int) -> Tensor:
        return _windows(tokens, num_streams, window).roll(1, 0)  # each window in another place, at each call the same

    assert "right numbers in another order" in EXERCISE.outcome("streams", shuffled)


def test_a_crash_of_the_answer_is_told_as_one():
    message = EXERCISE.outcome("clip-gradients", lambda gradients, max_norm: gradients[0] @ gradients[0])
    assert "stopped with RuntimeError" in message


def test_autograd_in_a_step_by_hand_is_refused():
    assert "worked out by hand" in EXERCISE.outcome("backward-step", _by_autograd)


def test_gradients_of_another_shape_are_refused():
    message = EXERCISE.outcome("clip-gradients", UNKNOWN["clip-gradients"]["in one row"])
    assert "shape of the gradient it belongs to" in message


def test_a_loss_without_its_state_is_told_that_two_results_are_asked_for():
    assert "two results" in EXERCISE.outcome("window-loss", UNKNOWN["window-loss"]["loss alone"])


def test_a_state_that_only_one_kind_of_model_has_is_no_crash_of_the_check():
    message = EXERCISE.outcome("window-loss", _windowed(state=lambda state: state.detach()))
    assert "stopped with AttributeError" in message


def test_the_notebooks_streams_lose_no_target_between_two_windows():
    (streams,) = EXERCISE.answers("streams")
    windows = streams(torch.arange(103), 4, 6)
    assert windows.shape == (4, 4, 7)
    assert torch.equal(windows[1:, :, 0], windows[:-1, :, -1])
    assert windows[0, :, 0].tolist() == [0, 25, 50, 75]
