"""The checks of exercise 04: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gap_cells
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import corruptions, linear_denoiser
from course_utils.checks import denoising
from course_utils.checks.core import Check, Mistake, NotAttempted
from course_utils.losses import squared_error

SOLUTION = Path(__file__).parents[1] / "solutions" / "04_denoising_autoencoders.ipynb"
NAMES = {
    "corruptions": ("mask", "add_noise"),
    "loss": ("denoising_loss",),
    "linear": ("linear_denoiser",),
    "score": ("posterior_mean", "score"),
    "inpainting": ("fill",),
    "prediction": ("second_noise", "weaker", "blurred"),
}
REPEATS = 12  # every check draws afresh: no draw may turn the outcome


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def check_of(gap: str) -> Check:
    return getattr(denoising, gap)


def times(gap: str) -> range:
    return range(4 if gap in ("prediction", "corruptions") else REPEATS)  # a run, and large crowds


def names(gap: str, *, solved: bool) -> dict[str, Any]:
    """What the solution notebook's cell defines, with its regions or with stubs in their place."""
    given = {"torch": torch, "nn": nn, "Tensor": Tensor, "squared_error": squared_error}
    return gap_cells.defined(SOLUTION, gap, given, solved=solved)


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
    assert calls == [f"checks.denoising.{gap}({', '.join(NAMES[gap])})" for gap in NAMES]


@pytest.mark.parametrize("gap", NAMES)
def test_an_open_gap_is_not_attempted(gap):
    with pytest.raises(NotAttempted, match="still a gap"):
        check_of(gap)(*answers(gap, solved=False))


@pytest.mark.parametrize(("gap", "name"), [(g, n) for g in NAMES if len(NAMES[g]) > 1 for n in NAMES[g]])
def test_a_gap_is_open_until_each_of_its_parts_is_filled(gap, name):
    stub = names(gap, solved=False)[name]
    with pytest.raises(NotAttempted):
        check_of(gap)(*answers(gap, **{name: stub}))


@pytest.mark.parametrize("gap", NAMES)
def test_the_solution_is_right_on_every_draw(gap, capsys):
    for _ in range(2 * len(times(gap))):
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


