"""What ``import micrograd_nn`` loads: no more than recording and networks need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_nn

ROOT = Path(micrograd_nn.__file__).parents[1]


def loaded_by(code):
    """Return the names of the modules that are loaded after some code ran in a new process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code += "\nimport sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def inside(modules, room):
    return {name for name in modules if name == room or name.startswith(room + ".")}


@pytest.fixture(scope="module")
def loaded():
    return loaded_by("import micrograd_nn")


@pytest.mark.parametrize("room", ["readers", "training", "testing", "data", "equations", "cli"])
def test_rooms_that_arithmetic_and_networks_do_without_are_loaded_when_asked_for(loaded, room):
    assert not inside(loaded, f"micrograd_nn.{room}")


@pytest.mark.parametrize(
    "package",
    ["graphviz", "matplotlib", "PIL", "numba", "llvmlite", "hypothesis", "pytest", "torch", "jax"],
)
def test_no_optional_package_is_loaded(loaded, package):
    assert not inside(loaded, package)


def test_what_only_errors_or_annotations_need_is_not_loaded(loaded):
    by_numpy = loaded_by("import numpy")
    for module in ("numpy.random", "difflib"):
        assert inside(loaded, module) <= by_numpy, module


@pytest.mark.parametrize("name", micrograd_nn.__all__)
def test_every_public_name_is_there_and_in_dir(name):
    assert getattr(micrograd_nn, name) is not None
    assert name in dir(micrograd_nn)
