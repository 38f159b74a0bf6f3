"""The check of what lies between codes: interpolation, and a Gaussian to draw codes from."""

from __future__ import annotations

import torch
from torch import Tensor, equal, nn

from course_utils.checks.core import Answer, Check, Mistake, Wrong, among, call, compare, fresh, integer, normal, tensor

__all__ = ["codes"]


# Interpolation -----------------------------------------------------------------------------------------------------


def _interpolate(encode: Answer, decode: Answer, x_a: Tensor, x_b: Tensor, steps: int) -> Tensor:
    z_a, z_b = encode(x_a[None])[0], encode(x_b[None])[0]
    return torch.stack([decode((z_a + (z_b - z_a) * i / (steps - 1))[None])[0] for i in range(steps)])


def _at(encode: Answer, decode: Answer, x_a: Tensor, x_b: Tensor, t: Tensor) -> Tensor:
    t = t.to(x_a)[:, None]
    return decode((1 - t) * encode(x_a[None]) + t * encode(x_b[None]))


def _mix(x_a: Tensor, x_b: Tensor, steps: int) -> Tensor:
    t = torch.linspace(0, 1, steps).to(x_a)[:, None]
    return (1 - t) * x_a + t * x_b


_INTERPOLATE = (
    Mistake(
        "in pixels",
        "interpolate mixes the images themselves: one fades into the other. Mix their codes, and decode the mixtures.",
        lambda encode, decode, x_a, x_b, steps: _mix(x_a, x_b, steps),
    ),
    Mistake(
        "mixed too early",
        "interpolate mixes the images and sends the mixtures through the autoencoder. Encode first, then mix.",
        lambda encode, decode, x_a, x_b, steps: decode(encode(_mix(x_a, x_b, steps))),
    ),
    Mistake(
        "not decoded",
        "interpolate returns the mixed codes; asked are the images that they stand for.",
        lambda encode, decode, x_a, x_b, steps: _mix(encode(x_a[None]), encode(x_b[None]), steps),
    ),
    Mistake(
        "backwards",
        "interpolate walks from b to a: the first image should be the reconstruction of x_a.",
        lambda encode, decode, x_a, x_b, steps: _at(encode, decode, x_a, x_b, torch.linspace(1, 0, steps)),
    ),
    Mistake(
        "last step missing",
        "interpolate starts at x_a but stops one step short of x_b: both ends belong to the walk.",
        lambda encode, decode, x_a, x_b, steps: _at(encode, decode, x_a, x_b, torch.arange(steps) / steps),
    ),
    Mistake(
        "ends missing",
        "interpolate leaves out both ends of the walk, the reconstructions of x_a and of x_b.",
        lambda encode, decode, x_a, x_b, steps: _at(encode, decode, x_a, x_b, torch.linspace(0, 1, steps + 2)[1:-1]),
    ),
)


# A Gaussian over the codes -----------------------------------------------------------------------------------------


def _noise(Z: Tensor, number: int) -> Tensor:
    return torch.randn(number, Z.shape[1], dtype=Z.dtype, device=Z.device)


def _factor(Z: Tensor) -> Tensor:
    return torch.linalg.cholesky(torch.cov(Z.T))


def _gaussian_codes(Z: Tensor, number: int) -> Tensor:
    """Draws from N(μ̂, Σ̂)."""
    return Z.mean(0) + _noise(Z, number) @ _factor(Z).T


_GAUSSIAN = (
    Mistake(
        "each by itself",
        "gaussian_codes draws each entry of the code by itself: their spread is right, their correlations are lost.",
        lambda Z, number: Z.mean(0) + _noise(Z, number) * Z.std(0),
    ),
    Mistake(
        "standard normal",
        "gaussian_codes draws from N(0, I), whatever the codes are: neither mean nor covariance is theirs.",
        _noise,
    ),
    Mistake(
        "covariance as factor",
        "gaussian_codes multiplies by Σ̂, so its draws have the covariance Σ̂². Which matrix L has L Lᵀ = Σ̂?",
        lambda Z, number: Z.mean(0) + _noise(Z, number) @ torch.cov(Z.T),
    ),
    Mistake(
        "variance as deviation",
        "gaussian_codes multiplies by variances; standard deviations are their roots, and correlations are lost as "
        "well.",
        lambda Z, number: Z.mean(0) + _noise(Z, number) * Z.var(0),
    ),
    Mistake(
        "no mean",
        "gaussian_codes lies around 0; the codes lie around their mean.",
        lambda Z, number: _noise(Z, number) @ _factor(Z).T,
    ),
    Mistake(
        "wrong side",
        "gaussian_codes has the covariance Lᵀ L in place of L Lᵀ: one code is a row here, so on which side and how "
        "does L stand?",
        lambda Z, number: Z.mean(0) + _noise(Z, number) @ _factor(Z),
    ),
    Mistake(
        "one vector for all",
        "gaussian_codes draws one code and repeats it.",
        lambda Z, number: _gaussian_codes(Z, 1).expand(number, -1),
    ),
)
_DRAWS = 20_000


