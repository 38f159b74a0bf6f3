"""The check of kernel ridge regression: a Gaussian kernel, and a classifier in closed form."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    among,
    compare,
    fresh,
    in_double,
    integer,
    normal,
    uniform,
)

__all__ = ["kernel_ridge"]


def _squares(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] - b).square().sum(2)


def _kernel(a: Tensor, b: Tensor, width: float) -> Tensor:
    return (-_squares(a, b) / (2 * width**2)).exp()


_KERNEL = (
    Mistake(
        "no square",
        "kernel takes the distance. In the exponent stands its square.",
        lambda a, b, width: (-_squares(a, b).sqrt() / (2 * width**2)).exp(),
    ),
    Mistake(
        "sign",
        "kernel grows with the distance: a minus sign is missing in the exponent.",
        lambda a, b, width: (_squares(a, b) / (2 * width**2)).exp(),
    ),
    Mistake(
        "factor",
        "kernel takes the width for a factor in front of the squared distance. It stands below the line, squared.",
        lambda a, b, width: (-width * _squares(a, b)).exp(),
    ),
    Mistake(
        "no 2",
        "kernel divides by w². Below the line stands 2w².",
        lambda a, b, width: (-_squares(a, b) / width**2).exp(),
    ),
    Mistake(
        "width not squared",
        "kernel divides by 2w. Below the line stands 2w².",
        lambda a, b, width: (-_squares(a, b) / (2 * width)).exp(),
    ),
    Mistake(
        "density",
        "kernel is divided as if it were a density of the normal law. It is 1 for two equal points.",
        lambda a, b, width: _kernel(a, b, width) / (width * (2 * torch.pi) ** 0.5),
    ),
    Mistake(
        "mean over dimensions",
        "kernel averages over the dimensions. The squared distance is their sum.",
        lambda a, b, width: (-_squares(a, b) / a.shape[1] / (2 * width**2)).exp(),
    ),
    Mistake(
        "inner product",
        "kernel is the inner product. Asked is the exponential of the squared distance.",
        lambda a, b, width: a @ b.T,
    ),
    Mistake(
        "exponent",
        "kernel gives the exponent. Take the exponential.",
        lambda a, b, width: -_squares(a, b) / (2 * width**2),
    ),
)


def _scores(x: Tensor, labels: Tensor, x_new: Tensor, width: float, strength: float, num_classes: int = 10) -> Tensor:
    """By the eigenvectors of the kernel matrix, another road than solving."""
    values, vectors = torch.linalg.eigh(_kernel(x, x, width))
    T = one_hot(labels, num_classes).to(x)
    alpha = vectors @ ((vectors.T @ T) / (values.clamp(min=0) + strength)[:, None])
    return _kernel(x_new, x, width) @ alpha


def _solve(K: Tensor, T: Tensor, strength: float) -> Tensor:
    return torch.linalg.solve(K + strength * torch.eye(len(K)).to(K), T)


def _hot(labels: Tensor, num_classes: int, like: Tensor) -> Tensor:
    return one_hot(labels, num_classes).to(like)


_RIDGE = (
    Mistake(
        "no penalty",
        "kernel_ridge leaves λ out: then the scores go through all labels exactly, wrong ones too.",
        lambda x, labels, x_new, width, strength, num_classes=10: (
            _kernel(x_new, x, width) @ _solve(_kernel(x, x, width), _hot(labels, num_classes, x), 0.0)
        ),
    ),
    Mistake(
        "penalty times n",
        "kernel_ridge adds n times λ to the diagonal. The text adds λ.",
        lambda x, labels, x_new, width, strength, num_classes=10: _scores(
            x, labels, x_new, width, strength * len(x), num_classes
        ),
    ),
    Mistake(
        "penalty everywhere",
        "kernel_ridge adds λ to all entries of the kernel matrix. The identity matrix has it on the diagonal alone.",
        lambda x, labels, x_new, width, strength, num_classes=10: (
            _kernel(x_new, x, width) @ _solve(_kernel(x, x, width) + strength, _hot(labels, num_classes, x), 0.0)
        ),
    ),
    Mistake(
        "not solved",
        "kernel_ridge adds up the labels, weighted by the kernel. The weights α are missing: solve (K + λI) α = T.",
        lambda x, labels, x_new, width, strength, num_classes=10: (
            _kernel(x_new, x, width) @ _hot(labels, num_classes, x)
        ),
    ),
    Mistake(
        "weights",
        "kernel_ridge gives the weights α. Multiply the kernel between new and labelled points by them.",
        lambda x, labels, x_new, width, strength, num_classes=10: _solve(
            _kernel(x, x, width), _hot(labels, num_classes, x), strength
        ),
    ),
    Mistake(
        "scores of the labelled",
        "kernel_ridge gives the scores of the labelled points. Asked are those of the new ones.",
        lambda x, labels, x_new, width, strength, num_classes=10: _scores(x, labels, x, width, strength, num_classes),
    ),
    Mistake(
        "classes themselves",
        "kernel_ridge gives the number of the best class. Asked is one score for each class.",
        lambda x, labels, x_new, width, strength, num_classes=10: _scores(
            x, labels, x_new, width, strength, num_classes
        ).argmax(1),
    ),
    Mistake(
        "class numbers",
        "kernel_ridge fits the numbers of the classes. Then a point between class 2 and class 8 is of class 5: give "
        "each class a column of its own.",
        lambda x, labels, x_new, width, strength, num_classes=10: (
            _kernel(x_new, x, width) @ _solve(_kernel(x, x, width), labels.to(x), strength)
        ),
    ),
    Mistake(
        "classes that are there",
        "kernel_ridge has only as many columns as it sees labels. A class may be missing among a few: num_classes says "
        "how many there are.",
        lambda x, labels, x_new, width, strength, num_classes=10: _scores(
            x, labels, x_new, width, strength, int(labels.max()) + 1
        ),
    ),
    Mistake(
        "not by the kernel",
        "kernel_ridge is a linear ridge regression on x itself. Here the kernel takes the place of the inner products.",
        lambda x, labels, x_new, width, strength, num_classes=10: (
            x_new
            @ torch.linalg.solve(x.T @ x + strength * torch.eye(x.shape[1]).to(x), x.T @ _hot(labels, num_classes, x))
        ),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, float, float, int]:
    """Labelled points of several classes, the last of which have none, and new ones."""
    n, m = integer(16, 26, generator), integer(6, 12, generator)
    d = 3 + 2 * integer(0, 1, generator)  # not 4, where a mean over dimensions is a kernel of twice the width
    classes = integer(5, 8, generator)
    labels = torch.randint(classes - 2, (n,), generator=generator)
    width, strength = (float(uniform(*ends, generator=generator)) for ends in ((1.1, 1.8), (0.1, 0.5)))
    x, x_new = (normal(size, d, generator=generator) for size in (n, m))
    return x, labels, x_new, width, strength, classes


def _judge(kernel: Answer, kernel_ridge: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    pairs = [(x, x_new, width) for x, _, x_new, width, *_ in draws] + [(draws[0][0], draws[0][2][:1], 0.6)]
    text = "kernel gives {got}, and exp(−‖a − b‖²/2w²) is {expected}."
    compare(kernel, _kernel, pairs, _KERNEL, text, what="the result of kernel", rtol=5e-4)
    cases = [*draws, draws[0][:5]]  # the number of classes has a default
    text = "kernel_ridge gives {got}, and the score is {expected}."
    compare(kernel_ridge, _scores, cases, _RIDGE, text, what="the result of kernel_ridge", rtol=1e-3)


_RIGHT = (_kernel, _scores)

kernel_ridge = Check(
    "kernel or kernel_ridge",
    _judge,
    "the kernel falls with the squared distance, and the scores are those of the penalised fit, one for each class.",
    among(_RIGHT, 0, _KERNEL) + among(_RIGHT, 1, _RIDGE),
)
