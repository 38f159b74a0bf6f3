"""The check of the relativistic losses, which look at pairs of one real and one made sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    compare,
    flat_gradient,
    fresh,
    in_double,
    integer,
    kind_of,
    normal,
    one_of_two,
)

__all__ = ["relativistic_losses"]

Losses = tuple[Tensor, Tensor]


def _reference(real_logits: Tensor, fake_logits: Tensor) -> Losses:
    """−E log of the sigmoid of the differences, real minus made for D and made minus real for G."""
    difference = (real_logits - fake_logits).flatten()
    return -logsigmoid(difference).sum() / len(difference), -logsigmoid(-difference).sum() / len(difference)


def _of(change: Answer = lambda real, fake: (real, fake), factor: Answer = lambda real: 1.0) -> Answer:
    """Both losses times a factor, of logits that were changed before."""

    def losses(real_logits: Tensor, fake_logits: Tensor) -> Losses:
        loss_d, loss_g = _reference(*change(real_logits, fake_logits))
        return factor(real_logits) * loss_d, factor(real_logits) * loss_g

    return losses


def _all_pairs(real_logits: Tensor, fake_logits: Tensor) -> Losses:
    difference = real_logits - fake_logits.flatten()  # (n, n)
    return softplus(-difference).mean(), softplus(difference).mean()


def _against_the_mean(real: Tensor, fake: Tensor) -> Losses:
    """Each sample against the mean logit of the other kind: the relativistic average."""
    loss_d = softplus(fake.mean() - real).mean() + softplus(fake - real.mean()).mean()
    loss_g = softplus(real - fake.mean()).mean() + softplus(real.mean() - fake).mean()
    return loss_d, loss_g


_PAIRS = (
    Mistake("swapped", "the two losses have changed places: loss_d comes first.", lambda r, f: _reference(f, r)),
    Mistake(
        "mean before softplus",
        "the means of the logits are taken first, and then one softplus. Each pair has a softplus of its own, and the "
        "mean comes last.",
        _of(lambda real, fake: (real.mean()[None], fake.mean()[None])),
    ),
    Mistake(
        "all pairs",
        "every real sample is compared with every made one, n² pairs. A shape (n, 1) minus a shape (n,) broadcasts to "
        "(n, n).",
        _all_pairs,
    ),
    Mistake(
        "against the mean",
        "each sample is compared with the mean logit of the other kind. That is the relativistic average loss; here "
        "each real sample is compared with one made sample.",
        _against_the_mean,
    ),
    Mistake(
        "no pairs",
        "these are the losses of section 1, which look at one sample at a time. Here the softplus is of the "
        "difference of two logits.",
        lambda real, fake: (softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()),
    ),
    Mistake(
        "difference of probabilities",
        "the difference is taken of the probabilities. Take it of the logits, which have no bound.",
        _of(lambda real, fake: (real.sigmoid(), fake.sigmoid())),
    ),
    Mistake(
        "summed",
        "the losses are summed over the pairs. Take the mean, so that they do not depend on the batch size.",
        _of(factor=len),
    ),
    Mistake("halved", "both losses are half of what they should be.", _of(factor=lambda real: 0.5)),
    Mistake(
        "one loss twice",
        "both players get the discriminator's loss. The generator wants the difference to go the other way.",
        lambda real, fake: (_reference(real, fake)[0],) * 2,
    ),
    Mistake(
        "minus the discriminator's",
        "the generator gets minus the discriminator's loss, which saturates. It gets a softplus of its own, of the "
        "difference with the opposite sign.",
        lambda real, fake: (_reference(real, fake)[0], -_reference(real, fake)[0]),
    ),
    Mistake(
        "log of the sigmoid",
        "the formula is correct, and at differences of ±200 it gives inf: the sigmoid is rounded to 0 before the "
        "logarithm is taken. Write it with softplus.",
        lambda real, fake: (-(real - fake).sigmoid().log().mean(), -(fake - real).sigmoid().log().mean()),
    ),
)
_DETACHED = Mistake(
    "detached",
    "the values are right, but one of the losses carries no gradient: nobody could learn from it.",
    lambda real, fake: _reference(real.detach(), fake.detach()),
)


def _both(value: Any) -> Tensor:
    """The two losses in one row."""
    parts = [one_of_two(i, "loss_d", "loss_g")(value) for i in (0, 1)]
    for name, part in zip(("loss_d", "loss_g"), parts, strict=True):
        if part.numel() != 1:
            raise Wrong(f"{name} should be one number, and it is {kind_of(part)} of shape {tuple(part.shape)}.")
    return torch.stack([part.reshape(()) for part in parts])


def _gradient(answer: Answer, *, index: int) -> Answer:
    """The gradient of one of the losses: of loss_d in all logits, of loss_g in those of the made samples."""

    def gradient_of(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = real_logits.clone().requires_grad_(), fake_logits.clone().requires_grad_()
        loss = answer(real, fake)[index]
        if not loss.requires_grad:
            raise Wrong(_DETACHED.message)
        return flat_gradient(loss, (fake,) if index else (real, fake), "relativistic_losses")

    return gradient_of


def _draw(generator: torch.Generator, scale: float) -> Losses:
    n = integer(5, 9, generator)
    return scale * normal(n, 1, generator=generator) + 0.7, scale * normal(n, 1, generator=generator) - 0.4


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, scale) for scale in (1.0, 3.0, 1.0)]
    draws[2:] = in_double(draws[2:])
    far = torch.tensor([[100.0], [-100.0], [1.0], [0.5]])
    draws.append((far, -far))
    text = "loss_d and loss_g are {got}, and they should be {expected}."
    compare(answer, _reference, draws, _PAIRS, text, _both, what="the two losses, in one row,")
    text = "the values are right, but a gradient is not: {got} instead of {expected}."
    for index in (0, 1):
        compare(_gradient(answer, index=index), _gradient(_reference, index=index), draws, (), text)


relativistic_losses = Check(
    "relativistic_losses",
    _judge,
    "each real sample is compared with one made sample, and both players look at the same difference.",
    (*_PAIRS, _DETACHED),
)
