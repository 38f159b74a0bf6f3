"""How fast two ways to do a thing are, measured so that a busy machine slows both alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from course_utils.errors import InputError

__all__ = ["interleaved_seconds"]


def interleaved_seconds(ways: Mapping[str, Callable[[], object]], *, repeats: int = 5) -> dict[str, list[float]]:
    """The seconds that each way takes, run in turn again and again, after one round that does not count.

    Compare medians, or the median of the ratios within a round; single times on a shared machine say little.

    Args:
        ways: name → function without arguments. With an accelerator it ends by waiting, as ``.item()`` does.
        repeats: rounds that count, 1 or more.

    Returns:
        name → ``repeats`` times in seconds, in the order of the rounds.

    Raises:
        InputError: if there is no way, or ``repeats`` is less than 1.
    """
    if not ways or repeats < 1:
        raise InputError(f"{len(ways)} ways and {repeats} repeats; there must be at least one of each.")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(repeats + 1):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            if round_number:
                seconds[name].append(time.perf_counter() - start)
    return seconds
