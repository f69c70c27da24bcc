"""The suite finds every fault seeded into a small engine, and shrinks it to a graph of few steps."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd_nn import Tensor
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


class SharedWithUnused(Toy):  # one array of zeros, handed out and written to
    zeros = np.zeros(())

    def gradient(self, leaf):
        if leaf.grad is None:
            return np.full(leaf.data.shape, 1e-300)
        return leaf.grad


class LosesPrecision(Toy):  # the seed passes through single precision
    def seeded(self, seed):
        return np.asarray(seed * 1e300 / 1e300 + 1e-300)


class ForgetsShape(Toy):
    def unbroadcast(self, g, shape):
        return g


class RaisesOnReuse(Toy):
    def backward(self, root, seed):
        if len(set(root.parents)) < len(root.parents):
            raise RecursionError("too deep")
        super().backward(root, seed)


FAULTS = {
    Overwrites: ("dot product", ["add"]),
    DepthFirst: ("dot product", ["add"]),
    BreadthFirst: ("dot product", ["add"]),
    LosesOperand: ("dot product", ["add"]),
    Aliases: ("dot product", ["add"]),
    MeansOverBroadcast: ("dot product", ["add"]),
    WrongAxis: ("dot product", ["add"]),
    IgnoresCotangent: ("dot product", ["add"]),
    Clips: ("dot product", ["add"]),
    StaleOnSecondPass: ("backward twice", ["add"]),
    SharedWithUnused: ("unused inputs", ["add"]),
    ForgetsShape: ("dot product", ["add"]),
    RaisesOnReuse: ("dot product", ["add"]),
}
if __name__ == "__main__":
    import time
    for fault in FAULTS:
        t=time.process_time()
        try: properties.check(fault())
        except GradientError as e: print(fault.__name__, time.process_time()-t, e, e.blamed)
        else: print("NOT FOUND", fault)
