"""S5, the optimisers: gradient descent, momentum and Adam, held against their formulas.

The networks of s5_regression_and_classification.py are trained by each of them. At every step the
graph's gradients are compared with the index formulas, and the parameters with those of a second
training that goes by the formulas alone, without any correction:

  gradient descent  θ ← θ − α∇
  momentum          v ← βv + α∇,  θ ← θ − v
  Adam              m ← β₁m + (1−β₁)∇,  v ← β₂v + (1−β₂)∇²,  θ ← θ − α m̂ / (√v̂ + ε)
                    where m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ)

Then all three go down a valley that can be seen: the loss of a linear unit with two weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import common
import numpy as np
from s5_regression_and_classification import Task, by_graph, by_indices, tasks

from micrograd_nn import SGD, Adam, equations, training
from micrograd_nn.readers import figures
from micrograd_nn.training import History

BETA = 0.9
NETWORK_RATES = {"gradient descent": 0.1, "momentum": 0.1, "Adam": 0.02}
VALLEY_RATES = {"gradient descent": 0.45, "momentum": 0.06, "Adam": 0.12}
START, EXTENT = np.array([1.6, 0.4]), ((-1.2, 2.2), (-1.0, 2.0))

Array = np.ndarray


def by_library(name: str, rate: float) -> Callable[[list[Any]], training.Optimizer]:
    """Return what makes the library's optimiser of that name from parameters."""
    if name == "Adam":
        return lambda parameters: Adam(parameters, lr=rate)
    beta = BETA if name == "momentum" else 0.0
    return lambda parameters: SGD(parameters, lr=rate, momentum=beta)


class ByFormula:
    """One array of parameters θ that moves by the formula of that name."""

    def __init__(self, name: str, rate: float, theta: Array) -> None:
        self.name, self.rate, self.theta = name, rate, theta.copy()
        self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)

    def step(self, gradient: Array) -> None:
        """Make the next step."""
        self.t += 1
        if self.name == "gradient descent":
            self.theta = equations.gradient_descent_step(self.theta, gradient, self.rate)
        elif self.name == "momentum":
            self.theta, self.v = equations.momentum_step(
                self.theta, gradient, self.v, self.rate, BETA
            )
        else:
            self.theta, self.m, self.v = equations.adam_step(
                self.theta, gradient, self.m, self.v, self.t, self.rate
            )


def train(task: Task, name: str, steps: int, seed: int) -> tuple[History, float, float]:
    """Train by the library, and beside it by the formula.

    Returns the history, and how far gradients and parameters of the two were ever apart.
    """
    model, history, rate = task.network(seed), History(), NETWORK_RATES[name]
    parameters = {p.name: p for p in model.parameters()}
    optimizer = by_library(name, rate)(model.parameters())
    formulas = {key: ByFormula(name, rate, p.data) for key, p in parameters.items()}
    apart = np.zeros((steps, 2))
    for step in range(steps):
        loss, gradients = by_graph(task, model)
        history.append({"loss": loss})
        apart[step, 0] = common.largest_difference(gradients, by_indices(task, model))
        optimizer.step()
        for key, formula in formulas.items():
            formula.step(gradients[key])
        apart[step, 1] = common.largest_difference(
            {key: p.data for key, p in parameters.items()},
            {key: formula.theta for key, formula in formulas.items()},
        )
    in_gradients, in_parameters = apart.max(axis=0)
    return history, in_gradients, in_parameters


def compare(task: Task, what: str, steps: int, seed: int) -> dict[str, History]:
    """Train by each optimiser, and print how it went."""
    common.heading(f"{what}: {steps:,} steps on {len(task.train[1])} flowers")
    runs = {name: train(task, name, steps, seed) for name in NETWORK_RATES}
    common.table(
        ("", "α", "loss before", "half way", "after", "∇ differs by", "θ differs by"),
        (
            (name, NETWORK_RATES[name], f"{history.loss[0]:.4f}", f"{history.loss[steps // 2]:.4f}",
             f"{history.loss[-1]:.4f}", f"{in_gradients:.0e}", f"{in_parameters:.0e}")
            for name, (history, in_gradients, in_parameters) in runs.items()
        ),
    )  # fmt: skip
    worst = max(max(apart) for _, *apart in runs.values())
    common.verify(worst < common.TOLERANCE, "gradients and parameters agree at every step")
    return {name: history for name, (history, *_) in runs.items()}


