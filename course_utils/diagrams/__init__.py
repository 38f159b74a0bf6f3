"""Drawings that several notebooks return to."""

from course_utils.diagrams.convolutions import convolution, transposed_convolution
from course_utils.diagrams.drawings import autoencoder, family_tree, label_routes, recurrent, two_players

__all__ = [
    "autoencoder",
    "convolution",
    "family_tree",
    "label_routes",
    "recurrent",
    "transposed_convolution",
    "two_players",
]
