"""Layers, losses, and which values get an equation."""

import numpy as np
import pytest
from programs import array, backward, check, given, l_layers, linear_model, lines, run, two_layers

import micrograd_nn.functional as F
from micrograd_nn import Linear, Sequential, Tensor, Value, explain, no_grad
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import table
from micrograd_nn.nn.layers import BatchNorm, Dropout, Flatten, LayerNorm
from micrograd_nn.readers.explain import reading
from micrograd_nn.readers.explain.derive import derive


def model_loss(model, X=None, loss=F.mse):
    out = model(given(array(6, 2) if X is None else X, "X"))
    Y = array(*out.shape, seed=3)
    return loss(out, Y if loss is F.mse else Y > 0).named("L")


def run_and_compare(root):
    explanation = explain(root)
    root.backward()
    _, gradients = run(explanation)
    leaves = {n for n in toposort(root) if n.op is None and n.requires_grad}
    assert len(gradients) == len(leaves)
    by_size = sorted((np.sort(np.ravel(n.grad)).tolist() for n in leaves), key=str)
    found = sorted((np.sort(np.ravel(g)).tolist() for g in gradients.values()), key=str)
    np.testing.assert_allclose(np.sum([sum(g) for g in found]), np.sum([sum(g) for g in by_size]))
    return explanation


# ---------------------------------------------------------------------------------- layers


@pytest.mark.parametrize(
    ("layer", "forward", "gradient"),
    [
        (lambda: "relu", "A1 = relu(Z1)", "dZ1 = dA1 ∘ relu′(Z1)"),
        (lambda: "tanh", "A1 = tanh(Z1)", "dZ1 = dA1 ∘ (1 − A1²)"),
        (lambda: "sigmoid", "A1 = σ(Z1)", "dZ1 = dA1 ∘ A1 ∘ (1 − A1)"),
        (
            lambda: "leaky_relu",
            "A1 = leaky_relu(Z1, 0.01)",
            "dZ1 = dA1 ∘ leaky_relu′(Z1, 0.01)",
        ),
        (lambda: "gelu", "A1 = gelu(Z1)", "dZ1 = dA1 ∘ (Φ(Z1) + Z1 ∘ φ(Z1))"),
        (lambda: "silu", "A1 = silu(Z1)", "dZ1 = dA1 ∘ σ(Z1) ∘ (1 + Z1 ∘ (1 − σ(Z1)))"),
        (lambda: "softplus", "A1 = softplus(Z1)", "dZ1 = dA1 ∘ σ(Z1)"),
        (lambda: "elu", "A1 = elu(Z1, 1)", "dZ1 = dA1 ∘ elu′(Z1, 1)"),
        (lambda: "softmax", "A1 = softmax(Z1)", "dZ1 = A1 ∘ (dA1 − Σ dA1 ∘ A1)"),
        (lambda: Dropout(0.5, seed=0), "A1 = Z1 ∘ C", "dZ1 = dA1 ∘ C"),
        (lambda: LayerNorm(3), "N1 = (Z1 − μ) / √(σ² + 10⁻⁵)", "dN1 = dA1 ∘ w2"),
        (lambda: BatchNorm(3), "N1 = (Z1 − μ) / √(σ² + 10⁻⁵)", "dN1 = dA1 ∘ w2"),
        (lambda: BatchNorm(3).eval(), "A1 = (Z1 − C) ∘ C2 ∘ w2 + b2", "dZ1 = dA1 ∘ w2 ∘ C2"),
        (lambda: Sequential("tanh"), "A1 = tanh(Z1)", "dZ1 = dA1 ∘ (1 − A1²)"),
    ],
)
def test_layers(layer, forward, gradient):
    hidden = layer()
    model = Sequential(Linear(2, 3, seed=0), hidden, Linear(3, 1, seed=1))
    if isinstance(hidden, BatchNorm) and not hidden.training:
        hidden.running_mean, hidden.running_var = array(3), np.abs(array(3))
        model[1].eval() if hasattr(model, "__getitem__") else None
    explanation = run_and_compare(model_loss(model))
    assert forward in lines(explanation)
    assert gradient in backward(explanation)


