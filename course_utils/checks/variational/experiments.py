"""Predictions, compared with a run: the two terms of the bound in six wrong proportions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.checks.core import Check, mistaken, normal, prediction_check, uniform

__all__ = ["prediction"]

_N, _D, _K = 64, 64, 4  # images, pixels, latent dimensions
Scales = Mapping[str, tuple[float, float]]

_DIMENSIONS: Scales = {  # what the reconstruction term and the divergence are multiplied by
    "pixels_averaged": (1 / _D, 1),
    "both_averaged": (1 / _D, 1 / _K),
    "latents_averaged": (1, 1 / _K),
}
_BATCH: Scales = {
    "all_divided": (1 / _N, 1 / _N),
    "kl_divided": (1, 1 / _N),
    "kl_summed": (1, _N),
}


def _images(generator: torch.Generator) -> Tensor:
    """Black and white images (_N, _D), of which two hidden factors say a little."""
    factors, patterns = normal(_N, 2, generator=generator), normal(2, _D, generator=generator)
    return (uniform(0, 1, _N, _D, generator=generator) < (0.7 * factors @ patterns).sigmoid()).float()


def _divergences(x: Tensor, scales: Tensor, generator: torch.Generator, steps: int = 400) -> Tensor:
    """Mean KL of VAEs that are trained side by side, each with its own scales (S, 2) of the two terms: (S,)."""
    models, width = len(scales), 16
    shapes = ((_D, width), (width, 2 * _K), (_K, width), (width, _D))
    weights = [(normal(*shape, generator=generator) / shape[0] ** 0.5).repeat(models, 1, 1) for shape in shapes]
    weights += [torch.zeros(models, 1, shape[1]) for shape in shapes]
    optimizer = torch.optim.Adam([weight.requires_grad_() for weight in weights], lr=0.02)
    divergence = torch.zeros(models)
    for _ in range(steps):
        W1, W2, W3, W4, b1, b2, b3, b4 = weights
        mean, log_var = ((x @ W1 + b1).tanh() @ W2 + b2).chunk(2, dim=2)  # (S, N, k) each
        z = mean + (log_var / 2).exp() * normal(*x.shape[:1], _K, generator=generator)
        logits = (z @ W3 + b3).tanh() @ W4 + b4  # (S, N, d_x)
        errors = binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(2).mean(1)
        divergence = (log_var.exp() + mean.square() - 1 - log_var).sum(2).mean(1) / 2
        optimizer.zero_grad()
        (torch.stack([errors, divergence], dim=1) * scales).sum().backward()
        optimizer.step()
    return divergence.detach()


def _experiment(scales: Scales, generator: torch.Generator) -> dict[str, float]:
    """The mean KL under each scaling over that of the correct loss, on images drawn fresh."""
    both = torch.tensor([(1.0, 1.0), *scales.values()])
    found = _divergences(_images(generator), both, generator)
    return dict(zip(scales, (found[1:] / found[0]).tolist(), strict=True))


_RIGHT = {
    "pixels_averaged": "lower",
    "both_averaged": "lower",
    "latents_averaged": "higher",
    "all_divided": "same",
    "kl_divided": "higher",
    "kl_summed": "lower",
}
_PREDICTION = {
    "pixels_averaged same": "pixels_averaged: a mean is the sum divided by the number of pixels. Which of the two "
    "terms has become small?",
    "pixels_averaged higher": "pixels_averaged: each term asks for something. Which of the two has become small, and "
    "who is left to give orders?",
    "both_averaged same": "both_averaged: both terms are divided, but by the same number? There are more pixels than "
    "latent dimensions.",
    "both_averaged higher": "both_averaged: one term is divided by 784, the other by 20. Which of them counts for more "
    "afterwards?",
    "latents_averaged same": "latents_averaged: the divergence is divided by the number of latent dimensions. "
    "Where is β now?",
    "latents_averaged lower": "latents_averaged: what is divided by 20 here, the divergence itself or the price of it?",
    "all_divided lower": "all_divided: the two terms keep their proportion. What does Adam do with a "
    "gradient that is a hundred times smaller?",
    "all_divided higher": "all_divided: the loss is smaller, true. Has its minimum moved?",
    "kl_divided same": "kl_divided: only one of the two terms is divided. Where is β now?",
    "kl_divided lower": "kl_divided: what becomes cheap here, and what does a model do with what is cheap?",
    "kl_summed same": "kl_summed: a sum over the batch is the mean times the batch size. Where is β now?",
    "kl_summed higher": "kl_summed: the number in the loss is larger, true. What will training do about a term that "
    "counts a hundredfold?",
}


def _part(scales: Scales, title: str) -> Check:
    """The check of the words for some of the scalings."""
    right = {name: _RIGHT[name] for name in scales}
    messages = {key: message for key, message in _PREDICTION.items() if key.split()[0] in scales}
    return prediction_check(
        tuple(scales),
        lambda generator: _experiment(scales, generator),
        mistaken(right, messages),
        band=(0.9, 1.1),
        title=f"KL over that of the correct loss, {title}",
        digits=".2g",
        quantity="KL",
    )


_PARTS = (_part(_DIMENSIONS, "dimensions"), _part(_BATCH, "batch"))


def _judge(*predictions: object) -> None:
    for part, words in zip(_PARTS, (predictions[:3], predictions[3:]), strict=True):
        part.judge(*words)


prediction = Check(
    f"{', '.join(list(_RIGHT)[:-1])} or {list(_RIGHT)[-1]}",
    _judge,
    "all six scalings, each trained just now on images drawn fresh, end as you predicted.",
    mistaken(_RIGHT, _PREDICTION),
)
