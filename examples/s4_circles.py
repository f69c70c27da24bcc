"""S4, the circle classifier: layers 2-4-6-6-4-1, ReLU in the hidden ones, sigmoid at the end.

A network of single numbers learns to tell two concentric circles apart, by binary cross-entropy and
Adam, and is right about nearly all points that it hasn't seen. After every epoch its gradients are
held against the equations derived by hand. All pictures that belong to the system are drawn: data,
architecture, activations, the regions of both classes while it learns, loss and accuracy, a descent
on a surface, and a page that steps through the forward and the backward pass of one point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import MLP, Adam, Tensor, Value, data, draw, equations, explain, fit, grad
from micrograd_nn import functional as F
from micrograd_nn.readers import figures
from micrograd_nn.training import CosineDecay, History, Snapshots, predict

UNITS, LEARNING_RATE, BATCH = (4, 6, 6, 4, 1), 0.02, 32
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu")

Array = np.ndarray
Points = tuple[Array, Array]


def drawn(rng: np.random.Generator) -> MLP:
    """Return a network with new weights, by He's rule."""
    return MLP(2, UNITS, activation="relu", output_activation="sigmoid", init="he", seed=rng)


def least_active(model: MLP, X: Array) -> float:
    """Return for which share of the points the least active hidden unit is above 0."""
    A, least = X, 1.0
    for layer in model.layers[:-1]:
        A = layer(A).data
        least = min(least, np.mean(A > 0, axis=0).min())
    return least


def build(seed: int, X: Array) -> MLP:
    """Return a network that will learn.

    A ReLU unit that is 0 for all points has no gradient, and remains so; a network that has too few
    others learns nothing. So weights are drawn again until every unit is above 0 for a tenth of the
    points. The last layer starts at zero: all predictions begin at ½, and no large first step
    silences units.
    """
    rng = np.random.default_rng(seed)
    model = drawn(rng)
    while least_active(model, X) < 0.1:
        model = drawn(rng)
    for weight in model.layers[-1].neurons[0].w:
        weight.data = 0.0
    return model


def cost(model: MLP, X: Array, y: Array) -> Tensor:
    """Return the graph of J, the binary cross-entropy of all examples."""
    Y = Tensor(y[:, None], requires_grad=False, name="Y")
    return F.binary_cross_entropy(model(Tensor(X, requires_grad=False, name="X")), Y).named("J")


def disagreement(model: MLP, J: Tensor | Value, X: Array, y: Array) -> float:
    """Return how far dW and db by the graph of J are from those by the equations in plain NumPy."""
    model.zero_grad()
    J.backward()
    found = {
        f"d{name}": gradient for name, gradient in common.matrices(model.layers, "grad").items()
    }
    parameters = common.matrices(model.layers)  # the equations have examples as columns
    expected = equations.backward(parameters, equations.forward(parameters, X.T), y[None, :])
    return common.largest_difference(found, expected)


def activations() -> None:
    """Print the activations and their derivatives, and hold these against those by hand."""
    rows, places, z = [], np.array([-2.0, 0.0, 2.0]), np.linspace(-8, 8, 1001)
    differences = []
    for name in ACTIVATIONS:
        g = getattr(F, name)
        slopes = grad(lambda z, g=g: F.sum(g(z)))
        rows.append((name, *(f"{number:.4f}" for number in (*g(places), *slopes(places)))))
        differences.append(np.max(np.abs(slopes(z) - equations.ACTIVATIONS[name].g_prime(z))))
    common.table(("", "g(−2)", "g(0)", "g(2)", "g′(−2)", "g′(0)", "g′(2)"), rows)
    common.verify(max(differences) < common.TOLERANCE, "the derivatives are those by hand")


def surface(a: Any, b: Any) -> Any:
    """Return sin(b cos a), a hilly surface to go down."""
    return F.sin(b * F.cos(a))


def descent(steps: int, alpha: float = 0.2) -> Array:
    """Return a way down the surface, each step of which is held against the gradient by hand."""
    path = figures.descend(surface, (0.35, 1.0), steps=steps, lr=alpha)
    a, b = path.T
    by_hand = np.cos(b * np.cos(a))[:, None] * np.column_stack([-b * np.sin(a), np.cos(a)])
    expected = equations.gradient_descent_step(path[:-1], by_hand[:-1], alpha)
    common.verify(np.max(np.abs(path[1:] - expected)) < common.TOLERANCE, "each step is −α∇f")
    f = surface(a, b)
    common.verify(np.all(np.diff(f) < 0), f"each leads down: f from {f[0]:.4f} to {f[-1]:.4f}")
    return path


def way_down(path: Array) -> Any:
    """Return the animation of a way down the surface."""
    movie = figures.animate_descent(surface, path, ((-1.2, 4.4), (-3.0, 3.0)), "surface")
    axes: Any = movie.figure.axes[0]
    axes.set_zlabel("f")
    axes.tick_params(axis="z", pad=5)
    return movie


