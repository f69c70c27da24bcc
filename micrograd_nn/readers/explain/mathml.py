"""Terms as MathML, which browsers and notebooks render by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

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
from micrograd_nn.readers.explain.text import (
    ATOM,
    MATRIX,
    POWER,
    PRODUCT,
    SUM,
    TOTAL,
    notation_of,
    number,
    over_and_under,
)
from micrograd_nn.readers.svgtext import escape


def mathml(term: Term) -> str:
    """Return a term as the inside of a ``<math>`` element.

    Examples
    --------
    >>> mathml(Transposed(Symbol("W2", (1, 4))))
    '<msup><msub><mi>W</mi><mn>2</mn></msub><mi mathvariant="normal">T</mi></msup>'
    """
    return _written(term)[0]


def equations(rows: Sequence[tuple[str, Term]]) -> str:
    """Return equations ``name = term`` as a ``<math>`` element, one below the other."""
    lines = "".join(
        f'<mtr><mtd style="text-align:right">{name(left)}</mtd>'
        f'<mtd style="text-align:left"><mo>=</mo>{mathml(term)}</mtd></mtr>'
        for left, term in rows
    )
    return f'<math display="block"><mtable>{lines}</mtable></math>'


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of plain formulas, each in parts that are equal, as a ``<math>`` element."""
    made = "".join(
        f'<mtr><mtd style="text-align:right">{_plain(left)}</mtd>'
        + "".join(f'<mtd style="text-align:left"><mo>=</mo>{_plain(part)}</mtd>' for part in parts)
        + "</mtr>"
        for left, *parts in rows
    )
    return f'<math display="block"><mtable>{made}</mtable></math>'


def _plain(formula: str) -> str:
    """Return a formula in one line; ∂a/∂b becomes a fraction."""
    parts: list[str] = []
    for word in re.split(r"(∂[^\s/]+/∂[^\s)]+|\s+)", formula):
        if word.startswith("∂") and "/" in word:
            over, under = word.split("/", 1)
            parts.append(f"<mfrac><mi>{escape(over)}</mi><mi>{escape(under)}</mi></mfrac>")
        elif word in ("+", "−", "·", "×", "/", "∘"):
            parts.append(_operator(escape(word)))
        elif word.strip():
            parts.append(f"<mi>{escape(word)}</mi>")
    return _row(*parts)


def name(symbol: str) -> str:
    """Return the name of a value: digits at its end become an index."""
    if symbol.startswith("1/"):
        return f"<mfrac><mn>1</mn>{name(symbol[2:])}</mfrac>"
    found = re.fullmatch(r"(d?)([^\W\d_])_?(\d*)(?:\[([\w.]+)\])?", symbol)
    if found is None:
        return f"<mi>{escape(symbol)}</mi>"
    d, letter, index, layer = found.groups()
    inner = f"<mi>{escape(letter)}</mi>"
    if index and layer:
        inner = f"<msubsup>{inner}<mn>{index}</mn><mrow>{_layer(layer)}</mrow></msubsup>"
    elif index:
        inner = f"<msub>{inner}<mn>{index}</mn></msub>"
    elif layer:
        inner = f"<msup>{inner}<mrow>{_layer(layer)}</mrow></msup>"
    return f"<mi>d</mi>{inner}" if d else inner


