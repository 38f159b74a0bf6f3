"""The usual step: what it computes, records and refuses, and how it stops."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_trainings import SIZE, StopAt, assert_same_history, build, data, linear, loss, same, train
from torch import nn

from course_utils.errors import InputError
from course_utils.losses import squared_error
from course_utils.training import evaluate

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
@pytest.mark.parametrize("clip", [None, 0.5])
def test_fit_is_the_loop_of_the_textbook_bit_for_bit(schedule, clip):
    x, bare = data(), build()
    torch.manual_seed(5)
    order = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    optimizer = torch.optim.Adam(bare.parameters(), lr=1e-2, fused=True)
    steps = 3 * math.ceil(SIZE / 8)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps) if schedule else None
    for _ in range(3):
        permutation = torch.randperm(SIZE, generator=order)
        for i in range(0, SIZE, 8):
            batch = x[permutation[i : i + 8]]
            optimizer.zero_grad()
            ((bare(batch) - batch) ** 2).sum().div(len(batch)).backward()
            if clip:
                nn.utils.clip_grad_norm_(bare.parameters(), clip)
            optimizer.step()
            if cycle:
                cycle.step()
    model = build()
    train(model, schedule=schedule, clip=clip)
    assert same(model, bare)


def test_same_seed_same_bits_and_another_seed_others():
    runs = [build() for _ in range(3)]
    histories = [train(model, seed=seed) for model, seed in zip(runs, (7, 7, 8), strict=True)]
    assert same(runs[0], runs[1])
    assert_same_history(histories[0], histories[1])
    assert not same(runs[0], runs[2])


def test_without_a_seed_it_goes_on_with_torchs_random_numbers():
    runs = [build(seed=3) for _ in range(2)]
    for model in runs:
        torch.manual_seed(11)
        train(model, seed=None)
    assert same(*runs)


def test_validation_and_metrics_do_not_change_the_training():
    plain, watched = build(), build()
    train(plain)
    train(watched, validation=data(20, seed=1), metrics={"draw": lambda model: model(torch.randn(4, 6)).sum()})
    assert same(plain, watched)


def test_an_optimizer_of_ones_own_is_used_and_a_frozen_layer_stays():
    model = build(lambda: nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 6)))
    frozen = model[0].requires_grad_(False).weight.clone()
    before = model[1].weight.detach().clone()
    history = train(model, optimizer=torch.optim.SGD(model[1].parameters(), lr=0.02), num_epochs=1)
    assert torch.equal(model[0].weight, frozen)
    assert not torch.equal(model[1].weight, before)
    assert history.lrs == [0.02, 0.02]


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing():
    lrs = train(build(), schedule="one-cycle", num_epochs=20, lr=0.01).lrs
    top = int(np.argmax(lrs))
    assert lrs[0] == pytest.approx(0.01 / 25)
    assert 0.009 < lrs[top] <= 0.01
    assert lrs[: top + 1] == sorted(lrs[: top + 1])
    assert lrs[top:] == sorted(lrs[top:], reverse=True)
    assert lrs[-1] < 1e-6


def test_modes_train_in_steps_eval_in_validation_restored_afterwards():
    model = build()
    model.train()
    model.norm.eval()
    seen = []

    def watching(model, x):
        seen.append((len(x), model.training, model.norm.training, torch.is_grad_enabled()))
        return loss(model, x)

    measured = []
    train(model, watching, validation=data(3), num_epochs=1, metrics={"m": lambda m: measured.append(m.training) or 0})
    assert (model.training, model.norm.training, model.drop.training) == (True, False, True)
    assert measured == [False, False]
    validations = [(3, False, False, False)]
    point_0 = [(n, False, False, False) for n in (8, 8, 8, 8, 5)]
    steps = [(n, True, True, True) for n in (8, 8, 8, 8, 5)]
    assert seen == point_0 + validations + steps + validations


def test_means_weigh_a_ragged_last_batch_by_its_samples():
    x = data()
    x[:, 0] += torch.arange(SIZE)  # the losses of the samples differ widely
    model = build(linear)
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    history = train(model, x=x, optimizer=still, validation=x, num_epochs=1)
    truth = ((model(x) - x) ** 2).sum(1).mean().item()
    assert history.train == pytest.approx([truth, truth], rel=1e-5)
    assert history.val == pytest.approx([truth, truth], rel=1e-5)
    assert abs(np.mean(history.batch_losses) / truth - 1) > 1e-3, "this data would not tell the difference"


def test_point_0_is_the_untrained_model():
    model, x, held_out = build(), data(), data(11, seed=2)
    expected = evaluate(model, loss, x, batch_size=8), evaluate(model, loss, held_out, batch_size=8)
    history = train(model, validation=held_out, metrics={"bias": lambda m: m.norm.bias.abs().sum()})
    assert history.epochs == [0, 1, 2, 3]
    assert history.steps == [0, 5, 10, 15]
    assert (history.train[0], history.val[0]) == (expected[0]["loss"], expected[1]["loss"])
    assert history.metrics["bias"][0] == 0 < history.metrics["bias"][1]
    assert history.val[-1] == evaluate(model, loss, held_out, batch_size=8)["loss"]


def test_point_0_of_large_data_takes_samples_from_all_of_it():
    x = torch.zeros(5000, 6)
    x[2500:] = 2.0
    model = build(linear)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    history = train(model, x=x, num_epochs=1, batch_size=1000)
    assert history.train[0] == pytest.approx(12.0)  # half of the samples 0, half 6 · 2²


def test_several_tensors_go_to_the_loss_together_and_a_split_gives_its_images():
    x = data()
    seen = []

    def paired(model, inputs, rows):
        seen.append(torch.equal(inputs, x[rows]))
        return squared_error(model(inputs), inputs)

    train(build(linear), paired, x=(x, torch.arange(SIZE)), num_epochs=1)
    assert all(seen)
    split = SimpleNamespace(images=x, labels=torch.zeros(SIZE))
    one, other = build(linear), build(linear)
    train(one, x=split, validation=split)
    train(other)
    assert same(one, other)


def test_an_interrupt_counts_the_steps_taken_and_forgets_no_finished_epoch(interrupt, capsys):
    whole, cut = build(), build()
    full = train(whole)
    history = train(cut, StopAt(8, interrupt))
    assert history.stopped == "interrupted in epoch 2, after step 7; model and history are kept"
    assert history.epochs == [0, 1]
    assert history.train == full.train[:2]
    assert history.batch_losses == full.batch_losses[:7]
    assert capsys.readouterr().out == f"training: {history.stopped}.\n"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_before_its_step(bad, capsys):
    model, kept = build(), {}

    def poison(model, value):
        kept.update({name: weight.clone() for name, weight in model.named_parameters()})
        return value * bad

    history = train(model, StopAt(8, poison), lr=0.01)
    assert len(kept) == 5
    assert all(torch.equal(weight, kept[name]) for name, weight in model.named_parameters())
    assert (history.epochs, len(history.batch_losses)) == ([0, 1], 7)
    printed = capsys.readouterr().out
    assert printed == f"training: {history.stopped}.\n"
    for text in ("diverged in epoch 2, at step 8, lr 0.01", "not applied", "lr (0.001)", "clip=1.0", f"is {bad}"):
        assert text in printed
    assert model.training


def test_a_gradient_that_is_not_finite_stops_before_its_step_when_it_is_clipped():
    model, kept = build(linear), {}

    def rooted(model, value):
        kept["weight"] = model.weight.detach().clone()
        return value + (0 * model.weight).sum().sqrt()  # finite itself, but its slope at 0 is not

    history = train(model, StopAt(3, rooted), clip=1.0)
    assert history.stopped.startswith("diverged in epoch 1, at step 3")
    assert "norm of the gradient" in history.stopped
    assert torch.equal(model.weight, kept["weight"])
    unclipped = train(build(linear), StopAt(3, rooted))
    assert unclipped.stopped.startswith("diverged in epoch 1, at step 4")
    assert "Weights are not finite" in unclipped.stopped


def test_values_in_the_data_that_are_not_finite_are_named():
    x = data()
    x[3, 2] = math.nan
    assert "look at the data" in train(build(linear), x=x).stopped


def test_an_error_in_the_loss_comes_through_and_restores_the_modes():
    model = build().eval()

    def breaks(model, value):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        train(model, StopAt(2, breaks))
    assert not any(module.training for module in model.modules())


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6).requires_grad_(False)

    def forward(self, x):
        return self.layer(x)


BAD = {
    "empty data": ({"x": torch.zeros(0, 6)}, "data is empty"),
    "no tensors": ({"x": ()}, "data is empty"),
    "empty validation": ({"validation": torch.zeros(0, 6)}, "validation is empty"),
    "an array": ({"x": np.zeros((9, 6))}, "torch.from_numpy"),
    "different lengths": ({"x": (data(9), data(8))}, r"lengths \[9, 8\]"),
    "a batch larger than the data": ({"batch_size": 100}, "batch_size=100 is more than the 37 samples"),
    "an empty batch": ({"batch_size": 0}, "batch_size=0"),
    "no epoch": ({"num_epochs": 0}, "num_epochs=0"),
    "half an epoch": ({"num_epochs": 0.5}, "num_epochs=0.5"),
    "a negative rate": ({"lr": -1.0}, "lr=-1"),
    "no norm": ({"clip": 0.0}, "clip=0"),
    "an unknown schedule": ({"schedule": "onecycle"}, 'Did you mean "one-cycle"'),
    "a loss per sample": ({"loss": lambda m, x: ((m(x) - x) ** 2).sum(1)}, r"shape \(8,\).*not a scalar"),
    "a loss that is a number": ({"loss": lambda m, x: loss(m, x).item()}, "returned float"),
    "no loss": ({"loss": lambda m, x: None}, "returned NoneType"),
    "terms without a loss": ({"loss": lambda m, x: {"kl": loss(m, x)}}, 'key "loss"'),
    "a loss without a gradient": ({"loss": lambda m, x: loss(m, x).detach()}, "does not depend on the model"),
    "a loss of something else": ({"loss": lambda m, x: (ELSEWHERE * x).sum()}, "not with respect to the parameters"),
    "no parameters": ({"model": nn.Identity()}, "no parameters"),
    "frozen parameters": ({"model": Frozen()}, "frozen"),
    "a function for a model": ({"model": torch.relu}, "torch.nn.Module"),
    "an optimizer of another model": ({"optimizer": torch.optim.Adam(linear().parameters())}, "no parameter of this"),
}


ELSEWHERE = torch.ones(6, requires_grad=True)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_that_says_what_to_do(name, capsys):
    changes, message = BAD[name]
    model = changes.get("model", build())
    changes = {key: value for key, value in changes.items() if key != "model"}
    with pytest.raises(InputError, match=message) as error:
        train(model, progress=True, **changes)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 220


def test_fit_under_no_grad_says_so():
    with torch.no_grad(), pytest.raises(InputError, match="no_grad"):
        train(build())
