"""Checks of exercise 06: contractive autoencoders; those of its Jacobians stand in three modules of their own."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.contractive.hutchinson import hutchinson
from course_utils.checks.contractive.jacobian import jacobian, penalty
from course_utils.checks.contractive.tangents import tangents
from course_utils.checks.core import Check, Mistake, call, fresh
from course_utils.checks.core.draws import images_and_encoder, normal
from course_utils.checks.core.parts import Answer, flat_gradient, hold_loss
from course_utils.checks.core.predictions import mistaken, prediction_check
from course_utils.losses import bernoulli_nll, sigmoid_contraction

__all__ = ["hutchinson", "jacobian", "loss", "penalty", "prediction", "tangents"]


# 3. The training loss ----------------------------------------------------------------------------------------------


def _loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float, *, mistake: str = "") -> Tensor:
    """Cross-entropy plus λ times the penalty, with tied weights, and with one of the usual mistakes or none."""
    h = linear(x, W, b).sigmoid()
    logits = h @ (W.detach() if mistake == "decoder detached" else W) + c
    error = bernoulli_nll(logits.sigmoid() if mistake == "two sigmoids" else logits, x)
    cut_h = mistake in ("h detached", "all detached")
    cut_W = mistake in ("W detached", "all detached")
    contraction = sigmoid_contraction(h.detach() if cut_h else h, W.detach() if cut_W else W)
    if mistake == "lambda on the error":
        return lam * error + contraction
    if mistake == "lambda on both":
        return lam * (error + contraction)
    if mistake == "over pixels":
        return error / x.shape[1] + lam * contraction
    return error if mistake == "no penalty" else error + lam * contraction


_LOSS = {
    name: Mistake(name, message, functools.partial(_loss, mistake=name))
    for name, message in {
        "lambda on the error": "λ stands at the wrong term: a larger λ would ask for better reconstructions.",
        "lambda on both": "λ multiplies both terms, so it changes nothing but the size of the steps.",
        "no penalty": "the penalty is missing: this is the loss of a plain autoencoder.",
        "over pixels": "the reconstruction term is averaged over the pixels, so λ counts d_x times as much as it says.",
        "two sigmoids": "bernoulli_nll wants logits; these have been through a sigmoid already.",
        "all detached": "the value is right, but no gradient comes through the penalty: it is measured, not trained. "
        "Look for detach, no_grad or item.",
        "h detached": "the value is right, but the penalty's gradient does not go through h: training could shrink W, "
        "but not push units to where the sigmoid is flat.",
        "W detached": "the value is right, but the penalty's gradient does not go through the lengths ‖W_j‖: training "
        "could push units to where the sigmoid is flat, but not shrink W.",
        "decoder detached": "the value is right, but the decoder's use of W passes no gradient: with tied weights both "
        "uses train the one matrix.",
    }.items()
}


def _differentiated(function: Answer) -> Answer:
    """The gradient with respect to W, b and c of a function that gives a loss."""

    @functools.wraps(function)
    def gradient(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
        weights = tuple(parameter.clone().requires_grad_() for parameter in (W, b, c))
        return flat_gradient(call(function, x, *weights, lam), weights, "contractive_loss")

    return gradient


def _judge_loss(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        x, W, b = images_and_encoder(generator)
        lam = 1.5 + 2 * float(torch.rand((), generator=generator))
        draws.append((x, W, b, normal(x.shape[1], generator=generator), lam))
    hold_loss(answer, _loss, draws, tuple(_LOSS.values()), _differentiated)


loss = Check(
    "contractive_loss",
    _judge_loss,
    "value and gradient are right: the error pulls at W on two ways, the penalty on two more.",
    tuple(_LOSS.values()),
)


# 4. A prediction, held against a run -------------------------------------------------------------------------------

_NAMES = ("rescaled_loss", "rescaled_movement", "crushed_variance", "faint_noise")


def _toy(generator: torch.Generator, n: int = 200, d_x: int = 8) -> Tensor:
    """Points in (0, 1), most of whose spread lies along two directions."""
    factors = normal(n, 2, generator=generator) @ (2 * normal(2, d_x, generator=generator))
    return torch.sigmoid(factors + 0.3 * normal(n, d_x, generator=generator))


def _code_variance(X: Tensor, lam: float, generator: torch.Generator, d_h: int = 6) -> float:
    """Variance of the codes, summed over the units, after training with tied weights and this λ."""
    d_x = X.shape[1]
    W = (normal(d_h, d_x, generator=generator) / d_x**0.5).requires_grad_()
    b, c = (torch.zeros(size, dtype=X.dtype, requires_grad=True) for size in (d_h, d_x))
    optimizer = torch.optim.Adam([W, b, c], lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        _loss(X, W, b, c, lam).backward()
        optimizer.step()
    return float(linear(X, W, b).sigmoid().var(0).sum().detach())


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """The four ratios that are asked for, measured on data drawn fresh."""
    X, std = _toy(generator), 0.1
    d_x, k = X.shape[1], 3
    W = normal(k, d_x, generator=generator)
    V = torch.linalg.pinv(W)
    noise = std * normal(*X.shape, generator=generator)
    losses, movements = [], []
    for scale in (1, 10):
        encoder, decoder = W / scale, V * scale
        error = (X @ encoder.T @ decoder.T - X).square().sum(1).mean()
        losses.append(float(error + encoder.square().sum()))
        moved = (noise @ encoder.T).square().sum(1).mean()
        movements.append(float(moved / (X @ encoder.T).var(0).sum()))
    variances = [_code_variance(X, lam, fresh(0)) for lam in (0.01, 10.0)]
    b, epsilon = normal(k, generator=generator), normal(100, *X.shape, generator=generator)
    clean, faint = linear(X, W, b).sigmoid(), 1e-3
    moved = (linear(X + faint * epsilon, W, b).sigmoid() - clean).square().sum(-1).mean()
    ratios = (
        losses[1] / losses[0],
        movements[1] / movements[0],
        variances[1] / variances[0],
        float(moved / (faint**2 * sigmoid_contraction(clean, W))),
    )
    return dict(zip(_NAMES, ratios, strict=True))


_RIGHT = {"rescaled_loss": "lower", "rescaled_movement": "same", "crushed_variance": "lower", "faint_noise": "same"}
_PREDICTION = {
    "rescaled_loss same": "rescaled_loss: in one of the two terms the factors do cancel. Is there a V in the other?",
    "rescaled_loss higher": "rescaled_loss: write down both terms for W / 10 and 10 V. Where does the 10 stay?",
    "rescaled_movement lower": "rescaled_movement: the codes do move a tenth as far. How far apart are the codes of "
    "different images now?",
    "rescaled_movement higher": "rescaled_movement: the codes of different images have drawn together, yes. And their "
    "movement under the noise?",
    "crushed_variance same": "crushed_variance: when the penalty is all that counts, which encoder is best? What can "
    "its codes tell about their images?",
    "crushed_variance higher": "crushed_variance: a code that differs from image to image has to move on the way from "
    "one to the other. What would that cost here?",
    "faint_noise lower": "faint_noise: the noise is so faint that f is a straight line over its range. Write the "
    "movement as J ε and take the mean of its square.",
    "faint_noise higher": "faint_noise: by how much does curvature count when σ is 0.001? Write the movement as σ J ε "
    "and take the mean of its square.",
}
prediction = prediction_check(
    _NAMES,
    _experiment,
    mistaken(_RIGHT, _PREDICTION),
    band=(0.9, 1.1),
    title="Ratios, data drawn fresh",
    digits=".3g",
    quantity="outcome",
)
