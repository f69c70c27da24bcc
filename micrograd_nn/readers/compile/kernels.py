"""The kernels of the table, as calls that write into memory that is there already."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np

from micrograd_nn.readers.compile.adjoint import Program, Refused
from micrograd_nn.readers.compile.symbols import Operation

#: A function and its arguments, the last of which is where the result is left.
Call = tuple[Callable[..., Any], tuple[Any, ...]]


class _Array:
    """An array that is not there: it tells which ufuncs a kernel calls on it."""

    dtype = np.dtype(np.float64)

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> _Array:
        letters = "d" * ufunc.nin + "->d"
        if method != "__call__" or kwargs or letters not in ufunc.types:
            raise TypeError("not a plain ufunc of floats")
        self.calls.append((ufunc, args))
        result = _Array(self.calls)
        self.calls[-1] += (result,)
        return result

    def _ufunc(self, ufunc: np.ufunc, *args: Any) -> _Array:
        return self.__array_ufunc__(ufunc, "__call__", *args)

    def __mul__(self, other: Any) -> _Array:
        return self._ufunc(np.multiply, self, other)

    def __rsub__(self, other: Any) -> _Array:
        return self._ufunc(np.subtract, other, self)

    def __bool__(self) -> NoReturn:
        raise TypeError("the kernel branches on data")


@lru_cache(maxsize=1000)
def _chain(
    kernel: Callable[..., Any], arity: int
) -> list[tuple[Callable[..., Any], list[Any]]] | None:
    """Return the ufuncs of a kernel whose first takes its arguments, and each next one the last.

    Such a kernel needs no memory but that of its result. In the lists, a number is the place of an
    argument and ``None`` the result of the ufunc before. Any other kernel gives ``None``.
    """
    if isinstance(kernel, np.ufunc):
        return [(_POSITIONAL.get(kernel, kernel), list(range(arity)))]
    calls: list[Any] = []
    arrays = [_Array(calls) for _ in range(arity)]
    try:
        result = kernel(*arrays)
    except Exception:  # noqa: BLE001 (a kernel may do anything; it is called whole, then)
        return None
    if not calls or result is not calls[-1][2]:
        return None
    places: dict[Any, Any] = {array: i for i, array in enumerate(arrays)}
    chain = []
    for ufunc, args, made in calls:
        operands = []
        for arg in args:
            if isinstance(arg, _Array) and arg in places:
                operands.append(places[arg])
            elif np.asarray(arg).dtype.kind in "fi":
                operands.append(np.asarray(arg, np.float64))
            else:
                return None
        chain.append((_POSITIONAL.get(ufunc, ufunc), operands))
        places = {made: None}
    return chain


def calls_of(op: Operation, params: dict[str, Any], operands: list[Any], out: Any) -> list[Call]:
    """Return calls that apply an operation to arrays and leave the result in ``out``.

    ``out`` may be one of the operands.

    Examples
    --------
    >>> from micrograd_nn.graph.table.activations import relu
    >>> x = np.array([-1.0, 2.0])
    >>> for function, args in calls_of(relu, {}, [x], x):
    ...     _ = function(*args)
    >>> x
    array([0., 2.])
    """
    chain = None if params else _chain(op.on_arrays, len(operands))
    if chain is None:
        return [(_apply, (op.on_arrays, params, operands, out))]
    if len(chain) == 1:
        ufunc, args = chain[0]
        return [(ufunc, (*[operands[a] if type(a) is int else a for a in args], out))]
    calls = []
    for ufunc, args in chain:
        filled = [operands[a] if type(a) is int else out if a is None else a for a in args]
        calls.append((ufunc, (*filled, out)))
    return calls


def check_kernels(program: Program) -> None:
    """Try each operation on two examples.

    Raises
    ------
    Refused
        If a user's own kernel or rule runs on floats only.
    """
    tried = set()
    for _, op, args, params in program.forward + program.backward:
        batched = tuple([program.batched[a] for a in args])
        if isinstance(op.on_arrays, np.ufunc) or (op, batched) in tried:
            continue
        tried.add((op, batched))
        numbers = [
            0.5 if b else program.literals.get(a, 0.5) for a, b in zip(args, batched, strict=True)
        ]
        arrays = [np.full((2,) if b else (), x) for x, b in zip(numbers, batched, strict=True)]
        try:
            with np.errstate(all="ignore"):
                np.empty(2)[...] = op.on_arrays(*arrays, **params)
        except Exception as error:
            raise Refused(f"{op.name} doesn't run on arrays: {error}") from error


def _apply(kernel: Callable[..., Any], params: dict[str, Any], operands: Any, out: Any) -> None:
    out[...] = kernel(*operands, **params)


def _maximum(x: Any, y: Any, out: Any) -> None:
    np.maximum(x, y, out=out)  # NumPy wants the keyword here


def _minimum(x: Any, y: Any, out: Any) -> None:
    np.minimum(x, y, out=out)


_POSITIONAL: dict[Any, Callable[..., Any]] = {np.maximum: _maximum, np.minimum: _minimum}
