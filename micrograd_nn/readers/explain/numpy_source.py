"""The equations as the source of a NumPy function, one line for each, as one would write it."""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.explain.equations import Derivation, Equation
from micrograd_nn.readers.explain.helpers import HELPERS
from micrograd_nn.readers.explain.shares import Count
from micrograd_nn.readers.explain.terms import (
    INDICATOR,
    Call,
    Compared,
    MatrixProduct,
    Number,
    Power,
    Prime,
    Product,
    Reshaped,
    Shape,
    Sum,
    Symbol,
    Term,
    Total,
    Transposed,
)
from micrograd_nn.readers.explain.text import over_and_under, text
from micrograd_nn.readers.identifiers import identifier

COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(6)
#: Functions that Python has signs for.
_SIGNS = {
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip


def numpy_source(derivation: Derivation) -> str:
    """Return the source of ``forward_backward(inputs, parameters) -> (loss, gradients)``.

    Inputs, parameters and gradients are dicts by name. Each line computes the form of its equation
    that doesn't lose digits; where the textbook's is another, it stands behind it.
    """
    return _Source(derivation).text()


class _Source:
    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.helpers: dict[str, str] = {}
        self.rows: set[str] = set()
        self.names: dict[str, str] = {}
        self.taken = {"np", "inputs", "parameters", *keyword.kwlist, *HELPERS}

    def text(self) -> str:
        made = self.derivation
        body = [
            *self._unpacked("inputs", [name for name, _ in made.inputs]),
            *self._unpacked("parameters", [name for name, _ in made.parameters]),
        ]
        counts = {self.name(name): count for name, count in made.counts.items()}
        body.append("")
        known = list(made.inputs)
        for equation in made.forward:
            self._count(counts, known, equation.term, body)
            body.append(self._line(equation))
            known.append((equation.name, equation.shape))
        body.append("")
        body += [self._line(equation) for equation in made.backward]
        parameters = {name for name, _ in made.parameters}
        gradients = [
            f"{_quoted(e.of)}: {self.name(e.name)}" for e in made.backward if e.of in parameters
        ]
        body += ["", f"return {self.name(made.root)}, {{{', '.join(gradients)}}}"]
        head = ["import numpy as np"]
        if any("math." in helper for helper in self.helpers.values()):
            head = ["import math", "", *head]
        if self.rows:
            head.append("from micrograd_nn.graph.primitive import table")
        for helper in self.helpers.values():
            head += ["", "", helper]
        function = ["def forward_backward(inputs, parameters):"]
        function += [f"    {line}".rstrip() for line in body]
        return "\n".join([*head, "", "", *function]) + "\n"

    def _unpacked(self, source: str, names: list[str]) -> list[str]:
        return [f"{self.name(name)} = {source}[{_quoted(name)}]" for name in names]

    def _count(
        self, counts: dict[str, Count], known: list[tuple[str, Shape]], term: Term, body: list[str]
    ) -> None:
        """Say what m is, before the first line that uses it: the size of an array that has m."""
        written = self.code(term)
        used = [n for n in counts if re.search(rf"\b{n}\b", written)]
        body += [f"{name} = {self._measured(counts.pop(name), known)}" for name in used]

    def _measured(self, count: Count, known: list[tuple[str, Shape]]) -> str:
        """Return a number of examples as the length of an array, of an input if one has it."""
        size = count.number
        axis = count.axis
        if axis is None and size in count.shape:
            axis = count.shape.index(size)
        if axis is not None:
            likely = [(n, s) for n, s in known if s[axis : axis + 1] == (size,)]
            for name, shape in [*likely, *((n, s) for n, s in known if size in s)]:
                along = axis if (name, shape) in likely else shape.index(size)
                return f"{self.name(name)}.shape[{along}]"
        whole = [(n, s) for n, s in self.derivation.parameters if s == count.shape]
        for name, shape in [*known, *whole]:
            if int(np.prod(shape)) == size:
                return f"{self.name(name)}.size"
        return str(size)

    def _line(self, equation: Equation) -> str:
        line = f"{self.name(equation.name)} = {self._whole(equation)}"
        if equation.stable != equation.term:
            line += f"  # {text(equation.term)}"
        return line

    def _whole(self, equation: Equation) -> str:
        """Return the code of the right side, in the shape of the left one."""
        term, shape = equation.stable, equation.shape
        if term.shape == shape:
            return self.code(term)
        if isinstance(term, Number):
            return f"np.full({shape}, {_decimal(term.value)})"
        if int(np.prod(term.shape)) == int(np.prod(shape)):
            return f"np.reshape({self.code(term)}, {shape})"
        return f"np.broadcast_to({self.code(term)}, {shape})"

    def name(self, symbol: str) -> str:
        """Return a name of Python for the name of a value."""
        if symbol not in self.names:
            name = identifier(symbol, "value")
            name = f"v{name[1:]}" if name[0] == "_" else name
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            self.names[symbol] = name
        return self.names[symbol]

    # ---------------------------------------------------------------------------- terms

    def code(self, term: Term) -> str:
        """Return a term as an expression of Python."""
        return self._written(term)[0]

    def _written(self, term: Term) -> tuple[str, int]:
        return _WRITERS[type(term)](self, term)

    def _within(self, term: Term, least: int) -> str:
        written, strength = self._written(term)
        return written if strength >= least else f"({written})"

    def _symbol(self, term: Symbol) -> tuple[str, int]:
        if term.name.startswith("1/"):
            return f"1 / {self.name(term.name[2:])}", PRODUCT
        return self.name(term.name), ATOM

    def _number(self, term: Number) -> tuple[str, int]:
        if term.shape:
            return f"np.full({term.shape}, {_decimal(term.value)})", ATOM
        return _number(term.value), ATOM if term.value >= 0 else UNARY

    def _sum(self, term: Sum) -> tuple[str, int]:
        parts = [self._within(term.terms[0], SUM)]
        for part in term.terms[1:]:
            written = self._within(part, PRODUCT)
            minus = written.startswith("-")
            parts.append(f"- {written[1:]}" if minus else f"+ {written}")
        return " ".join(parts), SUM

    def _product(self, term: Product) -> tuple[str, int]:
        above, below = over_and_under(term)
        sign, size = ("-" if term.number < 0 else ""), abs(term.number)
        shares = [f for f in above if isinstance(f, Symbol) and f.name.startswith("1/")]
        others = [f for f in above if f not in shares]
        words = [_number(size)] if size != 1.0 or shares or not others else []
        written = " / ".join(words + [self.name(f.name[2:]) for f in shares])
        for factor in others:
            # x @ y and x * y bind alike, from the left: only the first need no brackets.
            least = PRODUCT if not written else UNARY
            bare = isinstance(factor, MatrixProduct) and bool(written) and factor is others[0]
            part = self._within(factor, PRODUCT if bare and len(others) == 1 else least)
            written = f"{written} * {part}" if written else part
        for factor in below:
            written = f"{written} / {self._within(factor, UNARY)}"
        return sign + written, PRODUCT

    def _power(self, term: Power) -> tuple[str, int]:
        exponent = term.exponent
        if isinstance(exponent, Number):
            if exponent.value < 0:
                return self._product(Product(1.0, (term,)))
            if exponent.value == 0.5:
                return f"np.sqrt({self.code(term.base)})", ATOM
        return f"{self._within(term.base, ATOM)}**{self._within(exponent, ATOM)}", POWER

    def _matrix_product(self, term: MatrixProduct) -> tuple[str, int]:
        if len(term.shape) == 2 and len(term.left.shape) == len(term.right.shape) == 1:
            return f"np.outer({self.code(term.left)}, {self.code(term.right)})", ATOM
        return f"{self._within(term.left, PRODUCT)} @ {self._within(term.right, UNARY)}", PRODUCT

    def _transposed(self, term: Transposed) -> tuple[str, int]:
        if len(term.shape) == 1:  # NumPy's vectors are neither rows nor columns
            return self._written(term.of)
        return f"{self._within(term.of, ATOM)}.T", ATOM

    def _reshaped(self, term: Reshaped) -> tuple[str, int]:
        if int(np.prod(term.of.shape)) == int(np.prod(term.shape)):
            return f"np.reshape({self.code(term.of)}, {term.shape})", ATOM
        return f"np.broadcast_to({self.code(term.of)}, {term.shape})", ATOM

    def _total(self, term: Total) -> tuple[str, int]:
        of, shape = term.of, term.shape
        inner = self.code(of)
        if len(term.axes) == len(of.shape) and int(np.prod(shape)) == 1:
            written = f"np.sum({inner})"
            return (written if not shape else f"np.reshape({written}, {shape})"), ATOM
        axis = term.axes[0] if len(term.axes) == 1 else term.axes
        kept = len(shape) == len(of.shape)
        options = f"axis={axis}" + (", keepdims=True" if kept else "")
        written = f"np.sum({inner}, {options})"
        if not kept and len(shape) != len(of.shape) - len(term.axes):
            written = f"np.reshape({written}, {shape})"
        return written, ATOM

    def _call(self, term: Call) -> tuple[str, int]:
        row = table.get(term.name)
        args = [self.code(arg) for arg in term.args]
        params = {key: _literal(value) for key, value in term.params}
        if term.name in HELPERS:
            self._need(term.name)
            options = "".join(f", {key}={value}" for key, value in params.items())
            return f"{term.name}({', '.join(args)}{options})", ATOM
        code = "" if row is None else row.code
        if row is not None and ("np." in code or code.startswith("(")):
            if row.variadic:
                args = [", ".join(args)]
            elif "({" not in code:
                args = [self._within(arg, POWER) for arg in term.args]
            return code.format(*args, **params), ATOM if code.endswith(")") else PRODUCT
        if term.name == "getitem":
            return f"{self._within(term.args[0], ATOM)}[{params['index']}]", ATOM
        self.rows.add(term.name)
        operands = f"[{', '.join(args)}]" if row is not None and row.variadic else ", ".join(args)
        options = "".join(f", {key}={value}" for key, value in params.items())
        return f"table[{_quoted(term.name)}]({operands}{options})", ATOM

    def _compared(self, term: Compared) -> tuple[str, int]:
        whole = any(arg.shape == term.shape and not isinstance(arg, Number) for arg in term.args)
        parts = [  # a number is repeated by NumPy
            Number(arg.value) if whole and isinstance(arg, Number) else arg for arg in term.args
        ]
        if term.name in _SIGNS:
            left, right = (self._within(part, SUM) for part in parts)
            return f"{left} {_SIGNS[term.name]} {right}", COMPARISON
        args = ", ".join(map(self.code, parts))
        if term.name == INDICATOR:
            return f"np.where({args}, 1.0, 0.0)", ATOM
        return f"np.{term.name}({args})", ATOM

    def _prime(self, term: Prime) -> tuple[str, int]:
        """Return a derivative as a call of the row's rule."""
        z = self.code(Call(term.name, term.args, term.shape, term.params))
        self.rows.add(term.name)
        args = ", ".join(["1.0", z, *(self.code(arg) for arg in term.args)])
        options = "".join(f", {key}={_literal(value)}" for key, value in term.params)
        return f"table[{_quoted(term.name)}].rules[{term.place}]({args}{options})", ATOM

    def _need(self, helper: str) -> None:
        for word in re.findall(r"\w+", HELPERS[helper]):
            if word in HELPERS and word != helper and word not in self.helpers:
                self._need(word)
        self.helpers.setdefault(helper, HELPERS[helper])


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _decimal(value: float) -> str:
    """Return a number as a float, not an integer."""
    written = _number(value)
    return f"{written}.0" if written.lstrip("-").isdigit() else written


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    inverse = round(1.0 / value) if value else 0
    return (
        f"1 / {inverse}"
        if inverse > 0 and 1.0 / inverse == value and inverse < 1000
        else repr(value)
    )


def _literal(value: Any) -> str:
    """Return a static parameter, which ``reading`` made hashable, as Python."""
    if isinstance(value, tuple) and value[:1] == ("array",):
        _, shape, numbers = value
        return (
            f"np.array({list(numbers)}).reshape({shape})"
            if len(shape) != 1
            else f"np.array({list(numbers)})"
        )
    if isinstance(value, tuple) and value[:1] == ("slice",):
        return f"slice{value[1:]}"
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


_WRITERS: dict[type, Callable[[_Source, Any], tuple[str, int]]] = {
    Symbol: _Source._symbol,
    Number: _Source._number,
    Sum: _Source._sum,
    Product: _Source._product,
    Power: _Source._power,
    MatrixProduct: _Source._matrix_product,
    Transposed: _Source._transposed,
    Reshaped: _Source._reshaped,
    Total: _Source._total,
    Call: _Source._call,
    Compared: _Source._compared,
    Prime: _Source._prime,
}
