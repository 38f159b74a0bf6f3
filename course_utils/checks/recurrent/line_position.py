"""The check of the search for a unit that follows the position in the line."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.linalg import qr

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    compare,
    fresh,
    in_double,
    integer,
    kind_of,
    normal,
    uniform,
)

__all__ = ["position_unit"]

# correlation with the position, scale and mean of each unit; the first is the one to find
_UNITS = (
    *((-0.9, 0.4, 0.1), (0.8, 0.5, 0.0)),
    *((0.6, 30.0, 0.0), (0.2, 0.1, 5.0)),  # the largest covariance; the largest product of raw numbers
    *((-0.05, 0.7, -0.2), (0.35, 0.6, 0.3), (-0.45, 0.2, 0.0)),
)
_CONSTANT = (0.0, 1.0, -1.0)


def _correlations(states: Tensor, positions: Tensor) -> Tensor:
    """Pearson's correlation of each unit with the position, 0 for a constant unit: (H,)."""
    found = []
    for unit in states.T:
        a, b = unit - unit.mean(), (positions - positions.double().mean()).to(unit.dtype)
        norm = (a.square().sum() * b.square().sum()).sqrt()
        found.append((a * b).sum() / norm if norm > 0 else norm)
    return torch.stack(found)


def _unguarded(states: Tensor, positions: Tensor) -> Tensor:
    """The same, with nan for a constant unit."""
    a, b = states - states.mean(0), (positions - positions.double().mean()).to(states.dtype)[:, None]
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum()).sqrt()


def _covariances(states: Tensor, positions: Tensor) -> Tensor:
    b = (positions - positions.double().mean()).to(states.dtype)
    return (states - states.mean(0)).T @ b / (len(b) - 1)


def _cosines(states: Tensor, positions: Tensor) -> Tensor:
    b = positions.to(states.dtype)
    return (states.T @ b / (states.norm(dim=0) * b.norm())).nan_to_num()


def _best(by: Answer = _correlations, told: Answer | None = None, score: Answer = torch.abs) -> Answer:
    """The unit with the best score of one quantity, and another quantity of it."""

    def found(states: Tensor, positions: Tensor) -> tuple[int, float]:
        index = int(score(by(states, positions)).argmax())
        return index, float((told or by)(states, positions)[index])

    return found


_UNIT = (
    Mistake(
        "largest signed",
        "this is the largest positive correlation. A unit that sinks along the line follows the position as well: the "
        "largest absolute value counts.",
        _best(score=lambda values: values),
    ),
    Mistake(
        "smallest signed",
        "this is the most negative correlation. The largest absolute value counts, whichever its sign.",
        _best(score=lambda values: -values),
    ),
    Mistake(
        "absolute returned",
        "the right unit is found, but the sign of its correlation is lost. It says whether the unit grows or sinks "
        "along the line.",
        _best(told=lambda *case: _correlations(*case).abs()),
    ),
    Mistake(
        "squared",
        "the right unit is found, and what comes with it is the square of its correlation.",
        _best(told=lambda *case: _correlations(*case).square()),
    ),
    Mistake(
        "covariance",
        "this goes by the covariance, and that grows with the size of a unit's numbers. Divide by both standard "
        "deviations.",
        _best(_covariances),
    ),
    Mistake(
        "chosen by covariance",
        "the unit is chosen by its covariance, which grows with the size of its numbers. Choose it by its correlation.",
        _best(_covariances, _correlations),
    ),
    Mistake(
        "covariance told",
        "the right unit is found, and what comes with it is a covariance. Divide by both standard deviations.",
        _best(told=_covariances),
    ),
    Mistake(
        "means not subtracted",
        "the means are not subtracted: a unit that is always near 5 looks as if it followed anything.",
        _best(_cosines),
    ),
    Mistake(
        "least correlated",
        "this is the unit that follows the position least. The largest absolute value counts.",
        _best(score=lambda values: -values.abs()),
    ),
    Mistake(
        "nan",
        "a unit that never changes has standard deviation 0, so that its correlation is nan, and argmax takes nan for "
        "the largest. Count its correlation as 0.",
        _best(_unguarded),
    ),
    Mistake(
        "time",
        "this is the correlation with the time since the text began. Asked is the position in the line.",
        _best(lambda states, positions: _correlations(states, torch.arange(len(states)))),
    ),
)


def _draw(generator: torch.Generator, sign: int) -> tuple[Tensor, Tensor]:
    """States (T, H) with the correlations of _UNITS times a sign, exactly, and positions (T,) in lines."""
    lines = [torch.arange(integer(5, 14, generator)) for _ in range(8)]
    positions = torch.cat(lines).float()
    T, H = len(positions), len(_UNITS)
    noise = normal(T, H + 2, generator=generator, dtype=torch.float64)
    noise[:, 0], noise[:, 1] = 1.0, positions  # the noise proper is at right angles to both
    along, *rest = qr(noise).Q.T[1:]
    along = along * torch.sign(along @ positions.double())
    units = []
    for (correlation, scale, mean), across in zip(_UNITS, rest, strict=True):
        share = sign * correlation
        units.append(mean + scale * T**0.5 * (share * along + (1 - share**2) ** 0.5 * across))
    units += [torch.full((T,), value, dtype=torch.float64) for value in _CONSTANT]
    order = torch.randperm(len(units), generator=generator)
    return torch.stack(units, dim=1)[:, order].float(), positions


def _both(value: Any) -> Any:
    """Index and correlation in one row; :class:`Wrong` when there are not two numbers, or the index is not whole."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        text = "two results are asked for, the unit's index and its correlation, and what comes back is "
        raise Wrong(f"{text}{kind_of(value)}.")
    index, correlation = value
    try:
        whole, told = float(index), float(correlation)
    except (TypeError, ValueError, RuntimeError):
        kinds = f"{kind_of(index)} and {kind_of(correlation)}"
        raise Wrong(f"the unit's index and its correlation should be one number each, and they are {kinds}.") from None
    if isinstance(index, (bool, float)) or (isinstance(index, Tensor) and index.is_floating_point()):
        raise Wrong("the index comes first, and it is a whole number: states[:, index] is the unit.")
    return torch.tensor([whole, told], dtype=torch.float64)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, sign) for sign in (1, -1) * 3]
    states, positions = draws[1]
    draws += in_double([(states, positions)])
    draws.append((uniform(0, 1, len(positions), 1, generator=generator) - 0.1 * positions[:, None], positions))
    text = "position_unit gives {got}, index and correlation, and it should be {expected}."
    compare(answer, _best(), draws, _UNIT, text, _both, what="what position_unit returns")


position_unit = Check(
    "position_unit",
    _judge,
    "the unit that follows the position most closely, up or down, whatever the size of its numbers.",
    _UNIT,
)
