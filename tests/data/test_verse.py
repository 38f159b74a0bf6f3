"""The blank verse: its grammar is unambiguous, its log-probability right, its entropy the true one."""

from __future__ import annotations

import itertools
import math
import random
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from course_utils.data import verse
from course_utils.data.grammar import Grammar
from course_utils.data.verse import GRAMMAR, SPEAKERS
from course_utils.errors import InputError

CLASSES = {
    symbol for symbol, rules in GRAMMAR.rules.items() if all(parts[0] not in GRAMMAR.rules for _, parts in rules)
}
SYLLABLES = {
    **dict.fromkeys(("adj2", "noun2", "prep2", "verb2", "verb2s"), 2),
    **dict.fromkeys(("comma", "full", "semicolon", "bang", "asked", "newline"), 0),
}


def derivations(grammar: Grammar, symbol: str, ends: set[str]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every derivation down to the symbols in ``ends``, with its probability."""
    if symbol in ends or symbol not in grammar.rules:
        yield (symbol,), 1.0
        return
    for p, parts in grammar.rules[symbol]:
        for below in itertools.product(*(list(derivations(grammar, part, ends)) for part in parts)):
            yield tuple(itertools.chain(*(string for string, _ in below))), p * math.prod(q for _, q in below)


def parses(grammar: Grammar, symbol: str, words: tuple[str, ...]) -> Counter[int]:
    """How many derivations of ``symbol`` there are for the first n words, by n: a parser that tries everything."""
    if symbol not in grammar.rules:
        return Counter({1: 1}) if words[:1] == (symbol,) else Counter()
    total: Counter[int] = Counter()
    for _, parts in grammar.rules[symbol]:
        reached = Counter({0: 1})
        for part in parts:
            further: Counter[int] = Counter()
            for n, ways in reached.items():
                for more, others in parses(grammar, part, words[n:]).items():
                    further[n + more] += ways * others
            reached = further
        total.update(reached)
    return total


def inside(symbol: str, words: tuple[str, ...]) -> float:
    """The probability that ``symbol`` becomes exactly ``words``: the sum over all derivations, parsed anew."""

    def reach(part: str, start: int) -> dict[int, float]:
        if part not in GRAMMAR.rules:
            return {start + 1: 1.0} if words[start : start + 1] == (part,) else {}
        total: dict[int, float] = {}
        for p, parts in GRAMMAR.rules[part]:
            reached = {start: p}
            for child in parts:
                further: dict[int, float] = {}
                for n, q in reached.items():
                    for end, r in reach(child, n).items():
                        further[end] = further.get(end, 0.0) + q * r
                reached = further
            for end, q in reached.items():
                total[end] = total.get(end, 0.0) + q
        return total

    return reach(symbol, 0).get(len(words), 0.0)


def read_back(text: str) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Speaker and lines, as terminals of the grammar, from nothing but the text."""
    for speech in text.removesuffix("\n\n").split("\n\n"):
        heading, *lines = speech.split("\n")
        assert heading.endswith(":")
        yield heading[:-1], [_terminals(line) for line in lines]


def _terminals(line: str) -> tuple[str, ...]:
    first, *others = re.findall(r"\w+|[^\w\s]", line)
    return (first if first in ("I", "O") else first.lower(), *others, "\n")


@pytest.fixture(scope="module")
def play() -> verse.Verse:
    return verse.write(40_000, seed=3)


def test_every_word_belongs_to_one_class() -> None:
    words = [parts[0] for symbol in CLASSES for _, parts in GRAMMAR.rules[symbol]]
    assert len(words) == len(set(words)) == len({word.lower() for word in words})
    assert all(len(parts) == 1 for symbol in CLASSES for _, parts in GRAMMAR.rules[symbol])
    others = set(GRAMMAR.rules) - CLASSES
    assert all(part in GRAMMAR.rules for symbol in others for _, parts in GRAMMAR.rules[symbol] for part in parts)


def test_no_two_derivations_give_the_same_line() -> None:
    for symbol in ("line", "last"):
        lines = list(derivations(GRAMMAR, symbol, CLASSES))
        assert len(lines) >= 50
        assert len({classes for classes, _ in lines}) == len(lines)
        assert math.fsum(p for _, p in lines) == pytest.approx(1)
        for classes, _ in lines:
            assert sum(SYLLABLES.get(name, 1) for name in classes) == 10, classes
            assert classes[-1] == "newline"
            assert classes.count("newline") == 1


def test_lines_say_where_a_speech_ends(play: verse.Verse) -> None:
    """A speech is its lines, as many as there are before the empty one, so lines alone must be unambiguous."""
    lengths = [parts for _, parts in GRAMMAR.rules["speech"]]
    assert len({len(parts) for parts in lengths}) == len(lengths)
    assert all(set(parts[:-1]) <= {"line"} and parts[-1] == "last" for parts in lengths)


def test_log_probability_is_that_of_the_text_parsed_back(play: verse.Verse) -> None:
    speeches = list(read_back(play.text))
    assert len(speeches) == len(play.log_probs) == len(play.starts)
    last = None
    for (speaker, lines), recorded, start in zip(speeches, play.log_probs, play.starts, strict=True):
        assert play.text.startswith(f"{speaker}:\n", start)
        assert speaker in SPEAKERS
        assert speaker != last
        p_length = next(p for p, parts in GRAMMAR.rules["speech"] if len(parts) == len(lines))
        expected = -math.log(len(SPEAKERS) - (last is not None)) + math.log(p_length)
        for line in lines[:-1]:
            expected += math.log(inside("line", line))
        expected += math.log(inside("last", lines[-1]))
        assert recorded == pytest.approx(expected, abs=1e-9)
        last = speaker
    assert play.log_prob == pytest.approx(math.fsum(play.log_probs))


def test_each_line_parses_in_one_way(play: verse.Verse) -> None:
    lines = [line for _, lines in read_back(play.text) for line in lines[:-1]][:200]
    assert {parses(GRAMMAR, "line", line)[len(line)] for line in lines} == {1}


def test_entropy_is_what_a_long_text_costs() -> None:
    long = verse.write(500_000, seed=11)
    lengths = [b - a for a, b in itertools.pairwise((*long.starts, len(long.text)))]
    entropy = verse.entropy_per_character()
    # nats minus entropy × characters has mean 0 per speech: hold its sum against its own spread
    excess = [-log_prob - entropy * length for log_prob, length in zip(long.log_probs, lengths, strict=True)]
    spread = math.sqrt(sum(e * e for e in excess))
    assert abs(sum(excess)) < 4 * spread
    assert spread / len(long.text) < 0.01 * entropy
    assert -long.log_prob / len(long.text) == pytest.approx(entropy, rel=0.01)


def test_grammar_against_enumeration() -> None:
    small = Grammar(
        {
            "s": [(3, ("a", "b")), (1, ("b",)), (2, ("a", "a", "x"))],
            "a": [(1, ("p",)), (4, ("q", "b"))],
            "b": [(1, ("r",)), (1, ("t",)), (2, ("u", "v"))],
        }
    )
    strings = list(derivations(small, "s", set()))
    assert math.fsum(p for _, p in strings) == pytest.approx(1)
    assert small.entropy("s") == pytest.approx(-math.fsum(p * math.log(p) for _, p in strings))
    counts = small.expected_counts("s")
    for part in ("p", "q", "r", "u", "x"):
        assert counts[part] == pytest.approx(math.fsum(p * string.count(part) for string, p in strings))
    chance = random.Random(5)
    known = dict(strings)
    assert len(known) == len(strings)
    drawn: Counter[tuple[str, ...]] = Counter()
    for _ in range(20_000):
        terminals, log_prob = small.draw("s", chance)
        assert math.exp(log_prob) == pytest.approx(known[tuple(terminals)])
        drawn[tuple(terminals)] += 1
    chi_squared = sum((drawn[string] - 20_000 * p) ** 2 / (20_000 * p) for string, p in strings)
    assert chi_squared < len(strings) + 5 * math.sqrt(2 * len(strings))


def test_long_enough_soon_enough_and_the_same_again() -> None:
    start = time.process_time()
    play = verse.write(seed=1)
    assert time.process_time() - start < 3
    assert len(play.text) >= 300_000
    assert verse.write(seed=1) == play
    assert verse.write(5_000, seed=2).text != play.text[:5_000]
    assert play.text.startswith(verse.write(5_000, seed=1).text)
    widths = Counter(len(line) for line in play.text.splitlines() if line and not line.endswith(":"))
    assert min(widths) > 25
    assert max(widths) < 70
    with pytest.raises(InputError, match="num_characters is 0"):
        verse.write(0)


def test_text_is_the_same_on_every_machine() -> None:
    text = verse.write(2_000).text
    assert text.startswith("Corvane:\nYour golden sister sees this gracious sea,\n")
