"""Derivatives of functions: gradients, products with Jacobians, whole Jacobians and Hessians.

Everything here rests on ``cotangents``, the chain rule over a recorded graph that leaves the
nodes' own ``grad`` alone. It runs the rules on plain data, or on the nodes themselves: then the
derivative is a graph, which can be differentiated again, to any order. Forward mode needs no rules
of its own: the pullback Jᵀu is linear in u, so its derivative with respect to u is J
(J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import check_shape_of_seed, checked_seed
from micrograd_nn.graph.node import UNREACHED, GraphError, Group, Node, StaleGraphError, modes
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.pull import call, unbroadcast_axes
from micrograd_nn.graph.table.arithmetic import add, where
from micrograd_nn.graph.table.arrays import shape_of, sum_to
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant, Value

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


# ------------------------------------------------------------------- the chain rule, recorded


def cotangents(
    root: Node, seed: Any, wrt: Sequence[Node] | None = None, *, create_graph: bool = False
) -> dict[Node, Any]:
    """Return the cotangent of every node between ``wrt`` and ``root``, by node.

    Parameters
    ----------
    root : Node
        The result to differentiate.
    seed : float, array or node
        Its cotangent.
    wrt : sequence of Node, optional
        The nodes whose cotangents are wanted; all leaves that require a gradient by default.
    create_graph : bool
        Whether the cotangents are nodes, recorded to be differentiated again.

    Returns
    -------
    dict
        Nodes that don't influence the root are absent.
    """
    order = toposort(root, constants=False)
    wanted = set(wrt) if wrt is not None else {n for n in order if _is_parameter(n)}
    active: set[Node] = set()
    for node in order:
        if node in wanted or any(i in active for i in node._recorded_inputs()):
            active.add(node)
    found: dict[Node, Any] = {root: seed} if root in active else {}
    with np.errstate(all="ignore"):
        for node in reversed(order):
            if node._op is None or node not in found or node not in active:
                continue
            for child, cotangent in _pulled(node, found[node], active, create_graph):
                fitted = _fitted(cotangent, child)
                found[child] = fitted if child not in found else found[child] + fitted
    return found


def _is_parameter(node: Node) -> bool:
    return node._op is None and bool(node.requires_grad)


def _pulled(
    node: Node, g: Any, active: set[Node], create_graph: bool
) -> Iterator[tuple[Node, Any]]:
    """Yield the active inputs of a node with the cotangents that its rules give them."""
    op = node._op
    assert op is not None
    params = node.params
    z = node if create_graph else node._data
    groups = _grouped_operands(node, create_graph)
    if op.vector:
        results = op.rules[0](g, z, *(operand for _, operand in groups))  # type: ignore[misc]
        for (children, _), result in zip(groups, results, strict=True):
            for child, cotangent in zip(children, result, strict=True):
                if child in active:
                    yield child, cotangent
        return
    for (children, _), rule in zip(groups, op.rules, strict=True):
        if rule is None or not any(c in active for c in children if c is not None):
            continue
        operands = (operand for _, operand in groups)
        if isinstance(z, float) and not isinstance(z, np.generic):
            result = call(rule, g, z, *operands, **params)
        else:
            result = rule(g, z, *operands, **params)
        many = result if op.variadic else [result]
        for child, cotangent in zip(children, many, strict=True):
            if child is not None and child in active:
                yield child, (_masked(cotangent, g) if op.elementwise else cotangent)


def _grouped_operands(node: Node, create_graph: bool) -> list[tuple[tuple[Any, ...], Any]]:
    """Return, for each argument of the op, its input nodes and the operand to give to the rules."""
    op = node._op
    assert op is not None
    arguments = node._saved_arguments()
    if create_graph:
        for child, saved, read in arguments:
            if child is not None and read:
                _check_fresh(node, child, saved)
        operands = [saved if child is None else child for child, saved, _ in arguments]
    else:
        operands = [saved for _, saved, _ in arguments]
    children = [child for child, _, _ in arguments]
    if op.variadic:
        return [(tuple(children), operands)]
    if op.vector:
        first = len(node._recorded()[0])
        return [
            (tuple(children[:first]), operands[:first]),
            (tuple(children[first:]), operands[first:]),
        ]
    return [((child,), operand) for child, operand in zip(children, operands, strict=True)]


def _check_fresh(node: Node, child: Node, saved: Any) -> None:
    if saved is not child._data and not np.array_equal(saved, child._data, equal_nan=True):
        raise StaleGraphError(
            f"the data of {child.describe()} were overwritten after {node.describe()} had been "
            "recorded from them: record the computation again to differentiate it with "
            "create_graph"
        )


def _masked(cotangent: Any, g: Any) -> Any:
    """Let a cotangent of exactly 0 contribute 0, also where the local derivative is infinite."""
    data = _plain(cotangent)
    if not np.any(np.isnan(data)):
        return cotangent
    vanishing = np.equal(_plain(g), 0)
    if not np.any(vanishing):
        return cotangent
    if np.ndim(data) == 0 and np.ndim(vanishing) == 0:
        return 0.0
    return where(vanishing, 0.0, cotangent)


def _fitted(cotangent: Any, child: Node) -> Any:
    """Sum a cotangent over the axes along which the input was repeated."""
    shape = np.shape(child._data)
    if shape_of(cotangent) != shape:
        cotangent = (
            sum_to(cotangent, shape=shape)
            if unbroadcast_axes(shape_of(cotangent), shape)
            else add(cotangent, np.zeros(shape))
        )
    if type(child._data) is float and not isinstance(cotangent, Node):
        return float(cotangent)
    return cotangent


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def backward_recorded(root: Node, seed: Any) -> None:
    """Do ``root.backward(seed, create_graph=True)``: leave nodes in the nodes' ``grad``."""
    g = (
        _checked_node_seed(root, seed)
        if isinstance(seed, Node)
        else _leaf(checked_seed(root, seed))
    )
    for node, cotangent in cotangents(root, g, create_graph=True).items():
        if not isinstance(cotangent, Node):
            cotangent = _leaf(cotangent)
        reached = node._op is None and not _is_unreached(node)
        node._grad = node._grad + cotangent if reached else cotangent
        if isinstance(node._a, Group):
            node._a._grad = UNREACHED  # what a pass on plain numbers left there


