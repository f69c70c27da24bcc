"""Small wrong changes of the source of a function, one at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

#: Relative errors given to numbers and to whole results.
SIZES = (1e-12, 1e-9, 1e-6, 1e-4, 1e-2)

_SWAPPED: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Add,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
#: Calls that decide of what type a number is, not which number: nothing is changed in them.
_TYPES = frozenset({"astype", "isinstance", "result_type", "type"})
#: Calls that only convert: they aren't left out.
_CONVERSIONS = frozenset({"float", "int", "tuple", "list"})
#: Calls that are the same with their arguments swapped.
_COMMUTATIVE = frozenset({"maximum", "minimum", "equal"})
#: Calls that return a truth.
_TRUTHS = frozenset({"all", "any"})
_ORDERED = (ast.Sub, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)

_A = TypeVar("_A", bound=ast.AST)


def changes(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Yield each copy of a function with one small change; no two are the same.

    Signs, terms and factors left out, operands swapped, one variable for another, numbers and
    results off by a relative 1e-12 ... 1e-2, integers and axes off by one, conditions negated,
    calls left out.

    Examples
    --------
    >>> rule = ast.parse("def sub_y(g, z): return -g").body[0]
    >>> for changed in changes(rule):
    ...     print(ast.unparse(changed.body[0]))
    return -z
    return g
    return --g
    return 0.0 * -g
    return 2.0 * -g
    return 1.000000000001 * -g
    return 1.000000001 * -g
    return 1.000001 * -g
    return 1.0001 * -g
    return 1.01 * -g
    """
    seen = {ast.unparse(function)}
    names = _readable(function)
    for path in _paths(function):
        for new in _replacements(_at(function, path), path, names):
            changed = _with(function, path, new)
            written = ast.unparse(changed)
            if written not in seen:
                seen.add(written)
                yield changed


# ------------------------------------------------------------------------ places in the source

Path = tuple[tuple[str, "int | None"], ...]


def _paths(tree: ast.AST, here: Path = ()) -> Iterator[Path]:
    """Yield the way to every part of the body of a function, inner parts first."""
    for name, value in ast.iter_fields(tree):
        if _is_left_alone(tree, name) or (not here and name != "body"):
            continue
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            if isinstance(item, ast.AST):
                yield from _paths(item, (*here, (name, index)))
    if here:
        yield here


def _is_left_alone(part: ast.AST, field: str) -> bool:
    if isinstance(part, ast.Try):
        return field == "handlers"  # what is done about an error
    return isinstance(part, ast.Call) and (
        _called(part) in _TYPES or (field == "keywords" and _called(part) == "zip")
    )


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _at(tree: ast.AST, path: Path) -> ast.AST:
    for name, index in path:
        found = getattr(tree, name)
        tree = found if index is None else found[index]
    return tree


def _with(function: ast.FunctionDef, path: Path, new: ast.AST) -> ast.FunctionDef:
    """Return a copy with another part; all else is shared."""
    changed = copy.copy(function)
    parent: ast.AST = changed
    for depth, (name, index) in enumerate(path):
        before = getattr(parent, name)
        old = before if index is None else before[index]
        part = new if depth == len(path) - 1 else copy.copy(old)
        if index is None:
            setattr(parent, name, part)
        else:
            setattr(parent, name, [*before[:index], part, *before[index + 1 :]])
        parent = part
    return ast.fix_missing_locations(changed)


def _readable(function: ast.FunctionDef) -> list[str]:
    """Return the positional arguments that a rule reads."""
    arguments = function.args
    return [
        a.arg
        for a in (*arguments.posonlyargs, *arguments.args)
        if not a.arg.startswith("_") and a.arg != "self"
    ]


# ------------------------------------------------------------------------------ what is changed


def _replacements(part: ast.AST, path: Path, names: Sequence[str]) -> Iterator[ast.AST]:
    for kind, change in _CHANGES:
        if isinstance(part, kind):
            yield from change(part, names)
    if path[-1][0] == "value" and len(path) >= 2 and isinstance(part, ast.expr):
        yield from _axes(part, path)


def _operations(part: ast.BinOp, names: Sequence[str]) -> Iterator[ast.AST]:
    for other in _SWAPPED.get(type(part.op), ()):
        yield _copied(part, op=other())
    if isinstance(part.op, _ORDERED):
        yield _copied(part, left=part.right, right=part.left)
    if isinstance(part.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr)):
        yield part.left
        negative = isinstance(part.op, ast.Sub)
        yield ast.UnaryOp(ast.USub(), part.right) if negative else part.right


