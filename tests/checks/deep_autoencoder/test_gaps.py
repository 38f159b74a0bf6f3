"""The checks of exercise 03: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import one_hot

from course_utils.checks import deep_autoencoder, ready
from course_utils.checks.deep_autoencoder import anomaly_scores, foreign_inputs, linear_probe

EXERCISE = gap_cells.Exercise(
    "03_deep_autoencoders",
    deep_autoencoder,
    names={
        "deep": ("mlp", "autoencoder", "loss"),
        "convolution": ("conv_encoder", "conv_decoder"),
        "prediction": ("noise", "shuffled", "moved", "moved_conv"),
        "codes": ("interpolate", "gaussian_codes"),
        "probing": ("ridge", "probe_accuracy"),
        "anomaly": ("scores", "auc"),
    },
    given={"torch": torch, "nn": nn, "Tensor": Tensor, "pairwise": pairwise, "one_hot": one_hot},
)
pytestmark = pytest.mark.usefixtures("one_thread")

RUN = foreign_inputs.ratios
MEASURED = {"noise": 0.6, "shuffled": 1.02, "moved": 6.1, "moved_conv": 1.03}  # one run of the experiments


@pytest.fixture(autouse=True)
def experiments_that_were_run(monkeypatch):
    """The trainings behind the predictions run in the two tests that are about them; the others know how they end."""
    monkeypatch.setattr(foreign_inputs, "ratios", lambda generator: dict(MEASURED))


def _layers(sizes: list[int], bend: type[nn.Module]) -> nn.Sequential:
    layers = [part for i, o in pairwise(sizes) for part in (nn.Linear(i, o), bend())]
    return nn.Sequential(*layers[:-1])


def _conv(c: int, *, kernel: int = 3, padding: int = 1, channels: int = 16) -> nn.Sequential:
    first = nn.Conv2d(1, channels, kernel, 2, padding)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(channels, c, kernel, 2, padding))


def _up(c: int, *end: nn.Module, kernel: int = 4, output_padding: int = 0) -> nn.Sequential:
    settings: dict[str, Any] = {"stride": 2, "padding": 1, "output_padding": output_padding}
    first, second = nn.ConvTranspose2d(c, 8, kernel, **settings), nn.ConvTranspose2d(8, 1, kernel, **settings)
    return nn.Sequential(first, nn.ReLU(), second, *end)


def _walk(encoder: Any, decoder: Any, x_a: Tensor, x_b: Tensor, t: Tensor) -> Tensor:
    t = t.to(x_a)[:, None]
    return decoder((1 - t) * encoder(x_a[None]) + t * encoder(x_b[None]))


def _ridge(Z: Tensor, labels: Tensor, strength: float, num_classes: int = 10) -> tuple[Tensor, Tensor]:
    fitted = Ridge(alpha=strength).fit(Z.numpy(), one_hot(labels, num_classes).numpy())
    return torch.from_numpy(fitted.coef_.T), torch.from_numpy(fitted.intercept_)


def _wins(a: Tensor, n: Tensor) -> Tensor:
    return (a[:, None] > n).double().mean() + (a[:, None] == n).double().mean() / 2


UNKNOWN: dict[str, dict[str, dict[str, Any]]] = {
    "deep": {
        "another bend": {"mlp": lambda sizes: _layers(sizes, nn.Tanh)},
        "no bend at the second": {
            "mlp": lambda sizes: nn.Sequential(
                nn.Linear(*sizes[:2]), nn.ReLU(), *(nn.Linear(i, o) for i, o in pairwise(sizes[1:]))
            )
        },
        "frozen": {"mlp": lambda sizes: _layers(sizes, nn.ReLU).requires_grad_(False)},
        "a list": {"mlp": lambda sizes: [nn.Linear(i, o) for i, o in pairwise(sizes)]},
        "backwards": {"mlp": lambda sizes: _layers(sizes[::-1], nn.ReLU)},
        "a sigmoid": {
            "autoencoder": lambda sizes: nn.Sequential(
                _layers(sizes, nn.ReLU), nn.Sequential(_layers(sizes[::-1], nn.ReLU), nn.Sigmoid())
            )
        },
        "another bend inside": {
            "autoencoder": lambda sizes: nn.Sequential(_layers(sizes, nn.Tanh), _layers(sizes[::-1], nn.Tanh))
        },
        "half": {"loss": lambda model, x: (model(x) - x).square().sum(1).mean() / 2},
        "one for each": {"loss": lambda model, x: (model(x) - x).square().sum(1)},
        "over the images": {"loss": lambda model, x: (model(x) - x).square().sum(0).mean()},
        "a number": {"loss": lambda model, x: (model(x) - x).square().sum(1).mean().item()},
    },
    "convolution": {
        "another kernel": {"conv_encoder": lambda c: _conv(c, kernel=4)},
        "two layers": {"conv_encoder": lambda c: _conv(c, kernel=5, padding=2, channels=4)},
        "pooled": {"conv_encoder": lambda c: Halves(c, stride=1)},
        "another bend": {
            "conv_encoder": lambda c: nn.Sequential(
                *(nn.Conv2d(1, 16, 3, 2, 1), nn.Tanh(), nn.Conv2d(16, 32, 3, 2, 1), nn.Tanh(), nn.Conv2d(32, c, 1))
            )
        },
        "two layers up": {"conv_decoder": lambda c: _up(c)},
        "two layers up, kernels of 3": {"conv_decoder": lambda c: _up(c, kernel=3, output_padding=1)},
        "sides of 13": {
            "conv_encoder": lambda c: nn.Sequential(
                *(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, c, 1))
            )
        },
        "one stride": {"conv_encoder": lambda c: nn.Sequential(nn.Conv2d(1, c, 3, 2, 1), nn.ReLU())},
        "three channels in": {"conv_encoder": lambda c: nn.Sequential(nn.Conv2d(3, c, 4, 4))},
        "flat": {"conv_encoder": lambda c: nn.Sequential(*_conv(c), nn.Flatten())},
        "too many maps": {"conv_encoder": lambda c: _conv(c + 1)},
        "odd sizes": {"conv_decoder": lambda c: _up(c, kernel=3)},
        "too large": {"conv_decoder": lambda c: _up(c, kernel=4, output_padding=1)},
        "cut": {"conv_decoder": lambda c: _up(c, nn.ConstantPad2d(-1, 0.0))},
        "a sigmoid": {"conv_decoder": lambda c: _up(c, nn.Sigmoid())},
        "three maps out": {"conv_decoder": lambda c: _up(c, nn.Conv2d(1, 3, 1))},
    },
    "prediction": {
        "two wrong": {"noise": "higher", "moved": "same"},
        "shuffling helps": {"shuffled": "lower"},
        "another word": {"moved": "worse"},
        "a number": {"noise": 0.5},
        "a list": {"moved_conv": ["same"]},
    },
    "codes": {
        "squared": {"interpolate": lambda f, g, a, b, n: _walk(f, g, a, b, torch.linspace(0, 1, n).square())},
        "beyond": {"interpolate": lambda f, g, a, b, n: _walk(f, g, a, b, torch.linspace(0, 2, n))},
        "too few": {"interpolate": lambda f, g, a, b, n: _walk(f, g, a, b, torch.linspace(0, 1, n - 1))},
        "the images at the ends": {
            "interpolate": lambda f, g, a, b, n: torch.cat(
                [a[None], _walk(f, g, a, b, torch.linspace(0, 1, n))[1:-1], b[None]]
            )
        },
        "the mean of the codes": {
            "interpolate": lambda f, g, a, b, n: g((f(a[None]) + f(b[None])) / 2).expand(n, len(a))
        },
        "the same each time": {
            "gaussian_codes": lambda Z, n: (
                Z.mean(0)
                + torch.randn(n, Z.shape[1], generator=torch.Generator().manual_seed(0))
                @ torch.linalg.cholesky(torch.cov(Z.T)).T
            )
        },
        "around the median": {
            "gaussian_codes": lambda Z, n: (
                Z.median(0).values + torch.randn(n, Z.shape[1]) @ torch.linalg.cholesky(torch.cov(Z.T)).T
            )
        },
        "drawn from the data": {"gaussian_codes": lambda Z, n: Z[torch.randint(len(Z), (n,))]},
        "uniform": {
            "gaussian_codes": lambda Z, n: Z.amin(0) + torch.rand(n, Z.shape[1]).to(Z) * (Z.amax(0) - Z.amin(0))
        },
        "too few draws": {"gaussian_codes": lambda Z, n: Z.mean(0) + torch.randn(len(Z), Z.shape[1]).to(Z)},
        "flat noise": {
            "gaussian_codes": lambda Z, n: (
                Z.mean(0) + (torch.rand(n, Z.shape[1]).to(Z) - 0.5) * 12**0.5 @ torch.linalg.cholesky(torch.cov(Z.T)).T
            )
        },
        "twice the spread": {
            "gaussian_codes": lambda Z, n: (
                Z.mean(0) + 2 * torch.randn(n, Z.shape[1]).to(Z) @ torch.linalg.cholesky(torch.cov(Z.T)).T
            )
        },
    },
    "probing": {
        "λ squared": {"ridge": lambda Z, labels, strength, classes=10: _ridge(Z, labels, strength**2, classes)},
        "W on its side": {
            "ridge": lambda Z, labels, strength, classes=10: (
                _ridge(Z, labels, strength, classes)[0].T,
                _ridge(Z, labels, strength, classes)[1],
            )
        },
        "no bias returned": {"ridge": lambda Z, labels, strength, classes=10: _ridge(Z, labels, strength, classes)[0]},
        "labels as numbers": {
            "ridge": lambda Z, labels, strength, classes=10: (
                torch.linalg.lstsq(Z, labels[:, None].to(Z)).solution,
                labels.double().mean(),
            )
        },
        "the error": {
            "probe_accuracy": lambda train, val, test, strengths: 1 - linear_probe._probe()(train, val, test, strengths)
        },
        "in per cent": {"probe_accuracy": lambda *sets: 100 * linear_probe._probe()(*sets)},
        "a count": {
            "probe_accuracy": lambda train, val, test, strengths: (
                linear_probe._probe()(train, val, test, strengths) * len(test[1])
            )
        },
    },
    "anomaly": {
        "root": {"scores": lambda model, x: (model(x) - x).norm(dim=1)},
        "the largest": {"scores": lambda model, x: (model(x) - x).square().amax(1)},
        "squared ink": {"scores": lambda model, x: model(x).square().sum(1)},
        "pixels": {"scores": lambda model, x: (model(x) - x).square()},
        "pair by pair": {"auc": lambda n, a: (a[: len(n)] > n[: len(a)]).double().mean()},
        "a difference of means": {"auc": lambda n, a: a.mean() - n.mean()},
        "above the largest": {"auc": lambda n, a: (a > n.max()).double().mean()},
        "from -1 to 1": {"auc": lambda n, a: 2 * _wins(a, n) - 1},
    },
}


class Halves(nn.Module):
    """The same as the solution's encoder as a class of its own; with a stride of 1 it pools."""

    def __init__(self, c: int, stride: int = 2) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 16, 3, stride, 1), nn.Conv2d(16, 32, 3, stride, 1)
        self.last, self.pool = nn.Conv2d(32, c, 1), nn.MaxPool2d(2 // stride)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.second):
            x = torch.relu(self.pool(layer(x)))
        return self.last(x)


def _pairs(normal_scores: Tensor, anomalous_scores: Tensor) -> float:
    points = [float(a > n) + float(a == n) / 2 for a in anomalous_scores for n in normal_scores]
    return sum(points) / len(points)


RIGHT: list[tuple[str, Any]] = [
    ("deep", {"loss": lambda model, x: nn.functional.mse_loss(model(x), x, reduction="sum") / len(x)}),
    ("convolution", {"conv_encoder": Halves}),
    ("codes", {"interpolate": lambda f, g, a, b, n: _walk(f, g, b, a, torch.linspace(1, 0, n))}),
    (
        "codes",
        {"gaussian_codes": lambda Z, n: torch.distributions.MultivariateNormal(Z.mean(0), torch.cov(Z.T)).sample((n,))},
    ),
    ("probing", {"ridge": _ridge}),
    ("probing", {"probe_accuracy": lambda *sets: torch.tensor(linear_probe._probe()(*sets))}),
    ("anomaly", {"scores": lambda model, x: torch.stack([(model(row) - row).square().sum() for row in x])}),
    ("anomaly", {"auc": _pairs}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
    rounds = 2
    # two wrong predictions are answered by the first; sizes that are known by name come up again
    may_be_known = ("prediction", "convolution")


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE
    ambiguous = ("moved_conv",)  # its weights are the same at every place


def test_the_experiments_end_alike_on_every_draw():
    runs = [RUN(torch.Generator().manual_seed(seed)) for seed in range(3)]
    assert max(run["noise"] for run in runs) < 0.7
    assert min(run["moved"] for run in runs) > 2
    for name in ("shuffled", "moved_conv"):
        assert 0.8 < min(run[name] for run in runs) <= max(run[name] for run in runs) < 1.25


def test_a_prediction_is_held_against_experiments_that_run(monkeypatch, capsys):
    monkeypatch.setattr(foreign_inputs, "ratios", RUN)
    EXERCISE.check("prediction")(*EXERCISE.answers("prediction"))
    assert "run just now: noise 0." in capsys.readouterr().out
    message = EXERCISE.outcome("prediction", moved="same")
    assert message.startswith("moved: ")


def test_an_experiment_that_ends_otherwise_turns_the_outcome(monkeypatch):
    monkeypatch.setattr(foreign_inputs, "ratios", lambda generator: MEASURED | {"noise": 1.5})
    assert EXERCISE.outcome("prediction").startswith("noise: ")
    EXERCISE.check("prediction")(*EXERCISE.answers("prediction", noise="higher"))


def test_the_references_are_those_of_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    Z, labels = torch.randn(40, 5, generator=generator).double() + 1, torch.randint(4, (40,), generator=generator)
    for mine, theirs in zip(linear_probe._ridge(Z, labels, 3.0, 6), _ridge(Z, labels, 3.0, 6), strict=True):
        torch.testing.assert_close(mine, theirs)
    one, other = (torch.randint(9, (30 + n,), generator=generator) / 4 for n in (0, 7))
    expected = roc_auc_score(np.repeat([0, 1], [30, 37]), torch.cat([one, other]).numpy())
    assert anomaly_scores._auc(one, other) == pytest.approx(expected)


def test_an_autoencoder_whose_pieces_do_not_fit_is_told_so():
    def autoencoder(sizes):
        return nn.Sequential(_layers(sizes, nn.ReLU), _layers([sizes[-1] + 1, sizes[0]], nn.ReLU))

    assert "opposite order" in EXERCISE.outcome("deep", autoencoder=autoencoder)


def test_a_wrong_shape_is_said_of_the_right_part():
    message = EXERCISE.outcome("convolution", conv_encoder=lambda c: _conv(c + 1))
    assert message.startswith("the code should have the shape")
    message = EXERCISE.outcome("codes", interpolate=lambda f, g, a, b, n: a)
    assert message.startswith("the walk should have the shape")
    assert "scores" in EXERCISE.outcome("anomaly", scores=lambda model, x: (model(x) - x).square())


def test_a_convolution_that_does_not_fit_says_where_it_stopped():
    message = EXERCISE.outcome("convolution", conv_encoder=lambda c: nn.Conv2d(3, c, 3))
    assert message.startswith("the code could not be computed from (4, 1, 28, 28): ")


def test_the_cells_of_the_notebook_wait_for_a_model(capsys):
    x = torch.zeros(3, 8)
    assert not ready(..., x, name="section 1", like=x)
    assert capsys.readouterr().out == "This cell waits for section 1.\n"
    model = EXERCISE.defined("deep", solved=True)["autoencoder"]([8, 5, 2])
    assert ready(model, x, name="section 1", like=x)
    assert ready(EXERCISE.defined("deep", solved=True)["loss"], model, x, like=x[0, 0])


def test_no_linear_layer_hides_in_a_convolution_that_keeps_its_shape():
    def hidden(c):
        return nn.Sequential(*_conv(c), nn.Flatten(), nn.Linear(49 * c, 49 * c), nn.Unflatten(1, (c, 7, 7)))

    assert "linear layer" in EXERCISE.outcome("convolution", conv_encoder=hidden)
