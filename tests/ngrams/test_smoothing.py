"""Kneser–Ney models: by hand, beside a slow reference that counts everything anew, and on tiny Shakespeare."""

from __future__ import annotations

import copy
import math
import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import small_sets

from course_utils.data import TextData, load_text
from course_utils.errors import InputError
from course_utils.ngrams import KneserNey, continuation_counts, gram_counts

KINDS = [0.0, 0.4, 0.75, "one", "modified"]
ALPHABET = "dcbae"  # not sorted, and no text below has an e


def written(length: int, seed: int) -> str:
    """Text of four characters with habits, so that its counts are high as well as low."""
    chance = random.Random(seed)
    text = "a"
    while len(text) < length:
        text += chance.choices("abcd", {"a": (1, 6, 1, 2), "b": (8, 1, 1, 1), "c": (1, 1, 1, 9)}.get(text[-1]))[0]
    return text


FITTED, READ = written(160, 1), written(40, 2)


# A reference that knows only definitions. Each text begins with a mark of its own, Ⓐ or Ⓑ. ----------------------------


def count(marked: str, gram: str, *, longest: bool) -> int:
    places = [place for place in range(len(marked)) if marked.startswith(gram, place)]
    return len(places) if longest else len({marked[place - 1] for place in places})


def reference_discount(marked: str, context: int, kind: float | str, length: int, r: int) -> float:
    """What is taken from a count of r in contexts of this length."""
    if not isinstance(kind, str):
        return kind
    grams = {marked[place : place + length + 1] for place in range(len(marked) - length)}
    grams = {gram for gram in grams if not set(gram) & set("ⒶⒷ")}
    n = Counter(count(marked, gram, longest=length == context) for gram in grams)
    if not n[1] or not n[2]:
        return 0.75
    Y = n[1] / (n[1] + 2 * n[2])
    if kind == "one" or not n[3] or not n[4]:
        return Y
    r = min(r, 3)
    D = r - (r + 1) * Y * n[r + 1] / n[r]
    return D if D > 0 else Y


def reference(marked: str, before: str, character: str, context: int, take: Callable[[int, int], float]) -> float:
    """p(character ∣ before) from the longest context down."""
    h = before[len(before) - min(context, len(before)) :]
    shorter = reference(marked, h[1:], character, context, take) if h else 1 / len(ALPHABET)
    counts = {c: count(marked, h + c, longest=len(h) == context) for c in ALPHABET}
    total = sum(counts.values())
    if total == 0:
        return shorter
    freed = sum(take(len(h), n) for n in counts.values() if n)
    own = counts[character] - take(len(h), counts[character]) if counts[character] else 0.0
    return own / total + freed / total * shorter


# ----------------------------------------------------------------------------------------------------------------------


def test_by_hand() -> None:
    """In "aab" a has two continuations, the beginning and a, and b has one; after a come a and b once each."""
    model = KneserNey(context=1, discount=0.5, alphabet="abc").fit("aab")
    assert model.distribution("") == pytest.approx([11 / 18, 5 / 18, 2 / 18])
    assert model.distribution("ba") == pytest.approx([10 / 18, 7 / 18, 1 / 18])
    assert model.distribution("b") == pytest.approx([11 / 18, 5 / 18, 2 / 18])  # which nothing has followed
    assert model.log_probs("ac") == pytest.approx([math.log(11 / 18), math.log(1 / 18)])
    assert model.log_probs("ac", before="a") == pytest.approx([math.log(10 / 18), math.log(1 / 18)])
    assert model.log_probs("bb", adaptive=True) == pytest.approx([math.log(5 / 18), math.log(11 / 24)])


