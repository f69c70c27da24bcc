"""micrograd's demo: MLP(2, [16, 16, 1]), moons, hinge loss and L2; one whole step with its update.

Run ``python benchmarks/compiled_scalar.py [--quick]``. All compute in double precision. It
installs nothing: contestants whose package is missing are named and left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from harness import header, interleaved, note, report, without_collector  # isort: skip

import micrograd_nn
from peers import autograd_steps, c_steps, jax_steps, numpy_steps, scalars, torch_steps
from workloads import Step, Workload, check, demo, installed

Makers = dict[str, Callable[[Workload], Step]]

EAGER: Makers = {
    "our Value and MLP, eager": scalars.by_mlp,
    "our Value, MLP written by hand, eager": scalars.by_hand,
    "micrograd": scalars.micrograd,
}
FROM_EXAMPLE: Makers = {
    "compiled, one example of our MLP": lambda w: scalars.compiled_example(w, scalars.our_mlp(w)),
    "compiled, one example, written by hand": lambda w: scalars.compiled_example(
        w, scalars.users_mlp(w)
    ),
}
FROM_BATCH: Makers = {
    "compiled, the whole batch of our MLP": lambda w: scalars.compiled_batch(w, scalars.our_mlp(w)),
    "compiled, the whole batch, written by hand": lambda w: scalars.compiled_batch(
        w, scalars.users_mlp(w)
    ),
}
VECTORS: Makers = {
    "NumPy, plain, by hand": numpy_steps.step,
    "PyTorch, eager": torch_steps.step,
    "JAX, jit": jax_steps.step,
    "autograd": autograd_steps.step,
    "C, called from Python": c_steps.step,
}


def compare(batch: int, makers: Makers, base: str, rounds: int) -> None:
    """Check the contestants on a batch of that many examples, time them and print a section."""
    workload = demo(batch)
    steps = installed(makers, workload)
    agreement = check(workload, steps)
    runs: dict[str, Callable[[], object]] = {}
    for name, step in steps.items():
        runs[name] = step.run
        if name == "micrograd":
            runs["micrograd, collector off"] = without_collector(step.run)
    in_c, count = "C, the loop in C as well", 1 + 20_000 // batch
    if "C, called from Python" in runs:
        runs[in_c] = c_steps.loop(workload, count)
    times = interleaved(runs, rounds)
    if in_c in times:
        times[in_c] = [seconds / count for seconds in times[in_c]]
    report(str(workload), times, base if base in times else next(iter(times)))
    note(agreement)


def planning(rounds: int) -> None:
    """Print how long it takes to compile what was recorded; recording isn't part of it."""
    workload = demo(100)
    mlp, by_hand = scalars.our_mlp(workload), scalars.users_mlp(workload)
    runs = {
        "one example of our MLP": scalars.compiling_example(workload, mlp),
        "one example, written by hand": scalars.compiling_example(workload, by_hand),
        "the whole batch of our MLP": scalars.compiling_batch(workload, mlp),
        "the whole batch, written by hand": scalars.compiling_batch(workload, by_hand),
    }
    report("to compile it, batch 100", interleaved(runs, rounds), next(iter(runs)))


def main() -> None:
    """Print the demo, the same with more examples, and the time to compile."""
    quick = "--quick" in sys.argv
    header(
        "micrograd's demo, one step, float64; C by gcc -O3 -march=native",
        *("numpy", "micrograd", "torch", "jax", "autograd", "numba", "llvmlite"),
    )
    rounds = 3 if quick else 15
    compare(100, {**EAGER, **FROM_EXAMPLE, **FROM_BATCH, **VECTORS}, "micrograd", rounds)
    fast = {**FROM_EXAMPLE, **VECTORS}
    for batch in (1000,) if quick else (1000, 10_000):
        compare(batch, fast, "PyTorch, eager", rounds)
    if hasattr(micrograd_nn, "compile"):
        planning(3)


if __name__ == "__main__":
    main()
