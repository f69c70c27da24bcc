"""The README's table of edge cases, run against whichever of micrograd, PyTorch and JAX is there.

Run ``python benchmarks/claims.py``. It installs nothing; what is missing, it says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import micrograd_nn
from micrograd_nn import Value
from micrograd_nn import functional as F

Answers = dict[str, Callable[[], Any]]


def ours() -> Answers:
    """Return this library's answers."""
    grad = micrograd_nn.grad

    return {
        "tanh'(20)": lambda: grad(F.tanh)(20.0),
        "sigmoid'(40)": lambda: grad(F.sigmoid)(40.0),
        "BCE with logits at 40, y = 1": lambda: grad(F.binary_cross_entropy_with_logits)(40.0, 1.0),
        "where(x > 0, log x, 0)' at 0": lambda: grad(lambda x: F.where(x > 0, F.log(x), 0.0))(0.0),
        **of_scalars(Value),
    }


def micrograds() -> Answers:
    """Return micrograd's answers; it has neither exp, log nor where."""
    from micrograd.engine import Value as Theirs

    return of_scalars(Theirs)


def of_scalars(scalar: Any) -> Answers:
    """Return the answers of a class of scalars with micrograd's names."""

    def twice() -> float:
        x = scalar(3.0)
        y = x * x
        z = y * y
        z.backward()
        z.backward()
        return float(x.grad)

    def mutated() -> float:
        x, w = scalar(3.0), scalar(2.0)
        y = w * x
        w.data = 100.0
        y.backward()
        return float(x.grad)

    return {
        "backward twice, (x^2)^2 at 3": twice,
        "w x, w changed before backward": mutated,
    }


def torches() -> Answers:
    """Return PyTorch's answers."""
    import torch

    def slope(f: Callable[[Any], Any], at: float) -> float:
        x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        f(x).backward()
        return float(x.grad)

    def twice() -> float:
        x = torch.tensor(3.0, requires_grad=True)
        y = x * x
        z = y * y
        z.backward()
        z.backward()
        return float(x.grad)

    def mutated() -> float:
        x, w = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0)
        y = w * x
        w.fill_(100.0)
        y.backward()
        return float(x.grad)

    one = torch.tensor(1.0, dtype=torch.float64)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    return {
        "tanh'(20)": lambda: slope(torch.tanh, 20.0),
        "sigmoid'(40)": lambda: slope(torch.sigmoid, 40.0),
        "BCE with logits at 40, y = 1": lambda: slope(lambda x: bce(x, one), 40.0),
        "where(x > 0, log x, 0)' at 0": lambda: slope(
            lambda x: torch.where(x > 0, torch.log(x), 0.0 * one), 0.0
        ),
        "backward twice, (x^2)^2 at 3": twice,
        "w x, w changed before backward": mutated,
    }


def jaxes() -> Answers:
    """Return JAX's answers, in double precision; its arrays can't be changed."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def bce(z: Any) -> Any:
        return -jax.nn.log_sigmoid(z)

    return {
        "tanh'(20)": lambda: float(jax.grad(jnp.tanh)(20.0)),
        "sigmoid'(40)": lambda: float(jax.grad(jax.nn.sigmoid)(40.0)),
        "BCE with logits at 40, y = 1": lambda: float(jax.grad(bce)(40.0)),
        "where(x > 0, log x, 0)' at 0": lambda: float(
            jax.grad(lambda x: jnp.where(x > 0, jnp.log(x), 0.0))(0.0)
        ),
    }


TRUTH = {
    "tanh'(20)": "1.6993417021166355e-17",
    "sigmoid'(40)": "4.248354255291589e-18",
    "BCE with logits at 40, y = 1": "-4.248354255291589e-18",
    "where(x > 0, log x, 0)' at 0": "0",
    "backward twice, (x^2)^2 at 3": "216",
    "w x, w changed before backward": "2",
}


def main() -> None:
    """Print each case with the truth and everyone's answer."""
    engines: dict[str, Answers] = {}
    for name, answers in (
        ("micrograd_nn", ours),
        ("micrograd", micrograds),
        ("torch", torches),
        ("jax", jaxes),
    ):
        try:
            engines[name] = answers()
        except ImportError:
            print(f"{name} is not installed")
    for case, truth in TRUTH.items():
        print(f"\n{case}: {truth}")
        for name, cases in engines.items():
            if case not in cases:
                continue
            try:
                with np.errstate(all="ignore"):
                    answer = f"{cases[case]():.16g}"
            except Exception as error:  # noqa: BLE001 (whatever it says is the answer)
                answer = f"{type(error).__name__}: {str(error).splitlines()[0][:70]}"
            print(f"  {name:<14} {answer}")


if __name__ == "__main__":
    main()
