"""The check of a pair for a code that undoes shifts: images moved at random without wrap-around, and the images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, fresh, integer, one_of_two, tensor, uniform

__all__ = ["shifted_pair"]

Draw = Callable[[int, int], tuple[Tensor, Tensor]]


def _any(n: int, most: int) -> tuple[Tensor, Tensor]:
    """Moves down and to the right, (n,) each, from −most to most."""
    return _between(-most, most, n)


def _crop(x: Tensor, down: Tensor, right: Tensor, mode: str = "constant") -> Tensor:
    """Each image moved by its own whole numbers of pixels; what it leaves is filled by ``mode``."""
    n, _, height, width = x.shape
    far = int(torch.stack([down.abs(), right.abs()]).max())
    wide = pad(x, (far, far, far, far), mode=mode)[:, 0]
    rows, columns = torch.arange(height) + far - down[:, None], torch.arange(width) + far - right[:, None]
    return wide[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def _of(draw: Draw = _any, mode: str = "constant", pair: Answer = lambda x, moved: (moved, x)) -> Answer:
    """The pair with other moves, with another filling, or with other parts."""
    return lambda x, most: pair(x, _crop(x, *draw(len(x), most), mode=mode))


def _same_each_time(n: int, most: int) -> tuple[Tensor, Tensor]:
    down, right = torch.randint(-most, most + 1, (2, n), generator=torch.Generator().manual_seed(0))
    return down, right


def _between(low: int, high: int, n: int) -> tuple[Tensor, Tensor]:
    down, right = torch.randint(low, high + 1, (2, n))
    return down, right


def _for_all(n: int, most: int) -> tuple[Tensor, Tensor]:
    down, right = _any(1, most)
    return down.expand(n), right.expand(n)


def _diagonal(n: int, most: int) -> tuple[Tensor, Tensor]:
    down, _ = _any(n, most)
    return down, down


_WRAPS = (
    "what leaves an image on one side comes in again on the other: the images wrap around. Asked are zeros in the "
    "place that an image leaves."
)
_EDGE = "the place that an image leaves is filled with copies of its edge. Asked are zeros."
_ALL = "all images of a batch are moved alike. Draw a move for each image."
_SWAPPED = "the parts are exchanged: first the moved images, which the encoder is shown, and then the originals."
_BOTH = "the target is moved as well. A code undoes a shift only when the target is the original."
_NEITHER = "both parts are the original images, and nothing is moved."
_ONE_WAY = "no image is moved up or to the left: the moves should go from −most to most."
_NOT_FARTHEST = (
    "the farthest move on one side, by most pixels, never occurs. Does the upper end of randint belong to it?"
)
_DIAGONAL = "the moves down and to the right are always the same number. Draw two numbers for each image."
_SEEDED = (
    "the moves are the same at each call. Then the network sees each image in one place only: draw anew each time."
)
_ONE_AXIS = "the images are moved along one axis only. Draw a move for each of the two."

_MISTAKES = (
    Mistake("wraps around", _WRAPS, _of(mode="circular")),
    Mistake("edge repeated", _EDGE, _of(mode="replicate")),
    Mistake("one move for all", _ALL, _of(_for_all)),
    Mistake("exchanged", _SWAPPED, _of(pair=lambda x, moved: (x, moved))),
    Mistake("target moved", _BOTH, _of(pair=lambda x, moved: (moved, moved))),
    Mistake("nothing moved", _NEITHER, _of(pair=lambda x, moved: (x, x))),
    Mistake("one way", _ONE_WAY, _of(lambda n, most: _between(0, most, n))),
    Mistake("never the farthest", _NOT_FARTHEST, _of(lambda n, most: _between(-most, max(most - 1, 0), n))),
    Mistake("diagonal", _DIAGONAL, _of(_diagonal)),
    Mistake("the same at each call", _SEEDED, _of(_same_each_time)),
    Mistake("one axis", _ONE_AXIS, _of(lambda n, most: (_any(n, most)[0], torch.zeros(n, dtype=torch.int64)))),
)


def _moves(moved: Tensor, x: Tensor, far: int, mode: str = "constant") -> tuple[Tensor, Tensor]:
    """The move of each image, (n, 2), found by trying all of them, and whether one was found, (n,)."""
    height, width = x.shape[2:]
    wide = pad(x, (far, far, far, far), mode=mode)
    found, known = torch.zeros(len(x), 2, dtype=torch.int64), torch.zeros(len(x), dtype=torch.bool)
    for down in range(-far, far + 1):
        for right in range(-far, far + 1):
            piece = wide[:, :, far - down : far - down + height, far - right : far - right + width]
            same = (moved - piece).abs().flatten(1).amax(1) < 1e-4
            found[same], known = torch.tensor([down, right]), known | same
    return found, known


def _pair(answer: Answer, x: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Both parts of an answer, with their shapes checked."""
    value: Any = call(answer, x, most)
    names = ("the moved images", "the originals")
    views = (one_of_two(i, *names)(value) for i in range(2))
    moved, target = (tensor(view, x.shape, name) for view, name in zip(views, names, strict=True))
    return moved.to(x.dtype), target.to(x.dtype)


