"""Blame: which operation of a recorded graph is at fault for a wrong gradient.

First each rule is held against the oracle, operation by operation, on what was recorded and a
random cotangent. Where all rules are right, the gradients that the backward pass left in the
nodes are followed from the root down, to the first that isn't the sum of what its users pass on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.pull import call
from micrograd_nn.testing.errors import Disagreement
from micrograd_nn.testing.hints import hint
from micrograd_nn.testing.kinks import Kink
from micrograd_nn.testing.numeric import met_kinks
from micrograd_nn.testing.oracle import Oracle, unit_roundoff
from micrograd_nn.testing.snippets import reproduction
from micrograd_nn.testing.tangents import Local, summed_to

Array = Any


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of a graph.

    Attributes
    ----------
    name : str
        The operation, or the node into which gradients were accumulated wrongly.
    where : str
        The argument, and the node with its layer and the line that recorded it.
    disagreement : Disagreement
    hint : str
        What kind of mistake gives these numbers; "" where none is known.
    reproduce : str
        Code that shows it; "" where it can't be shown alone.
    """

    name: str
    where: str
    disagreement: Disagreement
    hint: str = ""
    reproduce: str = ""

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.where}", f"  {self.disagreement}"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        if self.reproduce:
            lines += ["  to reproduce:", *(f"    {line}" for line in self.reproduce.splitlines())]
        return "\n".join(lines)


def faults(
    oracle: Oracle,
    seed: Array,
    rng: np.random.Generator,
    labels: Mapping[Node, str] | None = None,
) -> list[Fault]:
    """Return what is at fault in a graph whose backward pass has just been run with ``seed``.

    Parameters
    ----------
    oracle : Oracle
    seed : float or array
        The cotangent of the root.
    rng : Generator
        For the cotangents of single operations.
    labels : dict, optional
        What the leaves are called, where they have no name.
    """
    return (
        _wrong_rules(oracle, rng)
        or _fault_of_accumulation(oracle, seed, labels or {})
        or _wrong_rules(oracle, rng, strictness=4.0)[:1]
    )


def _wrong_rules(oracle: Oracle, rng: np.random.Generator, strictness: float = 1.0) -> list[Fault]:
    """Return the rules that differ from the oracle; a strict judge allows less than rounding may.

    What is known to be wrong somewhere may be wrong by so little that each rule, on another
    cotangent, stays within what rounding explains.
    """
    found: dict[tuple[str, int], Fault] = {}
    for node, at in oracle.locals.items():
        for fault, key in _faults_of_rules(node, at, rng, strictness):
            found.setdefault(key, fault)
    return list(found.values())


# ------------------------------------------------------------------------------------- kinks


def faults_at_kinks(oracle: Oracle, notes: list[str], rng: np.random.Generator) -> list[Fault]:
    """Return the rules that don't give the documented value at a declared kink, bit for bit.

    What was met and is right is added to ``notes``.
    """
    found: list[Fault] = []
    with np.errstate(all="ignore"):
        for node, at in oracle.locals.items():
            for kink, held in met_kinks(at.op, at.data):
                w = random_like(node._data, rng)
                documented = kink.derivatives(*at.data)
                results = dict(ruled(node, w))
                wrong = [
                    _off_kink(node, at, place, kink, held, w, results[place], documented[place])
                    for place in results
                    if documented[place] is not None
                ]
                found += [fault for fault in wrong if fault is not None]
                note = f"at the kink {kink.label} of {at.op.name} the derivative is as documented"
                if not any(wrong) and note not in notes:
                    notes.append(note)
    return found


def _off_kink(
    node: Node, at: Local, place: int, kink: Kink, held: Array, w: Any, got: Any, documented: Any
) -> Fault | None:
    shape = np.shape(node._data)
    dtype = np.asarray(w).dtype
    should = np.asarray(w) * np.broadcast_to(np.asarray(documented, dtype), shape)
    got, held = np.broadcast_to(got, shape), np.broadcast_to(held, shape)
    same = (got == should) | (np.isnan(got) & np.isnan(should)) | ~held
    if np.all(same):
        return None
    index = tuple(int(i) for i in np.argwhere(~same)[0])
    worst = Disagreement("cotangent", index, float(got[index]), float(should[index]), 0.0)
    why = f"at the kink {kink.label} the documented derivative is {np.ravel(documented)[0]}"
    return Fault(at.op.name, _place(node, at, place), worst, why)


