"""How much is taken from a count: one number, or what the counts themselves say about counts that are too high.

A count of 1 or more is too high on average: of the many grams that are rare in the language, these are the ones that
had the luck to occur. By how much it is too high can be read from n_r, the number of grams (of one length) whose count
is r. Ney, Essen & Kneser take one discount for each length,

    Y = n₁ / (n₁ + 2 n₂),

which nearly maximises the likelihood of each occurrence when all the others are counted; it lies between 0 and 1. Chen
& Goodman found that higher counts are too high by more, and take three, for counts of 1, 2, and 3 or more:

    D₁ = 1 − 2 Y n₂/n₁ (which is Y),   D₂ = 2 − 3 Y n₃/n₂,   D₃ = 3 − 4 Y n₄/n₃.

These formulas need many grams, and some lengths have few: a text of 65 different characters has 65 grams of one
character, and hardly one of them is rare. Where n₁ or n₂ is 0, the discount is .75; where n₃ or n₄ is 0, all three are
Y; where D₂ or D₃ comes out as 0 or less, that one is Y. So every discount is positive, and every context leaves
something to characters that are new in it.

Sources: Ney, Essen & Kneser, *On structuring probabilistic dependences in stochastic language modelling*, Computer
Speech and Language 8, 1994; Chen & Goodman, *An empirical study of smoothing techniques for language modeling*,
Computer Speech and Language 13, 1999.
"""

from __future__ import annotations

from collections import Counter
from numbers import Real

from course_utils.errors import InputError

__all__ = ["Discounts", "discounts_by_length", "require_discount"]

Discounts = tuple[float, float, float]
"""What is taken from a count of 1, from one of 2, and from a higher one."""

_DEFAULT = 0.75


def require_discount(discount: float | str) -> None:
    """Pass over a number in [0, 1), ``"one"`` and ``"modified"``.

    Raises:
        InputError: if it is anything else.
    """
    if discount in ("one", "modified") or (isinstance(discount, Real) and 0 <= discount < 1):
        return
    raise InputError(
        f'discount is {discount!r}; give a number, at least 0 and below 1, or "one" (one for each length of '
        'context, estimated), or "modified" (three for each).'
    )


def discounts_by_length(followers: dict[str, dict[str, int]], context: int, discount: float | str) -> list[Discounts]:
    """The discounts for contexts of each length.

    Args:
        followers: what has followed each context, from :func:`course_utils.ngrams.counts.count_followers`.
        context: the length of the longest contexts.
        discount: a number in [0, 1), ``"one"`` or ``"modified"``.

    Returns:
        Three numbers for each length from 0 to ``context``, each 0 or more and no higher than the count that it is
        taken from; above 0 unless ``discount`` is 0.
    """
    if not isinstance(discount, str):
        return [(float(discount),) * 3] * (context + 1)
    numbers: list[Counter[int]] = [Counter() for _ in range(context + 1)]
    for key, counts in followers.items():
        numbers[len(key)].update(counts.values())
    return [_estimated(n, three=discount == "modified") for n in numbers]


def _estimated(n: Counter[int], *, three: bool) -> Discounts:
    """From n[r], the number of grams whose count is r."""
    if not (n[1] and n[2]):
        return _DEFAULT, _DEFAULT, _DEFAULT
    Y = n[1] / (n[1] + 2 * n[2])
    if not (three and n[3] and n[4]):
        return Y, Y, Y
    D2, D3 = 2 - 3 * Y * n[3] / n[2], 3 - 4 * Y * n[4] / n[3]
    return Y, D2 if D2 > 0 else Y, D3 if D3 > 0 else Y
