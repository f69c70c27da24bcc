"""The chain rule over a recorded graph: every path once, every pass right, nothing shared."""

import contextlib
import gc
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import (
    Dual,
    assert_close,
    base,
    dual_abs,
    dual_cos,
    dual_exp,
    dual_log,
    dual_maximum,
    dual_minimum,
    dual_relu,
    dual_sigmoid,
    dual_sin,
    dual_sqrt,
    dual_tanh,
    mp,
    normal,
)

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad, hessian
from micrograd_nn.graph.order import toposort

KINDS = pytest.mark.parametrize("kind", [Value, Tensor])


@KINDS
def test_diamond(kind):
    x = kind(3.0)
    a = x * x
    y = a * x + a  # x³ + x²
    y.backward()
    assert float(x.grad) == 33.0
    assert float(a.grad) == 4.0
    assert float(y.grad) == 1.0


@KINDS
def test_fan_out(kind):
    x = kind(2.0)
    y = sum(x * i for i in range(100))
    y.backward()
    assert float(x.grad) == 4950.0


@KINDS
def test_an_unused_input_has_exactly_zero(kind):
    x, unused = kind(2.0), kind(5.0)
    y = x * x
    y.backward()
    assert float(unused.grad) == 0.0
    (unused * 0 + x).backward()
    assert float(unused.grad) == 0.0
    assert grad(lambda x, y: x * x, argnums=1)(2.0, 5.0) == 0.0
    assert list(grad(lambda x, y: (x * x).sum(), argnums=1)(np.ones(2), np.ones(3))) == [0, 0, 0]


@KINDS
def test_a_leaf_is_a_root(kind):
    x = kind(2.0)
    x.backward()
    assert float(x.grad) == 1.0
    x.backward(seed=3.0)
    assert float(x.grad) == 4.0


@KINDS
def test_leaves_accumulate_and_inner_nodes_do_not(kind):
    x = kind(3.0)
    y = x * x
    z = y * y
    for i in range(1, 4):
        z.backward()
        assert float(x.grad) == 108.0 * i
        assert float(y.grad) == 18.0
        assert float(z.grad) == 1.0
    y.backward()
    assert float(x.grad) == 330.0
    assert float(y.grad) == 1.0
    x.zero_grad()
    assert float(x.grad) == 0.0
    z.backward(seed=2.0)
    assert float(x.grad) == 216.0


@KINDS
def test_an_inner_node_that_is_not_reached_holds_no_old_gradient(kind):
    x = kind(3.0)
    a = x * 2
    b = a * 0.0  # below, a gets a cotangent of exactly 0
    (a * 5).backward()
    assert float(a.grad) == 5.0
    b.backward()
    assert float(a.grad) == 0.0


@KINDS
def test_two_roots_over_one_graph(kind):
    x = kind(3.0)
    a = x * x
    y, z = a * 2, a * 5
    y.backward()
    z.backward()
    assert float(x.grad) == 42.0
    assert float(a.grad) == 5.0


@KINDS
def test_an_inner_node_used_inside_and_as_root(kind):
    x = kind(2.0)
    y = x * x
    z = y + x
    y.backward()
    z.backward()
    assert float(x.grad) == 9.0


# -------------------------------------------------------------------------------------- seeds


