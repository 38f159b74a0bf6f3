"""Explorers for readers with a running kernel; each has a static twin that everybody sees.

An explorer displays sliders and redraws one figure; its twin (``…_snapshots``) returns a figure of a few settings.
Both draw with the same function, so what the sliders show is what the page shows.
"""

from course_utils.widgets.components import components_explorer, components_snapshots
from course_utils.widgets.likelihood import likelihood_explorer, likelihood_snapshots
from course_utils.widgets.noise import noise_explorer, noise_snapshots
from course_utils.widgets.tangents import tangents_explorer, tangents_snapshots
from course_utils.widgets.units import units_explorer, units_snapshots
from course_utils.widgets.walk import walk_explorer, walk_snapshots

__all__ = [
    "components_explorer",
    "components_snapshots",
    "likelihood_explorer",
    "likelihood_snapshots",
    "noise_explorer",
    "noise_snapshots",
    "tangents_explorer",
    "tangents_snapshots",
    "units_explorer",
    "units_snapshots",
    "walk_explorer",
    "walk_snapshots",
]
