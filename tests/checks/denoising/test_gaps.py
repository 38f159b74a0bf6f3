"""The checks of exercise 04: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from typing import Any

import gap_cells
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import corruptions, linear_denoiser
from course_utils.checks import denoising
from course_utils.losses import squared_error

EXERCISE = gap_cells.Exercise(
    "04_denoising_autoencoders",
    denoising,
    names={
        "corruptions": ("mask", "add_noise"),
        "loss": ("denoising_loss",),
        "linear": ("linear_denoiser",),
        "score": ("posterior_mean", "score"),
        "langevin": ("langevin_step",),
        "inpainting": ("fill",),
        "prediction": ("second_noise", "weaker", "blurred"),
    },
    given={"torch": torch, "nn": nn, "Tensor": Tensor, "squared_error": squared_error},
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _exactly(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Masking of a fixed number of pixels in each image."""
    order = torch.rand(len(x), x[0].numel(), generator=generator).argsort(1).argsort(1)
    return torch.where((order < probability * x[0].numel()).reshape(x.shape), 0.0, x)


def _normal(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def _noise_only(model: nn.Module, x: Tensor, corrupt: Any) -> Tensor:
    noise = corrupt(torch.zeros_like(x))
    return squared_error(model(noise), x)


def _detached(model: nn.Module, x: Tensor, corrupt: Any) -> Tensor:
    x_hat = model(corrupt(x))
    return squared_error(x_hat, x).detach() + 0 * x_hat.sum()


def _covariance(X: Tensor) -> Tensor:
    return torch.cov(X.T, correction=0)


def _eye(X: Tensor) -> Tensor:
    return torch.eye(X.shape[1], dtype=X.dtype)


def _map(X: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    return W, X.mean(0) - W @ X.mean(0)


def _weights(x_noisy: Tensor, X: Tensor, std: float) -> Tensor:
    return (-torch.cdist(x_noisy, X).square() / (2 * std**2)).softmax(1)


def _filled(x: Tensor, missing: Tensor, values: Tensor) -> Tensor:
    x = x.clone()
    x[:, missing] = values
    return x


def _conditional(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    seen = ~missing
    W = Sigma[missing][:, seen] @ Sigma[seen][:, seen].inverse()
    return mean[missing] + (x[:, seen] - mean[seen]) @ W.T


UNKNOWN: dict[str, dict[str, Any]] = {
    "corruptions": {
        "nothing is lost": {"mask": lambda x, p, g: x.clone()},
        "ones for zeros": {"mask": lambda x, p, g: torch.where(torch.rand(x.shape, generator=g) < p, 1.0, x)},
        "half as often": {"mask": lambda x, p, g: torch.where(torch.rand(x.shape, generator=g) < p / 2, 0.0, x)},
        "a fixed number": {"mask": _exactly},
        "the dark ones": {"mask": lambda x, p, g: torch.where(x < p, 0.0, x)},
        "the mask itself": {"mask": lambda x, p, g: (torch.rand(x.shape, generator=g) < p).double()},
        "a number": {"mask": lambda x, p, g: 0.5},
        "twice the noise": {"add_noise": lambda x, std, g: x + 2 * std * _normal(x, g)},
        "the noise alone": {"add_noise": lambda x, std, g: std * _normal(x, g)},
        "noise times image": {"add_noise": lambda x, std, g: x * (1 + std * _normal(x, g))},
        "even, of the right deviation": {
            "add_noise": lambda x, std, g: x + std * 12**0.5 * (torch.rand(x.shape, generator=g) - 0.5)
        },
        "shrunk": {"add_noise": lambda x, std, g: x * (1 - std) + std * _normal(x, g)},
        "in blocks of ten": {
            "add_noise": lambda x, std, g: (
                x + std * _normal(x[..., ::10], g).repeat_interleave(10, -1)[..., : x.shape[-1]]
            )
        },
    },
    "loss": {
        "the noise as the input": _noise_only,
        "of the noisy image to the clean one": lambda model, x, corrupt: squared_error(corrupt(x), x),
        "half": lambda model, x, corrupt: squared_error(model(corrupt(x)), x) / 2,
        "doubly corrupted": lambda model, x, corrupt: squared_error(model(corrupt(corrupt(x))), x),
        "both errors": lambda model, x, corrupt: squared_error(model(corrupt(x)), x) + squared_error(model(x), x),
        "detached": _detached,
        "an image for each": lambda model, x, corrupt: (model(corrupt(x)) - x).square().sum(1),
        "cross-entropy": lambda model, x, corrupt: (
            functional.binary_cross_entropy_with_logits(model(corrupt(x)), x.sigmoid(), reduction="sum") / len(x)
        ),
    },
    "linear": {
        "nothing": lambda X, std: (_eye(X), torch.zeros_like(X[0])),
        "the mean": lambda X, std: (torch.zeros_like(_eye(X)), X.mean(0)),
        "half the noise": lambda X, std: _map(X, _covariance(X) @ (_covariance(X) + std**2 / 2 * _eye(X)).inverse()),
        "through the inverse of Σ": lambda X, std: _map(X, (_eye(X) + std**2 * _covariance(X).inverse()).inverse()),
        "the diagonal": lambda X, std: _map(X, (X.var(0) / (X.var(0) + std**2)).diag()),
        "the bias the other way": lambda X, std: (lambda W, b: (W, -b))(*names_linear(X, std)),
        "the bias as a matrix": lambda X, std: (lambda W, b: (W, b[:, None]))(*names_linear(X, std)),
        "of correlations": lambda X, std: _map(X, X.T.corrcoef() @ (X.T.corrcoef() + std**2 * _eye(X)).inverse()),
        "one result": lambda X, std: names_linear(X, std)[0],
    },
    "score": {
        "saved from 0 / 0": {
            "posterior_mean": lambda x, X, std: (lambda w: w / (w.sum(1, keepdim=True) + 1e-8) @ X)(
                (-torch.cdist(x, X).square() / (2 * std**2)).exp()
            )
        },
        "weights squared": {"posterior_mean": lambda x, X, std: _weights(x, X, std).square() @ X},
        "the weights": {"posterior_mean": _weights},
        "the mean of all": {"posterior_mean": lambda x, X, std: X.mean(0).expand_as(x)},
        "the noisy point": {"posterior_mean": lambda x, X, std: x},
        "half the noise": {"posterior_mean": lambda x, X, std: _weights(x, X, std / 2) @ X},
        "normalised": {"score": lambda r, x, std: functional.normalize(r(x) - x)},
        "half": {"score": lambda r, x, std: (r(x) - x) / (2 * std**2)},
        "a sum": {"score": lambda r, x, std: ((r(x) - x) / std**2).sum(1)},
    },
    "langevin": {
        "the points as they are": lambda x, score, alpha, z: x.clone(),
        "a step of a quarter": lambda x, score, alpha, z: x + alpha / 4 * score(x) + alpha**0.5 * z,
        "σ for σ²": lambda x, score, alpha, z: x + alpha**0.5 / 2 * score(x) + alpha**0.5 * z,
        "noise taken away": lambda x, score, alpha, z: x + alpha / 2 * score(x) - alpha**0.5 * z,
        "normalised": lambda x, score, alpha, z: x + alpha / 2 * functional.normalize(score(x)) + alpha**0.5 * z,
        "the mean of the points": lambda x, score, alpha, z: (x + alpha / 2 * score(x) + alpha**0.5 * z).mean(0),
        "shrunk as in another scheme": lambda x, score, alpha, z: (1 - alpha) ** 2 * x + alpha * score(x) + alpha * z,
    },
    "inpainting": {
        "as it was": lambda x, missing, mean, Sigma: x.clone(),
        "zeros": lambda x, missing, mean, Sigma: _filled(x, missing, torch.zeros_like(mean[missing])),
        "the mean everywhere": lambda x, missing, mean, Sigma: mean.expand_as(x),
        "a brightness of its own": lambda x, missing, mean, Sigma: _filled(
            x, missing, x[:, ~missing].mean(1, keepdim=True)
        ),
        "away from the mean": lambda x, missing, mean, Sigma: _filled(
            x, missing, 2 * mean[missing] - _conditional(x, missing, mean, Sigma)
        ),
        "clipped": lambda x, missing, mean, Sigma: _filled(
            x, missing, _conditional(x, missing, mean, Sigma).clamp(0, 1)
        ),
        "the hole is believed": lambda x, missing, mean, Sigma: (
            mean + (x - mean) @ (Sigma @ (Sigma + 0.1 * torch.eye(len(mean))).inverse()).T
        ),
    },
    "prediction": {
        "another word": {"weaker": "better"},
        "a number": {"blurred": 1.0},
        "a list": {"second_noise": ["same"]},
    },
}


def names_linear(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
    return _map(X, _covariance(X) @ (_covariance(X) + std**2 * _eye(X)).inverse())


def _package_map(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
    best = linear_denoiser.best_linear_denoiser(X, "gaussian", std)
    return best.weight, best.bias


RIGHT: list[tuple[str, Any]] = [
    ("corruptions", {"mask": lambda x, p, g: corruptions.masking(x, p, generator=g)}),
    ("corruptions", {"mask": lambda x, p, g: x * torch.bernoulli(torch.full_like(x, 1 - p), generator=g)}),
    ("corruptions", {"mask": lambda x, p, g: x.masked_fill(torch.rand(x.shape, generator=g) > 1 - p, 0)}),
    ("corruptions", {"add_noise": lambda x, std, g: corruptions.gaussian(x, std, generator=g)}),
    ("corruptions", {"add_noise": lambda x, std, g: torch.normal(x, std, generator=g)}),
    ("loss", {"denoising_loss": lambda model, x, corrupt: (model(corrupt(x)) - x).square().sum() / len(x)}),
    ("loss", {"denoising_loss": lambda model, x, corrupt: (x - model(corrupt(x))).pow(2).sum(-1).mean(0)}),
    ("linear", {"linear_denoiser": _package_map}),
    ("linear", {"linear_denoiser": lambda X, std: _map(X, _unbiased(X, std))}),
    ("score", {"posterior_mean": lambda x, X, std: torch.stack([_weights(p[None], X, std)[0] @ X for p in x])}),
    ("score", {"score": lambda r, x, std: (r(x.clone()) - x).div(std).div(std)}),
    ("score", {"score": torch.no_grad()(lambda r, x, std: (r(x) - x) / std**2)}),
    ("score", {"score": torch.inference_mode()(lambda r, x, std: (r(x) - x) / std**2)}),
    ("langevin", lambda x, score, alpha, z: x.clone().add_(score(x), alpha=alpha / 2).add_(z, alpha=alpha**0.5)),
    ("langevin", lambda x, score, alpha, z: torch.stack([x, score(x) * alpha / 2, z * alpha**0.5]).sum(0)),
    ("inpainting", {"fill": lambda x, missing, mean, Sigma: _by_index(x, missing, mean, Sigma)}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
    rounds = 2


def _unbiased(X: Tensor, std: float) -> Tensor:
    return torch.cov(X.T) @ (torch.cov(X.T) + std**2 * _eye(X)).inverse()


def _by_index(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    m, o = missing.nonzero().flatten(), (~missing).nonzero().flatten()
    W = torch.linalg.lstsq(Sigma[o][:, o], Sigma[o][:, m]).solution
    return torch.zeros_like(x).index_copy(1, o, x[:, o]).index_copy(1, m, mean[m] + (x[:, o] - mean[o]) @ W)


def test_a_mistake_with_an_unbiased_covariance_is_named_as_well():
    def linear_denoiser(X, std):
        return _map(X, torch.cov(X.T) @ (torch.cov(X.T) + std * _eye(X)).inverse())

    for _ in EXERCISE.times("linear"):
        assert EXERCISE.outcome("linear", linear_denoiser).startswith("W adds σ")


def test_an_error_in_b_is_named_beside_an_unbiased_covariance():
    def linear_denoiser(X, std):
        return _unbiased(X, std), X.mean(0)

    for _ in EXERCISE.times("linear"):
        assert EXERCISE.outcome("linear", linear_denoiser).startswith("b is the mean, and")


def test_uniform_noise_and_half_of_normal_noise_are_told_apart():
    message = EXERCISE.outcome("corruptions", add_noise=lambda x, std, g: x + std * torch.rand(x.shape, generator=g))
    assert "rand draws from 0 to 1" in message
    message = EXERCISE.outcome("corruptions", add_noise=lambda x, std, g: x + std * _normal(x, g).abs())
    assert "never negative" in message


def test_a_message_asks_and_does_not_tell_the_prediction():
    for mistake in EXERCISE.check("prediction").mistakes:
        assert "?" in mistake.message
        assert '"' not in mistake.message
        assert mistake.message.split(":")[0] in EXERCISE.names["prediction"]


def test_a_wrong_part_is_named():
    def image(x, *others):
        return x[:, :-1]

    assert EXERCISE.outcome("corruptions", mask=image).startswith("what mask returns should have")
    assert EXERCISE.outcome("inpainting", image).startswith("what fill returns should have")
    message = EXERCISE.outcome("score", score=lambda r, x, std: (r(x) - x)[0])
    assert message.startswith("the score should have the shape")


def test_a_loss_that_is_no_tensor_is_named():
    message = EXERCISE.outcome("loss", lambda model, x, corrupt: squared_error(model(corrupt(x)), x).item())
    assert "no gradient" in message