def test_a_layer_without_bias():
    assert backward(check(model_loss(Linear(2, 1, bias=False, seed=0)))) == [
        "dZ1 = 2 (Z1 − Y)",
        "dW = 1/m dZ1ᵀ X",
    ]


def test_flatten_is_not_shown():
    model = Sequential(Flatten(), Linear(6, 1, seed=0))
    written = lines(run_and_compare(model_loss(model, array(4, 2, 3))))
    assert written[0] == "Z1 = X W1ᵀ + b1"


def test_nested_models():
    inner = Sequential(Linear(2, 3, seed=0), "gelu")
    model = Sequential(inner, Sequential(Linear(3, 3, seed=1), "sigmoid"))
    written = lines(run_and_compare(model_loss(model, loss=F.binary_cross_entropy)))
    assert written[:4] == ["Z1 = X W1ᵀ + b1", "A1 = gelu(Z1)", "Z2 = A1 W2ᵀ + b2", "A2 = σ(Z2)"]
    assert "dZ2 = A2 − Y" in written


def test_a_layer_that_is_used_twice():
    layer = Linear(2, 2, seed=0)
    hidden = np.tanh(layer(given(array(5, 2), "X")))
    root = F.mse(np.tanh(layer(hidden)), array(5, 2, seed=1)).named("L")
    assert backward(check(root))[-2:] == [
        "dW = 1/m (dZ2ᵀ tanh(Z1) + dZ1ᵀ X)",
        "db = 1/m (Σ dZ2 + Σ dZ1)",
    ]


# --------------------------------------------------------------------------------- vectors


def vector(name, *shape, seed=0):
    return Tensor(array(*shape, seed=seed), name=name)


@pytest.mark.parametrize(
    ("make", "forward", "gradients"),
    [
        (
            lambda W, V, x, y: W @ x,
            "z = W x",
            ["dW = dz xᵀ", "dx = Wᵀ dz"],
        ),
        (
            lambda W, V, x, y: y @ W,
            "z = Wᵀ y",
            ["dy = W dz", "dW = y dzᵀ"],
        ),
        (
            lambda W, V, x, y: x @ vector("u", 3, seed=4),
            "z = xᵀ u",
            ["dx = dz u", "du = dz x"],
        ),
        (
            lambda W, V, x, y: y @ W @ x,
            "z = yᵀ W x",
            ["dy = dz W x", "dW = dz y xᵀ", "dx = dz Wᵀ y"],
        ),
        (
            lambda W, V, x, y: F.linear(x, W, y),
            "z = W x + y",
            ["dx = Wᵀ dz", "dW = dz xᵀ", "dy = dz"],
        ),
        (
            lambda W, V, x, y: V.T @ x,
            "z = Vᵀ x",
            ["dV = x dzᵀ", "dx = V dz"],
        ),
        (
            lambda W, V, x, y: vector("w", 1, 3) @ x,
            "z = w x",
            ["dw = dz xᵀ", "dx = wᵀ dz"],
        ),
        (
            lambda W, V, x, y: x @ vector("w", 3, 1),
            "z = wᵀ x",
            ["dx = w dz", "dw = x dzᵀ"],
        ),
        (
            lambda W, V, x, y: np.outer(y, x),
            "z = y xᵀ",
            ["dy = Σ dz ∘ x", "dx = Σ dz ∘ y"],
        ),
        (
            lambda W, V, x, y: vector("S", 2, 4, 3) @ x,
            "z = S x",
            ["dS = dz xᵀ", "dx = Σ Sᵀ dz"],
        ),
        (
            lambda W, V, x, y: x @ vector("S", 2, 3, 4),
            "z = xᵀ S",
            ["dx = Σ S dz", "dS = x dzᵀ"],
        ),
    ],
)
def test_products_of_vectors(make, forward, gradients):
    leaves = vector("W", 4, 3), vector("V", 3, 4), vector("x", 3), vector("y", 4)
    z = make(*leaves).named("z")
    explanation = check(np.sum(np.sin(z)).named("L"))
    assert lines(explanation)[0] == forward
    assert backward(explanation) == ["dz = cos(z)", *gradients]


