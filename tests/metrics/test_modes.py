"""Modes counted on sets whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils.errors import InputError
from course_utils.metrics import ModeCount, count_modes

CENTRES = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_a_count_by_hand():
    samples = torch.tensor(
        [
            [0.5, 0.0],  # good, of the first
            [0.0, -1.5],  # good: exactly on the rim, 3 · .5
            [10.0, 1.0],  # good, of the second
            [11.0, 1.5],  # of the second, and too far
            [5.0, 5.0],  # nowhere
        ]
    )
    count = count_modes(samples, CENTRES, std=0.5, least_share=0.3)
    assert isinstance(count, ModeCount)
    assert count.shares.tolist() == pytest.approx([2 / 5, 1 / 5, 0])
    assert count.quality == pytest.approx(3 / 5)
    assert count.held == 1
    assert str(count) == "1 of 3 modes held, quality 0.600"
    assert count_modes(samples, CENTRES, std=0.5, least_share=0.2).held == 2
    assert count_modes(samples, CENTRES, std=0.5, radius=2.9).quality == pytest.approx(2 / 5)


def test_a_share_just_reached_is_enough_and_nothing_is_never_a_mode():
    samples = torch.cat([CENTRES[:1].repeat(98, 1), CENTRES[1:2].repeat(2, 1)])
    assert count_modes(samples, CENTRES, std=1.0).held == 2
    assert count_modes(samples[:-1], CENTRES, std=1.0).held == 1  # 1 of 99
    assert count_modes(samples, CENTRES, std=1.0, least_share=0.0).held == 2


def test_a_sample_counts_for_its_nearest_mode_alone():
    count = count_modes(torch.tensor([[4.0]]), torch.tensor([[0.0], [5.0]]), std=2.0)
    assert count.shares.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("d", "within"), [(1, math.erf(2 / math.sqrt(2))), (2, 1 - math.exp(-2))])
def test_quality_of_the_law_itself(d, within):
    generator = torch.Generator().manual_seed(0)
    centres = 100 * torch.arange(8.0)[:, None].expand(8, d)
    samples = centres[torch.randint(8, (40_000,), generator=generator)]
    samples = samples + 0.5 * torch.randn(40_000, d, generator=generator)
    count = count_modes(samples, centres, std=0.5, radius=2.0)
    assert count.held == 8
    assert count.quality == pytest.approx(within, abs=0.005)
    assert count.shares.sum().item() == pytest.approx(count.quality)


def test_samples_with_a_graph_are_counted_like_others():
    assert count_modes(CENTRES.clone().requires_grad_(), CENTRES, std=1.0).held == 3


@pytest.mark.parametrize(
    ("samples", "centres", "std", "message"),
    [
        (torch.zeros(4), CENTRES, 1.0, r"the shapes are \(4,\) and \(3, 2\)"),
        (torch.zeros(4, 3), CENTRES, 1.0, r"\(4, 3\) and \(3, 2\)"),
        (torch.zeros(0, 2), CENTRES, 1.0, "0 samples and 3 centres"),
        (torch.zeros(4, 2), CENTRES[:0], 1.0, "4 samples and 0 centres"),
        (torch.zeros(4, 2), CENTRES, 0.0, "std=0.0; give"),
        (torch.full((4, 2), math.nan), CENTRES, 1.0, "not finite; has the training diverged"),
    ],
)
def test_what_cannot_be_counted_is_refused(samples, centres, std, message):
    with pytest.raises(InputError, match=message):
        count_modes(samples, centres, std=std)
