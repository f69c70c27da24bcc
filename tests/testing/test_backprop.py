"""check_backprop: each wrong equation is blamed once, errors carried forward are not."""

import numpy as np
import pytest

from micrograd_nn import Linear, Sequential, Tensor, Value
from micrograd_nn import functional as F
from micrograd_nn.testing import GradientError, check_backprop

N, EMBEDDING, CONTEXT, HIDDEN, LETTERS = 32, 10, 3, 64, 27


def exercise():
    """Return inputs and forward pass of Karpathy's "Becoming a backprop ninja"."""
    rng = np.random.default_rng(2147483647)
    X = rng.integers(0, LETTERS, (N, CONTEXT))
    y = rng.integers(0, LETTERS, N)
    inputs = {
        "C": rng.normal(size=(LETTERS, EMBEDDING)),
        "W1": rng.normal(size=(EMBEDDING * CONTEXT, HIDDEN)) * 0.3,
        "b1": rng.normal(size=HIDDEN) * 0.1,
        "W2": rng.normal(size=(HIDDEN, LETTERS)) * 0.1,
        "b2": rng.normal(size=LETTERS) * 0.1,
        "bngain": rng.normal(size=(1, HIDDEN)) * 0.1 + 1.0,
        "bnbias": rng.normal(size=(1, HIDDEN)) * 0.1,
    }

    def forward(C, W1, b1, W2, b2, bngain, bnbias):
        emb = C[X]
        embcat = emb.reshape(N, -1)
        hprebn = embcat @ W1 + b1
        bnmeani = 1 / N * hprebn.sum(0, keepdims=True)
        bndiff = hprebn - bnmeani
        bndiff2 = bndiff**2
        bnvar = 1 / (N - 1) * bndiff2.sum(0, keepdims=True)
        bnvar_inv = (bnvar + 1e-5) ** -0.5
        bnraw = bndiff * bnvar_inv
        hpreact = bngain * bnraw + bnbias
        h = np.tanh(hpreact)
        logits = h @ W2 + b2
        logit_maxes = logits.max(1, keepdims=True)
        norm_logits = logits - logit_maxes
        counts = np.exp(norm_logits)
        counts_sum = counts.sum(1, keepdims=True)
        counts_sum_inv = counts_sum**-1
        probs = counts * counts_sum_inv
        logprobs = np.log(probs)
        loss = -logprobs[np.arange(N), y].mean()
        if not isinstance(C, np.ndarray):
            return loss
        return {k: v for k, v in locals().items() if isinstance(v, np.ndarray)}

    return inputs, forward, X, y


def hand_derived(values, X, y, slip=""):
    """Return the 26 gradients of the exercise, perhaps with one slip."""
    v = values
    d = {}
    d["logprobs"] = np.zeros((N, LETTERS))
    d["logprobs"][np.arange(N), y] = -1.0 / N
    d["probs"] = d["logprobs"] / v["probs"]
    d["counts_sum_inv"] = (v["counts"] * d["probs"]).sum(1, keepdims=True)
    d["counts_sum"] = -(v["counts_sum"] ** -2) * d["counts_sum_inv"]
    d["counts"] = v["counts_sum_inv"] * d["probs"] + d["counts_sum"]
    d["norm_logits"] = v["counts"] * d["counts"]
    d["logit_maxes"] = -d["norm_logits"].sum(1, keepdims=True)
    largest = np.eye(LETTERS)[v["logits"].argmax(1)]
    d["logits"] = d["norm_logits"] + largest * d["logit_maxes"]
    d["h"] = d["logits"] @ v["W2"].T
    d["W2"] = v["h"].T @ d["logits"]
    d["b2"] = d["logits"].sum(0)
    slope = 1.0 - v["h"] if slip == "1 - h" else 1.0 - v["h"] ** 2
    d["hpreact"] = slope * d["h"]
    d["bngain"] = (v["bnraw"] * d["hpreact"]).sum(0, keepdims=True)
    d["bnbias"] = d["hpreact"].sum(0, keepdims=True)
    d["bnraw"] = v["bngain"] * d["hpreact"]
    d["bnvar_inv"] = (v["bndiff"] * d["bnraw"]).sum(0, keepdims=True)
    eps = 0.0 if slip == "eps" else 1e-5
    d["bnvar"] = -0.5 * (v["bnvar"] + eps) ** -1.5 * d["bnvar_inv"]
    free = N if slip == "n" else N - 1
    d["bndiff2"] = 1.0 / free * np.ones((N, HIDDEN)) * d["bnvar"]
    d["bndiff"] = v["bnvar_inv"] * d["bnraw"] + 2 * v["bndiff"] * d["bndiff2"]
    d["bnmeani"] = -d["bndiff"].sum(0, keepdims=True)
    d["hprebn"] = d["bndiff"] + 1.0 / N * d["bnmeani"]
    d["embcat"] = d["hprebn"] @ v["W1"].T
    d["W1"] = v["embcat"].T @ d["hprebn"]
    d["b1"] = d["hprebn"].sum(0)
    d["emb"] = d["embcat"].reshape(N, CONTEXT, EMBEDDING)
    d["C"] = np.zeros((LETTERS, EMBEDDING))
    np.add.at(d["C"], X, d["emb"])
    return d


