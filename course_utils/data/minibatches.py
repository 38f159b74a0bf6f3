"""Mini-batches of tensors that lie in memory: shuffled by index, where the data is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from course_utils.errors import InputError

__all__ = ["batches"]


def batches(
    tensors: torch.Tensor | Sequence[torch.Tensor],
    batch_size: int,
    *,
    generator: torch.Generator | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Iterator[tuple[torch.Tensor, ...]]:
    """One pass over the data in batches.

    Args:
        tensors: one tensor or several of the same length N, on one device; row i of each belongs together.
        batch_size: rows per batch; the last batch is smaller where N does not divide.
        generator: what the order is drawn from, on any device; torch's own unless given.
        shuffle: whether the rows come in a fresh random order or as they lie.
        drop_last: leave a smaller last batch out.

    Returns:
        An iterator over tuples, one entry per tensor, each of shape (batch_size, ...).

    Raises:
        InputError: if the data is empty, its lengths differ, ``batch_size`` is less than 1, or ``drop_last`` leaves
            nothing.
    """
    columns = (tensors,) if isinstance(tensors, torch.Tensor) else tuple(tensors)
    lengths = [len(column) for column in columns]
    if not lengths or lengths[0] == 0:
        raise InputError("There is no data to make batches of: the tensors are empty.")
    if len(set(lengths)) > 1:
        raise InputError(f"The tensors have {', '.join(map(str, lengths))} rows; they need the same number.")
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it takes a whole number, 1 or more.")
    if drop_last and batch_size > lengths[0]:
        raise InputError(f"A batch of {batch_size} is larger than the data ({lengths[0]} rows); take a smaller one.")
    return _iterate(columns, batch_size, generator, shuffle, drop_last)


def _iterate(
    columns: tuple[torch.Tensor, ...],
    batch_size: int,
    generator: torch.Generator | None,
    shuffle: bool,
    drop_last: bool,
) -> Iterator[tuple[torch.Tensor, ...]]:
    n, device = len(columns[0]), columns[0].device
    end = n - n % batch_size if drop_last else n
    if not shuffle:
        for start in range(0, end, batch_size):
            yield tuple(column[start : min(start + batch_size, end)] for column in columns)
        return
    drawn_on = generator.device if generator is not None else device
    order = torch.randperm(n, generator=generator, device=drawn_on).to(device)
    for start in range(0, end, batch_size):
        rows = order[start : min(start + batch_size, end)]
        yield tuple(column[rows] for column in columns)
