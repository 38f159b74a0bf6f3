"""The checks of exercise 06: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, jvp, vjp, vmap
from torch.nn.functional import linear, normalize

from course_utils.checks import contractive
from course_utils.checks.core import Check, Mistake, NotAttempted
from course_utils.losses import bernoulli_nll, sigmoid_contraction, squared_error

SOLUTION = Path(__file__).parents[1] / "solutions" / "06_contractive_autoencoders.ipynb"
NAMES = {
    "jacobian": ("jacobian",),
    "penalty": ("contractive_penalty",),
    "loss": ("contractive_loss",),
    "prediction": ("rescaled_loss", "rescaled_movement", "crushed_variance", "faint_noise"),
    "tangents": ("tangents",),
    "hutchinson": ("draw_probes", "hutchinson"),
}
REPEATS = 8  # every check draws afresh: no draw may turn the outcome
GIVEN = {
    "torch": torch,
    "nn": nn,
    "Tensor": Tensor,
    "linear": linear,
    "bernoulli_nll": bernoulli_nll,
    "sigmoid_contraction": sigmoid_contraction,
}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def check_of(gap: str) -> Check:
    return getattr(contractive, gap)


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
    assert calls == [f"checks.contractive.{gap}({', '.join(NAMES[gap])})" for gap in NAMES]


@pytest.mark.parametrize("gap", NAMES)
def test_an_open_gap_is_not_attempted(gap):
    with pytest.raises(NotAttempted, match="still a gap"):
        check_of(gap)(*answers(gap, solved=False))


@pytest.mark.parametrize(("gap", "name"), [(gap, name) for gap in ("prediction", "hutchinson") for name in NAMES[gap]])
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


def _jacobians(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    h = _codes(x, W, b)
    return (h * (1 - h))[:, :, None] * W


def _codes(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return linear(x, W, b).sigmoid()


def _right_loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    h = _codes(x, W, b)
    return bernoulli_nll(h @ W + c, x) + lam * sigmoid_contraction(h, W)


def _estimates(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
    pull_back = vjp(encoder, x)[1]
    return torch.stack([pull_back(v)[0].square().sum(1) for v in probes])


UNKNOWN: dict[str, dict[str, Any]] = {
    "jacobian": {
        "no bias": lambda x, W, b: _jacobians(x, W, torch.zeros_like(b)),
        "slope squared": lambda x, W, b: (_codes(x, W, b) * (1 - _codes(x, W, b))).square()[:, :, None] * W,
        "of tanh": lambda x, W, b: (1 - linear(x, W, b).tanh().square())[:, :, None] * W,
        "the other half": lambda x, W, b: (1 - _codes(x, W, b))[:, :, None] * W,
        "with the image": lambda x, W, b: _jacobians(x, W, b) * x[:, None, :],
        "the slopes": lambda x, W, b: _codes(x, W, b) * (1 - _codes(x, W, b)),
    },
    "penalty": {
        "one for each image": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)),
        "root of the mean": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)).mean().sqrt(),
        "no bias": lambda x, W, b: _jacobians(x, W, 0 * b).square().sum((1, 2)).mean(),
        "absolute values": lambda x, W, b: _jacobians(x, W, b).abs().sum((1, 2)).mean(),
        "half": lambda x, W, b: _jacobians(x, W, b).square().sum((1, 2)).mean() / 2,
        "slopes alone": lambda x, W, b: (_codes(x, W, b) * (1 - _codes(x, W, b))).square().sum(1).mean(),
        "largest singular value": lambda x, W, b: torch.linalg.matrix_norm(_jacobians(x, W, b), 2).square().mean(),
    },
    "loss": {
        "penalty subtracted": lambda x, W, b, c, lam: 2 * _right_loss(x, W, b, c, 0) - _right_loss(x, W, b, c, lam),
        "squared error": lambda x, W, b, c, lam: (
            squared_error((_codes(x, W, b) @ W + c).sigmoid(), x) + lam * sigmoid_contraction(_codes(x, W, b), W)
        ),
        "no c": lambda x, W, b, c, lam: _right_loss(x, W, b, 0 * c, lam),
        "root of λ": lambda x, W, b, c, lam: _right_loss(x, W, b, c, lam**0.5),
        "linear code": lambda x, W, b, c, lam: (
            bernoulli_nll(linear(x, W, b) @ W + c, x) + lam * sigmoid_contraction(_codes(x, W, b), W)
        ),
        "b detached": lambda x, W, b, c, lam: _right_loss(x, W, b.detach(), c, lam),
        "a number": lambda x, W, b, c, lam: float(_right_loss(x, W, b, c, lam).detach()),
        "no gradient": lambda x, W, b, c, lam: _right_loss(x, W, b, c, lam).detach(),
    },
    "prediction": {
        "another word": {"faint_noise": "equal"},
        "a number": {"rescaled_loss": 0.01},
        "a list": {"rescaled_movement": ["same"]},
    },
    "tangents": {
        "weakest first": lambda J, k: torch.linalg.svd(J, full_matrices=False).Vh[:, :k].flip(1),
        "without the first": lambda J, k: torch.linalg.svd(J, full_matrices=False).Vh[:, 1 : k + 1],
        "one too many": lambda J, k: torch.linalg.svd(J, full_matrices=False).Vh[:, : k + 1],
        "through J": lambda J, k: J.mT @ torch.linalg.svd(J, full_matrices=False).U[:, :, :k],
        "orthonormal rows": lambda J, k: torch.linalg.qr(J.mT).Q.mT[:, :k],
        "values": lambda J, k: torch.linalg.svdvals(J)[:, :k],
        "largest to 1": lambda J, k: (lambda V: V / V.abs().amax(-1, keepdim=True))(
            torch.linalg.svd(J, full_matrices=False).Vh[:, :k]
        ),
    },
    "hutchinson": {
        "shared by the units": {"draw_probes": lambda S, N, d_h: torch.randn(S, N, 1).expand(S, N, d_h)},
        "shared by the probes": {"draw_probes": lambda S, N, d_h: torch.randn(1, N, d_h).expand(S, N, d_h)},
        "another shape": {"draw_probes": lambda S, N, d_h: torch.randn(N, S, d_h)},
        "one image's probes for all": {"hutchinson": lambda f, x, v: _estimates(f, x, v[:, :1].expand_as(v)).mean(0)},
        "first probe alone": {"hutchinson": lambda f, x, v: _estimates(f, x, v)[0]},
        "median": {"hutchinson": lambda f, x, v: _estimates(f, x, v).median(0).values},
        "one for each probe": {"hutchinson": lambda f, x, v: _estimates(f, x, v)},
        "half a gradient": {
            "hutchinson": lambda f, x, v: (lambda e: (e + e.detach()) / 2)(_estimates(f, x, v).mean(0))
        },
        "squared codes": {"hutchinson": lambda f, x, v: (v * f(x)).sum(-1).square().mean(0)},
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


def _with_autograd(encoder: nn.Module, x: Tensor, probes: Tensor) -> Tensor:
    x = x.requires_grad_()
    h, total = encoder(x), torch.zeros(len(x), dtype=x.dtype)
    for v in probes:
        (product,) = torch.autograd.grad((v * h).sum(), x, create_graph=True)
        total = total + product.square().sum(1)
    return total / len(probes)


def _forwards(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The Jacobian pixel by pixel, by forward differentiation."""
    columns = []
    for i in range(x.shape[1]):
        towards = torch.zeros_like(x)
        towards[:, i] = 1
        columns.append(jvp(lambda x: _codes(x, W, b), (x,), (towards,))[1])
    return torch.stack(columns, dim=2)


