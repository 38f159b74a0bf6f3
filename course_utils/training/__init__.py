"""Training: :func:`fit` minimises a loss, :func:`evaluate` measures one, a :class:`History` is what is left.

For steps of your own (two networks that play, a state that is carried on) there is :func:`run`, under ``fit``. What
such games share, losses and a penalty, is in ``adversarial``.
"""

from course_utils.training.adversarial import (
    Dominance,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    warm_up,
    weight_average,
)
from course_utils.training.descent import fit
from course_utils.training.evaluation import Loss, evaluate
from course_utils.training.history import History
from course_utils.training.loop import Diverged, run
from course_utils.training.states import saved_state

__all__ = [
    "Diverged",
    "Dominance",
    "History",
    "Loss",
    "discriminator_loss",
    "evaluate",
    "fit",
    "generator_loss",
    "gradient_penalty",
    "run",
    "saved_state",
    "warm_up",
    "weight_average",
]
