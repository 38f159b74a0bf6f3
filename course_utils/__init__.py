"""Helpers of the course *Deep unsupervised learning*: data, training loops, figures, claims and checks.

The models and the mathematics stand in the notebooks; this package holds what would distract from them.
"""

import os

__version__ = "1.0.0"

__all__ = ["__version__"]

# Threads that wait for one another must soon sleep, not spin on: beside any other busy program, spinning makes a
# training on two cores dozens of times slower. OpenMP reads this when torch is loaded, so it reaches the kernels that
# the course's own commands start (make lab, make test, make execute).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# On Apple's GPU some of linear algebra (eigh, svdvals) is not there: let the CPU do it instead of stopping.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

# A folder given relative to where a command was started means that folder everywhere: a kernel starts in the folder of
# its notebook, and inherits this. Links stay as they are.
for _name in ("COURSE_DATA", "COURSE_CACHE"):
    if _text := os.environ.get(_name):
        os.environ[_name] = os.path.abspath(os.path.expanduser(_text))
