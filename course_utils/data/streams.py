"""A text cut into streams that are read side by side, so that a recurrent network's state can be carried on."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["text_streams"]


def text_streams(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """Cut a text into equal streams, and the streams into windows that go on where the one before ended.

    Row i of window w + 1 continues row i of window w: its first character is the last one of that window, which was a
    target there and is an input here. What does not fill a window at the end of a stream is left out.

    Args:
        tokens: shape (T,), the text as integers.
        num_streams: N, the number of places of the text that are read at the same time.
        window: characters that are read in one step, and as many that are predicted.

    Returns:
        Shape (num_windows, N, window + 1): ``[:, :, :-1]`` are inputs, ``[:, :, 1:]`` the characters to predict.

    Raises:
        InputError: if the tokens are no sequence of integers, or too few for one window in every stream.
    """
    if tokens.ndim != 1 or tokens.is_floating_point():
        kind = f"{tuple(tokens.shape)} of {tokens.dtype}".replace("torch.", "")
        raise InputError(f"A text is integers (T,); these tokens are {kind}. Vocabulary.encode makes them.")
    if num_streams < 1 or window < 1:
        raise InputError(f"num_streams={num_streams} and window={window}; give whole numbers, 1 or more.")
    num_windows = (len(tokens) // num_streams - 1) // window
    if num_windows < 1:
        raise InputError(
            f"A text of {len(tokens):,} characters is too short for {num_streams} streams with windows of {window}: "
            f"it takes {num_streams * (window + 1):,}. Take fewer streams, shorter windows or a longer text."
        )
    length = num_windows * window + 1
    starts = torch.arange(num_streams, device=tokens.device) * (len(tokens) // num_streams)
    side_by_side = tokens[starts[:, None] + torch.arange(length, device=tokens.device)]  # (N, length)
    return side_by_side.unfold(1, window + 1, window).transpose(0, 1).contiguous()