def test_products_of_vectors_in_a_network_of_two_layers():
    x, t = given(array(3), "x"), given(array(2), "t")
    a = np.tanh((vector("W", 4, 3) @ x + vector("b", 4)).named("z")).named("a")
    y = (vector("V", 2, 4) @ a).named("y")
    explanation = check(np.sum((y - t) ** 2).named("L"))
    assert backward(explanation) == [
        "dy = 2 (y − t)",
        "dV = dy aᵀ",
        "da = Vᵀ dy",
        "dz = da ∘ (1 − a²)",
        "dW = dz xᵀ",
        "db = dz",
    ]
    assert "dW = np.outer(dz, x)" in explanation.numpy()
    assert "da = V.T @ dy" in explanation.numpy()


def test_a_gradient_of_ones_times_a_vector():
    x = vector("x", 3)
    assert backward(check(np.sum(vector("W", 4, 3) @ x).named("L"))) == ["dW = 𝟏 xᵀ", "dx = Wᵀ 𝟏"]
    assert backward(check(np.sum(x @ vector("W", 3, 4)).named("L"))) == ["dx = W 𝟏", "dW = x 𝟏ᵀ"]
    assert backward(check(np.sum(vector("W", 1, 3) @ x).named("L"))) == ["dW = xᵀ", "dx = Wᵀ"]


def test_a_column_that_is_scaled_by_one_number_is_no_product_of_vectors():
    X, w = vector("X", 4, 1), vector("w", 1)
    assert lines(check(np.sum(np.tanh(X * w)).named("L")))[0] == "L = Σ tanh(X ∘ w)"


# ---------------------------------------------------------------------------------- losses

LOSSES = {
    "mse": (F.mse, "1/m Σ (Z − Y)²", "dZ = 2 (Z − Y)"),
    "half_mse": (F.half_mse, "1/(2m) Σ (Z − Y)²", "dZ = Z − Y"),
    "mae": (F.mae, "1/m Σ |Z − Y|", "dZ = sign(Z − Y)"),
    "huber": (F.huber, "1/m Σ huber(Z − Y, 1)", "dZ = huber′(Z − Y, 1)"),
    "hinge": (F.hinge, "1/m Σ max(0, 1 − Y Z)", "dZ = hinge′(Z, Y)"),
    "logits": (F.binary_cross_entropy_with_logits, "1/m Σ bce(Z, Y)", "dZ = σ(Z) − Y"),
}
BINARY = (array(6, 1, seed=5) > 0).astype(float)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_of_scores(name, reduction):
    loss, forward, gradient = LOSSES[name]
    Y = {"hinge": 2 * BINARY - 1, "logits": BINARY}.get(name, array(6, 1, seed=5))
    Z, _, _ = linear_model(6)
    explanation = check(loss(Z, given(Y, "Y"), reduction=reduction).named("L"))
    if reduction == "sum":
        forward = forward.replace("1/m ", "").replace("1/(2m)", "1/2")
    assert f"L = {forward}" in lines(explanation)
    share = "1/m " if reduction == "mean" else ""
    assert backward(explanation) == [gradient, f"dW = {share}dZᵀ X", f"db = {share}Σ dZ"]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cross_entropies_of_probabilities(reduction):
    one_hot = np.eye(3)[[0, 2, 1, 1, 0, 2]]
    share = "1/m " if reduction == "mean" else ""
    for make, n, forward in [
        (
            lambda Z: F.binary_cross_entropy(F.sigmoid(Z).named("A"), BINARY, reduction),
            1,
            f"−{share}Σ (Y ∘ log(A) + (1 − Y) ∘ log(1 − A))",
        ),
        (
            lambda Z: F.categorical_cross_entropy(F.softmax(Z).named("A"), one_hot, reduction),
            3,
            f"−{share}Σ Y ∘ log(A)",
        ),
        (
            lambda Z: F.categorical_cross_entropy(
                F.softmax(Z).named("A"), [0, 2, 1, 1, 0, 2], reduction
            ),
            3,
            f"−{share}Σ Y ∘ log(A)",
        ),
    ]:
        Z, _, _ = linear_model(6, n)
        explanation = check(make(Z).named("L"))
        assert f"L = {forward}" in lines(explanation)
        assert backward(explanation)[0] == "dZ = A − Y"


