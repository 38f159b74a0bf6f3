"""How a training stops on disk, and goes on from there."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from small_trainings import StopAt, Tied, assert_same_history, build, data, same, terms, train
from torch import nn

from course_utils.errors import DataError, InputError

HERE = str(Path(__file__).parents[1] / "support")

pytestmark = pytest.mark.usefixtures("one_thread")


def test_ctrl_c_keeps_model_and_history_and_another_process_goes_on(tmp_path):
    path = tmp_path / "a.safetensors"
    settings = {"seed": None, "schedule": "one-cycle", "validation": data(9)}
    script = f"""
        import signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
        sys.path.insert(0, {HERE!r})
        import small_trainings as t
        def pause(model, value):
            print("now", flush=True)
            time.sleep(60)
        t.torch.set_num_threads(1)
        model, untrained = t.build(), t.build()
        t.torch.manual_seed(3)
        settings = dict(seed=None, schedule="one-cycle", validation=t.data(9), checkpoint={str(path)!r})
        history = t.train(model, t.StopAt(8, pause), **settings, progress=True)
        print(history.stopped)
        print("kept", len(history.points), len(history.batch_losses), t.same(model, untrained))
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGINT)
        bar, message, stopped, kept = process.stdout.read().strip().splitlines()
        assert process.wait(60) == 0
    assert bar.strip().startswith("training  47% |")
    assert message == f"training: {stopped}."
    assert stopped == "interrupted in epoch 2, after step 7; model and history are kept"
    assert kept == "kept 2 7 False"
    whole, resumed = build(), build(seed=1)
    torch.manual_seed(3)
    full = train(whole, **settings)
    history = train(resumed, checkpoint=path, **settings)
    assert same(whole, resumed)
    assert_same_history(full, history)


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
@pytest.mark.parametrize("stop", [3, 5, 6, 13, 19])
def test_stopping_and_resuming_gives_what_an_uninterrupted_run_gives(tmp_path, interrupt, schedule, stop):
    settings = {"num_epochs": 4, "schedule": schedule, "validation": data(9), "clip": 2.0}
    whole = build()
    full = train(whole, terms, **settings)
    after = torch.rand(3)
    path = tmp_path / "runs" / "a.safetensors"
    stopped = train(build(), StopAt(stop, interrupt, terms), checkpoint=path, **settings)
    assert stopped.stopped
    torch.manual_seed(999)
    resumed = build(seed=77)
    history = train(resumed, terms, checkpoint=path, **settings)
    assert same(whole, resumed)
    assert_same_history(full, history)
    assert history.stopped is None
    assert torch.equal(torch.rand(3), after), "torch's random numbers are where they would have been"
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_more_epochs_continue_a_finished_run(tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    whole, parts = build(), build()
    full = train(whole, num_epochs=5)
    train(parts, num_epochs=2, checkpoint=path)
    history = train(parts, num_epochs=5, checkpoint=path)
    assert same(whole, parts)
    assert_same_history(full, history)
    assert "Going on from a.safetensors: 2 of 5 epochs are done." in capsys.readouterr().out
    again = build(seed=4)
    done = train(again, StopAt(1, None), num_epochs=5, checkpoint=path)
    assert same(whole, again)
    assert_same_history(full, done)


def test_momentum_of_another_optimizer_is_resumed(tmp_path):
    path = tmp_path / "a.safetensors"
    whole, first, second = build(), build(), build(seed=9)
    for model, epochs, file in ((whole, 4, None), (first, 2, path), (second, 4, path)):
        sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        train(model, optimizer=sgd, num_epochs=epochs, checkpoint=file)
    assert same(whole, second)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 4}, "batch_size = 8, and this training has batch_size = 4"),
        ({"lr": 0.5}, r"lr = \[0.01\]"),
        ({"schedule": "one-cycle"}, "schedule = None"),
        ({"seed": 6}, "seed = 5"),
        ({"x": data(seed=8)}, "made with data = "),
        ({"model": lambda: nn.Linear(6, 6)}, "is of another model: "),
        ({"num_epochs": 1}, "already holds 3 epochs, more than num_epochs=1"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, changes, message):
    path = tmp_path / "a.safetensors"
    train(build(), checkpoint=path)
    before = path.read_bytes()
    model = build(changes.pop("model", Tied), seed=2)
    weights = [weight.clone() for weight in model.state_dict().values()]
    with pytest.raises(InputError, match=message) as error:
        train(model, checkpoint=path, **changes)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.state_dict().values(), strict=True))
    assert path.read_bytes() == before


def flip(content, where):
    place = int(where * (len(content) - 1))
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"no checkpoint at all" * 20,
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        *(lambda content, where=where: flip(content, where) for where in (0.01, 0.3, 0.5, 0.7, 0.9, 1.0)),
    ],
)
def test_a_damaged_checkpoint_is_named_and_changes_nothing(tmp_path, damage):
    path = tmp_path / "a.safetensors"
    train(build(), checkpoint=path)
    path.write_bytes(damage(path.read_bytes()))
    model = build(seed=2)
    weights = [weight.clone() for weight in model.state_dict().values()]
    with pytest.raises(DataError, match=r"a\.safetensors") as error:
        train(model, checkpoint=path)
    assert "\n" not in str(error.value)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.state_dict().values(), strict=True))


def test_a_folder_or_other_weights_in_the_place_of_a_checkpoint(tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(DataError, match="cannot be read"):
        train(build(), checkpoint=tmp_path)
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="no checkpoint of a training run"):
        train(build(), checkpoint=tmp_path / "other.safetensors")


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "a.safetensors"
    model, plain = build(), build()
    history = train(model, checkpoint=path)
    train(plain)
    printed = capsys.readouterr().out
    assert printed.count("could not be written") == 1
    assert str(path) in printed
    assert (history.stopped, len(history.points)) == (None, 4)
    assert same(model, plain)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are Unix's")
def test_a_full_disk_does_not_end_the_training_and_spares_the_last_checkpoint(tmp_path, capsys):
    import resource

    path = tmp_path / "a.safetensors"
    train(build(), num_epochs=1, checkpoint=path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))  # writing stops half-way
    try:
        history = train(build(), num_epochs=3, checkpoint=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    printed = capsys.readouterr().out
    assert printed.count("could not be written (File too large)") == 1
    assert (len(history.points), history.stopped) == (4, None)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    resumed, whole = build(seed=2), build()
    train(resumed, num_epochs=3, checkpoint=path)
    train(whole, num_epochs=3)
    assert same(resumed, whole)
