"""The check of the sides that a convolution and a transposed convolution make."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch.nn.functional import conv1d, conv_transpose1d

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, compare, fresh, integer, kind_of

__all__ = ["sizes"]


def _conv(size: int, kernel: int, stride: int, padding: int) -> int:
    """Measured: the side of what torch's convolution makes."""
    return conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), stride=stride, padding=padding).shape[-1]


def _transposed(size: int, kernel: int, stride: int, padding: int) -> int:
    return conv_transpose1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), stride=stride, padding=padding).shape[
        -1
    ]


def _pair(conv: Answer = _conv, transposed: Answer = _transposed) -> tuple[Answer, Answer]:
    return conv, transposed


_CONV = (
    Mistake(
        "rounded up",
        "conv_size: where the window does not fit once more, the rest is left over. Round down.",
        _pair(lambda size, kernel, stride, padding: math.ceil((size + 2 * padding - kernel) / stride) + 1),
    ),
    Mistake(
        "not rounded",
        "conv_size: a side is a whole number. Where the window does not fit once more, the rest is left over.",
        _pair(lambda size, kernel, stride, padding: (size + 2 * padding - kernel) / stride + 1),
    ),
    Mistake(
        "padding once",
        "conv_size: rows of zeros are put at both ends, so that the side grows by twice the padding.",
        _pair(lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1),
    ),
    Mistake(
        "padding forgotten",
        "conv_size: the padding is forgotten.",
        _pair(lambda size, kernel, stride, padding: (size - kernel) // stride + 1),
    ),
    Mistake(
        "one missing",
        "conv_size: one place is missing. The first window counts too, before it has moved.",
        _pair(lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride),
    ),
    Mistake(
        "stride forgotten",
        "conv_size: the stride is forgotten. The window moves by so many places at a time.",
        _pair(lambda size, kernel, stride, padding: size + 2 * padding - kernel + 1),
    ),
    Mistake(
        "kernel and stride swapped",
        "conv_size: kernel and stride have changed places.",
        _pair(lambda size, kernel, stride, padding: (size + 2 * padding - stride) // kernel + 1),
    ),
)
_TRANSPOSED = (
    Mistake(
        "size times stride",
        "transposed_size: this holds only if the kernel is the stride plus twice the padding. Each patch begins one "
        "stride after the patch before it, and the last one is as long as the kernel.",
        _pair(transposed=lambda size, kernel, stride, padding: size * stride),
    ),
    Mistake(
        "all patches moved",
        "transposed_size: it is one stride too long. The first patch begins at 0, so the last one begins after "
        "size − 1 strides.",
        _pair(transposed=lambda size, kernel, stride, padding: size * stride - 2 * padding + kernel),
    ),
    Mistake(
        "padding added",
        "transposed_size: here the padding is cut off, at both ends. It makes the side smaller.",
        _pair(transposed=lambda size, kernel, stride, padding: (size - 1) * stride + 2 * padding + kernel),
    ),
    Mistake(
        "padding cut once",
        "transposed_size: the padding is cut off at both ends.",
        _pair(transposed=lambda size, kernel, stride, padding: (size - 1) * stride - padding + kernel),
    ),
    Mistake(
        "nothing cut",
        "transposed_size: the padding is forgotten. It is cut off at both ends.",
        _pair(transposed=lambda size, kernel, stride, padding: (size - 1) * stride + kernel),
    ),
    Mistake(
        "kernel forgotten",
        "transposed_size: the last patch is as long as the kernel.",
        _pair(transposed=lambda size, kernel, stride, padding: (size - 1) * stride - 2 * padding),
    ),
    Mistake(
        "a convolution",
        "transposed_size: this is the side that an ordinary convolution makes.",
        _pair(transposed=_conv),
    ),
)


def _whole(function: Answer, name: str) -> Answer:
    """The function, refused where it gives something else than a whole number."""

    def watched(*arguments: int) -> float:
        value = call(function, *arguments)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Wrong(f"{name} gives {kind_of(value)}; a side is one whole number.")
        return float(value)

    return watched


def _draws(generator: torch.Generator) -> Iterator[tuple[int, int, int, int]]:
    """Sides, kernels, strides and paddings; windows that fit exactly, and windows that leave a rest."""
    for kernel, stride in ((3, 2), (5, 3), (4, 2), (5, 2), (2, 3)):
        padding = integer(1, 2, generator) if kernel > 2 else 0
        yield integer(9, 14, generator), kernel, stride, padding
    yield 28, 4, 2, 1
    yield 10, 3, 2, 0
    yield 9, 5, 3, 2


def _judge(conv_size: Answer, transposed_size: Answer) -> None:
    draws = list(_draws(fresh()))
    for answer, reference, mistakes, name, place in (
        (conv_size, _conv, _CONV, "conv_size", 0),
        (transposed_size, _transposed, _TRANSPOSED, "transposed_size", 1),
    ):
        known = [Mistake(mistake.name, mistake.message, _whole(mistake.make[place], name)) for mistake in mistakes]
        text = f"{name}: a side is {{got}}, and torch's own has {{expected}}."
        compare(_whole(answer, name), _whole(reference, name), draws, known, text, what="a side")


sizes = Check(
    "sizes",
    _judge,
    "both formulas agree with the shapes that PyTorch makes, with and without a rest.",
    (*_CONV, *_TRANSPOSED),
)
