"""The checks of exercise 07: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

from course_utils.checks import variational
from course_utils.losses import bernoulli_nll, kl_to_standard_normal, squared_error
from course_utils.metrics import elbo, gaussian_kl

SCALINGS = ("pixels_averaged", "both_averaged", "latents_averaged", "all_divided", "kl_divided", "kl_summed")


def _kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return (log_var.exp() + mean.square() - 1 - log_var).sum(1) / 2


def _code(mean: Tensor, log_var: Tensor) -> Tensor:
    return mean + torch.exp(log_var / 2) * torch.randn_like(mean)


EXERCISE = gap_cells.Exercise(
    "07_variational_autoencoder",
    variational,
    names={
        "gaussian-kl": ("gaussian_kl",),
        "sample-code": ("sample_code",),
        "negative-elbo": ("negative_elbo",),
        "prediction": SCALINGS,
        "rate-distortion": ("rate_and_distortion",),
        "importance-weights": ("importance_weighted_bound",),
        "active-units": ("active_units",),
        "manifold-codes": ("manifold_codes",),
    },
    given={
        "math": math,
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "Callable": Any,
        "Normal": Normal,
        "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
        "bernoulli_nll": bernoulli_nll,
        "kl_to_standard_normal": kl_to_standard_normal,
        "gaussian_kl": _kl,
        "sample_code": _code,
    },
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _std(log_var: Tensor) -> Tensor:
    return (log_var / 2).exp()


def _noise(mean: Tensor) -> Tensor:
    return torch.randn_like(mean)


def _loss(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
    return bernoulli_nll(logits, x) + beta * kl_to_standard_normal(mean, log_var)


def _paired(mean: Tensor) -> Tensor:
    """Noise that is the same for the first and the second half of the images."""
    half = torch.randn_like(mean[: (len(mean) + 1) // 2])
    return torch.cat([half, half])[: len(mean)]


class _Repeating:
    """Noise that is drawn once and then used again, with the smaller part of it new."""

    def __init__(self) -> None:
        self.kept: dict[torch.Size, Tensor] = {}

    def __call__(self, mean: Tensor, log_var: Tensor) -> Tensor:
        kept = self.kept.setdefault(mean.shape, torch.randn(mean.shape))
        return mean + _std(log_var) * (0.8 * kept + 0.6 * _noise(mean))


UNKNOWN: dict[str, dict[str, Any]] = {
    "gaussian-kl": {
        "mean forgotten": lambda mean, log_var: gaussian_kl(0 * mean, log_var),
        "variance forgotten": lambda mean, log_var: mean.square().sum(1) / 2,
        "in bits": lambda mean, log_var: gaussian_kl(mean, log_var) / torch.tensor(2.0).log(),
        "never above a bound": lambda mean, log_var: gaussian_kl(mean, log_var).clamp(max=5),
        "free bits": lambda mean, log_var: (
            (log_var.exp() + mean.square() - 1 - log_var).div(2).clamp(min=0.5).sum(dim=1)
        ),
        "half a gradient": lambda mean, log_var: (lambda kl: (kl + kl.detach()) / 2)(gaussian_kl(mean, log_var)),
        "variance detached in part": lambda mean, log_var: (
            (log_var.exp().detach() + mean.square() - 1 - log_var).sum(1) / 2
        ),
        "entropy": lambda mean, log_var: Normal(mean, _std(log_var)).entropy().sum(1),
        "a list": lambda mean, log_var: gaussian_kl(mean, log_var).tolist(),
    },
    "sample-code": {
        "another slope": lambda mean, log_var: mean + (0.4 * log_var).exp() * _noise(mean),
        "softplus": lambda mean, log_var: mean + softplus(log_var) * _noise(mean),
        "twice": lambda mean, log_var: 2 * mean + _std(log_var) * _noise(mean),
        "absolute noise": lambda mean, log_var: mean + _std(log_var) * _noise(mean).abs(),
        "images in pairs": lambda mean, log_var: mean + _std(log_var) * _paired(mean),
        "mean σ of the batch": lambda mean, log_var: mean + _std(log_var.mean(0)) * _noise(mean),
        "noise used again": _Repeating(),
        "transposed": lambda mean, log_var: (mean + _std(log_var) * _noise(mean)).mT,
        "half a gradient": lambda mean, log_var: mean + (_std(log_var) + _std(log_var).detach()) / 2 * _noise(mean),
        "an array": lambda mean, log_var: (mean + _std(log_var) * _noise(mean)).detach().numpy(),
    },
    "negative-elbo": {
        "root of β": lambda logits, x, mean, log_var, beta=1.0: _loss(logits, x, mean, log_var, beta**0.5),
        "default of β": lambda logits, x, mean, log_var, beta=4.0: _loss(logits, x, mean, log_var, beta),
        "one for each image": lambda logits, x, mean, log_var, beta=1.0: (
            binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1) + beta * gaussian_kl(mean, log_var)
        ),
        "images rounded": lambda logits, x, mean, log_var, beta=1.0: _loss(logits, x.round(), mean, log_var, beta),
        "squared error of the logits": lambda logits, x, mean, log_var, beta=1.0: (
            squared_error(logits, x) + beta * kl_to_standard_normal(mean, log_var)
        ),
        "ReLU on log_var": lambda logits, x, mean, log_var, beta=1.0: _loss(logits, x, mean, relu(log_var), beta),
        "mean detached alone": lambda logits, x, mean, log_var, beta=1.0: _loss(
            logits, x, mean.detach(), log_var, beta
        ),
        "divided by N once more": lambda logits, x, mean, log_var, beta=1.0: (
            _loss(logits, x, mean, log_var, beta) / len(x)
        ),
        "a number": lambda logits, x, mean, log_var, beta=1.0: float(_loss(logits, x, mean, log_var, beta).detach()),
    },
    "prediction": {
        "another word": {"kl_summed": "equal"},
        "a number": {"pixels_averaged": 0.01},
        "a list": {"latents_averaged": ["higher"]},
    },
}


def _from_distributions(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
    likelihood = Independent(Bernoulli(logits=logits, validate_args=False), 1).log_prob(x)
    q, prior = (Independent(Normal(*of), 1) for of in ((mean, _std(log_var)), (0 * mean, torch.ones_like(mean))))
    return (beta * kl_divergence(q, prior) - likelihood).mean()


RIGHT: list[tuple[str, Any]] = [
    ("gaussian-kl", lambda mean, log_var: kl_divergence(Normal(mean, _std(log_var)), Normal(0.0, 1.0)).sum(1)),
    (
        "gaussian-kl",
        lambda mean, log_var: -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=-1),
    ),
    ("gaussian-kl", lambda mean, log_var: torch.stack([gaussian_kl(*row) for row in zip(mean, log_var, strict=True)])),
    ("sample-code", lambda mean, log_var: Normal(mean, _std(log_var)).rsample()),
    ("sample-code", lambda mean, log_var: mean + log_var.exp().sqrt() * torch.randn(mean.shape)),
    ("sample-code", lambda mean, log_var: torch.addcmul(mean, _std(log_var), -_noise(mean))),
    ("negative-elbo", _loss),
    ("negative-elbo", _from_distributions),
    (
        "negative-elbo",
        lambda logits, x, mean, log_var, beta=1.0: (
            (softplus(logits) - x * logits).sum() / len(x) + beta * gaussian_kl(mean, log_var).mean()
        ),
    ),
]


def _nll(logits: Tensor, x: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def _measured(codes: Any = _code, rate: Any = lambda mean, log_var: _kl(mean, log_var).mean()) -> Any:
    """Rate and distortion with other codes or another rate."""

    def rate_and_distortion(encode: Any, decode: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = encode(x)
        return rate(mean, log_var), _nll(decode(codes(mean, log_var)), x).mean()

    return rate_and_distortion


def _coded(mean: Tensor, log_var: Tensor, epsilon: Tensor) -> Tensor:
    return mean + torch.exp(log_var / 2) * epsilon


def _grid(places: Tensor) -> Tensor:
    return torch.cartesian_prod(places.flip(0), places).flip(1)


def _middles(n: int) -> Tensor:
    return (torch.arange(n, dtype=torch.float64) + 0.5) / n


UNKNOWN |= {
    "rate-distortion": {
        "uniform of variance 1": _measured(lambda m, v: _coded(m, v, 12**0.5 * (torch.rand_like(m) - 0.5))),
        "signs": _measured(lambda m, v: _coded(m, v, torch.randn_like(m).sign())),
        "one ε for all dimensions": _measured(lambda m, v: _coded(m, v, torch.randn_like(m[:, :1]))),
        "absolute noise": _measured(lambda m, v: _coded(m, v, torch.randn_like(m).abs())),
        "root of σ": _measured(lambda m, v: m + torch.exp(v / 4) * torch.randn_like(m)),
        "no mean": _measured(lambda m, v: torch.exp(v / 2) * torch.randn_like(m)),
        "mean alone in the rate": _measured(rate=lambda m, v: m.square().sum(1).mean() / 2),
        "spread alone in the rate": _measured(rate=lambda m, v: (v.exp() - 1 - v).sum(1).mean() / 2),
        "one number": lambda encode, decode, x: _kl(*encode(x)).mean() + _nll(decode(_code(*encode(x))), x).mean(),
        "nothing decoded": lambda encode, decode, x: (_kl(*encode(x)).mean(), 0.0),
        "another image": lambda encode, decode, x: (
            _kl(*encode(x)).mean(),
            _nll(decode(_code(*encode(x))), x.roll(1, 0)).mean(),
        ),
        "one each": lambda encode, decode, x: (_kl(*encode(x)), _nll(decode(_code(*encode(x))), x)),
        "some images": lambda encode, decode, x: (
            _kl(*encode(x)).mean(),
            _nll(decode(_code(*encode(x[:7]))), x[:7])[0],
        ),
    },
    "importance-weights": {
        "log K added": lambda a, b, c: (a + b - c).logsumexp(0) + math.log(len(a)),
        "unbiased log K": lambda a, b, c: (a + b - c).logsumexp(0) - math.log(max(len(a) - 1, 1)),
        "median": lambda a, b, c: (a + b - c).median(0).values,
        "minus": lambda a, b, c: math.log(len(a)) - (a + b - c).logsumexp(0),
        "mean subtracted": lambda a, b, c: (a + b - c - (a + b - c).mean(0)).exp().mean(0).log() + (a + b - c).mean(0),
        "q forgotten": lambda a, b, c: (a + b).logsumexp(0) - math.log(len(a)),
        "first sample": lambda a, b, c: (a + b - c)[0],
        "clamped weights": lambda a, b, c: (a + b - c).clamp(min=-1000).logsumexp(0) - math.log(len(a)),
        "an array": lambda a, b, c: ((a + b - c).logsumexp(0) - math.log(len(a))).numpy(),
    },
    "active-units": {
        "another threshold": lambda mean: mean.var(0) > 0.1,
        "mean of the means": lambda mean: mean.mean(0).abs() > 0.01,
        "range": lambda mean: mean.amax(0) - mean.amin(0) > 0.01,
        "all": lambda mean: mean[0] == mean[0],
        "strings": lambda mean: ["active"] * mean.shape[1],
        "a list": lambda mean: (mean.var(0) > 0.01).tolist(),
        "a number": lambda mean: int((mean.var(0) > 0.01).sum()),
        "with a dimension": lambda mean: mean.var(0, keepdim=True) > 0.01,
    },
    "manifold-codes": {
        "origin": lambda n: torch.zeros(n * n, 2),
        "at random": lambda n: torch.randn(n * n, 2),
        "logistic": lambda n: _grid(torch.logit(_middles(n))),
        "sorted twice": lambda n: _grid(Normal(0, 1).icdf(_middles(n))).sort(0).values,
        "twice as wide": lambda n: 2 * _grid(Normal(0, 1).icdf(_middles(n))),
        "one side": lambda n: _grid(Normal(0, 1).icdf(_middles(n)).abs()),
        "diagonal": lambda n: Normal(0, 1).icdf(_middles(n * n))[:, None].expand(-1, 2),
        "a list": lambda n: _grid(Normal(0, 1).icdf(_middles(n))).tolist(),
    },
}


def _by_distributions(encode: Any, decode: Any, x: Tensor) -> tuple[float, float]:
    mean, log_var = encode(x)
    q = Independent(Normal(mean, torch.exp(log_var / 2)), 1)
    rate = kl_divergence(q, Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)).mean()
    p = Bernoulli(logits=decode(q.rsample()), validate_args=False)
    return rate.item(), -p.log_prob(x).sum(1).mean().item()


def _several_codes(encode: Any, decode: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_var = encode(x)
    z = Normal(mean, torch.exp(log_var / 2)).sample((5,))  # (5, N, k)
    return _kl(mean, log_var).mean(), _nll(decode(z), x.expand(5, -1, -1)).mean()


def _repeated(encode: Any, decode: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_var = (part.repeat_interleave(3, 0) for part in encode(x))
    return _kl(mean, log_var).mean(), _nll(decode(_code(mean, log_var)), x.repeat_interleave(3, 0)).mean()


def _in_batches(encode: Any, decode: Any, x: Tensor) -> list[float]:
    parts = [(_kl(*encode(part)).sum(), _nll(decode(_code(*encode(part))), part).sum()) for part in x.split(300)]
    return [float(sum(part[i] for part in parts)) / len(x) for i in (0, 1)]


def _by_the_package(encode: Any, decode: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    found = elbo(encode, decode, x)
    return found.kl.mean(), -found.log_likelihood.mean()


def _by_the_losses(encode: Any, decode: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        mean, log_var = encode(x)
        return kl_to_standard_normal(mean, log_var), bernoulli_nll(decode(_code(mean, log_var)), x)


def _with_the_maximum(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    weights = a + b - c
    largest = weights.max(0).values
    return largest + (weights - largest).exp().mean(0).log()


RIGHT += [
    ("rate-distortion", _by_distributions),
    ("rate-distortion", _several_codes),
    ("rate-distortion", _repeated),
    ("rate-distortion", _in_batches),
    ("rate-distortion", _by_the_package),
    ("rate-distortion", _by_the_losses),
    ("importance-weights", _with_the_maximum),
    ("importance-weights", lambda a, b, c: torch.logsumexp(a + b - c - math.log(len(a)), dim=0)),
    (
        "importance-weights",
        lambda a, b, c: torch.stack([torch.logsumexp(w, 0) for w in (a + b - c).T]) - np.log(len(a)),
    ),
    ("importance-weights", lambda a, b, c: (a + b - c).double().logcumsumexp(0)[-1] - math.log(len(a))),
    ("active-units", lambda mean: mean.var(dim=0, correction=0) > 0.01),
    ("active-units", lambda mean: torch.cov(mean.T).reshape(mean.shape[1], -1).diagonal() > 0.01),
    ("active-units", lambda mean: mean.std(0) > 0.1),
    ("active-units", lambda mean: torch.stack([unit.var().gt(0.01) for unit in mean.T])),
    ("manifold-codes", lambda n: _grid(torch.special.ndtri(_middles(n)))),
    ("manifold-codes", lambda n: _grid(2**0.5 * torch.erfinv(2 * _middles(n).float() - 1))),
    (
        "manifold-codes",
        lambda n: torch.tensor(
            [
                [float(Normal(0, 1).icdf(torch.tensor(u))) for u in ((j + 0.5) / n, 1 - (i + 0.5) / n)]
                for i in range(n)
                for j in range(n)
            ]
        ),
    ),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE


def test_the_first_of_several_wrong_predictions_is_named():
    message = EXERCISE.outcome("prediction", latents_averaged="same", kl_summed="higher")
    assert message.startswith("latents_averaged: ")


def test_a_loss_is_judged_for_itself_whatever_the_divergence_above_it_is():
    def with_a_wrong_divergence(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
        return bernoulli_nll(logits, x) + beta * (gaussian_kl(mean, log_var) / mean.shape[1]).mean()

    assert "averaged over the latent dimensions" in EXERCISE.outcome("negative-elbo", with_a_wrong_divergence)


def test_a_narrow_posterior_on_many_seeds_is_told_its_own_width():
    message = EXERCISE.outcome("sample-code", UNKNOWN["sample-code"]["another slope"])
    assert "standard deviation of" in message


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_bound_far_below_zero_is_no_matter_of_the_dtype(dtype):
    far = torch.full((3, 2), -100_000.0, dtype=dtype), torch.zeros(3, 2, dtype=dtype), torch.zeros(3, 2, dtype=dtype)
    (answer,) = EXERCISE.answers("importance-weights")
    assert answer(*far).dtype is dtype
    assert torch.equal(answer(*far), far[0][0])


@pytest.mark.parametrize("reach", [1.5, 2, 2.5, 4])
def test_an_even_grid_is_named_whatever_its_reach(reach):
    (even,) = (mistake for mistake in variational.manifold_codes.mistakes if mistake.name == "evenly spaced")
    message = EXERCISE.outcome("manifold-codes", lambda n: _grid(torch.linspace(-reach, reach, n)))
    assert message == even.message


def test_codes_from_elsewhere_are_described():
    for _ in EXERCISE.times("rate-distortion"):
        message = EXERCISE.outcome("rate-distortion", _measured(lambda m, v: _coded(m, v, 3 * torch.randn_like(m))))
        assert "standard deviation 3.0" in message or "standard deviation 2.9" in message


def test_codes_that_belong_to_no_image_are_refused():
    message = EXERCISE.outcome("rate-distortion", UNKNOWN["rate-distortion"]["some images"])
    assert "one code for each image" in message


def test_an_array_in_place_of_a_tensor_is_named():
    assert "NumPy" in EXERCISE.outcome("importance-weights", UNKNOWN["importance-weights"]["an array"])
