"""A NaN is never lost: each number that depends on one is NaN."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.uniform(0.2, 0.8, size=shape)


SETS = [
    (numbers(3, 4),),
    (numbers(4),),
    (numbers(4, 4),),
    (numbers(3, 4), numbers(3, 4)),
    (numbers(4), numbers(4)),
    (numbers(3, 4), np.array([0, 3, 1])),
    (numbers(3, 4), numbers(4, 2)),
    (numbers(2, 4), numbers(3, 4), numbers(3)),
    (numbers(3, 4), numbers(4), numbers(4)),
]
#: How those are called that don't take arrays alone.
OTHERWISE = {
    "broadcast_to": lambda x: F.broadcast_to(x, (2, 3, 4)),
    "clip": lambda x: F.clip(x, 0.3, 0.7),
    "concatenate": lambda x: F.concatenate([x, 2 * x], axis=1),
    "expand_dims": lambda x: F.expand_dims(x, 1),
    "flip": lambda x: F.flip(x, 1),
    "getitem": lambda x: F.getitem(x, (slice(1, None), 2)),
    "hinge": lambda x: F.hinge(x, np.where(np.eye(3, 4) > 0, 1, -1)),
    "moveaxis": lambda x: F.moveaxis(x, 0, 1),
    "pad": lambda x: F.pad(x, 1),
    "reshape": lambda x: F.reshape(x, (4, 3)),
    "split": lambda x: F.concatenate(F.split(x, 2, axis=1)),
    "squeeze": lambda x: F.squeeze(x[:, :1]),
    "stack": lambda x: F.stack([x, -x]),
    "swapaxes": lambda x: F.swapaxes(x, 0, 1),
    "take": lambda x: F.take(x, [2, 0], axis=0),
    "where": lambda x: F.where(np.eye(3, 4) > 0, x, 0.5),
}
NAMES = [name for name in dir(F) if not name.startswith("_") and callable(getattr(F, name))]


def result(function, args):
    made = function(*(Tensor(a) if a.dtype.kind == "f" else a for a in args))
    return np.asarray(made.numpy())


def is_called(function, args):
    """Tell whether a function takes such arguments and returns one node."""
    try:
        result(function, args)
    except (TypeError, ValueError, IndexError, AttributeError):
        return False
    return True


def calls(name):
    """Yield the function with arguments that it takes."""
    function = OTHERWISE.get(name, getattr(F, name))
    for args in SETS[:1] if name in OTHERWISE else SETS:
        if is_called(function, args):
            yield function, args


def places(args):
    """Yield each place of a number among the arguments."""
    for k, array in enumerate(args):
        if array.dtype.kind == "f":
            yield from ((k, index) for index in np.ndindex(array.shape))


def changed(args, place, number):
    k, index = place
    copies = [array.copy() for array in args]
    copies[k][index] = number
    return copies


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_depends_on_nan_is_nan(name):
    tried = 0
    for function, args in calls(name):
        before = result(function, args)
        for k, index in places(args):
            near = [
                result(function, changed(args, (k, index), args[k][index] + step))
                for step in (0.05, -0.11)
            ]
            depends = (near[0] != before) | (near[1] != before)
            try:
                found = result(function, changed(args, (k, index), np.nan))
            except ValueError as error:
                assert "NaN" in str(error)  # noqa: PT017 (to refuse it is as good)
            else:
                assert np.isnan(found[depends]).all(), (k, index, found)
            tried += 1
    assert tried, f"{name} takes none of these arguments"
