"""Checks of exercise 04: loss and prediction; the others stand in ``corrupting``, ``conditional`` and ``scores``."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Check, Mistake, Wrong, call, close, fresh, number
from course_utils.checks.core.draws import cloud, integer, normal
from course_utils.checks.core.parts import Answer
from course_utils.checks.core.predictions import mistaken, prediction_check
from course_utils.checks.denoising.conditional import inpainting, linear
from course_utils.checks.denoising.corrupting import corruptions
from course_utils.checks.denoising.scores import score

__all__ = ["corruptions", "inpainting", "linear", "loss", "prediction", "score"]


# 2. The loss -------------------------------------------------------------------------------------------------------


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


def _judge_loss(denoising_loss: Answer) -> None:
    generator = fresh()
    first: list[Tensor] = []
    for _ in range(2):
        n, d = integer(5, 9, generator), 8
        x = normal(n, d, generator=generator)
        model = nn.Sequential(nn.Linear(d, 5), nn.Tanh(), nn.Linear(5, d)).double()
        seed, corrupt = int(torch.randint(2**31, (), generator=generator)), _Corruption(0.7)
        torch.manual_seed(seed)
        value = call(denoising_loss, model, x.clone(), corrupt)
        measured = number(value, "the loss")
        expected = _squared(model(corrupt.given[0]), x) if corrupt.given else torch.tensor(torch.nan)
        right = math.isclose(measured, expected, rel_tol=1e-8)  # tight: an untrained model's losses lie close together
        if not right or len(corrupt.given) != 1 or not close(corrupt.taken[0], x):
            for mistake in _LOSS:
                torch.manual_seed(seed)
                if not right and math.isclose(measured, mistake.make(model, x, _Corruption(0.7)), rel_tol=1e-8):
                    raise Wrong(mistake.message)
            if corrupt.taken and not close(corrupt.taken[0], x):
                raise Wrong("corrupt is handed something else than the clean images.")
            if len(corrupt.given) != 1:
                raise Wrong(f"corrupt is called {len(corrupt.given)} times; once is enough for each call of the loss.")
            raise Wrong(f"the loss is {measured:.5g}; the squared error to the clean images is {expected:.5g}.")
        _judge_gradient(value, expected, model)
        first.append(corrupt.noise[0][0])
    if close(first[0], first[1]):
        raise Wrong(_SAY["the same noise at each call"])


def _judge_gradient(value: Any, expected: Tensor, model: nn.Module) -> None:
    if not isinstance(value, Tensor) or not value.requires_grad:
        raise Wrong(_SAY["no gradient"])
    parameters = tuple(model.parameters())
    got = torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True)
    wanted = torch.autograd.grad(expected, parameters)
    if not all(g is not None and close(g, w) for g, w in zip(got, wanted, strict=True)):
        raise Wrong("the value is right, but its gradient with respect to the model is not.")


loss = Check(
    "denoising_loss",
    _judge_loss,
    "corrupted input, clean target, fresh noise at every call, summed over the pixels and averaged over the images.",
    _LOSS,
)


# 6. A prediction, held against a run -------------------------------------------------------------------------------

_MEASURED = {"second_noise": "same", "weaker": "higher", "blurred": "lower"}  # what the run finds, on every draw
_MESSAGES = {
    "second_noise higher": "second_noise: you expect the noise in the target to be learnt. Can the model foresee "
    "it from its input? And what is the best guess of a number whose noise is zero on average?",
    "second_noise lower": "second_noise: you expect a noisy target to help. The clean target asks for E[x | x̃]: is "
    "there an answer with a smaller error?",
    "weaker lower": "weaker: you expect an easier task to be done better. The denoiser does not know how little "
    "noise there is: how strongly does it smooth?",
    "weaker same": "weaker: you expect that where hardly anything is to be taken away, hardly anything is. What "
    "does the denoiser do to a detail that noise of its own strength would have drowned?",
    "blurred higher": "blurred: you expect a ghost that is neither garment to be the worse answer. Look worse it "
    "does. But what does the squared error charge for naming the wrong one, with certainty?",
    "blurred same": "blurred: you expect the two to be equally far off. Write down the expected squared error of "
    "an answer a: at which a is it least?",
}


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """What the three runs measure, each as a multiple of what it is compared with; data drawn fresh."""
    X, std = cloud(generator)[0], 1.5 + float(torch.rand((), generator=generator))
    clean = X.repeat(1_000, 1)

    def noisy(strength: float) -> Tensor:
        return clean + strength * normal(*clean.shape, generator=generator)

    def with_one(x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)

    def learnt(x_noisy: Tensor, target: Tensor) -> Tensor:
        rows = with_one(x_noisy)
        return torch.linalg.solve(rows.T @ rows, rows.T @ target)

    def error(weights: Tensor, x_noisy: Tensor) -> float:
        return float(_squared(with_one(x_noisy) @ weights, clean))

    shown, new, weak = noisy(std), noisy(std), noisy(std / 10)
    plain, second = learnt(shown, clean), learnt(shown, noisy(std))
    a, b = X[0], X[1]
    which = torch.rand(20_000, 1, generator=generator, dtype=X.dtype) < 0.5
    truth, strength = torch.where(which, a, b), 0.5 * float((a - b).norm())
    seen = truth + strength * normal(*truth.shape, generator=generator)
    probability = torch.sigmoid((seen - (a + b) / 2) @ (a - b) / strength**2)[:, None]
    ghost, sharp = probability * a + (1 - probability) * b, torch.where(probability > 0.5, a, b)
    return {
        "second_noise": error(second, new) / error(plain, new),
        "weaker": error(plain, weak) / float(_squared(weak, clean)),
        "blurred": float(_squared(ghost, truth) / _squared(sharp, truth)),
    }


prediction = prediction_check(
    tuple(_MEASURED),
    _experiment,
    mistaken(_MEASURED, _MESSAGES),
    band=(0.98, 1.02),
    title="Error over what it is compared with",
)
