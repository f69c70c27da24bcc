"""S5, regression and classification by the index formulas, on Fisher's irises.

A network 3 → 6 ReLU → 1 learns the width of a petal from the three other measurements (MSE), and a
network 4 → 6 sigmoid → 3 the species (softmax and cross-entropy). Before the training and after it,
each number of the graph's gradients is held against the formulas derived by hand,
∂L/∂w_ij = (∂L/∂z_j)(∂z_j/∂w_ij) = δ_j a_i. The optimisers are the subject of s5_optimisers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import common
import numpy as np

from micrograd_nn import Adam, Linear, Sequential, data, draw, equations, fit, grad, training
from micrograd_nn import functional as F
from micrograd_nn.readers import figures

HIDDEN, RATE = 6, 0.02
SPECIES = data.load_iris().class_names

Arrays = dict[str, np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]


@dataclass
class Task:
    """What is learnt from the irises: by which network, by which loss, from which data.

    ``output_delta`` gives δ of the output units by the equations, from Z and the targets Y, both
    with examples as columns.
    """

    sizes: tuple[int, int, int]
    hidden: str
    loss: str
    output_delta: Callable[[np.ndarray, np.ndarray], np.ndarray]
    train: Pair
    test: Pair
    Y: np.ndarray

    def network(self, seed: int) -> Sequential:
        """Return a new network, the same for the same seed."""
        rng = np.random.default_rng(seed)
        n0, n1, n2 = self.sizes
        return Sequential(Linear(n0, n1, seed=rng), self.hidden, Linear(n1, n2, seed=rng))


def tasks(seed: int) -> tuple[Task, Task]:
    """Return the regression and the classification, from measurements of mean 0 and deviation 1."""
    iris = data.load_iris()
    X, X_test, y, y_test = data.train_test_split(iris.X, iris.y, 0.2, seed=seed, stratify=True)
    scaler = data.Standardizer().fit(X)
    Z, Z_test = scaler.transform(X), scaler.transform(X_test)
    width, width_test = X[:, 3:], X_test[:, 3:]  # in centimetres
    regression = Task(
        (3, HIDDEN, 1), "relu", "mse", lambda Z, Y: equations.mse_delta(Z, Y, "identity"),
        (Z[:, :3], width), (Z_test[:, :3], width_test), width.T,
    )  # fmt: skip
    classification = Task(
        (4, HIDDEN, 3), "sigmoid", "cross_entropy", equations.cross_entropy_delta,
        (Z, y), (Z_test, y_test), data.one_hot(y).T,
    )  # fmt: skip
    return regression, classification


def by_graph(task: Task, model: Sequential) -> tuple[float, Arrays]:
    """Return the loss, its deltas and its gradients, by the chain rule over the recorded graph."""
    first, activation, last = model.layers
    X, y = task.train
    model.zero_grad()
    z1 = first(X)
    z2 = last(activation(z1))
    loss = getattr(F, task.loss)(z2, y)
    loss.backward()
    gradients = {p.name: p.grad for p in model.parameters()}
    return loss.item(), {"δ1": z1.grad.T, "δ2": z2.grad.T, **gradients}


def by_indices(task: Task, model: Sequential) -> Arrays:
    """Return the deltas and gradients by the formulas, in plain NumPy, and the activations."""
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    g, g_prime = equations.activation_named(task.hidden)
    A0 = task.train[0].T
    Z1 = W1 @ A0 + b1[:, None]
    A1 = g(Z1)
    Z2 = W2 @ A1 + b2[:, None]
    delta2 = task.output_delta(Z2, task.Y)
    delta1 = g_prime(Z1) * (W2.T @ delta2)
    return {
        "a1": A1,
        "δ2": delta2, "W2": equations.weight_gradient(delta2, A1), "b2": delta2.sum(axis=1),
        "δ1": delta1, "W1": equations.weight_gradient(delta1, A0), "b1": delta1.sum(axis=1),
    }  # fmt: skip


def show_slopes() -> None:
    """Compare σ' and ReLU' of the graph with the formulas, at the kink as well."""
    common.heading("The slopes: σ' = σ(1 − σ), and ReLU' = 1 for z > 0, else 0")
    points = np.array([-4.0, -1.0, 0.0, 0.5, 3.0])
    a = 1 / (1 + np.exp(-points))
    found, formulas = {}, {"σ'": a * (1 - a), "ReLU'": np.where(points > 0, 1.0, 0.0)}
    for name, function in (("σ'", F.sigmoid), ("ReLU'", F.relu)):
        found[name] = np.array([grad(function)(z) for z in points])
    common.table(
        ("z", *(f"{z:g}" for z in points)),
        (
            (f"{name} by the {way}", *(f"{slope:.6f}" for slope in slopes[name]))
            for name in found
            for way, slopes in (("graph", found), ("formula", formulas))
        ),
    )
    common.verify_equal(found, formulas, "all agree")


def show_formulas(task: Task, model: Sequential) -> None:
    """Print ∂L/∂w_ij = Σ δ_j a_i for the weights of one output unit."""
    _, found = by_graph(task, model)
    expected = by_indices(task, model)
    delta = expected["δ2"][0, 0]
    common.table(
        ("", "δ_j", "a_i", "δ_j a_i", "Σ δ_j a_i, by hand", "∂L/∂w_ij, by the graph"),
        (
            (f"w_{i + 1}1", *(f"{x:.5f}" for x in (delta, a, delta * a + 0.0)),
             *(f"{gradients['W2'][0, i]:.12f}" for gradients in (expected, found)))
            for i, a in enumerate(expected["a1"][:, 0])
        ),
    )  # fmt: skip
    print("  (δ_j, a_i and their product are those of one flower, the sum is over all)")


def check_formulas(task: Task, model: Sequential, when: str) -> None:
    """Compare all deltas and gradients of the graph with the index formulas."""
    loss, found = by_graph(task, model)
    count = sum(np.size(array) for array in found.values())
    claim = f"{when}, {task.loss} = {loss:.4f}: all {count:,} δ_j and ∂L/∂w_ij agree"
    common.verify_equal(found, by_indices(task, model), claim)


def learn(task: Task, what: str, epochs: int, seed: int) -> tuple[Sequential, np.ndarray]:
    """Train a network, check its gradients; return it, and what it predicts for the test set."""
    n0, n1, n2 = task.sizes
    common.heading(f"{what}: {n0} → {n1} {task.hidden} → {n2}, {epochs:,} epochs of Adam")
    model = task.network(seed)
    show_formulas(task, model)
    check_formulas(task, model, "before")
    adam = Adam(model.parameters(), lr=RATE)
    fit(model, *task.train, loss=task.loss, optimizer=adam, epochs=epochs)
    check_formulas(task, model, "after")
    return model, training.predict(model, task.test[0])


def plot_results(widths: Pair, classes: np.ndarray, confusion: np.ndarray) -> Any:
    """Draw predicted against measured widths, and the confusion matrix, of the test flowers."""
    titles = ("width of the petal", "species")
    figure, (left, right) = common.panels(*titles, size=(9.2, 4.4), subplot_kw={"box_aspect": 1})
    measured, predicted = (part.ravel() for part in widths)
    for k, name in enumerate(SPECIES):
        here, colour = classes == k, common.COLOURS[k]
        left.scatter(measured[here], predicted[here], s=34, color=colour, marker="osD"[k],
                     edgecolors="white", linewidths=0.7, label=name, zorder=3)  # fmt: skip
    ends = np.min(widths) - 0.1, np.max(widths) + 0.1
    left.plot(ends, ends, color=common.INK, linewidth=1, linestyle=(0, (4, 3)), zorder=2)
    left.set(xlabel="measured [cm]", ylabel="predicted [cm]", xlim=ends, ylim=ends)
    left.legend(**common.LEGEND)
    common.heat_map(right, confusion, reach=2 * confusion.max())
    for (actual, guess), count in np.ndenumerate(confusion):
        right.text(guess, actual, count, ha="center", va="center", color=common.INK, fontsize=13)
    right.set(xlabel="predicted", ylabel="actual", xticks=range(3), yticks=range(3))
    right.set_xticklabels(SPECIES)
    right.set_yticklabels(SPECIES, rotation=90, va="center")
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    epochs = 100 if arguments.quick else 1000
    regression, classification = tasks(arguments.seed)
    (_, widths), (X, classes) = regression.test, classification.test
    print(f"{len(regression.Y[0])} irises to learn from, {len(widths)} to test on")

    show_slopes()

    _, predicted = learn(regression, "The width of a petal", epochs, arguments.seed)
    score = training.r2(predicted, widths)
    error = np.sqrt(training.mse(predicted, widths))
    common.verify(score > 0, f"test R² = {score:.3f}, where the mean width has 0")
    print(f"    a typical error is {error:.2f} cm, of a width of {widths.mean():.2f} cm on average")

    model, logits = learn(classification, "The species", epochs, arguments.seed)
    accuracy = training.accuracy(logits, classes)
    common.verify(accuracy > 1 / 3, f"test accuracy = {accuracy:.3f}, where guessing has 0.333")
    confusion = training.confusion_matrix(logits, classes)
    print()
    common.table(
        ("actual \\ predicted", *SPECIES),
        ((name, *row) for name, row in zip(SPECIES, confusion, strict=True)),
    )

    about = "sigmoid and ReLU, with their derivatives"
    pictures.save("slopes.png", about, figures.plot_activations, ["sigmoid", "relu"])
    pictures.save("network.svg", "the classifier, with one flower", draw, model, x=X[0])
    about = "what both networks say of flowers that they have never seen"
    pictures.save("test_flowers.png", about, plot_results, (widths, predicted), classes, confusion)
    pictures.list()


if __name__ == "__main__":
    main()
