"""Terms as MathML, which browsers and notebooks render by themselves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from micrograd_nn.readers.explain.terms import (
    Call,
    Compared,
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
    is_total,
)
from micrograd_nn.readers.explain.text import (
    ATOM,
    MATRIX,
    POWER,
    PRODUCT,
    SUM,
    TOTAL,
    abridged,
    needs,
    notation_of,
    number,
    over_and_under,
    pieces,
    strength_of,
)
from micrograd_nn.readers.svgtext import escape

#: Browsers agree on no single way to align the cells of a table in a formula.
_RIGHT = '<mtd columnalign="right" style="text-align:right;text-align:-webkit-right">'
_LEFT = '<mtd columnalign="left" style="text-align:left;padding-left:0">'
_TABLE = '<math display="block"><mtable displaystyle="true">{}</mtable></math>'
#: Muted by its opacity, which does on a light page and on a dark one.
_PARAGRAPH = '<p style="font-size:85%;opacity:.7;text-align:center">{}</p>'


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
    return table([(name(left), mathml(term)) for left, term in rows])


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Return left and right sides, in MathML, as a ``<math>`` element."""
    lines = "".join(
        f"<mtr>{_RIGHT}{left}</mtd>{_LEFT}<mo>=</mo>{right}</mtd></mtr>" for left, right in rows
    )
    return _TABLE.format(lines)


def paragraph(notes: Sequence[str]) -> str:
    """Return notes as a small paragraph to stand below the formulas, in HTML; nothing if none.

    Examples
    --------
    >>> paragraph(["m < 5"]).endswith(">m &lt; 5</p>"), paragraph([])
    (True, '')
    """
    return _PARAGRAPH.format("<br/>".join(map(escape, notes))) if notes else ""


