"""Data that is always there: images, text and toys as tensors, with splits, and a source that is always said."""

from course_utils.data import toy
from course_utils.data.folders import cache_folder
from course_utils.data.generated import Generated
from course_utils.data.images import ImageData, Split, load_images
from course_utils.data.minibatches import batches
from course_utils.data.sources import loaded_sources
from course_utils.data.text import TextData, load_text
from course_utils.data.toy import circle, correlated_gaussian, heights, spiral

__all__ = [
    "Generated",
    "ImageData",
    "Split",
    "TextData",
    "batches",
    "cache_folder",
    "circle",
    "correlated_gaussian",
    "heights",
    "load_images",
    "load_text",
    "loaded_sources",
    "spiral",
    "toy",
]
