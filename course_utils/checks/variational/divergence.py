"""The check of the divergence of a diagonal Gaussian from the prior, worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, allclose, zeros
from torch.distributions import Normal, kl_divergence

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    compare,
    differentiated,
    fresh,
    in_double,
    integer,
    normal,
    uniform,
)

__all__ = ["gaussian_kl"]


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Means and log-variances (N, k) of q for N images; N and k differ."""
    N, k = integer(9, 13, generator), integer(3, 6, generator)
    return normal(N, k, generator=generator), uniform(-3, 2, N, k, generator=generator)


def _near_the_prior() -> tuple[Tensor, Tensor]:
    """Sixty images whose q is almost N(0, I): of one-sample estimates, about half are negative."""
    return torch.full((60, 4), 0.1), torch.full((60, 4), 0.1)


def _posterior(mean: Tensor, log_var: Tensor) -> Normal:
    return Normal(mean, (log_var / 2).exp())


def _by_distributions(mean: Tensor, log_var: Tensor) -> Tensor:
    """The same by the library's own divergence, (N,)."""
    return kl_divergence(_posterior(mean, log_var), Normal(torch.zeros_like(mean), 1.0)).sum(1)


def _terms(mean: Tensor, log_var: Tensor) -> Tensor:
    """The divergence of each dimension, (N, k)."""
    return (log_var.exp() + mean.square() - 1 - log_var) / 2


def _drawn(mean: Tensor, log_var: Tensor) -> Tensor:
    """An estimate from one draw of each q: log q(z) − log p(z), (N,)."""
    q = _posterior(mean, log_var)
    z = q.rsample()
    return (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1)


_FROM_DRAWS = (
    Mistake(
        "clamped Monte Carlo",
        "this is an estimate from draws, with what is below 0 cut off. The divergence is never negative, but an "
        "estimate of it may be: cutting off one side makes the mean too large. Work the integral out instead.",
        lambda mean, log_var: _drawn(mean, log_var).clamp(min=0),
    ),
    Mistake(
        "Monte Carlo",
        "two calls with the same μ and σ give different numbers, so this is an estimate from draws. Between two "
        "Gaussians the integral can be worked out exactly.",
        _drawn,
    ),
)
_DETACHED = (
    Mistake(
        "mean detached",
        "the value is right, but no gradient passes to the means: training could not move them.",
        lambda mean, log_var: _terms(mean.detach(), log_var).sum(1),
    ),
    Mistake(
        "log_var detached",
        "the value is right, but no gradient passes to the log-variances: training could not change them.",
        lambda mean, log_var: _terms(mean, log_var.detach()).sum(1),
    ),
)
_KL = (
    Mistake(
        "averaged over the latents",
        "the divergence is averaged over the latent dimensions. They are independent, so their divergences add up.",
        lambda mean, log_var: _terms(mean, log_var).mean(1),
    ),
    Mistake(
        "one number",
        "this is one number for the batch; asked is one for each image, (N,).",
        lambda mean, log_var: _terms(mean, log_var).sum(1).mean(),
    ),
    Mistake(
        "summed over the batch",
        "this is one number, summed over the batch; asked is one for each image, (N,).",
        lambda mean, log_var: _terms(mean, log_var).sum(),
    ),
    Mistake(
        "one for each dimension",
        "this holds one number for each image and dimension. The dimensions are independent: add them up.",
        _terms,
    ),
    Mistake(
        "half missing",
        "the ½ in front is missing; it comes from the exponent of the Gaussian.",
        lambda mean, log_var: 2 * _terms(mean, log_var).sum(1),
    ),
    Mistake(
        "sign",
        "the sign is turned: a divergence is 0 or more, and this is 0 or less.",
        lambda mean, log_var: -_terms(mean, log_var).sum(1),
    ),
    Mistake(
        "the other way round",
        "this is KL(p‖q), with the prior in front. Asked is KL(q‖p): the mean is taken under q.",
        lambda mean, log_var: ((1 + mean.square()) * (-log_var).exp() - 1 + log_var).sum(1) / 2,
    ),
    Mistake(
        "log σ",
        "log_var is read as log σ here. It is the logarithm of the variance, log σ².",
        lambda mean, log_var: _terms(mean, 2 * log_var).sum(1),
    ),
    Mistake(
        "σ",
        "log_var is read as the standard deviation σ itself, and is squared. It is log σ².",
        lambda mean, log_var: _terms(mean, log_var.square().log()).sum(1),
    ),
    Mistake(
        "σ²",
        "log_var is read as the variance σ² itself. It is the logarithm of it.",
        lambda mean, log_var: _terms(mean, log_var.log()).sum(1),
    ),
    Mistake(
        "σ for σ²",
        "the formula asks for the variance σ², and exp(log_var / 2) is the standard deviation σ.",
        lambda mean, log_var: (_terms(mean, log_var) + ((log_var / 2).exp() - log_var.exp()) / 2).sum(1),
    ),
    Mistake(
        "mean not squared",
        "the mean stands in the formula as its square: a code left of 0 is as far from the prior as one right of it.",
        lambda mean, log_var: (_terms(mean, log_var) + (mean - mean.square()) / 2).sum(1),
    ),
    Mistake(
        "one forgotten",
        "the −1 is missing: where q is the prior itself, the divergence has to be 0.",
        lambda mean, log_var: (_terms(mean, log_var) + 0.5).sum(1),
    ),
    Mistake(
        "log_var added",
        "log σ² stands in the formula with a minus: a narrow q is far from the prior, and this calls it near.",
        lambda mean, log_var: (_terms(mean, log_var) + log_var).sum(1),
    ),
    Mistake(
        "log_var through a ReLU",
        "log-variances below 0 are cut off at 0. They are what a narrow q has; a ReLU has no place on a logarithm.",
        lambda mean, log_var: _terms(mean, log_var.relu()).sum(1),
    ),
)


def _refuse_draws(answer: Answer) -> None:
    """Raise :class:`Wrong` if two calls with the same arguments differ."""
    first, second = (call(answer, *_near_the_prior()) for _ in range(2))
    if not isinstance(first, Tensor) or not isinstance(second, Tensor) or first.shape != second.shape:
        return
    if not allclose(first.double(), second.double(), equal_nan=True):
        clamped = bool((first == 0).any()) and bool((first >= 0).all())
        raise Wrong(_FROM_DRAWS[0 if clamped else 1].message)


def _judge(answer: Answer) -> None:
    _refuse_draws(answer)
    generator = fresh()
    draws = [_draw(generator) for _ in range(4)]
    draws[3:] = in_double(draws[3:])  # the notebook has both
    draws += [(zeros(2, 3), zeros(2, 3)), (zeros(1, 2), torch.full((1, 2), -20.0))]  # the prior, and almost no width
    text = "the divergence is {got}, and torch.distributions finds {expected}."
    compare(answer, _by_distributions, draws, _KL, text, what="the divergence")
    for position, mistake in enumerate(_DETACHED):
        gradient, expected = (differentiated(f, position, mistake.message) for f in (answer, _by_distributions))
        text = "the value is right, but its gradient is not: {got} instead of {expected}."
        compare(gradient, expected, draws, (), text, what="its gradient")


gaussian_kl = Check(
    "gaussian_kl",
    _judge,
    "torch.distributions finds the same divergence for every image, and the gradients agree.",
    _KL + _FROM_DRAWS + _DETACHED,
)
