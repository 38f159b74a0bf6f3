"""The explorer of the log-likelihood and its static twin."""

from __future__ import annotations

import pytest
import torch

from course_utils.widgets import explore, likelihood

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def x():
    return 163 + 7 * torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_explorer_redraws_when_a_slider_moves(x, monkeypatch):
    boxes = []
    monkeypatch.setattr(explore, "display", boxes.append)
    likelihood.likelihood_explorer(x)
    mean, std, picture = boxes[-1].children
    before = picture.value
    mean.value, std.value = 163.0, 7.0
    assert picture.value != before
    assert bytes(picture.value).startswith(b"\x89PNG")


def test_the_twin_says_the_log_likelihood(x):
    figure = likelihood.likelihood_snapshots(x, [(150.0, 7.0), (163.0, 7.0)])
    expected = torch.distributions.Normal(163.0, 7.0).log_prob(x).sum()
    assert f"−{-expected:.0f} nats" in figure.axes[1].get_title(loc="left")
