"""The suite finds every fault seeded into a small engine, and shrinks it to a few steps."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd_nn.graph.primitive import table
from micrograd_nn.testing import GradientError, properties
from micrograd_nn.testing.engines import (
    Engine,
    MicrogradEngine,
    TensorEngine,
    TorchEngine,
    TwiceDifferentiable,
    ValueEngine,
)

# ------------------------------------------------------------------------------- a small engine


class Node:
    def __init__(self, data, parents=(), rule=None):
        self.data, self.parents, self.rule, self.grad = np.asarray(data), parents, rule, None


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    for axis, n in enumerate(shape):
        if n == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def spread(g, x, axis, keepdims):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


RULES = {
    "add": (np.add, lambda g, z, x, y: (g, g)),
    "mul": (np.multiply, lambda g, z, x, y: (g * y, g * x)),
    "sub": (np.subtract, lambda g, z, x, y: (g, -g)),
    "sum": (
        lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
        lambda g, z, x, **given: (spread(g, x, **given),),
    ),
    "exp": (np.exp, lambda g, z, x: (g * z,)),
    "tanh": (np.tanh, lambda g, z, x: (g * (1.0 - z * z),)),
}


class Toy(Engine):
    """A sound engine in sixty lines; each fault below overrides one method."""

    name = "toy"
    operations = tuple(RULES)

    def leaf(self, data):
        return Node(data)

    def apply(self, operation, operands, parameters):
        kernel, rule = RULES[operation]
        arrays = [operand.data for operand in operands]
        z = kernel(*arrays, **parameters)
        return Node(z, tuple(operands), lambda g: rule(g, z, *arrays, **parameters))

    def value(self, node):
        return node.data

    def gradient(self, leaf):
        return np.zeros(leaf.data.shape) if leaf.grad is None else leaf.grad

    def backward(self, root, seed):
        cotangents = {root: self.seeded(seed)}
        for node in reversed(self.order(root)):
            if node.rule is None or node not in cotangents:
                continue
            for parent, g in self.pulled(node, cotangents[node]):
                self.deliver(cotangents, parent, self.unbroadcast(g, parent.data.shape))
        for node, g in cotangents.items():
            if node.rule is None:
                node.grad = self.kept(g) if node.grad is None else node.grad + self.kept(g)

    def seeded(self, seed):
        return np.array(seed)

    def kept(self, g):
        return np.array(g)

    def unbroadcast(self, g, shape):
        return unbroadcast(g, shape)

    def pulled(self, node, g):
        return zip(node.parents, node.rule(g), strict=True)

    def deliver(self, cotangents, node, g):
        cotangents[node] = cotangents[node] + g if node in cotangents else g

    def order(self, root):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(root)
        return order


# ----------------------------------------------------------------------------------- the faults


class Overwrites(Toy):  # = instead of +=
    def deliver(self, cotangents, node, g):
        cotangents[node] = g


class DepthFirst(Toy):  # hands on what it has, and again when more comes
    def backward(self, root, seed):
        calls = []

        def visit(node, g):
            calls.append(node)
            node.seen = g if getattr(node, "seen", None) is None else node.seen + g
            if node.rule is not None and len(calls) < 1000:
                for parent, part in self.pulled(node, node.seen):
                    visit(parent, self.unbroadcast(part, parent.data.shape))

        visit(root, np.array(seed))
        for node in set(calls):
            if node.rule is None:
                node.grad = node.seen if node.grad is None else node.grad + node.seen
            node.seen = None


class BreadthFirst(Toy):  # hands on before all has come
    def order(self, root):
        queue, seen = [root], []
        while queue:
            node = queue.pop(0)
            if node not in seen:
                seen.append(node)
                queue.extend(node.parents)
        return seen[::-1]


class LosesOperand(Toy):  # x * x has one entry in a dictionary by parent
    def pulled(self, node, g):
        return dict(super().pulled(node, g)).items()


class Aliases(Toy):  # += in place on an array that a sibling shares
    def unbroadcast(self, g, shape):
        return g if g.shape == shape else unbroadcast(g, shape)

    def deliver(self, cotangents, node, g):
        if node in cotangents and cotangents[node].ndim and cotangents[node].flags.writeable:
            cotangents[node] += g
        else:
            super().deliver(cotangents, node, g)


class MeansOverBroadcast(Toy):
    def unbroadcast(self, g, shape):
        return unbroadcast(g, shape) / max(1, g.size // max(1, int(np.prod(shape))))


class WrongAxis(Toy):  # sums the trailing axes instead of the leading ones
    def unbroadcast(self, g, shape):
        extra = g.ndim - len(shape)
        summed = g.sum(axis=tuple(range(g.ndim - extra, g.ndim)))
        return summed if summed.shape == shape else unbroadcast(g, shape)


class IgnoresCotangent(Toy):
    def seeded(self, seed):
        return np.ones_like(seed)


class Clips(Toy):
    def kept(self, g):
        return np.clip(g, -5.0, 5.0)


class StaleOnSecondPass(Toy):  # inner cotangents are kept from the pass before
    def backward(self, root, seed):
        super().backward(root, seed)
        for node in self.order(root):
            node.before = True

    def pulled(self, node, g):
        return super().pulled(node, 2.0 * g if hasattr(node, "before") else g)


class TouchesUnused(Toy):
    def gradient(self, leaf):
        return np.full(leaf.data.shape, 1e-300) if leaf.grad is None else leaf.grad


class ForgetsShape(Toy):
    def unbroadcast(self, g, shape):
        return g


class WrongKernel(Toy):
    def apply(self, operation, operands, parameters):
        return super().apply("sub" if operation == "mul" else operation, operands, parameters)


class RaisesOnReuse(Toy):
    def backward(self, root, seed):
        if len(set(root.parents)) < len(root.parents):
            raise RecursionError("too deep")
        super().backward(root, seed)


#: The property that finds each fault first.
FAULTS = {
    Overwrites: "dot product",
    DepthFirst: "dot product",
    BreadthFirst: "dot product",
    LosesOperand: "dot product",
    Aliases: ("dot product", "batch permutation"),  # by which order is drawn first
    MeansOverBroadcast: "dot product",
    WrongAxis: "dot product",
    IgnoresCotangent: "dot product",
    Clips: "scaling by powers of two",
    StaleOnSecondPass: "backward twice",
    TouchesUnused: "unused inputs",
    ForgetsShape: "dot product",
    WrongKernel: "forward",
    RaisesOnReuse: "dot product",
}


def test_the_toy_engine_is_sound():
    properties.check(Toy(), max_examples=100, max_size=6)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_fault_is_found_and_shrunk(fault):
    message = first_failure(fault())
    expected = FAULTS[fault] if isinstance(FAULTS[fault], tuple) else (FAULTS[fault],)
    assert any(f"the property {name!r}" in message for name in expected)
    definition, _ = pasted(message)
    assert definition.count("F.") <= 4, definition


def first_failure(engine):
    """Return what is said of a fault. What Hypothesis draws depends on all source there is."""
    for seed in range(5):
        try:
            properties.check(engine, max_size=6, seed=seed)
        except GradientError as error:
            return str(error)
    return pytest.fail("the fault wasn't found")


def pasted(message):
    """Run the code at the end of a message; return the definition of f and all names."""
    code = message.partition("The smallest graph found:")[2]
    names = {}
    exec(code, names)
    result = names["f"](*names["inputs"])
    assert np.shape(result) == np.shape(names["cotangent"])
    return code.partition("def f")[2].partition("inputs =")[0], names


def test_overwriting_shrinks_to_add_x_x():
    with pytest.raises(GradientError) as caught:
        properties.check(Overwrites())
    error = caught.value
    definition, names = pasted(str(error))
    assert "return F.add(x, x)" in definition
    assert names["inputs"] == (np.array(1.0),)
    assert error.blamed == ["add"]
    assert error.disagreements[0].expected == pytest.approx(2 * error.disagreements[0].got)
    assert error.__cause__ is None
    assert not getattr(error, "__notes__", [])


#: For each property, a fault that it finds on its own, too.
FOUND_ALONE = {
    "forward": WrongKernel,
    "dot product": LosesOperand,
    "scaling by powers of two": IgnoresCotangent,
    "fan-out": Overwrites,
    "unused inputs": TouchesUnused,
    "backward twice": StaleOnSecondPass,
    "batch permutation": Overwrites,
    "Value = Tensor = equations": Overwrites,
}


@pytest.mark.parametrize("name", FOUND_ALONE)
def test_each_property_finds_a_fault_alone(name):
    (check,) = (c for c in properties.suite(FOUND_ALONE[name](), max_size=6) if c.name == name)
    with pytest.raises(GradientError, match="fails the property"):
        check()


def test_all_properties_have_a_fault_that_they_find():
    assert {*FOUND_ALONE, "Schwarz symmetry"} == set(properties.PROPERTIES)


def test_schwarz_finds_a_rule_that_is_right_at_first_order_only():
    class FewOperations(TensorEngine):
        operations = ("add", "mul", "tanh")

    def mul_x(g, z, x, y):
        return g * (y.detach() if hasattr(y, "detach") else y)

    row = table["mul"]
    with row.replaced(mul_x, row.rules[1]), pytest.raises(GradientError, match="Schwarz") as caught:
        properties.check(FewOperations(), max_size=6)
    assert caught.value.blamed == ["mul"]


def test_a_wrong_rule_of_the_table_is_found():
    class FewOperations(ValueEngine):
        operations = ("add", "mul", "tanh")

    def tanh_x(g, z, x):
        return g * (1.0 - z)

    with table["tanh"].replaced(tanh_x), pytest.raises(GradientError) as caught:
        properties.check(FewOperations(), max_size=6)
    assert caught.value.blamed == ["tanh"]


# ----------------------------------------------------------------------------- sound engines


@pytest.mark.parametrize("engine", [ValueEngine(), TensorEngine()], ids=lambda e: e.name)
def test_our_engines(engine):
    properties.check(engine, max_examples=120)


@pytest.mark.parametrize("check", properties.suite(TensorEngine(), max_examples=5))
def test_a_suite_parametrises_a_test(check):
    check()


class MicrogradValue:
    """micrograd's Value, but for what its second pass does to inner nodes if ``sound``."""

    sound = True

    def __init__(self, data, parents=()):
        self.data, self.grad, self._parents = data, 0.0, parents

    def __add__(self, other):
        return type(self)(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, MicrogradValue) else type(self)(other)
        return type(self)(self.data * other.data, ((self, other.data), (other, self.data)))

    def __sub__(self, other):
        return type(self)(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __truediv__(self, other):
        return self * other**-1.0

    def __pow__(self, k):
        slope = k * self.data ** (k - 1.0) if k else 0.0
        return type(self)(self.data**k, ((self, slope),))

    def __neg__(self):
        return type(self)(-self.data, ((self, -1.0),))

    def relu(self):
        return type(self)(max(self.data, 0.0), ((self, float(self.data > 0.0)),))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node._parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in order:
            if self.sound and node._parents:
                node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node._parents:
                parent.grad += slope * node.grad


class StaleValue(MicrogradValue):
    sound = False


def test_micrograds_kind_of_values():
    properties.check(MicrogradEngine(MicrogradValue), max_examples=100)


def test_micrograds_second_pass_is_wrong():
    with pytest.raises(GradientError, match="'backward twice'"):
        properties.check(MicrogradEngine(StaleValue))


def test_micrograd_itself():
    pytest.importorskip("micrograd", reason="only benchmarks need micrograd")
    with pytest.raises(GradientError, match="'backward twice'"):
        properties.check(MicrogradEngine())


def test_torch():
    pytest.importorskip("torch", reason="PyTorch is compared with where it is installed")
    properties.check(TorchEngine())


# ------------------------------------------------------------------------------- the suite itself


def test_a_suite_has_what_can_be_asked():
    names = [check.name for check in properties.suite(TensorEngine())]
    assert names == list(properties.PROPERTIES)
    assert [check.__name__ for check in properties.suite(TensorEngine())] == names
    assert "Schwarz symmetry" not in map(str, properties.suite(Toy()))

    class OnlyExp(Toy):
        operations = ("exp",)

    assert "batch permutation" not in map(str, properties.suite(OnlyExp()))
    properties.check(OnlyExp(), max_examples=30)


def test_the_same_seed_finds_the_same():
    messages = []
    for _ in range(2):
        with pytest.raises(GradientError) as caught:
            properties.check(LosesOperand(), seed=3)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_an_engine_that_raises_is_told_with_its_error():
    with pytest.raises(GradientError, match=r"it raised RecursionError\('too deep'\)") as caught:
        properties.check(RaisesOnReuse())
    assert isinstance(caught.value.__cause__, RecursionError)


def test_an_engine_that_keeps_something_is_told_so():
    class Forgetful(Toy):
        passes = 0

        def seeded(self, seed):
            self.passes += 1
            return np.array(seed) * (1.5 if self.passes == 20 else 1.0)

    with pytest.raises(GradientError, match="keeps something from one graph to the next"):
        properties.check(Forgetful())


def test_an_engine_may_start_anew_with_each_pass():
    class Fresh(Toy):
        accumulates = False

        def backward(self, root, seed):
            for node in self.order(root):
                node.grad = None
            super().backward(root, seed)

    properties.check(Fresh(), max_examples=50)
    Fresh.accumulates = True
    with pytest.raises(GradientError, match="'backward twice'"):
        properties.check(Fresh(), max_examples=50)


def test_an_unwritten_engine_says_so():
    class Unwritten(Engine):
        operations = ("add",)

    with pytest.raises(GradientError, match="NotImplementedError"):
        properties.check(Unwritten())


def test_gradient_nodes_leave_the_gradients_alone():
    for engine in (ValueEngine(), TensorEngine()):
        x = engine.leaf(np.float64(2.0) if engine.kind == "value" else np.array(2.0))
        assert isinstance(engine, TwiceDifferentiable)
        (node,) = engine.gradient_nodes(x * x, 1.0, [x])
        assert engine.value(node) == 4.0
        assert engine.gradient(x) == 0.0


def test_missing_packages_are_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "micrograd", None)
    monkeypatch.setitem(sys.modules, "micrograd.engine", None)
    with pytest.raises(ImportError, match="pip install torch"):
        TorchEngine()
    with pytest.raises(ImportError, match="pip install micrograd"):
        MicrogradEngine()