def test_the_whole_exercise_is_right():
    inputs, forward, X, y = exercise()
    grads = hand_derived(forward(**inputs), X, y)
    marks = check_backprop(forward, grads, inputs=inputs)
    assert len(marks.marks) == 26
    assert marks.blamed == []
    assert "26 of 26" in str(marks)


@pytest.mark.parametrize(
    ("slip", "blamed"), [("1 - h", "hpreact"), ("n", "bndiff2"), ("eps", "bnvar")]
)
def test_one_slip_is_blamed_on_one_equation(slip, blamed):
    inputs, forward, X, y = exercise()
    values = forward(**inputs)
    grads, right = hand_derived(values, X, y, slip), hand_derived(values, X, y)
    carried = [name for name in grads if not np.allclose(grads[name], right[name], 1e-9, 0)]
    assert len(carried) > 5  # most of the gradients are wrong by the one slip
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, grads, inputs=inputs)
    assert raised.value.blamed == [blamed]
    assert f"✗ d{blamed}" in str(raised.value)
    assert "test_backprop.py" in str(raised.value)  # the line of the forward computation


def test_two_slips_are_blamed_on_two_equations():
    inputs, forward, X, y = exercise()
    grads = hand_derived(forward(**inputs), X, y)
    wrong = hand_derived(forward(**inputs), X, y, "1 - h")
    wrong["W2"] = -grads["W2"]
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, wrong, inputs=inputs)
    assert sorted(raised.value.blamed) == ["W2", "hpreact"]


