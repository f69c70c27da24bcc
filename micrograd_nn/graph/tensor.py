"""Tensor: a node that holds a NumPy array of float32 or float64."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.arguments import float_array, of_kind, operands, refusal, refuse_result
from micrograd_nn.graph.array_operators import Operators
from micrograd_nn.graph.backward import pull_arrays
from micrograd_nn.graph.compared import branched, compared
from micrograd_nn.graph.node import UNREACHED, Node, Tag, clock, data_of, modes, switch
from micrograd_nn.graph.primitive import Primitive, overwritten

#: The state of a tensor whose array a program writes to.
LENT = "lent"


class Tensor(Operators):
    """An array that remembers how it was computed.

    Parameters
    ----------
    array : array-like of real numbers
        Copied. float64, float32 and float16 are kept; integers and booleans become float64.
    dtype : dtype, optional
        A floating dtype to convert to.
    requires_grad : bool
        Whether a gradient is computed for this leaf. Data sets need none.
    name : str, optional
        A name, for pictures, formulas and error messages.

    Attributes
    ----------
    data : ndarray
        The array. A leaf's may be overwritten, as a whole or in place, which graphs recorded
        earlier don't see; an inner node's is read-only.
    grad : ndarray
        The gradient of the last root on which ``backward`` was called; zeros until then.

    Raises
    ------
    TypeError
        If the data aren't real numbers, or ``dtype`` isn't floating; or if they are a recorded
        result or a sequence of nodes that require a gradient: none would reach them through a leaf.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Tensor
    >>> W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    >>> loss = (W @ np.array([1.0, -1.0])).sum()
    >>> loss.backward()
    >>> W.grad
    array([[ 1., -1.],
           [ 1., -1.]])
    """

    __slots__ = ("_exposed", "_requires_grad")
    rank = 2

    # An array handed out by ``.data`` may be written to at any time, also after an operation has
    # been recorded. So a leaf hands out a fresh copy, which becomes its data (the graphs recorded
    # so far keep the old array), and while a copy is out (``_exposed``) each recording takes a
    # copy of its own. So it does while the array is ``LENT`` to a program, which moves the
    # parameters where they lie.
    _exposed: bool | str
    _requires_grad: bool

    def __init__(
        self,
        array: Any,
        dtype: Any = None,
        requires_grad: bool = True,
        name: str | None = None,
    ) -> None:
        if requires_grad:
            refuse_result(array, "Tensor")
        self._data = float_array(array, dtype)
        self._grad = UNREACHED
        self._op = None
        self._a = None
        self._b = None
        self._tag = switch.tag if name is None else Tag(name)
        self._exposed = False
        self._requires_grad = requires_grad

    @classmethod
    def own(cls, array: np.ndarray[Any, Any], requires_grad: bool = False) -> Tensor:
        """Wrap a floating array that nobody else will write to, without a copy."""
        leaf: Tensor = _new(Tensor)
        leaf._data = array
        leaf._grad = UNREACHED
        leaf._op = leaf._a = leaf._b = None
        leaf._tag = switch.tag
        leaf._exposed = False
        leaf._requires_grad = requires_grad
        return leaf

    # ------------------------------------------------------------------------- what it holds

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array; writable for a leaf, read-only for an inner node."""
        if self._op is not None:
            copied = np.array(self._data)  # it may share memory with a leaf
            copied.flags.writeable = False
            return copied
        if self._exposed is not True:
            self._data = np.array(self._data)
            self._exposed = True
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        array = float_array(data_of(data), self.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"can't overwrite the data of {self.describe()} of shape {self.shape} by an array "
                f"of shape {array.shape}: make a new Tensor instead"
            )
        self._overwrite(array)

    def _overwrite(self, array: np.ndarray[Any, Any]) -> None:
        """Take ``array``, which nobody else will write to, for data."""
        self._data = array
        self._exposed = False
        clock.time += 1
        if self._op is not None:
            self._op = overwritten(self._op)

    @property
    def grad(self) -> Any:
        """The gradient, of the tensor's shape; zeros until a backward pass has reached it.

        It is an array, or a node after ``backward(create_graph=True)``.
        """
        grad = self._grad
        if type(grad) is float:
            view = np.zeros(
                self.shape, self.dtype
            )  # read-only: nothing would come of writing to it
        elif self._op is None or isinstance(grad, Node):
            return grad
        else:
            view = np.asarray(grad).view()  # inner nodes may share the array of their gradient
        view.flags.writeable = False
        return view

    @grad.setter
    def grad(self, grad: Any) -> None:
        if grad is None or (isinstance(grad, numbers.Real) and grad == 0):
            self._grad = UNREACHED
        elif isinstance(grad, Node):
            self._grad = grad
        else:
            array = float_array(grad, self.dtype)
            if array.shape not in ((), self.shape):
                raise ValueError(
                    f"{self.describe()} has shape {self.shape}, and a gradient of that shape, got "
                    f"{array.shape}"
                )
            self._grad = np.broadcast_to(array, self.shape).copy()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the array."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    @property
    def T(self) -> Tensor:  # noqa: N802 (NumPy's name)
        """The transpose, with the axes in reverse order."""
        return functions.transpose(self)  # type: ignore[no-any-return]

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is computed for this node."""
        return self._requires_grad

    def item(self) -> float:
        """Return the only element as a Python float.

        Raises
        ------
        ValueError
            If there isn't exactly one element.
        """
        if self.size != 1:
            raise ValueError(f"item() needs one element, got a Tensor of shape {self.shape}")
        return float(self._data.item())

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy of the data."""
        return np.array(self._data)

    def detach(self) -> Tensor:
        """Return a leaf of the same data, which no gradient flows through."""
        return Tensor(self._data, requires_grad=False, name=self.name)

    # ----------------------------------------------------------------------------- recording

    @classmethod
    def record(cls, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Node:
        """Apply ``row`` to ``args`` and record the result; see ``Node.record``."""
        inputs: tuple[Node | None, ...] = tuple(args[0]) if row.variadic else args
        data: list[Any] = []
        requires_grad = False
        for arg in inputs:
            if type(arg) is not Tensor or arg._exposed:
                inputs, data, requires_grad = operands(row, inputs)
                break
            data.append(arg._data)
            if arg._requires_grad:
                requires_grad = True
        try:
            result = (
                row.on_arrays(data, **params) if row.variadic else row.on_arrays(*data, **params)
            )
        except (ValueError, TypeError, IndexError) as error:
            raise of_kind(error, refusal(row, inputs, data, params, error)) from error
        if not isinstance(result, (np.ndarray, np.generic)):
            result = np.asarray(result, dtype=np.float64)
        if not modes.recording:
            return cls.own(np.asarray(result))
        node: Tensor = _new(Tensor)
        node._data = result
        node._grad = UNREACHED
        node._op = row
        node._a = inputs
        node._b = None
        node._tag = switch.tag
        node._x = tuple(data)
        node._exposed = False
        node._requires_grad = requires_grad
        if params or modes.scope or not switch.fast:
            node._finish(row, params)
        return node

    def _snapshot(self) -> np.ndarray[Any, Any]:
        return np.array(self._data) if self._exposed else self._data

    def pull_array(self, g: Any, careful: bool) -> bool:
        """Carry the cotangent ``g`` to the inputs; see ``backward.pull_arrays``."""
        return pull_arrays(self, g, careful)

    @classmethod
    def _constant(cls, data: Any) -> Node:
        return Tensor(
            np.asarray(data, np.float64 if np.ndim(data) == 0 else None), requires_grad=False
        )

    # ------------------------------------------------------------------------- Python's protocols

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Any:
        if self.ndim == 0:
            raise TypeError("a Tensor of shape () can't be iterated over")
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        branched()
        return bool(self._data)

    def __lt__(self, other: Any) -> Any:
        return compared(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        return compared(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return compared(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return compared(np.greater_equal, self, other)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError(
                "the data of a Tensor are handed out as a copy: pass copy=None or True"
            )
        return np.array(self._data, dtype=dtype)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self._data), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Tensor({text}{dtype}{name})"


_new = object.__new__
