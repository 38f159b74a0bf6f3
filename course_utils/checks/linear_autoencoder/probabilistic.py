"""Check: the density of probabilistic PCA."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal
from torch.linalg import qr

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["density"]

_LOG_2PI = math.log(2 * math.pi)


def _reference(X: Tensor, mean: Tensor, U: Tensor, variances: Tensor, k: int) -> Tensor:
    """N(μ, V Vᵀ + σ² I) with the V and the σ² of Tipping and Bishop, by way of the whole covariance."""
    noise = variances[k:].mean()
    V = U[:, :k] * (variances[:k] - noise).sqrt()
    return MultivariateNormal(mean, V @ V.T + noise * torch.eye(len(mean), dtype=mean.dtype)).log_prob(X)


def _terms(X: Tensor, mean: Tensor, U: Tensor, model: Tensor) -> tuple[Tensor, Tensor]:
    """What each image has of squares over variances, (n,), and the sum of the logarithms of the variances."""
    return ((X - mean) @ U).square() @ (1 / model), model.log().sum()


def _spread(variances: Tensor, k: int, noise: Tensor | float) -> Tensor:
    model = variances.clone()
    model[k:] = noise
    return model


def _log_density(X: Tensor, mean: Tensor, U: Tensor, model: Tensor) -> Tensor:
    squares, logs = _terms(X, mean, U, model)
    return -0.5 * (squares + logs + len(mean) * _LOG_2PI)


def _kept_only(X: Tensor, mean: Tensor, U: Tensor, variances: Tensor, k: int) -> Tensor:
    squares, logs = _terms(X, mean, U[:, :k], variances[:k])
    return -0.5 * (squares + logs + k * _LOG_2PI)


def _half_the_logs(variances: Tensor, k: int) -> Tensor:
    """What the logarithms of the model's variances take from the log-density."""
    return 0.5 * _spread(variances, k, variances[k:].mean()).log().sum()


_DENSITY = (
    Mistake(
        "kept components only",
        "only the k kept components count. The model is a density in all d_x directions: the others have variance σ².",
        _kept_only,
    ),
    Mistake(
        "no noise",
        "the components that are left out keep variances of their own. In the model they share one, their mean σ².",
        lambda X, mean, U, variances, k: _log_density(X, mean, U, variances),
    ),
    Mistake(
        "mean of all",
        "σ² is the mean of all variances; it is the mean of those that are left out.",
        lambda X, mean, U, variances, k: _log_density(X, mean, U, _spread(variances, k, variances.mean())),
    ),
    Mistake(
        "sum of the rest",
        "σ² is the sum of the variances that are left out; the directions share it, so it is their mean.",
        lambda X, mean, U, variances, k: _log_density(X, mean, U, _spread(variances, k, variances[k:].sum())),
    ),
    Mistake(
        "constant lost",
        "this is too large by ½ log 2π for each direction: the factor in front of the exponential left no term.",
        lambda X, mean, U, variances, k: _reference(X, mean, U, variances, k) + 0.5 * len(mean) * _LOG_2PI,
    ),
    Mistake(
        "logarithms lost",
        "the heights of the bells are missing: −½ log of its variance for each direction.",
        lambda X, mean, U, variances, k: _reference(X, mean, U, variances, k) + _half_the_logs(variances, k),
    ),
    Mistake(
        "logarithms not halved",
        "log of a variance is counted in full. The height of a bell is 1/σ, so log σ² counts by half.",
        lambda X, mean, U, variances, k: _reference(X, mean, U, variances, k) - _half_the_logs(variances, k),
    ),
    Mistake(
        "mean kept",
        "the mean is not taken away before the images are projected.",
        lambda X, mean, U, variances, k: _reference(X + mean, mean, U, variances, k),
    ),
    Mistake(
        "added up",
        "this is one number; asked is the log-density of each image, (n,).",
        lambda X, mean, U, variances, k: _reference(X, mean, U, variances, k).sum(),
    ),
)


def _judge_density(answer: Answer) -> None:
    generator, draws = fresh(), []
    for n in (1, 5, 40):
        d, k = integer(6, 9, generator), integer(1, 4, generator)
        U = qr(normal(d, d, generator=generator, dtype=torch.float64)).Q
        variances = uniform(0.3, 4, d, generator=generator, dtype=torch.float64).sort(descending=True).values
        mean = 3 * normal(d, generator=generator, dtype=torch.float64)
        X = mean + normal(n, d, generator=generator, dtype=torch.float64) * variances.sqrt() @ U.T
        draws.append((X, mean, U, variances, k))
    compare(
        answer,
        _reference,
        in_double(draws),
        _DENSITY,
        "the log-density of the images is {expected}, and your function says {got}.",
        what="the log-density",
        rtol=1e-5,
    )


density = Check(
    "log_density",
    _judge_density,
    "a sum of one-dimensional Gaussians along the components is the Gaussian N(μ, V Vᵀ + σ² I).",
    _DENSITY,
)
