"""The steps of a program as the source of a NumPy function."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table.indexing import is_basic
from micrograd_nn.readers.compile import moves
from micrograd_nn.readers.compile.joined import parts_of
from micrograd_nn.readers.compile.memory import Memory, planned
from micrograd_nn.readers.compile.spelling import (
    ARITHMETIC,
    OPERATORS,
    data_of_operand,
    described,
    found_in_table,
    imported,
    index_text,
    is_transpose,
    letter_for,
    part_of_buffer,
)
from micrograd_nn.readers.compile.steps import (
    CONSTANT,
    INTO,
    JOINED,
    LEAF,
    SPREAD,
    UFUNC,
    VIEW,
    Step,
    elementwise,
)
from micrograd_nn.readers.identifiers import RESERVED, identifier

Array = np.ndarray[Any, Any]

#: Constants of so many numbers stand in the source.
_WRITTEN = 16


class Source:
    """Writes steps as text, and makes the function of it.

    Parameters
    ----------
    steps : sequence of Step
    arguments : sequence of Step
        The leaves, in the order in which they are given to the function.
    outputs : sequence of Step
        What the function returns.
    names : mapping of Step to str
        What recorded values and their gradients are called.
    given : mapping of Step to ndarray
        Where the results of some steps are to be written.
    fixed : mapping of Step to ndarray
        Leaves that are no arguments: arrays that stay where they are.
    forward : int
        How many of the steps belong to the forward pass.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        arguments: Sequence[Step],
        outputs: Sequence[Step],
        names: Mapping[Step, str],
        given: Mapping[Step, Array] | None = None,
        fixed: Mapping[Step, Array] | None = None,
        forward: int = 0,
    ) -> None:
        self.steps = [*steps]
        self.arguments = [*arguments]
        self.outputs = [*outputs]
        self.forward = forward
        self.given = dict(given or {})
        self.fixed = dict(fixed or {})
        returned = {step.base() for step in outputs} | {*outputs}
        self.memory: Memory = planned(self.steps, returned - {*self.given}, self.given)
        self.namespace: dict[str, Any] = {"__name__": __name__}
        self.imports: set[str] = set()
        self.rows: dict[str, str] = {}
        self.setup: list[str] = []
        self._scalars: dict[Any, str] = {}
        self._taken = {"table", "program", "buffers"}
        self._names: dict[Step, str] = {}
        self._settled: dict[Step, Array] = {}  # what lies in the same place at each call
        self._places: dict[Step, str] = {}  # and the name of that place
        self._parts: dict[str, str] = {}  # the names of parts of such places
        self._name_all(names)
        self.body = self._body()

    # ------------------------------------------------------------------------------------ names

    def _name_all(self, names: Mapping[Step, str]) -> None:
        last = {step.base(): step for step in self.steps if step.kind == INTO}
        for step in self.steps:
            if step.kind == INTO:  # it changes what has a name already
                self._names[step] = self._names[step.base()]
                continue
            wanted = step.name or names.get(last.get(step, step), "")
            if step.kind == VIEW and not wanted and is_transpose(step):
                of = self._names[step.args[0]]
                wanted = f"{of}_T"
            self._names[step] = self._free(wanted or letter_for(step), numbered=not wanted)

    def _free(self, wanted: str, numbered: bool) -> str:
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

    # ------------------------------------------------------------------------------------- text

    def _body(self) -> list[str]:
        lines: list[str] = []
        for i, step in enumerate(self.steps):
            if i == self.forward and lines:
                lines += ["# backward"]
            name = self._names[step]
            if step in self.fixed:
                self._settle(step, self.fixed[step])
            elif step.kind == CONSTANT:
                self._bind_constant(step, name)
            elif step.kind == VIEW and step.args[0] in self._settled:
                function = step.function
                assert function is not None
                view = function(self._settled[step.args[0]], *step.args[1:])
                self._settled[step] = self.namespace[name] = view
                self.setup.append(f"{name} = {self._viewed(step)}")
                self._places[step] = name
            elif step.kind == INTO:
                lines += self._addition(step, name)
            elif step.kind != LEAF:
                lines += self._line(step, name)
        returned = ", ".join(self._operand(step) for step in self.outputs)
        return [*lines, f"return {returned}{',' if len(self.outputs) == 1 else ''}"]

    def _viewed(self, step: Step) -> str:
        """Return a view of what stays in its place, by the name of the place."""
        of = step.args[0]
        name = self._names[of]
        self._names[of] = self._places.get(of, name)
        text = self._call(step)
        self._names[of] = name
        return text

    def _settle(self, step: Step, array: Array) -> None:
        self._settled[step] = self.namespace[self._names[step]] = array
        self.setup.append(f"# {self._names[step]}: {described(array)}, in its place")

    def _bind_constant(self, step: Step, name: str) -> None:
        if not step.is_array:
            return
        self._settled[step] = self.namespace[name] = step.sample
        self._note_constant(name, step.sample)

    def _note_constant(self, name: str, array: Array) -> None:
        """Write a constant, if that is short; else say what it is."""
        dtype = repr(array.dtype.name)
        if array.size and array.dtype.kind in "fiub" and np.all(array == array.flat[0]):
            self.imports.add("full")
            number = _number(array.flat[0].item())
            self.setup.append(f"{name} = full({array.shape}, {number}, {dtype})")
        elif array.size <= _WRITTEN and np.all(np.isfinite(array)):
            self.imports.add("array")
            self.setup.append(f"{name} = array({array.tolist()}, {dtype})")
        else:
            self.setup.append(f"# {name}: {described(array)}, as recorded")

    def _line(self, step: Step, name: str) -> list[str]:
        place = self._place(step)
        if place is None:
            return [f"{name} = {self._call(step)}"]
        out, array = place
        self._settled[step] = array
        self._places[step] = out
        if step.kind == UFUNC and (elementwise(step) or array.flags.c_contiguous):
            return [f"{name} = {self._call(step, out)}"]
        if step.kind == JOINED:
            return [*self._copies(step, out, array), f"{name} = {out}"]
        self.imports.add("copyto")
        if step.kind == SPREAD:
            return [f"copyto({out}, {self._operand(step.args[0])})", f"{name} = {out}"]
        return [f"{name} = {self._call(step)}", f"copyto({out}, {name})"]

    def _copies(self, step: Step, out: str, array: Array) -> list[str]:
        """Return the lines that put parts into a joined array that aren't computed there."""
        lines = []
        for part, index in parts_of(step):
            if self.memory.homes.get(part.base()) == (step, index):
                continue
            self.imports.add("copyto")
            where, _ = self._part(out, array, index)
            line = f"copyto({where}, {self._operand(part)})"
            if part.kind == CONSTANT and step not in self.given:
                array[index] = part.sample
                self.setup.append(line)
            else:
                lines.append(line)
        return lines

    def _place(self, step: Step) -> tuple[str, Array] | None:
        """Return the memory that a step writes to, and its name; ``None`` if it makes its own."""
        home = self.memory.homes.get(step)
        if home is not None:
            whole, index = home
            found = self._place(whole)
            assert found is not None
            return self._part(*found, index, step.shape)
        if step in self._places:
            return self._places[step], self._settled[step]
        array = self.given.get(step)
        if array is not None:
            out = self._free(f"out_{self._names[step]}", numbered=False)
            self.namespace[out] = array
        elif step in self.memory.places:
            number, array = self.memory.places[step]
            out = self._buffer(number, array)
        else:
            return None
        self._places[step], self._settled[step] = out, array
        return out, array

    def _part(
        self, name: str, array: Array, index: Any, shape: tuple[int, ...] | None = None
    ) -> tuple[str, Array]:
        """Return a part of what stays in its place, in that shape, with its name."""
        part, text = array[index], f"{name}[{index_text(index)}]"
        if shape is not None and part.shape != shape:
            part, text = part.reshape(shape), f"{text}.reshape({shape})"
        bound = self._parts.get(text)
        if bound is None:
            self._parts[text] = bound = self._free(f"{name}_{index_text(index)}", numbered=False)
            self.namespace[bound] = part
            self.setup.append(f"{bound} = {text}")
        return bound, part

    def _addition(self, step: Step, name: str) -> list[str]:
        """Return the lines that add something to a part of an array, where it lies."""
        target, piece, index = step.args
        where, added = f"{name}[{index_text(index)}]", self._operand(piece)
        if target not in self._settled:
            return [f"{where} += {added}"]
        array = self._settled[step] = self._settled[target]
        place = self._places[step] = self._places.get(target, name)
        if np.ndim(array[index]) == 0:
            return [f"{where} += {added}"]
        self.imports.add("add")
        part, _ = self._part(place, array, index)
        return [f"add({part}, {added}, {part})"]

    def _buffer(self, number: int, array: Array) -> str:
        shape = "x".join(map(str, array.shape))
        kind = f"{array.dtype.kind}{8 * array.dtype.itemsize}"
        name = f"buffer{number}_{shape}" + ("" if kind == "f64" else f"_{kind}")
        if name not in self.namespace:
            self.namespace[name] = array
            self._taken.add(name)
            self.setup.append(f"{name} = {part_of_buffer(number, array)}")
        return name

    def _call(self, step: Step, out: str | None = None) -> str:
        function = step.function
        assert function is not None
        args = step.args
        if function is np.matmul and all(np.ndim(data_of_operand(arg)) == 2 for arg in args):
            function = np.dot  # the same product, with less ado
        written = self._special(step)
        if written is not None and out is None:
            return written
        operands = [self._operand(arg, step) for arg in args]
        if function is np.dot and np.ndim(data_of_operand(args[0])):
            method = f"{operands[0]}.dot"  # a method isn't looked up by the type of its operands
            return f"{method}({operands[1]}{'' if out is None else f', {out}'})"
        named = dict(step.kwargs)
        if getattr(function, "__name__", "") == "reduce" and "axis" in named:
            operands.append(self._operand(named.pop("axis")))
            if not named.get("keepdims", True):
                del named["keepdims"]
        operands += [f"{k}={self._operand(v)}" for k, v in named.items()]
        if out is not None:  # a ufunc's last argument is where its result is written to
            last = isinstance(function, np.ufunc) and function not in (np.maximum, np.minimum)
            operands.append(out if last else f"out={out}")
        return f"{self._function(function)}({', '.join(operands)})"

    def _special(self, step: Step) -> str | None:
        """Return how Python writes a call: as an attribute, an index or a method."""
        sign = OPERATORS.get(step.function)
        if sign is not None and not step.is_array:
            return self._infix(step, sign)
        if step.kind == VIEW and is_transpose(step):
            return f"{self._operand(step.args[0])}.T"
        if step.function is np.reshape and isinstance(data_of_operand(step.args[0]), np.ndarray):
            return f"{self._operand(step.args[0])}.reshape({self._operand(step.args[1])})"
        if step.function in (moves.getitem, moves.item):
            index = step.args[1]
            text = index_text(index) if is_basic(index) else self._operand(index)
            return f"{self._operand(step.args[0])}[{text}]"
        if step.function is moves.astype:
            return f"{self._operand(step.args[0])}.astype({self._operand(step.args[1])})"
        if step.function is moves.spread:
            self.imports.add("broadcast_to")
            return f"broadcast_to({self._operand(step.args[0])}, {step.shape}).copy()"
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
        return f"{self._operand(step.args[0])} {sign} {self._operand(step.args[1])}"

    def _function(self, function: Callable[..., Any]) -> str:
        name = getattr(function, "__name__", "function")
        if isinstance(function, np.ufunc) or getattr(np, name, None) is function:
            self.imports.add(name)
            self._taken.add(name)
            return name
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc):
            self.imports.add(owner.__name__)
            return f"{owner.__name__}.{name}"
        return self._of_row(function, name)

    def _of_row(self, function: Callable[..., Any], name: str) -> str:
        """Return the name of a kernel or rule that is called as a whole."""
        known = self._known(function)
        if known:
            return known
        text, label = found_in_table(function)
        bound_name = self._free(label or name.strip("_<>") or "function", numbered=False)
        self.namespace[bound_name] = function
        if text:
            self.rows[bound_name] = text
        return bound_name

    def _operand(self, arg: Any, step: Step | None = None) -> str:
        if isinstance(arg, Step):
            if arg.kind == CONSTANT and not arg.is_array:
                return self._scalar(arg.sample, step)
            return self._names[arg]
        if isinstance(arg, (list, tuple)):
            inside = ", ".join(self._operand(item) for item in arg)
            if isinstance(arg, list):
                return f"[{inside}]"
            return f"({inside}{',' if len(arg) == 1 else ''})"
        if isinstance(arg, np.ndarray) and arg.ndim:
            known = self._known(arg)
            if known:
                return known
            name = self._free("c", numbered=True)
            self.namespace[name] = arg
            self._note_constant(name, arg)
            return name
        if isinstance(arg, (float, np.generic, np.ndarray)):
            return self._scalar(arg, step)
        if isinstance(arg, np.dtype):
            return repr(arg.name)
        if isinstance(arg, Primitive) or (callable(arg) and not isinstance(arg, type)):
            return self._of_row(arg, getattr(arg, "__name__", "function"))
        if arg is None or isinstance(arg, (bool, int, str, slice)) or arg is Ellipsis:
            return repr(arg)
        return self._bound(arg)

    def _bound(self, arg: Any) -> str:
        known = self._known(arg)
        if known:
            return known
        name = self._free(type(arg).__name__.lower(), numbered=True)
        self.namespace[name] = arg
        return name

    def _known(self, what: Any) -> str:
        """Return the name that an object has already, or nothing."""
        return next((name for name, bound in self.namespace.items() if bound is what), "")

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
                dtype = beside.pop()
        elif type(data) is float or dtype.kind != "f":
            return _number(np.asarray(data).item())
        if dtype.kind != "f":
            return repr(data.item())
        key = (value.hex(), dtype)
        if key not in self._scalars:
            text = re.sub(r"\W+", "_", f"{value:.6g}".replace("-", "minus_").replace("+", ""))
            name = self._free(f"number_{text}", numbered=False)
            self.namespace[name] = np.asarray(value, dtype)
            self._scalars[key] = name
            self.setup.append(f"{name} = array({_number(value)}, {dtype.name})")
            self.imports |= {"array", dtype.name}
        return self._scalars[key]

    # ----------------------------------------------------------------------------------- result

    def text(self) -> str:
        """Return the source."""
        self.imports |= {"empty"} if self.memory.buffers else set()
        head = imported(sorted(self.imports)) if self.imports else []
        if self.rows:
            head.append("from micrograd_nn.graph.primitive import table")
        head += [""] + [f"{name} = {text}" for name, text in self.rows.items()]
        if self.memory.buffers:
            sizes = ", ".join(str(buffer.nbytes) for buffer in self.memory.buffers)
            head.append(f"buffers = [empty(size, 'uint8') for size in ({sizes},)]")
        arguments = ", ".join(self._names[step] for step in self.arguments)
        body = [f"    {line}" for line in self.body]
        return "\n".join([*head, *self.setup, "", "", f"def program({arguments}):", *body]) + "\n"

    def function(self) -> Callable[..., tuple[Any, ...]]:
        """Return the function."""
        arguments = ", ".join(self._names[step] for step in self.arguments)
        for name in self.imports:
            self.namespace.setdefault(name, getattr(np, name))
        text = "\n".join([f"def program({arguments}):", *(f"    {line}" for line in self.body)])
        exec(text, self.namespace)  # noqa: S102 (text made here, from the steps alone)
        made: Callable[..., tuple[Any, ...]] = self.namespace["program"]
        return made


def _number(value: float) -> str:
    """Return a number as Python reads it: ``inf`` and ``nan`` are no names there."""
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
