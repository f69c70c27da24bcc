"""A tape with its derivative: one list of elementary steps, forward and then backward.

The rules of the rows are taken apart (``symbols.py``), so that what runs a program needs to know
kernels only. Numbers that depend on an input have one element per example. All others, such as the
square of a weight, are computed once: before the examples (``prelude``), or, as cotangents that
are sums over the examples, after them (``postlude``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arithmetic
from micrograd_nn.readers.compile.symbols import Operation, expand
from micrograd_nn.readers.compile.tape import Tape

#: The number that a step computes, its operation, the numbers of its arguments, its parameters.
Step = tuple[int, Operation, tuple[int, ...], dict[str, Any]]


class Refused(Exception):  # noqa: N818 (no error: another way of running the tape is taken)
    """A tape can't be run in this way; the text says why."""


@dataclass
class Program:
    """The steps of a tape and of its backward pass.

    All numbers are numbered, those of the tape as there. ``batched`` tells which have one element
    per example.

    Attributes
    ----------
    tape : Tape
        What the program was made from.
    batched : list of bool
        For each number, whether it depends on an input.
    literals : dict
        The numbers that are known: the constants of the tape and of the rules.
    prelude, forward, backward, postlude : list of Step
        What is computed once, for each block of examples (forward, backward), and once more.
    totals : list of tuple
        ``(position, target, factors)``: after so many steps of ``backward``, the sum over the
        examples of the product of one or two factors is to be added to a number that starts at 0.
    seed : int
        The cotangent of the root: 1 for each example, or, for a root that depends on no input, the
        number of examples.
    of_inputs, of_leaves : list of int or None
        The gradients. ``None`` is a gradient of 0.
    """

    tape: Tape
    batched: list[bool]
    literals: dict[int, float] = field(default_factory=dict)
    prelude: list[Step] = field(default_factory=list)
    forward: list[Step] = field(default_factory=list)
    backward: list[Step] = field(default_factory=list)
    totals: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    postlude: list[Step] = field(default_factory=list)
    seed: int = 0
    of_inputs: list[int | None] = field(default_factory=list)
    of_leaves: list[int | None] = field(default_factory=list)


def program_of(tape: Tape, *, wrt_inputs: bool = True, careful: bool = False) -> Program:
    """Return the steps of a tape and of its backward pass.

    Parameters
    ----------
    tape : Tape
        A scalar graph.
    wrt_inputs : bool
        Whether gradients of the inputs are computed.
    careful : bool
        Whether each step backward sees to it that a cotangent of exactly 0 contributes exactly 0.
        It costs time, and is needed only where a gradient came out as NaN.

    Raises
    ------
    Refused
        If an operation isn't elementwise, so that it can't run on many examples at once.
    """
    builder = _Builder(tape, wrt_inputs, careful)
    builder.forward()
    builder.backward()
    return builder.program


