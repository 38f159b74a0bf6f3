"""Text as strings: tiny Shakespeare, and the blank verse that stands beside it, and in for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypedDict

from course_utils.data import verse
from course_utils.data.catalogue import GeneratedText, TextSet, choose
from course_utils.data.generated import Generated
from course_utils.data.sources import StandInBanner, announce, obtain

__all__ = ["Parts", "TextData", "cuts", "load_text", "parts", "sizes"]

_VERSE = "blank verse from a small grammar of the course's own, whose true entropy is known"


@dataclass(frozen=True)
class TextData:
    """One text with its splits, which follow each other in the text.

    Attributes:
        name: what it was loaded as, ``"tiny-shakespeare"``.
        title: what people call it.
        source: the kind of its source; never a path.
        is_real: False for the stand-in; generated verse that was asked for is its own real source.
        train: the first 81 % of the characters.
        val: the last 10 % of the first 90 %, to tune on.
        test: the last 10 %.
        train_val: the first 90 %, to refit on.
        alphabet: the distinct characters of the whole text, sorted.
        log_prob: the generator's log-probability of the whole text, in nats; None for a text that nothing generated.
        entropy: the true entropy of the generator in nats per character, in closed form; None likewise.
        test_log_prob: the generator's log-probability of ``test``, given what comes before it, in nats; None likewise,
            and for the stand-in, whose test part begins in the middle of a speech.
    """

    name: str
    title: str
    source: str
    is_real: bool
    train: str = field(repr=False)
    val: str = field(repr=False)
    test: str = field(repr=False)
    train_val: str = field(repr=False)
    alphabet: str = field(repr=False)
    log_prob: float | None = None
    entropy: float | None = None
    test_log_prob: float | None = None

    @property
    def test_log_prob_per_character(self) -> float | None:
        """``test_log_prob`` over the length of ``test``: no model can expect to do better. None where that is None."""
        return None if self.test_log_prob is None else self.test_log_prob / len(self.test)


def load_text(name: str) -> TextData:
    """Load a text and print one line that says where it comes from.

    The sources of tiny Shakespeare are those of :func:`course_utils.data.load_images`; its stand-in is about 500,000
    characters of blank verse, the same each time, see :mod:`course_utils.data.verse`.

    ``"verse"`` is the same blank verse as a set of its own: real data, since the generator is the truth. Its validation
    and test parts begin where the next speech does, so that their true log-probability is known.

    Args:
        name: ``"tiny-shakespeare"`` or ``"verse"``.

    Raises:
        InputError: if there is no text of that name, or ``COURSE_DATA`` names no folder.
        DataError: if the file in the user's own folder is damaged.
    """
    data = choose(name, "is no text", TextSet, GeneratedText)
    play, banner = None, None
    if isinstance(data, GeneratedText):
        play = data.write()
        source, text = Generated(data.title).source, play.text
    elif isinstance(data, TextSet) and (copy := obtain(data)):
        source, text = copy.source, "".join(copy.contents[file.name].decode() for file in data.files)
    else:
        play, banner = verse.write(), StandInBanner(data.title, _VERSE)
        source, text = f"generated blank verse, built-in stand-in for {data.title}", play.text

    # cut where the shares say or, in a generated set, at the next speech
    middle, end = cuts(text)
    test_log_prob = None
    if play and not banner:
        middle, end = (next(start for start in play.starts if start >= cut) for cut in (middle, end))
        test_log_prob = math.fsum(p for p, start in zip(play.log_probs, play.starts, strict=True) if start >= end)
    loaded = TextData(
        name=data.name,
        title=data.title,
        source=source,
        is_real=banner is None,
        **parts(text, middle, end),
        log_prob=play.log_prob if play else None,
        entropy=play.entropy if play else None,
        test_log_prob=test_log_prob,
    )
    announce(source, sizes(loaded), banner)
    return loaded


def cuts(text: str) -> tuple[int, int]:
    """Where the training and the validation part of a text end: after 81 % and after 90 % of its characters."""
    end = len(text) * 9 // 10
    return end * 9 // 10, end


class Parts(TypedDict):
    """The splits of a text and its alphabet, by their names in :class:`TextData`."""

    train: str
    val: str
    test: str
    train_val: str
    alphabet: str


def parts(text: str, middle: int, end: int) -> Parts:
    """Cut a text at two places."""
    return {
        "train": text[:middle],
        "val": text[middle:end],
        "test": text[end:],
        "train_val": text[:end],
        "alphabet": "".join(sorted(set(text))),
    }


def sizes(data: TextData) -> str:
    """How long the splits are, and how many distinct characters there are, in words."""
    splits = f"{len(data.train):,} training, {len(data.val):,} validation, {len(data.test):,} test characters"
    return f"{splits}, {len(data.alphabet)} distinct"
