"""Terms as Unicode text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from micrograd_nn.graph.primitive import table
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
    Sum,
    Symbol,
    Term,
    Total,
    Transposed,
    is_total,
)

_SUPERSCRIPTS = str.maketrans("0123456789−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")

#: How tightly the parts of a term hold together.
SUM, TOTAL, PRODUCT, MATRIX, POWER, ATOM = range(6)
#: Longer sums and lists of arguments are abridged.
_MOST = 24


def text(term: Term) -> str:
    """Return a term as Unicode text.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.algebra import add, negative, power, times
    >>> from micrograd_nn.readers.explain.terms import ONE
    >>> dA, A = Symbol("dA", (2, 2)), Symbol("A", (2, 2))
    >>> text(times(dA, add(ONE, negative(power(A, 2.0)))))
    'dA ∘ (1 − A²)'
    """
    return _written(term)[0]


def line(*tokens: str | Term) -> str:
    """Return a line of the index form: signs and terms, with spaces between.

    Examples
    --------
    >>> a, y = Symbol("a_j[2]"), Symbol("y_j")
    >>> line("Σ", Sum((a, Product(-1.0, (y,)))), Symbol("x_i"))
    'Σ (a_j[2] − y_j) x_i'
    """
    alone = len(tokens) == 1
    return " ".join(
        token if isinstance(token, str) else text(token) if alone else _within(token, TOTAL)
        for token in tokens
    )


def number(value: float) -> str:
    """Return a number as it is written in a formula.

    Examples
    --------
    >>> number(-3.0), number(0.5), number(2 / 15), number(0.02), number(1e-5)
    ('−3', '1/2', '2/15', '0.02', '10⁻⁵')
    """
    sign = "−" if value < 0 else ""
    size = abs(value)
    if not math.isfinite(size):
        return f"{sign}∞" if math.isinf(size) else "NaN"
    if size == int(size) and size < 1e6:
        return f"{sign}{int(size)}"
    digits = f"{size:.6g}"
    short = float(digits) == size and len(digits.partition("e")[0].strip("0.")) <= 4
    if not short or _is_half(size):
        fraction = Fraction(size).limit_denominator(100_000)
        if fraction.numerator <= 20 and float(fraction) == size:
            return f"{sign}{fraction.numerator}/{fraction.denominator}"
    if short and size < 1e-3:
        digits = f"{size:e}".replace("0e", "e")
        digits = re.sub(r"\.?0*e", "e", digits)
    digits, _, exponent = digits.partition("e")
    if not exponent:
        return sign + digits
    power = f"10{number(float(exponent)).translate(_SUPERSCRIPTS)}"
    return f"{sign}{power}" if digits == "1" else f"{sign}{digits}·{power}"


def _is_half(size: float) -> bool:
    """Tell whether a number is 1/2, 1/4, 1/8, ..., or one of these taken a few times."""
    return size < 1 and Fraction(size).denominator <= 1024


def _written(term: Term) -> tuple[str, int]:
    return _WRITERS[type(term)](term)


def _within(term: Term, least: int) -> str:
    written, strength = _written(term)
    return written if strength >= least else f"({written})"


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in abridged(term.terms):
        written = _within(part, TOTAL)
        if not parts:
            parts.append(written)
        elif written.startswith("−"):
            parts.append(f"− {written[1:]}")
        else:
            parts.append(f"+ {written}")
    return " ".join(parts), SUM


def abridged(terms: Sequence[Term]) -> Sequence[Term]:
    """Return summands or arguments; of very many, those in the middle as how many they are."""
    if len(terms) <= _MOST:
        return terms
    ends = 4
    return *terms[:ends], Symbol(f"… {len(terms) - 2 * ends:,} more …"), *terms[-ends:]


def _product(term: Product) -> tuple[str, int]:
    above, below = over_and_under(term)
    sign = "−" if term.number < 0 else ""
    size = abs(term.number)
    arrays = [factor for factor in above if factor.shape or is_total(factor)]
    scalars = [factor for factor in above if factor not in arrays]
    apart = " " if arrays or _is_share(scalars[:1]) else " · "
    over, _, divisor = number(size).partition("/") if below else (number(size), "", "")
    words = [over] if over != "1" or not above else []
    if _is_share(scalars[:1]) and size != 1.0:
        words = [_share(size, scalars.pop(0))]
    words += [_within(factor, POWER) for factor in scalars]
    if arrays:
        alone = len(arrays) == 1
        least = TOTAL if alone and not below else MATRIX if alone else POWER
        words.append(" ∘ ".join(_within(factor, least) for factor in arrays))
    written = apart.join(words)
    if below:
        alone = len(below) == 1 and not divisor
        under = [_within(factor, POWER) for factor in below]
        joined = " ∘ ".join(under)
        joined = f"({divisor} {joined})" if divisor else joined if alone else f"({joined})"
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
    count = share.name[2:]
    over, _, under = number(size).partition("/")
    if under:
        return f"{over}/({under}{count})"
    return f"{over}/{count}" if over.isdigit() else f"{over} 1/{count}"


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
    left, right = (_ones(side) or _within(side, MATRIX) for side in (term.left, term.right))
    return f"{left} {right}", MATRIX


def _transposed(term: Transposed) -> tuple[str, int]:
    return f"{_ones(term.of) or _within(term.of, ATOM)}ᵀ", ATOM


def _ones(term: Term) -> str:
    """Return what a factor of a matrix product is called that is 1 throughout."""
    return "𝟏" if isinstance(term, Number) else ""


def _total(term: Total) -> tuple[str, int]:
    return f"Σ {_within(term.of, PRODUCT)}", TOTAL


def notation_of(name: str) -> str:
    """Return the name of a function in a formula.

    Examples
    --------
    >>> notation_of("sigmoid"), notation_of("log_of_base")
    ('σ', 'log')
    """
    row = table.get(name)
    found = _CALL.fullmatch(row.notation) if row is not None else None
    return found[1] if found is not None else name


#: A notation such as "σ({})" or "log {}".
_CALL = re.compile(r"([^\W\d]\w*)(\(\{\d?\}(, \{\d?\})*\)| \{0?\})")

_COMPARED = {
    "greater": "{} > {}", "greater_equal": "{} ≥ {}", "less": "{} < {}", "less_equal": "{} ≤ {}",
    "equal": "{} = {}", "not_equal": "{} ≠ {}", "logical_and": "{} ∧ {}", "bitwise_and": "{} ∧ {}",
    "logical_or": "{} ∨ {}", "bitwise_or": "{} ∨ {}", "logical_not": "¬{}", "invert": "¬{}",
    "floor": "⌊{}⌋", "ceil": "⌈{}⌉", INDICATOR: "[{}]",
}  # fmt: skip

#: Called by name, since their notation is a whole formula.
_NAMED = {"power_derivative"}
Pieces = list[str | Term]


def pieces(term: Call) -> Pieces | None:
    """Return the notation of a row as signs and the terms between; None for ``name(...)``.

    Examples
    --------
    >>> x, y = Symbol("x"), Symbol("y")
    >>> pieces(Call("maximum", (x, y), ())), pieces(Call("abs", (x,), ()))
    (None, ['|', Symbol(name='x', shape=()), '|'])
    """
    notation = _notation(term)
    if not notation:
        return None
    params, places = dict(term.params), iter(range(len(term.args)))
    found: Pieces = []
    for i, piece in enumerate(re.split(r"\{(\w*)\}", notation)):
        if i % 2 == 0:
            found += [piece] if piece else []
        elif not piece or piece.isdigit():
            place = int(piece) if piece else next(places, len(term.args))
            if place >= len(term.args):
                return None
            found.append(term.args[place])
        elif piece == "index":
            found.append(index(params.get(piece)))
        else:
            value = params.get(piece, piece)
            found.append(number(value) if isinstance(value, float) else str(value))
    return found


def _notation(term: Call) -> str:
    """Return the notation of a function that isn't written ``name(...)``."""
    if isinstance(term, Compared):
        return _COMPARED.get(term.name, "")
    row = table.get(term.name)
    if row is None or row.variadic or row.name in _NAMED or _CALL.fullmatch(row.notation):
        return ""
    return "" if row.notation == f"{row.name}({{}})" else row.notation


