"""The check of R1, the penalty on the discriminator's gradient at real samples."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    compare,
    flat_gradient,
    fresh,
    in_double,
    integer,
    normal,
)

__all__ = ["r1_penalty"]


def _reference(discriminator: nn.Module, x: Tensor, gamma: float) -> Tensor:
    """γ/2 · mean of ‖∇_x logit‖², sample by sample with torch.func."""
    weights: dict[str, Tensor] = dict(discriminator.named_parameters())

    def logit(one: Tensor) -> Tensor:
        return functional_call(discriminator, weights, (one[None],)).sum()

    return gamma / 2 * vmap(grad(logit))(x).flatten(1).square().sum(1).mean()


def _slopes(discriminator: nn.Module, x: Tensor, output: Answer = lambda logits: logits.sum()) -> Tensor:
    """The gradient of a sum of outputs in every sample, in rows (n, d_x), differentiable once more."""
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(output(discriminator(x)), x, create_graph=True)[0].flatten(1)


def _of(
    norm: Answer = lambda g: g.square().sum(1).mean(), output: Answer = lambda logits: logits.sum(), factor: float = 0.5
) -> Answer:
    """The penalty with another number made of the slopes, or with slopes of another output."""
    return lambda discriminator, x, gamma: factor * gamma * norm(_slopes(discriminator, x, output))


def _without_graph(discriminator: nn.Module, x: Tensor, gamma: float) -> Tensor:
    x = x.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x)
    return gamma / 2 * slope.flatten(1).square().sum(1).mean()


def _by_backward(discriminator: nn.Module, x: Tensor, gamma: float) -> Tensor:
    x = x.detach().clone().requires_grad_()
    discriminator(x).sum().backward(create_graph=True)
    slope = torch.zeros_like(x) if x.grad is None else x.grad
    return gamma / 2 * slope.flatten(1).square().sum(1).mean()


_PENALTY = (
    Mistake(
        "mean over the pixels",
        "the squares are averaged over the pixels. The squared norm is their sum; only the samples are averaged.",
        _of(lambda g: g.square().mean()),
    ),
    Mistake(
        "summed over the batch",
        "the penalty grows with the number of samples. Sum over the pixels, and take the mean over the samples.",
        _of(lambda g: g.square().sum()),
    ),
    Mistake(
        "of the probability",
        "this is the gradient of the probability D(x). R1 takes that of the logit, which does not fade where D is "
        "sure.",
        _of(output=lambda logits: logits.sigmoid().sum()),
    ),
    Mistake(
        "not squared",
        "the norm is not squared. R1 is the mean of ‖∇‖², without the root.",
        _of(lambda g: g.norm(dim=1).mean()),
    ),
    Mistake(
        "½ forgotten",
        "the penalty is twice as large as it should be: the factor is γ/2.",
        _of(factor=1.0),
    ),
    Mistake(
        "γ forgotten",
        "γ is forgotten: the penalty does not depend on it.",
        lambda discriminator, x, gamma: _reference(discriminator, x, 1.0),
    ),
    Mistake(
        "square of the mean norm",
        "the mean of the norms is taken first, and then squared. Square each norm, and then take the mean.",
        _of(lambda g: g.norm(dim=1).mean().square()),
    ),
    Mistake(
        "square of the mean gradient",
        "the gradients of all samples are averaged before the norm is taken, and they cancel. Each sample has its own "
        "norm.",
        _of(lambda g: g.mean(0).square().sum()),
    ),
    Mistake(
        "gradient of the mean",
        "the mean of the logits was differentiated: each gradient is n times too small, and its square n² times. Take "
        "the sum of the logits.",
        _of(output=lambda logits: logits.mean()),
    ),
    Mistake(
        "distance from 1",
        "this draws the norm towards 1, (‖∇‖ − 1)², as the penalty of Wasserstein GANs does. R1 draws it towards 0.",
        _of(lambda g: (g.norm(dim=1) - 1).square().mean()),
    ),
    Mistake(
        "absolute values",
        "these are absolute values, |g₁| + |g₂| + …. The squared norm is a sum of squares.",
        _of(lambda g: g.abs().sum(1).mean()),
    ),
)
_NO_GRAPH = Mistake(
    "no create_graph",
    "the value is right, but it carries no gradient to the discriminator's weights, so it would change nothing. "
    "Autograd keeps what it needs for a second derivative only when asked: create_graph=True.",
    _without_graph,
)
_LEFT_BEHIND = Mistake(
    "by backward",
    "the penalty is right, but gradients are left in the discriminator's weights, as backward leaves them. Ask "
    "torch.autograd.grad for the gradient in x alone.",
    _by_backward,
)


def _differentiated(function: Answer) -> Answer:
    """The gradient of the penalty in the discriminator's weights, in one row."""

    @functools.wraps(function)
    def gradient_of(discriminator: nn.Module, x: Tensor, gamma: float) -> Tensor:
        value = call(function, discriminator, x, gamma)
        if isinstance(value, Tensor) and not value.requires_grad:
            raise Wrong(_NO_GRAPH.message)
        return flat_gradient(value, tuple(discriminator.parameters()), "r1_penalty")

    return gradient_of


def _draw(generator: torch.Generator, *shape: int) -> tuple[nn.Module, Tensor, float]:
    """A small discriminator whose slope depends on where it is, real samples and a γ; the slopes are not of size 1."""
    n, hidden = integer(4, 7, generator), integer(5, 6, generator)
    d = int(torch.tensor(shape).prod())
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(d, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for weight in discriminator.parameters():
            weight.copy_(0.9 * normal(*weight.shape, generator=generator))
    return discriminator, 0.7 * normal(n, *shape, generator=generator), 0.3 + 4 * integer(1, 3, generator)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, *shape) for shape in ((2,), (6,), (1, 3, 4), (7,))]
    draws[3:] = in_double(draws[3:])
    text = "the penalty is {got}, and γ/2 times the mean of the squared norms is {expected}."
    compare(answer, _reference, draws, _PENALTY, text, what="the penalty")
    if any(weight.grad is not None for discriminator, _, _ in draws for weight in discriminator.parameters()):
        raise Wrong(_LEFT_BEHIND.message)
    text = "the value is right, but its gradient in the weights is not: {got} instead of {expected}."
    compare(_differentiated(answer), _differentiated(_reference), draws, (), text, what="its gradient")


r1_penalty = Check(
    "r1_penalty",
    _judge,
    "value and gradient agree with derivatives taken sample by sample, for rows and for images.",
    (*_PENALTY, _NO_GRAPH, _LEFT_BEHIND),
)
