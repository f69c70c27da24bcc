"""What kernels and rules do with stand-ins: followed where they can be, called where they can't."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, compile, primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.compile.tracing import Traced, Tracer, UntraceableError


def traced(*shape, dtype=float):
    return Tracer().leaf(np.ones(shape, dtype), "x")


def test_operators_make_steps():
    x = traced(2, 3)
    made = 1.0 - np.exp(x) / (x.T.T + 2) * x
    assert isinstance(made, Traced)
    assert made.shape == (2, 3)
    assert {s.function for s in x.tracer.steps} >= {np.exp, np.divide, np.multiply, np.subtract}


def test_what_is_computed_twice_is_one_step():
    x = traced(3)
    assert np.exp(x).step is np.exp(x).step
    assert np.exp(x + 1).step is np.exp(x + 1).step
    assert np.exp(x + 1).step is not np.exp(x + 2).step
    assert (x + 0.0).step is not (x + -0.0).step
    assert (x + 1).step is not (x + 1.0).step or (x + 1).dtype == (x + 1.0).dtype


@pytest.mark.parametrize("look", [bool, float, int, list, np.asarray, lambda x: x.item()])
def test_looking_at_data_is_refused(look):
    with pytest.raises(UntraceableError, match="known only when the program runs"):
        look(traced())


def test_result_type_is_a_dtype():
    x = traced(3, dtype=np.float32)
    assert np.result_type(x, np.float64) == np.float64
    assert np.result_type(x, 1.0) == np.float32
    assert x.astype(np.result_type(x, x)) is x


def test_the_shape_is_known_before_the_program_runs():
    x = traced(2, 3)
    assert np.shape(x) == (2, 3)
    assert np.ndim(x) == 2
    assert np.shape(np.broadcast_to(x, (4, 2, 3))) == (4, 2, 3)


def test_a_kernel_that_asks_for_the_shape_is_followed():
    x = Tensor(np.ones((2, 3)), name="x")
    program = compile((table["sum_to"](x, shape=(3,)) ** 2).sum(), inputs=[x])
    assert "table['sum_to']" not in program.source
    assert np.array_equal(program(np.ones((2, 3)))[1][0], np.full((2, 3), 4.0))


@pytest.mark.parametrize("function", [np.cumsum, np.cumprod, np.clip])
def test_a_function_that_writes_into_an_array_is_not_followed(function):
    args = (0.0, 1.0) if function is np.clip else ()
    with pytest.raises(UntraceableError, match="writes into an array"):
        function(traced(3), *args, out=np.empty(3))


pytestmark = pytest.mark.usefixtures("table_kept")


def own(name, forward, *rules):
    return primitive(name, forward, rules)


def checked(f, *shapes):
    """Compile the weighted sum of f, and compare with backward() on other data."""
    rng = np.random.default_rng(0)
    leaves = [Tensor(rng.normal(size=s)) for s in shapes]
    R = rng.normal(size=f(*leaves).shape)
    program = compile((f(*leaves) * R).sum(), inputs=leaves, wrt=leaves)
    for _ in range(3):
        arrays = [rng.normal(size=s) for s in shapes]
        nodes = [Tensor(a) for a in arrays]
        root = (f(*nodes) * R).sum()
        root.backward()
        value, grads = program(*arrays)
        assert np.array_equal(value, root.data)
        for found, node in zip(grads, nodes, strict=True):
            assert np.array_equal(found, node.grad)


def _into(x):
    out = np.empty_like(x)
    out[...] = x
    out[0] *= 2.0
    out += 1.0
    return out


def _looking(x):
    return x * 2.0 if x.sum() > 0 else x * -3.0


def _loop(x):
    total = np.zeros_like(x)
    for row in range(len(x)):
        total[row] = x[: row + 1].sum()
    return total


def _by_out(x):
    result = np.empty_like(x)
    np.multiply(x, 2.0, out=result)
    np.add(result, 1.0, result)
    return result


def _by_view(x):
    result = np.zeros_like(x)
    part = result[1:]
    part += x[1:]
    return result


def _by_ravel(x):
    result = np.zeros_like(x)
    result.ravel()[:2] = np.ravel(x)[:2]
    return result


def _masked(x):
    result = x.copy()
    result[result > 0] = 7.0
    return result


def _sorted(x):
    return np.sort(x) if x.ndim == 1 else np.sort(x, axis=0)


def _argsorted(x):
    return np.take(x, np.argsort(x.ravel())[:3])


def _copyto(x):
    result = np.empty_like(x)
    np.copyto(result, x)
    return result


def _fill_diagonal(x):
    result = np.array(x)
    np.put(result, [0, 1], 5.0)
    return result


def _bound_method(x):
    return x.cumsum().reshape(x.shape) + x.max() - x.min() + x.std()


def _at(x):
    result = np.zeros_like(x)
    np.add.at(result, ([0, 0],), x[:2])
    return result


def _scipy_like(x):
    return np.vectorize(lambda v: v * 2 if v > 0 else v)(x)


KERNELS = [
    _into, _looking, _loop, _by_out, _by_view, _by_ravel, _masked, _sorted, _argsorted,
    _copyto, _fill_diagonal, _bound_method, _at, _scipy_like,
]  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_of_a_users_operations_give_their_own_numbers(kernel):
    op = own("own" + kernel.__name__, kernel, lambda g, z, x: np.sum(g) + 0 * x)
    checked(lambda x: F.tanh(op(x * 1.5)) * 2.0, (4,))


@pytest.mark.parametrize("rule", KERNELS)
def test_rules_of_a_users_operations_give_their_own_numbers(rule):
    op = own("rule" + rule.__name__, lambda x: x * 2.0, lambda g, z, x: rule(g) * np.sum(x))

    def rule_of_shape(x):
        return F.tanh(op(x))

    try:
        checked(rule_of_shape, (3,))
    except (ValueError, TypeError) as error:
        assert "shape" in str(error)  # noqa: PT017 (the rule gives another shape: both refuse)


def test_an_operation_with_a_state_of_its_own_is_called():
    seen = []

    def forward(x):
        seen.append(1)
        return x * float(len(seen))

    op = own("counting", forward, lambda g, z, x: g)
    x = Tensor(np.ones(2))
    compile(op(x).sum(), inputs=[x])(np.ones(2))


def test_a_constant_array_is_not_taken_for_another_of_the_same_memory():
    x = Tensor(np.ones(3))
    made = x
    for k in range(20):
        made = made + np.full(3, float(k))
    program = compile(made.sum(), inputs=[x])
    assert program(np.zeros(3))[0] == 3 * sum(range(20))


@pytest.mark.parametrize(
    "index",
    [
        (slice(None, None, -1),), (slice(None), slice(None, None, -1)), (0,), (-1,), (Ellipsis, 0),
        (None, 0), (slice(1, None), None, slice(None, None, -2)), ([0, 0, 1],),
        (np.array([True, False, True]),), ([0, 2], [1, 1]), (slice(None), [3, 0, 3]), (Ellipsis,),
        (slice(0, 0),), (slice(None, None, -1), None, slice(None, None, -1)),
    ],
)  # fmt: skip
def test_gradients_of_parts_lie_where_the_parts_were(index):
    checked(lambda x: F.exp(x[index]), (3, 4))
    checked(lambda x: F.exp(x[index]) * x[index], (3, 4))
    checked(lambda x: (x[index] * 2).sum() + x * x[::-1], (3, 4))


def test_parts_that_overlap_and_parts_of_parts():
    checked(lambda x: x[:3] * x[1:] + x[::-1][:3], (4,))
    checked(lambda x: x[:, 1:][1:, ::-1] * x[:2, :3].T[:2].sum(), (3, 4))
    checked(lambda x: x[:2].sum() * x[2:] + x.T.reshape(3, 4)[0, :2].sum(), (4, 3))
    checked(lambda x: F.concatenate([x[2:], x[:2]]) * x, (4,))


@pytest.mark.parametrize(
    "build",
    [
        lambda x: (x[False] * 2).sum() + (x[0:3] * 2).sum(),
        lambda x: (x[True] * 3).sum() + (x[0:0] * 2).sum(),
        lambda x: (x[:, :0][:2] * 2).sum() + (x[:, :0] * 3).sum() + x.sum(),
        lambda x: (F.broadcast_to(x.sum(), (4,))[1:3] * 2).sum(),
        lambda x: (F.broadcast_to(x.mean(), (4,))[:2] * 2).sum() + x.mean() ** 2,
        lambda x: (F.broadcast_to(x[0], (4, 2))[1] * 2).sum(),
        lambda x: F.stack([F.mean(x.sum()), x.sum()]).sum(),
        lambda x: (F.stack([x.sum(), x.mean(), x[0, 0]]) * np.arange(3.0)).sum(),
    ],
)
def test_unusual_parts(build):
    checked(build, (3, 2))


def test_parts_of_what_is_broadcast_whole():
    z = Tensor(0.0)
    b = F.broadcast_to(z, (4,))
    program = compile((b[:2] * 2).sum() + (b[2:] * 3).sum(), wrt=[z])
    assert program()[1][0] == 10.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_of_numbers_keeps_their_dtype(dtype):
    a = Tensor(np.asarray(2, dtype))
    value, (g,) = compile(F.stack([a, a]).sum())()
    assert value == 4.0
    assert g == 2.0
    assert np.asarray(g).dtype == dtype