def learn(model: MLP, train: Points, test: Points, epochs: int, seed: int, seen: Any) -> History:
    """Train the network, print how it goes, and hold its gradients against those by hand."""
    differences: list[float] = []

    def compare(epoch: int, logs: dict[str, float]) -> None:
        differences.append(disagreement(model, cost(model, *train), *train))

    history = fit(
        model, *train, loss="binary_cross_entropy", epochs=epochs, batch_size=BATCH, seed=seed,
        optimizer=Adam(model.parameters(), lr=LEARNING_RATE), metrics=["accuracy"],
        schedule=CosineDecay(LEARNING_RATE, epochs), validation_data=test,
        callbacks=[seen, compare],
    )  # fmt: skip
    columns = (history.loss, history["accuracy"], history["val_accuracy"], differences)
    rows = [
        (epoch, f"{J:.4f}", f"{training:.1%}", f"{test:.1%}", f"{difference:.0e}")
        for epoch, (J, training, test, difference) in enumerate(zip(*columns, strict=True), 1)
        if epoch in (1, 2, 5, 10, epochs // 2, epochs)
    ]
    common.table(("epoch", "J", "training", "test", "graph − hand"), rows)
    worst = max(differences)
    common.verify(worst < common.TOLERANCE, f"dW and db by graph and hand: {worst:.0e} apart")
    return history


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures, seed = common.Pictures(arguments.output), arguments.seed
    epochs, every, resolution, steps = (20, 4, 50, 10) if arguments.quick else (50, 1, 100, 40)

    points, labels = data.circles(1000, noise=0.1, seed=seed, factor=0.3)
    X, X_test, y, y_test = data.train_test_split(points, labels, 0.2, seed=seed, stratify=True)
    print(f"{len(X)} points to learn from and {len(X_test)} to be tested on, on two circles")

    common.heading("The weights to start from")
    rng = np.random.default_rng(seed)
    dead = sum(least_active(drawn(rng), X) == 0 for _ in range(100))
    print(f"  of 100 networks drawn by He's rule, {dead} have a unit that is 0 for all points")
    model = build(seed, X)
    least = least_active(model, X)
    common.verify(least >= 0.1, f"here each unit is above 0 for at least {least:.0%} of the points")

    common.heading("The equations, read off the recorded graph")
    print(explain(cost(model, X, y)))

    common.heading("The activations and their derivatives")
    activations()

    common.heading(f"{epochs} epochs of Adam, {BATCH} points to a step")
    snapshots = Snapshots(X, y, every, resolution)
    history = learn(model, (X, y), (X_test, y_test), epochs, seed, snapshots)
    right = history["val_accuracy"][-1]
    common.verify(right > 0.98, f"{right:.1%} of the {len(X_test)} test points are told apart")
    fresh, classes = data.circles(10_000, noise=0.1, seed=seed + 1_000_000, factor=0.3)
    right = np.mean((predict(model, fresh)[:, 0] > 0.5) == classes)
    common.verify(right > 0.99, f"{right:.2%} of {len(fresh):,} fresh ones are, too")

    common.heading("One point, number by number")
    k = [np.argmin(np.abs(predict(model, X_test)[:, 0] - 0.5))]
    (x,), (label,) = X_test[k], y_test[k]
    prediction = model([Value(x[0], name="x1"), Value(x[1], name="x2")]).named("ŷ")
    J = F.binary_cross_entropy(prediction, int(label)).named("J")
    print(f"  that of which it is least sure: x = ({x[0]:.3f}, {x[1]:.3f}), class {label},")
    print(f"  ŷ = {prediction.data:.4f}, J = {J.data:.4f}")
    difference = disagreement(model, J, X_test[k], y_test[k])
    common.verify(difference < common.TOLERANCE, "the gradients of its graph are those by hand")

    common.heading("Gradient descent on the surface f(a, b) = sin(b cos a)")
    path = descent(steps)

    pictures.save("data.png", "the training set", figures.plot_data, X, y)
    about = "sigmoid, tanh, ReLU and leaky ReLU, with their derivatives"
    pictures.save("activations.png", about, figures.plot_activations, ACTIVATIONS)
    pictures.save("network.svg", "the architecture, on that one point", draw, model, x=x)
    about = "forward and backward propagation of it, step by step"
    pictures.save("flow.html", about, draw, J, collapse="neurons")
    pictures.save("curves.png", "loss and accuracy, epoch by epoch", history.plot)
    pictures.save("regions.gif", "the regions of both classes while it learns", snapshots.animate)
    pictures.save(
        "regions.png", "and afterwards, with the test points",
        figures.plot_regions, lambda places: predict(model, places), X_test, y_test,
    )  # fmt: skip
    pictures.save("descent.gif", "the way down the surface", way_down, path)
    pictures.list()


if __name__ == "__main__":
    main()
