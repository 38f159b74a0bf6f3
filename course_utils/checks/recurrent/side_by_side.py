"""The check of a text cut into streams that are read side by side, window after window."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, compare, fresh, integer

__all__ = ["streams"]


def _piece(tokens: Tensor, num_streams: int) -> int:
    """The length of each piece."""
    return len(tokens) // num_streams


def _by_hand(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The streams, token by token: (num_windows, num_streams, window + 1)."""
    length = _piece(tokens, num_streams)
    starts = torch.arange((length - 1) // window)[:, None, None] * window
    rows = torch.arange(num_streams)[:, None] * length
    return tokens[starts + rows + torch.arange(window + 1)]


def _into_the_next_piece(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The same where the last target of a piece may be the first token of the next piece; this is right as well."""
    length = (len(tokens) - 1) // num_streams
    starts = torch.arange(length // window)[:, None, None] * window
    rows = torch.arange(num_streams)[:, None] * length
    return tokens[starts + rows + torch.arange(window + 1)]


def _in_whole_windows(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The same where a piece is a whole number of windows, and all left-over tokens stand at the end of the text."""
    length = (len(tokens) - 1) // num_streams // window * window
    starts = torch.arange(length // window)[:, None, None] * window
    rows = torch.arange(num_streams)[:, None] * length
    return tokens[starts + rows + torch.arange(window + 1)]


def _in_whole_windows_of_a_piece(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The same with as many windows as fit into pieces that share no token."""
    length = (_piece(tokens, num_streams) - 1) // window * window + 1
    return _by_hand(tokens[: num_streams * length], num_streams, window)


_ALSO_RIGHT = (_into_the_next_piece, _in_whole_windows, _in_whole_windows_of_a_piece)


def _every(step: int, size: int) -> Answer:
    """Windows of window + ``size`` tokens that begin every window + ``step`` tokens of a piece."""

    def cut(tokens: Tensor, num_streams: int, window: int) -> Tensor:
        length = _piece(tokens, num_streams)
        pieces = tokens[: num_streams * length].view(num_streams, length)
        return pieces.unfold(1, window + size, window + step).transpose(0, 1)

    return cut


def _one_after_another(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The windows of the whole text in reading order, num_streams of them in each batch."""
    windows = tokens.unfold(0, window + 1, window)
    count = len(windows) // num_streams
    return windows[: count * num_streams].view(count, num_streams, window + 1)


def _shuffled(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """The right windows, in another order at each call."""
    windows = _by_hand(tokens, num_streams, window)
    return windows[torch.randperm(len(windows))]


def _interleaved(tokens: Tensor, num_streams: int, window: int) -> Tensor:
    """Every num_streams-th token in each row."""
    length = _piece(tokens, num_streams)
    pieces = tokens[: num_streams * length].view(length, num_streams).T
    return pieces.unfold(1, window + 1, window).transpose(0, 1)


_SHUFFLED = Mistake(
    "shuffled",
    "the windows are shuffled. A row has to go on where it ended in the window before: else the state that is carried "
    "on comes from another place of the text.",
    _shuffled,
)
_STREAMS = (
    Mistake(
        "one after another",
        "the windows of the text lie one after another along the batch: row 1 goes on where row 0 ends. It has to be "
        "row 0 of the next window that does, because the state of row 0 is carried to row 0.",
        _one_after_another,
    ),
    Mistake(
        "no shared token",
        "a window begins one token behind the end of the window before it, so that its first token is never a target. "
        "The last token of a window is also the first one of the next.",
        _every(1, 1),
    ),
    Mistake(
        "no target",
        "a window holds `window` tokens here. It needs one more, the target of its last input.",
        _every(0, 0),
    ),
    Mistake(
        "two shared tokens",
        "two windows that follow each other share two tokens; they should share one, the last of the one and the "
        "first of the other. One target is counted twice.",
        _every(-1, 1),
    ),
    Mistake(
        "two tokens more",
        "a window holds two tokens more than inputs. It needs one more, the target of its last input.",
        _every(0, 2),
    ),
    Mistake(
        "streams first",
        "the streams come first here. Training goes through the windows, so they are the first dimension: "
        "(num_windows, num_streams, window + 1).",
        lambda tokens, num_streams, window: _by_hand(tokens, num_streams, window).transpose(0, 1),
    ),
    Mistake(
        "time before streams",
        "time comes before the streams in each window. Asked is (num_windows, num_streams, window + 1).",
        lambda tokens, num_streams, window: _by_hand(tokens, num_streams, window).transpose(1, 2),
    ),
    Mistake(
        "interleaved",
        "the tokens are dealt out to the streams like cards: neighbours in a row are no neighbours in the text. "
        "Each stream is one piece of the text as it stands.",
        _interleaved,
    ),
    Mistake(
        "windows in reverse",
        "the windows come in reverse order: the state would be carried backwards through the text.",
        lambda tokens, num_streams, window: _by_hand(tokens, num_streams, window).flip(0),
    ),
    Mistake(
        "reshaped",
        "the shape is right, but it was reached with a reshape where the order of two dimensions has to change: "
        "rows and windows are mixed up. Use transpose.",
        lambda tokens, num_streams, window: (
            _every(0, 1)(tokens, num_streams, window).transpose(0, 1).reshape(-1, num_streams, window + 1)
        ),
    ),
)


def _refuse_shuffles(value: Tensor, again: Tensor) -> None:
    """Raise :class:`Wrong` if two calls give the same windows in another order."""
    if value.shape == again.shape and not torch.equal(value, again):
        raise Wrong(_SHUFFLED.message)


def _judge(answer: Answer) -> None:
    # texts in which each token occurs once, so that it tells its place
    generator, draws = fresh(), []
    for rest in (0, 1, 2):  # tokens left over in each piece; the last text has some at its end as well
        num_streams, window, count = integer(3, 5, generator), integer(6, 8, generator), integer(9, 12, generator)
        length = num_streams * (count * window + 1 + rest) + (num_streams - 1 if rest == 2 else 0)
        draws.append((torch.randperm(length, generator=generator), num_streams, window))
    draws += [(torch.randperm(23, generator=generator), 1, 4), (torch.randperm(25, generator=generator), 4, 2)]

    # an answer may shuffle, and it may give other numbers than whole ones
    values = [call(answer, *draws[0]) for _ in range(2)]
    if all(isinstance(value, Tensor) for value in values):
        _refuse_shuffles(*values)
        if values[0].is_floating_point() or values[0].is_complex():
            raise Wrong(f"tokens are whole numbers, and these are of the kind {values[0].dtype}.")

    # where a piece ends, there are several ways to be right
    for reference in _ALSO_RIGHT:
        if all(_is(call(answer, *case), reference(*case)) for case in draws):
            return
    text = "the windows hold the wrong tokens: {got} instead of {expected}."
    compare(answer, _by_hand, draws, _STREAMS, text, what="what streams returns")


def _is(value: object, expected: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == expected.shape and bool((value == expected).all())


streams = Check(
    "streams",
    _judge,
    "each row goes on in the next window where it ended, and every target is counted once.",
    (*_STREAMS, _SHUFFLED),
)
