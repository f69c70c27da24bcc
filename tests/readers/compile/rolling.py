"""A rolled program held against the scalar graph it was made of, within bounds for rounding."""

import numpy as np

from micrograd_nn import Tensor, Value
from micrograd_nn.readers.compile.rolled import rolled
from micrograd_nn.readers.compile.tape import tape_of
from micrograd_nn.testing.oracle import Oracle

U = 2.0**-53


def recorded(form, x):
    """Record the form on tensors of the present data of its leaves."""
    theta = Tensor(np.array([leaf.data for leaf in form.theta], float).reshape(-1))
    X = Tensor(np.asarray(x, float))
    return X, theta, form.record(X, theta)


def bounds(root, leaves, seed):
    """Return how far rounding may take each gradient."""
    expected = Oracle(root, leaves).gradient(seed)
    zero = [np.zeros(leaf.shape) for leaf in leaves]
    return [expected[n].bound if n in expected else z for n, z in zip(leaves, zero, strict=True)]


def assert_rolled(build, parameters, x, seed=0, exact=False):
    """Hold a program of one example, run on the columns of x, against as many scalar graphs."""
    x = np.asarray(x, float)
    rng = np.random.default_rng(seed)
    cotangents = rng.normal(size=x.shape[1])
    inputs = [Value(0.5 + 0.25 * i) for i in range(len(x))]
    form = rolled(tape_of(build(parameters, inputs), inputs))
    assert not isinstance(form, str), form
    assert form.inputs == inputs
    X, theta, root = recorded(form, x)
    assert root.shape == (x.shape[1],)
    plain = form.record(x, np.array([leaf.data for leaf in form.theta], float))
    np.testing.assert_array_equal(plain, root.numpy())
    _zero(form.theta)
    dx, values, bound_x, bound_theta = np.zeros(x.shape), [], np.zeros(x.shape), 0.0
    for j in range(x.shape[1]):
        example = [Value(v) for v in x[:, j]]
        scalar = build(parameters, example)
        scalar.backward(cotangents[j])
        dx[:, j] = [v.grad for v in example]
        values.append(scalar.data)
        if not exact:
            found = bounds(scalar, [*example, *form.theta], cotangents[j])
            bound_x[:, j] = found[: len(x)]
            bound_theta += np.array(found[len(x) :]) + 4 * U * np.array(
                [abs(p.grad) for p in form.theta]
            )
    root.backward(cotangents)
    dtheta = np.array([p.grad for p in form.theta])
    if exact:
        np.testing.assert_array_equal(root.numpy(), values)
        np.testing.assert_array_equal(X.grad, dx)
        np.testing.assert_array_equal(theta.grad, dtheta)
        return form
    more_x, more_theta = bounds(root, [X, theta], cotangents)
    np.testing.assert_allclose(root.numpy(), values, rtol=1e-12, atol=1e-13)
    assert (abs(X.grad - dx) <= bound_x + more_x).all()
    assert (abs(theta.grad - dtheta) <= bound_theta + more_theta).all()
    return form


def assert_whole(root, inputs=(), cotangent=-0.75):
    """Hold a program of a whole recorded batch against its scalar graph."""
    form = rolled(tape_of(root, list(inputs)), batched=False)
    assert not isinstance(form, str), form
    X, theta, whole = recorded(form, [v.data for v in form.inputs])
    assert np.shape(whole) == ()
    np.testing.assert_allclose(whole.numpy(), root.data, rtol=1e-12, atol=1e-13)
    leaves = [*form.inputs, *form.theta]
    _zero(leaves)
    root.backward(cotangent)
    whole.backward(cotangent)
    of_scalars = np.array(bounds(root, leaves, cotangent))
    of_arrays = np.concatenate(bounds(whole, [X, theta], cotangent))
    rolled_gradient = np.concatenate([X.grad, theta.grad])
    gradient = np.array([leaf.grad for leaf in leaves])
    assert (abs(rolled_gradient - gradient) <= of_scalars + of_arrays).all()
    return form


def _zero(leaves):
    for leaf in leaves:
        leaf.zero_grad()
