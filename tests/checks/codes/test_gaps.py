"""The checks of exercise 12: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import itertools
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import one_hot

from course_utils import clustering
from course_utils.checks import codes, ready
from course_utils.checks.codes import small_runs
from course_utils.checks.codes.matched_clusters import best_share

PREDICTED = ("rotated", "copied", "other_points", "small_rate")

EXERCISE = gap_cells.Exercise(
    "12_uses_of_codes",
    codes,
    names={
        "nearest-centre": ("assign", "inertia"),
        "moved-centres": ("move",),
        "start-chances": ("start_chances",),
        "standardised": ("standardised",),
        "matched-accuracy": ("matched_accuracy",),
        "shifted-pair": ("shifted_pair",),
        "layer-rates": ("frozen", "rate_groups"),
        "kernel-ridge": ("kernel", "kernel_ridge"),
        "alarm": ("alarm_threshold", "auc"),
        "prediction": PREDICTED,
    },
    given={
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "one_hot": one_hot,
        "linear_sum_assignment": linear_sum_assignment,
    },
    slow=("shifted-pair", "prediction"),
)
pytestmark = pytest.mark.usefixtures("one_thread")


def _nearest(x: Tensor, centres: Tensor) -> Tensor:
    return torch.stack([(centres - point).square().sum(1).argmin() for point in x])


def _expanded(x: Tensor, centres: Tensor) -> Tensor:
    """Without the squares of the points, which are the same for all centres."""
    return (centres.square().sum(1) - 2 * x @ centres.T).min(dim=1).indices


def _inertia(x: Tensor, assigned: Tensor, centres: Tensor) -> Tensor:
    return torch.nn.functional.mse_loss(x, centres[assigned], reduction="sum")


def _in_a_loop(x: Tensor, assigned: Tensor, centres: Tensor) -> Tensor:
    new = centres.clone()
    for j in range(len(centres)):
        if (assigned == j).any():
            new[j] = x[assigned == j].mean(dim=0)
    return new


def _added(x: Tensor, assigned: Tensor, centres: Tensor) -> Tensor:
    sums = torch.zeros_like(centres).index_add(0, assigned, x)
    counts = torch.bincount(assigned, minlength=len(centres))
    means = sums / counts[:, None]
    return torch.where((counts == 0)[:, None], centres, means)


def _chances(x: Tensor, centres: Tensor) -> Tensor:
    squared = torch.stack([(x - m).square().sum(1) for m in centres]).amin(0)
    return squared / squared.sum()


def _standardised(train: Tensor, x: Tensor, correction: int = 0) -> Tensor:
    spread = train.std(dim=0, correction=correction)
    spread[spread == 0] = 1
    return (x - train.mean(dim=0)) / spread


def _by_scikit_learn(train: Tensor, x: Tensor) -> Tensor:
    return torch.from_numpy(StandardScaler().fit(train.numpy()).transform(x.numpy()))


def _all_matchings(assigned: Tensor, labels: Tensor, num_classes: int) -> float:
    ways = itertools.permutations(range(num_classes))
    return max((torch.tensor(way)[assigned] == labels).double().mean().item() for way in ways)


def _cost(assigned: Tensor, labels: Tensor, num_classes: int) -> np.floating:
    table = np.zeros((num_classes, num_classes))
    for j, c in zip(assigned.tolist(), labels.tolist(), strict=True):
        table[j, c] -= 1
    rows, columns = linear_sum_assignment(table)
    return -table[rows, columns].sum() / len(labels)


def _cut_out(x: Tensor, most: int, low: int = 0, high: int | None = None) -> tuple[Tensor, Tensor]:
    wide, (h, w) = nn.functional.pad(x, (most,) * 4), x.shape[2:]
    pieces = []
    for image in wide:
        top, left = torch.randint(low, (2 * most if high is None else high) + 1, (2,)).tolist()
        pieces.append(image[:, top : top + h, left : left + w])
    return torch.stack(pieces), x.clone()


def _rolled(x: Tensor, most: int) -> tuple[Tensor, Tensor]:
    wide = nn.functional.pad(x, (most,) * 4)
    moves = torch.randint(-most, most + 1, (len(x), 2)).tolist()
    moved = torch.stack([image.roll(move, (1, 2)) for image, move in zip(wide, moves, strict=True)])
    return [moved[:, :, most : most + x.shape[2], most : most + x.shape[3]], x]  # type: ignore[return-value]


def _unequal(x: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Small moves far more often than large ones."""
    n, _, h, w = x.shape
    moves = (torch.randn(n, 2) * most / 2.2).round().clamp(-most, most).long().tolist()
    wide = nn.functional.pad(x, (most,) * 4)
    cut = [i[:, most - a : most - a + h, most - b : most - b + w] for i, (a, b) in zip(wide, moves, strict=True)]
    return torch.stack(cut), x


