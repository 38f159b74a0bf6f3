"""What a training is fed with: tensors that are shuffled by index, or batches in an order of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import torch
from torch import Tensor

from course_utils.data.minibatches import batches
from course_utils.errors import InputError
from course_utils.training.evaluation import as_tensors

__all__ = ["Batches"]


class Batches:
    """Batches, once through for each iteration: of tensors in a new random order, or as the data gives them.

    Args:
        data: tensors (N, …), a split of the course's data (its images), or anything that gives batches each time it is
            iterated over.
        batch_size: samples per batch, where ``data`` is tensors.
        device: where the batches go.

    Attributes:
        order: what the random order is drawn from; None where the data has an order of its own.
        per_epoch: batches in an epoch; None where that is not known.

    Raises:
        InputError: if ``data`` is neither, or can be iterated over only once.
    """

    def __init__(self, data: Any, batch_size: int, device: torch.device) -> None:
        self._batch_size, self._device = batch_size, device
        self.order: torch.Generator | None = None
        columns = isinstance(data, Tensor) or hasattr(data, "images")
        if columns or (isinstance(data, (tuple, list)) and all(isinstance(part, Tensor) for part in data)):
            self._data: Any = tuple(tensor.to(device) for tensor in as_tensors(data))
            self.order = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
            self.per_epoch: int | None = math.ceil(len(self._data[0]) / batch_size)
        elif isinstance(data, Iterator) or not isinstance(data, Iterable):
            kind = type(data).__name__
            raise InputError(
                f"data is of type {kind}; give tensors, or something that can be iterated over once an epoch, such as a"
                " list of batches or an object whose __iter__ yields them (a generator is used up after one)."
            )
        else:
            self._data = data
            self.per_epoch = len(data) if isinstance(data, Sized) else None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if self.order is not None:
            yield from batches(self._data, self._batch_size, generator=self.order)
            return
        for batch in self._data:
            parts = batch if isinstance(batch, (tuple, list)) else (batch,)
            yield tuple(part.to(self._device) if isinstance(part, Tensor) else part for part in parts)
