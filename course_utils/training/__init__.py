"""Training: :func:`fit` minimises a loss, :func:`evaluate` measures one, a :class:`History` is what is left."""

from course_utils.training.evaluation import Loss, evaluate
from course_utils.training.history import History
from course_utils.training.supervised import fit

__all__ = ["History", "Loss", "evaluate", "fit"]
