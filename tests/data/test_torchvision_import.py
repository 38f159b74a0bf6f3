"""``import torchvision`` works beside a CPU torch, and versions that do not belong together are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_utils.data import _torchvision
from course_utils.errors import CourseError

WORKS = """
import torch
from course_utils.data import _torchvision
defined = []
define = torch.library.define
torch.library.define = lambda name, *rest, **named: (defined.append(name), define(name, *rest, **named))
module = _torchvision.load()
import torchvision
import torchvision.datasets.mnist, torchvision.transforms, torchvision.utils
assert module is torchvision
assert _torchvision.load() is torchvision
assert torchvision.transforms.ToTensor()(torchvision.transforms.ToPILImage()(torch.zeros(1, 4, 4))).shape == (1, 4, 4)
assert torchvision.utils.make_grid(torch.zeros(4, 1, 2, 2)).ndim == 3
print(sorted(name for name in defined if name.startswith("torchvision::") and name.endswith("nms")))
from torchvision.extension import _has_ops
print(_has_ops())
"""


def run(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_import_works_and_declares_only_what_is_needed() -> None:
    defined, has_library, _ = run(WORKS)
    assert has_library in ("True", "False")
    assert defined == ("[]" if has_library == "True" else "['torchvision::nms', 'torchvision::qnms']")


def _pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, built_for: str) -> None:
    """Let the metadata of an installed torchvision say something else."""
    info = folder / f"torchvision-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: torchvision\nVersion: {version}\nRequires-Dist: numpy\n"
    (info / "METADATA").write_text(text + f"Requires-Dist: torch (=={built_for})\n")
    monkeypatch.syspath_prepend(str(folder))


def test_mismatch_names_the_right_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(tmp_path, monkeypatch, "0.19.0", "2.4.0")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(CourseError) as caught:
        _torchvision.load()
    message = str(caught.value)
    assert "torchvision 0.19.0 belongs to torch 2.4.0" in message
    assert f"torch {torch.__version__.split('+')[0]} is installed" in message
    assert "pip install torch==2.13.0 torchvision==0.28.0" in message
    assert "\n" not in message


def test_another_pair_that_belongs_together_is_let_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(tmp_path, monkeypatch, "0.99.0", torch.__version__.split("+")[0])
    _torchvision.check_pair()


def test_pair_is_the_pinned_one() -> None:
    pins = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    for name, version in _torchvision.PAIR.items():
        assert f'"{name}=={version}"' in pins
