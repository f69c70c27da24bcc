"""Run a scalar graph on many examples: block by block, one call of NumPy for each operation.

An operation on a block of a thousand examples costs NumPy half a microsecond more than the
arithmetic. What counts is memory: each number has one row of a small arena, which is given to
another number as soon as it has been read for the last time, and results overwrite arguments
that nobody needs any more.

Values and gradients agree with the recorded graph's but for the rounding of NumPy's functions,
which isn't that of ``math``; a zero may have the other sign (and so an infinity that comes from
dividing by it). Sums over the examples are added in another order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.adjoint import Program
from micrograd_nn.readers.compile.arena import Task, arena_of, tasks_of
from micrograd_nn.readers.compile.executor import Executor, Scalars
from micrograd_nn.readers.compile.inputs import FloatArray
from micrograd_nn.readers.compile.kernels import Call, calls_of, check_kernels
from micrograd_nn.readers.compile.tape import Tape

_BYTES = 256 * 2**20  # of an arena
_WIDEST = 4096
_NARROWEST = 64


class Blocks(Executor):
    """An executor that calls NumPy once for each operation and block of examples.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> from micrograd_nn.readers.compile.tape import tape_of
    >>> x, w = Value(1.0), Value(3.0)
    >>> values, of_leaves, of_inputs = Blocks(tape_of(w * x * x, [x]))([[1.0, 2.0]], [3.0])
    >>> values, of_leaves, of_inputs
    (array([ 3., 12.]), array([5.]), array([[ 6., 12.]]))
    """

    def __init__(self, tape: Tape, wrt_inputs: bool = True) -> None:
        super().__init__(tape, wrt_inputs)
        self._bound: dict[bool, _Bound] = {}
        check_kernels(self._program)

    def _examples(
        self,
        program: Program,
        scalars: Scalars,
        X: FloatArray,
        values: FloatArray,
        of_inputs: FloatArray,
    ) -> None:
        bound = self._bound_to(program, X.shape[1])
        bound.load(scalars.numbers)
        for start in range(0, X.shape[1], bound.width):
            bound.run(X, start, values, of_inputs)
        scalars.add(bound.targets, bound.totals)

    def _bound_to(self, program: Program, m: int) -> _Bound:
        """Return the program bound to an arena, as wide as ``m`` examples need."""
        careful = program is self._careful
        before = self._bound.get(careful)
        plan = _Plan.of(program) if before is None else before.plan
        width = max(_NARROWEST, min(_WIDEST, _BYTES // (8 * plan.rows)))
        width = -(-m // -(-m // width))  # blocks of the same width, but for a few examples
        if before is None or before.width != width:
            self._bound[careful] = before = _Bound(plan, width)
        return before


@dataclass
class _Plan:
    """What is to be done for a block, and where the numbers live."""

    program: Program
    tasks: list[Task]
    places: dict[int, int]
    rows: int

    @classmethod
    def of(cls, program: Program) -> _Plan:
        tasks = tasks_of(program)
        return cls(program, tasks, *arena_of(program, tasks))


class _Bound:
    """A program bound to memory: a list of calls without arguments."""

    def __init__(self, plan: _Plan, width: int) -> None:
        self.plan = plan
        self.width = width
        program, tape = plan.program, plan.program.tape
        self.arena = np.empty((plan.rows, _pitch(width)))[:, :width]
        self.scalars = np.zeros(len(program.batched))
        self.targets = [target for _, target, _ in program.totals]
        self.block_totals = np.zeros(len(self.targets))
        self.totals = np.zeros(len(self.targets))
        ones = np.ones(width)
        lines = list(self.arena)
        at: list[Any] = [
            (lines[plan.places[n]] if n in plan.places else None) if batched else scalar
            for n, (batched, scalar) in enumerate(
                zip(program.batched, _numbers(self.scalars), strict=True)
            )
        ]
        totals = iter(_numbers(self.block_totals))
        calls: list[Call] = []
        for task in plan.tasks:
            operands = [at[a] for a in task.args]
            if task.op == "total":
                x, y = operands if len(operands) == 2 else (*operands, ones)
                calls.append((np.dot, (x, y, next(totals))))
            else:
                calls += calls_of(task.op, task.params, operands, at[task.out])
        self.functions, self.args = [f for f, _ in calls], [args for _, args in calls]
        self.inputs = self.arena[: len(tape.inputs)]
        self.seed, self.root = at[program.seed], at[tape.root]
        self.of_inputs = [
            (i, at[number]) for i, number in enumerate(program.of_inputs) if number is not None
        ]

    def load(self, numbers: dict[int, float]) -> None:
        """Take over the numbers that are the same for all examples, and start anew."""
        for number, value in numbers.items():
            self.scalars[number] = value
        self.totals[:] = 0.0

    def run(self, X: FloatArray, start: int, values: FloatArray, of_inputs: FloatArray) -> None:
        """Compute the examples from ``start`` on, as many as there are in a block."""
        width = min(self.width, X.shape[1] - start)
        block = slice(start, start + width)
        self.inputs[:, :width] = X[:, block]
        self.inputs[:, width:] = X[:, -1:]  # harmless examples, of cotangent 0
        self.seed[:width] = 1.0
        self.seed[width:] = 0.0
        for function, args in zip(self.functions, self.args, strict=True):
            function(*args)
        values[block] = self.root[:width]
        for i, gradient in self.of_inputs:
            of_inputs[i, block] = gradient[:width]
        self.totals += self.block_totals


def _numbers(array: FloatArray) -> list[FloatArray]:
    """Return the elements as arrays of no axes, which kernels read and write."""
    return [array[i, ...] for i in range(len(array))]


def _pitch(width: int) -> int:
    """Return the length of a row in memory: an odd number of cache lines."""
    # Rows that are read together would else compete for the same places of the cache.
    return (-(-width // 8) | 1) * 8
