"""The check of images that move, and of the best answers to codes that do not know where they stand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from course_utils.checks.core import Answer, Check, Mistake, among, compare, fresh, integer, normal, uniform

__all__ = ["blur"]


# Moving ------------------------------------------------------------------------------------------------------------


def _square(x: Tensor) -> Tensor:
    side = round(x.shape[1] ** 0.5)
    return x.reshape(-1, side, side)


def _move(x: Tensor, right: int, down: int) -> Tensor:
    """Pad with paper on all sides, and cut out the window that lies so much further to the left and up."""
    images, margin = _square(x), max(abs(right), abs(down))
    side, padded = images.shape[1], pad(images, (margin,) * 4)
    return padded[:, margin - down :, margin - right :][:, :side, :side].flatten(1)


_MOVE = (
    Mistake(
        "round the edge",
        "move brings what leaves at one edge back in at the other. What comes in is paper, 0.",
        lambda x, right, down: _square(x).roll((down, right), (1, 2)).flatten(1),
    ),
    Mistake(
        "the other way",
        "move goes to the left and up: positive numbers mean to the right and down.",
        lambda x, right, down: _move(x, -right, -down),
    ),
    Mistake(
        "up for down",
        "move goes up where it should go down: the first row of an image is its top.",
        lambda x, right, down: _move(x, right, -down),
    ),
    Mistake(
        "rows for columns",
        "move confuses rows and columns: of an image (28, 28), the first axis counts the rows, from top to bottom.",
        lambda x, right, down: _move(x, down, right),
    ),
    Mistake(
        "along the row of numbers",
        "move shifts the 784 numbers in their row, so that pixels pass from one row of the image to the next."
        " Give the images their two axes back first.",
        lambda x, right, down: x.roll(right + 28 * down, 1),
    ),
)


# The best answers --------------------------------------------------------------------------------------------------


def _best_answers(x: Tensor, codes: Tensor) -> Tensor:
    members = (codes[:, None] == codes).to(x)  # (n, n): whether two images share a code
    return members @ x / members.sum(dim=1, keepdim=True)


def _for_each_code(x: Tensor, codes: Tensor, pick: Answer) -> Tensor:
    return torch.stack([pick(x[codes == code]) for code in codes])


_BEST = (
    Mistake(
        "one answer for all",
        "best_answers is the mean of all images. Images with another code may be answered otherwise.",
        lambda x, codes: x.mean(0).expand_as(x),
    ),
    Mistake(
        "each its own",
        "best_answers gives back the images. But two images with one code get one answer, which cannot be both.",
        lambda x, codes: x.clone(),
    ),
    Mistake(
        "a median",
        "best_answers is the median of the images with the same code. That is the best for absolute errors; which"
        " number has the smallest mean squared distance from several others?",
        lambda x, codes: _for_each_code(x, codes, lambda images: images.quantile(0.5, dim=0)),
    ),
    Mistake(
        "the first",
        "best_answers is the first image with the code: another one would do as well. Set the derivative of the"
        " summed squared error to zero.",
        lambda x, codes: _for_each_code(x, codes, lambda images: images[0]),
    ),
    Mistake(
        "a sum",
        "best_answers adds the images with the same code up; divide by how many there are.",
        lambda x, codes: _for_each_code(x, codes, lambda images: images.sum(0)),
    ),
)


def _judge_blur(move: Answer, best_answers: Answer) -> None:
    generator = fresh()
    ways = [(3, 1), (-2, 1), (1, -4), (0, 2), (-1, 0), (0, 0)]
    draws = [(uniform(0.1, 1, integer(2, 4, generator), 784, generator=generator), *way) for way in ways]
    compare(move, _move, draws, _MOVE, "move gives {got} and not {expected}.", what="the moved images")
    cases = []
    for _ in range(3):
        d_x = integer(5, 9, generator)
        codes = torch.tensor([4, 4, 4, 4, 9, 9, 9, 0, 0, 2])[torch.randperm(10, generator=generator)]
        cases.append((normal(10, d_x, generator=generator), codes))
    text = "best_answers gives {got}; the least squared error has {expected}."
    compare(best_answers, _best_answers, cases, _BEST, text, what="the answers")


_RIGHT = (_move, _best_answers)

blur = Check(
    "move or best_answers",
    _judge_blur,
    "images move with paper behind them, and no other answers have a smaller squared error.",
    among(_RIGHT, 0, _MOVE) + among(_RIGHT, 1, _BEST),
)
