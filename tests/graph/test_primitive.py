"""A row of the table, and operations of one's own: they have all that the built-in ones have."""

import copy
import math
import pickle

import numpy as np
import pytest
from oracles import assert_close, check, each, mp, normal

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import (
    GraphError,
    StaleGraphError,
    Tensor,
    Value,
    debug_nans,
    grad,
    hessian,
    jacobian,
    jvp,
    no_grad,
    primitive,
    record_lines,
    vjp,
)
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import table


def gauss_x(g, z, x):
    return g * (-2 * x * z)


def hypot_x(g, z, x, y):
    return g * x / z


def hypot_y(g, z, x, y):
    return g * y / z


def scaled_x(g, z, x, *, factor, shift=0.0):
    return g * factor


def sumsq_x(g, z, x):
    return 2 * g * x


def mixed_x(g, z, x, y, w):
    return g * y + 0 * w


def mixed_y(g, z, x, y, w):
    return g * x


def mixed_w(g, z, x, y, w):
    return g * F.cos(w)


gauss = primitive("test_gauss", lambda x: np.exp(-x * x), gauss_x, notation="gauss({})")
hypot = primitive("test_hypot", np.hypot, (hypot_x, hypot_y))
scaled = primitive("test_scaled", lambda x, factor, shift=0.0: x * factor + shift, scaled_x)
sumsq = primitive("test_sumsq", lambda x: np.sum(x * x), sumsq_x, elementwise=False)
mixed = primitive("test_mixed", lambda x, y, w: x * y + np.sin(w), (mixed_x, mixed_y, mixed_w))
halved = primitive(
    "test_halved", lambda x: x / 2, lambda g, z, x: g / 2, on_floats=lambda x: x * 0.5
)
floor_ = primitive("test_floor", np.floor, (None,))


def test_on_plain_floats_and_arrays():
    assert gauss(0.5) == pytest.approx(math.exp(-0.25))
    assert type(gauss(0.5)) is float
    assert type(gauss(1)) is float
    assert_close(gauss(np.array([0.5, 1.0])), np.exp([-0.25, -1.0]))
    assert gauss(np.array([1, 2])).dtype == np.float64
    assert gauss(np.ones(2, np.float32)).dtype == np.float32
    assert hypot(3.0, np.array([4.0])) == [5.0]
    assert scaled(2.0, factor=3.0) == 6.0
    assert_close(scaled(np.ones(2), factor=3.0, shift=1.0), [4.0, 4.0])
    assert sumsq(np.array([1.0, 2.0])) == 5.0
    assert mixed(2.0, 3.0, 0.0) == 6.0


def test_on_values():
    x, y, w = Value(3.0), Value(4.0), Value(0.5)
    z = hypot(x, y)
    assert type(z) is Value
    assert type(z.data) is float
    z.backward()
    assert (x.grad, y.grad) == (0.6, 0.8)
    x.zero_grad()
    z = hypot(x, 4.0)
    z.backward()
    assert x.grad == 0.6
    u = mixed(x, y, w)
    assert type(u) is Value
    x.zero_grad(), y.zero_grad()
    u.backward()
    assert (x.grad, y.grad, w.grad) == (4.0, 3.0, math.cos(0.5))
    assert halved(Value(3.0)).data == 1.5


def test_on_values_with_parameters():
    x = Value(3.0)
    z = scaled(x, factor=2.0, shift=1.0)
    assert type(z) is Value
    assert z.data == 7.0
    assert z.params == {"factor": 2.0, "shift": 1.0}
    z.backward()
    assert x.grad == 2.0
    (scaled(x, factor=5.0) * scaled(z, factor=1.0)).backward()
    assert x.grad == 2.0 + 5.0 * 7.0 + 15.0 * 2.0


FLOATING = {
    "gauss": (gauss, lambda x: mp.exp(-x * x), 1),
    "hypot": (hypot, lambda x, y: mp.sqrt(x * x + y * y), 2),
    "scaled": (lambda x: scaled(x, factor=3.0), lambda x: 3 * x, 1),
    "mixed": (mixed, lambda x, y, w: x * y + mp.sin(w), 3),
    "halved": (halved, lambda x: x / 2, 1),
}


