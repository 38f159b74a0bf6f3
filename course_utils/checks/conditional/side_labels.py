"""The check of labels beside the input: one-hot numbers beside noise, one-hot planes beside the channels of images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    compare,
    fresh,
    in_double,
    integer,
    normal,
    uniform,
)

__all__ = ["label_inputs"]


def _by_comparison(y: Tensor, num_classes: int) -> Tensor:
    """One-hot rows by comparison with all class numbers: (n, num_classes), float64."""
    return (y[:, None] == torch.arange(num_classes)).double()


def _row_reference(z: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.cat([z, _by_comparison(y, num_classes)], dim=1)


def _plane_reference(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    n, _, height, width = x.shape
    planes = _by_comparison(y, num_classes).repeat_interleave(height * width, dim=1)
    return torch.cat([x, planes.view(n, num_classes, height, width)], dim=1)


def _rows(z: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.cat([z, one_hot(y, num_classes).to(z)], dim=1)


def _spread(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return one_hot(y, num_classes).to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])


def _planes(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.cat([x, _spread(x, y, num_classes)], dim=1)


def _corner(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    planes = x.new_zeros(len(x), num_classes, *x.shape[2:])
    planes[:, :, 0, 0] = one_hot(y, num_classes).to(x)
    return torch.cat([x, planes], dim=1)


_OTHER_TYPE = (
    "the numbers are right, but the result is of another type than {name}, and a network of the type of {name} stops "
    "at it. Convert the label's zeros and ones to the type of {name} first."
)
_ROWS = (
    Mistake(
        "class number",
        "the number of the class itself is put beside z. That makes class 8 twice as much as class 4, and 4 a class "
        "between 3 and 5. Give each class a place of its own.",
        lambda z, y, num_classes: torch.cat([z, y[:, None].to(z)], dim=1),
    ),
    Mistake(
        "width of the batch",
        "the label has only as many places as the largest class of this batch asks for, so the width changes from "
        "batch to batch. num_classes says how many places there are.",
        lambda z, y, num_classes: torch.cat([z, one_hot(y).to(z)], dim=1),
    ),
    Mistake(
        "label first",
        "the label stands before z. Both orders would work, but this notebook needs one for all: z first.",
        lambda z, y, num_classes: torch.cat([one_hot(y, num_classes).to(z), z], dim=1),
    ),
    Mistake(
        "label alone",
        "only the label comes back. The noise z belongs in front of it, or all samples of a class would be the same.",
        lambda z, y, num_classes: one_hot(y, num_classes).to(z),
    ),
    Mistake(
        "classes from 1",
        "the label stands one place too far on. Classes are counted from 0.",
        lambda z, y, num_classes: _rows(z, (y + 1) % num_classes, num_classes),
    ),
    Mistake(
        "minus one",
        "where the label is not, there is −1. Asked are zeros.",
        lambda z, y, num_classes: torch.cat([z, 2 * one_hot(y, num_classes).to(z) - 1], dim=1),
    ),
    Mistake(
        "another type of z",
        _OTHER_TYPE.format(name="z"),
        lambda z, y, num_classes: torch.cat([z, one_hot(y, num_classes).double()], dim=1),
    ),
)
_PLANES = (
    Mistake(
        "plane with the class number",
        "one plane is put beside the image, and it holds the number of the class. Give each class a plane of its own.",
        lambda x, y, num_classes: torch.cat([x, y.to(x)[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1),
    ),
    Mistake(
        "planes first",
        "the planes stand before the channels of x. Both orders would work, but this notebook needs one for all: x "
        "first.",
        lambda x, y, num_classes: torch.cat([_spread(x, y, num_classes), x], dim=1),
    ),
    Mistake(
        "planes alone",
        "only the planes come back. The channels of x belong in front of them.",
        _spread,
    ),
    Mistake(
        "one pixel",
        "the label stands in one corner of its plane. Fill the whole plane: a convolution sees only a few pixels at a "
        "time, and each of them should see the label.",
        _corner,
    ),
    Mistake(
        "planes of the batch",
        "there are only as many planes as the largest class of this batch asks for, so their number changes from batch "
        "to batch. num_classes says how many there are.",
        lambda x, y, num_classes: torch.cat([x, _spread(x, y, int(y.max()) + 1)], dim=1),
    ),
    Mistake(
        "planes from 1",
        "the plane of ones is one too far on. Classes are counted from 0.",
        lambda x, y, num_classes: _planes(x, (y + 1) % num_classes, num_classes),
    ),
    Mistake(
        "planes that sum to 1",
        "each plane is divided by its number of pixels. Asked are planes of ones.",
        lambda x, y, num_classes: torch.cat([x, _spread(x, y, num_classes) / x[0, 0].numel()], dim=1),
    ),
    Mistake(
        "another type of x",
        _OTHER_TYPE.format(name="x"),
        lambda x, y, num_classes: torch.cat([x, _spread(x, y, num_classes).double()], dim=1),
    ),
)


def _draw_labels(generator: torch.Generator, n: int) -> tuple[Tensor, int]:
    """Class numbers (n,) of several classes, and how many classes there are; the largest one does not occur."""
    num_classes = integer(5, 8, generator)
    y = torch.randint(num_classes - 1, (n,), generator=generator)
    y[:2] = torch.tensor([1, 2])
    return y[torch.randperm(n, generator=generator)], num_classes


def _draw_rows(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    n = integer(9, 12, generator)
    return normal(n, integer(2, 4, generator), generator=generator), *_draw_labels(generator, n)


def _draw_images(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    n, channels, height = integer(9, 12, generator), integer(1, 3, generator), integer(2, 3, generator)
    return uniform(-1, 1, n, channels, height, 4, generator=generator), *_draw_labels(generator, n)


def _same_type(answer: Answer, case: tuple[Tensor, Tensor, int], name: str) -> None:
    value = call(answer, *case)
    if value.dtype != case[0].dtype:
        raise Wrong(_OTHER_TYPE.format(name=name))


def _judge(with_one_hot: Answer, label_planes: Answer) -> None:
    generator = fresh()
    rows, images = ([draw(generator) for _ in range(3)] for draw in (_draw_rows, _draw_images))
    rows[1:2], images[1:2] = in_double(rows[1:2]), in_double(images[1:2])
    rows.append((rows[0][0][:1], torch.tensor([0]), 4))
    images.append((images[0][0][:1], torch.tensor([0]), 4))
    text = "with_one_hot gives {got}, and it should be {expected}."
    compare(with_one_hot, _row_reference, rows, _ROWS[:-1], text, what="the result of with_one_hot")
    _same_type(with_one_hot, rows[0], "z")
    text = "label_planes gives {got}, and it should be {expected}."
    compare(label_planes, _plane_reference, images, _PLANES[:-1], text, what="the result of label_planes")
    _same_type(label_planes, images[0], "x")


label_inputs = Check(
    "with_one_hot or label_planes",
    _judge,
    "each class has a place of its own, beside the noise and beside the channels, whatever classes a batch holds.",
    among((_rows, _planes), 0, _ROWS) + among((_rows, _planes), 1, _PLANES),
)
