"""Kept models: found again by what made them, whole or not at all, and never mistaken for another."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from course_utils import store
from course_utils.errors import DataError, InputError


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


class Trainer:
    """Counts how often it trains."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.times, self.seconds = 0, seconds

    def __call__(self, model: nn.Module) -> dict[str, float]:
        self.times += 1
        time.sleep(self.seconds)
        nn.init.normal_(model.weight)
        return {"loss": 0.25}


def build() -> nn.Linear:
    return nn.Linear(3, 2)


def test_a_model_is_trained_once_and_comes_back_with_its_record():
    train = Trainer()
    one, record = store.trained("toy", build, train, settings={"epochs": 3})
    two, again = store.trained("toy", build, train, settings={"epochs": 3})
    assert train.times == 1
    assert torch.equal(one.weight, two.weight)
    assert record == again
    assert record["results"] == {"loss": 0.25}
    assert record["settings"] == {"epochs": 3, "seed": 0}
    assert record["made_under"]["torch"] == torch.__version__.split("+")[0]


def test_other_settings_versions_and_seeds_are_other_models(models):
    train = Trainer()
    store.trained("toy", build, train, settings={"epochs": 3})
    store.trained("toy", build, train, settings={"epochs": 4})
    store.trained("toy", build, train, settings={"epochs": 3}, version=2)
    store.trained("toy", build, train, settings={"epochs": 3}, seed=1)
    assert train.times == len(list(models.glob("*.safetensors"))) == 4


def test_random_draws_afterwards_do_not_depend_on_the_cache():
    draws = []
    for _ in range(2):
        torch.manual_seed(5)
        store.trained("toy", build, Trainer(), settings={})
        draws.append(torch.rand(3))
    assert torch.equal(*draws)


@pytest.mark.parametrize("harm", ["flip", "cut", "empty"])
def test_a_damaged_file_is_named_and_replaced(harm, models, capsys):
    train = Trainer()
    model, _ = store.trained("toy", build, train, settings={})
    (path,) = models.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes({"flip": bytes(content), "cut": bytes(content[:-5]), "empty": b""}[harm])
    with pytest.raises(DataError, match=path.name):
        store.load("toy", build(), settings={"seed": 0})
    again, _ = store.trained("toy", build, train, settings={})
    assert train.times == 2
    assert torch.equal(model.weight, again.weight)
    assert f"{path.name}" in capsys.readouterr().out
    store.trained("toy", build, train, settings={})
    assert train.times == 2


def test_another_network_under_the_same_key_is_refused_and_the_model_stays_as_it_was():
    store.save("toy", nn.Linear(3, 4), settings={})
    model = build()
    before = model.weight.clone()
    with pytest.raises(DataError, match=r"weight is \(4, 3\) there and \(2, 3\) here"):
        store.load("toy", model, settings={})
    assert torch.equal(model.weight, before)


def test_save_and_load_without_training(models):
    model, other = build(), build()
    assert store.load("toy", other, settings={"a": 1}) is None
    path = store.save("toy", model, settings={"a": 1}, results={"fid": 3.5})
    assert path == store.path_of("toy", {"a": 1})
    record = store.load("toy", other, settings={"a": 1})
    assert record is not None
    assert record["results"] == {"fid": 3.5}
    assert torch.equal(model.weight, other.weight)
    assert list(models.iterdir()) == [path]


def test_two_at_once_train_once():
    train, results = Trainer(seconds=0.5), []
    threads = [
        threading.Thread(target=lambda: results.append(store.trained("toy", build, train, settings={})))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert train.times == 1
    assert len(results) == 3


def test_where_the_cache_cannot_be_written_it_trains_each_time_and_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    train = Trainer()
    for _ in range(2):
        store.trained("toy", build, train, settings={})
    assert train.times == 2
    assert "The model toy could not be kept" in capsys.readouterr().out
    with pytest.raises(DataError, match="COURSE_CACHE"):
        store.save("toy", build(), settings={})


def test_a_training_that_fails_keeps_nothing(models):
    def fail(model: nn.Module) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.trained("toy", build, fail, settings={})
    assert list(models.glob("*.safetensors")) == []
    assert store.trained("toy", build, Trainer(), settings={})[1]["results"] == {"loss": 0.25}


def test_names_and_settings_that_cannot_be_written_down():
    with pytest.raises(InputError, match="no name for a file"):
        store.path_of("../toy", {})
    with pytest.raises(InputError, match="JSON"):
        store.path_of("toy", {"rate": torch.ones(1)})
