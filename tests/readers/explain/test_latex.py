"""The syntax of LaTeX is held by the balance of its braces, environments and \\left ... \\right."""

import re

import numpy as np
import pytest
from programs import array, l_layers, two_layers

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, explain
from micrograd_nn.readers.explain.algebra import (
    add,
    matrix_product,
    power,
    reciprocal,
    reshaped,
    times,
)
from micrograd_nn.readers.explain.latex import latex, line, name
from micrograd_nn.readers.explain.terms import (
    Call,
    Compared,
    MatrixProduct,
    Number,
    Prime,
    Reshaped,
    Sum,
    Symbol,
    Total,
    Transposed,
)

x, y, m, u = Symbol("x"), Symbol("y"), Symbol("1/m"), Symbol("u", (2,))
A, B, W = Symbol("A", (2, 2)), Symbol("B", (2, 2)), Symbol("W[1]", (2, 2))
KNOWN = set(
    re.findall(
        r"\w+",
        """begin end frac sum left right circ cdot text mathrm mathsf mathbf operatorname sqrt log
        exp tanh sin cos tan sinh cosh arctan max min sigma alpha beta gamma delta varepsilon theta
        lambda mu Sigma hat partial backslash sim wedge leq surd cdots infty Phi varphi geq neq land
        lor lnot lfloor rfloor""",
    )
)


def assert_compiles(written):
    """Check what makes TeX stop: braces, scripts, environments, delimiters and commands."""
    bare = re.sub(r"\\[\\{}#$%&_|, ]", " ", written)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0, written
    assert depth == 0, written
    assert written.count(r"\left") == written.count(r"\right"), written
    for delimiter in re.findall(r"\\(?:left|right)(?![a-z])(.)", written):
        assert delimiter in "()|", written
    assert set(re.findall(r"\\([A-Za-z]+)", written)) <= KNOWN, written
    assert not re.search(r"[#$%~]", bare), written
    assert not re.search(r"[\^_]\s*[\^_]", bare), written
    script = r"(?:\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}|\w)"
    assert not re.search(rf"\^{script}\^", bare), f"double superscript in {written}"
    assert not re.search(rf"_{script}_", bare), f"double subscript in {written}"
    outside = re.sub(r"\\(?:mathrm|text)\{.*", "", written)
    assert outside.isascii(), written


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (add(x, times(-1.0, y)), "x - y"),
        (times(m, MatrixProduct(A, Transposed(B), (2, 2))), r"\frac{1}{m}\, A\, B^{\mathsf{T}}"),
        (times(2 / 15, m, A), r"\frac{2}{15 m}\, A"),
        (times(0.5, A), r"\frac{1}{2}\, A"),
        (times(1e-4, A), r"10^{-4}\, A"),
        (Number(2.5e-7), r"2.5 \cdot 10^{-7}"),
        (Number(float("-inf")), r"-\infty"),
        (times(A, reciprocal(B)), r"\frac{A}{B}"),
        (times(add(A, B), reciprocal(B)), r"\frac{A + B}{B}"),
        (power(W, 2.0), r"\left(W^{[1]}\right)^{2}"),
        (Transposed(W), r"{W^{[1]}}^{\mathsf{T}}"),
        (power(add(A, B), 0.5), r"\sqrt{A + B}"),
        (Total(add(A, B), (), (0, 1)), r"\sum \left(A + B\right)"),
        (times(2.0, Reshaped(Total(B, (1,), (0, 1)), ())), r"2\, \sum B"),
        (Call("softmax", (A,), (2, 2)), r"\operatorname{softmax}\left(A\right)"),
        (Call("abs", (A,), (2, 2)), "|A|"),
        (Prime("relu", (A,), 0, (2, 2)), r"\operatorname{relu}'\left(A\right)"),
        (MatrixProduct(Number(1.0, (2, 2)), B, (2, 2)), r"\mathbf{1}\, B"),
        (matrix_product(u, u, ()), r"u^{\mathsf{T}}\, u"),
        (
            matrix_product(reshaped(u, (2, 1)), reshaped(u, (1, 2)), (2, 2)),
            r"u\, u^{\mathsf{T}}",
        ),
        (MatrixProduct(u, Transposed(Number(1.0, (2,))), (2, 2)), r"u\, \mathbf{1}^{\mathsf{T}}"),
        (Compared("greater_equal", (u, add(u, u)), (2,)), r"u \geq  2\, u"),
    ],
)
def test_terms(term, written):
    assert latex(term) == written
    assert_compiles(written)


