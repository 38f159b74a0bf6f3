"""The check of the importance-weighted bound, taken in log space."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["importance_weights"]

Case = tuple[Tensor, Tensor, Tensor]


def _weights(log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor) -> Tensor:
    """The logarithms of the importance weights, (K, N)."""
    return log_likelihood + log_prior - log_q


def _bound(log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor) -> Tensor:
    """The bound pair by pair: logaddexp of one sample after the other, (N,)."""
    first, *others = _weights(log_likelihood, log_prior, log_q)
    for log_weight in others:
        first = torch.logaddexp(first, log_weight)
    return first - math.log(len(log_q))


def _of(weights: Answer) -> Answer:
    """The bound with other logarithms of the weights."""
    return lambda *case: torch.logsumexp(weights(*case), 0) - math.log(len(case[0]))


def _one_maximum(log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor) -> Tensor:
    weights = _weights(log_likelihood, log_prior, log_q)
    return torch.exp(weights - weights.max()).mean(0).log() + weights.max()


_BOUND = (
    Mistake(
        "exponentials first",
        "the exponentials leave what a computer can hold: far below zero they become 0, whose logarithm is −∞, far "
        "above they become ∞. Stay with logarithms, or subtract something before you take the exponential.",
        lambda *case: _weights(*case).exp().mean(0).log(),
    ),
    Mistake(
        "one maximum for all",
        "one maximum is subtracted for all images, and an image whose weights lie far below it ends at −∞. Each image "
        "has a largest weight of its own.",
        _one_maximum,
    ),
    Mistake(
        "mean of the logarithms",
        "this is the mean of the logarithms of the weights: the plain bound, by Monte Carlo. More samples would not "
        "raise it. The logarithm belongs outside the mean.",
        lambda *case: _weights(*case).mean(0),
    ),
    Mistake(
        "log K forgotten",
        "the weights are summed, not averaged, and the bound grows by log K with nothing learned: 1/K inside the "
        "logarithm is something outside it.",
        lambda *case: _weights(*case).logsumexp(0),
    ),
    Mistake(
        "divided by K outside",
        "the logarithm of the sum is divided by K. The 1/K stands inside the logarithm.",
        lambda *case: _weights(*case).logsumexp(0) / len(case[0]),
    ),
    Mistake(
        "sign of log q",
        "log q(z∣x) is added. The weight has q below the fraction line.",
        _of(lambda log_likelihood, log_prior, log_q: log_likelihood + log_prior + log_q),
    ),
    Mistake(
        "prior and q swapped",
        "prior and q have changed places: the prior stands above the fraction line, q below it.",
        _of(lambda log_likelihood, log_prior, log_q: log_likelihood + log_q - log_prior),
    ),
    Mistake(
        "prior forgotten",
        "the prior is missing: the numerator is the joint density p(x∣z) p(z).",
        _of(lambda log_likelihood, log_prior, log_q: log_likelihood - log_q),
    ),
    Mistake(
        "likelihood alone",
        "only p(x∣z) is averaged: with z drawn from q this is no estimate of p(x). Each sample is weighed by how much "
        "more the prior would have drawn it.",
        _of(lambda log_likelihood, log_prior, log_q: log_likelihood),
    ),
    Mistake(
        "KL outside",
        "the likelihoods are averaged inside the logarithm and the rest outside. The whole weight of a sample belongs "
        "inside.",
        lambda log_likelihood, log_prior, log_q: (
            log_likelihood.logsumexp(0) - math.log(len(log_q)) - (log_q - log_prior).mean(0)
        ),
    ),
    Mistake(
        "clamped at zero",
        "log q − log p(z) is cut off at 0. A divergence cannot be negative, but this is one sample of it, and that may "
        "be: where the cut takes the negative ones away, the bound no longer reaches log p(x).",
        _of(
            lambda log_likelihood, log_prior, log_q: log_likelihood - (log_q - log_prior).clamp(min=0),
        ),
    ),
    Mistake(
        "best sample",
        "this is the largest weight alone. The bound is the logarithm of their mean, and the others count.",
        lambda *case: _weights(*case).amax(0),
    ),
    Mistake(
        "over the images",
        "the mean runs over the images and leaves one number for each sample. Samples run along the first dimension.",
        lambda *case: _weights(*case).logsumexp(1) - math.log(case[0].shape[1]),
    ),
    Mistake(
        "one number",
        "this is one number for the batch. Each image has a bound of its own, (N,).",
        lambda *case: _bound(*case).mean(),
    ),
)


def _draw(generator: torch.Generator, level: float, apart: float = 0.0) -> Case:
    """Three tables (K, N), K ≠ N: weights around a level, with images and samples ``apart`` from each other."""
    K, N = integer(4, 6, generator), integer(8, 11, generator)
    scattered = 4 * normal(K, N, generator=generator)
    ladder = apart * uniform(0, 1, K, N, generator=generator)
    log_prior, log_q = (-20 + 3 * normal(K, N, generator=generator) for _ in range(2))
    return level + scattered - ladder, log_prior, log_q


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, level) for level in (-90, -3, 0)]
    far = [_draw(generator, -100_000), _draw(generator, 5_000), _draw(generator, -100, apart=100_000)]
    draws += in_double(far)  # near 100,000 a float32 knows hundredths of a nat
    log_likelihood, log_prior, log_q = draws[0]
    draws.append((log_likelihood[:1], log_prior[:1], log_q[:1]))  # a single sample
    text = "the bound is {got}, and added up sample by sample in logarithms it is {expected}."
    compare(answer, _bound, draws, _BOUND, text, what="the bound")


importance_weights = Check(
    "importance_weighted_bound",
    _judge,
    "the logarithm of the mean weight, whether the weights are near 1 or near e to the −100,000.",
    _BOUND,
)
