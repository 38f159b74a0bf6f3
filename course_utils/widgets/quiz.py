"""Real or made? The reader judges pictures one by one, and a classifier judges the same ones."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from math import ceil, comb

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_image
from course_utils.widgets.explore import as_png

__all__ = ["quiz_explorer", "quiz_snapshots"]

Score = Callable[[Tensor], Tensor]
MOST_ROUNDS = 40
PICTURE_INCHES = 2.4  # of the one that is judged; a hundred pixels of the page each
GRID_INCHES, GRID_COLUMNS = 1.3, 7
LUCK = 0.05  # guessing that does as well in fewer quizzes than this is said to be improbable


class Quiz(ipywidgets.VBox):
    """One picture at a time with two buttons; at the end the reader's score, and all pictures with what they were.

    Attributes:
        key: whether each of the pictures is real, shape (rounds,).
        answers: whether the reader took it for real, for those that were judged so far.
        picture: the one to judge; at the end, all of them.
        text: the question; at the end, the score.
        real: the button that takes the picture for real.
        made: the button that takes it for made.
        again: the button that begins another quiz, with other pictures.
    """

    def __init__(self, real: Tensor, made: Tensor, score: Score | None, rounds: int, seed: int) -> None:
        self._pools, self._score, self._rounds, self._seed = (real, made), score, rounds, seed
        self.text = ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="png", layout={"align_self": "flex-start"})  # as large as it was drawn
        self.real, self.made = (ipywidgets.Button(description=name) for name in ("real", "made"))
        self.again = ipywidgets.Button(description="once more")
        self.real.on_click(lambda _: self._answered(True))
        self.made.on_click(lambda _: self._answered(False))
        self.again.on_click(lambda _: self._begin(self._seed + 1))
        self._begin(seed)
        super().__init__([self.text, ipywidgets.HBox([self.real, self.made, self.again]), self.picture])

    def _begin(self, seed: int) -> None:
        """Draw the pictures, and show the first."""
        self._seed, self.answers = seed, list[bool]()
        self._pictures, self.key = _mixed(*self._pools, self._rounds, seed)
        self._show()

    def _answered(self, is_real: bool) -> None:
        """Note the answer, and go on."""
        if len(self.answers) < self._rounds:
            self.answers.append(is_real)
            self._show()

    def _show(self) -> None:
        """The next picture, or the end."""
        place = len(self.answers)
        ended = place == self._rounds
        self.real.disabled = self.made.disabled = ended
        self.again.layout.display = None if ended else "none"
        if ended:
            hits = int((torch.tensor(self.answers) == self.key).sum())
            verdict = _verdict(hits, self._rounds, _classifier_hits(self._score, self._pictures, self.key))
            self._say(f"{verdict} Above each picture stands what it was, with ✗ where you were wrong.")
            self.picture.value = as_png(_draw_grid(self._pictures, *_marked(self.key.tolist(), self.answers)))
        else:
            self._say(f"Picture {place + 1} of {self._rounds}: is it real or made?")
            figure, ax = plt.subplots(figsize=(PICTURE_INCHES, PICTURE_INCHES))
            show_image(self._pictures[place], ax)
            self.picture.value = as_png(figure)

    def _say(self, sentence: str) -> None:
        self.text.value = f'<span role="status">{html.escape(sentence)}</span>'


def quiz_explorer(
    real: Tensor, made: Tensor, *, classifier_score: Score | None = None, rounds: int = 20, seed: int = 0
) -> None:
    """Pictures, one at a time, with the buttons *real* and *made*; at the end the reader's score beside a classifier's.

    A coin decides for each picture whether it is a real or a made one, and none is shown twice. So guessing is right
    in half of the pictures, whatever the reader's plan, and how often it does as well as the reader is known exactly.

    Args:
        real: grey images with values in [0, 1], shape (n, H, W), (n, 1, H, W) or, where they are square, (n, H · W).
        made: the same from a generator, one image of the same shape each.
        classifier_score: maps pictures of this kind, on the device of ``real``, to one number each, shape (rounds,) or
            (rounds, 1), that is above 0 where the classifier takes a picture for real: a logit. A discriminator of
            images in [−1, 1] is given as ``lambda x: discriminator(2 * x - 1)``.
        rounds: how many pictures are judged, 1 to 40.
        seed: of the choice of pictures; the next quiz takes the next seed.

    Raises:
        InputError: if these are no images of one shape, there are fewer than ``rounds`` of one kind, ``rounds`` is out
            of range, or ``classifier_score`` does not give one number for each picture.
    """
    real, made = _checked(real, made, rounds)
    _classifier_hits(classifier_score, *_mixed(real, made, rounds, seed))  # its error comes before the reader's work
    display(Quiz(real, made, classifier_score, rounds, seed))


def quiz_snapshots(real: Tensor, made: Tensor, *, rounds: int = 20, seed: int = 0) -> tuple[Figure, list[str]]:
    """The static twin of :func:`quiz_explorer`: the pictures of its first quiz, numbered from 1.

    Args:
        real: as above.
        made: as above.
        rounds: how many pictures, 1 to 40.
        seed: of their choice.

    Returns:
        The figure, and its key: "real" or "made" for each picture, in the order of the numbers.

    Raises:
        InputError: if these are no images of one shape, there are fewer than ``rounds`` of one kind, or ``rounds`` is
            out of range.
    """
    pictures, key = _mixed(*_checked(real, made, rounds), rounds, seed)
    figure = _draw_grid(pictures, [str(number) for number in range(1, rounds + 1)])
    return figure, ["real" if is_real else "made" for is_real in key.tolist()]


def _mixed(real: Tensor, made: Tensor, rounds: int, seed: int) -> tuple[Tensor, Tensor]:
    """``rounds`` pictures, and whether each is real: a fair coin for each, and no picture twice."""
    random = torch.Generator().manual_seed(seed)
    key = torch.rand(rounds, generator=random) < 0.5
    drawn = [torch.randperm(len(pool), generator=random)[:rounds].to(real.device) for pool in (real, made)]
    is_real = key.to(real.device).view(-1, *[1] * (real.ndim - 1))
    return torch.where(is_real, real[drawn[0]], made[drawn[1]]), key


def _draw_grid(pictures: Tensor, titles: Sequence[str], colours: Sequence[str] = ()) -> Figure:
    """The pictures in rows, each under its title."""
    columns = min(GRID_COLUMNS, len(pictures))
    rows = ceil(len(pictures) / columns)
    size = (GRID_INCHES * columns, (GRID_INCHES + 0.25) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for index, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if index < len(pictures):
            show_image(pictures[index], ax, title=titles[index])
            ax.title.set(fontsize=10, color=colours[index] if colours else "black")
    return figure


def _marked(key: Sequence[bool], answers: Sequence[bool]) -> tuple[list[str], list[str]]:
    """Titles that say what each picture was and whether the reader saw it, and their colours."""
    hits = [one == other for one, other in zip(key, answers, strict=True)]
    words = ["real" if is_real else "made" for is_real in key]
    titles = [f"{word} {'✓' if hit else '✗'}" for word, hit in zip(words, hits, strict=True)]
    return titles, ["black" if hit else COLOURS["orange"] for hit in hits]


def _verdict(hits: int, rounds: int, classifier_hits: int | None) -> str:
    """The reader's score, what guessing would give, and the classifier's score, in plain sentences."""
    luck = sum(comb(rounds, number) for number in range(hits, rounds + 1)) / 2**rounds
    share = "less than 1 in 1,000" if luck < 0.001 else f"{luck:.1%}" if luck < 0.1 else f"{luck:.0%}"
    said = f"You were right about {hits} of {rounds} pictures; guessing is right about {rounds / 2:g} on average. "
    said += f"Guessing does as well as you, or better, in {share} of all such quizzes: "
    said += "luck alone hardly explains your score." if luck < LUCK else "your score may be luck."
    if classifier_hits is not None:
        than = "more than" if classifier_hits > hits else "fewer than" if classifier_hits < hits else "as many as"
        said += f" The classifier was right about {classifier_hits} of the same {rounds}, {than} you."
    return said


def _classifier_hits(score: Score | None, pictures: Tensor, key: Tensor) -> int | None:
    """About how many pictures the classifier is right; None if there is none."""
    if score is None:
        return None
    if not callable(score):
        raise InputError(
            f"classifier_score={score!r}; give a function that maps pictures to logits, above 0 for real, so that the "
            "classifier judges the same pictures as the reader."
        )
    with torch.no_grad():
        logits = torch.as_tensor(score(pictures))
    if logits.shape not in ((len(pictures),), (len(pictures), 1)) or not logits.isfinite().all():
        raise InputError(
            f"classifier_score gives the shape {tuple(logits.shape)} for {len(pictures)} pictures; one finite number "
            "for each is needed."
        )
    return int(((logits.flatten() > 0).cpu() == key).sum())


def _checked(real: Tensor, made: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Both kinds of images, without gradients, of one type and on one device."""
    if not 1 <= rounds <= MOST_ROUNDS:
        raise InputError(f"rounds={rounds}; judge 1 to {MOST_ROUNDS} pictures.")
    if real.shape[1:] != made.shape[1:]:
        raise InputError(
            f"The real pictures have the shape {tuple(real.shape)}, the made ones {tuple(made.shape)}: bring them into "
            "one form, such as (n, 1, 28, 28)."
        )
    for name, images in (("real", real), ("made", made)):
        if len(images) < rounds:
            raise InputError(f"There are {len(images)} {name} pictures for {rounds} rounds; give {rounds} or more.")
        low, high = images.min().item(), images.max().item()
        if not (low >= -1e-3 and high <= 1 + 1e-3):
            raise InputError(
                f"The {name} pictures have values from {low:.3g} to {high:.3g}; they should lie in [0, 1]. "
                "(x + 1) / 2 brings them there from [−1, 1]."
            )
    return real.detach(), made.detach().to(real)
