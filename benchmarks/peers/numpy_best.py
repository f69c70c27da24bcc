"""The step in the best NumPy that we know how to write by hand: what a compiled one is held to.

All arrays are made beforehand, every operation writes into one of them, constants are arrays
without axes, methods are looked up once. All parameters lie in one vector, all gradients in
another. The derivative of the loss is multiplied by the learning rate of SGD, so that the update
is one subtraction. Adam goes over a piece of all its arrays at a time, which stays in the cache,
and keeps m / (1 − β₁) and v / (1 − β₂), which saves two operations of twelve.

Examples are columns here, and each layer's input has a row of ones below it: so W and b are one
matrix, with one product for both forward, and one for the gradients of both. ``numpy_rows.py``
keeps the layout that users have, in which examples are rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workloads import Array, Step, Workload

_PIECE = 32768


def step(workload: Workload) -> Step:
    """Return the contestant."""
    X, y = workload.data()
    batch, dtype = workload.batch, workload.dtype
    flat, flat_gradient = vectors(workload)
    shapes = [(n_out, n_in + 1) for n_in, n_out in zip(workload.sizes, workload.sizes[1:])]
    Ws, dWs = split(flat, shapes), split(flat_gradient, shapes)
    for W, start, b in zip(Ws, workload.parameters()[0::2], workload.parameters()[1::2]):
        W[:, :-1], W[:, -1] = start, b
    inputs = [np.ones((n + 1, batch), dtype) for n in workload.sizes[:-1]]
    z = np.empty((workload.sizes[-1], batch), dtype)
    deltas = [np.empty((n, batch), dtype) for n in workload.sizes[1:]]
    loss = loss_of(workload, z, deltas[-1], y, examples=1)
    update = updater(workload, flat, flat_gradient)
    zero, greater, multiply, maximum = np.zeros((), dtype), np.greater, np.multiply, np.maximum
    XT, first = X.T, inputs[0][:-1]
    forward = [(W.dot, h, a[:-1]) for W, h, a in zip(Ws, inputs, inputs[1:])]
    last = Ws[-1].dot
    backward = [
        (d.dot, h.T, dW, W[:, :-1].T.dot, d, e, h[:-1], np.empty(e.shape, bool))
        for d, h, dW, W, e in zip(
            deltas[:0:-1], inputs[:0:-1], dWs[:0:-1], Ws[:0:-1], deltas[-2::-1]
        )
    ]

    def run() -> float:
        first[...] = XT
        for W_dot, h, a in forward:
            W_dot(h, a)
            maximum(a, zero, out=a)
        last(inputs[-1], z)
        value = loss()
        for d_dot, hT, dW, WT_dot, d, e, a, active in backward:
            d_dot(hT, dW)
            WT_dot(d, e)
            greater(a, zero, active)
            multiply(e, active, e)
        deltas[0].dot(inputs[0].T, dWs[0])
        update()
        return value

    return Step(run, lambda: [p for W in Ws for p in (W[:, :-1], W[:, -1])])


def vectors(workload: Workload) -> tuple[Array, Array]:
    """Return two vectors, for all parameters and for all gradients."""
    size = sum(p.size for p in workload.parameters())
    return np.empty(size, workload.dtype), np.empty(size, workload.dtype)


def split(flat: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Return the parts of a vector as arrays of these shapes, without copying."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes)]


def loss_of(
    workload: Workload, z: Array, delta: Array, y: Array, examples: int
) -> Callable[[], float]:
    """Return a function that reads z, writes its gradient into delta, and returns the mean loss.

    ``examples`` is the axis along which they lie. z is overwritten.
    """
    scale = (workload.lr if workload.optimizer == "SGD" else 1.0) / workload.batch
    if workload.loss == "ce":
        return _cross_entropy(z, delta, y, scale, examples)
    z, delta, labels = z.reshape(-1), delta.reshape(-1), y[:, 0]
    return (_hinge if workload.loss == "hinge" else _bce)(z, delta, labels, scale)


def _hinge(z: Array, delta: Array, y: Array, scale: float) -> Callable[[], float]:
    dtype, m = z.dtype.type, len(z)
    one, zero, share = np.ones((), dtype), np.zeros((), dtype), np.full(m, 1 / m, dtype)
    minus_y, slope, active = -y, -y * dtype(scale), np.empty(m, bool)
    multiply, add, greater, maximum = np.multiply, np.add, np.greater, np.maximum

    def loss() -> float:
        multiply(z, minus_y, delta)
        add(delta, one, delta)
        greater(delta, zero, active)
        maximum(delta, zero, out=delta)
        value = float(share.dot(delta))
        multiply(slope, active, delta)
        return value

    return loss


def _bce(z: Array, delta: Array, y: Array, scale: float) -> Callable[[], float]:
    """With s = z for label 0 and −z for label 1 the loss is log(1 + eˢ), its slope σ(s)."""
    dtype, m = z.dtype.type, len(z)
    one, zero, share = np.ones((), dtype), np.zeros((), dtype), np.full(m, 1 / m, dtype)
    sign = 1 - 2 * y
    slope, t, value_of = sign * dtype(scale), np.empty_like(z), np.empty_like(z)
    multiply, add, divide, negative, exp = np.multiply, np.add, np.divide, np.negative, np.exp

    def loss() -> float:
        multiply(z, sign, z)
        np.absolute(z, t)
        negative(t, t)
        exp(t, t)
        np.log1p(t, value_of)
        np.maximum(z, zero, out=delta)
        add(value_of, delta, value_of)
        np.minimum(z, zero, out=delta)
        exp(delta, delta)
        add(t, one, t)
        divide(delta, t, delta)
        multiply(delta, slope, delta)
        return float(share.dot(value_of))

    return loss


def _cross_entropy(
    z: Array, delta: Array, y: Array, scale: float, examples: int
) -> Callable[[], float]:
    dtype, m, classes = z.dtype.type, len(y), 1 - examples
    count, share = z.shape[classes], np.full(m, 1 / m, dtype)
    m_, scale_ = np.array(m, dtype), np.array(scale, dtype)
    line = tuple(1 if axis == classes else m for axis in (0, 1))
    top, total = np.empty(line, dtype), np.empty(line, dtype)
    log_total, at_label, where = np.empty(m, dtype), np.empty(m, dtype), np.empty(m, np.intp)
    stride, offsets = (m, np.arange(m)) if examples else (1, np.arange(m) * count)
    flat_z, flat_delta, flat_total = z.reshape(-1), delta.reshape(-1), total.reshape(-1)
    ones = np.ones((1, count) if examples else (count, 1), dtype)
    factors = (ones, delta) if examples else (delta, ones)
    subtract, multiply = np.subtract, np.multiply

    def loss() -> float:
        multiply(y, stride, where)
        np.add(where, offsets, where)
        np.maximum.reduce(z, classes, out=top, keepdims=True)
        subtract(z, top, z)
        np.exp(z, delta)
        np.dot(*factors, total)
        np.log(flat_total, log_total)
        flat_z.take(where, None, at_label, "clip")
        subtract(log_total, at_label, log_total)
        multiply(total, m_, total)
        np.divide(delta, total, delta)
        flat_delta[where] -= scale_
        return float(share.dot(log_total))

    return loss


def updater(workload: Workload, flat: Array, gradient: Array) -> Callable[[], object]:
    """Return a function that moves all parameters. Adam overwrites the gradient."""
    if workload.optimizer == "SGD":
        return lambda: np.subtract(flat, gradient, flat)
    dtype = workload.dtype
    m, v = np.zeros_like(flat), np.zeros_like(flat)
    room = np.empty(min(_PIECE, flat.size), dtype)
    pieces = []
    for start in range(0, flat.size, _PIECE):
        p, g, m_, v_ = (a[start : start + _PIECE] for a in (flat, gradient, m, v))
        pieces.append((p, g, m_, v_, room[: p.size]))
    beta1, beta2 = np.array(0.9, dtype), np.array(0.999, dtype)
    rate, eps = np.empty((), dtype), np.empty((), dtype)
    add, subtract, multiply, divide, sqrt = np.add, np.subtract, np.multiply, np.divide, np.sqrt
    steps = 0

    def adam() -> None:
        nonlocal steps
        steps += 1
        root = ((1 - 0.999**steps) / (1 - 0.999)) ** 0.5
        rate[...] = workload.lr * (1 - 0.9) / (1 - 0.9**steps) * root
        eps[...] = 1e-8 * root
        for p, g, m, v, t in pieces:
            multiply(m, beta1, m)
            add(m, g, m)
            multiply(g, g, g)
            multiply(v, beta2, v)
            add(v, g, v)
            sqrt(v, t)
            add(t, eps, t)
            divide(m, t, t)
            multiply(t, rate, t)
            subtract(p, t, p)

    return adam