def _signs(part: ast.UnaryOp, names: Sequence[str]) -> Iterator[ast.AST]:
    if isinstance(part.op, (ast.USub, ast.Not, ast.Invert)):
        yield part.operand


def _numbers(part: ast.Constant, names: Sequence[str]) -> Iterator[ast.AST]:
    value = part.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1)
    elif isinstance(value, float):
        for size in SIZES:
            yield ast.Constant(value * (1.0 + size) if value else size)


def _variables(part: ast.Name, names: Sequence[str]) -> Iterator[ast.AST]:
    if isinstance(part.ctx, ast.Load) and part.id in names:
        for other in names:
            if other != part.id:
                yield ast.Name(other, ast.Load())


def _comparisons(part: ast.Compare, names: Sequence[str]) -> Iterator[ast.AST]:
    for i, op in enumerate(part.ops):
        for other in _SWAPPED.get(type(op), ()):
            yield _copied(part, ops=[*part.ops[:i], other(), *part.ops[i + 1 :]])


def _conjunctions(part: ast.BoolOp, names: Sequence[str]) -> Iterator[ast.AST]:
    for other in _SWAPPED.get(type(part.op), ()):
        yield _copied(part, op=other())
    for i in range(len(part.values)):
        rest = [*part.values[:i], *part.values[i + 1 :]]
        yield rest[0] if len(rest) == 1 else _copied(part, values=rest)


def _branches(part: ast.IfExp | ast.If, names: Sequence[str]) -> Iterator[ast.AST]:
    yield _copied(part, test=ast.Constant(True))
    yield _copied(part, test=ast.Constant(False))


def _calls(part: ast.Call, names: Sequence[str]) -> Iterator[ast.AST]:
    name = _called(part)
    if name in _TYPES:
        return
    droppable = part.args and not isinstance(part.args[0], (ast.Starred, ast.GeneratorExp))
    if droppable and name not in _CONVERSIONS:
        yield part.args[0]
    for i in range(0 if name in _COMMUTATIVE else len(part.args) - 1):
        swapped = list(part.args)
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
        yield _copied(part, args=swapped)


def _statements(part: ast.stmt, names: Sequence[str]) -> Iterator[ast.AST]:
    documents = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
    if isinstance(part, (ast.AugAssign, ast.Expr)) and not documents:
        yield ast.Pass()
    if isinstance(part, ast.Assign) and len(part.targets) == 1:
        target = part.targets[0]
        if isinstance(target, ast.Subscript):
            yield ast.Pass()


def _results(part: ast.Return, names: Sequence[str]) -> Iterator[ast.AST]:
    value = part.value
    if isinstance(value, ast.ListComp):
        for wrong in _wrong(value.elt):
            yield ast.Return(_copied(value, elt=wrong))
    elif value is not None and _is_number(value):
        for wrong in _wrong(value):
            yield ast.Return(wrong)


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, (ast.Tuple, ast.List, ast.Compare, ast.Constant)):
        return False
    return not (isinstance(value, ast.Call) and _called(value) in _TRUTHS)


def _wrong(value: ast.expr) -> Iterator[ast.expr]:
    yield ast.UnaryOp(ast.USub(), value)
    for factor in (0.0, 2.0, *(1.0 + size for size in SIZES)):
        yield ast.BinOp(ast.Constant(factor), ast.Mult(), value)


def _axes(part: ast.expr, path: Path) -> Iterator[ast.AST]:
    """Change what is passed as ``axis``; ``off_by_one`` stands in the function's namespace."""
    if path[-2][0] == "keywords" and isinstance(part, ast.Name) and part.id == "axis":
        yield ast.Call(ast.Name("off_by_one", ast.Load()), [part], [])


_CHANGES: tuple[
    tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[ast.AST]]], ...
] = (
    (ast.BinOp, _operations),
    (ast.UnaryOp, _signs),
    (ast.Constant, _numbers),
    (ast.Name, _variables),
    (ast.Compare, _comparisons),
    (ast.BoolOp, _conjunctions),
    ((ast.IfExp, ast.If), _branches),
    (ast.Call, _calls),
    ((ast.AugAssign, ast.Expr, ast.Assign), _statements),
    (ast.Return, _results),
)


def off_by_one(axis: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    """Return other axes than those.

    Examples
    --------
    >>> off_by_one(0), off_by_one(-1), off_by_one((0, 2)), off_by_one(None)
    (1, -2, (0,), 0)
    """
    if axis is None:
        return 0
    if isinstance(axis, tuple):
        return axis[:-1]
    return axis + 1 if axis >= 0 else axis - 1


def _copied(part: _A, **fields: object) -> _A:
    new = copy.copy(part)
    for name, value in fields.items():
        setattr(new, name, value)
    return new