@pytest.mark.parametrize("name", FLOATING)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
def test_everything_that_built_in_operations_have(name, shape):
    f, reference, arity = FLOATING[name]
    check(f, each(reference), *(normal(*shape, seed=i) for i in range(arity)))


@pytest.mark.parametrize(
    "shapes", [((2, 1), (3,)), ((3,), ()), ((1, 3), (2, 1)), ((0,), (1,))], ids=str
)
def test_broadcasting_needs_no_care_in_the_rule(shapes):
    check(
        hypot,
        each(lambda x, y: mp.sqrt(x * x + y * y)),
        *(normal(*s, seed=i) for i, s in enumerate(shapes)),
    )


def test_a_reduction():
    check(sumsq, lambda x: np.asarray(np.sum(x * x), object), normal(2, 3))
    assert_close(hessian(sumsq)(np.ones(2)), 2 * np.eye(2))
    v = Value(3.0)
    y = sumsq(v)
    y.backward()
    assert float(v.grad) == 6.0


def test_values_tensors_numbers_and_arrays_mixed():
    x, y = Value(3.0), Tensor([4.0, 0.0])
    z = hypot(x, y)
    assert type(z) is Tensor
    assert_close(z.data, [5.0, 3.0])
    z.backward(seed=np.array([1.0, 10.0]))
    assert x.grad == pytest.approx(10.6)
    assert_close(y.grad, [0.8, 0.0])
    u = mixed(x, np.array([1.0, 2.0]), 0.0)
    assert_close(u.data, [3.0, 6.0])
    assert_close(hypot(3, y).data, [5.0, 3.0])
    assert_close(hypot(y, [3, 4]).data, [5.0, 4.0])


def test_every_order():
    assert grad(grad(gauss))(0.3) == pytest.approx(float(mp.diff(lambda x: mp.exp(-x * x), 0.3, 2)))
    assert grad(grad(grad(gauss)))(0.3) == pytest.approx(
        float(mp.diff(lambda x: mp.exp(-x * x), 0.3, 3))
    )
    x = Value(0.3)
    gauss(x).backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    slope.backward()
    assert x.grad == pytest.approx(float(mp.diff(lambda x: mp.exp(-x * x), 0.3, 2)))
    assert jvp(gauss, (0.3,), (2.0,))[1] == pytest.approx(2 * -0.6 * math.exp(-0.09))
    assert vjp(hypot, 3.0, 4.0)[1](1.0) == (0.6, 0.8)
    assert_close(jacobian(gauss)(np.zeros(2)), np.zeros((2, 2)))


def test_modes():
    with no_grad():
        assert gauss(Value(0.5)).op is None
        assert gauss(Tensor([0.5])).op is None
    with record_lines():
        assert "test_primitive" in gauss(Value(0.5)).line
        assert "test_primitive" in gauss(Tensor([0.5])).line
    with debug_nans(), pytest.raises(ArithmeticError, match="test_scaled"):
        scaled(Tensor([1e300]), factor=math.inf)
    with debug_nans(), pytest.raises(ArithmeticError, match="test_scaled"):
        scaled(Value(1e300), factor=math.inf)


def test_the_graph_of_an_own_operation():
    x = Value(0.5, name="x")
    y = gauss(x)
    assert y.op is gauss
    assert y.op.name == "test_gauss"
    assert y.op.rules == (gauss_x,)
    assert y.inputs == (x,)
    nodes = toposort(mixed(x, 2.0, y))
    edges = [(i, n) for n in nodes for i in n.inputs]
    assert len(nodes) == 4
    assert len(edges) == 4
    assert table["test_gauss"] is gauss


@pytest.mark.parametrize("make", [lambda n: pickle.loads(pickle.dumps(n)), copy.deepcopy])  # noqa: S301
@pytest.mark.parametrize("kind", [Value, lambda v: Tensor([v])], ids=["Value", "Tensor"])
def test_copies_and_pickles(make, kind):
    x = kind(0.5)
    y = scaled(gauss(mixed(x, x, 0.25)), factor=3.0)
    z = make(y)
    assert np.array_equal(z.data, y.data)
    y.backward()
    z.backward()
    leaf = next(n for n in toposort(z) if n.op is None and np.any(n.grad))
    assert np.array_equal(leaf.grad, x.grad)
    assert z.op is scaled
    z.backward(create_graph=True)
    assert pickle.loads(pickle.dumps(gauss)) is gauss  # noqa: S301
    assert copy.deepcopy(gauss) is gauss


