"""S3, the L-layer network: [linear → ReLU] × (L−1) → linear → sigmoid, of any depth and widths.

The library derives its backward pass. Its gradients dA[l], dZ[l], dW[l] and db[l] are held against
the lines derived by hand: for several depths, and at each step of a training that tells two spirals
apart. The same training from weights that are all 0, or all alike, keeps the units of a layer equal
for ever.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import count
from typing import Any

import common
import numpy as np

from micrograd_nn import Tensor, data, draw, equations, explain
from micrograd_nn import functional as F
from micrograd_nn.readers import figures
from micrograd_nn.training import History

LEARNING_RATE = 0.1
STARTS = dict(zip(("He", "alike", "zero"), common.COLOURS, strict=False))  # and their colours

Arrays = dict[str, np.ndarray]
Tensors = dict[str, Tensor]


def widths(text: str) -> tuple[int, ...]:
    """Read the units of each layer, from the input to the output."""
    units = tuple(int(n) if n.isdecimal() else 0 for n in text.split("-"))
    if len(units) < 2 or (units[0], units[-1]) != (2, 1) or not all(0 < n <= 1000 for n in units):
        raise argparse.ArgumentTypeError(
            f"{text!r} isn't a network such as 2-8-8-8-1: 2 for the coordinates of a point, "
            "any number of layers of 1 to 1000 units, and 1 for a probability"
        )
    return units


def initialise(units: Sequence[int], start: str, seed: int) -> Tensors:
    """Return W[l] and b[l], the weights as He draws them, or all alike, or zero."""
    arrays = equations.initialise(units, seed, scheme="he")
    for name, array in arrays.items():
        if start != "He" and name.startswith("W"):
            array[:] = 1 / array.shape[1] if start == "alike" else 0
    return {name: Tensor(array, name=name) for name, array in arrays.items()}


def forward(parameters: Tensors, X: Tensor) -> Tensors:
    """Return Z[l] and A[l] of all layers."""
    nodes, A, L = {}, X, len(parameters) // 2
    for l in range(1, L + 1):
        Z = nodes[f"Z{l}"] = (parameters[f"W{l}"] @ A + parameters[f"b{l}"]).named(f"Z{l}")
        A = nodes[f"A{l}"] = (F.relu(Z) if l < L else F.sigmoid(Z)).named(f"A{l}")
    return nodes


def cost(nodes: Tensors, Y: Tensor) -> Tensor:
    """Return J = −1/m Σ (y log a + (1−y) log(1−a)) of a = A[L], as the articles write it."""
    *_, A = nodes.values()
    return (-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))).named("J")


def cost_of_logits(nodes: Tensors, Y: Tensor) -> Tensor:
    """Return the same J from Z[L], which is exact even where A[L] rounds to 0 or 1."""
    *_, Z, _ = nodes.values()
    return F.binary_cross_entropy_with_logits(Z, Y).named("J")


def by_graph(parameters: Tensors, X: Tensor, Y: Tensor) -> tuple[Tensor, Tensor, Arrays]:
    """Return A[L], J, and the gradients by the chain rule over the recorded graph.

    As in the articles, dZ and dA are of the sum over the examples.
    """
    for parameter in parameters.values():
        parameter.zero_grad()
    nodes = forward(parameters, X)
    J = cost_of_logits(nodes, Y)
    J.backward()
    _, A = nodes.popitem()  # J was computed from Z[L]
    inner = {f"d{name}": Y.size * node.grad for name, node in nodes.items()}
    return A, J, inner | {f"d{name}": p.grad for name, p in parameters.items()}


def by_hand(parameters: Tensors, X: Tensor, Y: Tensor) -> Arrays:
    """Return the gradients by the articles' equations, in plain NumPy."""
    arrays = {name: p.data for name, p in parameters.items()}
    return equations.backward(arrays, equations.forward(arrays, X.data), Y.data)


def show_depths(units: Sequence[int], X: Tensor, Y: Tensor, seed: int) -> None:
    """Hold this network, and networks of one to six layers, against the equations."""
    common.heading("The gradients by the graph and by hand, for any depth and widths")
    rng = np.random.default_rng(seed)
    others = [(2, *rng.integers(1, 33, L - 1).tolist(), 1) for L in range(1, 7)]
    rows, worst = [], 0.0
    for network in (units, *others):
        parameters = initialise(network, "He", seed)
        _, J, found = by_graph(parameters, X, Y)
        difference = common.largest_difference(found, by_hand(parameters, X, Y))
        worst = max(worst, difference)
        name, L = "-".join(map(str, network)), len(network) - 1
        numbers = sum(gradient.size for gradient in found.values())
        rows.append((name, L, f"{J.item():.4f}", f"{numbers:,}", f"{difference:.0e}"))
    common.table(("widths", "L", "J", "numbers compared", "largest difference"), rows)
    common.verify(worst < common.TOLERANCE, f"graph and hand differ by {worst:.0e} at the most")


