"""How nbgrader makes exercises and grades them, so that its own commands and ``make release`` do the same.

nbgrader reads this file in the folder where it is started; ``python -m course_utils grade`` hands it on.
"""

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    SaveCells,
)

from course_utils.commands.release import MarkChecks

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "deep-unsupervised-learning"

c.GenerateAssignment.preprocessors = [
    LockCells,
    ClearSolutions,
    ClearOutput,
    MarkChecks,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# Seconds for each cell of a submission; a kernel that would otherwise warn on stderr.
c.Execute.timeout = 180
c.KernelManager.transport_encryption = "auto"