@pytest.mark.parametrize(
    ("symbol", "written"),
    [
        ("W1", "W_{1}"), ("dW12", "dW_{12}"), ("W[2]", "W^{[2]}"), ("db[10]", "db^{[10]}"),
        ("θ", r"\theta"), ("dλ1", r"d\lambda_{1}"), ("loss", r"\mathrm{loss}"), ("x_1", "x_{1}"),
        ("ŷ", r"\hat{y}"), ("w_ij[2]", "w_{ij}^{[2]}"), ("δ_j[1]", r"\delta_{j}^{[1]}"),
        ("1/m", r"\frac{1}{m}"), ("∂W", r"\partial W"), ("W1[2]", "W_{1}^{[2]}"),
        ("my weight", r"\mathrm{my\ weight}"), ("50%", r"\mathrm{50\%}"),
        ("Z·2", r"\mathrm{Z{\cdot}2}"),
    ],
)  # fmt: skip
def test_names(symbol, written):
    assert name(symbol) == written
    assert_compiles(written)


@pytest.mark.parametrize(
    "strange",
    ["a$b", "W\\", "__x", "x^y", "{x}", "#&~", "a b", "x'", "x²", "x₁₂", "10⁻⁵", "<b>", ""],
)
def test_strange_names_compile(strange):
    assert_compiles(name(strange))
    assert_compiles(latex(power(Symbol(strange, (2,)), 2.0)))


def test_lines_of_the_index_form():
    assert line("∂E/∂w_ij[2]") == r"\frac{\partial E}{\partial w_{ij}^{[2]}}"
    written = line(m, "Σ", Symbol("δ_j[2]"), Symbol("a_i[1]"), "+", Sum((x, y)))
    assert written == (r"\frac{1}{m}\, \sum \delta_{j}^{[2]}\, a_{i}^{[1]} + \left(x + y\right)")


def test_the_article():
    assert explain(two_layers()).latex() == "\n".join(
        [
            r"\begin{aligned}",
            r"Z_{1} &= W_{1}\, X + b_{1} \\",
            r"A_{1} &= \tanh\left(Z_{1}\right) \\",
            r"Z_{2} &= W_{2}\, A_{1} + b_{2} \\",
            r"A_{2} &= \sigma\left(Z_{2}\right) \\",
            r"J &= -\frac{1}{m}\, \sum \left(Y \circ \log\left(A_{2}\right)"
            r" + \left(1 - Y\right) \circ \log\left(1 - A_{2}\right)\right) \\",
            r"dZ_{2} &= A_{2} - Y \\",
            r"dW_{2} &= \frac{1}{m}\, dZ_{2}\, A_{1}^{\mathsf{T}} \\",
            r"db_{2} &= \frac{1}{m}\, \sum dZ_{2} \\",
            r"dA_{1} &= W_{2}^{\mathsf{T}}\, dZ_{2} \\",
            r"dZ_{1} &= dA_{1} \circ \left(1 - A_{1}^{2}\right) \\",
            r"dW_{1} &= \frac{1}{m}\, dZ_{1}\, X^{\mathsf{T}} \\",
            r"db_{1} &= \frac{1}{m}\, \sum dZ_{1}",
            r"\end{aligned}",
        ]
    )


@pytest.mark.parametrize(
    "make",
    [
        two_layers,
        lambda: l_layers(g=F.gelu),
        lambda: l_layers(g=lambda z: F.layer_norm(z, 1.0 + 0 * z.data[0], 0 * z.data[0])),
        lambda: (MLP(2, [3, 1], activation="tanh", seed=0)([0.5, -1.0]) - 1.0) ** 2,
        lambda: np.sum(np.clip(Tensor(array(3), name="x"), -0.5, 1e-5)),
        lambda: np.sum(Tensor(array(3, 4), name="x")[1:, ::2] ** -0.5),
        lambda: np.sum(np.linalg.norm(Tensor(array(3, 4), name="x"), axis=0) ** 3),
    ],
)
def test_explanations_compile(make):
    with np.errstate(all="ignore"):
        assert_compiles(explain(make()).latex().replace("&", "").replace(r"\\" + "\n", ""))


def test_a_notebook_is_given_math_mode():
    written = explain(two_layers())._repr_latex_()
    assert written.startswith(r"$\displaystyle \begin{aligned}")
    assert written.endswith(r"\end{aligned}$")
