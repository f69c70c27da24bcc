"""The time of ``import micrograd_nn`` against ``import numpy``, each in a process of its own.

Run ``python benchmarks/imports.py [--quick]``. The modules are compiled to bytecode beforehand, as
they are on every machine from the second import on. Below stands what takes the time, as Python's
``-X importtime`` measures it, which makes it half as long again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from harness import header, interleaved, note, report, table  # isort: skip

_OURS = "micrograd_nn"
_PEERS = ("micrograd.engine", "autograd.numpy", "jax", "mygrad", "tinygrad", "torch")
_ROOT = str(Path(__file__).resolve().parents[1])


def importing(module: str, folder: str, *options: str) -> Callable[[], str]:
    """Return a function that imports a module in a new process, with bytecode in ``folder``."""
    paths = [_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": folder,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *options, "-c", f"import {module}"]

    def run() -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stderr

    return run


def parts(log: str) -> dict[str, float]:
    """Return the milliseconds that modules take by themselves, ours and what only ours need."""
    found: dict[str, float] = {}
    for line in log.splitlines():
        match = re.fullmatch(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line)
        if match:
            found[match[2]] = int(match[1]) / 1000
    return found


def profile(folder: str, count: int) -> None:
    """Print the modules that take longest among those that ``import numpy`` doesn't load."""
    numpy = parts(importing("numpy", folder, "-X", "importtime")())
    ours = parts(importing(_OURS, folder, "-X", "importtime")())
    added = {name: time for name, time in ours.items() if name not in numpy}
    total = sum(added.values())
    longest = sorted(added, key=added.__getitem__, reverse=True)[:count]
    rows = {name: [f"{added[name]:.1f} ms", f"{added[name] / total:.0%}"] for name in longest}
    table(
        f"{len(added)} modules that numpy hasn't, {total:.0f} ms in all", ["itself", "part"], rows
    )


def main() -> None:
    """Print the times, then what they are made of."""
    quick = "--quick" in sys.argv
    header("Importing, in a new process", "numpy", "micrograd", "autograd", "jax", "torch")
    names = {"nothing": "sys", "numpy": "numpy", _OURS: _OURS}
    if not quick:
        names |= {peer: peer for peer in _PEERS if find_spec(peer.partition(".")[0])}
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: importing(module, folder) for name, module in names.items()}
        for run in runs.values():
            run()
        times = interleaved(runs, 5 if quick else 15)
        report("import", times, "numpy")
        more = 1e3 * (min(times[_OURS]) - min(times["numpy"]))
        note(f"{_OURS} takes {more:.0f} ms more than numpy")
        profile(folder, 10)


if __name__ == "__main__":
    main()
