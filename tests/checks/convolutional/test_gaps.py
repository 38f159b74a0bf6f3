"""The checks of exercise 09: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, fold

from course_utils.checks import convolutional

EXERCISE = gap_cells.Exercise(
    "09_dcgan",
    convolutional,
    names={
        "sizes": ("conv_size", "transposed_size"),
        "transposed-conv": ("transposed_conv",),
        "generator-32": ("generator_32",),
        "slerp": ("slerp",),
        "code-direction": ("code_direction",),
    },
    given={"math": math, "torch": torch, "nn": nn, "Tensor": Tensor},
)


def _network(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(64, 16 * 64, bias=False), nn.Unflatten(1, (16, 8, 8)), *layers)


def _norm(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


class _FromOnePlace(nn.Module):
    """The generator of Radford et al.: the code is one place with 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Sequential(nn.ConvTranspose2d(64, 32, 4), *_norm(32))
        self.grow = nn.Sequential(
            *[nn.ConvTranspose2d(32, 16, 4, 2, 1), *_norm(16)], *[nn.ConvTranspose2d(16, 8, 4, 2, 1), *_norm(8)]
        )
        self.last = nn.ConvTranspose2d(8, 3, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        return self.last(self.grow(self.spread(z[:, :, None, None]))).tanh()


def _upsampling() -> nn.Module:
    layers = [*_norm(16), nn.Upsample(scale_factor=2), nn.Conv2d(16, 8, 3, padding=1), *_norm(8)]
    return _network(*layers, nn.Upsample(scale_factor=2), nn.Conv2d(8, 3, 5, padding=2), nn.Tanh())


def _two_dense() -> nn.Module:
    layers = [nn.Linear(64, 64), nn.Linear(64, 16 * 64), nn.Unflatten(1, (16, 8, 8)), *_norm(16)]
    layers += [nn.ConvTranspose2d(16, 8, 4, 2, 1), *_norm(8), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(*layers)


class _Constant(nn.Module):
    """Pictures that do not depend on the code."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _upsampling()

    def forward(self, z: Tensor) -> Tensor:
        return self.network(z[:1].expand(len(z), -1) * 1.0)


def _sharper(network: nn.Module) -> nn.Module:
    return nn.Sequential(*list(network)[:-1], nn.Hardtanh(-0.3, 0.3))


def _by_fold(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    (height, width), k = x.shape[2:], weight.shape[-1]
    patches = torch.einsum("ncp,cokl->noklp", x.flatten(2), weight).flatten(1, 3)
    return fold(patches, ((height - 1) * stride + k, (width - 1) * stride + k), (k, k), stride=stride)


def _by_kernel_places(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    (n, _, height, width), (_, c_out, k, _) = x.shape, weight.shape
    out = torch.zeros(n, c_out, (height - 1) * stride + k, (width - 1) * stride + k, dtype=x.dtype)
    for i in range(k):
        for j in range(k):
            spread = torch.einsum("nchw,co->nohw", x, weight[:, :, i, j])
            out[:, :, i : i + height * stride : stride, j : j + width * stride : stride][..., :height, :width] += spread
    return out


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.cosine_similarity(a, b, dim=1)[:, None].arccos()


def _slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    omega = _angle(a, b)
    return (((1 - t) * omega).sin() * a + (t * omega).sin() * b) / omega.sin()


def _row_by_row(a: Tensor, b: Tensor, t: float) -> Tensor:
    rows = []
    for one, other in zip(a, b, strict=True):
        omega = math.acos(float(one @ other / (one.norm() * other.norm())))
        rows.append(math.sin((1 - t) * omega) / math.sin(omega) * one + math.sin(t * omega) / math.sin(omega) * other)
    return torch.stack(rows)


def _by_topk(z: Tensor, attribute: Tensor, number: int) -> Tensor:
    return z[attribute.topk(number).indices].mean(0) - z[(-attribute).topk(number).indices].mean(0)


UNKNOWN: dict[str, dict[str, Any]] = {
    "sizes": {
        "a list": {"conv_size": lambda size, kernel, stride, padding: [size]},
        "a tensor": {"conv_size": lambda size, kernel, stride, padding: torch.tensor(5)},
        "always halved": {"conv_size": lambda size, kernel, stride, padding: size // 2},
        "two too many": {
            "conv_size": lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 2
        },
        "kernel less one": {
            "transposed_size": lambda size, kernel, stride, padding: (size - 1) * stride - 2 * padding + kernel - 1
        },
        "a text": {"transposed_size": lambda size, kernel, stride, padding: "14"},
    },
    "transposed-conv": {
        "half of it": lambda x, weight, stride: conv_transpose2d(x, weight, stride=stride) / 2,
        "padded": lambda x, weight, stride: conv_transpose2d(x, weight, stride=stride, padding=1),
        "first channel only": lambda x, weight, stride: conv_transpose2d(x[:, :1], weight[:1], stride=stride),
        "channels swapped": lambda x, weight, stride: conv_transpose2d(x, weight.transpose(0, 1), stride=stride),
        "without the last row": lambda x, weight, stride: conv_transpose2d(x, weight, stride=stride)[:, :, :-1],
    },
    "generator-32": {
        "a class": lambda: nn.Tanh,
        "two dense layers": _two_dense,
        "the same for all codes": _Constant,
        "28 places": lambda: _network(*_norm(16), nn.ConvTranspose2d(16, 3, 4, 4, 2), nn.Tanh()),
        "flat": lambda: nn.Sequential(_upsampling(), nn.Flatten()),
        "a narrow range": lambda: _sharper(_upsampling()),
    },
    "slerp": {
        "half the angle": lambda a, b, t: _slerp(a, b, t / 2),
        "squared weights": lambda a, b, t: (1 - t) ** 2 * a + t**2 * b,
        "smooth": lambda a, b, t: _slerp(a, b, t * t * (3 - 2 * t)),
        "of unit length": lambda a, b, t: _slerp(a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True), t),
        "one row": lambda a, b, t: _slerp(a, b, t)[0],
    },
    "code-direction": {
        "medians": lambda z, attribute, number: (
            z[attribute.topk(number).indices].median(0).values - z[(-attribute).topk(number).indices].median(0).values
        ),
        "halves": lambda z, attribute, number: z[attribute > 0].mean(0) - z[attribute <= 0].mean(0),
        "half of it": lambda z, attribute, number: _by_topk(z, attribute, number) / 2,
        "one too many": lambda z, attribute, number: _by_topk(z, attribute, number + 1),
        "by size": lambda z, attribute, number: _by_topk(z, attribute.abs(), number),
    },
}
RIGHT: list[tuple[str, Any]] = [
    (
        "sizes",
        {"conv_size": lambda size, kernel, stride, padding: len(range(0, size + 2 * padding - kernel + 1, stride))},
    ),
    ("sizes", {"conv_size": lambda size, kernel, stride, padding: int((size + 2 * padding - kernel) / stride) + 1}),
    (
        "sizes",
        {"conv_size": lambda size, kernel, stride, padding: math.floor((size + 2 * padding - kernel) / stride + 1)},
    ),
    ("sizes", {"transposed_size": lambda size, kernel, stride, padding: stride * size - stride + kernel - 2 * padding}),
    ("transposed-conv", lambda x, weight, stride: conv_transpose2d(x, weight, stride=stride)),
    ("transposed-conv", _by_fold),
    ("transposed-conv", _by_kernel_places),
    ("generator-32", _FromOnePlace),
    ("generator-32", _upsampling),
    ("slerp", _slerp),
    ("slerp", _row_by_row),
    ("slerp", lambda a, b, t: torch.from_numpy(_slerp(a.double(), b.double(), t).numpy().astype(np.float32))),
    ("code-direction", _by_topk),
    (
        "code-direction",
        lambda z, attribute, number: (z[attribute.argsort()][-number:] - z[attribute.argsort()][:number]).mean(0),
    ),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
