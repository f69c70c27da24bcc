"""Every public name says what it does, in NumPy's style, with an example."""

import inspect
import re

import pytest

import micrograd_nn
from micrograd_nn import data, equations, functional, nn, training
from micrograd_nn.nn import losses

ROOMS = (micrograd_nn, nn, training, data, equations)
PUBLIC = {
    f"{room.__name__}.{name}": value
    for room in ROOMS
    for name in room.__all__
    if inspect.isclass(value := getattr(room, name)) or inspect.isfunction(value)
}


def sections(value):
    return re.findall(r"^(\w+)\n-+$", inspect.getdoc(value), re.MULTILINE)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    assert "Examples" in sections(PUBLIC[name])


@pytest.mark.parametrize("name", functional.__all__)
def test_every_function_tells_its_arguments_results_and_errors(name):
    found = sections(getattr(functional, name))
    assert [title for title in found if title != "Notes"] == [
        "Parameters", "Returns", "Raises", "Examples"
    ]  # fmt: skip


@pytest.mark.parametrize("name", losses.LOSSES)
def test_every_loss_tells_its_derivative(name):
    assert "derivative by" in inspect.getdoc(losses.LOSSES[name])
