"""The check of the probe, part of exercise 03: ridge regression, and a protocol that does not deceive itself."""

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
    call,
    close,
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
        lambda Z, labels, strength, num_classes: _solve(Z, labels, 0.0, num_classes),
    ),
    Mistake(
        "penalty times n",
        "ridge has n times the penalty: the squared errors are summed over the codes here, not averaged.",
        lambda Z, labels, strength, num_classes: _solve(Z, labels, strength * len(Z), num_classes),
    ),
    Mistake(
        "classes that are there",
        "ridge makes as many columns as it sees labels. A class may be missing among a few images: num_classes "
        "says how many there are.",
        lambda Z, labels, strength, num_classes: _solve(Z, labels, strength, int(labels.max()) + 1),
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
    Mistake("first strength", "probe_accuracy tries one strength only, the first.", _first),
)


def _split(Z: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Pair, Pair, Pair]:
    sizes = [60, 101, len(Z) - 161]
    order = torch.randperm(len(Z), generator=generator).split(sizes)
    train, val, test = ((Z[i], labels[i]) for i in order)
    return train, val, test


def _telling(generator: torch.Generator) -> tuple[Pair, Pair, Pair, tuple[float, ...]]:
    """Noisy codes of three classes on which every known mistake reports another number, and no two strengths tie."""
    while True:
        k = integer(40, 50, generator)
        labels = torch.randint(3, (260,), generator=generator)
        Z = 1.2 * normal(3, k, generator=generator)[labels] * (torch.arange(k) < 6) + normal(
            260, k, generator=generator
        )
        pairs = _split(Z + 2, labels, generator)
        probes = [_solve(*pairs[0], strength) for strength in STRENGTHS]
        train, val, test = ([_accuracy(fitted, pair) for fitted in probes] for pair in pairs)
        best, *others = (accuracies.index(max(accuracies)) for accuracies in (val, test, train))
        reported = {test[best], train[best], val[best], test[0], *(test[i] for i in others)}
        if val.count(max(val)) == 1 and len(reported) == len(_PROBE) + 1:
            return (*pairs, STRENGTHS)


def _judge_probing(ridge: Answer, probe_accuracy: Answer) -> None:
    generator = fresh()
    draws: list[tuple[Any, ...]] = []
    for strength in (0.5, 3.0, 20.0):
        n, k, classes = integer(30, 50, generator), integer(3, 6, generator), integer(5, 9, generator)
        labels = torch.randint(classes - 2, (n,), generator=generator)  # the last classes are not among the labels
        draws.append((normal(n, k, generator=generator) + 2, labels, strength, classes))
    for i, name in enumerate(("W", "b")):
        text = f"{name} is {{got}}, and where the penalised error is smallest it is {{expected}}."
        compare(ridge, _ridge, draws, _RIDGE, text, one_of_two(i, "W", "b"), what=name)
    cases = [_telling(generator) for _ in range(2)]
    got = [number(call(probe_accuracy, *case), "the accuracy") for case in cases]
    if all(close(g, _probe()(*case)) for g, case in zip(got, cases, strict=True)):
        return
    for mistake in _PROBE:
        if all(close(g, mistake.make(*case)) for g, case in zip(got, cases, strict=True)):
            raise Wrong(mistake.message)
    if not all(0 <= g <= 1 for g in got):
        raise Wrong(f"an accuracy lies between 0 and 1, and probe_accuracy gives {max(got):.4g}.")
    first = next(i for i, case in enumerate(cases) if not close(got[i], _probe()(*case)))
    raise Wrong(
        f"probe_accuracy gives {got[first]:.4f}; fitted on train, chosen on val and read on test it is "
        f"{_probe()(*cases[first]):.4f}."
    )


_RIGHT = (_solve, _probe())

probing = Check(
    "ridge or probe_accuracy",
    _judge_probing,
    "no other probe has a smaller penalised error, and each of the three sets is used for one thing only.",
    among(_RIGHT, 0, _RIDGE) + among(_RIGHT, 1, _PROBE),
)
