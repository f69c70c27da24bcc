"""Expressions such as ``x*y + tanh(x)``, read by a whitelist and never evaluated as Python.

Python's own grammar parses the text into a tree; this file knows a handful of its forms and
refuses all others. What an expression can do is arithmetic, and nothing else.
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from micrograd_nn import functional as F
from micrograd_nn.cli.parsing import CommandError

#: The functions of an expression, each with its number of arguments.
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "exp": (1, F.exp),
    "expm1": (1, F.expm1),
    "log": (1, F.log),
    "log1p": (1, F.log1p),
    "sqrt": (1, F.sqrt),
    "abs": (1, F.abs),
    "sin": (1, F.sin),
    "cos": (1, F.cos),
    "tan": (1, F.tan),
    "arctan": (1, F.arctan),
    "sinh": (1, F.sinh),
    "cosh": (1, F.cosh),
    "tanh": (1, F.tanh),
    "sigmoid": (1, F.sigmoid),
    "softplus": (1, F.softplus),
    "erf": (1, F.erf),
    "relu": (1, F.relu),
    "leaky_relu": (1, F.leaky_relu),
    "elu": (1, F.elu),
    "gelu": (1, F.gelu),
    "silu": (1, F.silu),
    "maximum": (2, F.maximum),
    "minimum": (2, F.minimum),
}

CONSTANTS = {"pi": math.pi}

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: F.add,
    ast.Sub: F.sub,
    ast.Mult: F.mul,
    ast.Div: F.div,
    ast.Pow: F.power,
    ast.USub: F.neg,
    ast.UAdd: lambda x: x,
}

_SIGNS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
}

#: A longer text is no expression that someone would read.
LONGEST = 20_000


@dataclass(frozen=True)
class Expression:
    """An expression that was read and found harmless.

    Attributes
    ----------
    text : str
    names : tuple of str
        Its variables, in the order in which they appear.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> expression = parse("x*y + 2")
    >>> expression.names
    ('x', 'y')
    >>> x, y = Value(3.0, "x"), Value(4.0, "y")
    >>> expression.record({"x": x, "y": y}).data
    14.0
    """

    text: str
    names: tuple[str, ...]
    _steps: tuple[ast.expr, ...]

    def record(self, values: Mapping[str, Any]) -> Any:
        """Compute the expression of the values given, and return the node of the result.

        Parameters
        ----------
        values : mapping
            A node or number for each of ``names``.
        """
        stack: list[Any] = []
        for step in self._steps:
            if isinstance(step, ast.Constant):
                stack.append(float(step.value))  # type: ignore[arg-type]
            elif isinstance(step, ast.Name):
                stack.append(values[step.id] if step.id in values else CONSTANTS[step.id])
            else:
                function, arity = _operation(step)
                arguments = stack[len(stack) - arity :]
                del stack[len(stack) - arity :]
                stack.append(function(*arguments))
        return stack.pop()


def parse(text: str) -> Expression:
    """Read an expression.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / **``, parentheses, and calls of ``FUNCTIONS``, which may also be
        written as methods: ``tanh(x)`` or ``x.tanh()``.

    Returns
    -------
    Expression

    Raises
    ------
    CommandError
        If it is anything else; the message says what and where.
    """
    text = text.strip()
    if not text:
        raise CommandError("the expression is empty; try 'x*y + tanh(x)'")
    if len(text) > LONGEST:
        raise CommandError(f"the expression has {len(text):,} characters, more than {LONGEST:,}")
    try:
        steps = _in_order(ast.parse(text, mode="eval").body, text)
    except SyntaxError as error:
        place = f" at character {error.offset}" if error.offset else ""
        raise CommandError(f"{_short(text)} is no expression: {error.msg}{place}") from None
    except ValueError as error:
        raise CommandError(f"the expression can't be read: {error}") from None
    except (RecursionError, MemoryError):
        steps = _steps_of_long(text)
    found = [step.id for step in steps if isinstance(step, ast.Name)]
    return Expression(text, tuple(dict.fromkeys(found)), tuple(steps))


def _steps_of_long(text: str) -> list[ast.expr]:
    """Return the steps of a sum or product that has too many parts for Python's parser."""
    steps: list[ast.expr] = []
    for operator, part in _parts(text):
        steps += parse(part)._steps
        if operator is not None:
            nothing = ast.Constant(0)  # a step is known by its operator alone
            steps.append(ast.BinOp(nothing, operator, nothing))
    return steps


