"""What all tests share: the same random examples on every run, operations of their own, Ctrl-C."""

import signal

import pytest

from micrograd_nn import primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.testing import profiles

profiles.load()


@pytest.fixture
def ctrl_c_raises():
    """Have Ctrl-C raise KeyboardInterrupt, also where the tests run with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def table_kept():
    """Take the operations that a test made out of the table again.

    Those that the library makes when they are first used, such as a unit's, stay: it keeps them.
    """
    before = set(table)
    yield
    for name in set(table) - before:
        modules = [rule.__module__ or "" for rule in table[name].rules if rule is not None]
        if not any(module.startswith("micrograd_nn") for module in modules):
            del table[name]


@pytest.fixture
def own(table_kept):
    """Return ``primitive``; what it makes is gone after the test."""
    return primitive
