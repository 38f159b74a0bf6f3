"""The checks of exercise 06: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, jvp, vjp, vmap
from torch.nn.functional import linear, normalize

from course_utils.checks import contractive
from course_utils.losses import bernoulli_nll, sigmoid_contraction, squared_error

EXERCISE = gap_cells.Exercise(
    "06_contractive_autoencoders",
    contractive,
    names={
        "jacobian": ("jacobian",),
        "penalty": ("contractive_penalty",),
        "loss": ("contractive_loss",),
        "prediction": ("rescaled_loss", "rescaled_movement", "crushed_variance", "faint_noise"),
        "tangents": ("tangents",),
        "hutchinson": ("draw_vectors", "hutchinson"),
    },
    given={
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "linear": linear,
        "sigmoid_contraction": sigmoid_contraction,
        "squared_error": squared_error,
    },
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _jacobians(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    h = _codes(x, W, b)
    return (h * (1 - h))[:, :, None] * W


def _codes(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return linear(x, W, b).sigmoid()


def _right_loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    h = _codes(x, W, b)
    return squared_error(h @ W + c, x) + lam * sigmoid_contraction(h, W) / h.var(0).sum()


def _estimates(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
    pull_back = vjp(encoder, x)[1]
    return torch.stack([pull_back(v)[0].square().sum(1) for v in vectors])


def _forwards(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The Jacobian pixel by pixel, by forward differentiation."""
    columns = []
    for i in range(x.shape[1]):
        towards = torch.zeros_like(x)
        towards[:, i] = 1
        columns.append(jvp(lambda x: _codes(x, W, b), (x,), (towards,))[1])
    return torch.stack(columns, dim=2)


UNKNOWN: dict[str, dict[str, Any]] = {
    "jacobian": {
        "slope squared": lambda x, W, b: (_codes(x, W, b) * (1 - _codes(x, W, b))).square()[:, :, None] * W,
        "of tanh": lambda x, W, b: (1 - linear(x, W, b).tanh().square())[:, :, None] * W,
        "the other half": lambda x, W, b: (1 - _codes(x, W, b))[:, :, None] * W,
        "with the image": lambda x, W, b: _jacobians(x, W, b) * x[:, None, :],
        "the slopes": lambda x, W, b: _codes(x, W, b) * (1 - _codes(x, W, b)),
        "by autograd": lambda x, W, b: vmap(jacrev(lambda one: torch.sigmoid(W @ one + b)))(x),
        "forwards": _forwards,
    },
    "penalty": {
        "one for each image": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)),
        "root of the mean": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)).mean().sqrt(),
        "absolute values": lambda x, W, b: _jacobians(x, W, b).abs().sum((1, 2)).mean(),
        "half": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)).mean() / 2,
        "slopes alone": lambda x, W, b: (_codes(x, W, b) * (1 - _codes(x, W, b))).square().sum(1).mean(),
        "largest singular value": lambda x, W, b: torch.linalg.matrix_norm(_jacobians(x, W, b), 2).square().mean(),
    },
    "loss": {
        "penalty subtracted": lambda x, W, b, c, lam: 2 * _right_loss(x, W, b, c, 0) - _right_loss(x, W, b, c, lam),
        "cross-entropy": lambda x, W, b, c, lam: (
            bernoulli_nll(_codes(x, W, b) @ W + c, x) + _right_loss(x, W, b, c, lam) - _right_loss(x, W, b, c, 0)
        ),
        "root of λ": lambda x, W, b, c, lam: _right_loss(x, W, b, c, lam**0.5),
        "linear code": lambda x, W, b, c, lam: (
            squared_error(linear(x, W, b) @ W + c, x) + _right_loss(x, W, b, c, lam) - _right_loss(x, W, b, c, 0)
        ),
        "variance of the images": lambda x, W, b, c, lam: (
            _right_loss(x, W, b, c, 0) + lam * sigmoid_contraction(_codes(x, W, b), W) / x.var(0).sum()
        ),
        "b detached": lambda x, W, b, c, lam: _right_loss(x, W, b.detach(), c, lam),
        "a number": lambda x, W, b, c, lam: float(_right_loss(x, W, b, c, lam).detach()),
        "no gradient": lambda x, W, b, c, lam: _right_loss(x, W, b, c, lam).detach(),
    },
    "prediction": {
        "another word": {"faint_noise": "equal"},
        "a number": {"rescaled_loss": 0.01},
        "a list": {"rescaled_movement": ["same"]},
    },
    "tangents": {
        "without the first": lambda J, k: torch.linalg.svd(J, full_matrices=False).Vh[:, 1 : k + 1],
        "one too many": lambda J, k: torch.linalg.svd(J, full_matrices=False).Vh[:, : k + 1],
        "through J": lambda J, k: J.mT @ torch.linalg.svd(J, full_matrices=False).U[:, :, :k],
        "orthonormal rows": lambda J, k: torch.linalg.qr(J.mT).Q.mT[:, :k],
        "values": lambda J, k: torch.linalg.svdvals(J)[:, :k],
        "largest to 1": lambda J, k: (lambda V: V / V.abs().amax(-1, keepdim=True))(
            torch.linalg.svd(J, full_matrices=False).Vh[:, :k]
        ),
    },
    "hutchinson": {
        "shared by the units": {"draw_vectors": lambda S, N, d_h: torch.randn(S, N, 1).expand(S, N, d_h)},
        "shared by the vectors": {"draw_vectors": lambda S, N, d_h: torch.randn(1, N, d_h).expand(S, N, d_h)},
        "another shape": {"draw_vectors": lambda S, N, d_h: torch.randn(N, S, d_h)},
        "one image's vectors for all": {"hutchinson": lambda f, x, v: _estimates(f, x, v[:, :1].expand_as(v)).mean(0)},
        "first vector alone": {"hutchinson": lambda f, x, v: _estimates(f, x, v)[0]},
        "median": {"hutchinson": lambda f, x, v: _estimates(f, x, v).median(0).values},
        "one for each vector": {"hutchinson": lambda f, x, v: _estimates(f, x, v)},
        "half a gradient": {
            "hutchinson": lambda f, x, v: (lambda e: (e + e.detach()) / 2)(_estimates(f, x, v).mean(0))
        },
        "squared codes": {"hutchinson": lambda f, x, v: (v * f(x)).sum(-1).square().mean(0)},
    },
}


