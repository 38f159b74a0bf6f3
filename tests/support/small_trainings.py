"""Small trainings that several tests look at from different sides."""

import numpy as np
import torch
from torch import nn

from course_utils.losses import squared_error
from course_utils.training import fit

SIZE = 37  # with batches of 8, the last one has 5 samples


class Tied(nn.Module):
    """Everything that makes resuming hard: dropout, batch statistics, noise, a tied weight."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.drop = nn.Dropout(0.3)
        self.decoder = nn.Linear(6, 6)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        h = self.drop(torch.relu(self.norm(self.encoder(x))))
        return self.decoder(h + 0.1 * torch.randn_like(h))


def build(kind=Tied, seed=0):
    torch.manual_seed(seed)
    return kind()


def linear():
    return nn.Linear(6, 6)


def data(n=SIZE, seed=0):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def loss(model, x):
    return squared_error(model(x), x)


def terms(model, x):
    error = loss(model, x)
    return {"loss": error + 1, "error": error}


def train(model, loss=loss, x=None, **changes):
    settings = {"num_epochs": 3, "batch_size": 8, "lr": 1e-2, "seed": 5, "progress": False}
    return fit(model, loss, data() if x is None else x, **(settings | changes))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def curves(history):
    return {name: values for name, values in history.as_arrays().items() if name != "seconds"}


def assert_same_history(one, other):
    assert curves(one).keys() == curves(other).keys()
    for name, values in curves(one).items():
        np.testing.assert_array_equal(values, curves(other)[name], err_msg=name)


class StopAt:
    """A loss in which, at its nth call in training, ``event`` happens."""

    def __init__(self, n, event, loss=loss):
        self.n, self.event, self.loss, self.calls = n, event, loss, 0

    def __call__(self, model, *batch):
        self.calls += model.training
        value = self.loss(model, *batch)
        if self.calls == self.n and model.training:
            return self.event(model, value)
        return value