def _checked_node_seed(root: Node, seed: Node) -> Node:
    check_shape_of_seed(root, np.shape(seed._data))
    return add(seed, np.zeros(np.shape(root._data))) if np.shape(root._data) else seed


def _is_unreached(node: Node) -> bool:
    grad: Any = node._grad
    return type(grad) is float and grad == 0.0


# ------------------------------------------------------------------- functions to derivatives


@contextmanager
def _transforming() -> Iterator[None]:
    recording = modes.recording
    modes.transforms += 1
    modes.recording = True  # also inside no_grad(): what is differentiated must be recorded
    try:
        yield
    finally:
        modes.transforms -= 1
        modes.recording = recording


def _leaf(x: Any) -> Node:
    """Return a constant node of plain data."""
    x = as_floating(x)
    return Constant(x) if type(x) is float else Tensor(x, requires_grad=False)


def _fresh(x: Any) -> tuple[Node, bool]:
    """Return a node to differentiate with respect to, and whether ``x`` was a node itself."""
    if isinstance(x, Node):
        return add(x, 0.0), True
    x = as_floating(x)
    return (Value(x) if type(x) is float else Tensor(x)), False


def _as_node(y: Any) -> Node:
    if isinstance(y, Node):
        return y
    if isinstance(y, (list, tuple)) and any(isinstance(item, Node) for item in y):
        from micrograd_nn.graph.functions import stack

        return stack([_as_node(item) for item in y])  # type: ignore[no-any-return]
    return _leaf(y)


def _positions(argnums: Argnums, count: int) -> tuple[int, ...]:
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    for position in positions:
        if not -count <= position < count:
            raise ValueError(f"argnums={argnums} is out of range for {count} arguments")
    return tuple(position % count for position in positions)


class _Run:
    """One evaluation of a function, on nodes in place of the arguments to differentiate."""

    def __init__(self, f: Function, args: tuple[Any, ...], argnums: Argnums, kwargs: Any) -> None:
        self.positions = _positions(argnums, len(args))
        fresh = dict(zip(self.positions, (_fresh(args[p]) for p in self.positions), strict=True))
        self.inputs = [node for node, _ in fresh.values()]
        self.on_nodes = any(isinstance(a, Node) for a in args) or modes.transforms > 0
        with _transforming():
            self.value = f(
                *(fresh[i][0] if i in fresh else a for i, a in enumerate(args)), **kwargs
            )
        self.root = _as_node(self.value)
        self.tuple_wanted = isinstance(argnums, tuple)

    def pull(self, seed: Any) -> list[Any]:
        """Return the cotangents of the inputs, as nodes if the caller differentiates further."""
        create_graph = self.on_nodes or isinstance(seed, Node)
        if create_graph and not isinstance(seed, Node):
            seed = _leaf(seed)
        with _transforming():
            found = cotangents(self.root, seed, self.inputs, create_graph=create_graph)
        results = []
        for node in self.inputs:
            cotangent = found.get(node)
            if cotangent is None:
                cotangent = np.zeros(np.shape(node._data), node.dtype)  # type: ignore[attr-defined]
                cotangent = _leaf(cotangent) if create_graph else cotangent
            elif create_graph and not isinstance(cotangent, Node):
                cotangent = _leaf(cotangent)
            results.append(cotangent if create_graph else _given_back(cotangent, node))
        return results

    def result(self) -> Any:
        """Return the function's value, as the caller is to see it."""
        return self.root if self.on_nodes else _given_back(self.root._data, self.root)

    def packed(self, results: list[Any]) -> Any:
        """Return one result for an integer ``argnums``, a tuple for a tuple."""
        return tuple(results) if self.tuple_wanted else results[0]


