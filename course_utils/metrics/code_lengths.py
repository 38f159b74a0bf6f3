"""What codes cost in bytes: coefficients under an ideal entropy coder, and the scan of a JPEG file."""

from __future__ import annotations

import io

import torch
from PIL import Image

from course_utils.errors import InputError
from course_utils.metrics.reconstruction import mosaic, mse_per_pixel

__all__ = ["ideal_code_bytes", "jpeg_scan", "round_to_step"]

_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = 2  # bytes of the marker


def round_to_step(codes: torch.Tensor, step: float) -> torch.Tensor:
    """Each number rounded to the nearest multiple of ``step``, what a decoder reads back.

    Args:
        codes: any shape.
        step: distance between two levels, in the unit of ``codes``, above 0.

    Returns:
        The same shape, off by half a step at most.

    Raises:
        InputError: if ``step`` is not above 0.
    """
    _check_step(step)
    return step * (codes / step).round()


def ideal_code_bytes(codes: torch.Tensor, training_codes: torch.Tensor, step: float) -> float:
    """Bytes for a row of ``codes``, rounded to multiples of ``step`` and coded as a training set says they are likely.

    A level with the probability p costs −log₂ p bits, which an arithmetic coder reaches within a few bits for a whole
    file. Each column has its own probabilities: the histogram of its levels in the training codes, from the lowest to
    the highest, one count added to each level and one for *outside* (Laplace's rule), so that nothing costs infinitely
    many bits. A value d levels outside costs what *outside* costs, a bit for the side, and 2 ⌊log₂ d⌋ + 1 bits for d
    (Elias gamma). The histograms are the decoder's already: they, and the decoder itself, are not counted.

    Args:
        codes: shape (N, k), what is stored.
        training_codes: shape (M, k), what the histograms are made of.
        step: distance between two levels, in the unit of the codes, the same for all columns, above 0.

    Returns:
        Bytes per row, the mean over the N rows; not a whole number.

    Raises:
        InputError: if the shapes do not belong together, nothing is there, or ``step`` is not above 0.

    Source: Shannon, *A mathematical theory of communication*, 1948; Elias, *IEEE Transactions on Information Theory*
    21, 1975.
    """
    _check_step(step)
    if codes.ndim != 2 or codes.shape[1:] != training_codes.shape[1:] or not len(codes) or not len(training_codes):
        shapes = f"{tuple(codes.shape)} and {tuple(training_codes.shape)}"
        raise InputError(f"codes (N, k) and training codes (M, k) belong together; their shapes are {shapes}.")
    levels, seen = (codes / step).round().long(), (training_codes / step).round().long()

    # one histogram a column, all of them in one row of counts
    low, high = seen.amin(0), seen.amax(0)
    width = high - low + 1
    start = width.cumsum(0) - width
    counts = torch.bincount((seen - low + start).flatten(), minlength=int(width.sum())) + 1
    total = (len(seen) + width + 1).double()

    # what each level costs, in bits
    inside = (levels >= low) & (levels <= high)
    bits = total.log2() - counts[levels.clamp(low, high) - low + start].double().log2()
    beyond = torch.maximum(low - levels, levels - high).clamp(min=1).double()
    bits = torch.where(inside, bits, total.log2() + 1 + 2 * beyond.log2().floor() + 1)
    return bits.sum().item() / 8 / len(codes)


def jpeg_scan(images: torch.Tensor, quality: int, columns: int = 10) -> tuple[float, float]:
    """What JPEG needs for the pixels alone: the coded scan of one grey mosaic, without header and tables.

    The Huffman tables are made for these very images, and are not counted.

    Args:
        images: shape (N, 1, H, W), values in [0, 1], N a multiple of ``columns``.
        quality: Pillow's scale, 1 (small) to 95 (exact).
        columns: images in a row of the mosaic.

    Returns:
        Bytes per image, and squared error per pixel of what is read back.

    Raises:
        InputError: if the images do not fill the rows of the mosaic.
    """
    page = mosaic(images, columns).cpu()
    buffer = io.BytesIO()
    Image.fromarray((page * 255).round().to(torch.uint8).numpy()).save(buffer, "JPEG", quality=quality, optimize=True)
    file = buffer.getvalue()
    with Image.open(buffer) as stored:
        back = torch.frombuffer(bytearray(stored.tobytes()), dtype=torch.uint8).reshape(page.shape).float() / 255
    header = file.index(_START_OF_SCAN) + len(_START_OF_SCAN)
    scan = len(file) - header - int.from_bytes(file[header : header + 2], "big") - _END_OF_IMAGE
    return scan / len(images), mse_per_pixel(back, page)


def _check_step(step: float) -> None:
    if not step > 0:
        raise InputError(f"step={step}; the distance between two levels is above 0.")
