"""The check of perplexity and bits per character, from log-probabilities in nats."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare, fresh, integer, kind_of, uniform

__all__ = ["perplexity_and_bits"]

_LOG_2 = math.log(2)


def _perplexity(log_probs: Tensor) -> Tensor:
    """The inverse of the geometric mean of the probabilities."""
    return torch.exp(log_probs / len(log_probs)).prod() ** -1


def _bits(log_probs: Tensor) -> Tensor:
    """The mean of log₂ of the inverse probabilities."""
    return torch.log2(torch.exp(-log_probs)).mean()


def _with(perplexity: Answer = _perplexity, bits: Answer = _bits) -> Answer:
    """Both numbers, one of them in another form."""
    return lambda log_probs: (perplexity(log_probs), bits(log_probs))


_SWAPPED = Mistake(
    "swapped",
    "perplexity and bits have changed places: the perplexity comes first.",
    _with(_bits, _perplexity),
)
_PERPLEXITY = (
    _SWAPPED,
    Mistake(
        "average of perplexities",
        "the perplexity is an average of exp(−log p) over the characters. A few surprising characters decide that. The "
        "mean is taken of the logarithms, and the exponential afterwards.",
        _with(lambda log_probs: (-log_probs).exp().mean()),
    ),
    Mistake(
        "mean probability",
        "the perplexity is 1 over the mean probability. The mean is taken of the logarithms.",
        _with(lambda log_probs: 1 / log_probs.exp().mean()),
    ),
    Mistake(
        "base 2 on nats",
        "the perplexity is a power of 2, and its exponent is in nats. Nats go with e, and bits go with 2.",
        _with(lambda log_probs: 2 ** -log_probs.mean()),
    ),
    Mistake(
        "base e on bits",
        "the perplexity is a power of e, and its exponent is in bits. Nats go with e, and bits go with 2.",
        _with(lambda log_probs: torch.exp(-log_probs.mean() / _LOG_2)),
    ),
    Mistake(
        "sign of the exponent",
        "the perplexity is below 1: this is the geometric mean of the probabilities. The perplexity is 1 over it.",
        _with(lambda log_probs: log_probs.mean().exp()),
    ),
    Mistake(
        "exponential of the sum",
        "the perplexity grows with the length of the text: the exponent is a sum, and it should be a mean.",
        _with(lambda log_probs: torch.exp(-log_probs.sum())),
    ),
    Mistake(
        "no exponential",
        "in place of the perplexity comes the mean loss in nats. The perplexity is its exponential.",
        _with(lambda log_probs: -log_probs.mean()),
    ),
)
_IN_BITS = (
    Mistake(
        "nats called bits",
        "these bits are nats: −log p is a natural logarithm. A character of probability ½ costs one bit, and log 2 "
        "nats.",
        _with(bits=lambda log_probs: -log_probs.mean()),
    ),
    Mistake(
        "multiplied by log 2",
        "the nats are multiplied by log 2, and there are more bits than nats: one nat is 1.44 bits.",
        _with(bits=lambda log_probs: -log_probs.mean() * _LOG_2),
    ),
    Mistake(
        "sign of the bits",
        "the bits are negative. A probability below 1 has a negative logarithm, and its cost is minus that.",
        _with(bits=lambda log_probs: log_probs.mean() / _LOG_2),
    ),
    Mistake(
        "sum of the bits",
        "these are the bits of the whole text. Bits per character are asked for.",
        _with(bits=lambda log_probs: -log_probs.sum() / _LOG_2),
    ),
    Mistake(
        "base 10",
        "this is a logarithm to base 10. Bits go with base 2.",
        _with(bits=lambda log_probs: -log_probs.mean() / math.log(10)),
    ),
)


def _part(index: int) -> Answer:
    """A view of the perplexity or of the bits; :class:`Wrong` when there are not two numbers."""

    def view(value: Any) -> Any:
        if isinstance(value, Tensor) and value.shape == (2,):
            value = tuple(value)
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            text = "two numbers are asked for, the perplexity and the bits per character, and what comes back is "
            raise Wrong(f"{text}{kind_of(value)}.")
        return value[index]

    return view


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [(-uniform(0.05, 4, integer(30, 60, generator), generator=generator, dtype=dtype),) for dtype in _DTYPES]
    draws += [(torch.full((16,), 0.5).log(),), (torch.tensor([-1.3]),)]
    draws.append((-uniform(1, 3, 2_000, generator=generator),))  # whose product no computer can hold
    parts = (("perplexity", _perplexity, _PERPLEXITY), ("number of bits per character", _bits, _IN_BITS))
    for index, (name, right, mistakes) in enumerate(parts):
        reference = _with(**{("perplexity", "bits")[index]: right})
        text = f"the {name} is {{got}}, and it should be {{expected}}."
        compare(answer, reference, draws, mistakes, text, _part(index), what=f"the {name}")


_DTYPES = (torch.float32, torch.float64)

perplexity_and_bits = Check(
    "perplexity_and_bits",
    _judge,
    "among so many equally probable characters would a guess be as hard, and so many bits does a character cost.",
    (*_PERPLEXITY, *_IN_BITS),
)
