"""A small game on the loop with all that games share: it learns, is stopped, and goes on bit for bit."""

from __future__ import annotations

import math
import signal

import pytest
import torch
from torch import nn

from course_utils.training import (
    Dominance,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    run,
    weight_average,
)

pytestmark = pytest.mark.usefixtures("one_thread")

MEAN, STD = 3.0, 0.5


class Shift(nn.Module):
    """x = scale · z + shift, with a normalisation before it whose statistics a checkpoint has to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.affine = nn.BatchNorm1d(1, affine=False), nn.Linear(1, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.affine(self.norm(z))


class Game:
    """A Gaussian is to be shifted to where the data are; the step is that of a lecture."""

    def __init__(
        self, *, kind="non-saturating", gamma=0.1, rates=(1e-2, 1e-2), patience=9_999, interrupt_at=-1
    ) -> None:
        torch.manual_seed(1)
        self.generator = Shift()
        self.discriminator = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
        self.average = weight_average(self.generator, decay=0.9)
        self.for_generator, self.for_discriminator = (
            torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.99))
            for network, rate in zip((self.generator, self.discriminator), rates, strict=True)
        )
        self.watch = Dominance(patience=patience)
        self.kind, self.gamma, self.interrupt_at = kind, gamma, interrupt_at

    @property
    def trained(self) -> dict:
        names = ("generator", "discriminator", "average", "for_generator", "for_discriminator", "watch")
        return {name: getattr(self, name) for name in names}

    def step(self, x: torch.Tensor, *, number: int) -> dict:
        x_fake = self.generator(torch.randn(len(x), 1))
        real_logits, fake_logits = self.discriminator(x), self.discriminator(x_fake.detach())
        loss_d = discriminator_loss(real_logits, fake_logits, kind=self.kind)
        penalty = gradient_penalty(self.discriminator, x, gamma=self.gamma)
        self.update(self.for_discriminator, loss_d + penalty)
        loss_g = generator_loss(self.discriminator(x_fake), self.discriminator(x), kind=self.kind)
        self.update(self.for_generator, loss_g)
        self.average.update_parameters(self.generator)
        if number == self.interrupt_at:
            signal.raise_signal(signal.SIGINT)
        return {"loss_d": loss_d, "loss_g": loss_g, **self.watch(real_logits, fake_logits)}

    @staticmethod
    def update(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def play(self, num_epochs: int = 3, *, seed: int = 4, n: int = 160, **options):
        x = MEAN + STD * torch.randn(n, 1, generator=torch.Generator().manual_seed(3))
        return run(
            self.step, x, self.trained, num_epochs=num_epochs, batch_size=32, seed=seed, progress=False, **options
        )


def curves(history) -> dict:
    return {name: values.tolist() for name, values in history.as_arrays().items() if name != "seconds"}


def same(one: Game, other: Game) -> bool:
    names = ("generator", "discriminator", "average")
    pairs = [(getattr(one, name).state_dict(), getattr(other, name).state_dict()) for name in names]
    return all(torch.equal(a[key], b[key]) for a, b in pairs for key in a) and one.watch.steps == other.watch.steps


@pytest.mark.parametrize("kind", ["minimax", "non-saturating", "relativistic"])
def test_a_gaussian_is_shifted_to_the_data(kind):
    game = Game(kind=kind)
    modes = []

    def distance() -> float:
        modes.append((game.average.training, game.average.module.norm.training))
        return abs(game.average(torch.randn(1_000, 1)).mean().item() - MEAN)

    history = game.play(30, n=640, metrics={"distance": distance})
    assert history.stopped is None
    assert history.metrics["distance"][0] > 1
    assert history.metrics["distance"][-1] < 0.4
    assert set(history.train_terms) == {"loss_d", "loss_g", "D(x)", "D(G(z))"}
    guesses = math.log(2) * (1 if kind == "relativistic" else 2)
    assert history.train_terms["loss_d"][-1] == pytest.approx(guesses, rel=0.15)
    assert modes == [(False, False)] * 30
    assert game.average.training
    assert game.average.module.norm.training


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    games = [Game() for _ in range(3)]
    one, again, other = (game.play(seed=seed) for game, seed in zip(games, (4, 4, 5), strict=True))
    assert curves(one) == curves(again)
    assert same(games[0], games[1])
    assert curves(one) != curves(other)


@pytest.mark.parametrize("stop", [5, 12])
@pytest.mark.usefixtures("interrupt")
def test_an_interrupted_game_goes_on_bit_for_bit_its_average_and_its_watch_too(tmp_path, stop):
    path = tmp_path / "game.safetensors"
    whole = Game()
    whole.watch.margin = 0.4999  # so that it counts
    expected = whole.play()
    cut = Game(interrupt_at=stop)
    cut.watch.margin = 0.4999
    assert cut.play(checkpoint=path).stopped.startswith(f"interrupted in epoch {stop // 5 + 1}")
    again = Game()
    again.watch.margin = 0.4999
    history = again.play(checkpoint=path)
    assert curves(history) == curves(expected)
    assert same(again, whole)
    assert again.average.n_averaged.item() == 15
    assert again.average.module.norm.num_batches_tracked.dtype == torch.long


def test_a_watch_goes_on_counting_where_the_checkpoint_left_it(tmp_path):
    path = tmp_path / "game.safetensors"
    options = {"gamma": 0.0, "rates": (0.0, 0.1)}
    whole = Game(**options)
    whole.play(6)
    assert whole.watch.steps > 5, "it has won for more than the last epoch"
    Game(**options).play(5, checkpoint=path)
    again = Game(**options)
    again.play(6, checkpoint=path)
    assert again.watch.steps == whole.watch.steps


def test_a_game_that_is_won_for_long_stops_with_a_reason(capsys):
    game = Game(gamma=0.0, rates=(0.0, 0.1), patience=6)
    history = game.play(20, label="a game")
    assert history.stopped.startswith("diverged in epoch ")
    assert "because the discriminator has won 6 steps in a row: D(x) is 0.99" in history.stopped
    out = capsys.readouterr().out
    assert out.startswith("a game: diverged in epoch ")
    assert out.endswith("a smaller learning rate for the discriminator, or a smaller discriminator.\n")
    assert out.count("\n") == 1
    assert len(history.batch_losses) < 100


def test_a_loss_that_is_no_number_stops_the_game(capsys):
    game = Game()
    with torch.no_grad():
        game.generator.affine.bias.fill_(math.nan)
    history = game.play()
    assert history.stopped.startswith("diverged in epoch 1, at step 1, loss_d is nan")
    assert "smaller learning rate" in capsys.readouterr().out
