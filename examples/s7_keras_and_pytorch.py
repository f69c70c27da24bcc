"""S7, Keras and PyTorch: the circle classifier of S4 in three libraries, number for number.

The network is written as in Keras, whose lines are shown beside it. The same weights go into
micrograd_nn, into PyTorch if that is installed, and into the equations in plain NumPy. All take the
same 50 steps on all examples, in double precision, by gradient descent and by Adam, and their
losses are compared. In the end the weights that PyTorch has learnt are loaded into micrograd_nn.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import common
import numpy as np

from micrograd_nn import SGD, Adam, Linear, Sequential, data, equations, fit, predict, summary

WIDTHS, STEPS, RATES = (2, 4, 6, 6, 4, 1), 50, {"SGD": 0.2, "Adam": 0.02}

KERAS = """\
Sequential([
    Dense(4, input_dim=2, activation="relu"),
    Dense(6, activation="relu"),
    Dense(6, activation="relu"),
    Dense(4, activation="relu"),
    Dense(1, activation="sigmoid"),
])"""

Arrays = dict[str, np.ndarray]


def network() -> Sequential:
    """Return the network in micrograd_nn."""
    return Sequential(
        Linear(2, 4), "relu",
        Linear(4, 6), "relu",
        Linear(6, 6), "relu",
        Linear(6, 4), "relu",
        Linear(4, 1), "sigmoid",
    )  # fmt: skip


def torch_network() -> Any:
    """Return the network in PyTorch."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(2, 4), nn.ReLU(),
        nn.Linear(4, 6), nn.ReLU(),
        nn.Linear(6, 6), nn.ReLU(),
        nn.Linear(6, 4), nn.ReLU(),
        nn.Linear(4, 1), nn.Sigmoid(),
    )  # fmt: skip


def written(build: Callable[[], Any]) -> list[str]:
    """Return the lines that say what a function builds."""
    text = inspect.getsource(build).split("    return ")[1]
    return [line.removeprefix("    ") for line in text.removesuffix("  # fmt: skip\n").split("\n")]


def state(weights: Arrays, W: str, b: str) -> Arrays:
    """Return the weights by the names that a library has for them.

    The libraries count activations as layers, too, and have biases as vectors.
    """
    named = {}
    for layer in range(1, len(WIDTHS)):
        named[W.format(2 * layer - 2)] = weights[f"W{layer}"]
        named[b.format(2 * layer - 2)] = weights[f"b{layer}"][:, 0]
    return named


def by_hand(weights: Arrays, X: np.ndarray, y: np.ndarray, kind: str) -> list[float]:
    """Return the loss before each step, by the equations in plain NumPy."""
    X, Y, rate = X.T, y[None, :], RATES[kind]
    if kind == "SGD":
        return equations.train(weights, X, Y, learning_rate=rate, iterations=STEPS)[1]
    moved = {name: (theta, 0 * theta, 0 * theta) for name, theta in weights.items()}
    losses = []
    for t in range(1, STEPS + 1):
        weights = {name: theta for name, (theta, _, _) in moved.items()}
        cache = equations.forward(weights, X)
        losses.append(equations.cost(cache, Y))
        grads = equations.backward(weights, cache, Y)
        for name, (theta, m, v) in moved.items():
            moved[name] = equations.adam_step(theta, grads[f"d{name}"], m, v, t, rate)
    return losses


def by_micrograd_nn(weights: Arrays, X: np.ndarray, y: np.ndarray, kind: str) -> Any:
    """Return the loss before each step, and the trained network."""
    model = network()
    model.load_state_dict(state(weights, "layers.{}.W", "layers.{}.b"))
    optimizer = {"SGD": SGD, "Adam": Adam}[kind](model.parameters(), lr=RATES[kind])
    history = fit(model, X, y, "binary_cross_entropy", optimizer, epochs=STEPS, progress=False)
    return history.loss, model


