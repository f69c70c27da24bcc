"""S2, the two-layer network: 2 inputs, 4 tanh units, 1 sigmoid unit.

Its forward pass is written as the articles write it, with examples as columns. The library derives
the backward pass and prints it; it is held against the lines derived by hand, at every step of a
training that tells two half-moons apart by W ← W − α dW alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import common
import numpy as np

from micrograd_nn import Tensor, data, draw, equations, explain
from micrograd_nn import functional as F
from micrograd_nn.readers import figures
from micrograd_nn.training import History

HIDDEN, LEARNING_RATE = 4, 0.5

Arrays = dict[str, np.ndarray]


def probability(parameters: dict[str, Tensor], X: Tensor) -> Tensor:
    """Return A2, how likely each column of X is of class 1."""
    W1, b1, W2, b2 = parameters.values()
    A1 = np.tanh((W1 @ X + b1).named("Z1")).named("A1")
    return F.sigmoid((W2 @ A1 + b2).named("Z2")).named("A2")


def cost(A2: Tensor, Y: Tensor) -> Tensor:
    """Return J = −1/m Σ (y log a + (1−y) log(1−a))."""
    return (-np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))).named("J")


def by_graph(parameters: dict[str, Tensor], X: Tensor, Y: Tensor) -> tuple[float, Arrays]:
    """Return the cost and its gradients, by the chain rule over the recorded graph."""
    for p in parameters.values():
        p.zero_grad()
    J = cost(probability(parameters, X), Y)
    J.backward()
    return J.item(), {f"d{name}": p.grad for name, p in parameters.items()}


def by_hand(parameters: dict[str, Tensor], X: Tensor, Y: Tensor) -> Arrays:
    """Return the gradients by the articles' equations, in plain NumPy."""
    arrays = {name: p.data for name, p in parameters.items()}
    cache = equations.two_layer_forward(arrays, X.data)
    return equations.two_layer_gradients(arrays, cache, Y.data)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    iterations = 150 if arguments.quick else 3000

    points, labels = data.moons(400, noise=0.1, seed=arguments.seed)
    X = Tensor(points.T, requires_grad=False, name="X")
    Y = Tensor(labels[None, :], requires_grad=False, name="Y")
    rng = np.random.default_rng(arguments.seed)
    parameters = {
        "W1": Tensor(rng.normal(size=(HIDDEN, 2)), name="W1"),
        "b1": Tensor(np.zeros((HIDDEN, 1)), name="b1"),
        "W2": Tensor(rng.normal(size=(1, HIDDEN)), name="W2"),
        "b2": Tensor(np.zeros((1, 1)), name="b2"),
    }
    print(f"{X.shape[1]} points in two classes, and a network 2 → {HIDDEN} → 1")

    common.heading("The equations, read off the recorded graph")
    print(explain(cost(probability(parameters, X), Y)))

    common.heading("The gradients of one example, by the graph and by hand")
    x = Tensor(X.data[:, :1], requires_grad=False, name="x")
    y = Tensor(Y.data[:, :1], requires_grad=False, name="y")
    common.compare(by_graph(parameters, x, y)[1], by_hand(parameters, x, y))

    common.heading(f"{iterations:,} steps W ← W − {LEARNING_RATE} dW, on all examples")
    history, worst = History(), 0.0
    for iteration in range(1, iterations + 1):
        J, found = by_graph(parameters, X, Y)
        worst = max(worst, common.largest_difference(found, by_hand(parameters, X, Y)))
        A2 = probability(parameters, X)
        accuracy = float(np.mean((A2.data > 0.5) == Y.data))
        history.append({"loss": J, "accuracy": accuracy})
        if iteration in (1, iterations) or iteration % (iterations // 5) == 0:
            print(f"  step {iteration:5,}   J = {J:.4f}   {accuracy:6.1%} right")
        for name, p in parameters.items():
            p.data -= LEARNING_RATE * found[f"d{name}"]
    print()
    common.verify(np.all(np.diff(history.loss) < 0), "the loss fell at every step")
    common.verify(worst < common.TOLERANCE, f"graph and hand differ by {worst:.0e} at the most")

    last = cost(probability(parameters, x), y)
    last.backward()
    about = "the network as a graph, with data and gradients of one example"
    pictures.save("graph.svg", about, draw, last)
    pictures.save("cost.png", "cost and accuracy, step by step", history.plot)
    pictures.save(
        "regions.png", "what the network says of each place, with the points", figures.plot_regions,
        lambda places: probability(parameters, Tensor(places.T)).data[0], points, labels,
    )  # fmt: skip
    pictures.list()


if __name__ == "__main__":
    main()
