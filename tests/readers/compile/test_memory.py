"""The memory of a program: used again and again, never twice at a time."""

import gc
import itertools
import tracemalloc
import weakref

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Adam, Tensor, compile
from micrograd_nn.readers.compile.memory import planned
from micrograd_nn.readers.compile.steps import UFUNC, VIEW
from micrograd_nn.readers.compile.tracing import Tracer


def chain(t, links):
    for _ in range(links):
        t = F.tanh(t * 0.5 + 1.0)
    return t


def program_of(rows=64, links=3, **settings):
    x, W = Tensor(np.ones((rows, 16)), requires_grad=False), Tensor(np.eye(16))
    return compile(chain(x @ W, links).sum(), inputs=[x], wrt=[W], **settings)


def bytes_of(program):
    return int(program.plan.split("NumPy, ")[1].split(" bytes")[0].replace(",", ""))


def grown(call, times=200):
    """Return by how many bytes the memory in use grows when something is called many times."""
    tracemalloc.start()
    for _ in range(30):
        call()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(times):
        call()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def test_a_program_takes_no_more_memory_from_call_to_call():
    program = program_of()
    X = np.ones((64, 16))
    assert grown(lambda: program(X)) < 64 * 16 * 8


def test_steps_take_no_more_memory_from_call_to_call():
    x, W = Tensor(np.ones((64, 16)), requires_grad=False), Tensor(np.eye(16))
    program = compile((x @ W).sum(), inputs=[x], optimizer=Adam([W], lr=1e-3))
    X = np.ones((64, 16))
    assert grown(lambda: program(X)) < 64 * 16 * 8


def test_many_shapes_are_forgotten_again():
    program = program_of()
    sizes = itertools.cycle(range(50, 70))
    assert grown(lambda: program(np.ones((next(sizes), 16))), times=40) < 500_000


def test_a_plan_does_not_keep_the_inputs_of_a_call_alive():
    program = program_of()

    class Watched(np.ndarray):
        pass

    X = np.ones((64, 16)).view(Watched)
    alive = weakref.ref(X)
    program(X)
    del X
    gc.collect()
    assert alive() is None


def test_a_long_chain_forward_lives_in_few_buffers():
    x = Tensor(np.ones(1000))
    short, long = (compile(chain(x, n).sum(), inputs=[x], wrt=[]) for n in (3, 60))
    assert bytes_of(long) <= bytes_of(short) <= 2 * 8000


def test_buffers_grow_only_with_what_the_backward_pass_needs():
    short, long = program_of(links=10), program_of(links=20)
    assert bytes_of(long) - bytes_of(short) <= 10 * 64 * 16 * 8 * 1.01


def test_the_result_of_an_operation_is_never_written_over_what_is_still_read():
    rng = np.random.default_rng(0)
    for _ in range(40):
        tracer = Tracer()
        pool = [tracer.leaf(np.ones((4, 4)), "x"), tracer.leaf(np.ones((4, 4)), "y")]
        for _ in range(25):
            a, b = (pool[-rng.integers(1, min(8, len(pool)) + 1)] for _ in range(2))
            made = rng.integers(4)
            if made == 0:
                pool.append(a.T)
            elif made == 1:
                pool.append(np.tanh(a))
            else:
                pool.append(np.multiply(a, b) if made == 2 else np.add(a, b))
        out = pool[-1].whole()
        memory = planned(tracer.steps, {out.base(), out}, {})
        assert_disjoint(tracer.steps, memory)


def assert_disjoint(steps, memory):
    """Replay the steps symbolically: what each reads must be what was written for it."""
    holds = {}
    for step in steps:
        for used in step.inputs():
            base = used.base()
            if base in memory.places:
                index, _ = memory.places[base]
                assert holds[index] is base, (step, used)
        if step in memory.places and step.kind != VIEW:
            index, place = memory.places[step]
            assert place.shape == step.shape
            assert place.dtype == step.sample.dtype
            overwritten = [u for u in step.inputs() if _in(memory, u) == index]
            assert step.kind == UFUNC or not overwritten
            assert all(u.base() is u for u in overwritten), "an operand is read through a view"
            holds[index] = step


def _in(memory, step):
    return memory.places.get(step.base(), (None,))[0]


@pytest.mark.parametrize("order", ["C", "F", "strided", "readonly", "reversed"])
def test_inputs_in_any_layout(order):
    program = program_of(rows=6)
    X = np.random.default_rng(0).normal(size=(6, 16))
    expected = program(X)
    if order == "F":
        given = np.asfortranarray(X)
    elif order == "strided":
        given = np.repeat(X, 2, axis=0)[::2]
    elif order == "reversed":
        given = X[::-1].copy()[::-1]
    else:
        given = X.copy(order="C")
        given.flags.writeable = order != "readonly"
    value, grads = program(given)
    assert np.allclose(value, expected[0], rtol=1e-14)
    assert np.allclose(grads[0], expected[1][0], rtol=1e-13)


def test_an_input_that_is_the_array_of_a_parameter_or_of_an_earlier_gradient():
    x, W = Tensor(np.eye(3), requires_grad=False), Tensor(np.arange(9.0).reshape(3, 3))
    root = F.tanh(x @ W * 0.1).sum()
    program = compile(root, inputs=[x], wrt=[W])
    _, (grad,) = program(W.data)
    again, (other,) = program(grad)
    assert np.array_equal(program(grad.copy())[0], again)
    assert not np.may_share_memory(grad, other)
    stepping = compile(root, inputs=[x], optimizer=Adam([W], lr=0.1))
    twin = W.data.copy()
    value = stepping(W.data)
    assert np.isclose(value, np.tanh(twin @ twin * 0.1).sum())
