"""The check of the two corruptions: masking and Gaussian noise, judged by what they do to a crowd.

A corruption is random, so no two answers agree in their numbers. What is judged are properties: which pixels are
touched, how many, how much, whether by one choice for all, and where the randomness comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, allclose, equal

from course_utils.checks.core import Answer, Check, Mistake, Wrong, among, call, close, fresh, normal, tensor, uniform

__all__ = ["corruptions"]

_SHAPES = ((260, 250), (320, 1, 15, 14))


def _mask(x: Tensor, probability: float, generator: torch.Generator, *shape: int) -> Tensor:
    return torch.where(uniform(0, 1, *(shape or x.shape), generator=generator) < probability, 0.0, x)


def _noise(x: Tensor, std: float, generator: torch.Generator, *shape: int) -> Tensor:
    return x + std * normal(*(shape or x.shape), generator=generator)


_MASK = (
    Mistake(
        "one mask for all",
        "mask loses the same pixels in every image: each image needs a draw of its own.",
        lambda x, p, g: _mask(x, p, g, *x.shape[1:]),
    ),
    Mistake(
        "whole images",
        "mask loses an image as a whole, or none of it: each pixel needs a draw of its own.",
        lambda x, p, g: _mask(x, p, g, len(x), *[1] * (x.ndim - 1)),
    ),
    Mistake(
        "keeps instead",
        "mask keeps pixels with the given probability; it should lose them with it.",
        lambda x, p, g: _mask(x, 1 - p, g),
    ),
    Mistake(
        "dropout",
        "mask makes the pixels it keeps brighter, as dropout does. What is not lost should be passed on as it is.",
        lambda x, p, g: _mask(x, p, g) / (1 - p),
    ),
    Mistake(
        "in place",
        "mask writes into the image it is given. The clean image is the target later: leave it as it is.",
        lambda x, p, g: x.mul_(uniform(0, 1, *x.shape, generator=g) >= p),
    ),
    Mistake(
        "generator not used",
        "mask draws without the generator it is given: the same seed twice does not give the same pixels.",
        lambda x, p, g: torch.where(torch.rand(x.shape) < p, 0.0, x),
    ),
    Mistake(
        "seeded anew",
        "mask loses the same pixels at every call. Does it draw at all, or is the generator set back to its start?",
        lambda x, p, g: _mask(x, p, g.manual_seed(0)),
    ),
)
_ADD_NOISE = (
    Mistake(
        "one noise for all",
        "add_noise adds the same noise to every image: each image needs a draw of its own.",
        lambda x, std, g: _noise(x, std, g, *x.shape[1:]),
    ),
    Mistake(
        "one number an image",
        "add_noise shifts an image as a whole: each pixel needs a draw of its own.",
        lambda x, std, g: _noise(x, std, g, len(x), *[1] * (x.ndim - 1)),
    ),
    Mistake(
        "squared",
        "the noise of add_noise has the standard deviation std². Multiply, and the deviation is what you multiply by.",
        lambda x, std, g: _noise(x, std**2, g),
    ),
    Mistake(
        "root",
        "the noise of add_noise has the variance std; std is the standard deviation.",
        lambda x, std, g: _noise(x, std**0.5, g),
    ),
    Mistake(
        "clipped",
        "add_noise clips to [0, 1]. What is cut off is no longer Gaussian, and the closed forms below would not hold.",
        lambda x, std, g: _noise(x, std, g).clamp(0, 1),
    ),
    Mistake(
        "uniform",
        "the noise of add_noise is not zero on average: rand draws from 0 to 1, and another function draws normally.",
        lambda x, std, g: x + std * uniform(0, 1, *x.shape, generator=g),
    ),
    Mistake(
        "one-sided",
        "the noise of add_noise is never negative: half of a normal distribution lies below 0.",
        lambda x, std, g: x + (_noise(x, std, g) - x).abs(),
    ),
    Mistake(
        "in place",
        "add_noise writes into the image it is given. The clean image is the target later: leave it as it is.",
        lambda x, std, g: x.add_(std * torch.randn(x.shape, generator=g, dtype=x.dtype)),
    ),
    Mistake(
        "generator not used",
        "add_noise draws without the generator it is given: the same seed twice does not give the same noise.",
        lambda x, std, g: x + std * torch.randn_like(x),
    ),
    Mistake(
        "seeded anew",
        "add_noise adds the same noise at every call. Does it draw at all, or is the generator set back to its start?",
        lambda x, std, g: _noise(x, std, g.manual_seed(0)),
    ),
)
_SAY = {"mask": {m.name: m.message for m in _MASK}, "add_noise": {m.name: m.message for m in _ADD_NOISE}}


def _run(answer: Answer, x: Tensor, strength: float, name: str) -> Tensor:
    """The corrupted images, with the clean ones untouched."""
    value = call(answer, x, strength, fresh(), overwritten=_SAY[name]["in place"])
    corrupted = tensor(value, x.shape, f"what {name} returns").clone()
    if equal(corrupted, x):
        raise Wrong(f"{name} gives the images back as they were.")
    return corrupted


def _at_the_ends(mask: Answer, add_noise: Answer, x: Tensor) -> None:
    """Nothing is lost with probability 0, everything with 1; no noise has the deviation 0."""
    for answer, name, strength, expected in (
        (mask, "mask", 0.0, x),
        (mask, "mask", 1.0, torch.zeros_like(x)),
        (add_noise, "add_noise", 0.0, x),
    ):
        corrupted = tensor(call(answer, x, strength, fresh()), x.shape, f"what {name} returns")
        if not close(corrupted, expected):
            says = {0.0: "leaves the images as they are", 1.0: "loses every pixel"}[strength]
            raise Wrong(f"with a strength of {strength:.0f}, {name} {says}, and yours does not.")


def _same_seed(answer: Answer, x: Tensor, strength: float, name: str) -> None:
    """A second call is another draw, the same seed the same."""
    seed = int(torch.randint(2**31, (), generator=fresh()))
    generator = fresh(seed)
    first, second = (call(answer, x, strength, generator) for _ in range(2))
    if equal(first, second):
        raise Wrong(_SAY[name]["seeded anew"])
    if not equal(first, call(answer, x, strength, fresh(seed))):
        raise Wrong(_SAY[name]["generator not used"])


def _between(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=fresh()))


def _judge_mask(mask: Answer, x: Tensor) -> None:
    say, probability = _SAY["mask"], _between(0.15, 0.35) + 0.55 * (x.ndim > 2)  # not where p, 1 − p or p / 2 meet
    masked = _run(mask, x, probability, "mask").flatten(1)
    lost, n, d = masked == 0, len(x), x[0].numel()
    if not allclose(masked[~lost], x.flatten(1)[~lost]):
        scaled = allclose(masked[~lost], x.flatten(1)[~lost] / (1 - probability))
        raise Wrong(
            say["dropout"] if scaled else "the pixels that mask does not set to zero should be passed on as they are."
        )
    if (lost == lost[:1]).all():
        raise Wrong(say["one mask for all"])
    if (lost == lost[:, :1]).all():
        raise Wrong(say["whole images"])
    share = float(lost.double().mean())
    if abs(share - probability) > 0.02:
        reversed_ = abs(1 - share - probability) < 0.02
        text = f"with probability {probability:.2f}, mask loses {share:.0%} of the pixels."
        raise Wrong(say["keeps instead"] if reversed_ else text)
    for dimension, number in ((1, d), (0, n)):  # counts of independent choices are binomial
        spread = float(lost.double().sum(dimension).var()) / (number * probability * (1 - probability))
        if not 0.4 < spread < 1.9:
            raise Wrong("mask loses the right number of pixels, but not each of them by a choice of its own.")
    _same_seed(mask, x, probability, "mask")


def _judge_noise(add_noise: Answer, x: Tensor) -> None:
    say, std = _SAY["add_noise"], _between(0.3, 0.7)
    corrupted = _run(add_noise, x, std, "add_noise")
    noise = (corrupted - x).flatten(1)
    if corrupted.min() >= 0 and corrupted.max() <= 1:
        raise Wrong(say["clipped"])
    if allclose(noise, noise[:1], atol=1e-5):
        raise Wrong(say["one noise for all"])
    if allclose(noise, noise[:, :1], atol=1e-5):
        raise Wrong(say["one number an image"])
    if abs(noise.mean()) > 0.03 * std:
        if noise.min() < 0:
            raise Wrong(f"the noise is {noise.mean():.2f} on average, not zero.")
        raise Wrong(say["uniform" if noise.max() <= 1.01 * std else "one-sided"])
    if float(torch.stack([noise.abs().flatten(), x.flatten()]).corrcoef()[0, 1].abs()) > 0.05:
        raise Wrong("the noise is stronger where the image is brighter; it should not know the image.")
    measured = float(noise.std())
    for name, other in (("squared", std**2), ("root", std**0.5)):
        if abs(measured / other - 1) < 0.03:
            raise Wrong(say[name])
    if abs(measured / std - 1) > 0.03:
        raise Wrong(f"with std = {std:.2f}, the noise has the standard deviation {measured:.2f}.")
    if abs(float((noise / measured).pow(4).mean()) - 3) > 0.3:
        raise Wrong("the noise has the right standard deviation, but it is not normally distributed.")
    for dimension in (0, 1):  # the means of independent rows and columns are this narrow
        if not 0.7 < float(noise.mean(dimension).std()) * noise.shape[dimension] ** 0.5 / std < 1.35:
            raise Wrong("the noise of one pixel depends on that of another; each needs a draw of its own.")
    _same_seed(add_noise, x, std, "add_noise")


def _judge(mask: Answer, add_noise: Answer) -> None:
    judges: tuple[tuple[Callable[[Answer, Tensor], None], Any], ...] = ((_judge_mask, mask), (_judge_noise, add_noise))
    for judge, answer in judges:
        for shape in _SHAPES:
            x = uniform(0.1, 1, *shape, generator=fresh())
            judge(answer, x if judge is _judge_mask else torch.where(x < 0.4, 0, x))  # much of an image is blank
    _at_the_ends(mask, add_noise, uniform(-1, 1, 3, 1, 4, 5, generator=fresh()))


corruptions = Check(
    "mask or add_noise",
    _judge,
    "every pixel of every image has a draw of its own, of the strength asked for, and the clean images are untouched.",
    among((_mask, _noise), 0, _MASK) + among((_mask, _noise), 1, _ADD_NOISE),
)
