"""Exactness that others lack, in tables, for whichever of micrograd, PyTorch and JAX is there.

The first table is about derivatives: in the tails, at singular branches and at kinks. The second
is about checkers: functions with a wrong gradient, and who notices. Run
``python benchmarks/exactness.py``. It installs nothing; what is missing, it says.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import micrograd_nn
from harness import versions
from micrograd_nn import Tensor, Value
from micrograd_nn import functional as F
from micrograd_nn.testing import GradientError, gradcheck
from micrograd_nn.testing.errors import ulps

Answers = dict[str, Callable[[], float]]

#: Each case with its true value, from 60 digits.
TRUTHS: dict[str, float] = {
    "tanh'(20)": 1.6993417021166355e-17,
    "tanh''(20)": -3.398683404233271e-17,
    "sigmoid'(40)": 4.248354255291589e-18,
    "softplus'(-100)": 3.720075976020836e-44,
    "softplus(-40)": 4.248354255291589e-18,
    "BCE with logits, y = 1, at 40": -4.248354255291589e-18,
    "gelu'(-12)": -2.5578956616748956e-31,
    "log_softmax of (40, 0), first by itself": 4.248354255291589e-18,
    "where(x > 0, log x, 0)' at 0": 0.0,
    "where(x > 0, sqrt x, 0)' at 0": 0.0,
    "relu'(0)": 0.0,
    "abs'(0)": 0.0,
    "max(x, 0)' at 0": 0.5,
    "(x^0)' at 0": 0.0,
    "norm'(0, 0)": 0.0,
    "tanh'''(0)": -2.0,
    "backward twice, (x^2)^2 at 3": 216.0,
    "w x, w changed before backward": 2.0,
    "a chain of 100,000 additions": 1.0,
}


# ------------------------------------------------------------------------------- derivatives


def twice(kind: Callable[[float], Any]) -> float:
    """Return the gradient after two backward passes over one graph, which is twice one's."""
    x = kind(3.0)
    y = x * x
    z = y * y
    z.backward()
    z.backward()
    return float(x.grad)


def mutated(kind: Callable[[float], Any], change: Callable[[Any], None]) -> float:
    """Return a gradient for which a factor was changed after the product had been recorded."""
    x, w = kind(3.0), kind(2.0)
    y = w * x
    change(w)
    y.backward()
    return float(x.grad)


def many_additions(x: Any) -> Any:
    """Return x, plus 1, plus 1, and so on: a deep graph."""
    for _ in range(100_000):
        x = x + 1.0
    return x


def set_data(w: Any) -> None:
    """Overwrite a node's number."""
    w.data = 100.0


def ours() -> Answers:
    """Return this library's answers."""
    grad = micrograd_nn.grad
    bce = F.binary_cross_entropy_with_logits
    return {
        "tanh'(20)": lambda: grad(F.tanh)(20.0),
        "tanh''(20)": lambda: grad(grad(F.tanh))(20.0),
        "tanh'''(0)": lambda: grad(grad(grad(F.tanh)))(0.0),
        "sigmoid'(40)": lambda: grad(F.sigmoid)(40.0),
        "softplus'(-100)": lambda: grad(F.softplus)(-100.0),
        "softplus(-40)": lambda: F.softplus(-40.0),
        "BCE with logits, y = 1, at 40": lambda: grad(bce)(40.0, 1.0),
        "gelu'(-12)": lambda: grad(F.gelu)(-12.0),
        "log_softmax of (40, 0), first by itself": lambda: grad(lambda x: F.log_softmax(x)[0])(
            np.array([40.0, 0.0])
        )[0],
        "where(x > 0, log x, 0)' at 0": lambda: grad(lambda x: F.where(x > 0, F.log(x), 0.0))(0.0),
        "where(x > 0, sqrt x, 0)' at 0": lambda: grad(lambda x: F.where(x > 0, F.sqrt(x), 0.0))(
            0.0
        ),
        "relu'(0)": lambda: grad(F.relu)(0.0),
        "abs'(0)": lambda: grad(abs)(0.0),
        "max(x, 0)' at 0": lambda: grad(lambda x: F.maximum(x, 0.0))(0.0),
        "(x^0)' at 0": lambda: grad(lambda x: x**0.0)(0.0),
        "norm'(0, 0)": lambda: grad(F.norm)(np.zeros(2))[0],
        "backward twice, (x^2)^2 at 3": lambda: twice(Value),
        "w x, w changed before backward": lambda: mutated(Value, set_data),
        "a chain of 100,000 additions": lambda: grad(many_additions)(0.0),
    }


def micrograds() -> Answers:
    """Return micrograd's answers; it has neither exp, log nor where."""
    value = importlib.import_module("micrograd.engine").Value

    def slope(f: Callable[[Any], Any], at: float) -> float:
        x = value(at)
        f(x).backward()
        return float(x.grad)

    return {
        "relu'(0)": lambda: slope(lambda x: x.relu(), 0.0),
        "(x^0)' at 0": lambda: slope(lambda x: x**0, 0.0),
        "backward twice, (x^2)^2 at 3": lambda: twice(value),
        "w x, w changed before backward": lambda: mutated(value, set_data),
        "a chain of 100,000 additions": lambda: slope(many_additions, 0.0),
    }


