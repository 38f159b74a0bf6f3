"""Times taken in turn."""

from __future__ import annotations

import time

import pytest

from course_utils.errors import InputError
from course_utils.metrics import interleaved_seconds


def test_the_ways_take_turns_and_the_first_round_does_not_count():
    order = []
    ways = {"a": lambda: order.append("a"), "b": lambda: (order.append("b"), time.sleep(0.02))}
    seconds = interleaved_seconds(ways, repeats=3)
    assert order == ["a", "b"] * 4
    assert [len(times) for times in seconds.values()] == [3, 3]
    assert min(seconds["b"]) >= 0.02


@pytest.mark.parametrize(("ways", "repeats"), [({}, 3), ({"a": time.perf_counter}, 0)])
def test_nothing_to_time_is_said(ways, repeats):
    with pytest.raises(InputError, match="at least one"):
        interleaved_seconds(ways, repeats=repeats)
