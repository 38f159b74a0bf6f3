"""Data that is always there: images, text and toys as tensors, with splits, and a source that is always said."""

from course_utils.data import toy
from course_utils.data.folders import cache_folder
from course_utils.data.generated import Generated
from course_utils.data.images import ImageData, Split, load_images
from course_utils.data.minibatches import batches
from course_utils.data.own_texts import load_own_text
from course_utils.data.sources import loaded_sources
from course_utils.data.streams import text_streams
from course_utils.data.text import TextData, load_text
from course_utils.data.toy import circle, correlated_gaussian, heights, spiral
from course_utils.data.vocabulary import Vocabulary

__all__ = [
    "Generated",
    "ImageData",
    "Split",
    "TextData",
    "Vocabulary",
    "batches",
    "cache_folder",
    "circle",
    "correlated_gaussian",
    "heights",
    "load_images",
    "load_own_text",
    "load_text",
    "loaded_sources",
    "spiral",
    "text_streams",
    "toy",
]
