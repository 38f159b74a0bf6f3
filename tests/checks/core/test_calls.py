"""Calling an answer: what it changes, where it stops, and whether it asks autograd."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from course_utils.checks import core
from course_utils.checks.core import Check, NotAttempted, Wrong

CHECK = Check("total", lambda answer: core.compare(answer, lambda x: x.sum(), [(torch.ones(3),)]), "right.")


def test_the_line_of_a_crash_is_the_students() -> None:
    namespace: dict[str, Any] = {}
    exec(compile("def f(x):\n    y = x\n    return y.nothing\n", "<cell>", "exec"), namespace)
    with pytest.raises(Wrong, match=r"\(line 3\)"):
        CHECK(namespace["f"])


def cell(source: str) -> dict[str, Any]:
    """What a cell of a notebook defines."""
    namespace: dict[str, Any] = {"nn": nn, "torch": torch}
    exec(compile(source, "/tmp/ipykernel_1/2.py", "exec"), namespace)
    return namespace


def test_the_line_of_a_crash_in_a_module_is_the_students():
    source = "class M(nn.Module):\n    def forward(self, x):\n        y = x\n        return nn.Linear(3, 2)(y)\n"
    with pytest.raises(Wrong, match=r"\(line 4\)\.$"):
        core.call(cell(source)["M"](), torch.ones(2, 5))


def test_a_crash_outside_every_cell_has_no_line():
    with pytest.raises(Wrong, match=r"stopped with RuntimeError: mat1 .*\)\.$") as caught:
        core.call(nn.Linear(3, 2), torch.ones(2, 5))
    assert "line" not in str(caught.value)


def test_a_model_that_returns_nothing_is_open_or_forgetful():
    source = "class A(nn.Module):\n    def forward(self, x):\n        ...\n"
    with pytest.raises(NotAttempted):
        core.call(cell(source)["A"](), torch.ones(2))
    with pytest.raises(Wrong, match="is the return missing"):
        core.call(cell(source.replace("...", "x + 1"))["A"](), torch.ones(2))


OVERWRITTEN = {
    "X": lambda X: X.sub_(X.mean(0)).sum(),
    "W": lambda W: W.clamp_(min=0).sum(),
    "sizes": lambda sizes: sizes.reverse() or sizes,
    "weights": lambda weights: weights[0].zero_(),
    "rows": lambda rows: rows.numpy().sort() or rows,
    "shape": lambda shape: shape.unsqueeze_(0),
}
ARGUMENTS = {"sizes": [3, 2, 1], "weights": (torch.ones(2), torch.ones(3)), "rows": torch.arange(3, 0, -1)}


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_an_argument_that_is_written_into_is_named(name):
    argument = ARGUMENTS.get(name, -torch.eye(3))
    before = repr(argument)
    with pytest.raises(Wrong, match=f"writes into {name}, and cells below"):
        core.call(OVERWRITTEN[name], argument)
    assert repr(argument) == before


def test_a_model_whose_weights_are_changed_is_named():
    @torch.no_grad()
    def loss(model, x):
        model.weight.mul_(2)
        return model(x).sum()

    with pytest.raises(Wrong, match="loss writes into model"):
        core.call(loss, nn.Linear(3, 2), torch.ones(1, 3))


def test_a_graph_that_leads_to_an_argument_is_kept():
    W = torch.ones(2, requires_grad=True)
    assert torch.autograd.grad(core.call(lambda w: w[0].square().sum(), [W]), W)[0].tolist() == [2, 2]


def test_what_an_answer_sets_does_not_leak():
    def answer(x):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return x

    core.call(answer, 1.0)
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("leave", [lambda: sys.exit(), lambda: sys.exit(0), lambda: exit()])
def test_leaving_is_a_wrong_answer(leave):
    with pytest.raises(Wrong, match="stopped with SystemExit"):
        CHECK(lambda x: leave())


def square(x: Tensor) -> Tensor:
    return x.square().sum()


def backward(x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    square(x).backward()
    return x.grad


AUTOGRAD = {
    "grad": lambda x: torch.autograd.grad(square(y := x.clone().requires_grad_()), y)[0],
    "backward": backward,
    "func.grad": torch.func.grad(square),
    "jacrev": torch.func.jacrev(square),
    "jacfwd": torch.func.jacfwd(square),
    "vjp": lambda x: torch.func.vjp(square, x)[1](torch.tensor(1.0))[0],
    "functional": lambda x: torch.autograd.functional.jacobian(square, x),
}


@pytest.mark.parametrize("way", AUTOGRAD)
def test_autograd_is_noticed_where_a_derivative_is_to_be_found_by_hand(way):
    x = torch.arange(3.0)
    assert core.call(AUTOGRAD[way], x).tolist() == [0, 2, 4]
    with pytest.raises(Wrong, match="asks autograd"):
        core.call(core.by_hand(AUTOGRAD[way]), x)


def test_a_derivative_by_hand_is_not_disturbed():
    def stub(x): ...

    assert core.call(core.by_hand(lambda x: 2 * x), torch.ones(2)).tolist() == [2, 2]
    with pytest.raises(NotAttempted):
        core.call(core.by_hand(stub), torch.ones(2))
    with pytest.raises(Wrong, match="should be a function"):
        core.call(core.by_hand(3), torch.ones(2))
