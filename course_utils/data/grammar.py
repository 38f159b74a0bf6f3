"""Weighted context-free grammars: drawing from them, and what their draws weigh, in closed form.

A grammar here never refers to itself, directly or through others, so that what it makes is finite. Where no text has
two derivations, as in :mod:`course_utils.data.verse`, the probability of a derivation is that of its text, and the
entropy of the derivations is the entropy of the texts.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Mapping, Sequence

__all__ = ["Grammar", "Rule"]

Rule = tuple[float, tuple[str, ...]]
"""The weight of an expansion among those of its symbol, and the symbols that it consists of."""


class Grammar:
    """Symbols that have rules are expanded by them; every other symbol is a terminal and stands for itself.

    Args:
        rules: for each symbol its expansions; their weights are brought to the sum 1.
    """

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        self.rules: dict[str, list[Rule]] = {}
        self._cumulated: dict[str, list[float]] = {}
        for symbol, choices in rules.items():
            total = math.fsum(weight for weight, _ in choices)
            self.rules[symbol] = [(weight / total, parts) for weight, parts in choices]
            self._cumulated[symbol] = list(itertools.accumulate(p for p, _ in self.rules[symbol]))

    def draw(self, symbol: str, chance: random.Random) -> tuple[list[str], float]:
        """Expand ``symbol``, each rule drawn with its probability.

        Returns:
            The terminals, and the log-probability of the derivation in nats.
        """
        terminals: list[str] = []
        log_prob = 0.0
        stack = [symbol]
        while stack:
            part = stack.pop()
            if part not in self.rules:
                terminals.append(part)
                continue
            chosen = bisect.bisect_right(self._cumulated[part], chance.random())
            p, parts = self.rules[part][min(chosen, len(self.rules[part]) - 1)]
            log_prob += math.log(p)
            stack.extend(reversed(parts))
        return terminals, log_prob

    def expected_counts(self, symbol: str) -> dict[str, float]:
        """How often each symbol, terminals among them, occurs in a derivation of ``symbol`` on average."""
        known: dict[str, dict[str, float]] = {}

        def count(part: str) -> dict[str, float]:
            if part not in known:
                total = {part: 1.0}
                for p, parts in self.rules.get(part, ()):
                    for below, times in itertools.chain.from_iterable(count(child).items() for child in parts):
                        total[below] = total.get(below, 0.0) + p * times
                known[part] = total
            return known[part]

        return count(symbol)

    def entropy(self, symbol: str) -> float:
        """The entropy of the derivations of ``symbol``, in nats.

        By the chain rule it is the sum over all symbols of how often each is expanded on average, times the entropy
        of the choice among its rules.
        """
        counts = self.expected_counts(symbol)
        return math.fsum(
            -counts.get(part, 0.0) * math.fsum(p * math.log(p) for p, _ in choices)
            for part, choices in self.rules.items()
        )