@pytest.mark.parametrize("target", ["labels", "one-hot"])
def test_cross_entropy_of_logits(target):
    Y = np.array([0, 2, 1, 1, 0, 2])
    Z, _, _ = linear_model(6, 3)
    explanation = check(F.cross_entropy(Z, Y if target == "labels" else np.eye(3)[Y]).named("L"))
    assert "L = −1/m Σ Y ∘ log_softmax(Z)" in lines(explanation)
    assert backward(explanation)[0] == "dZ = softmax(Z) − Y"


@pytest.mark.parametrize("log1p", [False, True])
def test_a_row_for_y_log_p_is_read_as_its_formula(own, log1p):
    """So that losses may be recorded by such a row, which is 0 where y is."""
    name = "xlog1py" if log1p else "xlogy"
    if name in table:
        row = table[name]
    else:
        log = np.log1p if log1p else np.log
        below = (lambda p: 1 + p) if log1p else (lambda p: p)
        row = own(
            name,
            lambda y, p: y * log(p),
            (lambda g, z, y, p: g * log(p), lambda g, z, y, p: g * y / below(p)),
            kinks={"x == 0": "0"},
        )
    Z, _, _ = linear_model(6)
    P = F.sigmoid(Z).named("P")
    Y = given(BINARY, "Y")
    explanation = check((-np.sum(row(Y, -P if log1p else P))).named("L"))
    assert f"L = −Σ Y ∘ log({'1 − P' if log1p else 'P'})" in lines(explanation)
    assert f"def {name}(x, y):" in explanation.numpy()
    assert backward(explanation)[0] == ("dZ = Y ∘ P" if log1p else "dP = −Y / P")


def test_soft_iou():
    Z, _, _ = linear_model(6, 3)
    Y = (array(6, 3, seed=5) > 0).astype(float)
    check(F.soft_iou(F.sigmoid(Z).named("A"), given(Y, "Y")).named("L"))


def test_a_regulariser_of_absolute_values():
    Z, W, _ = linear_model()
    written = backward(check((F.mse(Z, array(6, 1)) + 0.1 * np.sum(np.abs(W))).named("J")))
    assert "dW = 1/m dZᵀ X + 0.1 sign(W)" in written


# ---------------------------------------------------------------------- what gets an equation


def test_a_value_that_is_used_once_and_has_no_name_is_inlined():
    X, W = given(array(5, 2), "X"), Tensor(array(1, 2), name="W")
    assert lines(check(np.mean((X @ W.T) ** 2).named("J")))[:3] == [
        "J = 1/m Σ (X Wᵀ)²",
        "",
        "dW = 2/m W Xᵀ X",
    ]


def test_a_value_with_a_name_or_of_several_uses_is_not():
    x = Tensor(array(3), name="x")
    y = np.exp(x)
    assert lines(check(np.sum(y * np.sin(y)).named("L")))[0] == "V1 = exp(x)"
    z = np.exp(x).named("z")
    assert lines(check(np.sum(np.sin(z)).named("L")))[0] == "z = exp(x)"


def test_a_gradient_that_is_long_gets_an_equation_and_its_value_too():
    W1, W2 = Tensor(array(3, 2), name="W1"), Tensor(array(1, 3), name="W2")
    root = np.mean((np.tanh(given(array(5, 2), "X") @ W1.T) @ W2.T) ** 2)
    explanation = check(root.named("J"))
    for equation in (*explanation.forward, *explanation.backward):
        assert len(str(equation.name)) < 5
    names = {e.name for e in explanation.forward}
    assert {e.of for e in explanation.backward} <= names | {"W1", "W2"}


def test_of_an_unnamed_hidden_layer_no_equation_is_long():
    root = two_layers()
    for node in toposort(root):
        if node.op is not None:
            node.name = None
    assert max(map(len, lines(check(root)))) < 75


