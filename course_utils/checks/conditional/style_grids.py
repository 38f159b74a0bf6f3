"""The check of a grid with one row for each class and one column for each noise vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, fresh, integer, normal, tensor

__all__ = ["style_grid"]


class _Glass(nn.Module):
    """A generator whose pictures show what it was handed: (n, 1, 2, latent_dim), first z, then the class number."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        if y.dtype is not torch.int64:
            raise Wrong(f"the generator is handed labels of {y.dtype}; class numbers are torch.int64 in this course.")
        if y.shape != z.shape[:1]:
            raise Wrong(
                f"the generator is handed z of shape {tuple(z.shape)} with y of shape {tuple(y.shape)}; it needs one "
                "label for each z, (n, latent_dim) and (n,)."
            )
        return torch.stack([z, y.to(z)[:, None].expand_as(z)], dim=1)[:, None]


def _grid(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    rows = [generator(z, torch.full((len(z),), c)) for c in range(num_classes)]
    return torch.stack(rows)


def _new_noise(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    return torch.stack([generator(torch.randn_like(z), torch.full((len(z),), c)) for c in range(num_classes)])


def _one_noise(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    return _grid(generator, z[:1].expand_as(z), num_classes)


def _chequered(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    """Rows and columns confused: z repeats each vector, and so do the labels their classes, the wrong way round."""
    n = len(z)
    made = generator(z.repeat_interleave(num_classes, 0), torch.arange(num_classes).repeat(n))
    return made.view(num_classes, n, *made.shape[1:])


_NEW = (
    "the noise differs from row to row. Then a column shows no common style: use the z that is handed in for each row."
)
_TRANSPOSED = "the grid is transposed: a row holds all classes of one z. Asked is one row for each class."
_FLAT = (
    "all pictures are in one long batch. Give them one dimension for the class and one for z: "
    "(num_classes, n, 1, h, w)."
)
_CONFUSED = (
    "the classes change inside of a row. The order in which the batch was put together and that in which it is taken "
    "apart do not fit."
)
_MISTAKES = (
    Mistake("new noise", _NEW, _new_noise),
    Mistake("transposed", _TRANSPOSED, lambda *given: _grid(*given).transpose(0, 1)),
    Mistake("flat", _FLAT, lambda *given: _grid(*given).flatten(0, 1)),
    Mistake("confused", _CONFUSED, _chequered),
    Mistake(
        "one z",
        "all columns show the same z. Each column needs its own.",
        _one_noise,
    ),
    Mistake(
        "random classes",
        "the classes of the rows are not 0, 1, 2 and so on, in this order.",
        lambda generator, z, num_classes: _grid(generator, z, num_classes).flip(0),
    ),
)
_ONE_Z, _ORDER = _MISTAKES[4].message, _MISTAKES[5].message


def _refuse_shape(grid: Tensor, shape: tuple[int, ...]) -> None:
    """A :class:`Wrong` for a grid of another shape than (num_classes, n, 1, h, w)."""
    swapped = (shape[1], shape[0], *shape[2:])
    if tuple(grid.shape) == swapped != shape:
        raise Wrong(_TRANSPOSED)
    if tuple(grid.shape) == (shape[0] * shape[1], *shape[2:]):
        raise Wrong(_FLAT)
    tensor(grid, shape, "the grid")


def _judge(answer: Answer) -> None:
    source = fresh()
    for _ in range(3):
        num_classes = integer(3, 6, source)
        z = normal(num_classes + integer(1, 3, source), integer(3, 5, source), generator=source)
        grid = call(answer, _Glass(), z, num_classes)
        if not isinstance(grid, Tensor):
            tensor(grid, (num_classes, len(z), 1, 2, z.shape[1]), "the grid")
        _refuse_shape(grid, (num_classes, len(z), 1, 2, z.shape[1]))
        noise, classes = grid[:, :, 0, 0], grid[:, :, 0, 1, 0]  # (num_classes, n, latent_dim), (num_classes, n)
        if not torch.equal(classes, classes[:, :1].expand_as(classes)):
            raise Wrong(_CONFUSED)
        if not torch.equal(classes[:, 0], torch.arange(num_classes).to(classes)):
            raise Wrong(_ORDER)
        if not torch.equal(noise, noise[:1].expand_as(noise)):
            raise Wrong(_NEW)
        if torch.equal(noise, noise[:, :1].expand_as(noise)):
            raise Wrong(_ONE_Z)
        if not torch.equal(noise[0], z):
            raise Wrong("the columns do not show the z that was handed in, one after the other in its order.")
        if not torch.equal(grid, _grid(_Glass(), z, num_classes)):
            raise Wrong("the pictures are not what the generator made of z and the class.")


style_grid = Check(
    "style_grid",
    _judge,
    "each row shows one class, and each column the same z in all classes.",
    _MISTAKES,
)
