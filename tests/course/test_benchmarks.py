"""The speed benchmark runs, prints its ratios, and judges them rightly; how fast it is here is not tested."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "training_speed.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("training_speed", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(text):
    return {m[1]: m for m in re.finditer(r"^(fit / \w+) +([\d.]+) +([\d.]+) +([\d.]+) +≤ ([\d.]+)  (.+)$", text, re.M)}


def test_a_quick_run_prints_shares_and_ratios_and_judges_nothing():
    environment = os.environ | {"COURSE_THREADS": "1", "COURSE_STRICT": "1"}
    done = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for arm in ("fit", "bare", "usual"):
        assert re.search(rf"^{arm} +\d+\.\d{{3}} +\d+\.\d%$", done.stdout, re.M)
    assert re.search(r"the machine: \d+ GFLOP/s", done.stdout)
    assert "data: random images" in done.stdout
    assert "bit for bit: yes" in done.stdout
    found = rows(done.stdout)
    assert {name: row[5] for name, row in found.items()} == {"fit / bare": "1.05", "fit / usual": "0.5"}
    for row in found.values():
        assert 0 < float(row[3]) <= float(row[2]) <= float(row[4])
        assert row[6] == "too short to judge"


@pytest.mark.parametrize(
    ("fit", "same", "verdicts", "holds"),
    [
        ([1.04, 1.04, 9.0], True, ["holds", "holds"], True),
        ([1.06, 1.06, 1.0], True, ["missed here", "holds"], False),
        ([2.00, 2.00, 2.0], True, ["missed here", "missed here"], False),
        ([1.00, 1.00, 1.0], False, ["holds", "holds"], False),
    ],
)
def test_the_verdict_is_on_the_median_ratio(benchmark, capsys, fit, same, verdicts, holds):
    seconds = {"fit": fit, "bare": [1.0, 1.0, 1.0], "usual": [3.0, 3.0, 3.0]}
    assert benchmark.report(seconds, 1e11, same, 430, judge=True) is holds
    found = rows(capsys.readouterr().out)
    assert [row[6] for row in found.values()] == verdicts
    assert float(found["fit / bare"][2]) == pytest.approx(sorted(fit)[1])


def test_flops_are_those_of_the_layers(benchmark):
    layers = [(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)]
    forward = sum(2 * benchmark.BATCH_SIZE * n_in * n_out for n_in, n_out in layers)
    of_the_images = 2 * benchmark.BATCH_SIZE * 784 * 400  # nobody asks for the gradient of the data
    assert benchmark.step_flops() == 3 * forward - of_the_images


def test_the_usual_way_sees_the_same_images(benchmark):
    import torch

    x = (torch.arange(2 * 784) % 256).reshape(2, 784) / 255
    images = torch.stack([benchmark.Pictures(x)[i][0] for i in range(2)])
    assert images.shape == (2, 1, 28, 28)
    torch.testing.assert_close(images.flatten(1), x)
