"""How the parts of a program's source are written."""

from __future__ import annotations

import operator
import textwrap
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.pull import call
from micrograd_nn.readers.compile.memory import transposed
from micrograd_nn.readers.compile.steps import CONSTANT, LEAF, VIEW, Step

Array = np.ndarray[Any, Any]

WIDTH = 100

OPERATORS: dict[Any, str] = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}
ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


def index_text(index: Any) -> str:
    """Return a basic index as one writes it."""
    if isinstance(index, tuple):
        return ", ".join(map(index_text, index)) or "()"
    if isinstance(index, slice):
        start, stop, step = ("" if x is None else str(x) for x in _bounds(index))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if index is Ellipsis else repr(index)


def _bounds(index: slice) -> tuple[Any, Any, Any]:
    return index.start, index.stop, index.step


def imported(names: list[str]) -> list[str]:
    """Return the lines that import names of NumPy."""
    line = f"from numpy import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    inside = textwrap.wrap(", ".join(names) + ",", WIDTH - 4)
    return ["from numpy import (", *(f"    {part}" for part in inside), ")"]


def data_of_operand(arg: Any) -> Any:
    """Return a sample of an operand."""
    return arg.sample if isinstance(arg, Step) else arg


def is_transpose(step: Step) -> bool:
    """Tell whether a step reverses the axes."""
    return step.function is np.transpose and len(step.args) == 1


def letter_for(step: Step) -> str:
    """Return what a value without a name is called, but for its number."""
    return {LEAF: "w", CONSTANT: "c", VIEW: "v"}.get(step.kind, "t")


def described(array: Array) -> str:
    """Return what is said of an array that isn't written out."""
    return f"an array of shape {array.shape} and {array.dtype}"


def part_of_buffer(number: int, array: Array) -> str:
    """Return an array that lies in a buffer."""
    flat = f"buffers[{number}][:{array.nbytes}].view({array.dtype.name!r})"
    shape, inverse = transposed(array)
    back = "" if array.flags.c_contiguous else f".transpose({inverse})"
    return f"{flat}.reshape({shape}){back}"


def found_in_table(function: Any) -> tuple[str, str]:
    """Return how to find a kernel or rule again, and what to call it."""
    if function is call:
        return "", "call_rule"
    for row in table.values():
        if function is row:
            return f"table[{row.name!r}]", row.name
        if function is row.on_arrays:
            return f"table[{row.name!r}].on_arrays", row.name
        if function is row.on_floats:
            return f"table[{row.name!r}].on_floats", f"{row.name}_of_floats"
        for i, rule in enumerate(row.rules):
            if function is rule:
                return f"table[{row.name!r}].rules[{i}]", f"{row.name}_rule_{i}"
    return "", ""
