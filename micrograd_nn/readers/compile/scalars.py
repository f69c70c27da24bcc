"""Programs of graphs of Values: as matrix products, block by block, or as straight-line Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.compile.adjoint import Refused
from micrograd_nn.readers.compile.array_form import ArrayForm
from micrograd_nn.readers.compile.blocks import Blocks
from micrograd_nn.readers.compile.branches import check_branches
from micrograd_nn.readers.compile.inputs import input_name, real_numbers
from micrograd_nn.readers.compile.interpreter import Interpreter
from micrograd_nn.readers.compile.leaves import Leaves
from micrograd_nn.readers.compile.place import Place
from micrograd_nn.readers.compile.recording import not_taking_part
from micrograd_nn.readers.compile.rolled import rolled
from micrograd_nn.readers.compile.rolled_program import Rolled
from micrograd_nn.readers.compile.straight import Straight
from micrograd_nn.readers.compile.tape import tape_of

Array = np.ndarray[Any, Any]

#: One example of so few operations is computed faster in Python than by calls of NumPy.
_FEW = 150
#: A graph of inputs and so many operations is more likely a whole batch than one example.
_MANY = 3000

BACKENDS = ("numpy", "python", "numba")


class ScalarRunner:
    """Runs a graph of Values.

    Parameters
    ----------
    root : Value
    inputs : sequence of Value
    wrt : sequence of Value
    optimizer : Optimizer or None
    backend : str or None
        One of ``BACKENDS``.
    """

    def __init__(
        self,
        root: Node,
        inputs: Sequence[Node],
        wrt: Sequence[Node],
        optimizer: Any,
        backend: str | None,
    ) -> None:
        tape = tape_of(root, inputs)
        check_branches([node for node in tape.nodes if node is not None], tape.inputs)
        used = {a for args in tape.args for a in args} | {tape.root}
        for i, node in enumerate(tape.inputs):
            if i not in used:
                raise not_taking_part(i, node)
        self.root = root
        self.tape = tape
        self.wrt = [*wrt]
        self.optimizer = optimizer
        self.backend = backend
        self._wrt_inputs = any(node in set(inputs) for node in wrt)
        self._inputs = {node: i for i, node in enumerate(tape.inputs)}
        self._ways: dict[str, Any] = {}
        self._leaves: dict[str, Leaves] = {}
        self._why = ""  # it doesn't roll
        self._places = [] if optimizer is None else self._settled()
        if backend in (None, "numpy"):
            self._roll()
        self._way(self._name(single=True))

    # ----------------------------------------------------------------------------- the ways

    def _roll(self) -> None:
        tape = self.tape
        whole = not tape.inputs or len(tape.rows) > _MANY
        form = rolled(tape, batched=not whole)
        if not isinstance(form, ArrayForm) and whole and tape.inputs:
            form = rolled(tape, batched=True)
        if isinstance(form, ArrayForm):
            self._ways["rolled"] = Rolled(tape, form, self._wrt_inputs)
            self._leaves["rolled"] = Leaves(form.theta, self.optimizer, self._places)
        else:
            self._why = form

    def _name(self, single: bool) -> str:
        """Return the name of the way to run it."""
        if self.backend == "python":
            return "straight"
        if self.backend == "numba":
            return "numba"
        if single and len(self.tape.rows) <= _FEW:
            return "straight"
        if "rolled" in self._ways:
            return "rolled"
        return "straight" if single else "blocks"

    def _way(self, name: str) -> Any:
        if name not in self._ways:
            try:
                kind = {"straight": Straight, "blocks": Blocks, "numba": Interpreter}[name]
                self._ways[name] = kind(self.tape, self._wrt_inputs)
            except Refused as reason:
                self._why = f"{self._why}; {reason}" if self._why else str(reason)
                self._ways[name] = self._way("straight" if name == "blocks" else "blocks")
            self._leaves[name] = Leaves(self.tape.leaves, self.optimizer, self._places)
        self._current = name
        return self._ways[name]

    # -------------------------------------------------------------------------------- calls

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return the value and the gradients; with an optimiser, take the step."""
        X, single = self._given(inputs)
        way = self._way(self._name(single))
        leaves = self._leaves[self._current]
        values, of_leaves, of_inputs = way(X, leaves.data())
        value = float(values[0]) if single else values
        if self.optimizer is None:
            return value, self._gradients(leaves, of_leaves, of_inputs)
        leaves.step(of_leaves)
        return value

    def _gradients(self, leaves: Leaves, of_leaves: Array, of_inputs: Array) -> list[float]:
        found, at, among = of_leaves.tolist(), leaves.at, self._inputs
        inputs = of_inputs.sum(axis=1).tolist() if self._wrt_inputs else []
        return [
            found[at[node]] if node in at else inputs[among[node]] if node in among else 0.0
            for node in self.wrt
        ]

    def _given(self, inputs: Sequence[Any]) -> tuple[Array, bool]:
        """Return the inputs, a row each, and whether they are plain numbers, of one example."""
        all_shapes = {x.shape if type(x) is np.ndarray else () for x in inputs}
        if len(all_shapes) == 1 and len(length := all_shapes.pop()) == 1:  # the usual case
            X = np.empty((len(inputs), *length))
            for i, x in enumerate(inputs):
                X[i] = x if x.dtype is X.dtype else self._as_numbers(x, i)
            return X, False
        arrays = [self._as_numbers(given, i) for i, given in enumerate(inputs)]
        lengths = {array.shape[0] for array in arrays if array.ndim}
        if len(lengths) > 1 or any(array.ndim > 1 for array in arrays):
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                "each input is a number, or an array (m,) of one number for each example; got "
                f"shapes {shapes}"
            )
        X = np.empty((len(arrays), *lengths) if lengths else (len(arrays), 1))
        for i, array in enumerate(arrays):
            X[i] = array
        return X, not lengths

    def _as_numbers(self, given: Any, index: int) -> Array:
        what = input_name(index, self.tape.inputs[index])
        return real_numbers(given, what).astype(np.float64)

    def _settled(self) -> list[Place]:
        """Return where the numbers lie that the optimiser moves."""
        places: list[Place] = self.optimizer.settle()
        (gradient,) = self.optimizer.gradients()
        gradient[:] = 0.0  # of parameters that aren't in the graph
        return places

    # -------------------------------------------------------------------------------- words

    @property
    def source(self) -> str:
        """The source of the way that was taken last."""
        way = self._ways[self._current]
        if isinstance(way, Rolled):
            return way.source()
        text: str = getattr(way, "source", "")
        return text or self._way("straight").source

    @property
    def plan(self) -> str:
        """How the graph runs."""
        way, steps = self._ways[self._current], f"{len(self.tape.rows):,} operations on numbers"
        why = f" ({self._why})" if self._why else ""
        if isinstance(way, Rolled):
            return f"{steps}, rolled into {len(way.form.operations)} on arrays: {way.describe()}"
        if isinstance(way, Straight):
            return f"{steps} as straight-line Python, example by example{why}"
        if isinstance(way, Interpreter):
            return f"{steps}, run by numba's interpreter, block by block{why}"
        return f"{steps}, each a call of NumPy for a block of examples{why}"
