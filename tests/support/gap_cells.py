"""What the tests of all exercises' checks share: the gaps of a solution notebook as answers to its checks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from course_utils.checks.core import Check, Mistake, NotAttempted, Wrong
from course_utils.runtime import pick

SOLUTIONS = Path(__file__).parents[2] / "solutions"


@dataclass(frozen=True)
class Exercise:
    """The gaps of one solution notebook, and their checks.

    Attributes:
        stem: the notebook's name without its ending.
        checks: the module that holds its checks.
        names: the gaps in the notebook's order, each with the names that its check is handed.
        given: what the cells of the gaps find defined.
        slow: gaps whose checks run a training; they are tried less often in the full profile.
    """

    stem: str
    checks: ModuleType
    names: Mapping[str, tuple[str, ...]]
    given: Mapping[str, Any]
    slow: Collection[str] = ()

    @property
    def cells(self) -> list[nbformat.NotebookNode]:
        return nbformat.read(SOLUTIONS / f"{self.stem}.ipynb", as_version=4).cells

    def check(self, gap: str) -> Check:
        return getattr(self.checks, gap.replace("-", "_"))

    def call(self, gap: str) -> str:
        """What the notebook's check cell says."""
        return f"checks.{self.checks.__name__.split('.')[-1]}.{gap.replace('-', '_')}({', '.join(self.names[gap])})"

    def times(self, gap: str) -> range:
        """As often as an answer is checked: every check draws afresh, and no draw may turn the outcome."""
        return range(pick(full=10 if gap in self.slow else 50, quick=3))

    def defined(self, gap: str, *, solved: bool) -> dict[str, Any]:
        """What the notebook's cell defines, over what is given, with its regions or with stubs in their place."""
        source = next(c.source for c in self.cells if c.metadata.get("nbgrader", {}).get("grade_id") == gap)
        if not solved:
            source = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "...", source, flags=re.S)
        names = dict(self.given)
        exec(source, names)
        return names

    def answers(self, gap: str, *, solved: bool = True, **changed: Any) -> tuple[Any, ...]:
        """The notebook's answers to a gap, some of them changed."""
        defined = self.defined(gap, solved=solved) | changed
        return tuple(defined[name] for name in self.names[gap])

    def filled(self, gap: str, answer: Any) -> tuple[Any, ...]:
        """An answer in the short form of the tests' tables: all of it, or a dict of what differs from the notebook."""
        return self.answers(gap, **answer) if isinstance(answer, dict) else as_answers(answer)

    def outcome(self, gap: str, *given: Any, **changed: Any) -> str:
        """The message of a wrong answer: the one given, or the notebook's with a part of it changed."""
        with pytest.raises(Wrong) as caught:
            self.check(gap)(*(given or self.answers(gap, **changed)))
        return str(caught.value)


