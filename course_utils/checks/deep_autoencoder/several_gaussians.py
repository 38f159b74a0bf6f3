"""The check of a mixture of Gaussians: its log-density, and draws from it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from course_utils.checks.core import Answer, Check, Mistake, Wrong, among, call, compare, fresh, integer, normal, tensor

__all__ = ["mixture"]

_DRAWS = 20_000
_SPREAD = 500.0  # from the middle to the means of the components that are drawn from; they are up to 4 wide


# The log-density ---------------------------------------------------------------------------------------------------


def _log_density(Z: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    components = MultivariateNormal(means, covariances)
    return MixtureSameFamily(Categorical(weights), components).log_prob(Z)


def _each(Z: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """The log-densities of the components, log N(z; μ_c, Σ_c), shape (n, C)."""
    return MultivariateNormal(means, covariances).log_prob(Z[:, None])


_DENSITY = (
    Mistake(
        "in float32",
        "log_density is −∞ for codes far away: their densities are too small to be computed before the logarithm is"
        " taken. torch.logsumexp adds them up without leaving the logarithms.",
        lambda Z, weights, means, covariances: (weights * _each(Z, means, covariances).exp()).sum(1).log(),
    ),
    Mistake(
        "weights left out",
        "log_density leaves out the weights π_c: add log π_c to the log-density of each component.",
        lambda Z, weights, means, covariances: _each(Z, means, covariances).logsumexp(1),
    ),
    Mistake(
        "the logarithm inside",
        "log_density is Σ π_c log N(z; μ_c, Σ_c), the mean of the logarithms; asked is the logarithm of the mean.",
        lambda Z, weights, means, covariances: (weights * _each(Z, means, covariances)).sum(1),
    ),
    Mistake(
        "the largest",
        "log_density takes only the component that gives most; the others add to the density, too.",
        lambda Z, weights, means, covariances: (weights.log() + _each(Z, means, covariances)).amax(1),
    ),
    Mistake(
        "the sum over the codes",
        "log_density is one number, the sum over all codes; asked is one for each code.",
        lambda Z, weights, means, covariances: (weights.log() + _each(Z, means, covariances)).logsumexp(1).sum(),
    ),
    Mistake(
        "no correlations",
        "log_density takes the variances and leaves out the covariances.",
        lambda Z, weights, means, covariances: (
            weights.log() + _each(Z, means, torch.diag_embed(covariances.diagonal(dim1=1, dim2=2)))
        ).logsumexp(1),
    ),
)


# Draws -------------------------------------------------------------------------------------------------------------


def _draw(number: int, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    return _around(torch.multinomial(weights, number, replacement=True), means, torch.linalg.cholesky(covariances))


def _around(chosen: Tensor, means: Tensor, factors: Tensor) -> Tensor:
    epsilon = torch.randn(len(chosen), means.shape[1]).to(means)
    return means[chosen] + (factors[chosen] @ epsilon[:, :, None])[:, :, 0]


_DRAW = (
    Mistake(
        "equal weights",
        "draw_mixture chooses all components equally often; component c is to be chosen with probability π_c.",
        lambda number, weights, means, covariances: _draw(number, torch.ones_like(weights), means, covariances),
    ),
    Mistake(
        "one component",
        "draw_mixture draws all codes from one component: choose one anew for each code.",
        lambda number, weights, means, covariances: _around(
            torch.zeros(number).long(), means, torch.linalg.cholesky(covariances)
        ),
    ),
    Mistake(
        "blended",
        "draw_mixture adds up one draw of each component, with the weights as factors. All of that is one Gaussian in"
        " the middle: choose a component first, and draw from it alone.",
        lambda number, weights, means, covariances: sum(
            weight * _draw(number, torch.ones(1), mean[None], covariance[None])
            for weight, mean, covariance in zip(weights, means, covariances, strict=True)
        ),
    ),
    Mistake(
        "no noise",
        "draw_mixture returns the means of the components; draw from the Gaussians around them.",
        lambda number, weights, means, covariances: means[torch.multinomial(weights, number, replacement=True)],
    ),
    Mistake(
        "covariance as factor",
        "draw_mixture multiplies the noise by Σ_c, so that the covariance is Σ_c². Which matrix L has L Lᵀ = Σ_c?",
        lambda number, weights, means, covariances: _around(
            torch.multinomial(weights, number, replacement=True), means, covariances
        ),
    ),
    Mistake(
        "standard noise",
        "draw_mixture adds standard normal noise to each mean; the covariances Σ_c play no part.",
        lambda number, weights, means, covariances: _around(
            torch.multinomial(weights, number, replacement=True),
            means,
            torch.eye(means.shape[1]).expand_as(covariances),
        ),
    ),
)


def _parameters(generator: torch.Generator, spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (3,), means (3, k) in different directions, and covariances (3, k, k) with strong correlations."""
    k = integer(2, 3, generator)
    angles = 2 * math.pi * (torch.arange(3) / 3 + torch.rand(1, generator=generator))
    means = torch.stack([angles.cos(), angles.sin(), 0.3 * angles.sin()], dim=1)[:, :k] * spread + 5
    A = torch.eye(k) + 0.9 * torch.ones(k, k).tril(-1) * torch.tensor([1.0, -1.0, 1.0])[:, None, None]
    covariances = A @ A.mT * torch.tensor([0.7, 1.5, 2.5])[:, None, None]
    weights = torch.tensor([0.2, 0.3, 0.5])[torch.randperm(3, generator=generator)]
    return weights, means, covariances


