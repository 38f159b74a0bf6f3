"""The training loop: its steps, what it records, how it stops, and how it resumes."""

import math
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
import torch
from torch import nn

from course_utils.errors import DataError, InputError
from course_utils.losses import squared_error
from course_utils.training import evaluate, fit
from course_utils.training.history import History, Means

HERE = str(Path(__file__).parent)
SIZE = 37  # with batches of 8, the last one has 5 samples
pytestmark = pytest.mark.usefixtures("one_thread")


class Tied(nn.Module):
    """Everything that makes resuming hard: dropout, batch statistics, noise, a tied weight."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.drop = nn.Dropout(0.3)
        self.decoder = nn.Linear(6, 6)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        h = self.drop(torch.relu(self.norm(self.encoder(x))))
        return self.decoder(h + 0.1 * torch.randn_like(h))


def build(kind=Tied, seed=0):
    torch.manual_seed(seed)
    return kind()


def linear():
    return nn.Linear(6, 6)


def data(n=SIZE, seed=0):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def loss(model, x):
    return squared_error(model(x), x)


def terms(model, x):
    error = loss(model, x)
    return {"loss": error + 1, "error": error}


def train(model, loss=loss, x=None, **changes):
    settings = {"num_epochs": 3, "batch_size": 8, "lr": 1e-2, "seed": 5, "progress": False}
    return fit(model, loss, data() if x is None else x, **(settings | changes))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def curves(history):
    return {name: values for name, values in history.as_arrays().items() if name != "seconds"}


def assert_same_history(one, other):
    assert curves(one).keys() == curves(other).keys()
    for name, values in curves(one).items():
        np.testing.assert_array_equal(values, curves(other)[name], err_msg=name)


class StopAt:
    """A loss in which, at its nth call in training, ``event`` happens."""

    def __init__(self, n, event, loss=loss):
        self.n, self.event, self.loss, self.calls = n, event, loss, 0

    def __call__(self, model, *batch):
        self.calls += model.training
        value = self.loss(model, *batch)
        if self.calls == self.n and model.training:
            return self.event(model, value)
        return value


@pytest.fixture
def interrupt():
    """The stop button: a real SIGINT to this process, with Python's own handler for it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(model, value):
        signal.raise_signal(signal.SIGINT)
        return value

    yield press
    signal.signal(signal.SIGINT, before)


# The steps


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
@pytest.mark.parametrize("clip", [None, 0.5])
def test_fit_is_the_loop_of_the_textbook_bit_for_bit(schedule, clip):
    x, bare = data(), build()
    torch.manual_seed(5)
    order = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    optimizer = torch.optim.Adam(bare.parameters(), lr=1e-2, fused=True)
    steps = 3 * math.ceil(SIZE / 8)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps) if schedule else None
    for _ in range(3):
        permutation = torch.randperm(SIZE, generator=order)
        for i in range(0, SIZE, 8):
            batch = x[permutation[i : i + 8]]
            optimizer.zero_grad()
            ((bare(batch) - batch) ** 2).sum().div(len(batch)).backward()
            if clip:
                nn.utils.clip_grad_norm_(bare.parameters(), clip)
            optimizer.step()
            if cycle:
                cycle.step()
    model = build()
    train(model, schedule=schedule, clip=clip)
    assert same(model, bare)


def test_same_seed_same_bits_and_another_seed_others():
    runs = [build() for _ in range(3)]
    histories = [train(model, seed=seed) for model, seed in zip(runs, (7, 7, 8), strict=True)]
    assert same(runs[0], runs[1])
    assert_same_history(histories[0], histories[1])
    assert not same(runs[0], runs[2])


def test_without_a_seed_it_goes_on_with_torchs_random_numbers():
    runs = [build(seed=3) for _ in range(2)]
    for model in runs:
        torch.manual_seed(11)
        train(model, seed=None)
    assert same(*runs)


def test_validation_and_metrics_do_not_change_the_training():
    plain, watched = build(), build()
    train(plain)
    train(watched, validation=data(20, seed=1), metrics={"draw": lambda model: model(torch.randn(4, 6)).sum()})
    assert same(plain, watched)


