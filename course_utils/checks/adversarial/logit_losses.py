"""The check of the two losses of the game, made of logits, and their large values."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, logsigmoid

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    among,
    compare_loss,
    flat_gradient,
    fresh,
    in_double,
    integer,
    normal,
)

__all__ = ["both_losses"]


def _discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x) − E log(1 − D(G(z))), by the cross-entropy with the labels 1 and 0."""
    real = binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    return real + binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))


def _generator(fake_logits: Tensor) -> Tensor:
    """−E log D(G(z)), by the cross-entropy with the label 1."""
    return binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))


_TWICE = "a sigmoid is taken of the logits before a function that takes one itself. Hand the logits over as they are."
_OVERFLOW = (
    "the formula is correct, and at logits of ±200 it gives inf or nan: the sigmoid is rounded to 0 or 1 before the "
    "logarithm is taken. Write the logarithm of the sigmoid with softplus."
)
_CUT = (
    "a loss at a logit of 200 is about 200 nats, and yours stops at 100: torch cuts the logarithm of a probability "
    "there, and its gradient with it. Stay with the logits."
)
_EPSILON = (
    "a small number is added inside the logarithm. It keeps the loss finite, and makes it too small where the "
    "discriminator is sure and wrong. Stay with the logits."
)
_SUMMED = "the loss is summed over the batch. Take the mean, so that it does not depend on the batch size."

_DISCRIMINATOR = (
    Mistake("sigmoid twice", _TWICE, lambda real, fake: _discriminator(real.sigmoid(), fake.sigmoid())),
    Mistake(
        "labels swapped",
        "the labels are swapped: this rewards a discriminator that calls made samples real. A large logit stands for "
        '"real".',
        lambda real, fake: _discriminator(-real, -fake),
    ),
    Mistake(
        "mean of probabilities",
        "these are mean probabilities, 1 − D(x) + D(G(z)). The value function takes the logarithm first.",
        lambda real, fake: 1 - real.sigmoid().mean() + fake.sigmoid().mean(),
    ),
    Mistake(
        "log of the sigmoid",
        _OVERFLOW,
        lambda real, fake: -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean(),
    ),
    Mistake(
        "cut at 100",
        _CUT,
        lambda real, fake: (
            binary_cross_entropy(real.sigmoid(), torch.ones_like(real))
            + binary_cross_entropy(fake.sigmoid(), torch.zeros_like(fake))
        ),
    ),
    Mistake(
        "ε in the logarithm",
        _EPSILON,
        lambda real, fake: -(real.sigmoid() + 1e-8).log().mean() - (1 - fake.sigmoid() + 1e-8).log().mean(),
    ),
    Mistake("summed", _SUMMED, lambda real, fake: len(real) * _discriminator(real, fake)),
    Mistake(
        "half of the sum",
        "this is half of the loss: the two means are added, and not averaged. With D = ½ everywhere it is 2 log 2.",
        lambda real, fake: _discriminator(real, fake) / 2,
    ),
    Mistake(
        "real samples alone",
        "only the real samples count here. A discriminator that says real to everything would be perfect.",
        lambda real, fake: _generator(real),
    ),
    Mistake(
        "made samples alone",
        "only the made samples count here. A discriminator that says made to everything would be perfect.",
        lambda real, fake: _generator(-fake),
    ),
    Mistake(
        "sign",
        "this is V, which the discriminator makes large. A loss is made small: take minus that.",
        lambda real, fake: -_discriminator(real, fake),
    ),
    Mistake(
        "made logits detached",
        "the value is right, but no gradient passes to the logits of the made samples. Cut off the samples, and not "
        "what the discriminator says of them.",
        lambda real, fake: _discriminator(real, fake.detach()),
    ),
    Mistake(
        "real logits detached",
        "the value is right, but no gradient passes to the logits of the real samples.",
        lambda real, fake: _discriminator(real.detach(), fake),
    ),
)
_GENERATOR = (
    Mistake("sigmoid twice", _TWICE + " This is so in generator_loss.", lambda fake: _generator(fake.sigmoid())),
    Mistake(
        "saturating",
        "this is the loss of the minimax game, E log(1 − D(G(z))). The non-saturating one is −E log D(G(z)).",
        lambda fake: logsigmoid(-fake).mean(),
    ),
    Mistake(
        "label of made samples",
        "generator_loss is small where the discriminator calls the samples made. The generator wants the opposite.",
        lambda fake: _generator(-fake),
    ),
    Mistake(
        "mean of probabilities",
        "generator_loss is a mean probability, 1 − D(G(z)). The logarithm is missing.",
        lambda fake: 1 - fake.sigmoid().mean(),
    ),
    Mistake("log of the sigmoid", "generator_loss: " + _OVERFLOW, lambda fake: -fake.sigmoid().log().mean()),
    Mistake(
        "cut at 100",
        "generator_loss: " + _CUT,
        lambda fake: binary_cross_entropy(fake.sigmoid(), torch.ones_like(fake)),
    ),
    Mistake("ε in the logarithm", "generator_loss: " + _EPSILON, lambda fake: -(fake.sigmoid() + 1e-8).log().mean()),
    Mistake("summed", "generator_loss: " + _SUMMED, lambda fake: len(fake) * _generator(fake)),
    Mistake("halved", "generator_loss is half of what it should be.", lambda fake: _generator(fake) / 2),
    Mistake(
        "sign",
        "generator_loss is E log D(G(z)), which is 0 or less. A loss is made small: take minus that.",
        lambda fake: -_generator(fake),
    ),
)


def _gradient(function: Answer) -> Answer:
    """The gradient of a loss in all the logits that it is handed, in one row."""

    def gradient_of(*logits: Tensor) -> Any:
        leaves = tuple(batch.clone().requires_grad_() for batch in logits)
        return flat_gradient(function(*leaves), leaves, "the loss")

    return gradient_of


def _draw(generator: torch.Generator, scale: float) -> tuple[Tensor, Tensor]:
    """Logits (n, 1) of real and of made samples."""
    n = integer(5, 9, generator)
    return scale * normal(n, 1, generator=generator) + 0.5, scale * normal(n, 1, generator=generator) - 0.3


def _judge(discriminator_loss: Answer, generator_loss: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, scale) for scale in (1.0, 1.0, 3.0)]
    draws[1:2] = in_double(draws[1:2])
    far = torch.tensor([[200.0], [-200.0], [1.0]])
    draws += [(torch.zeros(4, 1), torch.zeros(4, 1)), (far, far.flip(0))]
    compare_loss(discriminator_loss, _discriminator, draws, _DISCRIMINATOR, _gradient)
    compare_loss(generator_loss, _generator, [(fake,) for _, fake in draws], _GENERATOR, _gradient)


both_losses = Check(
    "discriminator_loss or generator_loss",
    _judge,
    "both losses agree with the cross-entropy, at logits of ±200 too, and their gradients do.",
    among((_discriminator, _generator), 0, _DISCRIMINATOR) + among((_discriminator, _generator), 1, _GENERATOR),
)
