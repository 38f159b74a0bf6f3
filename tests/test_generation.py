"""Writing with a model: the probabilities that are drawn from, and the loop that feeds them back."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from course_utils import generation
from course_utils.data import Vocabulary
from course_utils.errors import InputError
from course_utils.generation import next_probs, text_losses, write, write_many

PROBS = torch.tensor([0.1, 0.4, 0.2, 0.3])
LOGITS = PROBS.log()
VOCABULARY = Vocabulary("\nabc")


class Cycle(nn.Module):
    """A model that is certain: after the last token comes the next one. Its state is the number of tokens read."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.read: list[tuple[list[int], int]] = []

    def forward(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        assert not self.training
        assert not torch.is_grad_enabled()
        before = 0 if state is None else state
        self.read.append((tokens[0].tolist(), before))
        certain = nn.functional.one_hot((tokens + 1) % 4, 4) * 1000.0
        return self.dropout(certain), before + tokens.shape[1]


class Fixed(nn.Module):
    """A model that gives the same logits whatever it has read."""

    def forward(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        return LOGITS.expand(*tokens.shape, 4), state


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0.1, 0.4, 0.2, 0.3]),
        ({"temperature": 0}, [0, 1, 0, 0]),
        ({"temperature": 0.5}, [0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3]),
        ({"top_k": 2}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_k": 99}, [0.1, 0.4, 0.2, 0.3]),
        ({"top_p": 0.3}, [0, 1, 0, 0]),
        ({"top_p": 0.45}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_p": 1}, [0.1, 0.4, 0.2, 0.3]),
        ({"min_p": 0}, [0.1, 0.4, 0.2, 0.3]),
        ({"min_p": 0.45}, [0, 4 / 9, 2 / 9, 3 / 9]),
        ({"min_p": 1}, [0, 1, 0, 0]),
        ({"top_k": 3, "top_p": 0.5}, [0, 4 / 7, 0, 3 / 7]),
    ],
)
def test_probabilities_by_hand(how: dict[str, Any], expected: list[float]):
    before = LOGITS.clone()
    torch.testing.assert_close(next_probs(LOGITS, **how), torch.tensor(expected, dtype=torch.float32))
    batch = next_probs(torch.stack([LOGITS, LOGITS.flip(0)]), **how)
    torch.testing.assert_close(batch, torch.tensor([expected, expected[::-1]], dtype=torch.float32))
    assert torch.equal(before, LOGITS)


