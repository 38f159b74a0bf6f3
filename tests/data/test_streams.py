"""A text in streams: each row goes on where it ended, and what does not fit is said."""

from __future__ import annotations

import pytest
import torch

from course_utils.data import text_streams
from course_utils.errors import InputError


def test_two_streams_by_hand():
    windows = text_streams(torch.arange(15), num_streams=2, window=3)
    assert windows.tolist() == [[[0, 1, 2, 3], [7, 8, 9, 10]], [[3, 4, 5, 6], [10, 11, 12, 13]]]


@pytest.mark.parametrize(("length", "num_streams", "window"), [(1000, 7, 10), (101, 1, 100), (64, 4, 15), (65, 4, 15)])
def test_each_row_goes_on_where_it_ended(length: int, num_streams: int, window: int):
    windows = text_streams(torch.arange(length), num_streams, window)
    assert windows.shape[1:] == (num_streams, window + 1)
    assert torch.equal(windows[1:, :, 0], windows[:-1, :, -1])
    inputs = windows[:, :, :-1].transpose(0, 1).flatten(1)  # (N, characters)
    assert (inputs.diff(dim=1) == 1).all(), "no character is left out or read twice"
    assert len(windows) == (length // num_streams - 1) // window


def test_tokens_stay_as_they_are_and_are_not_shared():
    tokens = torch.arange(50)
    text_streams(tokens, 2, 5).zero_()
    assert torch.equal(tokens, torch.arange(50))


def test_a_text_that_is_too_short_is_told_how_long_it_has_to_be():
    with pytest.raises(InputError, match=r"9 characters is too short for 2 streams with windows of 4: it takes 10"):
        text_streams(torch.arange(9), 2, 4)
    assert len(text_streams(torch.arange(10), 2, 4)) == 1


def test_what_is_no_text_is_refused():
    with pytest.raises(InputError, match=r"these tokens are \(2, 3\) of int64"):
        text_streams(torch.zeros(2, 3, dtype=torch.long), 1, 1)
    with pytest.raises(InputError, match="float32"):
        text_streams(torch.zeros(9), 1, 1)
    with pytest.raises(InputError, match="window=0"):
        text_streams(torch.arange(9), 1, 0)
