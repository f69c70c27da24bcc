"""The steps of a program as the source of a NumPy function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.bindings import Bindings
from micrograd_nn.readers.compile.calls import Calls
from micrograd_nn.readers.compile.joined import parts_of
from micrograd_nn.readers.compile.memory import Memory, planned
from micrograd_nn.readers.compile.spelling import index_text, is_transpose, letter_for
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

Array = np.ndarray[Any, Any]


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
        self.bindings = Bindings()
        self._names: dict[Step, str] = {}
        self._settled: dict[Step, Array] = {}  # what lies in the same place at each call
        self._places: dict[Step, str] = {}  # and the name of that place
        self._calls = Calls(self.bindings, self._names)
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
            self._names[step] = self.bindings.free(wanted or letter_for(step), numbered=not wanted)

    # ------------------------------------------------------------------------------------- text

    def _body(self) -> list[str]:
        lines: list[str] = []
        for i, step in enumerate(self.steps):
            if i == self.forward and lines:
                lines += ["# backward"]
            name = self._names[step]
            if step in self.fixed:
                self._settled[step] = self.fixed[step]
                self.bindings.settled(name, self.fixed[step])
            elif step.kind == CONSTANT:
                if step.is_array:
                    self._settled[step] = step.sample
                    self.bindings.constant(name, step.sample)
            elif step.kind == VIEW and self._is_settled_view(step):
                self.bindings.namespace[name] = self._settled[step]
                self.bindings.setup.append(f"{name} = {self._viewed(step)}")
                self._places[step] = name
            elif step.kind == INTO:
                lines += self._addition(step, name)
            elif step.kind != LEAF:
                lines += self._line(step, name)
        returned = ", ".join(self._calls.operand(step) for step in self.outputs)
        return [*lines, f"return {returned}{',' if len(self.outputs) == 1 else ''}"]

    def _is_settled_view(self, step: Step) -> bool:
        """Tell whether a view of what stays in its place can be made once; note it, if so."""
        of, function = self._settled.get(step.args[0]), step.function
        assert function is not None
        if of is None:
            return False
        view = function(of, *step.args[1:])
        if view.size and not np.may_share_memory(view, of):
            return False  # a copy, of what lies there now
        self._settled[step] = view
        return True

    def _viewed(self, step: Step) -> str:
        """Return a view of what stays in its place, by the name of the place."""
        of = step.args[0]
        name = self._names[of]
        self._names[of] = self._places.get(of, name)
        text = self._calls.call(step)
        self._names[of] = name
        return text

    def _line(self, step: Step, name: str) -> list[str]:
        place = self._place(step)
        if place is None:
            return [f"{name} = {self._calls.call(step)}"]
        out, array = place
        self._settled[step] = array
        self._places[step] = out
        if step.kind == UFUNC and (elementwise(step) or array.flags.c_contiguous):
            return [f"{name} = {self._calls.call(step, out)}"]
        if step.kind == JOINED:
            parts = ", ".join(self._calls.operand(part) for part, _ in parts_of(step))
            return [*self._copies(step, out, array), f"{name} = {out}  # {parts}"]
        self.bindings.imports.add("copyto")
        if step.kind == SPREAD:
            return [f"copyto({out}, {self._calls.operand(step.args[0])})", f"{name} = {out}"]
        return [f"{name} = {self._calls.call(step)}", f"copyto({out}, {name})"]

    def _copies(self, step: Step, out: str, array: Array) -> list[str]:
        """Return the lines that put parts into a joined array that aren't computed there."""
        lines = []
        for part, index in parts_of(step):
            if self.memory.homes.get(part.base()) == (step, index):
                continue
            self.bindings.imports.add("copyto")
            where, _ = self.bindings.part(out, array, index)
            line = f"copyto({where}, {self._calls.operand(part)})"
            if part.kind == CONSTANT and step not in self.given:
                array[index] = part.sample
                self.bindings.setup.append(line)
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
            return self.bindings.part(*found, index, step.shape)
        if step in self._places:
            return self._places[step], self._settled[step]
        array = self.given.get(step)
        if array is not None:
            out = self.bindings.bind(f"out_{self._names[step]}", array)
        elif step in self.memory.places:
            number, array = self.memory.places[step]
            out = self.bindings.buffer(number, array)
        else:
            return None
        self._places[step], self._settled[step] = out, array
        return out, array

    def _addition(self, step: Step, name: str) -> list[str]:
        """Return the lines that add something to a part of an array, where it lies."""
        target, piece, index = step.args
        where, added = f"{name}[{index_text(index)}]", self._calls.operand(piece)
        if target not in self._settled:
            return [f"{where} += {added}"]
        array = self._settled[step] = self._settled[target]
        place = self._places[step] = self._places.get(target, name)
        if np.ndim(array[index]) == 0:
            return [f"{where} += {added}"]
        self.bindings.imports.add("add")
        part, _ = self.bindings.part(place, array, index)
        return [f"add({part}, {added}, {part})"]

    # ----------------------------------------------------------------------------------- result

    def text(self) -> str:
        """Return the source."""
        head = self.bindings.head([buffer.nbytes for buffer in self.memory.buffers])
        return "\n".join([*head, "", "", *self._function()]) + "\n"

    def function(self) -> Callable[..., tuple[Any, ...]]:
        """Return the function."""
        self.bindings.run("\n".join(self._function()))
        made: Callable[..., tuple[Any, ...]] = self.bindings.namespace["program"]
        return made

    def _function(self) -> list[str]:
        arguments = ", ".join(self._names[step] for step in self.arguments)
        return [f"def program({arguments}):", *(f"    {line}" for line in self.body)]