def index(value: Any) -> str:
    """Return an index, which ``reading`` has made hashable, as it stands in brackets.

    Examples
    --------
    >>> index((("slice", 1, 4, None), 2)), index(("array", (3,), (0, 2, 1)))
    ('1:4, 2', '[0, 2, 1]')
    """
    if value is Ellipsis:
        return "..."
    if not isinstance(value, tuple):
        return str(value)
    if value[:1] == ("slice",):
        start, stop, step = ("" if end is None else str(end) for end in value[1:])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if value[:1] == ("array",):
        return str(list(value[2])) if len(value[2]) <= 8 else "…"
    return ", ".join(map(index, value))


def needs(parts: Pieces, place: int) -> int:
    """Return how tightly a term among the pieces of a notation must hold together."""
    before = "(" if place == 0 else str(parts[place - 1]).strip() or " "
    after = ")" if place == len(parts) - 1 else str(parts[place + 1]).strip() or " "
    opened, closed = before[-1] in "([|‖⌊⌈,≤≥<>=≠", after[0] in ")]|‖⌋⌉,≤≥<>=≠"
    return SUM if opened and closed else ATOM


def strength_of(parts: Pieces) -> int:
    """Return how tightly the whole of a notation holds together."""
    depth, written = 0, "".join(part if isinstance(part, str) else "x" for part in parts)
    for c in written:
        depth += (c in "([") - (c in ")]")
        if not depth and c in " −":
            return SUM
    enclosed = isinstance(parts[0], str) or written.endswith("]")
    return ATOM if enclosed else POWER


def _call(term: Call) -> tuple[str, int]:
    parts = pieces(term)
    if parts is None:
        args = ", ".join(map(text, abridged(term.args)))
        return f"{notation_of(term.name)}({args})", ATOM
    written = [
        part if isinstance(part, str) else _within(part, needs(parts, i))
        for i, part in enumerate(parts)
    ]
    return "".join(written), strength_of(parts)


def _prime(term: Prime) -> tuple[str, int]:
    index = "" if len(term.args) == 1 or term.place == 0 else f"{term.place + 1}"
    args = ", ".join(map(text, term.args))
    return f"{notation_of(term.name)}′{index}({args})", ATOM


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
    Compared: _call,
    Prime: _prime,
}
