"""Memory: bytes per scalar node, a chain of a million nodes, and freeing without the collector.

Run ``python benchmarks/memory.py``.
"""

from __future__ import annotations

import copy
import gc
import pickle
import time
import tracemalloc

from harness import versions

from micrograd_nn import Value


def chain(length: int) -> Value:
    """Return the last of a chain of that many nodes, alternately sums and products."""
    x = Value(1.0)
    y = x
    for _ in range(length // 2):
        y = y * x + x
        y._data = 1.0  # keeps the numbers finite
    return y


def bytes_per_node() -> None:
    """Print what a recorded node takes, before and after a backward pass, and what is left."""
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
    print(f"bytes a node: {recorded / count:.0f} recorded, {differentiated / count:.0f} with grad")
    print(f"left after del, collector off: {left} bytes of {differentiated}")


def a_million() -> None:
    """Print the seconds that a chain of 10^6 nodes takes."""
    actions = {
        "build": lambda y: chain(1_000_000),
        "backward": lambda y: y.backward() or y,
        "deep copy": lambda y: copy.deepcopy(y) and y,
        "pickle and back": lambda y: pickle.loads(pickle.dumps(y)) and y,
        "free": lambda y: None,
    }
    y = None
    for name, action in actions.items():
        start = time.perf_counter()
        y = action(y)
        print(f"10^6 nodes, {name:<16} {time.perf_counter() - start:6.2f} s")


if __name__ == "__main__":
    print(versions("numpy"))
    bytes_per_node()
    a_million()
