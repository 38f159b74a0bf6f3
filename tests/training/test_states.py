"""One part of a checkpoint, read alone."""

from __future__ import annotations

import pytest
import torch
from small_trainings import build, same, train

from course_utils.errors import DataError, InputError
from course_utils.training import saved_state

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_model_of_a_checkpoint_without_its_optimiser(tmp_path):
    path = tmp_path / "a.safetensors"
    model, copy = build(), build(seed=1)
    train(model, checkpoint=path)
    random = torch.get_rng_state()
    assert not same(model, copy)
    copy.load_state_dict(saved_state(path, "model"))
    assert same(model, copy)
    assert torch.equal(torch.get_rng_state(), random)


def test_a_part_that_is_not_there(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(DataError, match=r"no checkpoint .*a\.safetensors\. Train with checkpoint="):
        saved_state(path, "model")
    train(build(), checkpoint=path)
    with pytest.raises(InputError, match=r'nothing called "modle"\. Did you mean "model"'):
        saved_state(path, "modle")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"a\.safetensors cannot be read"):
        saved_state(path, "model")
