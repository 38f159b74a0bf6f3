"""The judge on stand-ins: trained once, kept, never mistaken, and friendly to what it cannot read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_utils import metrics
from course_utils.data import ImageData, Split
from course_utils.errors import InputError
from course_utils.metrics import judge as judge_module


def blobs(n: int, seed: int) -> Split:
    """Images of two classes that a glance tells apart: the upper or the lower half is bright."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (n,), generator=generator)
    images = 0.3 * torch.rand(n, 1, 28, 28, generator=generator)
    images[labels == 0, :, :14] += 0.6
    images[labels == 1, :, 14:] += 0.6
    return Split(images, labels)


@pytest.fixture
def small(monkeypatch, tmp_path, one_thread) -> ImageData:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    train, test = blobs(600, 0), blobs(100, 1)
    return ImageData("blobs", "Blobs", "Blobs, generated", True, train, test, test, train, ("up", "down"))


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "models").glob("*.safetensors"))


def test_it_learns_is_kept_and_is_the_same_again(small, tmp_path, monkeypatch):
    before = torch.get_rng_state()
    judge = metrics.load_judge(small)
    assert torch.equal(before, torch.get_rng_state())
    assert judge.accuracy > 0.9
    assert judge.source == "Blobs"
    assert judge.made_under["torch"] == torch.__version__.split("+")[0]
    assert len(kept(tmp_path)) == 1
    monkeypatch.setattr(judge_module, "_train", None)  # whoever trains again fails
    again = metrics.load_judge(small)
    assert again.accuracy == judge.accuracy
    torch.testing.assert_close(again(small.test.images).features, judge(small.test.images).features)


def test_features_are_the_input_of_the_last_layer(small):
    judge = metrics.load_judge(small)
    reading = judge(small.test.images)
    assert reading.features.shape == (100, 128)
    assert reading.features.min() >= 0
    last = judge._network[-1]
    torch.testing.assert_close(torch.nn.functional.linear(reading.features, last.weight, last.bias), reading.logits)
    accuracy = (reading.labels == small.test.labels).float().mean().item()
    assert accuracy == pytest.approx(judge.accuracy)
    torch.testing.assert_close(judge(small.test.flat).features, reading.features)


def test_a_stand_ins_judge_is_another(small, tmp_path):
    metrics.load_judge(small)
    stand_in = replace(small, is_real=False, source="built-in stand-in for Blobs")
    assert metrics.load_judge(stand_in).source == "built-in stand-in for Blobs"
    other = replace(small, train=blobs(600, 5))  # said to be the same, with other images
    metrics.load_judge(other)
    assert len(kept(tmp_path)) == 3


def test_a_user_folder_and_the_cache_share_the_judge(small, tmp_path):
    metrics.load_judge(small)
    metrics.load_judge(replace(small, source="Blobs, your folder"))
    assert len(kept(tmp_path)) == 1


def test_what_it_cannot_read_is_refused(small):
    judge = metrics.load_judge(small)
    with pytest.raises(InputError, match=r"pixels in \[0, 1\]"):
        judge(small.test.images * 2 - 1)
    with pytest.raises(InputError, match="the shape is"):
        judge(small.test.images.squeeze(1))
    with pytest.raises(InputError, match=r"pixels in \[0, 1\]"):
        judge(small.test.images / 0)
