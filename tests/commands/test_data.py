"""Preparing beforehand: the judge of each set of images after the sets, and none on a stand-in. Nothing is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from course_utils import data as course_data
from course_utils import metrics
from course_utils.commands import data as prepare
from course_utils.data import ImageData, Split, sources
from course_utils.data.catalogue import FileSet

JUDGES = ["The judge of Fashion-MNIST", "The judge of MNIST"]


class FakeJudge:
    """A judge that is kept in the course's cache when it is asked for the first time."""

    accuracy, seconds = 0.98765, 41.2

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, []

    def load(self, data: ImageData) -> FakeJudge:
        self.asked.append(data.name)
        kept = self.folder / "models" / f"judge-{data.name}-0123456789ab.safetensors"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(b"weights")
        return self


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJudge:
    fake = FakeJudge(tmp_path / "cache")
    monkeypatch.setenv("COURSE_CACHE", str(fake.folder))
    monkeypatch.setattr(metrics, "load_judge", fake.load)
    return fake


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the sets that are on this machine; their images are a few blank ones."""
    names = {"mnist", "fashion-mnist", "tiny-shakespeare"}

    def obtain(data: FileSet) -> sources.Copy | None:
        return sources.Copy(f"{data.title}, your folder", {"file": b"x" * 1_000_000}) if data.name in names else None

    def load_images(name: str) -> ImageData:
        print(f"{name}, your folder: 2 training, 1 validation, 1 test images")
        split = Split(torch.zeros(1, 1, 28, 28), torch.zeros(1, dtype=torch.int64))
        return ImageData(name, name, name, name in names, split, split, split, split, ("blank",))

    monkeypatch.setattr(sources, "obtain", obtain)
    monkeypatch.setattr(course_data, "load_images", load_images)
    return names


def test_the_judges_come_after_the_sets() -> None:
    titles = [title for title, _ in prepare.steps()]
    assert sorted(titles[-2:]) == JUDGES
    assert len(titles) >= 5


def test_each_judge_is_trained_once_and_then_kept(
    judge: FakeJudge, there: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare.main([]) == 0
    assert sorted(judge.asked) == ["fashion-mnist", "mnist"]
    output = capsys.readouterr().out
    assert output.count("✓ accuracy 98.77% on the test images, trained now, 41 s of training") == 2
    assert "validation" not in output, "a set is announced by its own step alone"
    assert prepare.main([]) == 0
    output = capsys.readouterr().out
    assert output.count("✓ accuracy 98.77% on the test images, kept already, 41 s of training") == 2
    assert "Everything is ready" in output


def test_no_judge_is_trained_on_a_stand_in(
    judge: FakeJudge, there: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    there.remove("mnist")
    assert prepare.main([]) == 1
    assert judge.asked == ["fashion-mnist"]
    output = capsys.readouterr().out
    assert "The data of MNIST are missing or damaged; a judge is not prepared on a stand-in." in output
    assert "✗ The judge of MNIST is not ready." in output
    assert "The data of Fashion-MNIST are missing" not in output
    assert "2 of 5 could not be prepared" in output
