"""Derivatives of functions: gradients, products with Jacobians, whole Jacobians and Hessians.

Everything here rests on ``cotangents``. Forward mode needs no rules of its own: the pullback Jᵀu is
linear in u, so its derivative with respect to u is J
(J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np

from micrograd_nn.graph.backward import checked_seed
from micrograd_nn.graph.cotangents import checked_node_seed, cotangents, leaf_of
from micrograd_nn.graph.node import GraphError, Node, data_of, modes
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.table.arithmetic import add
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value

Function = Callable[..., Any]
Argnums = int | Sequence[int]


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
    return leaf_of(y)


def _several(argnums: Argnums) -> TypeGuard[Sequence[int]]:
    return isinstance(argnums, (tuple, list))


def _positions(argnums: Argnums, count: int) -> tuple[int, ...]:
    try:
        listed = argnums if _several(argnums) else (argnums,)
        positions = tuple(operator.index(position) for position in listed)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"argnums is the position of an argument or a tuple of positions, got {argnums!r}"
        ) from None
    for position in positions:
        if not -count <= position < count:
            raise ValueError(f"argnums={argnums} is out of range for {count} arguments")
    return tuple(position % count for position in positions)


class _Run:
    """One evaluation of a function, on nodes in place of the arguments to differentiate."""

    def __init__(self, f: Function, args: tuple[Any, ...], argnums: Argnums, kwargs: Any) -> None:
        self.positions = _positions(argnums, len(args))
        fresh = {p: _fresh(args[p]) for p in dict.fromkeys(self.positions)}
        self.inputs = [fresh[p][0] for p in self.positions]
        self.on_nodes = any(isinstance(a, Node) for a in args) or modes.transforms > 0
        with _transforming():
            self.value = f(
                *(fresh[i][0] if i in fresh else a for i, a in enumerate(args)), **kwargs
            )
        self.root = _as_node(self.value)
        self.tuple_wanted = _several(argnums)

    def pull(self, seed: Any) -> list[Any]:
        """Return the cotangents of the inputs, as nodes if the caller differentiates further."""
        create_graph = self.on_nodes or isinstance(seed, Node)
        if create_graph and not isinstance(seed, Node):
            seed = leaf_of(seed)
        with _transforming():
            found = cotangents(self.root, seed, self.inputs, create_graph=create_graph)
        results = []
        for node in self.inputs:
            cotangent = found.get(node)
            if cotangent is None:
                cotangent = np.zeros(np.shape(node._data), node.dtype)  # type: ignore[attr-defined]
                cotangent = leaf_of(cotangent) if create_graph else cotangent
            elif create_graph and not isinstance(cotangent, Node):
                cotangent = leaf_of(cotangent)
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
    argnums : int or sequence of int
        The positional arguments to differentiate with respect to; a sequence gives a tuple.

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

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or sequence of int
        The positional arguments to differentiate with respect to; a sequence gives a tuple.

    Returns
    -------
    callable
        Of the same arguments; it returns the gradient, of the shape of the argument. Plain numbers
        give floats, arrays give arrays, nodes give nodes.

    Raises
    ------
    GraphError
        If the result of ``f`` isn't a scalar.
    TypeError, ValueError
        If ``argnums`` names no argument.

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

    Parameters
    ----------
    f : callable
    *primals : Value, Tensor, array-like or float
        The arguments to differentiate at.

    Returns
    -------
    (value, callable)
        ``f(*primals)``, and the pullback.

    Raises
    ------
    ValueError
        By the pullback, if a cotangent has another shape than the result.

    Examples
    --------
    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    run = _Run(f, primals, tuple(range(len(primals))), {})

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        if isinstance(cotangent, Node):
            seed: Any = checked_node_seed(run.root, cotangent)
        else:
            seed = checked_seed(run.root, cotangent)
        return tuple(run.pull(seed))

    return run.result(), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative along the tangents, J t.

    Parameters
    ----------
    f : callable
    primals : sequence of Value, Tensor, array-like or float
        The arguments to differentiate at.
    tangents : sequence
        The direction, of the same shapes.

    Returns
    -------
    (value, tangent)
        ``f(*primals)``, and J t of the same shape.

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
        if np.shape(data_of(primal)) != np.shape(data_of(tangent)):
            raise ValueError(
                f"primal {i} has shape {np.shape(data_of(primal))}, "
                f"its tangent {np.shape(data_of(tangent))}"
            )
    with _transforming():
        run = _Run(f, tuple(primals), tuple(range(len(primals))), {})
        shape = np.shape(run.root._data)
        # The pullback is linear in its cotangent, so any point does to differentiate it at, except
        # one where cotangents vanish or cancel: a cotangent of exactly 0 would be taken for one
        # that is 0 for good.
        irregular = np.random.default_rng(0).uniform(1.0, 2.0, shape)
        dummy: Node = Value(1.0) if isinstance(run.root, Value) else Tensor(irregular)
        pulled = run.pull(dummy)
    nodes = modes.transforms > 0 or any(isinstance(x, Node) for x in (*primals, *tangents))
    total: Any = None
    for primal_cotangent, tangent in zip(pulled, tangents, strict=True):
        along = tangent if isinstance(tangent, Node) else leaf_of(tangent)
        term = cotangents(primal_cotangent, along, [dummy], create_graph=True).get(dummy)
        if term is not None:
            total = term if total is None else total + term
    if total is None:
        total = np.zeros(shape) if shape or not isinstance(run.root, Value) else 0.0
    if nodes:
        return run.root, total if isinstance(total, Node) else leaf_of(total)
    return _given_back(run.root._data, run.root), _given_back(data_of(total), run.root)


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the Jacobian of ``f``, of shape output + input.

    Parameters
    ----------
    f : callable
        Returns a number, an array or a node.
    argnums : int or sequence of int
        The positional arguments to differentiate with respect to; a sequence gives a tuple.

    Returns
    -------
    callable
        Of the same arguments; J[i, ..., j, ...] = ∂f[i, ...] / ∂x[j, ...].

    Raises
    ------
    TypeError, ValueError
        If ``argnums`` names no argument.

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

    For several ``argnums`` the result is a tuple of tuples, H[i][j] of shape xᵢ + xⱼ.

    Parameters
    ----------
    f : callable
        Returns a scalar.
    argnums : int or sequence of int
        The positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Of the same arguments; H[i, ..., j, ...] = ∂²f / ∂x[i, ...] ∂x[j, ...].

    Raises
    ------
    GraphError
        If the result of ``f`` isn't a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    if not _several(argnums):
        return jacobian(grad(f, argnums), argnums)
    rows = [jacobian(grad(f, argnum), argnums) for argnum in argnums]
    return lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows)
