"""Properties that the gradients of every graph have, as a suite to point at any engine.

Each property is held against random graphs (``strategies.expressions``), seeded with random
cotangents, never with ones. A failure raises ``GradientError`` with the smallest counterexample
found, as code to paste.

Examples
--------
Under pytest, one test for each property:

>>> import pytest
>>> from micrograd_nn.testing import properties
>>> from micrograd_nn.testing.engines import ValueEngine
>>> @pytest.mark.parametrize("check", properties.suite(ValueEngine()))
... def test_engine(check):
...     check()

Or all of them at once:

>>> properties.check(ValueEngine(), max_examples=20)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.testing.engine import Engine, TwiceDifferentiable, total
from micrograd_nn.testing.engines import own_engine
from micrograd_nn.testing.programs.case import Case, Violation, hold
from micrograd_nn.testing.programs.linearised import TOLERANCE
from micrograd_nn.testing.programs.search import Property, search

Array = Any


#: Gradients below this may have been through numbers too small to have all their digits.
_UNDERFLOWN = 1e-280


# ------------------------------------------------------------------------------- the properties


def forward(case: Case) -> None:
    """The result is what the operations give on plain arrays."""
    engine, expected = case.engine, case.linearised().result
    got = np.asarray(engine.value(case.record(case.leaves())[-1]), np.float64)
    if got.shape != expected.shape:
        raise Violation(f"the result has shape {got.shape}, should have {expected.shape}")
    hold("the result", got, expected, TOLERANCE * np.maximum(1.0, np.abs(expected)))


def dot_product(case: Case) -> None:
    """⟨Jᵀv, u⟩ = ⟨v, Ju⟩, where Ju is measured by differences of the operations."""
    at = case.linearised()
    directions = _directions(at.values[: case.program.arity])
    pushed = at.pushed(directions)
    pairs = zip(case.gradients(), directions, strict=True)
    got = sum(float(np.sum(g * u)) for g, u in pairs)
    expected = float(np.sum(case.cotangent * pushed))
    bounds = zip(at.tolerance(case.cotangent), directions, strict=True)
    hold("⟨Jᵀv, u⟩", got, expected, sum(float(np.sum(b * np.abs(u))) for b, u in bounds))


def scaling(case: Case) -> None:
    """A cotangent times a power of two gives the gradients times it, bit for bit."""
    factor = 2.0**case.power
    for name, got, plain in zip(
        case.program.names(),
        case.gradients(case.cotangent * factor),
        case.gradients(),
        strict=False,
    ):
        hold(f"d{name} for {factor:g} · v", got, factor * plain, _UNDERFLOWN)


def backward_twice(case: Case) -> None:
    """A second pass over the same graph gives the same gradients again."""
    leaves = case.leaves()
    root = case.record(leaves)[-1]
    case.engine.backward(root, case.seed())
    once = case.read(leaves)
    case.engine.backward(root, case.seed())
    factor = 2.0 if case.engine.accumulates else 1.0
    names, tolerance = case.program.names(), case.linearised().tolerance(case.cotangent)
    for i, (got, first) in enumerate(zip(case.read(leaves), once, strict=True)):
        hold(f"d{names[i]} after two passes", got, factor * first, tolerance[i])


def fan_out(case: Case) -> None:
    """A leaf that is used several times gets the sum of what each use would get on its own."""
    arity, engine = case.program.arity, case.engine
    copies: list[list[Any]] = [[] for _ in range(arity)]
    values: list[Any] = [None] * arity

    def operand(place: int) -> Any:
        if place >= arity:
            return values[place]
        copies[place].append(engine.leaf(case.expression.inputs[place]))
        return copies[place][-1]

    for step in case.program.steps:
        operands = [operand(place) for place in step.operands]
        values.append(case.step(step, operands))
    engine.backward(values[-1] if case.program.steps else operand(arity - 1), case.seed())
    tolerance = case.linearised().tolerance(case.cotangent)
    names = case.program.names()
    for i, shared in enumerate(case.gradients()):
        each = [np.asarray(engine.gradient(copy), np.float64) for copy in copies[i]]
        hold(f"d{names[i]}", shared, sum(each, np.zeros(shared.shape)), tolerance[i])


def unused(case: Case) -> None:
    """What the result doesn't depend on has a gradient of exactly 0."""
    engine = case.engine
    leaves = case.leaves()
    idle = engine.leaf(case.expression.inputs[0])
    nodes = case.record(leaves)
    if "add" in engine.operations:
        engine.apply("add", (idle, leaves[0]), {})
    engine.backward(nodes[-1], case.seed())
    gradients = [*case.read(leaves), np.asarray(engine.gradient(idle), np.float64)]
    live = [*case.program.live()[: len(leaves)], False]
    names = [*case.program.names()[: len(leaves)], "an input of a result that isn't the root"]
    for name, gradient, is_live in zip(names, gradients, live, strict=True):
        if not is_live:
            hold(f"the gradient of {name}", gradient, np.zeros(gradient.shape), 0.0)


