"""The functions that a derivative is made of, to be replaced by mutants of themselves.

These are the rules of a row, the functions of their module that they call, and the kernels of the
rows that they call: a derivative is as wrong with ``x >= 0`` in the kernel of ``step`` as with a
wrong sign in the rule of ``relu``.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.mutation.changes import off_by_one

_TABLE = "micrograd_nn.graph.table"
#: Rows of the table that are written with closures, in another module.
_UNITS = "micrograd_nn.graph.units"


class NoSourceError(LookupError):
    """The source of a rule can't be read, so that it can't be changed."""


@dataclass(frozen=True, eq=False)
class Target:
    """One function, with the rows whose derivatives it takes part in.

    Attributes
    ----------
    functions : list of function
        The function; closures of the same code, where there are several.
    rows : list of Primitive
    source : ast.FunctionDef
    """

    functions: list[FunctionType]
    rows: list[Primitive]
    source: ast.FunctionDef

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.functions[0].__name__

    @contextmanager
    def replaced(self, changed: ast.FunctionDef) -> Iterator[None]:
        """Let a changed function stand in place of this one inside the block."""
        names = self.functions[0].__globals__
        had = "off_by_one" in names
        names.setdefault("off_by_one", off_by_one)
        new = {function: _made(changed, function) for function in self.functions}
        try:
            with ExitStack() as stack:
                for row in self.rows:
                    if any(rule in new for rule in row.rules):
                        rules = (new.get(rule, rule) for rule in row.rules)  # type: ignore[call-overload]
                        stack.enter_context(row.replaced(*rules))
                (first, *others) = self.functions
                if not others and not first.__closure__:
                    stack.enter_context(other_code(first, new[first].__code__))
                yield
        finally:
            if not had:
                del names["off_by_one"]


@contextmanager
def other_code(function: FunctionType, code: CodeType) -> Iterator[None]:
    """Let a function do something else inside the block, for all who hold it."""
    before = function.__code__
    caches = [c for c in function.__globals__.values() if hasattr(c, "cache_clear")]

    def use(other: CodeType) -> None:
        function.__code__ = other
        for cached in caches:  # they may hold what the other code has made
            cached.cache_clear()

    use(code)
    try:
        yield
    finally:
        use(before)


def targets_of(rows: Sequence[Primitive]) -> list[Target]:
    """Return the functions that make the derivatives of some rows, each once."""
    found: dict[CodeType, tuple[list[FunctionType], list[Primitive]]] = {}
    for row in rows:
        for rule in row.rules:
            for function in _reached(rule) if rule is not None else ():
                functions, users = found.setdefault(function.__code__, ([], []))
                if function not in functions:
                    functions.append(function)
                if row not in users:
                    users.append(row)
    return [
        Target(functions, users, source_of(functions[0])) for functions, users in found.values()
    ]


def source_of(function: FunctionType) -> ast.FunctionDef:
    """Return the source of a function, without its docstring.

    Raises
    ------
    NoSourceError
        If it can't be read.
    """
    advice = "write it as a function of its own, with def, in a file"
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError) as error:
        raise NoSourceError(
            f"the source of {function.__qualname__} can't be read ({error}): {advice}"
        ) from None
    (found,) = tree.body[:1]
    if not isinstance(found, ast.FunctionDef):
        raise NoSourceError(f"{function.__qualname__} is part of a longer statement: {advice}")
    found.decorator_list, found.returns = [], None
    for argument in ast.walk(found.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(found) is not None:
        found.body = found.body[1:]
    return found


def _made(changed: ast.FunctionDef, function: FunctionType) -> FunctionType:
    """Compile a function where another one was, with its closure and defaults."""
    free = function.__code__.co_freevars
    module = ast.parse(f"def make({', '.join(free)}):\n    return {changed.name}")
    (maker,) = module.body
    assert isinstance(maker, ast.FunctionDef)
    maker.body.insert(0, changed)
    names: dict[str, Any] = {}
    code = compile(module, f"<mutant of {function.__name__}>", "exec")
    exec(code, function.__globals__, names)  # noqa: S102 (a change of code that is run anyway)
    new: FunctionType = names["make"](*(c.cell_contents for c in function.__closure__ or ()))
    new.__defaults__, new.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return new


# --------------------------------------------------------------------------------- what is used


def _reached(rule: Callable[..., Any]) -> list[FunctionType]:
    """Return a rule and the functions of its own room that it needs."""
    found: list[FunctionType] = []
    waiting: list[Any] = [rule]
    home = getattr(rule, "__module__", "")
    while waiting:
        function = waiting.pop(0)
        function = inspect.unwrap(function)
        if not isinstance(function, FunctionType) or function in found:
            continue
        if function is not rule and not _is_mutable(function, home):
            continue
        found.append(function)
        for name in _names(function.__code__):
            used = function.__globals__.get(name)
            if isinstance(used, Primitive):
                waiting += [used.on_arrays, used.on_floats]
            elif callable(used):
                waiting.append(used)
    return found


def _is_mutable(function: FunctionType, home: str) -> bool:
    module = function.__module__
    at_home = module == home or (module.startswith(_TABLE) and home.startswith((_TABLE, _UNITS)))
    return at_home and "<" not in function.__qualname__


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