def _with_autograd(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
    x = x.requires_grad_()
    h, total = encoder(x), torch.zeros(len(x), dtype=x.dtype)
    for v in vectors:
        (product,) = torch.autograd.grad((v * h).sum(), x, create_graph=True)
        total = total + product.square().sum(1)
    return total / len(vectors)


RIGHT: list[tuple[str, Any]] = [
    ("jacobian", {"jacobian": lambda x, W, b: torch.stack([_jacobians(one[None], W, b)[0] for one in x])}),
    ("penalty", {"contractive_penalty": lambda x, W, b: sigmoid_contraction(_codes(x, W, b), W)}),
    (
        "penalty",
        {
            "contractive_penalty": lambda x, W, b: (
                (_codes(x, W, b) * (1 - _codes(x, W, b)) * W.norm(dim=1)).square().sum(1).mean()
            )
        },
    ),
    ("loss", {"contractive_loss": _right_loss}),
    (
        "loss",
        {
            "contractive_loss": lambda x, W, b, c, lam: (
                squared_error(linear(_codes(x, W, b), W.T, c), x)
                + lam * _jacobians(x, W, b).square().sum() / len(x) / _codes(x, W, b).var(0).sum()
            )
        },
    ),
    (
        "loss",
        {
            "contractive_loss": lambda x, W, b, c, lam: (
                _right_loss(x, W, b, c, 0)
                + lam * sigmoid_contraction(_codes(x, W, b), W) / _codes(x, W, b).var(0, correction=0).sum()
            )
        },
    ),
    ("tangents", {"tangents": lambda J, k: -torch.linalg.svd(J).Vh[:, :k]}),
    ("tangents", {"tangents": lambda J, k: torch.linalg.eigh(J.mT @ J).eigenvectors.flip(2)[:, :, :k].mT}),
    (
        "tangents",
        {"tangents": lambda J, k: normalize(torch.linalg.svd(J, full_matrices=False).U[:, :, :k].mT @ J, dim=2)},
    ),
    ("hutchinson", {"draw_vectors": lambda S, N, d_h: 2.0 * torch.randint(0, 2, (S, N, d_h)) - 1}),
    ("hutchinson", {"draw_vectors": lambda S, N, d_h: 12**0.5 * (torch.rand(S, N, d_h) - 0.5)}),
    ("hutchinson", {"hutchinson": _with_autograd}),
    (
        "hutchinson",
        {"hutchinson": lambda f, x, v: vmap(vjp(f, x)[1])(v)[0].square().sum(2).mean(0)},
    ),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


class TestPrediction(gap_cells.PredictionTests):
    exercise = EXERCISE


def test_the_first_of_several_wrong_predictions_is_named():
    message = EXERCISE.outcome("prediction", rescaled_movement="lower", faint_noise="higher")
    assert message.startswith("rescaled_movement: ")


@pytest.mark.parametrize(
    ("what", "draw_vectors"),
    [
        ("the mean", lambda S, N, d_h: torch.randint(0, 2, (S, N, d_h)).double()),
        ("the variance", lambda S, N, d_h: 2 * torch.randn(S, N, d_h)),
        ("the variance", lambda S, N, d_h: torch.randn(S, N, d_h) / d_h**0.5),
        ("two calls", lambda S, N, d_h: torch.ones(S, N, d_h)),
    ],
)
def test_vectors_of_other_kinds_are_told_what_is_wrong_with_them(what, draw_vectors):
    for _ in EXERCISE.times("hutchinson"):
        assert what in EXERCISE.outcome("hutchinson", draw_vectors=draw_vectors)


def test_an_array_in_place_of_a_tensor_is_named():
    assert "NumPy" in EXERCISE.outcome("jacobian", lambda x, W, b: _jacobians(x, W, b).numpy()[:, :, :-1])
    assert "NumPy" in EXERCISE.outcome("tangents", lambda J, k: np.linalg.svd(J.numpy())[2][:, ::-1][:, :k])


def test_building_the_jacobian_is_noticed_however_it_is_built():
    right = {
        "vmap": lambda x, W, b: vmap(jacrev(lambda v: torch.sigmoid(W @ v + b)))(x).square().sum((1, 2)).mean(),
        "all pairs": lambda x, W, b: (
            torch.autograd.functional.jacobian(lambda x: _codes(x, W, b), x).square().sum() / len(x)
        ),
    }
    for answer in right.values():
        assert "entry for each image, unit and pixel" in EXERCISE.outcome("penalty", answer)
