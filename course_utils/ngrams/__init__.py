"""Counts of characters in their contexts: the rival that a network for text has to beat."""

from course_utils.ngrams.counts import bigram_counts, continuation_counts, gram_counts
from course_utils.ngrams.smoothing import KneserNey

__all__ = ["KneserNey", "bigram_counts", "continuation_counts", "gram_counts"]