def network():
    """Return a recorded forward pass on column-stacked examples, as in the articles."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 7)), rng.integers(0, 2, (1, 7)).astype(float)
    W1, b1 = Tensor(rng.normal(size=(4, 2)), name="W1"), Tensor(np.zeros((4, 1)), name="b1")
    W2, b2 = Tensor(rng.normal(size=(1, 4)), name="W2"), Tensor(np.zeros((1, 1)), name="b2")

    def forward():
        Z1 = (W1 @ X + b1).named("Z1")
        A1 = F.tanh(Z1).named("A1")
        Z2 = (W2 @ A1 + b2).named("Z2")
        return F.binary_cross_entropy_with_logits(Z2, Y)

    W1a, W2a = W1.data.copy(), W2.data.copy()
    A1 = np.tanh(W1a @ X)
    dZ2 = (1 / (1 + np.exp(-W2a @ A1)) - Y) / 7
    dA1 = W2a.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    grads = {
        "dZ2": dZ2, "dW2": dZ2 @ A1.T, "db2": dZ2.sum(1, keepdims=True),
        "dA1": dA1, "dZ1": dZ1, "dW1": dZ1 @ X.T, "db1": dZ1.sum(1, keepdims=True),
    }  # fmt: skip
    return forward, grads


def test_a_recorded_function_that_names_its_values():
    forward, grads = network()
    assert check_backprop(forward, grads).blamed == []
    assert check_backprop(forward(), grads).blamed == []  # its result will do, too
    assert [m.name for m in check_backprop(forward, grads, wrt=["Z1", "dW2"]).marks] == ["W2", "Z1"]


def test_the_articles_without_their_mean():
    forward, grads = network()
    grads["dW2"] = grads["dW2"] * 7
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, grads)
    assert raised.value.blamed == ["W2"]


def test_what_is_missing_is_computed():
    forward, grads = network()
    for name in ("dA1", "dZ2"):
        del grads[name]
    grads["dW1"] = grads["dW1"] + 1e-6
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, grads)
    assert raised.value.blamed == ["W1"]


def test_a_wrong_shape_is_told_and_not_used():
    forward, grads = network()
    grads["dA1"] = grads["dA1"].T
    with pytest.raises(GradientError, match=r"transposed") as raised:
        check_backprop(forward, grads)
    assert raised.value.blamed == ["A1"]
    grads["dA1"] = np.zeros(3)
    told = r"dA1: got shape \(3,\), should be \(4, 7\), the shape of A1"
    with pytest.raises(GradientError, match=told) as raised:
        check_backprop(forward, grads)
    assert raised.value.blamed == ["A1"]
    assert "nan" not in str(raised.value)


def test_nan_is_wrong_and_not_carried_on():
    forward, grads = network()
    grads["dA1"] = np.full((4, 7), np.nan)
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, grads)
    assert raised.value.blamed == ["A1"]


def test_scalars_and_a_value_that_the_loss_does_not_see():
    def forward(a, b, c):
        e = a * b
        unused = e * c
        L = e + a
        assert unused is not None
        return L

    inputs = {"a": 2.0, "b": -3.0, "c": 10.0}
    right = {"e": 1.0, "a": -2.0, "b": 2.0, "c": 0.0, "unused": 0}
    assert check_backprop(forward, right, inputs=inputs).blamed == []
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, {**right, "c": 1.0}, inputs=inputs)
    assert raised.value.blamed == ["c"]


def test_float32():
    x = np.linspace(-2, 2, 9, dtype=np.float32)

    def forward(x):
        a = np.tanh(x)
        return (a * a).sum()

    a = np.tanh(x)
    grads = {"a": 2 * a, "x": 2 * a * (1 - a * a)}
    assert check_backprop(forward, grads, inputs={"x": x}).blamed == []
    grads["x"] = grads["x"] * np.float32(1.001)
    with pytest.raises(GradientError):
        check_backprop(forward, grads, inputs={"x": x})


# ------------------------------------------------------------------ values known by variables

x = np.arange(1.0, 5.0)


def mean_of_squares(w):
    Z = w * x
    A = np.tanh(Z)
    return np.mean(A * A)


def by_hand(w=0.5):
    """Return the gradients by A, Z and w as the articles have them."""
    A = np.tanh(w * x)
    dA = 2 * A
    dZ = dA * (1 - A**2)
    return {"dA": dA, "dZ": dZ, "dw": np.sum(dZ * x) / 4}


@pytest.mark.parametrize("names", [["dZ", "dw"], ["dA", "dZ", "dw"], ["dw"], ["dA", "dw"]])
def test_the_articles_convention_of_values_known_by_variables(names):
    grads = {name: by_hand()[name] for name in names}
    inputs = {"w": 0.5}
    marks = check_backprop(mean_of_squares, grads, inputs=inputs, convention="articles")
    assert marks.blamed == []
    inner = {name: grads[name] / (1 if name == "dw" else 4) for name in names}
    assert check_backprop(mean_of_squares, inner, inputs=inputs).blamed == []


def right_of(forward, grads, **options):
    with pytest.raises(GradientError) as raised:
        check_backprop(forward, grads, **options)
    return [
        line.strip() for line in str(raised.value).split("\n") if line.strip().startswith("right: ")
    ]


def test_the_right_equation_of_the_gradient_itself():
    wrong = {"dA": np.ones(4), "dZ": np.ones(4), "dw": 0.0}
    assert right_of(mean_of_squares, wrong, inputs={"w": 0.5}) == [
        "right: dA = 2/m A  (m = 4)",
        "right: dZ = dA ∘ (1 − A²)",
        "right: dw = Σ dZ ∘ x",
    ]
    assert right_of(mean_of_squares, wrong, inputs={"w": 0.5}, convention="articles") == [
        "right: dA = 2 A",
        "right: dZ = dA ∘ (1 − A²)",
        "right: dw = 1/m Σ dZ ∘ x  (m = 4)",
    ]


def test_the_right_equation_where_no_inner_value_has_a_name():
    w = Value(0.5, name="w")
    root = np.mean((w * x) ** 2)
    assert right_of(root, {"dw": 0.0}) == ["right: dw = 2/m w Σ Y²  (m = 4)"]


def test_a_plain_array_is_called_as_the_variable_that_holds_it():
    negative = -x

    def forward(w):
        weights = np.array([1.0, 3.0, 2.0, 5.0])
        return np.sum(np.tanh(w * negative) * weights)

    assert right_of(forward, {"dw": 0.0}, inputs={"w": 0.5}) == [
        "right: dw = Σ weights ∘ (1 − tanh(w negative)²) ∘ negative"
    ]


def test_a_value_that_several_variables_hold():
    def forward(w):
        Z = w * x
        scores = Z
        return np.mean(np.tanh(scores) ** 2)

    grads = {"dscores": by_hand()["dZ"], "dw": by_hand()["dw"]}
    assert check_backprop(forward, grads, inputs={"w": 0.5}, convention="articles").blamed == []


def test_a_gradient_that_articles_leave_out_is_right_in_their_convention():
    Y = np.array([[1.0, 0.0, 1.0]])

    def forward(W):
        A = F.sigmoid(W @ x[None, :3])
        return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))

    A = 1 / (1 + np.exp(-0.5 * x[None, :3]))
    grads = {"dA": (1 - Y) / (1 - A) - Y / A, "dW": (A - Y) @ x[:3, None] / 3}
    inputs = {"W": np.array([[0.5]])}
    assert check_backprop(forward, grads, inputs=inputs, convention="articles").blamed == []


def test_two_means_in_the_articles_convention():
    def forward(u, v):
        A = np.exp(u)
        B = np.sin(v)
        return np.mean(A * A) + np.mean(B * B)

    u, v = np.array([0.5, -1.0, 2.0]), np.array([0.3, 1.0, -2.0, 0.1])
    grads = {
        "dA": 2 * np.exp(u), "dB": 2 * np.sin(v),
        "du": 2 * np.exp(2 * u) / 3, "dv": 2 * np.sin(v) * np.cos(v) / 4,
    }  # fmt: skip
    inputs = {"u": u, "v": v}
    assert check_backprop(forward, grads, inputs=inputs, convention="articles").blamed == []


def test_the_right_equation_of_a_vector_times_a_matrix():
    def forward(W, v):
        z = W @ v
        return np.sum(np.sin(z))

    inputs = {"W": np.ones((2, 3)), "v": np.array([1.0, 2.0, 3.0])}
    wrong = {"dW": np.zeros((2, 3)), "dv": np.zeros(3)}
    assert right_of(forward, wrong, inputs=inputs) == ["right: dW = dz vᵀ", "right: dv = Wᵀ dz"]


def test_a_network_of_layers():
    model = Sequential(Linear(3, 2, seed=0), "sigmoid", Linear(2, 1, seed=1))
    x = np.random.default_rng(0).normal(size=(5, 3))

    def forward():
        return F.mse(model(x), np.ones((5, 1)))

    root = forward()
    root.backward()
    grads = {p.name: p.grad for p in model.parameters()}
    assert check_backprop(forward, grads).blamed == []


def test_errors_say_what_to_do():
    forward, grads = network()
    with pytest.raises(KeyError, match=r"no value named 'Z9'.*There are: .*W1"):
        check_backprop(forward, {"Z9": 1.0})
    with pytest.raises(KeyError, match=r"no gradient was given for b1"):
        check_backprop(forward, {"W1": grads["dW1"]}, wrt=["b1"])
    with pytest.raises(ValueError, match=r"given twice"):
        check_backprop(forward, {"W1": 1.0, "dW1": 1.0})
    with pytest.raises(TypeError, match=r"inputs="):
        check_backprop(lambda: 3.0, {})
    with pytest.raises(TypeError, match=r"must be numbers"):
        check_backprop(forward, {"W1": "much"})
    x = Value(2.0, name="x")
    with pytest.raises(ValueError, match=r"2 values are named 'x'"):
        check_backprop(lambda: x * Value(3.0, name="x"), {"x": 1.0})
