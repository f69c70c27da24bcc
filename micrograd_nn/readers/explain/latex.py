"""Terms as LaTeX, for its math mode."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

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
    Pieces,
    abridged,
    needs,
    notation_of,
    number,
    over_and_under,
    pieces,
    strength_of,
)

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "∂": "partial",
}  # fmt: skip
_ACCENTS = {
    "\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot", "\u0308": "ddot",
    "\u20d7": "vec",
}  # fmt: skip
_SIGNS = {
    "\\": r"\backslash ", "~": r"{\sim}", "^": r"{\wedge}", " ": r"\ ", "·": r"{\cdot}", "−": "-",
    "'": "{'}", "′": "{'}", "∘": r"\circ ", "×": r"\times ", "‖": r"\|", "≤": r"\leq ",
    "≥": r"\geq ", "≠": r"\neq ", "∧": r"\land ", "∨": r"\lor ", "¬": r"\lnot ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "√": r"\surd ",
    "⊕": r"\oplus ", "⊗": r"\otimes ", "⊙": r"\odot ",
    "…": r"\cdots ",
    "∞": r"\infty ", "∇": r"\nabla ", "→": r"\to ", "<": r"{<}", ">": r"{>}", "½": r"\tfrac12 ",
    **{c: f"\\{c}" for c in "#$%&_{}"},
    "ᵀ": r"^{\mathsf{T}}",
}  # fmt: skip
_KNOWN = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "max", "min"}


def latex(term: Term) -> str:
    r"""Return a term as LaTeX.

    Examples
    --------
    >>> from micrograd_nn.readers.explain.algebra import add, negative, power, times
    >>> from micrograd_nn.readers.explain.terms import ONE
    >>> dA, A = Symbol("dA1", (2, 2)), Symbol("A1", (2, 2))
    >>> print(latex(times(dA, add(ONE, negative(power(A, 2.0))))))
    dA_{1} \circ \left(1 - A_{1}^{2}\right)
    """
    return _written(term)[0]


def aligned(rows: Sequence[tuple[str, str]]) -> str:
    r"""Return equations, left and right sides, as an ``aligned`` environment."""
    lines = (f"{left} &= {right}" for left, right in rows)
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def line(*tokens: str | Term) -> str:
    r"""Return a line of the index form: signs and terms.

    Examples
    --------
    >>> print(line("∂E/∂w_ij[2]"), line("Σ_i w_ij[1]", Symbol("x_i")))
    \frac{\partial E}{\partial w_{ij}^{[2]}} \sum_{i} w_{ij}^{[1]}\, x_{i}
    """
    alone = len(tokens) == 1
    written: list[str] = []
    for token in tokens:
        if not isinstance(token, str):
            written.append(latex(token) if alone else _within(token, TOTAL))
            continue
        over, _, under = token.partition("/∂")
        if under:
            d = rf"\partial {name(over[1:])}"
            written.append(rf"\frac{{{d}}}{{\partial {name(under)}}}")
            continue
        if token == "a function of":
            written.append(r"\text{a function of }")
            continue
        for word in token.split():
            index = word[2:] if word.startswith("Σ") else ""
            sum_ = rf"\sum_{{{index}}}" if index else r"\sum"
            written.append(sum_ if word[0] == "Σ" else {"−": "-"}.get(word) or name(word))
    return _spaced(written)


def _spaced(words: Sequence[str]) -> str:
    """Return factors with a thin space between them; signs space themselves."""
    line_ = words[0]
    for before, word in pairwise(words):
        bare = before in ("+", "-") or word in ("+", "-") or before.startswith(r"\sum")
        line_ += f" {word}" if bare else rf"\, {word}"
    return line_


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
    indexed = re.fullmatch(r"([^\W\d_])_([a-z]{1,2})(?:\[(\w+)\])?", symbol)
    if indexed is not None:
        above = f"^{{[{indexed[3]}]}}" if indexed[3] else ""
        return f"{_letters(indexed[1]).rstrip()}_{{{indexed[2]}}}{above}"
    layer = re.fullmatch(r"(d?)(\w?[^\W\d]?)(\d*)\[([\w.]+)\]", symbol)
    if layer is not None and layer[2]:
        index = f"_{{{layer[3]}}}" if layer[3] else ""
        return f"{layer[1]}{_letters(layer[2]).rstrip()}{index}^{{[{layer[4]}]}}"
    found = re.fullmatch(r"([d∂]?)([^\W\d_])_?(\d*)", symbol)
    if found is None:
        return _letters(symbol)
    index = f"_{{{found[3]}}}" if found[3] else ""
    d = r"\partial " if found[1] == "∂" else found[1]
    return f"{d}{_letters(found[2])}{index}".replace(" _", "_").rstrip()


def _letters(text: str) -> str:
    escaped = _signs(text)
    return escaped if len(text) == 1 else rf"\mathrm{{{escaped}}}"


def _signs(text: str) -> str:
    """Return signs as they are written in math mode."""
    parts: list[str] = []
    for run in re.findall(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|[₀₁₂₃₄₅₆₇₈₉]+|.", text, re.DOTALL):
        plain = unicodedata.normalize("NFKC", run).replace("−", "-")
        if run[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
            parts.append(f"^{{{plain}}}")
        elif run[0] in "₀₁₂₃₄₅₆₇₈₉":
            parts.append(f"_{{{plain}}}")
        else:
            parts.append(_sign(run))
    return "".join(parts)


def _sign(c: str) -> str:
    """Return a character as it is written in math mode."""
    if c in _GREEK:
        return rf"\{_GREEK[c]}" + " "
    if c in _SIGNS:
        return _SIGNS[c]
    if c.isascii():
        return c
    base, *marks = list(unicodedata.normalize("NFD", c))
    if marks and marks[0] in _ACCENTS and base.isascii():
        return rf"\{_ACCENTS[marks[0]]}{{{base}}}"
    return rf"\text{{{c}}}"


def _written(term: Term) -> tuple[str, int]:
    return _WRITERS[type(term)](term)


def _bracketed(inner: str) -> str:
    return rf"\left({inner}\right)"


def _within(term: Term, least: int) -> str:
    written, strength = _written(term)
    return written if strength >= least else _bracketed(written)


def _sum(term: Sum) -> tuple[str, int]:
    parts: list[str] = []
    for part in abridged(term.terms):
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
    scalars = [f for f in others if not f.shape and not is_total(f)]
    arrays = [f for f in others if f not in scalars]
    words = [_within(f, SUM if below and len(others) == 1 else POWER) for f in scalars]
    if arrays:
        least = POWER if len(arrays) > 1 else TOTAL
        least = SUM if below and len(others) == 1 else least
        words.append(r" \circ ".join(_within(f, least) for f in arrays))
    written = (r"\, " if arrays else r" \cdot ").join(words)
    if below:
        lower = r" \circ ".join(_within(f, SUM if len(below) == 1 else POWER) for f in below)
        written = rf"\frac{{{written or '1'}}}{{{lower}}}"
    apart = r"\, " if fraction and written else ""
    return sign + fraction + apart + written, PRODUCT


def _ratio(size: float) -> tuple[str, str]:
    over, _, under = number(size).partition("/")
    return (over, under) if under else (_number(size), "1")


def _number(value: float) -> str:
    written = number(value)
    sign, size = ("-", written[1:]) if written[0] == "−" else ("", written)
    if "/" in size:
        over, under = size.split("/")
        return rf"{sign}\frac{{{over}}}{{{under}}}"
    if "10" in size and size[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        digits, _, power = size.rpartition("10")
        digits = digits.replace("·", r" \cdot ")
        exponent = unicodedata.normalize("NFKC", power).replace("−", "-")
        return rf"{sign}{digits}10^{{{exponent}}}"
    return sign + {"∞": r"\infty", "NaN": r"\mathrm{NaN}"}.get(size, size)


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


def _matrix_product(term: MatrixProduct) -> tuple[str, int]:
    sides = (_ones(side) or _within(side, MATRIX) for side in (term.left, term.right))
    return r"\, ".join(sides), MATRIX


def _ones(term: Term) -> str:
    return r"\mathbf{1}" if isinstance(term, Number) else ""


def _transposed(term: Transposed) -> tuple[str, int]:
    base = _ones(term.of) or _within(term.of, ATOM)
    if "^" in base and not base.startswith(r"\left("):
        return rf"{{{base}}}^{{\mathsf{{T}}}}", ATOM
    return rf"{base}^{{\mathsf{{T}}}}", ATOM


def _call(term: Call) -> tuple[str, int]:
    parts = pieces(term)
    if parts is None:
        args = ", ".join(map(latex, abridged(term.args)))
        return f"{_function(notation_of(term.name))}{_bracketed(args)}", ATOM
    return _noted(parts), strength_of(parts)


def _noted(parts: Pieces) -> str:
    return "".join(
        " ".join(_signs(word) for word in part.split(" "))
        if isinstance(part, str)
        else _within(part, needs(parts, i))
        for i, part in enumerate(parts)
    )


def _function(word: str) -> str:
    if word in _KNOWN:
        return f"\\{word}"
    if word in _GREEK:
        return f"\\{_GREEK[word]}"
    return rf"\operatorname{{{_signs(word)}}}"


def _prime(term: Prime) -> tuple[str, int]:
    args = ", ".join(map(latex, term.args))
    index = "" if len(term.args) == 1 or term.place == 0 else f"_{{{term.place + 1}}}"
    return f"{_function(notation_of(term.name))}'{index}{_bracketed(args)}", ATOM


_WRITERS: dict[type, Callable[..., tuple[str, int]]] = {
    Symbol: lambda term: (name(term.name), ATOM),
    Number: lambda term: (_number(term.value), ATOM if term.value >= 0 else PRODUCT),
    Sum: _sum,
    Product: _product,
    Power: _power,
    MatrixProduct: _matrix_product,
    Transposed: _transposed,
    Reshaped: lambda term: _written(term.of),
    Total: lambda term: (rf"\sum {_within(term.of, PRODUCT)}", TOTAL),
    Call: _call,
    Compared: _call,
    Prime: _prime,
}
