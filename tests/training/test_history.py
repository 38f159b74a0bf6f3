"""What a training leaves behind: means, points, curves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from small_trainings import build, data, terms, train

from course_utils.errors import InputError
from course_utils.training.history import History, Means

pytestmark = pytest.mark.usefixtures("one_thread")


def test_means_by_hand():
    means = Means()
    means.add({"a": 1.0}, 3)
    means.add({"a": 5.0}, 1)
    assert means.values() == {"a": 2.0}


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
