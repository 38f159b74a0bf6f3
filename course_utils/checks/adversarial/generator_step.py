"""The check of one step of the generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from course_utils.checks.adversarial.small_players import (
    FROZEN,
    GRAPH,
    draw_game,
    loss_of,
    played,
    refuse_side_effects,
)
from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare, fresh, in_double

__all__ = ["update_generator"]


def _loss(fake_logits: Tensor) -> Tensor:
    return softplus(-fake_logits).mean()


def _step(loss: Tensor, optimizer: Optimizer, discriminator: nn.Module, generator: nn.Module) -> Any:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _of(loss: Answer = _loss, made: Answer = lambda generator, z: generator(z), step: Answer = _step) -> Answer:
    """The update with another loss of the logits, other made samples, or another way to take the step."""

    def update(discriminator: nn.Module, generator: nn.Module, optimizer: Optimizer, z: Tensor) -> Any:
        return step(loss(discriminator(made(generator, z))), optimizer, discriminator, generator)

    return update


def _reference(discriminator: nn.Module, generator: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
    """The step by hand: autograd for the generator's weights alone, then plain gradient descent."""
    weights = list(generator.parameters())
    loss = torch.log1p((-discriminator(generator(z))).exp()).mean()
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
    discriminator.zero_grad()
    value = _step(loss, optimizer, discriminator, generator)
    torch.optim.SGD(discriminator.parameters(), lr=0.1).step()
    return value


def _freezing(loss: Tensor, optimizer: Optimizer, discriminator: nn.Module, generator: nn.Module) -> float:
    value = _step(loss, optimizer, discriminator, generator)
    discriminator.requires_grad_(False)
    return value


def _with_graph(loss: Tensor, *others: Any) -> Tensor:
    _step(loss, *others)
    return loss


_LOSSES = (
    Mistake(
        "saturating",
        "this is the loss of the minimax game, E log(1 − D(G(z))), which saturates where the discriminator wins. Here "
        "it is −E log D(G(z)).",
        _of(lambda logits: -softplus(logits).mean()),
    ),
    Mistake(
        "labels swapped",
        "the label is swapped: this loss is small where the discriminator calls the samples made. The generator wants "
        "them called real.",
        _of(lambda logits: softplus(logits).mean()),
    ),
    Mistake(
        "sigmoid twice",
        "a sigmoid is taken of the logits before the loss, which takes one itself. Hand it the logits.",
        _of(lambda logits: _loss(logits.sigmoid())),
    ),
    Mistake(
        "noise in place of made samples",
        "the discriminator judges the noise z itself: the generator is left out. The made samples are generator(z).",
        _of(made=lambda generator, z: z.clone().requires_grad_()),
    ),
    Mistake(
        "mean of probabilities",
        "the loss is a mean probability, 1 − D(G(z)). The logarithm is missing.",
        _of(lambda logits: 1 - logits.sigmoid().mean()),
    ),
    Mistake(
        "summed",
        "the loss is summed over the batch. Take the mean.",
        _of(lambda logits: softplus(-logits).sum()),
    ),
)
_DETACHED = Mistake(
    "detached",
    "the loss is right, but no gradient reaches the generator, and its weights do not move. The made samples are cut "
    "off from it: here the gradient has to pass through the discriminator into generator(z).",
    _of(made=lambda generator, z: generator(z).detach()),
)
_NO_STEP = Mistake(
    "no step",
    "the loss is right, and its gradient lies in the generator's weights, but they do not move. Is step() called?",
    _of(step=_without_step),
)
_MOVES = (
    Mistake(
        "gradients not zeroed",
        "old gradients are in this step: those that lay in the generator's weights from its last update. Empty them "
        "before backward.",
        _of(step=_without_zeroing),
    ),
    Mistake(
        "uphill",
        "the generator's weights move uphill on its loss: a sign is turned.",
        _of(step=_uphill),
    ),
)
_BOTH_MOVE = Mistake(
    "discriminator moved",
    "the discriminator's weights move as well, towards calling made samples real. In the generator's step they stay "
    "where they are; the gradient only passes through.",
    _of(step=_both_move),
)
_FROZEN = Mistake("discriminator frozen", FROZEN, _of(step=_freezing))
_GRAPH = Mistake("graph returned", GRAPH, _of(step=_with_graph))


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [draw_game(generator) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    step, reference = played(answer, "generator"), played(_reference, "generator")
    losses, moves = (
        [Mistake(m.name, m.message, played(m.make, "generator")) for m in known] for known in (_LOSSES, _MOVES)
    )
    text = "the loss is {got}, and at the weights before the step it is {expected}."
    compare(step, reference, draws, losses, text, loss_of, what="the loss that is returned")
    for seen in (step(*case) for case in draws):
        if torch.equal(seen.weights["generator"], seen.start["generator"]):
            raise Wrong((_NO_STEP if seen.gradients["generator"].any() else _DETACHED).message)
    text = "the loss is right, but after the step the generator's weights are {got}, and should be {expected}."
    compare(step, reference, draws, moves, text, lambda seen: seen.weights["generator"], what="the weights")
    for seen in (step(*case) for case in draws):
        if not torch.equal(seen.weights["discriminator"], seen.start["discriminator"]):
            raise Wrong(_BOTH_MOVE.message)
        refuse_side_effects(seen)


update_generator = Check(
    "update_generator",
    _judge,
    "the generator takes one step down its loss, with a gradient that came through the discriminator.",
    (*_LOSSES, _DETACHED, _NO_STEP, *_MOVES, _BOTH_MOVE, _FROZEN, _GRAPH),
)
