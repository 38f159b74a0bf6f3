"""How sharp pictures are: the energy of the second differences of their pixels."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

from course_utils.errors import InputError

__all__ = ["sharpness", "sharpness_ratio"]


def sharpness(images: Tensor) -> Tensor:
    """The mean over pixels of the squared discrete Laplacian: 4 · pixel − its four neighbours; 0, or paper, outside.

    It is large where grey values change quickly, at sharp edges, and it is large for noise as well: look at the
    pictures beside it.

    Args:
        images: shape (N, 1, H, W), or (N, H · H), values in [0, 1].

    Returns:
        Shape (N,), float64, in squared grey values, on the CPU.

    Raises:
        InputError: if the shape is another, or there is no image.
    """
    x = images.detach().cpu().double()
    if x.ndim == 2 and round(x.shape[1] ** 0.5) ** 2 == x.shape[1]:
        side = round(x.shape[1] ** 0.5)
        x = x.reshape(-1, 1, side, side)
    if x.ndim != 4 or x.shape[1] != 1 or not x.numel():
        raise InputError(f"Sharpness is that of images (N, 1, H, W) or (N, H · H); the shape is {tuple(images.shape)}.")
    around = pad(x[:, 0], (1, 1, 1, 1))
    up, down, left, right = around[:, :-2, 1:-1], around[:, 2:, 1:-1], around[:, 1:-1, :-2], around[:, 1:-1, 2:]
    return (4 * x[:, 0] - up - down - left - right).square().mean((1, 2))


def sharpness_ratio(samples: Tensor, real: Tensor) -> float:
    """The mean sharpness of samples over that of real images: 1 is as sharp, less is softer, more may be noise.

    Raises:
        InputError: as :func:`sharpness`, or if the real images are blank.
    """
    reference = sharpness(real).mean().item()
    if reference == 0:
        raise InputError("The real images have no edge at all; are they blank?")
    return sharpness(samples).mean().item() / reference