def torches() -> Answers:
    """Return PyTorch's answers, in double precision."""
    torch = importlib.import_module("torch")
    functional = torch.nn.functional
    one = torch.tensor(1.0, dtype=torch.float64)
    zero = 0.0 * one

    def leaf(at: Any) -> Any:
        return torch.tensor(at, dtype=torch.float64, requires_grad=True)

    def slope(f: Callable[[Any], Any], at: Any, order: int = 1) -> float:
        x = leaf(at)
        y = f(x)
        for _ in range(order):
            (y,) = torch.autograd.grad(y, x, create_graph=True)
        return float(y.reshape(-1)[0])

    def bce(x: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(x, one)

    return {
        "tanh'(20)": lambda: slope(torch.tanh, 20.0),
        "tanh''(20)": lambda: slope(torch.tanh, 20.0, 2),
        "tanh'''(0)": lambda: slope(torch.tanh, 0.0, 3),
        "sigmoid'(40)": lambda: slope(torch.sigmoid, 40.0),
        "softplus'(-100)": lambda: slope(functional.softplus, -100.0),
        "softplus(-40)": lambda: float(functional.softplus(leaf(-40.0))),
        "BCE with logits, y = 1, at 40": lambda: slope(bce, 40.0),
        "gelu'(-12)": lambda: slope(functional.gelu, -12.0),
        "log_softmax of (40, 0), first by itself": lambda: slope(
            lambda x: torch.log_softmax(x, -1)[0], [40.0, 0.0]
        ),
        "where(x > 0, log x, 0)' at 0": lambda: slope(
            lambda x: torch.where(x > 0, torch.log(x), zero), 0.0
        ),
        "where(x > 0, sqrt x, 0)' at 0": lambda: slope(
            lambda x: torch.where(x > 0, torch.sqrt(x), zero), 0.0
        ),
        "relu'(0)": lambda: slope(torch.relu, 0.0),
        "abs'(0)": lambda: slope(torch.abs, 0.0),
        "max(x, 0)' at 0": lambda: slope(lambda x: torch.maximum(x, zero), 0.0),
        "(x^0)' at 0": lambda: slope(lambda x: x**0.0, 0.0),
        "norm'(0, 0)": lambda: slope(torch.linalg.vector_norm, [0.0, 0.0]),
        "backward twice, (x^2)^2 at 3": lambda: twice(leaf),
        "w x, w changed before backward": lambda: mutated(leaf, lambda w: w.detach().fill_(100.0)),
        "a chain of 100,000 additions": lambda: slope(many_additions, 0.0),
    }


def jaxes() -> Answers:
    """Return JAX's answers, in double precision; its arrays can't be changed."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, nn, grad = jax.numpy, jax.nn, jax.grad

    return {
        "tanh'(20)": lambda: grad(jnp.tanh)(20.0),
        "tanh''(20)": lambda: grad(grad(jnp.tanh))(20.0),
        "tanh'''(0)": lambda: grad(grad(grad(jnp.tanh)))(0.0),
        "sigmoid'(40)": lambda: grad(nn.sigmoid)(40.0),
        "softplus'(-100)": lambda: grad(nn.softplus)(-100.0),
        "softplus(-40)": lambda: nn.softplus(-40.0),
        "BCE with logits, y = 1, at 40": lambda: grad(lambda z: -nn.log_sigmoid(z))(40.0),
        "gelu'(-12)": lambda: grad(lambda x: nn.gelu(x, approximate=False))(-12.0),
        "log_softmax of (40, 0), first by itself": lambda: grad(lambda x: nn.log_softmax(x)[0])(
            jnp.array([40.0, 0.0])
        )[0],
        "where(x > 0, log x, 0)' at 0": lambda: grad(lambda x: jnp.where(x > 0, jnp.log(x), 0.0))(
            0.0
        ),
        "where(x > 0, sqrt x, 0)' at 0": lambda: grad(lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0))(
            0.0
        ),
        "relu'(0)": lambda: grad(nn.relu)(0.0),
        "abs'(0)": lambda: grad(jnp.abs)(0.0),
        "max(x, 0)' at 0": lambda: grad(lambda x: jnp.maximum(x, 0.0))(0.0),
        "(x^0)' at 0": lambda: grad(lambda x: x**0.0)(0.0),
        "norm'(0, 0)": lambda: grad(jnp.linalg.norm)(jnp.zeros(2))[0],
        "a chain of 100,000 additions": lambda: grad(many_additions)(0.0),
    }


def verdict(run: Callable[[], float] | None, truth: float) -> str:
    """Return an answer as a cell of the table: a number with its distance, or what was raised."""
    if run is None:
        return "-"
    try:
        with np.errstate(all="ignore"):
            answer = float(run())
    except Exception as error:  # noqa: BLE001 (whatever it says is the answer)
        return f"{type(error).__name__}"
    if math.isnan(answer):
        return "nan"
    distance = ulps(answer, truth)
    if distance <= 8.0:
        return "exact" if distance <= 1.0 else f"to {distance:.0f} ULP"
    relative = abs(answer - truth) / abs(truth) if truth else math.inf
    return f"{answer:.3g}" + (f" (off by {relative:.0e})" if 0.0 < relative < 0.5 else "")


# ---------------------------------------------------------------------------------- checkers


@dataclass
class Blindness:
    """A gradient of ``scale · sum(sin x)``, or of the mean of many, that is wrong by a factor.

    ``fast`` asks for PyTorch's fast mode: its slow one would take hours.
    """

    what: str
    factor: float
    scale: float = 1.0
    size: int = 4
    fast: bool = False

    def total(self, y: Any) -> Any:
        """Return the sum of a few numbers, or the mean of many, scaled."""
        return (y.sum() if self.size < 100 else y.mean()) * self.scale


WRONG = (
    Blindness("right", 1.0),
    Blindness("5 times too large, at scale 1e-6", 5.0, scale=1e-6),
    Blindness("-1 times, at scale 1e-6", -1.0, scale=1e-6),
    Blindness("50 % too large, mean of 100,000", 1.5, size=100_000, fast=True),
    Blindness("0, mean of 300,000", 0.0, size=300_000, fast=True),
    Blindness("-1 times, mean of 1,000,000", -1.0, size=1_000_000, fast=True),
    Blindness("too large by 1e-6", 1.000001),
    Blindness("too large by 1e-12", 1.000000000001),
)


def points(case: Blindness) -> np.ndarray[Any, Any]:
    """Return where a case is checked."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, case.size)


def our_check(case: Blindness) -> bool:
    """Tell whether our gradcheck accepts a wrong rule for sin."""
    with F.sin.replaced(lambda g, z, x: case.factor * g * F.cos(x)):
        try:
            gradcheck(lambda x: case.total(F.sin(x)), Tensor(points(case)), blame=False)
        except GradientError:
            return False
    return True


def torch_check(case: Blindness) -> bool:
    """Tell whether PyTorch's gradcheck accepts it."""
    torch = importlib.import_module("torch")

    class Sin(torch.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return case.factor * g * torch.cos(ctx.saved_tensors[0])

    x = torch.tensor(points(case), requires_grad=True)
    return bool(
        torch.autograd.gradcheck(
            lambda x: case.total(Sin.apply(x)), (x,), fast_mode=case.fast, raise_exception=False
        )
    )


def jax_check(case: Blindness, double: bool = False) -> bool:
    """Tell whether JAX's check_grads accepts it, in single precision, JAX's default, or double."""
    jax = importlib.import_module("jax")
    check_grads = importlib.import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", double)
    jnp = jax.numpy

    @jax.custom_vjp
    def sin(x: Any) -> Any:
        return jnp.sin(x)

    sin.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (case.factor * g * jnp.cos(x),))

    try:
        check_grads(
            lambda x: case.total(sin(x)), (jnp.array(points(case)),), order=1, modes=["rev"]
        )
    except AssertionError:
        return False
    return True


# ------------------------------------------------------------------------------------ tables


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return rows as a table in Markdown."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * w for w in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |" for line in lines
    )