def test_the_order_follows_the_graph_from_the_loss_down():
    names = [e.name for e in explain(l_layers((2, 3, 3, 1))).backward]
    assert names == [
        "dZ[3]", "dW[3]", "db[3]", "dA[2]", "dZ[2]", "dW[2]", "db[2]", "dA[1]", "dZ[1]", "dW[1]",
        "db[1]",
    ]  # fmt: skip


def test_without_merging_every_gradient_has_its_equation():
    made = derive(two_layers(), merge=False)
    assert made.backward[0].name == "dA2"


def test_a_leaf_that_only_steps_depend_on_has_gradient_0():
    x, w = Tensor(array(3), name="x"), Tensor(array(3), name="w")
    written = backward(check(np.sum(np.sign(x) * w).named("L")))
    assert written == ["dw = sign(x)", "dx = 0"]


# ------------------------------------------------------------------------------------ wrt


def test_wrt_a_leaf():
    root = two_layers()
    W2 = next(n for n in toposort(root) if n.name == "W2")
    assert backward(check(root, [W2])) == ["dZ2 = A2 − Y", "dW2 = 1/m dZ2 A1ᵀ"]


def test_wrt_an_inner_value_stops_there():
    root = two_layers()
    A1 = next(n for n in toposort(root) if n.name == "A1")
    explanation = explain(root, wrt=A1)
    assert lines(explanation)[0] == "Z2 = W2 A1 + b2"
    assert backward(explanation) == ["dZ2 = A2 − Y", "dA1 = 1/m W2ᵀ dZ2"]
    assert set(explanation.inputs) >= {"Y"}
    run(explanation)


def test_wrt_an_input():
    x = Tensor(array(4, 2), name="X")
    root = np.sum(np.tanh(x @ given(array(2, 3), "W"))).named("L")
    check(root, [x])


# ---------------------------------------------------------------------- second derivatives


def test_the_gradient_of_a_gradient():
    X = Tensor(array(4, 3), name="X")
    np.sum(np.sin(X) ** 3).backward(create_graph=True)
    explanation = check(np.sum(X.grad).named("L"), [X], tolerance=1e-13)
    assert lines(explanation)[0] == "L = 3 Σ sin(X)² ∘ cos(X)"


def test_the_gradient_of_a_network_twice():
    root = two_layers()
    leaves = {n.name: n for n in toposort(root) if n.op is None}
    root.backward(create_graph=True)
    penalty = np.sum(leaves["W1"].grad ** 2).named("P")
    check(penalty, [leaves["W1"], leaves["W2"]], tolerance=1e-11, textbook=1e-9, floor=1e-3)


# ------------------------------------------------------------------------ operations of one's own


@pytest.mark.parametrize(
    ("notation", "written"),
    [
        ("swish({})", "swish(x + 1)"),
        ("{}³", "(x + 1)³"),
        ("‖{}‖", "‖x + 1‖"),
        ("∇{}", "∇(x + 1)"),
        ("", "odd_one(x + 1)"),
        ("⟨{}⟩ ⊕ 1", "(⟨(x + 1)⟩ ⊕ 1)"),
    ],
)
def test_the_notation_of_an_operation(own, notation, written):
    row = own("odd_one", lambda x: x**3, lambda g, z, x: 3 * g * x * x, notation=notation)
    x, y = Tensor(array(3), name="x"), Tensor(array(3), name="y")
    explanation = check(np.sum(row(x + 1) * y).named("L"))
    assert lines(explanation)[0] == f"L = Σ {written} ∘ y"
    explanation.latex()
    explanation.mathml()


def test_an_operation_of_two_arguments_in_its_notation(own):
    def forward(x, y):
        return ((x - y) ** 2).sum()

    rules = (lambda g, z, x, y: 2 * g * (x - y), lambda g, z, x, y: -2 * g * (x - y))
    row = own("odd_distance", forward, rules, notation="‖{} − {}‖²", elementwise=False)
    x, y = Tensor(array(3), name="x"), Tensor(array(3, seed=1), name="y")
    explanation = check(row(x, y).named("L"))
    assert lines(explanation) == ["L = ‖x − y‖²", "", "dx = 2 (x − y)", "dy = −2 (x − y)"]
    assert r"L &= \|x - y\|^{2}" in explanation.latex()