def test_a_root_that_is_no_scalar_needs_a_seed():
    t = Tensor([1.0, 2.0])
    for y in (t * t, t, t.reshape(2, 1), F.stack([t, t]), Tensor(np.zeros(0)) * 1):
        with pytest.raises(RuntimeError, match="seed"):
            y.backward()
        with pytest.raises(RuntimeError, match="seed"):
            y.backward(create_graph=True)
    assert list(t.grad) == [0, 0]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "seed",
    [np.ones(3), np.ones((2, 2)), np.ones((1, 2)), np.ones((3, 2)), np.ones(1), Tensor(np.ones(3)),
     Tensor(np.ones((3, 2))), [1.0, 2.0, 3.0]],
    ids=lambda s: f"{type(s).__name__}{np.shape(s.data if isinstance(s, Tensor) else s)}",
)  # fmt: skip
def test_seeds_of_another_shape_are_refused(seed, create_graph):
    t = Tensor([1.0, 2.0])
    y = t * t
    with pytest.raises(ValueError, match="seed"):
        y.backward(seed=seed, create_graph=create_graph)
    assert not np.any(t.grad)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "seed", [np.ones(2) * 1j, 1j, "a", np.array(["a", "b"]), np.array([None, 1])], ids=str
)
@pytest.mark.parametrize("kind", [Value, lambda v: Tensor([v, v])], ids=["Value", "Tensor"])
def test_seeds_that_are_no_real_numbers_are_refused(kind, seed, create_graph):
    x = kind(1.0)
    y = x * x
    with pytest.raises((TypeError, ValueError)):
        y.backward(seed=seed, create_graph=create_graph)
    assert not np.any(x.grad)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "seed", [np.ones(2), np.ones((1, 2)), [1.0, 2.0], Tensor([1.0, 2.0])], ids=str
)
def test_a_scalar_refuses_an_array_for_seed(seed, create_graph):
    for x in (Value(2.0), Tensor(2.0)):
        with pytest.raises(ValueError, match=r"the seed has shape .*, the root \(.*\) \(\)"):
            (x * x).backward(seed=seed, create_graph=create_graph)
        assert not np.any(x.grad)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "seed", [3, 3.0, np.float32(3), np.array(3.0), Value(3.0), Tensor(3.0)], ids=repr
)
@KINDS
def test_scalar_seeds_of_any_kind(kind, seed, create_graph):
    x = kind(2.0)
    (x * x).backward(seed=seed, create_graph=create_graph)
    assert float(x.grad) == 12.0


