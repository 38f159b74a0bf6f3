"""Cells that use an answer wait, visibly, until its gap is filled."""

from __future__ import annotations

import torch

from course_utils.checks import ready


def test_a_cell_waits_for_an_open_gap_and_says_so(capsys):
    def stub(x):
        """A docstring."""
        ...

    x = torch.zeros(3)
    cases = [
        (ready(stub, x), "This cell waits for stub."),
        (ready(..., name="ratio"), "This cell waits for ratio."),
        (ready({"mean": ...}, name="verdicts"), "This cell waits for verdicts."),
        (ready(["mean"], name="verdicts", like={"mean": "low"}), "This cell waits for verdicts: it gives a list"),
        (ready(lambda x: x, x, like=0.0), "it gives a tensor of shape (3,), and a number is needed."),
        (ready(lambda x: x / 0, x, like=x), "it gives a tensor of shape (3,) that holds inf or nan"),
        (ready(lambda x: x.sum().log(), x, like=0.0), "it gives the number -inf, and a number is needed."),
        (ready(lambda x: (x.sum(),), x, like=(0.0, 0.0)), "it gives 1 value (a number), and 2 values"),
        (ready(lambda x: x.nothing, x), "stopped with AttributeError"),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(cases)
    for line, (can_run, text) in zip(lines, cases, strict=True):
        assert can_run is False
        assert text in line


def test_a_cell_runs_on_a_wrong_answer_of_the_right_kind(capsys):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    x = torch.zeros(3)
    assert ready(lambda x: x + torch.rand(3), x, like=x)
    assert ready(lambda x: (1.0, x.mean()), x, like=(0.0, 0.0))
    assert ready({"mean": "anything"}, name="verdicts", like={"mean": "low"})
    assert ready(0.5, name="ratio", like=0.0)
    assert capsys.readouterr().out == ""
    assert torch.rand(1) == expected