def batch_permutation(case: Case) -> None:
    """In a sum over examples, each example's gradient goes with it, in whichever order."""
    tolerances = [case.linearised(k).tolerance(case.cotangent)[0] for k in (0, 1)]
    (shared, *one), (shared_reversed, *other) = (_over_examples(case, o) for o in ((0, 1), (1, 0)))
    names = case.program.names()
    hold(f"d{names[0]}, shared by the examples", shared_reversed, shared, sum(tolerances))
    for k, gradients in enumerate(zip(one, other, strict=True)):
        for i, (before, after) in enumerate(zip(*gradients, strict=True), start=1):
            hold(f"d{names[i]} of example {k}, in the other order", after, before, 0.0)


def _over_examples(case: Case, order: Sequence[int]) -> list[Any]:
    """Return the gradient of the shared input, and by example those of the others."""
    engine = case.engine
    shared = engine.leaf(case.expression.inputs[0])
    others: dict[int, list[Any]] = {}
    roots = []
    for k in order:
        others[k] = case.leaves(k)[1:]
        roots.append(case.record([shared, *others[k]])[-1])
    engine.backward(total(engine, roots), case.seed())
    of_examples = [case.read([shared, *others[k]])[1:] for k in sorted(others)]
    return [np.asarray(engine.gradient(shared), np.float64), *of_examples]


def schwarz(case: Case) -> None:
    """⟨u, H w⟩ = ⟨w, H u⟩ for the matrix H of second derivatives of ⟨v, f⟩."""
    at = case.linearised()
    inputs = at.values[: case.program.arity]
    u, w = _directions(inputs), _directions(inputs, seed=1)
    of_u, of_w = _second(case, u), _second(case, w)
    got = sum(float(np.sum(a * b)) for a, b in zip(of_w, u, strict=True))
    expected = sum(float(np.sum(a * b)) for a, b in zip(of_u, w, strict=True))
    pairs = [*zip(of_w, u, strict=True), *zip(of_u, w, strict=True)]
    size = sum(float(np.sum(np.abs(a * b))) for a, b in pairs)
    size += sum(float(np.sum(bound)) for bound in at.tolerance(case.cotangent)) / TOLERANCE
    hold("⟨u, Hw⟩ against ⟨w, Hu⟩", got, expected, TOLERANCE * size)


def _second(case: Case, directions: Sequence[Array]) -> list[Array]:
    """Return H u: the gradient of the gradient along ``directions``."""
    engine = case.engine
    assert isinstance(engine, TwiceDifferentiable)
    leaves = case.leaves()
    root = case.record(leaves)[-1]
    nodes = engine.gradient_nodes(root, case.seed(), leaves)
    found = [np.zeros(np.shape(x)) for x in case.expression.inputs]
    for node, u in zip(nodes, directions, strict=True):
        fresh = engine.gradient_nodes(node, float(u) if engine.kind == "value" else u, leaves)
        values = (np.asarray(engine.value(n), np.float64) for n in fresh)
        found = [f + value for f, value in zip(found, values, strict=True)]
    return found


