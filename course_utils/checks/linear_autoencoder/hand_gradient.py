"""Check: the gradient of a linear autoencoder by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, by_hand, cloud, compare, fresh, normal, one_of_two

__all__ = ["gradient"]


def _autograd(X: Tensor, W: Tensor, V: Tensor) -> tuple[Tensor, Tensor]:
    W, V = W.clone().requires_grad_(), V.clone().requires_grad_()
    loss = (X @ W.T @ V.T - X).square().sum(1).mean()
    dW, dV = torch.autograd.grad(loss, (W, V))
    return dW, dV


def _by_hand(X: Tensor, W: Tensor, V: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    scale, residual = 2 * scale / len(X), X @ W.T @ V.T - X
    return scale * V.T @ residual.T @ X, scale * residual.T @ X @ W.T


_GRADIENT = (
    Mistake("no 2", "a factor is missing: the derivative of r² is not r.", lambda X, W, V: _by_hand(X, W, V, 0.5)),
    Mistake(
        "over pixels",
        "the gradient is d_x times too small: the loss is a mean over the images and a sum over the pixels.",
        lambda X, W, V: _by_hand(X, W, V, 1 / X.shape[1]),
    ),
    Mistake(
        "sum over the batch",
        "the gradient grows with the number of images: the loss is their mean.",
        lambda X, W, V: _by_hand(X, W, V, len(X)),
    ),
    Mistake(
        "uphill",
        "the sign is turned round: this is the direction in which the loss falls. Look at your residual.",
        lambda X, W, V: _by_hand(X, W, V, -1.0),
    ),
    Mistake(
        "swapped",
        "the two gradients come in the wrong order: dW first, then dV.",
        lambda X, W, V: _by_hand(X, W, V)[::-1],
    ),
    Mistake(
        "on their sides",
        "each gradient is the transpose of what it should be: dW has the shape of W, dV that of V.",
        lambda X, W, V: tuple(part.T for part in _by_hand(X, W, V)),
    ),
    Mistake(
        "W as the transpose of V",
        "dW is the gradient of a decoder that is Wᵀ. Here V is a matrix of its own: how does the error pass it?",
        lambda X, W, V: (_by_hand(X, W, W.T)[0], _by_hand(X, W, V)[1]),
    ),
)


def _judge_gradient(gradient: Answer) -> None:
    generator = fresh()
    draws = []
    for n in (0, 0, 0, 3):
        X, k = cloud(generator, n=n)
        W, V = (normal(*shape, generator=generator) for shape in ((k, X.shape[1]), (X.shape[1], k)))
        draws.append((X - X.mean(0), W, V))
    for i, name in enumerate(("dW", "dV")):
        text = f"{name} is {{got}}, and autograd finds {{expected}}."
        compare(by_hand(gradient), _autograd, draws, _GRADIENT, text, one_of_two(i, "dW", "dV"), what=name)


gradient = Check("gradient", _judge_gradient, "autograd finds the same two matrices to the last digits.", _GRADIENT)
