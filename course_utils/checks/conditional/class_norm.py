"""The check of a normalisation whose scale and shift belong to a class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import batch_norm

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["conditional_norm"]

_ALL = (0, 2, 3)


def _reference(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """PyTorch's batch norm, and then each sample by itself with the numbers of its class."""
    normalised = batch_norm(h, None, None, training=True, eps=1e-12)
    rows = [one * scale[c].view(-1, 1, 1) + shift[c].view(-1, 1, 1) for one, c in zip(normalised, y, strict=True)]
    return torch.stack(rows)


def _normalised(h: Tensor, dims: tuple[int, ...] = _ALL, correction: int = 0) -> Tensor:
    variance, mean = torch.var_mean(h, dim=dims, correction=correction, keepdim=True)
    return (h - mean) / variance.sqrt()


def _placed(normalised: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Scale and shift (n, c) for each sample."""
    return normalised * scale[:, :, None, None] + shift[:, :, None, None]


def _over(dims: tuple[int, ...], correction: int = 0) -> Answer:
    """The answer with statistics over other dimensions, or with another divisor."""
    return lambda h, y, scale, shift: _placed(_normalised(h, dims, correction), scale[y], shift[y])


def _in_each_class(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    normalised = torch.empty_like(h)
    for c in y.unique():
        normalised[y == c] = _normalised(h[y == c])
    return _placed(normalised, scale[y], shift[y])


def _divided_by_the_variance(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    variance, mean = torch.var_mean(h, dim=_ALL, correction=0, keepdim=True)
    return _placed((h - mean) / variance, scale[y], shift[y])


def _in_order(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    rows = torch.arange(len(h)) % len(scale)
    return _placed(_normalised(h), scale[rows], shift[rows])


_MISTAKES = (
    Mistake(
        "per sample",
        "each sample is normalised by itself: that is instance normalisation. Take mean and variance over the whole "
        "batch as well.",
        _over((2, 3)),
    ),
    Mistake(
        "all channels of a sample",
        "mean and variance are taken over all channels of one sample: that is layer normalisation. Asked is one mean "
        "for each channel, over the batch and all positions.",
        _over((1, 2, 3)),
    ),
    Mistake(
        "each position by itself",
        "each position has a mean and a variance of its own. Take them over the positions as well.",
        _over((0,)),
    ),
    Mistake(
        "all numbers",
        "all channels share one mean and one variance. Each channel needs its own.",
        _over((0, 1, 2, 3)),
    ),
    Mistake(
        "unbiased variance",
        "the variance is divided by the number of values minus 1. That is torch's default for var and std; batch "
        "normalisation divides by the number of values: correction=0.",
        _over(_ALL, correction=1),
    ),
    Mistake(
        "each class by itself",
        "each class is normalised with a mean and a variance of its own. They are taken over the whole batch; only "
        "scale and shift belong to a class.",
        _in_each_class,
    ),
    Mistake(
        "variance below the line",
        "this divides by the variance. Its root is missing.",
        _divided_by_the_variance,
    ),
    Mistake(
        "rows in order",
        "sample i has row i of the tables scale and shift. It needs the row of its class, y[i].",
        _in_order,
    ),
    Mistake(
        "one class for all",
        "all samples have the scale and shift of the first sample's class.",
        lambda h, y, scale, shift: _placed(
            _normalised(h), scale[y[:1]].expand(len(h), -1), shift[y[:1]].expand(len(h), -1)
        ),
    ),
    Mistake(
        "scale and shift swapped",
        "scale and shift have changed places.",
        lambda h, y, scale, shift: _placed(_normalised(h), shift[y], scale[y]),
    ),
    Mistake(
        "not normalised",
        "scale and shift are right, but h is not normalised before.",
        lambda h, y, scale, shift: _placed(h, scale[y], shift[y]),
    ),
    Mistake(
        "one plus scale",
        "the normalised values are multiplied by 1 + scale. Here scale is the whole factor.",
        lambda h, y, scale, shift: _placed(_normalised(h), 1 + scale[y], shift[y]),
    ),
    Mistake(
        "shift first",
        "the shift is added before the scale multiplies. First the scale, then the shift.",
        lambda h, y, scale, shift: _placed(_normalised(h) + shift[y][:, :, None, None], scale[y], 0 * shift[y]),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Activations h (n, c, h, w), labels y (n,), and the tables scale and shift (num_classes, c)."""
    n, channels, num_classes = integer(6, 9, generator), integer(2, 4, generator), integer(3, 5, generator)
    h = normal(n, channels, 2, 3, generator=generator) * uniform(1, 3, n, channels, 1, 1, generator=generator)
    h = h + normal(n, channels, 1, 1, generator=generator) + 2
    y = torch.randint(num_classes, (n,), generator=generator)
    y[:3] = torch.tensor([2, 0, 2])  # not the rows in order, and not one class alone
    scale = uniform(0.5, 2.0, num_classes, channels, generator=generator)
    return h, y, scale, normal(num_classes, channels, generator=generator)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    text = "the result is {got}, and batch norm with the scale and shift of each class gives {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, rtol=2e-4)


conditional_norm = Check(
    "conditional_norm",
    _judge,
    "the statistics are those of the whole batch, and each sample has the scale and shift of its own class.",
    _MISTAKES,
)
