"""The demo's step in C (``demo.c``), compiled by gcc where it is installed, called by ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from workloads import Array, Step, Workload

_LANES = 8


@cache
def library() -> ctypes.CDLL:
    """Return the compiled file.

    Raises
    ------
    ImportError
        If there is no gcc.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        raise ImportError("No compiler named 'gcc'")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "demo.so"
        source = Path(__file__).with_name("demo.c")
        flags = ["-O3", "-march=native", "-Wno-psabi", "-shared", "-fPIC"]
        subprocess.run([gcc, *flags, str(source), "-o", str(target)], check=True)
        return ctypes.CDLL(str(target))


class Demo:
    """The arrays of a workload, as C reads them."""

    def __init__(self, workload: Workload) -> None:
        assert workload.sizes == (2, 16, 16, 1)
        self.workload = workload
        X, y = workload.data()
        self.stride = -(-workload.batch // _LANES) * _LANES
        self.X = np.zeros((2, self.stride))
        self.X[:, : workload.batch] = X.T
        self.y = np.zeros(self.stride)
        self.y[: workload.batch] = y[:, 0]
        self.p = np.concatenate([p.ravel() for p in workload.parameters()])

    def parameters(self) -> list[Array]:
        """Return the parameters as matrices."""
        shapes = [p.shape for p in self.workload.parameters()]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        return [part.reshape(s) for part, s in zip(np.split(self.p, ends[:-1]), shapes)]

    def arguments(self) -> list[object]:
        """Return what the C functions are called with."""
        arrays = [ctypes.c_void_p(a.ctypes.data) for a in (self.p, self.X, self.y)]
        longs = [ctypes.c_long(self.workload.batch), ctypes.c_long(self.stride)]
        doubles = [ctypes.c_double(self.workload.lr), ctypes.c_double(self.workload.l2)]
        return [*arrays, *longs, *doubles]


def step(workload: Workload) -> Step:
    """Return the contestant: one call from Python for each step."""
    demo = Demo(workload)
    function = library().demo_step
    function.restype = ctypes.c_double
    arguments = demo.arguments()
    return Step(lambda: float(function(*arguments)), demo.parameters)


def loop(workload: Workload, count: int) -> Callable[[], object]:
    """Return a function that makes many steps in one call, the loop over them in C as well."""
    demo = Demo(workload)
    function = library().demo_steps
    function.restype = ctypes.c_double
    arguments = [*demo.arguments(), ctypes.c_long(count)]

    def run(alive: Demo = demo) -> object:  # C reads the arrays of the demo
        return function(*arguments)

    return run
