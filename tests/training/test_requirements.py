"""First mistakes, and data that belong to the reader: one line of ours, or it works; and what works resumes."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.errors import InputError
from course_utils.losses import squared_error
from course_utils.training import evaluate, fit

pytestmark = pytest.mark.usefixtures("one_thread")


def loss(model, x):
    return squared_error(model(x), x)


def data(n: int = 24) -> torch.Tensor:
    return torch.rand(n, 6, generator=torch.Generator().manual_seed(1))


def build(*layers: nn.Module) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(*(layers or (nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 6))))


def train(model, objective=loss, x=None, **options):
    settings = {"num_epochs": 2, "batch_size": 8, "seed": 3} | options
    return fit(model, objective, data() if x is None else x, **settings)


MISTAKES = {
    "codes with a graph": (lambda m: train(m, x=(m(data()), data())), "detach"),
    "a loss of torch's": (lambda m: train(m, nn.MSELoss()), "nn.MSELoss takes output and target"),
    "a function of torch's": (lambda m: train(m, nn.functional.mse_loss), "F.mse_loss takes output and target"),
    "no function": (lambda m: train(m, 0.5), "of type float"),
    "LBFGS": (lambda m: train(m, optimizer=torch.optim.LBFGS(m.parameters())), "LBFGS"),
    "a class": (lambda m: train(m, optimizer=torch.optim.SGD), r"make one: torch.optim.SGD\(model.parameters"),
    "a word": (lambda m: train(m, optimizer="adam"), "of type str"),
    "double precision": (lambda m: train(m, x=data().double()), "The data are float64 and the model's weights float32"),
    "lazy layers": (lambda m: train(build(nn.LazyLinear(6))), "call it once on a batch"),
    "a batch of one image": (
        lambda m: train(build(nn.Flatten(), nn.Linear(6, 6), nn.BatchNorm1d(6)), x=data(17).reshape(-1, 1, 2, 3)),
        "one batch would hold a single sample",
    ),
    "a batch of one": (
        lambda m: train(build(nn.Linear(6, 6), nn.BatchNorm1d(6)), x=data(17)),
        "one batch would hold a single sample",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_first_mistake_is_one_line(name):
    act, message = MISTAKES[name]
    with pytest.raises(InputError, match=message) as error:
        act(build())
    assert "\n" not in str(error.value)


class Frozen(nn.BatchNorm1d):
    """Batch normalisation that stays as it was found."""

    def train(self, mode=True):
        return super().train(False)


def test_batch_normalisation_that_is_kept_in_eval_takes_a_batch_of_one():
    assert train(build(nn.Linear(6, 6), Frozen(6)), x=data(17)).stopped is None


def test_batch_normalisation_of_images_takes_a_batch_of_one():
    model = build(nn.Unflatten(1, (1, 2, 3)), nn.BatchNorm2d(1), nn.Flatten())
    assert train(model, x=data(17)).stopped is None


def spoiling(model, x):
    x[x < 0.5] = 0.0
    return squared_error(model(x), x)


@pytest.mark.parametrize("batch_size", [8, 24])
def test_a_loss_that_writes_into_its_batch_spoils_no_data(batch_size):
    x, held_out = data(), data(16) / 2
    before, held_before = x.clone(), held_out.clone()
    train(build(), spoiling, x, validation=held_out, batch_size=batch_size)
    evaluate(build(), spoiling, x, batch_size=batch_size)
    assert torch.equal(x, before)
    assert torch.equal(held_out, held_before)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": np.int64(8)},
        {"seed": np.int64(3)},
        {"lr": np.float32(1e-2)},
        {"clip": np.float64(1.0)},
        {"lr": torch.tensor(1e-2)},
        {"schedule": "one-cycle", "lr": np.float64(1e-2), "num_epochs": np.int64(4)},
    ],
    ids=lambda options: "-".join(f"{name}:{type(value).__name__}" for name, value in options.items()),
)
def test_what_is_accepted_resumes(tmp_path, options):
    options = {"num_epochs": 4, "validation": data(8)} | options
    whole, path = build(), tmp_path / "a.safetensors"
    expected = train(whole, **options)

    def stops(model, x):
        stops.calls += 1
        if stops.calls == 12:
            raise KeyboardInterrupt
        return loss(model, x)

    stops.calls = 0
    assert train(build(), stops, checkpoint=path, **options).stopped
    model = build()
    history = train(model, checkpoint=path, **options)
    assert history.train == expected.train
    assert history.val == expected.val
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), whole.parameters(), strict=True))


def test_another_loss_and_another_activation_are_named_when_it_goes_on(tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    train(build(), checkpoint=path)
    train(build(), checkpoint=path, num_epochs=3)
    assert "changed" not in capsys.readouterr().out
    train(build(), lambda m, x: 2 * loss(m, x), checkpoint=path, num_epochs=4)
    assert "Since then the loss changed." in capsys.readouterr().out
    train(build(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 6)), checkpoint=path, num_epochs=5)
    assert "the loss and the model changed." in capsys.readouterr().out


def test_a_home_folder_in_a_checkpoints_path_is_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    train(build(), checkpoint="~/runs/a.safetensors")
    assert (tmp_path / "runs" / "a.safetensors").is_file()
    assert "~" not in os.listdir(tmp_path)
