"""NumPy's functions on nodes: which function of the library each of them means.

A function is entered with NumPy's own argument names. An argument that has no meaning on a node
(``out``, ``dtype`` ...) is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph import functions as F
from micrograd_nn.graph.compared import branched, compared
from micrograd_nn.graph.node import data_of

_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: F.add,
    np.subtract: F.sub,
    np.multiply: F.mul,
    np.divide: F.div,
    np.negative: F.neg,
    np.power: F.power,
    np.float_power: F.power,
    np.absolute: F.abs,
    np.fabs: F.abs,
    np.matmul: F.matmul,
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1.0 / x,
    **{
        getattr(np, name): getattr(F, name)
        for name in (
            "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sign maximum minimum"
        ).split()
    },
}

#: Ufuncs of the data alone, which have no derivative.
_OF_DATA = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not,
    np.floor, np.ceil, np.rint, np.trunc,
}  # fmt: skip

_REDUCTIONS = {np.add: F.sum, np.multiply: F.prod, np.maximum: F.max, np.minimum: F.min}


def _reduction(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, dtype=None, out=None, keepdims=False: f(
        a, axis, keepdims, **_absent(dtype=dtype, out=out)
    )


def _extremum(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, out=None, keepdims=False: f(a, axis, keepdims, **_absent(out=out))


def _spread(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, dtype=None, out=None, ddof=0, keepdims=False: f(
        a, axis, ddof, keepdims, **_absent(dtype=dtype, out=out)
    )


def _absent(**arguments: Any) -> dict[str, Any]:
    """Return no arguments, or raise for those that were given."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise TypeError(f"{', '.join(given)} can't be given for a node")
    return {}


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    vector = isinstance(axis, int) or (axis is None and len(x.shape) == 1)
    if ord not in (None, "fro") and not (ord == 2 and vector):
        raise TypeError(f"np.linalg.norm on a node is the Euclidean norm only, not ord={ord!r}")
    return F.norm(x, axis, keepdims)


def _reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None) -> Any:
    if order != "C":
        raise TypeError("np.reshape on a node takes order='C' only")
    return F.reshape(a, newshape if shape is None else shape)


def _pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant" or np.any(np.asarray(constant_values) != 0):
        raise TypeError("np.pad on a node pads with zeros only")
    return F.pad(array, pad_width)


def _clip(
    a: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: Any = None,
    *,
    min: Any = None,
    max: Any = None,
) -> Any:
    return F.clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max, **_absent(out=out)
    )


def _of_data(f: Callable[..., Any]) -> Callable[..., Any]:
    def of_data(*args: Any, **kwargs: Any) -> Any:
        branched()
        return f(*map(data_of, args), **kwargs)

    return of_data


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _reduction(F.sum),
    np.mean: _reduction(F.mean),
    np.prod: _reduction(F.prod),
    np.max: _extremum(F.max),
    np.amax: _extremum(F.max),
    np.min: _extremum(F.min),
    np.amin: _extremum(F.min),
    np.var: _spread(F.var),
    np.std: _spread(F.std),
    np.cumsum: lambda a, axis=None, dtype=None, out=None: F.cumsum(
        a, axis, **_absent(dtype=dtype, out=out)
    ),
    np.linalg.norm: _norm,
    np.dot: lambda a, b, out=None: F.dot(a, b, **_absent(out=out)),
    np.outer: lambda a, b, out=None: F.outer(a, b, **_absent(out=out)),
    np.transpose: lambda a, axes=None: F.transpose(a, axes),
    np.swapaxes: lambda a, axis1, axis2: F.swapaxes(a, axis1, axis2),
    np.moveaxis: lambda a, source, destination: F.moveaxis(a, source, destination),
    np.reshape: _reshape,
    np.ravel: lambda a: F.ravel(a),
    np.broadcast_to: lambda array, shape: F.broadcast_to(array, shape),
    np.squeeze: lambda a, axis=None: F.squeeze(a, axis),
    np.expand_dims: lambda a, axis: F.expand_dims(a, axis),
    np.flip: lambda m, axis=None: F.flip(m, axis),
    np.take: lambda a, indices, axis=None: F.take(a, indices, axis),
    np.concatenate: lambda arrays, axis=0: F.concatenate(arrays, axis),
    np.stack: lambda arrays, axis=0: F.stack(arrays, axis),
    np.split: lambda ary, indices_or_sections, axis=0: F.split(ary, indices_or_sections, axis),
    np.pad: _pad,
    np.where: lambda condition, x, y: F.where(condition, x, y),
    np.clip: _clip,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: len(a.shape),
    np.size: lambda a: int(np.prod(a.shape)),
    **{
        getattr(np, name): _of_data(getattr(np, name))
        for name in (
            "zeros_like ones_like argmax argmin argsort allclose array_equal isclose array2string "
            "array_repr array_str"
        ).split()
    },
}


def _no_rule(name: str) -> TypeError:
    return TypeError(
        f"{name} has no derivative rule here: use a function of micrograd_nn.functional, add one "
        f"by micrograd_nn.primitive, or take the data alone: {name}(t.data)"
    )


def apply_ufunc(ufunc: np.ufunc, method: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do what ``ufunc`` means on nodes; see NEP 13."""
    if kwargs.get("out") is not None:
        raise TypeError(
            f"np.{ufunc.__name__}(..., out=) can't write into a recorded node: use the result"
        )
    if method == "__call__" and ufunc in _UFUNCS and not kwargs:
        return _UFUNCS[ufunc](*args)
    if method == "__call__" and ufunc in _OF_DATA:
        return compared(ufunc, *args, **kwargs)
    if method == "reduce" and ufunc in _REDUCTIONS and kwargs.keys() <= {"axis", "keepdims"}:
        return _REDUCTIONS[ufunc](*args, **{"axis": 0, **kwargs})
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    raise _no_rule(name + (f" with {', '.join(kwargs)}" if kwargs else ""))


def apply_function(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do what a NumPy function means on nodes; see NEP 18."""
    name = f"np.{getattr(function, '__name__', function)}"
    if function not in _FUNCTIONS:
        raise _no_rule(name)
    try:
        return _FUNCTIONS[function](*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}: {error}".replace("<lambda>()", "it")) from error
