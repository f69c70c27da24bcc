"""S6, the feed-forward network by deltas, with any number of hidden layers.

One example goes through a network of single numbers, unit by unit; backpropagation leaves in each
node o_j the delta of its unit, δ_j = ∂E/∂o_j. They are held against the article's formulas,

  output unit   δ_j    = (a_j − y) g'(o_j)
  hidden unit   δ_j[k] = g'(o_j[k]) Σ_l w_lj[k+1] δ_l[k+1]
  weight        ∂E/∂w_ij[k] = δ_j[k] a_i[k−1]

number for number, where w_lj[k+1] is the weight on the way from unit j to unit l. Then the network
learns XOR: load, forward, cost E = 1/(2n) Σ (ŷ − y)², backpropagation, descent, until convergence.
What such networks can learn, and how fast, is shown by s6_demonstrations.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import MLP, SGD, Value, data, draw, equations, explain, fit, predict
from micrograd_nn import functional as F
from micrograd_nn.testing import check_backprop
from micrograd_nn.training import Snapshots, StopOnConvergence, accuracy

RATE, TOLERANCE, PATIENCE = 1.0, 1e-5, 10
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu", "silu", "gelu")


def layer_sizes(text: str) -> list[int]:
    """Read sizes such as 5-4-3."""
    sizes = [int(size) for size in text.split("-")]
    if min(sizes) < 1:
        raise ValueError
    return sizes


def unit_by_unit(model: MLP, x: Sequence[float]) -> tuple[list[list[Value]], list[list[Value]]]:
    """Return o and a of all units for one example: lists by layer of lists of nodes."""
    o: list[list[Value]] = [[]]
    a = [[Value(x_i, f"x{i}") for i, x_i in enumerate(x, start=1)]]
    for k, layer in enumerate(model.layers, start=1):
        o.append([])
        for j, neuron in enumerate(layer.neurons, start=1):
            total = neuron.b
            for w_ij, a_i in zip(neuron.w, a[k - 1], strict=True):
                total = total + w_ij * a_i
            o[k].append(total.named(f"o{j}[{k}]"))
        g = getattr(F, layer.neurons[0].activation)
        a.append([g(o_j).named(f"a{j}[{k}]") for j, o_j in enumerate(o[k], start=1)])
    return o, a


def show_deltas(model: MLP, activations: Sequence[str], x: np.ndarray, y: float) -> None:
    """Compare the deltas of one example with the formulas."""
    o, a = unit_by_unit(model, x.tolist())
    E = (0.5 * (a[-1][0] - y) ** 2).named("E")
    E.backward()
    arrays = common.matrices(model.layers)
    o_hand, a_hand = equations.forward_one_by_indices(arrays, x, activations)
    delta = equations.deltas_by_indices(arrays, o_hand, a_hand, np.array([y]), activations)
    units = [(k, j) for k in range(1, len(o)) for j in range(len(o[k]))]
    common.table(
        ("layer k", "unit j", "o_j[k]", "a_j[k]", "δ_j[k], by the graph", "by the formula"),
        (
            (k, j + 1, f"{o[k][j].data:.4f}", f"{a[k][j].data:.4f}",
             f"{o[k][j].grad:.15f}", f"{delta[k][j]:.15f}")
            for k, j in units
        ),
    )  # fmt: skip
    difference = max(abs(o[k][j].grad - delta[k][j]) for k, j in units)
    common.verify(difference < common.TOLERANCE, f"the deltas agree, to {difference:.0e}")
    marks = check_backprop(E, {o[k][j].name: delta[k][j] for k, j in units})
    common.verify(
        len(marks.marks) == len(units) and not marks.blamed,
        f"check_backprop finds each of the {len(units)} formulas right by itself",
    )


def show_gradients(model: MLP, activations: Sequence[str], X: np.ndarray, y: np.ndarray) -> None:
    """Compare the gradients of all examples with the formulas."""
    model.zero_grad()
    F.half_mse(model(X), y).backward()
    found = {f"d{name}": g for name, g in common.matrices(model.layers, "grad").items()}
    arrays = common.matrices(model.layers)
    expected = equations.gradients_by_indices(arrays, X.T, y[None, :], activations)
    common.compare(found, expected, by=("the graph", "the formula"))


def descend(model: MLP, X: np.ndarray, y: np.ndarray, epochs: int) -> list[float]:
    """Train as the article writes it; return the cost of each epoch."""
    costs: list[float] = []
    for _ in range(epochs):
        model.zero_grad()
        E = F.half_mse(model(X), y)  # forward, cost
        E.backward()  # backpropagation
        for p in model.parameters():  # descent
            p.data -= RATE * p.grad
        costs.append(E.item())
        still = np.abs(np.diff(costs[-PATIENCE - 1 :])) <= TOLERANCE
        if len(still) == PATIENCE and still.all():  # until convergence
            break
    return costs


def learn(
    sizes: Sequence[int], options: dict[str, Any], X: np.ndarray, y: np.ndarray, epochs: int
) -> tuple[Any, Snapshots]:
    """Train by the loop written out, and by ``fit``; return its history and snapshots."""
    common.heading(f"At most {epochs:,} epochs of w ← w − {RATE:g} ∂E/∂w, or until convergence")
    costs = descend(MLP(2, sizes, **options), X, y, epochs)
    model = MLP(2, sizes, **options)
    snapshots = Snapshots(X, y, every=max(10, len(costs) // 50))
    history = fit(
        model, X, y, loss="half_mse", epochs=epochs, metrics=["accuracy"],
        optimizer=SGD(model.parameters(), lr=RATE),
        callbacks=[StopOnConvergence(TOLERANCE, PATIENCE), snapshots],
    )  # fmt: skip
    print(history.table(rows=6))
    print()
    difference = max(abs(a - b) for a, b in zip(costs, history.loss, strict=False))
    common.verify(
        len(costs) == len(history) and difference < 1e-9,
        f"the loop written out has the same {len(costs):,} costs, to {difference:.0e}",
    )
    if history.stopped:
        moved = np.abs(np.diff(history.loss)).tolist()[-PATIENCE:]
        common.verify(
            max(moved) <= TOLERANCE,
            f"E moved by {max(moved):.1e} at the most in each of the last {PATIENCE} epochs",
        )
    print(f"    {accuracy(predict(model, X), y):.1%} of the points are on the right side")
    return history, snapshots


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = common.parser(__doc__)
    parser.add_argument("--hidden", type=layer_sizes, default=[5, 4, 3], metavar="5-4-3",
                        help="the units of each hidden layer (default 5-4-3)")  # fmt: skip
    parser.add_argument("--activation", choices=ACTIVATIONS, default="tanh",
                        help="of the hidden layers (default: %(default)s)")  # fmt: skip
    arguments = parser.parse_args(argv)
    pictures = common.Pictures(arguments.output)

    X, labels = data.xor(200, noise=0.1, seed=arguments.seed)
    y = labels.astype(float)
    sizes = [*arguments.hidden, 1]
    activations = [arguments.activation] * len(arguments.hidden) + ["sigmoid"]
    options = {"activation": arguments.activation, "output_activation": "sigmoid",
               "init": "xavier_normal", "seed": arguments.seed}  # fmt: skip
    model = MLP(2, sizes, **options)
    print(f"{len(X)} points of XOR, and a network {' → '.join(map(str, [2, *sizes]))}")

    common.heading("The equations, read off the graph of one example")
    x = [Value(x_i, f"x{i}") for i, x_i in enumerate(X[0].tolist(), start=1)]
    E = F.half_mse(model(x), y[0]).named("E")
    print(explain(E))

    common.heading("One example, unit by unit")
    show_deltas(model, activations, X[0], y[0])

    common.heading(f"The gradients of all {len(X)} examples, 1/n Σ δ_j[k] a_i[k−1]")
    show_gradients(model, activations, X, y)

    history, snapshots = learn(sizes, options, X, y, 100 if arguments.quick else 2000)

    E.backward()
    pictures.save("network.svg", "the network with that example", draw, model, x=X[0])
    pictures.save("graph.svg", "its graph, with data and gradients", draw, E)
    pictures.save("cost.png", "cost and accuracy, epoch by epoch", history.plot)
    about = "what the network says of each place, while it learns"
    pictures.save("regions.gif", about, snapshots.animate)
    pictures.list()


if __name__ == "__main__":
    main()
