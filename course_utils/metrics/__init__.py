"""What is measured of a model, the same way in every lecture."""

from course_utils.metrics.bins import BinComparison, different_bins
from course_utils.metrics.code_lengths import ideal_code_bytes, jpeg_scan, round_to_step
from course_utils.metrics.compressors import compressed_nats
from course_utils.metrics.copies import Copy, longest_copies
from course_utils.metrics.frequencies import checkerboard_energy
from course_utils.metrics.judge import Judge, Reading, load_judge
from course_utils.metrics.league import League, league_path, load_league
from course_utils.metrics.likelihood import (
    Elbo,
    bernoulli_log_likelihood,
    elbo,
    full_gaussian_kl,
    gaussian_kl,
    importance_weighted_bound,
)
from course_utils.metrics.modes import ModeCount, count_modes
from course_utils.metrics.parzen import choose_parzen_std, parzen_log_likelihood
from course_utils.metrics.reconstruction import mosaic, mse_per_pixel, psnr, quantise
from course_utils.metrics.rivals import PixelMixture, gaussian_fit, low_rank_mixture
from course_utils.metrics.samples import (
    SampleScores,
    density_and_coverage,
    fid,
    frechet_distance,
    inception_score,
    kid,
    sample_scores,
)
from course_utils.metrics.sharpness import sharpness, sharpness_ratio
from course_utils.metrics.speed import interleaved_seconds
from course_utils.metrics.strokes import slant, thickness
from course_utils.metrics.words import share_of_known_words

__all__ = [
    "BinComparison",
    "Copy",
    "Elbo",
    "Judge",
    "League",
    "ModeCount",
    "PixelMixture",
    "Reading",
    "SampleScores",
    "bernoulli_log_likelihood",
    "checkerboard_energy",
    "choose_parzen_std",
    "compressed_nats",
    "count_modes",
    "density_and_coverage",
    "different_bins",
    "elbo",
    "fid",
    "frechet_distance",
    "full_gaussian_kl",
    "gaussian_fit",
    "gaussian_kl",
    "ideal_code_bytes",
    "importance_weighted_bound",
    "inception_score",
    "interleaved_seconds",
    "jpeg_scan",
    "kid",
    "league_path",
    "load_judge",
    "load_league",
    "longest_copies",
    "low_rank_mixture",
    "mosaic",
    "mse_per_pixel",
    "parzen_log_likelihood",
    "psnr",
    "quantise",
    "round_to_step",
    "sample_scores",
    "share_of_known_words",
    "sharpness",
    "sharpness_ratio",
    "slant",
    "thickness",
]
