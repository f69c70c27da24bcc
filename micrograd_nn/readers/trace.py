"""trace(root): the forward and the backward pass as a table, one line for each event."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.fonts import shortened
from micrograd_nn.readers.formulas import derivative, filled, formula
from micrograd_nn.readers.labels import labels
from micrograd_nn.readers.numbers import number, numbers
from micrograd_nn.readers.passes import Contribution, Event, Forward, Seed, passes

Cells = tuple[str, ...]

_FORWARD = ("step", "forward", "in numbers", "result")
_BACKWARD = ("step", "backward", "upstream · local", "accumulated")
_GAP, _LEAST = "  ", 12


class Trace:
    """The events of the two passes over a graph; ``trace`` makes it, ``print`` shows it.

    Attributes
    ----------
    events : tuple of Forward, Seed and Contribution
        In order; ``micrograd_nn.readers.passes`` describes them.
    labels : dict
        What each node is called in the table.
    """

    def __init__(self, events: Sequence[Event], labels: dict[Node, str]) -> None:
        self.events = tuple(events)
        self.labels = labels

    def table(self, width: int | None = None, most: int = 40) -> str:
        """Return the table as text.

        Parameters
        ----------
        width : int, optional
            The number of characters in a line; that of the terminal, unless it is given.
        most : int
            The number of events of each pass that are shown; those in the middle are left out.
        """
        width = shutil.get_terminal_size((100, 24)).columns if width is None else width
        forward = sum(isinstance(event, Forward) for event in self.events)
        if not self.events:
            return "no events: nothing was computed, and no gradient is wanted"
        spans = ((_FORWARD, 0, forward), (_BACKWARD, forward, len(self.events)))
        for brief in (False, True):
            parts = [
                self._part(header, first, last, max(most, 2), brief)
                for header, first, last in spans
                if first < last
            ]
            widths = _widths([line for part in parts for line in part if len(line) > 1])
            if _total(widths) <= width:
                break
        widths = _narrowed(widths, width)
        return "\n\n".join(_aligned(part, widths) for part in parts)

    def _part(self, header: Cells, first: int, last: int, most: int, brief: bool) -> list[Cells]:
        """Return the lines of one pass; a line of one cell says what is left out."""
        if last - first <= most:
            return [header, *(self._cells(i, brief) for i in range(first, last))]
        stop, resume = first + (most + 1) // 2, last - most // 2
        before = [self._cells(i, brief) for i in range(first, stop)]
        after = [self._cells(i, brief) for i in range(resume, last)]
        between = f"⋮ {resume - stop:,} more, steps {stop + 1:,} … {resume:,}"
        return [header, *before, (between,), *after]

    def _cells(self, index: int, brief: bool) -> Cells:
        event = self.events[index]
        if isinstance(event, Forward):
            cells = self._forward(event)
        elif isinstance(event, Seed):
            cells = self._gradient(event.node), "the seed", _value(event.value)
        else:
            cells = self._backward(event, brief)
        return f"{index + 1:,}", *cells

    def _forward(self, event: Forward) -> Cells:
        node, names = event.node, self.labels
        template = formula(node)
        symbols = {str(i): names[child] for i, child in enumerate(node.inputs)}
        equation = f"{names[node]} = {filled(template, symbols)}"
        return equation, _in_numbers(event, template), _value(event.value)

    def _backward(self, event: Contribution, brief: bool) -> Cells:
        node, child, names = event.node, event.input, self.labels
        upstream, gradient = self._gradient(node), self._gradient(child)
        accumulated = _value(event.accumulated)
        if np.ndim(event.upstream) == 0 and np.ndim(event.value) == 0:
            product = filled("{0} · {1}", {"0": _value(event.upstream), "1": _value(event.local)})
            numbers = product if brief else f"{product} = {_value(event.value)}"
            chain = f"{upstream} · ∂{names[node]}/∂{names[child]}"
        else:
            numbers = _shape(event.value)
            chain = self._chain_of_arrays(event, upstream)
        if brief:
            return f"{gradient} from {names[node]}", numbers, accumulated
        return f"{gradient} += {chain}", numbers, accumulated

    def _chain_of_arrays(self, event: Contribution, upstream: str) -> str:
        node, names = event.node, self.labels
        template = derivative(node, event.argument)
        if "{g}" in template:
            symbols = {str(i): names[part] for i, part in enumerate(node.inputs)}
            return filled(template, {"g": upstream, "z": names[node], **symbols})
        sign = "·" if event.local is None else "∘"
        chain = f"{upstream} {sign} ∂{names[node]}/∂{names[event.input]}"
        repeated = event.local is not None and np.size(event.value) < np.size(event.upstream)
        return f"Σ {chain}" if repeated else chain

    def _gradient(self, node: Node) -> str:
        return f"∂{self.labels[next(reversed(self.labels))]}/∂{self.labels[node]}"

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return self.table()


def trace(root: Node, seed: Any = None) -> Trace:
    """Return the forward and the backward pass as a table, one line for each event.

    Parameters
    ----------
    root : Value or Tensor
        The result of a computation.
    seed : float or array, optional
        The cotangent of the root, ∂L/∂L: 1 by default, for a scalar root.

    Returns
    -------
    Trace
        ``print`` shows it; ``.events`` has the numbers. No gradient is written to the nodes.

    Raises
    ------
    TypeError
        If ``root`` isn't a node.
    GraphError
        If the root isn't a scalar and no seed is given.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong.

    Examples
    --------
    >>> from micrograd_nn import Value, trace
    >>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    >>> print(trace(a * b + 1).table(width=80))
    step  forward                   in numbers       result
       1  v1 = a × b                2 × (−3)             −6
       2  L = v1 + 1                (−6) + 1             −5
    <BLANKLINE>
    step  backward                  upstream · local  accumulated
       3  ∂L/∂L                     the seed                    1
       4  ∂L/∂v1 += ∂L/∂L · ∂L/∂v1  1 · 1 = 1                   1
       5  ∂L/∂a += ∂L/∂v1 · ∂v1/∂a  1 · (−3) = −3              −3
       6  ∂L/∂b += ∂L/∂v1 · ∂v1/∂b  1 · 2 = 2                   2
    """
    if not isinstance(root, Node):
        raise TypeError(
            "trace() takes a Value or Tensor, the result of a computation, "
            f"got {type(root).__name__}"
        )
    return Trace(list(passes(root, seed)), labels(toposort(root)))


def _value(data: Any) -> str:
    return number(data) if np.ndim(data) == 0 else numbers([data])


def _shape(data: Any) -> str:
    return "×".join(map(str, np.shape(data))) or "scalar"


def _in_numbers(event: Forward, template: str) -> str:
    """Return the formula with data for its arguments, or with shapes, where one is an array."""
    node = event.node
    assert node.op is not None
    if node.op.vector:
        width = len(event.arguments) // 2
        *weights, bias = event.arguments[width:]
        z = sum((w * x for w, x in zip(weights, event.arguments, strict=False)), bias)
        return node.op.notation.replace("w · x + b", number(z))
    if any(map(np.ndim, event.arguments)) or np.ndim(event.value):
        shapes = [f"({_shape(data)})" if np.ndim(data) else _value(data)
                  for data in event.arguments]  # fmt: skip
        inputs = ", ".join(shapes if len(shapes) <= 4 else [*shapes[:2], "…", shapes[-1]])
        return f"{inputs} → {_shape(event.value)}"
    return filled(template, {str(i): _value(data) for i, data in enumerate(event.arguments)})


# ----------------------------------------------------------------------------------- alignment


def _widths(lines: Sequence[Cells]) -> list[int]:
    return [max(len(line[i]) for line in lines) for i in range(4)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 3 * len(_GAP)


def _narrowed(widths: Sequence[int], width: int) -> list[int]:
    """Return widths of columns that fit a line: the two in the middle give way."""
    narrowed = list(widths)
    for column in (2, 1):
        excess = max(0, _total(narrowed) - width)
        narrowed[column] = max(min(narrowed[column], _LEAST), narrowed[column] - excess)
    return narrowed


def _aligned(lines: Sequence[Cells], widths: Sequence[int]) -> str:
    rows = []
    for line in lines:
        if len(line) == 1:
            rows.append(" " * (widths[0] + len(_GAP)) + line[0])
            continue
        step, *middle, last = line
        cells = [step.rjust(widths[0])]
        for text, width in zip(middle, widths[1:3], strict=True):
            cells.append(shortened(text, width).ljust(width))
        rows.append(_GAP.join([*cells, last.rjust(widths[3])]))
    return "\n".join(rows)
