"""Drawing: graphs of scalar nodes as SVG, from the recorded node to the text of the picture.

Run ``python benchmarks/drawing.py [--quick]``. It compares with what micrograd's users do, where
the ``micrograd`` package and Graphviz's ``dot`` are installed: the ``draw_dot`` of its notebook
``trace_graph.ipynb``, which follows below, and SVG from ``dot``.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from harness import duration, header, interleaved, note, report  # isort: skip (sets the threads)

import graphviz

from micrograd_nn import MLP, Value, draw
from micrograd_nn.data import moons
from micrograd_nn.graph.order import toposort
from peers.scalars import UsersMLP
from workloads import demo


def draw_dot(root: Any) -> str:
    """Draw a graph as micrograd's notebook does."""
    nodes, edges = set(), set()

    def build(v: Any) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    for n in nodes:
        label = f"{{ data {n.data:.4f} | grad {n.grad:.4f} }}"
        dot.node(name=str(id(n)), label=label, shape="record")
        if n._op:
            dot.node(name=str(id(n)) + n._op, label=n._op)
            dot.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return str(dot.pipe(encoding="utf-8"))


def expression(value: Any, terms: int) -> Any:
    """Return the result of an expression of about four nodes a term."""
    a, b = value(0.5), value(-0.3)
    total = value(0.0)
    for k in range(terms):
        a, b = (a * b + 0.1 * k).relu(), a - b
        total = a + b + total
    total.backward()
    return total


def by_hand(value: Any, examples: int) -> Any:
    """Return the loss of a network that is written in scalar arithmetic."""
    model = UsersMLP(value, demo(examples))
    X, y = moons(examples, seed=0)
    total = value(0.0)
    for row, label in zip(X, y):
        total = total + (1 - (2 * float(label) - 1) * model([value(float(x)) for x in row])).relu()
    total.backward()
    return total


def by_mlp(examples: int) -> Any:
    """Return the loss of micrograd's demo, on our own MLP."""
    model = MLP(2, [16, 16, 1], seed=1)
    X, y = moons(examples, seed=0)
    losses = [(1 - (2 * t - 1) * model([Value(v) for v in row])).relu() for row, t in zip(X, y)]
    loss = sum(losses) * (1 / examples) + 1e-4 * sum(p * p for p in model.parameters())
    loss.backward()
    return loss


def compare(title: str, ours: Any, theirs: Any, rounds: int) -> None:
    """Print how long our picture takes, and that of micrograd's users."""
    contestants: dict[str, Callable[[], object]] = {
        "micrograd_nn draw(root).svg()": lambda: draw(ours).svg()
    }
    nodes = len(toposort(ours))
    if nodes <= 1000:
        contestants["... collapse=None, every node"] = lambda: draw(ours, collapse=None).svg()
    if theirs is not None:
        contestants["micrograd draw_dot, dot"] = lambda: draw_dot(theirs)
    times = interleaved(contestants, rounds)
    report(f"{title}, {nodes:,} nodes", times, list(contestants)[-1])


def chain(length: int) -> Value:
    """Return the last of a chain of that many nodes."""
    x = Value(0.5, name="x")
    for _ in range(length):
        x = x.tanh()
    return x


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    header("From a recorded graph to the text of its SVG", "numpy", "micrograd", "graphviz")
    peer = None
    if shutil.which("dot"):
        try:
            from micrograd import engine

            peer = engine.Value
        except ImportError:
            note("left out: micrograd's draw_dot (micrograd isn't installed)")
    else:
        note("left out: micrograd's draw_dot (Graphviz's dot isn't installed)")
    sizes = [(12, 5), (100, 3)] if quick else [(12, 7), (100, 5), (300, 1)]
    for terms, rounds in sizes:
        theirs = peer and expression(peer, terms)
        compare("an expression", expression(Value, terms), theirs, rounds)
    for examples in [1] if quick else [1, 2]:
        theirs = peer and by_hand(peer, examples)
        compare("a network by hand", by_hand(Value, examples), theirs, 1)
    for examples in (100, 500):
        compare("a network by MLP, collapsed", by_mlp(examples), None, 3 if quick else 7)
    for examples in (3, 12):
        compare("a network by hand, collapsed", by_hand(Value, examples), None, 3 if quick else 7)
    if not quick:
        long = chain(1_000_000)
        start = time.perf_counter()
        draw(long).svg()
        note(f"a chain of 10^6 nodes, collapsed: {duration(time.perf_counter() - start)}")
