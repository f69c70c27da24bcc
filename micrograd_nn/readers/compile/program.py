"""compile: a recorded graph as a program, which is replayed on new data."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from micrograd_nn.graph.node import GraphError, Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.readers.compile.inputs import input_name
from micrograd_nn.readers.compile.scalars import BACKENDS, ScalarRunner
from micrograd_nn.readers.compile.tape import NotOfValuesError
from micrograd_nn.readers.compile.tensors import TensorRunner


class Program:
    """A recorded graph as a program; see ``compile``.

    Attributes
    ----------
    inputs : list of Node
    wrt : list of Node
        The leaves whose gradients it returns, in order.
    """

    def __init__(
        self,
        root: Node,
        inputs: list[Node],
        wrt: list[Node],
        optimizer: Any,
        backend: str | None,
    ) -> None:
        self.inputs = inputs
        self.wrt = wrt
        self.optimizer = optimizer
        self.backend = backend
        self._lock = threading.Lock()
        self._runner = self._runner_of(root)

    def _runner_of(self, root: Node) -> ScalarRunner | TensorRunner:
        inputs, wrt, optimizer, backend = self.inputs, self.wrt, self.optimizer, self.backend
        if all(isinstance(node, Value) for node in (root, *wrt)):
            with suppress(NotOfValuesError):
                return ScalarRunner(root, inputs, wrt, optimizer, backend)
        if backend not in (None, "numpy"):
            raise ValueError(f"a graph of tensors runs on NumPy, not on backend={backend!r}")
        return TensorRunner(root, inputs, wrt, optimizer)

    def __call__(self, *inputs: Any) -> Any:
        """Return the value and the gradients for new inputs; with an optimiser, take the step.

        Parameters
        ----------
        *inputs : array-like or number
            In the order of ``inputs``. Those that were recorded as Values may be arrays (m,) of
            one number for each of m examples.

        Returns
        -------
        (value, gradients)
            A number or array, and a list in the order of ``wrt``; with an optimiser the value
            alone. All are the caller's own. For m examples of Values the value is an array (m,),
            and the gradients are sums over the examples.

        Raises
        ------
        TypeError
            If there are more or fewer than the program has, or one isn't made of real numbers.
        ValueError
            If the graph can't be computed for inputs of these shapes.
        """
        if len(inputs) != len(self.inputs):
            names = ", ".join(node.name or f"input {i}" for i, node in enumerate(self.inputs))
            raise TypeError(
                f"the program takes {len(self.inputs)} inputs ({names}), got {len(inputs)}"
            )
        with self._lock:
            return self._runner(inputs)

    @property
    def source(self) -> str:
        """The program as source, for inputs like those of the latest call."""
        return self._runner.source

    @property
    def plan(self) -> str:
        """How the program runs, in words."""
        return self._runner.plan

    def __repr__(self) -> str:
        return f"<program of {len(self.inputs)} inputs: {self.plan}>"

    def __reduce__(self) -> tuple[Any, ...]:
        made_of = self._runner.root, self.inputs, self.wrt, self.optimizer, self.backend
        return Program, made_of


def _check_optimizer(optimizer: Any) -> None:
    """Raise a TypeError if a program can't move parameters as the optimiser does."""
    if not hasattr(optimizer, "can_settle"):
        raise TypeError(
            f"the optimizer must be such as Adam(model.parameters(), lr=1e-3), got {optimizer!r}"
        )
    if not optimizer.can_settle():
        raise TypeError(
            f"{type(optimizer).__name__} has a step() of its own, which a program wouldn't call: "
            "write its formula as _update() or _change(), or take the gradients without optimizer="
        )


