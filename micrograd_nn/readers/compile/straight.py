"""Run a scalar graph on a single example: straight-line Python on floats, to be read.

The source computes what the recorded graph did, in the same order: each value, and, backward, each
cotangent. So its numbers are those of ``backward()``, bit for bit. (A layer of neurons is computed
by NumPy when it is recorded, in another order of summation; there they agree within rounding.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.compile.expressions import Expressions
from micrograd_nn.readers.compile.inputs import FloatArray, checked
from micrograd_nn.readers.compile.symbols import expand
from micrograd_nn.readers.compile.tape import Tape
from micrograd_nn.readers.identifiers import Identifiers


class Straight:
    """An executor: a scalar graph as straight-line Python, one example at a time.

    Parameters
    ----------
    tape : Tape
        A scalar graph.
    wrt_inputs : bool
        Whether the gradient of the inputs is computed, too.

    Attributes
    ----------
    source : str
        The program: ``forward_backward(inputs, leaves)`` returns the value, the gradient of the
        leaves and that of the inputs.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> from micrograd_nn.readers.compile.tape import tape_of
    >>> x, w = Value(1.0, name="x"), Value(3.0, name="w")
    >>> program = Straight(tape_of((w * x).tanh(), [x]))
    >>> print(program.source, end="")
    def forward_backward(inputs, leaves):
        (x,) = inputs
        (w,) = leaves
        t0 = w * x
        t1 = tanh(t0)
        dx = dw = dt0 = 0.0
        dt1 = 1.0
        if dt1:
            dt0 += dt1 * ((4.0 * sigmoid(2.0 * t0)) * sigmoid((-2.0) * t0))
        if dt0:
            dw += dt0 * x
            dx += dt0 * w
        return t1, (dw,), (dx,)
    >>> program([[0.0]], [3.0])
    (array([0.]), array([0.]), array([[3.]]))
    """

    def __init__(self, tape: Tape, wrt_inputs: bool = True) -> None:
        self.tape = tape
        self.wrt_inputs = wrt_inputs
        writer = _Writer(tape, wrt_inputs)
        self.source = writer.source()
        names = dict(writer.expressions.bound)
        exec(compile(self.source, "<program>", "exec"), names)  # noqa: S102 (text made here)
        self.program: Callable[[Any, Any], Any] = names["forward_backward"]

    def __reduce__(self) -> Any:
        return Straight, (self.tape, self.wrt_inputs)

    def __call__(
        self, X: npt.ArrayLike, theta: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values and gradients; see ``Blocks``. The sum is taken example by example."""
        X, theta = checked(self.tape, X, theta)
        values, of_inputs = np.empty(X.shape[1]), np.zeros(X.shape)
        leaves = theta.tolist()
        total: list[float] | None = None
        for i, example in enumerate(X.T.tolist()):
            values[i], of_leaves, of_example = self.program(example, leaves)
            if self.wrt_inputs:
                of_inputs[:, i] = of_example
            if total is None:
                total = list(of_leaves)
            else:
                total = [a + b for a, b in zip(total, of_leaves, strict=True)]
        return values, np.array(total if total is not None else np.zeros(len(theta))), of_inputs


class _Writer:
    """Writes the source of a tape and of its backward pass."""

    def __init__(self, tape: Tape, wrt_inputs: bool) -> None:
        self.tape = tape
        identifiers = Identifiers({"forward_backward", "inputs", "leaves", "inf", "nan", *table})
        self.expressions = Expressions(identifiers)
        n_inputs, n_leaves = len(tape.inputs), len(tape.leaves)
        self.wanted = [wrt_inputs] * n_inputs + [True] * n_leaves + [False] * len(tape.constants)
        for args in tape.args:
            self.wanted.append(any(self.wanted[a] for a in args))
        self.names = [
            identifiers.unique(node.name, f"{letter}{i}")
            for letter, nodes in (("x", tape.inputs), ("p", tape.leaves))
            for i, node in enumerate(nodes)
        ]
        self.names += map(self.expressions.literal, tape.constants)
        self.names += [
            identifiers.unique(None if node is None else node.name, f"t{i}")
            for i, node in enumerate(tape.nodes)
        ]
        self.cotangents = [
            identifiers.unique(f"d{name}", "d") if wanted else ""
            for name, wanted in zip(self.names, self.wanted, strict=True)
        ]

    def source(self) -> str:
        tape = self.tape
        n_inputs = len(tape.inputs)
        n_given = n_inputs + len(tape.leaves)
        lines = ["def forward_backward(inputs, leaves):"]
        lines += _unpacked("inputs", self.names[:n_inputs])
        lines += _unpacked("leaves", self.names[n_inputs:n_given])
        for k, (row, args, params) in enumerate(
            zip(tape.rows, tape.args, tape.params, strict=True), tape.first
        ):
            text = self.expressions.of(row, [self.names[a] for a in args], params)
            lines.append(f"    {self.names[k]} = {text}")
        lines += self._backward()
        of_leaves = self._gradients(range(n_inputs, n_given))
        of_inputs = self._gradients(range(n_inputs))
        root = self.names[tape.root]
        lines.append(f"    return {root}, {_tuple(of_leaves)}, {_tuple(of_inputs)}")
        return "\n".join(lines) + "\n"

    def _gradients(self, numbers: Iterable[int]) -> list[str]:
        return [self.cotangents[n] or "0.0" for n in numbers]

    def _backward(self) -> list[str]:
        tape = self.tape
        root = self.cotangents[tape.root]
        if not root:
            return []
        lines = _zeros([d for d in self.cotangents if d and d != root])
        lines.append(f"    {root} = 1.0")
        for k in range(len(tape.rows) - 1, -1, -1):
            if self.wanted[tape.first + k]:
                lines += self._pull(k)
        return lines

    def _pull(self, k: int) -> list[str]:
        """Return the lines that carry the cotangent of a step to its arguments."""
        tape = self.tape
        row, args = tape.rows[k], tape.args[k]
        first_constant = len(tape.inputs) + len(tape.leaves)
        known = tuple(
            tape.constants[a - first_constant] if first_constant <= a < tape.first else None
            for a in args
        )
        g = self.cotangents[tape.first + k]
        body = []
        for i, rule in enumerate(row.rules):
            if rule is None or not self.wanted[args[i]]:
                continue
            expansion = expand(rule, f"{row.name}_rule_{i}", known, tape.params[k])
            places = [g, self.names[tape.first + k], *(self.names[a] for a in args)]
            parts, text = self.expressions.of_expansion(expansion, places)
            body += [f"        {part}" for part in parts]
            body.append(f"        {self.cotangents[args[i]]} += {text}")
        return [f"    if {g}:", *body] if body else []


def _unpacked(what: str, names: list[str]) -> list[str]:
    return [f"    {_tuple(names)} = {what}"] if names else []


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _zeros(names: list[str]) -> list[str]:
    return [f"    {' = '.join(names[i : i + 8])} = 0.0" for i in range(0, len(names), 8)]
