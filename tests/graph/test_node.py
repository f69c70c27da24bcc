"""What every node has: a name, an op, a place in the text; and the modes that record it."""

import math
import operator
import threading

import numpy as np
import pytest

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, debug_nans, grad, jvp, no_grad, record_lines

KINDS = pytest.mark.parametrize("kind", [Value, Tensor])


@KINDS
def test_names(kind):
    x = kind(2.0, name="x")
    y = x * 3
    assert (x.name, y.name, kind(1.0).name) == ("x", None, None)
    assert y.named("y") is y
    assert y.name == "y"
    y.name = "z"
    assert y.name == "z"
    y.name = None
    assert y.name is None
    assert (x + 1).name is None
    assert "x" in repr(x)


@KINDS
def test_naming_one_node_names_no_other(kind):
    x = kind(2.0)
    with record_lines():
        a, b = x * 2, x * 3
    a.named("a")
    b.named("b")
    assert (a.name, b.name, x.name) == ("a", "b", None)
    c = F.clip(x, 0, 1).named("c")
    d = F.clip(x, 0, 1)
    assert (c.name, d.name) == ("c", None)


@KINDS
def test_a_name_changes_no_gradient(kind):
    x = kind(2.0, name="x")
    y = (x * x).named("y")
    z = (y * y).named("z")
    assert [i.name for i in z.inputs] == ["y", "y"]
    z.backward()
    assert float(x.grad) == 32.0


@KINDS
def test_what_an_operation_is_called(kind):
    x = kind(2.0)
    names = {(x + 1).op.name, (x - 1).op.name, (x * 2).op.name, F.tanh(x).op.name}
    assert len(names) == 4
    assert x.op is None
    assert x.inputs == ()
    assert len((x * 2).op.rules) == 2
    assert (x * 2).op is (3 * x).op
    assert "tanh" in repr(F.tanh(x).op)