class _Builder:
    """Writes the steps of a program."""

    def __init__(self, tape: Tape, wrt_inputs: bool, careful: bool) -> None:
        n_inputs = len(tape.inputs)
        self.tape = tape
        self.careful = careful
        self.program = Program(tape, [i < n_inputs for i in range(tape.first + len(tape.rows))])
        self.literals: dict[tuple[float, float], int] = {}
        first_constant = n_inputs + len(tape.leaves)
        self.program.literals = dict(enumerate(tape.constants, first_constant))
        self.wanted = [wrt_inputs] * n_inputs + [True] * len(tape.leaves)
        self.wanted += [False] * len(tape.constants)
        self.cotangents: dict[int, int] = {}
        self.sums: dict[int, int] = {}  # of cotangents over the examples

    def forward(self) -> None:
        program, tape = self.program, self.tape
        batched, wanted = program.batched, self.wanted
        for out, row in enumerate(tape.rows, tape.first):
            args = tape.args[out - tape.first]
            for a in args:
                if batched[a]:
                    batched[out] = True
                    break
            wanted.append(any([wanted[a] for a in args]))  # noqa: C419 (faster than a generator)
            if batched[out] and not row.elementwise:
                raise Refused(
                    f"{row.name} isn't elementwise: it can't run on many examples at once"
                )
            step = (out, row, args, tape.params[out - tape.first])
            (program.forward if batched[out] else program.prelude).append(step)

    def backward(self) -> None:
        program, tape = self.program, self.tape
        program.seed = self._new(program.batched[tape.root])
        self.cotangents[tape.root] = program.seed
        for out in range(tape.first + len(tape.rows) - 1, tape.first - 1, -1):
            g = self._cotangent(out)
            if g is None or not self.wanted[out]:
                continue
            k = out - tape.first
            row, args = tape.rows[k], tape.args[k]
            for i, rule in enumerate(row.rules):
                if rule is not None and self.wanted[args[i]]:
                    self._pull(row, i, g, out, args, tape.params[k])
        n_inputs = len(tape.inputs)
        gradients = [self._cotangent(i) for i in range(n_inputs + len(tape.leaves))]
        program.of_inputs = gradients[:n_inputs]
        program.of_leaves = gradients[n_inputs:]

    # ---------------------------------------------------------------------- one step backward

    def _pull(
        self, row: Primitive, i: int, g: int, out: int, args: tuple[int, ...], params: Any
    ) -> None:
        """Add to the cotangent of argument i what the cotangent g of the result gives."""
        known = tuple([self.program.literals.get(a) for a in args])
        rule = row.rules[i]
        assert rule is not None
        expansion = expand(rule, f"the rule {i} of {row.name}", known, params)
        places = [g, out, *args]
        steps: list[Step] = []
        for op, at, step_params in expansion.steps:
            numbers = tuple([places[p] if type(p) is int else self._literal(p) for p in at])
            places.append(self._new(any([self.program.batched[n] for n in numbers])))  # noqa: C419
            steps.append((places[-1], op, numbers, step_params))
        if type(expansion.result) is not int:
            if expansion.result != 0.0:
                raise Refused(f"the rule {i} of {row.name} returns a number without its cotangent")
            return
        cotangent = places[expansion.result]
        if self.program.batched[cotangent] != self.program.batched[out]:
            raise Refused(f"the rule {i} of {row.name} returns a number without its cotangent")
        if self.careful and cotangent != g:
            steps.append(
                (
                    self._new(self.program.batched[cotangent]),
                    arithmetic.where,
                    (g, cotangent, self._literal(0.0)),
                    {},
                )
            )
            cotangent = steps[-1][0]
        self._deliver(args[i], self.program.batched[out], cotangent, steps)

    def _deliver(self, target: int, examples: bool, cotangent: int, steps: list[Step]) -> None:
        """Add a cotangent, the result of the last of the steps if there are any, to another."""
        program = self.program
        last = steps[-1] if steps and steps[-1][0] == cotangent else None
        if examples and not program.batched[target]:
            factors: tuple[int, ...] = (cotangent,)
            if last and last[1] is arithmetic.mul and all(program.batched[n] for n in last[2]):
                factors = last[2]
                steps.pop()
            self._emit(steps, True)
            if target not in self.sums:
                self.sums[target] = self._new(False)
            program.totals.append((len(program.backward), self.sums[target], factors))
            return
        before = self.cotangents.get(target)
        if before is not None:
            add = arithmetic.add
            if last and last[1] is arithmetic.neg:  # a + (−b) is a − b, to the last bit
                steps.pop()
                add, cotangent = arithmetic.sub, last[2][0]
            total = self._new(examples)
            steps.append((total, add, (before, cotangent), {}))
            cotangent = total
        self.cotangents[target] = cotangent
        self._emit(steps, examples)

    def _emit(self, steps: list[Step], examples: bool) -> None:
        program = self.program
        for step in steps:
            if not examples:
                program.postlude.append(step)
            elif program.batched[step[0]]:
                program.backward.append(step)
            else:
                program.prelude.append(step)

    def _cotangent(self, number: int) -> int | None:
        """Return the cotangent of a number, all of whose consumers have been looked at."""
        own, total = self.cotangents.get(number), self.sums.get(number)
        if own is None or total is None:
            return total if own is None else own
        both = self._new(False)
        self.program.postlude.append((both, arithmetic.add, (own, total), {}))
        return both

    def _new(self, batched: bool) -> int:
        self.program.batched.append(batched)
        return len(self.program.batched) - 1

    def _literal(self, value: float) -> int:
        key = (value, math.copysign(1.0, value))
        if key not in self.literals:
            self.literals[key] = number = self._new(False)
            self.program.literals[number] = value
        return self.literals[key]
