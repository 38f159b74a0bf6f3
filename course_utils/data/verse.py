"""Blank verse from a small grammar and lexicon of our own: text whose true entropy is known.

It stands beside tiny Shakespeare, and in for it where that cannot be had. Speeches under the speaker's name, in
lines of five iambs (ten syllables): ``np1`` is a noun phrase of one foot ("the KING"), ``np2`` of two ("the GEN-tle
QUEEN"), ``nph`` ends in half a foot ("the SOL-dier"); a digit in a class of words is its number of syllables.

The grammar is unambiguous, so the generator's log-probability is that of the text: every word belongs to one class,
and no two derivations give the same sequence of classes (a test goes through all of them). The speaker is drawn
evenly from all but the one who spoke last.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from course_utils.data.grammar import Grammar, Rule
from course_utils.errors import InputError

__all__ = ["GRAMMAR", "SPEAKERS", "Verse", "entropy_per_character", "write"]

SPEAKERS = (
    "Aldren",
    "Queen Maerwyn",
    "First Guard",
    "Second Guard",
    "Old Shepherd",
    "Ferryman",
    "Lady Isaude",
    "Brannoc",
    "The Stranger",
    "Orsel",
    "Corvane",
    "Sister Ilde",
)

_PHRASES: dict[str, list[tuple[float, str]]] = {
    "speech": [
        (2, "last"),
        (3, "line last"),
        (3, "line line last"),
        (2, "line line line last"),
        (1, "line line line line last"),
        (1, "line line line line line last"),
    ],
    "line": [(9, "statement pause newline"), (1, "question asked newline")],
    "last": [(4, "statement stop newline"), (1, "question asked newline")],
    "pause": [(5, "comma"), (2, "full"), (1, "semicolon")],
    "stop": [(4, "full"), (1, "bang")],
    "statement": [
        (4, "np2 verb2s np2"),
        (3, "np1 verb2s np1 pp2"),
        (3, "det adj2 noun2 verb1s np2"),
        (3, "nph verb1s np1 pp2"),
        (2, "pp2 nph verb1s np1"),
        (2, "pp2 np1 verb2s np1"),
        (3, "pron verb1 np2 pp2"),
        (1, "call adj2 noun1 comma verb2 np2"),
        (2, "greet title comma np1 verb2s np2"),
        (2, "conj adverb np1 verb2s np2"),
        (2, "pron verb1 np1 comma link_and pron verb2 np1"),
        (2, "np2 modal verb1 np1 pp1"),
        (2, "pron modal verb2 np1 pp2"),
    ],
    "question": [
        (2, "link_and ask_who verb2s np2 pp1"),
        (2, "ask_why auxiliary np2 verb2 np1"),
        (3, "modal pron verb2 np2 pp1"),
    ],
    "np1": [(1, "det noun1")],
    "np2": [(3, "det adj2 noun1"), (1, "det noun1 link_of mass")],
    "nph": [(1, "det noun2")],
    "pp1": [(1, "prep1 mass")],
    "pp2": [(1, "prep2 np1")],
}

_WORDS = {
    "det": "the my your this his her our that each no",
    "noun1": "king heart crown queen sword hand sea stone moon star storm child wind ghost sun rose blood oath voice "
    "ship tongue foe hill thief road door flame throne song bell tale guard bone thorn shore field snow tomb",
    "noun2": "shadow river soldier garden mother brother winter father daughter master castle raven stranger shepherd "
    "mountain morning sister servant kingdom tower forest mirror candle dagger window harbour thunder widow "
    "merchant banner beggar serpent summer pilgrim",
    "adj2": "gentle weary silent golden bitter noble hollow faithful ancient broken tender wicked crimson restless "
    "humble frozen sacred lonely hidden crooked gracious sullen distant mighty jealous careless merry lowly",
    "verb1": "see keep fear love seek break hear find hold know leave hate mourn serve wake hide scorn strike haunt "
    "warm",
    "verb1s": "keeps sees holds breaks fears loves hides finds hears seeks leaves knows wakes mourns hates serves "
    "scorns strikes haunts warms",
    "verb2": "forget defend betray forgive behold command await deny pursue reveal adore redeem destroy obey conceal "
    "desire protect lament condemn deceive",
    "verb2s": "defends forgets beholds betrays commands forgives awaits pursues denies conceals reveals desires "
    "destroys adores redeems obeys protects deceives condemns laments",
    "pron": "I you we they",
    "modal": "shall must will may",
    "link_of": "of",
    "mass": "grief hope night war faith shame death peace pride sleep rage pain joy",
    "prep1": "in through for past",
    "prep2": "beneath upon beyond before within above against behind below",
    "greet": "good sweet dear kind fair",
    "title": "sir friend prince nurse maid",
    "conj": "but though since",
    "adverb": "now still once then here soon",
    "link_and": "and",
    "ask_who": "who",
    "ask_why": "why how when where",
    "auxiliary": "doth did",
    "call": "O",
    "comma": ",",
    "full": ".",
    "semicolon": ";",
    "bang": "!",
    "asked": "?",
}


def _rules() -> dict[str, list[Rule]]:
    """The phrases, and the words of each class with weights 1 / (rank + 1): uneven, as word counts are."""
    rules: dict[str, list[Rule]] = {
        symbol: [(weight, tuple(parts.split())) for weight, parts in choices] for symbol, choices in _PHRASES.items()
    }
    for symbol, words in _WORDS.items():
        rules[symbol] = [(1 / (rank + 1), (word,)) for rank, word in enumerate(words.split(), start=1)]
    rules["newline"] = [(1, ("\n",))]
    return rules


GRAMMAR = Grammar(_rules())


@dataclass(frozen=True)
class Verse:
    """A play as one string.

    Attributes:
        text: speeches, each a heading ("Aldren:"), its lines and an empty line.
        log_prob: the generator's log-probability of all its speeches, in nats.
        starts: where each speech begins in ``text``.
        log_probs: the log-probability of each speech, given who spoke before, in nats.
    """

    text: str
    log_prob: float
    starts: tuple[int, ...]
    log_probs: tuple[float, ...]

    @property
    def entropy(self) -> float:
        """The true entropy of what it was drawn from, in nats per character."""
        return entropy_per_character()


def write(num_characters: int = 500_000, *, seed: int = 0) -> Verse:
    """Write whole speeches until there are at least ``num_characters`` characters.

    Args:
        num_characters: how many are wanted, 1 or more.
        seed: the same seed gives the same text, on every machine.

    Raises:
        InputError: if ``num_characters`` is less than 1.
    """
    if num_characters < 1:
        raise InputError(f"num_characters is {num_characters}; write at least 1.")
    chance = random.Random(seed)
    pieces: list[str] = []
    starts: list[int] = []
    log_probs: list[float] = []
    length, last = 0, ""
    while length < num_characters:
        others = [name for name in SPEAKERS if name != last]
        last = others[int(chance.random() * len(others))]
        words, log_prob = GRAMMAR.draw("speech", chance)
        piece = f"{last}:\n{_set_in_type(words)}\n"
        pieces.append(piece)
        starts.append(length)
        log_probs.append(log_prob - math.log(len(others)))
        length += len(piece)
    return Verse("".join(pieces), math.fsum(log_probs), tuple(starts), tuple(log_probs))


def entropy_per_character() -> float:
    """The true entropy of the verse in nats per character, in closed form.

    It is the expected information of a speech over its expected length: no model can have a lower cross-entropy on
    a long text. A speech costs the choice among the other speakers and what the grammar costs; it is as long as its
    words with a space or a line's end after each, its punctuation, its heading and the empty line.
    """
    nats = math.log(len(SPEAKERS) - 1) + GRAMMAR.entropy("speech")
    counts = GRAMMAR.expected_counts("speech")
    words = math.fsum(
        times * (len(part) + part[0].isalpha())
        for part, times in counts.items()
        if part not in GRAMMAR.rules and part != "\n"
    )
    heading = sum(map(len, SPEAKERS)) / len(SPEAKERS) + len(":\n")
    return nats / (heading + words + len("\n"))


def _set_in_type(terminals: list[str]) -> str:
    """Words with spaces between them, punctuation without, a capital at the start of each line."""
    text: list[str] = []
    at_start = True
    for part in terminals:
        if part == "\n" or not part[0].isalpha():
            text.append(part)
            at_start = part == "\n"
        else:
            text.append(part[0].upper() + part[1:] if at_start else f" {part}")
            at_start = False
    return "".join(text)