def _exactly(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Masking of a fixed number of pixels in each image."""
    order = torch.rand(len(x), x[0].numel(), generator=generator).argsort(1).argsort(1)
    return torch.where((order < probability * x[0].numel()).reshape(x.shape), 0.0, x)


def _normal(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def _noise_only(model: nn.Module, x: Tensor, corrupt: Any) -> Tensor:
    noise = corrupt(torch.zeros_like(x))
    return squared_error(model(noise), x)


def _detached(model: nn.Module, x: Tensor, corrupt: Any) -> Tensor:
    x_hat = model(corrupt(x))
    return squared_error(x_hat, x).detach() + 0 * x_hat.sum()


def _covariance(X: Tensor) -> Tensor:
    return torch.cov(X.T, correction=0)


def _eye(X: Tensor) -> Tensor:
    return torch.eye(X.shape[1], dtype=X.dtype)


def _map(X: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    return W, X.mean(0) - W @ X.mean(0)


def _weights(x_noisy: Tensor, X: Tensor, std: float) -> Tensor:
    return (-torch.cdist(x_noisy, X).square() / (2 * std**2)).softmax(1)


def _filled(x: Tensor, missing: Tensor, values: Tensor) -> Tensor:
    x = x.clone()
    x[:, missing] = values
    return x


def _conditional(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    seen = ~missing
    W = Sigma[missing][:, seen] @ Sigma[seen][:, seen].inverse()
    return mean[missing] + (x[:, seen] - mean[seen]) @ W.T


UNKNOWN: dict[str, dict[str, Any]] = {
    "corruptions": {
        "nothing is lost": {"mask": lambda x, p, g: x.clone()},
        "ones for zeros": {"mask": lambda x, p, g: torch.where(torch.rand(x.shape, generator=g) < p, 1.0, x)},
        "half as often": {"mask": lambda x, p, g: torch.where(torch.rand(x.shape, generator=g) < p / 2, 0.0, x)},
        "a fixed number": {"mask": _exactly},
        "the dark ones": {"mask": lambda x, p, g: torch.where(x < p, 0.0, x)},
        "the mask itself": {"mask": lambda x, p, g: (torch.rand(x.shape, generator=g) < p).double()},
        "a number": {"mask": lambda x, p, g: 0.5},
        "twice the noise": {"add_noise": lambda x, std, g: x + 2 * std * _normal(x, g)},
        "the noise alone": {"add_noise": lambda x, std, g: std * _normal(x, g)},
        "noise times image": {"add_noise": lambda x, std, g: x * (1 + std * _normal(x, g))},
        "even, of the right deviation": {
            "add_noise": lambda x, std, g: x + std * 12**0.5 * (torch.rand(x.shape, generator=g) - 0.5)
        },
        "shrunk": {"add_noise": lambda x, std, g: x * (1 - std) + std * _normal(x, g)},
        "in blocks of ten": {
            "add_noise": lambda x, std, g: (
                x + std * _normal(x[..., ::10], g).repeat_interleave(10, -1)[..., : x.shape[-1]]
            )
        },
    },
    "loss": {
        "the noise as the input": _noise_only,
        "of the noisy image to the clean one": lambda model, x, corrupt: squared_error(corrupt(x), x),
        "half": lambda model, x, corrupt: squared_error(model(corrupt(x)), x) / 2,
        "doubly corrupted": lambda model, x, corrupt: squared_error(model(corrupt(corrupt(x))), x),
        "both errors": lambda model, x, corrupt: squared_error(model(corrupt(x)), x) + squared_error(model(x), x),
        "detached": _detached,
        "an image for each": lambda model, x, corrupt: (model(corrupt(x)) - x).square().sum(1),
        "cross-entropy": lambda model, x, corrupt: (
            functional.binary_cross_entropy_with_logits(model(corrupt(x)), x.sigmoid(), reduction="sum") / len(x)
        ),
    },
    "linear": {
        "nothing": lambda X, std: (_eye(X), torch.zeros_like(X[0])),
        "the mean": lambda X, std: (torch.zeros_like(_eye(X)), X.mean(0)),
        "half the noise": lambda X, std: _map(X, _covariance(X) @ (_covariance(X) + std**2 / 2 * _eye(X)).inverse()),
        "the diagonal": lambda X, std: _map(X, (X.var(0) / (X.var(0) + std**2)).diag()),
        "the bias the other way": lambda X, std: (lambda W, b: (W, -b))(*names_linear(X, std)),
        "the bias as a matrix": lambda X, std: (lambda W, b: (W, b[:, None]))(*names_linear(X, std)),
        "of correlations": lambda X, std: _map(X, X.T.corrcoef() @ (X.T.corrcoef() + std**2 * _eye(X)).inverse()),
        "one result": lambda X, std: names_linear(X, std)[0],
    },
    "score": {
        "weights squared": {"posterior_mean": lambda x, X, std: _weights(x, X, std).square() @ X},
        "the weights": {"posterior_mean": _weights},
        "the mean of all": {"posterior_mean": lambda x, X, std: X.mean(0).expand_as(x)},
        "the noisy point": {"posterior_mean": lambda x, X, std: x},
        "half the noise": {"posterior_mean": lambda x, X, std: _weights(x, X, std / 2) @ X},
        "normalised": {"score": lambda r, x, std: functional.normalize(r(x) - x)},
        "half": {"score": lambda r, x, std: (r(x) - x) / (2 * std**2)},
        "a sum": {"score": lambda r, x, std: ((r(x) - x) / std**2).sum(1)},
    },
    "inpainting": {
        "as it was": lambda x, missing, mean, Sigma: x.clone(),
        "zeros": lambda x, missing, mean, Sigma: _filled(x, missing, torch.zeros_like(mean[missing])),
        "the mean everywhere": lambda x, missing, mean, Sigma: mean.expand_as(x),
        "a brightness of its own": lambda x, missing, mean, Sigma: _filled(
            x, missing, x[:, ~missing].mean(1, keepdim=True)
        ),
        "away from the mean": lambda x, missing, mean, Sigma: _filled(
            x, missing, 2 * mean[missing] - _conditional(x, missing, mean, Sigma)
        ),
        "clipped": lambda x, missing, mean, Sigma: _filled(
            x, missing, _conditional(x, missing, mean, Sigma).clamp(0, 1)
        ),
        "the hole is believed": lambda x, missing, mean, Sigma: (
            mean + (x - mean) @ (Sigma @ (Sigma + 0.1 * torch.eye(len(mean))).inverse()).T
        ),
    },
    "prediction": {
        "another word": {"weaker": "better"},
        "a number": {"blurred": 1.0},
        "a list": {"second_noise": ["same"]},
    },
}


def names_linear(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
    return _map(X, _covariance(X) @ (_covariance(X) + std**2 * _eye(X)).inverse())


@pytest.mark.parametrize(
    ("gap", "answer"), [pytest.param(gap, a, id=f"{gap}: {name}") for gap in NAMES for name, a in UNKNOWN[gap].items()]
)
def test_a_mistake_nobody_thought_of_is_wrong_as_well(gap, answer):
    known = {mistake.message for mistake in check_of(gap).mistakes}
    given = answers(gap, **answer) if isinstance(answer, dict) else (answer,)
    for _ in times(gap):
        assert outcome(gap, *given) not in known


def _package_map(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
    best = linear_denoiser.best_linear_denoiser(X, "gaussian", std)
    return best.weight, best.bias


@pytest.mark.parametrize(
    ("gap", "answer"),
    [
        ("corruptions", {"mask": lambda x, p, g: corruptions.masking(x, p, generator=g)}),
        ("corruptions", {"mask": lambda x, p, g: x * torch.bernoulli(torch.full_like(x, 1 - p), generator=g)}),
        ("corruptions", {"mask": lambda x, p, g: x.masked_fill(torch.rand(x.shape, generator=g) > 1 - p, 0)}),
        ("corruptions", {"add_noise": lambda x, std, g: corruptions.gaussian(x, std, generator=g)}),
        ("corruptions", {"add_noise": lambda x, std, g: torch.normal(x, std, generator=g)}),
        ("loss", {"denoising_loss": lambda model, x, corrupt: (model(corrupt(x)) - x).square().sum() / len(x)}),
        ("loss", {"denoising_loss": lambda model, x, corrupt: (x - model(corrupt(x))).pow(2).sum(-1).mean(0)}),
        ("linear", {"linear_denoiser": _package_map}),
        ("linear", {"linear_denoiser": lambda X, std: _map(X, _unbiased(X, std))}),
        ("score", {"posterior_mean": lambda x, X, std: torch.stack([_weights(p[None], X, std)[0] @ X for p in x])}),
        ("score", {"score": lambda r, x, std: (r(x.clone()) - x).div(std).div(std)}),
        ("inpainting", {"fill": lambda x, missing, mean, Sigma: _by_index(x, missing, mean, Sigma)}),
    ],
)
def test_other_ways_to_be_right_are_right(gap, answer):
    for _ in times(gap):
        check_of(gap)(*answers(gap, **answer))


def _unbiased(X: Tensor, std: float) -> Tensor:
    return torch.cov(X.T) @ (torch.cov(X.T) + std**2 * _eye(X)).inverse()


def _by_index(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    m, o = missing.nonzero().flatten(), (~missing).nonzero().flatten()
    W = torch.linalg.lstsq(Sigma[o][:, o], Sigma[o][:, m]).solution
    return torch.zeros_like(x).index_copy(1, o, x[:, o]).index_copy(1, m, mean[m] + (x[:, o] - mean[o]) @ W)


def test_a_mistake_with_an_unbiased_covariance_is_named_as_well():
    def linear_denoiser(X, std):
        return _map(X, torch.cov(X.T) @ (torch.cov(X.T) + std * _eye(X)).inverse())

    for _ in times("linear"):
        assert outcome("linear", linear_denoiser).startswith("W adds σ")


def test_a_message_asks_and_does_not_tell_the_prediction():
    for mistake in check_of("prediction").mistakes:
        assert "?" in mistake.message
        assert '"' not in mistake.message
        assert mistake.message.split(":")[0] in NAMES["prediction"]


def test_a_wrong_part_is_named():
    def image(x, *others):
        return x[:, :-1]

    assert outcome("corruptions", *answers("corruptions", mask=image)).startswith("what mask returns should have")
    assert outcome("inpainting", image).startswith("what fill returns should have")
    message = outcome("score", *answers("score", score=lambda r, x, std: (r(x) - x)[0]))
    assert message.startswith("the score should have the shape")


def test_a_loss_that_is_no_tensor_is_named():
    given = {"denoising_loss": lambda model, x, corrupt: squared_error(model(corrupt(x)), x).item()}
    assert "no gradient" in outcome("loss", *answers("loss", **given))
