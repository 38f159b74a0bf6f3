"""What every check shares: three outcomes, shown without a stack trace, on stdout, and returning nothing."""

from __future__ import annotations

import logging
import random
import sys
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


def test_nothing_here_prints_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Wrong):
        CHECK(lambda x: print("said") or x.prod())
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "said" in captured.out


def test_what_an_answer_writes_to_stderr_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()

    def chatty(x: torch.Tensor) -> torch.Tensor:
        print("to stderr", file=sys.stderr)
        logging.getLogger().error("to the log")
        return x.sum()

    logging.getLogger().addHandler(handler)
    try:
        stderr = handler.stream
        CHECK(chatty)
        assert handler.stream is stderr
    finally:
        logging.getLogger().removeHandler(handler)
    said = capsys.readouterr()
    assert said.err == ""
    assert "to stderr" in said.out
    assert "to the log" in said.out


def test_what_an_answer_sets_and_draws_does_not_leak() -> None:
    def careless(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return x.sum()

    def state() -> list[str]:
        return [repr(torch.get_rng_state()), repr(np.random.get_state()), repr(random.getstate())]

    before = state()
    with capture_output():
        CHECK(careless)
    assert state() == before
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("setting", [torch.no_grad, torch.inference_mode])
def test_a_check_differentiates_where_the_notebook_has_turned_that_off(setting: Any) -> None:
    def differentiate(answer: Any) -> None:
        x = torch.ones(2, requires_grad=True)
        torch.autograd.grad(answer(x), x)

    with setting(), capture_output():
        Check("total", differentiate, "right.")(lambda x: x.sum())


def test_a_check_runs_in_float32_whatever_the_notebook_has_set() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        with capture_output():
            Check("dtype", lambda answer: core.compare(answer, lambda: 4, [()]), "right.")(
                lambda: torch.ones(1).element_size()
            )
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, RecursionError])
def test_an_answer_on_which_a_check_stumbles_is_wrong(error: type[BaseException]) -> None:
    class Odd:
        def __len__(self) -> int:
            raise error("odd")

    with pytest.raises(Wrong, match=f"length: the check stumbled over it, {error.__name__}: odd"):
        Check("length", len, "right.")(Odd())
