"""Checks: the log-likelihood of one Gaussian, and of a mixture of several."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.distributions import Normal

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
    normal,
    uniform,
)

__all__ = ["log_likelihood", "mixture_log_likelihood"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _log_density(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return Normal(mean, std).log_prob(x)


def _components(x: Tensor, weights: Tensor, means: Tensor, stds: Tensor) -> Tensor:
    """The log density of each student (rows) under each population (columns)."""
    return _log_density(x[:, None], means, stds)


def _judge_log_likelihood(answer: Answer) -> None:
    g, draws = fresh(), []
    for n, width in ((4, 9.0), (9, 9.0), (30, 9.0), (3000, 9.0), (1, 0.09)):  # the last: one student, a narrow bell
        mean, std = uniform(100, 190, generator=g), width * uniform(0.2, 1, generator=g)
        draws.append((mean + 1.5 * std * normal(n, generator=g), mean, std))
    heights, mean, std = draws[2]
    far_off = mean + std * uniform(60, 90, 1, generator=g)
    compare(
        answer,
        lambda x, mean, std: Normal(mean, std).log_prob(x).sum(),
        in_double([*draws, (torch.cat([heights, far_off]), mean, std)]),  # heights are float64 in the notebook
        _LOG_LIKELIHOOD,
        otherwise="for one draw of heights, μ and σ, ℓ is {expected}, and your function says {got}. "
        "Take the logarithm of the density factor by factor, and see whether each factor has left its term.",
        rtol=1e-5,
    )


_LOG_LIKELIHOOD = (
    Mistake(
        "averaged over the data",
        "this is ℓ divided by n: you averaged over the students, and ℓ counts every one of them in full.",
        lambda x, mean, std: _log_density(x, mean, std).mean(),
    ),
    Mistake(
        "not summed",
        "this is one number per student, and ℓ is one number for the whole class.",
        _log_density,
    ),
    Mistake(
        "constant left out",
        "this is too large by 0.92 for every student, whatever μ and σ: the density's factor with π left no term.",
        lambda x, mean, std: (_log_density(x, mean, std) + _HALF_LOG_2PI).sum(),
    ),
    Mistake(
        "log σ left out",
        "the height of the bell is missing: a density that is twice as wide must be half as high, and yours is not.",
        lambda x, mean, std: (_log_density(x, mean, std) + torch.log(std)).sum(),
    ),
    Mistake(
        "std used as variance",
        "the third argument is the standard deviation σ, and you used it where the variance σ² belongs.",
        lambda x, mean, std: _log_density(x, mean, std.sqrt()).sum(),
    ),
    Mistake(
        "variance used as std",
        "the third argument is the standard deviation σ already, and you squared it once too often.",
        lambda x, mean, std: _log_density(x, mean, std**2).sum(),
    ),
    Mistake(
        "square forgotten",
        "the distance from μ is not squared: students above and below the mean cancel each other.",
        lambda x, mean, std: (-0.5 * (x - mean) / std - torch.log(std) - _HALF_LOG_2PI).sum(),
    ),
    Mistake(
        "half forgotten",
        "the squared distance weighs twice what it should: the density's exponent has a factor you left out.",
        lambda x, mean, std: (_log_density(x, mean, std) - 0.5 * ((x - mean) / std) ** 2).sum(),
    ),
    Mistake(
        "/ 2 * std**2",
        "without brackets, … / 2 * std**2 divides by 2 and multiplies by σ²: the wider the bell, the more a distance "
        "would cost.",
        lambda x, mean, std: (-((x - mean) ** 2) / 2 * std**2 - torch.log(std) - _HALF_LOG_2PI).sum(),
    ),
    Mistake(
        "negative log-likelihood",
        "the sign is turned: this is the negative log-likelihood, a loss; ℓ is largest where the fit is best.",
        lambda x, mean, std: -_log_density(x, mean, std).sum(),
    ),
    Mistake(
        "no logarithm",
        "this is the likelihood, a product of densities, without its logarithm: for a large class it is exactly 0.",
        lambda x, mean, std: _log_density(x, mean, std).exp().prod(),
    ),
    Mistake(
        "sum of densities",
        "you added up densities; independent students multiply theirs, and it is the logarithms that add up.",
        lambda x, mean, std: _log_density(x, mean, std).exp().sum(),
    ),
    Mistake(
        "log of the product",
        "for a class of 3,000 your result is -inf: the product of the densities rounds to 0 before you take its log.",
        lambda x, mean, std: _log_density(x, mean, std).exp().prod().log(),
    ),
    Mistake(
        "log of the exponential",
        "one student far from μ makes your result -inf: the exponential rounds to 0 before you take its log.",
        lambda x, mean, std: _log_density(x, mean, std).exp().log().sum(),
    ),
)

log_likelihood = Check(
    "log_likelihood",
    _judge_log_likelihood,
    "the sum of the log densities, as torch.distributions has it, and finite for a student of any height.",
    _LOG_LIKELIHOOD,
)


def _differentiated(function: Answer) -> Answer:
    """The gradient of a mixture's log-likelihood, with weights that go on adding up to 1."""

    @functools.wraps(function)
    def gradient_of(x: Tensor, weights: Tensor, means: Tensor, stds: Tensor) -> Tensor:
        logits, means, stds = leaves = tuple(part.clone().requires_grad_() for part in (weights.log(), means, stds))
        value = call(function, x, logits.softmax(0), means, stds)
        if not isinstance(value, Tensor) or not value.requires_grad:
            raise Wrong(_SAY["no gradient"])
        return flat_gradient(value, leaves, "mixture_log_likelihood")

    return gradient_of