def test_staleness():
    x = Tensor([0.5])
    held = x.data
    y = hypot(x, 2.0)
    held[...] = 100.0
    y.backward()
    assert x.grad[0] == pytest.approx(0.5 / math.hypot(0.5, 2.0))
    v = Value(0.5)
    z = gauss(v)
    z.data = 3.0
    with pytest.raises(StaleGraphError, match="test_gauss"):
        z.backward()


def test_an_argument_without_a_derivative():
    x = Value(2.5)
    y = floor_(x) * x
    y.backward()
    assert x.grad == 2.0
    t = Tensor([2.5, -0.5])
    (floor_(t) * t).sum().backward()
    assert_close(t.grad, [2.0, -1.0])
    pick = primitive(
        "test_pick", lambda c, x: np.where(c, x, 0.0), (None, lambda g, z, c, x: F.where(c, g, 0.0))
    )
    assert_close(grad(lambda x: pick(np.array([True, False]), x).sum())(np.ones(2)), [1.0, 0.0])


def test_a_name_that_is_taken_is_refused():
    for name in ("test_gauss", "add", "tanh"):
        with pytest.raises(ValueError, match=name):
            primitive(name, lambda x: x, lambda g, z, x: g)
    assert table["test_gauss"] is gauss


def test_ieee_behaviour_on_values():
    inverse = primitive("test_inverse", lambda x: 1 / x, lambda g, z, x: -g * z * z)
    assert inverse(Value(0.0)).data == math.inf
    root = primitive("test_root", np.sqrt, lambda g, z, x: g / (2 * z))
    with np.errstate(all="ignore"):
        x = Value(0.0)
        root(x).backward()
        assert x.grad == math.inf
        assert math.isnan(root(Value(-1.0)).data)
        assert grad(root)(0.0) == math.inf
        assert grad(lambda x: F.where(x > 0, root(x), 0.0))(0.0) == 0.0
        t = Tensor([0.0, 4.0])
        F.where(t > 0, root(t), 0.0).sum().backward()
        assert_close(t.grad, [0.0, 0.25])


def test_a_rule_may_return_a_plain_number():
    zero = primitive("test_zero", lambda x: x * 0, lambda g, z, x: 0.0)
    ones = primitive("test_ones", lambda x: np.sum(x), lambda g, z, x: 1.0, elementwise=False)
    for x in (Value(3.0), Tensor([3.0, 4.0]), Tensor(3.0)):
        y = F.sum(zero(x))
        y.backward()
        assert not np.any(x.grad)
        y.backward(create_graph=True)
        assert grad(lambda x: F.sum(zero(x)))(3.0) == 0.0
    x = Tensor([3.0, 4.0])
    ones(x).backward()
    assert_close(x.grad, [1.0, 1.0])


def test_a_rule_may_return_one_of_its_arguments():
    half_square = primitive(
        "test_half_square", lambda x: 0.5 * np.sum(x * x), lambda g, z, x: x, elementwise=False
    )
    x = Tensor([1.0, 2.0])
    y = half_square(x)
    y.backward()
    assert_close(x.grad, [1.0, 2.0])
    x.grad[...] = 50.0
    assert_close(x.data, [1.0, 2.0])
    x.zero_grad()
    y.backward()
    assert_close(x.grad, [1.0, 2.0])
    same = primitive("test_same", lambda x: x, lambda g, z, x: g)
    a = Tensor([1.0, 2.0])
    b = same(a)
    c = (b * b).sum()
    a.data[...] = 7.0
    c.backward()
    assert_close(a.grad, [2.0, 4.0])
    assert_close(b.data, [1.0, 2.0])


def test_a_kernel_that_returns_its_argument_or_a_list():
    listed = primitive(
        "test_listed",
        lambda x: [float(v) for v in np.ravel(x)],
        lambda g, z, x: g,
        elementwise=False,
    )
    x = Tensor([1.0, 2.0])
    y = listed(x)
    assert isinstance(y.data, np.ndarray)
    y.backward(seed=np.ones(2))
    assert_close(x.grad, [1.0, 1.0])