def test_large_logits_and_ties_give_probabilities():
    for how in ({}, {"temperature": 0.01}, {"top_k": 1}, {"top_p": 0.5}, {"min_p": 0.5}, {"temperature": 0}):
        for logits in (torch.tensor([5000.0, -5000.0, 0.0]), torch.zeros(3)):
            probs = next_probs(logits, **how)
            assert probs.isfinite().all()
            assert probs.sum().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"temperature": -1}, "temperature=-1; give 0"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_k": 0}, "top_k=0 leaves no character"),
        ({"top_p": 0}, "top_p=0"),
        ({"top_p": 1.5}, r"top_p=1\.5"),
        ({"min_p": 2}, "min_p=2"),
    ],
)
def test_a_setting_out_of_range_is_refused_at_once(how: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        next_probs(LOGITS, **how)
    with pytest.raises(InputError, match=message):
        write(Fixed(), VOCABULARY, "a", 3, **how)  # nothing was drawn yet


def test_the_written_character_is_the_next_input():
    model = Cycle().train()
    assert "".join(write(model, VOCABULARY, "ab", 5)) == "c\nabc"
    assert model.read[:3] == [([1, 2], 0), ([3], 2), ([0], 3)]
    assert model.training
    assert model.dropout.training


def test_an_empty_prompt_is_the_beginning_of_a_line():
    assert "".join(write(Cycle(), VOCABULARY, "", 3)) == "abc"
    assert "".join(write(Cycle(), Vocabulary("abcd"), "", 2)) == "bc"


def test_an_unknown_character_is_named():
    with pytest.raises(InputError, match="é"):
        write(Cycle(), VOCABULARY, "abé", 3)


def test_lengths():
    assert list(write(Cycle(), VOCABULARY, "a", 0)) == []
    assert write_many(Cycle(), VOCABULARY, 2, 0) == ["", ""]
    with pytest.raises(InputError, match="length=-1"):
        write(Cycle(), VOCABULARY, "a", -1)
    with pytest.raises(InputError, match="num_samples=0"):
        write_many(Cycle(), VOCABULARY, 0, 5)


def test_the_same_seed_writes_the_same_and_leaves_other_draws_alone():
    torch.manual_seed(0)
    wanted = torch.rand(2)
    torch.manual_seed(0)
    one, same, other = ("".join(write(Fixed(), VOCABULARY, "a", 50, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(2), wanted)
    assert one == same != other
    texts = write_many(Fixed(), VOCABULARY, 3, 40, seed=1)
    assert texts == write_many(Fixed(), VOCABULARY, 3, 40, seed=1)
    assert len(set(texts)) == 3
    assert {len(text) for text in texts} == {40}


def test_characters_come_as_often_as_they_should():
    text = "".join(write_many(Fixed(), VOCABULARY, 100, 100, seed=0))
    for character, p in zip(VOCABULARY.characters, PROBS.tolist(), strict=True):
        assert text.count(character) / 10_000 == pytest.approx(p, abs=5 * (p * (1 - p) / 10_000) ** 0.5)


def test_a_text_can_be_left_before_its_end():
    model = Cycle()
    assert list(islice(write(model, VOCABULARY, "a", 1_000), 2)) == ["b", "c"]
    assert len(model.read) == 2


class Summing(nn.Module):
    """A model whose logits depend on the sum of everything that it has read."""

    def forward(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        assert not self.training
        before = torch.zeros(len(tokens), dtype=torch.long) if state is None else state
        sums = before[:, None] + tokens.cumsum(1)
        return torch.stack([(sums % number).float() for number in (2, 3, 5, 7)], dim=-1), sums[:, -1]


def summed_loss(read: Tensor, character: Tensor) -> float:
    total = int(read.sum())
    logits = torch.tensor([float(total % number) for number in (2, 3, 5, 7)])
    return float(-logits.log_softmax(0)[character])


@pytest.mark.parametrize("at_a_time", [3, 500])
@pytest.mark.parametrize("num_streams", [1, 2, 3])
def test_the_losses_of_a_text_come_in_its_order_with_the_state_carried(
    num_streams: int, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "AT_A_TIME", at_a_time)
    tokens = torch.randint(4, (21,), generator=torch.Generator().manual_seed(0))
    length = 20 // num_streams
    expected = [
        summed_loss(tokens[stream * length : place], tokens[place])
        for stream in range(num_streams)
        for place in range(stream * length + 1, (stream + 1) * length + 1)
    ]
    losses = text_losses(Summing().train(), tokens, num_streams)
    assert losses.dtype == torch.float32
    assert losses.tolist() == pytest.approx(expected, abs=1e-5)


def test_a_model_is_left_in_its_mode_after_its_losses_and_needs_no_gradient() -> None:
    model = Summing().train()
    losses = text_losses(model, torch.tensor([0, 1, 2]))
    assert model.training
    assert not losses.requires_grad


@pytest.mark.parametrize(("tokens", "num_streams"), [(1, 1), (0, 1), (3, 3), (5, 0)])
def test_a_text_too_short_to_have_losses_is_refused(tokens: int, num_streams: int) -> None:
    with pytest.raises(InputError, match=f"{tokens} characters in {num_streams} streams"):
        text_losses(Summing(), torch.zeros(tokens, dtype=torch.long), num_streams)
