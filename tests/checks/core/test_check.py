"""What every check shares: three outcomes, shown without a stack trace, on stdout, and returning nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils.checks import core
from course_utils.checks.core import Check, Mistake, NotAttempted, Wrong

MISTAKE = Mistake("mean", "you averaged; this is a sum.", lambda x: x.mean())


def draws() -> list[tuple[torch.Tensor]]:
    generator = core.fresh(0)
    return [(torch.randn(4, generator=generator),) for _ in range(3)]


def judge(answer: Callable[..., Any]) -> None:
    core.compare(answer, lambda x: x.sum(), draws(), [MISTAKE], otherwise="got {got}, expected {expected}.")


CHECK = Check("total", judge, "sums add up.", (MISTAKE,))


def stub(x):
    """What the function returns, and shapes."""
    ...


def forgets(x):
    y = x * x
    y + y


def test_right_is_shown_and_returns_nothing() -> None:
    with capture_output() as caught:
        assert CHECK(lambda x: x.sum()) is None
    assert caught.stderr == ""
    assert "✓ Right: sums add up." in caught.stdout + "".join(map(repr, caught.outputs))


@pytest.mark.parametrize("answer", [..., None, stub])
def test_a_gap_is_not_attempted(answer: Any) -> None:
    with pytest.raises(NotAttempted, match="total is still a gap"):
        CHECK(answer)


def test_a_known_mistake_is_named() -> None:
    with pytest.raises(Wrong, match="you averaged; this is a sum"):
        CHECK(lambda x: x.sum() / 4)  # the same mistake, written in another way


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: x.prod(), r"got -?[\d.e-]+, expected -?[\d.e-]+\."),
        (forgets, "returns nothing; is the return missing?"),
        (lambda x: x.summ(), "stopped with AttributeError"),
        (lambda: 0, "stopped with TypeError"),
        (3, "this should be a function, and it is an int"),
        (lambda x: "three", "got three"),
        (lambda x: torch.nan * x.sum(), "got nan"),
        (lambda x: x, "expected"),
    ],
)
def test_anything_else_is_wrong_and_says_why(answer: Any, message: str) -> None:
    with pytest.raises(Wrong, match=message):
        CHECK(answer)


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


def test_an_answer_that_writes_into_its_argument_spoils_nothing() -> None:
    with capture_output():
        CHECK(lambda x: x.mul_(2).sum() / 2)


def test_checks_leave_the_random_state_and_stderr_alone() -> None:
    def noisy(x: torch.Tensor) -> torch.Tensor:
        warnings.warn("a habit", stacklevel=1)
        torch.randn(3)
        return x.sum()

    torch.manual_seed(3)
    expected = torch.randn(2)
    torch.manual_seed(3)
    with capture_output() as caught:
        CHECK(noisy)
    assert caught.stderr == ""
    assert torch.equal(torch.randn(2), expected)


def test_an_outcome_is_shown_in_a_line_without_a_stack_trace() -> None:
    shell = InteractiveShell()
    shell.user_ns.update(check=CHECK, stub=stub, mean=lambda x: x.mean())
    for call, shown in (("check(stub)", "Not attempted:"), ("check(mean)", "Not right yet:")):
        with capture_output() as caught:
            result = shell.run_cell(call)
        assert isinstance(result.error_in_exec, core.Outcome)
        text = caught.stdout
        assert shown in text
        assert len(text.strip().splitlines()) <= 2
        assert "Traceback" not in text
        assert caught.stderr == ""
    assert "course_utils" not in text
    InteractiveShell.clear_instance()


def test_an_outcome_has_no_chain_of_causes() -> None:
    with pytest.raises(Wrong) as caught:
        CHECK(lambda x: 1 / 0)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "ZeroDivisionError" in str(caught.value)


def test_the_line_of_a_crash_is_the_students() -> None:
    namespace: dict[str, Any] = {}
    exec(compile("def f(x):\n    y = x\n    return y.nothing\n", "<cell>", "exec"), namespace)
    with pytest.raises(Wrong, match=r"\(line 3\)"):
        CHECK(namespace["f"])


def test_tensor_wants_a_tensor_of_the_shape_and_finite() -> None:
    assert not core.tensor(torch.zeros(2, requires_grad=True), [2]).requires_grad
    for value, message in (
        (np.zeros(2), "stay with torch"),
        ([0.0, 0.0], "it is a list"),
        (torch.zeros(3), r"it has \(3,\)"),
        (torch.tensor([0.0, torch.inf]), "not finite"),
    ):
        with pytest.raises(Wrong, match=message):
            core.tensor(value, [2])


def test_number_wants_one_finite_number() -> None:
    assert core.number(torch.tensor([2.0])) == 2.0
    assert core.number(np.float32(0.5)) == 0.5
    for value, message in (("two", "it is a str"), (torch.zeros(2), "one number"), (float("inf"), "not finite")):
        with pytest.raises(Wrong, match=message):
            core.number(value)


def test_close_compares_shape_and_value() -> None:
    assert core.close(torch.ones(2), [1.0, 1.0 + 1e-6])
    assert not core.close(torch.ones(2), torch.ones(1))
    assert not core.close(1.0, 1.01)
    assert not core.close("one", 1.0)
    assert not core.close(torch.tensor(torch.nan), torch.tensor(torch.nan))


def test_fresh_draws_anew_unless_it_is_given_a_seed() -> None:
    assert torch.randn(3, generator=core.fresh()).tolist() != torch.randn(3, generator=core.fresh()).tolist()
    assert torch.randn(3, generator=core.fresh(1)).tolist() == torch.randn(3, generator=core.fresh(1)).tolist()


def test_nothing_here_prints_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Wrong):
        CHECK(lambda x: print("said") or x.prod())
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "said" in captured.out
