"""``micrograd_nn.functional``: the names of the contract, on every kind of argument."""

import inspect
import math

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value

ELEMENTWISE = (
    "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sigmoid softplus erf gelu silu"
)
ELEMENTWISE += " elu relu leaky_relu abs sign neg"
BINARY = "add sub mul div power maximum minimum"
REDUCTIONS = "sum mean prod max min var std norm logsumexp"
SHAPES = "transpose swapaxes moveaxis reshape broadcast_to squeeze expand_dims flip"
OTHERS = "matmul dot outer cumsum concatenate stack split pad take where clip softmax log_softmax"
OTHERS += " linear layer_norm"


@pytest.mark.parametrize(
    "name", " ".join([ELEMENTWISE, BINARY, REDUCTIONS, SHAPES, OTHERS]).split()
)
def test_every_name_of_the_contract_is_there(name):
    assert callable(getattr(F, name))


@pytest.mark.parametrize("name", ELEMENTWISE.split())
def test_kinds_of_one_argument(name):
    f = getattr(F, name)
    assert type(f(0.5)) is float
    assert type(f(Value(0.5))) is Value
    assert type(f(Tensor([0.5]))) is Tensor
    assert type(f(np.array([0.5]))) is np.ndarray
    assert np.shape(f(np.float64(0.5))) == ()
    assert f(0.5) == f(Value(0.5)).data
    assert f(0.5) == pytest.approx(float(f(np.array([0.5]))[0]), rel=1e-15)
    assert f(Tensor([0.5])).data[0] == f(np.array([0.5]))[0]
    assert np.array_equal(f([0.5, 0.25]), f(np.array([0.5, 0.25])))


@pytest.mark.parametrize("name", BINARY.split())
def test_kinds_of_two_arguments(name):
    f = getattr(F, name)
    kinds = {float: 0.5, Value: Value(0.5), Tensor: Tensor([0.5]), np.ndarray: np.array([0.5])}
    rank = [float, np.ndarray, Value, Tensor]
    for a, x in kinds.items():
        for b, y in kinds.items():
            z = f(x, y)
            expected = max(a, b, key=rank.index)
            if {a, b} == {np.ndarray, Value}:
                expected = Tensor
            assert type(z) is expected, (a, b)
            assert float(
                np.sum(getattr(z, "data", z) if not isinstance(z, np.ndarray) else z)
            ) == f(0.5, 0.5)


@pytest.mark.parametrize("name", REDUCTIONS.split())
def test_reductions_of_every_kind(name):
    f = getattr(F, name)
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    expected = f(x)
    assert np.shape(expected) == ()
    assert float(f(x.tolist())) == float(expected)
    assert f(Tensor(x)).item() == float(expected)
    values = [[Value(v) for v in row] for row in x]
    assert f(values).item() == float(expected)
    assert np.array_equal(f(Tensor(x), axis=0).data, f(x, axis=0))
    parameters = inspect.signature(f).parameters
    assert "axis" in parameters
    assert "keepdims" in parameters
    assert ("ddof" in parameters) == (name in ("var", "std"))


def test_defaults_of_the_contract():
    assert F.elu(-1.0) == math.expm1(-1.0)
    assert F.elu(-1.0, alpha=2.0) == 2 * math.expm1(-1.0)
    assert F.leaky_relu(-1.0) == -0.01
    assert F.leaky_relu(-1.0, slope=0.5) == -0.5
    assert F.clip(5.0, 0.0, 1.0) == 1.0
    assert F.clip(x=5.0, lo=0.0, hi=1.0) == 1.0
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert F.logsumexp(x).shape == ()
    assert np.allclose(F.softmax(x), F.softmax(x, axis=-1))
    assert np.allclose(F.log_softmax(x), np.log(F.softmax(x, axis=-1)))
    assert np.allclose(F.linear(x, np.ones((3, 2)), np.zeros(3)), x @ np.ones((2, 3)))
    w, b = np.full(2, 2.0), np.ones(2)
    assert np.allclose(F.layer_norm(x, w, b), 2 * (x - x.mean(1, keepdims=True)) / np.sqrt(
        x.var(1, keepdims=True) + 1e-5) + 1)  # fmt: skip
    assert F.layer_norm(x, w, b, eps=1.0).shape == (2, 2)


def test_star_import_hides_no_builtin_by_surprise():
    names = {n for n in dir(F) if not n.startswith("_")}
    for name in ("np", "math", "operator", "annotations"):
        exported = getattr(F, "__all__", None)
        assert exported is None or name not in exported
    assert {"sum", "max", "min", "abs"} <= names


T, M = Tensor(np.ones(3)), Tensor(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.split(T, 2), r"split: axis 0 of shape \(3,\) can't be cut into 2 equal parts"),
        (lambda: F.split(T, 0), r"split: axis 0 of shape \(3,\) can't be cut into 0 equal parts"),
        (lambda: F.split(T, 3, axis=1), r"split: axis 1 is out of range for shape \(3,\)"),
        (lambda: F.squeeze(T, 0), r"squeeze can't take .* \(3,\) with axis=0: .* equal to one"),
        (lambda: F.squeeze(T, 3), r"squeeze can't take .* \(3,\) with axis=3"),
        (lambda: F.expand_dims(T, 5), r"expand_dims can't take .* \(3,\) with axis=5"),
        (lambda: F.moveaxis(M, [0, 1], [0]), r"moveaxis: the axes \[0, 1\] can't move to \[0\]"),
        (lambda: F.moveaxis(M, [0, 0], [0, 1]), "each once"),
        (lambda: F.stack([]), "stack needs at least one part"),
        (lambda: F.concatenate([]), "concatenate needs at least one part"),
        (lambda: F.concatenate([], axis=None), "concatenate needs at least one part"),
        (lambda: F.take(T, [0], axis=2), r"take: axis 2 is out of range for shape \(3,\)"),
        (lambda: F.pad(T, (1, 2, 3)), r"pad: the widths for shape \(3,\) are a number"),
    ],
)
def test_impossible_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.stack(3.0), "stack takes a sequence of parts, got float"),
        (lambda: F.reshape(T, 1.5), r"reshape takes .* integers, got \(1.5,\)"),
        (lambda: F.swapaxes(M, 0, 0.5), r"swapaxes takes .* integers, got \(0, 0.5\)"),
    ],
)
def test_arguments_of_a_wrong_type_are_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_changes_of_shape_take_lists():
    rows = [[1.0, 2.0, 3.0, 4.0]]
    array = np.array(rows)
    assert np.array_equal(F.squeeze(rows), np.squeeze(array))
    assert np.array_equal(F.expand_dims([1.0], 0), [[1.0]])
    assert np.array_equal(F.moveaxis(rows, 0, 1), array.T)
    assert np.array_equal(F.swapaxes(rows, 0, 1), array.T)
    assert np.array_equal(F.split(rows, 2, axis=1), np.split(array, 2, axis=1))
    assert np.array_equal(F.take(rows, [1], axis=1), [[2.0]])
    assert np.array_equal(F.pad(rows, 1), np.pad(array, 1))
    assert F.split(list(map(Value, rows[0])), 2)[1].data.tolist() == [3.0, 4.0]
