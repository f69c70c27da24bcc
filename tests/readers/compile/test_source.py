"""The source of a program runs on its own, and computes what the program does."""

import ast

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import MLP, Adam, Linear, Sequential, Tensor, Value, compile


def dense():
    rng = np.random.default_rng(0)
    X, y = (
        Tensor(rng.normal(size=(5, 2)), requires_grad=False, name="X"),
        Tensor(rng.normal(size=(5, 1)), requires_grad=False),
    )
    model = Sequential(Linear(2, 4, seed=0), "tanh", Linear(4, 1, seed=1))
    return X, y, model, F.mse(model(X), y).named("J")


def tensors(names="X W b"):
    rng = np.random.default_rng(0)
    a, b, c = names.split()
    return (
        Tensor(rng.normal(size=(4, 2)), requires_grad=False, name=a),
        Tensor(rng.normal(size=(3, 2)), name=b),
        Tensor(rng.normal(size=3), name=c),
    )


def graph(names="X W b"):
    X, W, b = tensors(names)
    return X, W, b, (F.tanh(X @ W.T + b) ** 2).mean().named("J")


def test_the_source_runs_on_its_own():
    X, W, _, _ = graph()
    root = (F.tanh(X @ W.T) ** 2).mean()
    program = compile(root, inputs=[X], wrt=[W])
    value, (dW,) = program(X.data)
    space = {}
    exec(program.source, space)  # noqa: S102 (it is what is tested)
    given = {"X": X.data, "W": W.data}
    function = space["program"]
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    found = function(*(given[name] for name in names))
    assert np.array_equal(found[0], value)
    assert np.array_equal(found[1], dW)


def test_the_source_holds_its_constants():
    X, W, b, root = graph()
    program = compile(root, inputs=[X], wrt=[W, b])
    space = {}
    exec(program.source, space)  # noqa: S102 (it is what is tested)
    assert np.array_equal(space["program"](X.data, W.data, b.data)[0], program(X.data)[0])


def test_the_source_speaks_of_the_names_in_the_graph():
    X, W, b, root = graph()
    source = compile(root, inputs=[X], wrt=[W, b]).source
    for name in ("X", "W", "b", "dW", "db", "J"):
        assert name in {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)} | {
            n.arg for n in ast.walk(ast.parse(source)) if isinstance(n, ast.arg)
        }


@pytest.mark.parametrize(
    "names",
    [
        "add multiply empty", "class def for", "np numpy None", "x x x", "buffers buffer0 table",
        "program return 1", "α β γ", "a.b a-b a_b", "exp tanh dW", "__import__ __builtins__ print",
        "X dX dX_2", "mul1 tanh1 add1", "x1 x_1 x__1", "True False self", "w w1 w2",
        "dtanh1 dpower1 dmean1", "_ __ ___", "'quoted' \"double\" \\back", "0 00 -1",
    ],
)  # fmt: skip
def test_names_of_nodes_never_clash(names):
    X, W, b, root = graph(names)
    plain = graph()
    expected = compile(plain[3], inputs=[plain[0]], wrt=list(plain[1:3]))(X.data)
    value, grads = compile(root, inputs=[X], wrt=[W, b])(X.data)
    assert value == expected[0]
    assert all(map(np.array_equal, grads, expected[1]))


def test_names_cannot_put_code_into_the_source():
    X, W, b = tensors()
    W.name = "W\n    raise SystemExit #"
    b.name = '"""); raise SystemExit; ("""'
    root = F.tanh(X @ W.T + b).sum().named("J\nraise SystemExit")
    program = compile(root, inputs=[X])
    program(X.data)
    ast.parse(program.source)
    assert not any(isinstance(n, ast.Raise) for n in ast.walk(ast.parse(program.source)))


def test_the_source_follows_the_shapes_of_the_latest_call():
    X, _W, _b, root = graph()
    program = compile(root, inputs=[X])
    program(np.ones((17, 2)))
    assert "17" in program.source
    program(X.data)
    assert "17" not in program.source


def test_the_plan_says_how_it_runs():
    X, y, model, root = dense()
    for program in (
        compile(root, inputs=[X, y]),
        compile(root, inputs=[X, y], optimizer=Adam(model.parameters())),
    ):
        assert "NumPy" in program.plan
        assert "2 inputs" in repr(program)
        ast.parse(program.source)
        assert not any(len(line) > 400 for line in program.source.splitlines())


def test_programs_of_values_have_a_source_too():
    x = [Value(1.0), Value(2.0)]
    for root in (MLP(2, [3, 1], seed=0)(x), (x[0] * x[1]).tanh() + x[0]):
        program = compile(root, inputs=x)
        program(1.0, 2.0)
        ast.parse(program.source)
        assert program.plan


def test_constants_keep_every_digit():
    x = Tensor(np.ones(2))
    c = 0.1 + 0.2
    program = compile((x * c + np.array([1e-300, np.pi])).sum() * np.float64(1 / 3), inputs=[x])
    expected = (Tensor(np.ones(2)) * c + np.array([1e-300, np.pi])).sum() * np.float64(1 / 3)
    assert program(np.ones(2))[0] == expected.data


@pytest.mark.parametrize("constant", [np.inf, -np.inf, np.nan, -0.0, 1e400, 5e-324])
def test_constants_that_have_no_literal(constant):
    x = Tensor(np.array([1.0, 2.0]))
    with np.errstate(all="ignore"):
        root = F.maximum(x * constant, x - 5.0).sum()
        program = compile(root, inputs=[x], wrt=[x])
        root.backward()
        value, (dx,) = program(x.data)
    assert np.array_equal(value, root.data, equal_nan=True)
    assert np.array_equal(dx, x.grad, equal_nan=True)


@pytest.mark.parametrize("name", ["x²", "½", "ﬁ", "·", "float", "print", "class", "sum", "table"])
def test_any_name_compiles(name):
    x = Tensor([1.0, 2.0], name=name)
    value, (dx,) = compile((x * x).sum() * float("inf") + x.sum(), inputs=[x])([3.0, -4.0])
    assert np.array_equal(value, np.inf)
    assert np.array_equal(dx, [np.inf, -np.inf])


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, np.full(2, np.inf)])
def test_the_source_with_a_number_that_is_not_finite_runs_on_its_own(number):
    x = Tensor([1.0, -2.0], name="x")
    program = compile((x * (x * number)).sum(), inputs=[x])
    value, (dx,) = program(x.data)
    space = {}
    exec(program.source, space)  # noqa: S102 (it is what is tested)
    found = space["program"](x.data)
    assert np.array_equal(found[0], value, equal_nan=True)
    assert np.array_equal(found[1], dx, equal_nan=True)
