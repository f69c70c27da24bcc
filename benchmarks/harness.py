"""Timing in turn, and the table that all scripts print.

Each round runs every contestant, so that a drift of the machine hits all. A short step is
repeated within its turn. What was made before the timing is taken out of the garbage collector's
sight: nobody pays for the modules that another contestant has loaded.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import os
import platform
import statistics
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

WIDTH = 100
_TURN = 0.02  # seconds: a turn is at least as long, if a step is shorter

Times = dict[str, list[float]]


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Return the seconds that one run of each contestant takes, a number for each round."""
    times: Times = {name: [] for name in contestants}
    repeats = {name: _repeats(run) for name, run in contestants.items()}
    gc.freeze()
    try:
        for _ in range(rounds):
            for name, run in contestants.items():
                gc.collect()  # what the one before has left
                turn = range(repeats[name])
                start = time.perf_counter()
                for _ in turn:
                    run()
                times[name].append((time.perf_counter() - start) / len(turn))
    finally:
        gc.unfreeze()
    return times


def _repeats(run: Callable[[], object]) -> int:
    """Return how often a contestant runs in its turn, from a run that isn't counted."""
    start = time.perf_counter()
    run()
    return max(1, int(_TURN / max(time.perf_counter() - start, 1e-9)))


def without_collector(run: Callable[[], object]) -> Callable[[], None]:
    """Return a contestant that runs with the garbage collector switched off."""

    def quiet() -> None:
        gc.disable()
        run()
        gc.enable()

    return quiet


def header(title: str, *packages: str) -> None:
    """Print what a script measures and on what, and keep the process on one core.

    XLA uses all that it is given, whatever its flags say.
    """
    where = "1 thread"
    if hasattr(os, "sched_setaffinity"):  # on Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        where = "1 thread on 1 core"
    print(f"{title}\n{where}, garbage collector on where nothing else is said")
    print(versions(*packages), flush=True)


def report(section: str, times: Times, base: str) -> None:
    """Print a section of the table: a row of times for each contestant.

    The last columns say how many times as fast as ``base`` a contestant is: by the minima, and in
    the median of the rounds.
    """
    rows = {}
    for name, seconds in times.items():
        by_round = statistics.median(b / s for b, s in zip(times[base], seconds))
        rows[name] = [
            duration(min(seconds)),
            duration(statistics.median(seconds)),
            "base" if name == base else factor(min(times[base]) / min(seconds)),
            "" if name == base else factor(by_round),
        ]
    table(section, ["minimum", "median", "speed", "by round"], rows)


def table(section: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """Print a section of the table."""
    print()
    _row(section, columns)
    print("─" * WIDTH)
    for name, cells in rows.items():
        _row(name, cells)


def _row(name: str, cells: Sequence[str]) -> None:
    line = f"{name:<{WIDTH - 48}}" + "".join(f"{cell:>12}" for cell in cells)
    print(line.rstrip(), flush=True)


def note(text: str) -> None:
    """Print a remark on a section."""
    lines = textwrap.wrap(text, WIDTH - 2)
    print(textwrap.indent("\n".join(lines), "  "), flush=True)


@cache
def note_once(text: str) -> None:
    """Print a remark that holds for all sections."""
    note(text)


def duration(seconds: float) -> str:
    """Return a time of three digits with its unit."""
    for scale, unit in ((1.0, "s "), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{_digits(seconds / scale)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def factor(ratio: float) -> str:
    """Return a ratio of three digits."""
    return f"{ratio:.2g} ×" if ratio < 0.1 else f"{_digits(ratio)} ×"


def _digits(number: float) -> str:
    """Return a number of three digits, or of all before the point."""
    return f"{number:,.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def versions(*packages: str) -> str:
    """Return the machine, and the versions of Python and of the packages that are installed."""
    found = [f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"]
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return textwrap.fill(", ".join(found), WIDTH)