def train(runs: dict[str, Tensors], X: Tensor, Y: Tensor, steps: int) -> dict[str, History]:
    """Train each network by W ← W − α dW and b ← b − α db, on all examples."""
    common.heading(f"{steps:,} steps W ← W − {LEARNING_RATE} dW, from three starts")
    print("  W[l] as He draws it, of variance 2/n[l−1]; all alike, 1/n[l−1]; zero\n")
    print("  step  " + "".join(f"{start:>20}" for start in runs))
    histories, worst = {start: History() for start in runs}, 0.0
    for step in range(1, steps + 1):
        line = f"  {step:<6,}"
        for start, parameters in runs.items():
            A, J, found = by_graph(parameters, X, Y)
            worst = max(worst, common.largest_difference(found, by_hand(parameters, X, Y)))
            right = np.mean((A.data > 0.5) == Y.data)
            histories[start].append({"loss": J.item(), "accuracy": right})
            line += f"{f'J = {J.item():.4f}  {right:4.0%}':>20}"
            for name, parameter in parameters.items():
                parameter.data -= LEARNING_RATE * found[f"d{name}"]
        if step in (1, steps) or step % (steps // 5) == 0:
            print(line)
    common.verify(worst < common.TOLERANCE, f"graph and hand differ by {worst:.0e} at the most")
    return histories


def weights(parameters: Tensors) -> list[np.ndarray]:
    """Return W1, W2, ..., WL."""
    return [p.data for name, p in parameters.items() if name.startswith("W")]


def show_rows(runs: dict[str, Tensors]) -> None:
    """Compare the rows of each weight matrix: row i belongs to unit i."""
    matrices = {start: weights(parameters) for start, parameters in runs.items()}
    common.heading("Rows of W1 after the training: the weights of one unit each")
    rows = (["  ".join(map("{:7.4f}".format, w)) for w in Ws[0][:8]] for Ws in matrices.values())
    common.table(("", *runs), zip(map("unit {}".format, count(1)), *rows, strict=False))

    common.heading("How far the rows of a matrix differ, at the most")
    spans = ([f"{np.ptp(W, axis=0).max():.1g}" for W in Ws[:-1]] for Ws in matrices.values())
    common.table(("", *runs), zip(map("W{}".format, count(1)), *spans, strict=False))
    different = {start: [len({*map(bytes, W)}) for W in Ws] for start, Ws in matrices.items()}
    common.verify(set(different["zero"]) == {1}, "zero: the rows of a W[l] are equal, bit for bit")
    claim = "zero: they are still 0, as A[l−1] = 0 and dA[l] = W[l+1]ᵀ dZ[l+1] = 0 make dW[l] 0"
    common.verify(not any(map(np.any, matrices["zero"])), claim)
    all_of_them = list(map(len, matrices["He"]))
    common.verify(different["He"] == all_of_them, "He: no two rows of a W[l] are equal")


def plot_losses(histories: dict[str, History]) -> Any:
    """Draw loss and accuracy of all runs."""
    axes = None
    for start, history in reversed(histories.items()):
        axes = history.plot(axes).axes
        for ax in axes:
            ax.lines[-1].set(color=STARTS[start], label=start)
            ax.set(yscale="linear", xlabel="step")
            ax.legend(**common.LEGEND)
    return axes[0]


def plot_regions(runs: dict[str, Tensors], points: np.ndarray, labels: np.ndarray) -> Any:
    """Draw what each network says of each place."""
    figure, axes = common.panels(*(f"from {start}" for start in runs), size=(11.4, 4.8))
    for run, ax in zip(runs.values(), axes, strict=True):
        *_, A = forward(run, Tensor(figures.region_points(points).T)).values()
        figures.plot_regions(lambda _, A=A: A.data[0], points, labels, ax=ax)
        ax.locator_params(nbins=5)
    return figure


def plot_weights(runs: dict[str, Tensors]) -> Any:
    """Draw each W[l] of each run as a heat map, a row for each unit."""
    matrices = {
        f"W{l}, {start}": W for start, p in runs.items() for l, W in enumerate(weights(p), 1)
    }
    reach = max(np.abs(W).max() for W in matrices.values())
    ratios = [2 + W.shape[1] for W in weights(runs["He"])]
    figure, axes = common.panels(
        *matrices, size=(2.4 + 1.6 * len(ratios), 6.8), columns=len(ratios), width_ratios=ratios
    )
    for ax, W in zip(axes, matrices.values(), strict=True):
        image = common.heat_map(ax, W, reach)
        units, inputs = W.shape
        ax.set_xticks(sorted({0, inputs - 1}), sorted({1, inputs}))
        ax.set_yticks(sorted({0, units - 1}), sorted({1, units}))
        ax.set(xlabel="input", ylabel="unit")
    bar = figure.colorbar(image, ax=list(axes), shrink=0.5)
    bar.ax.tick_params(colors=common.INK, length=0, labelsize=8)
    bar.outline.set_visible(False)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = common.parser(__doc__)
    parser.add_argument(
        "--widths", type=widths, default="2-8-8-8-1", help="units of each layer (default 2-8-8-8-1)"
    )
    arguments = parser.parse_args(argv)
    pictures = common.Pictures(arguments.output)
    units, seed = arguments.widths, arguments.seed
    m, steps = (100, 150) if arguments.quick else (300, 2500)

    points, labels = data.spirals(m, turns=1.0, seed=seed)
    X = Tensor(points.T, requires_grad=False, name="X")
    Y = Tensor(labels[None, :], requires_grad=False, name="Y")
    runs = {start: initialise(units, start, seed) for start in STARTS}
    print(f"{m} points in two spirals, and a network {' → '.join(map(str, units))}")

    common.heading("The equations, read off the recorded graph")
    print(explain(cost(forward(runs["He"], X), Y)))
    show_depths(units, X, Y, seed)
    histories = train(runs, X, Y, steps)
    if len(units) > 2:
        show_rows(runs)

    _, J, _ = by_graph(runs["He"], X, Y)
    about = "the trained network and its cost as a graph, with data and gradients"
    pictures.save("graph.svg", about, draw, J, direction="TB")
    pictures.save("losses.png", "loss and accuracy from the three starts", plot_losses, histories)
    about = "what the three networks say of each place, with the points"
    pictures.save("regions.png", about, plot_regions, runs, points, labels)
    pictures.save("weights.png", "their weights: a row of a matrix is a unit", plot_weights, runs)
    pictures.list()


if __name__ == "__main__":
    main()
