"""Checks of the exercise on generative adversarial networks, under the names of its gaps, and its four games."""

from course_utils.checks.adversarial.density_ratio import optimal_discriminator
from course_utils.checks.adversarial.discriminator_step import update_discriminator
from course_utils.checks.adversarial.failures import prediction
from course_utils.checks.adversarial.generator_step import update_generator
from course_utils.checks.adversarial.gradient_penalty import r1_penalty
from course_utils.checks.adversarial.logit_losses import both_losses
from course_utils.checks.adversarial.pairs import relativistic_losses
from course_utils.checks.adversarial.point_masses import dirac_gan
from course_utils.checks.adversarial.side_by_side import GAMES, Rates

__all__ = [
    "GAMES",
    "Rates",
    "both_losses",
    "dirac_gan",
    "optimal_discriminator",
    "prediction",
    "r1_penalty",
    "relativistic_losses",
    "update_discriminator",
    "update_generator",
]
