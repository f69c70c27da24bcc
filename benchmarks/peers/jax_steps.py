"""The step in JAX: one function, compiled by XLA, which may overwrite what it was given."""

from __future__ import annotations

from typing import Any

import numpy as np

from workloads import Array, Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", workload.dtype is np.float64)
    lr = workload.lr

    def loss(parameters: list[Any], X: Any, y: Any) -> Any:
        h = X
        for k in range(0, len(parameters), 2):
            h = (jax.nn.relu(h) if k else h) @ parameters[k].T + parameters[k + 1]
        if workload.loss == "hinge":
            value = jax.nn.relu(1 - y * h).mean()
        elif workload.loss == "bce":
            value = (jax.nn.softplus(h) - y * h).mean()
        else:
            value = -jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1).mean()
        return value + workload.l2 * sum((p * p).sum() for p in parameters)

    def train(state: tuple[Any, ...], X: Any, y: Any) -> tuple[Any, Any]:
        ps, ms, vs, t = state
        value, gs = jax.value_and_grad(loss)(ps, X, y)
        if workload.optimizer == "SGD":
            return ([p - lr * g for p, g in zip(ps, gs)], ms, vs, t), value
        t = t + 1
        ms = [0.9 * m + 0.1 * g for m, g in zip(ms, gs)]
        vs = [0.999 * v + 0.001 * g * g for v, g in zip(vs, gs)]
        scale, root = lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        ps = [p - scale * m / (jnp.sqrt(v) / root + 1e-8) for p, m, v in zip(ps, ms, vs)]
        return (ps, ms, vs, t), value

    compiled = jax.jit(train, donate_argnums=0)
    X, y = map(jnp.asarray, workload.data())
    parameters = [jnp.array(p) for p in workload.parameters()]
    moments = [jnp.zeros_like(p) for p in parameters if workload.optimizer == "Adam"]
    state: Any = (parameters, moments, [jnp.copy(m) for m in moments], jnp.float32(0))

    def run() -> float:
        nonlocal state
        state, value = compiled(state, X, y)
        return float(value)

    def current() -> list[Array]:
        return [np.array(p) for p in state[0]]

    return Step(run, current)