@pytest.mark.parametrize(
    "seed", [[1, 10], np.array([1, 10]), np.array([1, 10], np.float32), Tensor([1.0, 10])]
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_array_seeds_of_any_kind(seed, create_graph):
    x = Tensor([2.0, 3.0])
    (x * x).backward(seed=seed, create_graph=create_graph)
    g = x.grad.data if create_graph else x.grad
    assert list(g) == [4.0, 60.0]
    assert g.dtype == np.float64


def test_an_inner_array_of_one_element_is_a_scalar_root():
    x = Tensor([2.0])
    (x * x).backward()
    assert list(x.grad) == [4.0]


def test_a_zero_seed_gives_zeros():
    x, t = Value(0.0), Tensor([0.0, -1.0])
    x.log().backward(seed=0.0)
    assert x.grad == 0.0
    with np.errstate(all="ignore"):
        F.log(t).backward(seed=np.zeros(2))
    assert list(t.grad) == [0, 0]


# ----------------------------------------------------------------------------------- aliasing


ALIASES = {
    "x + c": lambda x: x + 1.0,
    "c + x": lambda x: 1.0 + x,
    "x - c": lambda x: x - 1.0,
    "+x": lambda x: +x,
    "x * 1": lambda x: x * 1.0,
    "reshape": lambda x: x.reshape(4).reshape(2, 2),
    "T": lambda x: x.T.T,
    "getitem": lambda x: x[...],
    "slice": lambda x: x[:, :],
    "flip": lambda x: F.flip(F.flip(x)),
    "concatenate": lambda x: F.concatenate([x[:1], x[1:]]),
    "stack": lambda x: F.stack([x[0], x[1]]),
    "split": lambda x: F.concatenate(F.split(x, 2)),
    "sum of nothing": lambda x: F.sum(x, axis=()),
    "broadcast_to": lambda x: F.broadcast_to(x, (2, 2)),
    "squeeze": lambda x: F.squeeze(F.expand_dims(x, 0)),
    "relu": lambda x: F.relu(x),
    "where": lambda x: F.where(True, x, 0.0),
    "clip": lambda x: F.clip(x, -9, 9),
    "add both": lambda x: (x + x) * 0.5,
}


@pytest.mark.parametrize("name", ALIASES)
def test_writing_into_one_gradient_changes_no_other(name):
    """Nor the seed, the data, or the next pass."""
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    other = Tensor([[1.0, 1.0], [1.0, 1.0]])
    a = ALIASES[name](x)
    b = a + other
    c = b - 0.0
    seed = normal(2, 2)
    original = seed.copy()
    nodes = [x, other, a, b, c]
    c.backward(seed=seed)
    expected = [np.array(n.grad) for n in nodes]
    for i, node in enumerate(nodes):
        if node.grad.flags.writeable:
            node.grad[...] = 77.0
        for k, other_node in enumerate(nodes):
            if k != i and not (a is x and {k, i} == {0, 2}):
                np.testing.assert_array_equal(other_node.grad, expected[k], f"{i} changed {k}")
        np.testing.assert_array_equal(seed, original)
        np.testing.assert_array_equal(x.data, [[1, 2], [3, 4]])
        for n in (x, other):
            n.zero_grad()
        c.backward(seed=seed)
        np.testing.assert_array_equal(x.grad, expected[0])


@pytest.mark.parametrize("name", ALIASES)
def test_writing_into_the_seed_afterwards_changes_no_gradient(name):
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    seed = np.ones((2, 2))
    y = ALIASES[name](x)
    y.backward(seed=seed)
    seed[...] = 99.0
    assert np.all(x.grad == 1.0)
    assert np.all(y.grad == 1.0)


def test_a_leafs_gradient_can_always_be_written():
    x = Tensor([1.0, 2.0])
    for y in (x, x + 0, x.sum(), F.broadcast_to(x, (3, 2)), x.reshape(2, 1), x.mean()):
        x.zero_grad()
        y.backward(seed=np.ones(y.shape))
        assert x.grad.flags.writeable
        x.grad *= 0.5
        x.grad[0] = 3.0


def test_gradients_of_two_leaves_of_one_sum_are_apart():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (a + b).backward(seed=np.array([1.0, 1.0]))
    a.grad[...] = 50.0
    assert list(b.grad) == [1, 1]
    b.grad *= 3
    assert list(a.grad) == [50, 50]


# --------------------------------------------------------------------------------- exceptions


def test_an_exception_in_a_rule_leaves_the_leaves_as_they_were():
    def broken(g, z, x):
        raise ZeroDivisionError("in the rule")

    explode = mg.primitive("explode_backward", lambda x: x * 1.0, broken)
    for x in (Value(3.0), Tensor([3.0])):
        w = x * 2
        (w * 5).backward()
        before = float(np.sum(x.grad))
        y = explode(w) + x * x
        for create_graph in (False, True):
            with pytest.raises(ZeroDivisionError):
                y.backward(create_graph=create_graph)
            assert float(np.sum(x.grad)) == before == 10.0
        (w * 5).backward()
        assert float(np.sum(x.grad)) == 20.0


def test_backward_after_a_failed_seed():
    x = Tensor([1.0, 2.0])
    y = x * x
    with pytest.raises(ValueError, match="seed"):
        y.backward(seed=np.ones(5))
    y.backward(seed=np.ones(2))
    assert list(x.grad) == [2, 4]


# ------------------------------------------------------------------------------------- memory


def count_nodes():
    return sum(isinstance(o, mg.graph.node.Node) for o in gc.get_objects())


def build_and_pull(kind):
    x = kind(0.5, name="x")
    y = x
    for i in range(200):
        y = (y * 1.01 + x).tanh() if i % 3 else F.where(y > 0, y, x) + F.clip(y, 0, 1)
        if kind is Tensor and i % 10 == 0:
            y = F.stack([y, y])[0]
    y.backward()
    toposort(y)
    _ = y.inputs[0].inputs
    grad(lambda v: v * v * y.detach())(2.0)
    F.tanh(y).backward(seed=2.0)
    with contextlib.suppress(ValueError, TypeError):
        y.reshape(3) if kind is Tensor else y @ y


@KINDS
def test_a_graph_is_freed_without_the_collector(kind):
    build_and_pull(kind)
    gc.collect()
    gc.disable()
    try:
        before = count_nodes()
        build_and_pull(kind)
        sys.exc_info()
        assert count_nodes() == before
        assert gc.collect() == 0 or count_nodes() == before
    finally:
        gc.enable()


def test_training_does_not_grow():
    w = Tensor(np.ones(100))
    v = Value(1.0)

    def step():
        loss = ((w * v).tanh() ** 2).mean()
        w.zero_grad(), v.zero_grad()
        loss.backward()
        w.data -= 0.1 * w.grad
        v.data -= 0.1 * v.grad

    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            step()
        tracemalloc.start()
        for _ in range(100):
            step()
        low = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            step()
        # Python keeps up to 2,000 empty tuples of each length; a kept graph is 4 kB a step.
        assert tracemalloc.get_traced_memory()[0] - low < 300_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_scalar_node_is_small():
    y = x = Value(1.0)
    gc.collect()
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(10_000):
            y = y * x
        per_node = (tracemalloc.get_traced_memory()[0] - start) / 10_000
    finally:
        tracemalloc.stop()
    assert per_node < 160


def test_a_long_chain_is_built_pulled_and_freed():
    y = x = Value(1.0)
    for _ in range(100_000):
        y = y * 1.0 + 0.0
    y.backward()
    assert x.grad == 1.0
    del y
    u = t = Tensor(1.0)
    for _ in range(20_000):
        u = u * 1.0
    u.backward()
    assert float(t.grad) == 1.0
    u.backward(create_graph=True)
    del u
    z = Value(1.0)
    for _ in range(5_000):
        z = F.clip(z, 0.0, 2.0) + F.where(True, z, 0.0) * 0.0
    z.backward()


# ------------------------------------------------------------------------- random expressions

UNARY = [
    ("tanh", dual_tanh),
    ("sigmoid", dual_sigmoid),
    ("sin", dual_sin),
    ("cos", dual_cos),
    ("relu", dual_relu),
    ("abs", dual_abs),
]
BINARY = [
    ("add", lambda x, y: x + y),
    ("sub", lambda x, y: x - y),
    ("mul", lambda x, y: x * y),
    ("maximum", dual_maximum),
    ("minimum", dual_minimum),
]
#: Operations whose argument is first brought into their domain.
REPAIRED = [
    ("div", lambda x, y: F.div(x, y * y + 1), lambda x, y: x / (y * y + 1)),
    ("exp", lambda x, y: F.exp(F.tanh(x) - y * 0), lambda x, y: dual_exp(dual_tanh(x) - y * 0)),
    ("log", lambda x, y: F.log(x * x + 1), lambda x, y: dual_log(x * x + 1)),
    ("sqrt", lambda x, y: F.sqrt(x * x + y * y + 1), lambda x, y: dual_sqrt(x * x + y * y + 1)),
    ("square", lambda x, y: x**2, lambda x, y: x * x),
    ("cube", lambda x, y: F.tanh(y) ** 3, lambda x, y: dual_tanh(y) * dual_tanh(y) * dual_tanh(y)),
    ("rsub", lambda x, y: 2.5 - x, lambda x, y: 2.5 - x),
    ("rdiv", lambda x, y: 1.5 / (x * x + 2), lambda x, y: 1.5 / (x * x + 2)),
    ("neg", lambda x, y: -x * 0.5, lambda x, y: -x * 0.5),
]
OPERATIONS = [(n, lambda x, y, n=n: getattr(F, n)(x), lambda x, y, f=f: f(x)) for n, f in UNARY]
OPERATIONS += [(n, getattr(F, n), f) for n, f in BINARY]
OPERATIONS += REPAIRED

programs = st.lists(
    st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(1, 6), st.integers(1, 6)),
    min_size=1,
    max_size=14,
)
points = st.lists(st.floats(-2, 2).map(lambda x: round(x, 3)), min_size=3, max_size=3)


