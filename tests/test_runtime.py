"""The one line that says how a notebook runs, and the errors for variables that say something impossible."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils import runtime
from course_utils.errors import InputError, did_you_mean

VARIABLES = ("COURSE_PROFILE", "COURSE_SEED", "COURSE_STRICT", "COURSE_DEVICE", "COURSE_THREADS")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    threads, before = torch.get_num_threads(), runtime._current
    yield
    torch.set_num_threads(threads)
    runtime._current = before


def test_setup_says_everything_in_one_line(capsys):
    settled = runtime.setup(seed=7)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    for part in ("seed 7", f"device {settled.device}", "thread", "profile full", "torch 2."):
        assert part in lines[0]
    assert runtime.current() is settled


def test_the_same_seed_gives_the_same_numbers():
    runtime.setup(seed=3)
    first = torch.rand(4), np.random.rand(4)
    runtime.setup(seed=3)
    second = torch.rand(4), np.random.rand(4)
    assert torch.equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_variables_take_the_place_of_arguments(monkeypatch):
    monkeypatch.setenv("COURSE_SEED", "41")
    monkeypatch.setenv("COURSE_THREADS", "1")
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setenv("COURSE_STRICT", "1")
    settled = runtime.setup(seed=7)
    assert (settled.seed, settled.threads, settled.device.type, settled.strict) == (41, 1, "cpu", True)
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(("profile", "expected"), [("full", 10), ("quick", 1), ("", 10)])
def test_pick_follows_the_profile(monkeypatch, profile, expected):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    assert runtime.pick(full=10, quick=1) == expected


def test_a_profile_that_is_none_names_the_two_there_are(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(InputError, match=r'"fast".*full, quick'):
        runtime.setup()


@pytest.mark.parametrize(
    ("variable", "value"), [("COURSE_SEED", "one"), ("COURSE_SEED", "-1"), ("COURSE_THREADS", "0")]
)
def test_a_number_that_is_none_is_said(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=f'{variable} is "{value}"'):
        runtime.setup()


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "cpu:first", "cpu:"])
def test_a_device_that_is_not_there_names_those_that_are(monkeypatch, device):
    monkeypatch.setenv("COURSE_DEVICE", device)
    with pytest.raises(InputError, match=rf'"{device}".*Available: .*cpu'):
        runtime.setup()


def test_errors_show_no_stack_trace_in_jupyter():
    shown = InputError("A first sentence that says what happened. " * 5)._render_traceback_()
    assert shown[0].startswith("InputError: A first sentence")
    assert all(len(line) <= 100 for line in shown)


def test_did_you_mean_offers_the_nearest_name():
    assert did_you_mean("mnits", ["mnist", "fashion-mnist"]).startswith('Did you mean "mnist"?')
    assert did_you_mean("zzz", ["mnist"]) == "There are: mnist."


def test_numbers_too_small_to_matter_are_flushed_to_zero():
    code = "import torch; from course_utils.runtime import setup; setup(); x = torch.full((64,), 1e-38) * 1e-3; "
    code += "print(x.count_nonzero().item())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "0"


def test_waiting_threads_sleep_in_what_the_course_starts():
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    code = "import course_utils, os; print(os.environ['GOMP_SPINCOUNT'])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "10000"


def test_mixed_precision_multiplies_in_bfloat16_only_where_that_is_faster(monkeypatch):
    a = torch.ones(2, 2)
    for capable, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda capable=capable: {"avx512_bf16": capable})
        with runtime.mixed_precision("cpu"):
            assert (a @ a).dtype is dtype
    assert (a @ a).dtype is torch.float32