def as_answers(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.usefixtures("one_thread")
class GapTests:
    """What holds for the checks of every exercise; a test module derives ``TestGaps`` and fills the attributes.

    Attributes:
        exercise: the exercise.
        gaps: those tested here, where several modules share a long exercise; by default all of them.
        unknown: for each gap, wrong answers that no known mistake describes, by a few words.
        may_be_known: gaps whose unknown mistakes may be answered by the message of a known one.
        right: answers that are right and are not the notebook's, each with its gap.
        rounds: how many times as often as the others the notebook's own answers are checked.
        below: by how many cells a check stands below its gap.
    """

    exercise: Exercise
    gaps: Collection[str] = ()
    unknown: Mapping[str, Mapping[str, Any]]
    may_be_known: Collection[str] = ()
    right: Sequence[tuple[str, Any]]
    rounds = 1
    below = 1

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each test once for each gap, or for each case of a gap that it asks for by an argument's name."""
        for kind, cases in self.cases().items():
            if kind in metafunc.fixturenames:
                values = [pytest.param(gap, value, id=f"{gap}: {name}") for gap, name, value in cases]
                metafunc.parametrize(("gap", kind), values)
                return
        if "gap" in metafunc.fixturenames:
            metafunc.parametrize("gap", self.gaps or self.exercise.names)

    def cases(self) -> dict[str, list[tuple[str, str, Any]]]:
        """Gap, name and value of each case, by the kind of case."""
        gaps, names = self.gaps or self.exercise.names, self.exercise.names
        return {
            "part": [(gap, part, part) for gap in gaps for part in names[gap] if len(names[gap]) > 1],
            "known": [(gap, mistake.name, mistake) for gap in gaps for mistake in self.exercise.check(gap).mistakes],
            "unheard_of": [(gap, name, answer) for gap in gaps for name, answer in self.unknown[gap].items()],
            "other_way": [(gap, f"way {i}", answer) for i, (gap, answer) in enumerate(self.right)],
        }

    def test_every_gap_of_the_notebook_is_tested_and_its_check_is_the_cell_below(self):
        roles = [(c.metadata.get("nbgrader", {}), c.source) for c in self.exercise.cells]
        gaps = [i for i, (role, _) in enumerate(roles) if role.get("solution")]
        assert [roles[i][0]["grade_id"] for i in gaps] == list(self.exercise.names)
        assert all(roles[i + self.below][0].get("grade") for i in gaps)
        calls = [source for role, source in roles if role.get("grade")]
        assert calls == [self.exercise.call(gap) for gap in self.exercise.names]

    def test_an_open_gap_is_not_attempted(self, gap):
        with pytest.raises(NotAttempted, match="still a gap"):
            self.exercise.check(gap)(*self.exercise.answers(gap, solved=False))

    def test_a_gap_is_open_until_each_of_its_parts_is_filled(self, gap, part):
        stub = self.exercise.defined(gap, solved=False)[part]
        with pytest.raises(NotAttempted):
            self.exercise.check(gap)(*self.exercise.answers(gap, **{part: stub}))

    def test_the_solution_is_right_on_every_draw(self, gap, capsys):
        answers = self.exercise.answers(gap)
        for _ in range(self.rounds * len(self.exercise.times(gap))):
            assert self.exercise.check(gap)(*answers) is None
        said = capsys.readouterr()
        assert "Right" in said.out
        assert said.err == ""

    def test_each_gap_knows_mistakes_by_name(self, gap):
        messages = [mistake.message for mistake in self.exercise.check(gap).mistakes]
        assert len(messages) >= 2
        assert len(set(messages)) == len(messages)
        assert len(self.unknown[gap]) >= 2

    def test_a_known_mistake_is_wrong_with_its_message_on_every_draw(self, gap, known: Mistake):
        for _ in self.exercise.times(gap):
            assert self.exercise.outcome(gap, *as_answers(known.make)) == known.message

    def test_a_mistake_nobody_thought_of_is_wrong_as_well(self, gap, unheard_of):
        known = {mistake.message for mistake in self.exercise.check(gap).mistakes}
        given = self.exercise.filled(gap, unheard_of)
        for _ in self.exercise.times(gap):
            message = self.exercise.outcome(gap, *given)
            assert gap in self.may_be_known or message not in known

    def test_other_ways_to_be_right_are_right(self, gap, other_way):
        given = self.exercise.filled(gap, other_way)
        for _ in self.exercise.times(gap):
            self.exercise.check(gap)(*given)


@pytest.mark.usefixtures("one_thread")
class PredictionTests:
    """What holds where one word for each of several experiments is asked for, in a gap named ``prediction``.

    Attributes:
        exercise: the exercise.
        ambiguous: predictions whose messages hold the right word in another sense.
    """

    exercise: Exercise
    ambiguous: Collection[str] = ()

    @pytest.mark.parametrize("word", ["lower", "same", "higher"])
    def test_a_message_asks_and_does_not_tell_the_prediction(self, word):
        answers = self.exercise.answers("prediction")
        for name, right in zip(self.exercise.names["prediction"], answers, strict=True):
            if right != word:
                message = self.exercise.outcome("prediction", **{name: word})
                assert message.startswith(f"{name}: ")
                assert '"' not in message
                assert name in self.ambiguous or right not in message.split()
