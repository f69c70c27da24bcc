"""Programs written for micrograd give the same numbers once their import line is changed.

The engine they are compared with is micrograd's algorithm, written anew below: a closure for each
operation, a recursive topological order, gradients that add up.
"""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from micrograd_nn import MLP, Layer, Neuron, Value, data


class Reference:
    """micrograd's Value."""

    def __init__(self, number, children=()):
        self.data, self.grad, self.children = number, 0, children
        self.back = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        out = Reference(self.data + other.data, (self, other))

        def back():
            self.grad += out.grad
            other.grad += out.grad

        out.back = back
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        out = Reference(self.data * other.data, (self, other))

        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.back = back
        return out

    def __pow__(self, exponent):
        out = Reference(self.data**exponent, (self,))

        def back():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out.back = back
        return out

    def relu(self):
        out = Reference(0 if self.data < 0 else self.data, (self,))

        def back():
            self.grad += (out.data > 0) * out.grad

        out.back = back
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            node.back()

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1


class ReferenceNeuron:
    def __init__(self, nin, nonlin=True):
        self.w = [Reference(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Reference(0)
        self.nonlin = nonlin

    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlin else act

    def parameters(self):
        return [*self.w, self.b]


class ReferenceMLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [
            [ReferenceNeuron(sizes[i], nonlin=i != len(nouts) - 1) for _ in range(sizes[i + 1])]
            for i in range(len(nouts))
        ]

    def __call__(self, x):
        for layer in self.layers:
            # micrograd's own can't go on from a layer of one unit; ours can
            x = [neuron(x if isinstance(x, list) else [x]) for neuron in layer]
            x = x[0] if len(x) == 1 else x
        return x

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0


ENGINES = [Reference, Value]


# ------------------------------------------------------------------------------------ programs


def readme(Value):
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return [a, b, c, d, e, f, g]


def sanity_check(Value):
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    return [x, z, q, h, y]


def reflected(Value):
    x, y = Value(3), Value(-2)
    out = 1 - x + 2 / y - y / 3 + (5 - y) / x + x**-2 + (-x) * y**2 + sum([x, y, x * y])
    out.backward()
    return [x, y, out]


def used_twice(Value):
    a = Value(3.0)
    b = a + a
    c = b * b * a
    c.backward()
    return [a, b, c]


def two_roots(Value):
    # gradients of leaves add up over two backward passes; the inner node is fresh
    x = Value(2.0)
    y = x * x
    y.backward()
    z = x * 3
    z.backward()
    return [x, y, z]


def reset(Value):
    x = Value(2.0)
    (x * x).backward()
    x.grad = 0
    y = x**3 + 1
    y.backward()
    x.data -= 0.25 * x.grad
    z = x * x
    x.grad = 0.0
    z.backward()
    return [x, z]


def whole_numbers(Value):
    x = Value(2)
    y = x * 3 + 4
    z = (y - 1).relu() + True
    z.backward()
    return [x, y, z]


def relu_at_zero(Value):
    x = Value(0.0)
    y = x.relu() + x * 3
    y.backward()
    return [x, y]


PROGRAMS = [
    readme, sanity_check, reflected, used_twice, two_roots, reset, whole_numbers, relu_at_zero
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs_give_the_numbers_of_the_reference(program):
    expected, got = program(Reference), program(Value)
    for node, known in zip(got, expected, strict=True):
        assert isinstance(node, Value)
        assert isinstance(node.data, float)
        assert node.data == pytest.approx(known.data, rel=1e-15, abs=1e-15)
        assert node.grad == pytest.approx(known.grad, rel=1e-14, abs=1e-15)


def test_numbers_printed_in_the_readme():
    a, b, *_, g = readme(Value)
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_numbers_of_the_engine_tests():
    x, *_, y = sanity_check(Value)
    assert (y.data, x.grad) == (-20.0, 46.0)


# --------------------------------------------------------------------------------- the network


def networks(nin, nouts, seed=1337):
    random.seed(seed)
    reference = ReferenceMLP(nin, nouts)
    random.seed(seed)
    return reference, MLP(nin, nouts)


def close(model, reference, what="data", rel=1e-11):
    got = [getattr(p, what) for p in model.parameters()]
    known = [getattr(p, what) for p in reference.parameters()]
    np.testing.assert_allclose(got, known, rtol=rel, atol=1e-13)


def test_the_seed_of_python_gives_the_weights_of_micrograd():
    reference, model = networks(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    assert [p.data for p in model.parameters()] == [p.data for p in reference.parameters()]
    with_zero = [p.data for layer in model.layers for n in layer.neurons for p in [n.b]]
    assert set(with_zero) == {0.0}


def test_names_that_programs_use():
    random.seed(0)
    model = MLP(3, [4, 4, 1])
    assert [len(layer.neurons) for layer in model.layers] == [4, 4, 1]
    assert all(isinstance(layer, Layer) for layer in model.layers)
    neuron = model.layers[0].neurons[0]
    assert isinstance(neuron, Neuron)
    assert len(neuron.w) == 3
    assert isinstance(neuron.b, Value)
    assert [n.nonlin for layer in model.layers for n in layer.neurons] == [True] * 8 + [False]
    assert neuron.parameters() == [*neuron.w, neuron.b]
    assert model.layers[0].parameters()[:4] == neuron.parameters()
    assert model.parameters() == [
        p for layer in model.layers for n in layer.neurons for p in (*n.w, n.b)
    ]
    out = model([1, 2, 3])  # int inputs
    assert isinstance(out, Value)
    assert isinstance(model([Value(1), 2.0, np.float64(3)]), Value)
    assert model([Value(1), 2.0, np.float64(3)]).data == out.data
    hidden = model.layers[0]([1.0, 2.0, 3.0])
    assert isinstance(hidden, list)
    assert len(hidden) == 4
    assert isinstance(Neuron(3)([1.0, 2.0, 3.0]), Value)
    assert isinstance(Layer(3, 1)([1.0, 2.0, 3.0]), Value)
    assert isinstance(MLP(3, [2])([1.0, 2.0, 3.0]), list)


@pytest.mark.parametrize("cls", [Neuron, lambda n, nonlin: Layer(n, 2, nonlin=nonlin)])
def test_a_linear_unit(cls):
    linear, rectified = cls(2, nonlin=False), cls(2, nonlin=True)
    for unit in (linear, rectified):
        for p in unit.parameters():
            p.data = -1.0
    first = lambda out: out[0] if isinstance(out, list) else out  # noqa: E731
    assert first(linear([1.0, 2.0])).data == -4.0
    assert first(rectified([1.0, 2.0])).data == 0.0


def test_the_attribute_nonlin_may_be_set_as_in_micrograd():
    neuron = Neuron(1)
    neuron.w[0].data, neuron.b.data = -1.0, 0.0
    assert neuron([1.0]).data == 0.0
    neuron.nonlin = False
    assert neuron([1.0]).data == -1.0


def test_zero_grad_and_grad_set_by_hand():
    reference, model = networks(2, [3, 1])
    for net in (reference, model):
        net([1.0, -2.0]).backward()
        net([0.5, 1.0]).backward()
    close(model, reference, "grad")
    model.zero_grad()
    assert all(p.grad == 0 for p in model.parameters())
    for p in model.parameters():
        p.grad = 0
    model([1.0, -2.0]).backward()
    reference.zero_grad()
    reference([1.0, -2.0]).backward()
    close(model, reference, "grad")


@pytest.mark.parametrize("nouts", [[1], [3], [1, 1], [2, 1, 2], [4, 4, 1]])
@pytest.mark.parametrize("as_values", [False, True])
def test_outputs_and_gradients_of_networks(nouts, as_values):
    reference, model = networks(3, nouts, seed=7)
    rng = np.random.default_rng(0)
    results = []
    for net, kind in ((reference, Reference), (model, Value)):
        rng = np.random.default_rng(0)
        total, inputs = kind(0.0), []
        for _ in range(4):
            x = rng.standard_normal(3).tolist()
            if as_values or kind is Reference:
                x = list(map(kind, x))
                inputs += x
            out = net(x)
            for value in out if isinstance(out, list) else [out]:
                total = total + value * rng.standard_normal() + value**2
        total.backward()
        results.append((total.data, [i.grad for i in inputs]))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-13)
    close(model, reference, "grad")
    if as_values:
        np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-12, atol=1e-14)


def demo(model, kind, X, y, steps, batch_size=None):
    """Return the loss and accuracy of each step of the loop of micrograd's demo notebook."""
    history = []

    def loss(batch_size=None):
        if batch_size is None:
            Xb, yb = X, y
        else:
            ri = np.random.default_rng(len(history)).permutation(X.shape[0])[:batch_size]
            Xb, yb = X[ri], y[ri]
        inputs = [list(map(kind, xrow)) for xrow in Xb]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(yb, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores, strict=True)]
        return total_loss, sum(accuracy) / len(accuracy)

    for k in range(steps):
        total_loss, acc = loss(batch_size)
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        history.append((float(total_loss.data), float(acc)))
    return history


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("labels", ["numpy integers", "plain integers", "floats"])
def test_the_demo_step_for_step(labels, batch_size):
    X, y = data.moons(16, noise=0.1, seed=1)
    y = y * 2 - 1
    y = {"numpy integers": y, "plain integers": y.astype(object), "floats": y.astype(float)}[labels]
    reference, model = networks(2, [8, 8, 1])
    # NumPy's numbers don't know Reference, as they didn't know micrograd's Value: they go through
    # its reflected operators, element by element.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        expected = demo(reference, Reference, X, y, 5, batch_size)
    finally:
        sys.setrecursionlimit(limit)
    got = demo(model, Value, X, y, 5, batch_size)
    np.testing.assert_allclose(got, expected, rtol=1e-11)
    close(model, reference, "grad", rel=1e-9)
    close(model, reference, "data")


def test_the_demo_with_its_own_network_for_two_steps():
    X, y = data.moons(12, noise=0.1, seed=2)
    reference, model = networks(2, [16, 16, 1])
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(40_000)
    try:
        expected = demo(reference, Reference, X, y * 2 - 1, 2)
    finally:
        sys.setrecursionlimit(limit)
    np.testing.assert_allclose(demo(model, Value, X, y * 2 - 1, 2), expected, rtol=1e-12)
    close(model, reference)


def test_the_demo_learns():
    X, y = data.moons(40, noise=0.1, seed=3)
    random.seed(1337)
    history = demo(MLP(2, [16, 16, 1]), Value, X, y * 2 - 1, 60)
    assert history[-1][0] < 0.5 * history[0][0]
    assert history[-1][1] >= 0.9


def test_the_surface_of_decisions_of_the_demo():
    _, model = networks(2, [8, 1])
    mesh = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    inputs = [list(map(Value, xrow)) for xrow in mesh]
    scores = np.array([score.data > 0 for score in map(model, inputs)])
    np.testing.assert_array_equal(scores, model(mesh).data[:, 0] > 0)


@pytest.mark.parametrize("start", [0, 0.0, None])
def test_sum_over_values(start):
    values = [Value(float(i)) for i in range(5)]
    total = sum(values) if start is None else sum(values, start)
    assert isinstance(total, Value)
    total.backward()
    assert total.data == 10.0
    assert [v.grad for v in values] == [1.0] * 5
    assert sum(values, Value(2.0)).data == 12.0


def test_values_in_sets_and_sorted():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert len({a, b, a}) == 2
    assert repr(a).startswith("Value(data=1.0, grad=0")
