"""The check of the counts of what follows each context, for all lengths of context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, fresh, integer, kind_of

__all__ = ["count_contexts"]

_Table = dict[str, dict[str, int]]
_Pairs = Callable[[str, int], list[tuple[str, str]]]  # a context and what is counted in it, for each count


def _counted(pairs: _Pairs) -> Answer:
    """The table of what some pairs give."""

    def count_contexts(text: str, longest: int) -> _Table:
        table: _Table = {}
        for (context, character), count in Counter(pairs(text, longest)).items():
            table.setdefault(context, {})[character] = count
        return table

    return count_contexts


def _pairs(lengths: Callable[[int, int], range], cut: Callable[[str, int, int], tuple[str, str]]) -> _Pairs:
    """Pairs for each place in a text and each of some lengths, as far as the text reaches back."""

    def pairs(text: str, longest: int) -> list[tuple[str, str]]:
        return [cut(text, t, length) for t in range(len(text)) for length in lengths(longest, t)]

    return pairs


def _all(longest: int, t: int) -> range:
    return range(min(longest, t) + 1)


def _cut(text: str, t: int, length: int) -> tuple[str, str]:
    """The character at t, and as many before it as ``length`` says."""
    return text[t - length : t], text[t]


_RIGHT = _counted(_pairs(_all, _cut))
_COUNTS = (
    Mistake(
        "longest alone",
        "only contexts of the full length are counted. Those that are shorter, down to the empty one, are needed when "
        "the long ones have not been seen.",
        _counted(_pairs(lambda longest, t: range(longest, min(longest, t) + 1), _cut)),
    ),
    Mistake(
        "empty context missing",
        "the empty context is missing. It counts every character of the text, whatever comes before it.",
        _counted(_pairs(lambda longest, t: range(1, min(longest, t) + 1), _cut)),
    ),
    Mistake(
        "longest missing",
        "contexts with the full length are missing: range stops before its end.",
        _counted(_pairs(lambda longest, t: range(min(longest - 1, t) + 1), _cut)),
    ),
    Mistake(
        "beginning skipped",
        "the first characters of the text are skipped, because they have not the full length before them. They have "
        "shorter contexts, down to the empty one.",
        _counted(_pairs(lambda longest, t: range(longest + 1 if t >= longest else 0), _cut)),
    ),
    Mistake(
        "end skipped",
        "the last character of the text is not counted. It follows its contexts like every other one.",
        lambda text, longest: _RIGHT(text[:-1], longest),
    ),
    Mistake(
        "context with its character",
        "the context holds the very character that is counted. It should end just before it.",
        _counted(_pairs(_all, lambda text, t, length: (text[t - length + 1 : t + 1] if length else "", text[t]))),
    ),
    Mistake(
        "reversed",
        "the contexts are spelled backwards. A context stands as it does in the text, its latest character last.",
        _counted(_pairs(_all, lambda text, t, length: (text[t - length : t][::-1], text[t]))),
    ),
    Mistake(
        "what comes before",
        "what is counted is the character before a piece of text. Asked is the one that follows it.",
        lambda text, longest: {context[::-1]: inner for context, inner in _RIGHT(text[::-1], longest).items()},
    ),
    Mistake(
        "seen or not",
        "every count is 1: this is whether a character has been seen after a context, not how often.",
        lambda text, longest: {context: dict.fromkeys(inner, 1) for context, inner in _RIGHT(text, longest).items()},
    ),
    Mistake(
        "shares",
        "these are shares of each context's total. The counts themselves are asked for.",
        lambda text, longest: {
            context: {character: count / sum(inner.values()) for character, count in inner.items()}
            for context, inner in _RIGHT(text, longest).items()
        },
    ),
)


def _text(generator: torch.Generator) -> str:
    """A text of three letters in which every letter comes often, and no two places read alike for long."""
    n = integer(40, 60, generator)
    return "abc" + "".join("abcc"[integer(0, 3, generator)] for _ in range(n)) + "bab"


def _as_table(value: Any) -> _Table:
    """What came back as a dict of dicts without counts of 0, or :class:`Wrong` saying why it is none."""
    if not isinstance(value, Mapping):
        raise Wrong(f"a dict is asked for, from contexts to counts, and what comes back is {kind_of(value)}.")
    table = {}
    for context, inner in value.items():
        if not isinstance(context, str):
            raise Wrong(f"the contexts should be strings, and one of them is {kind_of(context)}, {context!r}.")
        if not isinstance(inner, Mapping):
            raise Wrong(f"under {context!r} there should be a dict from characters to counts; it is {kind_of(inner)}.")
        if kept := {character: count for character, count in inner.items() if count}:
            table[context] = kept
    return table


def _difference(got: _Table, expected: _Table) -> str:
    """The first count that differs, in words."""
    for context in sorted({*got, *expected}, key=lambda key: (len(key), key)):
        inner, right = got.get(context, {}), expected.get(context, {})
        for character in sorted({*inner, *right}, key=str):
            one, other = inner.get(character, 0), right.get(character, 0)
            if one != other:
                return f"{character!r} is counted {one} times after {context!r}, and the text has it {other} times"
    return "the counts differ"


def _judge(answer: Answer) -> None:
    generator = fresh()
    cases = [(_text(generator), longest) for longest in (2, 3, 1, 4)]
    got = [_as_table(call(answer, *case)) for case in cases]
    expected = [_RIGHT(*case) for case in cases]
    if got != expected:
        for mistake in _COUNTS:
            if got == [mistake.make(*case) for case in cases]:
                raise Wrong(mistake.message)
        (text, longest), one, other = next(
            triple for triple in zip(cases, got, expected, strict=True) if triple[1] != triple[2]
        )
        raise Wrong(f"in {text[:12]!r}… with longest = {longest}, {_difference(one, other)}.")
    if _as_table(call(answer, "abcab", 0)) != {"": {"a": 2, "b": 2, "c": 1}}:
        raise Wrong("with longest = 0 only the empty context is left, and it counts each character of the text.")
    if _as_table(call(answer, "ab", 5)) != {"": {"a": 1, "b": 1}, "a": {"b": 1}}:
        raise Wrong("a text shorter than the longest context has the contexts that fit into it, and no others.")


count_contexts = Check(
    "count_contexts",
    _judge,
    "every character is counted once in each of its contexts, from the empty one to the longest.",
    _COUNTS,
)
