"""The check of the best denoiser of a finite set and of the score."""

from __future__ import annotations

import torch
from torch import Tensor

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
    tensor,
    uniform,
)

__all__ = ["score"]


class _Cloud:
    """A training set, smoothed by noise: p_σ, the density of x̃ when x is one of the rows of X; x̃ ↦ E[x | x̃]."""

    def __init__(self, X: Tensor, std: float) -> None:
        self.X, self.std = X, std

    def log_density(self, x_noisy: Tensor) -> Tensor:
        squares = (x_noisy[:, None] - self.X.to(x_noisy)).square().sum(2)
        return (-squares / (2 * self.std**2)).logsumexp(1)  # up to a constant

    @torch.inference_mode(False)  # also where the answer has turned autograd off
    @torch.enable_grad()
    def gradient(self, x_noisy: Tensor) -> Tensor:
        x_noisy = x_noisy.detach().clone().requires_grad_()
        return torch.autograd.grad(self.log_density(x_noisy).sum(), x_noisy)[0]

    def __call__(self, x_noisy: Tensor) -> Tensor:
        return x_noisy + self.std**2 * self.gradient(x_noisy)


def _posterior_mean(x_noisy: Tensor, X: Tensor, std: float) -> Tensor:
    """By another road: the gradient of the logarithm of the smoothed density (Tweedie's formula)."""
    return _Cloud(X, std)(x_noisy)


def _score(denoiser: Answer, x_noisy: Tensor, std: float) -> Tensor:
    """Autograd's gradient, where the denoiser is a cloud's; its formula for any other."""
    if isinstance(denoiser, _Cloud):
        return denoiser.gradient(x_noisy)
    return (denoiser(x_noisy) - x_noisy) / std**2


def _squares(x_noisy: Tensor, X: Tensor) -> Tensor:
    return (x_noisy[:, None] - X).square().sum(2)  # (n, n_train)


def _naive(x_noisy: Tensor, X: Tensor, std: float) -> Tensor:
    weights = (-_squares(x_noisy, X) / (2 * std**2)).exp()
    return weights / weights.sum(1, keepdim=True) @ X


_POSTERIOR = (
    Mistake(
        "σ for σ²",
        "posterior_mean divides the squared distances by 2σ. In the exponent of a Gaussian stands its variance.",
        lambda x, X, std: (-_squares(x, X) / (2 * std)).softmax(1) @ X,
    ),
    Mistake(
        "no 2",
        "posterior_mean divides the squared distances by σ²: a factor is missing in the exponent.",
        lambda x, X, std: (-_squares(x, X) / std**2).softmax(1) @ X,
    ),
    Mistake(
        "distance not squared",
        "posterior_mean takes the distances as they are; in the exponent of a Gaussian they are squared.",
        lambda x, X, std: (-_squares(x, X).sqrt() / (2 * std**2)).softmax(1) @ X,
    ),
    Mistake(
        "mean over pixels",
        "posterior_mean averages the squares over the pixels; a squared distance is their sum.",
        lambda x, X, std: (-_squares(x, X) / X.shape[1] / (2 * std**2)).softmax(1) @ X,
    ),
    Mistake(
        "farthest first",
        "posterior_mean gives the most weight to the images that are farthest away: a sign.",
        lambda x, X, std: (_squares(x, X) / (2 * std**2)).softmax(1) @ X,
    ),
    Mistake(
        "over the noisy images",
        "the weights add up to 1 over the noisy images; for each noisy image they should over the training images.",
        lambda x, X, std: (-_squares(x, X) / (2 * std**2)).softmax(0) @ X,
    ),
    Mistake(
        "not divided",
        "the weights do not add up to 1: likelihoods become probabilities when they are divided by their sum.",
        lambda x, X, std: (-_squares(x, X) / (2 * std**2)).exp() @ X,
    ),
    Mistake(
        "the nearest alone",
        "posterior_mean answers with the nearest training image. That is the likeliest one; asked is the mean.",
        lambda x, X, std: X[_squares(x, X).argmin(1)],
    ),
    Mistake(
        "underflow",
        "in 784 dimensions posterior_mean gives nan: every exponential is rounded to 0, and 0 / 0 is nothing. "
        "Which function of torch divides exponentials by their sum and keeps them from vanishing?",
        _naive,
    ),
)
_SCORE = (
    Mistake(
        "sign",
        "score points away from the data: from the noisy point to the clean one is the way up.",
        lambda r, x, std: (x - r(x)) / std**2,
    ),
    Mistake(
        "σ for σ²",
        "score divides by σ. Look at the units: a gradient of a logarithm is one over a length.",
        lambda r, x, std: (r(x) - x) / std,
    ),
    Mistake(
        "not divided",
        "score is the arrow itself, a length; a gradient of a logarithm is one over a length. What has to divide it?",
        lambda r, x, std: r(x) - x,
    ),
    Mistake(
        "multiplied",
        "score multiplies by σ². The less noise, the steeper is the density: should a small σ make the score small?",
        lambda r, x, std: (r(x) - x) * std**2,
    ),
    Mistake(
        "at the denoised point",
        "score measures at the point that is denoised already; asked is the gradient at the noisy point.",
        lambda r, x, std: (r(r(x)) - r(x)) / std**2,
    ),
    Mistake(
        "no arrow",
        "score does not take the noisy point away: it is the arrow from x̃ to r(x̃) that matters, not where it ends.",
        lambda r, x, std: r(x) / std**2,
    ),
)


