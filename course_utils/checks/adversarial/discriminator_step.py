"""The check of one step of the discriminator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from course_utils.checks.adversarial.small_players import GRAPH, draw_game, loss_of, played, refuse_side_effects
from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare, fresh, in_double

__all__ = ["update_discriminator"]


def _loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def _made(generator: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    return generator(z).detach()


def _step(loss: Tensor, optimizer: Optimizer, discriminator: nn.Module, generator: nn.Module) -> Any:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _of(loss: Answer = _loss, made: Answer = _made, step: Answer = _step) -> Answer:
    """The update with another loss of the logits, other made samples, or another way to take the step."""

    def update(discriminator: nn.Module, generator: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> Any:
        value = loss(discriminator(x), discriminator(made(generator, x, z)))
        return step(value, optimizer, discriminator, generator)

    return update


def _reference(discriminator: nn.Module, generator: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    """The step by hand: autograd for the discriminator's weights alone, then plain gradient descent."""
    with torch.no_grad():
        x_fake = generator(z)
    weights = list(discriminator.parameters())
    loss = torch.log1p((-discriminator(x)).exp()).mean() + torch.log1p(discriminator(x_fake).exp()).mean()
    with torch.no_grad():
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.sub_(slope, alpha=optimizer.param_groups[0]["lr"])
    return loss.item()


def _without_zeroing(loss: Tensor, optimizer: Optimizer, *_: nn.Module) -> float:
    loss.backward()
    optimizer.step()
    return loss.item()


def _without_step(loss: Tensor, optimizer: Optimizer, *_: nn.Module) -> float:
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


def _uphill(loss: Tensor, optimizer: Optimizer, *_: nn.Module) -> float:
    optimizer.zero_grad()
    (-loss).backward()
    optimizer.step()
    return loss.item()


def _both_move(loss: Tensor, optimizer: Optimizer, discriminator: nn.Module, generator: nn.Module) -> float:
    generator.zero_grad()
    value = _step(loss, optimizer, discriminator, generator)
    torch.optim.SGD(generator.parameters(), lr=0.1).step()
    generator.zero_grad()
    return value


def _with_graph(loss: Tensor, *others: Any) -> Tensor:
    _step(loss, *others)
    return loss


_LOSSES = (
    Mistake(
        "labels swapped",
        "the labels are swapped: this step teaches the discriminator to call made samples real.",
        _of(lambda real, fake: _loss(fake, real)),
    ),
    Mistake(
        "sigmoid twice",
        "a sigmoid is taken of the logits before the loss, which takes one itself. Hand it the logits.",
        _of(lambda real, fake: _loss(real.sigmoid(), fake.sigmoid())),
    ),
    Mistake(
        "images in place of noise",
        "the generator is fed with the real samples x. It makes its samples out of noise: generator(z).",
        _of(made=lambda generator, x, z: generator(x).detach()),
    ),
    Mistake(
        "noise in place of made samples",
        "the discriminator judges the noise z itself. The made samples are generator(z).",
        _of(made=lambda generator, x, z: z),
    ),
    Mistake(
        "real samples alone",
        "only the real samples count in this loss. The made ones are missing.",
        _of(lambda real, fake: softplus(-real).mean()),
    ),
    Mistake(
        "made samples alone",
        "only the made samples count in this loss. The real ones are missing.",
        _of(lambda real, fake: softplus(fake).mean()),
    ),
    Mistake(
        "generator's loss",
        "this is the generator's loss. Here it is the discriminator's turn.",
        _of(lambda real, fake: softplus(-fake).mean()),
    ),
    Mistake(
        "summed",
        "the loss is summed over the batch. Take the mean of each term.",
        _of(lambda real, fake: len(real) * _loss(real, fake)),
    ),
    Mistake(
        "half of the sum",
        "the loss is half of what it should be: the two means are added, and not averaged.",
        _of(lambda real, fake: _loss(real, fake) / 2),
    ),
)
_MOVES = (
    Mistake(
        "gradients not zeroed",
        "old gradients are in this step: those that lay in the discriminator's weights before, where the generator's "
        "update leaves some. Empty them before backward.",
        _of(step=_without_zeroing),
    ),
    Mistake(
        "no step",
        "the loss is right, but the discriminator's weights do not move. Is step() called, and is zero_grad() called "
        "before backward() and not after it?",
        _of(step=_without_step),
    ),
    Mistake(
        "uphill",
        "the discriminator's weights move uphill on its loss: a sign is turned.",
        _of(step=_uphill),
    ),
)
_BOTH_MOVE = Mistake(
    "generator moved",
    "the generator's weights move as well. In the discriminator's step they stay where they are.",
    _of(made=lambda generator, x, z: generator(z), step=_both_move),
)
_NO_DETACH = Mistake(
    "no detach",
    "the discriminator's step is right, but it leaves gradients in the generator's weights: backward went on through "
    "the made samples. Cut them off with detach(), or make them under torch.no_grad().",
    _of(made=lambda generator, x, z: generator(z)),
)
_GRAPH = Mistake("graph returned", GRAPH, _of(step=_with_graph))


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [draw_game(generator) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    step, reference = played(answer, "discriminator"), played(_reference, "discriminator")
    losses, moves = (
        [Mistake(m.name, m.message, played(m.make, "discriminator")) for m in known] for known in (_LOSSES, _MOVES)
    )
    text = "the loss is {got}, and at the weights before the step it is {expected}."
    compare(step, reference, draws, losses, text, loss_of, what="the loss that is returned")
    text = "the loss is right, but after the step the discriminator's weights are {got}, and should be {expected}."
    compare(step, reference, draws, moves, text, lambda seen: seen.weights["discriminator"], what="the weights")
    for case in draws:
        seen = step(*case)
        if not torch.equal(seen.weights["generator"], seen.start["generator"]):
            raise Wrong(_BOTH_MOVE.message)
        gradients = seen.gradients["generator"]
        if gradients.any() and not torch.equal(gradients, seen.left["generator"]):
            raise Wrong(_NO_DETACH.message)
        refuse_side_effects(seen)


update_discriminator = Check(
    "update_discriminator",
    _judge,
    "the discriminator takes one step down its loss, and the generator is as it was.",
    (*_LOSSES, *_MOVES, _BOTH_MOVE, _NO_DETACH, _GRAPH),
)