def _refuse_parts(moved: Tensor, target: Tensor, x: Tensor) -> None:
    """A :class:`Wrong` for parts that are exchanged, or both moved, or both not."""
    if torch.equal(target, x):
        if torch.equal(moved, x):
            raise Wrong(_NEITHER)
        return
    if torch.equal(moved, x):
        raise Wrong(_SWAPPED)
    if torch.equal(moved, target):
        raise Wrong(_BOTH)
    raise Wrong("the second part should be the images as they are, and it differs from them.")


def _read(moved: Tensor, x: Tensor, most: int) -> Tensor:
    """The moves of all images; a :class:`Wrong` for images that are changed in another way, or moved too far."""
    moves, known = _moves(moved, x, most + 1)
    if known.all():
        if (too_far := int(moves.abs().max())) > most:
            raise Wrong(f"an image is moved by {too_far} pixels, and the most that is allowed here is {most}.")
        return moves
    for mode, message in (("circular", _WRAPS), ("replicate", _EDGE)):
        if _moves(moved, x, most, mode)[1].all():
            raise Wrong(message)
    share = 1 - float(known.double().mean())
    raise Wrong(
        f"{share:.0%} of the images are not what comes of moving them by whole pixels and filling up with zeros; at "
        f"most {most} pixels along each axis were allowed."
    )


def _refuse_moves(moves: Tensor, again: Tensor, most: int) -> None:
    """A :class:`Wrong` for moves that are not spread over all that are asked for."""
    if len(moves.unique(dim=0)) == 1:
        raise Wrong(_ALL)
    if torch.equal(moves, again):
        raise Wrong(_SEEDED)
    if (moves == 0).all(0).any():
        raise Wrong(_ONE_AXIS)
    if int(moves.min()) == 0:
        raise Wrong(_ONE_WAY)
    low, high = moves.amin(0), moves.amax(0)
    if (low > -most).any() or (high < most).any():
        raise Wrong(_NOT_FARTHEST)
    down, right = moves.T
    if torch.equal(down, right):
        raise Wrong(_DIAGONAL)
    ways = 2 * most + 1
    counts = torch.bincount((down + most) * ways + right + most, minlength=ways * ways).double() / len(moves)
    shares = torch.stack([counts.view(ways, ways).sum(i) for i in (0, 1)]) * ways
    if float(shares.min()) < 0.5 or float(shares.max()) > 1.6:
        raise Wrong(
            "some moves occur far more often than others. Asked are all whole numbers from −most to most alike."
        )

    if float(counts.min()) == 0:
        raise Wrong("some pairs of moves down and to the right never occur. Draw the two numbers independently.")


def _judge(answer: Answer) -> None:
    generator = fresh()
    most = integer(2, 3, generator)
    x = uniform(0.1, 1, 900, 1, 7, 8, generator=generator)
    moved, target = _pair(answer, x, most)
    for _ in range(5):  # one move for all may be none, by chance
        if torch.equal(moved, x):
            moved, target = _pair(answer, x, most)
    _refuse_parts(moved, target, x)
    moves = _read(moved, x, most)
    _refuse_moves(moves, _read(_pair(answer, x, most)[0], x, most), most)
    for some, far in ((x[:5].double(), 1), (x[:1], most), (x[:4], 0)):
        moved, target = _pair(answer, some, far)
        if not torch.equal(target, some):
            raise Wrong("the second part should be the images as they are, and for a small batch it differs from them.")
        _read(moved, some, far)


shifted_pair = Check(
    "shifted_pair",
    _judge,
    "each image has a move of its own, all moves occur, zeros come in, and the target stays where it was.",
    _MISTAKES,
)
