"""summary(model): the layers of a network as a table."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.readers.fonts import shortened
from micrograd_nn.readers.modules import (
    Call,
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
        The memory that they take; their gradients take as much again, and Adam's two moments of
        each twice as much.
    output_bytes : int or None
        The memory that the outputs of all layers take for the example.
    """

    rows: tuple[Row, ...]
    parameters: int
    bytes: int
    output_bytes: int | None = None

    def __str__(self) -> str:
        return self.table(shutil.get_terminal_size().columns)

    def __repr__(self) -> str:
        return str(self)

    def table(self, width: int) -> str:
        """Return the table, at most ``width`` characters wide.

        What is too wide for it is shortened: types, then names; the columns of types and of
        outputs are left out where not even that helps.

        Examples
        --------
        >>> from micrograd_nn import MLP
        >>> print(summary(MLP(2, [16, 1], seed=0)).table(30))
        layer     parameters
        ────────────────────
        layers.0          48
        layers.1          17
        ────────────────────
        total             65
        <BLANKLINE>
        memory    520 bytes
        training  1,040 bytes
                  (Adam 2,080 bytes)
        """
        lines = ["  ".join(cells).rstrip() for cells in self._cells(width)]
        rule = "─" * max(map(len, lines))
        training = [_memory(2 * self.bytes), f"(Adam {_memory(4 * self.bytes)})"]
        facts = {"memory": [_memory(self.bytes)], "training": training}
        if self.output_bytes is not None:
            facts["outputs"] = [_memory(self.output_bytes)]
        return "\n".join(
            [lines[0], rule, *lines[1:-1], rule, lines[-1], ""]
            + [line for name, parts in facts.items() for line in _fact(name, parts, width)]
        )

    def _cells(self, width: int) -> list[list[str]]:
        """Return the cells of the table, filled up to the widths of their columns."""
        columns = {
            "layer": [row.path for row in self.rows] + ["total"],
            "type": [row.kind for row in self.rows] + [""],
            "output": ["" if row.output is None else str(row.output) for row in self.rows] + [""],
            "parameters": [f"{n:,}" for n in (*(row.parameters for row in self.rows),
                                              self.parameters)],
        }  # fmt: skip
        if not any(columns["output"]):
            del columns["output"]
        widths = {name: max(map(len, [name, *cells])) for name, cells in columns.items()}
        for name in ("type", "output"):
            if _too_wide(widths, width, {"layer": _LEAST, "type": _LEAST}) and name in columns:
                del columns[name], widths[name]
        for name in ("type", "layer"):
            if name in widths:
                spare = _too_wide(widths, width, {})
                widths[name] = max(widths[name] - spare, min(widths[name], _LEAST))
        filled = []
        for name, cells in columns.items():
            fill = str.rjust if name == "parameters" else str.ljust
            filled.append(
                [fill(_short(name, cell, widths[name]), widths[name]) for cell in (name, *cells)]
            )
        return [list(cells) for cells in zip(*filled, strict=True)]


#: Names and types are not shortened to fewer characters than these.
_LEAST = 10


def _too_wide(widths: dict[str, int], room: int, least: dict[str, int]) -> int:
    """Return how much too wide a table is, with columns as narrow as they may be."""
    narrow = [min(w, least.get(name, w)) for name, w in widths.items()]
    return max(sum(narrow) + 2 * (len(narrow) - 1) - room, 0)


def _short(column: str, text: str, width: int) -> str:
    """Return a text of at most ``width`` characters.

    A type loses its arguments first; the end of a layer's path tells more than its beginning.
    """
    if len(text) <= width:
        return text
    if column == "layer":
        return "…" + text[len(text) - width + 1 :]
    return shortened(text.partition("(")[0], width)


def _fact(name: str, parts: list[str], width: int) -> list[str]:
    """Return a line of a name and its parts, or one line for each part if it is too wide."""
    line = f"{name:<8}  {' '.join(parts)}"
    if len(line) <= width:
        return [line]
    return [f"{label:<8}  {part}" for label, part in zip([name, ""], parts, strict=False)]


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
    total                                           33
    <BLANKLINE>
    memory    264 bytes
    training  528 bytes (Adam 1,056 bytes)
    outputs   13,600 bytes
    """
    check_network(model, "summary")
    if input_shape is not None:
        if example is not None:
            raise ValueError("give an example or input_shape, not both")
        example = np.zeros(tuple(input_shape))
    layers = layers_of(model)
    heard = [] if example is None else _heard(model, layers, example)
    shapes = {path: _shape_of(result) for path, result in heard}
    counts = dict.fromkeys(layers, 0)
    memory = 0
    for owner, _, node in parameters_by_layer(model, layers):
        counts[owner] = counts.get(owner, 0) + int(np.size(node._data))
        memory += int(np.asarray(node._data).nbytes)
    rows = [
        Row(path or type(model).__name__, kind_of(module), shapes.get(path), counts[path])
        for path, module in layers.items()
    ]
    outputs = None if example is None else sum(_bytes_of(result) for _, result in heard)
    return Summary(tuple(rows), sum(counts.values()), memory, outputs)


def _heard(model: Any, layers: dict[str, Any], example: Any) -> list[Call]:
    """Return what the layers give for an example.

    On a single one, scalar networks compute all layers at once, so it is made a batch of one.
    """
    heard = calls(model, layers, example)
    if {call.path for call in heard} < set(layers) and np.ndim(example) == 1:
        batch = calls(model, layers, np.asarray(example, dtype=np.float64)[None])
        if len(batch) > len(heard):
            return [Call(path, np.asarray(result._data)[0]) for path, result in batch]
    return heard


def _bytes_of(result: Any) -> int:
    if isinstance(result, (list, tuple)):
        return sum(map(_bytes_of, result))
    return int(np.asarray(getattr(result, "_data", result)).nbytes)


def _shape_of(result: Any) -> tuple[int, ...]:
    if isinstance(result, (list, tuple)):
        return (len(result), *_shape_of(result[0])) if result else (0,)
    return tuple(getattr(result, "shape", np.shape(result)))


def _memory(size: int) -> str:
    if size < 100_000:
        return f"{size:,} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1e7 else f"{size / 1e6:,.0f} MB"
