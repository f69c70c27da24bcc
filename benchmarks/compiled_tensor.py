"""A training step on tensors, in five sizes: forward, backward and update, in single precision.

Run ``python benchmarks/compiled_tensor.py [--quick]``. The base of the ratios is the faster of two
steps written by hand in NumPy as well as we can. It installs nothing: contestants whose package is
missing are named and left out.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable

from harness import factor, header, interleaved, note, report, table  # isort: skip (sets the threads)

from peers import (
    autograd_steps,
    compiled_tensors,
    eager_tensors,
    jax_steps,
    mygrad_steps,
    numpy_best,
    numpy_rows,
    numpy_steps,
    tinygrad_steps,
    torch_steps,
)
from workloads import TENSORS, Step, Workload, check, installed

Makers = dict[str, Callable[[Workload], Step]]

BY_HAND: Makers = {
    "NumPy, best by hand, examples as columns": numpy_best.step,
    "NumPy, best by hand, examples as rows": numpy_rows.step,
}
OURS: Makers = {
    "our tensors, eager": eager_tensors.step,
    "our tensors, compiled": compiled_tensors.step,
}
NUMPY: Makers = {**OURS, **BY_HAND, "NumPy, plain, by hand": numpy_steps.step}
PEERS: Makers = {
    "PyTorch, eager (fused Adam, foreach SGD)": torch_steps.step,
    "JAX, jit": jax_steps.step,
    "autograd": autograd_steps.step,
    "MyGrad": mygrad_steps.step,
    "tinygrad, TinyJit": tinygrad_steps.step,
}
_TOO_SLOW = 3.0  # seconds a step


def compare(workload: Workload, rounds: int) -> None:
    """Check the contestants on one workload, time them and print a section."""
    steps = installed({**NUMPY, **PEERS}, workload)
    agreement = check(workload, steps)
    runs = {name: step.run for name, step in steps.items() if not _too_slow(name, step)}
    times = interleaved(runs, rounds)
    base = min(BY_HAND, key=lambda name: min(times[name]))
    report(str(workload), times, base)
    note(agreement)


def _too_slow(name: str, step: Step) -> bool:
    start = time.perf_counter()
    step.run()
    slow = time.perf_counter() - start > _TOO_SLOW
    if slow:
        note(f"left out: {name} (more than {_TOO_SLOW:g} s a step)")
    return slow


def memory(workload: Workload) -> None:
    """Print the peak of what Python and NumPy allocate, data included: at first, and in a step."""
    peaks: dict[str, tuple[float, float]] = {}
    for name, make in NUMPY.items():
        tracemalloc.start()
        try:
            step = make(workload)
            step.run()
            made = tracemalloc.get_traced_memory()[1] / 1e6
            gc.collect()
            tracemalloc.reset_peak()
            for _ in range(3):
                step.run()
            peaks[name] = made, tracemalloc.get_traced_memory()[1] / 1e6
        except ImportError:
            continue
        finally:
            tracemalloc.stop()
        del step
    least = min(peaks[name][1] for name in BY_HAND)
    rows = {
        name: [f"{made:,.1f} MB", f"{peak:,.1f} MB", factor(peak / least)]
        for name, (made, peak) in peaks.items()
    }
    title = f"peak memory, {'-'.join(map(str, workload.sizes))}, batch {workload.batch}"
    table(title, ["made, first step", "later steps", "ratio"], rows)


def main() -> None:
    """Print each workload, then the memory of the largest two."""
    quick = "--quick" in sys.argv
    packages = ("numpy", "torch", "jax", "autograd", "mygrad", "tinygrad", "numba", "llvmlite")
    header("One training step on tensors, float32", *packages)
    for workload in TENSORS[:3] if quick else TENSORS:
        compare(workload, rounds=3 if quick else 7 if workload.sizes[0] > 1000 else 15)
    for workload in TENSORS[3:4] if quick else TENSORS[3:]:
        memory(workload)


if __name__ == "__main__":
    main()
