"""Hypothesis profiles (the same examples on every run, or many new ones), and Ctrl-C."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A verdict must not depend on how fast the machine is.
CLOCK_FREE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("quick", CLOCK_FREE, derandomize=True)
settings.register_profile("thorough", CLOCK_FREE, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
def ctrl_c_raises():
    """Have Ctrl-C raise KeyboardInterrupt, also where the tests run with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
