"""What is measured of a model, the same way in every lecture."""

from course_utils.metrics.reconstruction import jpeg, mosaic, mse_per_pixel, psnr, quantise

__all__ = ["jpeg", "mosaic", "mse_per_pixel", "psnr", "quantise"]
