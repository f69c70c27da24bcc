"""The heart of ``check_op``: gradients against finite differences, documented values at kinks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd_nn.testing.errors import Disagreement
from micrograd_nn.testing.finite import directional, pulled_back
from micrograd_nn.testing.hints import hint
from micrograd_nn.testing.op_case import Case, mixed
from micrograd_nn.testing.op_report import Findings, Problem
from micrograd_nn.testing.taylor import REASONS, Estimate

Array = np.ndarray[Any, Any]

UNIT = 2.0**-53
_SLACK = 2.0  # the estimated bounds were never missed by more
_COLUMNS = 64  # elements that are differentiated one by one
_DIRECTIONS = 64  # along which a larger input is differentiated, at most
_FEW = 8  # of its elements, once they are suspected


def check_derivative(case: Case, found: Findings, aspect: str = "derivative") -> bool:
    """Compare the gradients with finite differences, away from declared kinks."""
    before = len(found.problems)
    for i in case.differentiable:
        if case.elementwise:
            _check_elementwise(case, i, found, aspect)
        elif not case.at_kink.any():
            x = np.asarray(case.inputs[i])
            if x.size <= _COLUMNS:
                _check_columns(case, i, list(np.ndindex(x.shape)), found, aspect)
            else:
                _check_large(case, i, found, aspect)
    return len(found.problems) == before


def _check_elementwise(case: Case, i: int, found: Findings, aspect: str) -> None:
    slopes = case.slope(i)
    g = np.asarray(case.g, np.float64)
    shape = np.shape(case.inputs[i])
    away = np.broadcast_to(~case.at_kink, slopes.value.shape)
    expected = pulled_back(slopes, g, shape)
    _judge(case, i, expected, pulled_back(_sizes(slopes), np.abs(g), shape).value, found, aspect)
    _remark_on_unreliable(case, i, slopes, away, found, aspect)


def _check_columns(
    case: Case, i: int, indices: list[tuple[int, ...]], found: Findings, aspect: str
) -> None:
    g = np.asarray(case.g, np.float64)
    shape = np.shape(case.inputs[i])
    value, error = np.zeros(shape), np.zeros(shape)
    reason, sizes = np.full(shape, len(REASONS) - 1), np.zeros(shape)
    for index in indices:
        slopes = case.opaque.column(i, index)
        part = pulled_back(slopes, g, ())
        value[index], error[index], reason[index] = part.value, part.error, part.reason
        sizes[index] = pulled_back(_sizes(slopes), np.abs(g), ()).value
        _remark_on_unreliable(case, i, slopes, g != 0, found, aspect)
    _judge(case, i, Estimate(value, error, reason), sizes, found, aspect)


def _sizes(slopes: Estimate) -> Estimate:
    return Estimate(np.abs(slopes.value), slopes.error, slopes.reason)


def _judge(
    case: Case, i: int, expected: Estimate, sizes: Array, found: Findings, aspect: str
) -> None:
    """Compare one gradient; ``sizes`` is |J|ᵀ|g|, of which its rounding is a few units."""
    got = np.asarray(case.gradients[i], np.float64)
    unit = _unit_of(case.gradients[i])
    allowed = _SLACK * expected.error + 8 * unit * sizes + underflow(case.g)
    bad = found.compare(
        aspect, case.name(i), got, expected.value, allowed, counts=expected.reliable
    )
    if bad is None:
        return
    reliable = expected.reliable
    every = bool(reliable.all())
    wrong = reliable & ~(np.abs(got - expected.value) <= allowed)
    guess = (
        hint(got, expected.value, case.g)
        if every
        else hint(got[reliable], expected.value[reliable])
    )
    counted = f"{int(wrong.sum())} of {int(reliable.sum())} numbers in {case.label}"
    found.wrong(
        Problem(
            aspect,
            f"the gradient of {case.name(i)} is wrong",
            counted,
            bad,
            guess,
            case.snippet(i, bad.index, bad.expected),
        )
    )


def _unit_of(gradient: Any) -> float:
    dtype = np.asarray(gradient).dtype
    return float(np.finfo(dtype).eps) / 2 if dtype.kind == "f" else UNIT


def underflow(g: Any) -> float:
    """Return what underflow may lose: numbers close to the smallest have few digits."""
    return 2.0**-1058 * (1 + float(np.max(np.abs(g), initial=0.0)))


def _remark_on_unreliable(
    case: Case, i: int, slopes: Estimate, counts: Array, found: Findings, aspect: str
) -> None:
    doubtful = ~slopes.reliable & counts & np.isfinite(case.value)
    if doubtful.any():
        reason = REASONS[int(slopes.reason[doubtful][0])]
        found.note(
            aspect,
            f"not compared, {case.name(i)} in {case.label}: near {reason}".replace(
                "near not", "not"
            ),
        )


# ------------------------------------------------------------------------------ large inputs


def _check_large(case: Case, i: int, found: Findings, aspect: str) -> None:
    """Check all elements together, along a random direction.

    Where a direction is wrong, or crosses a kink, its elements are halved until the culprits are
    few enough to be looked at one by one.
    """
    shape = np.shape(case.inputs[i])
    size = math.prod(shape)
    parts, budget = [np.arange(size)], _DIRECTIONS
    while parts and budget:
        part = parts.pop()
        budget -= 1
        verdict = _along(case, i, part, found, aspect)
        if verdict == "right":
            continue
        if verdict == "wrong" and len(part) == size:
            before = len(found.problems)  # two elements tell a wrong factor from a wrong number
            two = [_index(n, shape) for n in (size // 3, size // 2)]
            _check_columns(case, i, two, found, aspect)
            if len(found.problems) > before:
                return
        if len(part) <= _FEW:
            _check_columns(case, i, [_index(int(n), shape) for n in part], found, aspect)
            if verdict == "wrong":
                return
            continue
        half = len(part) // 2
        parts += [part[half:], part[:half]]
    if parts:
        left = sum(map(len, parts))
        found.note(aspect, f"{left:,} elements of {case.name(i)} in {case.label} not compared")


def _index(number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(number, shape))


def _along(case: Case, i: int, part: Array, found: Findings, aspect: str) -> str:
    """Compare <v, vjp(g)> with the derivative of <g, f> along v, for a random v on a part."""
    x = np.asarray(case.inputs[i], np.float64)
    g = np.asarray(case.g, np.float64)
    v = np.zeros(x.size)
    # of powers of two, in proportion to the elements: steps are then exact in most of them
    size = np.ldexp(1.0, np.frexp(np.maximum(np.abs(x.ravel()[part]), 1.0))[1] - 1)
    v[part] = size * 2.0 ** np.round(np.log2(np.abs(mixed((len(part),), i))) / 2)
    v[part] *= np.sign(mixed((len(part),), i + 1))
    directions = [np.zeros(np.shape(y)) for y in case.inputs]
    directions[i] = v.reshape(x.shape)

    def product(*inputs: Any) -> Any:
        return np.sum(g * case.op.forward(*inputs))

    slope = directional(product, case.inputs, directions, case.domain)
    if not slope.reliable:
        return "unreliable"
    got = np.asarray(case.gradients[i], np.float64).ravel()[part]
    terms = v[part] * got
    allowed = _SLACK * float(slope.error) + 8 * _unit_of(case.gradients[i]) * float(
        np.sum(np.abs(terms))
    )
    total = float(np.sum(terms))
    bad = found.compare(aspect, case.name(i), total, slope.value, allowed)
    if bad is None:
        return "right"
    if len(part) == x.size:
        bad = Disagreement(f"v·vjp(g) for a random direction v of {case.name(i)}", *_fields(bad))
        whole = f"the gradient of {case.name(i)} is wrong, all elements together"
        ratio = hint(total, slope.value)
        found.wrong(Problem(aspect, whole, case.label, bad, ratio, case.snippet(i)))
    return "wrong"


def _fields(d: Disagreement) -> tuple[tuple[int, ...], float, float, float]:
    return d.index, d.got, d.expected, d.allowed


# ------------------------------------------------------------------------------------- kinks


def check_kinks(case: Case, found: Findings) -> None:
    """At a declared kink only the documented value passes, bit for bit."""
    for kink in case.kinks:
        mask = np.asarray(kink.holds(*case.inputs), bool)
        values = kink.derivatives(*case.inputs)
        if not mask.any():
            continue
        for i in case.differentiable:
            x = np.asarray(case.inputs[i])
            if i >= len(values) or values[i] is None:
                continue
            expected = np.asarray(case.g * np.asarray(values[i], x.dtype))
            if (
                x.shape != case.value.shape
                and np.broadcast_shapes(expected.shape, x.shape) != x.shape
            ):
                continue  # gradients of several elements are summed: no single value is documented
            where = np.broadcast_to(mask, x.shape) if mask.shape != x.shape else mask
            expected = np.broadcast_to(expected, x.shape)
            documented = _in_words(values[i])
            label = f"{kink.label}: the documented derivative by {case.name(i)}, {documented}"
            bad = found.compare("kinks", case.name(i), case.gradients[i], expected, 0.0, where)
            if bad is None:
                found.note("kinks", label)
            else:
                sentence = f"at the declared kink {kink.label} the derivative by {case.name(i)} "
                sentence += f"must be {documented}, bit for bit"
                program = case.snippet(i, bad.index, bad.expected)
                found.wrong(Problem("kinks", sentence, case.label, bad, None, program))


def _in_words(value: Any) -> str:
    different = np.unique(np.asarray(value))
    return f"{float(different[0]):g}" if len(different) == 1 else "as documented"