def _is(covariance: Tensor, wanted: Tensor, number: int) -> bool:
    variances = wanted.diagonal()
    errors = ((variances.outer(variances) + wanted.square()) / number).sqrt()
    return bool(((covariance - wanted).abs() < 6 * errors).all())


def _judge_draws(draw_mixture: Answer) -> None:
    messages = {mistake.name: mistake.message for mistake in _DRAW}
    parameters = _parameters(fresh(), _SPREAD)
    weights, means, covariances = (value.double() for value in parameters)
    shape = (_DRAWS, means.shape[1])
    samples, again = (tensor(call(draw_mixture, _DRAWS, *parameters), shape, "the draws").double() for _ in range(2))
    distances = torch.cdist(samples, means)
    nearest = distances.argmin(1)
    if (distances.amin(1) > 0.4 * _SPREAD).any():
        in_the_middle = (samples - weights @ means).norm(dim=1).max() < 0.3 * _SPREAD
        raise Wrong(messages["blended"] if in_the_middle else "draw_mixture draws codes where no component is.")
    if (distances.amin(1) < 1e-4).all():
        raise Wrong(messages["no noise"])
    if torch.equal(samples, again) or len(samples.unique(dim=0)) < 0.99 * _DRAWS:
        raise Wrong("draw_mixture repeats itself: every code, and every call, is a draw of its own.")

    # 6 standard errors are never reached by chance
    shares = nearest.bincount(minlength=3) / _DRAWS
    if (shares == 1).any():
        raise Wrong(messages["one component"])
    if ((shares - weights).abs() > 6 * (weights * (1 - weights) / _DRAWS).sqrt()).any():
        equal = ((shares - 1 / 3).abs() < 6 * (2 / 9 / _DRAWS) ** 0.5).all()
        raise Wrong(
            messages["equal weights"] if equal else "draw_mixture does not choose component c with probability π_c."
        )
    _judge_components([samples[nearest == c] - means[c] for c in range(3)], covariances, messages)


def _judge_components(deviations: list[Tensor], covariances: Tensor, messages: dict[str, str]) -> None:
    """The draws of each component, as deviations from its mean."""
    found = [(torch.cov(deviation.T), len(deviation)) for deviation in deviations]
    wanted = {
        "covariance as factor": covariances @ covariances,
        "standard noise": torch.eye(len(covariances[0])).to(covariances).expand_as(covariances),
    }
    if not all(_is(cov, right, n) for (cov, n), right in zip(found, covariances, strict=True)):
        for name, others in wanted.items():
            if all(_is(cov, other, n) for (cov, n), other in zip(found, others, strict=True)):
                raise Wrong(messages[name])
        raise Wrong("the draws of a component do not have its covariance Σ_c.")
    for deviation, covariance in zip(deviations, covariances, strict=True):
        errors = (covariance.diagonal() / len(deviation)).sqrt()
        if (deviation.mean(0).abs() > 6 * errors).any():
            raise Wrong("the draws of a component do not have its mean μ_c.")
        kurtosis = (deviation / deviation.std(0)).pow(4).mean(0)
        if (kurtosis - 3).abs().max() > 0.8:
            raise Wrong("the draws of a component have its mean and covariance, but they are not normal.")


def _judge_mixture(log_density: Answer, draw_mixture: Answer) -> None:
    generator, cases = fresh(), []
    for reach in (1.0, 3.0, 60.0):  # the last are so far away that float32 has no density for them
        parameters = _parameters(generator, 2.0)
        cases.append(
            (5 + reach * normal(integer(6, 9, generator), parameters[1].shape[1], generator=generator), *parameters)
        )
    text = "log_density gives {got}; the logarithms of the mixture's density are {expected}."
    compare(log_density, _log_density, cases, _DENSITY, text, what="the log-densities")
    _judge_draws(draw_mixture)


_RIGHT = (_log_density, _draw)

mixture = Check(
    "log_density or draw_mixture",
    _judge_mixture,
    "the density adds up its components, and the draws have their weights, means and covariances.",
    among(_RIGHT, 0, _DENSITY) + among(_RIGHT, 1, _DRAW),
)
