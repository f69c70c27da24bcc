"""The backward pass: the chain rule over the recorded graph, on plain floats and arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph.faults import raise_for_rule
from micrograd_nn.graph.node import GraphError, Node
from micrograd_nn.graph.pull import unbroadcast_axes
from micrograd_nn.graph.vanishing import without_vanishing


def backward(root: Node, seed: Any = None, *, create_graph: bool = False) -> None:
    """Compute the gradient of ``root`` with respect to every node below it.

    Leaves add it to the gradient they have, until ``zero_grad()``; inner nodes hold the gradient
    of the latest pass, so that a second pass over the same graph is right. A cotangent that is
    exactly 0 contributes exactly 0, whatever the local derivative.

    Parameters
    ----------
    root : Node
        The result to differentiate.
    seed : float, array or node, optional
        The cotangent of ``root``, of its shape. 1 by default, for a scalar root.
    create_graph : bool
        Record the backward pass too: gradients are then nodes, to be differentiated again. They
        refer back to the graph that holds them, so that ``zero_grad()`` or the collector frees it.

    Raises
    ------
    GraphError
        If the root isn't a scalar and no seed is given.
    ValueError
        If the seed hasn't the shape of the root.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong. The gradients of
        the leaves are then as before.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> y = x**2
    >>> y.backward()
    >>> x.grad
    6.0
    >>> y.backward()
    >>> x.grad  # leaves accumulate
    12.0
    """
    if create_graph:
        from micrograd_nn.graph.cotangents import backward_recorded

        backward_recorded(root, seed)
        return
    g = checked_seed(root, seed)
    leaves, has_nan = _passed(root, g, careful=False)
    if has_nan:
        # Perhaps a cotangent of 0 has met a NaN: once more, looking at each step.
        for leaf, before in leaves:
            leaf._grad = before
        leaves, _ = _passed(root, g, careful=True)
    for leaf, before in leaves:
        _accumulate(leaf, before)


def _passed(root: Node, seed: Any, careful: bool) -> tuple[list[tuple[Node, Any]], bool]:
    """Do one backward pass; return the leaves with the gradients they had, and if there is NaN."""
    order, leaves = _reachable(root)
    try:
        node, g = root, seed
        root._grad = seed
        with np.errstate(all="ignore", invalid="raise"):
            for node in reversed(order):
                g = node._grad
                if type(g) is not float:
                    careful = node.pull_array(g, careful)
                elif g:
                    pull = node._op.pull  # type: ignore[union-attr]
                    pull(node, g)
            has_nan = any(is_nan(leaf._grad) for leaf, _ in leaves)
    except BaseException as error:
        for leaf, before in leaves:
            leaf._grad = before
        if isinstance(error, Exception):
            raise_for_rule(node, g, error)
        raise
    return leaves, has_nan


def is_nan(grad: Any) -> bool:
    """Tell whether a number or array holds NaN."""
    if isinstance(grad, np.ndarray) and grad.ndim:
        grad = np.vdot(grad, grad)  # NaN if any element is: squares don't cancel
    return bool(grad != grad)


def _accumulate(leaf: Node, before: Any) -> None:
    """Add the gradient that the leaf had before the pass."""
    if isinstance(before, Node):  # from an earlier pass with create_graph=True
        before = before._data
    if type(before) is float and before == 0.0:
        return
    new = leaf._grad
    leaf._grad = before if type(new) is float and new == 0.0 else before + new


def checked_seed(root: Node, seed: Any) -> Any:
    """Return the seed as a float or array of the root's shape, 1 for a scalar root by default."""
    shape = np.shape(root._data)
    if seed is None:
        if shape not in ((), (1,)):
            raise GraphError(
                f"backward() needs a seed, the cotangent of its root, since the root "
                f"({root.describe()}) has shape {shape}: take the sum or mean first, or pass "
                "backward(seed=...) of that shape"
            )
        return 1.0 if type(root._data) is float else np.ones(shape, root._data.dtype)
    if isinstance(seed, Node):
        seed = seed._data
    if isinstance(root._data, float) and not isinstance(root._data, np.generic):
        check_shape_of_seed(root, np.shape(seed))
        return float(seed)
    if np.asarray(seed).dtype.kind not in "fiub":
        raise TypeError(f"the seed must be real numbers, got {np.asarray(seed).dtype}")
    check_shape_of_seed(root, np.shape(seed))
    return np.array(np.broadcast_to(seed, shape), dtype=root._data.dtype)


def check_shape_of_seed(root: Node, shape: tuple[int, ...]) -> None:
    """Raise a ValueError unless a seed of that shape fits the root; a number fits any root."""
    if shape not in ((), np.shape(root._data)):
        raise ValueError(
            f"the seed has shape {shape}, the root ({root.describe()}) {np.shape(root._data)}"
        )