def _frozen(network: nn.Module) -> nn.Module:
    for weight in network.parameters():
        weight.requires_grad = False
    return network.train(False)


def _groups(encoder: nn.Module, head: nn.Module, rate: float, ratio: float) -> tuple[dict[str, Any], ...]:
    return {"lr": rate, "params": list(head.parameters())}, {"lr": rate * ratio, "params": list(encoder.parameters())}


def _one_group_each(encoder: nn.Module, head: nn.Module, rate: float, ratio: float) -> list[dict[str, Any]]:
    old = [{"params": [weight], "lr": rate * ratio} for weight in encoder.parameters()]
    return [*old, {"params": head.parameters(), "lr": rate}]


def _kernel(a: Tensor, b: Tensor, width: float) -> Tensor:
    squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return torch.exp(-squares / (2 * width**2))


def _ridge(x: Tensor, labels: Tensor, x_new: Tensor, width: float, strength: float, num_classes: int = 10) -> Tensor:
    fitted = KernelRidge(alpha=strength, kernel="rbf", gamma=1 / (2 * width**2)).fit(
        x.numpy(), one_hot(labels, num_classes).numpy()
    )
    return torch.from_numpy(fitted.predict(x_new.numpy()))


def _inverse(x: Tensor, labels: Tensor, x_new: Tensor, width: float, strength: float, num_classes: int = 10) -> Tensor:
    K = _kernel(x, x, width).double() + strength * torch.eye(len(x), dtype=torch.float64)
    return _kernel(x_new, x, width).double() @ K.inverse() @ torch.eye(num_classes, dtype=torch.float64)[labels]


def _sorted_threshold(normal_scores: Tensor, rate: float) -> Tensor:
    return normal_scores.sort(descending=True).values[int(rate * len(normal_scores))]


def _auc(normal_scores: Tensor, strange_scores: Tensor) -> float:
    kinds = np.repeat([0, 1], [len(normal_scores), len(strange_scores)])
    return roc_auc_score(kinds, torch.cat([normal_scores, strange_scores]).numpy())


def _pairs(normal_scores: Tensor, strange_scores: Tensor) -> Tensor:
    difference = strange_scores[:, None] - normal_scores
    return (difference > 0).double().mean() + (difference == 0).double().mean() / 2


