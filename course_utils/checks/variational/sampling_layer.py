"""The check of the sampling layer: its noise, its scale, and the gradient through it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, equal

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, close, fresh, normal, tensor, uniform

__all__ = ["sample_code"]

_N, _K = 4_000, 6


def _std(log_var: Tensor) -> Tensor:
    return (log_var / 2).exp()


def _with_scale(scale: Callable[[Tensor], Tensor]) -> Answer:
    """The sampling layer with another standard deviation."""
    return lambda mean, log_var: mean + scale(log_var) * torch.randn_like(mean)


def _with_noise(noise: Callable[[Tensor], Tensor]) -> Answer:
    """The sampling layer with other noise in place of ε."""
    return lambda mean, log_var: mean + _std(log_var) * noise(mean)


def _seeded(mean: Tensor) -> Tensor:
    return torch.randn(mean.shape, generator=torch.Generator().manual_seed(0)).to(mean)


_SCALES = {
    "without the half": (
        "exp(log_var) is the variance. The noise is multiplied by the standard deviation, its root: where is the half?",
        torch.exp,
    ),
    "log_var as σ": ("the noise is multiplied by log_var itself. That is log σ², and asked is σ.", torch.abs),
    "the other sign": (
        "the noise is the larger the smaller σ is: a sign in the exponent is turned.",
        lambda v: _std(-v),
    ),
    "root of log_var": (
        "the root is taken of log_var itself. First undo the logarithm, then take the root.",
        lambda v: v.abs().sqrt(),
    ),
    "no scale": ("the noise has standard deviation 1 whatever log_var is: σ is missing.", torch.ones_like),
    "log_var through a ReLU": (
        "σ is never below 1: log-variances below 0 are cut off. A code that is known well needs a small σ.",
        lambda v: _std(v.relu()),
    ),
}
_SCALED = tuple(Mistake(name, message, _with_scale(scale)) for name, (message, scale) in _SCALES.items())
_NOISE = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "no noise",
            "this returns the mean. A code is drawn: where is ε?",
            lambda mean, log_var: mean + 0 * log_var,
        ),
        Mistake(
            "mean forgotten",
            "the draws lie around 0, whatever the mean is.",
            lambda mean, log_var: 0 * mean + _std(log_var) * torch.randn_like(mean),
        ),
        Mistake(
            "the same each time",
            "two calls return the same codes. A training that sees the same ε at every step can learn it by heart.",
            _with_noise(_seeded),
        ),
        Mistake(
            "the same for every image",
            "all images get the same ε. Each code has noise of its own: which shape does ε need?",
            _with_noise(lambda mean: torch.randn_like(mean[:1])),
        ),
        Mistake(
            "the same for every dimension",
            "the dimensions of a code get the same ε, so that they go together. Under q they are independent.",
            _with_noise(lambda mean: torch.randn_like(mean[:, :1])),
        ),
        Mistake(
            "uniform",
            "ε lies between 0 and 1: these are uniform random numbers. Asked are standard normal ones, with mean 0.",
            _with_noise(torch.rand_like),
        ),
        Mistake(
            "uniform of variance 1",
            "mean and variance are right, but the noise is not normal: it stays within a bound, or strays too far.",
            _with_noise(lambda mean: 12**0.5 * (torch.rand_like(mean) - 0.5)),
        ),
    )
}
_GRADIENT = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "all detached",
            "the draws are right, but no gradient passes through them, so no encoder could be trained. Draw ε, which "
            "needs no gradient, and compute z from it.",
            lambda mean, log_var: torch.normal(mean, _std(log_var)).detach(),
        ),
        Mistake(
            "mean detached",
            "the draws are right, but no gradient passes to the mean.",
            lambda mean, log_var: mean.detach() + _std(log_var) * torch.randn_like(mean),
        ),
        Mistake(
            "log_var detached",
            "the draws are right, but no gradient passes to log_var: training could not change the width of q.",
            lambda mean, log_var: mean + _std(log_var.detach()) * torch.randn_like(mean),
        ),
    )
}


def _judge_scale(noise: Tensor, log_var: Tensor) -> None:
    """The standard deviation of each column (_N draws of one q) against σ, and against scales known by name."""
    measured = noise.std(0)

    def fits(expected: Tensor) -> bool:
        return bool(((measured / expected - 1).abs() < 0.1).all())  # nine standard errors

    if fits(_std(log_var)):
        return
    for mistake in _SCALED:
        if fits(_SCALES[mistake.name][1](log_var)):
            raise Wrong(mistake.message)
    i = int((measured / _std(log_var)).log().abs().argmax())
    text = f"where log_var is {log_var[i]:.2f}, the draws have a standard deviation of {measured[i]:.3g}; "
    raise Wrong(text + f"σ is {_std(log_var)[i]:.3g} there.")


def _judge_one_posterior(answer: Answer, generator: torch.Generator) -> None:
    """Many draws of one q: where they lie, how wide, how shaped, and whether they are independent."""
    mean = 2 + uniform(0, 1, _K, generator=generator)
    log_var = torch.tensor([-3.0, -2.0, -1.0, -0.4, 1.0, 2.0]) + uniform(-0.2, 0.2, _K, generator=generator)
    rows = mean.expand(_N, -1), log_var.expand(_N, -1)
    first, second = (tensor(call(answer, *rows), (_N, _K), "the code").cpu() for _ in range(2))
    if close(first, rows[0]):
        raise Wrong(_NOISE["no noise"].message)
    if equal(first, second):
        raise Wrong(_NOISE["the same each time"].message)
    if (first.std(0) < 1e-6).all():
        raise Wrong(_NOISE["the same for every image"].message)
    noise = first - mean
    epsilon = noise / _std(log_var)
    if epsilon.min() > -1e-3 and epsilon.max() < 1 + 1e-3:  # ε is taken out of rounded codes
        raise Wrong(_NOISE["uniform"].message)
    off = _N**0.5 * noise.mean(0) / first.std(0)  # standard normal for independent draws
    if off.abs().max() > 7:
        away = _N**0.5 * first.mean(0) / first.std(0)
        lie = f"the draws have a mean of {first.mean(0)[off.abs().argmax()]:.3g} where the mean of q is"
        around_0 = away.abs().max() < 7
        raise Wrong(_NOISE["mean forgotten"].message if around_0 else f"{lie} {mean[off.abs().argmax()]:.3g}.")
    _judge_scale(noise, log_var)
    together = epsilon.T.corrcoef() - torch.eye(_K)
    if together.abs().max() > 0.15:
        raise Wrong(_NOISE["the same for every dimension"].message)
    kurtosis = epsilon.pow(4).mean() / epsilon.square().mean().square()
    if abs(kurtosis - 3) > 0.5:
        raise Wrong(_NOISE["uniform of variance 1"].message)
    across = torch.stack([epsilon.flatten(), ((second - mean) / _std(log_var)).flatten()]).corrcoef()[0, 1]
    if abs(across) > 0.1:
        raise Wrong("the noise of two calls goes together, or against each other.")
    neighbours = (epsilon[0::2] * epsilon[1::2]).mean()
    halves = (epsilon[: _N // 2] * epsilon[_N // 2 :]).mean()
    if max(abs(neighbours), abs(halves)) > 0.1:
        raise Wrong("the noise of two images goes together, or against each other.")


def _judge_many_posteriors(answer: Answer, generator: torch.Generator) -> None:
    """Every image has a q of its own, and a gradient passes to both of its parameters."""
    mean = 3 * normal(_N, _K, generator=generator, dtype=torch.float64)
    log_var = uniform(-4, 2, _N, _K, generator=generator, dtype=torch.float64)
    leaves = mean.clone().requires_grad_(), log_var.clone().requires_grad_()
    z = call(answer, *leaves)
    values = tensor(z, (_N, _K), "the code")
    epsilon = (values.cpu().double() - mean) / _std(log_var)
    for part in (epsilon[log_var < -1], epsilon[log_var >= -1]):
        if abs(part.mean()) > 0.1 or abs(part.var() - 1) > 0.15:
            raise Wrong("each image and dimension has a μ and a σ of its own, and here draws do not belong to theirs.")
    if not z.requires_grad:
        raise Wrong(_GRADIENT["all detached"].message)
    weights = normal(_N, _K, generator=generator, dtype=torch.float64)
    found = torch.autograd.grad((z * weights).sum(), leaves, allow_unused=True)
    expected = weights, weights * (values - mean) / 2
    for name, got, wanted in zip(("mean", "log_var"), found, expected, strict=True):
        if got is None or not got.any():
            raise Wrong(_GRADIENT[f"{name} detached"].message)
        if not close(got, wanted, rtol=1e-3, atol=1e-4):
            raise Wrong(f"the draws are right, but the gradient that passes to {name} is not.")


def _judge(answer: Answer) -> None:
    generator = fresh()
    _judge_one_posterior(answer, generator)
    _judge_many_posteriors(answer, generator)


sample_code = Check(
    "sample_code",
    _judge,
    "the draws have the mean, the width and the shape of q, and gradients pass to both of its parameters.",
    _SCALED + tuple(_NOISE.values()) + tuple(_GRADIENT.values()),
)