def line(*tokens: str | Term) -> str:
    """Return a line of the index form: signs and terms.

    Examples
    --------
    >>> line("Σ_i", Symbol("x_i"))
    '<mrow><msub><mo>∑</mo><mi>i</mi></msub><msub><mi>x</mi><mi>i</mi></msub></mrow>'
    """
    alone = len(tokens) == 1
    written: list[str] = []
    for token in tokens:
        if not isinstance(token, str):
            written.append(mathml(token) if alone else _within(token, TOTAL))
            continue
        over, _, under = token.partition("/∂")
        if under:
            d = _operator("∂")
            written.append(f"<mfrac>{_row(d, name(over[1:]))}{_row(d, name(under))}</mfrac>")
            continue
        if token == "a function of":
            written.append("<mtext>a function of </mtext>")
            continue
        for word in token.split():
            if word[0] == "Σ":
                index = word[2:]
                sum_ = _operator("∑")
                written.append(f"<msub>{sum_}<mi>{index}</mi></msub>" if index else sum_)
            else:
                written.append(_operator(word) if word in ("+", "−") else name(word))
    return _row(*written)


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of plain formulas, each in parts that are equal, as a ``<math>`` element."""
    made = "".join(
        f"<mtr>{_RIGHT}{_plain(left)}</mtd>"
        + "".join(f"{_LEFT}<mo>=</mo>{_plain(part)}</mtd>" for part in parts)
        + "</mtr>"
        for left, *parts in rows
    )
    return _TABLE.format(made)


#: What a formula in one line is made of; anything else is an operator.
_TOKENS = re.compile(
    r"(?P<fraction>∂[^\s/]+/∂[^\s)·]+)|(?P<number>\d+(?:\.\d+)?(?:e−?\d+)?)"
    r"|(?P<name>[^\W\d¹²³⁰⁴-⁹][^\W¹²³⁰⁴-⁹]*(?:\[\w+\])?)|(?P<power>[⁻¹²³⁰⁴-⁹]+)"
    r"|(?P<minus>(?<=\()−|^−)|(?P<bracket>[()])|(?P<operator>\S)"
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")


def _plain(formula: str) -> str:
    """Return a formula in one line; ∂a/∂b becomes a fraction, a² a power."""
    parts: list[str] = []
    for token in _TOKENS.finditer(formula):
        word = token[0]
        match token.lastgroup:
            case "fraction":
                parts.append(f"<mfrac>{''.join(map(name, word.split('/', 1)))}</mfrac>")
            case "number":
                parts.append(f"<mn>{word}</mn>")
            case "name":
                parts.append(name(word))
            case "minus":
                parts.append('<mo form="prefix">−</mo>')
            case "bracket":
                parts.append(f'<mo stretchy="false">{word}</mo>')
            case "power" if parts:
                parts[-1] = f"<msup>{parts[-1]}<mn>{word.translate(_RAISED)}</mn></msup>"
            case _:
                parts.append(_operator(escape(word)))
    return _row(*parts)


def name(symbol: str) -> str:
    """Return the name of a value: digits at its end become an index."""
    if symbol.startswith("1/"):
        return f"<mfrac><mn>1</mn>{name(symbol[2:])}</mfrac>"
    indexed = re.fullmatch(r"([^\W\d_])_([a-z]{1,2})(?:\[(\w+)\])?", symbol)
    if indexed is not None:
        letter, index, layer = indexed.groups()
        letters = "".join(f"<mi>{c}</mi>" for c in index)
        inner = f"<mi>{escape(letter)}</mi>{letters if len(index) == 1 else _row(letters)}"
        if layer:
            return f"<msubsup>{inner}<mrow>{_layer(layer)}</mrow></msubsup>"
        return f"<msub>{inner}</msub>"
    found = re.fullmatch(r"([d∂]?)([^\W\d_])_?(\d*)(?:\[([\w.]+)\])?", symbol)
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
    return _row(f"<mi>{d}</mi>", inner) if d else inner


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


def _digits(written: str) -> str:
    """Return a number that has no fraction."""
    if "10" in written and written[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        digits, _, power = written.rpartition("10")
        exponent = unicodedata.normalize("NFKC", power).replace("-", "−")
        ten = f"<msup><mn>10</mn><mn>{exponent}</mn></msup>"
        return _row(f"<mn>{digits[:-1]}</mn>", _operator("·"), ten) if digits else ten
    return f"<mn>{written}</mn>"


def _number(value: float) -> str:
    over, _, under = number(abs(value)).partition("/")
    size = f"<mfrac>{_digits(over)}{_digits(under)}</mfrac>" if under else _digits(over)
    return _row(_operator("−"), size) if value < 0 else size


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in abridged(term.terms):
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
    over, _, under = number(size).partition("/")
    if shares or under:
        counts = [name(f.name[2:]) for f in shares]
        lower = ([f"<mn>{under}</mn>"] if under else []) + counts
        words.append(f"<mfrac>{_digits(over)}{_row(*lower)}</mfrac>")
    elif size != 1.0 or not (others or below):
        words.append(_digits(over))
    scalars = [f for f in others if not f.shape and not is_total(f)]
    arrays = [f for f in others if f not in scalars]
    factors = [_within(f, SUM if below and len(others) == 1 else POWER) for f in scalars]
    between = _operator("·").join(factors)
    if arrays:
        least = POWER if len(arrays) > 1 else TOTAL
        least = SUM if below and len(others) == 1 else least
        joined = _operator("∘").join(_within(f, least) for f in arrays)
        between += ("<mspace width='0.2em'/>" if between else "") + joined
    if below:
        lower_ = _operator("∘").join(_within(f, SUM if len(below) == 1 else POWER) for f in below)
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
    base = _within(term.base, ATOM)
    if isinstance(term.base, Symbol) and "[" in term.base.name:  # it has a superscript already
        base = _row(_operator("("), base, _operator(")"))
    return f"<msup>{base}{_row(mathml(exponent))}</msup>", POWER


def _matrix_product(term: MatrixProduct) -> tuple[str, int]:
    left, right = (_ones(side) or _within(side, MATRIX) for side in (term.left, term.right))
    return _row(left, "<mspace width='0.2em'/>", right), MATRIX


def _transposed(term: Transposed) -> tuple[str, int]:
    base = _ones(term.of) or _within(term.of, ATOM)
    return f'<msup>{base}<mi mathvariant="normal">T</mi></msup>', ATOM


def _ones(term: Term) -> str:
    return '<mn mathvariant="bold">1</mn>' if isinstance(term, Number) else ""


def _call(term: Call) -> tuple[str, int]:
    parts = pieces(term)
    if parts is None:
        args = _operator(",").join(map(mathml, abridged(term.args)))
        word = escape(notation_of(term.name))
        return _row(f"<mi>{word}</mi>", _operator("("), args, _operator(")")), ATOM
    written = (
        _operator(escape(part.strip())) if isinstance(part, str) else _within(part, needs(parts, i))
        for i, part in enumerate(parts)
    )
    return _row(*written), strength_of(parts)


def _prime(term: Prime) -> tuple[str, int]:
    args = _operator(",").join(map(mathml, term.args))
    index = "" if len(term.args) == 1 or term.place == 0 else f"<mn>{term.place + 1}</mn>"
    word = f"<mi>{escape(notation_of(term.name))}</mi>"
    head = f"<msup>{word}<mo>′</mo></msup>"
    if index:
        head = f"<msubsup>{word}{index}<mo>′</mo></msubsup>"
    return _row(head, _operator("("), args, _operator(")")), ATOM


_WRITERS: dict[type, Callable[..., tuple[str, int]]] = {
    Symbol: lambda term: (name(term.name), ATOM),
    Number: lambda term: (_number(term.value), ATOM if term.value >= 0 else PRODUCT),
    Sum: _sum,
    Product: _product,
    Power: _power,
    MatrixProduct: _matrix_product,
    Transposed: _transposed,
    Reshaped: lambda term: _written(term.of),
    Total: lambda term: (_row(_operator("∑"), _within(term.of, PRODUCT)), TOTAL),
    Call: _call,
    Compared: _call,
    Prime: _prime,
}
