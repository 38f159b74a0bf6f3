"""What explorers share: controls over one figure that is drawn again when one of them moves, and decoders, checked."""

from __future__ import annotations

import io
from collections.abc import Callable

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting.texts import visible

__all__ = ["as_png", "decoded", "explore", "require_known"]


def explore(draw: Callable[..., Figure], **controls: ipywidgets.Widget) -> None:
    """Display the controls over an image that ``draw`` renews whenever one of them moves."""
    picture = ipywidgets.Image(format="png")

    def renew(_: object = None) -> None:
        figure = draw(**{name: control.value for name, control in controls.items()})
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        picture.value = buffer.getvalue()

    for control in controls.values():
        control.observe(renew, names="value")
    renew()
    display(ipywidgets.VBox([*controls.values(), picture]))


def as_png(figure: Figure, *, sharpness: int = 1) -> bytes:
    """The figure as a picture, ``sharpness`` times its dots per inch; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi * sharpness)
    plt.close(figure)
    return buffer.getvalue()


def decoded(decode: Callable[[Tensor], Tensor], codes: Tensor) -> Tensor:
    """The images (M, d) that ``decode`` makes of codes (M, k), without gradients.

    Raises:
        InputError: if they are no square images as rows, or their values are not in [0, 1].
    """
    with torch.no_grad():
        images = decode(codes)
    if images.ndim != 2 or len(images) != len(codes) or round(images.shape[1] ** 0.5) ** 2 != images.shape[1]:
        raise InputError(
            f"decode makes {tuple(images.shape)} of codes {tuple(codes.shape)}; square images as rows are needed, "
            f"({len(codes)}, 784) for 28 × 28 pixels. flatten(1) makes rows of images."
        )
    low, high = images.min().item(), images.max().item()
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise InputError(
            f"decode gives values from {low:.3g} to {high:.3g}; images have values in [0, 1]. "
            "A decoder's logits take a sigmoid."
        )
    return images


def require_known(name: str, text: str, alphabet: str) -> None:
    """Pass over a text of the alphabet's characters.

    Args:
        name: what the text is, at the beginning of a sentence.
        text: what was given.
        alphabet: the known characters.

    Raises:
        InputError: if the alphabet is empty or has a character twice, or the text has one outside it.
    """
    if not alphabet or len(set(alphabet)) < len(alphabet):
        raise InputError(
            f"The alphabet has {len(alphabet)} characters, {len(set(alphabet))} different; give each once."
        )
    unknown = "".join(visible(character) for character in sorted(set(text) - set(alphabet)))
    if unknown:
        raise InputError(f"{name} has characters that are not in the alphabet: {unknown}")
