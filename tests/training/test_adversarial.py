"""What games share, each by itself: losses and a penalty against known values, averaged weights, the stop."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.errors import InputError
from course_utils.training import (
    Diverged,
    Dominance,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    warm_up,
    weight_average,
)

pytestmark = pytest.mark.usefixtures("one_thread")

REAL, FAKE = torch.tensor([[2.0], [-1.0]]).double(), torch.tensor([[0.5], [3.0]]).double()
KINDS = ("minimax", "non-saturating", "relativistic")


def log1pexp(t: float) -> float:
    return math.log(1 + math.exp(t))


def normals(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def with_batch_norm(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def test_losses_by_hand():
    usual = (log1pexp(-2) + log1pexp(1)) / 2 + (log1pexp(0.5) + log1pexp(3)) / 2
    for kind in ("minimax", "non-saturating"):
        assert discriminator_loss(REAL, FAKE, kind=kind).item() == pytest.approx(usual, rel=1e-12)
    pairs = (log1pexp(-1.5) + log1pexp(4)) / 2
    assert discriminator_loss(REAL, FAKE, kind="relativistic").item() == pytest.approx(pairs, rel=1e-12)
    minimax, saturating = -(log1pexp(0.5) + log1pexp(3)) / 2, (log1pexp(-0.5) + log1pexp(-3)) / 2
    assert generator_loss(FAKE, kind="minimax").item() == pytest.approx(minimax, rel=1e-12)
    assert generator_loss(FAKE).item() == pytest.approx(saturating, rel=1e-12)
    relativistic = (log1pexp(1.5) + log1pexp(-4)) / 2
    assert generator_loss(FAKE, REAL, kind="relativistic").item() == pytest.approx(relativistic, rel=1e-12)


def test_losses_are_cross_entropies_of_the_labels_real_and_made():
    real, fake = normals(7, 1), normals(9, 1, seed=1)
    ones, zeros = torch.ones_like, torch.zeros_like
    entropy = binary_cross_entropy_with_logits(real, ones(real)) + binary_cross_entropy_with_logits(fake, zeros(fake))
    torch.testing.assert_close(discriminator_loss(real, fake), entropy)
    torch.testing.assert_close(generator_loss(fake), binary_cross_entropy_with_logits(fake, ones(fake)))
    torch.testing.assert_close(
        generator_loss(fake, kind="minimax"), -binary_cross_entropy_with_logits(fake, zeros(fake))
    )
    torch.testing.assert_close(
        discriminator_loss(real, fake[:7], kind="relativistic"),
        binary_cross_entropy_with_logits(real - fake[:7], ones(real)),
    )


@pytest.mark.parametrize(("kind", "questions"), [("minimax", 2), ("non-saturating", 2), ("relativistic", 1)])
@pytest.mark.parametrize("shape", [(4, 1), (4,)])
def test_who_guesses_pays_log_2_a_question(kind, questions, shape):
    loss = discriminator_loss(torch.zeros(shape), torch.zeros(shape), kind=kind)
    assert loss.item() == pytest.approx(questions * math.log(2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_logits_stay_finite_and_so_do_their_gradients(kind, size):
    real, fake = (torch.full((3, 1), value, requires_grad=True) for value in (size, -size))
    loss = discriminator_loss(real, fake, kind=kind)
    loss.backward()
    assert loss.isfinite()
    assert (loss.item() > 1e4 - 1) == (size < 0)
    assert real.grad.isfinite().all()
    assert fake.grad.isfinite().all()
    fake.grad = None
    loss = generator_loss(fake, real, kind=kind)
    loss.backward()
    assert loss.isfinite()
    assert fake.grad.isfinite().all()
    saturates = kind == "minimax" if size > 0 else kind != "minimax"  # where D has won; where G has
    assert (fake.grad == 0).all() == saturates


def test_the_gradients_of_the_two_generators_have_the_ratio_of_theory():
    logits = normals(50, 1).mul(3).requires_grad_()
    (minimax,) = torch.autograd.grad(generator_loss(logits, kind="minimax"), logits)
    (other,) = torch.autograd.grad(generator_loss(logits), logits)
    made = logits.detach().sigmoid()
    torch.testing.assert_close(other / minimax, (1 - made) / made, rtol=1e-10, atol=0)
    assert (minimax < 0).all(), "to lower either loss the logit has to rise"


@pytest.mark.parametrize("loss", [discriminator_loss, generator_loss])
def test_a_loss_that_cannot_be_says_why(loss):
    with pytest.raises(InputError, match=r'kind "relative"\. Did you mean "relativistic"\? There are: minimax, non'):
        loss(FAKE, REAL, kind="relative")
    with pytest.raises(InputError, match=r"shapes \(2, 1\) and \(2,\)|shapes \(2,\) and \(2, 1\)"):
        loss(FAKE, REAL[:, 0], kind="relativistic")  # no silent (2, 2)
    with pytest.raises(InputError, match=r"there are none: the logits have the shape \(0, 1\)"):
        loss(FAKE[:0], REAL)


def test_the_relativistic_generator_asks_for_the_real_logits():
    with pytest.raises(InputError, match="give real_logits as well"):
        generator_loss(FAKE, kind="relativistic")


@pytest.mark.parametrize("shape", [(4, 6), (4, 1, 2, 3)])
def test_the_penalty_of_a_line_is_its_slope_squared(shape):
    line = nn.Sequential(nn.Flatten(), nn.Linear(6, 1)).double()
    expected = 0.7 / 2 * line[1].weight.square().sum()
    x = normals(*shape)
    torch.testing.assert_close(gradient_penalty(line, x, gamma=0.7), expected)
    torch.testing.assert_close(gradient_penalty(line, x, gamma=0.7, interval=16), 16 * expected)
    assert gradient_penalty(line, x, gamma=0.0).item() == 0


@pytest.mark.parametrize("shape", [(2, 2), (4,)])
def test_the_penalty_of_a_parabola_by_hand(shape):
    x = torch.tensor([1.0, 2.0, 0.0, 3.0]).reshape(shape)  # the gradient of Σ x² is 2x
    value = gradient_penalty(lambda x: x.reshape(len(x), -1).square().sum(1), x, gamma=3.0)
    assert value.item() == pytest.approx(3 / 2 * 4 * (1 + 4 + 9) / shape[0])


def test_the_penalty_reaches_the_parameters_as_finite_differences_say():
    discriminator, x = network(), normals(5, 2, 3)
    gradient_penalty(discriminator, x, gamma=2.0).backward()
    step, checked = 1e-5, 0
    for parameter in discriminator.parameters():
        for i in range(parameter.numel()):
            values = []
            for sign in (1, -1):
                other = copy.deepcopy(discriminator)
                twin = dict(zip(discriminator.parameters(), other.parameters(), strict=True))[parameter]
                twin.data.view(-1)[i] += sign * step
                values.append(gradient_penalty(other, x, gamma=2.0).item())
            found = parameter.grad.view(-1)[i].item() if parameter.grad is not None else 0.0
            assert found == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-9)
            checked += abs(found) > 1e-3
    assert checked > 10


def test_the_penalty_leaves_x_alone_and_needs_no_gradients_to_be_on():
    discriminator, x = network(), normals(5, 6)
    before, expected = x.clone(), gradient_penalty(discriminator, x)
    with torch.no_grad():
        off = gradient_penalty(discriminator, x)
        assert not torch.is_grad_enabled()
    assert off.requires_grad
    torch.testing.assert_close(off, expected)
    assert not x.requires_grad
    assert x.grad is None
    assert torch.equal(x, before)
    made = x.clone().requires_grad_()
    gradient_penalty(discriminator, 1 * made).backward()
    assert made.grad is None, "the generator gets nothing of it"
    frozen = network().requires_grad_(False)
    torch.testing.assert_close(gradient_penalty(frozen, x), expected.detach())


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (normals(2, 6), {"gamma": -1.0}, "gamma=-1.0 and interval=1; give a weight"),
        (normals(2, 6), {"gamma": math.nan}, "gamma=nan"),
        (normals(2, 6), {"interval": 0}, "interval=0"),
        (normals(0, 6), {}, r"shape \(0, 6\)"),
        (torch.ones(2, 6, dtype=torch.long), {}, "is torch.int64"),
    ],
)
def test_a_penalty_that_cannot_be_says_why(x, options, message):
    with pytest.raises(InputError, match=message):
        gradient_penalty(network(), x, **options)


def test_a_penalty_of_several_logits_is_refused():
    with pytest.raises(InputError, match=r"one logit for each sample; the discriminator made \(4, 3\) of 4 samples"):
        gradient_penalty(nn.Linear(6, 3).double(), normals(4, 6))


def test_averaged_weights_are_the_sum_by_hand():
    model = nn.Linear(1, 1, bias=False)
    average = weight_average(model, decay=0.75)
    for value in (1.0, 5.0, -3.0):
        model.weight.data.fill_(value)
        average.update_parameters(model)
    # the first is copied: 1, then .75 · 1 + .25 · 5 = 2, then .75 · 2 − .25 · 3
    assert average.module.weight.item() == pytest.approx(0.75)
    assert average(torch.tensor([[2.0]])).item() == pytest.approx(1.5)
    assert model.weight.item() == -3


def test_statistics_of_batch_normalisation_are_averaged_and_its_count_survives():
    model = with_batch_norm()
    average = weight_average(model, decay=0.5)
    expected = None
    for seed in range(4):
        model(torch.randn(8, 3, generator=torch.Generator().manual_seed(seed)))
        average.update_parameters(model)
        now = model[1].running_mean.clone()
        expected = now if expected is None else (expected + now) / 2
    torch.testing.assert_close(average.module[1].running_mean, expected)
    assert average.module[1].num_batches_tracked.dtype == torch.long
    average.eval()
    assert not any(module.training for module in average.modules())
    assert model.training
    x = normals(5, 3).float()
    torch.testing.assert_close(average(x)[:1], average(x[:1]))


@pytest.mark.parametrize("decay", [-0.1, 1.0, math.nan])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(InputError, match=f"decay={decay}; give a number from 0"):
        weight_average(nn.Linear(1, 1), decay=decay)


def rates(num_steps: int, **options) -> list[float]:
    """What a step would be taken with, before the first step, the second, …, and after the last."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=8.0)
    schedule = warm_up(optimizer, num_steps, **options)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(num_steps):
        optimizer.step()
        schedule.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_the_rate_grows_along_a_line_and_stays_or_falls_along_half_a_cosine():
    assert rates(6, steps_up=4, hold=1) == [2, 4, 6, 8, 8, 8, 8]
    falling = rates(6, steps_up=1)
    assert falling == pytest.approx([8 * (1 + math.cos(math.pi * t / 6)) / 2 for t in range(7)])
    assert rates(6, steps_up=3) == pytest.approx([falling[0] / 3, falling[1] * 2 / 3, *falling[2:]])
    second_half = [4 + 4 * math.cos(math.pi * t / 4) for t in range(5)]
    assert rates(8, steps_up=1, hold=0.5) == pytest.approx([8, 8, 8, 8, *second_half])


