"""Terms as Unicode text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.explain.terms import (
    Call,
    MatrixProduct,
    Number,
    Power,
    Prime,
    Product,
    Reshaped,
    Sum,
    Symbol,
    Term,
    Total,
    Transposed,
)

_SUPERSCRIPTS = str.maketrans("0123456789−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")

#: How tightly the parts of a term hold together.
SUM, TOTAL, PRODUCT, MATRIX, POWER, ATOM = range(6)


def text(term: Term) -> str:
    """Return a term as Unicode text.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import add, negative, power, times, ONE
    >>> dA, A = Symbol("dA", (2, 2)), Symbol("A", (2, 2))
    >>> text(times(dA, add(ONE, negative(power(A, 2.0)))))
    'dA ∘ (1 − A²)'
    """
    return _written(term)[0]


def number(value: float) -> str:
    """Return a number as it is written in a formula.

    Examples
    --------
    >>> number(-3.0), number(0.5), number(1 / 64), number(0.1)
    ('−3', '1/2', '1/64', '0.1')
    """
    sign = "−" if value < 0 else ""
    size = abs(value)
    if size == int(size) and size < 1e15:
        return f"{sign}{int(size)}"
    tens = round(math.log10(size)) if size else 0
    if abs(tens) > 2 and size == float(f"1e{tens}"):
        return f"{sign}10{number(float(tens)).translate(_SUPERSCRIPTS)}"
    inverse = 1.0 / size
    if size < 1 and 1.0 / round(inverse) == size and round(inverse) not in (10, 100, 1000):
        return f"{sign}1/{round(inverse)}"
    return sign + f"{size:.6g}".replace("e-0", "·10^−").replace("e-", "·10^−")


def _written(term: Term) -> tuple[str, int]:
    return _WRITERS[type(term)](term)


def _within(term: Term, least: int) -> str:
    written, strength = _written(term)
    return written if strength >= least else f"({written})"


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in term.terms:
        written = _within(part, TOTAL)
        if not parts:
            parts.append(written)
        elif written.startswith("−"):
            parts.append(f"− {written[1:]}")
        else:
            parts.append(f"+ {written}")
    return " ".join(parts), SUM


def _product(term: Product) -> tuple[str, int]:
    above, below = over_and_under(term)
    sign = "−" if term.number < 0 else ""
    size = abs(term.number)
    arrays = [factor for factor in above if factor.shape or isinstance(factor, Total)]
    scalars = [factor for factor in above if factor not in arrays]
    apart = " " if arrays or _is_share(scalars[:1]) else " · "
    words = [number(size)] if size != 1.0 or not above else []
    if _is_share(scalars[:1]) and size != 1.0:
        words = [_share(size, scalars.pop(0))]
    words += [_within(factor, POWER) for factor in scalars]
    if arrays:
        alone = len(arrays) == 1
        least = TOTAL if alone and not below else MATRIX if alone else POWER
        words.append(" ∘ ".join(_within(factor, least) for factor in arrays))
    written = apart.join(words)
    if below:
        least = POWER if len(below) == 1 else ATOM
        under = [_within(factor, least) for factor in below]
        joined = under[0] if len(under) == 1 else f"({' ∘ '.join(under)})"
        written = f"{written} / {joined}"
    return sign + written, PRODUCT


def over_and_under(term: Product) -> tuple[list[Term], list[Term]]:
    """Return the factors of a product that stand over and under the line of a fraction."""
    above: list[Term] = []
    below: list[Term] = []
    for factor in term.factors:
        exponent = factor.exponent if isinstance(factor, Power) else None
        if isinstance(factor, Power) and isinstance(exponent, Number) and exponent.value < 0:
            inverse = -exponent.value
            below.append(factor.base if inverse == 1 else Power(factor.base, Number(inverse)))
        else:
            above.append(factor)
    return above, below


def _share(size: float, share: Term) -> str:
    """Return k/m, or 1/(k m)."""
    assert isinstance(share, Symbol)
    count, inverse = share.name[2:], round(1.0 / size)
    if size < 1.0 and inverse and 1.0 / inverse == size:
        return f"1/({inverse}{count})"
    return f"{number(size)}/{count}" if size == int(size) else f"{number(size)} 1/{count}"


def _is_share(terms: Sequence[Term]) -> bool:
    return any(isinstance(term, Symbol) and term.name.startswith("1/") for term in terms)


def _power(term: Power) -> tuple[str, int]:
    exponent = term.exponent
    if isinstance(exponent, Number):
        if exponent.value < 0:
            return _product(Product(1.0, (term,)))
        if exponent.value == 0.5:
            return f"√{_within(term.base, ATOM)}", POWER
        if exponent.value == int(exponent.value):
            raised = number(exponent.value).translate(_SUPERSCRIPTS)
            return f"{_within(term.base, ATOM)}{raised}", POWER
    return f"{_within(term.base, ATOM)}^{_within(exponent, ATOM)}", POWER


def _matrix_product(term: MatrixProduct) -> tuple[str, int]:
    return f"{_within(term.left, MATRIX)} {_within(term.right, MATRIX)}", MATRIX


def _transposed(term: Transposed) -> tuple[str, int]:
    return f"{_within(term.of, ATOM)}ᵀ", ATOM


def _total(term: Total) -> tuple[str, int]:
    return f"Σ {_within(term.of, PRODUCT)}", TOTAL


def notation_of(name: str) -> tuple[str, str]:
    """Return how a function is written: "abs" or "call", and its name.

    Examples
    --------
    >>> notation_of("sigmoid"), notation_of("abs"), notation_of("log_of_base")
    (('call', 'σ'), ('abs', '|·|'), ('call', 'log'))
    """
    row = table.get(name)
    notation = row.notation if row is not None else ""
    if notation == "|{}|":
        return "abs", "|·|"
    found = re.fullmatch(r"([^\W\d]\w*)(\(\{0?\}.*| \{0?\})", notation)
    return "call", found[1] if found is not None else name


def _call(term: Call) -> tuple[str, int]:
    args = [text(arg) for arg in term.args]
    kind, word = notation_of(term.name)
    if kind == "abs":
        return f"|{args[0]}|", ATOM
    return f"{word}({', '.join(args)})", ATOM


def _prime(term: Prime) -> tuple[str, int]:
    index = "" if len(term.args) == 1 or term.place == 0 else f"{term.place + 1}"
    args = ", ".join(map(text, term.args))
    return f"{notation_of(term.name)[1]}′{index}({args})", ATOM


_WRITERS: dict[type, Callable[..., tuple[str, int]]] = {
    Symbol: lambda term: (term.name, ATOM),
    Number: lambda term: (number(term.value), ATOM if term.value >= 0 else PRODUCT),
    Sum: _sum,
    Product: _product,
    Power: _power,
    MatrixProduct: _matrix_product,
    Transposed: _transposed,
    Reshaped: lambda term: _written(term.of),
    Total: _total,
    Call: _call,
    Prime: _prime,
}
