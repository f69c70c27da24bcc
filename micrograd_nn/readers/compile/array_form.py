"""A scalar graph in array form: a short list of operations on arrays, which can be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arrays, indexing
from micrograd_nn.graph.table.arrays import shape_of

#: The numbers of the arrays that are given.
THETA, X = 0, 1


@dataclass(slots=True)
class Part:
    """What an operation reads: constants, or some rows of an array.

    Attributes
    ----------
    array : int
        The number of the array: THETA, X, then the tables, then the results of the operations.
    index : int, slice or array of int, optional
        Which rows; all by default.
    lead : tuple of int, optional
        The shape into which the first axis is folded.
    literal : float or array, optional
        The constants, in place of all these.
    ones : bool
        Whether it is a row of ones, one for each example of the array.
    """

    array: int = -1
    index: Any = None
    lead: tuple[int, ...] | None = None
    literal: Any = None
    ones: bool = False

    def of(self, made: Sequence[Any]) -> Any:
        """Return it, out of the arrays made so far."""
        if self.literal is not None:
            return _like(made[THETA], self.literal)
        part = made[self.array]
        if self.ones:
            return np.ones((1, *shape_of(part)[1:]), made[THETA].dtype)
        if self.index is not None:
            part = indexing.getitem(part, index=self.index)
        if self.lead is not None:
            part = arrays.reshape(part, shape=(*self.lead, *shape_of(part)[1:]))
        return part


@dataclass(slots=True)
class Operation:
    """A row of the table, and what it is applied to."""

    row: Primitive
    parts: tuple[Part, ...]
    params: dict[str, Any]

    def on(self, made: Sequence[Any]) -> Any:
        """Return its result, out of the arrays made so far."""
        parts = [part.of(made) for part in self.parts]
        return self.row(*([parts] if self.row.variadic else parts), **self.params)


@dataclass
class ArrayForm:
    """A scalar graph as operations on arrays, in which alike values are rows of one array.

    An array is (k, m): k values of m examples; or (k,), where values are the same for all of them.

    Attributes
    ----------
    theta : list of Value
        The leaves that aren't inputs, in the order in which ``record`` takes their data: the
        weights of a layer lie together, row by row, then its biases, then the next layer's.
    inputs : list of Value
        The inputs, in the order in which ``record`` takes them.
    batched : bool
        Whether each input stands for m examples. Otherwise it is one number.
    tables : list of ndarray
        Constants that differ from example to example, (k, m).
    operations : list of Operation
        Each makes one array.
    root : Part
        The result.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Value
    >>> from micrograd_nn.readers.compile.rolled import rolled
    >>> from micrograd_nn.readers.compile.tape import tape_of
    >>> w, b, x = Value(3.0), Value(1.0), Value(2.0)
    >>> form = rolled(tape_of((w * x + b).tanh(), [x]))
    >>> theta = np.array([leaf.data for leaf in form.theta])
    >>> form.record(np.array([[0.0, -1.0, 2.0]]), theta)
    array([ 0.76159416, -0.96402758,  0.99999834])
    """

    theta: list[Node]
    inputs: list[Node]
    batched: bool
    tables: list[np.ndarray[Any, Any]]
    operations: list[Operation]
    root: Part

    def record(self, x: Any, theta: Any) -> Any:
        """Compute the result; on tensors it is recorded.

        Parameters
        ----------
        x : Tensor or ndarray
            The inputs: (n, m), one row for each input, or (n,) where the form isn't ``batched``.
        theta : Tensor or ndarray, (p,)
            The data of the leaves ``theta``.

        Returns
        -------
        Tensor or ndarray
            One number for each example, (m,), or () where the form isn't ``batched``. An array,
            even on tensors, where the result is computed of constants alone.

        Notes
        -----
        It computes in the dtype of what it is given. Sums are taken in another order than they
        were written in. So the last digits may differ, and whether an intermediate sum overflows;
        a sum that is zero may have another sign.
        """
        made = [theta, x, *(_like(theta, table) for table in self.tables)]
        with np.errstate(all="ignore"):
            for operation in self.operations:
                made.append(operation.on(made))
            root = self.root.of(made)
            if self.batched and shape_of(root) == ():
                root = arrays.broadcast_to(_as_array(root), shape=shape_of(x)[1:])
        return root

    def names(self) -> list[str]:
        """Return the names of the operations, in order."""
        return [operation.row.name for operation in self.operations]


def _like(theta: Any, constants: Any) -> Any:
    """Return constants in the dtype in which the program computes."""
    return constants if type(constants) is float else constants.astype(theta.dtype, copy=False)


def _as_array(x: Any) -> Any:
    return x if isinstance(x, Node) else np.asarray(x)
