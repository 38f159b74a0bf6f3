"""The check of the anomaly score and of the area under its ROC curve."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_utils.checks.core import Answer, Check, Mistake, among, compare, fresh, integer, normal

__all__ = ["anomaly"]


def _scores(model: nn.Module, x: Tensor) -> Tensor:
    return torch.stack([(model(row[None])[0] - row).square().sum() for row in x])


_SCORES = (
    Mistake(
        "one number",
        "scores is one number for all images; asked is one for each, so that they can be ranked.",
        lambda model, x: (model(x) - x).square().sum() / len(x),
    ),
    Mistake(
        "reversed",
        "scores is negative: an image that is reconstructed badly is to score high, not low.",
        lambda model, x: -(model(x) - x).square().sum(1),
    ),
    Mistake(
        "over the pixels",
        "scores is averaged over the pixels. It ranks alike, but the course sums over pixels.",
        lambda model, x: (model(x) - x).square().mean(1),
    ),
    Mistake(
        "over the images",
        "scores has one entry per pixel: the sum runs over the images, and should run over the pixels.",
        lambda model, x: (model(x) - x).square().sum(0),
    ),
    Mistake(
        "ink",
        "scores is how much ink there is, ‖x‖²: the reconstruction plays no part in it.",
        lambda model, x: x.square().sum(1),
    ),
    Mistake(
        "no square", "scores adds up absolute differences; asked are squares.", lambda m, x: (m(x) - x).abs().sum(1)
    ),
)


def _auc(normal_scores: Tensor, anomalous_scores: Tensor) -> float:
    """From the ranks of all scores together, ties sharing their mean rank: another road than counting pairs."""
    n, m = len(normal_scores), len(anomalous_scores)
    ordered = torch.cat([anomalous_scores, normal_scores]).sort().values
    first, last = (torch.searchsorted(ordered, anomalous_scores, right=right) for right in (False, True))
    ranks = (first + 1 + last).double() / 2
    return float((ranks.sum() - m * (m + 1) / 2) / (n * m))


def _wins(normal_scores: Tensor, anomalous_scores: Tensor) -> Tensor:
    return (anomalous_scores[:, None] > normal_scores).double().mean()


_AUC = (
    Mistake(
        "reversed",
        "auc is turned round: it counts how often the normal image scores higher.",
        lambda normal_scores, anomalous_scores: 1 - _auc(normal_scores, anomalous_scores),
    ),
    Mistake(
        "folded",
        "auc is never below one half: where anomalous images score lower, it should say so.",
        lambda normal_scores, anomalous_scores: max(
            _auc(normal_scores, anomalous_scores), _auc(anomalous_scores, normal_scores)
        ),
    ),
    Mistake("ties lost", "auc counts ties as lost: two equal scores are a coin toss, worth one half.", _wins),
    Mistake(
        "ties won",
        "auc counts ties as won: two equal scores are a coin toss, worth one half.",
        lambda normal_scores, anomalous_scores: (anomalous_scores[:, None] >= normal_scores).double().mean(),
    ),
    Mistake(
        "one threshold",
        "auc judges one threshold, the middle of the two means. It should need none: compare pairs.",
        lambda normal_scores, anomalous_scores: _threshold(normal_scores, anomalous_scores),
    ),
    Mistake(
        "a count",
        "auc counts pairs; divide by how many there are.",
        lambda normal_scores, anomalous_scores: (
            _auc(normal_scores, anomalous_scores) * len(normal_scores) * len(anomalous_scores)
        ),
    ),
)


def _threshold(normal_scores: Tensor, anomalous_scores: Tensor) -> Tensor:
    middle = (normal_scores.mean() + anomalous_scores.mean()) / 2
    return ((normal_scores < middle).double().mean() + (anomalous_scores >= middle).double().mean()) / 2


def _judge_anomaly(scores: Answer, auc: Answer) -> None:
    generator = fresh()
    draws = []
    for few in (0, 0, 1):
        n, d_x = few or integer(6, 9, generator), integer(11, 15, generator)
        model = nn.Sequential(nn.Linear(d_x, 3), nn.Tanh(), nn.Linear(3, d_x))
        draws.append((model, normal(n, d_x, generator=generator)))
    text = "scores gives {got}; the squared errors of the images, one by one, are {expected}."
    compare(scores, _scores, draws, _SCORES, text, what="scores")
    pairs = []
    for shift in (0.0, 1.5, 3.0, -1.5):  # a score may be worse than a coin
        n, m = integer(20, 30, generator), integer(35, 45, generator)
        low, high = normal(n, generator=generator), normal(m, generator=generator) + shift
        pairs.append((low.round(decimals=1), torch.cat([high, low[:9]]).round(decimals=1)))  # at least 9 pairs tie
    pairs.append((torch.tensor([1.0, 2.0]), torch.tensor([1.0])))
    text = "auc is {got}; by the ranks of all scores it is {expected}."
    compare(auc, _auc, pairs, _AUC, text)


anomaly = Check(
    "scores or auc",
    _judge_anomaly,
    "one score an image, and the ranks of all scores give the same area under the curve.",
    among((_scores, _auc), 0, _SCORES) + among((_scores, _auc), 1, _AUC),
)
