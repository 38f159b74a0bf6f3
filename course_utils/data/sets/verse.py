"""The course's own blank verse: a text whose true log-probability is known."""

from course_utils.data import verse
from course_utils.data.catalogue import GeneratedText

__all__ = ["SET"]

SET = GeneratedText(name="verse", title="verse", write=verse.write)
