"""What compressors make of a text, in the unit of a language model's loss."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math

from course_utils.errors import InputError

__all__ = ["compressed_nats"]


def compressed_nats(before: str, text: str) -> dict[str, float]:
    """What gzip, xz and bzip2 need for a text that follows another, in nats per character.

    It is (size(before + text) − size(before)) · 8 · ln 2 / len(text), with sizes in bytes and the texts in UTF-8. gzip
    runs at level 9, xz at its preset 9 with "extreme", bzip2 in blocks of 900,000 bytes.

    Compressors adapt while they read: what they have read of ``text`` helps with the rest of it, as it helps counts
    that go on counting. A model whose weights stand still plays another game. gzip remembers the last 32 KiB, xz
    everything, and bzip2 nothing of an earlier block.

    Args:
        before: what has been read before, the training text, for example; it may be empty.
        text: what the number is about, one character or more; some thousands, since sizes are whole bytes.

    Returns:
        Nats per character under ``"gzip"``, ``"xz"`` and ``"bzip2"``.

    Raises:
        InputError: if ``text`` is empty.
    """
    if not text:
        raise InputError("The text is empty; there is nothing to compress.")
    head, both = (string.encode("utf-8", "surrogatepass") for string in (before, before + text))
    compressors = {
        "gzip": lambda content: gzip.compress(content, compresslevel=9, mtime=0),
        "xz": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
        "bzip2": lambda content: bz2.compress(content, compresslevel=9),
    }
    nats_per_byte = 8 * math.log(2)
    return {name: nats_per_byte / len(text) * (len(pack(both)) - len(pack(head))) for name, pack in compressors.items()}
