"""Check: the loss of a denoising autoencoder."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    close,
    flat_gradient,
    fresh,
    integer,
    normal,
    number,
)

__all__ = ["loss"]


def _squared(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x_hat - x).square().sum(1).mean()


def _on_noisy(error: Answer) -> Answer:
    """A loss that corrupts once: ``error(r(x̃), x, x̃)``."""

    def make(model: nn.Module, x: Tensor, corrupt: Answer) -> Tensor:
        x_noisy = corrupt(x)
        return error(model(x_noisy), x, x_noisy)

    return make


def _without_gradient(model: nn.Module, x: Tensor, corrupt: Answer) -> Tensor:
    with torch.no_grad():
        return _squared(model(corrupt(x)), x)


def _seeded(model: nn.Module, x: Tensor, corrupt: Answer) -> Tensor:
    torch.manual_seed(0)
    return _squared(model(corrupt(x)), x)


_LOSS = (
    Mistake(
        "noisy target",
        "the noisy image is the target as well: the model is paid for giving back what it was given, noise and all.",
        _on_noisy(lambda x_hat, x, x_noisy: _squared(x_hat, x_noisy)),
    ),
    Mistake(
        "clean input",
        "the model is shown the clean image: it never sees what it is there to take away.",
        lambda model, x, corrupt: _squared(model(x), x),
    ),
    Mistake(
        "the wrong way",
        "the model is shown the clean image and has to guess the noisy one: input and target have changed places.",
        lambda model, x, corrupt: _squared(model(x), corrupt(x)),
    ),
    Mistake(
        "another noisy target",
        "the image is corrupted twice, for the input and for the target; the target should be the clean image.",
        lambda model, x, corrupt: _squared(model(corrupt(x)), corrupt(x)),
    ),
    Mistake(
        "mean over pixels",
        "the loss is d_x times too small: it is a sum over the pixels, and a mean over the images only.",
        _on_noisy(lambda x_hat, x, x_noisy: (x_hat - x).square().mean()),
    ),
    Mistake(
        "sum over the batch",
        "the loss grows with the number of images: it is their mean.",
        _on_noisy(lambda x_hat, x, x_noisy: (x_hat - x).square().sum()),
    ),
    Mistake(
        "not squared",
        "the differences are not squared: this is the absolute error.",
        _on_noisy(lambda x_hat, x, x_noisy: (x_hat - x).abs().sum(1).mean()),
    ),
    Mistake(
        "the root",
        "this is the distance; the loss is its square.",
        _on_noisy(lambda x_hat, x, x_noisy: (x_hat - x).square().sum(1).sqrt().mean()),
    ),
    Mistake(
        "the noise as the target",
        "the model is compared with the noise that was added, as if it were to answer with that; it is to answer with "
        "the clean image.",
        _on_noisy(lambda x_hat, x, x_noisy: _squared(x_hat, x_noisy - x)),
    ),
    Mistake(
        "the same noise at each call",
        "every call corrupts in the same way. Something sets the seed, and the model could learn that noise by heart.",
        _seeded,
    ),
    Mistake(
        "no gradient",
        "the value is right, but no gradient reaches the model: fit could not learn from it.",
        _without_gradient,
    ),
)
_SAY = {mistake.name: mistake.message for mistake in _LOSS}


class _Corruption:
    """A corruption that remembers what it took, its noise, and what it gave back."""

    def __init__(self, std: float) -> None:
        self.std = std
        self.taken, self.noise, self.given = list[Tensor](), list[Tensor](), list[Tensor]()

    def __call__(self, x: Tensor) -> Tensor:
        self.taken.append(x.clone())
        self.noise.append(self.std * torch.randn_like(x))
        self.given.append(x + self.noise[-1])
        return self.given[-1]


def _differentiated(value: Any, model: nn.Module) -> Tensor:
    if not isinstance(value, Tensor) or not value.requires_grad:
        raise Wrong(_SAY["no gradient"])
    return flat_gradient(value, tuple(model.parameters()), "denoising_loss")


def _judge_loss(denoising_loss: Answer) -> None:
    generator = fresh()
    first: list[Tensor] = []
    for n in (integer(5, 9, generator), integer(5, 9, generator), 1):
        x, seed = normal(n, 8, generator=generator), integer(0, 2**31, generator)
        model, corrupt = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 8)), _Corruption(0.7)
        for parameter in model.parameters():  # an untrained model's losses lie too close together
            parameter.data = normal(*parameter.shape, generator=generator)
        torch.manual_seed(seed)
        value = call(denoising_loss, model, x, corrupt)
        measured = number(value, "the loss")
        expected = _squared(model(corrupt.given[0]), x) if corrupt.given else torch.tensor(torch.nan)
        right = _near(measured, expected)
        if not right or len(corrupt.given) != 1 or not close(corrupt.taken[0], x):
            for mistake in _LOSS:
                torch.manual_seed(seed)
                if not right and _near(measured, mistake.make(model, x.clone(), _Corruption(0.7))):
                    raise Wrong(mistake.message)
            if corrupt.taken and not close(corrupt.taken[0], x):
                raise Wrong("corrupt is handed something else than the clean images.")
            if len(corrupt.given) != 1:
                raise Wrong(f"corrupt is called {len(corrupt.given)} times; once is enough for each call of the loss.")
            raise Wrong(f"the loss is {measured:.5g}; the squared error to the clean images is {expected:.5g}.")
        if not close(_differentiated(value, model), _differentiated(expected, model), rtol=1e-3, atol=1e-3):
            raise Wrong("the value is right, but its gradient with respect to the model is not.")
        first.append(corrupt.noise[0][0])
    if close(first[0], first[1]):
        raise Wrong(_SAY["the same noise at each call"])


def _near(measured: float, expected: Tensor) -> bool:
    return math.isclose(measured, expected, rel_tol=1e-5)


loss = Check(
    "denoising_loss",
    _judge_loss,
    "corrupted input, clean target, fresh noise at every call, summed over the pixels and averaged over the images.",
    _LOSS,
)
