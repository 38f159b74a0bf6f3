"""The checks of exercise 02: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.linalg import eigh, svd, svdvals
from torch.nn.functional import linear

from course_utils.checks import linear_autoencoder, ready

EXERCISE = gap_cells.Exercise(
    "02_linear_autoencoder_pca",
    linear_autoencoder,
    names={
        "projection": ("pca", "project", "reconstruct"),
        "variance": ("components_for", "remaining_error"),
        "prediction": ("deeper", "mixed", "uncentred"),
        "gradient": ("gradient",),
        "principal_angles": ("principal_angles",),
        "tied": ("TiedAutoencoder",),
        "density": ("log_density",),
    },
    given={"torch": torch, "nn": nn, "Tensor": Tensor},
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _directions(X: Tensor) -> Tensor:
    return svd(X - X.mean(0), full_matrices=False).Vh.T


def _variances(X: Tensor) -> Tensor:
    return svdvals(X - X.mean(0)).square() / len(X)


def _share(X: Tensor, share: float) -> int:
    return int((_variances(X).cumsum(0) / _variances(X).sum() < share).sum())


def _errors(X: Tensor, W: Tensor, V: Tensor) -> Tensor:
    return X @ W.T @ V.T - X


class Scaled(nn.Module):
    """Tied, with a factor that does not belong there."""

    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(k, d_x))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.W / self.W.shape[1]


class Bent(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.W.T).relu() @ self.W


class OnItsSide(Scaled):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(k, d_x)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W @ self.W.T


class Frozen(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return x @ self.W.T @ self.W


class EncoderOnly(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T


UNKNOWN: dict[str, dict[str, Any]] = {
    "projection": {
        "no mean": {"pca": lambda X, k: _directions(X)[:, :k]},
        "a mean per image": {"pca": lambda X, k: (X.mean(1), _directions(X)[:, :k])},
        "one direction too many": {"pca": lambda X, k: (X.mean(0), _directions(X)[:, : k + 1])},
        "without the strongest": {"pca": lambda X, k: (X.mean(0), _directions(X)[:, 1 : k + 1])},
        "a matrix of standard deviations": {
            "pca": lambda X, k: (X.mean(0), eigh(torch.corrcoef(X.T))[1].flip(1)[:, :k])
        },
        "whitened": {"project": lambda X, mean, U: (X - mean) @ U / ((X - mean) @ U).std(0)},
        "written into the images": {"project": lambda X, mean, U: X.sub_(mean) @ U},
        "mean added": {"project": lambda X, mean, U: (X + mean) @ U},
        "U forgotten": {"project": lambda X, mean, U: X - mean},
        "mean subtracted": {"reconstruct": lambda Z, mean, U: Z @ U.T - mean},
        "Z on its side": {"reconstruct": lambda Z, mean, U: Z @ U},
        "clipped": {"reconstruct": lambda Z, mean, U: (Z @ U.T + mean).clamp(0, 1)},
    },
    "variance": {
        "one too many": {"components_for": lambda X, share: _share(X, share) + 2},
        "a share of the components": {"components_for": lambda X, share: round(share * X.shape[1])},
        "a share": {"components_for": lambda X, share: (_variances(X).cumsum(0) / _variances(X).sum())[0]},
        "root of the error": {"remaining_error": lambda X, k: _variances(X)[k:].sum().sqrt()},
        "singular values": {"remaining_error": lambda X, k: _variances(X)[k:].sqrt().sum()},
        "from one further on": {"remaining_error": lambda X, k: _variances(X)[k + 1 :].sum()},
        "from one before": {"remaining_error": lambda X, k: _variances(X)[k - 1 :].sum()},
        "uncentred": {"remaining_error": lambda X, k: svdvals(X)[k:].square().sum() / len(X)},
    },
    "prediction": {
        "the best is beaten": {"uncentred": "lower"},
        "mixing helps": {"mixed": "lower"},
        "two wrong": {"mixed": "lower", "uncentred": "lower"},
        "another word": {"deeper": "better"},
        "a number": {"deeper": 1.0},
        "a list": {"deeper": ["same"]},
    },
    "gradient": {
        "residual squared": lambda X, W, V: (
            2 * V.T @ _errors(X, W, V).square().T @ X / len(X),
            2 * _errors(X, W, V).square().T @ X @ W.T / len(X),
        ),
        "through the residual only": lambda X, W, V: (
            2 * V.T @ _errors(X, W, V).T @ X / len(X),
            2 * _errors(X, W, V).T @ _errors(X, W, V) @ W.T / len(X),
        ),
        "the encoder stands still": lambda X, W, V: (
            torch.zeros_like(W),
            2 * _errors(X, W, V).T @ X @ W.T / len(X),
        ),
        "by autograd": lambda X, W, V: torch.func.grad(_loss, argnums=(1, 2))(X, W, V),
        "one matrix": lambda X, W, V: 2 * V.T @ _errors(X, W, V).T @ X / len(X),
        "a mean": lambda X, W, V: (_errors(X, W, V).mean(), _errors(X, W, V).mean()),
        "a product that does not fit": lambda X, W, V: (_errors(X, W, V) @ W, _errors(X, W, V) @ V),
    },
    "principal_angles": {
        "one number": lambda A, B: torch.tensor(45.0),
        "sines": lambda A, B: svdvals(torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).clamp(-1, 1).asin().rad2deg(),
        "twice the angle": lambda A, B: (
            2 * svdvals(torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).clamp(max=1).acos().rad2deg()
        ),
        "entries for singular values": lambda A, B: (
            (torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).diagonal().clamp(-1, 1).acos().rad2deg()
        ),
        "all of the bases": lambda A, B: svdvals(svd(A).U.T @ svd(B).U).clamp(-1, 1).acos().rad2deg(),
    },
    "tied": {
        "a factor": Scaled,
        "bent": Bent,
        "on its side": OnItsSide,
        "no gradient at all": Frozen,
        "no decoder": EncoderOnly,
        "a function": lambda d_x, k: lambda x: x,
    },
    "density": {
        "σ² of the last": lambda X, mean, U, variances, k: _density(X, mean, U, variances, k, variances[-1]),
        "σ² of the first left out": lambda X, mean, U, variances, k: _density(X, mean, U, variances, k, variances[k]),
        "a deviation for a variance": lambda X, mean, U, variances, k: _density(
            X, mean, U, variances.sqrt(), k, variances[k:].mean().sqrt()
        ),
        "in bits": lambda X, mean, U, variances, k: (
            _density(X, mean, U, variances, k, variances[k:].mean()) / np.log(2)
        ),
        "U on its side": lambda X, mean, U, variances, k: _density(X, mean, U.T, variances, k, variances[k:].mean()),
        "a density": lambda X, mean, U, variances, k: _density(X, mean, U, variances, k, variances[k:].mean()).exp(),
    },
}


class Linear(nn.Module):
    """The same through a layer: its weight is the one parameter, under another name."""

    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(d_x, k, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return linear(self.encoder(x), self.encoder.weight.T)


RIGHT: list[tuple[str, Any]] = [
    ("projection", {"pca": lambda X, k: (X.mean(0), eigh((X - X.mean(0)).T @ (X - X.mean(0)))[1].flip(1)[:, :k])}),
    ("projection", {"pca": lambda X, k: (X.mean(0), -_directions(X)[:, :k])}),
    ("projection", {"project": lambda X, mean, U: torch.stack([U.T @ (x - mean) for x in X])}),
    ("variance", {"components_for": lambda X, share: torch.tensor(_share(X, share) + 1)}),
    ("variance", {"remaining_error": lambda X, k: _variances(X).sum() - _variances(X)[:k].sum()}),
    ("gradient", {"gradient": lambda X, W, V: _with_einsum(X, W, V)}),
    ("principal_angles", {"principal_angles": lambda A, B: _projectors(A, B)}),
    ("tied", {"TiedAutoencoder": Linear}),
    ("density", {"log_density": lambda X, mean, U, variances, k: _by_torch(X, mean, U, variances, k)}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE


def _loss(X: Tensor, W: Tensor, V: Tensor) -> Tensor:
    return _errors(X, W, V).square().sum(1).mean()


def _density(X: Tensor, mean: Tensor, U: Tensor, variances: Tensor, k: int, noise: Tensor) -> Tensor:
    model = torch.cat([variances[:k], noise.expand(len(mean) - k)])
    return torch.distributions.Normal(0, model.sqrt()).log_prob((X - mean) @ U).sum(1)


def _by_torch(X: Tensor, mean: Tensor, U: Tensor, variances: Tensor, k: int) -> Tensor:
    """Torch's own: a low-rank factor, and noise on the diagonal."""
    noise = variances[k:].mean()
    V = U[:, :k] * (variances[:k] - noise).sqrt()
    return torch.distributions.LowRankMultivariateNormal(mean, V, noise.expand(len(mean))).log_prob(X)


