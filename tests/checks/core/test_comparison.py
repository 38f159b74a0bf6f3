"""Holding an answer against a reference: which draws, which mistakes, and what is said of the rest."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course_utils.checks import core
from course_utils.checks.core import Check, Mistake, Wrong

MISTAKE = Mistake("mean", "you averaged; this is a sum.", lambda x: x.mean())


def draws() -> list[tuple[torch.Tensor]]:
    generator = core.fresh(0)
    return [(torch.randn(4, generator=generator),) for _ in range(3)]


CHECK = Check(
    "total",
    lambda answer: core.compare(answer, lambda x: x.sum(), draws(), [MISTAKE], "got {got}, expected {expected}."),
    "sums add up.",
    (MISTAKE,),
)


def test_a_wrong_shape_is_said_first() -> None:
    with pytest.raises(Wrong, match=r"should have the shape \(4,\), and it has \(2, 2\)"):
        core.compare(lambda x: x.reshape(2, 2), lambda x: x, draws(), otherwise="other")


def test_an_answer_that_is_right_once_is_not_right() -> None:
    first = draws()[0][0].sum()
    with pytest.raises(Wrong):
        CHECK(lambda x: first)


def test_a_mistake_has_to_agree_on_every_draw() -> None:
    calls = iter(range(10))
    with pytest.raises(Wrong, match="got"):
        CHECK(lambda x: x.mean() if next(calls) == 0 else x.prod())


def message(answer, reference, *cases) -> str:
    with pytest.raises(Wrong) as caught:
        core.compare(answer, reference, cases, otherwise="{got}, not {expected}.")
    return str(caught.value)


A, B = torch.arange(12.0).view(3, 4) + 1, torch.arange(12.0).view(3, 4).sin()
SAID = {
    "Yours is 2 × that, everywhere.": lambda x: 2 * x,
    "Yours is 0 everywhere.": lambda x: 0 * x,
    "The sign is turned, everywhere.": lambda x: -x,
    "Yours is larger by 0.5, everywhere.": lambda x: x + 0.5,
    "It lacks 0.5, everywhere.": lambda x: x - 0.5,
    "These are the right numbers in another order.": lambda x: x.flip(1),
}


@pytest.mark.parametrize("text", SAID)
def test_what_a_result_has_in_common_with_the_expected_one_is_said(text):
    assert message(SAID[text], lambda x: x, (A,), (B,)).endswith(f" {text}")


def test_a_relation_has_to_hold_on_every_draw():
    calls = iter((2, 3))
    assert "everywhere" not in message(lambda x: next(calls) * x, lambda x: x, (A,), (B,))
    assert message(lambda x: 2 * x.sum(), lambda x: x.sum(), (A,), (B,)).endswith("Yours is 2 × that, everywhere.")


def test_the_transpose_is_named_whether_its_shape_fits_or_not():
    assert message(lambda x: x.mT, lambda x: x, (A,)).endswith("it has (4, 3). Yours is the transpose.")
    assert message(lambda x: x.mT, lambda x: x, (A[:, :3],)).endswith("Yours is the transpose.")


def test_the_first_entry_that_differs_is_shown():
    def answer(x):
        y = x.clone()
        y[1, 2] = 70
        return y

    assert message(answer, lambda x: x, (A,)) == "70 at [1, 2], not 7."
    assert message(lambda x: x + 3e-3 * (x == 7), lambda x: x, (A,)) == "7.003 at [1, 2], not 7."


def test_two_values_that_look_alike_are_shown_with_more_digits():
    assert message(lambda x: x + 2 * (x == 7000), lambda x: x, (1e3 * A,)) == "7002 at [1, 2], not 7000."
    assert message(lambda x: x + 30 * (x == 7e4), lambda x: x, (1e4 * A,)) == "70030 at [1, 2], not 70000."
    assert message(lambda x: 123456.0, lambda x: 123480.0, (0,)) == "123456, not 123480."


def test_the_reference_is_computed_in_double_for_tensors_and_models():
    dtypes = []

    def reference(model, x):
        dtypes.extend([x.dtype, model.weight.dtype])
        return model(x)

    core.compare(lambda model, x: model(x), reference, [(nn.Linear(3, 2), torch.ones(1, 3))])
    assert dtypes == [torch.float64, torch.float64]


def test_rounding_in_float32_is_no_mistake():
    X = 1000 + torch.randn(500, 3, generator=core.fresh(0))
    core.compare(lambda x: x.cumsum(0).flip(0), lambda x: x.cumsum(0).flip(0), [(X,)])


def test_a_mistake_with_nan_and_inf_is_recognised():
    known = Mistake("log", "a logarithm too many.", lambda x: x.log())
    with pytest.raises(Wrong, match="a logarithm too many"):
        core.compare(lambda x: x.log(), lambda x: x, [(torch.tensor([-1.0, 0.0, 2.0]),)], [known])


def test_replacing_the_functions_of_torch_gains_nothing(monkeypatch):
    for name in ("allclose", "equal", "isclose", "isfinite"):
        monkeypatch.setattr(torch, name, lambda *args, **kwargs: torch.tensor(True))
    with pytest.raises(Wrong, match="got"):
        CHECK(lambda x: x.prod())
