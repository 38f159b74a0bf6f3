"""Counts of characters in their contexts: by hand, from their definitions, and one character at a time."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest

from course_utils.errors import InputError
from course_utils.ngrams import bigram_counts, continuation_counts, gram_counts
from course_utils.ngrams.counts import Followers, Reading, count_followers

TEXTS = ["", "a", "ab", "abab", "aaaaaa", "banana band", "".join(random.Random(1).choices("abcd", k=300))]


def by_definition(text: str, context: int) -> dict[str, dict[str, int]]:
    """Every gram looked for at every place; a letter B before the text stands for its beginning."""
    marked = "B" + text
    found: dict[str, dict[str, int]] = {}
    for length in range(context + 1):
        for h in map("".join, itertools.product(sorted(set(text)), repeat=length)):
            counts = {}
            for c in sorted(set(text)):
                places = [place for place in range(1, len(marked)) if marked.startswith(h + c, place)]
                n = len(places) if length == context else len({marked[place - 1] for place in places})
                if n:
                    counts[c] = n
            if counts:
                found[h] = counts
    return found


def read(text: str, context: int, base: dict[str, dict[str, int]]) -> Reading:
    reading = Reading(base)
    for place, character in enumerate(text):
        reading.add(text[max(0, place - context) : place], character)
    return reading


def test_bigrams_by_hand() -> None:
    counts = bigram_counts("banana", "abn")
    assert counts.dtype == np.int64
    assert counts.tolist() == [[0, 0, 2], [1, 0, 0], [2, 0, 0]]


def test_bigrams_sum_to_the_pairs_of_the_text() -> None:
    text = TEXTS[-1]
    counts = bigram_counts(text, "dcba")
    assert counts.sum() == len(text) - 1
    assert counts[3, 0] == sum(text[i : i + 2] == "ad" for i in range(len(text)))  # in the alphabet's order
    for short in ("", "a"):
        assert bigram_counts(short, "ab").tolist() == [[0, 0], [0, 0]]


def test_grams_by_hand() -> None:
    assert gram_counts("aaab", 2) == Counter({"aa": 2, "ab": 1})
    assert gram_counts("banana", 1) == Counter({"a": 3, "n": 2, "b": 1})
    assert gram_counts("ab", 3) == Counter()


def test_continuations_count_different_characters() -> None:
    grams = Counter({"qu": 1_000, "bu": 1, "cu": 1, "qa": 7})
    assert continuation_counts(grams) == Counter({"u": 3, "a": 1})


def test_followers_by_hand() -> None:
    """In "aab", a begins the text and follows a; b follows a only."""
    assert count_followers("aab", 1) == {"a": {"a": 1, "b": 1}, "": {"a": 2, "b": 1}}


@pytest.mark.parametrize("context", [0, 1, 2, 4])
@pytest.mark.parametrize("text", TEXTS)
def test_followers_by_their_definition(text: str, context: int) -> None:
    assert count_followers(text, context) == by_definition(text, context)


@pytest.mark.parametrize("context", [0, 1, 3, 8])
@pytest.mark.parametrize("text", TEXTS)
def test_reading_leads_to_the_same_counts(text: str, context: int) -> None:
    whole = count_followers(text, context)
    reading = read(text, context, {})
    for key, counts in whole.items():
        assert reading.get(key) == Followers.of(counts)
    assert reading.get("z") is None


def test_reading_goes_on_and_leaves_what_lies_beneath() -> None:
    first, rest = TEXTS[-1][:200], TEXTS[-1][200:]
    base = count_followers(first, 3)
    reading = Reading(base)
    for place, character in enumerate(rest, start=len(first)):
        reading.add(TEXTS[-1][place - 3 : place], character)
    assert base == count_followers(first, 3)
    whole = count_followers(TEXTS[-1], 3)
    assert whole != base
    for key, counts in whole.items():
        assert reading.get(key) == Followers.of(counts)


def test_totals_of_followers() -> None:
    followers = Followers.of({"a": 1, "b": 1, "c": 2, "d": 5})
    assert (followers.total, followers.ones, followers.twos) == (9, 2, 1)
    assert followers.freed((0.5, 1.0, 1.5)) == 2 * 0.5 + 1.0 + 1.5
    assert not followers.add("a")
    assert followers.add("e")
    assert followers == Followers.of({"a": 2, "b": 1, "c": 2, "d": 5, "e": 1})


def test_errors() -> None:
    with pytest.raises(InputError, match=r"length is 0; a gram has at least 1 character"):
        gram_counts("ab", 0)
    with pytest.raises(InputError, match=r"text is a list; give a string"):
        gram_counts(["a", "b"], 1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"text has characters outside the alphabet: ' ', 'n'; leave them out"):
        bigram_counts("ban an", "ab")
    with pytest.raises(InputError, match=r"alphabet has these characters more than once: 'a'"):
        bigram_counts("ab", "aba")
    with pytest.raises(InputError, match=r"alphabet is ''; give its characters"):
        bigram_counts("", "")
    with pytest.raises(InputError, match=r"'c', 'd', .*'l' and 14 more"):
        bigram_counts("abcdefghijklmnopqrstuvwxyz", "ab")