def _moments(Z: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and covariance of what the mistakes draw, by their names."""
    mean, covariance, L = Z.mean(0), torch.cov(Z.T), _factor(Z)
    return {
        "each by itself": (mean, covariance.diagonal().diag()),
        "standard normal": (torch.zeros_like(mean), torch.eye(len(mean)).to(Z)),
        "covariance as factor": (mean, covariance @ covariance),
        "variance as deviation": (mean, covariance.diagonal().square().diag()),
        "no mean": (torch.zeros_like(mean), covariance),
        "wrong side": (mean, L.T @ L),
    }


def _has(samples: Tensor, mean: Tensor, covariance: Tensor, errors: float = 6) -> bool:
    """Whether samples may have these moments: no entry is off by more than a few standard errors."""
    variances = covariance.diagonal()
    se_mean = (variances / len(samples)).sqrt()
    se_covariance = ((variances.outer(variances) + covariance.square()) / len(samples)).sqrt()
    off_mean = (samples.mean(0) - mean).abs() / se_mean
    off_covariance = (torch.cov(samples.T) - covariance).abs() / se_covariance
    return bool(off_mean.max() < errors and off_covariance.max() < errors)


def _some_codes(generator: torch.Generator, share: float = 0.2) -> Tensor:
    """Codes (n, k) off the origin, in two heaps, with entries that are strongly correlated and unequally spread."""
    n, k = integer(900, 1100, generator), integer(3, 4, generator)
    A = torch.eye(k) + 0.8 * torch.ones(k, k).tril(-1)
    heaps = torch.where(torch.rand(n, 1, generator=generator) < share, 3.0, -1.0)  # their median is not their mean
    Z = (normal(n, k, generator=generator) + heaps) @ A.T * (0.5 + torch.arange(k))
    return Z + 3 * (1 + torch.arange(k)) + normal(k, generator=generator).abs()


def _judge_gaussian(gaussian_codes: Answer) -> None:
    Z, messages = _some_codes(fresh()), {mistake.name: mistake.message for mistake in _GAUSSIAN}
    shape = (_DRAWS, Z.shape[1])
    samples, again = (tensor(call(gaussian_codes, Z, _DRAWS), shape, "the draws") for _ in range(2))
    if len(samples[:100].unique(dim=0)) == 1:
        raise Wrong(messages["one vector for all"])
    if (samples[:100, None] == Z).all(2).any():
        raise Wrong("gaussian_codes gives back codes it was handed; asked are new ones, drawn from N(μ̂, Σ̂).")
    if len(samples.unique(dim=0)) < _DRAWS or equal(samples, again):
        raise Wrong("gaussian_codes repeats itself: every code, and every call, is a draw of its own.")
    samples, Z = samples.double(), Z.double()
    # 6 standard errors are never reached by chance; Z's own moments are exact here
    if _has(samples, Z.mean(0), torch.cov(Z.T)):
        halves = _some_codes(fresh(), 0.5)  # two heaps of one size, to which no Gaussian looks alike
        samples = tensor(call(gaussian_codes, halves, _DRAWS), (_DRAWS, halves.shape[1]), "the draws").double()
        kurtosis = ((samples - samples.mean(0)) / samples.std(0)).pow(4).mean(0)
        if (kurtosis - 3).abs().max() > 0.3:
            raise Wrong("gaussian_codes has the right mean and covariance, but its draws are not normal.")
        return
    for name, moments in _moments(Z).items():
        if _has(samples, *moments):
            raise Wrong(messages[name])
    raise Wrong("the mean and covariance of what gaussian_codes draws are not those of the codes in Z.")


def _judge_codes(interpolate: Answer, gaussian_codes: Answer) -> None:
    generator, draws = fresh(), []
    for steps in (5, 8, 3, 2):
        d_x, k = integer(8, 12, generator), integer(2, 4, generator)
        halves = [nn.Sequential(nn.Linear(i, o), nn.Tanh()) for i, o in ((d_x, k), (k, d_x))]
        for half in halves:
            for weight in half.requires_grad_(False).parameters():
                weight.copy_(normal(*weight.shape, generator=generator))
        draws.append((*halves, normal(d_x, generator=generator), normal(d_x, generator=generator), steps))
    text = "interpolate gives {got}; decoding the mixtures of the two codes gives {expected}."
    compare(interpolate, _interpolate, draws, _INTERPOLATE, text, what="the walk")
    _judge_gaussian(gaussian_codes)


_RIGHT = (_interpolate, _gaussian_codes)

codes = Check(
    "interpolate or gaussian_codes",
    _judge_codes,
    "the walk leads from code to code, and the draws have the codes' mean and covariance.",
    among(_RIGHT, 0, _INTERPOLATE) + among(_RIGHT, 1, _GAUSSIAN),
)
