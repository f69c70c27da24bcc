"""Irregular scalar graphs: nothing in them can be rolled into matrix products.

``python benchmarks/irregular.py [--quick]`` runs them on many examples in each way there is.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from typing import Any

from harness import header, interleaved, note, table  # isort: skip (sets the threads)

import numpy as np

import micrograd_nn.functional as F
from micrograd_nn import Value
from micrograd_nn.readers.compile.blocks import Blocks
from micrograd_nn.readers.compile.interpreter import Interpreter
from micrograd_nn.readers.compile.straight import Straight
from micrograd_nn.readers.compile.tape import Tape, tape_of

KINDS = {"add": 34, "mul": 34, "sub": 12, "neg": 4, "relu": 8, "tanh": 3, "sigmoid": 2, "div": 3}
ARITHMETIC = {"add": 40, "mul": 40, "sub": 8, "neg": 4, "relu": 8}
RECENT = 300


def irregular(
    operations: int,
    kinds: dict[str, int] = KINDS,
    seed: int = 0,
    inputs: int = 8,
    leaves: int = 200,
) -> Tape:
    """Return the tape of a random graph of so many operations.

    Operands are results of the last few hundred operations, leaves and inputs; each result is read
    at least once. For numbers in [-1, 1] none grows beyond 8.
    """
    draw = random.Random(seed)
    x = [Value(draw.uniform(-1.0, 1.0), name=f"x{i}") for i in range(inputs)]
    w = [Value(draw.uniform(-1.0, 1.0), name=f"w{i}") for i in range(leaves)]
    size = dict.fromkeys(x + w, 1.0)  # a bound of each absolute value
    pool, unread, count = list(x), dict.fromkeys(x), 0

    def note(node: Value, bound: float) -> Value:
        nonlocal count
        size[node] = bound
        count += 1
        return node

    while count < operations - len(unread):
        kind = draw.choices(list(kinds), list(kinds.values()))[0]
        late = len(unread) > RECENT  # then the oldest one is read
        a = next(iter(unread)) if late else draw.choice(pool[-RECENT:])
        b = draw.choice(pool[-RECENT:] if draw.random() < 0.6 else w + x)
        if kind == "add":
            made = note(a + b, size[a] + size[b])
        elif kind == "sub":
            made = note(a - b, size[a] + size[b])
        elif kind == "mul":
            made = note(a * b, size[a] * size[b])
        elif kind == "div":
            below = note(note(b * b, 0.0) + 1.0, 0.0)
            made = note(a / below, size[a])
        elif kind in ("neg", "relu"):
            made = note(-a if kind == "neg" else F.relu(a), size[a])
        else:
            made = note(getattr(F, kind)(a), 1.0)
        if size[made] > 4.0:
            made = note(made * 0.25, 0.25 * size[made])
        if kind in ("add", "sub", "mul", "div"):
            unread.pop(b, None)
        unread.pop(a, None)
        pool.append(made)
        unread[made] = None
    root, *others = unread
    for other in others:
        root = root + other
    return tape_of(root, x)


def measured(operations: int, kinds: dict[str, int], rounds: int) -> None:
    """Print nanoseconds for each operation and example, forward and backward."""
    tape = irregular(operations, kinds)
    theta = np.array([leaf.data for leaf in tape.leaves])
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (len(tape.inputs), 10_000))
    start = time.perf_counter()
    blocks = Blocks(tape)
    planned = time.perf_counter() - start
    ways = {"NumPy, block by block": blocks}
    if importlib.util.find_spec("numba"):
        ways["numba's interpreter"] = Interpreter(tape)
    rows: dict[str, list[str]] = {name: [] for name in ways}
    rows["Python, straight-line"] = []
    straight = Straight(tape)
    for m in (100, 1_000, 10_000):
        part = np.ascontiguousarray(X[:, :m])
        contestants = {
            name: lambda run=run, part=part: run(part, theta) for name, run in ways.items()
        }
        if m == 100:
            contestants["Python, straight-line"] = lambda part=part: straight(part, theta)
        checked([run() for run in contestants.values()])
        times = interleaved(contestants, rounds)
        for name in rows:
            least = min(times[name]) / m / len(tape.rows) if name in times else None
            rows[name].append("" if least is None else f"{1e9 * least:.2f} ns")
    title = f"{len(tape.rows):,} operations: {', '.join(kinds)}"
    table(title, ["m = 100", "m = 1,000", "m = 10,000"], rows)
    note(f"for each operation and example, forward and backward; planned in {planned:.2f} s")


def checked(found: list[Any]) -> None:
    """Raise unless all ways agree in the values and gradients."""
    for other in found[1:]:
        for one, two in zip(found[0], other):
            np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-10)


def main() -> None:
    """Print a table for arithmetic alone, and one with functions."""
    quick = "--quick" in sys.argv
    header("Irregular scalar graphs, float64", "numpy", "numba")
    for kinds in (ARITHMETIC, KINDS):
        measured(1_000 if quick else 10_000, kinds, 3 if quick else 7)


if __name__ == "__main__":
    main()
