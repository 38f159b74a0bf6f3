"""The check of Hutchinson's estimator: its random vectors, its value and the gradient through it."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, equal, nn
from torch.func import jacrev, vjp, vmap
from torch.nn.functional import normalize

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    close,
    compare,
    flat_gradient,
    fresh,
    integer,
    normal,
    tensor,
    uniform,
)

__all__ = ["hutchinson"]

# The vectors: mean 0, variance 1, independent -----------------------------------------------------------------------

_VECTORS = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "mean not 0",
            "draw_vectors: the mean of the numbers is not 0, so E[v vᵀ] has something beside its diagonal, and the "
            "estimate is biased.",
            lambda m, n, d_h: torch.rand(m, n, d_h),
        ),
        Mistake(
            "variance not 1",
            "draw_vectors: the variance of the numbers is not 1, and the estimate is wrong by that factor.",
            lambda m, n, d_h: 2 * torch.rand(m, n, d_h) - 1,
        ),
        Mistake(
            "unit length",
            "draw_vectors: each vector has length 1. Then E[v vᵀ] = I / d_h, and the estimate is d_h times too small.",
            lambda m, n, d_h: normalize(torch.randn(m, n, d_h), dim=-1),
        ),
        Mistake(
            "shared by the batch",
            "draw_vectors: all images get the same vectors. The estimate stays unbiased, but the images' errors "
            "go the same way and no longer average out over the batch.",
            lambda m, n, d_h: torch.randn(m, 1, d_h).expand(m, n, d_h),
        ),
        Mistake(
            "the same each time",
            "draw_vectors: two calls return the same numbers. A training that sees the same vectors at every step "
            "learns to be flat along these alone.",
            lambda m, n, d_h: torch.randn(m, n, d_h, generator=torch.Generator().manual_seed(0)),
        ),
    )
}


def _draw_vectors(m: int, n: int, d_h: int) -> Tensor:
    return torch.randn(m, n, d_h)


def _judge_vectors(draw_vectors: Answer) -> None:
    shape = (200, 40, 5)
    first, second = (tensor(call(draw_vectors, *shape), shape, "what draw_vectors returns") for _ in range(2))
    if not first.is_floating_point():
        raise Wrong(
            "draw_vectors returns whole numbers, of a kind that no derivative can be multiplied by: float them."
        )
    v = first.cpu().double()
    if equal(first, second):
        raise Wrong(_VECTORS["the same each time"].message)
    spread = (v - v.mean()).square().mean()
    together = [float((v - v.mean()).mean(dim).square().mean() * shape[dim] / spread) for dim in range(3)]
    if max(together) > 2:  # 1 for independent numbers
        if together.index(max(together)) == 1:
            raise Wrong(_VECTORS["shared by the batch"].message)
        what = "vectors" if together[0] > together[2] else "units"
        raise Wrong(f"draw_vectors: the numbers of different {what} go together.")
    if min(together) < 0.3:
        raise Wrong("draw_vectors: the numbers cancel out, so that some follow from the others.")
    units = v.flatten(0, 1).T.corrcoef() - torch.eye(5)
    images = v.transpose(0, 1).flatten(1).corrcoef() - torch.eye(40)
    vectors = v.flatten(1).corrcoef() - torch.eye(200)
    for what, correlations, most in (("units", units, 0.15), ("images", images, 0.4), ("vectors", vectors, 0.7)):
        if correlations.abs().max() > most:
            raise Wrong(f"draw_vectors: the numbers of two {what} go together, or against each other.")
    if abs(v.mean()) > 0.05:
        raise Wrong(_VECTORS["mean not 0"].message)
    if close(v.norm(dim=-1), torch.ones(shape[:2])):
        raise Wrong(_VECTORS["unit length"].message)
    if abs(spread - 1) > 0.1:
        raise Wrong(_VECTORS["variance not 1"].message)


# The estimate, and the gradient through it -------------------------------------------------------------------------


def _draw(generator: torch.Generator, fewest: int = 2) -> tuple[nn.Module, Tensor, Tensor]:
    """A small deep encoder, images (n × d_x) and vectors (m × n × d_h), float64; m, n, d_x and d_h all differ."""
    m, n, d_x, d_h = (integer(low, low + 2, generator) for low in (fewest, 12, 8, 5))
    encoder = nn.Sequential(nn.Linear(d_x, 9), nn.Tanh(), nn.Linear(9, d_h))
    for parameter in encoder.parameters():
        parameter.data = normal(*parameter.shape, generator=generator)
    x = uniform(0, 1, n, d_x, generator=generator)
    return encoder, x, normal(m, n, d_h, generator=generator)


def _products(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
    """vᵀJ for each vector and image, from the whole Jacobian: (m, n, d_x)."""
    return torch.einsum("snh,nhx->snx", vectors, vmap(jacrev(encoder))(x))


def _estimate(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
    return _products(encoder, x, vectors).square().sum(-1).mean(0)


_ESTIMATE = (
    Mistake(
        "not squared",
        "hutchinson averages the lengths ‖vᵀJ‖. It is their squares whose mean is ‖J‖²_F.",
        lambda f, x, v: _products(f, x, v).norm(dim=-1).mean(0),
    ),
    Mistake(
        "not divided by the vectors",
        "hutchinson adds the vectors' estimates up; the estimate is their mean.",
        lambda f, x, v: _products(f, x, v).square().sum(-1).sum(0),
    ),
    Mistake(
        "averaged before squaring",
        "hutchinson averages the vectors before it squares. Their products with J then cancel: square first.",
        lambda f, x, v: _products(f, x, v).mean(0).square().sum(-1),
    ),
    Mistake(
        "averaged over the pixels",
        "hutchinson averages over the pixels. A squared norm sums over them.",
        lambda f, x, v: _products(f, x, v).square().mean(-1).mean(0),
    ),
    Mistake(
        "one number",
        "hutchinson returns one number for the batch; asked is one for each image, (n,).",
        lambda f, x, v: _estimate(f, x, v).mean(),
    ),
    Mistake(
        "of the mean over the batch",
        "hutchinson differentiates a mean over the batch, so each image's part comes n times too small and is then "
        "squared. Differentiate the sum: the codes of other images do not depend on this one.",
        lambda f, x, v: _estimate(f, x, v) / len(x) ** 2,
    ),
    Mistake(
        "gradient of the sum",
        "hutchinson does not use its vectors: this is the gradient of Σ h_j, in which the units can cancel.",
        lambda f, x, v: _estimate(f, x, torch.ones_like(v)),
    ),
    Mistake(
        "dead end",
        "the numbers are right, but no gradient passes to the encoder's weights, so no training could lower them. With "
        "torch.autograd.grad that takes create_graph=True.",
        lambda f, x, v: _estimate(f, x, v).detach(),
    ),
)


def _differentiated(function: Answer) -> Answer:
    """The gradient of the summed estimates with respect to all of the encoder's weights, as one vector."""

    @functools.wraps(function)
    def gradient_of(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
        value = call(function, encoder, x, vectors)
        if isinstance(value, Tensor) and not value.requires_grad:
            raise Wrong(_ESTIMATE[-1].message)
        return flat_gradient(value, tuple(encoder.parameters()), "hutchinson")

    return gradient_of


def _judge_hutchinson(draw_vectors: Answer, answer: Answer) -> None:
    _judge_vectors(draw_vectors)
    generator = fresh()
    draws = [*(_draw(generator) for _ in range(3)), _draw(generator, 20)]
    text = "hutchinson gives {got}; from the whole Jacobians and the same vectors follows {expected}."
    compare(answer, _estimate, draws, _ESTIMATE[:-1], text, what="the estimate")
    text = "the numbers are right, but the gradient through them is {got}; that of the estimate is {expected}."
    compare(_differentiated(answer), _differentiated(_estimate), draws, (), text, what="the gradient", rtol=1e-3)


def _by_vjp(encoder: nn.Module, x: Tensor, vectors: Tensor) -> Tensor:
    pull_back = vjp(encoder, x)[1]
    return torch.stack([pull_back(v)[0].square().sum(1) for v in vectors]).mean(0)


hutchinson = Check(
    "draw_vectors or hutchinson",
    _judge_hutchinson,
    "the estimate is what the whole Jacobian gives with the same vectors, and a training can follow its gradient.",
    among((_draw_vectors, _by_vjp), 0, tuple(_VECTORS.values())) + among((_draw_vectors, _by_vjp), 1, _ESTIMATE),
)