def _parts(text: str) -> list[tuple[ast.operator | None, str]]:
    """Cut a text at the operators outside of parentheses that bind least: + and −, or else * and /.

    Each part has the operator before it; they are applied from left to right.
    """
    cuts: dict[str, list[tuple[str, int, int]]] = {"+-": [], "*/": []}
    depth, after_operand = 0, False
    for token in _tokens(text):
        depth += (token.string == "(") - (token.string == ")")
        if depth == 0 and after_operand:
            for signs, found in cuts.items():
                if token.string and token.string in signs:
                    found.append((token.string, token.start[1], token.end[1]))
        after_operand = token.type in (tokenize.NAME, tokenize.NUMBER) or token.string == ")"
    chosen = cuts["+-"] or cuts["*/"]
    if not chosen:
        raise _too_deep()
    starts = [(None, 0), *((_SIGNS[sign](), end) for sign, _, end in chosen)]
    ends = [*(start for _, start, _ in chosen), len(text)]
    return [(sign, text[start:end]) for (sign, start), end in zip(starts, ends, strict=True)]


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(text.replace("\n", " ")).readline))
    except (tokenize.TokenError, SyntaxError):
        raise _too_deep() from None


def _too_deep() -> CommandError:
    return CommandError("the expression can't be read: it is nested too deeply")


def _in_order(tree: ast.expr, text: str) -> list[ast.expr]:
    """Return the nodes of a tree, each after its operands; without recursion, however deep."""
    waiting, steps = [tree], list[ast.expr]()
    while waiting:
        node = waiting.pop()
        steps.append(node)
        waiting.extend(_operands(node, text))
    steps.reverse()
    return steps


def _operands(node: ast.expr, text: str) -> list[ast.expr]:
    """Return the operands of a node in order, or refuse it."""
    if isinstance(node, ast.Constant):
        _check_number(node, text)
        return []
    if isinstance(node, ast.Name):
        if node.id in FUNCTIONS:
            raise CommandError(f"{node.id} is a function: write {node.id}({_sample(node.id)})")
        return []
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return [node.operand]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _arguments(node, node.func.id, node.args, text)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _arguments(node, node.func.attr, [node.func.value, *node.args], text)
    if isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
        call = f"as in x.{node.attr}({_sample(node.attr)[3:]})"
        raise CommandError(f"{_quoted(node, text)} isn't allowed: a method is called, {call}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        raise CommandError(f"{_quoted(node, text)}: a power is written **, as in x**2")
    raise CommandError(
        f"{_quoted(node, text)} isn't allowed: an expression has numbers, names, + - * / **, "
        "parentheses and functions such as tanh(x)"
    )


def _arguments(call: ast.Call, name: str, arguments: list[ast.expr], text: str) -> list[ast.expr]:
    if name not in FUNCTIONS:
        raise CommandError(f"there is no function {name!r}; there are {', '.join(FUNCTIONS)}")
    arity, _ = FUNCTIONS[name]
    if call.keywords or any(isinstance(a, ast.Starred) for a in call.args):
        raise CommandError(f"{_quoted(call, text)} isn't allowed: write {name}({_sample(name)})")
    if len(arguments) != arity:
        wanted = "one argument" if arity == 1 else f"{arity} arguments"
        raise CommandError(f"{name} takes {wanted}, and {_quoted(call, text)} has {len(arguments)}")
    return arguments


def _check_number(node: ast.Constant, text: str) -> None:
    value = node.value
    if type(value) not in (int, float):
        raise CommandError(f"{_quoted(node, text)} isn't allowed: it is no real number")
    try:
        finite = math.isfinite(float(value))  # type: ignore[arg-type]
    except OverflowError:
        finite = False
    if not finite:
        raise CommandError(f"{_quoted(node, text)} is too large for a number")


def _operation(step: ast.expr) -> tuple[Callable[..., Any], int]:
    if isinstance(step, ast.BinOp):
        return _OPERATORS[type(step.op)], 2
    if isinstance(step, ast.UnaryOp):
        return _OPERATORS[type(step.op)], 1
    assert isinstance(step, ast.Call)
    called = step.func
    assert isinstance(called, (ast.Name, ast.Attribute))
    arity, function = FUNCTIONS[called.id if isinstance(called, ast.Name) else called.attr]
    return function, arity


def _sample(name: str) -> str:
    return "x" if FUNCTIONS[name][0] == 1 else "x, y"


def _quoted(node: ast.expr, text: str) -> str:
    """Return the part of the text that a node was read from."""
    return _short(ast.get_source_segment(text, node) or text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