# ------------------------------------------------------------------------------------- rules


def _faults_of_rules(
    node: Node, at: Local, rng: np.random.Generator, strictness: float
) -> Iterator[tuple[Fault, tuple[str, int]]]:
    w = random_like(node._data, rng)
    wide = np.asarray(w, np.float64)
    with np.errstate(all="ignore"):
        expected = at.cotangents(wide)
        allowed = tolerances(node, at, wide)
        for argument, got in ruled(node, w):
            truth, most = expected[argument], allowed[argument]
            truth = np.zeros(np.shape(at.data[argument])) if truth is None else truth
            most = 0.0 if most is None else most
            name = at.op.name
            rows = at.op.rules
            place = argument if len(rows) == len(at.children) else 0
            where = _place(node, at, argument)
            shape = np.shape(at.data[argument])
            try:
                got = summed_to(np.asarray(got, np.float64), shape)
            except (ValueError, TypeError):
                wrong = Disagreement(f"cotangent of shape {np.shape(got)}", (), np.nan, 0.0, 0.0)
                why = f"a cotangent must have the shape of the argument, {shape}, or the result's"
                yield Fault(name, where, wrong, why), (name, place)
                continue
            truth = summed_to(truth, shape)
            most = np.broadcast_to(summed_to(most, shape) if np.ndim(most) else most, shape)
            most = most / strictness
            worst = worst_of(f"cotangent {node_name(at, argument)}", got, truth, most)
            if worst is not None:
                snippet = reproduction(at.op, at.data, at.params, w, place)
                yield Fault(name, where, worst, hint(got, truth) or "", snippet), (name, place)


def ruled(node: Node, g: Any) -> Iterator[tuple[int, Any]]:
    """Yield what the rules of a node make of a cotangent, by the place of each input."""
    op = node._op
    assert op is not None
    data = [saved for _, saved, _ in node._saved_arguments()]
    params, z = node.params, node._data
    if op.vector or op.variadic:
        (rule,) = op.rules
        if rule is None:
            return
        if op.variadic:
            results = list(rule(g, z, data, **params))
        else:
            half = len(node._recorded()[0])
            by_input, by_weight = rule(g, z, data[:half], data[half:])
            results = [*by_input, *by_weight]
        yield from enumerate(results)
        return
    for place, rule in enumerate(op.rules):
        if node.inputs[place].requires_grad:
            if rule is None:
                yield place, 0.0
            elif type(z) is float:
                yield place, call(rule, g, z, *data, **params)
            else:
                yield place, rule(g, z, *data, **params)


def tolerances(node: Node, at: Local, g: Array) -> list[Array | None]:
    """Return how far rounding may take the cotangents of one operation."""
    u = unit_roundoff(node)
    size = np.abs(g)
    once = at.cotangents((8.0 + 4.0 * max(at.terms, default=1)) * u * size, absolute=True)
    off = [
        2.0 * u * np.abs(x) if known and _is_number(x) else None
        for x, known in zip(at.data, at.differentiable, strict=True)
    ]
    bent = at.bends(off, size)
    tiny = 16.0 * float(np.finfo(np.float64 if u < 1e-15 else np.float32).smallest_subnormal)
    repeats = 1.0 + np.size(g) * u
    return [
        None if a is None else repeats * (a + (0.0 if b is None else b)) + tiny
        for a, b in zip(once, bent, strict=True)
    ]


def _is_number(x: Any) -> bool:
    return np.asarray(x).dtype.kind == "f"


