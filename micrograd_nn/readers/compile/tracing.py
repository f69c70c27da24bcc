"""Kernels and derivative rules, run once on stand-ins, as the calls of NumPy that they make.

A row's kernel and rules are written in NumPy's functions, operators and other rows. Run on
``Traced`` values, they leave behind the steps of a program. Where one looks at its data (to
branch, say), it can't be followed; then the whole function becomes one step, which calls it.
Either way the program makes the same calls as the engine, and so has its numbers, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from micrograd_nn.graph.array_operators import Operators
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arrays, indexing
from micrograd_nn.graph.table.indexing import is_basic
from micrograd_nn.readers.compile import moves
from micrograd_nn.readers.compile.shortcuts import shortened
from micrograd_nn.readers.compile.steps import (
    CALL,
    CONSTANT,
    INTO,
    JOINED,
    LEAF,
    SPREAD,
    UFUNC,
    VIEW,
    Step,
    replaced,
)


class UntraceableError(TypeError):
    """A kernel or rule looked at the data of a value that only a run of the program will know."""


class Tracer:
    """Collects steps; what is computed twice becomes one step, what is known one constant."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        #: Whether what is followed are derivative rules: a NaN in the value is the engine's then.
        self.backward = False
        self._known: dict[Hashable, Step] = {}

    def leaf(self, sample: Any, name: str = "") -> Traced:
        """Return a stand-in for what is given to the program."""
        step = Step(LEAF, None, (), {}, sample, name)
        self.steps.append(step)
        return Traced(self, step)

    def constant(self, data: Any) -> Traced:
        """Return a stand-in for what is known already."""
        return Traced(self, self._constant(data))

    def _constant(self, data: Any) -> Step:
        step = Step(CONSTANT, None, (), {}, data)
        self.steps.append(step)
        return step

    def emit(
        self,
        kind: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        pure: bool = True,
        shared: bool = True,
    ) -> Step:
        """Add a step, or return the one that computes the same, unless it isn't to be shared."""
        key = (kind, function, _key(args), _key(tuple(sorted(kwargs.items()))))
        known = self._known.get(key) if pure and shared else None
        if known is not None:
            return known
        sample = function(*_samples(args), **{k: _samples(v) for k, v in kwargs.items()})
        if sample is None:
            raise UntraceableError("a kernel that writes into an array is called, not followed")
        if kind == CALL and function is not moves.item and _shares_memory(sample, args):
            function, args, sample = moves.fresh, (function, *args), moves.copied(sample)
        step = Step(kind, function, args, kwargs, sample, pure=pure)
        if pure and shared and all(i.kind == CONSTANT for i in step.inputs()):
            step = self._constant(sample)
        else:
            self.steps.append(step)
        if pure and shared:
            self._known[key] = step
        return step

    def added(self, x: Traced | None, shape: Any, dtype: Any, pieces: Any) -> Traced:
        """Return an array (0 by default) with pieces added to parts of it, by index."""
        start = np.zeros((), dtype) if x is None else x.step
        step = self.emit(SPREAD, moves.spread, (start, shape), {}, shared=False)
        for index, piece in pieces:
            step = self.emit(INTO, moves.added_into, (step, piece.whole(), index), {}, shared=False)
        return Traced(self, step)

    def joined(self, parts: Any, axis: int | None) -> Traced:
        """Return several arrays as one, side by side."""
        pieces = [
            part.whole() if isinstance(part, Traced) else self._constant(part) for part in parts
        ]
        if axis is None:
            return self.call(np.concatenate, (pieces,), {"axis": axis})  # type: ignore[no-any-return]
        axis %= len(pieces[0].shape)
        return Traced(self, self.emit(JOINED, np.concatenate, (pieces,), {"axis": axis}))

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any, pure: bool = True) -> Any:
        """Return what a function that isn't followed will give, as stand-ins."""
        step = self.emit(
            CALL,
            function,
            tuple(replaced(arg, _whole) for arg in args),
            {name: replaced(arg, _whole) for name, arg in kwargs.items()},
            pure,
        )
        if not isinstance(step.sample, (list, tuple)):
            return Traced(self, step)
        return [self.item(step, i) for i in range(len(step.sample))]

    def item(self, step: Step, index: int) -> Traced:
        """Return one of several results of a step."""
        return Traced(self, self.emit(CALL, moves.item, (step, index), {}))

    def follow(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run a function on stand-ins; where it can't be followed, return a call of it.

        What it gives is held against what it gives on the recorded data: a function may write into
        an array through a view, say, which a stand-in doesn't see.
        """
        try:
            made = function(*args, **kwargs)
        except Exception:  # noqa: BLE001 (on stand-ins it may raise anything; it is called then)
            return self.call(function, args, kwargs)
        given = (_whole_samples(arg) for arg in args)
        real = function(*given, **{name: _whole_samples(arg) for name, arg in kwargs.items()})
        return made if _same(made, real) else self.call(function, args, kwargs)


def _shares_memory(result: Any, args: Any) -> bool:
    results, given = _arrays(result), _arrays(_samples(args))
    return any(np.may_share_memory(a, b) for a in results for b in given)


def _arrays(items: Any) -> list[Any]:
    if isinstance(items, (list, tuple)):
        return [array for item in items for array in _arrays(item)]
    return [items] if isinstance(items, np.ndarray) else []


def _key(arg: Any) -> Hashable:
    if isinstance(arg, Step):
        return id(arg)
    if isinstance(arg, (list, tuple)):
        return tuple(map(_key, arg))
    if isinstance(arg, float):
        return ("float", arg.hex())
    if isinstance(arg, (np.ndarray, np.generic)):
        return ("array", id(arg))
    if isinstance(arg, slice):
        return ("slice", arg.start, arg.stop, arg.step)
    return (type(arg), arg)


def _samples(arg: Any) -> Any:
    return replaced(arg, lambda item: item.sample if isinstance(item, Step) else item)


def _whole_samples(arg: Any) -> Any:
    return replaced(arg, _whole_sample)


def _whole_sample(item: Any) -> Any:
    """Return the sample of a stand-in in its full shape."""
    if not isinstance(item, Traced):
        return item
    sample = item.step.sample
    return sample if item.step.shape == item.shape else np.broadcast_to(sample, item.shape)


def _same(made: Any, real: Any) -> bool:
    """Tell whether stand-ins hold the same numbers as the real thing, bit for bit."""
    if isinstance(made, (list, tuple)) or isinstance(real, (list, tuple)):
        return len(made) == len(real) and all(map(_same, made, real))
    a, b = np.asarray(_whole_sample(made)), np.asarray(real)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _whole(arg: Any) -> Any:
    return arg.whole() if isinstance(arg, Traced) else arg


class Traced(Operators):
    """A value of a program to come.

    Its shape may be larger than that of its step, whose value is then the same along the axes that
    are missing: a gradient of a mean stays one number.
    """

    __slots__ = ("_shape", "step", "tracer")
    rank = 3

    def __init__(self, tracer: Tracer, step: Step, shape: tuple[int, ...] | None = None) -> None:
        self.tracer = tracer
        self.step = step
        self._shape = step.shape if shape is None else shape

    @property
    def _data(self) -> Any:
        raise UntraceableError("the data of a value are known only when the program runs")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self._shape

    @property
    def dtype(self) -> Any:
        """The dtype of the value."""
        return np.asarray(self.step.sample).dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self._shape))

    @property
    def T(self) -> Traced:  # noqa: N802 (NumPy's name)
        """The transpose."""
        return self._view(np.transpose, ())

    def whole(self) -> Step:
        """Return a step of the value's full shape."""
        if self.step.shape == self._shape:
            return self.step
        return self.tracer.emit(SPREAD, moves.spread, (self.step, self._shape), {})

    def _view(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Traced:
        step = self.whole()
        if not isinstance(step.sample, np.ndarray):
            return self.tracer.call(function, (self, *args), {})  # type: ignore[no-any-return]
        made = self.tracer.emit(VIEW, function, (step, *args), {})
        if made.kind == VIEW and not np.may_share_memory(made.sample, step.sample):
            made.kind = CALL  # reshaping what isn't contiguous copies
        return Traced(self.tracer, made)

    # ------------------------------------------------------------------ what rows make of values

    @classmethod
    def record(cls, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Follow the kernel of a row; see ``Node.record``."""
        given = args[0] if row.variadic else args
        tracer = next(arg.tracer for arg in given if isinstance(arg, Traced))
        args = tuple(map(_plain, args))
        written = _WRITTEN.get(row)
        if written is not None:
            return written(*args, **params)
        return tracer.follow(row.on_arrays, args, params)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None or "where" in kwargs:
            raise UntraceableError("a kernel that writes into an array is called, not followed")
        if method != "__call__" or ufunc.signature is not None:
            function = ufunc if method == "__call__" else getattr(ufunc, method)
            kind = UFUNC if method in ("__call__", "reduce") else CALL
            whole = tuple(replaced(arg, _whole) for arg in args)
            return Traced(self.tracer, self.tracer.emit(kind, function, whole, kwargs))
        return self._elementwise(UFUNC, ufunc, args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise UntraceableError("a kernel that writes into an array is called, not followed")
        if function is np.result_type:
            return np.result_type(*(a.step.sample if isinstance(a, Traced) else a for a in args))
        if function is np.where and len(args) == 3:
            return self._elementwise(CALL, np.where, args, kwargs)
        if function is np.shape:
            return self._shape
        if function is np.ndim:
            return len(self._shape)
        if function in (np.reshape, np.transpose, np.broadcast_to):
            return getattr(self, f"_{function.__name__}")(*args[1:], **kwargs)
        return self.tracer.call(function, args, kwargs)

    def _elementwise(
        self, kind: str, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> Traced:
        shape = np.broadcast_shapes(*(getattr(arg, "shape", ()) for arg in args))
        whole = _order_matters(args)
        steps = tuple(
            arg if not isinstance(arg, Traced) else arg.whole() if whole else arg.step
            for arg in args
        )
        found = shortened(function, steps, self.tracer.backward, self.tracer.emit)
        if not isinstance(found, Step):
            found = self.tracer.emit(kind, *found, kwargs)
        return Traced(self.tracer, found, shape)

    def _reshape(self, shape: Any) -> Traced:
        shape = np.empty(self._shape, bool).reshape(shape).shape if -1 in np.ravel(shape) else shape
        if self.step.shape == () and self.step.shape != tuple(shape):
            return Traced(self.tracer, self.step, tuple(shape))
        return self if self._shape == tuple(shape) else self._view(np.reshape, (tuple(shape),))

    def _transpose(self, axes: Any = None) -> Traced:
        return self._view(np.transpose, () if axes is None else (axes,))

    def _broadcast_to(self, shape: Any) -> Traced:
        np.broadcast_shapes(self._shape, shape)
        return Traced(self.tracer, self.step, tuple(shape))

    # -------------------------------------------------------- what kernels ask of arrays besides

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """Return the value in another dtype; itself, if it has it."""
        if self.dtype == dtype:
            return self
        return self.tracer.call(moves.astype, (self, np.dtype(dtype)), {})

    def argmax(self, axis: Any = None) -> Any:
        """Return the place of the largest element."""
        return self.tracer.call(np.argmax, (self,), {"axis": axis})

    def __getitem__(self, index: Any) -> Any:
        if is_basic(index):
            return self._view(moves.getitem, (index,))
        return self.tracer.call(moves.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        # A kernel writes only to arrays that it has made: the name stands for a new value then.
        if self.step.kind == VIEW:
            self._refuse()
        self.step = self.tracer.call(moves.with_items, (self, index, value), {}).whole()

    def __len__(self) -> int:
        return self._shape[0]

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise UntraceableError("the data of a value are known only when the program runs")

    __bool__ = __float__ = __int__ = __index__ = __iter__ = __array__ = _refuse
    item = tolist = backward = _refuse

    def __eq__(self, other: object) -> Any:
        return np.equal(self, other)  # type: ignore[call-overload]

    def __ne__(self, other: object) -> Any:
        return np.not_equal(self, other)  # type: ignore[call-overload]

    __hash__ = object.__hash__

    def __lt__(self, other: Any) -> Any:
        return np.less(self, other)

    def __le__(self, other: Any) -> Any:
        return np.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return np.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return np.greater_equal(self, other)

    def __and__(self, other: Any) -> Any:
        return np.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return np.bitwise_or(self, other)

    def __invert__(self) -> Any:
        return np.invert(self)


def _order_matters(args: Any) -> bool:
    """Tell whether the result would lie in memory in another order if an operand stayed a number.

    Beside an array that lies row by row, one of another order gives a result that lies row by row.
    """
    if not any(isinstance(arg, Traced) and arg.step.shape != arg.shape for arg in args):
        return False
    data = [arg.step.sample if isinstance(arg, Traced) else arg for arg in args]
    return any(isinstance(x, np.ndarray) and not x.flags.c_contiguous for x in data)


def _plain(arg: Any) -> Any:
    """Return an argument without nodes that are no stand-ins."""
    if isinstance(arg, (list, tuple)):
        return type(arg)(map(_plain, arg))
    return arg._data if isinstance(arg, Node) and not isinstance(arg, Traced) else arg


def _joined(parts: Any, axis: int | None) -> Traced:
    tracer: Tracer = next(part.tracer for part in parts if isinstance(part, Traced))
    return tracer.joined(parts, axis)


#: Rows that move data, written as views or as steps that can be left out.
_WRITTEN: dict[Primitive, Callable[..., Any]] = {
    arrays.reshape: lambda x, shape: x._reshape(shape),
    arrays.transpose: lambda x, axes: x._transpose(axes),
    arrays.broadcast_to: lambda x, shape: x._broadcast_to(shape),
    indexing.getitem: lambda x, index: x[index],
    indexing.concatenate: _joined,
}
