"""The stop button, for the tests of trainings."""

import signal

import pytest


@pytest.fixture
def interrupt():
    """The stop button: a real SIGINT to this process, with Python's own handler for it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(model, value):
        signal.raise_signal(signal.SIGINT)
        return value

    yield press
    signal.signal(signal.SIGINT, before)
