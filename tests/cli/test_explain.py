import pytest

from micrograd_nn.nn.activations import ACTIVATIONS


def test_an_expression(mn):
    result = mn("explain", "sigmoid(w*x + b)", "--wrt", "w")
    assert result.code == 0
    assert result.out == " L = σ(w · x + b)\n\ndw = L · (1 − L) · x\n"


def test_an_expression_with_numbers(mn):
    result = mn("explain", "a*b + c", "--set", "a=2", "--set", "b=-3", "--set", "c=10")
    assert "v1 = a × b = 2 × (−3) = −6\n" in result.out
    assert "∂L/∂a = ∂L/∂v1 · ∂v1/∂a = 1 · b = −3\n" in result.out


def test_formats(mn):
    written = {f: mn("explain", "sigmoid(w*x + b)", "--format", f).out for f in FORMATS}
    assert written["latex"].startswith(
        "\\begin{aligned}\nL &= \\sigma\\left(w \\cdot x + b\\right)"
    )
    assert written["mathml"].startswith("<math")
    compile(written["numpy"], "<source>", "exec")
    assert 'return L, {"w": dw, "x": dx, "b": db}' in written["numpy"]


FORMATS = ("text", "latex", "mathml", "numpy")


def test_a_network(mn):
    result = mn("explain", "--network", "2-4-6-6-4-1")
    assert result.code == 0
    for equation in (
        "dZ[5] = A[5] − Y",
        "dW[5] = 1/m dZ[5] A[4]ᵀ",
        "db[5] = 1/m Σ dZ[5]",
        "dA[4] = W[5]ᵀ dZ[5]",
        "dZ[4] = dA[4] ∘ relu′(Z[4])",
        "dW[1] = 1/m dZ[1] Xᵀ",
    ):
        assert equation in result.out
    assert mn("explain", "--network", "2-3-1", "--activation", "tanh").out.count("tanh") == 1


def test_activations(mn):
    for activation in ACTIVATIONS:
        assert (
            "dZ[2] = A[2] − Y"
            in mn("explain", "--network", "2-3-1", "--activation", activation).out
        )
    identity = mn("explain", "--network", "2-3-1", "--activation", "identity").out
    assert "Z[2] = W[2] Z[1] + b[2]" in identity


def test_wide_layers_cost_nothing(mn):
    assert mn("explain", "--network", "100000-100000-1").code == 0


def test_a_network_in_other_formats(mn):
    for form in FORMATS:
        assert mn("explain", "--network", "2-3-1", "--format", form).code == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "give either an expression or --network SIZES"),
        (("x*y", "--network", "2-1"), "give either an expression or --network SIZES"),
        (("x",), "a name alone"),
        (("2 + 3",), "has no variable"),
        (("x*y", "--wrt", "q"), "there is no 'q' in the expression, only x, y"),
        (("x*y", "--set", "q=1"), "there is no 'q' in the expression"),
        (("x*y", "--set", "x=one"), "--set takes NAME=NUMBER"),
        (("x*y", "--set", "x"), "--set takes NAME=NUMBER"),
        (("__import__('os')",), ""),
        (("x.y",), ""),
        (("x +",), ""),
        (("--network", "2"), "--network takes the sizes of layers"),
        (("--network", "2-x-1"), "--network takes the sizes of layers"),
        (("--network", "2-0-1"), "sizes from 1 to"),
        (("--network", "2-4-3"), "the last layer must have 1 unit"),
        (("--network", "2-4-1", "--activation", "mse3"), "no activation 'mse3'"),
        (("--network", "2-4-1", "--activation", "mse"), "no activation 'mse'"),
        (("--network", "2-4-1", "--wrt", "W"), "go with an expression"),
        (("x*y", "--format", "pdf"), "pdf"),
    ],
)
def test_bad_usage(mn, arguments, error):
    result = mn("explain", *arguments)
    assert result.code == 2
    assert error in result.err
    assert "Traceback" not in result.err


def test_nothing_is_evaluated(mn, folder):
    mn("explain", "open('made', 'w')")
    assert not (folder / "made").exists()


def test_a_name_is_set_once(mn, folder):
    result = mn("explain", "a*b", "--set", "a=2", "--set", "a=3")
    assert result.code == 2
    assert "--set gives 'a' twice" in result.error