def test_an_operation_with_a_parameter(own):
    def rule(g, z, x, *, k):
        return g * k * (1 - z * z)

    row = own("odd_tanh", lambda x, k: np.tanh(k * x), rule)
    x = Tensor([1.0, 2.0], name="x")
    root = np.sum(row(x, k=0.5) + row(x, k=2.0)).named("L")
    assert backward(check(root)) == ["dx = odd_tanh′(x) + odd_tanh′(x)"]  # of another k each
    explained = explain(row(Value(1.0, name="x"), k=0.5).named("L"))
    assert run(explained)[1]["x"] == pytest.approx(0.5 * (1 - np.tanh(0.5) ** 2), rel=1e-15)


def test_the_textbook_form_of_an_operation(own):
    row = own("odd_cube", lambda x: x**3, lambda g, z, x: 3 * g * x * x, textbook=("3 * {0}**2",))
    assert backward(check(np.sum(row(Tensor(array(3), name="x"))).named("L"))) == ["dx = 3 x²"]


# ----------------------------------------------------------------------------- the graph stays


def test_the_graph_and_its_gradients_are_as_before():
    root = two_layers()
    root.backward()
    nodes = toposort(root)
    before = [(n.name, n.op, n.inputs, np.copy(n.data), np.copy(n.grad)) for n in nodes]
    explanation = explain(root)
    first = (str(explanation), explanation.latex(), explanation.mathml(), explanation.numpy())
    again = explain(root)
    assert (str(again), again.latex(), again.mathml(), again.numpy()) == first
    for node, (name, op, inputs, data, grad) in zip(toposort(root), before, strict=True):
        assert (node.name, node.op, node.inputs) == (name, op, inputs)
        np.testing.assert_array_equal(node.data, data)
        np.testing.assert_array_equal(node.grad, grad)


def test_it_works_where_nothing_is_recorded():
    root = two_layers()
    expected = str(explain(root))
    with no_grad():
        assert str(explain(root)) == expected


# ------------------------------------------------------------------------------- large graphs


def test_fifty_layers():
    A = given(array(4, 3), "X")
    for k in range(1, 51):
        A = np.tanh(A @ Tensor(array(3, 3, seed=k)))
    explanation = explain(np.mean(A * A))
    assert max(map(len, lines(explanation))) < 90
    assert len(explanation.backward) > 50


def test_a_deep_chain_without_names():
    x = Tensor(array(3), name="x")
    y = x
    for _ in range(5000):
        y = np.sin(y)
    explanation = explain(np.sum(y))
    assert max(map(len, lines(explanation))) < 120
    assert " more lines …" in str(explanation)
    compile(explanation.numpy(), "<source>", "exec")


def test_a_wide_sum():
    x = Tensor(array(3), name="x")
    root = sum(np.sum(np.sin(x * float(k))) for k in range(1, 400))
    explanation = explain(root.named("L"))
    assert max(map(len, lines(explanation))) < 400
    assert " more …" in str(explanation)
    x.zero_grad()
    root.backward()
    np.testing.assert_allclose(run(explanation)[1]["x"], x.grad, rtol=1e-12)


def test_the_work_is_in_proportion_to_the_graph(monkeypatch):
    read, count = reading._read, [0]

    def counted(*args):
        count[0] += 1
        return read(*args)

    monkeypatch.setattr(reading, "_read", counted)

    def work(n):
        y = Tensor(array(3), name="x")
        for _ in range(n):
            y = np.sin(y)
        count[0] = 0
        explain(np.sum(y))
        return count[0]

    assert work(6000) < 2.2 * work(3000)


def test_values_and_tensors_together():
    w = Value(0.5, name="w")
    X = given(array(4, 2), "X")
    check(np.mean(np.tanh(X * w) ** 2).named("J"))
    a, b = Value(0.5, name="a"), Value(-1.0, name="b")
    check(F.cross_entropy(np.stack([a * b, a + b, a]).reshape(1, 3), [1]).named("J"))
