"""Hypothesis strategies for graphs, and for what goes into them and comes back.

``expressions`` draws a computation as a list of steps (an operation, and how far back its operands
stand), so that a failure shrinks to ``add(x, x)``; what it draws prints as code to paste.

They need Hypothesis (``pip install micrograd-nn[test]``), which is imported when one is called.

Examples
--------
>>> from hypothesis import given
>>> from micrograd_nn.testing import strategies
>>> @given(strategies.expressions(kind="value"))
... def test_every_gradient_is_finite(expression):
...     leaves, root = expression.record()
...     root.backward()
...     assert all(abs(leaf.grad) < float("inf") for leaf in leaves)
>>> test_every_gradient_is_finite()
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from micrograd_nn.graph.node import data_of
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.optional import hypothesis
from micrograd_nn.testing.programs.assembly import MARGIN, Draw, assembled
from micrograd_nn.testing.programs.expression import Expression, Program, Step
from micrograd_nn.testing.programs.operations import Choices, Operation
from micrograd_nn.testing.programs.pool import OPERATIONS, chosen

__all__ = [
    "values",
    "tensors",
    "expressions",
    "mlps",
    "cotangents",
    "shapes",
    "Expression",
    "Program",
    "Step",
    "Operation",
    "Choices",
    "OPERATIONS",
]

Strategy = Any
Kind = Literal["value", "tensor"]

#: Numbers to shrink to, the simplest first.
_SIMPLE = (1.0, 2.0, -1.0, 0.5, 3.0, -2.0, -0.5, 1.5, 0.25, -3.0)
#: Numbers without a pattern, spread evenly over ±4 by the golden ratio.
_IRREGULAR = tuple(round(8.0 * (k * 0.6180339887 % 1.0) - 4.0, 3) for k in range(1, 246))
#: Numbers that often meet at a kink or in a tie.
_KINKY = (1.0, 0.0, -1.0, 2.0, 0.5, -0.0, -2.0, 1.0, 0.0)

#: Shapes that often broadcast, or have a matrix product, with one another; simplest first.
_SHAPES = ((), (2,), (2, 3), (2, 2), (3, 3), (3,), (2, 1), (1, 3), (2, 2, 2), (2, 1, 3), (3, 2))

#: The shapes of further inputs, out of that of the first.
_RELATED: tuple[Callable[[tuple[int, ...]], tuple[int, ...]], ...] = (
    lambda shape: shape,
    lambda shape: shape[-1:],
    lambda shape: shape[::-1],
    lambda shape: (1, *shape[1:])[: len(shape)],
    lambda shape: (*shape[:-1], 1)[: len(shape)],
    lambda shape: (),
    lambda shape: shape[1:],
    lambda shape: (2, *shape)[-3:],
)

#: How far back the first and the second operand stand (negative: which input), simplest first:
#: mostly near, so that most steps take part in the result.
_DISTANCES = (
    (0, 0, 0, -1, 0, 0, 1, 0, -2, 0, 0, 2, -3, 0, 1),
    (0, -1, 1, -2, 0, -1, 2, 1, -3, 3, -2),
)

#: Cotangents: never only ones, often a power of two or exactly 0.
_COTANGENTS = (2.0, -1.0, 0.5, 0.0, 3.0, -0.25, 1.0, -4.0, 0.0, 8.0)


def values(
    min_value: float = -4.0,
    max_value: float = 4.0,
    *,
    kinks: bool = False,
    tails: bool = False,
) -> Strategy:
    """Draw a leaf ``Value``.

    Parameters
    ----------
    min_value, max_value : float
        The bounds of its data.
    kinks : bool
        Whether it may be 0 or very near, where many functions have a kink.
    tails : bool
        Whether it may also be far out, up to ±800 whatever the bounds: where exponentials over-
        and underflow, and careless derivatives lose their digits.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(values(0.5, 2.0))
    ... def test_log(x):
    ...     x.log().backward()
    ...     assert x.grad == 1.0 / x.data
    >>> test_log()
    """
    return _numbers(min_value, max_value, kinks, tails).map(Value)


def shapes(max_ndim: int = 3) -> Strategy:
    """Draw the shape of an array: few axes, of length 1 to 3, the simplest first.

    Two shapes drawn often broadcast with one another, or fit for a matrix product.
    """
    st = hypothesis().strategies
    return st.sampled_from([shape for shape in _SHAPES if len(shape) <= max_ndim])


def tensors(
    shape: Any = None,
    dtype: Any = np.float64,
    min_value: float = -4.0,
    max_value: float = 4.0,
    *,
    kinks: bool = False,
    tails: bool = False,
) -> Strategy:
    """Draw a leaf ``Tensor``.

    Parameters
    ----------
    shape : tuple of int, or strategy of such, optional
        ``shapes()`` by default.
    dtype : dtype or strategy of such
        float64 by default.
    min_value, max_value, kinks, tails
        As for ``values``.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(tensors((2, 3)))
    ... def test_sum(x):
    ...     x.sum().backward()
    ...     assert (x.grad == 1.0).all()
    >>> test_sum()
    """
    st = hypothesis().strategies
    numbers = _numbers(min_value, max_value, kinks, tails)

    def tensor(draw: Any) -> Tensor:
        its_shape = _drawn(draw, shapes() if shape is None else shape)
        elements = draw(_lists(numbers, math.prod(its_shape)))
        array = np.array(elements, dtype=_drawn(draw, dtype)).reshape(its_shape)
        return Tensor(array)

    return st.composite(tensor)()


def cotangents(like: Any) -> Strategy:
    """Draw a cotangent, to seed a backward pass with.

    It is never all ones, nor constant, nor all zero: with a constant cotangent, the derivative of
    a softmax may be quite wrong and look right. Powers of two and exact zeros are frequent.

    Parameters
    ----------
    like : node, array or number
        What it is the cotangent of. The cotangent of a ``Value`` or float is a float, otherwise an
        array of the shape and dtype.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(cotangents(np.zeros((2, 3))))
    ... def test_cotangent(g):
    ...     assert g.shape == (2, 3) and np.ptp(g) > 0
    >>> test_cotangent()
    """
    shape = np.shape(data_of(like))
    dtype = getattr(like, "dtype", np.dtype(np.float64))
    dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
    is_number = isinstance(like, (Value, float, int))

    def shaped(elements: list[float]) -> Any:
        if elements == [1.0]:
            elements = [2.0]
        elif len(set(elements)) == 1 and (len(elements) > 1 or elements == [0.0]):
            elements = [-elements[0] or 3.0, *elements[1:]]
        return elements[0] if is_number else np.array(elements, dtype).reshape(shape)

    return _filled(math.prod(shape), _COTANGENTS + _IRREGULAR).map(shaped)


def expressions(
    kind: Kind = "tensor",
    *,
    operations: Iterable[str | Primitive | Operation] | None = None,
    max_size: int = 12,
    max_inputs: int = 3,
    dtypes: Sequence[Any] = (np.float64,),
    kinks: bool = False,
) -> Strategy:
    """Draw an ``Expression``: a function as a list of steps, with inputs to compute it for.

    Each step is an operation on earlier values. Steps are repaired, never rejected: where an
    operation doesn't fit the shapes, or would leave its domain, another operand or the next
    operation is taken. So a failure shrinks well, often to ``add(x, x)``.

    Parameters
    ----------
    kind : "tensor" or "value"
        What its inputs are: arrays of up to three axes, or numbers. Tensor expressions cover
        broadcasting, reductions, matrix products, indexing, joining and reshaping.
    operations : iterable of str, Primitive or Operation, optional
        What to draw from, simplest first: names from ``OPERATIONS`` (all of them by default), rows
        of your own made by ``primitive(...)``, or ``Operation`` where parameters are to be chosen.
    max_size : int
        The largest number of steps.
    max_inputs : int
        The largest number of inputs.
    dtypes : sequence of dtypes
        What arrays may be made of.
    kinks : bool
        Whether operands may be at a kink, in a tie or at the edge of a domain. By default they
        stay 0.05 away, so that differences can measure the derivative.

    Raises
    ------
    ValueError
        If there is no operation to draw from.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(expressions("tensor", operations=["mul", "sum"]))
    ... def test_scaled(e):
    ...     (leaves, root), seed = e.record(), np.ones(np.shape(e()))
    ...     root.backward(seed)
    ...     assert all(leaf.grad.shape == leaf.shape for leaf in leaves)
    >>> test_scaled()
    """
    drawn = _expressions(kind, operations, max_size, max_inputs, dtypes, kinks)
    return drawn.map(lambda examples: examples[0])


def examples_of_an_expression(kind: Kind, operations: Any, max_size: int, count: int) -> Strategy:
    """Draw ``count`` expressions of one program and one first input, whose others differ."""
    return _expressions(kind, operations, max_size, 3, (np.float64,), False, count)


def _expressions(
    kind: Kind,
    operations: Any,
    max_size: int,
    max_inputs: int,
    dtypes: Sequence[Any],
    kinks: bool,
    count: int = 1,
) -> Strategy:
    if kind not in ("value", "tensor"):
        raise ValueError(f"kind must be 'value' or 'tensor', got {kind!r}")
    st = hypothesis().strategies
    pool = chosen(operations, scalar=kind == "value")
    numbers = _KINKY if kinks else _SIMPLE + _IRREGULAR
    shape = st.just(()) if kind == "value" else shapes()
    dtype = st.sampled_from(list(dtypes)) if len(dtypes) > 1 else st.just(dtypes[0])
    distances = st.tuples(*map(st.sampled_from, _DISTANCES))
    step = st.builds(Draw, st.sampled_from(pool), distances, st.integers(0, 2**16))
    seed = st.integers(0, 2**16)
    # Lists are mostly short: half of them shall be long, of which a short one is a simplification.
    lengths = st.sampled_from([1, 1 + max_size // 2])

    def array(draw: Any, its_shape: tuple[int, ...], its_dtype: Any) -> np.ndarray[Any, Any]:
        elements = draw(_filled(math.prod(its_shape), numbers))
        return np.array(elements, its_dtype).reshape(its_shape)

    def draw_expressions(draw: Any) -> list[Expression]:
        base = draw(shape)
        layouts = [(base, draw(dtype))]
        for relation in draw(st.lists(st.sampled_from(_RELATED), max_size=max_inputs - 1)):
            its_shape = () if kind == "value" else relation(base)
            layouts.append((its_shape, draw(dtype)))
        first = [array(draw, *layout) for layout in layouts]
        examples = [first, *(_differing(draw(seed), first) for _ in range(count - 1))]
        steps = draw(st.lists(step, min_size=draw(lengths), max_size=max_size))
        program = assembled(steps, pool, examples, 0.0 if kinks else MARGIN)
        as_input: Callable[[Any], Any] = float if kind == "value" else np.asarray
        return [Expression(program, *map(as_input, example)) for example in examples]

    return st.composite(draw_expressions)()


def mlps(
    max_inputs: int = 3,
    max_layers: int = 3,
    max_units: int = 4,
    *,
    activations: Sequence[str] = ("relu", "tanh", "sigmoid", "identity", "leaky_relu", "gelu"),
) -> Strategy:
    """Draw an ``MLP`` with its weights and biases; a failure prints the call that makes it.

    Parameters
    ----------
    max_inputs, max_layers, max_units : int
        The largest numbers of inputs, of layers, and of units in a layer.
    activations : sequence of str
        The activations to draw from, simplest first, for each layer of its own.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(mlps(max_inputs=2))
    ... def test_batch(model):
    ...     X = np.ones((5, len(model.layers[0].neurons[0].w)))
    ...     assert model(X).shape == (5, len(model.layers[-1].neurons))
    >>> test_batch()
    """
    from micrograd_nn.nn import MLP

    st = hypothesis().strategies
    activation = st.sampled_from(list(activations))

    def arguments(draw: Any) -> dict[str, Any]:
        units = draw(st.lists(st.integers(1, max_units), min_size=1, max_size=max_layers))
        hidden = draw(st.lists(activation, min_size=len(units) - 1, max_size=len(units) - 1))
        return {
            "nin": draw(st.integers(1, max_inputs)),
            "nouts": units,
            "activation": hidden,
            "output_activation": draw(activation),
            "seed": draw(st.integers(0, 2**16)),
        }

    return st.composite(arguments)().flatmap(
        lambda given: st.builds(MLP, **{name: st.just(value) for name, value in given.items()})
    )


def _differing(seed: int, inputs: Sequence[Any]) -> list[Any]:
    """Return the first input, and others of the same shapes; one number stands for them all."""
    random = np.random.default_rng(seed)
    others = [random.choice(_IRREGULAR, x.shape).astype(x.dtype) for x in inputs[1:]]
    return [inputs[0], *map(np.asarray, others)]


def _numbers(low: float, high: float, kinks: bool, tails: bool) -> Strategy:
    """Draw floats within the bounds, simple ones first."""
    if not low < high:
        raise ValueError(f"min_value must be less than max_value, got {low} and {high}")
    st = hypothesis().strategies
    simple = [x for x in (_SIMPLE + (_KINKY if kinks else ())) if low <= x <= high]
    any_float = st.floats(low, high, allow_subnormal=False, allow_nan=False)
    if not kinks:
        any_float = any_float.map(lambda x: x if abs(x) >= MARGIN else _off_zero(x, low, high))
    drawn = st.sampled_from(simple) | any_float if simple else any_float
    if tails:
        drawn = drawn | st.sampled_from([20.0, -20.0, 40.0, -40.0, 360.0, -360.0, 800.0, -800.0])
    return drawn


def _off_zero(x: float, low: float, high: float) -> float:
    moved = math.copysign(MARGIN + abs(x), x)
    return moved if low <= moved <= high else x


def _filled(size: int, numbers: Sequence[float]) -> Strategy:
    """Draw a list of numbers; those of more than one are drawn as one, so that shrinking is quick.

    The simplest repeats the first number, the next counts through the numbers.
    """
    st = hypothesis().strategies

    def elements(pattern: int) -> list[float]:
        if pattern < 2:
            return [numbers[pattern * i % len(numbers)] for i in range(size)]
        chosen_at = np.random.default_rng(pattern).integers(len(numbers), size=size)
        return [numbers[i] for i in chosen_at]

    return (
        _lists(st.sampled_from(numbers), size) if size < 2 else st.integers(0, 2**16).map(elements)
    )


def _lists(elements: Strategy, size: int) -> Strategy:
    return hypothesis().strategies.lists(elements, min_size=size, max_size=size)


def _drawn(draw: Any, given: Any) -> Any:
    """Return a value that is given, or drawn where a strategy is given."""
    is_strategy = isinstance(given, hypothesis().strategies.SearchStrategy)
    return draw(given) if is_strategy else given
