"""The check of the probe: ridge regression, and a protocol that does not deceive itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    compare,
    fresh,
    integer,
    normal,
    number,
    one_of_two,
)

__all__ = ["probing"]

Pair = tuple[Tensor, Tensor]
STRENGTHS = tuple(10.0**power for power in range(4, -3, -1))


def _ridge(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> Pair:
    """By least squares without a penalty: √λ I below the centred codes, zeros below the targets."""
    Y, k = one_hot(labels, num_classes).to(Z), Z.shape[1]
    rows = torch.cat([Z - Z.mean(0), strength**0.5 * torch.eye(k).to(Z)])
    W = torch.linalg.lstsq(rows, torch.cat([Y - Y.mean(0), torch.zeros(k, num_classes).to(Z)])).solution
    return W, (Y - Z @ W).mean(0)


def _normal_equations(Z: Tensor, Y: Tensor, strength: float) -> Tensor:
    return torch.linalg.solve(Z.T @ Z + strength * torch.eye(Z.shape[1]).to(Z), Z.T @ Y)


def _solve(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> Pair:
    """By the normal equations of centred codes."""
    Y = one_hot(labels, num_classes).to(Z)
    W = _normal_equations(Z - Z.mean(0), Y - Y.mean(0), strength)
    return W, Y.mean(0) - Z.mean(0) @ W


def _penalised_bias(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> Pair:
    rows = torch.cat([Z, torch.ones(len(Z), 1).to(Z)], dim=1)
    W = _normal_equations(rows, one_hot(labels, num_classes).to(Z), strength)
    return W[:-1], W[-1]


def _no_bias(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> Pair:
    W = _normal_equations(Z, one_hot(labels, num_classes).to(Z), strength)
    return W, torch.zeros_like(W[0])


def _bias_of_centred_codes(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> Pair:
    return _solve(Z, labels, strength, num_classes)[0], one_hot(labels, num_classes).to(Z).mean(0)


_RIDGE = (
    Mistake(
        "bias penalised",
        "ridge penalises the bias along with the weights: add a constant to all codes, and the probe changes.",
        _penalised_bias,
    ),
    Mistake(
        "no bias",
        "ridge has no bias: its plane has to pass through the origin, and the codes lie elsewhere.",
        _no_bias,
    ),
    Mistake(
        "bias of centred codes",
        "the bias belongs to centred codes, but W will be used on codes as they are. What does the shift cost?",
        _bias_of_centred_codes,
    ),
    Mistake(
        "no penalty",
        "ridge leaves λ out: this is plain least squares.",
        lambda Z, labels, strength, num_classes=10: _solve(Z, labels, 0.0, num_classes),
    ),
    Mistake(
        "penalty times n",
        "ridge has n times the penalty: the squared errors are summed over the codes here, not averaged.",
        lambda Z, labels, strength, num_classes=10: _solve(Z, labels, strength * len(Z), num_classes),
    ),
    Mistake(
        "classes that are there",
        "ridge makes as many columns as it sees labels. A class may be missing among a few images: num_classes "
        "says how many there are.",
        lambda Z, labels, strength, num_classes=10: _solve(Z, labels, strength, int(labels.max()) + 1),
    ),
)


def _accuracy(fitted: Pair, pair: Pair) -> float:
    W, b = fitted
    Z, labels = pair
    return float(((Z @ W + b).argmax(1) == labels).double().mean())


def _probe(on: int = 1, read: int = 2) -> Callable[..., float]:
    """The protocol: fitted on the first of three pairs, λ chosen ``on`` another, accuracy ``read`` on a third."""

    def probe_accuracy(train: Pair, val: Pair, test: Pair, strengths: tuple[float, ...]) -> float:
        pairs = (train, val, test)
        probes = [_solve(*train, strength) for strength in strengths]
        return _accuracy(max(probes, key=lambda fitted: _accuracy(fitted, pairs[on])), pairs[read])

    return probe_accuracy


def _first(train: Pair, val: Pair, test: Pair, strengths: tuple[float, ...]) -> float:
    return _accuracy(_solve(*train, strengths[0]), test)


def _worst(train: Pair, val: Pair, test: Pair, strengths: tuple[float, ...]) -> float:
    probes = [_solve(*train, strength) for strength in strengths]
    return _accuracy(min(probes, key=lambda fitted: _accuracy(fitted, val)), test)


_PROBE = (
    Mistake(
        "chosen on test",
        "probe_accuracy chooses λ by its accuracy on the test set. The number it reports is the luckiest of several, "
        "not a fair one.",
        _probe(on=2),
    ),
    Mistake(
        "chosen on train",
        "probe_accuracy chooses λ on the training codes, which every probe has seen: a weak penalty wins there.",
        _probe(on=0),
    ),
    Mistake(
        "probed on themselves",
        "probe_accuracy reads its accuracy on the codes that the probe was fitted to. It says what was remembered.",
        _probe(read=0),
    ),
    Mistake(
        "validation reported",
        "probe_accuracy returns the accuracy on the validation set, by which λ was chosen; read it on the test set.",
        _probe(read=1),
    ),
    Mistake(
        "worst strength",
        "probe_accuracy chooses the strength with the lowest accuracy on the validation set: min where max belongs?",
        _worst,
    ),
    Mistake("first strength", "probe_accuracy tries one strength only, the first.", _first),
)


def _split(Z: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Pair, Pair, Pair]:
    sizes = [60, 101, len(Z) - 161]
    order = torch.randperm(len(Z), generator=generator).split(sizes)
    train, val, test = ((Z[i], labels[i]) for i in order)
    return train, val, test


def _is_clear(weights: Pair, pair: Pair) -> bool:
    """Whether no code is so near to a border between two classes that rounding could decide for it."""
    first, second = (pair[0] @ weights[0] + weights[1]).topk(2, dim=1).values.T
    return bool((first - second).min() > 1e-5)


def _telling(generator: torch.Generator) -> list[tuple[Pair, Pair, Pair, tuple[float, ...]]]:
    """Noisy codes of several classes, until the right protocol and all mistakes differ; no two strengths tie for it."""
    cases: list[tuple[Pair, Pair, Pair, tuple[float, ...]]] = []
    reports: list[list[float]] = []
    while len(cases) < 3 or len(set(zip(*reports, strict=True))) <= len(_PROBE):
        classes, k = (3, 10, 2)[len(cases) % 3], integer(40, 50, generator)
        labels = torch.randint(classes, (400,), generator=generator)
        centres = 1.2 * normal(classes, k, generator=generator) * (torch.arange(k) < 6)
        sets = _split(centres[labels] + normal(400, k, generator=generator) + 2, labels, generator)
        strengths = tuple(STRENGTHS[i] for i in torch.randperm(len(STRENGTHS), generator=generator))
        on_val = [_accuracy(_solve(*sets[0], strength), sets[1]) for strength in strengths]
        clear = all(_is_clear(_solve(*sets[0], strength), pair) for strength in strengths for pair in sets[1:])
        if clear and on_val.count(max(on_val)) == on_val.count(min(on_val)) == 1:
            cases.append((*sets, strengths))
            reports.append([answer(*cases[-1]) for answer in (_probe(), *(mistake.make for mistake in _PROBE))])
    return cases


def _share(accuracy: Any) -> float:
    value = number(accuracy, "the accuracy")
    if not 0 <= value <= 1:
        raise Wrong(f"an accuracy lies between 0 and 1, and probe_accuracy gives {value:.4g}.")
    return value


def _judge_probing(ridge: Answer, probe_accuracy: Answer) -> None:
    generator = fresh()
    draws: list[tuple[Any, ...]] = []
    for strength in (0.5, 3.0, 20.0, 0.01):
        n, k, classes = integer(30, 50, generator), integer(3, 6, generator), integer(5, 9, generator)
        labels = torch.randint(classes - 2, (n,), generator=generator)  # the last classes are not among the labels
        draws.append((normal(n, k, generator=generator) + 2, labels, strength, classes))
    draws.append(draws[0][:3])  # the number of classes has a default
    fewer = [
        (Z[:2], labels[:2], *others) for Z, labels, *others in draws if others[0] > 0.1
    ]  # fewer codes than entries in a code
    for i, name in enumerate(("W", "b")):
        text = f"{name} is {{got}}, and where the penalised error is smallest it is {{expected}}."
        compare(ridge, _ridge, draws, _RIDGE, text, one_of_two(i, "W", "b"), what=name, atol=1e-5)
        compare(ridge, _ridge, fewer, (), text, one_of_two(i, "W", "b"), what=name)
    text = "probe_accuracy gives {got}; fitted on train, chosen on val and read on test it is {expected}."
    compare(probe_accuracy, _probe(), _telling(generator), _PROBE, text, _share)


_RIGHT = (_solve, _probe())

probing = Check(
    "ridge or probe_accuracy",
    _judge_probing,
    "no other probe has a smaller penalised error, and each of the three sets is used for one thing only.",
    among(_RIGHT, 0, _RIDGE) + among(_RIGHT, 1, _PROBE),
)
