"""Steps of one's own on the loop: two players, a stream with a carried state; stopped, resumed, diverged."""

from __future__ import annotations

import math
import signal

import pytest
import torch
from torch import nn

from course_utils.errors import InputError
from course_utils.training import Diverged, run

pytestmark = pytest.mark.usefixtures("one_thread")


class Players:
    """A generator and a discriminator with an optimiser each, and the step that trains both."""

    def __init__(self, interrupt_at: int = -1) -> None:
        torch.manual_seed(1)
        self.generator, self.discriminator = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        self.optimizers = [torch.optim.Adam(net.parameters(), 1e-2, fused=True) for net in self.networks]
        self.interrupt_at = interrupt_at
        self.numbers: list[int] = []

    @property
    def networks(self) -> tuple[nn.Module, nn.Module]:
        return self.generator, self.discriminator

    @property
    def trained(self) -> dict:
        names = ("generator", "discriminator", "its optimizer", "the other's optimizer")
        return dict(zip(names, [*self.networks, *self.optimizers], strict=True))

    def step(self, x: torch.Tensor, *, number: int) -> dict[str, torch.Tensor]:
        self.numbers.append(number)
        fake = self.generator(torch.randn(len(x), 2))
        real_logits, fake_logits = self.discriminator(x), self.discriminator(fake.detach())
        loss_d = nn.functional.softplus(-real_logits).mean() + nn.functional.softplus(fake_logits).mean()
        self.update(self.optimizers[1], loss_d)
        loss_g = nn.functional.softplus(-self.discriminator(fake)).mean()
        self.update(self.optimizers[0], loss_g)
        if number == self.interrupt_at:
            signal.raise_signal(signal.SIGINT)
        return {"discriminator": loss_d, "generator": loss_g}

    @staticmethod
    def update(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


class Reader:
    """A recurrent network that carries its state from window to window of one long text."""

    def __init__(self) -> None:
        torch.manual_seed(2)
        self.cell, self.head = nn.GRU(1, 5, batch_first=True), nn.Linear(5, 1)
        self.optimizer = torch.optim.Adam([*self.cell.parameters(), *self.head.parameters()], 1e-2)
        self.state: torch.Tensor | None = None
        self.carried: list[bool] = []

    def step(self, first: bool, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.state = None if first else self.state
        self.carried.append(self.state is not None)
        h, state = self.cell(x, self.state)
        self.state = state.detach()
        loss = (self.head(h) - y).square().sum((1, 2)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss


class Stream:
    """Windows of a sequence in their order, again for each epoch; its length is not known."""

    def __init__(self) -> None:
        self.text = torch.sin(torch.arange(41) / 3)[None, :, None]

    def __iter__(self):
        for start in range(0, 40, 8):
            window = self.text[:, start : start + 9]
            yield start == 0, window[:, :-1], window[:, 1:]


def points(n: int = 20) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(3))


def curves(history) -> dict:
    return {name: values.tolist() for name, values in history.as_arrays().items() if name != "seconds"}


def same(one, other) -> bool:
    return all(
        torch.equal(a, b)
        for left, right in zip(one.networks, other.networks, strict=True)
        for a, b in zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    )


def play(players: Players, epochs: int = 3, **options):
    return run(players.step, points(), players.trained, num_epochs=epochs, batch_size=8, seed=4, **options)


def test_two_players_are_trained_by_one_step_that_is_told_its_number():
    players = Players()
    history = play(players)
    assert players.numbers == list(range(9))
    assert history.epochs == [1, 2, 3]
    assert set(history.train_terms) == {"discriminator", "generator"}
    assert history.train == history.train_terms["discriminator"]
    assert history.lrs == [1e-2] * 3
    assert all(network.training for network in players.networks)


@pytest.mark.parametrize("stop", [0, 4, 8])
@pytest.mark.usefixtures("interrupt")
def test_two_players_go_on_bit_for_bit(tmp_path, capsys, stop):
    whole, path = Players(), tmp_path / "players.safetensors"
    expected = play(whole)
    cut = play(Players(interrupt_at=stop), checkpoint=path)
    assert cut.stopped.startswith(f"interrupted in epoch {stop // 3 + 1}")
    again = Players()
    if stop >= 3:
        again.generator.weight.data.zero_()  # what the file holds takes its place
    torch.manual_seed(99)
    history = play(again, checkpoint=path)
    assert curves(history) == curves(expected)
    assert same(again, whole)
    assert ("Going on from players.safetensors" in capsys.readouterr().out) == (stop >= 3)


def test_a_stream_keeps_its_order_and_its_state_and_goes_on(tmp_path):
    def read(reader: Reader, epochs: int, **options):
        trained = {"cell": reader.cell, "head": reader.head, "optimizer": reader.optimizer}
        return run(reader.step, Stream(), trained, num_epochs=epochs, **options)

    whole = Reader()
    expected = read(whole, 4)
    assert whole.carried == [False, True, True, True, True] * 4
    assert expected.train[-1] < 0.9 * expected.train[0]
    path = tmp_path / "reader.safetensors"
    read(Reader(), 2, checkpoint=path)
    again = Reader()
    assert curves(read(again, 4, checkpoint=path)) == curves(expected)
    assert torch.equal(again.head.weight, whole.head.weight)


def test_validation_and_metrics_change_nothing_and_are_measured_alike():
    plain, watched = Players(), Players()
    history = play(plain)
    seen = []

    def noise() -> float:
        seen.append((watched.generator.training, torch.is_grad_enabled()))
        return float(torch.rand(()))

    watched_history = play(watched, validate=lambda: {"loss": noise()}, metrics={"noise": noise})
    assert same(plain, watched)
    assert watched_history.train_terms == history.train_terms
    assert len(set(watched_history.val + watched_history.metrics["noise"])) == 1
    assert seen == [(False, False)] * 6


@pytest.mark.parametrize("kind", ["returned", "raised"])
def test_what_is_not_finite_stops_it_and_keeps_what_was(kind, capsys):
    network = nn.Linear(2, 1)

    def step(x, number):
        if number < 4:
            return 1.0
        if kind == "raised":
            raise Diverged("the slope is 1e9; the step was not applied")
        return {"generator": 1.0, "slope": math.inf}

    history = run(step, points(), {"network": network}, num_epochs=3, batch_size=8)
    assert history.stopped.startswith("diverged in epoch 2, at step 5, ")
    assert ("was not applied" if kind == "raised" else "slope is inf; the step was applied") in history.stopped
    assert len(history.batch_losses) == 4
    assert history.epochs == [1]
    assert "diverged" in capsys.readouterr().out


def test_a_term_beside_the_loss_may_be_infinite():
    history = run(lambda x: {"loss": 1.0, "kl": math.inf}, points(), {"n": nn.Linear(2, 1)}, num_epochs=2, batch_size=8)
    assert history.stopped is None
    assert history.train == [1.0, 1.0]


def test_names_are_asked_for():
    with pytest.raises(InputError, match="of type Linear; give names"):
        run(lambda x: 1.0, points(), nn.Linear(2, 1), num_epochs=1)


def test_nan_in_validation_alone_is_said_once(capsys):
    network = nn.Linear(2, 1)
    history = run(
        lambda x: 1.0, points(), {"n": network}, num_epochs=3, validate=lambda: {"loss": math.nan}, batch_size=20
    )
    assert history.stopped is None
    assert capsys.readouterr().out.count("In validation after epoch 1, loss is nan; training goes on.") == 1


@pytest.mark.parametrize(
    ("data", "step", "message"),
    [
        ((x for x in [points()]), lambda x: 1.0, "used up after one"),
        (7, lambda x: 1.0, "of type int"),
        ([], lambda x: 1.0, "empty"),
        ([(points(), 1)][:0] or {}.keys(), lambda x: 1.0, "no batch"),
        (points(), lambda x: None, "step returned NoneType"),
        (points(), lambda x: {}, "step returned dict"),
        (points(), lambda x: {"loss": "low"}, "step returned dict"),
    ],
)
def test_what_cannot_work_is_one_line(data, step, message):
    with pytest.raises(InputError, match=message) as error:
        run(step, data, {"network": nn.Linear(2, 1)}, num_epochs=1, batch_size=8)
    assert "\n" not in str(error.value)


def test_a_checkpoint_of_other_players_is_refused_and_changes_nothing(tmp_path):
    path = tmp_path / "players.safetensors"
    play(Players(), checkpoint=path)
    other = Players()
    other.discriminator = nn.Linear(2, 1)
    before = other.generator.weight.clone()
    with pytest.raises(InputError, match="of another model: discriminator/weight is missing there"):
        play(other, checkpoint=path)
    assert torch.equal(other.generator.weight, before)
