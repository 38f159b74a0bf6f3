"""Five wirings of the label in one small conditional game on a ring of eight Gaussians, each played from many starts.

Each of the eight Gaussians is a class. One set of networks is a stack: its weights have a leading dimension with one
entry for each game.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, one_hot, softplus

from course_utils.checks.core import normal, uniform

__all__ = ["NUM_CLASSES", "WIRINGS", "play"]

NUM_CLASSES = 8
WIRINGS = ("matching", "unseen", "real_only", "shifted", "random")
"""The label in a game: what D is shown beside real samples, beside made ones, and in the generator's step.

``"matching"``: everywhere the label that belongs to the sample. ``"unseen"``: D sees no label at all. ``"real_only"``:
made samples are shown without one. ``"shifted"``: made samples are shown with the next label, in both players' steps.
``"random"``: in D's step, made samples are shown with a label drawn by chance; in G's step with the one asked for.
"""

_HIDDEN, _LATENT, _BATCH, _BETA2, _LR, _GAMMA = 32, 2, 64, 0.99, 3e-3, 0.3


def play(generator: torch.Generator, num_steps: int = 200, starts: int = 8) -> Tensor:
    """Play the game in every wiring, each from several starts, one step of D and one of G in turn.

    Args:
        generator: where weights, samples, labels and noise are drawn from.
        num_steps: steps of each player.
        starts: how many times each game is played, with other weights, samples, labels and noise.

    Returns:
        Agreement at the end, the share of made samples whose nearest centre is that of the asked class, in [0, 1]:
        (wirings, starts), float64.
    """
    S = len(WIRINGS)
    G = _stack((_LATENT + NUM_CLASSES, _HIDDEN, _HIDDEN, 2), starts, generator)
    D = _stack((2 + NUM_CLASSES, _HIDDEN, _HIDDEN, 1), starts, generator)
    adam_d, adam_g = _Adam(D), _Adam(G)

    def drawn(*shape: int) -> Tensor:
        return torch.randint(NUM_CLASSES, shape, generator=generator)

    for step in range(num_steps):
        # real samples with their classes, and made ones of the classes asked for; the same in every wiring
        c, y = drawn(starts, _BATCH), drawn(starts, _BATCH)
        x = (_centres()[c] + 0.1 * normal(starts, _BATCH, 2, generator=generator)).repeat(S, 1, 1).requires_grad_()
        z = normal(starts, _BATCH, _LATENT, generator=generator).repeat(S, 1, 1)
        x_fake = _network(G, torch.cat([z, _rows(y).repeat(S, 1, 1)], dim=2))  # (S · starts, n, 2)
        with_real, with_fake, in_g = _shown(c, y, drawn(starts, _BATCH))

        # D's step, with R1, and G's; the rate falls
        real_logits = _network(D, torch.cat([x, with_real], dim=2))
        fake_logits = _network(D, torch.cat([x_fake.detach(), with_fake], dim=2))
        (slope,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
        penalty = _GAMMA / 2 * slope.square().sum(2, keepdim=True)
        lr = _LR * (0.5 + 0.5 * math.cos(math.pi * step / num_steps))
        adam_d.step((softplus(-real_logits) + softplus(fake_logits) + penalty).mean(1).sum(), lr)
        adam_g.step(softplus(-_network(D, torch.cat([x_fake, in_g], dim=2))).mean(1).sum(), lr)

    y = torch.arange(NUM_CLASSES).repeat(50).expand(S * starts, -1)
    z = normal(*y.shape, _LATENT, generator=generator)
    with torch.no_grad():
        nearest = torch.cdist(_network(G, torch.cat([z, _rows(y)], dim=2)), _centres()).argmin(2)
    return (nearest == y).double().mean(1).view(S, starts)


def _shown(c: Tensor, y: Tensor, by_chance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What D is shown beside real samples, beside made ones, and in G's step: (wirings · starts, n, classes) each.

    The order is that of ``WIRINGS``; no label is a row of zeros.
    """
    real, made, chance, none = _rows(c), _rows(y), _rows(by_chance), torch.zeros_like(_rows(c))
    shifted = _rows((y + 1) % NUM_CLASSES)
    return (
        torch.cat([real, none, real, real, real]),
        torch.cat([made, none, none, shifted, chance]),
        torch.cat([made, none, none, shifted, made]),
    )


def _rows(y: Tensor) -> Tensor:
    return one_hot(y, NUM_CLASSES).float()


def _centres() -> Tensor:
    """Of the eight classes, on a circle of radius 2: (8, 2)."""
    angles = torch.arange(NUM_CLASSES) * (2 * math.pi / NUM_CLASSES)
    return 2 * torch.stack([angles.cos(), angles.sin()], dim=1)


def _stack(widths: tuple[int, ...], starts: int, generator: torch.Generator) -> list[Tensor]:
    """Weights and biases of three layers, the same starts for each wiring."""
    stack = []
    for a, b in pairwise(widths):
        weight = normal(starts, a, b, generator=generator) / math.sqrt(a)
        bias = uniform(-1, 1, starts, 1, b, generator=generator) / math.sqrt(a)
        stack += [weight.repeat(len(WIRINGS), 1, 1).requires_grad_(), bias.repeat(len(WIRINGS), 1, 1).requires_grad_()]
    return stack


def _network(stack: list[Tensor], x: Tensor) -> Tensor:
    """Three linear layers with leaky ReLUs between them, (S, n, inputs) → (S, n, outputs)."""
    W1, b1, W2, b2, W3, b3 = stack
    return leaky_relu(leaky_relu(x @ W1 + b1, 0.2) @ W2 + b2, 0.2) @ W3 + b3


class _Adam:
    """Adam without momentum on a stack of networks."""

    def __init__(self, stack: list[Tensor]) -> None:
        self.stack, self.steps = stack, 0
        self.squares = [torch.zeros_like(weight) for weight in stack]

    def step(self, loss: Tensor, lr: float) -> None:
        """One step down the gradient of a loss that is summed over the games."""
        self.steps += 1
        gradients = torch.autograd.grad(loss, self.stack)
        with torch.no_grad():
            for weight, square, g in zip(self.stack, self.squares, gradients, strict=True):
                square.mul_(_BETA2).add_((1 - _BETA2) * g.square())
                weight -= lr * g / ((square / (1 - _BETA2**self.steps)).sqrt() + 1e-8)
