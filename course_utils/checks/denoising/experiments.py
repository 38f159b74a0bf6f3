"""Predictions, held against a run: a noisy target, weaker noise, and a blurred answer."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import cloud, mistaken, normal, prediction_check
from course_utils.losses import squared_error

__all__ = ["prediction"]

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
    X, std = cloud(generator, torch.float64)[0], 1.5 + float(torch.rand((), generator=generator))
    clean = X.repeat(1_000, 1)

    def noisy(strength: float) -> Tensor:
        return clean + strength * normal(*clean.shape, generator=generator, dtype=X.dtype)

    def with_one(x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)

    def learnt(x_noisy: Tensor, target: Tensor) -> Tensor:
        rows = with_one(x_noisy)
        return torch.linalg.solve(rows.T @ rows, rows.T @ target)

    def error(weights: Tensor, x_noisy: Tensor) -> float:
        return float(squared_error(with_one(x_noisy) @ weights, clean))

    shown, new, weak = noisy(std), noisy(std), noisy(std / 10)
    plain, second = learnt(shown, clean), learnt(shown, noisy(std))
    a, b = X[0], X[1]
    which = torch.rand(20_000, 1, generator=generator, dtype=X.dtype) < 0.5
    truth, strength = torch.where(which, a, b), 0.5 * float((a - b).norm())
    seen = truth + strength * normal(*truth.shape, generator=generator, dtype=X.dtype)
    probability = torch.sigmoid((seen - (a + b) / 2) @ (a - b) / strength**2)[:, None]
    ghost, sharp = probability * a + (1 - probability) * b, torch.where(probability > 0.5, a, b)
    return {
        "second_noise": error(second, new) / error(plain, new),
        "weaker": error(plain, weak) / float(squared_error(weak, clean)),
        "blurred": float(squared_error(ghost, truth) / squared_error(sharp, truth)),
    }


prediction = prediction_check(
    tuple(_MEASURED),
    _experiment,
    mistaken(_MEASURED, _MESSAGES),
    band=(0.98, 1.02),
    title="Error over what it is compared with",
)