UNKNOWN: dict[str, dict[str, Any]] = {
    "nearest-centre": {
        "second nearest": {"assign": lambda x, m: torch.cdist(x, m).sort(1).indices[:, min(1, len(m) - 1)]},
        "from 1": {"assign": lambda x, m: _nearest(x, m) + 1},
        "always 0": {"assign": lambda x, m: torch.zeros(len(x), dtype=torch.int64)},
        "floats": {"assign": lambda x, m: _nearest(x, m).float()},
        "a list": {"assign": lambda x, m: _nearest(x, m).tolist()},
        "the centre itself": {"assign": lambda x, m: m[_nearest(x, m)]},
        "one coordinate": {"assign": lambda x, m: _nearest(x[:, :1], m[:, :1])},
        "in place": {"assign": lambda x, m: _nearest(x.sub_(1), m - 1)},
        "third at a tie": {
            "assign": lambda x, m: (
                torch.zeros(len(x), dtype=torch.int64) if len(m.unique(dim=0)) < len(m) else _nearest(x, m)
            )
        },
        "half": {"inertia": lambda x, a, m: _inertia(x, a, m) / 2},
        "root": {"inertia": lambda x, a, m: _inertia(x, a, m).sqrt()},
        "largest": {"inertia": lambda x, a, m: (x - m[a]).square().sum(1).max()},
        "absolute": {"inertia": lambda x, a, m: (x - m[a]).abs().sum()},
        "next centre": {"inertia": lambda x, a, m: _inertia(x, (a + 1) % len(m), m) + 1},
    },
    "moved-centres": {
        "farthest point": lambda x, a, m: torch.where(
            (torch.bincount(a, minlength=len(m)) > 0)[:, None], _in_a_loop(x, a, m), x.amax(0)
        ),
        "first point": lambda x, a, m: torch.stack([x[a == j][0] if (a == j).any() else m[j] for j in range(len(m))]),
        "one less": lambda x, a, m: torch.stack(
            [x[a == j].sum(0) / max(int((a == j).sum()) - 1, 1) if (a == j).any() else m[j] for j in range(len(m))]
        ),
        "turned round": lambda x, a, m: _in_a_loop(x, a, m).flip(0),
        "a list": lambda x, a, m: _in_a_loop(x, a, m).tolist(),
        "mean of the centres": lambda x, a, m: m.mean(0).expand_as(m).clone(),
        "in place": lambda x, a, m: m.copy_(_in_a_loop(x, a, m)),
    },
    "start-chances": {
        "fourth power": lambda x, m: _chances(x, m).square() / _chances(x, m).square().sum(),
        "nearness": lambda x, m: torch.cdist(x, m).amin(1).neg().softmax(0),
        "one number": lambda x, m: _chances(x, m).max(),
        "cumulative": lambda x, m: _chances(x, m).cumsum(0),
        "a column": lambda x, m: _chances(x, m)[:, None],
        "a draw": lambda x, m: torch.multinomial(_chances(x, m), 1),
        "absolute": lambda x, m: (x[:, None] - m).abs().sum(2).amin(1) / (x[:, None] - m).abs().sum(2).amin(1).sum(),
    },
    "standardised": {
        "twice": lambda train, x: _standardised(train, x) * 2,
        "from the median": lambda train, x: (
            _standardised(train, x) + (train.mean(0) - train.median(0).values) / train.std(0).clamp(min=1) + 0.01
        ),
        "by the row": lambda train, x: (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True),
        "a scaler": lambda train, x: StandardScaler().fit(train.numpy()),
        "an array": lambda train, x: _by_scikit_learn(train, x).numpy(),
        "in place": lambda train, x: x.sub_(train.mean(0)),
        "first rows": lambda train, x: _standardised(train[:50], x),
    },
    "matched-accuracy": {
        "in per cent": lambda a, y, c: 100 * best_share(a, y, c),
        "a list": lambda a, y, c: [best_share(a, y, c)],
        "always 1": lambda a, y, c: 1.0,
        "one less": lambda a, y, c: best_share(a, y, c) - 1 / len(y),
        "negative": lambda a, y, c: -best_share(a, y, c),
        "three ways only": lambda a, y, c: max(((a + k) % c == y).double().mean().item() for k in range(1, c)) + 0.001,
    },
    "shifted-pair": {
        "noise": lambda x, most: (x + 0.1 * torch.randn_like(x), x),
        "moved images alone": lambda x, most: _cut_out(x, most)[0],
        "too far": lambda x, most: (_cut_out(x, most + 1)[0], x),
        "flattened": lambda x, most: (_cut_out(x, most)[0].flatten(1), x.flatten(1)),
        "flipped": lambda x, most: (_cut_out(x, most)[0].flip(3), x),
        "larger": lambda x, most: (nn.functional.pad(x, (most,) * 4), x),
        "another target": lambda x, most: (_cut_out(x, most)[0], 1 - x),
        "ones come in": lambda x, most: (1 - _cut_out(1 - x, most)[0], x),
        "unequal": _unequal,
        "in place": lambda x, most: (x.mul_(0.5), x),
    },
    "layer-rates": {
        "a copy with other weights": {"frozen": lambda network: nn.Linear(3, 5).requires_grad_(False).eval()},
        "last layer only": {"frozen": lambda network: network[3].requires_grad_(False) and network.eval()},
        "weights returned": {"frozen": lambda network: list(network.requires_grad_(False).eval().parameters())},
        "other network": {"frozen": lambda network: nn.Sequential(network, nn.ReLU()).requires_grad_(False).eval()},
        "ratio squared": {"rate_groups": lambda e, h, rate, ratio: _groups(e, h, rate, ratio**2)},
        "an optimiser": {"rate_groups": lambda e, h, rate, ratio: torch.optim.SGD(_groups(e, h, rate, ratio))},
        "a dict": {"rate_groups": lambda e, h, rate, ratio: {"encoder": ratio * rate, "head": rate}},
        "twice": {
            "rate_groups": lambda e, h, rate, ratio: [*_groups(e, h, rate, ratio), {"params": e.parameters(), "lr": 1}]
        },
        "no weights": {"rate_groups": lambda e, h, rate, ratio: [{"params": [], "lr": rate}]},
        "modules": {"rate_groups": lambda e, h, rate, ratio: [{"params": e, "lr": ratio}, {"params": h, "lr": rate}]},
    },
    "kernel-ridge": {
        "twice the width": {"kernel": lambda a, b, width: _kernel(a, b, 2 * width)},
        "transposed": {"kernel": lambda a, b, width: _kernel(b, a, width)},
        "pair by pair": {"kernel": lambda a, b, width: _kernel(a, b, width).diagonal()},
        "absolute differences": {"kernel": lambda a, b, width: (-(a[:, None] - b).abs().sum(2) / width).exp()},
        "softmax": {"kernel_ridge": lambda *given: _inverse(*given).softmax(1)},
        "transposed scores": {"kernel_ridge": lambda *given: _inverse(*given).T},
        "λ squared": {
            "kernel_ridge": lambda x, y, new, width, strength, *c: _inverse(x, y, new, width, strength**2, *c)
        },
        "one row": {"kernel_ridge": lambda *given: _inverse(*given)[0]},
        "±1": {"kernel_ridge": lambda *given: 2 * _inverse(*given) - 1},
    },
    "alarm": {
        "median": {"alarm_threshold": lambda scores, rate: scores.median()},
        "always 0": {"alarm_threshold": lambda scores, rate: 0.0},
        "a share": {"alarm_threshold": lambda scores, rate: 1 - rate},
        "a little higher": {"alarm_threshold": lambda scores, rate: 1.2 * scores.quantile(1 - rate) + 1},
        "the scores above": {"alarm_threshold": lambda scores, rate: scores[scores > scores.quantile(1 - rate)]},
        "mean and five": {"alarm_threshold": lambda scores, rate: scores.mean() + 5 * scores.std()},
        "a difference of means": {"auc": lambda n, s: s.mean() - n.mean()},
        "above the largest": {"auc": lambda n, s: (s > n.max()).double().mean()},
        "in per cent": {"auc": lambda n, s: 100 * _auc(n, s)},
        "a curve": {"auc": lambda n, s: s.sort().values},
    },
    "prediction": {
        "another word": {"rotated": "equal"},
        "a number": {"copied": 0.3},
        "a list": {"small_rate": ["lower"]},
    },
}
RIGHT: list[tuple[str, Any]] = [
    ("nearest-centre", {"assign": _nearest}),
    ("nearest-centre", {"assign": _expanded}),
    ("nearest-centre", {"assign": lambda x, m: torch.cdist(x, m).argmin(1).int()}),
    (
        "nearest-centre",
        {"assign": lambda x, m: torch.tensor([min(range(len(m)), key=lambda j: float((p - m[j]).norm())) for p in x])},
    ),
    ("nearest-centre", {"inertia": _inertia}),
    ("nearest-centre", {"inertia": lambda x, a, m: sum((x[a == j] - m[j]).norm().item() ** 2 for j in range(len(m)))}),
    ("moved-centres", _in_a_loop),
    ("moved-centres", _added),
    ("start-chances", _chances),
    ("start-chances", lambda x, m: torch.cdist(x, m).amin(1).square() / torch.cdist(x, m).amin(1).square().sum()),
    ("standardised", _standardised),
    ("standardised", lambda train, x: _standardised(train, x, correction=1)),
    ("standardised", _by_scikit_learn),
    ("matched-accuracy", best_share),
    ("matched-accuracy", _all_matchings),
    ("matched-accuracy", _cost),
    ("matched-accuracy", lambda a, y, c: torch.tensor(clustering.matched_accuracy(a, y))),
    ("shifted-pair", _cut_out),
    ("shifted-pair", _rolled),
    ("layer-rates", {"frozen": _frozen}),
    ("layer-rates", {"frozen": lambda network: network.eval().requires_grad_(False)}),
    ("layer-rates", {"rate_groups": _groups}),
    ("layer-rates", {"rate_groups": _one_group_each}),
    ("kernel-ridge", {"kernel": _kernel}),
    ("kernel-ridge", {"kernel_ridge": _ridge}),
    ("kernel-ridge", {"kernel_ridge": _inverse}),
    ("alarm", {"alarm_threshold": _sorted_threshold}),
    ("alarm", {"alarm_threshold": lambda scores, rate: float(np.quantile(scores.numpy(), 1 - rate))}),
    ("alarm", {"alarm_threshold": lambda scores, rate: scores.topk(int(rate * len(scores)) + 1).values[-1]}),
    ("alarm", {"alarm_threshold": lambda s, rate: s.double().quantile(1 - rate, interpolation="higher").item()}),
    ("alarm", {"auc": _auc}),
    ("alarm", {"auc": _pairs}),
    ("prediction", {"rotated": " Same ", "other_points": "HIGHER"}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
    # layers that are left out in another way are told in the same words
    may_be_known = ("layer-rates",)


class TestPredictions(gap_cells.PredictionTests):
    exercise = EXERCISE


# What else the checks promise -----------------------------------------------------------------------------------------


def test_the_experiments_end_alike_on_every_draw():
    """Far from the borders between the words, so that no draw turns an outcome."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(5)]
    runs = {name: [getattr(small_runs, name)(generator) for generator in generators] for name in PREDICTED}
    assert all(abs(ratio - 1) < 0.05 for ratio in runs["rotated"])
    assert max(runs["copied"]) < 0.6
    assert min(runs["other_points"]) > 3
    assert max(runs["small_rate"]) < 0.3


def test_two_steps_in_turn_are_the_k_means_of_scikit_learn():
    x, steps = torch.randn(80, 3, generator=torch.Generator().manual_seed(1)).double(), 30
    nearest, moved = EXERCISE.answers("nearest-centre"), EXERCISE.answers("moved-centres")[0]
    centres, sums = x[:5].clone(), []
    for _ in range(steps):
        assigned = nearest[0](x, centres)
        sums.append(nearest[1](x, assigned, centres))
        centres = moved(x, assigned, centres)
        sums.append(nearest[1](x, assigned, centres))
    assert all(later <= sooner * (1 + 1e-12) for sooner, later in itertools.pairwise(sums))
    theirs = KMeans(5, init=x[:5].numpy(), n_init=1, tol=0, algorithm="lloyd").fit(x.numpy())
    assert sums[-1] == pytest.approx(theirs.inertia_)


def test_a_centre_of_equal_rank_may_be_chosen_either_way():
    def the_last(x: Tensor, centres: Tensor) -> Tensor:
        return len(centres) - 1 - torch.cdist(x, centres.flip(0)).argmin(1)

    EXERCISE.check("nearest-centre")(*EXERCISE.answers("nearest-centre", assign=the_last))
    message = EXERCISE.outcome("nearest-centre", **UNKNOWN["nearest-centre"]["third at a tie"])
    assert "two centres lie at the same place" in message


def test_what_a_part_writes_into_is_named():
    assert "work on a copy" in EXERCISE.outcome("moved-centres", UNKNOWN["moved-centres"]["in place"])
    assert "work on a copy" in EXERCISE.outcome("shifted-pair", UNKNOWN["shifted-pair"]["in place"])


def test_images_that_go_too_far_are_told_so():
    assert "the most that is allowed here" in EXERCISE.outcome("shifted-pair", UNKNOWN["shifted-pair"]["too far"])
    assert "far more often" in EXERCISE.outcome("shifted-pair", UNKNOWN["shifted-pair"]["unequal"])


def test_the_optimiser_s_own_word_is_passed_on():
    message = EXERCISE.outcome("layer-rates", **UNKNOWN["layer-rates"]["twice"])
    assert "the optimiser does not take the result of rate_groups" in message


def test_a_threshold_is_told_with_the_share_that_it_leaves():
    message = EXERCISE.outcome("alarm", **UNKNOWN["alarm"]["median"])
    assert "of the normal scores above it, and wanted were" in message


def test_cells_that_use_the_steps_wait_for_a_centre_that_is_not_a_number(capsys):
    three = torch.arange(6.0).view(3, 2)
    nan = next(m for m in EXERCISE.check("moved-centres").mistakes if m.name == "nan").make
    assert not ready(nan, three, torch.zeros(3).long(), three, name="moved_centres", like=three)
    assert "holds inf or nan" in capsys.readouterr().out
    assert ready(*EXERCISE.answers("moved-centres"), three, torch.zeros(3).long(), three, like=three)
