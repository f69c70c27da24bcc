"""``check_op``: everything that an operation with a hand-written derivative must get right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.expressions import evaluate
from micrograd_nn.testing.influence import misdeclared
from micrograd_nn.testing.kinks import Kink, declared_kinks, kinks_of_row
from micrograd_nn.testing.op_case import Case
from micrograd_nn.testing.op_derivative import check_derivative, check_kinks
from micrograd_nn.testing.op_forms import (
    check_float32,
    check_layouts,
    check_shapes,
    check_strange_numbers,
)
from micrograd_nn.testing.op_manners import check_linearity, check_memory, check_results
from micrograd_nn.testing.op_report import Findings, OpReport, Problem
from micrograd_nn.testing.op_second import check_second_order
from micrograd_nn.testing.operation import Operation, VjpRaisedError
from micrograd_nn.testing.session import collected

Array = np.ndarray[Any, Any]


@collected
@np.errstate(all="ignore")  # infinities and NaN are data here, not accidents
def check_op(
    forward: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    samples: Iterable[Any] = (),
    kinks: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (),
    domain: Callable[..., Any] | str | None = None,
) -> OpReport:
    """Prove the derivative of a custom operation right, at samples and all that follows from them.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs) -> result``, plain NumPy on numbers and arrays. Or a row of the table,
        made by ``primitive(...)``, or ``functools.partial(row, axis=0)``: then ``vjp`` is left out.
    vjp : callable
        ``vjp(g, *inputs)``: the cotangent ``g`` of the result, pulled back to the inputs: one
        gradient, or a tuple with one for each input, in its dtype, and in its shape or in that to
        which the inputs were broadcast (the sum over repeated axes is the engine's task). None
        stands for an input without a derivative; inputs of integers and bools have none.
    samples : iterable of tuples
        Points to check at, one number or array per input: ``[(x, y), ...]``. Python's numbers are
        floats; an operation of one input may leave out the tuples.
    kinks : sequence of pairs, or mapping
        ``(point, derivative)``: where there is no derivative, and the value that is documented
        there. A point is a number per input (None: any), a condition in the names of ``forward``'s
        parameters, or a function of the inputs that tells where it holds. A derivative is one
        number, or one per input (None: not documented), or a function of the inputs returning
        these. At a kink only g times that value passes, and differences are never asked.
    domain : callable or str, optional
        Where ``forward`` is defined: ``domain(*inputs)``, a bool or an array of them, or a
        condition as above. It is never evaluated outside, but for empty arrays, NaN and infinity.

    Returns
    -------
    OpReport
        What was checked, how many numbers, and the worst error in units of what was allowed. It
        prints as a table.

    Raises
    ------
    GradientError
        If anything is wrong. It tells everything that is, each with the argument, the index, both
        numbers, the distance and what was allowed, what such numbers hint at, and a program that
        reproduces it.
    TypeError, ValueError
        If the operation or the samples aren't what they must be.

    Notes
    -----
    The right gradient comes from ``micrograd_nn.testing.finite``: differences that estimate their
    own error. Numbers for which they find no reliable value (near an undeclared kink) aren't
    compared; the report says so.

    From each sample others follow: the same numbers without elements, as 0-d arrays, in shapes that
    broadcast (for an elementwise operation of several arrays), in float32, in other layouts of
    memory, with NaN and infinities. Where ``forward`` raises for such inputs, they are left out.

    Of a row, what it declares of itself is checked too (``elementwise``, ``along``): the engine
    relies on it where a cotangent is 0.

    Examples
    --------
    >>> def cube(x):
    ...     return x**3
    >>> def cube_vjp(g, x):
    ...     return g * 3 * x**2
    >>> report = check_op(cube, cube_vjp, samples=[1.5, np.array([-2.0, 0.0, 3.0])])
    >>> report.numbers > 100, report.worst < 1
    (True, True)

    >>> check_op(cube, lambda g, x: g * 2 * x**2, samples=[1.5])
    Traceback (most recent call last):
    ...
    micrograd_nn.testing.errors.GradientError: cube is wrong ...

    Kinks, by value or by condition:

    >>> def relu(x):
    ...     return np.maximum(x, 0)
    >>> def relu_vjp(g, x):
    ...     return g * (x > 0)
    >>> report = check_op(relu, relu_vjp, [np.array([-1.0, 0.0, 2.0])], kinks=[(0.0, 0.0)])
    >>> def larger(x, y):
    ...     return np.maximum(x, y)
    >>> def larger_vjp(g, x, y):
    ...     first = np.heaviside(x - y, 0.5)
    ...     return unbroadcast(g * first, x), unbroadcast(g * (1 - first), y)
    >>> def unbroadcast(g, x):
    ...     g = np.sum(g, tuple(range(np.ndim(g) - np.ndim(x))))
    ...     axes = tuple(i for i, n in enumerate(np.shape(x)) if n == 1)
    ...     return np.sum(g, axes, keepdims=True) if axes else g
    >>> report = check_op(larger, larger_vjp, [(1.0, 2.0)], kinks=[("x == y", (0.5, 0.5))])
    """
    points = [_normalised(sample) for sample in samples]
    if not points:
        raise ValueError("check_op needs samples: samples=[(x, y), ...], numbers or arrays")
    arity = len(points[0])
    op = Operation.of(forward, vjp, arity)
    if any(len(point) != arity for point in points):
        raise ValueError(f"all samples must have {arity} inputs, as the first one has")
    where = _domain(op, domain)
    conventions = declared_kinks(kinks, op.names)
    if op.row is not None:
        conventions += kinks_of_row(op.row, op.names)

    def make(inputs: Sequence[Any], label: str, seed: int = 0) -> Case:
        return Case(op, inputs, label, conventions, where, seed)

    found = Findings()
    cases = [_sample(make, point, f"samples[{i}]", where, i) for i, point in enumerate(points)]
    for case in cases:
        _check_or_tell_what_it_raises(case, make, found)
    for case in _at_kinks(make, points[0], conventions):
        if check_results(case, found):
            check_kinks(case, found)
    _check_that_something_was_compared(cases, found)
    found.raise_if_wrong(op.name)
    return OpReport(op.name, len(points), found.aspects)


def _normalised(sample: Any) -> tuple[Any, ...]:
    inputs = sample if isinstance(sample, tuple) else (sample,)
    return tuple(_as_input(x) for x in inputs)


def _as_input(x: Any) -> Any:
    if isinstance(x, (int, float)) and not isinstance(x, (bool, np.generic)):
        return float(x)
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"samples are real numbers and arrays of them, not {type(x).__name__}")
    return array


def _domain(op: Operation, domain: Any) -> Callable[..., Any] | None:
    if domain is None and op.row is not None and op.row.elementwise:
        domain = op.row.domain or None
    if isinstance(domain, str):
        condition = domain
        return lambda *inputs: evaluate(condition, dict(zip(op.names, inputs, strict=True)))
    return domain  # type: ignore[no-any-return]


def _sample(
    make: Callable[..., Case], point: Sequence[Any], label: str, domain: Any, seed: int
) -> Case:
    if domain is not None and np.size(inside := domain(*point)) and not np.any(inside):
        raise ValueError(f"{label} lies outside of the domain")
    try:
        return make(point, label, seed)
    except Exception as error:
        raise ValueError(f"forward fails on {label}: {type(error).__name__}: {error}") from error


# -------------------------------------------------------------------- what each sample goes through


def _check_or_tell_what_it_raises(case: Case, make: Callable[..., Case], found: Findings) -> None:
    try:
        _check(case, make, found)
    except VjpRaisedError as error:
        found.wrong(Problem("shapes and dtypes", f"the vjp raises {error}", case.label))


def _check(case: Case, make: Callable[..., Case], found: Findings) -> None:
    """Check one sample in all respects."""
    _check_declaration(case, found)
    if not check_results(case, found):
        return
    check_derivative(case, found)
    check_kinks(case, found)
    check_second_order(case, found)
    _check_manners(case, make, found)
    twin = _as_arrays(case, make)
    if twin is not None:
        _check_declaration(twin, found)
        if twin.elementwise and twin.value.ndim:
            twin.share_slopes(case)
            if check_results(twin, found):
                _check_manners(twin, make, found)
    for other in _empty(case, make):
        check_results(other, found, "zero size")
    if not (case.elementwise and case.value.size > 1):
        return
    for other in _without_axes(case, make):
        check_shapes(other, found, "0-d arrays")
    for other in _broadcast(case, make):
        check_shapes(other, found, "broadcasting")


def _check_declaration(case: Case, found: Findings) -> None:
    """Check that the engine knows which elements of a row's result depend on which of the inputs.

    A cotangent of 0 contributes 0 to those that influence no other result.
    """
    row = case.op.row
    if row is not None and (row.elementwise or row.along is not None):
        wrong = misdeclared(row, case.op.params, case.opaque, case.op.names)
        found.holds("declaration", not wrong, wrong, case.label)


def _check_manners(case: Case, make: Callable[..., Case], found: Findings) -> None:
    check_linearity(case, found)
    check_memory(case, found)
    if any(np.ndim(x) for x in case.inputs):
        check_layouts(case, found)
        narrow = check_float32(case, make, found)
        if narrow is not None:
            check_kinks(narrow, found)
    check_strange_numbers(case, found)


def _possible(
    make: Callable[..., Case], inputs: Sequence[Any], label: str, seed: int = 0
) -> Case | None:
    """Return a case, or None where the forward refuses such inputs."""
    try:
        return make(inputs, label, seed)
    except Exception:  # noqa: BLE001 (the forward may refuse by any exception)
        return None


def _as_arrays(case: Case, make: Callable[..., Case]) -> Case | None:
    """Return the same numbers as arrays of several equal elements, if forward takes these."""
    if case.value.ndim or any(np.ndim(x) for x in case.inputs):
        return None
    inputs = [
        np.full((2, 3), x) if i in case.differentiable else x for i, x in enumerate(case.inputs)
    ]
    return _possible(make, inputs, f"{case.label}, repeated to shape (2, 3)")


def _empty(case: Case, make: Callable[..., Case]) -> Iterator[Case]:
    """Yield the sample without elements along the first axis of its longest inputs."""
    longest = max((np.shape(x)[0] for x in case.inputs if np.ndim(x)), default=0)
    if not longest:
        return
    inputs = [x[:0] if np.ndim(x) and len(x) == longest else x for x in case.inputs]
    other = _possible(make, inputs, f"{case.label} without elements")
    if other is not None:
        yield other


def _without_axes(case: Case, make: Callable[..., Case]) -> Iterator[Case]:
    inputs = [
        np.asarray(np.asarray(x).flat[0]) if np.ndim(x) or i in case.differentiable else x
        for i, x in enumerate(case.inputs)
    ]
    other = _possible(make, inputs, f"the first elements of {case.label} as 0-d arrays")
    if other is not None:
        yield other


_BROADCAST = (((3, 1), (1, 4)), ((2, 3), (3,)), ((3,), ()), ((1, 1), (2, 1)), ((), (2, 2)))


def _broadcast(case: Case, make: Callable[..., Case]) -> Iterator[Case]:
    """Yield the sample's numbers in shapes that broadcast."""
    if len(case.inputs) < 2:
        return
    for pair in _BROADCAST:
        shapes = [pair[i % 2] for i in range(len(case.inputs))]
        inputs = [
            np.resize(x, shape) if np.ndim(x) or i in case.differentiable else x
            for i, (x, shape) in enumerate(zip(case.inputs, shapes, strict=True))
        ]
        if case.domain is not None and not np.all(case.domain(*inputs)):
            continue
        other = _possible(make, inputs, f"{case.label} in shapes {', '.join(map(str, shapes))}")
        if other is not None and other.value.shape == np.broadcast_shapes(*map(np.shape, inputs)):
            yield other


def _at_kinks(
    make: Callable[..., Case], point: Sequence[Any], kinks: Sequence[Kink]
) -> Iterator[Case]:
    """Yield the first sample, moved onto each kink: as numbers and as arrays of one element."""
    first = [float(np.asarray(x).flat[0]) if np.size(x) else 1.0 for x in point]
    for kink in kinks:
        for way in kink.points:
            inputs = list(first)
            for i, coordinate in way.items():
                inputs[i] = float(coordinate(*first))
            if not np.any(kink.holds(*inputs)):
                continue
            for seed, shape in enumerate((None, (1,), (7,))):
                formed = [x if shape is None else np.full(shape, x) for x in inputs]
                other = _possible(make, formed, f"the kink {kink.label}", seed)
                if other is not None:
                    yield other


def _check_that_something_was_compared(cases: Sequence[Case], found: Findings) -> None:
    if found.problems:
        return
    names = {case.name(i) for case in cases for i in case.differentiable if np.size(case.inputs[i])}
    for name in sorted(names):
        if not (found.compared.get(("derivative", name)) or found.compared.get(("kinks", name))):
            notes = "; ".join(found.aspect("derivative").notes)
            found.wrong(
                Problem(
                    "derivative",
                    f"nothing of {name} could be compared: add samples away from kinks and the "
                    "border, or declare kinks and domain",
                    notes or "no element counts",
                )
            )