def test_unigram_by_hand() -> None:
    model = KneserNey(context=0, discount=0.5, alphabet="abc").fit("aaab")
    assert model.distribution("b") == pytest.approx([(2.5 + 1 / 3) / 4, (0.5 + 1 / 3) / 4, 1 / 12])
    assert model.log_probs("c", adaptive=True) == pytest.approx([-math.log(12)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", [0, 1, 3])
def test_probabilities_sum_to_one(context: int, kind: float | str) -> None:
    model = KneserNey(context, kind, ALPHABET).fit(FITTED)
    for before in ("", "a", "ab", FITTED, "dcdc", "e", "aee", "abe", "eab"):
        p = model.distribution(before)
        assert p.shape == (len(ALPHABET),)
        assert p.dtype == np.float64
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert p.min() >= 0
        assert kind == 0 or p.min() > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", [0, 1, 2, 4])
def test_static_beside_the_reference(context: int, kind: float | str) -> None:
    model = KneserNey(context, kind, ALPHABET).fit(FITTED)
    take = partial(reference_discount, "Ⓐ" + FITTED, context, kind)
    text = READ[:15] + "e" + READ[15:20]
    for before in ("", "ca"):
        got = model.log_probs(text, before)
        assert got.shape == (len(text),)
        assert got.dtype == np.float64
        for place, character in enumerate(text):
            so_far = before + text[:place]
            p = reference("Ⓐ" + FITTED, so_far, character, context, take)
            assert np.exp(got[place]) == pytest.approx(p, abs=1e-12)
            assert model.distribution(so_far)[ALPHABET.index(character)] == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", [0, 1, 2, 4])
def test_adaptive_beside_the_reference(context: int, kind: float | str) -> None:
    """A text that begins anew, with a beginning of its own; discounts are those of the fitted text."""
    model = KneserNey(context, kind, ALPHABET).fit(FITTED)
    got = model.log_probs(READ, adaptive=True)
    take = partial(reference_discount, "Ⓐ" + FITTED, context, kind)
    for place, character in enumerate(READ):
        p = reference(f"Ⓐ{FITTED}Ⓑ{READ[:place]}", READ[:place], character, context, take)
        assert np.exp(got[place]) == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize("context", [0, 1, 3, 6])
def test_adaptive_is_static_refitted_at_each_place(context: int) -> None:
    """A text that continues the fitted one: each character is predicted by all before it."""
    got = KneserNey(context, 0.6, ALPHABET).fit(FITTED).log_probs(READ, before=FITTED, adaptive=True)
    for place, character in enumerate(READ):
        so_far = FITTED + READ[:place]
        p = KneserNey(context, 0.6, ALPHABET).fit(so_far).distribution(so_far)
        assert got[place] == pytest.approx(np.log(p[ALPHABET.index(character)]), abs=1e-12)


def test_adaptive_from_nothing() -> None:
    model = KneserNey(2, 0.5, "ab").fit("")
    assert model.distribution("ab") == pytest.approx([0.5, 0.5])
    got = model.log_probs("aab", adaptive=True)
    assert got[:2] == pytest.approx(np.log([0.5, 0.75]))  # a has been counted once: .5 kept, .5 shared out evenly
    assert model.distribution("ab") == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("kind", KINDS)
def test_adaptive_leaves_the_model_as_it_was(kind: float | str) -> None:
    model = KneserNey(3, kind, ALPHABET).fit(FITTED)
    before, static = copy.deepcopy(vars(model)), model.log_probs(READ)
    first = model.log_probs(READ * 3, adaptive=True)
    assert vars(model) == before
    assert np.array_equal(model.log_probs(READ), static)
    assert np.array_equal(model.log_probs(READ * 3, adaptive=True), first)
    assert first[-len(READ) :].mean() > static.mean()  # it has learnt something


def test_texts_that_are_short_or_empty() -> None:
    model = KneserNey(5, 0.75, "ab")
    assert model.fit("ab").log_probs("").shape == (0,)
    for text in ("a", "ab", "abba", "abbab", "abbaba"):
        for before in ("", "a", "bbbbbbbb"):
            assert model.fit(text).distribution(before).sum() == pytest.approx(1)


def test_no_discount_leaves_nothing_for_the_new() -> None:
    model = KneserNey(1, 0, "abc").fit("abab")
    assert model.distribution("a") == pytest.approx([0, 1, 0])
    assert model.log_probs("bba", before="a").tolist() == [0, -np.inf, 0]


def test_alphabet_of_the_text() -> None:
    model = KneserNey(1)
    assert model.alphabet == ""
    assert model.fit("banana").alphabet == "abn"
    assert model.distribution("").shape == (3,)
    assert model.fit("xy").alphabet == "xy"  # what was fitted before is forgotten
    assert model.distribution("x") == pytest.approx(KneserNey(1, 0.75, "xy").fit("xy").distribution("x"))


def test_samples_are_reproducible() -> None:
    model = KneserNey(2, 0.75, ALPHABET).fit(FITTED)
    text = model.sample(50, seed=3)
    assert len(text) == 50
    assert set(text) <= set(ALPHABET)
    assert text == model.sample(50, seed=3)
    assert text != model.sample(50, seed=4)
    assert model.sample(0) == ""


def test_samples_go_on_from_the_prompt() -> None:
    model = KneserNey(2, 0, "abc").fit("abcabcabc")  # every context has one follower
    assert model.sample(7, prompt="ab") == "cabcabc"
    assert model.sample(4, prompt="bbbbca") == "bcab"


def test_samples_follow_the_distribution() -> None:
    """All that was drawn after each context, in standard errors of a frequency."""
    model = KneserNey(2, "one", ALPHABET).fit(FITTED)
    n = 20_000
    text = "ab" + model.sample(n, prompt="ab", seed=5)
    drawn = Counter(text[place : place + 3] for place in range(n))
    scores = []
    for context in {gram[:2] for gram in drawn}:
        visits = sum(drawn[context + c] for c in ALPHABET)
        for c, p in zip(ALPHABET, model.distribution(context), strict=True):
            if visits * p * (1 - p) > 9:
                scores.append((drawn[context + c] / visits - p) / math.sqrt(p * (1 - p) / visits))
    assert len(scores) > 30
    assert max(map(abs, scores)) < 4
    assert np.square(scores).mean() == pytest.approx(1, abs=0.5)


def test_errors() -> None:
    for context in (-1, 2.5):
        with pytest.raises(InputError, match=rf"context is {context}; give a number of characters to look back"):
            KneserNey(context)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"discount is 'modifed'; give a number"):
        KneserNey(discount="modifed")
    with pytest.raises(InputError, match=r"alphabet has these characters more than once: 'a'"):
        KneserNey(alphabet="aab")
    with pytest.raises(InputError, match=r"alphabet is ''; give its characters"):
        KneserNey(alphabet="")
    with pytest.raises(InputError, match=r"text is empty, so there is no alphabet"):
        KneserNey().fit("")
    with pytest.raises(InputError, match=r"text is a list; give a string"):
        KneserNey().fit(["a"])  # type: ignore[arg-type]
    model = KneserNey(1, alphabet="ab")
    for use in (partial(model.log_probs, "a"), partial(model.distribution, ""), partial(model.sample, 1)):
        with pytest.raises(InputError, match=r"has not counted anything yet; call fit\(text\) first"):
            use()
    with pytest.raises(InputError, match=r"text has characters outside the alphabet: '\\n', 'c'; leave them out"):
        model.fit("abc\n")
    model.fit("abab")
    with pytest.raises(InputError, match=r"text has characters outside the alphabet: '€'"):
        model.log_probs("a€")
    with pytest.raises(InputError, match=r"before has characters outside the alphabet: '€'"):
        model.log_probs("a", before="€aaaa")
    with pytest.raises(InputError, match=r"before has characters outside the alphabet: '€'"):
        model.distribution("€")
    with pytest.raises(InputError, match=r"prompt has characters outside the alphabet: 'R'"):
        model.sample(1, prompt="R")
    with pytest.raises(InputError, match=r"length is -1; write 0 characters or more"):
        model.sample(-1)


@pytest.fixture(scope="module")
def shakespeare() -> TextData:
    small_sets.real_folder("tinyshakespeare")
    return load_text("tiny-shakespeare")


@pytest.mark.parametrize(
    ("context", "discount", "nats"),
    [
        (2, 0.75, 2.0413),
        (3, 0.75, 1.7223),
        (4, 0.75, 1.5663),
        (5, "one", 1.5581),
        (5, "modified", 1.5226),
        (6, "modified", 1.5165),
    ],
)
def test_shakespeare(shakespeare: TextData, context: int, discount: float | str, nats: float) -> None:
    model = KneserNey(context, discount, shakespeare.alphabet).fit(shakespeare.train_val)
    assert -model.log_probs(shakespeare.test).mean() == pytest.approx(nats, abs=0.0015)
    assert all(D > 0 for three in model.discounts for D in three)  # by the formula, one of the first is −1.6


def test_shakespeare_static_and_adaptive(shakespeare: TextData) -> None:
    model = KneserNey(5, 0.75, shakespeare.alphabet).fit(shakespeare.train_val)
    assert -model.log_probs(shakespeare.test).mean() == pytest.approx(1.5385, abs=0.0015)
    assert -model.log_probs(shakespeare.test, adaptive=True).mean() == pytest.approx(1.4271, abs=0.0015)


def test_the_letter_h(shakespeare: TextData) -> None:
    """The numbers that the module's docstring tells of it."""
    single, pairs = gram_counts(shakespeare.train_val, 1), gram_counts(shakespeare.train_val, 2)
    continuations = continuation_counts(pairs)
    assert pairs["th"] / single["h"] == pytest.approx(0.44, abs=0.005)
    assert single["h"] / single.total() == pytest.approx(0.046, abs=0.0005)
    assert continuations["h"] / continuations.total() == pytest.approx(0.022, abs=0.0005)
