"""Discounts: the formulas by hand, and what stands in for them where there are too few counts."""

from __future__ import annotations

import string
from itertools import repeat

import pytest

from course_utils.errors import InputError
from course_utils.ngrams.discounts import discounts_by_length, require_discount


def context_with(n1: int = 0, n2: int = 0, n3: int = 0, n4: int = 0, many: int = 0) -> dict[str, int]:
    """One context in which n1 characters have the count 1, and so on, and ``many`` the count 9."""
    counts = [*repeat(1, n1), *repeat(2, n2), *repeat(3, n3), *repeat(4, n4), *repeat(9, many)]
    return dict(zip(string.ascii_letters, counts, strict=False))


def of(discount: float | str, **n: int) -> tuple[float, float, float]:
    return discounts_by_length({"": context_with(**n)}, 0, discount)[0]


def test_one_number_for_all() -> None:
    assert discounts_by_length({}, 2, 0.3) == [(0.3, 0.3, 0.3)] * 3
    assert of(0, n1=4, n2=2) == (0, 0, 0)


def test_formulas_by_hand() -> None:
    assert of("one", n1=4, n2=2, n3=1, n4=1) == (0.5, 0.5, 0.5)
    assert of("modified", n1=4, n2=2, n3=1, n4=1) == pytest.approx((0.5, 1.25, 1.0))
    n = {"n1": 10, "n2": 6, "n3": 4, "n4": 2, "many": 3}
    Y = 10 / 22
    assert of("modified", **n) == pytest.approx((1 - 2 * Y * 6 / 10, 2 - 3 * Y * 4 / 6, 3 - 4 * Y * 2 / 4))


def test_each_length_has_its_own() -> None:
    followers = {"": context_with(n1=1, n2=2), "a": context_with(n1=2, n2=1), "b": context_with(n1=2)}
    assert discounts_by_length(followers, 2, "one") == [(0.2,) * 3, (4 / 6,) * 3, (0.75,) * 3]


@pytest.mark.parametrize("discount", ["one", "modified"])
def test_too_few_counts(discount: str) -> None:
    assert of(discount) == (0.75, 0.75, 0.75)
    assert of(discount, n1=5, many=2) == (0.75, 0.75, 0.75)  # by the formula 1: nothing would be left of a count of 1
    assert of(discount, n2=5, many=2) == (0.75, 0.75, 0.75)  # by the formula 0
    assert of(discount, n1=2, n2=1, n3=1) == (0.5, 0.5, 0.5)
    assert of(discount, n1=2, n2=1, n4=1) == (0.5, 0.5, 0.5)


def test_no_discount_is_negative() -> None:
    Y = 1 / 3
    assert of("modified", n1=1, n2=1, n3=3, n4=1) == pytest.approx((Y, Y, 3 - 4 * Y / 3))  # D₂ would be −1
    assert of("modified", n1=1, n2=1, n3=1, n4=3) == pytest.approx((Y, 2 - 3 * Y, Y))  # D₃ would be −1
    assert of("modified", n1=1, n2=1, n3=2, n4=1) == pytest.approx((Y, Y, 3 - 2 * Y))  # D₂ would be 0


@pytest.mark.parametrize("discount", ["both", 1, 1.0, -0.1, float("nan"), None])
def test_errors(discount: object) -> None:
    with pytest.raises(InputError, match=r'discount is .*; give a number, at least 0 and below 1, or "one"'):
        require_discount(discount)  # type: ignore[arg-type]