def test_an_optimizer_of_ones_own_is_used_and_a_frozen_layer_stays():
    model = build(lambda: nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 6)))
    frozen = model[0].requires_grad_(False).weight.clone()
    before = model[1].weight.detach().clone()
    history = train(model, optimizer=torch.optim.SGD(model[1].parameters(), lr=0.02), num_epochs=1)
    assert torch.equal(model[0].weight, frozen)
    assert not torch.equal(model[1].weight, before)
    assert history.lrs == [0.02, 0.02]


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing():
    lrs = train(build(), schedule="one-cycle", num_epochs=20, lr=0.01).lrs
    top = int(np.argmax(lrs))
    assert lrs[0] == pytest.approx(0.01 / 25)
    assert 0.009 < lrs[top] <= 0.01
    assert lrs[: top + 1] == sorted(lrs[: top + 1])
    assert lrs[top:] == sorted(lrs[top:], reverse=True)
    assert lrs[-1] < 1e-6


def test_modes_train_in_steps_eval_in_validation_restored_afterwards():
    model = build()
    model.train()
    model.norm.eval()
    seen = []

    def watching(model, x):
        seen.append((len(x), model.training, model.norm.training, torch.is_grad_enabled()))
        return loss(model, x)

    measured = []
    train(model, watching, validation=data(3), num_epochs=1, metrics={"m": lambda m: measured.append(m.training) or 0})
    assert (model.training, model.norm.training, model.drop.training) == (True, False, True)
    assert measured == [False, False]
    validations = [(3, False, False, False)]
    point_0 = [(n, False, False, False) for n in (8, 8, 8, 8, 5)]
    steps = [(n, True, True, True) for n in (8, 8, 8, 8, 5)]
    assert seen == point_0 + validations + steps + validations


# What is recorded


def test_means_weigh_a_ragged_last_batch_by_its_samples():
    x = data()
    x[:, 0] += torch.arange(SIZE)  # the losses of the samples differ widely
    model = build(linear)
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    history = train(model, x=x, optimizer=still, validation=x, num_epochs=1)
    truth = ((model(x) - x) ** 2).sum(1).mean().item()
    assert history.train == pytest.approx([truth, truth], rel=1e-5)
    assert history.val == pytest.approx([truth, truth], rel=1e-5)
    assert abs(np.mean(history.batch_losses) / truth - 1) > 1e-3, "this data would not tell the difference"


def test_means_by_hand():
    means = Means()
    means.add({"a": 1.0}, 3)
    means.add({"a": 5.0}, 1)
    assert means.values() == {"a": 2.0}


def test_point_0_is_the_untrained_model():
    model, x, held_out = build(), data(), data(11, seed=2)
    expected = evaluate(model, loss, x, batch_size=8), evaluate(model, loss, held_out, batch_size=8)
    history = train(model, validation=held_out, metrics={"bias": lambda m: m.norm.bias.abs().sum()})
    assert history.epochs == [0, 1, 2, 3]
    assert history.steps == [0, 5, 10, 15]
    assert (history.train[0], history.val[0]) == (expected[0]["loss"], expected[1]["loss"])
    assert history.metrics["bias"][0] == 0 < history.metrics["bias"][1]
    assert history.val[-1] == evaluate(model, loss, held_out, batch_size=8)["loss"]


def test_point_0_of_large_data_takes_samples_from_all_of_it():
    x = torch.zeros(5000, 6)
    x[2500:] = 2.0
    model = build(linear)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    history = train(model, x=x, num_epochs=1, batch_size=1000)
    assert history.train[0] == pytest.approx(12.0)  # half of the samples 0, half 6 · 2²


def test_terms_of_the_loss_are_recorded_beside_it():
    history = train(build(), terms, validation=data(9))
    assert history.train_terms["error"] == pytest.approx(np.array(history.train) - 1)
    assert history.val_terms["error"] == pytest.approx(np.array(history.val) - 1)
    assert len(history.val) == 4


def test_history_as_arrays():
    history = train(build(), terms, validation=data(9), metrics={"half": lambda model: torch.tensor(0.5)})
    arrays = history.as_arrays()
    assert set(arrays) == {
        *("epochs", "steps", "lrs", "seconds", "train", "train/error", "val", "val/error"),
        *("metrics/half", "batch_losses"),
    }
    assert all(values.shape == (4,) for name, values in arrays.items() if name != "batch_losses")
    assert arrays["batch_losses"].shape == (15,)
    assert arrays["metrics/half"].tolist() == [0.5] * 4
    assert (np.diff(arrays["seconds"]) > 0).all()
    assert arrays["seconds"][-1] < 60


