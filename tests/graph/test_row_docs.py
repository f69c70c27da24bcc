"""What help() shows of an operation, and that its examples are true."""

import doctest
import inspect
import pydoc
import re

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn.graph.primitive import Primitive, primitive, table
from micrograd_nn.graph.table import activations, arithmetic, arrays, elementary, fused, indexing

MODULES = (activations, arithmetic, arrays, elementary, fused, indexing)
ROWS = {
    row.name: row for m in MODULES for row in vars(m).values() if isinstance(row, Primitive)
}  # fmt: skip
PUBLIC = {name: row for name in F.__all__ if isinstance(row := getattr(F, name), Primitive)}
SECTIONS = ["Parameters", "Returns", "Raises", "Notes", "Examples"]


def sections(text):
    return re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_a_text_of_its_own(name):
    row = ROWS[name]
    first, *_ = row.__doc__.splitlines()
    assert row.__doc__ != Primitive.__doc__
    assert first.endswith(".")
    assert sections(row.__doc__)[:3] == SECTIONS[:3]
    assert "{" not in row.__doc__
    assert len(inspect.signature(row).parameters) >= row.arity
    assert max(map(len, row.__doc__.splitlines())) <= 100


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_row_has_derivatives_and_an_example_that_is_true(name):
    row = PUBLIC[name]
    assert sections(row.__doc__) == SECTIONS
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(row.__doc__, {}, name, None, 0)
    told = []
    failed, tried = doctest.DocTestRunner(optionflags=flags).run(test, out=told.append)
    assert tried > 0
    assert not failed, "".join(told)


def test_help_shows_the_operation_and_not_its_class():
    text = pydoc.render_doc(F.sqrt, renderer=pydoc.plaintext)
    assert "Return the square root √x" in text
    assert "∂z/∂x = 1 / (2 * z)" in text
    assert "It is defined where ``x >= 0``." in text
    assert "At the kink ``x == 0`` the derivative is inf." in text
    assert "on_arrays" not in text
    assert "sqrt(x, /)" in text
    assert inspect.isroutine(F.sqrt)
    assert str(inspect.signature(F.where)) == "(c, x, y, /)"
    assert F.sqrt.__name__ == "sqrt"


def test_a_row_that_is_an_attribute_is_not_bound():
    class Layer:
        activation = F.relu

    assert Layer.activation is Layer().activation is F.relu


def test_the_class_keeps_its_own_text_and_signature():
    assert Primitive.__doc__.startswith("One operation: its kernels")
    assert "on_arrays" in inspect.signature(Primitive).parameters


def test_a_row_of_one_s_own_says_what_its_kernel_says():
    def double(x):
        """Return twice x.

        And more.
        """
        return 2 * x

    row = primitive("double_doc", double, lambda g, z, _x: 2 * g, textbook=("2",))
    some = primitive("some_doc", np.add, [lambda g, z, *args: g] * 3, notation="{} of {2}{3}{k}")
    try:
        assert row.__doc__.startswith("Return twice x.\n\nParameters")
        assert "∂z/∂x = 2" in row.__doc__
        assert some.__doc__.startswith("Return ``x0 of x2…k``.\n")
        assert str(inspect.signature(some)) == "(x0, x1, x2, /)"
    finally:
        del table["double_doc"], table["some_doc"]
