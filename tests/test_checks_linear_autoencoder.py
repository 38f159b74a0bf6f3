"""The checks of exercise 02: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.linalg import eigh, svd, svdvals
from torch.nn.functional import linear

from course_utils.checks import linear_autoencoder, ready
from course_utils.checks.core import Check, Mistake, NotAttempted

SOLUTION = Path(__file__).parents[1] / "solutions" / "02_linear_autoencoder_pca.ipynb"
NAMES = {
    "projection": ("pca", "project", "reconstruct"),
    "variance": ("components_for", "remaining_error"),
    "prediction": ("deeper", "mixed", "uncentred"),
    "gradient": ("gradient",),
    "principal_angles": ("principal_angles",),
    "tied": ("TiedAutoencoder",),
}
REPEATS = 20  # every check draws afresh: no draw may turn the outcome


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def check_of(gap: str) -> Check:
    return getattr(linear_autoencoder, gap)


def times(gap: str) -> range:
    return range(5 if gap == "prediction" else REPEATS)  # a prediction is held against a training


def names(gap: str, *, solved: bool) -> dict[str, Any]:
    """What the solution notebook's cell defines, with its regions or with stubs in their place."""
    return gap_cells.defined(SOLUTION, gap, {"torch": torch, "nn": nn, "Tensor": Tensor}, solved=solved)


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
    assert calls == [f"checks.linear_autoencoder.{gap}({', '.join(NAMES[gap])})" for gap in NAMES]


@pytest.mark.parametrize("gap", NAMES)
def test_an_open_gap_is_not_attempted(gap):
    with pytest.raises(NotAttempted, match="still a gap"):
        check_of(gap)(*answers(gap, solved=False))


@pytest.mark.parametrize(
    ("gap", "name"), [(gap, name) for gap in ("projection", "variance", "prediction") for name in NAMES[gap]]
)
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


def _directions(X: Tensor) -> Tensor:
    return svd(X - X.mean(0), full_matrices=False).Vh.T


def _variances(X: Tensor) -> Tensor:
    return svdvals(X - X.mean(0)).square() / len(X)


def _share(X: Tensor, share: float) -> int:
    return int((_variances(X).cumsum(0) / _variances(X).sum() < share).sum())


def _errors(X: Tensor, W: Tensor, V: Tensor) -> Tensor:
    return X @ W.T @ V.T - X


class Scaled(nn.Module):
    """Tied, with a factor that does not belong there."""

    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(k, d_x))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.W / self.W.shape[1]


class Bent(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.W.T).relu() @ self.W


class OnItsSide(Scaled):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(k, d_x)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W @ self.W.T


