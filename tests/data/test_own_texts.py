"""A text file of one's own: what is read, what is named, and that it is no Shakespeare."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from course_utils import claims
from course_utils.data import TextData, load_own_text, loaded_sources
from course_utils.data.sources import _loaded
from course_utils.errors import DataError, InputError

LINES = "".join(f"Zeile {i}: „süß“, sagte er. Γ 😀\n" for i in range(400))


@pytest.fixture(autouse=True)
def _forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course_utils.data.sources._loaded", list(_loaded))


def loaded(tmp_path: Path, content: bytes | str, name: str = "faust.txt") -> TextData:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_own_text(path)


def whole(text: TextData) -> str:
    return text.train_val + text.test


def test_the_parts_follow_each_other_at_the_shares_of_shakespeare(tmp_path, capsys) -> None:
    text = loaded(tmp_path, "0123456789" * 1_000 + "abc", "my.faust.txt")
    assert (len(text.train), len(text.val), len(text.test)) == (8_101, 901, 1_001)
    assert text.train + text.val == text.train_val
    assert whole(text) == "0123456789" * 1_000 + "abc"
    assert text.alphabet == "0123456789abc"
    assert (text.name, text.title, text.source) == ("my.faust", "my.faust.txt", "a file of your own")
    assert text.log_prob is text.entropy is text.test_log_prob is None
    assert loaded_sources()[-1] == "a file of your own"
    assert capsys.readouterr().out == (
        "a file of your own: my.faust.txt, 8,101 training, 901 validation, 1,001 test characters, 13 distinct\n"
    )
    assert load_own_text(str(tmp_path / "my.faust.txt")) == text


def test_a_claim_about_shakespeare_is_not_judged_on_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.setenv("COURSE_STRICT", "1")
    shown: list[claims.Claim] = []
    monkeypatch.setattr(claims, "display", shown.append)
    text = loaded(tmp_path, LINES)
    claims.check("a-lecture/a-number", 9.9, "<=", 1.5, "nats", data=text, source="nowhere")  # missed, and no error
    claims.clear()
    assert [(claim.judged, claim.data) for claim in shown] == [(False, "a file of your own")]


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        codecs.BOM_UTF8 + LINES.encode(),
        codecs.BOM_UTF16_LE + LINES.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LINES.encode("utf-16-be"),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r").encode(),
        codecs.BOM_UTF16_LE + LINES.replace("\n", "\r\n").encode("utf-16-le"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "crlf", "cr", "utf-16 crlf"],
)
def test_encodings_and_line_ends_that_are_read(tmp_path, content) -> None:
    assert whole(loaded(tmp_path, content)) == LINES


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_another_encoding_is_named_with_the_place_and_not_guessed(tmp_path, ends, mark) -> None:
    before = mark + f"Erste Zeile{ends}zweite, grün{ends}dritte: ".encode()
    with pytest.raises(DataError) as error:
        loaded(tmp_path, before + f"süß{ends}".encode("cp1252") * 5_000)
    assert str(error.value) == (
        f"faust.txt is not in UTF-8: byte 0xFC belongs to no character in line 3 (byte {len(before) + 2}). Open it in"
        " an editor with the encoding it has (older Western texts are often in Windows-1252), save it as plain text in"
        " UTF-8."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINES.encode() + "é".encode()[:1], r"UTF-8: the file ends in the middle of a character in line 401 \("),
        (
            codecs.BOM_UTF16_LE + LINES.encode("utf-16-le") + b"x",
            rf"UTF-16: the file ends in the middle .* in line 401 \(byte {len(LINES.encode('utf-16')) + 1:,}\)",
        ),
        (
            codecs.BOM_UTF16_BE + "a\nb".encode("utf-16-be") + b"\xdc\x00" * 9_000,
            r"is not in UTF-16: byte 0xDC .* line 2",
        ),
        (LINES.encode("utf-32"), "is in UTF-32. Open it in an editor"),
        (LINES.encode("utf-16-le"), r"zero byte in line 1 \(byte 2\): it is no text, or UTF-16 without"),
        (b"a\r\nb\rc\x00" * 9_000, r"zero byte in line 3 \(byte 7\)"),
        (codecs.BOM_UTF16_LE + "a\n\0".encode("utf-16-le") * 9_000, "zero character in line 2; it is no text"),
        (b"%PDF-1.7\n" * 9_000, "is a PDF file, and no plain text"),
        (b"PK\x03\x04" * 9_000, "zip archive, as the files of Word, LibreOffice"),
        (gzip.compress(LINES.encode()), "a gzip archive"),
        (b"{\\rtf1 Hello}" * 9_000, "rich text format"),
        (b"", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (b" \n" * 9_000, "holds nothing but blanks"),
        ("é".encode() * 9_999, "has 9,999 characters, and a model needs 10,000 or more"),
        (b"abc\r\n" * 2_200, "has 8,800 characters"),
    ],
)
def test_what_is_no_text_to_learn_from_is_named(tmp_path, content, message) -> None:
    with pytest.raises(DataError, match=message) as error:
        loaded(tmp_path, content)
    assert str(error.value).startswith("faust.txt ")
    assert "\n" not in str(error.value)


def test_ten_thousand_characters_are_enough(tmp_path) -> None:
    assert len(whole(loaded(tmp_path, "é" * 10_000))) == 10_000


def test_paths_that_lead_to_no_file(tmp_path, monkeypatch) -> None:
    loaded(tmp_path, LINES)
    with pytest.raises(InputError, match="is a folder; give the path of a text file in it"):
        load_own_text(tmp_path)
    with pytest.raises(InputError, match=r'no file ".*Faust\.text"\. Did you mean "faust\.txt"\?$'):
        load_own_text(tmp_path / "Faust.text")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r'^There is no file "texts/x\.txt"\. A path that is not absolute begins at '):
        load_own_text("texts/x.txt")
    with pytest.raises(InputError, match="There is no file"):
        load_own_text("~nobody-of-this-name/x.txt")
    with pytest.raises(InputError, match="There is no file"):
        load_own_text("To be, or not to be\0 " * 1_000)  # a text in the place of a path
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert whole(load_own_text("~/faust.txt")) == LINES


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (tmp_path / "faust.txt").touch()
    with pytest.raises(DataError, match=r"^faust\.txt cannot be read: Permission denied\.$"):
        load_own_text(tmp_path / "faust.txt")


@pytest.mark.parametrize(("distinct", "said"), [(500, False), (501, True)])
def test_many_distinct_characters_are_pointed_out(tmp_path, capsys, distinct, said) -> None:
    characters = "".join(map(chr, range(0x4E00, 0x4E00 + distinct)))
    text = loaded(tmp_path, characters * 30)
    assert len(text.alphabet) == distinct
    assert (f"{distinct} distinct characters are many: a model" in capsys.readouterr().out) is said
