"""Checks of exercise 02: the linear autoencoder; those of PCA and of the angles stand in ``pca`` and ``angles``."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.linalg import svdvals
from torch.nn.functional import linear

from course_utils.checks.core import Check, Mistake, Wrong, call, close, fresh, tensor
from course_utils.checks.core.draws import cloud, integer, normal
from course_utils.checks.core.parts import Answer, hold, one_of_two
from course_utils.checks.core.predictions import between, prediction_check
from course_utils.checks.linear_autoencoder.angles import principal_angles
from course_utils.checks.linear_autoencoder.pca import projection, variance

__all__ = ["gradient", "prediction", "principal_angles", "projection", "tied", "variance"]


# 3. A prediction, held against a run -------------------------------------------------------------------------------

_DEEPER_LOWER = (
    "deeper: you expect the extra layers to help. Multiply the four matrices into one: which rank can the product have?"
)
_DEEPER_HIGHER = (
    "deeper: you expect the extra layers to hurt. Are there weights with which they change nothing? "
    "Then the best error cannot be worse."
)
_MIXED = (
    "mixed: the codes do change. Follow one image through both maps, x → M W x → V M⁻¹ M W x: "
    "what is left of M at the end?"
)
_UNCENTRED = (
    "uncentred: with no mean taken away and none added, where do all reconstructions lie? "
    "A plane through the origin has to reach a cloud that lies far from it."
)


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """Errors of the three experiments as multiples of PCA's, with the same k on the same data drawn fresh."""
    X, k = cloud(generator)
    d, centred = X.shape[1], X - X.mean(0)
    floor = svdvals(centred)[k:].square().sum() / len(X)
    sizes = (d, 20, k, 20, d)
    deep = [normal(o, i, generator=generator).div(max(i, o) ** 0.5).requires_grad_() for i, o in pairwise(sizes)]
    optimizer = torch.optim.Adam(deep, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=600)
    for _ in range(600):
        error = (centred @ torch.linalg.multi_dot(deep[::-1]).T - centred).square().sum(1).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
    U = torch.linalg.svd(centred, full_matrices=False).Vh[:k].T
    M = normal(k, k, generator=generator) + 3 * torch.eye(k)
    mixed = (centred @ (M @ U.T).T @ (U @ M.inverse()).T - centred).square().sum(1).mean()
    errors = {"deeper": error, "mixed": mixed, "uncentred": svdvals(X)[k:].square().sum() / len(X)}
    return {name: float(error.detach() / floor) for name, error in errors.items()}


prediction = prediction_check(
    ("deeper", "mixed", "uncentred"),
    _experiment,
    (
        Mistake("depth helps", _DEEPER_LOWER, ("lower", "same", "higher")),
        Mistake("depth hurts", _DEEPER_HIGHER, ("higher", "same", "higher")),
        Mistake("mixing hurts", _MIXED, ("same", "higher", "higher")),
        Mistake("the mean is harmless", _UNCENTRED, ("same", "same", "same")),
    ),
    band=(0.98, 1.02),
    title="Error over PCA's, data drawn fresh",
    choose=between,
)


# 4. The gradient by hand -------------------------------------------------------------------------------------------


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
    for _ in range(3):
        X, k = cloud(generator)
        W, V = (normal(*shape, generator=generator) for shape in ((k, X.shape[1]), (X.shape[1], k)))
        draws.append((X - X.mean(0), W, V))
    for i, name in enumerate(("dW", "dV")):
        text = f"{name} is {{got}}, and autograd finds {{expected}}."
        hold(gradient, _autograd, draws, _GRADIENT, text, one_of_two(i, "dW", "dV"), what=name)


gradient = Check("gradient", _judge_gradient, "autograd finds the same two matrices to the last digits.", _GRADIENT)


# 6. Tied weights ---------------------------------------------------------------------------------------------------


class _Tied(nn.Module):
    """x̂ = Wᵀ W x with one of the usual mistakes, or with none."""

    def __init__(self, d_x: int, k: int, mistake: str = "") -> None:
        super().__init__()
        W = torch.zeros(k, d_x) if mistake == "zeros" else torch.randn(k, d_x) / d_x**0.5
        self.W = W.requires_grad_() if mistake == "plain" else nn.Parameter(W)
        if mistake == "untied":
            self.V = nn.Parameter(W.T.clone())
        if mistake == "bias":
            self.bias = nn.Parameter(torch.zeros(k))
        self.mistake = mistake

    def forward(self, x: Tensor) -> Tensor:
        code = linear(x, self.W, getattr(self, "bias", None))
        if self.mistake == "untied":
            return code @ self.V.T
        return code @ (self.W.detach() if self.mistake == "detached" else self.W)


def _tied(mistake: str) -> Answer:
    return lambda d_x, k: _Tied(d_x, k, mistake)


_TIED = {
    name: Mistake(name, message, _tied(name))
    for name, message in {
        "plain": "the model has no parameters: a plain tensor is not registered, and no optimiser would find it.",
        "untied": "there are two matrices: the decoder has weights of its own, so the two are not tied.",
        "bias": "there are more parameters than one matrix: tied weights without biases are W and nothing else.",
        "zeros": "W starts at zero. The gradient is zero there as well, so training would never leave the place.",
        "detached": "one of the two uses of W passes no gradient: only half of the paths from the loss to W are open.",
    }.items()
}


def _judge_tied(model_class: Answer) -> None:
    generator = fresh()
    n, d, k = integer(5, 9, generator), integer(7, 12, generator), integer(2, 4, generator)
    x = torch.randn(n, d, generator=generator)
    model = call(model_class, d, k)
    if not isinstance(model, nn.Module):
        raise Wrong("TiedAutoencoder should be an nn.Module.")
    x_hat = call(model, x)  # an open gap ends here
    parameters = [p for p in model.parameters() if p.requires_grad]
    if len(parameters) != 1:
        matrices = sum(p.ndim == 2 for p in parameters)
        raise Wrong(_TIED["plain" if not parameters else "untied" if matrices == 2 else "bias"].message)
    W = parameters[0]
    tensor(W, (k, d), "W")
    if not W.any():
        raise Wrong(_TIED["zeros"].message)
    if not close(tensor(x_hat, (n, d), "x̂"), x @ W.T @ W, atol=1e-5):
        raise Wrong("for some x, forward(x) is not Wᵀ W x with the model's own W.")
    loss = (x @ W.T @ W - x).square().sum(1).mean()
    (expected,) = torch.autograd.grad(loss, W)
    model.zero_grad()
    x_hat = model(x)
    if not x_hat.requires_grad:
        raise Wrong("no gradient reaches W at all: forward leaves autograd behind.")
    (x_hat - x).square().sum(1).mean().backward()
    if not close(W.grad, expected, rtol=1e-3, atol=1e-4):
        raise Wrong(_TIED["detached"].message)


tied = Check(
    "TiedAutoencoder",
    _judge_tied,
    "one matrix, used twice, and the gradient flows through both.",
    tuple(_TIED.values()),
)