def test_a_rule_of_the_wrong_shape_is_an_error_not_a_wrong_gradient():
    wrong = primitive(
        "test_wrong_shape", lambda x: np.sum(x), lambda g, z, x: np.ones(7), elementwise=False
    )
    x = Tensor([1.0, 2.0])
    with pytest.raises(GraphError, match=r"\(7,\)"):
        wrong(x).backward()
    assert not np.any(x.grad)


def test_too_few_or_too_many_arguments():
    for args in ((), (Value(1.0), Value(2.0), Value(3.0)), (Tensor([1.0]),)):
        with pytest.raises((TypeError, ValueError)):
            hypot(*args)


def test_an_exception_in_a_kernel_leaves_no_trace():
    def fussy(x):
        if np.any(np.asarray(x) < 0):
            raise KeyError("below 0")
        return x * 1.0

    f = primitive("test_fussy", fussy, lambda g, z, x: g)
    for kind in (Value, lambda v: Tensor([v])):
        x = kind(-2.0)
        y = x * x
        with pytest.raises(KeyError):
            f(x)
        y.backward()
        assert float(np.sum(x.grad)) == -4.0


def test_rules_can_be_replaced_for_a_while():
    x = Value(3.0)
    with F.mul.replaced(lambda g, z, x, y: g * 100, lambda g, z, x, y: g * 100):
        (x * 2.0).backward()
        assert x.grad == 100.0
        t = Tensor([1.0])
        (t * 2.0).backward()
        assert t.grad[0] == 100.0
        assert grad(lambda x: x * 2.0)(3.0) == 100.0
    x.zero_grad()
    (x * 2.0).backward()
    assert x.grad == 2.0
    with pytest.raises(KeyError), F.exp.replaced(lambda g, z, x: g * 0):
        raise KeyError
    assert grad(F.exp)(0.0) == 1.0


def test_every_row_is_complete():
    for name, row in table.items():
        assert row.name == name
        assert len(row.rules) >= 1
        assert isinstance(row.notation, str)
        assert row.notation
        assert all(rule is None or callable(rule) for rule in row.rules)
        assert pickle.loads(pickle.dumps(row)) is row  # noqa: S301
    for name in ("add", "mul", "tanh", "matmul", "sum"):
        assert name in table


def test_derivatives_of_an_operation_with_a_kernel_for_floats():
    calls = []

    def on_floats(x):
        calls.append(x)
        return x * x

    square = primitive(
        "test_square", lambda x: x * x, lambda g, z, x: 2 * g * x, on_floats=on_floats
    )
    assert square(3.0) == 9.0
    assert square(Value(3.0)).data == 9.0
    assert calls == [3.0, 3.0]
    assert_close(square(Tensor([3.0])).data, [9.0])
    assert len(calls) == 2


def test_top_level_names():
    names = "Value Tensor grad value_and_grad vjp jvp jacobian hessian no_grad debug_nans"
    for name in [*names.split(), "record_lines", "primitive", "trace"]:
        assert callable(getattr(mg, name))


@pytest.mark.parametrize("name", ["exp", "add", "maximum", "where", "neg"])
@pytest.mark.parametrize("wrap", [Tensor, np.array, Value])
def test_an_argument_too_many_is_refused_and_not_written_to(name, wrap):
    row = table[name]
    numbers = [1.5, 2.5, 3.5, 4.5] if wrap is Value else [[v, v] for v in (1.5, 2.5, 3.5, 4.5)]
    args = [wrap(v) for v in numbers][: row.arity + 1]
    with pytest.raises(
        TypeError, match=rf"{name} takes {row.arity} arguments?, .*, got {len(args)}"
    ):
        row(*args)
    for arg, number in zip(args, numbers, strict=False):
        assert np.array_equal(arg if wrap is np.array else arg.data, number)


def test_a_row_of_a_sequence_takes_one():
    x = Tensor([1.0])
    with pytest.raises(TypeError, match="concatenate takes one sequence, got 2 arguments"):
        table["concatenate"](x, x, axis=0)
