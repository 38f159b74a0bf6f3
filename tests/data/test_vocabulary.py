"""Characters and tokens: there and back, unknown characters with advice, and a place inside a checkpoint."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.data import Vocabulary
from course_utils.errors import InputError
from course_utils.metrics import interleaved_seconds
from course_utils.training import run, saved_state

LETTERS = "\n ',-.abcdeEnost"


def test_characters_are_sorted_and_distinct() -> None:
    vocabulary = Vocabulary.of("to be\nor not")
    assert vocabulary.characters == "\n benort"
    assert len(vocabulary) == 8
    assert vocabulary == Vocabulary("tronebb \n")
    assert hash(vocabulary) == hash(Vocabulary("tronebb \n"))
    assert vocabulary != Vocabulary("to be")
    assert vocabulary != "\n benort"
    assert "b" in vocabulary
    assert "x" not in vocabulary
    assert "be" not in vocabulary  # the two stand side by side in ``characters``
    assert "" not in vocabulary
    assert eval(repr(vocabulary)) == vocabulary
    assert repr(Vocabulary("".join(map(chr, range(48, 300))))).endswith("', and 152 more)")


def test_tokens_are_places_among_the_sorted_characters() -> None:
    tokens = Vocabulary("cab").encode("abcba")
    assert tokens.dtype == torch.long
    assert tokens.tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("text", ["", "a", "naïve café\n", "日本 😀 \U0010ffff", "lone \ud800 surrogate", "a\0b"])
def test_there_and_back(text: str) -> None:
    vocabulary = Vocabulary.of(text + "z")
    tokens = vocabulary.encode(text)
    assert tokens.shape == (len(text),)
    assert vocabulary.decode(tokens) == text
    assert vocabulary.decode(tokens.tolist()) == text
    assert vocabulary.decode(tokens.to(torch.int32)) == text
    assert [vocabulary.characters[token] for token in tokens] == list(text)


def test_a_million_characters_are_quick() -> None:
    text = "".join(np.random.default_rng(0).choice(list("abcdefgé"), 1_000_000))
    vocabulary = Vocabulary.of(text)
    ways = {
        "table": lambda: vocabulary.decode(vocabulary.encode(text)),
        "loop": lambda: "".join(vocabulary.characters[ord(character) % 8] for character in text),
    }
    seconds = {name: min(times) for name, times in interleaved_seconds(ways, repeats=3).items()}
    assert seconds["table"] < seconds["loop"] / 2
    tokens = vocabulary.encode(text)
    assert vocabulary.decode(tokens) == text
    assert torch.equal(tokens[:100], torch.tensor([vocabulary.characters.index(c) for c in text[:100]]))


@pytest.mark.parametrize(
    ("unknown", "advice"),
    [
        ("é", '"é" (write "e")'),
        ("É", '"É" (write "E")'),
        ("Ñ", '"Ñ" (write "n")'),
        ("A", '"A" (write "a")'),
        ("“", '"“" (write "\'")'),
        ("’", '"’" (write "\'")'),
        ("—", '"—" (write "-")'),
        ("…", '"…" (write "...")'),
        ("œ", '"œ" (write "oe")'),
        ("\t", "a tab (write a space)"),
        ("\u00a0", "U+00A0 (no-break space) (write a space)"),
        ("\u2028", "U+2028 (line separator) (write a line end)"),
    ],
)
def test_advice_for_an_unknown_character(unknown: str, advice: str) -> None:
    with pytest.raises(InputError) as error:
        Vocabulary(LETTERS).encode(f"to {unknown} {unknown}")
    assert str(error.value) == f"This character is not among the 16 of the vocabulary: {advice}."


def test_a_plain_quotation_mark_is_suggested_where_it_is_known() -> None:
    with pytest.raises(InputError, match=r"“.*write '\"'"):
        Vocabulary("ab\"'").encode("“a")


@pytest.mark.parametrize("unknown", ["7", "²", "x", "日", "\u0301"])
def test_no_advice_where_there_is_none(unknown: str) -> None:
    with pytest.raises(InputError, match=r"Leave it out, or train on a text that holds it\.$") as error:
        Vocabulary(LETTERS + "2").encode(f"to{unknown}")
    assert "write" not in str(error.value)


def test_many_unknown_characters_are_counted() -> None:
    with pytest.raises(InputError) as error:
        Vocabulary(LETTERS).encode("é 7 w x y z w é")
    assert str(error.value) == (
        'These 6 characters are not among the 16 of the vocabulary: "é" (write "e"), "7", "w", "x", "y" and 1 more.'
        " Leave the others out, or train on a text that holds them."
    )
    with pytest.raises(InputError, match=r'"7", "8"\. Leave them out'):
        Vocabulary(LETTERS).encode("78")


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([0, 3], "Token 1 is 3; this vocabulary has the tokens 0 to 2"),
        ([-1], "Token 0 is -1"),
        ([0.5], "type float64"),
        ([True], "type bool"),
        (torch.zeros(3), "type float32"),
        (torch.zeros(2, 3, dtype=torch.long), r"shape \(2, 3\)"),
        (torch.tensor(1), r"shape \(\)"),
    ],
)
def test_tokens_that_are_none(tokens: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Vocabulary("abc").decode(tokens)  # type: ignore[arg-type]


def test_what_no_vocabulary_can_be_made_of() -> None:
    with pytest.raises(InputError, match="at least one character"):
        Vocabulary.of("")
    with pytest.raises(InputError, match="type list"):
        Vocabulary(["a"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="type bytes"):
        Vocabulary("a").encode(b"a")  # type: ignore[arg-type]


def test_a_state_of_another_vocabulary_is_refused_with_the_characters_that_differ() -> None:
    vocabulary = Vocabulary("abc")
    vocabulary.load_state_dict(copy.deepcopy(Vocabulary("cba").state_dict()))
    with pytest.raises(
        InputError, match=r'has 4 characters, and this one has 3 \(only there: "z", "é"; only here: "c"\)'
    ):
        vocabulary.load_state_dict(Vocabulary("abéz").state_dict())
    with pytest.raises(InputError, match=r'\(only here: "b", "c"\)'):
        vocabulary.load_state_dict(Vocabulary("a").state_dict())
    with pytest.raises(InputError, match="the order differs"):
        vocabulary.load_state_dict({"characters": "cab"})
    with pytest.raises(InputError, match="no characters"):
        vocabulary.load_state_dict({"weight": torch.zeros(3)})
    assert vocabulary == Vocabulary("abc")


class Bigram:
    """A softmax bigram on a text, with its vocabulary inside the checkpoint; it may be interrupted."""

    def __init__(self, text: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.vocabulary = Vocabulary.of(text)
        self.tokens = self.vocabulary.encode(text)
        self.model = nn.Embedding(len(self.vocabulary), len(self.vocabulary))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.1)
        self.steps = 0

    def train(self, checkpoint: object, stop_at: int = -1) -> list[float]:
        def step(now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
            self.steps += 1
            if self.steps == stop_at:
                raise KeyboardInterrupt
            loss = nn.functional.cross_entropy(self.model(now), following)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            return loss

        parts = {"vocabulary": self.vocabulary, "model": self.model, "optimizer": self.optimizer}
        pairs = (self.tokens[:-1], self.tokens[1:])
        history = run(step, pairs, parts, num_epochs=3, batch_size=8, seed=3, progress=False, checkpoint=checkpoint)
        return history.batch_losses


def test_an_interrupted_run_goes_on_with_its_vocabulary(tmp_path) -> None:
    text = "to be, or not to be: that is the question — 😀"
    path = tmp_path / "bigram.safetensors"
    whole = Bigram(text)
    losses = whole.train(None)
    Bigram(text).train(path, stop_at=9)  # in the second epoch
    resumed = Bigram(text, seed=9)
    assert resumed.train(path) == losses
    assert torch.equal(resumed.model.weight, whole.model.weight)

    # and without the text: the checkpoint alone
    assert Vocabulary(saved_state(path, "vocabulary")["characters"]) == whole.vocabulary
    assert torch.equal(saved_state(path, "model")["weight"], whole.model.weight)


def test_a_run_does_not_go_on_with_another_vocabulary(tmp_path) -> None:
    path = tmp_path / "bigram.safetensors"
    Bigram("abcdefgh" * 4).train(path, stop_at=6)
    before = path.read_bytes()
    other = Bigram("abcdefgz" * 4, seed=9)
    weight = other.model.weight.detach().clone()
    with pytest.raises(InputError, match='only there: "h"; only here: "z"'):
        other.train(path)
    assert torch.equal(other.model.weight, weight)
    assert path.read_bytes() == before

    # of another size, the model does not fit either; the vocabulary can be asked alone, and names the characters
    larger = Bigram("abcdefgxyz" * 4, seed=9)
    with pytest.raises(InputError, match=r"another model: weight is \(8, 8\) there and \(10, 10\) here"):
        larger.train(path)
    with pytest.raises(InputError, match='only there: "h"; only here: "x", "y", "z"'):
        larger.vocabulary.load_state_dict(saved_state(path, "vocabulary"))
