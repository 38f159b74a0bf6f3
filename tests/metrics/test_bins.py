"""Bins that differ: none for one set twice, about one in twenty for equal laws, many where a class is missing."""

from __future__ import annotations

import pytest
import torch

from course_utils.errors import InputError
from course_utils.metrics import different_bins

pytestmark = pytest.mark.usefixtures("one_thread")

CENTRES = 20 * torch.eye(4)


def classes(counts: list[int], seed: int = 0) -> torch.Tensor:
    """Points in as many blobs, far from one another, as there are counts."""
    generator = torch.Generator().manual_seed(seed)
    which = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return CENTRES[which] + torch.randn(len(which), 4, generator=generator)


def test_shares_and_the_test_of_two_proportions_by_hand():
    training = classes([100, 100, 100, 100])
    # z of .30 against .25 with 400 of each is 1.59, of .35 against .25 it is 3.09; the limits are 1.96 and 3.29
    result = different_bins(classes([140, 120, 60, 80], seed=1), training, num_bins=4)
    assert sorted(result.sample_shares.tolist()) == pytest.approx([0.15, 0.20, 0.30, 0.35])
    assert result.data_shares.tolist() == pytest.approx([0.25] * 4)
    assert result.different == 2  # .35 and .15; z of .20 is 1.69
    assert result.num_bins == 4
    assert result.ndb == 0.5
    strict = different_bins(classes([140, 120, 60, 80], seed=1), training, num_bins=4, significance=0.001)
    assert strict.different == 1  # z of .15 is 3.54


def test_the_same_set_twice_differs_nowhere():
    x = classes([200, 200])
    assert different_bins(x, x, num_bins=20).different == 0
    assert different_bins(x[:5], x, num_bins=1).different == 0


def test_equal_laws_differ_in_about_one_bin_of_twenty():
    shares = []
    for seed in range(5):
        one, other = torch.randn(2, 4_000, 2, generator=torch.Generator().manual_seed(seed))
        shares.append(different_bins(one, other, num_bins=50).ndb)
    assert 0.01 < sum(shares) / 5 < 0.12


def test_a_missing_class_is_seen_in_its_bins():
    result = different_bins(classes([500, 500, 500], seed=1), classes([500] * 4), num_bins=20)
    missing = (result.sample_shares == 0) & (result.data_shares > 0.01)
    assert missing.any()
    assert result.data_shares[missing].sum().item() > 0.15
    assert result.ndb > 0.3


def test_the_same_seed_gives_the_same_bins_and_torchs_random_numbers_stay():
    x, y = torch.randn(2, 300, 3, generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()
    one, again, other = (different_bins(x, y, num_bins=30, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.data_shares, again.data_shares)
    assert not torch.equal(one.data_shares, other.data_shares)
    assert one.sample_shares.sum().item() == pytest.approx(1)
    assert one.sample_shares.dtype == torch.float64


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        (torch.zeros(4), {}, r"the shapes are \(40, 4\) and \(4,\)"),
        (torch.zeros(4, 3), {}, r"\(40, 4\) and \(4, 3\)"),
        (torch.zeros(0, 4), {}, r"\(0, 4\)"),
        (torch.zeros(4, 4), {"num_bins": 41}, "num_bins=41 and significance=0.05 for 40 points"),
        (torch.zeros(4, 4), {"num_bins": 0}, "num_bins=0"),
        (torch.zeros(4, 4), {"num_bins": 4, "significance": 1.0}, "significance=1.0"),
        (torch.full((4, 4), torch.nan), {"num_bins": 4}, "not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(samples, options, message):
    with pytest.raises(InputError, match=message):
        different_bins(samples, classes([10, 10, 10, 10]), **options)
