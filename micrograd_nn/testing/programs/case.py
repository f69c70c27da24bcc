"""One random graph in the hands of an engine, and what it is differentiated with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.testing.engine import Engine
from micrograd_nn.testing.errors import Disagreement
from micrograd_nn.testing.programs.assembly import MARGIN, applies
from micrograd_nn.testing.programs.expression import Expression, Program, Step
from micrograd_nn.testing.programs.linearised import Linearised
from micrograd_nn.testing.programs.operations import literal

Array = Any


class Violation(Exception):  # noqa: N818 (caught here, and told as a GradientError)
    """A property doesn't hold."""

    def __init__(self, what: str, disagreements: Sequence[Disagreement] = ()) -> None:
        super().__init__(what)
        self.disagreements = list(disagreements)


def hold(what: str, got: Any, expected: Any, allowed: Any) -> None:
    """Raise a violation unless two numbers or arrays agree to what is allowed, by element."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    allowed = np.broadcast_to(allowed, expected.shape)
    with np.errstate(all="ignore"):
        wrong = ~((got == expected) | (np.abs(got - expected) <= allowed))
    if np.any(wrong):
        found = [
            Disagreement(what, index, float(got[index]), float(expected[index]), float(bound))
            for index, bound in np.ndenumerate(allowed)
            if wrong[index]
        ]
        found.sort(key=lambda d: -d.error)
        raise Violation(str(found[0]), found)


@dataclass
class Case:
    """One random graph, and what it is differentiated with.

    Attributes
    ----------
    engine : Engine
    examples : list of Expression
        Two expressions of one program; they share the first input, and differ in the others.
    cotangent : float or ndarray
        The seed.
    power : int
        An exponent for scaling by a power of two.
    """

    engine: Engine
    examples: list[Expression]
    cotangent: Any
    power: int
    _linearised: dict[int, Linearised] = field(default_factory=dict, repr=False)

    @property
    def expression(self) -> Expression:
        """The first example."""
        return self.examples[0]

    @property
    def program(self) -> Program:
        """The steps."""
        return self.expression.program

    def linearised(self, example: int = 0) -> Linearised:
        """Return the measured derivatives at one example."""
        if example not in self._linearised:
            expression = self.examples[example]
            self._linearised[example] = Linearised(expression.program, expression.inputs)
        return self._linearised[example]

    def leaves(self, example: int = 0) -> list[Any]:
        """Return new leaves of the engine."""
        return [self.engine.leaf(x) for x in self.examples[example].inputs]

    def record(self, leaves: Sequence[Any]) -> list[Any]:
        """Return all nodes: the leaves, and the result of each step."""
        return self.program.run(leaves, self.step)

    def step(self, step: Step, operands: Sequence[Any]) -> Any:
        """Return the result of one step in the engine."""
        return self.engine.apply(step.operation.name, operands, step.parameters)

    def gradients(self, cotangent: Any = None) -> list[Array]:
        """Return the gradients of new leaves after one backward pass."""
        leaves = self.leaves()
        self.engine.backward(self.record(leaves)[-1], self.seed(cotangent))
        return self.read(leaves)

    def seed(self, cotangent: Any = None) -> Any:
        """Return a new copy of the cotangent, as the engine takes it."""
        cotangent = self.cotangent if cotangent is None else cotangent
        return float(cotangent) if self.engine.kind == "value" else np.array(cotangent)

    def read(self, leaves: Sequence[Any]) -> list[Array]:
        """Return the gradients of leaves, held to have the shape of their inputs."""
        found = []
        for leaf, x, name in zip(
            leaves, self.expression.inputs, self.program.names(), strict=False
        ):
            gradient = np.array(self.engine.gradient(leaf), np.float64)
            if gradient.shape != np.shape(x):
                raise Violation(
                    f"the gradient of {name} has shape {gradient.shape}, {name} has {np.shape(x)}"
                )
            found.append(gradient)
        return found

    def without(self, index: int) -> Case | None:
        """Return the case without one step; None where the others don't apply any more."""
        program = self.program.without(index)
        if not applies(program, [example.inputs for example in self.examples], MARGIN):
            return None
        if np.shape(program(*self.expression.inputs)) != np.shape(self.cotangent):
            return None
        examples = [Expression(program, *example.inputs) for example in self.examples]
        return Case(self.engine, examples, self.cotangent, self.power)

    def code(self) -> str:
        """Return the case as lines of Python code."""
        return f"{self.expression.code()}\ncotangent = {literal(self.cotangent)}"
