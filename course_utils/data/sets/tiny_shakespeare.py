"""Tiny Shakespeare: a million characters out of the plays (Karpathy's char-rnn, 2015)."""

from course_utils.data.catalogue import DataFile, TextSet

__all__ = ["SET"]

SET = TextSet(
    name="tiny-shakespeare",
    title="tiny Shakespeare",
    folder="tinyshakespeare",
    files=(DataFile("input.txt", 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),),
    mirror_folder="tinyshakespeare",
    mirrors=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",),
)
