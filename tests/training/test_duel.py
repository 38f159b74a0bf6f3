"""The small game in the plane: its steps, what a view shows, and that it ends where it should."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.data import toy
from course_utils.training import duel
from course_utils.training.duel import Game

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def real():
    """(40, 2), on a circle of radius 1.3."""
    return 1.3 * toy.circle(40, seed=3)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


class Along(nn.Module):
    """The logit 3 x₁ + c."""

    def __init__(self, constant):
        super().__init__()
        self.constant = constant

    def forward(self, x):
        return 3 * x[:, :1] + self.constant


def test_a_seed_makes_a_game_and_torchs_generator_is_left_alone(real):
    state = torch.get_rng_state()
    one, same, other = Game(real, seed=1), Game(real, seed=1), Game(real, seed=2)
    for game in (one, same, other):
        game.train(3)
    one.view()
    one.train(2)
    same.train(2)
    assert one.steps == same.steps == 5
    assert torch.equal(weights(one.generator), weights(same.generator)), "looking changes nothing"
    assert not torch.equal(weights(one.generator)[:100], weights(other.generator)[:100])
    assert torch.equal(torch.get_rng_state(), state)


def slopes_of(network):
    return torch.cat([p.grad.flatten() for p in network.parameters()])


def test_a_step_goes_down_the_losses_that_the_docstring_names(real, monkeypatch):
    """The slopes of both, computed apart and in float64; Adam's first step has the length lr against each sign."""
    monkeypatch.setattr(duel, "GAMMA", 3.0)  # so that R1 and R2 count
    game, twin = Game(real, seed=0), Game(real, seed=0)
    before = weights(game.discriminator), weights(game.generator)
    index = torch.randint(40, (duel.BATCH,), generator=twin._random)
    z = 2 * torch.rand(duel.BATCH, 2, generator=twin._random) - 1
    generator, discriminator = twin.generator.double(), twin.discriminator.double()
    x, x_fake = real[index].double(), generator(z.double())

    def penalty(at):
        """E ‖∇ logit‖², point by point."""
        slopes = torch.func.vmap(torch.func.grad(lambda point: discriminator(point[None])[0, 0]))(at)
        return (slopes[:, 0] ** 2 + slopes[:, 1] ** 2).mean()

    pairs = discriminator(x) - discriminator(x_fake.detach())
    (softplus(-pairs).mean() + 1.5 * (penalty(x) + penalty(x_fake.detach()))).backward()
    expected = slopes_of(discriminator).float()
    game.train(1)
    torch.testing.assert_close(slopes_of(game.discriminator), expected, rtol=1e-3, atol=1e-6)

    # The generator answers the discriminator of after the step.
    discriminator.load_state_dict(game.discriminator.state_dict())
    softplus(discriminator(x) - discriminator(x_fake)).mean().backward()
    torch.testing.assert_close(slopes_of(game.generator), slopes_of(generator).float(), rtol=1e-3, atol=1e-6)

    for network, old in zip((game.discriminator, game.generator), before, strict=True):
        slopes = slopes_of(network)
        clear = slopes.abs() > 1e-5
        moved = weights(network) - old
        assert clear.any()
        torch.testing.assert_close(moved[clear], -duel.LR * slopes[clear].sign(), rtol=1e-2, atol=1e-6)


def test_it_trains_where_gradients_are_off(real):
    game = Game(real)
    before = weights(game.generator)
    with torch.no_grad():
        game.train(1)
    assert not torch.equal(weights(game.generator), before)
    assert all(p.requires_grad for p in game.discriminator.parameters())


def test_it_works_on_one_thread_and_gives_the_others_back(real, monkeypatch):
    """The fixture sets the number back."""
    torch.set_num_threads(2)
    game, seen = Game(real), []
    game.generator.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    game.train(1)
    game.view()
    assert (set(seen), torch.get_num_threads()) == ({1}, 2)
    game.real = real[:, :1]  # the discriminator refuses it
    for action in (lambda: game.train(1), game.view):
        with pytest.raises(RuntimeError):
            action()
        assert torch.get_num_threads() == 2, "after an error, too"


def test_a_view_has_the_shapes_it_names(real):
    view = Game(real).view()
    assert [tuple(part.shape) for part in (view.made, view.pulls, view.mesh, view.verdict)] == [
        *((200, 2), (50, 2)),
        *((21, 21, 2), (64, 64)),
    ]
    assert 0 < view.verdict.min() < view.verdict.max() < 1


def test_the_mesh_is_the_latent_square_carried_through_the_generator(real):
    game = Game(real)
    game.generator = nn.Identity()
    view = game.view()
    assert view.mesh[0, 0].tolist() == [-1, -1]
    assert view.mesh[-1, 0].tolist() == [1, -1]
    torch.testing.assert_close(view.mesh[15, 5], torch.tensor([0.5, -0.5]))
    assert view.made.abs().max() <= 1
    assert torch.equal(view.made, game.view().made), "the same noise again"


@pytest.mark.parametrize("constant", [0.0, 7.0])
def test_the_map_and_the_pulls_do_not_feel_a_constant_in_the_logits(constant):
    game = Game(torch.tensor([[1.0, 0.0], [2.0, 0.0]]))
    game.generator, game.discriminator = nn.Identity(), Along(constant)
    view = game.view()
    middle = (1.5 + view.made[:, 0].mean()) / 2  # where D is ½
    across = torch.linspace(-2, 2, 64)
    for row in (0, 30, 63):
        torch.testing.assert_close(view.verdict[row], torch.sigmoid(3 * (across - middle)))

    # −∂/∂x of the mean over the real points of softplus(l_real − l_fake).
    sigmoids = torch.stack([torch.sigmoid(3 * (x - view.made[:50, 0])) for x in (1.0, 2.0)]).mean(0)
    torch.testing.assert_close(view.pulls[:, 0], 3 * sigmoids, rtol=1e-4, atol=1e-6)
    assert view.pulls[:, 1].abs().max() == 0
    assert view.told == 1, "each made point lies at the left of each real one"


def test_told_is_the_share_of_pairs():
    """Made points are uniform between −1 and 1: a real one at 0.5 beats three quarters of them, one at −2 none."""
    for place, share in ((0.5, 0.75), (-2.0, 0.0), (2.0, 1.0)):
        game = Game(torch.tensor([[place, 0.0]]))
        game.generator, game.discriminator = nn.Identity(), Along(0.0)
        assert game.view().told == pytest.approx(share, abs=0.08 if place == 0.5 else 0)


def test_a_ring_is_found_and_kept():
    """All eight eighths of it, and most points near it; later still."""
    game = Game(1.3 * toy.circle(300, noise=0.04, seed=0))
    for _ in range(2):
        game.train(800)
        made = game.view().made
        eighths = ((torch.atan2(made[:, 1], made[:, 0]) + math.pi) / (2 * math.pi) * 8).long().clamp(max=7)
        near = (made.norm(dim=1) - 1.3).abs() < 0.25
        shares = torch.bincount(eighths[near], minlength=8) / len(made)
        assert shares.min() > 0.02
        assert near.float().mean() > 0.75