def _with_einsum(X: Tensor, W: Tensor, V: Tensor) -> tuple[Tensor, Tensor]:
    E = _errors(X, W, V) * 2 / len(X)
    return torch.einsum("nd,dk,ne->ke", E, V, X), torch.einsum("nd,ne,ke->dk", E, X, W)


def _projectors(A: Tensor, B: Tensor) -> Tensor:
    """Angles by another road: their squared sines, of what is left of one basis outside the other subspace."""
    Q_A, Q_B = torch.linalg.qr(A).Q, torch.linalg.qr(B).Q
    return svdvals(Q_A - Q_B @ (Q_B.T @ Q_A)).clamp(max=1).asin().rad2deg().flip(0)


def test_an_array_in_place_of_a_tensor_is_named():
    def pca(X, k):
        return X.mean(0).numpy(), np.linalg.svd((X - X.mean(0)).numpy())[2][:k].T

    assert "should be a tensor" in EXERCISE.outcome("projection", pca=pca)


def test_the_cells_of_the_notebook_wait_for_a_module(capsys):
    x = torch.zeros(3, 8)
    assert not ready(EXERCISE.defined("tied", solved=False)["TiedAutoencoder"](8, 2), x, name="TiedAutoencoder", like=x)
    assert capsys.readouterr().out == "This cell waits for TiedAutoencoder.\n"
    assert ready(EXERCISE.defined("tied", solved=True)["TiedAutoencoder"](8, 2), x, name="TiedAutoencoder", like=x)


def test_a_wrong_shape_is_said_of_the_right_part():
    def pca(X, k):
        return X.mean(0), _directions(X)[:, : k + 1]

    assert EXERCISE.outcome("projection", pca=pca).startswith("U should have the shape")
    message = EXERCISE.outcome("projection", project=lambda X, mean, U: X - mean)
    assert message.startswith("the code should have the shape")
