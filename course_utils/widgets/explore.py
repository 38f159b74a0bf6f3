"""What all explorers share: controls over one figure that is drawn again whenever one of them moves."""

from __future__ import annotations

import io
from collections.abc import Callable

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

__all__ = ["explore"]


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
