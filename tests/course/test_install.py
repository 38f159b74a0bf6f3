"""pyproject.toml, constraints.txt and environment.yml agree, and the environment is what they say."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
OWN = "course-utils"
NOT_PINNED = {OWN, "pip", "wheel"}  # pip comes with Python


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements() -> list[Requirement]:
    lists = [project()["dependencies"], *project()["optional-dependencies"].values()]
    return [Requirement(text) for group in lists for text in group]


def constraint_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def pins() -> dict[str, Version]:
    return {canonicalize_name(name): Version(version) for name, version in (x.split("==") for x in constraint_lines())}


def test_every_constraint_is_a_plain_pin():
    odd = [line for line in constraint_lines() if not re.fullmatch(r"[a-zA-Z0-9._-]+==[0-9][0-9a-z.]*", line)]
    assert odd == [], "no local version suffix, no marker, no option, no address"
    names = [line.split("==")[0] for line in constraint_lines()]
    assert len(set(map(canonicalize_name, names))) == len(names), "a package is pinned twice"


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml", "environment.yml"])
def test_no_index_address(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|git\+", text)


def test_every_requirement_is_met_by_its_pin():
    pinned = pins()
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is required and not pinned"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} does not allow {pinned[name]}"


def test_torch_and_torchvision_are_the_pair():
    exact = {r.name: str(r.specifier) for r in requirements() if r.name in ("torch", "torchvision")}
    assert exact == {"torch": "==2.13.0", "torchvision": "==0.28.0"}


def test_environment_yml_installs_what_make_installs():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, section = environment["dependencies"]
    python, *rest = conda
    assert rest == ["pip"], "conda brings Python and pip, and nothing that pip pins"
    version = python.removeprefix("python=")
    assert Requirement(f"python{project()['requires-python']}").specifier.contains(version)
    assert section == {"pip": ["-c constraints.txt", "-e ."]}
    assert "-c constraints.txt -e ." in (ROOT / "Makefile").read_text()


def test_supported_pythons_are_the_same_everywhere():
    assert project()["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] < (3, 14)" in (ROOT / "Makefile").read_text()
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    assert workflow["jobs"]["quick"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def reachable(extras: set[str]) -> set[str]:
    """The distributions that this project's requirements lead to in this environment, itself left out."""
    found: set[str] = set()
    waiting = [(OWN, frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        found.add(name)
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, needs):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (wanted or {""})):
                step = (canonicalize_name(requirement.name), frozenset(requirement.extras))
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)
    return found - NOT_PINNED


def test_everything_that_the_course_installs_is_pinned():
    needed = reachable({"", "test", "instructors"})
    assert len(needed) > 100, "the walk over the requirements found too little to prove anything"
    assert sorted(needed - set(pins())) == []


def test_installed_versions_are_the_pinned_ones():
    pinned = pins()
    compared = 0
    for name in reachable({"", "test", "instructors"}):
        try:
            installed = Version(importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            continue
        compared += 1
        assert Version(installed.public) == pinned[name], f"{name} is {installed} here, pinned to {pinned[name]}"
    assert compared > 100
