"""gradcheck: hold the gradient of a recorded function against an oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents, leaf_of
from micrograd_nn.graph.node import Node, data_of
from micrograd_nn.testing.blame import faults, faults_at_kinks, worst_of
from micrograd_nn.testing.consistency import inconsistent, inconsistent_operations
from micrograd_nn.testing.differences import by_differences
from micrograd_nn.testing.errors import Disagreement, GradientError
from micrograd_nn.testing.numeric import Numeric
from micrograd_nn.testing.oracle import Expected, Oracle
from micrograd_nn.testing.session import collected
from micrograd_nn.testing.subject import Subject

_ORDINALS = {1: "gradient", 2: "second derivative", 3: "third derivative"}


@dataclass
class Report:
    """What a passed check of gradients has looked at.

    Attributes
    ----------
    order : int
        Up to which order derivatives were checked.
    oracle : str
        What they were held against.
    numbers : int
        How many derivatives were compared, all orders together.
    worst : float
        The largest error, in units of what rounding explains: at most 1.
    notes : list of str
        The kinks that were met, with their documented values, and other things to know.
    """

    order: int
    oracle: str
    numbers: int = 0
    worst: float = 0.0
    notes: list[str] = field(default_factory=list)
    method: str = "auto"

    def note_unknown(self, names: set[str]) -> None:
        """Say which operations were held against finite differences of their kernels."""
        if names:
            note = f"{', '.join(sorted(names))}: by finite differences of the kernel"
            if note not in self.notes:
                self.notes.append(note)

    def __str__(self) -> str:
        text = (
            f"{self.numbers:,} derivative{'s' * (self.numbers != 1)} up to order {self.order} "
            f"agree{'s' * (self.numbers == 1)} with {self.oracle}: the "
            f"largest error is {self.worst:.2f} of what rounding explains"
        )
        return "\n".join([text, *self.notes])


@collected
def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    oracle: str = "auto",
    blame: bool = True,
    seed: int = 0,
) -> Report:
    """Check the derivatives of a function of Values, Tensors, arrays or a Module.

    Every element of every gradient is compared, against a tolerance that is derived from the
    recorded graph (see ``micrograd_nn.testing.oracle``), not chosen. The cotangent of the result
    is random, never all ones.

    Parameters
    ----------
    f : callable or Module
        Returns a Value, a Tensor or a collection of them. The parameters of a Module are checked
        with the inputs.
    *inputs
        Floats and floating arrays are differentiated by, and so are leaf nodes; all else is
        passed on as it is.
    order : int
        1, 2 or 3: check the derivatives up to this order.
    oracle : {"auto", "dual", "finite"}
        ``"dual"``: derivatives that share no rule with the table of operations. ``"finite"``:
        six-point finite differences of the whole function. ``"auto"``: dual, and finite
        differences only for the operations that the oracle doesn't know.
    blame : bool
        Whether to look for the operation at fault where a gradient is wrong.
    seed : int
        For the random cotangents.

    Returns
    -------
    Report
        What was compared; ``print`` it.

    Raises
    ------
    GradientError
        If a derivative is wrong. The message says which input and element, what it is and should
        be, what rounding explains, and the operation at fault; ``.blamed`` is its name.
    TypeError
        If there is nothing to differentiate by, or the result isn't recorded.

    Examples
    --------
    >>> from micrograd_nn import functional as F
    >>> print(gradcheck(lambda x, y: F.tanh(x * y) / y, 0.5, 2.0, order=2))
    4 derivatives up to order 2 agree with dual numbers: ...
    >>> with F.tanh.replaced(lambda g, z, x: g * (1 - z)):
    ...     try:
    ...         gradcheck(lambda x: F.tanh(x) + x, 3.0)
    ...     except AssertionError as error:
    ...         print(error.blamed)
    ['tanh']
    """
    if order not in (1, 2, 3):
        raise ValueError(f"order must be 1, 2 or 3, got {order!r}")
    if oracle not in ("auto", "dual", "finite"):
        raise ValueError(f"oracle must be 'auto', 'dual' or 'finite', got {oracle!r}")
    subject = Subject(f, inputs)
    rng = np.random.default_rng(seed)
    name = "finite differences" if oracle == "finite" else "dual numbers"
    report = Report(order, name, method=oracle)
    with subject.undisturbed():
        for k in range(1, order + 1):
            drawn = rng.bit_generator.state
            recorded = subject.root(k, rng)
            if recorded is not None:
                node, cotangent = recorded
                oracle_ = Oracle(node, subject.leaves, None if oracle == "dual" else Numeric)
                if oracle == "finite":
                    expected = by_differences(subject, k, drawn, cotangent, report.notes)
                else:
                    expected = oracle_.gradient(cotangent)
                    report.note_unknown(oracle_.unknown)
                    _hold_together(oracle_, expected, cotangent, rng)
                _check(subject, oracle_, expected, cotangent, k, report, blame, rng)
            if k > 1:
                _check_along(subject, k, report, seed)
            if recorded is None:
                report.notes.append(f"the derivatives of order {k - 1} are constant")
                break
    return report


def _check_along(subject: Subject, order: int, report: Report, seed: int) -> None:
    """Hold a derivative against differences of the lower one."""
    wrong = inconsistent(subject, order, seed)
    if wrong is None:
        return
    what = f"the {_ORDINALS[order]} isn't the derivative of the lower one"
    found = [inconsistent_operations(output, order, seed) for output in subject.outputs()]
    blamed = list(dict.fromkeys(name for names in found for name in names))
    if not blamed:  # as it should be, where the function leaves values out of the graph
        report.notes.append(f"{what}: does the function use .data or .detach()?")
        return
    raise GradientError(
        f"{what}\n  {wrong}\n\nat fault: {', '.join(blamed)}\n"
        "Does the rule compute with .data, or branch on it, so that its own derivative is lost?",
        blamed,
        [wrong],
    )


def _recorded_gradient(subject: Subject, node: Node, seed: Any) -> list[Any]:
    """Return the gradient as ``create_graph=True`` records it, to be differentiated again."""
    found = cotangents(node, leaf_of(seed), subject.leaves, create_graph=True)
    return [np.asarray(data_of(found.get(leaf, 0.0))) for leaf in subject.leaves]


def _check(
    subject: Subject,
    oracle: Oracle,
    expected: dict[Node, Expected],
    seed: Any,
    order: int,
    report: Report,
    blame: bool,
    rng: np.random.Generator,
) -> None:
    at_kinks = faults_at_kinks(oracle, report.notes, rng)
    subject.forget_gradients()
    oracle.root.backward(seed)  # type: ignore[attr-defined]
    wrong: list[Disagreement] = []
    for leaf, label in zip(subject.leaves, subject.labels, strict=True):
        got, should = np.asarray(leaf.grad), expected[leaf]  # type: ignore[attr-defined]
        worst = worst_of(label, got, should.value, should.bound)
        report.numbers += int(np.size(should.value))
        report.worst = max(report.worst, _ratio(got, should))
        if worst is not None:
            wrong.append(worst)
    what = _ORDINALS[order]
    on_nodes = not wrong and not at_kinks and order < report.order
    if on_nodes:
        what += ", as create_graph=True records it,"
        recorded = _recorded_gradient(subject, oracle.root, seed)
        for got, leaf, label in zip(recorded, subject.leaves, subject.labels, strict=True):
            worst = worst_of(label, got, expected[leaf].value, expected[leaf].bound)
            if worst is not None:
                wrong.append(worst)
    if not wrong and not at_kinks:
        return
    labels = dict(zip(subject.leaves, subject.labels, strict=True))
    known = {fault.name for fault in at_kinks}
    others = faults(oracle, seed, rng, labels) if blame and wrong else []
    found = [*at_kinks, *(fault for fault in others if fault.name not in known)]
    lines = [f"the {what} is wrong for {len(wrong)} of {len(subject.leaves)} inputs"]
    if not wrong:
        lines = [f"the {what} isn't the documented one at a kink"]
    lines += [f"  {disagreement}" for disagreement in wrong[:5]]
    if len(wrong) > 5:
        lines.append(f"  ... and {len(wrong) - 5} more")
    for fault in found:
        lines += ["", "at fault: " + str(fault)]
    blamed = [fault.name for fault in found]
    if blame and on_nodes:
        blamed = ["create_graph"]
        lines += ["", "all is right on numbers: look at what a rule, or the engine, does on nodes"]
    elif blame and not found:
        lines += ["", "no single operation is at fault: look at the code outside of the graph"]
    raise GradientError("\n".join(lines), blamed, wrong)


def _ratio(got: Any, expected: Expected) -> float:
    with np.errstate(all="ignore"):
        error = np.abs(np.asarray(got, np.float64) - expected.value)
        ratio = np.where(error == 0, 0.0, error / np.maximum(expected.bound, 1e-320))
    return float(np.max(np.nan_to_num(ratio, posinf=0.0), initial=0.0))


def _hold_together(
    oracle: Oracle, expected: dict[Node, Expected], seed: Any, rng: np.random.Generator
) -> None:
    """Hold the oracle's two derivatives together: ⟨v, J t⟩ = ⟨Jᵀ v, t⟩."""
    finite = all(np.isfinite(e.value).all() for e in expected.values())
    if not finite:
        return
    ts = [rng.choice([-1.0, 1.0], np.shape(leaf._data)) for leaf in oracle.wrt]
    forward = np.sum(np.asarray(seed, np.float64) * oracle.tangent(ts))
    backward = sum(np.sum(expected[leaf].value * t) for leaf, t in zip(oracle.wrt, ts, strict=True))
    size = sum(np.sum(np.abs(e.value)) for e in expected.values())
    allowed = sum(np.sum(e.bound) for e in expected.values()) + 1e-13 * size
    if abs(forward - backward) > 8.0 * allowed:
        raise GradientError(
            f"the oracle contradicts itself: dual numbers give {forward!r}, its gradient "
            f"{backward!r} (allowed: {8.0 * allowed:.3g}). Please report it, with the function",
            ["oracle"],
        )