def _judge_mixture(answer: Answer) -> None:
    g, draws = fresh(), []
    for n, k, outliers in ((25, 2, 0), (25, 2, 0), (25, 3, 0), (25, 2, 1), (1, 4, 0)):
        weights = uniform(0.5, 2, k, generator=g)
        means, stds = 110 + 35 * torch.arange(k) + uniform(0, 9, k, generator=g), uniform(2, 9, k, generator=g)
        width = uniform(5, 15, generator=g) if k == 2 else 40  # wide enough for students of each population
        crowd = uniform(110, 180, generator=g) + width * normal(n, generator=g)
        x = torch.cat([crowd, uniform(900, 999, outliers, generator=g)])
        draws.append(in_double((x, weights / weights.sum(), means, stds)))
    compare(
        answer,
        _mixture,
        draws,
        _MIXTURE,
        "for one draw of heights and parameters, ℓ is {expected}, and your function says {got}. "
        "Write down p(x) of one student first, as a sum over the populations.",
        rtol=1e-5,
    )
    text = "the value is right, but its gradient with respect to the parameters is {got} instead of {expected}."
    compare(_differentiated(answer), _differentiated(_mixture), draws[:3], (), text, what="the gradient")


def _mixture(x: Tensor, weights: Tensor, means: Tensor, stds: Tensor) -> Tensor:
    log_p = _components(x, weights, means, stds)  # Categorical would divide the weights by their sum
    largest = log_p.amax(1, keepdim=True).detach()
    return (((log_p - largest).exp() @ weights).log() + largest[:, 0]).sum()


_MIXTURE = (
    Mistake(
        "weighted sum of logs",
        "you averaged the logarithms over the populations; a mixture averages the densities and takes the log then.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds) * weights).sum(),
    ),
    Mistake(
        "sum of logs",
        "you added the log densities of both populations, as if each student came from all of them at once.",
        lambda x, weights, means, stds: _components(x, weights, means, stds).sum(),
    ),
    Mistake(
        "sum of logs and log weights",
        "you added up logarithms over the populations, which multiplies what a mixture adds.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds) + weights.log()).sum(),
    ),
    Mistake(
        "weights forgotten",
        "your result is the same for every choice of the weights.",
        lambda x, weights, means, stds: _components(x, weights, means, stds).logsumexp(1).sum(),
    ),
    Mistake(
        "weights among logs",
        "you added a weight to a logarithm: a factor of the density does not arrive there as it is.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds) + weights).logsumexp(1).sum(),
    ),
    Mistake(
        "averaged over the data",
        "this is ℓ divided by n: you averaged over the students, and ℓ counts every one of them in full.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds) + weights.log()).logsumexp(1).mean(),
    ),
    Mistake(
        "not summed",
        "this is one number per student, and ℓ is one number for the whole class.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds) + weights.log()).logsumexp(1),
    ),
    Mistake(
        "log of the exponential",
        "one student far from both populations makes your result -inf: each exponential rounds to 0 before you take "
        "the log of their sum.",
        lambda x, weights, means, stds: (_components(x, weights, means, stds).exp() @ weights).log().sum(),
    ),
    Mistake(
        "one average Gaussian",
        "this is a single Gaussian with averaged parameters: it is highest between the populations, where nobody is.",
        lambda x, weights, means, stds: _log_density(x, weights @ means, weights @ stds).sum(),
    ),
    Mistake(
        "no gradient",
        "the number is right, but it has lost its graph, and the cell below follows its gradient. Return the tensor: "
        "look for item, float, detach or no_grad.",
        lambda x, weights, means, stds: _mixture(x, weights, means, stds).detach(),
    ),
)
_SAY = {mistake.name: mistake.message for mistake in _MIXTURE}

mixture_log_likelihood = Check(
    "mixture_log_likelihood",
    _judge_mixture,
    "densities are averaged, logarithms are summed, and nobody is too far away to be counted.",
    _MIXTURE,
)
