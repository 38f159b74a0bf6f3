"""Downloads by several processes at once, and by one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import small_sets
from small_sets import Server

from course_utils.data import load_images

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Processes that start quickly: forked from one that has torch and torchvision already."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "support"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["small_sets"])
    return context


def test_eight_processes_fetch_once(cache: Path, server: Server, processes: Any) -> None:
    server.answer = _after_a_moment
    environment = {key: os.environ[key] for key in ("COURSE_CACHE", "COURSE_MIRROR")}
    together, results = processes.Barrier(8), processes.Queue()
    arguments = (environment, together, results)
    workers = [processes.Process(target=small_sets.load_in_a_process, args=arguments) for _ in range(8)]
    for worker in workers:
        worker.start()
    got = [results.get(timeout=90) for _ in workers]
    for worker in workers:
        worker.join(timeout=30)
    images, _ = small_sets.pixels(1, 24)
    _, labels = small_sets.pixels(2, 6)
    assert {result[0] for result in got} == {"MNIST, the course's cache"}
    assert [result[1] for result in got] == pytest.approx([images.sum(dtype=float) / 255] * 8)
    assert [result[2] for result in got] == [int(labels.sum())] * 8
    assert server.gets == {path: 1 for path in server.files if path.startswith("/MNIST")}
    assert not small_sets.left_over(cache)


def _after_a_moment(handler: Any, content: bytes) -> None:
    time.sleep(0.2)
    small_sets.send(content)(handler, content)


def test_process_killed_while_it_downloads(cache: Path, server: Server, processes: Any) -> None:
    server.answer = small_sets.slowly
    environment = {key: os.environ[key] for key in ("COURSE_CACHE", "COURSE_MIRROR")}
    arguments = (environment, processes.Barrier(1), processes.Queue())
    worker = processes.Process(target=small_sets.load_in_a_process, args=arguments)
    worker.start()
    end = time.monotonic() + 60
    while not server.gets and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    worker.kill()
    worker.join(timeout=30)
    assert (worker.exitcode, sum(server.gets.values())) == (-signal.SIGKILL, 1), "it was not killed half-way"
    server.answer = None
    small_sets.assert_small(load_images("mnist"))
    assert not small_sets.left_over(cache)
