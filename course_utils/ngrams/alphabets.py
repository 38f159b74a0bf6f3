"""The characters that a model knows, and an error that names those it does not."""

from __future__ import annotations

from course_utils.errors import InputError

__all__ = ["index_of", "require_known", "require_string"]


def index_of(alphabet: str) -> dict[str, int]:
    """The place of each character in the alphabet, from 0 to V − 1.

    Raises:
        InputError: if the alphabet is empty, is no string, or has a character twice.
    """
    if not isinstance(alphabet, str) or not alphabet:
        raise InputError(f"alphabet is {alphabet!r}; give its characters as one string, such as text.alphabet.")
    index = {character: place for place, character in enumerate(alphabet)}
    if len(index) < len(alphabet):
        twice = sorted(character for character in index if alphabet.count(character) > 1)
        raise InputError(f"alphabet has these characters more than once: {_named(twice)}; give each of them once.")
    return index


def require_known(name: str, text: str, index: dict[str, int]) -> None:
    """Pass over a text of the alphabet's characters, the empty one among them.

    Args:
        name: what the caller knows the text as.
        text: what was given.
        index: the characters of the alphabet, from :func:`index_of`.

    Raises:
        InputError: if it is no string, or has characters outside the alphabet.
    """
    require_string(name, text)
    if strange := sorted(set(text).difference(index)):
        raise InputError(
            f"{name} has characters outside the alphabet: {_named(strange)}; "
            "leave them out, or give an alphabet that has them."
        )


def require_string(name: str, text: str) -> None:
    """Pass over a string.

    Raises:
        InputError: if it is anything else.
    """
    if not isinstance(text, str):
        raise InputError(f"{name} is a {type(text).__name__}; give a string, such as text.train_val.")


def _named(characters: list[str]) -> str:
    """The first ten as Python writes them, so that a space or a line's end can be seen."""
    named = ", ".join(map(repr, characters[:10]))
    return f"{named} and {len(characters) - 10} more" if len(characters) > 10 else named
