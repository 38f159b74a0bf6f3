"""List the claims of all notebooks, out of their stored outputs."""

from __future__ import annotations

import argparse

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.records import read_claims

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """``python -m course_utils claims [02 …]``: a line per claim; ``pages`` makes the table of them, CLAIMS.md."""
    parser = argparse.ArgumentParser("course_utils claims", description="The claims of all stored notebooks.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures when left out")
    entries = read_claims(notebooks.find(parser.parse_args(arguments).notebook, ["notebooks"]))
    for entry in entries:
        print(f"{entry.path.stem[:2]} {entry.claim}")
    print(f"{len(entries)} claims, {sum(e.claim.verdict == 'holds' for e in entries)} of them judged and holding.")
    return 0