@pytest.mark.parametrize(
    ("gap", "answer"),
    [
        ("jacobian", {"jacobian": lambda x, W, b: vmap(jacrev(lambda one: torch.sigmoid(W @ one + b)))(x)}),
        ("jacobian", {"jacobian": lambda x, W, b: torch.stack([_jacobians(one[None], W, b)[0] for one in x])}),
        ("jacobian", {"jacobian": _forwards}),
        ("penalty", {"contractive_penalty": lambda x, W, b: sigmoid_contraction(_codes(x, W, b), W)}),
        (
            "penalty",
            {
                "contractive_penalty": lambda x, W, b: (
                    (_codes(x, W, b) * (1 - _codes(x, W, b)) * W.norm(dim=1)).square().sum(1).mean()
                )
            },
        ),
        ("loss", {"contractive_loss": _right_loss}),
        (
            "loss",
            {
                "contractive_loss": lambda x, W, b, c, lam: (
                    bernoulli_nll(linear(_codes(x, W, b), W.T, c), x)
                    + lam * _jacobians(x, W, b).square().sum() / len(x)
                )
            },
        ),
        ("tangents", {"tangents": lambda J, k: -torch.linalg.svd(J).Vh[:, :k]}),
        ("tangents", {"tangents": lambda J, k: torch.linalg.eigh(J.mT @ J).eigenvectors.flip(2)[:, :, :k].mT}),
        (
            "tangents",
            {"tangents": lambda J, k: normalize(torch.linalg.svd(J, full_matrices=False).U[:, :, :k].mT @ J, dim=2)},
        ),
        ("hutchinson", {"draw_probes": lambda S, N, d_h: 2.0 * torch.randint(0, 2, (S, N, d_h)) - 1}),
        ("hutchinson", {"draw_probes": lambda S, N, d_h: 12**0.5 * (torch.rand(S, N, d_h) - 0.5)}),
        ("hutchinson", {"hutchinson": _with_autograd}),
        (
            "hutchinson",
            {"hutchinson": lambda f, x, v: vmap(vjp(f, x)[1])(v)[0].square().sum(2).mean(0)},
        ),
    ],
)
def test_other_ways_to_be_right_are_right(gap, answer):
    for _ in times(gap):
        check_of(gap)(*answers(gap, **answer))


