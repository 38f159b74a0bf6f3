"""The league of samples: what each way to draw images reaches, kept so that later lectures can compare theirs.

One lecture measures it and shows it; executing that lecture for storage writes it into ``benchmarks/rivals.json``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import course_utils
from course_utils.data import ImageData
from course_utils.errors import DataError, InputError
from course_utils.metrics.judge import Judge
from course_utils.metrics.samples import SampleScores

__all__ = ["MIME_TYPE", "League", "league_path", "load_league"]

MIME_TYPE = "application/vnd.course-utils.league+json"
REFERENCE = "pixels, one Gaussian"
_HEADS = ("FID / Gaussian's", "FID", "inception score", "density", "coverage")


@dataclass(frozen=True)
class League:
    """The scores of several ways to draw images, all read by one judge; a notebook shows it as a table.

    Attributes:
        data: what the images were compared with, ``"MNIST"``.
        judge_accuracy: of the judge on the test images, in [0, 1].
        num_samples: images of each way.
        scores: name → scores; one name is ``"pixels, one Gaussian"``, whose FID the others are divided by.
    """

    data: str
    judge_accuracy: float
    num_samples: int
    scores: Mapping[str, SampleScores]

    def __post_init__(self) -> None:
        if REFERENCE not in self.scores:
            raise InputError(
                f'The league has no "{REFERENCE}" to divide by; it has {", ".join(self.scores) or "none"}.'
            )

    @classmethod
    def of(cls, scores: Mapping[str, SampleScores], *, data: ImageData, judge: Judge, num_samples: int) -> League:
        """The league of these scores.

        Raises:
            InputError: if ``"pixels, one Gaussian"`` is not among them.
        """
        title = data.title if data.is_real else data.source
        return cls(title, judge.accuracy, num_samples, dict(scores))

    def ratio(self, name: str) -> float:
        """The FID of one way over that of a single Gaussian on the pixels."""
        return self.scores[name].fid / self.scores[REFERENCE].fid

    def record(self) -> dict[str, Any]:
        """All of it as JSON has it; :meth:`from_record` turns it back."""
        scores = {name: asdict(score) for name, score in self.scores.items()}
        return asdict(self) | {"scores": scores}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> League:
        """What :meth:`record` wrote.

        Raises:
            DataError: if something is missing or of another kind.
        """
        try:
            scores = {name: SampleScores(**score) for name, score in record["scores"].items()}
            return cls(record["data"], record["judge_accuracy"], record["num_samples"], scores)
        except (KeyError, TypeError, AttributeError, InputError) as error:
            raise DataError(f"The stored league of samples is no such league ({error}).") from None

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                name,
                f"{self.ratio(name):.3f}",
                f"{score.fid:.1f}",
                f"{score.inception_score:.2f}",
                f"{score.density:.2f}",
                f"{score.coverage:.2f}",
            )
            for name, score in self.scores.items()
        ]

    def __str__(self) -> str:
        rows = [("", *_HEADS), *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = []
        for name, *numbers in rows:
            cells = [f"{number:>{width}}" for number, width in zip(numbers, widths[1:], strict=True)]
            lines.append("  ".join([f"{name:<{widths[0]}}", *cells]))
        return "\n".join([self._caption(), *lines])

    def _caption(self) -> str:
        correct = f"judge: {self.judge_accuracy:.2%} of the test images correct"
        return f"{self.num_samples:,} samples each, {self.data}; {correct}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        head = "".join(f"<th>{html.escape(part)}</th>" for part in ("", *_HEADS))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(part)}</td>" for part in row) + "</tr>" for row in self._rows()
        )
        table = f"<p>{html.escape(self._caption())}</p><table><tr>{head}</tr>{body}</table>"
        return {"text/plain": str(self), "text/html": table, MIME_TYPE: self.record()}


def league_path() -> Path:
    """The file that the league is kept in."""
    return Path(course_utils.__file__).resolve().parents[1] / "benchmarks" / "rivals.json"


def load_league() -> League:
    """The league as it was last measured, full and on the real data.

    Raises:
        DataError: if the file is missing or damaged.
    """
    path = league_path()
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); the lecture on variational autoencoders makes it.") from None
    return League.from_record(record)
