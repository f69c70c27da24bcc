"""A recorded computation as a list of steps, which runs anywhere and prints as code to paste."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.programs.operations import Operation, Parameters, literal

_INPUTS = "xyzw"
_RESULTS = "abcdeghijklmnopqrstuv"  # f is the function


@dataclass(frozen=True)
class Step:
    """One operation on values computed earlier.

    Attributes
    ----------
    operation : Operation
    operands : tuple of int
        The places of the operands: inputs are counted first, then the results of the steps.
    parameters : dict
        The parameters of the operation, such as ``axis``.
    """

    operation: Operation
    operands: tuple[int, ...]
    parameters: Parameters


@dataclass(frozen=True, repr=False)
class Program:
    """A function as steps in single-assignment form; the last result is the result.

    Calling it with nodes records a graph; with arrays or numbers it computes. All steps are run,
    also those whose results nothing uses.
    """

    arity: int
    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> Any:
        """Return the result for these inputs."""
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], apply: Callable[..., Any] | None = None) -> list[Any]:
        """Return all values: the inputs, and the result of each step.

        ``apply(step, operands)`` does one step; by default the operation is called.
        """
        if len(inputs) != self.arity:
            raise TypeError(f"the expression takes {self.arity} inputs, got {len(inputs)}")
        values = list(inputs)
        for step in self.steps:
            operands = [values[place] for place in step.operands]
            if apply is None:
                values.append(step.operation.call(*operands, **step.parameters))
            else:
                values.append(apply(step, operands))
        return values

    def live(self) -> list[bool]:
        """Return, for each value, whether the result depends on it."""
        alive = [False] * (self.arity + len(self.steps))
        alive[-1] = True
        for place in range(len(alive) - 1, self.arity - 1, -1):
            if alive[place]:
                for operand in self.steps[place - self.arity].operands:
                    alive[operand] = True
        return alive

    def without(self, index: int) -> Program:
        """Return the program without one step, whose first operand takes its place."""
        left_out = self.arity + index
        (instead, *_), kept = self.steps[index].operands, []

        def moved(place: int) -> int:
            place = instead if place == left_out else place
            return place - (place > left_out)

        for step in (*self.steps[:index], *self.steps[index + 1 :]):
            operands = tuple(moved(place) for place in step.operands)
            kept.append(Step(step.operation, operands, step.parameters))
        return Program(self.arity, tuple(kept))

    def names(self) -> list[str]:
        """Return a name for each value, as the code has them."""
        inputs = [_name(_INPUTS, i) for i in range(self.arity)]
        return inputs + [_name(_RESULTS, i) for i in range(len(self.steps))]

    def _lines(self) -> list[str]:
        names = self.names()
        return [
            step.operation.code([names[place] for place in step.operands], step.parameters)
            for step in self.steps
        ]

    def __repr__(self) -> str:
        names, lines = self.names(), self._lines()
        results = names[self.arity :]
        assigned = [f"{n} := {line}" for n, line in zip(results[:-1], lines[:-1], strict=True)]
        body = ", ".join([*assigned, *lines[-1:]]) if lines else names[-1]
        return f"lambda {', '.join(names[: self.arity])}: " + (
            f"({body})[-1]" if assigned else body
        )

    def code(self) -> str:
        """Return the definition of ``f`` as lines of Python code."""
        names, lines = self.names(), self._lines()
        results = names[self.arity :]
        body = [f"{n} = {line}" for n, line in zip(results[:-1], lines[:-1], strict=True)]
        body.append(f"return {lines[-1] if lines else names[-1]}")
        return "\n    ".join([f"def f({', '.join(names[: self.arity])}):", *body])


def _name(letters: str, index: int) -> str:
    return letters[index] if index < len(letters) else f"{letters[0]}{index}"


class Expression:
    """A function, and inputs to compute it for.

    Parameters
    ----------
    function : callable
        Of as many arguments as there are inputs, written with ``micrograd_nn.functional``.
    *inputs : float or ndarray
        Numbers make an expression of ``Value`` nodes, arrays one of ``Tensor`` nodes.

    Attributes
    ----------
    function, inputs
        As given. Expressions that ``strategies.expressions`` drew have a ``Program`` for function.

    Examples
    --------
    >>> import micrograd_nn.functional as F
    >>> e = Expression(lambda x: F.mul(x, x), 3.0)
    >>> e()
    9.0
    >>> (x,), y = e.record()
    >>> y.backward()
    >>> x.grad
    6.0
    """

    def __init__(self, function: Callable[..., Any], *inputs: Any) -> None:
        self.function = function
        self.inputs = inputs

    def __call__(self, *inputs: Any) -> Any:
        """Return the result for these inputs: nodes, arrays or numbers; its own by default."""
        return self.function(*(inputs or self.inputs))

    def leaves(self) -> tuple[Node, ...]:
        """Return a new leaf for each input."""
        kinds = (Tensor if isinstance(x, np.ndarray) else Value for x in self.inputs)
        return tuple(kind(x) for kind, x in zip(kinds, self.inputs, strict=True))

    def record(self) -> tuple[tuple[Node, ...], Node]:
        """Record the computation on new leaves; return them and the result."""
        leaves = self.leaves()
        return leaves, self.function(*leaves)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, where the expression was drawn.

        Raises
        ------
        TypeError
            If the expression was made from a function, whose steps are unknown.
        """
        return self.program.steps

    @property
    def program(self) -> Program:
        """The function as a ``Program``; see ``steps`` for the error."""
        if not isinstance(self.function, Program):
            raise TypeError(
                "this expression was made from a function, so its steps are unknown: draw one "
                "with strategies.expressions(), or make a Program of steps"
            )
        return self.function

    def __repr__(self) -> str:
        return f"Expression({', '.join([repr(self.function), *map(literal, self.inputs)])})"

    def code(self) -> str:
        """Return lines of Python code that define ``f`` and ``inputs``, with all imports.

        Examples
        --------
        >>> from micrograd_nn.testing.strategies import OPERATIONS
        >>> doubled = Program(1, (Step(OPERATIONS["add"], (0, 0), {}),))
        >>> print(Expression(doubled, 1.0).code())
        import micrograd_nn.functional as F
        <BLANKLINE>
        def f(x):
            return F.add(x, x)
        <BLANKLINE>
        inputs = (1.0,)
        """
        lines = f"{self.program.code()}\n\ninputs = {literal(self.inputs)}"
        needed = {
            "np.": "import numpy as np",
            "F.": "import micrograd_nn.functional as F",
            "table[": "from micrograd_nn.graph.primitive import table",
        }
        imports = [line for word, line in needed.items() if word in lines]
        return "\n".join([*imports, "", lines]) if imports else lines
