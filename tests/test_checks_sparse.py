"""The checks of exercise 05: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gap_cells
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, kl_divergence
from torch.nn.functional import linear, normalize, relu

from course_utils.checks import sparse
from course_utils.checks.core import Check, Mistake, NotAttempted
from course_utils.losses import sparsity_kl, squared_error

SOLUTION = Path(__file__).parents[1] / "solutions" / "05_sparse_autoencoders.ipynb"
NAMES = {
    "average": ("average_activation",),
    "divergence": ("sparsity_penalty",),
    "gradient": ("penalty_gradient",),
    "loss": ("sparse_loss",),
    "best_input": ("best_input",),
    "prediction": ("averaged_distance", "averaged_error", "shuffled_penalty", "batch_penalty"),
}
REPEATS = 8  # every check draws afresh: no draw may turn the outcome
GIVEN = {
    "torch": torch,
    "nn": nn,
    "Tensor": Tensor,
    "linear": linear,
    "squared_error": squared_error,
    "sparsity_penalty": sparsity_kl,
}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def check_of(gap: str) -> Check:
    return getattr(sparse, gap)


def times(gap: str) -> range:
    return range(2 if gap == "prediction" else REPEATS)  # a prediction is held against two trainings


def names(gap: str, *, solved: bool) -> dict[str, Any]:
    """What the solution notebook's cell defines, with its regions or with stubs in their place."""
    return gap_cells.defined(SOLUTION, gap, GIVEN, solved=solved)


def answers(gap: str, *, solved: bool = True, **changed: Any) -> tuple[Any, ...]:
    """The notebook's answers to a gap, some of them changed."""
    defined = names(gap, solved=solved) | changed
    return tuple(defined[name] for name in NAMES[gap])


def outcome(gap: str, *given: Any) -> str:
    return gap_cells.wrong_message(check_of(gap), *given)


def test_every_gap_of_the_notebook_is_tested_and_its_check_is_the_cell_below():
    roles = [(c.metadata.get("nbgrader", {}), c.source) for c in gap_cells.cells(SOLUTION)]
    gaps = [i for i, (role, _) in enumerate(roles) if role.get("solution")]
    assert [roles[i][0]["grade_id"] for i in gaps] == list(NAMES)
    assert all(roles[i + 1][0]["grade"] for i in gaps)
    calls = [source for role, source in roles if role.get("grade")]
    assert calls == [f"checks.sparse.{gap}({', '.join(NAMES[gap])})" for gap in NAMES]


@pytest.mark.parametrize("gap", NAMES)
def test_an_open_gap_is_not_attempted(gap):
    with pytest.raises(NotAttempted, match="still a gap"):
        check_of(gap)(*answers(gap, solved=False))


@pytest.mark.parametrize(("gap", "name"), [(gap, name) for gap in ("prediction",) for name in NAMES[gap]])
def test_a_gap_is_open_until_each_of_its_parts_is_filled(gap, name):
    stub = names(gap, solved=False)[name]
    with pytest.raises(NotAttempted):
        check_of(gap)(*answers(gap, **{name: stub}))


@pytest.mark.parametrize("gap", NAMES)
def test_the_solution_is_right_on_every_draw(gap, capsys):
    for _ in times(gap):
        assert check_of(gap)(*answers(gap)) is None
    said = capsys.readouterr()
    assert "Right" in said.out
    assert said.err == ""


@pytest.mark.parametrize("gap", NAMES)
def test_each_gap_knows_mistakes_by_name(gap):
    assert len(check_of(gap).mistakes) >= 2
    messages = [mistake.message for mistake in check_of(gap).mistakes]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(
    ("gap", "mistake"),
    [pytest.param(gap, m, id=f"{gap}: {m.name}") for gap in NAMES for m in check_of(gap).mistakes],
)
def test_a_known_mistake_is_wrong_with_its_message_on_every_draw(gap, mistake: Mistake):
    for _ in times(gap):
        assert outcome(gap, *gap_cells.as_answers(mistake.make)) == mistake.message


