"""Faults of the checker itself: a gradcheck that accepts everything must be found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from micrograd_nn.testing import blame, oracle, tangents
from micrograd_nn.testing.gradcheck import _check, gradcheck
from micrograd_nn.testing.mutation.battery import first_to_fail
from micrograd_nn.testing.mutation.edits import Edit
from micrograd_nn.testing.mutation.meta import checker_checks
from micrograd_nn.testing.mutation.report import Mutant
from micrograd_nn.testing.subject import Subject

_UNCHANGED = "if not excess[index] > 1.0:"
_COMPARED = """        report.worst = max(report.worst, _ratio(got, should))
        if worst is not None:"""


def _faults() -> list[Edit]:
    worst, expected = blame.worst_of, oracle.Oracle._expected
    slopes, once = tangents.Elementwise._at, "SLOPES[self.op.name](*data, self.value)"
    ruled = "tuple(r and r(1.0, self.value, *data, **self.params) for r in self.op.rules)"
    arrays = "(np.asarray(a, np.float64) for a in (got, truth, most))"
    record: Any = Subject.__init__
    return [
        Edit("accepts everything", worst, _UNCHANGED, "if True:"),
        Edit(
            "accepts what is twice the truth",
            worst,
            _UNCHANGED,
            "if got.flat[0] == 2 * truth.flat[0] or not excess[index] > 1.0:",
        ),
        Edit("rejects rounding", worst, _UNCHANGED, "if not excess[index] > 1e-3:"),
        Edit(
            "compares only the first element",
            worst,
            arrays,
            "(np.ravel(np.asarray(a, np.float64))[:1] for a in (got, truth, most))",
        ),
        Edit(
            "compares only the last element",
            worst,
            arrays,
            "(np.ravel(np.asarray(a, np.float64))[-1:] for a in (got, truth, most))",
        ),
        Edit(
            "compares only the sum",
            worst,
            arrays,
            "(np.sum(np.asarray(a, np.float64)) for a in (got, truth, most))",
        ),
        Edit(
            "compares only sizes, not signs",
            worst,
            "error = np.abs(got - truth)",
            "error = np.abs(np.abs(got) - np.abs(truth))",
        ),
        Edit(
            "tolerates an absolute 1e-5",
            worst,
            "np.maximum(most, 1e-320)",
            "np.maximum(most, 1e-5)",
        ),
        Edit(
            "tolerates an absolute 1e-12",
            worst,
            "np.maximum(most, 1e-320)",
            "np.maximum(most, 1e-12)",
        ),
        Edit(
            "tolerates a relative 1e-3 of the largest",
            worst,
            "np.maximum(most, 1e-320)",
            "np.maximum(most, 1e-3 * np.max(np.abs(truth)))",
        ),
        Edit(
            "ignores NaN",
            worst,
            "np.where(np.isnan(error) & ~same, np.inf, excess)",
            "np.where(np.isnan(error), 0.0, excess)",
        ),
        Edit(
            "ignores infinity",
            worst,
            "np.where(np.isnan(error) & ~same, np.inf, excess)",
            "np.where(np.isfinite(got), excess, 0.0)",
        ),
        Edit(
            "a tolerance a thousand times too large",
            expected,
            "2.0 * errors[leaf]",
            "2000.0 * errors[leaf]",
        ),
        Edit(
            "a tolerance a thousand times too small",
            expected,
            "2.0 * errors[leaf] + tiny",
            "0.002 * errors[leaf]",
        ),
        Edit(
            "the tolerance of single precision",
            oracle.unit_roundoff,
            "np.finfo(_dtype(node))",
            "np.finfo(np.float32)",
        ),
        Edit(
            "the tolerance of double precision",
            oracle.unit_roundoff,
            "np.finfo(_dtype(node))",
            "np.finfo(np.float64)",
        ),
        Edit("the oracle is taken from the rules", slopes, once, ruled),
        Edit(
            "the oracle adds no contributions",
            oracle.Oracle._gradient,
            "total = total + values[child]",
            "pass",
        ),
        Edit(
            "the oracle doesn't contradict itself",
            gradcheck,
            "_hold_together(oracle_, expected, cotangent, rng)",
            "pass",
        ),
        Edit(
            "seeds with ones",
            blame.random_like,
            "numbers = rng",
            "numbers = np.ones(shape) if True else rng",
        ),
        Edit(
            "skips kinks",
            _check,
            _COMPARED,
            _COMPARED[:-1] + " and not np.any(np.asarray(leaf._data) == 0):",
        ),
        Edit(
            "skips where the truth is 0",
            _check,
            _COMPARED,
            _COMPARED[:-1] + " and worst.expected != 0:",
        ),
        Edit(
            "only the first input",
            _check,
            _COMPARED,
            _COMPARED[:-1] + " and leaf is subject.leaves[0]:",
        ),
        Edit(
            "only the last input",
            _check,
            _COMPARED,
            _COMPARED[:-1] + " and leaf is subject.leaves[-1]:",
        ),
        Edit("scalars only", _check, _COMPARED, _COMPARED[:-1] + " and not np.ndim(got):"),
        Edit("only the first order", gradcheck, "for k in range(1, order + 1):", "for k in (1,):"),
        Edit(
            "only the second order",
            gradcheck,
            "for k in range(1, order + 1):",
            "for k in range(min(order, 2), order + 1):",
        ),
        Edit(
            "the third order is the second",
            gradcheck,
            "subject.root(k, rng)",
            "subject.root(min(k, 2), rng)",
        ),
        Edit(
            "the recorded gradient isn't looked at",
            _check,
            "on_nodes = not wrong and not at_kinks and order < report.order",
            "on_nodes = False",
        ),
        Edit("a second derivative is what its graph says", gradcheck, "if k > 1:", "if False:"),
        Edit(
            "gradients add to those of before",
            Subject.forget_gradients,
            "leaf._grad = UNREACHED",
            "pass",
        ),
        Edit("the user's gradients are lost", Subject.undisturbed, "leaf._grad = grad", "pass"),
        Edit(
            "parameters of a Module aren't checked",
            record,
            "for name, parameter in module.named_parameters():",
            "for name, parameter in ():",
        ),
        Edit("only the first result", Subject.outputs, "return found", "return found[:1]"),
        Edit("only the last result", Subject.outputs, "return found", "return found[-1:]"),
        Edit(
            "lists aren't looked into",
            Subject._wrapped,
            "isinstance(x, (list, tuple))",
            "isinstance(x, dict)",
        ),
        Edit(
            "nothing is blamed",
            _check,
            "[*at_kinks, *(fault for fault in others if fault.name not in known)]",
            "[]",
        ),
        Edit(
            "the innocent are blamed", blame._faults_of_rules, "if worst is not None:", "if True:"
        ),
        Edit(
            "the wrong argument is blamed",
            blame._place,
            'words = f"argument {argument}"',
            'words = f"argument {argument + 1}"',
        ),
        Edit(
            "accumulation is never at fault",
            blame.faults,
            "or _fault_of_accumulation(oracle, seed, labels or {})",
            "",
        ),
    ]


def checker_mutants(every: int = 1) -> Iterator[Mutant]:
    """Yield each faulty checker, found or not; every k-th, to be quick."""
    checks = checker_checks()
    found = first_to_fail(checks)
    if found is not None:
        raise AssertionError(
            f"gradcheck fails as it is, before it is changed: {found}"
        ) from found.error
    for fault in _faults()[every - 1 :: every]:
        with fault.made():
            failure = first_to_fail(checks)
        yield Mutant("checker", fault.name, fault.change, "" if failure is None else str(failure))