def compile(
    root: Node,
    inputs: Sequence[Node] = (),
    wrt: Sequence[Node] | None = None,
    optimizer: Any = None,
    backend: str | None = None,
) -> Program:
    """Turn a recorded graph into a program, which is replayed on new data.

    The program makes the calls of NumPy that the engine made when the graph was recorded, and
    those of its backward pass, without recording anything: into memory that is used again, what
    is computed twice once, what isn't needed not at all. The numbers are the same.

    Parameters
    ----------
    root : Node
        The result, recorded once on any data.
    inputs : sequence of Node
        The leaves that are given anew at each call. All others, such as parameters, are read at
        each call. Everything else that met the graph when it was recorded stays as it was.
    wrt : sequence of Node, optional
        The leaves whose gradients are returned; all that require one by default, in the order of
        the graph.
    optimizer : Optimizer, optional
        One of ``micrograd_nn.training``: each call also moves its parameters, in the place of
        ``wrt``, and returns the value alone.
    backend : {"numpy", "python", "numba"}, optional
        How to run a graph of Values. By default it is rolled into matrix products where it can be,
        else run by NumPy block by block, and a short one by straight-line Python. "numba" (the
        extra ``jit``) interprets it in native code.

    Returns
    -------
    Program
        ``program(*arrays) -> (value, gradients)``. ``program.source`` is its NumPy source,
        ``program.plan`` says how it runs.

    Raises
    ------
    TypeError
        If the root or an input isn't a node, or the optimiser has a ``step()`` of its own.
    GraphError
        If the graph was recorded through a branch on data, an input doesn't take part in it or
        isn't a leaf, or recorded data were overwritten.

    Notes
    -----
    A random node such as dropout's draws anew at each call. Inputs may have other shapes than the
    recorded ones, such as more examples; the program is then planned anew, once for each shape.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Tensor, Value, functional as F
    >>> W = Tensor([[1.0, -1.0]], name="W")
    >>> X = Tensor(np.ones((3, 2)), requires_grad=False, name="X")
    >>> program = compile(F.tanh(X @ W.T).sum().named("J"), inputs=[X])
    >>> value, (dW,) = program([[1.0, 0.0], [0.0, 1.0]])
    >>> float(value), dW
    (0.0, array([[0.41997434, 0.41997434]]))

    Numbers, recorded for one example and run on many:

    >>> w, x = Value(2.0), Value(1.0)
    >>> program = compile((w * x) ** 2, inputs=[x], wrt=[w])
    >>> program(3.0)
    (36.0, [36.0])
    >>> program(np.array([1.0, 2.0, 3.0]))
    (array([ 4., 16., 36.]), [56.0])
    """
    if backend is not None and backend not in BACKENDS:
        raise ValueError(f"there is no backend {backend!r}; there are {', '.join(BACKENDS)}")
    if not isinstance(root, Node):
        raise TypeError(
            f"compile takes the node that a graph ends in, got {type(root).__name__}: record it "
            "once, and pass its result"
        )
    given: list[Node] = [inputs] if isinstance(inputs, Node) else [*inputs]
    seen: set[Node] = set()
    for i, node in enumerate(given):
        if not isinstance(node, Node):
            raise TypeError(
                f"input {i} is a {type(node).__name__}, and must be a node of the graph: make it a "
                "Tensor or Value before you record"
            )
        if node.op is not None:
            raise GraphError(
                f"input {i} ({node.describe()}) is the result of an operation: pass the leaves it "
                "was computed from, or detach() it before you record the rest"
            )
        if node in seen:
            raise GraphError(f"{input_name(i, node)} stands among the inputs twice")
        seen.add(node)
    if optimizer is not None:
        _check_optimizer(optimizer)
        wanted = list(optimizer.parameters)
    elif wrt is None:
        order = toposort(root, constants=False)
        wanted = [n for n in order if n._op is None and n.requires_grad]
    elif isinstance(wrt, Node):
        wanted = [wrt]
    elif isinstance(wrt, Iterable):
        wanted = [*wrt]
    else:
        raise TypeError(f"wrt takes leaves of the graph, got {type(wrt).__name__}")
    for node in wanted:
        if not isinstance(node, (Value, Tensor)) or node.op is not None:
            raise GraphError("wrt takes leaves of the graph, such as model.parameters()")
    return Program(root, given, wanted, optimizer, backend)
