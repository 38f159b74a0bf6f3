"""Checks of the exercise on denoising autoencoders."""

from course_utils.checks.denoising.conditional_means import inpainting, linear
from course_utils.checks.denoising.experiments import prediction
from course_utils.checks.denoising.mask_and_noise import corruptions
from course_utils.checks.denoising.random_walk import langevin
from course_utils.checks.denoising.smoothed_density import score
from course_utils.checks.denoising.training_loss import loss

__all__ = ["corruptions", "inpainting", "langevin", "linear", "loss", "prediction", "score"]