@KINDS
def test_equality_and_hash_are_identity(kind):
    a, b = kind(1.0), kind(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert a in [b, a]
    assert b not in [a]
    assert [a, b].index(b) == 1
    assert a != 1.0
    assert hash(a) == hash(a)


@KINDS
def test_order_compares_data(kind):
    a, b = kind(1.0), kind(2.0)
    assert a < b
    assert a <= b
    assert b > a
    assert b >= a
    assert not a > b
    assert a < 1.5
    assert operator.gt(1.5, a)
    assert operator.le(0, a)
    assert not a >= 1.5
    assert max([a, b]) is b
    assert np.float64(0.5) < a


@pytest.mark.parametrize("other", [Tensor([1.0, 3.0]), np.array([1.0, 3.0])], ids=repr)
def test_a_value_beside_an_array_is_compared_with_each_element(other):
    value = Value(2.0)
    assert (value < other).tolist() == (value <= other).tolist() == [False, True]
    assert (value > other).tolist() == (value >= other).tolist() == [True, False]
    assert (value < Tensor(3.0)) is True


def test_order_of_tensors_is_elementwise():
    t = Tensor([1.0, 3.0])
    assert list(t > 2) == [False, True]
    assert list(operator.gt(2, t)) == [True, False]
    assert list(t >= np.array([1.0, 4.0])) == [True, False]
    assert list(np.array([2.0, 2.0]) > t) == [True, False]


@KINDS
def test_a_misspelt_name_is_an_error(kind):
    x = kind(1.0)
    for name in ("dat", "_gard", "foo", "tanhh"):
        with pytest.raises(AttributeError):
            getattr(x, name)
    with pytest.raises(AttributeError):
        x.dta = 3.0
    with pytest.raises(AttributeError):
        x.shape = (2,)


# ---------------------------------------------------------------------------------- no_grad


@KINDS
def test_no_grad_computes_and_records_nothing(kind):
    x = kind(3.0)
    with no_grad():
        y = x * x + F.exp(x) - 2 / x
        y += 1
    assert float(y.data) == pytest.approx(9 + math.exp(3) - 2 / 3 + 1)
    assert y.op is None
    assert y.inputs == ()
    z = y * x
    z.backward()
    assert float(x.grad) == float(y.data)
    assert not np.any(y.grad)
    assert (x * x).op is not None


OTHERS = [
    0.5,
    3,
    True,
    np.float64(0.5),
    np.float32(0.5),
    np.array([0.5, 2.0]),
    Value(0.5),
    "constant",
]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
@pytest.mark.parametrize("operate", OPERATORS, ids=lambda operate: operate.__name__)
def test_no_grad_gives_the_same_numbers(operate, other):
    x = Value(1.7)
    other = (x * 0 + 0.5).detach() if isinstance(other, str) else other
    recorded = [operate(x, other), operate(other, x), -x, x.tanh()]
    with no_grad():
        quiet = [operate(x, other), operate(other, x), -x, x.tanh()]
    for one, node in zip(quiet, recorded, strict=True):
        assert type(one).rank == type(node).rank
        assert one.op is None
        assert not one.requires_grad
        np.testing.assert_array_equal(one.data, node.data)


def test_no_grad_refuses_what_recording_refuses():
    with no_grad(), pytest.raises(TypeError):
        Value(1.0) + "a"


@KINDS
def test_no_grad_is_restored_by_an_exception(kind):
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (kind(1.0) * 2).op is not None


@KINDS
def test_no_grad_nests_and_decorates(kind):
    x = kind(1.0)
    with no_grad():
        with no_grad():
            pass
        assert (x * 2).op is None
    assert (x * 2).op is not None

    @no_grad()
    def evaluated(x):
        return x * 2

    for _ in range(2):
        assert evaluated(x).op is None
        assert (x * 2).op is not None


def test_no_grad_holds_for_one_thread():
    inside, outside = threading.Event(), threading.Event()
    found = []

    def other():
        inside.wait(10)
        found.append((Value(1.0) * 2).op is not None)
        found.append((Tensor([1.0]) * 2).op is not None)
        outside.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad():
        inside.set()
        assert outside.wait(10)
        assert (Value(1.0) * 2).op is None
    thread.join()
    assert found == [True, True]


def test_no_grad_is_never_a_silent_wrong_derivative():
    """A derivative asked for inside the block is right, or refused."""
    with no_grad():
        for derivative in (
            lambda: grad(lambda x: x * x)(3.0),
            lambda: jvp(lambda x: x * x, (3.0,), (1.0,))[1],
            lambda: mg.vjp(lambda x: x * x, 3.0)[1](1.0)[0],
            lambda: mg.jacobian(lambda x: x * x)(3.0),
            lambda: mg.hessian(lambda x: x * x * x)(1.0),
        ):
            try:
                found = derivative()
            except RuntimeError:
                continue
            assert float(found) == 6.0
        assert (Value(1.0) * 2).op is None


def test_a_graph_recorded_before_may_be_pulled_inside_no_grad():
    x, t = Value(3.0), Tensor([3.0])
    y, u = x * x, (t * t).sum()
    with no_grad():
        y.backward()
        u.backward()
    assert x.grad == 6.0
    assert t.grad[0] == 6.0


@KINDS
def test_no_grad_inside_a_function_to_differentiate(kind):
    def f(x):
        with no_grad():
            scale = F.exp(x) * 0 + 2
        return scale * x * x

    assert float(grad(f)(3.0)) == 12.0
    x = kind(3.0)
    f(x).backward()
    assert float(x.grad) == 12.0


# ------------------------------------------------------------------------------- debug_nans


FIRST_BAD = [
    (lambda x: F.log(x * 0), "log"),
    (lambda x: (x * 0) / (x * 0), "div"),
    (lambda x: F.sqrt(x - 100), "sqrt"),
    (lambda x: F.exp(x * 1000), "exp"),
    (lambda x: (x - 100) ** 0.5, "power"),
    (lambda x: x * 1e308 * 1e308, "mul"),
]


@KINDS
@pytest.mark.parametrize(("f", "op"), FIRST_BAD)
def test_debug_nans_names_the_first_operation(kind, f, op):
    with np.errstate(all="ignore"):
        f(kind(3.0))
        with debug_nans(), pytest.raises(ArithmeticError, match=op) as caught:
            F.tanh(f(kind(3.0, name="q"))) + 1
        f(kind(3.0))
    assert "test_node.py" in str(caught.value)


def test_debug_nans_names_the_node_and_the_element_count():
    with np.errstate(all="ignore"), debug_nans(), pytest.raises(ArithmeticError) as caught:
        F.log(Tensor([1.0, 0.0, -1.0], name="probabilities"))
    message = str(caught.value)
    assert "probabilities" in message
    assert "2" in message
    assert "3" in message


@KINDS
def test_debug_nans_leaves_good_numbers_alone(kind):
    x = kind(3.0)
    with debug_nans():
        y = F.exp(x) * 2
        y.backward()
    assert float(x.grad) == pytest.approx(2 * math.exp(3))


def test_debug_nans_is_restored_by_the_exception_it_raises():
    for _ in range(2):
        with pytest.raises(ArithmeticError), debug_nans():
            Value(0.0).log()
        assert Value(0.0).log().data == -math.inf


def test_debug_nans_holds_for_array_functions_too():
    with np.errstate(all="ignore"), debug_nans():
        for f in (F.softmax, F.sum, F.mean, F.prod, lambda x: x @ x, lambda x: x.reshape(1, 2)):
            with pytest.raises(ArithmeticError):
                f(Tensor([np.inf, np.nan]))


# ----------------------------------------------------------------------------- record_lines


@KINDS
def test_record_lines(kind):
    x = kind(3.0)
    with record_lines():
        y = x * 2
        z = F.exp(y)
        w = F.mean(z) if kind is Tensor else z.tanh()
    assert (x * 2).line is None
    lines = [node.line for node in (y, z, w)]
    files, numbers = zip(*(line.rsplit(":", 1) for line in lines), strict=True)
    assert set(files) == {__file__}
    first = int(numbers[0])
    assert [int(n) for n in numbers] == [first, first + 1, first + 2]


def test_record_lines_nests_with_the_other_modes():
    with record_lines(), no_grad():
        assert (Value(1.0) * 2).op is None
    with no_grad():
        pass
    with record_lines():
        with debug_nans():
            y = Value(1.0) * 2
        z = Value(1.0) * 2
    assert y.line
    assert z.line
    assert (Value(1.0) * 2).line is None


def test_a_stale_error_tells_the_line():
    x = Value(3.0)
    with record_lines():
        y = (x * x).named("square")
    z = y * 2
    y.data = 5.0
    with pytest.raises(mg.GraphError, match=r"square.*test_node\.py:\d+|test_node\.py:\d+.*square"):
        z.backward()


# ------------------------------------------------------------------------- an exception midway


BAD_OPERATIONS = [
    lambda x: x + np.ones(5),
    lambda x: x @ np.ones((4, 4)),
    lambda x: x.reshape(7),
    lambda x: F.concatenate([x, np.ones((2, 2))]),
    lambda x: x[9],
    lambda x: F.sum(x, axis=4),
    lambda x: x * "a",
    lambda x: x * 1j,
    lambda x: F.where(np.ones(7, bool), x, 0.0),
]


@pytest.mark.parametrize("bad", BAD_OPERATIONS)
def test_an_operation_that_fails_leaves_the_graph_clean(bad):
    x = Tensor([1.0, 2.0, 3.0])
    y = x * x
    with pytest.raises((ValueError, TypeError, IndexError)):
        bad(y)
    assert y.inputs == (x, x)
    y.backward(seed=np.ones(3))
    assert list(x.grad) == [2.0, 4.0, 6.0]
    with pytest.raises((ValueError, TypeError, IndexError)):
        bad(x)
    y.backward(seed=np.ones(3))
    assert list(x.grad) == [4.0, 8.0, 12.0]


def test_shape_errors_name_the_operation_both_shapes_and_the_names():
    W, x = Tensor(np.ones((2, 3)), name="W"), Tensor(np.ones((4, 2)), name="x")
    with pytest.raises(ValueError, match=r"matmul") as caught:
        W @ x
    for word in ("(2, 3)", "(4, 2)", "W", "x"):
        assert word in str(caught.value)


@KINDS
def test_constants_have_no_gradient(kind):
    x = kind(3.0)
    y = x * 4.0
    y.backward()
    constant = y.inputs[1]
    assert float(constant.data) == 4.0
    assert not np.any(constant.grad)
    assert float(x.detach().data) == 3.0
    (x * x.detach()).backward()
    assert float(x.grad) == 7.0


@KINDS
def test_detach_keeps_the_data_apart(kind):
    x = kind(3.0)
    d = x.detach()
    x.data = 5.0
    assert float(d.data) == 3.0
    y = (x * x).detach()
    assert y.op is None
    assert y.inputs == ()


@KINDS
def test_a_node_is_positive(kind):
    x = kind(3.0)
    assert float((+x).data) == 3.0
    y = -x
    y = -y
    y.backward()
    assert float(x.grad) == 1.0


def test_truth_of_a_node():
    assert Value(1.0)
    assert not Value(0.0)
    assert Tensor([2.0])
    assert not Tensor(0.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_text_of_a_node():
    assert "2.5" in repr(Value(2.5))
    assert "2.5" in repr(Tensor([2.5]))
    assert "float32" in repr(Tensor(np.ones(1, np.float32)))
    y = Value(2.5)
    (y * 1).backward(create_graph=True)
    assert "1.0" in repr(y)
    assert "array(" not in repr(Tensor(np.arange(10_000.0)))
    assert len(repr(Tensor(np.arange(10_000.0)))) < 2000


def test_a_cell_of_a_notebook_is_called_as_the_notebook_calls_it(tmp_path):
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell", reason="no IPython")
    shell = interactiveshell.InteractiveShell.instance(
        ipython_dir=str(tmp_path), history_manager=None
    )
    try:
        shell.run_cell("1", store_history=True)
        shell.run_cell("from micrograd_nn import Value, record_lines", store_history=True)
        cell = "with record_lines():\n    y = Value(1.0) + 2"
        shell.run_cell(cell, store_history=True).raise_error()
        assert shell.user_ns["y"].line == "In[3]:2"
    finally:
        interactiveshell.InteractiveShell.clear_instance()
