"""Four settings of one small game on a ring of eight Gaussians, and all four played side by side, from several starts.

One set of networks is a stack: its weights have a leading dimension with one entry for each game.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, softplus

from course_utils.checks.core import normal, uniform

__all__ = ["GAMES", "Rates", "play"]


@dataclass(frozen=True)
class Rates:
    """What differs between the four games.

    Attributes:
        lr_d: Adam's rate for the discriminator.
        lr_g: Adam's rate for the generator.
        beta1: Adam's momentum, of both.
        gamma: the weight of R1; 0 for none.
    """

    lr_d: float
    lr_g: float
    beta1: float
    gamma: float


GAMES: Mapping[str, Rates] = {
    "a": Rates(lr_d=2e-2, lr_g=2e-2, beta1=0.9, gamma=0.0),
    "b": Rates(lr_d=1e-5, lr_g=2.5e-3, beta1=0.0, gamma=0.0),
    "c": Rates(lr_d=2e-2, lr_g=1e-5, beta1=0.0, gamma=0.0),
    "d": Rates(lr_d=5e-3, lr_g=2.5e-3, beta1=0.0, gamma=0.3),
}
"""The four games by their letters. Reading them is as good as reading the answer."""

_HIDDEN, _LATENT, _BATCH, _BETA2 = 32, 2, 64, 0.99


def play(generator: torch.Generator, num_steps: int = 300, starts: int = 9) -> Tensor:
    """Play all games, each from several starts, one step of D and one of G in turn.

    Args:
        generator: where weights, samples and noise are drawn from.
        num_steps: steps of each player.
        starts: how many times each game is played, with other weights, samples and noise.

    Returns:
        Mean D(x) and mean D(G(z)) of the batch before each step: (games, starts, num_steps, 2).
    """
    # the settings, one entry for each game and start: (S, 1, 1)
    rows = [game for game in GAMES.values() for _ in range(starts)]
    columns = torch.tensor([[game.lr_d, game.lr_g, game.beta1, game.gamma] for game in rows])
    lr_d, lr_g, beta1, gamma = columns.T[:, :, None, None]

    # the same starts for each game, torch's own for G and wider ones for D
    G = _stack((_LATENT, _HIDDEN, _HIDDEN, 2), starts, generator, gain=1 / math.sqrt(3))
    D = _stack((2, _HIDDEN, _HIDDEN, 1), starts, generator, gain=math.sqrt(2))
    adam_d, adam_g = _Adam(D, lr_d, beta1), _Adam(G, lr_g, beta1)

    seen = []
    for _ in range(num_steps):
        x = _ring(starts, _BATCH, generator=generator).repeat(len(GAMES), 1, 1).requires_grad_()  # (S, n, 2)
        z = normal(starts, _BATCH, _LATENT, generator=generator).repeat(len(GAMES), 1, 1)
        x_fake = _network(G, z)
        real_logits, fake_logits = _network(D, x), _network(D, x_fake.detach())
        seen.append(torch.stack([real_logits, fake_logits], dim=-1).detach().sigmoid().mean((1, 2)))
        (slope,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
        penalty = gamma / 2 * slope.square().sum(2, keepdim=True)
        adam_d.step((softplus(-real_logits) + softplus(fake_logits) + penalty).mean(1).sum())
        adam_g.step(softplus(-_network(D, x_fake)).mean(1).sum())
    return torch.stack(seen, dim=1).view(len(GAMES), starts, num_steps, 2)


def _ring(*shape: int, generator: torch.Generator) -> Tensor:
    """Samples (*shape, 2) of eight Gaussians on a circle of radius 2."""
    angles = torch.randint(8, shape, generator=generator) * (math.pi / 4)
    return 2 * torch.stack([angles.cos(), angles.sin()], dim=-1) + 0.1 * normal(*shape, 2, generator=generator)


def _stack(widths: tuple[int, ...], starts: int, generator: torch.Generator, gain: float) -> list[Tensor]:
    """Weights and biases of three layers, the same starts for each game."""
    stack = []
    for a, b in pairwise(widths):
        weight = gain / math.sqrt(a) * normal(starts, a, b, generator=generator)
        bias = uniform(-1, 1, starts, 1, b, generator=generator) / math.sqrt(a)
        stack += [weight.repeat(len(GAMES), 1, 1).requires_grad_(), bias.repeat(len(GAMES), 1, 1).requires_grad_()]
    return stack


def _network(stack: list[Tensor], x: Tensor) -> Tensor:
    """Three linear layers with leaky ReLUs between them, (S, n, inputs) → (S, n, outputs)."""
    W1, b1, W2, b2, W3, b3 = stack
    return leaky_relu(leaky_relu(x @ W1 + b1, 0.2) @ W2 + b2, 0.2) @ W3 + b3


class _Adam:
    """Adam on a stack of networks, with a rate and a momentum (S, 1, 1) for each of them."""

    def __init__(self, stack: list[Tensor], lr: Tensor, beta1: Tensor) -> None:
        self.stack, self.lr, self.beta1, self.steps = stack, lr, beta1, 0
        self.means = [torch.zeros_like(weight) for weight in stack]
        self.squares = [torch.zeros_like(weight) for weight in stack]

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of a loss that is summed over the games."""
        self.steps += 1
        gradients = torch.autograd.grad(loss, self.stack)
        with torch.no_grad():
            for weight, mean, square, g in zip(self.stack, self.means, self.squares, gradients, strict=True):
                mean.mul_(self.beta1).add_((1 - self.beta1) * g)
                square.mul_(_BETA2).add_((1 - _BETA2) * g.square())
                unbiased = mean / (1 - self.beta1**self.steps), square / (1 - _BETA2**self.steps)
                weight -= self.lr * unbiased[0] / (unbiased[1].sqrt() + 1e-8)
