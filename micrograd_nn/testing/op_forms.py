"""The same numbers in other forms: layouts, shapes that broadcast, float32, NaN and infinities."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from micrograd_nn.testing.finite import sum_to
from micrograd_nn.testing.op_case import Case
from micrograd_nn.testing.op_manners import check_results, compare_gradients, tolerance
from micrograd_nn.testing.op_report import Findings
from micrograd_nn.testing.operation import VjpRaisedError, is_floating

Array = np.ndarray[Any, Any]


# ------------------------------------------------------------------------------------ layouts


def fortran(x: Array) -> Array:
    """Return the numbers in column-major order."""
    return np.array(x, order="F")


def backwards(x: Array) -> Array:
    """Return the numbers stored backwards."""
    flips = (slice(None, None, -1),) * x.ndim
    stored: Array = np.ascontiguousarray(x[flips])
    return stored[flips] if x.ndim else x


def with_gaps(x: Array) -> Array:
    """Return the numbers stored with others between them."""
    wide = np.full(tuple(2 * n for n in x.shape), 7.0).astype(x.dtype)
    view: Array = wide[(slice(None, None, 2),) * x.ndim] if x.ndim else wide
    view[...] = x
    return view


def read_only(x: Array) -> Array:
    """Return the numbers as a view that may not be written, as broadcasting makes them."""
    return np.broadcast_to(x, x.shape)


def check_layouts(case: Case, found: Findings) -> None:
    """Numbers in another order of memory give the same gradients."""
    for layout in (fortran, backwards, with_gaps, read_only):
        name = layout.__name__.replace("_", " ")
        inputs = [layout(np.array(x)) if np.ndim(x) else x for x in case.copies()]
        g = layout(np.array(case.g)) if np.ndim(case.g) else case.g
        try:
            gradients = case.op.gradients(g, inputs)
        except VjpRaisedError as error:
            sentence = f"{name} arrays make it raise {error}"
            found.holds("layouts", False, sentence, case.label, case.snippet)
            continue
        for i in case.differentiable:
            sentence = f"{name} arrays give another gradient of {case.name(i)}"
            first = np.asarray(case.gradients[i])
            allowed = tolerance(case, i)
            compare_gradients(
                case, found, "layouts", sentence, i, gradients[i], first, allowed, True
            )
    _check_repeated_cotangent(case, found)


def _check_repeated_cotangent(case: Case, found: Findings) -> None:
    """A sum hands down one number, repeated by a read-only view without strides."""
    if not np.ndim(case.g):
        return
    g = np.asarray(case.g).ravel()[:1]
    full = np.full(case.value.shape, g)
    try:
        viewed = case.op.gradients(np.broadcast_to(g, full.shape), case.copies())
    except VjpRaisedError as error:
        sentence = f"a broadcast view as g makes it raise {error}"
        found.holds("layouts", False, sentence, case.label, case.snippet)
        return
    written_out = case.op.gradients(full.copy(), case.copies())
    for i in case.differentiable:
        sentence = f"a broadcast view as g gives another gradient of {case.name(i)}"
        allowed = tolerance(case, i, full)
        got, expected = viewed[i], np.asarray(written_out[i])
        compare_gradients(case, found, "layouts", sentence, i, got, expected, allowed, True)


# ------------------------------------------------------------------------------ strange numbers


def check_strange_numbers(case: Case, found: Findings) -> None:
    """NaN and infinities raise nothing, and in elementwise operations stay where they are."""
    for what, g, inputs, where in _with_strange_numbers(case):
        try:
            case.op.value([np.array(x) if np.ndim(x) else x for x in inputs])
        except Exception:  # noqa: BLE001 (the forward refuses it; then there is no vjp)
            continue
        try:
            gradients = case.op.gradients(g, inputs)
        except VjpRaisedError as error:
            sentence = f"{what} makes the vjp raise {error}"
            found.holds("NaN and infinity", False, sentence, case.label, case.snippet)
            continue
        for i in case.differentiable:
            first = np.asarray(case.gradients[i])
            others = np.full(first.shape, case.elementwise and first.shape == case.value.shape)
            if others.size and where is not None and others.shape == case.value.shape:
                others[where] = False
            sentence = f"{what} changes other elements of the gradient of {case.name(i)}"
            allowed = tolerance(case, i)
            compare_gradients(
                case, found, "NaN and infinity", sentence, i, gradients[i], first, allowed, others
            )


def _with_strange_numbers(case: Case) -> Iterator[tuple[str, Any, list[Any], Any]]:
    for strange in (np.nan, np.inf, -np.inf):
        for i in case.differentiable:
            if np.size(case.inputs[i]):
                inputs = case.copies()
                where = (0,) * np.ndim(inputs[i])
                inputs[i] = _with(inputs[i], where, strange)
                same = np.shape(inputs[i]) == case.value.shape
                if same or not case.elementwise:
                    yield f"{strange} in {case.name(i)}", copy.copy(case.g), inputs, where
        if np.size(case.g):
            where = (0,) * np.ndim(case.g)
            yield f"{strange} in g", _with(case.g, where, strange), case.copies(), where


def _with(x: Any, where: tuple[int, ...], strange: float) -> Any:
    if type(x) is float:
        return strange
    x = np.array(x)
    x[where] = strange
    return x


# ------------------------------------------------------------------------------- other shapes

# Half of the digits: no mistake with shapes is as small as that.
_ROOT = 2.0**-26


def check_shapes(other: Case, found: Findings, aspect: str) -> None:
    """Hold inputs that broadcast against the same numbers repeated: gradients of repeats add up."""
    if not check_results(other, found, aspect):
        return
    shape = other.value.shape or (1,)
    repeated = [
        np.array(np.broadcast_to(x, shape)) if np.ndim(x) or i in other.differentiable else x
        for i, x in enumerate(other.inputs)
    ]
    expanded = other.op.gradients(np.array(np.broadcast_to(other.g, shape)), repeated)
    for i in other.differentiable:
        terms = np.asarray(expanded[i], np.float64).reshape(other.value.shape)
        expected = sum_to(terms, np.shape(other.inputs[i]))
        allowed = _ROOT * sum_to(np.abs(terms), expected.shape)
        got = np.asarray(other.gradients[i])
        sentence = f"the gradient of {other.name(i)} is another than that of repeated elements"
        counts = np.isfinite(expected)
        compare_gradients(other, found, aspect, sentence, i, got, expected, allowed, counts)


# ------------------------------------------------------------------------------------- float32

_NARROW = 2.0**29  # from the rounding of float64 to that of float32


def check_float32(case: Case, make: Callable[..., Case], found: Findings) -> Case | None:
    """Hold float32 gradients against those of the same numbers in float64."""
    narrow = [np.asarray(x, np.float32) if is_floating(x) else x for x in case.inputs]
    wide = [np.asarray(x, np.float64) if is_floating(x) else x for x in narrow]
    small, large = make(narrow, f"{case.label} in float32"), make(wide, case.label)
    if small.value.dtype != np.float32:
        found.note("float32", f"not checked: the forward makes {small.value.dtype} of float32")
        return None
    small.g = np.asarray(case.g, small.value.dtype)
    large.g = np.asarray(small.g, np.float64)
    if not check_results(small, found, "float32"):
        return None
    for i in small.differentiable:
        expected = np.asarray(large.gradients[i])
        allowed = _NARROW * tolerance(case, i) + 2.0**-140
        overflows = ~(np.abs(expected) < 2.0**100) | ~np.all(np.isfinite(small.value))
        sentence = f"float32 and float64 give different gradients of {small.name(i)}"
        compare_gradients(
            small, found, "float32", sentence, i, small.gradients[i], expected, allowed, ~overflows
        )
    return small