def _layer(layer: str) -> str:
    return f"<mo>[</mo><mn>{escape(layer)}</mn><mo>]</mo>"


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _operator(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def _written(term: Term) -> tuple[str, int]:
    return _WRITERS[type(term)](term)


def _within(term: Term, least: int) -> str:
    written, strength = _written(term)
    return written if strength >= least else _row(_operator("("), written, _operator(")"))


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in term.terms:
        negative = isinstance(part, (Product, Number)) and _sign(part) < 0
        shown = _without_sign(part) if negative else part
        if parts or negative:
            parts.append(_operator("−" if negative else "+"))
        parts.append(_within(shown, TOTAL))
    return _row(*parts), SUM


def _sign(term: Product | Number) -> float:
    return term.number if isinstance(term, Product) else term.value


def _without_sign(term: Term) -> Term:
    if isinstance(term, Product):
        return Product(-term.number, term.factors)
    assert isinstance(term, Number)
    return Number(-term.value, term.shape)


def _product(term: Product) -> tuple[str, int]:
    above, below = over_and_under(term)
    sign = _operator("−") if term.number < 0 else ""
    size = abs(term.number)
    shares = [f for f in above if isinstance(f, Symbol) and f.name.startswith("1/")]
    others = [f for f in above if f not in shares]
    words: list[str] = []
    written = number(size)
    if shares or written.startswith("1/"):
        over, under = ("1", written[2:]) if written.startswith("1/") else (written, "")
        counts = [name(f.name[2:]) for f in shares]
        lower = ([f"<mn>{under}</mn>"] if under else []) + counts
        words.append(f"<mfrac><mn>{over}</mn>{_row(*lower)}</mfrac>")
    elif size != 1.0 or not (others or below):
        words.append(f"<mn>{written}</mn>")
    scalars = [f for f in others if not f.shape and not isinstance(f, Total)]
    arrays = [f for f in others if f not in scalars]
    factors = [_within(f, POWER) for f in scalars]
    between = _operator("·").join(factors)
    if arrays:
        least = TOTAL if len(arrays) == 1 and not below else MATRIX if len(arrays) == 1 else POWER
        joined = _operator("∘").join(_within(f, least) for f in arrays)
        between += ("<mspace width='0.2em'/>" if between else "") + joined
    if below:
        lower_ = _operator("∘").join(_within(f, TOTAL if len(below) == 1 else POWER) for f in below)
        between = f"<mfrac>{_row(between or '<mn>1</mn>')}{_row(lower_)}</mfrac>"
    apart = "<mspace width='0.2em'/>" if words and between else ""
    return _row(sign, *words, apart, between), PRODUCT


def _power(term: Power) -> tuple[str, int]:
    exponent = term.exponent
    if isinstance(exponent, Number):
        if exponent.value < 0:
            return _product(Product(1.0, (term,)))
        if exponent.value == 0.5:
            return f"<msqrt>{mathml(term.base)}</msqrt>", ATOM
    return f"<msup>{_within(term.base, ATOM)}{_row(mathml(exponent))}</msup>", POWER


def _call(term: Call) -> tuple[str, int]:
    kind, word = notation_of(term.name)
    args = _operator(",").join(map(mathml, term.args))
    if kind == "abs":
        return _row(_operator("|"), args, _operator("|")), ATOM
    return _row(f"<mi>{escape(word)}</mi>", _operator("("), args, _operator(")")), ATOM


def _prime(term: Prime) -> tuple[str, int]:
    _, word = notation_of(term.name)
    args = _operator(",").join(map(mathml, term.args))
    head = f"<msup><mi>{escape(word)}</mi><mo>′</mo></msup>"
    return _row(head, _operator("("), args, _operator(")")), ATOM


_WRITERS: dict[type, Callable[..., tuple[str, int]]] = {
    Symbol: lambda term: (name(term.name), ATOM),
    Number: lambda term: (f"<mn>{number(term.value)}</mn>", ATOM if term.value >= 0 else PRODUCT),
    Sum: _sum,
    Product: _product,
    Power: _power,
    MatrixProduct: lambda term: (
        _row(_within(term.left, MATRIX), "<mspace width='0.2em'/>", _within(term.right, MATRIX)),
        MATRIX,
    ),
    Transposed: lambda term: (
        f'<msup>{_within(term.of, ATOM)}<mi mathvariant="normal">T</mi></msup>',
        ATOM,
    ),
    Reshaped: lambda term: _written(term.of),
    Total: lambda term: (_row(_operator("∑"), _within(term.of, PRODUCT)), TOTAL),
    Call: _call,
    Prime: _prime,
}