def random_like(data: Any, rng: np.random.Generator) -> Any:
    """Return a random cotangent for data: numbers of both signs and several sizes, none 0 or 1."""
    shape = np.shape(data)
    numbers = rng.uniform(0.25, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    if type(data) is float:
        return float(numbers)
    return np.asarray(numbers, dtype=data.dtype)


def worst_of(what: str, got: Array, truth: Array, most: Array) -> Disagreement | None:
    """Return the number that is farthest outside of what is allowed, if one is."""
    got, truth, most = (np.asarray(a, np.float64) for a in (got, truth, most))
    if not got.size:
        return None
    with np.errstate(all="ignore"):
        error = np.abs(got - truth)
        same = (got == truth) | (np.isnan(got) & np.isnan(truth))
        most = np.where(np.isfinite(most), most, 0.0)  # only infinity is like infinity
        excess = np.where(same, 0.0, error / np.maximum(most, 1e-320))
        excess = np.where(np.isnan(error) & ~same, np.inf, excess)
    index = np.unravel_index(int(np.argmax(excess)), excess.shape)
    if not excess[index] > 1.0:
        return None
    where = tuple(int(i) for i in index)
    return Disagreement(what, where, float(got[index]), float(truth[index]), float(most[index]))


def _place(node: Node, at: Local, argument: int) -> str:
    about = node.where_recorded()
    shapes = np.shape(at.data[argument])
    words = f"argument {argument}" + (f" of shape {shapes}" if shapes else "")
    name = node_name(at, argument)
    return words + (f" ({name})" if name else "") + (f", node {about}" if about else "")


def node_name(at: Local, argument: int) -> str:
    """Return the name of an input, if it has one."""
    child = at.children[argument]
    return "" if child is None or child.name is None else child.name


# ------------------------------------------------------------------------------- accumulation


def _fault_of_accumulation(oracle: Oracle, seed: Array, labels: Mapping[Node, str]) -> list[Fault]:
    received: dict[Node, list[tuple[Array, Array]]] = {}
    with np.errstate(all="ignore"):
        for node in reversed(oracle.order):
            if node not in oracle.active:
                continue
            wide = np.asarray(_gradient(node), np.float64)
            if node is oracle.root:
                parts = [(np.asarray(seed, np.float64), np.zeros(np.shape(seed)))]
            else:
                parts = received.get(node, [])
            fault = _unlike_sum(node, wide, parts, labels.get(node))
            if fault is not None:
                return [fault]
            at = oracle.locals.get(node)
            if at is None:
                continue
            cotangents, allowed = at.cotangents(wide), tolerances(node, at, wide)
            for child, cotangent, most in zip(at.children, cotangents, allowed, strict=True):
                if child is not None and child in oracle.active and cotangent is not None:
                    shape = np.shape(child._data)
                    part = summed_to(cotangent, shape)
                    received.setdefault(child, []).append((part, summed_to(most, shape)))
    return []


def _gradient(node: Node) -> Any:
    grad: Any = node.grad  # type: ignore[attr-defined]
    return grad._data if isinstance(grad, Node) else grad


def _unlike_sum(
    node: Node, got: Array, parts: Sequence[tuple[Array, Array]], label: str | None
) -> Fault | None:
    shape = np.shape(node._data)
    total, most, size = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for part, allowed in parts:
        total, most, size = total + part, most + allowed, size + np.abs(part)
    most = most + (4.0 + len(parts)) * unit_roundoff(node) * size
    worst = worst_of("gradient", got, total, most)
    if worst is None:
        return None
    single = [i for i, (p, _) in enumerate(parts) if _close(got, p)]
    if len(parts) > 1 and single:
        why = (
            f"it is one of its {len(parts)} contributions alone: overwritten instead of "
            "accumulated (= for +=)"
        )
    else:
        why = hint(np.asarray(got), np.asarray(total)) or (
            "the rules are right, but the gradients passed on don't add up to this one: the order "
            "of the backward pass, or how it sums over repeated axes"
        )
    name = node.name or label or node.describe().split()[0]
    about = f"accumulation or order: the gradient of {node.describe()}"
    return Fault(f"accumulation into {name}", about, worst, why)


def _close(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True))
