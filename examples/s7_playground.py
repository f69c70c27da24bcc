"""S7, TensorFlow Playground: its data sets and its choice of activation, in every combination.

A network 2-16-16-1 learns each of the data sets circle, XOR, Gaussian and spiral with each of the
activations ReLU, tanh, sigmoid and linear. A table tells how many of the test points it tells
apart, and a picture shows what it makes of the plane. Where activations are linear, three layers
are worth no more than one: together they are an affine map, and the border is straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import Adam, Linear, Sequential, data, equations, fit, predict
from micrograd_nn.readers import figures
from micrograd_nn.training import CosineDecay

ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear")
UNITS, LEARNING_RATE, BATCH = 16, 0.02, 16

#: The playground's circle and spiral have this radius.
RADIUS = 5.0


def gaussian(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two blobs, turned so that they lie on the diagonal, as in the playground."""
    X, y = data.blobs(n, seed=seed)
    return X @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2), y


DATA = {"circle": data.circles, "xor": data.xor, "gaussian": gaussian, "spiral": data.spirals}


class Trained:
    """A network that has learnt a data set, with the points to test it on."""

    def __init__(self, name: str, activation: str, epochs: int, seed: int) -> None:
        self.name, self.activation = name, activation
        points, labels = DATA[name](500, seed=seed)
        X, self.X, y, self.y = data.train_test_split(
            RADIUS * points, labels, 0.3, seed=seed, stratify=True
        )
        rng = np.random.default_rng(seed)
        self.model = Sequential(
            Linear(2, UNITS, seed=rng), activation,
            Linear(UNITS, UNITS, seed=rng), activation,
            Linear(UNITS, 1, seed=rng), "sigmoid",
        )  # fmt: skip
        fit(
            self.model, X, y, "binary_cross_entropy", epochs=epochs, batch_size=BATCH, seed=seed,
            optimizer=Adam(self.model.parameters(), lr=LEARNING_RATE), progress=False,
            schedule=CosineDecay(LEARNING_RATE, epochs),
        )  # fmt: skip
        self.accuracy = float(np.mean((self(self.X) > 0.5) == self.y))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return how likely each point is of class 1."""
        return predict(self.model, X)[:, 0]


def beyond_affine(network: Trained) -> float:
    """Return how far a network is from the product of its layers, σ(wᵀx + c)."""
    w, c = np.eye(2), np.zeros(2)
    for layer in network.model[::2]:
        w, c = layer.W.data @ w, layer.W.data @ c + layer.b.data
    expected = equations.sigmoid(network.X @ w.T + c)[:, 0]
    return float(np.max(np.abs(network(network.X) - expected)))


def check(networks: Sequence[Trained]) -> None:
    """Verify what holds of any of these networks, whatever the seed."""

    def scores(names: Sequence[str], activations: Sequence[str]) -> list[float]:
        return [n.accuracy for n in networks if n.name in names and n.activation in activations]

    linear = [network for network in networks if network.activation == "linear"]
    if linear:
        worst = max(map(beyond_affine, linear))
        common.verify(
            worst < common.TOLERANCE, f"linear: all layers are one affine map, but for {worst:.0e}"
        )
    if straight := scores(("circle", "xor", "spiral"), ("linear",)):
        best = max(straight)
        common.verify(best < 0.75, f"linear: at most {best:.0%} of circle, XOR and spiral")
    if curved := scores(("circle", "xor"), ("relu", "tanh")):
        worst = min(curved)
        common.verify(worst > 0.9, f"ReLU and tanh: at least {worst:.0%} of circle and XOR")
    if simple := scores(("gaussian",), ACTIVATIONS):
        worst = min(simple)
        common.verify(worst > 0.95, f"each: at least {worst:.0%} of Gaussian")


def small(axes: Any) -> None:
    """Let a panel be one of many: with small points, without numbers and a legend."""
    axes.set(xticks=[], yticks=[])
    axes.yaxis.labelpad = 8
    axes.label_outer()
    axes.get_legend().remove()
    for drawn in axes.collections:
        if hasattr(drawn, "set_sizes"):  # points; the others are borders
            drawn.set(sizes=[9], linewidths=0.3)


def plot_data(seed: int) -> Any:
    """Draw the data sets that the library makes."""
    sets = {
        "circles()": data.circles(400, seed=seed),
        "xor()": data.xor(400, seed=seed),
        "blobs()": data.blobs(400, seed=seed),
        "spirals()": data.spirals(400, seed=seed),
        "moons()": data.moons(400, seed=seed),
        "circles(noise=0)": data.circles(400, seed=seed, noise=0),
        "blobs(classes=5)": data.blobs(400, seed=seed, classes=5),
        "spirals(classes=3, turns=1)": data.spirals(400, seed=seed, classes=3, turns=1),
    }
    figure, each = common.panels(*sets, size=(10.0, 5.2), columns=4)
    for axes, (X, y) in zip(each, sets.values(), strict=True):
        small(figures.plot_data(X, y, ax=axes))
    return figure


def plot_regions(networks: Sequence[Trained], columns: int, resolution: int) -> Any:
    """Draw what each network says of each place, with the test points."""
    titles = (f"{n.name}, {n.activation}  {n.accuracy:.0%}" for n in networks)
    size = 2.5 * columns, 2.6 * len(networks) / columns
    figure, each = common.panels(*titles, size=size, columns=columns)
    for axes, network in zip(each, networks, strict=True):
        small(figures.plot_regions(network, network.X, network.y, resolution, ax=axes))
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = common.parser(__doc__)
    parser.add_argument("--data", choices=DATA, help="only this data set")
    parser.add_argument("--activation", choices=ACTIVATIONS, help="only this activation")
    arguments = parser.parse_args(argv)
    pictures, seed = common.Pictures(arguments.output), arguments.seed
    epochs, resolution = (15, 40) if arguments.quick else (150, 150)
    names = [arguments.data] if arguments.data else list(DATA)
    activations = [arguments.activation] if arguments.activation else ACTIVATIONS
    print(f"Networks 2-{UNITS}-{UNITS}-1, each on 350 points, {epochs} epochs of Adam")

    common.heading("Test points told apart")
    print(" " * 12 + "".join(map("{:>10}".format, activations)))
    networks = []
    for name in names:
        print(f"  {name:10}", end="", flush=True)
        for activation in activations:
            networks.append(Trained(name, activation, epochs, seed))
            print(f"{networks[-1].accuracy:10.1%}", end="", flush=True)
        print()
    print()
    check(networks)

    pictures.save("data.png", "the data sets that the library makes", plot_data, seed)
    about = "what each network makes of the plane, with the test points"
    pictures.save("regions.png", about, plot_regions, networks, len(activations), resolution)
    pictures.list()


if __name__ == "__main__":
    main()
