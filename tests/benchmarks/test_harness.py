"""The table that all benchmarks print, and how contestants take turns."""

import gc
import importlib

import numpy as np
import pytest


@pytest.fixture
def harness():
    return importlib.import_module("harness")


def test_all_take_their_turn_in_every_round(harness):
    turns = []
    harness._TURN = 0.0  # no run is repeated
    times = harness.interleaved({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 3)
    assert turns == ["a", "b"] * 4  # the first runs aren't counted
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3}
    assert gc.get_freeze_count() == 0


def test_a_contestant_without_the_collector_leaves_it_on(harness):
    seen = []
    harness.without_collector(lambda: seen.append(gc.isenabled()))()
    assert (seen, gc.isenabled()) == ([False], True)


def test_a_section_has_minimum_median_and_ratios_to_the_base(harness, capsys):
    harness.report("title", {"slow": [3.0, 2.0, 5.0], "fast": [2e-3, 1e-3, 1e-3]}, base="slow")
    title, rule, slow, fast = capsys.readouterr().out.strip().splitlines()
    assert title.split() == ["title", "minimum", "median", "speed", "by", "round"]
    assert rule == "─" * harness.WIDTH
    assert slow.split() == ["slow", "2.00", "s", "3.00", "s", "base"]
    assert fast.split() == ["fast", "1.00", "ms", "1.00", "ms", "2,000", "×", "2,000", "×"]
    assert len(fast) <= harness.WIDTH


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.5, "1.50 s "),
        (0.0123, "12.3 ms"),
        (4.5e-5, "45.0 µs"),
        (3e-9, "3.00 ns"),
        (240, "240 s "),
    ],
)
def test_durations_have_three_digits_and_a_unit(harness, seconds, text):
    assert harness.duration(seconds) == text


def test_versions_are_those_of_what_is_installed(harness):
    line = harness.versions("numpy", "no_such_package")
    assert f"numpy {np.__version__}" in line
    assert "no_such_package" not in line