def _codes(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return linear(x, W, b).sigmoid()


def _right_loss(x: Tensor, weights: tuple[Tensor, ...], rho: float, beta: float) -> Tensor:
    W, b, V, c = weights
    h = _codes(x, W, b)
    return squared_error(linear(h, V, c), x) + beta * sparsity_kl(rho, h.mean(0))


def _right_gradient(a: Tensor, rho: float) -> Tensor:
    h = a.sigmoid()
    rho_hat = h.mean(0)
    return ((1 - rho) / (1 - rho_hat) - rho / rho_hat) * h * (1 - h) / len(a)


UNKNOWN: dict[str, dict[str, Any]] = {
    "average": {
        "no bias": lambda x, W, b: _codes(x, W, 0 * b).mean(0),
        "of tanh": lambda x, W, b: linear(x, W, b).tanh().mean(0),
        "the median": lambda x, W, b: _codes(x, W, b).median(0).values,
        "the loudest": lambda x, W, b: _codes(x, W, b).amax(0),
        "over one less": lambda x, W, b: _codes(x, W, b).sum(0) / (len(x) - 1),
        "keeps a dimension": lambda x, W, b: _codes(x, W, b).mean(0, keepdim=True),
    },
    "divergence": {
        "squared distance": lambda rho, rho_hat: (rho_hat - rho).square().sum(),
        "symmetric": lambda rho, rho_hat: (sparsity_kl(rho, rho_hat) + sparsity_kl(1 - rho, 1 - rho_hat)) / 3,
        "of the mean unit": lambda rho, rho_hat: sparsity_kl(rho, rho_hat.mean()[None]),
        "absolute values": lambda rho, rho_hat: (rho * (rho / rho_hat).log()).abs().sum(),
        "clamped hard": lambda rho, rho_hat: sparsity_kl(rho, rho_hat.clamp(0.3, 0.5)),
    },
    "gradient": {
        "half": lambda a, rho: _right_gradient(a, rho) / 2,
        "of the swapped divergence": lambda a, rho: (
            (a.sigmoid().mean(0) / rho).log() * a.sigmoid() * (1 - a.sigmoid()) / len(a)
        ),
        "one for each unit": lambda a, rho: _right_gradient(a, rho).sum(0),
        "second term negative": lambda a, rho: (
            (-rho / a.sigmoid().mean(0) - (1 - rho) / (1 - a.sigmoid().mean(0)))
            * a.sigmoid()
            * (1 - a.sigmoid())
            / len(a)
        ),
        "sigmoid's slope at h": lambda a, rho: _right_gradient(a, rho) * a.sigmoid(),
    },
    "loss": {
        "penalty subtracted": lambda x, w, rho, beta: 2 * _right_loss(x, w, rho, 0) - _right_loss(x, w, rho, beta),
        "root of the error": lambda x, w, rho, beta: (
            _right_loss(x, w, rho, 0).sqrt() + _right_loss(x, w, rho, beta) - _right_loss(x, w, rho, 0)
        ),
        "no c": lambda x, w, rho, beta: _right_loss(x, (*w[:3], 0 * w[3]), rho, beta),
        "linear code": lambda x, w, rho, beta: (
            squared_error(linear(linear(x, w[0], w[1]), w[2], w[3]), x)
            + beta * sparsity_kl(rho, _codes(x, w[0], w[1]).mean(0))
        ),
        "half detached": lambda x, w, rho, beta: (
            (_right_loss(x, w, rho, beta) + _right_loss(x, w, rho, beta).detach()) / 2
        ),
        "a number": lambda x, w, rho, beta: float(_right_loss(x, w, rho, beta).detach()),
        "no gradient": lambda x, w, rho, beta: _right_loss(x, w, rho, beta).detach(),
        "b detached": lambda x, w, rho, beta: _right_loss(x, (w[0], w[1].detach(), w[2], w[3]), rho, beta),
    },
    "best_input": {
        "a stencil": lambda W, R: R * normalize((W > 0).to(W), dim=1),
        "squared weights": lambda W, R: R * normalize(relu(W).square(), dim=1),
        "length squared": lambda W, R: R**2 * normalize(relu(W), dim=1),
        "absolute sum": lambda W, R: R * relu(W) / relu(W).sum(1, keepdim=True),
        "the worst": lambda W, R: R * normalize(relu(-W), dim=1),
        "the first unit alone": lambda W, R: R * normalize(relu(W[:1]), dim=1),
    },
    "prediction": {
        "another word": {"batch_penalty": "equal"},
        "a number": {"averaged_error": 0.3},
        "a list": {"shuffled_penalty": ["same"]},
    },
}


@pytest.mark.parametrize(
    ("gap", "answer"), [pytest.param(gap, a, id=f"{gap}: {name}") for gap in NAMES for name, a in UNKNOWN[gap].items()]
)
def test_a_mistake_nobody_thought_of_is_wrong_as_well(gap, answer):
    known = {mistake.message for mistake in check_of(gap).mistakes}
    given = answers(gap, **answer) if isinstance(answer, dict) else (answer,)
    for _ in times(gap):
        assert outcome(gap, *given) not in known


@pytest.mark.parametrize(
    ("gap", "answer"),
    [
        ("average", lambda x, W, b: torch.sigmoid(x @ W.T + b).sum(0) / len(x)),
        ("average", lambda x, W, b: torch.stack([torch.sigmoid(W @ one + b) for one in x]).mean(0)),
        ("divergence", sparsity_kl),
        (
            "divergence",
            lambda rho, rho_hat: kl_divergence(Bernoulli(torch.full_like(rho_hat, rho)), Bernoulli(rho_hat)).sum(),
        ),
        ("divergence", lambda rho, rho_hat: sum(sparsity_kl(rho, one[None]) for one in rho_hat)),
        ("gradient", _right_gradient),
        ("loss", _right_loss),
        ("best_input", lambda W, R: R * normalize(relu(W), dim=1)),
        ("best_input", lambda W, R: torch.stack([relu(w) * (R / relu(w).norm()) for w in W])),
    ],
)
def test_other_ways_to_be_right_are_right(gap, answer):
    for _ in times(gap):
        check_of(gap)(answer)


def test_the_best_input_excites_more_than_any_other_that_is_tried():
    generator = torch.Generator().manual_seed(0)
    W, R = torch.randn(4, 9, generator=generator), 2.0
    best = (answers("best_input")[0](W, R) * W).sum(1)
    for _ in range(2000):
        x = torch.rand(9, generator=generator)
        assert ((R * x / x.norm()) @ W.T <= best + 1e-5).all()


@pytest.mark.parametrize("word", ["lower", "same", "higher"])
def test_a_message_asks_and_does_not_tell_the_prediction(word):
    for name, right in zip(NAMES["prediction"], answers("prediction"), strict=True):
        if right != word:
            message = outcome("prediction", *answers("prediction", **{name: word}))
            assert message.startswith(f"{name}: ")
            assert '"' not in message
            assert right not in message.split()


def test_the_first_of_several_wrong_predictions_is_named():
    given = answers("prediction", averaged_error="same", batch_penalty="lower")
    assert outcome("prediction", *given).startswith("averaged_error: ")
