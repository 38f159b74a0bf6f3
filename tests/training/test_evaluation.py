"""A loss measured over a data set, without a trace."""

import pytest
import torch
from small_trainings import build, data, linear, loss

from course_utils.training import evaluate

pytestmark = pytest.mark.usefixtures("one_thread")


def test_evaluate_weighs_samples_and_leaves_no_trace():
    model, x = build().train(), data()
    before = torch.get_rng_state()
    values = {evaluate(model, loss, x, batch_size=8)["loss"] for _ in range(3)}
    assert len(values) == 1, "the noise is the same at each call"
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    plain = build(linear)
    truth = ((plain(x) - x) ** 2).sum(1).mean().item()
    assert evaluate(plain, loss, (x,), batch_size=8)["loss"] == pytest.approx(truth)
    assert evaluate(plain, loss, x, batch_size=500)["loss"] == pytest.approx(truth)
