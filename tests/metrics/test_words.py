"""The share of words that a text knows, counted by hand."""

from __future__ import annotations

import pytest
import small_sets

from course_utils.data import load_text
from course_utils.errors import InputError
from course_utils.metrics import share_of_known_words


@pytest.mark.parametrize(
    ("sample", "letters", "share"),
    [
        ("WHERE, where is thy Broth'er?", 4, 3 / 3),  # "broth" and "er" are two words
        ("where is thy brothel", 4, 1 / 2),
        ("where is thy brothel", 3, 2 / 3),
        ("where where brothel", 4, 2 / 3),  # each occurrence counts
        ("brothel-where brothel9where", 4, 2 / 4),  # a hyphen or a digit ends a word
        ("here ere", 4, 0 / 1),  # a part of a word is no word
        ("ÉTÉS étés où_where", 4, 3 / 3),
    ],
)
def test_counted_by_hand(sample, letters, share):
    source = "Where is thy broth, étés? Thy er!"
    assert share_of_known_words(sample, source, letters=letters) == pytest.approx(share)


def test_nothing_to_count():
    assert share_of_known_words("where", "") == 0
    with pytest.raises(InputError, match="no word of 4 letters or more"):
        share_of_known_words("is it so? 12345 ____", "is it so")
    with pytest.raises(InputError, match="letters is 0"):
        share_of_known_words("where", "where", letters=0)


def test_held_out_shakespeare():
    small_sets.real_folder("tinyshakespeare")
    text = load_text("tiny-shakespeare")
    assert share_of_known_words(text.test, text.train_val) == pytest.approx(0.908, abs=0.0005)
    assert share_of_known_words(text.train_val[:50_000], text.train_val) == 1
