"""Compressors in nats per character."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import random

import pytest
import small_sets

from course_utils.data import load_text
from course_utils.errors import InputError
from course_utils.metrics import compressed_nats


def test_the_sizes_are_those_of_the_compressors():
    before, text = "to be or not to be\n" * 20, "that is the question — naïve\n" * 30
    found = compressed_nats(before, text)
    packs = {
        "gzip": lambda content: gzip.compress(content, 9),
        "xz": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
        "bzip2": lambda content: bz2.compress(content, 9),
    }
    assert found.keys() == packs.keys()
    for name, pack in packs.items():
        more = len(pack((before + text).encode())) - len(pack(before.encode()))
        assert more > 0
        assert found[name] * len(text) / math.log(2) / 8 == pytest.approx(more, rel=1e-12)


def test_random_letters_cost_their_entropy_and_a_repeated_text_costs_nothing():
    chance = random.Random(0)
    text = "".join(chance.choice("abcdefgh") for _ in range(20_000))
    entropy = math.log(8)
    for name, nats in compressed_nats("", text).items():
        assert entropy < nats < 1.3 * entropy, name
    assert compressed_nats(text, text)["xz"] < 0.02 * entropy
    assert compressed_nats(text, text[:5_000])["gzip"] < 0.1 * entropy  # 20,000 characters back: within its 32 KiB


def test_a_character_is_the_unit_and_not_a_byte():
    chance = random.Random(0)
    text = "".join(chance.choice("ab") for _ in range(20_000))
    wide = text.translate({ord("a"): "日", ord("b"): "本"})
    narrow_nats, wide_nats = compressed_nats("", text)["xz"], compressed_nats("", wide)["xz"]
    assert wide_nats == pytest.approx(narrow_nats, rel=0.4)  # per byte it would be a third of this


def test_nothing_to_compress():
    with pytest.raises(InputError, match="nothing to compress"):
        compressed_nats("abc", "")


def test_shakespeare():
    small_sets.real_folder("tinyshakespeare")
    text = load_text("tiny-shakespeare")
    found = compressed_nats(text.train_val, text.test)
    expected = {"gzip": 2.147, "xz": 1.746, "bzip2": 1.662}  # other versions of zlib and xz differ in the last digit
    assert found == pytest.approx(expected, abs=0.003)
