"""Mini-batches of tensors that lie in memory."""

from __future__ import annotations

import pytest
import torch

from course_utils.data import batches
from course_utils.errors import InputError


def test_batches_cover_the_data_once() -> None:
    x, y = torch.arange(103.0).unsqueeze(1), torch.arange(103)
    got = list(batches((x, y), 10, generator=torch.Generator().manual_seed(1)))
    assert [len(rows) for rows, _ in got] == [10] * 10 + [3]
    order = torch.cat([labels for _, labels in got])
    assert torch.equal(order.sort().values, y)
    assert not torch.equal(order, y)
    assert torch.equal(torch.cat([rows for rows, _ in got]).squeeze(1), order.float())
    short = list(batches(x, 10, drop_last=True))
    assert [len(rows) for (rows,) in short] == [10] * 10
    in_order = torch.cat([rows for (rows,) in batches(x, 10, shuffle=False)])
    assert torch.equal(in_order, x)
    assert sum(len(rows) for (rows,) in batches(x, 10, shuffle=False, drop_last=True)) == 100


def test_batches_are_drawn_from_the_generator() -> None:
    x = torch.arange(50)

    def order(generator: torch.Generator | None) -> list[int]:
        return [int(i) for (rows,) in batches(x, 8, generator=generator) for i in rows]

    generator = torch.Generator().manual_seed(5)
    first, second = order(generator), order(generator)
    assert first != second
    generator.manual_seed(5)
    assert [order(generator), order(generator)] == [first, second]
    torch.manual_seed(7)
    third = order(None)
    torch.manual_seed(7)
    assert order(None) == third


def test_batches_that_cannot_be() -> None:
    x = torch.zeros(5)
    for arguments, message in (
        ((torch.zeros(0), 2), "empty"),
        (((), 2), "empty"),
        (((x, torch.zeros(4)), 2), "5, 4 rows"),
        ((x, 0), "batch_size is 0"),
    ):
        with pytest.raises(InputError, match=message):
            batches(*arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="batch of 6 is larger"):
        batches(x, 6, drop_last=True)
    assert [len(rows) for (rows,) in batches(x, 6)] == [5]
