"""Characters as numbers: a text becomes tokens, and tokens become a text again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["Vocabulary", "code_points"]

_MOST = 5  # characters that a message names
_SHOWN = 100  # characters of a vocabulary that are printed
_UTF_32 = "utf-32-le"  # four bytes a character, so that a text is an array of code points
_NAMES = {" ": "a space", "\n": "a line end", "\r": "a carriage return", "\t": "a tab"}

_PLAIN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("“”„‟«»″", ('"', "'")),
    **dict.fromkeys("‘’‚‛‹›′`´", ("'",)),
    **dict.fromkeys("‐‑‒–—―−", ("-",)),
    **{'"': ("'",), "…": ("...",), "\t": (" ",), "\r": ("\n",), "\u2028": ("\n",), "\u2029": ("\n",)},
    **{"ß": ("ss",), "æ": ("ae",), "œ": ("oe",), "ø": ("o",), "ł": ("l",), "Æ": ("AE",), "Œ": ("OE",)},
}
"""What people type in the place of a character; the first that a vocabulary holds is suggested."""


class Vocabulary:
    """The characters that a model knows; a character's token is its place among them, from 0 to V − 1.

    It never changes. Among what :func:`course_utils.training.run` trains it is kept inside the checkpoint, and a run
    that goes on with other characters is refused. Name it before the model there: then nothing has been changed when
    that happens. (If the *number* of characters differs, the shapes of the model differ too, and the checkpoint says
    so before the vocabularies are compared. :func:`course_utils.training.saved_state` reads the vocabulary alone.)

    Args:
        characters: those that are known, in any order; one that is named twice counts once.

    Attributes:
        characters: the V characters, sorted by code point, each once.

    Raises:
        InputError: if there is no character.
    """

    def __init__(self, characters: str) -> None:
        if not isinstance(characters, str):
            raise InputError(f"A vocabulary is made from a str, and this is of type {type(characters).__name__}.")
        if not characters:
            raise InputError("A vocabulary needs at least one character, and the text is empty.")
        self.characters = "".join(sorted(set(characters)))
        self._codes = code_points(self.characters)
        self._tokens = np.full(int(self._codes[-1]) + 2, -1, dtype=np.int64)  # the last place: all beyond
        self._tokens[self._codes] = np.arange(len(self._codes))

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The vocabulary of the distinct characters of ``text``, one character or more."""
        return cls(text)

    def encode(self, text: str) -> Tensor:
        """The tokens of a text, ``torch.long`` of shape (T,), on the CPU; an empty text has none.

        Raises:
            InputError: if a character is not known; it names up to five of them and says what to write instead.
        """
        if not isinstance(text, str):
            raise InputError(f"encode takes a str, and this is of type {type(text).__name__}.")
        codes = code_points(text)
        tokens = self._tokens[np.minimum(codes, len(self._tokens) - 1)]
        if (tokens < 0).any():
            raise InputError(self._unknown(dict.fromkeys(text[i] for i in np.flatnonzero(tokens < 0))))
        return torch.from_numpy(tokens)

    def decode(self, tokens: Tensor | Sequence[int]) -> str:
        """The text of tokens.

        Args:
            tokens: whole numbers from 0 to V − 1, shape (T,), on any device; no token gives an empty text.

        Raises:
            InputError: if they are not whole numbers, not of shape (T,), or outside of 0 … V − 1.
        """
        values = tokens.detach().cpu().numpy() if isinstance(tokens, Tensor) else np.asarray(tokens)
        if values.ndim != 1:
            raise InputError(f"The tokens have the shape {values.shape}; give those of one text, (T,).")
        if not values.size:
            return ""
        if values.dtype.kind not in "iu":
            raise InputError(f"The tokens are of type {values.dtype}; give whole numbers, as encode returns them.")
        outside = np.flatnonzero((values < 0) | (values >= len(self)))
        if outside.size:
            first = int(outside[0])
            raise InputError(f"Token {first} is {values[first]}; this vocabulary has the tokens 0 to {len(self) - 1}.")
        return self._codes[values].tobytes().decode(_UTF_32, "surrogatepass")

    def state_dict(self) -> dict[str, Any]:
        """The state, as a checkpoint keeps it: ``{"characters": …}``."""
        return {"characters": self.characters}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Compare with a state that was kept; nothing is taken over, since equal vocabularies have equal states.

        Raises:
            InputError: if the state is that of another vocabulary; it names the characters that differ.
        """
        kept = state_dict.get("characters")
        if not isinstance(kept, str):
            raise InputError("The state that was kept is not that of a vocabulary: it holds no characters.")
        if kept == self.characters:
            return
        there, here = set(kept) - set(self.characters), set(self.characters) - set(kept)
        sides = {"only there": sorted(there), "only here": sorted(here)}
        told = "; ".join(f"{side}: {_listed(map(_shown, found))}" for side, found in sides.items() if found)
        raise InputError(
            f"The vocabulary that was kept has {len(kept)} characters, and this one has {len(self)}"
            f" ({told or 'the order differs'})."
            " Take the text it was made from, or Vocabulary(…) of its characters, or another checkpoint."
        )

    def __len__(self) -> int:
        return len(self.characters)

    def __contains__(self, character: object) -> bool:
        return isinstance(character, str) and len(character) == 1 and character in self.characters

    def __eq__(self, other: object) -> bool:
        return self.characters == other.characters if isinstance(other, Vocabulary) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.characters)

    def __repr__(self) -> str:
        shown = self.characters[:_SHOWN]
        rest = f", and {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        return f"Vocabulary({shown!r}{rest})"

    def _unknown(self, characters: Iterable[str]) -> str:
        """A message about characters that are not known, in the order given."""
        found = list(characters)
        hints = {character: self._instead(character) for character in found[:_MOST]}
        told = [f"{_shown(one)} (write {_shown(hint)})" if hint else _shown(one) for one, hint in hints.items()]
        who, them = ("This character is", "it") if len(found) == 1 else (f"These {len(found)} characters are", "them")
        advice = ""
        if len(found) > len(hints) or not all(hints.values()):
            others = "the others" if any(hints.values()) else them
            advice = f" Leave {others} out, or train on a text that holds {them}."
        return f"{who} not among the {len(self)} of the vocabulary: {_listed(told, len(found))}.{advice}"

    def _instead(self, character: str) -> str:
        """What to write for a character that is not known: known characters, or nothing."""
        if character.isnumeric():
            return ""  # another number would say something else
        for spelling in (character, character.swapcase()):
            letters = "".join(c for c in unicodedata.normalize("NFKD", spelling) if not unicodedata.combining(c))
            for known in (spelling, *_PLAIN.get(spelling, ()), letters, letters.swapcase()):
                if known and set(known) <= set(self.characters):
                    return known
        return ""


def code_points(text: str) -> np.ndarray:
    """The code point of each character of a text, uint32 of shape (T,)."""
    return np.frombuffer(text.encode(_UTF_32, "surrogatepass"), dtype="<u4")


def _shown(text: str) -> str:
    """Characters in quotation marks; one that cannot be seen goes by its number and its name."""
    if text in _NAMES:
        return _NAMES[text]
    if len(text) > 1 or (text.isprintable() and not unicodedata.combining(text)):
        return f"'{text}'" if '"' in text else f'"{text}"'
    name = unicodedata.name(text, "").lower()
    return f"U+{ord(text):04X}" + (f" ({name})" if name else "")


def _listed(names: Iterable[str], count: int = 0) -> str:
    """Up to five names, and how many more there are."""
    found = list(names)
    rest = max(count, len(found)) - len(found[:_MOST])
    return ", ".join(found[:_MOST]) + (f" and {rest} more" if rest else "")
