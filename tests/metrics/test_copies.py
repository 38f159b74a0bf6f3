"""The longest passages that two texts have in common, against trying them all."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
import small_sets

from course_utils.data import load_text
from course_utils.errors import InputError
from course_utils.metrics import Copy, longest_copies


def tried_one_by_one(sample: str, source: str) -> Copy:
    for length in range(len(sample), 0, -1):
        for start in range(len(sample) - length + 1):
            if (place := source.find(sample[start : start + length])) >= 0:
                return Copy(sample[start : start + length], start, place)
    return Copy("", 0, 0)


@pytest.mark.parametrize("alphabet", ["ab", "abc", "aaab", "a\n 😀", "abcdefghij"])
def test_as_trying_all_passages(alphabet):
    chance = random.Random(alphabet)

    def text(most):
        return "".join(chance.choice(alphabet) for _ in range(chance.randrange(most)))

    for _ in range(60):
        source = text(120) + chance.choice(alphabet)
        samples = [text(60) for _ in range(chance.randrange(5))]
        if samples:  # one that has copied much, and one that is nothing but copied
            start = chance.randrange(len(source))
            samples += [text(10) + source[start : start + 50] + text(10), source[start:]]
        assert longest_copies(samples, source) == [tried_one_by_one(sample, source) for sample in samples]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100])
def test_each_length_around_the_doublings(length):
    source = "".join(chr(0x4E00 + i) for i in range(200))  # no character twice
    passage = source[37 : 37 + length]
    (copy,) = longest_copies([f"<<{passage}>>{passage}"], source)
    assert copy == Copy(passage, 2, 37)
    assert copy.length == length


def test_a_passage_does_not_run_from_one_sample_into_the_next():
    copies = longest_copies(["x to be or", " not to be", "", "to be or n"], "to be or not to be")
    assert [copy.text for copy in copies] == ["to be or", " not to be", "", "to be or n"]
    assert copies[0] == Copy("to be or", 2, 0)


def test_capitals_blanks_and_line_ends_count():
    assert longest_copies(["To be\nor"], "to be or")[0] == Copy("o be", 1, 1)


def test_a_sample_longer_than_the_source():
    assert longest_copies(["abababab", "c"], "aba") == [Copy("aba", 0, 0), Copy("", 0, 0)]
    assert longest_copies(["a\ud800b"], "\ud800b")[0] == Copy("\ud800b", 1, 0)


def test_nothing_to_compare():
    assert longest_copies([], "abc") == []
    assert longest_copies(["", "xyz"], "abc") == [Copy("", 0, 0)] * 2
    with pytest.raises(InputError, match=r"single text; give a list of texts, \[sample\]"):
        longest_copies("abc", "abc")
    with pytest.raises(InputError, match="source is empty"):
        longest_copies(["abc"], "")


def test_held_out_shakespeare():
    small_sets.real_folder("tinyshakespeare")
    text = load_text("tiny-shakespeare")
    (whole,) = longest_copies([text.test], text.train_val)
    assert whole.length == 31
    assert text.test[whole.in_sample :].startswith(whole.text)
    assert text.train_val[whole.in_source :].startswith(whole.text)

    # twenty samples: held-out pieces, two of them with copied halves; within 5 s and 300 MB
    pieces = [text.test[start : start + 5_000] for start in range(0, 100_000, 5_000)]
    pieces[3] = text.train_val[70_000:72_500] + pieces[3][2_500:]
    pieces[4] = text.train_val[500_000:505_000]
    start = time.perf_counter()
    copies = longest_copies(pieces, text.train_val)
    assert time.perf_counter() - start < 5
    assert copies[3].in_sample == 0
    assert copies[3].in_source == 70_000
    assert 2_500 <= copies[3].length < 2_520
    assert copies[4] == Copy(pieces[4], 0, 500_000)
    assert max(copy.length for copy in copies[5:]) <= 31
    tracemalloc.start()
    try:
        longest_copies(pieces, text.train_val)
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()