class Frozen(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return x @ self.W.T @ self.W


class EncoderOnly(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T


UNKNOWN: dict[str, dict[str, Any]] = {
    "projection": {
        "no mean": {"pca": lambda X, k: _directions(X)[:, :k]},
        "a mean per image": {"pca": lambda X, k: (X.mean(1), _directions(X)[:, :k])},
        "one direction too many": {"pca": lambda X, k: (X.mean(0), _directions(X)[:, : k + 1])},
        "without the strongest": {"pca": lambda X, k: (X.mean(0), _directions(X)[:, 1 : k + 1])},
        "weakest first": {"pca": lambda X, k: (X.mean(0), _directions(X)[:, :k].flip(1))},
        "a matrix of standard deviations": {
            "pca": lambda X, k: (X.mean(0), eigh(torch.corrcoef(X.T))[1].flip(1)[:, :k])
        },
        "whitened": {"project": lambda X, mean, U: (X - mean) @ U / ((X - mean) @ U).std(0)},
        "mean added": {"project": lambda X, mean, U: (X + mean) @ U},
        "U forgotten": {"project": lambda X, mean, U: X - mean},
        "mean subtracted": {"reconstruct": lambda Z, mean, U: Z @ U.T - mean},
        "Z on its side": {"reconstruct": lambda Z, mean, U: Z @ U},
        "clipped": {"reconstruct": lambda Z, mean, U: (Z @ U.T + mean).clamp(0, 1)},
    },
    "variance": {
        "one too many": {"components_for": lambda X, share: _share(X, share) + 2},
        "a share of the components": {"components_for": lambda X, share: round(share * X.shape[1])},
        "a share": {"components_for": lambda X, share: (_variances(X).cumsum(0) / _variances(X).sum())[0]},
        "root of the error": {"remaining_error": lambda X, k: _variances(X)[k:].sum().sqrt()},
        "singular values": {"remaining_error": lambda X, k: _variances(X)[k:].sqrt().sum()},
        "from one further on": {"remaining_error": lambda X, k: _variances(X)[k + 1 :].sum()},
        "from one before": {"remaining_error": lambda X, k: _variances(X)[k - 1 :].sum()},
        "uncentred": {"remaining_error": lambda X, k: svdvals(X)[k:].square().sum() / len(X)},
    },
    "prediction": {
        "the best is beaten": {"uncentred": "lower"},
        "mixing helps": {"mixed": "lower"},
        "two wrong": {"mixed": "lower", "uncentred": "lower"},
        "another word": {"deeper": "better"},
        "a number": {"deeper": 1.0},
        "a list": {"deeper": ["same"]},
    },
    "gradient": {
        "residual squared": lambda X, W, V: (
            2 * V.T @ _errors(X, W, V).square().T @ X / len(X),
            2 * _errors(X, W, V).square().T @ X @ W.T / len(X),
        ),
        "through the residual only": lambda X, W, V: (
            2 * V.T @ _errors(X, W, V).T @ X / len(X),
            2 * _errors(X, W, V).T @ _errors(X, W, V) @ W.T / len(X),
        ),
        "the encoder stands still": lambda X, W, V: (
            torch.zeros_like(W),
            2 * _errors(X, W, V).T @ X @ W.T / len(X),
        ),
        "one matrix": lambda X, W, V: 2 * V.T @ _errors(X, W, V).T @ X / len(X),
        "a mean": lambda X, W, V: (_errors(X, W, V).mean(), _errors(X, W, V).mean()),
        "a product that does not fit": lambda X, W, V: (_errors(X, W, V) @ W, _errors(X, W, V) @ V),
    },
    "principal_angles": {
        "one number": lambda A, B: torch.tensor(45.0),
        "sines": lambda A, B: svdvals(torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).clamp(-1, 1).asin().rad2deg(),
        "twice the angle": lambda A, B: (
            2 * svdvals(torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).clamp(max=1).acos().rad2deg()
        ),
        "entries for singular values": lambda A, B: (
            (torch.linalg.qr(A).Q.T @ torch.linalg.qr(B).Q).diagonal().clamp(-1, 1).acos().rad2deg()
        ),
        "all of the bases": lambda A, B: svdvals(svd(A).U.T @ svd(B).U).clamp(-1, 1).acos().rad2deg(),
    },
    "tied": {
        "a factor": Scaled,
        "bent": Bent,
        "on its side": OnItsSide,
        "no gradient at all": Frozen,
        "no decoder": EncoderOnly,
        "a function": lambda d_x, k: lambda x: x,
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


class Linear(nn.Module):
    """The same through a layer: its weight is the one parameter, under another name."""

    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(d_x, k, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return linear(self.encoder(x), self.encoder.weight.T)


@pytest.mark.parametrize(
    ("gap", "answer"),
    [
        ("projection", {"pca": lambda X, k: (X.mean(0), eigh((X - X.mean(0)).T @ (X - X.mean(0)))[1].flip(1)[:, :k])}),
        ("projection", {"pca": lambda X, k: (X.mean(0), -_directions(X)[:, :k])}),
        ("projection", {"project": lambda X, mean, U: torch.stack([U.T @ (x - mean) for x in X])}),
        ("projection", {"project": lambda X, mean, U: X.sub_(mean) @ U}),
        ("variance", {"components_for": lambda X, share: torch.tensor(_share(X, share) + 1)}),
        ("variance", {"remaining_error": lambda X, k: _variances(X).sum() - _variances(X)[:k].sum()}),
        ("gradient", {"gradient": lambda X, W, V: torch.func.grad(_loss, argnums=(1, 2))(X, W, V)}),
        ("principal_angles", {"principal_angles": lambda A, B: _projectors(A, B)}),
        ("tied", {"TiedAutoencoder": Linear}),
    ],
)
def test_other_ways_to_be_right_are_right(gap, answer):
    for _ in times(gap):
        check_of(gap)(*answers(gap, **answer))


def _loss(X: Tensor, W: Tensor, V: Tensor) -> Tensor:
    return _errors(X, W, V).square().sum(1).mean()


def _projectors(A: Tensor, B: Tensor) -> Tensor:
    """Angles by another road: their squared sines, of what is left of one basis outside the other subspace."""
    Q_A, Q_B = torch.linalg.qr(A).Q, torch.linalg.qr(B).Q
    return svdvals(Q_A - Q_B @ (Q_B.T @ Q_A)).clamp(max=1).asin().rad2deg()


@pytest.mark.parametrize("word", ["lower", "higher"])
def test_a_message_asks_and_does_not_tell_the_prediction(word):
    for name in NAMES["prediction"]:
        if answers("prediction")[NAMES["prediction"].index(name)] != word:
            message = outcome("prediction", *answers("prediction", **{name: word}))
            assert message.startswith(f"{name}: ")
            assert '"' not in message


def test_an_array_in_place_of_a_tensor_is_named():
    def pca(X, k):
        return X.mean(0).numpy(), np.linalg.svd((X - X.mean(0)).numpy())[2][:k].T

    assert "should be a tensor" in outcome("projection", *answers("projection", pca=pca))


def test_the_cells_of_the_notebook_wait_for_a_module(capsys):
    x = torch.zeros(3, 8)
    assert not ready(names("tied", solved=False)["TiedAutoencoder"](8, 2), x, name="TiedAutoencoder", like=x)
    assert capsys.readouterr().out == "This cell waits for TiedAutoencoder.\n"
    assert ready(names("tied", solved=True)["TiedAutoencoder"](8, 2), x, name="TiedAutoencoder", like=x)


def test_a_wrong_shape_is_said_of_the_right_part():
    def pca(X, k):
        return X.mean(0), _directions(X)[:, : k + 1]

    assert outcome("projection", *answers("projection", pca=pca)).startswith("U should have the shape")
    message = outcome("projection", *answers("projection", project=lambda X, mean, U: X - mean))
    assert message.startswith("the code should have the shape")