def _given_back(data: Any, like: Node) -> Any:
    """Return plain data as a float for a Value, else as an array that is the caller's own."""
    if isinstance(like, Value):
        return float(data)
    return np.array(data, dtype=like.dtype)  # type: ignore[attr-defined]


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives ``(f(x), gradient of f at x)``.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or tuple of int
        The positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Of the same arguments. Plain numbers give floats, arrays give arrays, nodes give nodes.

    Raises
    ------
    GraphError
        If the result of ``f`` isn't a scalar.

    Examples
    --------
    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """

    def derivative(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = _Run(f, args, argnums, kwargs)
        if np.shape(run.root._data) not in ((), (1,)):
            raise GraphError(
                f"grad() needs a function with a scalar result, got shape {run.root._data.shape}: "
                "use jacobian(), or vjp() with a cotangent of that shape"
            )
        seed = checked_seed(run.root, None)
        return run.result(), run.packed(run.pull(seed))

    return derivative


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the gradient of ``f``.

    See ``value_and_grad`` for the parameters. ``grad`` nests to any depth.

    Examples
    --------
    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> import numpy as np
    >>> grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Return ``f(*primals)`` and its pullback, u ↦ Jᵀ u.

    The pullback takes a cotangent of the shape of the result and returns a tuple with the
    cotangent of each primal.

    Examples
    --------
    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    run = _Run(f, primals, tuple(range(len(primals))), {})

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        if isinstance(cotangent, Node):
            seed: Any = _checked_node_seed(run.root, cotangent)
        else:
            seed = checked_seed(run.root, cotangent)
        return tuple(run.pull(seed))

    return run.result(), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative along the tangents, J t.

    Raises
    ------
    ValueError
        If primals and tangents differ in number or shape.

    Examples
    --------
    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    if len(primals) != len(tangents):
        raise ValueError(f"{len(primals)} primals but {len(tangents)} tangents")
    for i, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        if np.shape(_plain(primal)) != np.shape(_plain(tangent)):
            raise ValueError(
                f"primal {i} has shape {np.shape(_plain(primal))}, "
                f"its tangent {np.shape(_plain(tangent))}"
            )
    with _transforming():
        run = _Run(f, tuple(primals), tuple(range(len(primals))), {})
        shape = np.shape(run.root._data)
        # The pullback is linear in its cotangent, so any point does to differentiate it at, except
        # 0: there, a cotangent of exactly 0 would be taken for one that is 0 for good.
        dummy: Node = Value(1.0) if isinstance(run.root, Value) else Tensor(np.ones(shape))
        pulled = run.pull(dummy)
    nodes = modes.transforms > 0 or any(isinstance(x, Node) for x in (*primals, *tangents))
    total: Any = None
    for primal_cotangent, tangent in zip(pulled, tangents, strict=True):
        along = tangent if isinstance(tangent, Node) else _leaf(tangent)
        term = cotangents(primal_cotangent, along, [dummy], create_graph=True).get(dummy)
        if term is not None:
            total = term if total is None else total + term
    if total is None:
        total = np.zeros(shape) if shape or not isinstance(run.root, Value) else 0.0
    if nodes:
        return run.root, total if isinstance(total, Node) else _leaf(total)
    return _given_back(run.root._data, run.root), _given_back(_plain(total), run.root)


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the Jacobian of ``f``, of shape output + input.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        from micrograd_nn.graph.functions import reshape, stack

        run = _Run(f, args, argnums, kwargs)
        shape = np.shape(run.root._data)
        if shape == ():
            return run.packed(run.pull(checked_seed(run.root, None)))
        units = np.eye(int(np.prod(shape)), dtype=run.root._data.dtype)
        rows = [run.pull(unit.reshape(shape)) for unit in units]
        columns = []
        for i, node in enumerate(run.inputs):
            full = shape + np.shape(node._data)
            column = [row[i] for row in rows]
            if not column:
                columns.append(np.zeros(full))
            elif any(isinstance(c, Node) for c in column):
                columns.append(reshape(stack(column), full))
            else:
                columns.append(np.reshape(np.stack(column), full))
        return run.packed(columns)

    return derivative


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the matrix of second derivatives of a scalar ``f``.

    For a tuple ``argnums`` the result is a tuple of tuples, H[i][j] of shape xᵢ + xⱼ.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    if not isinstance(argnums, tuple):
        return jacobian(grad(f, argnums), argnums)
    rows = [jacobian(grad(f, argnum), argnums) for argnum in argnums]
    return lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows)
