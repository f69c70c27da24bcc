"""Value: a node that holds one Python float."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph.arguments import refuse_result
from micrograd_nn.graph.compared import branched
from micrograd_nn.graph.node import UNREACHED, Group, Node, Tag, clock, data_of, modes, switch
from micrograd_nn.graph.primitive import Primitive, for_tuples, overwritten
from micrograd_nn.graph.recorded import Recorded
from micrograd_nn.graph.scalar_operators import install
from micrograd_nn.graph.table import arithmetic


class Value(Recorded):
    """A number that remembers how it was computed.

    Parameters
    ----------
    data : real number
        Kept as a Python float (IEEE double precision).
    name : str, optional
        A name, for pictures, formulas and error messages.

    Attributes
    ----------
    data : float
        The number. On a leaf it may be overwritten, which graphs recorded earlier don't see.
    grad : float
        The derivative of the last root on which ``backward`` was called; 0.0 until then.

    Raises
    ------
    TypeError
        If ``data`` isn't a real number, or is a recorded result that requires a gradient, which
        wouldn't reach it through a leaf.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> a, b = Value(2.0), Value(-3.0)
    >>> L = (a * b + 10).relu()
    >>> L.backward()
    >>> L.data, a.grad, b.grad
    (4.0, -3.0, 2.0)
    """

    __slots__ = ()
    rank = 1

    def __init__(self, data: Any, name: str | None = None) -> None:
        self._data = data if type(data) is float else _of_leaf(data)
        self._grad = UNREACHED
        self._op = None
        self._a = None
        self._b = None
        self._tag = switch.tag if name is None else Tag(name)

    # ------------------------------------------------------------------------- what it holds

    @property
    def data(self) -> float:
        """The number, a Python float."""
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        self._data = _as_float(data)
        clock.time += 1
        if self._op is not None:
            self._op = overwritten(self._op)

    @property
    def grad(self) -> Any:
        """The derivative of the root with respect to this node; 0.0 until a backward pass.

        It is a float, or a node after ``backward(create_graph=True)``.
        """
        group = self._a
        if isinstance(group, Group) and type(group._grad) is not float:
            return float(group._grad[self._x])
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if grad is None or (not isinstance(grad, Node) and grad == 0):
            self._grad = UNREACHED
        else:
            self._grad = grad if isinstance(grad, Node) else _as_float(grad)

    @property
    def shape(self) -> tuple[int, ...]:
        """Always ``()``."""
        return ()

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Always float64."""
        return np.dtype(np.float64)

    def item(self) -> float:
        """Return the number."""
        return self._data  # type: ignore[no-any-return]

    def detach(self) -> Value:
        """Return a leaf of the same data, which no gradient flows through.

        Examples
        --------
        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        return Constant(self._data, self.name)

    # ----------------------------------------------------------------------------- recording

    @classmethod
    def record(cls, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Node:
        """Apply ``row`` to ``args`` and record the result; see ``Node.record``."""
        if row.vector:
            return _record_vectors(row, *args)
        if row.on_floats is None or row.variadic or any(map(_is_array, args)):
            return Node.kinds["Tensor"].record(row, args, params)
        data = tuple(a._data if isinstance(a, Node) else _as_float(a) for a in args)
        result = row.on_floats(*data, **params)
        if not modes.recording:
            return Constant(result)
        node: Value = _new(Value)
        node._data = result
        node._grad = UNREACHED
        node._op = row
        node._tag = switch.tag
        inputs = tuple(a if isinstance(a, Node) else None for a in args)
        if len(args) > 2 or params:
            node._a, node._b, node._x = inputs, None, data
            node._op = for_tuples(row)
        else:
            node._a, node._x = inputs[0], data[0]
            node._b, node._y = (inputs[1], data[1]) if len(args) == 2 else (None, None)
        node._finish(row, params)
        return node

    @classmethod
    def _constant(cls, data: Any) -> Node:
        return Constant(data)

    # ---------------------------------------------------------------------------- operators

    if TYPE_CHECKING:  # made from the table below

        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __neg__(self) -> Value: ...

        exp: Callable[[], Value]
        expm1: Callable[[], Value]
        log: Callable[[], Value]
        log1p: Callable[[], Value]
        sqrt: Callable[[], Value]
        sin: Callable[[], Value]
        cos: Callable[[], Value]
        tan: Callable[[], Value]
        arctan: Callable[[], Value]
        sinh: Callable[[], Value]
        cosh: Callable[[], Value]
        tanh: Callable[[], Value]
        sigmoid: Callable[[], Value]
        softplus: Callable[[], Value]
        erf: Callable[[], Value]
        relu: Callable[[], Value]
        gelu: Callable[[], Value]
        silu: Callable[[], Value]

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Any:
        return arithmetic.absolute(self)

    def __float__(self) -> float:
        return self._data  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return int(self._data)

    def __bool__(self) -> bool:
        branched()
        return bool(self._data)

    def __lt__(self, other: Any) -> Any:
        branched()
        return _plain(self._data < data_of(other))

    def __le__(self, other: Any) -> Any:
        branched()
        return _plain(self._data <= data_of(other))

    def __gt__(self, other: Any) -> Any:
        branched()
        return _plain(self._data > data_of(other))

    def __ge__(self, other: Any) -> Any:
        branched()
        return _plain(self._data >= data_of(other))

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        grad = self.grad._data if isinstance(self.grad, Node) else self.grad
        return f"Value(data={self._data!r}, grad={grad!r}{name})"


def _record_vectors(row: Primitive, xs: Any, ys: Any) -> Value:
    a, b = (tuple(i if isinstance(i, Value) else Constant(i) for i in part) for part in (xs, ys))
    x, y = (tuple(node._data for node in part) for part in (a, b))
    assert row.on_floats is not None
    if not modes.recording:
        return Constant(row.on_floats(x, y))
    node: Value = _new(Value)
    node._data, node._grad, node._op = row.on_floats(x, y), UNREACHED, row
    node._a, node._b, node._x, node._y, node._tag = a, b, x, y, switch.tag
    node._finish(row, {})
    return node


class Constant(Value):
    """A number that takes part in a graph and for which no gradient is computed.

    Plain numbers that meet a node become constants.
    """

    __slots__ = ()

    @property
    def requires_grad(self) -> bool:
        """Always false."""
        return False

    @property
    def grad(self) -> float:
        """Always 0.0."""
        return 0.0

    @grad.setter
    def grad(self, grad: Any) -> None:
        pass


_new = object.__new__


def _of_leaf(data: Any) -> float:
    """Return the number that a leaf is to hold; refuse to cut a gradient without a word."""
    refuse_result(data, "Value")
    return _as_float(data)


def _as_float(data: Any) -> float:
    if type(data) is float:
        return data
    if isinstance(data, Node):
        data = data._data
    if isinstance(data, (np.generic, np.ndarray)):
        if data.ndim == 0 and data.dtype.kind in "fiub":
            return float(data)
    elif isinstance(data, numbers.Real):
        return float(data)
    raise TypeError(
        f"a Value holds one real number, got {type(data).__name__}"
        + (f" of shape {data.shape}: use Tensor" if isinstance(data, np.ndarray) else "")
    )


def _is_array(data: Any) -> bool:
    return isinstance(data, (np.ndarray, list, tuple)) and np.ndim(data) > 0


def _plain(compared: Any) -> Any:
    """Return a comparison with a number as a bool, one with an array as the array."""
    return compared if type(compared) is np.ndarray else bool(compared)


install(Value, Constant)
