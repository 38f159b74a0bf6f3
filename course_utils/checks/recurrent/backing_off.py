"""The check of counts with backing-off: interpolated absolute discounting."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, integer, uniform

__all__ = ["discounted_probability"]

_Table = Mapping[str, Mapping[str, int]]
_Case = tuple[_Table, str, str, float, int]
_Level = Callable[[Mapping[str, int], str, float, float, int], float]  # (seen, character, D, shorter, V) → probability


def _discounted(counts: _Table, context: str, character: str, discount: float, alphabet_size: int) -> float:
    """From the empty context to the whole one, each on top of the shorter one."""
    probability = 1 / alphabet_size
    for start in range(len(context), -1, -1):
        seen = counts.get(context[start:], {})
        if seen:
            kept = max(seen.get(character, 0) - discount, 0)
            probability = (kept + discount * len(seen) * probability) / sum(seen.values())
    return probability


def _on_each_level(
    level: _Level,
    *,
    shorten: Callable[[str], str] = lambda context: context[1:],
    unseen: Callable[[float], float] = lambda shorter: shorter,
    end: Callable[[_Table, int], float] = lambda counts, alphabet_size: 1 / alphabet_size,
) -> Answer:
    """The recursion with other parts in it."""

    def probability(counts: _Table, context: str, character: str, discount: float, alphabet_size: int) -> float:
        if context:
            shorter = probability(counts, shorten(context), character, discount, alphabet_size)
        else:
            shorter = end(counts, alphabet_size)
        seen = counts.get(context, {})
        return level(seen, character, discount, shorter, alphabet_size) if seen else unseen(shorter)

    return probability


def _kept(seen: Mapping[str, int], character: str, discount: float) -> float:
    return max(seen.get(character, 0) - discount, 0)


def _level(seen: Mapping[str, int], character: str, discount: float, shorter: float, alphabet_size: int) -> float:
    return (_kept(seen, character, discount) + discount * len(seen) * shorter) / sum(seen.values())


def _only_if_unseen(
    seen: Mapping[str, int], character: str, discount: float, shorter: float, alphabet_size: int
) -> float:
    if character in seen:
        return _kept(seen, character, discount) / sum(seen.values())
    return discount * len(seen) / sum(seen.values()) * shorter


def _total_of_the_shorter(counts: _Table, context: str, character: str, discount: float, alphabet_size: int) -> float:
    probability = 1 / alphabet_size
    for start in range(len(context), -1, -1):
        seen = counts.get(context[start:], {})
        if seen:
            total = sum(counts.get(context[start + 1 :], {}).values())
            probability = (_kept(seen, character, discount) + discount * len(seen) * probability) / total
    return probability


def _uniform_alone(counts: _Table, context: str, character: str, discount: float, alphabet_size: int) -> float:
    probability = 1 / alphabet_size
    for start in range(len(context) - 1, -1, -1):
        seen = counts.get(context[start:], {})
        if seen:
            probability = _level(seen, character, discount, probability, alphabet_size)
    return probability


_PROBABILITY = (
    Mistake(
        "nothing passed on",
        "what the discount takes away is given to nobody: a character that has not been seen after this context gets "
        "probability 0, and the others do not add up to 1.",
        _on_each_level(lambda seen, character, D, shorter, V: _kept(seen, character, D) / sum(seen.values())),
    ),
    Mistake(
        "types forgotten",
        "the mass that is passed on is D / n. The discount is taken from each different character that has been seen, "
        "so that the number of these belongs into it.",
        _on_each_level(
            lambda seen, character, D, shorter, V: (_kept(seen, character, D) + D * shorter) / sum(seen.values())
        ),
    ),
    Mistake(
        "only if unseen",
        "the shorter context is asked only about characters that have not been seen. Here both are added, for every "
        "character: otherwise the probabilities do not add up to 1.",
        _on_each_level(_only_if_unseen),
    ),
    Mistake(
        "wrong end",
        "the context is shortened at the wrong end. The character that is farthest back is given up, which is the "
        "first one of the string.",
        _on_each_level(_level, shorten=lambda context: context[:-1]),
    ),
    Mistake(
        "zero after an unseen context",
        "after a context that has not been seen the probability is 0. There is nothing to discount then, and the "
        "shorter context's probability is passed on as it is.",
        _on_each_level(_level, unseen=lambda shorter: 0.0),
    ),
    Mistake(
        "uniform after an unseen context",
        "after a context that has not been seen the probability is 1 / V. The shorter context still knows something: "
        "its probability is passed on as it is.",
        lambda counts, context, character, D, V: (
            _discounted(counts, context, character, D, V) if context in counts else 1 / V
        ),
    ),
    Mistake(
        "ends at 0",
        "what the empty context passes on goes to nobody, and a character that is nowhere in the text gets "
        "probability 0. Below the empty context there is 1 / V for each character.",
        _on_each_level(_level, end=lambda counts, V: 0.0),
    ),
    Mistake(
        "ends at the seen ones",
        "below the empty context there is 1 / V, where V is the size of the alphabet and not the number of different "
        "characters that have been seen.",
        _on_each_level(_level, end=lambda counts, V: 1 / len(counts[""])),
    ),
    Mistake(
        "empty context skipped",
        "the empty context is skipped: a context of one character passes on to 1 / V at once. The counts of the "
        "characters by themselves come in between.",
        _uniform_alone,
    ),
    Mistake(
        "total of the shorter context",
        "the total n is that of the shorter context. It is how often this context has been seen, which is the sum of "
        "its own counts.",
        _total_of_the_shorter,
    ),
    Mistake(
        "discounted total",
        "the discount is subtracted from the total n as well. It is taken from the count of each character alone.",
        _on_each_level(
            lambda seen, character, D, shorter, V: (
                (_kept(seen, character, D) + D * len(seen) * shorter) / (sum(seen.values()) - D)
            )
        ),
    ),
    Mistake(
        "not discounted",
        "the counts are not discounted. As the shorter context gets its share all the same, the probabilities add up "
        "to more than 1.",
        _on_each_level(
            lambda seen, character, D, shorter, V: (
                (seen.get(character, 0) + D * len(seen) * shorter) / sum(seen.values())
            )
        ),
    ),
    Mistake(
        "below zero",
        "the discount is subtracted from counts of 0, too, and they become negative. The formula has max(·, 0).",
        _on_each_level(
            lambda seen, character, D, shorter, V: (
                (seen.get(character, 0) - D + D * len(seen) * shorter) / sum(seen.values())
            )
        ),
    ),
    Mistake(
        "types of the alphabet",
        "the mass that is passed on is D · V / n. Only characters that have been seen after this context were "
        "discounted.",
        _on_each_level(
            lambda seen, character, D, shorter, V: (_kept(seen, character, D) + D * V * shorter) / sum(seen.values())
        ),
    ),
    Mistake(
        "logarithm",
        "this is the logarithm of the probability. The probability itself is asked for.",
        lambda *case: math.log(_discounted(*case)),
    ),
)


def _table(text: str, longest: int) -> dict[str, dict[str, int]]:
    """Counts of what follows each context of 0 to ``longest`` characters."""
    counts: dict[str, dict[str, int]] = {}
    for end in range(len(text)):
        for start in range(max(0, end - longest), end + 1):
            seen = counts.setdefault(text[start:end], {})
            seen[text[end]] = seen.get(text[end], 0) + 1
    return counts


def _draws(generator: torch.Generator) -> list[_Case]:
    """Cases on a text of four letters out of an alphabet of seven: contexts and characters, seen and unseen."""
    text = "".join("aaabbcd"[integer(0, 6, generator)] for _ in range(integer(30, 45, generator))) + "abcacabd"
    counts = _table(text, 3)
    # the empty one; short and long ones; "aaz" and "zab" are unseen, and "cabd" is longer than any that is counted
    contexts = ["", "a", "b", "ab", "ca", "abc", "cab", "z", "aaz", "zab", "cabd", text[10:13]]
    discount = float(uniform(0.5, 0.9, generator=generator))
    return [(counts, context, character, discount, 7) for context in contexts for character in "abz"]


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [*_draws(generator), *_draws(generator)]
    draws.append(({"": {"a": 3, "b": 1}, "a": {"a": 2, "b": 1}}, "a", "b", 0.5, 4))  # by hand: 1/6 + 1/3 · 3/16
    text = "discounted_probability gives {got}, and with the shorter contexts mixed in it is {expected}."
    compare(answer, _discounted, draws, _PROBABILITY, text, what="the probability")


discounted_probability = Check(
    "discounted_probability",
    _judge,
    "what the discount takes from the seen characters, the shorter context hands out to all of them.",
    _PROBABILITY,
)