def _reachable(root: Node) -> tuple[list[Node], list[tuple[Node, Any]]]:
    """Return the inner nodes below ``root``, inputs first, and the leaves with their gradients.

    The gradient of each node is set to one float, made for this pass, which also marks the node
    as visited. The order is that of ``toposort``.
    """
    zero = float("0.0")
    order: list[Node] = []
    leaves: list[tuple[Node, Any]] = []
    rests: dict[int, Any] = {}  # what remains to visit of each long tuple; many are shared

    def unvisited(inputs: Any) -> Node | None:
        if type(inputs) is not tuple:
            inputs = (inputs,)
        elif len(inputs) > 4:
            inputs = rests.setdefault(id(inputs), iter(inputs))
        for child in inputs:
            if child is not None and child._grad is not zero:
                child_grad = child._grad
                child._grad = zero
                if child._op is not None:
                    return child  # type: ignore[no-any-return]
                leaves.append((child, child_grad))
        return None

    if root._op is None:
        return order, [(root, root._grad)]
    root._grad = zero
    # A node on the stack waits for an input that is being visited; then it goes on with ``_b``, or,
    # where ``None`` lies above it, with what remains of its tuples.
    stack: list[Any] = []
    node: Any = root
    while True:
        child = node._a
        if type(child) is tuple:
            stack.append(node)
            node = None
        elif child is not None and child._grad is not zero:
            if child._op is not None:
                child._grad = zero
                stack.append(node)
                node = child
                continue
            leaves.append((child, child._grad))
            child._grad = zero
        while True:
            if node is None:
                node = stack[-1]
                child = unvisited(node._a)
                if child is None and node._b is not None:
                    child = unvisited(node._b)
                if child is not None:
                    stack.append(None)
                    break
                stack.pop()
            else:
                child = node._b
                if child is not None and child._grad is not zero:
                    if child._op is not None:
                        child._grad = zero
                        stack.append(node)
                        break
                    leaves.append((child, child._grad))
                    child._grad = zero
            order.append(node)
            if not stack:
                return order, leaves
            node = stack.pop()
        node = child


def pull_arrays(node: Node, g: Any, careful: bool) -> bool:
    """Carry the cotangent ``g`` of a tensor node to its inputs; return the new ``careful``.

    ``careful`` tells that an operation further up leaves out parts of its input that are NaN:
    from there on, a cotangent of 0 must be kept from meeting them.
    """
    op, tag, z, saved = node._op, node._tag, node._data, node._x
    assert op is not None
    params = {} if tag is None or tag.params is None else tag.params
    if op is not op.row:
        op.pull(node, g)  # a variant for overwritten data, which raises
    if op.hides_nan and not careful:
        careful = any(np.any(np.isnan(x)) for x in saved if x is not None)
    if op.variadic:
        (rule,) = op.rules
        if rule is not None:
            parts = rule(g, z, saved, **params)
            for child, cotangent in zip(node._a, parts, strict=True):
                if child is not None and child.requires_grad:
                    if careful:
                        cotangent = without_vanishing(op, rule, cotangent, g, saved, params)
                    _deliver(child, cotangent, g, saved)
        return careful
    for child, rule in zip(node._a, op.rules, strict=True):
        if child is None or rule is None or not child.requires_grad:
            continue
        try:
            cotangent = rule(g, z, *saved, **params)
            masked = careful
        except FloatingPointError:
            with np.errstate(all="ignore"):
                cotangent = rule(g, z, *saved, **params)
            masked = True
        if masked:
            with np.errstate(all="ignore"):
                cotangent = without_vanishing(op, rule, cotangent, g, saved, params)
        _deliver(child, cotangent, g, saved)
    return careful


@lru_cache(maxsize=64)
def _ones(count: int, dtype: Any) -> Any:
    return np.ones(count, dtype)


def _summed(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which an input of that shape was repeated."""
    axes = unbroadcast_axes(cotangent.shape, shape)
    if not axes:
        return np.broadcast_to(cotangent, shape)
    if len(axes) == 1 and cotangent.ndim == 2:  # the gradient of a bias: BLAS is four times as fast
        ones = _ones(cotangent.shape[axes[0]], cotangent.dtype)
        try:
            return (cotangent.dot(ones) if axes[0] else ones.dot(cotangent)).reshape(shape)
        except FloatingPointError:
            pass  # infinities of both signs: NaN, without an exception, below
    with np.errstate(all="ignore"):
        return np.add.reduce(cotangent, axis=axes).reshape(shape)


def _deliver(child: Node, cotangent: Any, g: Any, saved: Any) -> None:
    """Add a cotangent to the gradient of an input, summed over repeated axes."""
    data = child._data
    if type(data) is float:
        child._grad += cotangent if type(cotangent) is float else float(np.sum(cotangent))
        return
    if type(cotangent) is float:
        cotangent = np.full(data.shape, cotangent, data.dtype)
    if cotangent.shape != data.shape:
        cotangent = _summed(cotangent, data.shape)
    if cotangent.dtype is not data.dtype and cotangent.dtype != data.dtype:
        cotangent = cotangent.astype(data.dtype)
    before = child._grad
    if type(before) is not float:
        child._grad = _added(before, cotangent)
    elif child._op is None and not _is_new(cotangent, g, saved):
        child._grad = np.array(cotangent)  # a leaf's gradient is the user's to write to
    else:
        child._grad = cotangent


def _added(x: Any, y: Any) -> Any:
    try:
        return x + y
    except FloatingPointError:  # infinities of both signs: NaN, as IEEE has it
        with np.errstate(all="ignore"):
            return x + y


def _is_new(cotangent: Any, g: Any, saved: Any) -> bool:
    """Tell whether nothing else refers to the memory of a cotangent."""
    if type(cotangent) is not np.ndarray or cotangent is g or cotangent.base is not None:
        return False
    return not any(cotangent is recorded for recorded in saved)
