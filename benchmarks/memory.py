"""Memory: bytes per scalar node, a chain of a million nodes, and freeing without the collector.

Run ``python benchmarks/memory.py``.
"""

from __future__ import annotations

import copy
import gc
import pickle
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from harness import duration, header, table
from micrograd_nn import Value


def chain(length: int) -> Value:
    """Return the last of a chain of that many nodes, alternately sums and products."""
    x = Value(1.0)
    y = x
    for _ in range(length // 2):
        y = y * x + x
        y._data = 1.0  # keeps the numbers finite
    return y


def bytes_per_node() -> dict[str, list[str]]:
    """Return what a recorded node takes, before and after a backward pass, and what is left."""
    gc.disable()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    count = 100_000
    y = chain(count)
    recorded = tracemalloc.get_traced_memory()[0] - before
    y.backward()
    differentiated = tracemalloc.get_traced_memory()[0] - before
    del y
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gc.enable()
    return {
        "recorded": [f"{recorded / count:.0f} bytes"],
        "with its gradient": [f"{differentiated / count:.0f} bytes"],
        "after del, collector off": [f"{left / count:.2f} bytes"],
    }


def a_million() -> dict[str, list[str]]:
    """Return the time that a chain of 10^6 nodes takes."""
    actions: dict[str, Callable[[Any], Any]] = {
        "build": lambda y: chain(1_000_000),
        "backward": lambda y: y.backward() or y,
        "deep copy": lambda y: copy.deepcopy(y) and y,
        "pickle and back": lambda y: pickle.loads(pickle.dumps(y)) and y,
        "free": lambda y: None,
    }
    rows = {}
    y = None
    for name, action in actions.items():
        start = time.perf_counter()
        y = action(y)
        rows[name] = [duration(time.perf_counter() - start)]
    return rows


if __name__ == "__main__":
    header("Memory of scalar graphs", "numpy")
    table("a node, of 100,000 in a chain", ["memory"], bytes_per_node())
    table("a chain of 1,000,000 nodes", ["time"], a_million())
