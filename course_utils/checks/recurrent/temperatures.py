"""The check of a softmax with a temperature: its two ends, and what no temperature can be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Outcome,
    Wrong,
    call,
    close,
    compare,
    fresh,
    in_double,
    integer,
    normal,
    tensor,
    uniform,
)

__all__ = ["tempered"]


def _tempered(logits: Tensor, temperature: float) -> Tensor:
    """The probabilities as ratios of weights exp((logit − largest) / temperature); a limit at temperature 0."""
    below = logits - logits.amax(-1, keepdim=True)  # 0 for the largest, negative for the others
    weights = (below == 0).to(logits.dtype) if temperature == 0 else torch.exp(below / temperature)
    return weights / weights.sum(-1, keepdim=True)


def _over(dims: Answer) -> Answer:
    """A softmax over other dimensions than the last one; ``dims`` is told how many there are."""

    def make(logits: Tensor, temperature: float) -> Tensor:
        scaled = logits / temperature
        return torch.exp(scaled - scaled.logsumexp(dims(logits.ndim), keepdim=True))

    return make


def _naive(logits: Tensor, temperature: float) -> Tensor:
    weights = torch.exp(logits / temperature)
    return weights / weights.sum(-1, keepdim=True)


_POSITIVE = (
    Mistake(
        "multiplied",
        "the logits are multiplied by the temperature. A high temperature then makes the model bolder about its first "
        "choice, and it should make all characters more alike.",
        lambda logits, temperature: torch.softmax(logits * temperature, -1),
    ),
    Mistake(
        "no temperature",
        "the temperature changes nothing: this is the plain softmax of the logits.",
        lambda logits, temperature: torch.softmax(logits, -1),
    ),
    Mistake(
        "probabilities divided",
        "the probabilities are divided by the temperature, and no longer add up to 1. The logits are to be divided, "
        "before the softmax.",
        lambda logits, temperature: torch.softmax(logits, -1) / temperature,
    ),
    Mistake(
        "softmax of probabilities",
        "there are two softmaxes: one before the temperature and one after it. What is divided by the temperature are "
        "logits, not probabilities.",
        lambda logits, temperature: torch.softmax(torch.softmax(logits, -1) / temperature, -1),
    ),
    Mistake(
        "power not renormalised",
        "the probabilities are taken to the power 1 / temperature, which is a good beginning, but the result no longer "
        "adds up to 1.",
        lambda logits, temperature: torch.softmax(logits, -1) ** (1 / temperature),
    ),
    Mistake(
        "first dimension",
        "the softmax runs over the first dimension. The characters of the alphabet stand in the last one, and it is "
        "their probabilities that add up to 1.",
        _over(lambda ndim: 0),
    ),
    Mistake(
        "everything together",
        "all entries together add up to 1. Each context has a distribution of its own, along the last dimension.",
        _over(lambda ndim: tuple(range(ndim))),
    ),
    Mistake(
        "log-probabilities",
        "these are logarithms of the probabilities. The probabilities themselves are asked for.",
        lambda logits, temperature: torch.log_softmax(logits / temperature, -1),
    ),
    Mistake(
        "weights",
        "these are exponentials that have not been divided by their sum.",
        lambda logits, temperature: torch.exp(logits / temperature),
    ),
    Mistake(
        "overflow",
        "logits near 1,000 give nan: their exponentials are larger than a computer can hold. A softmax does not change "
        "when the largest logit is subtracted first; torch.softmax does that for you.",
        _naive,
    ),
)


def _at_zero(otherwise: Answer) -> Answer:
    """A correct softmax with a temperature, with something else at 0."""
    return lambda logits, temperature: _tempered(logits, temperature) if temperature else otherwise(logits)


_ZERO = (
    Mistake(
        "nan at zero",
        "temperature 0 gives nan, since the logits are divided by 0. What do the probabilities come near to when the "
        "temperature sinks towards 0?",
        _at_zero(lambda logits: torch.softmax(logits / 0, -1)),
    ),
    Mistake(
        "plain softmax at zero",
        "temperature 0 is treated as if no temperature were given, and the softmax is that of temperature 1. When the "
        "temperature sinks towards 0, everything moves to the largest logit.",
        _at_zero(lambda logits: torch.softmax(logits, -1)),
    ),
    Mistake(
        "even at zero",
        "at temperature 0 all characters become equally probable. That is what happens at the other end, when the "
        "temperature grows without bound.",
        _at_zero(lambda logits: torch.full_like(logits, 1 / logits.shape[-1])),
    ),
    Mistake(
        "least at zero",
        "at temperature 0 everything is on the smallest logit. It should be on the largest.",
        _at_zero(lambda logits: _tempered(-logits, 0)),
    ),
    Mistake(
        "one for all at zero",
        "at temperature 0 only one entry of the whole tensor is not 0. Each context has a largest logit of its own.",
        _at_zero(lambda logits: (logits == logits.max()).to(logits.dtype)),
    ),
)

_NEGATIVE = Mistake(
    "negative",
    "a negative temperature is accepted, and turns the order of the characters round. Raise a ValueError whose text "
    "names the temperature.",
    lambda logits, temperature: _tempered(logits, temperature) if temperature >= 0 else torch.softmax(-logits, -1),
)


def _logits(generator: torch.Generator, *shape: int) -> Tensor:
    """Logits (*shape, V) in steps of a half, in some order in each row: no two of a row are alike."""
    V = integer(6, 9, generator)
    ladder = torch.arange(V) / 2 + uniform(0, 0.2, *shape, V, generator=generator)
    order = normal(*shape, V, generator=generator).argsort(-1)
    return ladder.gather(-1, order) - 2


def _judge_ties(answer: Answer, logits: Tensor) -> None:
    """Temperature 0 with two largest logits: shared by them, or given to one of them."""
    tied = logits.clone()
    first, second = tied.argsort()[-2:].tolist()
    tied[first] = tied[second]
    got = tensor(call(answer, tied, 0.0), tied.shape, "what tempered returns at temperature 0")
    shared, one, other = torch.zeros(3, len(tied))
    shared[[first, second]] = 0.5
    one[first], other[second] = 1, 1
    if not any(close(got, admitted) for admitted in (shared, one, other)):
        text = "when two logits are the largest, temperature 0 may share 1 between them or give it to one of them"
        raise Wrong(f"{text}; here they get {float(got[first]):.4g} and {float(got[second]):.4g}.")


def _judge_negative(answer: Any, logits: Tensor) -> None:
    """A negative temperature is refused, in words that name it."""
    try:
        answer(logits.clone(), -0.5)
    except Outcome:
        raise
    except Exception as error:
        said = str(error)
        if "temperature" in said.lower() or "0.5" in said:
            return
        text = "a negative temperature stops with an error that does not say what is wrong"
        raise Wrong(f'{text}, "{said[:80]}". Let its text name the temperature.') from None
    raise Wrong(_NEGATIVE.message)


def _judge(answer: Answer) -> None:
    generator = fresh()
    several = [_logits(generator, *shape) for shape in ((), (4,), (3, 5))]

    # temperatures above 0
    temperatures = [float(uniform(low, high, generator=generator)) for low, high in ((1.5, 3), (0.3, 0.7), (0.6, 0.8))]
    draws = list(zip(several, temperatures, strict=True))
    draws += in_double([(several[1], 0.7), (several[1] + 1_000, 0.5), (several[1] - 1_000, 0.8), (several[0], 0.02)])
    text = "tempered gives {got}, and the softmax of logits / temperature is {expected}."
    compare(answer, _tempered, draws, _POSITIVE, text, what="what tempered returns")

    # temperature 0, then below
    text = "at temperature 0 tempered gives {got}, and with everything on the largest logit it is {expected}."
    zero = [(logits, temperature) for logits in several for temperature in (0.0, 0)]
    compare(answer, _tempered, zero, _ZERO, text, what="what tempered returns at temperature 0")
    if not call(answer, several[0], 0.0).is_floating_point():
        raise Wrong("at temperature 0 these are whole numbers. Probabilities that one can draw from are float.")
    _judge_ties(answer, several[0])
    _judge_negative(answer, several[0])


tempered = Check(
    "tempered",
    _judge,
    "from temperature 0, where the largest logit takes all, upwards; logits of 1,000 do no harm.",
    (*_POSITIVE, *_ZERO, _NEGATIVE),
)