def test_history_plots_itself():
    history = train(build(), terms, validation=data(9), metrics={"half": lambda model: 0.5})
    ax = history.plot()
    assert [line.get_label() for line in ax.lines] == ["training", "validation"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), history.val)
    own = plt.figure().subplots()
    assert history.plot(own, name="error", first_epoch=1, ylabel="nats") is own
    assert list(own.lines[0].get_xdata()) == [1, 2, 3]
    assert own.get_ylabel() == "nats"
    assert history.plot(name="half").lines[0].get_ydata()[0] == 0.5
    with pytest.raises(InputError, match='Did you mean "error"'):
        history.plot(name="eror")
    History(stopped="interrupted in epoch 0").plot()
    plt.close("all")


def test_history_says_what_it_is():
    history = train(build(), validation=data(9))
    assert repr(history).startswith(f"History: 3 epochs, loss {history.train[0]:.4g} → {history.train[-1]:.4g}")
    assert History.from_json(history.to_json()) == history
    assert "not trained yet" in repr(History())


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


def test_several_tensors_go_to_the_loss_together_and_a_split_gives_its_images():
    x = data()
    seen = []

    def paired(model, inputs, rows):
        seen.append(torch.equal(inputs, x[rows]))
        return squared_error(model(inputs), inputs)

    train(build(linear), paired, x=(x, torch.arange(SIZE)), num_epochs=1)
    assert all(seen)
    split = SimpleNamespace(images=x, labels=torch.zeros(SIZE))
    one, other = build(linear), build(linear)
    train(one, x=split, validation=split)
    train(other)
    assert same(one, other)


# What is shown


def test_one_line_of_text_where_nothing_can_be_redrawn(capsys):
    train(build(), validation=data(9), metrics={"{half}": lambda model: 0.5}, progress=True, label="tiny", live=True)
    out, err = capsys.readouterr()
    lines = out.replace("\r", "").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tiny 100% |")
    assert all(text in lines[0] for text in ("epoch 3/3", "· loss ", "· val ", "· {half} 0.5"))
    assert err == ""
    train(build())
    assert capsys.readouterr() == ("", "")