def _draw(generator: torch.Generator, low: float) -> tuple[Tensor, Tensor, float]:
    n, d = integer(4, 7, generator), integer(3, 6, generator)
    X = normal(integer(8, 12, generator), d, generator=generator) + normal(d, generator=generator)
    return X[:n] + normal(n, d, generator=generator), X, low + 0.2 * float(torch.rand((), generator=generator))


def _judge(posterior_mean: Answer, score: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, low) for low in (0.6, 1.3, 1.6)]  # away from 1, where σ and σ² are hard to tell apart
    close_by = [(x / 300, X / 300, std / 300) for x, X, std in draws[:1]]  # little noise, long arrows
    text = "posterior_mean gives {got}, and the gradient of the smoothed density says {expected}."
    compare(
        posterior_mean, _posterior_mean, draws + close_by, _POSTERIOR[:-1], text, what="what posterior_mean returns"
    )
    for std in (0.3, 0.05):
        X = uniform(0, 1, 20, 784, generator=generator)
        x_noisy = X[:5] + std * normal(5, 784, generator=generator)
        x_noisy[4] += 5 * (X[4] - X.mean(0))  # farther out than the others
        value = call(posterior_mean, x_noisy, X, std)
        if isinstance(value, Tensor) and value.isnan().any():
            raise Wrong(_POSTERIOR[-1].message)
        if not close(tensor(value, (5, 784), "what posterior_mean returns"), X[:5], atol=1e-2):
            raise Wrong("with little noise in 784 dimensions, posterior_mean does not find the image under the noise.")
    one = [(x, X[:1], std) for x, X, std in draws]
    compare(posterior_mean, lambda x, X, std: X.expand_as(x), one, (), text, what="what posterior_mean returns")
    points = [(_Cloud(X, std), x, std) for x, X, std in draws + close_by]
    text = "score is {got}, and autograd's gradient of the logarithm of the smoothed density {expected}."
    compare(score, _score, points, _SCORE, text, what="the score")
    text = "score is {got} for a denoiser that answers with half of what it sees, and should be {expected}."
    compare(score, _score, [(lambda x: x / 2, x, std) for x, _, std in draws], _SCORE, text, what="the score")


score = Check(
    "posterior_mean or score",
    _judge,
    "autograd, on the logarithm of the smoothed density, finds the same arrows.",
    among((_posterior_mean, _score), 0, _POSTERIOR) + among((_posterior_mean, _score), 1, _SCORE),
)
