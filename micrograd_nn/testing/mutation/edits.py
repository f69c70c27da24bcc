"""Faults that are put into a function by editing its text."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from micrograd_nn.testing.mutation.targets import other_code


@dataclass(frozen=True)
class Edit:
    """A fault: other text in a function.

    Attributes
    ----------
    what : str
        The fault in words.
    function : function
        Where it is put: a function of a module, or a method of a class.
    old, new : str
        The text before, which must stand there once, and after.
    """

    what: str
    function: Any
    old: str
    new: str

    @property
    def change(self) -> str:
        """The edit as lines of a difference."""
        before = [f"- {line.strip()}" for line in self.old.splitlines()]
        return "\n".join([*before, *(f"+ {line.strip()}" for line in self.new.splitlines())])

    @property
    def name(self) -> str:
        """The fault, and the function in which it is."""
        return f"{self.what}: {self.function.__qualname__}"

    @contextmanager
    def made(self) -> Iterator[None]:
        """Let the function be faulty inside the block.

        Raises
        ------
        LookupError
            If the text to edit isn't there: the function has changed, and the edit must too.
        """
        function = inspect.unwrap(self.function)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise LookupError(
                f"{self.name}: {self.old!r} stands {source.count(self.old)} times in the source, "
                "not once. The function has changed: write the edit for what it is now"
            )
        edited = source.replace(self.old, self.new)
        edited = edited[edited.index("def ") :]  # without decorators
        names: dict[str, Any] = {}
        code = compile(edited, f"<{self.what}>", "exec", __future__.annotations.compiler_flag)
        exec(code, function.__globals__, names)  # noqa: S102 (the library's own text, edited)
        (new,) = names.values()
        assert isinstance(new, FunctionType)
        with other_code(function, new.__code__):
            yield
