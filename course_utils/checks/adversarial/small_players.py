"""A small game for the checks of the two update steps: two networks of given weights, and what a step does to them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from course_utils.checks.core import Answer, Wrong, call, normal, number

__all__ = ["FROZEN", "GRAPH", "Seen", "draw_game", "loss_of", "played", "refuse_side_effects"]

_D, _HIDDEN, _RATE = 3, 5, 0.3  # the noise has as many dimensions as a sample, so that a mix-up runs
Player = Literal["discriminator", "generator"]

FROZEN = (
    "the other player's weights no longer ask for a gradient, so its next update fails. Turn requires_grad on again."
)
GRAPH = "the loss comes back with its graph, and a list of such losses keeps every step in memory: return loss.item()."


@dataclass(frozen=True)
class Seen:
    """What is seen of a game after one step.

    Attributes:
        loss: what the step returned.
        weights: of each player, all weights in one row.
        start: of each player, the weights before the step.
        gradients: of each player, all gradients that are left in its weights, in one row; 0 where there is none.
        left: of each player, the gradients that lay there before the step.
        frozen: whether some weight no longer asks for a gradient.
        modes: whether both players are still in training mode.
    """

    loss: Any
    weights: dict[Player, Tensor]
    start: dict[Player, Tensor]
    gradients: dict[Player, Tensor]
    left: dict[Player, Tensor]
    frozen: bool
    modes: bool


def draw_game(generator: torch.Generator) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Real samples x (n, 3), noise z (n, 3), and weights of both players with gradients left over from before."""
    n = int(torch.randint(6, 10, (), generator=generator))
    shapes = [tuple(weight.shape) for player in _networks() for weight in player.parameters()]
    weights = [normal(*shape, generator=generator) / (1.0 if len(shape) == 1 else 1.5) for shape in shapes]
    gradients = [normal(*shape, generator=generator) for shape in shapes]
    x, z = normal(n, _D, generator=generator) + 1, normal(n, _D, generator=generator)
    return x, z, [*weights, *gradients]


def played(answer: Answer, player: Player) -> Answer:
    """The answer's step in a game that is set up from tensors: a function of (x, z, weights) that gives :class:`Seen`.

    Args:
        answer: ``update_discriminator`` or ``update_generator``.
        player: whose weights the optimiser holds, and whose step it is.
    """
    if not callable(answer):
        return answer

    @functools.wraps(answer)
    def step(x: Tensor, z: Tensor, weights: list[Tensor]) -> Seen:
        discriminator, generator = _set_up(weights)
        players: dict[Player, nn.Module] = {"discriminator": discriminator, "generator": generator}
        start = {name: _row(list(network.parameters())) for name, network in players.items()}
        left = {name: _gradients(network) for name, network in players.items()}
        optimizer = torch.optim.SGD(players[player].parameters(), lr=_RATE)

        @functools.wraps(answer)
        def of_tensors(*tensors: Tensor) -> Any:
            return answer(discriminator, generator, optimizer, *tensors)

        loss = call(of_tensors, *((x, z) if player == "discriminator" else (z,)), overwritten=_OVERWRITTEN)
        return Seen(
            loss,
            {name: _row(list(network.parameters())) for name, network in players.items()},
            start,
            {name: _gradients(network) for name, network in players.items()},
            left,
            not all(weight.requires_grad for network in players.values() for weight in network.parameters()),
            all(module.training for network in players.values() for module in network.modules()),
        )

    return step


_OVERWRITTEN = "the samples or the noise that were handed in are changed: work on new tensors."


def loss_of(seen: Any) -> float:
    """The loss as a number; a :class:`Wrong` if it is none."""
    return number(seen.loss, "the loss that is returned")


def refuse_side_effects(seen: Seen) -> None:
    """A :class:`Wrong` for what would spoil later steps: frozen weights, another mode, a graph that is kept."""
    if seen.frozen:
        raise Wrong(FROZEN)
    if not seen.modes:
        raise Wrong("a network is left in eval mode; that is for the caller to choose.")
    if isinstance(seen.loss, Tensor) and seen.loss.requires_grad:
        raise Wrong(GRAPH)


def _networks() -> tuple[nn.Module, nn.Module]:
    def network(outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(_D, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, outputs))

    return network(1), network(_D)


def _set_up(weights: list[Tensor]) -> tuple[nn.Module, nn.Module]:
    """Discriminator and generator with these weights and gradients, in their dtype."""
    players = _networks()
    parameters = [weight for player in players for weight in player.to(weights[0]).parameters()]
    half = len(parameters)
    with torch.no_grad():
        for parameter, value, gradient in zip(parameters, weights[:half], weights[half:], strict=True):
            parameter.copy_(value)
            parameter.grad = gradient.clone()
    return players


def _row(tensors: list[Any]) -> Tensor:
    return torch.cat([tensor.detach().clone().flatten() for tensor in tensors])


def _gradients(network: nn.Module) -> Tensor:
    weights = list(network.parameters())
    return _row([torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights])
