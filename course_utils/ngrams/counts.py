"""How often characters occur in their contexts, counted at once or while a text is read.

A *gram* is a string of k + 1 characters: a context of k characters and the character that follows it. The longest
grams are counted as often as they occur. A shorter gram gets its *continuation count*: the number of different
characters that stand before it somewhere in the text (:mod:`course_utils.ngrams.smoothing` says why).

:func:`count_followers` does this for a whole text. :class:`Reading` does the same one character at a time, by *update
exclusion*: count the character in its longest context; only if it had never been seen there, count it in the context
that is one character shorter as well, and so on. A shorter gram is then counted once for each different character
before it, so both ways lead to the same counts.

The first characters of a text have too few before them. They are counted in the context that there is: the beginning
of the text stands for one more character.

Source: Moffat, *Implementing the PPM data compression scheme*, IEEE Transactions on Communications 38, 1990, for update
exclusion; Kneser & Ney, *Improved backing-off for m-gram language modeling*, ICASSP 1995, for continuation counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from course_utils.errors import InputError
from course_utils.ngrams.alphabets import index_of, require_known, require_string

__all__ = ["Followers", "Reading", "bigram_counts", "continuation_counts", "count_followers", "gram_counts"]


def bigram_counts(text: str, alphabet: str) -> NDArray[np.int64]:
    """How often each character follows each other one.

    Args:
        text: characters of the alphabet.
        alphabet: V characters, each once.

    Returns:
        Shape (V, V): in row i and column j, how often character i is followed by character j. The sum over all is the
        number of characters less one; a text of one character or none has no pairs.

    Raises:
        InputError: if the alphabet has a character twice, or the text has one outside it.
    """
    index = index_of(alphabet)
    require_known("text", text, index)
    V = len(alphabet)
    places = np.fromiter(map(index.__getitem__, text), dtype=np.int64, count=len(text))
    return np.bincount(places[:-1] * V + places[1:], minlength=V * V).reshape(V, V).astype(np.int64)


def gram_counts(text: str, length: int) -> Counter[str]:
    """How often each string of ``length`` characters occurs in the text; occurrences may overlap.

    >>> gram_counts("banana", 2)
    Counter({'an': 2, 'na': 2, 'ba': 1})

    Raises:
        InputError: if ``length`` is less than 1, or ``text`` is no string.
    """
    require_string("text", text)
    if length < 1:
        raise InputError(f"length is {length}; a gram has at least 1 character.")
    return Counter([text[start : start + length] for start in range(len(text) - length + 1)])


def continuation_counts(grams: Counter[str]) -> Counter[str]:
    """How many different characters stand before each string that is one character shorter.

    >>> continuation_counts(gram_counts("banana", 2))
    Counter({'a': 2, 'n': 1})

    Args:
        grams: counts of strings of one length, 1 or more; how high they are does not matter.
    """
    return Counter([gram[1:] for gram in grams])


def count_followers(text: str, context: int) -> dict[str, dict[str, int]]:
    """Count a whole text.

    Args:
        text: any characters.
        context: the length of the longest contexts, 0 or more.

    Returns:
        For each context that occurs, of every length from 0 to ``context``, the characters that follow it and their
        counts. In the longest contexts these are occurrences, in the others continuation counts.
    """
    followers: dict[str, dict[str, int]] = {}
    grams = gram_counts(text, context + 1)
    for length in range(context, -1, -1):
        if length < context:
            grams = continuation_counts(grams)
            if length < len(text):
                grams[text[: length + 1]] += 1  # which the text begins with
        for gram, count in grams.items():
            followers.setdefault(gram[:-1], {})[gram[-1]] = count
    return followers


@dataclass(slots=True)
class Followers:
    """What has followed one context.

    Attributes:
        counts: how often each character has; only those that have at all.
        total: the sum of the counts.
        ones: how many characters have the count 1.
        twos: how many have the count 2.
    """

    counts: dict[str, int]
    total: int
    ones: int
    twos: int

    @classmethod
    def of(cls, counts: dict[str, int]) -> Self:
        """A copy of these counts, with their totals."""
        values = list(counts.values())
        return cls(counts.copy(), sum(values), values.count(1), values.count(2))

    def freed(self, discounts: tuple[float, float, float]) -> float:
        """The sum of all discounts, where these are taken from counts of 1, of 2, and of 3 or more."""
        D1, D2, D3 = discounts
        return D1 * self.ones + D2 * self.twos + D3 * (len(self.counts) - self.ones - self.twos)

    def add(self, character: str) -> bool:
        """Count a character once more.

        Returns:
            Whether it is new in this context.
        """
        before = self.counts.get(character, 0)
        self.counts[character] = before + 1
        self.total += 1
        self.ones += (before == 0) - (before == 1)
        self.twos += (before == 1) - (before == 2)
        return before == 0


class Reading:
    """Counts that are looked up, and may go on, while a text is read; those beneath stay as they are.

    The followers of a context are copied when they are first asked for, so that a reading costs what it reads, however
    much lies beneath.

    Args:
        base: the counts so far, as :func:`count_followers` returns them.
    """

    def __init__(self, base: dict[str, dict[str, int]]) -> None:
        self._base = base
        self._copied: dict[str, Followers] = {}

    def get(self, context: str) -> Followers | None:
        """The followers of a context by now; None where it has not occurred."""
        found = self._copied.get(context)
        if found is None and (counts := self._base.get(context)) is not None:
            found = self._copied[context] = Followers.of(counts)
        return found

    def add(self, context: str, character: str) -> None:
        """Count ``character`` after ``context``, and in shorter contexts as far as it is new, by update exclusion."""
        for start in range(len(context) + 1):
            found = self.get(context[start:])
            if found is None:
                found = self._copied[context[start:]] = Followers({}, 0, 0, 0)
            if not found.add(character):
                break
