"""Terms as LaTeX, for its math mode."""

from __future__ import annotations

import re
from collections.abc import Callable

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

_GREEK = {
    "σ": r"\sigma", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ε": r"\varepsilon", "η": r"\eta", "θ": r"\theta", "λ": r"\lambda", "μ": r"\mu", "ρ": r"\rho",
    "φ": r"\varphi", "Φ": r"\Phi", "Σ": r"\Sigma", "Δ": r"\Delta", "π": r"\pi", "τ": r"\tau",
    "ω": r"\omega", "∂": r"\partial", "ŷ": r"\hat{y}",
}  # fmt: skip
_KNOWN = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "max", "min"}
_SPECIAL = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}


def latex(term: Term) -> str:
    r"""Return a term as LaTeX.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.terms import add, negative, power, times, ONE
    >>> dA, A = Symbol("dA1", (2, 2)), Symbol("A1", (2, 2))
    >>> print(latex(times(dA, add(ONE, negative(power(A, 2.0))))))
    dA_{1} \circ \left(1 - A_{1}^{2}\right)
    """
    return _written(term)[0]


def name(symbol: str) -> str:
    r"""Return the name of a value as LaTeX: digits at its end become an index.

    Examples
    --------
    >>> name("dW1"), name("Z[2]"), name("loss"), name("50%")
    ('dW_{1}', 'Z^{[2]}', '\\mathrm{loss}', '\\mathrm{50\\%}')
    """
    share = re.fullmatch(r"1/(\w+)", symbol)
    if share is not None:
        return rf"\frac{{1}}{{{name(share[1])}}}"
    layer = re.fullmatch(r"(d?)(\w?[^\W\d]?)(\d*)\[([\w.]+)\]", symbol)
    if layer is not None and layer[2]:
        index = f"_{{{layer[3]}}}" if layer[3] else ""
        return f"{layer[1]}{_letters(layer[2])}{index}^{{[{layer[4]}]}}"
    found = re.fullmatch(r"(d?)([^\W\d_])_?(\d*)", symbol)
    if found is None:
        return _letters(symbol)
    index = f"_{{{found[3]}}}" if found[3] else ""
    return f"{found[1]}{_letters(found[2])}{index}"


def _letters(text: str) -> str:
    if text in _GREEK:
        return _GREEK[text]
    escaped = "".join(_GREEK.get(c, _SPECIAL.get(c, c if c.isascii() else "?")) for c in text)
    return escaped if len(text) == 1 else rf"\mathrm{{{escaped}}}"


def _written(term: Term) -> tuple[str, int]:
    return _WRITERS[type(term)](term)


def _bracketed(inner: str) -> str:
    return rf"\left({inner}\right)"


def _within(term: Term, least: int) -> str:
    written, strength = _written(term)
    return written if strength >= least else _bracketed(written)


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in term.terms:
        written = _within(part, TOTAL)
        if not parts:
            parts.append(written)
        elif written.startswith("-"):
            parts.append(f"- {written[1:]}")
        else:
            parts.append(f"+ {written}")
    return " ".join(parts), SUM


def _product(term: Product) -> tuple[str, int]:
    above, below = over_and_under(term)
    sign, size = ("-" if term.number < 0 else ""), abs(term.number)
    shares = [f for f in above if isinstance(f, Symbol) and f.name.startswith("1/")]
    others = [f for f in above if f not in shares]
    over, under = _ratio(size)
    fraction = ""
    if shares or under != "1":
        counts = [name(f.name[2:]) for f in shares]
        under = " ".join(([] if under == "1" else [under]) + counts)
        fraction = rf"\frac{{{over}}}{{{under}}}"
    elif size != 1.0 or not (others or below):
        fraction = over
    scalars = [f for f in others if not f.shape and not isinstance(f, Total)]
    arrays = [f for f in others if f not in scalars]
    words = [_within(f, POWER) for f in scalars]
    if arrays:
        least = TOTAL if len(arrays) == 1 and not below else MATRIX if len(arrays) == 1 else POWER
        words.append(r" \circ ".join(_within(f, least) for f in arrays))
    written = (r"\, " if arrays else r" \cdot ").join(words)
    if below:
        lower = r" \circ ".join(_within(f, TOTAL if len(below) == 1 else POWER) for f in below)
        written = rf"\frac{{{written or '1'}}}{{{lower}}}"
    apart = r"\, " if fraction and written else ""
    return sign + fraction + apart + written, PRODUCT


def _ratio(size: float) -> tuple[str, str]:
    written = number(size)
    if written.startswith("1/"):
        return "1", written[2:]
    return _number(size), "1"


def _number(value: float) -> str:
    if value != int(value) and number(abs(value)).startswith("1/"):
        return rf"{'-' if value < 0 else ''}\frac{{1}}{{{number(abs(value))[2:]}}}"
    digits, e, exponent = f"{value:.6g}".partition("e")
    if not e:
        return digits
    power = rf"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def _power(term: Power) -> tuple[str, int]:
    exponent = term.exponent
    if isinstance(exponent, Number):
        if exponent.value < 0:
            return _product(Product(1.0, (term,)))
        if exponent.value == 0.5:
            return rf"\sqrt{{{latex(term.base)}}}", ATOM
    base = _within(term.base, ATOM)
    if "^" in base and not base.startswith(r"\left("):
        base = _bracketed(base)
    return f"{base}^{{{latex(exponent)}}}", POWER


def _transposed(term: Transposed) -> tuple[str, int]:
    base = _within(term.of, ATOM)
    if "^" in base and not base.startswith(r"\left("):
        return rf"{{{base}}}^{{\mathsf{{T}}}}", ATOM
    return rf"{base}^{{\mathsf{{T}}}}", ATOM


def _call(term: Call) -> tuple[str, int]:
    args = [latex(arg) for arg in term.args]
    kind, word = notation_of(term.name)
    if kind == "abs":
        return rf"\left|{args[0]}\right|", ATOM
    inner = _bracketed(", ".join(args))
    return f"{_function(word)}{inner}", ATOM


def _function(word: str) -> str:
    if word in _KNOWN:
        return f"\\{word}"
    return _GREEK.get(word) or rf"\operatorname{{{''.join(_SPECIAL.get(c, c) for c in word)}}}"


def _prime(term: Prime) -> tuple[str, int]:
    args = ", ".join(map(latex, term.args))
    index = "" if len(term.args) == 1 or term.place == 0 else f"_{{{term.place + 1}}}"
    _, word = notation_of(term.name)
    return f"{_function(word)}'{index}{_bracketed(args)}", ATOM


_WRITERS: dict[type, Callable[..., tuple[str, int]]] = {
    Symbol: lambda term: (name(term.name), ATOM),
    Number: lambda term: (_number(term.value), ATOM if term.value >= 0 else PRODUCT),
    Sum: _sum,
    Product: _product,
    Power: _power,
    MatrixProduct: lambda term: (
        rf"{_within(term.left, MATRIX)}\, {_within(term.right, MATRIX)}",
        MATRIX,
    ),
    Transposed: _transposed,
    Reshaped: lambda term: _written(term.of),
    Total: lambda term: (rf"\sum {_within(term.of, PRODUCT)}", TOTAL),
    Call: _call,
    Prime: _prime,
}