def run(program, inputs, column):
    """An SSA program: each line names an operation and how far back its operands lie."""
    nodes = list(inputs)
    for op, i, j in program:
        nodes.append(OPERATIONS[op][column](nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]))
    return sum(nodes[len(inputs) :], start=nodes[0] * 0)


def no_close_call(program, xs):
    """Whether no kink is so near that rounding decides on which side it lies."""
    nodes = [mp.mpf(x) for x in xs]
    for op, i, j in program:
        name = OPERATIONS[op][0]
        x, y = nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]
        gap = (
            abs(x - y)
            if name in ("maximum", "minimum")
            else abs(x)
            if name in ("relu", "abs")
            else 1
        )
        if 0 < gap < 1e-9:
            return False
        if gap == 0 and name in ("maximum", "minimum") and i != j:
            return False
        if gap == 0 and name in ("relu", "abs") and len(nodes) > 3:
            return False
        z = OPERATIONS[op][2](x, y)
        if abs(z) > 1e6:
            return False
        nodes.append(z)
    return True


@settings(max_examples=300)
@given(programs, points)
def test_random_programs_on_values_tensors_and_dual_numbers(program, xs):
    assume(no_close_call(program, xs))
    exact = []
    for i in range(3):
        total = run(program, [Dual(mp.mpf(x), mp.mpf(i == k)) for k, x in enumerate(xs)], 2)
        exact.append(float(total.slope))
    vs = [Value(x) for x in xs]
    y = run(program, vs, 1)
    assert y.data == pytest.approx(float(base(total)), rel=1e-11, abs=1e-11)
    y.backward()
    floor = max(map(abs, exact), default=0) + 1
    assert_close([v.grad for v in vs], exact, 1e-10, "Value", floor)
    y.backward()
    assert_close([v.grad for v in vs], np.multiply(exact, 2), 1e-10, "twice", floor)
    ts = [Tensor(x) for x in xs]
    z = run(program, ts, 1)
    z.backward()
    assert_close([float(t.grad) for t in ts], exact, 1e-10, "Tensor", floor)
    rows = [Tensor([x, x]) for x in xs]
    run(program, rows, 1).backward(seed=np.array([2.0, -1.0]))
    assert_close([r.grad for r in rows], np.outer(exact, [2.0, -1.0]), 1e-10, "rows", floor)
    mixed = [vs[0].detach(), Tensor(xs[1]), Value(xs[2])]
    run(program, mixed, 1).backward()
    assert_close([float(m.grad) for m in mixed[1:]], exact[1:], 1e-10, "mixed", floor)
    assert_close(grad(lambda *a: run(program, a, 1), (0, 1, 2))(*xs), exact, 1e-10, "grad", floor)


