"""grad, vjp, jvp, jacobian, hessian: of everything, nested to any depth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_close, mp, normal

import micrograd_nn.functional as F
from micrograd_nn import (
    Tensor,
    Value,
    grad,
    hessian,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

# ---------------------------------------------------------------------- what goes in, comes out

INF = math.inf


def test_plain_numbers_give_floats():
    for x in (3.0, 3, True, np.float64(3.0)):
        slope = grad(lambda x: x * x)(x)
        assert float(slope) == 2.0 * float(x)
        assert np.asarray(slope).dtype == np.float64
        assert not isinstance(slope, (Value, Tensor))
    assert type(grad(lambda x: x * x)(3)) is float


def test_arrays_give_arrays():
    g = grad(lambda x: (x * x).sum())(np.array([1, 2, 3]))
    assert type(g) is np.ndarray
    assert g.dtype == np.float64
    assert list(g) == [2, 4, 6]
    assert grad(lambda x: (x * x).sum())(np.ones(2, np.float32)).dtype == np.float32
    assert list(grad(lambda x: (x * x).sum())([1.0, 2.0])) == [2, 4]
    g[...] = 7  # the caller's own


def test_nodes_give_nodes():
    x, t = Value(3.0), Tensor([3.0])
    g = grad(lambda x: x**3)(x)
    assert float(g.data) == 27.0
    g.backward()
    assert x.grad == 18.0
    h = grad(lambda x: (x**3).sum())(t)
    assert type(h) is Tensor
    h.backward()
    assert list(t.grad) == [18.0]
    t.zero_grad()
    (h * 0 + grad(lambda x: (x**3).sum())(t) * t).sum().backward()
    assert list(t.grad) == [27.0 + 18 * 3]


@pytest.mark.parametrize(
    "x", [1j, np.complex128(1j), np.array([1j]), "a", None, np.array(["a"])], ids=repr
)
def test_what_is_no_real_number_is_refused(x):
    for derivative in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(TypeError):
            derivative(lambda x: x * x)(x)
    with pytest.raises((TypeError, ValueError)):
        jvp(lambda x: x * x, (x,), (1.0,))
    with pytest.raises(TypeError):
        vjp(lambda x: x * x, x)


def test_value_and_grad():
    assert value_and_grad(lambda x: x**3)(2.0) == (8.0, 12.0)
    value, (a, b) = value_and_grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(
        np.ones(2), np.full(2, 3.0)
    )
    assert float(value) == 6.0
    assert list(a) == [3, 3]
    assert list(b) == [1, 1]
    assert not isinstance(value, (Value, Tensor))


def test_argnums():
    f = lambda x, y, z: x * y * y * z  # noqa: E731
    assert grad(f)(2.0, 3.0, 5.0) == 45.0
    assert grad(f, 1)(2.0, 3.0, 5.0) == 60.0
    assert grad(f, argnums=-1)(2.0, 3.0, 5.0) == 18.0
    assert grad(f, argnums=(0,))(2.0, 3.0, 5.0) == (45.0,)
    assert grad(f, argnums=(2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert jacobian(f, argnums=(1, 2))(2.0, 3.0, 5.0) == (60.0, 18.0)
    for wrong in (3, -4, (0, 3)):
        with pytest.raises((ValueError, IndexError)):
            grad(f, argnums=wrong)(2.0, 3.0, 5.0)


@pytest.mark.parametrize("argnums", [[0, 1], (0, 0), (1, 0, 1), [-1]])
def test_argnums_gives_one_gradient_for_each_position(argnums):
    found = grad(lambda x, y: x * y * y, argnums)(2.0, 3.0)
    assert found == tuple((9.0, 12.0)[i] for i in argnums)
    second = hessian(lambda x, y: x * y * y, argnums)(2.0, 3.0)
    known = ((0.0, 6.0), (6.0, 4.0))
    assert second == tuple(tuple(known[i][j] for j in argnums) for i in argnums)
    columns = jacobian(lambda x, y: F.stack([x * y, y]), argnums)(2.0, 3.0)
    assert [c.tolist() for c in columns] == [([3.0, 0.0], [2.0, 1.0])[i] for i in argnums]


@pytest.mark.parametrize("argnums", ["x", 1.0, None, (0, "y")])
def test_argnums_that_are_no_positions_are_refused(argnums):
    with pytest.raises(TypeError, match="argnums is the position of an argument or a tuple of"):
        grad(lambda x, y: x * y, argnums)(1.0, 2.0)


def test_arguments_that_are_not_differentiated_pass_as_they_are():
    seen = []

    def f(x, words, *rest, flag=None):
        seen.append((words, rest, flag))
        return x * len(words)

    assert grad(f)(2.0, ["a", "b"], {"c"}, flag="yes") == 2.0
    assert seen == [(["a", "b"], ({"c"},), "yes")]


def test_one_array_for_two_arguments():
    x = np.array([2.0, 3.0])
    a, b = grad(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(x, x)
    assert list(a) == [8, 18]
    assert list(b) == [4, 9]
    v = Value(2.0)
    assert [float(g.data) for g in grad(lambda x, y: x * x * y, argnums=(0, 1))(v, v)] == [8.0, 4.0]


def test_constant_and_identity_functions():
    assert grad(lambda x: 5.0)(2.0) == 0.0
    assert grad(lambda x: x)(2.0) == 1.0
    assert grad(lambda x: Value(3.0))(2.0) == 0.0
    assert list(grad(lambda x: 5.0)(np.ones(2))) == [0, 0]
    assert list(grad(lambda x, y: y.sum(), argnums=0)(np.ones(2), np.ones(3))) == [0, 0]
    assert_close(jacobian(lambda x: x)(np.ones(3)), np.eye(3))
    assert_close(jacobian(lambda x: np.ones(2))(np.ones(3)), np.zeros((2, 3)))
    assert_close(hessian(lambda x: x.sum())(np.ones(3)), np.zeros((3, 3)))
    assert_close(hessian(lambda x: 5.0)(np.ones(3)), np.zeros((3, 3)))
    assert hessian(lambda x: x)(2.0) == 0.0
    assert jvp(lambda x: x, (2.0,), (3.0,)) == (2.0, 3.0)
    assert jvp(lambda x: 5.0, (2.0,), (3.0,)) == (5.0, 0.0)
    value, pullback = vjp(lambda x: x, np.ones(2))
    assert list(value) == [1, 1]
    assert list(pullback(np.array([3.0, 4.0]))[0]) == [3, 4]
    assert list(vjp(lambda x: np.ones(2), np.ones(3))[1](np.ones(2))[0]) == [0, 0, 0]
    assert grad(grad(lambda x: 5.0))(2.0) == 0.0
    assert grad(grad(lambda x: x))(2.0) == 0.0


def test_a_result_that_is_no_scalar_is_refused_by_grad():
    for derivative in (grad, value_and_grad, hessian):
        with pytest.raises(RuntimeError, match=r"scalar|jacobian"):
            derivative(lambda x: x * 2)(np.ones(3))


def test_numpy_functions_inside():
    f = lambda x: np.sum(np.exp(x) * np.sin(x))  # noqa: E731
    x = normal(3)
    assert_close(grad(f)(x), np.exp(x) * (np.sin(x) + np.cos(x)))
    assert grad(lambda x: np.tanh(x))(0.5) == pytest.approx(1 - math.tanh(0.5) ** 2)


# ------------------------------------------------------------------------------------- nesting


def test_four_nested_derivatives():
    f = lambda x: F.exp(2 * x) * F.sin(x)  # noqa: E731
    exact = mp.taylor(lambda x: mp.exp(2 * x) * mp.sin(x), 0.3, 4)
    for order in range(5):
        assert f(0.3) == pytest.approx(float(exact[order] * mp.factorial(order)), rel=1e-13)
        f = grad(f)


def test_four_nested_derivatives_of_arrays():
    x = np.array([0.3, -0.7])
    f = lambda x: F.sin(x) * F.exp(x)  # noqa: E731
    for order in range(1, 5):
        f = grad(lambda x, f=f: f(x).sum())
        exact = [float(mp.diff(lambda t: mp.sin(t) * mp.exp(t), v, order)) for v in x]
        assert_close(f(x), exact, 1e-11)


@pytest.mark.parametrize("outer", ["grad", "jvp", "vjp", "jacobian"])
@pytest.mark.parametrize("inner", ["grad", "jvp", "vjp", "jacobian"])
def test_every_pair_nests(outer, inner):
    derivatives = {
        "grad": lambda f: grad(f),
        "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
        "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
        "jacobian": lambda f: jacobian(f),
    }
    f = lambda x: x**3 * F.exp(x)  # noqa: E731
    second = derivatives[outer](derivatives[inner](f))(0.7)
    third = grad(derivatives[outer](derivatives[inner](f)))(0.7)
    e = math.exp(0.7)
    x = 0.7
    assert float(second) == pytest.approx((6 * x + 6 * x**2 + x**3) * e, rel=1e-13)
    assert float(third) == pytest.approx((6 + 18 * x + 9 * x**2 + x**3) * e, rel=1e-13)


CONFUSIONS = [
    (grad(lambda x: x * grad(lambda y: x + y)(1.0)), 2.0, 1.0),
    (grad(lambda x: x * grad(lambda y: x * y)(1.0)), 2.0, 4.0),
    (grad(lambda x: x * grad(lambda y: x * y * y)(x)), 2.0, 24.0),
    (grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0))(2.0)), 5.0, 1.0),
    (
        lambda x: jvp(lambda x: x * jvp(lambda y: x * y, (1.0,), (1.0,))[1], (x,), (1.0,))[1],
        2.0,
        4.0,
    ),
    (
        lambda x: jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (x,), (1.0,))[1],
        2.0,
        1.0,
    ),
    (grad(lambda x: jvp(lambda y: y**3 * x, (x,), (1.0,))[1]), 2.0, 36.0),
    (grad(lambda x: vjp(lambda y: x * y, 3.0)[1](x)[0]), 2.0, 4.0),
    (grad(lambda x: grad(lambda y: x)(1.0)), 2.0, 0.0),
    (grad(lambda x: x * grad(lambda y: 7.0)(x)), 2.0, 0.0),
]


@pytest.mark.parametrize(("f", "x", "expected"), CONFUSIONS)
def test_no_perturbation_confusion(f, x, expected):
    assert float(f(x)) == pytest.approx(expected)


def test_an_inner_derivative_of_an_outer_array():
    def f(x):
        return (x * grad(lambda y: (x * y * y).sum())(x)).sum()  # Σ 2 x³

    x = normal(3)
    assert_close(grad(f)(x), 6 * x**2)


def test_a_gradient_does_not_touch_what_was_there():
    x = Value(3.0)
    y = x * x
    y.backward()
    grad(lambda v: v * y * x)(2.0)
    assert (x.grad, y.grad) == (6.0, 1.0)
    t = Tensor([3.0])
    hessian(lambda v: (v * v * t).sum())(np.ones(1))
    vjp(lambda v: v * t, np.ones(1))[1](np.ones(1))
    assert list(t.grad) == [0.0]


def test_backward_inside_a_function_to_differentiate():
    def f(x):
        v = Value(3.0)
        (v * v).backward()
        return x * v.grad

    assert grad(f)(2.0) == 6.0


def test_create_graph_matches_nested_grad():
    x = Value(0.7)
    y = F.tanh(x * x)
    y.backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward(create_graph=True)
    second = x.grad
    x.zero_grad()
    second.backward()
    f = lambda x: F.tanh(x * x)  # noqa: E731
    assert first.data == pytest.approx(grad(f)(0.7), rel=1e-15)
    assert second.data == pytest.approx(grad(grad(f))(0.7), rel=1e-14)
    assert x.grad == pytest.approx(grad(grad(grad(f)))(0.7), rel=1e-13)


def test_create_graph_accumulates_as_plain_passes_do():
    for x in (Value(3.0), Tensor(3.0)):
        y = x**3
        y.backward()
        y.backward(create_graph=True)
        assert float(x.grad) == 54.0
        y.backward()
        assert float(x.grad) == 81.0
        x.zero_grad()
        y.backward(create_graph=True)
        y.backward(create_graph=True)
        assert float(x.grad) == 54.0
        g = x.grad
        x.zero_grad()
        g.backward()
        assert float(x.grad) == 36.0


def test_create_graph_leaves_gradients_on_inner_nodes():
    x = Value(3.0)
    y = x * x
    z = y * y
    z.backward(create_graph=True)
    assert float(y.grad) == 18.0
    assert float(z.grad) == 1.0
    z.backward(create_graph=True)
    assert float(y.grad) == 18.0


def test_a_gradient_penalty():
    """(‖∇f‖ − 1)², differentiated with respect to a parameter."""
    W, x = Tensor(normal(3, 2)), Tensor(normal(4, 2, seed=1))
    y = F.tanh(x @ W.T).sum()
    y.backward(create_graph=True)
    penalty = ((F.norm(x.grad, axis=1) - 1) ** 2).mean()
    W.zero_grad()
    penalty.backward()

    def by_hand(w):
        h = np.tanh(x.data @ w.T)
        return np.mean((np.linalg.norm((1 - h**2) @ w, axis=1) - 1) ** 2)

    w, h = np.array(W.data), 1e-5
    for i in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[i] = h
        slope = (by_hand(w + step) - by_hand(w - step)) / (2 * h)
        assert W.grad[i] == pytest.approx(slope, rel=1e-6, abs=1e-9)


# ------------------------------------------------------------------------------------- shapes


SHAPES = [
    ((), ()),
    ((), (2,)),
    ((3,), ()),
    ((3,), (2,)),
    ((2, 3), (2,)),
    ((2,), (2, 3)),
    ((1,), (1,)),
]
SHAPES += [((0,), ()), ((0,), (2,)), ((2,), (0,)), ((2, 2), (1, 2, 1))]


def affine(n_in, n_out):
    A = normal(*n_out, *n_in, seed=5)
    size_in, size_out = int(np.prod(n_in)), int(np.prod(n_out))

    def f(x):
        return F.reshape(F.matmul(A.reshape(size_out, size_in), F.reshape(x, (size_in,))), n_out)

    return f, A


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES, ids=str)
def test_jacobian_has_the_shape_of_output_and_input(n_in, n_out):
    f, A = affine(n_in, n_out)
    for J in (jacobian(f)(normal(*n_in)), jacobian(f)(Tensor(normal(*n_in)))):
        J = getattr(J, "data", J) if isinstance(J, Tensor) else J
        assert np.shape(J) == n_out + n_in
        assert_close(J, A)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2), (0,), (1, 2, 1)], ids=str)
def test_hessian_has_the_shape_of_the_input_twice(shape):
    n = int(np.prod(shape))
    A = normal(n, n, seed=2)

    def f(x):
        flat = F.reshape(x, (n,))
        return F.sum(flat * F.matmul(A, flat))

    H = hessian(f)(normal(*shape))
    assert np.shape(H) == shape + shape
    assert_close(H, (A + A.T).reshape(shape + shape))


def test_derivatives_of_scalars():
    assert jacobian(lambda x: x * x)(3.0) == 6.0
    assert hessian(lambda x: x * x * x)(3.0) == 18.0
    J = jacobian(lambda x: F.stack([x, x * x, 5.0]))(3.0)
    assert list(J) == [1.0, 6.0, 0.0]
    assert list(jacobian(lambda x: [x, x * x])(3.0)) == [1.0, 6.0]


def test_jacobian_of_float32_stays_float32():
    J = jacobian(lambda x: x * x)(np.ones(2, np.float32))
    assert J.dtype == np.float32
    assert hessian(lambda x: (x * x).sum())(np.ones(2, np.float32)).dtype == np.float32


def test_jacobian_by_several_arguments():
    Ja, Jb = jacobian(lambda a, b: a @ b, argnums=(0, 1))(normal(2, 3), normal(3, seed=1))
    assert Ja.shape == (2, 2, 3)
    assert Jb.shape == (2, 3)
    assert_close(Jb, normal(2, 3))


def test_hessian_by_several_arguments():
    """H[i][j] has the shape of argument i followed by that of argument j."""
    H = hessian(lambda x, y: x * x * y, argnums=(0, 1))(2.0, 3.0)
    assert [[float(h) for h in row] for row in H] == [[6.0, 4.0], [4.0, 0.0]]
    a, b = normal(2), normal(3, seed=1)
    H = hessian(lambda x, y: (x * x).sum() * (y**3).sum(), argnums=(0, 1))(a, b)
    assert [[np.shape(h) for h in row] for row in H] == [[(2, 2), (2, 3)], [(3, 2), (3, 3)]]
    assert_close(H[0][1], np.outer(2 * a, 3 * b**2))
    assert_close(H[1][0], H[0][1].T)
    assert_close(hessian(lambda x, y: x * y * y, argnums=1)(2.0, 3.0), 4.0)


def test_hessian_of_a_jacobian_of_a_gradient():
    f = lambda x: (x**4).sum()  # noqa: E731
    x = np.array([1.0, 2.0])
    third = jacobian(hessian(f))(x)
    assert third.shape == (2, 2, 2)
    assert third[0, 0, 0] == 24.0
    assert third[1, 1, 1] == 48.0
    assert third[0, 1, 1] == 0.0
    fourth = jacobian(jacobian(jacobian(grad(f))))(x)
    assert fourth.shape == (2,) * 4
    assert fourth[1, 1, 1, 1] == 24.0


# ------------------------------------------------------------------------------- vjp and jvp


def test_the_pullback_may_be_called_often():
    x = normal(3)
    value, pullback = vjp(lambda x: x * x, x)
    assert_close(value, x * x)
    for g in (normal(3, seed=1), normal(3, seed=2)):
        (got,) = pullback(g)
        assert_close(got, 2 * x * g)
        got[...] = 99.0
    assert_close(pullback(np.ones(3))[0], 2 * x)


def test_a_cotangent_of_another_shape_is_refused():
    _, pullback = vjp(lambda x: x * x, np.ones(3))
    for wrong in (np.ones(2), np.ones((3, 1)), np.ones((2, 3))):
        with pytest.raises(ValueError, match="shape"):
            pullback(wrong)


def test_a_tangent_of_another_shape_is_refused():
    for primals, tangents in [
        ((np.ones(3),), (np.ones(2),)),
        ((1.0, 2.0), (1.0,)),
        ((1.0,), (np.ones(2),)),
    ]:
        with pytest.raises((ValueError, TypeError)):
            jvp(lambda *xs: xs[0], primals, tangents)


@given(st.integers(0, 10**6))
def test_forward_and_backward_are_adjoint(seed):
    x, y = normal(2, 3, seed=seed), normal(3, seed=seed + 1)
    u, v, g = normal(2, 3, seed=seed + 2), normal(3, seed=seed + 3), normal(2, seed=seed + 4)
    f = lambda x, y: F.tanh(x @ y) * F.softmax(x, axis=0).sum(axis=1)  # noqa: E731
    value, tangent = jvp(f, (x, y), (u, v))
    same, pullback = vjp(f, x, y)
    a, b = pullback(g)
    assert_close(value, same)
    assert np.sum(tangent * g) == pytest.approx(np.sum(a * u) + np.sum(b * v), abs=1e-12)


def test_jvp_through_zeros():
    """The dummy cotangent of double-VJP must not be 0."""
    x = np.array([-1.0, 0.0, 2.0])
    one = np.ones(3)
    assert list(jvp(F.relu, (x,), (one,))[1]) == [0, 0, 1]
    assert list(jvp(F.abs, (x,), (one,))[1]) == [-1, 0, 1]
    assert list(jvp(lambda x: x * 0, (x,), (one,))[1]) == [0, 0, 0]
    assert list(jvp(lambda x: x * x, (x * 0,), (one,))[1]) == [0, 0, 0]
    assert jvp(lambda x: F.where(x > 0, F.sqrt(x), 0.0), (0.0,), (1.0,))[1] == 0.0
    assert jvp(lambda x, y: x * y, (0.0, 0.0), (1.0, 1.0)) == (0.0, 0.0)
    assert jvp(lambda x: x * grad(lambda y: y * y)(x), (0.0,), (1.0,)) == (0.0, 0.0)
    assert list(jvp(lambda x: F.prod(x), (np.zeros(3),), (one,))) == [0.0, 0.0]
    assert jvp(lambda x: F.prod(x), (np.array([0.0, 2.0, 3.0]),), (one,))[1] == 6.0


CANCELLING = {
    "difference": (lambda s: F.stack([s, -s]), [INF, -INF]),
    "second difference": (lambda s: F.stack([s, -2 * s, s]), [INF, -INF, INF]),
    "third difference": (lambda s: F.stack([s, -3 * s, 3 * s, -s]), [INF, -INF, INF, -INF]),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_jvp_where_equal_cotangents_would_cancel(name):
    spread, expected = CANCELLING[name]
    with np.errstate(all="ignore"):
        assert list(jvp(lambda x: spread(F.sqrt(x)), (0.0,), (1.0,))[1]) == expected
        array = jvp(lambda x: spread(F.sqrt(x)[0]), (np.zeros(1),), (np.ones(1),))[1]
        assert list(array) == expected


def test_jvp_of_nodes_gives_nodes():
    x = Value(3.0)
    value, tangent = jvp(lambda x: x**3, (x,), (1.0,))
    assert float(value.data) == 27.0
    tangent.backward()
    assert x.grad == 18.0
    t = Value(2.0)
    jvp(lambda x: x**3, (3.0,), (t,))[1].backward()
    assert t.grad == 27.0


def test_jvp_of_integers():
    value, tangent = jvp(lambda x: x * x, (3,), (1,))
    assert (value, tangent) == (9.0, 6.0)
    value, tangent = jvp(lambda x: x * x, (np.array([1, 2]),), (np.array([1, 1]),))
    assert list(tangent) == [2, 4]


def test_hessian_vector_products_are_symmetric():
    def f(x):
        return F.logsumexp(F.tanh(x.reshape(2, 3) @ normal(3, 3))) + F.norm(x)

    x, u, v = normal(6), normal(6, seed=1), normal(6, seed=2)
    forward = jvp(grad(f), (x,), (u,))[1]
    assert np.dot(forward, v) == pytest.approx(np.dot(jvp(grad(f), (x,), (v,))[1], u), rel=1e-10)
    H = hessian(f)(x)
    assert_close(H, H.T, 1e-13)
    assert_close(H @ u, forward, 1e-12)


def test_slopes_at_the_edge_of_the_domain():
    with np.errstate(all="ignore"):
        assert grad(F.sqrt)(0.0) == math.inf
        assert grad(F.log)(0.0) == math.inf
        assert grad(lambda x: 1 / x)(0.0) == -math.inf
        assert grad(lambda x: x**0.5)(0.0) == math.inf
        assert grad(grad(F.log))(0.0) == -math.inf
        assert value_and_grad(F.log)(0.0) == (-math.inf, math.inf)
        assert vjp(F.sqrt, 0.0)[1](1.0)[0] == math.inf
        assert jacobian(F.sqrt)(0.0) == math.inf


def test_an_exception_in_the_function_leaves_no_trace():
    def broken(x):
        raise KeyError

    for derivative in (grad, jacobian, hessian):
        with pytest.raises(KeyError):
            derivative(broken)(2.0)
    with pytest.raises(KeyError):
        jvp(broken, (2.0,), (1.0,))
    assert type(grad(lambda x: x * x)(3.0)) is float
    assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)
    x = Tensor([1.0])
    assert type(vjp(lambda x: x * 2, np.ones(1))[0]) is np.ndarray
    assert (x * 2).op is not None
