"""Predictions, compared with a run: the agreement of four games in which the label is wired wrongly."""

from __future__ import annotations

import torch

from course_utils.checks.conditional.side_by_side import NUM_CLASSES, WIRINGS, play
from course_utils.checks.core import mistaken, prediction_check

__all__ = ["prediction"]

_RIGHT = {"unseen": "same", "real_only": "same", "shifted": "lower", "random": "higher"}
_MESSAGES = {
    "unseen lower": "unseen: for the agreement to be below chance, something would have to push the generator away "
    "from the asked class. What does this discriminator know of classes?",
    "unseen higher": "unseen: the generator learns from the discriminator alone. How could this one tell it that a "
    "sample belongs to another class than the asked one?",
    "real_only lower": "real_only: something would have to push the generator away from the asked class. Does "
    "anything in its own step depend on the class?",
    "real_only higher": "real_only: the discriminator could learn the classes of real samples. What does it see in "
    "the generator's step?",
    "shifted same": "shifted: the discriminator sees a label in every step here. Which pair of sample and label does "
    "it take for real?",
    "shifted higher": "shifted: the generator asks for class 3, and the discriminator is shown class 4 beside the "
    "sample. Where must that sample lie to pass for real?",
    "random lower": "random: which label does the discriminator see in the generator's own step, and what has it "
    "learned from the real samples about that label?",
    "random same": "random: the labels drawn by chance are shown with made samples in D's step only. What does D "
    "learn from the real ones, whose labels fit, and which label does it see in the generator's step?",
}


def _run(generator: torch.Generator) -> dict[str, float]:
    """Mean agreement over all starts, over that of chance, for each wrong wiring."""
    found = dict(zip(WIRINGS, (play(generator).mean(1) * NUM_CLASSES).tolist(), strict=True))
    return {name: found[name] for name in _RIGHT}


prediction = prediction_check(
    tuple(_RIGHT),
    _run,
    mistaken(_RIGHT, _MESSAGES),
    band=(0.4, 2.5),
    title="agreement over chance, mean of eight new starts",
    quantity="agreement",
)
