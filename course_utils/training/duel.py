"""A small game of a generator and a discriminator in the plane, for explorers: it trains while one looks on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

__all__ = ["Game", "View"]

LIMIT = 2.0  # the plane that a view shows is [−2, 2]²
LATENT_DIM, WIDTH, BATCH = 2, 64, 128
LR, GAMMA, BETAS = 3e-3, 0.05, (0.0, 0.99)
MADE, PULLS, MESH_SIDE, MAP_SIDE = 200, 50, 21, 64


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors this small gain nothing from a second thread, and wait for it on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class View:
    """What can be seen of a game between two steps.

    Attributes:
        made: x_fake of 200 noise vectors that stay the same, shape (200, 2).
        pulls: −∂loss_G/∂x_fake at the first 50 of them, shape (50, 2); the loss of a made point is the mean over its
            pairs with all real points.
        mesh: where the generator carries a grid over the latent square [−1, 1]², shape (21, 21, 2).
        verdict: D(x) on a grid over the plane, rows from low to high x₂, shape (64, 64), in (0, 1). The relativistic
            loss leaves a constant in the logits open; it is set so that the mean logits of the real and of the made
            points lie equally far above and below D = 1/2.
        told: the share of all pairs of one real and one made point in which the real one has the larger logit, in
            [0, 1]; 1/2 is chance.
    """

    made: Tensor
    pulls: Tensor
    mesh: Tensor
    verdict: Tensor
    told: float


class Game:
    """Two small dense networks: the one makes points of the plane out of uniform noise, the other tells them from real.

    The loss is relativistic, on pairs of a real and a made point, with the penalties R1 and R2 (γ = 0.05) at every
    step; Adam has no momentum. So the game converges in place of going round (Huang et al., *The GAN is dead; long
    live the GAN! A modern GAN baseline*, NeurIPS 2024). Weights and noise come from generators of its own: torch's
    stays as it is.

    Attributes:
        real: the data, shape (n, 2); another tensor may be put in its place between two steps.
        steps: done so far.
        generator: maps z (m, 2), uniform in [−1, 1]², to points (m, 2).
        discriminator: maps points (m, 2) to logits (m, 1).
    """

    def __init__(self, real: Tensor, *, seed: int = 0) -> None:
        self.real = real
        self.steps = 0
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.generator, self.discriminator = _network(LATENT_DIM, 2), _network(2, 1)
        self._random = torch.Generator().manual_seed(seed)
        self._shown = _noise(MADE, self._random)
        self._for_generator, self._for_discriminator = (
            torch.optim.Adam(network.parameters(), lr=LR, betas=BETAS, fused=True)
            for network in (self.generator, self.discriminator)
        )

    @_one_thread()
    @torch.enable_grad()
    def train(self, num_steps: int) -> None:
        """Steps of the discriminator and of the generator in turn, each on the same batch of 128 pairs."""
        for _ in range(num_steps):
            x = self.real[torch.randint(len(self.real), (BATCH,), generator=self._random)]
            x_fake = self.generator(_noise(BATCH, self._random))

            # The discriminator: E softplus(−(l_real − l_fake)) + R1 + R2.
            both = torch.cat([x, x_fake.detach()]).requires_grad_(True)
            logits = self.discriminator(both)
            (slopes,) = torch.autograd.grad(logits.sum(), both, create_graph=True)
            penalty = GAMMA / 2 * slopes.square().sum() / BATCH
            loss = softplus(logits[BATCH:] - logits[:BATCH]).mean() + penalty
            self._for_discriminator.zero_grad()
            loss.backward()
            self._for_discriminator.step()

            # The generator: E softplus(−(l_fake − l_real)).
            self.discriminator.requires_grad_(False)
            real_logits = self.discriminator(x)
            loss = softplus(real_logits - self.discriminator(x_fake)).mean()
            self._for_generator.zero_grad()
            loss.backward()
            self._for_generator.step()
            self.discriminator.requires_grad_(True)
            self.steps += 1

    @_one_thread()
    @torch.no_grad()
    def view(self) -> View:
        """What can be seen now; nothing of the game changes."""
        side, across = torch.linspace(-1, 1, MESH_SIDE), torch.linspace(-LIMIT, LIMIT, MAP_SIDE)
        mesh = self.generator(torch.cartesian_prod(side, side)).unflatten(0, (MESH_SIDE, MESH_SIDE))
        made = self.generator(self._shown)
        real_logits, fake_logits = self.discriminator(self.real), self.discriminator(made)
        middle = (real_logits.mean() + fake_logits.mean()) / 2
        x = torch.cartesian_prod(across, across).flip(1)  # the first coordinate runs along a row
        verdict = (self.discriminator(x) - middle).sigmoid().unflatten(0, (MAP_SIDE, MAP_SIDE))[..., 0]
        with torch.enable_grad():
            x_fake = made[:PULLS].clone().requires_grad_(True)
            loss = softplus(real_logits.T - self.discriminator(x_fake)).mean(1).sum()
            (slopes,) = torch.autograd.grad(loss, x_fake)
        return View(made, -slopes, mesh, verdict, (fake_logits < real_logits.T).float().mean().item())


def _network(num_inputs: int, num_outputs: int) -> nn.Sequential:
    """Two hidden layers of 64 smooth units."""
    return nn.Sequential(
        nn.Linear(num_inputs, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, num_outputs)
    )


def _noise(number: int, random: torch.Generator) -> Tensor:
    """z, uniform in the square [−1, 1]², shape (number, 2)."""
    return 2 * torch.rand(number, LATENT_DIM, generator=random) - 1
