"""Shorter ways to the same numbers, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.steps import CONSTANT, UFUNC, Step

Emit = Callable[..., Step]


def shortened(
    function: Callable[..., Any], args: tuple[Any, ...], backward: bool, emit: Emit
) -> Step | tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the step that has the result already, or a function and its arguments.

    Parameters
    ----------
    function : callable
        It computes element by element.
    args : tuple of Step or plain data
    backward : bool
        Whether it is a part of a derivative rule. A NaN that has reached the value is the engine's
        then, and one that hasn't meets a cotangent of 0.
    emit : callable
        ``Tracer.emit``.
    """
    if function is np.multiply:
        same = _other_than_one(args)
        if same is not None:
            return same
        if backward:
            return function, tuple(_mask(arg, emit) for arg in args)
    if function is np.negative:
        return _negated(args[0])
    return function, args


def _known(arg: Any) -> bool:
    return not isinstance(arg, Step) or arg.kind == CONSTANT


def _data(arg: Any) -> Any:
    return arg.sample if isinstance(arg, Step) else arg


def _other_than_one(args: tuple[Any, ...]) -> Step | None:
    """Return the factor that a product with the number 1 leaves as it is, if it is one."""
    for one, other in (args, args[::-1]):
        data = _data(one)
        if not _known(one) or np.ndim(data) or not isinstance(other, Step) or data != 1.0:
            continue
        dtype = np.asarray(other.sample).dtype
        if type(data) is float or np.result_type(data, np.asarray(other.sample)) == dtype:
            return other
    return None


def _mask(arg: Any, emit: Emit) -> Any:
    """Return a factor; the sign of what is 0 or more as booleans, which are found much faster."""
    if not isinstance(arg, Step) or arg.function is not np.sign:
        return arg
    positive = arg.args[0]
    if not isinstance(positive, Step) or positive.function is not np.maximum:
        return arg
    bounds = [_data(bound) for bound in positive.args if _known(bound)]
    if not any(np.ndim(bound) == 0 and bound == 0 for bound in bounds):
        return arg
    return emit(UFUNC, np.greater, (positive, np.zeros((), positive.sample.dtype)), {})


def _negated(step: Step) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return −(c y) as (−c) y, where c is a known number."""
    multiply: Callable[..., Any] = np.multiply
    negative: Callable[..., Any] = np.negative
    if step.function is np.multiply and step.kind == UFUNC:
        for c, y in (step.args, step.args[::-1]):
            if _known(c) and np.ndim(_data(c)) == 0 and isinstance(y, Step):
                return multiply, (-_data(c), y)
    return negative, (step,)