def by_torch(weights: Arrays, X: np.ndarray, y: np.ndarray, kind: str) -> Any:
    """Return the loss before each step, and the trained network, in PyTorch."""
    import torch

    model = torch_network().double()
    named = state(weights, "{}.weight", "{}.bias")
    model.load_state_dict({name: torch.tensor(array) for name, array in named.items()})
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=RATES[kind])
    inputs, targets = torch.tensor(X), torch.tensor(y[:, None], dtype=torch.float64)
    losses = []
    for _ in range(STEPS):
        loss = torch.nn.functional.binary_cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model


def take_over(net: Any, X: np.ndarray) -> None:
    """Load what PyTorch has learnt, and compare the predictions."""
    import torch

    names = {"weight": "W", "bias": "b"}
    model = network()
    found = {}
    for name, array in net.state_dict().items():
        layer, kind = name.split(".")
        found[f"layers.{layer}.{names[kind]}"] = array.numpy()
        print(f"  {name:8}  →  layers.{layer}.{names[kind]}")
    model.load_state_dict(found)
    with torch.no_grad():
        expected = net(torch.tensor(X)).numpy()
    difference = np.max(np.abs(predict(model, X) - expected))
    common.verify(difference < common.TOLERANCE, f"equal predictions, but for {difference:.0e}")


def show_code() -> None:
    """Print how the network is written in each library."""
    columns = ["Keras", "", *KERAS.split("\n")], ["micrograd_nn", "", *written(network)]
    for left, right in zip_longest(*columns, fillvalue=""):
        print(f"  {left:48}{right}".rstrip())
    print("\n  PyTorch\n")
    print("\n".join(f"  {line}" for line in written(torch_network)))


def show_losses(losses: dict[str, list[float]]) -> None:
    """Print the losses of each tenth step, and how far they are from those by hand."""
    shown = [1, *range(10, STEPS + 1, 10)]
    common.table(
        ("step", *losses),
        ((t, *(f"{column[t - 1]:.14f}" for column in losses.values())) for t in shown),
    )
    expected = np.array(losses["by hand"])
    for name, column in losses.items():
        if name != "by hand":
            worst = np.max(np.abs(np.array(column) / expected - 1))
            common.verify(worst < 1e-9, f"{name} and hand: at most {worst:.0e} apart, relatively")


def plot(losses: dict[str, dict[str, list[float]]]) -> Any:
    """Draw the losses, those of all libraries over each other."""
    titles = (f"{kind}, learning rate {RATES[kind]}" for kind in losses)
    figure, axes = common.panels(*titles, size=(8.4, 3.6))
    styles = ((common.RULE, 8, "-"), (common.COLOURS[0], 3, "-"), (common.COLOURS[4], 1.5, "--"))
    for ax, columns in zip(axes, losses.values(), strict=True):
        for (name, column), (colour, width, line) in zip(columns.items(), styles, strict=False):
            ax.plot(range(1, STEPS + 1), column, line, color=colour, linewidth=width, label=name)
        ax.set(xlabel="step", ylabel="loss", ylim=(0, 1.05 * max(map(max, columns.values()))))
        ax.legend(loc="lower left", **common.LEGEND)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    size = 200 if arguments.quick else 1000
    X, y = data.circles(size, noise=0.1, seed=arguments.seed, factor=0.3)
    weights = equations.initialise(WIDTHS, arguments.seed)

    common.heading("The same network in three libraries")
    show_code()
    common.heading("What summary prints of it, as Keras does")
    print(summary(network()))

    losses, net = {}, None
    for kind, rate in RATES.items():
        common.heading(f"{STEPS} steps of {kind} on all {size} points, learning rate {rate}")
        columns = {"by hand": by_hand(weights, X, y, kind)}
        columns["micrograd_nn"], _ = by_micrograd_nn(weights, X, y, kind)
        with suppress(ImportError):
            columns["PyTorch"], net = by_torch(weights, X, y, kind)
        show_losses(columns)
        losses[kind] = columns

    if net is None:
        print("\nPyTorch isn't installed: pip install torch would show it beside the others.")
    else:
        common.heading("Back: what PyTorch has learnt, in micrograd_nn")
        take_over(net, X)
    pictures.save("losses.png", "the losses, step by step", plot, losses)
    pictures.list()


if __name__ == "__main__":
    main()
