"""What explorers share: controls over one figure that is drawn again when one of them moves, and decoders, checked."""

from __future__ import annotations

import io
from collections.abc import Callable

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from matplotlib.figure import Figure
from torch import Tensor, nn

from course_utils.errors import InputError
from course_utils.plotting.texts import visible
from course_utils.training.evaluation import modes_kept

__all__ = ["as_png", "decoded", "explore", "made_pictures", "require_known"]


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


def made_pictures(generator: Callable[..., Tensor], z: Tensor, *labels: Tensor) -> Tensor:
    """The pictures of a generator for codes, and for class numbers where it takes them, ready to be drawn.

    A ``torch.nn.Module`` makes them in ``eval()`` mode, without gradients and on its own device, and is left in the
    mode it was in.

    Args:
        generator: called with z (n, k), and labels (n,); gives (n, 1, H, H) or (n, H · H), values in [−1, 1].
        z: codes.
        labels: none, or one tensor of class numbers.

    Returns:
        Shape (n, H · H), float32 on the CPU, values in [0, 1].

    Raises:
        InputError: if the generator gives another shape, or values outside [−1, 1].
    """
    modules = [generator] if isinstance(generator, nn.Module) else []
    device = next((parameter.device for module in modules for parameter in module.parameters()), z.device)
    with modes_kept(modules), torch.no_grad():
        for module in modules:
            module.eval()
        x = generator(z.to(device), *(label.to(device) for label in labels)).float().cpu()
    is_picture = x.ndim == 2 or (x.ndim == 4 and x.shape[1] == 1 and x.shape[2] == x.shape[3])
    if not is_picture or len(x) != len(z) or round(x[0].numel() ** 0.5) ** 2 != x[0].numel():
        raise InputError(
            f"The generator makes {tuple(x.shape)} of codes {tuple(z.shape)}; square pictures are needed, "
            f"({len(z)}, 1, 28, 28) or ({len(z)}, 784)."
        )
    low, high = x.min().item(), x.max().item()
    if not (low >= -1 - 1e-2 and high <= 1 + 1e-2):
        raise InputError(
            f"The generator gives values from {low:.3g} to {high:.3g}; its pictures have values in [−1, 1]. "
            "Does it end with a tanh?"
        )
    return ((x.flatten(1) + 1) / 2).clamp(0, 1)
