"""Text as strings: tiny Shakespeare, and the blank verse that stands in for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_utils.data import verse
from course_utils.data.catalogue import TEXTS
from course_utils.data.sources import announce_stand_in, open_set, remember
from course_utils.errors import InputError, did_you_mean

__all__ = ["TextData", "load_text"]


@dataclass(frozen=True)
class TextData:
    """One text with its splits, which follow each other in the text.

    Attributes:
        name: what it was loaded as, ``"tiny-shakespeare"``.
        title: what people call it.
        source: the kind of its source; never a path.
        is_real: False for the stand-in.
        train: the first 81 % of the characters.
        val: the last 10 % of the first 90 %, to tune on.
        test: the last 10 %.
        train_val: the first 90 %, to refit on.
        alphabet: the distinct characters of the whole text, sorted.
        log_prob: the generator's log-probability of the whole stand-in, in nats; None for a real text.
        entropy: the true entropy of the stand-in's source in nats per character, in closed form; None for a real text.
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


def load_text(name: str) -> TextData:
    """Load a text and print one line that says where it comes from.

    The sources are those of :func:`course_utils.data.load_images`; the stand-in is about 500,000 characters of blank
    verse, the same each time, see :mod:`course_utils.data.verse`.

    Args:
        name: ``"tiny-shakespeare"``.

    Raises:
        InputError: if there is no text of that name, or ``COURSE_DATA`` names no folder.
        DataError: if the file in the user's own folder is damaged.
    """
    if name not in TEXTS:
        raise InputError(f'There is no text called "{name}". {did_you_mean(str(name), TEXTS)}')
    data = TEXTS[name]
    log_prob = entropy = None
    with open_set(data) as found:
        if found is not None:
            source = found.source
            text = "".join(found.files[file.name].read_text(encoding="utf-8") for file in data.files)
        else:
            announce_stand_in(data, "blank verse from a small grammar of the course's own, whose true entropy is known")
            source = f"generated blank verse, built-in stand-in for {data.title}"
            play = verse.write()
            text, log_prob, entropy = play.text, play.log_prob, verse.entropy_per_character()
    train_val, test = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    train, val = train_val[: len(train_val) * 9 // 10], train_val[len(train_val) * 9 // 10 :]
    alphabet = "".join(sorted(set(text)))
    remember(source)
    print(
        f"{source}: {len(train):,} training, {len(val):,} validation, {len(test):,} test characters, "
        f"{len(alphabet)} distinct"
    )
    return TextData(
        name=name,
        title=data.title,
        source=source,
        is_real=found is not None,
        train=train,
        val=val,
        test=test,
        train_val=train_val,
        alphabet=alphabet,
        log_prob=log_prob,
        entropy=entropy,
    )