@settings(max_examples=100)
@given(programs, points, points)
def test_second_derivatives_of_random_programs(program, xs, direction):
    assume(no_close_call(program, xs))
    exact = []
    for i in range(3):
        duals = [
            Dual(Dual(mp.mpf(x), mp.mpf(v)), Dual(mp.mpf(i == k), mp.mpf(0)))
            for k, (x, v) in enumerate(zip(xs, direction, strict=True))
        ]
        slope = run(program, duals, 2).slope
        exact.append(float(slope.slope) if isinstance(slope, Dual) else 0.0)

    def along(*args):
        slopes = grad(lambda *a: run(program, a, 1), (0, 1, 2))(*args)
        return sum(s * v for s, v in zip(slopes, direction, strict=True))

    floor = max(map(abs, exact), default=0) + 1
    assert_close(grad(along, (0, 1, 2))(*xs), exact, 1e-8, "grad of grad", floor)
    H = hessian(lambda x: run(program, list(x), 1))(np.array(xs))
    assert_close(H, H.T, 1e-9, "symmetry", floor=np.max(np.abs(H)) + 1)
    assert_close(H @ direction, exact, 1e-8, "hessian", floor)
    vs = [Value(x) for x in xs]
    run(program, vs, 1).backward(create_graph=True)
    slopes = [v.grad for v in vs]
    for v in vs:
        v.zero_grad()
    total = sum(s * v for s, v in zip(slopes, direction, strict=True))
    if isinstance(total, (Value, Tensor)):
        total.backward()
        assert_close([float(v.grad) for v in vs], exact, 1e-8, "create_graph", floor)


