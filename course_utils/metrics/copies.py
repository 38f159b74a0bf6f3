"""What a text has copied: the longest passage of each sample that stands word for word in another text.

A window of 2ᵏ⁺¹ characters is two windows of 2ᵏ. So windows are given numbers, level by level: equal windows have equal
numbers, and a window that does not occur on both sides has none and is never looked at again. Two numbers of windows
that overlap tell any length between 2ᵏ and 2ᵏ⁺¹. Nothing is hashed, so nothing can collide.

Source: Karp, Miller & Rosenberg, *Rapid identification of repeated patterns in strings, trees and arrays*, STOC 1972.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.data.vocabulary import code_points
from course_utils.errors import InputError

__all__ = ["Copy", "longest_copies"]

_NONE = -1  # the number of a window that does not occur on both sides


@dataclass(frozen=True)
class Copy:
    """A passage that two texts have in common.

    Attributes:
        text: the passage; empty if the two have not even a character in common.
        in_sample: where it begins in the sample, from 0.
        in_source: where it begins in the source, from 0.
    """

    text: str
    in_sample: int
    in_source: int

    @property
    def length(self) -> int:
        """The number of its characters, 0 or more."""
        return len(self.text)


def longest_copies(samples: Sequence[str], source: str) -> list[Copy]:
    """For each sample, the longest passage that stands verbatim in the source.

    Every character counts, capitals, blanks and line ends, too. It is exact: about n log n steps for n characters in
    all, where log n is the number of doublings up to the longest passage. Of several longest passages the first in the
    sample is returned, with the first place where it stands in the source.

    Longer samples have longer passages by chance: compare with held-out text of the same length.

    Args:
        samples: texts of any lengths.
        source: the text that may have been copied from, one character or more.

    Returns:
        One passage for each sample, in their order.

    Raises:
        InputError: if ``samples`` is a single text, or the source is empty.
    """
    if isinstance(samples, str):
        raise InputError("samples is a single text; give a list of texts, [sample] if there is one.")
    if not source:
        raise InputError("The source is empty; give the text that may have been copied from.")
    # all samples in one row, with a place after each that belongs to no window
    row = np.concatenate(
        [np.append(code_points(sample).astype(np.int64), _NONE) for sample in samples] or [np.empty(0, np.int64)]
    )
    sizes = [len(sample) + 1 for sample in samples]
    owner = np.repeat(np.arange(len(samples)), sizes)
    begin = np.cumsum([0, *sizes]).tolist()

    # double the windows as long as some occur on both sides; a sample that falls out has its longest in between
    found = dict.fromkeys(range(len(samples)), (0, 0))
    level = _Level(1, *_numbered(row, code_points(source).astype(np.int64)))
    while (group := np.unique(owner[level.row >= 0])).size:
        doubled = level.longer(level.size)
        ended = group[~np.isin(group, owner[doubled.row >= 0])]
        for number, place, length in _longest(level, level, doubled.size, owner, ended):
            found[number] = (place - begin[number], length)
        level = doubled

    # the passages themselves, compared as strings
    copies = []
    for sample, (start, length) in zip(samples, found.values(), strict=True):
        passage = sample[start : start + length]
        copies.append(Copy(passage, start, source.index(passage)))
    return copies


@dataclass(frozen=True)
class _Level:
    """All windows of ``size`` characters that occur on both sides: their numbers, by the place where they begin."""

    size: int
    row: np.ndarray
    source: np.ndarray

    def longer(self, by: int) -> _Level:
        """The windows of ``size + by`` characters, ``by`` from 1 to ``size``: two windows that lie ``by`` apart."""
        base = int(self.row.max(initial=0)) + 1
        pairs = []
        for numbers in (self.row, self.source):
            pair = np.full(len(numbers), _NONE, dtype=np.int64)
            begin = np.flatnonzero((numbers[:-by] >= 0) & (numbers[by:] >= 0))
            pair[begin] = numbers[begin] * base + numbers[begin + by]
            pairs.append(pair)
        return _Level(self.size + by, *_numbered(*pairs))


def _longest(
    level: _Level, least: _Level, most: int, owner: np.ndarray, group: np.ndarray
) -> Iterator[tuple[int, int, int]]:
    """Find the longest windows of some samples by halving what is not known of their length.

    Args:
        level: whole windows of 2ᵏ characters, to put longer ones together from.
        least: windows which each sample of the group is known to have.
        most: a length which none of them reaches, at most 2ᵏ⁺¹.
        owner: to which sample a place of the row belongs.
        group: the numbers of the samples, increasing.

    Yields:
        The number of a sample, the place in the row where its first longest window begins, and the length.
    """
    if not group.size:
        return
    if most - least.size == 1:
        places = np.flatnonzero(least.row >= 0)
        owners, first = np.unique(owner[places], return_index=True)
        for sample, place in zip(group.tolist(), places[first[np.searchsorted(owners, group)]].tolist(), strict=True):
            yield sample, place, least.size
        return
    longer = level.longer((least.size + most) // 2 - level.size)
    reached = np.isin(group, owner[longer.row >= 0])
    yield from _longest(level, least, longer.size, owner, group[~reached])
    yield from _longest(level, longer, most, owner, group[reached])


def _numbered(row: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small numbers in the place of keys, equal for equal keys; none for a key that one side lacks.

    Args:
        row: keys, negative where there is none, shape (n,).
        source: the same of the other side, shape (m,).
    """
    known = np.unique(row[row >= 0])
    numbers = []
    for keys in (row, source):
        number = np.full(len(keys), _NONE, dtype=np.int64)
        there = np.flatnonzero(keys >= 0) if known.size else np.empty(0, np.int64)
        place = np.minimum(np.searchsorted(known, keys[there]), len(known) - 1)
        equal = known[place] == keys[there]
        number[there[equal]] = place[equal]
        numbers.append(number)
    on_both_sides = np.zeros(len(known) + 1, dtype=bool)  # the last place is read by _NONE
    on_both_sides[numbers[1][numbers[1] >= 0]] = True
    return np.where(on_both_sides[numbers[0]], numbers[0], _NONE), numbers[1]
