"""The same random examples on every run, unless HYPOTHESIS_PROFILE asks for new ones; Ctrl-C."""

import signal

import pytest

from micrograd_nn.testing import profiles

profiles.load()


@pytest.fixture
def ctrl_c_raises():
    """Have Ctrl-C raise KeyboardInterrupt, also where the tests run with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
