"""Four small experiments on made data: what k-means can see, whose scores set a threshold, and what a rate forgets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.linalg import eigh, qr
from torch.nn.functional import one_hot

from course_utils.checks.codes.matched_clusters import best_share
from course_utils.checks.core import normal, uniform

__all__ = ["CLASSES", "copied", "other_points", "rotated", "small_rate"]

CLASSES, _D = 4, 6


def rotated(generator: torch.Generator) -> float:
    """Accuracy of k-means on rotated points over that on the points themselves, from the same start."""
    x, labels = _groups(generator)
    turn = qr(normal(_D, _D, generator=generator)).Q
    return _accuracy(x @ turn, labels) / _accuracy(x, labels)


def copied(generator: torch.Generator) -> float:
    """Accuracy of k-means with fifty copies of a feature that says nothing, over that with one copy."""
    x, labels = _groups(generator)
    noise = normal(len(x), 1, generator=generator)
    few, many = (_unit(torch.cat([x, noise.expand(-1, copies)], dim=1)) for copies in (1, 50))
    return _accuracy(many, labels) / _accuracy(few, labels)


def other_points(generator: torch.Generator) -> float:
    """False alarms among new points over the wanted rate, with a threshold on the scores of the fitted points."""
    wanted, d, k = 0.1, 40, 20
    x, new = (normal(n, d, generator=generator) * torch.linspace(2, 0.5, d) for n in (60, 2000))
    axes = eigh(torch.cov(x.T)).eigenvectors[:, -k:]
    fitted, scores = (_residual(points - x.mean(0), axes) for points in (x, new))
    return float((scores > fitted.quantile(1 - wanted)).double().mean()) / wanted


def small_rate(generator: torch.Generator, starts: int = 3) -> float:
    """Loss on a first task after tuning on a second: with a small rate for the old layer, over one rate for all.

    All starts are trained side by side: the weights have a leading dimension with one entry for each of them.
    """
    x = uniform(-2, 2, starts, 48, 4, generator=generator)
    first, second = ((x @ normal(starts, 4, 3, generator=generator) / 2).sin() for _ in range(2))
    old, one, other = (normal(starts, a, b, generator=generator) / a**0.5 for a, b in ((4, 32), (32, 3), (32, 3)))
    old, one = _descend(x, first, old, one, ratio=1.0)
    losses = []
    for ratio in (0.02, 1.0):
        tuned, _ = _descend(x, second, old, other, ratio)
        losses.append(float(((x @ tuned).tanh() @ one - first).square().mean()))
    return losses[0] / losses[1]


def _groups(generator: torch.Generator, n: int = 100) -> tuple[Tensor, Tensor]:
    """Points (4n, 6) in four round groups whose centres are all equally far from one another, and their groups."""
    labels = torch.arange(CLASSES).repeat(n)
    corners = 6 * qr(normal(_D, _D, generator=generator)).Q[:CLASSES]
    return corners[labels] + normal(len(labels), _D, generator=generator), labels


def _unit(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0)


def _accuracy(x: Tensor, labels: Tensor, num_steps: int = 20) -> float:
    """The best matching of k-means that begins at the means of the groups, so that no start is unlucky."""
    members = one_hot(labels, CLASSES).to(x)
    centres = members.T @ x / members.sum(0)[:, None]
    # a start a little to the side: k-means has to stay near the groups by itself
    centres = centres + 0.05 * (x[:CLASSES] - centres)
    assigned = labels
    for _ in range(num_steps):
        assigned = (x[:, None] - centres).square().sum(2).argmin(1)
        members = one_hot(assigned, CLASSES).to(x)
        centres = torch.where(
            members.sum(0)[:, None] > 0, members.T @ x / members.sum(0).clamp(min=1)[:, None], centres
        )
    return best_share(assigned, labels, CLASSES)


def _residual(centred: Tensor, axes: Tensor) -> Tensor:
    return centred.square().sum(1) - (centred @ axes).square().sum(1)


def _descend(x: Tensor, target: Tensor, old: Tensor, head: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """Both layers after 80 steps down the squared error, the old one with ``ratio`` times the rate."""
    old, head = (weights.clone().requires_grad_() for weights in (old, head))
    groups: list[dict[str, Any]] = [{"params": [old], "lr": 0.02 * ratio}, {"params": [head]}]
    adam = torch.optim.Adam(groups, lr=0.02, fused=True)
    for _ in range(80):
        adam.zero_grad()
        ((x @ old).tanh() @ head - target).square().mean((1, 2)).sum().backward()
        adam.step()
    return old.detach(), head.detach()
