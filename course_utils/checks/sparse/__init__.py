"""Checks of exercise 05: sparse autoencoders; others stand in ``sparsity`` and ``excitation``."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.core import Check, Mistake, call, fresh
from course_utils.checks.core.draws import images_and_encoder, normal
from course_utils.checks.core.parts import Answer, flat_gradient, hold_loss
from course_utils.checks.core.predictions import mistaken, prediction_check
from course_utils.checks.sparse.excitation import best_input
from course_utils.checks.sparse.sparsity import average, divergence, gradient
from course_utils.losses import sparsity_kl, squared_error

__all__ = ["average", "best_input", "divergence", "gradient", "loss", "prediction"]


# 4. The training loss ----------------------------------------------------------------------------------------------

_Weights = tuple[Tensor, Tensor, Tensor, Tensor]


def _loss(x: Tensor, weights: _Weights, rho: float, beta: float, *, mistake: str = "") -> Tensor:
    """Squared error plus β times the penalty, with one of the usual mistakes or none."""
    W, b, V, c = weights
    h = linear(x, W, b).sigmoid()
    error = squared_error(linear(h, V, c), x)
    rho_hat = h.mean(0)
    if mistake == "penalty detached":
        rho_hat = rho_hat.detach()
    if mistake == "code detached":
        error = squared_error(linear(h.detach(), V, c), x)
    penalty = sparsity_kl(rho, rho_hat)
    if mistake == "image by image":
        penalty = torch.stack([sparsity_kl(rho, row) for row in h]).mean()
    if mistake == "averages over the units":
        penalty = sparsity_kl(rho, h.mean(1))
    if mistake == "averaged over the units":
        penalty = penalty / h.shape[1]
    if mistake == "divided by the batch":
        penalty = penalty / len(x)
    if mistake == "averaged over the pixels":
        error = error / x.shape[1]
    if mistake == "summed over the batch":
        error = error * len(x)
    if mistake == "beta on the error":
        return beta * error + penalty
    return error if mistake == "no penalty" else error + beta * penalty


_LOSS = {
    name: Mistake(name, message, functools.partial(_loss, mistake=name))
    for name, message in {
        "averaged over the pixels": "the error is averaged over the pixels where it should be summed: β then counts "
        "d_x times as much as it says.",
        "summed over the batch": "the error is summed over the batch; it is the mean over the images that is wanted.",
        "averaged over the units": "the penalty is averaged over the units where it should be summed: nothing will "
        "crash, and the units will not be sparse.",
        "divided by the batch": "the penalty is divided by the number of images; ρ̂ is an average over them already.",
        "image by image": "the penalty is taken image by image and averaged. It asks every unit to be at ρ for every "
        "image, which leaves a code that says nothing; only its average ρ̂ is to be near ρ.",
        "averages over the units": "ρ̂ runs over the wrong axis: these are averages over the units of each image.",
        "beta on the error": "β stands at the wrong term: a larger β would ask for better reconstructions.",
        "no penalty": "the penalty is missing: this is the loss of a plain autoencoder.",
        "penalty detached": "the value is right, but no gradient comes through the penalty: it is measured, not "
        "trained. Look for detach, no_grad or item.",
        "code detached": "the value is right, but the error's gradient does not reach the encoder. Look for detach "
        "before the decoder.",
    }.items()
}


def _differentiated(function: Answer) -> Answer:
    """The gradient with respect to all weights of a function that gives a loss."""

    @functools.wraps(function)
    def gradient_of(x: Tensor, weights: _Weights, rho: float, beta: float) -> Tensor:
        W, b, V, c = (weight.clone().requires_grad_() for weight in weights)
        return flat_gradient(call(function, x, (W, b, V, c), rho, beta), (W, b, V, c), "sparse_loss")

    return gradient_of


def _judge_loss(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        x, W, b = images_and_encoder(generator)
        V, c = normal(x.shape[1], len(W), generator=generator), normal(x.shape[1], generator=generator)
        rho, beta = (low + low * float(torch.rand((), generator=generator)) for low in (0.05, 1.5))
        draws.append((x, (W, b, V, c), rho, beta))
    hold_loss(answer, _loss, draws, tuple(_LOSS.values()), _differentiated)


loss = Check(
    "sparse_loss",
    _judge_loss,
    "value and gradient are right: the error pulls image by image, the penalty at the averages.",
    tuple(_LOSS.values()),
)


# 6. A prediction, held against a run -------------------------------------------------------------------------------

_NAMES = ("averaged_distance", "averaged_error", "shuffled_penalty", "batch_penalty")


def _bars(generator: torch.Generator, n: int = 300, side: int = 4) -> Tensor:
    """Images (n, side²) in which each row and each column is inked with probability .2."""
    present = (torch.rand(n, 2, side, generator=generator, dtype=torch.float64) < 0.2).to(torch.float64)
    return (present[:, 0, :, None] + present[:, 1, None, :]).clamp(max=1).flatten(1)


def _trained(X: Tensor, beta: float, rho: float, generator: torch.Generator, d_h: int = 20) -> _Weights:
    d_x = X.shape[1]
    parts = (normal(d_h, d_x, generator=generator) / d_x**0.5, normal(d_x, d_h, generator=generator) / d_h**0.5)
    W, V = (part.requires_grad_() for part in parts)
    b, c = (torch.zeros(size, dtype=X.dtype, requires_grad=True) for size in (d_h, d_x))
    optimizer = torch.optim.Adam([W, b, V, c], lr=0.03)
    for _ in range(300):
        optimizer.zero_grad()
        _loss(X, (W, b, V, c), rho, beta).backward()
        optimizer.step()
    return W.detach(), b.detach(), V.detach(), c.detach()


def _experiment(generator: torch.Generator, rho: float = 0.1, beta: float = 1.0) -> dict[str, float]:
    """The four ratios that are asked for, measured on data drawn fresh."""
    X, seed = _bars(generator), int(torch.randint(1 << 30, (), generator=generator))
    distances, errors, codes = [], [], []
    for strength in (beta, beta / 20):  # summed over the 20 units, and averaged over them
        W, b, V, c = _trained(X, strength, rho, fresh(seed))
        h = linear(X, W, b).sigmoid()
        distances.append(float((h.mean(0) - rho).abs().mean()))
        errors.append(float(squared_error(linear(h, V, c), X)))
        codes.append(h)
    h = codes[0]
    shuffled = torch.stack([unit[torch.randperm(len(h), generator=generator)] for unit in h.T], dim=1)
    whole = float(sparsity_kl(rho, h.mean(0)))
    parts = [float(sparsity_kl(rho, part.mean(0))) for part in shuffled.split(10)]
    ratios = (
        distances[1] / distances[0],
        errors[1] / errors[0],
        float(sparsity_kl(rho, shuffled.mean(0))) / whole,
        sum(parts) / len(parts) / whole,
    )
    return dict(zip(_NAMES, ratios, strict=True))


_RIGHT = {
    "averaged_distance": "higher",
    "averaged_error": "lower",
    "shuffled_penalty": "same",
    "batch_penalty": "higher",
}
_PREDICTION = {
    "averaged_distance same": "averaged_distance: a mean is the sum divided by the number of units. Where is β now?",
    "averaged_distance lower": "averaged_distance: what is divided by the number of units here, the price of being off "
    "ρ or the distance itself?",
    "averaged_error same": "averaged_error: the two terms of the loss pull against each other. Which of them has been "
    "weakened?",
    "averaged_error higher": "averaged_error: the penalty takes something away from the reconstruction. Is there more "
    "of it now, or less?",
    "shuffled_penalty lower": "shuffled_penalty: which numbers does the penalty see of a unit? Does the order matter?",
    "shuffled_penalty higher": "shuffled_penalty: the code is worthless now, true. Which numbers does the penalty see "
    "of a unit, and does their order matter?",
    "batch_penalty same": "batch_penalty: averages of ten are right on average. But the divergence is a bent function: "
    "what does Jensen's inequality say?",
    "batch_penalty lower": "batch_penalty: the averages of ten scatter around ρ̂, to both sides. Which way does the "
    "divergence bend?",
}
prediction = prediction_check(
    _NAMES,
    _experiment,
    mistaken(_RIGHT, _PREDICTION),
    band=(0.95, 1.05),
    title="Ratios, data drawn fresh",
    digits=".3g",
    quantity="outcome",
)
