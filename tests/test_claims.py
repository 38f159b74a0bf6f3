"""Claims: when they are judged, when they raise, what a program and a person read of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from course_utils import claims
from course_utils.errors import InputError


@dataclass
class Data:
    source: str = "MNIST, your folder"
    is_real: bool = True


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is displayed; profile full and lenient, and no claim from another test."""
    monkeypatch.setattr("course_utils.runtime._current", None)
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    displayed: list[Any] = []
    monkeypatch.setattr(claims, "display", lambda value, raw=False: displayed.append(value))
    claims.clear()
    yield displayed
    claims.clear()


def check(measured: float = 0.5, op: str = "<=", bound: float = 1.0, **kwargs: Any) -> None:
    claims.check(**{"id": "t/x", "text": "what", "source": "a paper", "kind": "exact"} | kwargs | {
        "measured": measured, "op": op, "bound": bound,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [("<=", True, True, False), ("<", True, False, False), (">=", False, True, True), (">", False, False, True)],
)
def test_operators(shown: list[Any], op: str, below: bool, equal: bool, above: bool) -> None:
    for measured in (0.5, 1.0, 1.5):
        check(measured, op)
    assert [claim.holds for claim in shown] == [below, equal, above]


@pytest.mark.parametrize("measured", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_never_holds(shown: list[Any], measured: float) -> None:
    check(measured, "<=")
    check(measured, ">=")
    assert not any(claim.holds for claim in shown)
    record = shown[0]._repr_mimebundle_()[claims.MIME_TYPE]
    assert json.loads(json.dumps(record, allow_nan=False))["measured"] is None


@pytest.mark.parametrize(
    ("kind", "profile", "strict", "real", "judged"),
    [
        ("exact", "quick", "0", True, True),
        ("exact", "full", "0", False, True),
        ("trained", "full", "0", True, True),
        ("trained", "quick", "0", True, False),
        ("trained", "full", "1", False, False),
        ("timing", "full", "0", True, False),
        ("timing", "full", "1", True, True),
        ("timing", "quick", "1", True, False),
    ],
)
def test_when_a_claim_is_judged(
    shown: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    profile: str,
    strict: str,
    real: bool,
    judged: bool,
) -> None:
    monkeypatch.setenv("COURSE_PROFILE", profile)
    monkeypatch.setenv("COURSE_STRICT", strict)
    check(kind=kind, data=Data(is_real=real))
    assert shown[0].judged is judged
    assert shown[0].verdict == ("holds" if judged else "measured, not judged")


def test_a_miss_raises_only_when_strict(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    check(2.0)
    assert shown[0].verdict == "missed here"
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(claims.ClaimMissed, match=r"t/x: what: 2 \(bar ≤ 1\)"):
        check(2.0)
    assert len(shown) == 2  # the row is shown, and stored, before it raises
    check(2.0, kind="trained", data=Data(is_real=False))  # not judged: does not raise


def test_a_program_reads_the_record(shown: list[Any]) -> None:
    check(torch.tensor(0.25), unit="degrees", kind="trained", data=Data(), stretch=0.1)
    record = json.loads(json.dumps(shown[0]._repr_mimebundle_()[claims.MIME_TYPE]))
    assert record == {
        "id": "t/x",
        "text": "what",
        "kind": "trained",
        "measured": 0.25,
        "op": "<=",
        "bound": 1.0,
        "stretch": 0.1,
        "unit": "degrees",
        "holds": True,
        "judged": True,
        "profile": "full",
        "data": "MNIST, your folder",
        "seed": 0,
        "source": "a paper",
    }


def test_a_person_reads_plain_text_and_a_table(shown: list[Any]) -> None:
    check(text="<b> & co", unit="σ", stretch=0.5)
    bundle = shown[0]._repr_mimebundle_()
    assert bundle["text/plain"] == "✓ t/x: <b> & co: 0.5 σ (bar ≤ 1 σ) — holds"
    assert "&lt;b&gt; &amp; co" in bundle["text/html"]
    assert "(stretch 0.5)" in bundle["text/html"]
    assert "background" not in bundle["text/html"]  # readable on a dark page and on a light one


def test_the_table_shows_each_claim_once_with_its_source(shown: list[Any]) -> None:
    claims.table()
    assert shown[-1]["text/plain"] == "No claim has been checked yet."
    check(2.0)
    check(0.5)
    check(0.5, id="t/y")
    claims.table()
    lines = shown[-1]["text/plain"].splitlines()
    assert [line.split(":")[0] for line in lines] == ["✓ t/x", "✓ t/y"]
    assert shown[-1]["text/html"].count("a paper") == 2
    assert claims.MIME_TYPE not in shown[-1]  # a program counts each claim once


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"kind": "exactly"}, 'Did you mean "exact"'),
        ({"op": "=<"}, 'compares with "=<"'),
        ({"id": "No Slash"}, "not of the form notebook/what"),
        ({"kind": "trained"}, "names none"),
    ],
)
def test_bad_input_is_said_in_a_line(shown: list[Any], kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(**kwargs)
    assert shown == []