def equations(case: Case) -> None:
    """Each gradient is that of ``Value``, of ``Tensor``, and of the equations of the steps."""
    at = case.linearised()
    tolerance = at.tolerance(case.cotangent)
    names = case.program.names()
    got = case.gradients()
    for i, expected in enumerate(at.pulled(case.cotangent)):
        hold(f"d{names[i]} against the equations", got[i], expected, tolerance[i])
    kinds = ("value", "tensor") if case.engine.kind == "value" else ("tensor",)
    for kind in kinds:
        own = own_engine(kind)
        theirs = Case(own, case.examples, case.cotangent, case.power).gradients()
        for i, expected in enumerate(theirs):
            hold(f"d{names[i]} against {own.name}", got[i], expected, tolerance[i])


#: The properties by name, in the order in which ``check`` asks for them.
PROPERTIES: dict[str, Property] = {
    "forward": forward,
    "dot product": dot_product,
    "scaling by powers of two": scaling,
    "fan-out": fan_out,
    "unused inputs": unused,
    "backward twice": backward_twice,
    "batch permutation": batch_permutation,
    "Value = Tensor = equations": equations,
    "Schwarz symmetry": schwarz,
}


def _directions(inputs: Sequence[Array], seed: int = 0) -> list[Array]:
    """Return a direction for each input: numbers that no coincidence can please."""
    rng = np.random.default_rng(seed)
    sizes_and_signs = (
        (rng.uniform(0.5, 1.5, x.shape), rng.choice([-1.0, 1.0], x.shape)) for x in inputs
    )
    return [np.asarray(size * sign) for size, sign in sizes_and_signs]


# ------------------------------------------------------------------------------------ the suite


@dataclass
class Check:
    """One property of one engine; call it to hold the property against random graphs.

    Attributes
    ----------
    name : str
        The name of the property, as in ``PROPERTIES``.
    engine : Engine
    max_examples, seed : int
        How many random graphs, and which.
    max_size : int
        The largest number of steps of a graph.
    """

    name: str
    engine: Engine
    max_examples: int = 200
    seed: int = 0
    max_size: int = 12

    def __post_init__(self) -> None:
        self.__name__ = self.name  # the id of a parametrised test

    def __call__(self) -> None:
        """Raise a ``GradientError`` if the property doesn't hold for a graph that is found."""
        search(
            {self.name: PROPERTIES[self.name]},
            self.engine,
            self.max_examples,
            self.seed,
            self.max_size,
        )

    def __str__(self) -> str:
        return self.name


def suite(
    engine: Engine, *, max_examples: int = 200, seed: int = 0, max_size: int = 12
) -> list[Check]:
    """Return a check for each property that can be asked of the engine.

    Parameters
    ----------
    engine : Engine
    max_examples : int
        The number of random graphs. Some faults show in one of twenty only.
    seed : int
        Another seed gives other graphs.
    max_size : int
        The largest number of steps of a graph.

    Examples
    --------
    >>> from micrograd_nn.testing.engines import TensorEngine
    >>> [str(check) for check in suite(TensorEngine())][1]
    'dot product'
    """
    return [Check(name, engine, max_examples, seed, max_size) for name in _asked_of(engine)]


def check(engine: Engine, *, max_examples: int = 200, seed: int = 0, max_size: int = 12) -> None:
    """Hold every property against the same random graphs; see ``suite`` for the parameters.

    Raises
    ------
    GradientError
        If one doesn't hold. The message has the name of the property, the numbers, and the
        smallest counterexample found, as code to paste; ``blamed`` has the names of its operations.

    Examples
    --------
    >>> from micrograd_nn.testing.engines import ValueEngine
    >>> class Clipped(ValueEngine):
    ...     name = "clipped"
    ...
    ...     def gradient(self, leaf):
    ...         return min(leaf.grad, 5.0)
    >>> check(Clipped(), max_examples=20)
    Traceback (most recent call last):
    ...
    micrograd_nn.testing.errors.GradientError: clipped fails the property ...
    """
    asked = {name: PROPERTIES[name] for name in _asked_of(engine)}
    search(asked, engine, max_examples, seed, max_size)


def _asked_of(engine: Engine) -> Iterator[str]:
    for name, held in PROPERTIES.items():
        if held is schwarz and not isinstance(engine, TwiceDifferentiable):
            continue
        if held is batch_permutation and "add" not in engine.operations:
            continue  # there is no sum over examples
        yield name


__all__ = [
    "Case",
    "Check",
    "PROPERTIES",
    "check",
    "suite",
]