def test_a_stored_notebook_keeps_one_line_and_one_figure_and_the_stop_button_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = """
        import os, signal, threading, time, torch
        from course_utils.training import fit
        def loss(model, x):
            time.sleep(0.01)
            return ((model(x) - x) ** 2).sum(1).mean()
        x = torch.randn(40, 3)
        """
    cells = [
        textwrap.dedent(source),
        "h = fit(torch.nn.Linear(3, 3), loss, x, num_epochs=12, batch_size=8, validation=x, live=True, label='a')",
        # the stop button sends the kernel SIGINT
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "h = fit(torch.nn.Linear(3, 3), loss, x, num_epochs=10_000, batch_size=8, label='b')",
        "print(h.stopped.split()[0], len(h.batch_losses) > 5, len(h.points) == len(h.train) > 0)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, kernel_name="python3", coalesce_streams=True, timeout=60).execute()
    text, figure = notebook.cells[1].outputs
    assert (text.name, text.text.count("\n"), "\r" in text.text) == ("stdout", 1, False)
    assert text.text.startswith("a 100% |████████████████████| epoch 12/12 · loss ")
    assert figure.output_type == "display_data"
    assert set(figure.data) == {"image/png", "text/plain"}
    assert "12 epochs of a" in figure.metadata["image/png"]["alt"]
    (stopped,) = notebook.cells[2].outputs
    bar, message, *rest = stopped.text.splitlines()
    assert bar.startswith("b   0% |")
    assert message.startswith("b: interrupted in epoch ")
    assert rest == []
    assert notebook.cells[3].outputs[0].text == "interrupted True True\n"


# How it stops


def test_ctrl_c_keeps_model_and_history_and_another_process_goes_on(tmp_path):
    path = tmp_path / "a.safetensors"
    settings = {"seed": None, "schedule": "one-cycle", "validation": data(9)}
    script = f"""
        import sys, time
        sys.path.insert(0, {HERE!r})
        import test_training as t
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


def test_an_interrupt_counts_the_steps_taken_and_forgets_no_finished_epoch(interrupt, capsys):
    whole, cut = build(), build()
    full = train(whole)
    history = train(cut, StopAt(8, interrupt))
    assert history.stopped == "interrupted in epoch 2, after step 7; model and history are kept"
    assert history.epochs == [0, 1]
    assert history.train == full.train[:2]
    assert history.batch_losses == full.batch_losses[:7]
    assert capsys.readouterr().out == f"training: {history.stopped}.\n"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_before_its_step(bad, capsys):
    model, kept = build(), {}

    def poison(model, value):
        kept.update({name: weight.clone() for name, weight in model.named_parameters()})
        return value * bad

    history = train(model, StopAt(8, poison), lr=0.01)
    assert len(kept) == 5
    assert all(torch.equal(weight, kept[name]) for name, weight in model.named_parameters())
    assert (history.epochs, len(history.batch_losses)) == ([0, 1], 7)
    printed = capsys.readouterr().out
    assert printed == f"training: {history.stopped}.\n"
    for text in ("diverged in epoch 2, at step 8, lr 0.01", "not applied", "lr (0.001)", "clip=1.0", f"is {bad}"):
        assert text in printed
    assert model.training


def test_a_gradient_that_is_not_finite_stops_before_its_step_when_it_is_clipped():
    model, kept = build(linear), {}

    def rooted(model, value):
        kept["weight"] = model.weight.detach().clone()
        return value + (0 * model.weight).sum().sqrt()  # finite itself, but its slope at 0 is not

    history = train(model, StopAt(3, rooted), clip=1.0)
    assert history.stopped.startswith("diverged in epoch 1, at step 3")
    assert "norm of the gradient" in history.stopped
    assert torch.equal(model.weight, kept["weight"])
    unclipped = train(build(linear), StopAt(3, rooted))
    assert unclipped.stopped.startswith("diverged in epoch 1, at step 4")
    assert "Weights are not finite" in unclipped.stopped


def test_values_in_the_data_that_are_not_finite_are_named():
    x = data()
    x[3, 2] = math.nan
    assert "look at the data" in train(build(linear), x=x).stopped


def test_an_error_in_the_loss_comes_through_and_restores_the_modes():
    model = build().eval()

    def breaks(model, value):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        train(model, StopAt(2, breaks))
    assert not any(module.training for module in model.modules())


# How it resumes


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


# Bad input


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6).requires_grad_(False)

    def forward(self, x):
        return self.layer(x)


BAD = {
    "empty data": ({"x": torch.zeros(0, 6)}, "data is empty"),
    "no tensors": ({"x": ()}, "data is empty"),
    "empty validation": ({"validation": torch.zeros(0, 6)}, "validation is empty"),
    "an array": ({"x": np.zeros((9, 6))}, "torch.from_numpy"),
    "different lengths": ({"x": (data(9), data(8))}, r"lengths \[9, 8\]"),
    "a batch larger than the data": ({"batch_size": 100}, "batch_size=100 is more than the 37 samples"),
    "an empty batch": ({"batch_size": 0}, "batch_size=0"),
    "no epoch": ({"num_epochs": 0}, "num_epochs=0"),
    "half an epoch": ({"num_epochs": 0.5}, "num_epochs=0.5"),
    "a negative rate": ({"lr": -1.0}, "lr=-1"),
    "no norm": ({"clip": 0.0}, "clip=0"),
    "an unknown schedule": ({"schedule": "onecycle"}, 'Did you mean "one-cycle"'),
    "a loss per sample": ({"loss": lambda m, x: ((m(x) - x) ** 2).sum(1)}, r"shape \(8,\).*not a scalar"),
    "a loss that is a number": ({"loss": lambda m, x: loss(m, x).item()}, "returned float"),
    "no loss": ({"loss": lambda m, x: None}, "returned NoneType"),
    "terms without a loss": ({"loss": lambda m, x: {"kl": loss(m, x)}}, 'key "loss"'),
    "a loss without a gradient": ({"loss": lambda m, x: loss(m, x).detach()}, "does not depend on the model"),
    "a loss of something else": ({"loss": lambda m, x: (ELSEWHERE * x).sum()}, "not with respect to the parameters"),
    "no parameters": ({"model": nn.Identity()}, "no parameters"),
    "frozen parameters": ({"model": Frozen()}, "frozen"),
    "a function for a model": ({"model": torch.relu}, "torch.nn.Module"),
    "an optimizer of another model": ({"optimizer": torch.optim.Adam(linear().parameters())}, "no parameter of this"),
}
ELSEWHERE = torch.ones(6, requires_grad=True)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_that_says_what_to_do(name, capsys):
    changes, message = BAD[name]
    model = changes.get("model", build())
    changes = {key: value for key, value in changes.items() if key != "model"}
    with pytest.raises(InputError, match=message) as error:
        train(model, progress=True, **changes)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 220


def test_fit_under_no_grad_says_so():
    with torch.no_grad(), pytest.raises(InputError, match="no_grad"):
        train(build())