def valley(X: Array, y: Array) -> Callable[[Any, Any], Any]:
    """Return the MSE of ŷ = w₁x₁ + w₂x₂ on columns X, as a function of two nodes."""
    (c11, c12), (_, c22) = (X @ X.T / X.shape[1]).tolist()
    d1, d2 = (X @ y / X.shape[1]).tolist()
    e = float(y @ y / X.shape[1])

    def mse(w1: Any, w2: Any) -> Any:
        return c11 * w1**2 + 2 * c12 * w1 * w2 + c22 * w2**2 - 2 * (d1 * w1 + d2 * w2) + e

    return mse


def down_by_formula(name: str, X: Array, y: Array, steps: int) -> Array:
    """Return the way down the valley by the formulas alone: of δ, its gradient, and the step."""
    formula = ByFormula(name, VALLEY_RATES[name], START)
    path = [formula.theta]
    for _ in range(steps):
        delta = equations.mse_delta((formula.theta @ X)[None, :], y[None, :], "identity")
        formula.step(equations.weight_gradient(delta, X)[0])
        path.append(formula.theta)
    return np.array(path)


def go_down(task: Task, steps: int) -> tuple[Callable[[Any, Any], Any], dict[str, Array]]:
    """Go down the valley by each optimiser; return it and the ways."""
    common.heading(f"A valley: the MSE of ŷ = w₁ · sepal length + w₂ · petal length, {steps} steps")
    X, y = task.train[0].T[[0, 2]], task.Y[0] - task.Y.mean()
    mse = valley(X, y)
    paths = {
        name: figures.descend(mse, START.tolist(), by_library(name, rate), steps)
        for name, rate in VALLEY_RATES.items()
    }
    ends = {name: (VALLEY_RATES[name], path[-1]) for name, path in paths.items()}
    ends["the lowest point"] = ("", np.linalg.lstsq(X.T, y, rcond=None)[0])
    common.table(
        ("", "α", "w₁", "w₂", "MSE"),
        (
            (name, rate, *(f"{number:.4f}" for number in (*w, mse(*w.tolist()))))
            for name, (rate, w) in ends.items()
        ),
    )
    by_formula = {name: down_by_formula(name, X, y, steps) for name in paths}
    common.verify_equal(paths, by_formula, "each went where its formula leads")
    return mse, paths


def plot_losses(runs: Mapping[str, Mapping[str, History]]) -> Any:
    """Draw the losses of all trainings, a panel for each network."""
    figure, axes = common.panels(*runs, size=(9.2, 3.8))
    for ax, histories in zip(axes, runs.values(), strict=True):
        # The colours are those of the animation, where the valley is blue.
        for (name, history), colour in zip(histories.items(), common.COLOURS[1:], strict=False):
            steps = np.arange(1, len(history) + 1)
            ax.plot(steps, history.loss, color=colour, linewidth=1.8, label=name)
        ax.set(xlabel="step", xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        ax.legend(**common.LEGEND)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    steps = 60 if arguments.quick else 500

    regression, classification = tasks(arguments.seed)
    runs = {
        "MSE of a petal's width": compare(regression, "Regression", steps, arguments.seed),
        "cross-entropy of the species": compare(
            classification, "Classification", steps, arguments.seed
        ),
    }
    mse, paths = go_down(regression, 10 if arguments.quick else 45)

    pictures.save("losses.png", "the loss, step by step", plot_losses, runs)
    about = "three ways down the valley"
    pictures.save("descent.gif", about, figures.animate_descent, mse, paths, EXTENT)
    pictures.list()


if __name__ == "__main__":
    main()
