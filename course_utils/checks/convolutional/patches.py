"""The check of a transposed convolution, written as a sum of patches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv_transpose2d

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal

__all__ = ["transposed_conv"]


def _reference(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    return conv_transpose2d(x, weight, stride=stride)


def _patched(x: Tensor, weight: Tensor, stride: int, *, added: bool = True, step: int = 0) -> Tensor:
    """Patch by patch; overwriting in place of adding, or with another step."""
    (n, _, height, width), (_, c_out, k, _) = x.shape, weight.shape
    out = x.new_zeros(n, c_out, (height - 1) * stride + k, (width - 1) * stride + k)
    for i in range(height):
        for j in range(width):
            patch = torch.einsum("nc,cokl->nokl", x[:, :, i, j], weight)
            a, b = i * (step or stride), j * (step or stride)
            if added:
                out[:, :, a : a + k, b : b + k] += patch
            else:
                out[:, :, a : a + k, b : b + k] = patch
    return out


_PATCHES = (
    Mistake(
        "overwritten",
        "where patches overlap the later one overwrites the earlier one. They are added: += in place of =.",
        lambda x, weight, stride: _patched(x, weight, stride, added=False),
    ),
    Mistake(
        "kernel turned",
        "the kernel is turned by 180 degrees. A patch is the kernel as it stands, times the input number.",
        lambda x, weight, stride: _reference(x, weight.flip(2, 3), stride),
    ),
    Mistake(
        "rows and columns swapped",
        "rows and columns of the kernel have changed places.",
        lambda x, weight, stride: _reference(x, weight.mT, stride),
    ),
    Mistake(
        "stride forgotten",
        "neighbouring patches lie one place apart. They lie stride places apart.",
        lambda x, weight, stride: _patched(x, weight, stride, step=1),
    ),
    Mistake(
        "one patch of the mean",
        "the patches are averaged over the places that they reach. They are only added; no count divides them.",
        lambda x, weight, stride: (
            _reference(x, weight, stride)
            / _reference(torch.ones_like(x[:1, :1]), torch.ones_like(weight[:1, :1]), stride).clamp_min(1)
        ),
    ),
)


def _draw(generator: torch.Generator, kernel: int, stride: int) -> tuple[Tensor, Tensor, int]:
    n, c_in, c_out = integer(2, 3, generator), integer(2, 3, generator), integer(4, 5, generator)
    x = normal(n, c_in, integer(3, 4, generator), integer(5, 6, generator), generator=generator)
    return x, normal(c_in, c_out, kernel, kernel, generator=generator), stride


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, *pair) for pair in ((3, 2), (4, 2), (5, 3), (3, 1))]
    draws[1:2] = in_double(draws[1:2])
    text = "it gives {got}, and torch's transposed convolution gives {expected}."
    compare(answer, _reference, draws, _PATCHES, text, rtol=1e-3, atol=1e-5)


transposed_conv = Check(
    "transposed_conv",
    _judge,
    "it agrees with PyTorch's own, for three kernels, three strides, and pictures that are not square.",
    _PATCHES,
)