@pytest.mark.parametrize("hold", [-0.1, 1.1, math.nan])
def test_a_share_of_the_steps_outside_its_range_is_refused(hold):
    with pytest.raises(InputError, match=f"hold={hold}; give a share of the steps"):
        rates(5, hold=hold)


@pytest.mark.parametrize(("num_steps", "options"), [(0, {}), (5, {"steps_up": 0})])
def test_a_schedule_of_no_steps_is_refused(num_steps, options):
    with pytest.raises(InputError, match=f"num_steps={num_steps} and steps_up=.*give 1 or more of each"):
        rates(num_steps, **options)


def test_the_watch_counts_steps_in_a_row():
    watch = Dominance(patience=3)
    sure, open_ = (torch.full((4, 1), 9.0), torch.full((4, 1), -9.0)), (torch.full((4,), 9.0), torch.zeros(4))
    for pair, count in ((sure, 1), (sure, 2), (open_, 0), (sure, 1), (sure, 2)):
        watch(*pair)
        assert watch.steps == count
    with pytest.raises(Diverged, match=r"has won 3 steps in a row: D\(x\) is 0.9999 and D\(G\(z\)\) 0.00012\. Try"):
        watch(*sure)
    with pytest.raises(Diverged):
        watch(*sure)


def test_the_watch_returns_mean_probabilities():
    logits = torch.tensor([0.0, math.log(3)], requires_grad=True)
    found = Dominance()(logits, torch.tensor([[-math.log(4)]]))
    assert found == pytest.approx({"D(x)": (1 / 2 + 3 / 4) / 2, "D(G(z))": 1 / 5})
    assert all(isinstance(value, float) for value in found.values())


@pytest.mark.parametrize(("real", "made"), [(4.5, -9.0), (9.0, -4.5), (-9.0, 9.0), (math.nan, math.nan)])
def test_the_watch_wants_both_to_be_told(real, made):
    watch = Dominance(patience=1)  # the sigmoid of 4.5 is .989
    watch(torch.full((3,), real), torch.full((3,), made))
    assert watch.steps == 0
    if real == 4.5:
        with pytest.raises(Diverged):
            Dominance(patience=1, margin=0.02)(torch.full((3,), real), torch.full((3,), made))


@pytest.mark.parametrize("options", [{"patience": 0}, {"margin": 0.0}, {"margin": 0.5}])
def test_a_watch_that_cannot_watch_is_refused(options):
    with pytest.raises(InputError, match="give 1 or more, and a number between 0 and ½"):
        Dominance(**options)
