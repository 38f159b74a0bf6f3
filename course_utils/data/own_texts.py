"""A text file of the reader's own, in the place of Shakespeare: it is read, or refused with the reason."""

from __future__ import annotations

import codecs
import difflib
import os
from pathlib import Path

from course_utils.data.sources import announce
from course_utils.data.text import TextData, cuts, parts, sizes
from course_utils.errors import DataError, InputError

__all__ = ["load_own_text"]

_SOURCE = "a file of your own"
_FEWEST = 10_000  # characters
_MANY = 500  # distinct characters; more are said
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first begins like UTF-16's
_FORMATS = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip archive, as the files of Word, LibreOffice and e-books are",
    b"\xd0\xcf\x11\xe0": "a file of an older Word",
    b"{\\rtf": "a file in rich text format",
    b"\x1f\x8b": "a gzip archive",
}
_AS_UTF_8 = "save it as plain text in UTF-8"


def load_own_text(path: str | Path) -> TextData:
    """Read a text file and print one line that says what was read.

    The file is in UTF-8, with a byte-order mark or without, or in UTF-16 with one. The line ends of other systems
    (CR LF, and CR alone) become LF. The parts are cut at the shares of tiny Shakespeare: 81 % to train on, 9 % to
    validate, and the last 10 % to test. A model grows with the distinct characters; more than 500 are pointed out.

    Args:
        path: the file, ``~`` allowed.

    Returns:
        The text; ``name`` is the file's name without its ending, ``title`` the file's name.

    Raises:
        InputError: if there is no such file, or it is a folder.
        DataError: if the file cannot be read, is in another encoding, is no text, or has fewer than 10,000
            characters; the message names the byte and the line where reading it failed.
    """
    file = _existing(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    text = _decoded(file.name, content).replace("\r\n", "\n").replace("\r", "\n")
    _check_text(file.name, text)

    loaded = TextData(
        name=file.stem,
        title=file.name,
        source=_SOURCE,
        is_real=False,  # claims are about the course's own sets: on another text they are measured and not judged
        **parts(text, *cuts(text)),
    )
    announce(_SOURCE, f"{file.name}, {sizes(loaded)}")
    if (distinct := len(loaded.alphabet)) > _MANY:
        print(
            f"{distinct:,} distinct characters are many: a model of characters grows with them, and sees most of"
            " them rarely."
        )
    return loaded


def _existing(path: str | Path) -> Path:
    """The file at ``path``, or an error that says what is there."""
    file = Path(os.path.expanduser(path))
    shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:60]}…"
    if os.path.isdir(file):
        raise InputError(f'"{shown}" is a folder; give the path of a text file in it.')
    if os.path.isfile(file):
        return file
    hint = ""
    if os.path.isdir(file.parent):
        names = [other.name for other in file.parent.iterdir()]
        if near := difflib.get_close_matches(file.name, names, n=1):
            hint = f' Did you mean "{near[0]}"?'
    where = "" if file.is_absolute() else f" A path that is not absolute begins at {Path.cwd()}."
    raise InputError(f'There is no file "{shown}".{hint}{where}')


def _decoded(name: str, content: bytes) -> str:
    """The text of the bytes in UTF-8, or in UTF-16 if they begin with its mark."""
    # what is no plain text, or in an encoding that is not read
    for magic, what in _FORMATS.items():
        if content.startswith(magic):
            raise DataError(f"{name} is {what}, and no plain text. Open it in its program, {_AS_UTF_8}.")
    if content.startswith(_UTF_32):
        raise DataError(f"{name} is in UTF-32. Open it in an editor, {_AS_UTF_8}.")
    encoding = "UTF-16" if content.startswith(_UTF_16) else "UTF-8"
    if encoding == "UTF-8" and (zero := content.find(b"\0")) >= 0:
        raise DataError(
            f"{name} has a zero byte in line {_line(content[:zero])} (byte {zero + 1:,}): it is no text, or UTF-16"
            f" without a byte-order mark. If it is a text, open it in an editor, {_AS_UTF_8}."
        )

    # what is, and where it fails
    try:
        return content.decode(encoding).removeprefix("\ufeff")  # UTF-16 has taken its mark off
    except UnicodeDecodeError as error:
        place = error.start
        problem = f"byte 0x{content[place]:02X} belongs to no character"
        if error.reason in ("unexpected end of data", "truncated data"):
            problem = "the file ends in the middle of a character"
        line = _line(content[:place].decode(encoding, "ignore").encode())
        raise DataError(
            f"{name} is not in {encoding}: {problem} in line {line} (byte {place + 1:,}). Open it in an editor with"
            f" the encoding it has (older Western texts are often in Windows-1252), {_AS_UTF_8}."
        ) from None


def _line(before: bytes) -> int:
    """The number of the line, from 1, that follows these bytes; the line ends may be those of any system."""
    return 1 + before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")


def _check_text(name: str, text: str) -> None:
    """Refuse what is no text, and what is too short to learn from."""
    if not text.strip():
        problem = "holds nothing but blanks" if text else "is empty"
        raise DataError(f"{name} {problem}; give a file with a text of {_FEWEST:,} characters or more.")
    if (zero := text.find("\0")) >= 0:
        raise DataError(f"{name} has a zero character in line {_line(text[:zero].encode())}; it is no text.")
    if len(text) < _FEWEST:
        raise DataError(
            f"{name} has {len(text):,} characters, and a model needs {_FEWEST:,} or more to learn from. Put several"
            " texts into one file, or take a longer one."
        )
