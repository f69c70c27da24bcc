"""Timing in turn: each round runs every contestant, so that a drift of the machine hits all."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")


def interleaved(
    contestants: dict[str, Callable[[], object]], rounds: int, collector: bool
) -> dict[str, list[float]]:
    """Return the seconds of each contestant's runs, after one run that isn't counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    (gc.enable if collector else gc.disable)()
    try:
        for _ in range(rounds):
            for name, run in contestants.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return times


def repeated(run: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a function that runs a short one many times."""

    def several() -> None:
        for _ in range(times):
            run()

    return several


def report(title: str, times: dict[str, list[float]], base: str, per: int = 1) -> None:
    """Print minimum and median in milliseconds, and how many times as fast as ``base`` each is.

    The ratio of the minima comes first; in brackets stands the median of the ratios by round.
    """
    print(f"\n{title}")
    for name, seconds in times.items():
        by_round = statistics.median(b / s for b, s in zip(times[base], seconds, strict=True))
        print(
            f"  {name:<34} min {1e3 * min(seconds) / per:9.3f} ms"
            f"   median {1e3 * statistics.median(seconds) / per:9.3f} ms"
            f"   {min(times[base]) / min(seconds):8.2f}x  ({by_round:.2f}x)"
        )


def versions(*packages: str) -> str:
    """Return the machine, Python and package versions as one line."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, 1 BLAS thread, "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )
