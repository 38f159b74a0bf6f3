"""What ``fit`` computes, held bit for bit against the same algorithm written plainly: no stored numbers, any CPU."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.losses import squared_error
from course_utils.training import fit

pytestmark = pytest.mark.usefixtures("one_thread")
SIZE, BATCH, EPOCHS, LR, SEED = 37, 8, 3, 1e-2, 5  # the last batch has 5 samples


def build():
    """A model with dropout, batch statistics and noise of its own."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(0.3), nn.Linear(7, 6))


def rows(n, seed):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def plain(model, x):
    return squared_error(model(x), x)


def two_terms(model, x):
    error, noise = squared_error(model(x + 0.1 * torch.randn_like(x)), x), torch.rand(())
    return {"loss": error + noise, "noise": noise}


def measured(model, measure):
    """``measure()`` in ``eval()`` mode, on random numbers of its own."""
    state, _ = torch.get_rng_state(), model.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        value = measure()
    torch.set_rng_state(state)
    return value


def mean_terms(seen):
    """Term → mean over the samples, of pairs (terms, number of samples), summed as doubles in their order."""
    return {name: sum(t[name] * n for t, n in seen) / sum(n for _, n in seen) for name in seen[0][0]}


def reference(model, loss, x, held_out, *, seed, schedule, clip, optimizer, metric):
    """The curves that ``fit`` shall record, and ``model`` with the weights it shall end with."""

    def numbers(output):
        return {name: term.item() for name, term in (output if isinstance(output, dict) else {"loss": output}).items()}

    def evaluation(data):
        parts = data.split(BATCH)
        return measured(model, lambda: mean_terms([(numbers(loss(model, part)), len(part)) for part in parts]))

    if seed is not None:
        torch.manual_seed(seed)
    order = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    optimizer = optimizer(model) if optimizer else torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    steps = EPOCHS * math.ceil(len(x) / BATCH)
    momentum = "betas" in optimizer.defaults
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps, cycle_momentum=momentum) if schedule else None
    batch_losses, rate = [], optimizer.param_groups[0]["lr"]
    points = [(evaluation(x), evaluation(held_out), measured(model, lambda: float(metric(model))), rate, 0)]
    for _ in range(EPOCHS):
        model.train()
        seen = []
        for chosen in torch.randperm(len(x), generator=order).split(BATCH):
            optimizer.zero_grad()
            output = loss(model, x[chosen])
            (output["loss"] if isinstance(output, dict) else output).backward()
            seen.append((numbers(output), len(chosen)))
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            if cycle:
                cycle.step()
            batch_losses.append(seen[-1][0]["loss"])
        trained = mean_terms(seen)
        measure = measured(model, lambda: float(metric(model)))
        points.append((trained, evaluation(held_out), measure, rate, len(batch_losses)))
    train, val, metrics, lrs, counts = zip(*points, strict=True)
    curves = {"train": [t["loss"] for t in train], "val": [t["loss"] for t in val], "lrs": lrs, "steps": counts}
    for name in train[0].keys() - {"loss"}:
        curves |= {f"train/{name}": [t[name] for t in train], f"val/{name}": [t[name] for t in val]}
    epochs = range(EPOCHS + 1)
    return curves | {"metrics/draw": metrics, "batch_losses": batch_losses, "epochs": epochs}


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)


VARIANTS = {
    "plain": {},
    "two terms and noise": {"loss": two_terms},
    "clipped": {"clip": 0.5},
    "one-cycle": {"schedule": "one-cycle"},
    "one-cycle, clipped, two terms": {"schedule": "one-cycle", "clip": 0.5, "loss": two_terms},
    "momentum": {"optimizer": sgd, "loss": two_terms},
    "torch's own random numbers": {"seed": None, "loss": two_terms},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_history_and_weights_are_those_of_the_plain_algorithm_bit_for_bit(name):
    def draw(model):
        return model(torch.randn(4, 6)).sum()

    given = {"loss": plain, "seed": SEED, "schedule": None, "clip": None, "optimizer": None} | VARIANTS[name]
    x, held_out, bare, model = rows(SIZE, 1), rows(11, 2), build(), build()
    torch.manual_seed(9)
    curves = reference(bare, x=x, held_out=held_out, metric=draw, **given)
    after = torch.get_rng_state()
    torch.manual_seed(9)
    options = given | {"optimizer": given["optimizer"] and given["optimizer"](model)}
    loss = options.pop("loss")
    sizes = {"num_epochs": EPOCHS, "batch_size": BATCH, "lr": LR, "progress": False}
    history = fit(model, loss, x, validation=held_out, metrics={"draw": draw}, **sizes, **options)
    assert torch.equal(torch.get_rng_state(), after), "the random numbers drawn are the same, and as many"
    recorded = {name: values for name, values in history.as_arrays().items() if name != "seconds"}
    assert recorded.keys() == curves.keys()
    for curve, values in recorded.items():
        np.testing.assert_array_equal(values, np.array(list(curves[curve])), err_msg=curve)
    for key, weight in model.state_dict().items():
        assert torch.equal(weight, bare.state_dict()[key]), key
