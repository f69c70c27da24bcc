import xml.etree.ElementTree as ET

import numpy as np
import pytest
from programs import array, l_layers, scalars, two_layers

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, explain
from micrograd_nn.readers.explain.algebra import matrix_product, power, reshaped, times
from micrograd_nn.readers.explain.mathml import equations, line, mathml, name
from micrograd_nn.readers.explain.terms import Number, Symbol, Transposed

#: The number of children that an element must have, where browsers show an error otherwise.
CHILDREN = {
    "mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2,
}  # fmt: skip
KNOWN = {*CHILDREN, "math", "mtable", "mtr", "mtd", "mrow", "mi", "mn", "mo", "msqrt", "mspace"}
KNOWN.add("mtext")


def assert_shows(written):
    """Check that it is XML of elements that browsers know, each with its children."""
    root = ET.fromstring(written)
    for element in root.iter():
        assert element.tag in KNOWN, element.tag
        if element.tag in CHILDREN:
            assert len(element) == CHILDREN[element.tag], ET.tostring(element)
    return root


def words(written):
    return "".join(assert_shows(written).itertext())


STRANGE = [
    "<b>",
    "a & b",
    "my weight",
    "θ",
    "ŷ",
    "日本",
    "W·2",
    "w_ij[2]",
    '"',
    "x'",
    "W1[3]",
    "1/m",
]


@pytest.mark.parametrize("strange", STRANGE)
def test_names_are_escaped(strange):
    assert_shows(f"<math>{name(strange)}</math>")
    assert_shows(equations([(f"d{strange}", power(Symbol(strange, (2,)), 2.0))]))


def test_an_index_and_a_gradient():
    assert name("W1") == "<msub><mi>W</mi><mn>1</mn></msub>"
    assert name("dW1") == f"<mrow><mi>d</mi>{name('W1')}</mrow>"
    transposed = mathml(Transposed(Symbol("dZ2", (2, 3))))
    assert_shows(f"<math>{transposed}</math>")


def test_numbers():
    assert words(f"<math>{mathml(Number(2 / 15))}</math>") == "215"
    assert words(f"<math>{mathml(Number(-2.5e-7))}</math>") == "−2.5·10−7"
    assert words(f"<math>{mathml(times(0.5, Symbol('1/m'), Symbol('A', (2,))))}</math>") == "12mA"


def test_products_of_vectors():
    z, x = Symbol("z", (2,)), Symbol("x", (3,))
    outer = matrix_product(reshaped(z, (2, 1)), reshaped(x, (1, 3)), (2, 3))
    assert words(f"<math>{mathml(outer)}</math>") == "zxT"
    assert words(f"<math>{mathml(matrix_product(x, x, ()))}</math>") == "xTx"
    assert words(f"<math>{mathml(Transposed(Number(1.0, (3,))))}</math>") == "1T"


def test_what_has_a_superscript_is_bracketed_before_it_gets_another():
    assert words(f"<math>{mathml(power(Symbol('W[1]', (2,)), 2.0))}</math>") == "(W[1])2"


def test_the_article():
    root = assert_shows(explain(two_layers()).mathml())
    rows = ["".join(row.itertext()) for row in root.iter("mtr")]
    assert rows[5:] == [
        "dZ2=A2−Y", "dW2=1mdZ2A1T", "db2=1m∑dZ2", "dA1=W2TdZ2", "dZ1=dA1∘(1−A12)",
        "dW1=1mdZ1XT", "db1=1m∑dZ1",
    ]  # fmt: skip
    for row in root.iter("mtr"):
        left, right = row
        assert "right" in left.get("style")
        assert "left" in right.get("style")


@pytest.mark.parametrize(
    "make",
    [
        lambda: l_layers(g=F.gelu),
        lambda: (MLP(2, [3, 1], activation="tanh", seed=0)([0.5, -1.0]) - 1.0) ** 2,
        lambda: np.sum(np.clip(Tensor(array(3), name="x"), -0.5, 1e-5)),
        lambda: np.sum(np.abs(Tensor(array(3, 4), name="x")[1:, ::2]) ** -0.5),
        lambda: np.sum(np.maximum(*[Tensor(array(3, seed=i), name=n) for i, n in enumerate("xy")])),
        lambda: F.layer_norm(Tensor(array(2, 3), name="x"), np.ones(3), np.zeros(3)).sum(),
    ],
)
def test_explanations(make):
    assert_shows(explain(make()).mathml())


def test_a_notebook_is_given_mathml_and_the_notes_below():
    explanation = explain(two_layers())
    formulas, _, notes = explanation._repr_html_().partition("</math>")
    assert formulas + "</math>" == explanation.mathml()
    paragraph = ET.fromstring(notes)
    assert (paragraph.tag, "opacity" in paragraph.get("style")) == ("p", True)
    assert paragraph.text == str(explanation).split("\n")[-1]


def test_notes_in_a_notebook_are_escaped():
    m = Tensor([1.0, 2.0, 5.0], name="<b>")
    written = explain(np.mean(np.exp((m * m).named("<i>"))).named("J"))._repr_html_()
    notes = ET.fromstring(written.partition("</math>")[2])
    assert notes.text == "m = 3; d<i>: of the sum over examples, m times the gradient"


def test_what_has_no_notes_has_no_paragraph():
    explanation = explain(np.sum(Tensor(array(3), name="x") ** 2))
    assert explanation._repr_html_() == explanation.mathml()


def test_the_notes_of_a_network_of_neurons_for_a_notebook():
    model = MLP(2, [1], activation="tanh", seed=0)
    losses = [(model([0.5, y]) - y) ** 2 for y in (1.0, -1.0, 0.0)]
    written = explain(sum(losses) * (1 / 3))._repr_html_()
    notes = ET.fromstring(written.partition("</math>")[2])
    assert [*notes.itertext()] == ["m = 3", "Σ is over the examples, where it has no index"]


def test_steps_with_numbers_for_a_notebook():
    a, b, c = scalars(a=2, b=-3, c=10)
    written = explain(((a * b).named("d") + c).named("L"))._repr_html_()
    rows = ["".join(row.itertext()) for row in assert_shows(written).iter("mtr")]
    assert rows[0] == "d=a×b=2×(−3)=−6"
    assert rows[-1] == "∂L∂a=∂L∂d·∂d∂a=1·b=−3"


def test_indices_and_powers_in_steps():
    x1, w = scalars(x1=-1.5, w=2)
    written = explain((w * x1).named("v1") ** 2)._repr_html_()
    assert_shows(written)
    index = "<msub><mi>v</mi><mn>1</mn></msub>"
    assert f"<msup>{index}<mn>2</mn></msup>" in written
    assert f"<mrow><mi>∂</mi>{index}</mrow>" in written
    assert '<mo form="prefix">−</mo><mn>1.5</mn>' in written


@pytest.mark.parametrize("strange", [*STRANGE, "x²", "²", "∂x", "a/b", "(", "1e5"])
def test_strange_names_in_steps(strange):
    x, y = scalars(x=1, y=-2)
    assert_shows(explain((x.named(strange) * y).tanh() ** 2)._repr_html_())


def test_lines_of_the_index_form():
    written = line("∂E/∂w_ij[2]", "Σ_i w_ij[1]", "+", Symbol("x_i"))
    assert words(f"<math>{written}</math>") == "∂E∂wij[2]∑iwij[1]+xi"
