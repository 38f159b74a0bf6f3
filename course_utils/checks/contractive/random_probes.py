"""The check of Hutchinson's estimator: its probes, its value and the gradient through it."""

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

# The probes: mean 0, variance 1, independent -----------------------------------------------------------------------

_PROBES = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "mean not 0",
            "draw_probes: the mean of the numbers is not 0, so E[v vᵀ] has something beside its diagonal, and the "
            "estimate is biased.",
            lambda S, N, d_h: torch.rand(S, N, d_h),
        ),
        Mistake(
            "variance not 1",
            "draw_probes: the variance of the numbers is not 1, and the estimate is wrong by that factor.",
            lambda S, N, d_h: 2 * torch.rand(S, N, d_h) - 1,
        ),
        Mistake(
            "unit length",
            "draw_probes: each probe has length 1. Then E[v vᵀ] = I / d_h, and the estimate is d_h times too small.",
            lambda S, N, d_h: normalize(torch.randn(S, N, d_h), dim=-1),
        ),
        Mistake(
            "shared by the batch",
            "draw_probes: all images get the same probes. The estimate stays unbiased, but the images' errors "
            "go the same way and no longer average out over the batch.",
            lambda S, N, d_h: torch.randn(S, 1, d_h).expand(S, N, d_h),
        ),
        Mistake(
            "the same each time",
            "draw_probes: two calls return the same numbers. A training that sees the same probes at every step "
            "learns to be flat along these alone.",
            lambda S, N, d_h: torch.randn(S, N, d_h, generator=torch.Generator().manual_seed(0)),
        ),
    )
}


def _draw_probes(S: int, N: int, d_h: int) -> Tensor:
    return torch.randn(S, N, d_h)


def _judge_probes(draw_probes: Answer) -> None:
    shape = (200, 40, 5)
    first, second = (tensor(call(draw_probes, *shape), shape, "what draw_probes returns") for _ in range(2))
    if not first.is_floating_point():
        raise Wrong("draw_probes returns whole numbers, of a kind that no derivative can be multiplied by: float them.")
    v = first.cpu().double()
    if equal(first, second):
        raise Wrong(_PROBES["the same each time"].message)
    spread = (v - v.mean()).square().mean()
    together = [float((v - v.mean()).mean(dim).square().mean() * shape[dim] / spread) for dim in range(3)]
    if max(together) > 2:  # 1 for independent numbers
        if together.index(max(together)) == 1:
            raise Wrong(_PROBES["shared by the batch"].message)
        what = "probes" if together[0] > together[2] else "units"
        raise Wrong(f"draw_probes: the numbers of different {what} go together.")
    if min(together) < 0.3:
        raise Wrong("draw_probes: the numbers cancel out, so that some follow from the others.")
    units = v.flatten(0, 1).T.corrcoef() - torch.eye(5)
    images = v.transpose(0, 1).flatten(1).corrcoef() - torch.eye(40)
    probes = v.flatten(1).corrcoef() - torch.eye(200)
    for what, correlations, most in (("units", units, 0.15), ("images", images, 0.4), ("probes", probes, 0.7)):
        if correlations.abs().max() > most:
            raise Wrong(f"draw_probes: the numbers of two {what} go together, or against each other.")
    if abs(v.mean()) > 0.05:
        raise Wrong(_PROBES["mean not 0"].message)
    if close(v.norm(dim=-1), torch.ones(shape[:2])):
        raise Wrong(_PROBES["unit length"].message)
    if abs(spread - 1) > 0.1:
        raise Wrong(_PROBES["variance not 1"].message)


# The estimate, and the gradient through it -------------------------------------------------------------------------


def _draw(generator: torch.Generator, fewest: int = 2) -> tuple[nn.Module, Tensor, Tensor]:
    """A small deep encoder, images (N × d_x) and probes (S × N × d_h), float64; S, N, d_x and d_h all differ."""
    S, N, d_x, d_h = (integer(low, low + 2, generator) for low in (fewest, 12, 8, 5))
    encoder = nn.Sequential(nn.Linear(d_x, 9), nn.Tanh(), nn.Linear(9, d_h))
    for parameter in encoder.parameters():
        parameter.data = normal(*parameter.shape, generator=generator)
    x = uniform(0, 1, N, d_x, generator=generator)
    return encoder, x, normal(S, N, d_h, generator=generator)


def _products(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
    """vᵀJ for each probe and image, from the whole Jacobian: (S, N, d_x)."""
    return torch.einsum("snh,nhx->snx", probes, vmap(jacrev(encoder))(x))


def _estimate(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
    return _products(encoder, x, probes).square().sum(-1).mean(0)


_ESTIMATE = (
    Mistake(
        "not squared",
        "hutchinson averages the lengths ‖vᵀJ‖. It is their squares whose mean is ‖J‖²_F.",
        lambda f, x, v: _products(f, x, v).norm(dim=-1).mean(0),
    ),
    Mistake(
        "not divided by the probes",
        "hutchinson adds the probes up; the estimate is their mean.",
        lambda f, x, v: _products(f, x, v).square().sum(-1).sum(0),
    ),
    Mistake(
        "averaged before squaring",
        "hutchinson averages the probes before it squares. Their products with J then cancel: square first.",
        lambda f, x, v: _products(f, x, v).mean(0).square().sum(-1),
    ),
    Mistake(
        "averaged over the pixels",
        "hutchinson averages over the pixels. A squared norm sums over them.",
        lambda f, x, v: _products(f, x, v).square().mean(-1).mean(0),
    ),
    Mistake(
        "one number",
        "hutchinson returns one number for the batch; asked is one for each image, (N,).",
        lambda f, x, v: _estimate(f, x, v).mean(),
    ),
    Mistake(
        "of the mean over the batch",
        "hutchinson differentiates a mean over the batch, so each image's part comes N times too small and is then "
        "squared. Differentiate the sum: the codes of other images do not depend on this one.",
        lambda f, x, v: _estimate(f, x, v) / len(x) ** 2,
    ),
    Mistake(
        "gradient of the sum",
        "hutchinson does not use its probes: this is the gradient of Σ h_j, in which the units can cancel.",
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
    def gradient_of(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
        value = call(function, encoder, x, probes)
        if isinstance(value, Tensor) and not value.requires_grad:
            raise Wrong(_ESTIMATE[-1].message)
        return flat_gradient(value, tuple(encoder.parameters()), "hutchinson")

    return gradient_of


def _judge_hutchinson(draw_probes: Answer, answer: Answer) -> None:
    _judge_probes(draw_probes)
    generator = fresh()
    draws = [*(_draw(generator) for _ in range(3)), _draw(generator, 20)]
    text = "hutchinson gives {got}; from the whole Jacobians and the same probes follows {expected}."
    compare(answer, _estimate, draws, _ESTIMATE[:-1], text, what="the estimate")
    text = "the numbers are right, but the gradient through them is {got}; that of the estimate is {expected}."
    compare(_differentiated(answer), _differentiated(_estimate), draws, (), text, what="the gradient", rtol=1e-3)


def _by_vjp(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
    pull_back = vjp(encoder, x)[1]
    return torch.stack([pull_back(v)[0].square().sum(1) for v in probes]).mean(0)


hutchinson = Check(
    "draw_probes or hutchinson",
    _judge_hutchinson,
    "the estimate is what the whole Jacobian gives with the same probes, and a training can follow its gradient.",
    among((_draw_probes, _by_vjp), 0, tuple(_PROBES.values())) + among((_draw_probes, _by_vjp), 1, _ESTIMATE),
)
