"""Which number lives where: memory is given to another number as soon as it isn't read any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from micrograd_nn.readers.compile.adjoint import Program


@dataclass(slots=True)
class Task:
    """Something that is done for a block of examples.

    Attributes
    ----------
    op : Operation or str
        An operation, or what only one kind of executor knows.
    out : int
        The number that is computed; -1 for a total.
    args : tuple of int
        The numbers that are read.
    params : dict
        Static parameters.
    target : int
        What a total is added to.
    accumulates : bool
        Whether something is added to the last argument, which the result may overwrite.
    """

    op: Any
    out: int
    args: tuple[int, ...]
    params: dict[str, Any] = field(default_factory=dict)
    target: int = -1
    accumulates: bool = False


def tasks_of(program: Program) -> list[Task]:
    """Return all that is done for a block of examples, in order."""
    tasks = [Task(op, out, args, params) for out, op, args, params in program.forward]
    done = 0
    for position, target, factors in program.totals:
        for out, op, args, params in program.backward[done:position]:
            tasks.append(Task(op, out, args, params))
        tasks.append(Task("total", -1, factors, {}, target))
        done = position
    tasks += [Task(op, out, args, params) for out, op, args, params in program.backward[done:]]
    return tasks


def arena_of(
    program: Program, tasks: Iterable[Task], in_place: bool = True
) -> tuple[dict[int, int], int]:
    """Return the row of an arena for each number with one element per example, and their count.

    A number's row is given away when it has been read for the last time, the latest first: that
    one is still in the cache. The inputs have the first rows, then comes the seed.

    Parameters
    ----------
    program : Program
        Which numbers have one element per example, and which are read in the end.
    tasks : iterable of Task
        What is computed, in order.
    in_place : bool
        Whether a result may overwrite any argument, or only what it accumulates.
    """
    n_inputs = len(program.tape.inputs)
    fixed = n_inputs + 1
    rows = {i: i for i in range(n_inputs)}
    if program.batched[program.seed]:
        rows[program.seed] = n_inputs
    tasks = list(tasks)
    last: dict[int, int] = {}
    for time, task in enumerate(tasks):
        for a in task.args:
            last[a] = time
    for number in (program.tape.root, *program.of_inputs):
        if number is not None:
            last[number] = len(tasks)
    free: list[int] = []
    count = fixed
    for time, task in enumerate(tasks):
        args, out = task.args, task.out
        after: list[int] = []
        for i, a in enumerate(args):
            if last[a] == time and rows.get(a, -1) >= fixed:
                last[a] = -1  # x * x gives x's row away once
                onto = task.accumulates and i == len(args) - 1 and args.count(a) == 1
                (free if in_place or onto else after).append(rows[a])
        if out >= 0:
            if free:
                rows[out] = free.pop()
            else:
                rows[out] = count
                count += 1
            if out not in last:
                free.append(rows[out])
        free += after
    return rows, count
