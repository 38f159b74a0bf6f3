"""What several test modules ask for: one thread for small tensors, and figures in the course's style."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

pytest.register_assert_rewrite("gap_cells")
matplotlib.use("agg")


@pytest.fixture
def one_thread():
    """Tensors this small gain nothing from a second thread, and wait for it on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def course_style():
    """Figures as the notebooks draw them, closed afterwards."""
    with matplotlib.style.context("course_utils.course"):
        yield
    plt.close("all")
