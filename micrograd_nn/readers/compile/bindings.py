"""What the names in a program's source stand for: buffers, parts of them, constants, functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.memory import transposed
from micrograd_nn.readers.compile.spelling import (
    described,
    found_in_table,
    imported,
    index_text,
    part_of_buffer,
)
from micrograd_nn.readers.identifiers import RESERVED, identifier

Array = np.ndarray[Any, Any]

#: Constants of so many numbers stand in the source.
_WRITTEN = 16


class Bindings:
    """Names and what they stand for, with the lines that a reader needs to make it.

    Attributes
    ----------
    namespace : dict of str to object
        What the program's function looks names up in.
    setup : list of str
        The lines above the function.
    imports : set of str
        Names of NumPy.
    """

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": __name__}
        self.setup: list[str] = []
        self.imports: set[str] = set()
        self._rows: dict[str, str] = {}
        self._scalars: dict[Any, str] = {}
        self._parts: dict[str, str] = {}
        self._taken = {"table", "program", "buffers"}

    def free(self, wanted: str, numbered: bool = False) -> str:
        """Return a name like the one that is wanted, which nothing has yet."""
        name = identifier(wanted, "x")
        if hasattr(np, name) or name in RESERVED:
            name += "_"
        count = 1
        free = f"{name}{count}" if numbered else name
        while free in self._taken:
            count += 1
            free = f"{name}{count}" if numbered else f"{name}_{count}"
        self._taken.add(free)
        return free

    def bind(self, wanted: str, what: Any, line: str | None = None, numbered: bool = False) -> str:
        """Return a new name for something; the line, if there is one, follows ``name = ``."""
        name = self.free(wanted, numbered)
        self.namespace[name] = what
        if line is not None:
            self.setup.append(f"{name} = {line}")
        return name

    def known(self, what: Any) -> str:
        """Return the name that an object has already, or nothing."""
        return next((name for name, bound in self.namespace.items() if bound is what), "")

    def array(self, array: Array) -> str:
        """Return the name of a constant."""
        name = self.known(array)
        if not name:
            name = self.free("c", numbered=True)
            self.constant(name, array)
        return name

    def settled(self, name: str, array: Array) -> None:
        """Bind an array that stays where it is."""
        self.namespace[name] = array
        self.setup.append(f"# {name}: {described(array)}, in its place")

    def constant(self, name: str, array: Array) -> None:
        """Bind a constant, and write it, if that is short; else say what it is."""
        self.namespace[name] = array
        dtype = repr(array.dtype.name)
        if array.size and array.dtype.kind in "fiub" and np.all(array == array.flat[0]):
            self.imports.add("full")
            same = number(array.flat[0].item())
            self.setup.append(f"{name} = full({array.shape}, {same}, {dtype})")
        elif array.size <= _WRITTEN and np.all(np.isfinite(array)):
            self.imports.add("array")
            self.setup.append(f"{name} = array({array.tolist()}, {dtype})")
        else:
            self.setup.append(f"# {name}: {described(array)}, as recorded")

    def scalar(self, value: float, dtype: Any) -> str:
        """Return the name of a number, as an array of no axes."""
        key = (value.hex(), dtype)
        if key not in self._scalars:
            text = re.sub(r"\W+", "_", f"{value:.6g}".replace("-", "minus_").replace("+", ""))
            line = f"array({number(value)}, {dtype.name})"
            self._scalars[key] = self.bind(f"number_{text}", np.asarray(value, dtype), line)
            self.imports |= {"array", dtype.name}
        return self._scalars[key]

    def buffer(self, number: int, array: Array) -> str:
        """Return the name of an array that lies in a buffer."""
        shape = "x".join(map(str, array.shape))
        if not array.flags.c_contiguous:
            shape += "_axes" + "".join(map(str, transposed(array)[1]))
        kind = f"{array.dtype.kind}{8 * array.dtype.itemsize}"
        name = f"buffer{number}_{shape}" + ("" if kind == "f64" else f"_{kind}")
        if name not in self.namespace:
            self.namespace[name] = array
            self._taken.add(name)
            self.setup.append(f"{name} = {part_of_buffer(number, array)}")
        return name

    def part(
        self, name: str, array: Array, index: Any, shape: tuple[int, ...] | None = None
    ) -> tuple[str, Array]:
        """Return a part of what stays in its place, in that shape, with its name."""
        part, text = array[index], f"{name}[{index_text(index)}]"
        if shape is not None and part.shape != shape:
            part, text = part.reshape(shape), f"{text}.reshape({shape})"
        if text not in self._parts:
            self._parts[text] = self.bind(f"{name}_{index_text(index)}", part, text)
        return self._parts[text], part

    def function(self, function: Callable[..., Any]) -> str:
        """Return how a function is called: by its name in NumPy, or by a new one."""
        name = getattr(function, "__name__", "function")
        if isinstance(function, np.ufunc) or getattr(np, name, None) is function:
            self.imports.add(name)
            self._taken.add(name)
            return name
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc):
            self.imports.add(owner.__name__)
            return f"{owner.__name__}.{name}"
        return self.of_row(function, name)

    def of_row(self, function: Callable[..., Any], name: str) -> str:
        """Return the name of a kernel or rule that is called as a whole."""
        known = self.known(function)
        if known:
            return known
        text, label = found_in_table(function)
        bound_name = self.bind(label or name.strip("_<>") or "function", function)
        if text:
            self._rows[bound_name] = text
        return bound_name

    def head(self, sizes: list[int]) -> list[str]:
        """Return the lines above the function, given the sizes of the buffers."""
        self.imports |= {"empty"} if sizes else set()
        lines = imported(sorted(self.imports)) if self.imports else []
        if self._rows:
            lines.append("from micrograd_nn.graph.primitive import table")
        lines += ["", *(f"{name} = {text}" for name, text in self._rows.items())]
        if sizes:
            listed = ", ".join(map(str, sizes))
            lines.append(f"buffers = [empty(size, 'uint8') for size in ({listed},)]")
        return [*lines, *self.setup]

    def run(self, text: str) -> None:
        """Run source in the namespace."""
        for name in self.imports:
            self.namespace.setdefault(name, getattr(np, name))
        exec(text, self.namespace)  # noqa: S102 (text made here, from the steps alone)


def number(value: float) -> str:
    """Return a number as Python reads it: ``inf`` and ``nan`` are no names there."""
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
