"""summary(model): the layers of a network as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.readers.modules import (
    calls,
    check_network,
    kind_of,
    layers_of,
    parameters_by_layer,
)


@dataclass(frozen=True)
class Row:
    """One layer: its dotted name, its type, the shape of its output, its own parameters."""

    path: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The layers of a network; ``summary`` makes it, and ``print`` shows it as a table.

    Attributes
    ----------
    rows : tuple of Row
    parameters : int
        The number of trained numbers, each counted once.
    bytes : int
        The memory that they take.
    """

    rows: tuple[Row, ...]
    parameters: int
    bytes: int

    def __str__(self) -> str:
        with_shapes = any(row.output is not None for row in self.rows)
        head = ["layer", "type", *(["output"] if with_shapes else []), "parameters"]
        table = [head]
        for row in self.rows:
            shape = "" if row.output is None else str(row.output)
            cells = [row.path, row.kind, *([shape] if with_shapes else []), f"{row.parameters:,}"]
            table.append(cells)
        table.append(["total", *[""] * (len(head) - 2), f"{self.parameters:,}"])
        widths = [max(len(line[i]) for line in table) for i in range(len(head))]
        lines = []
        for line in table:
            cells = [cell.ljust(w) for cell, w in zip(line[:-1], widths, strict=False)]
            lines.append("  ".join([*cells, line[-1].rjust(widths[-1])]))
        rule = "─" * len(lines[0])
        lines[1:1] = [rule]
        lines[-1:-1] = [rule]
        lines[-1] += f"  ({_memory(self.bytes)})"
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def summary(model: Any, example: Any = None, input_shape: Sequence[int] | None = None) -> Summary:
    """Return a table of the layers of a network, with their outputs' shapes if an input is given.

    Parameters
    ----------
    model : Module
        Or any object with ``named_modules()`` and ``named_parameters()``. Layers of neurons are
        one row each.
    example : array, optional
        An input, on which the network is run without recording.
    input_shape : sequence of int, optional
        Its shape, instead of an example.

    Returns
    -------
    Summary

    Raises
    ------
    TypeError
        If ``model`` has no layers to name.
    ValueError
        If both an example and a shape are given.

    Examples
    --------
    >>> from micrograd_nn import Linear, Sequential
    >>> model = Sequential(Linear(2, 8, seed=0), "tanh", Linear(8, 1, seed=1))
    >>> summary(model, input_shape=(100, 2))
    layer     type                output    parameters
    ──────────────────────────────────────────────────
    layers.0  Linear(2, 8)        (100, 8)          24
    layers.1  Activation('tanh')  (100, 8)           0
    layers.2  Linear(8, 1)        (100, 1)           9
    ──────────────────────────────────────────────────
    total                                           33  (264 bytes)
    """
    check_network(model, "summary")
    if input_shape is not None:
        if example is not None:
            raise ValueError("give an example or input_shape, not both")
        example = np.zeros(tuple(input_shape))
    layers = layers_of(model)
    shapes = (
        {}
        if example is None
        else {path: _shape_of(result) for path, result in calls(model, layers, example)}
    )
    counts = dict.fromkeys(layers, 0)
    memory = 0
    for owner, _, node in parameters_by_layer(model, layers):
        counts[owner] = counts.get(owner, 0) + int(np.size(node._data))
        memory += int(np.asarray(node._data).nbytes)
    rows = [
        Row(path or type(model).__name__, kind_of(module), shapes.get(path), counts[path])
        for path, module in layers.items()
    ]
    return Summary(tuple(rows), sum(counts.values()), memory)


def _shape_of(result: Any) -> tuple[int, ...]:
    if isinstance(result, (list, tuple)):
        return (len(result), *_shape_of(result[0])) if result else (0,)
    return tuple(getattr(result, "shape", np.shape(result)))


def _memory(size: int) -> str:
    if size < 10_000:
        return f"{size:,} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1e7 else f"{size / 1e6:,.0f} MB"
