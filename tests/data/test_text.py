"""Text with its splits: Shakespeare, and the verse whose true log-probability is known."""

from __future__ import annotations

import math

import pytest
import small_sets

from course_utils.data import load_text, loaded_sources, verse


def test_real_text() -> None:
    small_sets.real_folder("tinyshakespeare")
    text = load_text("tiny-shakespeare")
    assert text.is_real
    assert len(text.test) == 111_540
    assert len(text.train_val) == 1_003_854
    assert len(text.alphabet) == 65
    assert text.train.startswith("First Citizen:\n")


def test_verse_is_a_set_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = load_text("verse")
    play = verse.write()
    assert text.is_real
    assert text.source == "verse, generated"
    assert "verse, generated" in loaded_sources()
    assert "Stand-in" not in capsys.readouterr().out
    assert text.train_val + text.test == play.text
    assert text.train + text.val == text.train_val
    assert 0 <= len(text.train_val) - 0.9 * len(play.text) < 400  # cut at the next speech
    assert 0 <= len(text.train) - 0.9 * len(text.train_val) < 800
    for part in (text.train, text.val, text.test):
        assert part.partition(":\n")[0] in verse.SPEAKERS
    assert text.log_prob == play.log_prob
    assert text.entropy == verse.entropy_per_character()


def test_log_probability_of_the_test_part() -> None:
    """The chain rule: that of the whole is that of what comes before, written alone, and that of the rest."""
    text = load_text("verse")
    before = verse.write(len(text.train_val))
    assert before.text == text.train_val
    assert text.log_prob is not None
    assert text.test_log_prob == pytest.approx(text.log_prob - before.log_prob, rel=1e-9)
    assert text.test_log_prob_per_character == pytest.approx(text.test_log_prob / len(text.test))
    assert -text.test_log_prob_per_character == pytest.approx(text.entropy, rel=0.02)


def test_verse_as_a_stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")
    data = load_text("tiny-shakespeare")
    text = data.train_val + data.test
    assert not data.is_real
    assert text == verse.write().text
    assert data.train + data.val == data.train_val
    assert len(data.test) == math.ceil(len(text) / 10)
    assert data.entropy == verse.entropy_per_character()
    assert data.log_prob is not None
    assert -data.log_prob / len(text) == pytest.approx(data.entropy, rel=0.01)

    assert data.test_log_prob is None
    assert data.test_log_prob_per_character is None
