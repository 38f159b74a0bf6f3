"""No data anywhere, a mirror of small sets, and a folder of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import small_sets
from small_sets import Server

from course_utils.data import downloads, sources
from course_utils.data.sets import fashion_mnist, mnist, tiny_shakespeare


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data anywhere: an empty cache, no folder, no network; the small sets in place of the real ones."""
    folder = tmp_path / "cache"
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setenv("COURSE_MIRROR", small_sets.dead_address())
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(mnist, "SET", small_sets.small_images())
    monkeypatch.setattr(fashion_mnist, "SET", small_sets.small_images("fashion-mnist"))
    monkeypatch.setattr(tiny_shakespeare, "SET", small_sets.small_text())
    monkeypatch.setattr(downloads, "_session", {})
    monkeypatch.setattr(sources, "_loaded", [])
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with small_sets.serving() as running:
        monkeypatch.setenv("COURSE_MIRROR", running.address)
        yield running


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, empty."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(folder))
    return folder
