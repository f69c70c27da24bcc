"""Steps as the expressions that compute them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table.indexing import is_basic
from micrograd_nn.readers.compile import moves
from micrograd_nn.readers.compile.bindings import Bindings, number
from micrograd_nn.readers.compile.spelling import (
    ARITHMETIC,
    OPERATORS,
    data_of_operand,
    index_text,
    is_transpose,
)
from micrograd_nn.readers.compile.steps import CALL, CONSTANT, UFUNC, VIEW, Step


class Calls:
    """Writes steps as calls of NumPy.

    Parameters
    ----------
    bindings : Bindings
    names : mapping of Step to str
        What the values are called.
    """

    def __init__(self, bindings: Bindings, names: Mapping[Step, str]) -> None:
        self.bindings = bindings
        self.names = names

    def call(self, step: Step, out: str | None = None) -> str:
        """Return the expression that computes a step, into memory of that name if there is one."""
        function = step.function
        assert function is not None
        args = step.args
        if function is np.matmul and _are_plain_matrices(*args):
            function = np.dot  # the same product, with less ado
        written = self._special(step)
        if written is not None and out is None:
            return written
        operands = [self.operand(arg, step) for arg in args]
        if function is np.dot and np.ndim(data_of_operand(args[0])):
            method = f"{operands[0]}.dot"  # a method isn't looked up by the type of its operands
            return f"{method}({operands[1]}{'' if out is None else f', {out}'})"
        named = dict(step.kwargs)
        if getattr(function, "__name__", "") == "reduce" and "axis" in named:
            operands.append(self.operand(named.pop("axis")))
            if not named.get("keepdims", True):
                del named["keepdims"]
        operands += [f"{k}={self.operand(v)}" for k, v in named.items()]
        if out is not None:  # a ufunc's last argument is where its result is written to
            last = isinstance(function, np.ufunc) and function not in (np.maximum, np.minimum)
            operands.append(out if last else f"out={out}")
        return f"{self.bindings.function(function)}({', '.join(operands)})"

    def _special(self, step: Step) -> str | None:
        """Return how Python writes a call: as an attribute, an index or a method."""
        sign = OPERATORS.get(step.function)
        if sign is not None and not step.is_array:
            return self._infix(step, sign)
        if step.kind == VIEW and is_transpose(step):
            return f"{self.operand(step.args[0])}.T"
        if step.function is np.reshape and isinstance(data_of_operand(step.args[0]), np.ndarray):
            copy = ".copy()" if step.kind == CALL else ""  # whatever the order in memory is
            return f"{self.operand(step.args[0])}.reshape({self.operand(step.args[1])}){copy}"
        if step.function in (moves.getitem, moves.item):
            index = step.args[1]
            text = index_text(index) if is_basic(index) else self.operand(index)
            return f"{self.operand(step.args[0])}[{text}]"
        if step.function is moves.astype:
            return f"{self.operand(step.args[0])}.astype({self.operand(step.args[1])})"
        if step.function is moves.spread:
            self.bindings.imports.add("broadcast_to")
            return f"broadcast_to({self.operand(step.args[0])}, {step.shape}).copy()"
        return None

    def _infix(self, step: Step, sign: str) -> str | None:
        """Return arithmetic of numbers in Python's operators, if they give the same."""
        a, b = map(data_of_operand, step.args)
        if not all(np.ndim(x) == 0 and not isinstance(x, np.ndarray) for x in (a, b)):
            return None
        with np.errstate(all="ignore"):
            result = ARITHMETIC[sign](a, b)
        same = result == step.sample or (result != result and step.sample != step.sample)
        if type(result) is not type(step.sample) or not same:
            return None
        return f"{self.operand(step.args[0])} {sign} {self.operand(step.args[1])}"

    def operand(self, arg: Any, step: Step | None = None) -> str:
        """Return an argument, of a step if it matters of which."""
        if isinstance(arg, Step):
            if arg.kind == CONSTANT and not arg.is_array:
                return self._scalar(arg.sample, step)
            return self.names[arg]
        if isinstance(arg, (list, tuple)):
            inside = ", ".join(self.operand(item) for item in arg)
            if isinstance(arg, list):
                return f"[{inside}]"
            return f"({inside}{',' if len(arg) == 1 else ''})"
        if isinstance(arg, np.ndarray) and arg.ndim:
            return self.bindings.array(arg)
        if isinstance(arg, (float, np.generic, np.ndarray)):
            return self._scalar(arg, step)
        if isinstance(arg, np.dtype):
            return repr(arg.name)
        if isinstance(arg, Primitive) or (callable(arg) and not isinstance(arg, type)):
            return self.bindings.of_row(arg, getattr(arg, "__name__", "function"))
        if arg is None or isinstance(arg, (bool, int, str, slice)) or arg is Ellipsis:
            return repr(arg)
        known = self.bindings.known(arg)
        return known or self.bindings.bind(type(arg).__name__.lower(), arg, numbered=True)

    def _scalar(self, data: Any, step: Step | None) -> str:
        """Return a number: beside arrays as an array of no axes, which NumPy needn't convert."""
        value = float(data)
        dtype = np.asarray(data).dtype
        floating = step is not None and step.is_array and step.sample.dtype.kind == "f"
        if step is not None and step.kind == UFUNC and floating:
            beside = {
                np.asarray(data_of_operand(arg)).dtype
                for arg in step.args
                if np.ndim(data_of_operand(arg))
            }
            if type(data) is float and len(beside) == 1:
                dtype = step.sample.dtype
        elif type(data) is float or dtype.kind != "f":
            return number(np.asarray(data).item())
        if dtype.kind != "f":
            return repr(data.item())
        return self.bindings.scalar(value, dtype)


def _are_plain_matrices(a: Any, b: Any) -> bool:
    """Tell whether both are matrices in one piece, of one dtype, and no single numbers."""
    matrices = [data_of_operand(a), data_of_operand(b)]
    return (
        all(np.ndim(x) == 2 and x.flags.forc and x.size > 1 for x in matrices)
        and matrices[0].dtype == matrices[1].dtype
    )
