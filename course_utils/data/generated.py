"""What generated data says of where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Generated"]


@dataclass(frozen=True)
class Generated:
    """Data that the course draws itself: the real source for a claim about what was trained on it.

    ``claims.check(..., data=Generated("ring of eight Gaussians"))`` is judged as a claim on MNIST would be. A set with
    more to say (its density, say) is a dataclass of its own that begins with this one.

    Attributes:
        title: what people call it.
        is_real: True; nothing stands in for it.
    """

    title: str
    is_real: bool = True

    @property
    def source(self) -> str:
        """What a claim names, ``"ring of eight Gaussians, generated"``."""
        return f"{self.title}, generated"