def derivatives() -> str:
    """Return the first table."""
    engines: dict[str, Answers] = {}
    for name, answers in (
        ("micrograd", micrograds),
        ("torch", torches),
        ("jax", jaxes),
        ("micrograd_nn", ours),
    ):
        try:
            engines[name] = answers()
        except ImportError:
            print(f"{name} is not installed")
    rows = [
        [case, f"{truth:.4g}", *(verdict(engine.get(case), truth) for engine in engines.values())]
        for case, truth in TRUTHS.items()
    ]
    return table(["derivative", "truth", *engines], rows)


def checkers() -> str:
    """Return the second table."""
    checks: dict[str, Callable[[Blindness], bool]] = {
        "torch": torch_check,
        "jax": jax_check,
        "jax, double": lambda case: jax_check(case, double=True),
        "micrograd_nn": our_check,
    }
    there = [name for name in checks if name == "micrograd_nn" or _is_there(name.split(",")[0])]
    rows = []
    for case in WRONG:
        cells = ["passes" if checks[name](case) else "fails" for name in there]
        rows.append([case.what, *cells])
    return table(["gradient of a sum of sin x", *there], rows)


def _is_there(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ImportError:
        return False
    return True


def main() -> None:
    """Print both tables."""
    warnings.simplefilter("ignore")
    print(versions("numpy", "micrograd", "torch", "jax"))
    print("\nDerivatives\n")
    print(derivatives())
    print("\nCheckers: what passes that shouldn't\n")
    print(checkers())


if __name__ == "__main__":
    main()
