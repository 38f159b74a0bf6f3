"""The checks of exercise 10: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, one_hot

from course_utils.checks import conditional
from course_utils.checks.conditional.side_by_side import NUM_CLASSES, WIRINGS, play

GAMES = ("unseen", "real_only", "shifted", "random")

EXERCISE = gap_cells.Exercise(
    "10_conditional_gan",
    conditional,
    names={
        "label-inputs": ("with_one_hot", "label_planes"),
        "conditional-norm": ("conditional_norm",),
        "projection-logits": ("projection_logits",),
        "balanced-labels": ("balanced_labels",),
        "agreement": ("agreement",),
        "style-grid": ("style_grid",),
        "class-correlation": ("class_correlation",),
        "prediction": GAMES,
    },
    given={"math": math, "torch": torch, "nn": nn, "Tensor": Tensor, "one_hot": one_hot},
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _rows(z: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.cat([z, one_hot(y, num_classes).to(z)], dim=1)


def _planes(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.cat([x, one_hot(y, num_classes).to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)


def _identity_rows(z: Tensor, y: Tensor, num_classes: int) -> Tensor:
    return torch.hstack([z, torch.eye(num_classes, dtype=z.dtype)[y]])


def _filled_planes(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
    out = x.new_zeros(len(x), x.shape[1] + num_classes, *x.shape[2:])
    out[:, : x.shape[1]] = x
    for i, c in enumerate(y.tolist()):
        out[i, x.shape[1] + c] = 1
    return out


def _norm(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor, eps: float = 1e-5) -> Tensor:
    return batch_norm(h, None, None, training=True, eps=eps) * scale[y][..., None, None] + shift[y][..., None, None]


def _sample_by_sample(h: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    flat = h.transpose(0, 1).flatten(1)  # (c, n · h · w)
    mean, std = flat.mean(1).view(-1, 1, 1), flat.std(1, correction=0).view(-1, 1, 1)
    normalised = (h - mean) / std
    return torch.stack([scale[c].view(-1, 1, 1) * normalised[i] + shift[c].view(-1, 1, 1) for i, c in enumerate(y)])


def _logits(features: Tensor, y: Tensor, psi: nn.Module, embedding: nn.Module) -> Tensor:
    return psi(features) + torch.einsum("nd,nd->n", embedding(y), features)[:, None]


def _shuffled(n: int, num_classes: int) -> Tensor:
    return (torch.arange(n) % num_classes)[torch.randperm(n)]


def _counted_out(n: int, num_classes: int) -> Tensor:
    rest = torch.randperm(num_classes)[: n % num_classes]
    return torch.cat([torch.arange(num_classes).repeat(n // num_classes), rest])


def _grid(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    return torch.stack([generator(z, torch.full((len(z),), c)) for c in range(num_classes)])


def _one_by_one(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    rows = [[generator(one[None], torch.tensor([c]))[0] for one in z] for c in range(num_classes)]
    return torch.stack([torch.stack(row) for row in rows])


def _in_one_batch(generator: nn.Module, z: Tensor, num_classes: int) -> Tensor:
    made = generator(z.repeat_interleave(num_classes, 0), torch.arange(num_classes).repeat(len(z)))
    return made.view(len(z), num_classes, *made.shape[1:]).transpose(0, 1)


def _mean_of_pairs(values: Tensor) -> float:
    found = [np.corrcoef(values[i], values[j])[0, 1] for i in range(len(values)) for j in range(i)]
    return float(np.mean(found))


def _standardised(values: Tensor) -> Tensor:
    scores = (values - values.mean(1, keepdim=True)) / values.std(1, keepdim=True, correction=0)
    correlations = scores @ scores.T / values.shape[1]
    return correlations[~torch.eye(len(values), dtype=torch.bool)].mean()


UNKNOWN: dict[str, dict[str, Any]] = {
    "label-inputs": {
        "added": {"with_one_hot": lambda z, y, num_classes: z + y[:, None]},
        "label twice": {"with_one_hot": lambda z, y, num_classes: torch.cat([_rows(z, y, num_classes), z], 1)},
        "half": {"with_one_hot": lambda z, y, num_classes: _rows(z, y, num_classes) / 2},
        "a list": {"with_one_hot": lambda z, y, num_classes: _rows(z, y, num_classes).tolist()},
        "whole numbers": {"with_one_hot": lambda z, y, num_classes: _rows(z, y, num_classes).long()},
        "in place": {"with_one_hot": lambda z, y, num_classes: _rows(z.mul_(2), y, num_classes)},
        "turned round": {"label_planes": lambda x, y, num_classes: _planes(x, y.flip(0), num_classes)},
        "one row": {"label_planes": lambda x, y, num_classes: _planes(x, y, num_classes).triu()},
        "on the image": {"label_planes": lambda x, y, num_classes: x + one_hot(y, num_classes).sum()},
        "flattened": {"label_planes": lambda x, y, num_classes: _planes(x, y, num_classes).flatten(1)},
    },
    "conditional-norm": {
        "shift twice": lambda h, y, scale, shift: _norm(h, y, scale, 2 * shift),
        "large ε": lambda h, y, scale, shift: _norm(h, y, scale, shift, eps=0.1),
        "next class": lambda h, y, scale, shift: _norm(h, (y + 1) % len(scale), scale, shift),
        "no shift": lambda h, y, scale, shift: _norm(h, y, scale, 0 * shift),
        "no scale": lambda h, y, scale, shift: _norm(h, y, torch.ones_like(scale), shift),
        "one number": lambda h, y, scale, shift: _norm(h, y, scale, shift).mean(),
        "in place": lambda h, y, scale, shift: h.sub_(h.mean()),
    },
    "projection-logits": {
        "squared": lambda f, y, psi, embedding: psi(f) + (_logits(f, y, psi, embedding) - psi(f)).square(),
        "probability": lambda *given: _logits(*given).sigmoid(),
        "a row": lambda *given: _logits(*given).squeeze(1),
        "detached": lambda *given: _logits(*given).detach(),
        "features detached": lambda f, *given: _logits(f.detach(), *given),
        "vectors detached": lambda f, y, psi, embedding: psi(f) + (embedding(y).detach() * f).sum(1, keepdim=True),
        "psi twice": lambda f, y, psi, embedding: psi(f) + _logits(f, y, psi, embedding),
    },
    "balanced-labels": {
        "zeros": lambda n, num_classes: torch.zeros(n, dtype=torch.int64),
        "a list": lambda n, num_classes: [i % num_classes for i in range(n)],
        "negative": lambda n, num_classes: torch.arange(n) % num_classes - 1,
        "int32": lambda n, num_classes: (torch.arange(n) % num_classes).int(),
        "a column": lambda n, num_classes: (torch.arange(n) % num_classes)[:, None],
        "one less": lambda n, num_classes: torch.arange(n) % max(num_classes - 1, 1),
        "one more": lambda n, num_classes: torch.arange(n + 1) % num_classes,
    },
    "agreement": {
        "percent": lambda logits, y: 100 * (logits.argmax(1) == y).double().mean(),
        "second choice, too": lambda logits, y: (logits.topk(2).indices == y[:, None]).any(1).double().mean(),
        "each picture": lambda logits, y: (logits.argmax(1) == y).double(),
        "without the first": lambda logits, y: (logits.argmax(1) == y)[1:].double().sum() / len(y) / 2,
        "a string": lambda logits, y: f"{(logits.argmax(1) == y).double().mean():.3f}",
        "always 1": lambda logits, y: 1.0,
    },
    "style-grid": {
        "one number": lambda *given: _grid(*given).mean(),
        "noise turned round": lambda generator, z, num_classes: _grid(generator, z.flip(0), num_classes),
        "half of the noise": lambda generator, z, num_classes: _grid(generator, z / 2, num_classes),
        "a list": lambda *given: list(_grid(*given)),
        "one row": lambda *given: _grid(*given)[0],
        "label too short": lambda generator, z, num_classes: torch.stack(
            [generator(z, torch.tensor([c])) for c in range(num_classes)]
        ),
        "label of floats": lambda generator, z, num_classes: torch.stack(
            [generator(z, torch.full((len(z),), float(c))) for c in range(num_classes)]
        ),
        "pictures scaled": lambda *given: _grid(*given) * torch.linspace(1, 2, given[1].shape[1]),
    },
    "class-correlation": {
        "median": lambda values: values.corrcoef()[np.triu_indices(len(values), 1)].median() + 0.01,
        "largest": lambda values: values.corrcoef().fill_diagonal_(-1).max() + 0.01,
        "matrix": lambda values: values.corrcoef(),
        "angle": lambda values: math.acos(_mean_of_pairs(values)),
        "standard deviation": lambda values: values.std(),
        "always 0": lambda values: 0.0,
    },
    "prediction": {
        "another word": {"unseen": "near chance"},
        "a number": {"shifted": 0.0},
        "a list": {"random": ["higher"]},
    },
}
RIGHT: list[tuple[str, Any]] = [
    ("label-inputs", {"with_one_hot": _identity_rows}),
    ("label-inputs", {"with_one_hot": lambda z, y, num_classes: torch.column_stack([z, one_hot(y, num_classes)])}),
    ("label-inputs", {"label_planes": _filled_planes}),
    ("conditional-norm", _norm),
    ("conditional-norm", _sample_by_sample),
    ("conditional-norm", lambda h, y, scale, shift: _norm(h, y, scale, shift, eps=1e-10)),
    ("projection-logits", _logits),
    ("projection-logits", lambda f, y, psi, e: psi(f) + (f @ e.weight.T).gather(1, y[:, None])),
    ("projection-logits", lambda f, y, psi, e: psi(f) + (f[:, None] @ e(y)[:, :, None]).squeeze(2)),
    ("balanced-labels", _shuffled),
    ("balanced-labels", _counted_out),
    ("balanced-labels", lambda n, num_classes: (torch.arange(n) * num_classes) // n),
    ("agreement", lambda logits, y: float((logits.softmax(1).argmax(1) == y).float().mean())),
    ("agreement", lambda logits, y: np.mean(logits.argmax(1).numpy() == y.numpy())),
    ("agreement", lambda logits, y: (logits.topk(1).indices[:, 0] == y).double().mean()),
    ("style-grid", _grid),
    ("style-grid", _one_by_one),
    ("style-grid", _in_one_batch),
    ("class-correlation", _mean_of_pairs),
    ("class-correlation", _standardised),
    ("prediction", {"unseen": " Same ", "random": "HIGHER"}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


class TestPredictions(gap_cells.PredictionTests):
    exercise = EXERCISE


# What else the checks promise -----------------------------------------------------------------------------------------


def test_the_five_games_end_near_one_near_chance_and_near_zero():
    """Far from the borders between the words, so that no draw turns an outcome."""
    found = dict(zip(WIRINGS, play(torch.Generator().manual_seed(1)).mean(1).tolist(), strict=True))
    assert found["matching"] > 0.9
    assert found["random"] > 0.9
    assert found["shifted"] < 0.1
    for name in ("unseen", "real_only"):
        assert 0.6 / NUM_CLASSES < found[name] < 1.6 / NUM_CLASSES


def test_the_games_repeat_with_the_same_generator_and_differ_with_another():
    one, again, other = (play(torch.Generator().manual_seed(seed), num_steps=3, starts=2) for seed in (1, 1, 2))
    assert one.shape == (len(WIRINGS), 2)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_label_of_another_type_is_told_for_each_of_the_two_inputs():
    def in_double(x: Tensor, y: Tensor, num_classes: int) -> Tensor:
        return _planes(x, y, num_classes).double()

    assert "another type than x" in EXERCISE.outcome("label-inputs", label_planes=in_double)


@pytest.mark.parametrize(("part", "name"), [("embedding", "the class vectors"), ("psi", "the weights of psi")])
def test_a_part_that_would_never_learn_is_named(part, name):
    def without(features: Tensor, y: Tensor, psi: nn.Module, embedding: nn.Module) -> Tensor:
        v, weight = embedding.weight[y], psi.weight
        v, weight = (v.detach(), weight) if part == "embedding" else (v, weight.detach())
        return features @ weight.T + psi.bias + (v * features).sum(1, keepdim=True)

    assert f"no gradient reaches {name}" in EXERCISE.outcome("projection-logits", without)


def test_labels_for_fewer_samples_than_classes_are_asked_for():
    def at_least_one_of_each(n: int, num_classes: int) -> Tensor:
        return torch.arange(max(n, num_classes)) % num_classes

    assert "should have the shape (3,), and it has (7,)" in EXERCISE.outcome("balanced-labels", at_least_one_of_each)


def test_the_glass_generator_tells_what_is_wrong_with_the_labels():
    tables = UNKNOWN["style-grid"]
    assert "one label for each z" in EXERCISE.outcome("style-grid", tables["label too short"])
    assert "class numbers are torch.int64" in EXERCISE.outcome("style-grid", tables["label of floats"])
