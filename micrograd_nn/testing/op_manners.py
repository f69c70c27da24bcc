"""How a vjp must behave whatever it computes: shapes and dtypes, linearity, memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.finite import pulled_back
from micrograd_nn.testing.hints import hint
from micrograd_nn.testing.op_case import Case
from micrograd_nn.testing.op_derivative import underflow
from micrograd_nn.testing.op_report import Findings, Problem
from micrograd_nn.testing.operation import VjpRaisedError

Array = np.ndarray[Any, Any]


# ------------------------------------------------------------------------------------ results


def check_results(case: Case, found: Findings, aspect: str = "shapes and dtypes") -> bool:
    """Check the number of gradients, their shapes and dtypes; tell whether the rest can follow."""
    try:
        gradients = case.gradients
    except VjpRaisedError as error:
        sentence = f"the vjp raises {error}"
        return found.holds(aspect, False, sentence, case.label, case.snippet)
    arity = len(case.inputs)
    sentence = f"the vjp returns {len(gradients)} gradients for {arity} arguments"
    if not found.holds(aspect, len(gradients) == arity, sentence, case.label, case.snippet):
        return False
    right = True
    for i in case.differentiable:
        right &= _has_form(case, i, gradients[i], found, aspect)
    return right


def _has_form(case: Case, i: int, gradient: Any, found: Findings, aspect: str) -> bool:
    x = case.inputs[i]
    got = np.asarray(gradient)
    name = f"the gradient of {case.name(i)}"
    if got.shape != np.shape(x):
        sentence = f"{name} hasn't the shape of the input"
        where = f"{got.shape} for {np.shape(x)} in {case.label}"
        guess = hint(np.empty(got.shape), np.empty(np.shape(x)))
        found.aspect(aspect).numbers += 1
        found.wrong(Problem(aspect, sentence, where, None, guess, case.snippet(i)))
        return False
    dtype = np.asarray(x).dtype
    sentence = f"{name} has dtype {got.dtype}, the input {dtype}"
    same = got.dtype == dtype or (type(x) is float and got.dtype.kind == "f")
    found.holds(aspect, same, sentence, case.label, case.snippet)
    return got.dtype.kind in "fiub"


# ---------------------------------------------------------------------------------- linearity


def check_linearity(case: Case, found: Findings) -> None:
    """The gradient is linear in g: powers of two scale it exactly, sums add up, 0 gives 0."""
    for factor in (-1.0, 0.125, 128.0):
        scaled = case.op.gradients(_times(case.g, factor), case.copies())
        for i in case.differentiable:
            one = np.asarray(case.gradients[i], np.float64)
            overflown = np.isinf(one) & (abs(factor) < 1)  # a smaller g may have a finite gradient
            exact = np.isnan(one) | (np.isinf(one) & ~overflown) | _far_from_the_ends(one)
            lost = np.where(one == 0, abs(factor) * _smallest(case.gradients[i]), 0.0)
            sentence = f"{factor:g} g does not give {factor:g} times the gradient of {case.name(i)}"
            compare_gradients(
                case, found, "linear in g", sentence, i, scaled[i], factor * one, lost, exact
            )
    other = case.cotangent(case.seed + 1)
    second = case.op.gradients(copy.copy(other), case.copies())
    together = case.op.gradients(case.g + other, case.copies())
    for i in case.differentiable:
        total = np.asarray(case.gradients[i], np.float64) + np.asarray(second[i], np.float64)
        allowed = tolerance(case, i) + tolerance(case, i, other)
        sentence = f"the gradients of {case.name(i)} for g and h do not add up to that for g + h"
        finite = np.isfinite(total)
        compare_gradients(
            case, found, "linear in g", sentence, i, together[i], total, allowed, finite
        )
    if not case.at_kink.any():
        nothing = case.op.gradients(_times(case.g, 0.0), case.copies())
        for i in case.differentiable:
            finite = np.isfinite(np.asarray(case.gradients[i], np.float64))
            sentence = f"g = 0 does not give a gradient of 0 of {case.name(i)}"
            zeros = np.zeros(np.shape(case.inputs[i]))
            compare_gradients(
                case, found, "zero cotangent", sentence, i, nothing[i], zeros, 0.0, finite
            )


def _times(g: Any, factor: float) -> Any:
    return g * factor if type(g) is float else g * g.dtype.type(factor)


def _smallest(gradient: Any) -> float:
    """Return below which size numbers become 0."""
    dtype = np.asarray(gradient).dtype
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).smallest_subnormal)


def _far_from_the_ends(x: Array) -> Any:
    size = np.abs(x)
    return (size == 0) | ((size > 1e-30) & (size < 1e30))


def compare_gradients(
    case: Case,
    found: Findings,
    aspect: str,
    sentence: str,
    i: int,
    got: Any,
    expected: Any,
    allowed: Any,
    counts: Any,
) -> None:
    """Compare a gradient of argument i with another one."""
    if np.shape(got) != np.shape(expected):
        sentence = f"{sentence}: shape {np.shape(got)} for {np.shape(expected)}"
        found.holds(aspect, False, sentence, case.label, case.snippet)
        return
    bad = found.compare(aspect, case.name(i), got, expected, allowed, counts)
    if bad is not None:
        snippet = case.snippet(i, bad.index)
        found.wrong(Problem(aspect, sentence, case.label, bad, None, snippet))


def tolerance(case: Case, i: int, g: Any = None) -> Any:
    """Return what rounding may change in the gradient of argument i, when it is computed anew."""
    g = np.asarray(case.g if g is None else g, np.float64)
    unit = float(np.finfo(np.asarray(case.inputs[i]).dtype).eps)
    shape = np.shape(case.inputs[i])
    if case.elementwise:
        slopes = case.slope(i)
        pulled = pulled_back(slopes, g, shape)
        sizes = pulled_back(slopes, np.abs(g), shape)
        known = 2 * pulled.error + 8 * unit * np.abs(sizes.value) + underflow(g)
        return np.where(pulled.reliable, known, np.inf)
    gradient = np.asarray(case.gradients[i], np.float64)
    largest = float(np.max(np.abs(gradient), initial=0.0) + np.max(np.abs(g), initial=0.0))
    return (case.value.size + 8) * 8 * unit * largest


# ------------------------------------------------------------------------------------- memory


def check_memory(case: Case, found: Findings) -> None:
    """Nothing is modified, nothing is shared, and a second call gives the same."""
    inputs, g = case.copies(), copy.copy(case.g)
    gradients = case.op.gradients(g, inputs)
    for name, before, after in zip(
        ("g", *case.op.names), (case.g, *case.inputs), (g, *inputs), strict=True
    ):
        same = np.array_equal(np.asarray(before), np.asarray(after), equal_nan=_may_be_nan(before))
        sentence = f"the vjp modifies {name}"
        found.holds("inputs left alone", same, sentence, case.label, case.snippet)
    inputs_of_forward = case.copies()
    case.op.value(inputs_of_forward)
    for name, before, after in zip(case.op.names, case.inputs, inputs_of_forward, strict=True):
        same = np.array_equal(np.asarray(before), np.asarray(after), equal_nan=_may_be_nan(before))
        sentence = f"the forward modifies {name}"
        found.holds("inputs left alone", same, sentence, case.label, case.snippet)
    for i in case.differentiable:
        sentence = f"a second call gives another gradient of {case.name(i)}"
        first = np.asarray(case.gradients[i])
        compare_gradients(case, found, "repeatable", sentence, i, gradients[i], first, 0.0, True)
    if case.op.row is None:  # a row's rule may return g itself: the engine never writes into it
        _check_aliases(case, found, g, inputs, gradients)


def _may_be_nan(x: Any) -> bool:
    return bool(np.asarray(x).dtype.kind == "f")


def _check_aliases(
    case: Case, found: Findings, g: Any, inputs: Sequence[Any], gradients: Sequence[Any]
) -> None:
    for i in case.differentiable:
        others = [("g", g), *zip(case.op.names, inputs, strict=True)]
        others += [(f"the gradient of {case.name(j)}", gradients[j]) for j in range(i)]
        for name, other in others:
            shared = _share_memory(gradients[i], other)
            sentence = (
                f"the gradient of {case.name(i)} shares its memory with {name}, so that writing "
                f"into one changes the other: return a copy"
            )
            found.holds("no shared memory", not shared, sentence, case.label, case.snippet)


def _share_memory(x: Any, y: Any) -> bool:
    both = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    return both and bool(np.shares_memory(x, y))
