"""The four games that are played side by side: what they give, and that their symptoms are far apart."""

from __future__ import annotations

import pytest
import torch

from course_utils.checks.adversarial.side_by_side import GAMES, play
from course_utils.runtime import pick

pytestmark = pytest.mark.usefixtures("one_thread")


def test_there_is_one_entry_for_each_game_start_and_step_and_two_means_in_each():
    found = play(torch.Generator().manual_seed(3), num_steps=4, starts=2)
    assert found.shape == (len(GAMES), 2, 4, 2)
    assert found.min() > 0
    assert found.max() < 1


def test_a_seed_gives_the_same_games_and_another_one_others():
    one, same, other = (play(torch.Generator().manual_seed(seed), num_steps=4, starts=2) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_all_games_begin_alike_and_part_with_their_first_step():
    found = play(torch.Generator().manual_seed(3), num_steps=2, starts=2)
    first, second = found[:, :, 0], found[:, :, 1]
    assert torch.allclose(first, first[:1].expand_as(first))
    assert len({round(float(value), 5) for value in second[:, 0, 1]}) == len(GAMES)
    assert not torch.allclose(first[0, 0], first[0, 1])  # one start is not the other


def test_the_symptoms_of_the_four_games_are_far_apart():
    """Nearer than this to the thresholds of the prediction's check, and a draw could turn its outcome."""
    for seed in range(pick(full=10, quick=2)):
        late = play(torch.Generator().manual_seed(seed))[:, :, 150:]
        gaps = (late[..., 0] - late[..., 1]).mean(2).median(1).values
        swings = late[..., 1].std(2).median(1).values
        cycling, weak, strong, balanced = range(4)
        assert gaps[strong] > 0.8
        assert gaps[weak] < -0.1
        assert 0.02 < gaps[balanced] < 0.15
        assert 0.02 < gaps[cycling] < 0.4
        assert swings[balanced] < 0.04
        assert swings[cycling] > 0.07
