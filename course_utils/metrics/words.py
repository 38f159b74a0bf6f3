"""Words of a text that another text holds, too."""

from __future__ import annotations

import re

from course_utils.errors import InputError

__all__ = ["share_of_known_words"]

_WORD = re.compile(r"[^\W\d_]+")  # letters of any alphabet


def share_of_known_words(sample: str, source: str, *, letters: int = 4) -> float:
    """The share of a sample's words that occur in the source: how many of the words it makes up are real.

    A word is a run of letters, in lower case; an apostrophe, a hyphen or a digit ends it. Every occurrence counts, so
    that common words weigh as much as in reading. Short words are left out, since most short strings of letters are
    words. Held-out text has a share below 1, too: compare with that.

    Args:
        sample: the text that is judged.
        source: the text whose words are known.
        letters: the fewest letters of a word that is looked at, 1 or more.

    Returns:
        A share in [0, 1].

    Raises:
        InputError: if ``letters`` is less than 1, or the sample has no word of so many letters.
    """
    if letters < 1:
        raise InputError(f"letters is {letters}; a word has at least 1.")
    known = set(_WORD.findall(source.lower()))
    words = [word for word in _WORD.findall(sample.lower()) if len(word) >= letters]
    if not words:
        raise InputError(f"The sample has no word of {letters} letters or more; give a longer one.")
    return sum(word in known for word in words) / len(words)
