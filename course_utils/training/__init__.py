"""Training: :func:`fit` minimises a loss, :func:`evaluate` measures one, a :class:`History` is what is left.

For steps of your own (two networks that play, a state that is carried on) there is :func:`run`, under ``fit``.
"""

from course_utils.training.descent import fit
from course_utils.training.evaluation import Loss, evaluate
from course_utils.training.history import History
from course_utils.training.loop import Diverged, run
from course_utils.training.states import saved_state

__all__ = ["Diverged", "History", "Loss", "evaluate", "fit", "run", "saved_state"]
