"""The step in NumPy with all arrays made beforehand, in the layout that users have.

Examples are rows, W is (n_out, n_in) and b by itself; all else is as in ``numpy_best.py``.
"""

from __future__ import annotations

import numpy as np

from peers.numpy_best import loss_of, split, updater, vectors
from workloads import Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    X, y = workload.data()
    batch, dtype = workload.batch, workload.dtype
    flat, flat_gradient = vectors(workload)
    start = workload.parameters()
    shapes = [p.shape for p in start]
    parameters, gradients = split(flat, shapes), split(flat_gradient, shapes)
    for p, p0 in zip(parameters, start):
        p[...] = p0
    Ws, bs, dWs, dbs = parameters[0::2], parameters[1::2], gradients[0::2], gradients[1::2]
    outputs = [np.empty((batch, n), dtype) for n in workload.sizes[1:]]
    inputs = [X, *outputs[:-1]]
    deltas = [np.empty((batch, n), dtype) for n in workload.sizes[1:]]
    loss = loss_of(workload, outputs[-1], deltas[-1], y, examples=0)
    update = updater(workload, flat, flat_gradient)
    ones, zero = np.ones(batch, dtype).dot, np.zeros((), dtype)
    add, greater, multiply, maximum = np.add, np.greater, np.multiply, np.maximum
    *forward, last = [(h.dot, W.T, b, z) for h, W, b, z in zip(inputs, Ws, bs, outputs)]
    backward = [
        (d.T.dot, h, dW, db, d, W, e, np.empty(e.shape, bool))
        for d, h, dW, db, W, e in zip(
            deltas[:0:-1], inputs[:0:-1], dWs[:0:-1], dbs[:0:-1], Ws[:0:-1], deltas[-2::-1]
        )
    ]

    def run() -> float:
        for h_dot, WT, b, a in forward:
            h_dot(WT, a)
            add(a, b, a)
            maximum(a, zero, out=a)
        h_dot, WT, b, z = last
        h_dot(WT, z)
        add(z, b, z)
        value = loss()
        for dT_dot, h, dW, db, d, W, e, active in backward:
            dT_dot(h, dW)
            ones(d, db)
            d.dot(W, e)
            greater(h, zero, active)
            multiply(e, active, e)
        deltas[0].T.dot(X, dWs[0])
        ones(deltas[0], dbs[0])
        update()
        return value

    return Step(run, lambda: parameters)
