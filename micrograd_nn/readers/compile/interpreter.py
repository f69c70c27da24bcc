"""Run a scalar graph on many examples with numba: one interpreter, compiled once, for any tape.

It works on 64 examples at a time, so that a number is eight cache lines and the whole graph stays
in the cache. Values and gradients agree with the recorded graph's within a few units in the last
place per operation; sums over the examples are added in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table import arithmetic
from micrograd_nn.readers.compile import machine
from micrograd_nn.readers.compile.adjoint import Program, Refused
from micrograd_nn.readers.compile.arena import Task, arena_of, tasks_of
from micrograd_nn.readers.compile.executor import Executor, Scalars
from micrograd_nn.readers.compile.inputs import FloatArray
from micrograd_nn.readers.compile.tape import Tape

_CODES = {table[name]: code for name, code in machine.OPCODES.items() if name in table}


class Interpreter(Executor):
    """An executor that needs numba: ``pip install micrograd-nn[jit]``.

    Raises
    ------
    Refused
        If the graph holds an operation that the machine doesn't know.
    ImportError
        If numba isn't there.
    """

    def __init__(self, tape: Tape, wrt_inputs: bool = True) -> None:
        super().__init__(tape, wrt_inputs)
        self._machine = compiled_machine()
        self._codes = {False: _Code(self._program)}

    def _examples(
        self,
        program: Program,
        scalars: Scalars,
        X: FloatArray,
        values: FloatArray,
        of_inputs: FloatArray,
    ) -> None:
        careful = program is self._careful
        if careful not in self._codes:
            self._codes[careful] = _Code(program)
        code = self._codes[careful]
        code.load(scalars.numbers)
        self._machine(
            code.instructions,
            code.memory,
            X,
            values,
            of_inputs,
            code.gradients,
            code.seed,
            code.root,
        )
        scalars.add(code.targets, code.totals())


@lru_cache(maxsize=1)
def compiled_machine() -> Callable[..., None]:
    """Return the machine, compiled; from numba's cache, where that can be written.

    Raises
    ------
    ImportError
        If numba isn't there.
    """
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            'the interpreter of compiled programs needs numba: pip install "micrograd-nn[jit]"'
        ) from error
    try:
        made = numba.njit(cache=True, error_model="numpy")(machine.run)
    except RuntimeError:  # no place for a cache
        made = numba.njit(error_model="numpy")(machine.run)
    run: Callable[..., None] = made
    return run


class _Code:
    """A program as code of the machine, with its memory."""

    def __init__(self, program: Program) -> None:
        n_inputs = len(program.tape.inputs)
        tasks = [_opcode(task) for task in _fused(tasks_of(program))]
        rows, count = arena_of(program, tasks, in_place=False)
        targets = dict.fromkeys(task.target for task in tasks if task.target >= 0)
        for target in targets:
            rows[target] = count
            count += 1
        self.scalars: list[int] = []
        for task in tasks:
            for a in task.args:
                if a not in rows:
                    self.scalars.append(a)
                    rows[a] = count
                    count += 1
        self.targets = list(targets)
        self._first_total = rows[self.targets[0]] if targets else 0
        self._first_scalar = count - len(self.scalars)
        self.memory: npt.NDArray[np.float64] = np.zeros((count, machine.LANES))
        self.instructions = np.array([_instruction(task, rows) for task in tasks], np.uint64)
        self.instructions = self.instructions.reshape(-1, 5)
        self.gradients = np.array(
            [-1 if n is None else rows[n] for n in program.of_inputs], np.int64
        )
        self.seed, self.root = n_inputs, rows.get(program.tape.root, 0)
        _check(self.instructions, self.gradients, count)

    def load(self, numbers: dict[int, float]) -> None:
        """Take over the numbers that are the same for all examples, and start anew."""
        first = self._first_scalar
        self.memory[first:] = np.array([numbers[n] for n in self.scalars]).reshape(-1, 1)
        self.memory[self._first_total : self._first_total + len(self.targets)] = 0.0

    def totals(self) -> FloatArray:
        """Return the totals over the examples."""
        first = self._first_total
        total: FloatArray = self.memory[first : first + len(self.targets)].sum(1)
        return total


def _fused(tasks: list[Task]) -> list[Task]:
    """Return the tasks with each product that is only added to something as one instruction."""
    reads: dict[int, int] = {}
    for task in tasks:
        for a in task.args:
            reads[a] = reads.get(a, 0) + 1
    fused: list[Task] = []
    for task in tasks:
        before = fused[-1] if fused else None
        if (
            before is not None
            and task.op is arithmetic.add
            and before.op is arithmetic.mul
            and task.args[1] == before.out != task.args[0]
            and reads[before.out] == 1
        ):
            args = (*before.args, task.args[0])
            fused[-1] = Task("product_plus", task.out, args, accumulates=True)
        else:
            fused.append(task)
    return fused


def _opcode(task: Task) -> Task:
    """Return a task whose operation the machine knows.

    Raises
    ------
    Refused
        If it knows none.
    """
    if task.op == "total":
        task.op = "add_product_to" if len(task.args) == 2 else "add_to"
    elif task.op is arithmetic.add or task.op is arithmetic.sub:
        x, y = task.args
        if x != y:  # backward, x is the sum so far: the result may overwrite it
            task.op, task.args = ("add_" if task.op is arithmetic.add else "sub_"), (y, x)
            task.accumulates = True
    elif not isinstance(task.op, str) and (task.op not in _CODES or task.params):
        raise Refused(f"numba's interpreter has no instruction for {task.op.name}")
    return task


def _instruction(task: Task, rows: dict[int, int]) -> tuple[int, ...]:
    """Return opcode, result and arguments of a task."""
    args = [rows[a] for a in task.args]
    op = task.op
    out = rows[task.target] if task.target >= 0 else rows[task.out]
    if op in ("add_", "sub_"):
        if args[1] == out:
            op, args = f"{op}to", args[:1]
        else:
            op, args = (arithmetic.add if op == "add_" else arithmetic.sub), args[::-1]
    elif op == "product_plus" and args[2] == out:
        op, args = "add_product_to", args[:2]
    code = machine.OPCODES[op] if isinstance(op, str) else _CODES[op]
    return (code, out, *args, *[0] * (3 - len(args)))


def _check(instructions: Any, gradients: Any, count: int) -> None:
    """Raise unless every number is that of a row: compiled code looks at none."""
    rows = instructions[:, 1:]
    ok = (rows >= 0).all() and (rows < count).all()
    ok = ok and (gradients >= -1).all() and (gradients < count).all()
    if not ok:
        raise AssertionError("a number of the program has no row in memory")
