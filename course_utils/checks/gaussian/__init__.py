"""Checks of the exercise on Gaussian maximum likelihood and sampling, under the names of its gaps.

The references are ``torch.distributions`` and ``scipy.stats``; data, parameters and uniform numbers are drawn fresh
for every check. The comparisons themselves are exact, so a right answer is never called wrong by chance.
"""

from course_utils.checks.gaussian.estimators import fit_gaussian, unbiased
from course_utils.checks.gaussian.likelihood import log_likelihood, mixture_log_likelihood
from course_utils.checks.gaussian.sampling import sample_exponential, sample_histogram

__all__ = [
    "fit_gaussian",
    "log_likelihood",
    "mixture_log_likelihood",
    "sample_exponential",
    "sample_histogram",
    "unbiased",
]