def tensor_program(program, x, y):
    """Random programs with broadcasting, products and reductions."""
    nodes = [x, y]
    for op, i, j in program:
        a, b = nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]
        nodes.append(
            [
                lambda a, b: F.tanh(a @ b.T @ b) * 0.5,
                lambda a, b: a - F.mean(b, axis=0, keepdims=True),
                lambda a, b: F.softmax(a) * F.sum(b, axis=1, keepdims=True),
                lambda a, b: F.sin(a.reshape(2, 3) + b[::-1]),
                lambda a, b: F.concatenate([a[:1], b[1:]]),
                lambda a, b: a[:, [2, 0, 0]] * b,
                lambda a, b: F.logsumexp(a, axis=0) + b,
                lambda a, b: F.cumsum(a, axis=1) / (b * b + 1),
                lambda a, b: F.tanh(F.var(a, axis=1, keepdims=True) - b),
                lambda a, b: F.where(b > 0.1, a, F.sigmoid(b)),
                lambda a, b: F.layer_norm(a, b[0]) * 0.3,
                lambda a, b: F.stack([a, b]).sum(axis=0) * 0.5,
            ][op % 12](a, b)
        )
    return nodes[-1]


@settings(max_examples=100)
@given(programs, st.integers(0, 1000))
def test_random_tensor_programs_against_differences_and_themselves(program, seed):
    """Linear in the cotangent, equal to six-point differences, and forward equals reverse."""
    x, y, g = normal(2, 3, seed=seed), normal(2, 3, seed=seed + 1), normal(2, 3, seed=seed + 2)
    u, v = normal(2, 3, seed=seed + 3), normal(2, 3, seed=seed + 4)
    tx, ty = Tensor(x), Tensor(y)
    out = tensor_program(program, tx, ty)
    out.backward(seed=g)
    slope = float(np.sum(tx.grad * u) + np.sum(ty.grad * v))
    _, tangent = mg.jvp(lambda a, b: tensor_program(program, a, b), (x, y), (u, v))
    scale = float(np.sum(abs(tx.grad * u)) + np.sum(abs(ty.grad * v))) + float(np.sum(abs(g))) + 1
    assert float(np.sum(tangent * g)) == pytest.approx(slope, abs=1e-10 * scale)
    first = np.array(tx.grad)
    tx.zero_grad()
    out.backward(seed=-4 * g)
    assert np.array_equal(tx.grad, -4 * first)
    tx.zero_grad()
    out.backward(seed=g, create_graph=True)
    assert_close(tx.grad.data, first, 1e-11, floor=scale)
    h = 1e-2
    samples = [
        float(np.sum(g * tensor_program(program, x + k * h * u, y + k * h * v)))
        for k in (-3, -2, -1, 1, 2, 3)
    ]
    weights = np.array([-1, 9, -45, 45, -9, 1]) / 60
    half = [
        float(np.sum(g * tensor_program(program, x + k * h * u / 2, y + k * h * v / 2)))
        for k in (-3, -2, -1, 1, 2, 3)
    ]
    coarse, fine = float(weights @ samples) / h, float(weights @ half) / (h / 2)
    if abs(coarse - fine) < 1e-6 * scale:  # no kink between the points
        assert fine == pytest.approx(slope, abs=1e-5 * scale)
