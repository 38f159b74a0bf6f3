"""The checks of exercise 05: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, kl_divergence
from torch.nn.functional import linear, logsigmoid, normalize, relu, softplus

from course_utils.checks import sparse
from course_utils.losses import sparsity_kl, squared_error

EXERCISE = gap_cells.Exercise(
    "05_sparse_autoencoders",
    sparse,
    names={
        "average": ("average_activation",),
        "divergence": ("sparsity_penalty",),
        "gradient": ("penalty_gradient",),
        "stable": ("stable_penalty",),
        "loss": ("sparse_loss",),
        "running": ("running_penalty",),
        "best_input": ("best_input",),
        "prediction": ("averaged_distance", "averaged_error", "shuffled_penalty", "batch_penalty"),
    },
    given={
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "linear": linear,
        "logsigmoid": logsigmoid,
        "math": math,
        "squared_error": squared_error,
        "sparsity_penalty": sparsity_kl,
    },
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _codes(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return linear(x, W, b).sigmoid()


def _right_loss(x: Tensor, weights: tuple[Tensor, ...], rho: float, beta: float) -> Tensor:
    W, b, V, c = weights
    h = _codes(x, W, b)
    return squared_error(linear(h, V, c), x) + beta * sparsity_kl(rho, h.mean(0))


def _right_gradient(a: Tensor, rho: float) -> Tensor:
    h = a.sigmoid()
    rho_hat = h.mean(0)
    return ((1 - rho) / (1 - rho_hat) - rho / rho_hat) * h * (1 - h) / len(a)


def _right_stable(a: Tensor, rho: float) -> Tensor:
    log_on, log_off = (softplus(sign * a).neg().logsumexp(0) - math.log(len(a)) for sign in (-1, 1))
    return (rho * (math.log(rho) - log_on) + (1 - rho) * (math.log(1 - rho) - log_off)).sum()


def _right_running(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        new = old + (1 - m) * (h.mean(0) - old)
        slope = (new - rho) / (new * (1 - new))
    return slope @ h.mean(0), new


def _running_with(slope: Any = None, batch: Any = None) -> Any:
    """The running penalty with another slope at the new mean, or another average of the batch."""

    def answer(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
        new = _right_running(old, h, m, rho)[1]
        return ((slope or _slope)(rho, new) * (batch or _mean)(h)).sum(), new

    return answer


def _slope(rho: float, at: Tensor) -> Tensor:
    return -rho / at + (1 - rho) / (1 - at)


def _mean(h: Tensor) -> Tensor:
    return h.mean(0)


UNKNOWN: dict[str, dict[str, Any]] = {
    "average": {
        "of tanh": lambda x, W, b: linear(x, W, b).tanh().mean(0),
        "the median": lambda x, W, b: _codes(x, W, b).median(0).values,
        "the loudest": lambda x, W, b: _codes(x, W, b).amax(0),
        "over one less": lambda x, W, b: _codes(x, W, b).sum(0) / (len(x) - 1),
        "no gradient": lambda x, W, b: _codes(x, W, b).mean(0).detach(),
        "keeps a dimension": lambda x, W, b: _codes(x, W, b).mean(0, keepdim=True),
    },
    "divergence": {
        "squared distance": lambda rho, rho_hat: (rho_hat - rho).square().sum(),
        "symmetric": lambda rho, rho_hat: (sparsity_kl(rho, rho_hat) + sparsity_kl(1 - rho, 1 - rho_hat)) / 3,
        "of the mean unit": lambda rho, rho_hat: sparsity_kl(rho, rho_hat.mean()[None]),
        "absolute values": lambda rho, rho_hat: (rho * (rho / rho_hat).log()).abs().sum(),
        "clamped at .01": lambda rho, rho_hat: sparsity_kl(rho, rho_hat.clamp(0.01, 0.99)),
        "a number": lambda rho, rho_hat: sparsity_kl(rho, rho_hat).item(),
        "no gradient": torch.no_grad()(sparsity_kl),
        "clamped hard": lambda rho, rho_hat: sparsity_kl(rho, rho_hat.clamp(0.3, 0.5)),
    },
    "gradient": {
        "by autograd": lambda a, rho: torch.func.grad(lambda a: sparsity_kl(rho, a.sigmoid().mean(0)))(a),
        "half": lambda a, rho: _right_gradient(a, rho) / 2,
        "of the swapped divergence": lambda a, rho: (
            (a.sigmoid().mean(0) / rho).log() * a.sigmoid() * (1 - a.sigmoid()) / len(a)
        ),
        "one for each unit": lambda a, rho: _right_gradient(a, rho).sum(0),
        "second term negative": lambda a, rho: (
            (-rho / a.sigmoid().mean(0) - (1 - rho) / (1 - a.sigmoid().mean(0)))
            * a.sigmoid()
            * (1 - a.sigmoid())
            / len(a)
        ),
        "sigmoid's slope at h": lambda a, rho: _right_gradient(a, rho) * a.sigmoid(),
    },
    "stable": {
        "of the mean unit": lambda a, rho: _right_stable(a.mean(1, keepdim=True), rho),
        "half": lambda a, rho: _right_stable(a, rho) / 2,
        "swapped": lambda a, rho: sparsity_kl(1 - rho, a.clamp(-30, 30).sigmoid().mean(0)),
        "no gradient": lambda a, rho: _right_stable(a.detach(), rho),
        "a number": lambda a, rho: float(_right_stable(a, rho)),
        "one for each unit": lambda a, rho: torch.stack([_right_stable(one[:, None], rho) for one in a.T]),
        "inputs clamped": lambda a, rho: _right_stable(a.clamp(-50, 50), rho),
    },
    "running": {
        "one result": lambda old, h, m, rho: _right_running(old, h, m, rho)[0],
        "half": lambda old, h, m, rho: (_right_running(old, h, m, rho)[0] / 2, _right_running(old, h, m, rho)[1]),
        "only the first term": _running_with(slope=lambda rho, at: -rho / at),
        "of the last image": _running_with(batch=lambda h: h[-1]),
        "summed batch": _running_with(batch=lambda h: h.sum(0)),
        "a number": lambda old, h, m, rho: (float(_right_running(old, h, m, rho)[0]), old),
    },
    "loss": {
        "penalty subtracted": lambda x, w, rho, beta: 2 * _right_loss(x, w, rho, 0) - _right_loss(x, w, rho, beta),
        "root of the error": lambda x, w, rho, beta: (
            _right_loss(x, w, rho, 0).sqrt() + _right_loss(x, w, rho, beta) - _right_loss(x, w, rho, 0)
        ),
        "linear code": lambda x, w, rho, beta: (
            squared_error(linear(linear(x, w[0], w[1]), w[2], w[3]), x)
            + beta * sparsity_kl(rho, _codes(x, w[0], w[1]).mean(0))
        ),
        "half detached": lambda x, w, rho, beta: (
            (_right_loss(x, w, rho, beta) + _right_loss(x, w, rho, beta).detach()) / 2
        ),
        "a number": lambda x, w, rho, beta: float(_right_loss(x, w, rho, beta).detach()),
        "no gradient": lambda x, w, rho, beta: _right_loss(x, w, rho, beta).detach(),
        "b detached": lambda x, w, rho, beta: _right_loss(x, (w[0], w[1].detach(), w[2], w[3]), rho, beta),
    },
    "best_input": {
        "a stencil": lambda W, R: R * normalize((W > 0).to(W), dim=1),
        "squared weights": lambda W, R: R * normalize(relu(W).square(), dim=1),
        "length squared": lambda W, R: R**2 * normalize(relu(W), dim=1),
        "absolute sum": lambda W, R: R * relu(W) / relu(W).sum(1, keepdim=True),
        "the worst": lambda W, R: R * normalize(relu(-W), dim=1),
        "the first unit alone": lambda W, R: R * normalize(relu(W[:1]), dim=1),
    },
    "prediction": {
        "another word": {"batch_penalty": "equal"},
        "a number": {"averaged_error": 0.3},
        "a list": {"shuffled_penalty": ["same"]},
    },
}


RIGHT: list[tuple[str, Any]] = [
    ("average", lambda x, W, b: torch.sigmoid(x @ W.T + b).sum(0) / len(x)),
    ("average", lambda x, W, b: torch.stack([torch.sigmoid(W @ one + b) for one in x]).mean(0)),
    ("divergence", sparsity_kl),
    (
        "divergence",
        lambda rho, rho_hat: kl_divergence(Bernoulli(torch.full_like(rho_hat, rho)), Bernoulli(rho_hat)).sum(),
    ),
    ("divergence", lambda rho, rho_hat: sum(sparsity_kl(rho, one[None]) for one in rho_hat)),
    ("gradient", _right_gradient),
    ("stable", _right_stable),
    ("stable", lambda a, rho: sum(_right_stable(one[:, None], rho) for one in a.T)),
    ("loss", _right_loss),
    ("running", _right_running),
    ("running", lambda old, h, m, rho: list(_right_running(old, h, m, rho))),
    ("best_input", lambda W, R: R * normalize(relu(W), dim=1)),
    ("best_input", lambda W, R: torch.stack([relu(w) * (R / relu(w).norm()) for w in W])),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE


def test_the_best_input_excites_more_than_any_other_that_is_tried():
    generator = torch.Generator().manual_seed(0)
    W, R = torch.randn(4, 9, generator=generator), 2.0
    best = (EXERCISE.answers("best_input")[0](W, R) * W).sum(1)
    for _ in range(2000):
        x = torch.rand(9, generator=generator)
        assert ((R * x / x.norm()) @ W.T <= best + 1e-5).all()


def test_the_first_of_several_wrong_predictions_is_named():
    message = EXERCISE.outcome("prediction", averaged_error="same", batch_penalty="lower")
    assert message.startswith("averaged_error: ")


def test_the_wrong_axis_is_named_however_it_is_divided():
    def best_input(W, R):
        x = W.clamp(min=0)
        return R * x / x.norm(dim=0, keepdim=True)

    for _ in EXERCISE.times("best_input"):
        assert "along the wrong axis" in EXERCISE.outcome("best_input", best_input)
