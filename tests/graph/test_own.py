"""A user's own operation whose rules or kernel are wrong: the error names what and where."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import GraphError, Tensor, Value, explain, grad, record_lines
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.formulas import formula

ROADS = {
    "backward": lambda y: y.sum().backward(),
    "create_graph": lambda y: y.sum().backward(create_graph=True),
}

WRONG_RULES = {
    "another shape": (lambda g, z, x: np.ones(5), r"array of shape \(5,\)"),
    "more axes": (lambda g, z, x: np.ones((6, 1)), r"array of shape \(6, 1\)"),
    "transposed": (lambda g, z, x: np.ones((3, 2)), r"array of shape \(3, 2\)"),
    "the same size": (lambda g, z, x: np.ones(6), r"array of shape \(6,\)"),
    "None": (lambda g, z, x: None, "None"),
    "words": (lambda g, z, x: "g", "str 'g'"),
    "objects": (lambda g, z, x: np.array([[None]]), "dtype object"),
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_wrong_rule_is_named(own, name, road):
    rule, words = WRONG_RULES[name]
    row = own("wrong", lambda x: x * 2.0, rule)
    t = Tensor(np.ones((2, 3)))
    with record_lines():
        y = row(t * 1.0).named("h")
    with pytest.raises(GraphError, match=words) as info:
        ROADS[road](y)
    for part in ("wrong", "'h'", "test_own.py:", "derivative rule", "(2, 3)"):
        assert part in str(info.value), part
    assert not np.any(np.asarray(t.grad))


@pytest.mark.parametrize("name", ["None", "words", "another shape"])
def test_a_wrong_rule_on_values(own, name):
    rule, words = WRONG_RULES[name]
    row = own("wrong", lambda x: x * 2.0, rule)
    for pull in (lambda: row(Value(2.0)).backward(), lambda: grad(row)(2.0)):
        with pytest.raises(GraphError, match=words):
            pull()


def test_the_argument_is_named(own):
    row = own("wrong", lambda x, y: x * y, (lambda g, z, x, y: g * y, lambda g, z, x, y: None))
    with pytest.raises(GraphError, match="rule of argument 1 returned None"):
        row(Tensor([1.0]), Tensor([2.0])).backward()


def test_a_rule_for_many_arguments(own):
    row = own(
        "wrong",
        lambda parts: np.stack(parts),
        lambda g, z, parts: [g[0]],
        variadic=True,
        elementwise=False,
    )
    with pytest.raises(GraphError, match="a list of 2 cotangents is due"):
        row([Tensor([1.0]), Tensor([2.0])]).sum().backward()


@pytest.mark.parametrize("road", ROADS)
def test_a_smaller_cotangent_keeps_its_dtype(own, road):
    row = own("total", lambda x: np.sum(x, 0), lambda g, z, x: g, elementwise=False)
    t = Tensor(np.ones((2, 3), np.float32))
    ROADS[road](row(t))
    assert t.grad.dtype == np.float32


def test_a_smaller_cotangent_is_repeated(own):
    row = own("row_of_ones", lambda x: x * 1.0, lambda g, z, x: np.ones((1, 3)))
    t = Tensor(np.ones((2, 3)))
    row(t).sum().backward()
    assert t.grad.tolist() == [[1.0] * 3] * 2
    assert grad(lambda t: row(t).sum())(np.ones((2, 3))).tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    ("forward", "rules", "words"),
    [
        (lambda x, y: x * y, lambda g, z, x: g, "takes 2 arguments, but there are 1 rules"),
        (np.multiply, lambda g, z, x: g, "takes 2 arguments"),
        (lambda x: x, (lambda g, z, x, y: g, None), "takes 1 arguments, but there are 2 rules"),
        (lambda x, y: x, (lambda g, z, x: g, None), r"rule 0 takes \(g, z, x\)"),
        (lambda x: x, lambda g: g, r"rule 0 takes \(g\)"),
        (lambda x: x, (3.0,), "rule 0 is 3.0"),
    ],
)
def test_rules_that_cannot_be_right_are_refused(own, forward, rules, words):
    with pytest.raises(TypeError, match=words):
        own("wrong", forward, rules)
    assert "wrong" not in table


@pytest.mark.parametrize(
    ("forward", "rules"),
    [
        (lambda x, axis: np.flip(x, axis), lambda g, z, x, *, axis: g),
        (lambda x, axis=0: np.flip(x, axis), lambda g, z, x, axis: g),
        (lambda *xs: xs[0] * xs[1], (lambda g, z, *xs: g * xs[1], lambda g, z, *xs: g * xs[0])),
        (lambda x, y=2.0: x * y, (lambda g, z, x, y: g * y, None)),
        (np.multiply, (lambda g, z, x, y: g * y, None)),
        (lambda x: x, None),
    ],
)
def test_rules_that_may_be_right_are_taken(own, forward, rules):
    own("right", forward, (None,) if rules is None else rules)


def test_the_number_of_arguments(own):
    row = own("times", lambda *xs: xs[0] * xs[1], (lambda g, z, *xs: g * xs[1],))
    for args in [(Value(2.0), Value(3.0)), (Tensor([2.0]), Tensor([3.0])), (2.0, 3.0)]:
        with pytest.raises(TypeError, match="times takes 1 argument, one for each of its rules"):
            row(*args)


def writing_out(x):
    return np.multiply(x, 2.0, out=x)


def writing_in_place(x):
    x *= 2.0
    return x


@pytest.mark.parametrize("kernel", [writing_out, writing_in_place])
def test_a_kernel_that_writes_to_its_argument_is_refused(own, kernel):
    row = own("doubled", kernel, lambda g, z, x: 2 * g)
    t, a = Tensor([1.0, 2.0]), np.array([1.0, 2.0])
    for x in (t, a, t * 1.0):
        with pytest.raises(ValueError, match="'doubled' writes to its argument"):
            row(x)
    assert t.data.tolist() == a.tolist() == [1.0, 2.0]
    assert F.sum(t).item() == 3.0


def test_a_kernel_may_return_its_argument(own):
    row = own("same", lambda x: x, lambda g, z, x: g)
    a = np.array([1.0, 2.0])
    result = row(a)
    result[0] = 5.0
    assert a.tolist() == [1.0, 2.0]


def test_the_default_notation_shows_all_arguments(own):
    two = own("two", lambda x, y: x * y, (lambda g, z, x, y: g * y, lambda g, z, x, y: g * x))
    one = own("one", lambda x: x, lambda g, z, x: g)
    many = own("many", np.stack, lambda g, z, xs: list(g), variadic=True, elementwise=False)
    assert [row.notation for row in (one, two, many)] == ["one({})", "two({}, {})", "many({})"]
    assert two.__doc__.startswith("Return ``two(x, y)``.")
    x, y = Tensor([1.0], name="x"), Tensor([2.0], name="y")
    assert "J = Σ two(x, y)" in str(explain(two(x, y).sum().named("J")))
    assert formula(two(x, y)) == "two({0}, {1})"
    assert formula(many([x, y])) == "many({0}, {1})"
