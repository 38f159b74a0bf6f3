"""What an answer may return: real, finite, dense tensors of the right shape, and numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils.checks import core
from course_utils.checks.core import Wrong


def test_tensor_wants_a_tensor_of_the_shape_and_finite() -> None:
    assert not core.tensor(torch.zeros(2, requires_grad=True), [2]).requires_grad
    for value, message in (
        (np.zeros(2), "stay with torch"),
        ([0.0, 0.0], "it is a list"),
        (torch.zeros(3), r"it has \(3,\)"),
        (torch.tensor([0.0, torch.inf]), "not finite"),
    ):
        with pytest.raises(Wrong, match=message):
            core.tensor(value, [2])


def test_number_wants_one_finite_number() -> None:
    assert core.number(torch.tensor([2.0])) == 2.0
    assert core.number(np.float32(0.5)) == 0.5
    for value, message in (("two", "it is a str"), (torch.zeros(2), "one number"), (float("inf"), "not finite")):
        with pytest.raises(Wrong, match=message):
            core.number(value)


def test_close_compares_shape_and_value() -> None:
    assert core.close(torch.ones(2), [1.0, 1.0 + 1e-6])
    assert not core.close(torch.ones(2), torch.ones(1))
    assert not core.close(1.0, 1.01)
    assert not core.close("one", 1.0)
    assert not core.close(torch.tensor(torch.nan), torch.tensor(torch.nan))


STRANGE = {
    "complex": torch.ones(2, dtype=torch.complex64),
    "true and false": torch.ones(2, dtype=torch.bool),
    "meta": torch.ones(2, device="meta"),
    "sparse": torch.ones(2).to_sparse(),
    "NumPy": np.ones(2),
    "a list": [1.0, 1.0],
    "a tuple": (torch.ones(()), torch.ones(())),
}


@pytest.mark.parametrize("word", STRANGE)
def test_what_is_no_tensor_of_real_numbers_is_named(word):
    with pytest.raises(Wrong, match=word):
        core.tensor(STRANGE[word], [2])


@pytest.mark.parametrize("word", STRANGE)
def test_a_comparison_names_it_as_well_although_its_numbers_are_right(word):
    with pytest.raises(Wrong, match=word):
        core.compare(lambda x: STRANGE[word], lambda x: torch.ones(2), [(0,)])


NUMBERLESS = [True, np.True_, "0.5", b"1", 1j, [1.0]]
NUMBERLESS += [torch.tensor(True), torch.tensor(1j), torch.ones((), device="meta")]


@pytest.mark.parametrize("value", NUMBERLESS)
def test_what_is_no_number_is_told(value):
    with pytest.raises(Wrong, match=r"should be one number|is complex|true and false|meta"):
        core.number(value)
    with pytest.raises(Wrong):
        core.compare(lambda x: value, lambda x: 1.0, [(0,)])
