"""Counting on a toy whose modes are known: how many of them does a generator hold, and how many samples are good?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["ModeCount", "count_modes"]


@dataclass(frozen=True)
class ModeCount:
    """What was counted.

    Attributes:
        held: modes with enough good samples.
        quality: share of all samples that are good, in [0, 1].
        shares: of all samples, those that are good samples of each mode, shape (modes,).
    """

    held: int
    quality: float
    shares: Tensor

    def __str__(self) -> str:
        return f"{self.held} of {len(self.shares)} modes held, quality {self.quality:.3f}"


def count_modes(
    samples: Tensor, centres: Tensor, *, std: float, radius: float = 3.0, least_share: float = 0.02
) -> ModeCount:
    """A sample is good within ``radius`` · ``std`` of its nearest mode; a mode is held with enough good samples.

    Lin et al. call a mode recovered with a single good sample; a share of all samples is harder to reach by accident.

    Args:
        samples: shape (n, d), at least one.
        centres: of the modes, shape (modes, d), at least one.
        std: standard deviation of each mode, in the units of the samples, more than 0.
        radius: in standard deviations.
        least_share: of all samples that a mode needs, in [0, 1].

    Raises:
        InputError: if shapes do not fit, there is no sample or no mode, a sample is not finite, or std is not positive.

    Source: Lin et al., *PacGAN*, NeurIPS 2018, section 4.1.
    """
    if samples.ndim != 2 or centres.ndim != 2 or samples.shape[1] != centres.shape[1]:
        raise InputError(
            "Modes are counted with samples (n, d) and centres (modes, d); the shapes are"
            f" {tuple(samples.shape)} and {tuple(centres.shape)}."
        )
    if not len(samples) or not len(centres):
        raise InputError(f"There are {len(samples)} samples and {len(centres)} centres; give one of each, or more.")
    if not std > 0:
        raise InputError(f"std={std}; give the standard deviation of a mode, more than 0.")
    if not samples.isfinite().all():
        raise InputError("Some samples are not finite; has the training diverged?")
    distances, nearest = torch.cdist(samples.detach().cpu().double(), centres.cpu().double()).min(1)
    good = distances <= radius * std
    shares = torch.bincount(nearest[good], minlength=len(centres)).double() / len(samples)
    held = int(((shares >= least_share) & (shares > 0)).sum())
    return ModeCount(held, good.double().mean().item(), shares)