@pytest.mark.parametrize("word", ["lower", "same", "higher"])
def test_a_message_asks_and_does_not_tell_the_prediction(word):
    for name, right in zip(NAMES["prediction"], answers("prediction"), strict=True):
        if right != word:
            message = outcome("prediction", *answers("prediction", **{name: word}))
            assert message.startswith(f"{name}: ")
            assert '"' not in message
            assert right not in message.split()


def test_the_first_of_several_wrong_predictions_is_named():
    given = answers("prediction", rescaled_movement="lower", faint_noise="higher")
    assert outcome("prediction", *given).startswith("rescaled_movement: ")


@pytest.mark.parametrize(
    ("what", "draw_probes"),
    [
        ("the mean", lambda S, N, d_h: torch.randint(0, 2, (S, N, d_h)).double()),
        ("the variance", lambda S, N, d_h: 2 * torch.randn(S, N, d_h)),
        ("the variance", lambda S, N, d_h: torch.randn(S, N, d_h) / d_h**0.5),
        ("two calls", lambda S, N, d_h: torch.ones(S, N, d_h)),
    ],
)
def test_probes_of_other_kinds_are_told_what_is_wrong_with_them(what, draw_probes):
    for _ in times("hutchinson"):
        assert what in outcome("hutchinson", *answers("hutchinson", draw_probes=draw_probes))


def test_an_array_in_place_of_a_tensor_is_named():
    assert "NumPy" in outcome("jacobian", lambda x, W, b: _jacobians(x, W, b).numpy()[:, :, :-1])
    assert "NumPy" in outcome("tangents", lambda J, k: np.linalg.svd(J.numpy())[2][:, ::-1][:, :k])


def test_building_the_jacobian_is_noticed_however_it_is_built():
    right = {
        "vmap": lambda x, W, b: vmap(jacrev(lambda v: torch.sigmoid(W @ v + b)))(x).square().sum((1, 2)).mean(),
        "all pairs": lambda x, W, b: (
            torch.autograd.functional.jacobian(lambda x: _codes(x, W, b), x).square().sum() / len(x)
        ),
    }
    for answer in right.values():
        assert "entry for each image, unit and pixel" in outcome("penalty", answer)
