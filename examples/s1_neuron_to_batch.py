"""S1: one neuron, one layer, all examples at once.

A neuron computes z = wᵀx + b and a = g(z); a layer Z = W x + b for all its units; and with examples
as the columns of X, Z = W X + b for all of them. On Fisher's irises the three forms have the same
results and the same gradients, number for number: those of the equations derived by hand.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import Layer, Tensor, Value, data, draw, equations, explain, trace
from micrograd_nn.readers import figures

Array = np.ndarray
NAMES = ("A", "dW", "db", "dX")
Results = tuple[Any, Array, Array, Array, Array]  # the cost E, and those by the NAMES


def make_layer(activation: str, seed: int) -> Layer:
    """Return a layer of three units on four inputs, whose biases aren't 0."""
    rng = np.random.default_rng(seed)
    layer = Layer(4, 3, activation=activation, seed=rng)
    for neuron in layer.neurons:
        neuron.b = Value(rng.normal(), name="b")
        for k, weight in enumerate(neuron.w, start=1):
            weight.name = f"w{k}"
    return layer


def by_neurons(layer: Layer, X: Array, Y: Array) -> Results:
    """Compute each unit for each flower, on single numbers: z = wᵀx + b."""
    flowers = [[Value(x) for x in column] for column in X.T]
    outputs = [a for flower in flowers for a in layer(flower)]
    errors = [a - y for a, y in zip(outputs, Y.T.ravel(), strict=True)]
    E = sum(error**2 for error in errors) / (2 * len(flowers))
    E.backward()
    A = np.reshape([a.data for a in outputs], Y.T.shape).T
    dX = np.array([[x.grad for x in flower] for flower in flowers]).T
    return E, A, *common.matrices([layer], "grad").values(), dX


def by_examples(layer: Layer, X: Array, Y: Array) -> Results:
    """Compute all units at once for each flower: Z = W x + b."""
    W, b = map(Tensor, common.matrices([layer]).values())
    flowers = [Tensor(column[:, None]) for column in X.T]
    g = layer.neurons[0].function
    outputs = [g(W @ x + b) for x in flowers]
    errors = [a - y[:, None] for a, y in zip(outputs, Y.T, strict=True)]
    E = sum(np.sum(error**2) for error in errors) / (2 * len(flowers))
    E.backward()
    A, dX = np.hstack([a.data for a in outputs]), np.hstack([x.grad for x in flowers])
    return E, A, W.grad, b.grad, dX


def by_matrices(layer: Layer, X: Array, Y: Array) -> Results:
    """Compute all units for all flowers at once: Z = W X + b."""
    W, b = map(Tensor, common.matrices([layer]).values())
    X, Y = Tensor(X, name="X"), Tensor(Y, name="Y", requires_grad=False)
    A = layer.neurons[0].function((W.named("W") @ X + b.named("b")).named("Z")).named("A")
    E = (np.sum((A - Y) ** 2) / (2 * X.shape[1])).named("E")
    E.backward()
    return E, A.data, W.grad, b.grad, X.grad


def by_layer(layer: Layer, X: Array, Y: Array) -> Results:
    """Call the layer of single numbers on all flowers, which are the rows of an array then."""
    rows = Tensor(X.T)
    A = layer(rows)
    E = np.sum((A - Y.T) ** 2) / (2 * X.shape[1])
    E.backward()
    return E, A.data.T, *common.matrices([layer], "grad").values(), rows.grad.T


def show_neuron(layer: Layer, flower: Array, activation: str) -> Value:
    """Compare a Neuron, the same written out, and the equations; return the a written out."""
    common.heading("One neuron and one flower: z = wᵀx + b, a = g(z)")
    neuron = layer.neurons[0]
    (w1, w2, w3, w4), b = neuron.w, neuron.b
    x1, x2, x3, x4 = x = [Value(v, name=f"x{k}") for k, v in enumerate(flower, start=1)]
    z = (w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4 + b).named("z")
    a = neuron.function(z).named("a")
    print(explain(a), end="\n\n")

    leaves = [*neuron.w, b, *x]
    found: dict[str, list[float]] = {}
    for name, output in (("as a Neuron", neuron(x)), ("written out", a)):
        for leaf in leaves:
            leaf.zero_grad()
        output.backward()
        found[name] = [output.data, *(leaf.grad for leaf in leaves)]
    w = np.array([weight.data for weight in neuron.w])
    z_by_hand, a_by_hand = equations.neuron(w, b.data, flower, activation)
    dw, db, dx = equations.neuron_gradients(w, b.data, flower, activation)
    by_hand = [a_by_hand, *dw, db, *dx]

    columns = ([f"{number:.15f}" for number in column] for column in (*found.values(), by_hand))
    rows = zip(["a", *(f"d{leaf.name}" for leaf in leaves)], *columns, strict=True)
    common.table(("", *found, "by hand"), rows)
    common.verify_equal(found, dict.fromkeys(found, by_hand), "all agree")
    common.verify(z.data == z_by_hand, "z, written out, is the one by hand to the last bit")
    return a


FORMS = {
    "each unit, each flower": (
        by_neurons, equations.layer_by_neurons, equations.layer_gradients_by_neurons
    ),
    "all units, each flower": (
        by_examples, equations.layer_by_examples, equations.layer_gradients_by_examples
    ),
    "all units, all flowers": (
        by_matrices, equations.layer_by_matrices, equations.layer_gradients_by_matrices
    ),
    "the same by a Layer": (
        by_layer, equations.layer_by_matrices, equations.layer_gradients_by_matrices
    ),
}  # fmt: skip


def show_forms(X: Array, Y: Array, activation: str, seed: int) -> None:
    """Compare the forms of the layer with the equations, and with one another."""
    E, *_ = by_matrices(make_layer(activation, seed), X, Y)
    common.heading("One layer and all flowers: Z = W X + b, and a cost E")
    print(explain(E))

    common.heading("The same unit by unit, flower by flower, or all at once")
    W, b = common.matrices([make_layer(activation, seed)]).values()
    rows, results, by_hand = [], {}, {}
    for form, (compute, forward, gradients) in FORMS.items():
        layer, start = make_layer(activation, seed), time.perf_counter()
        E, *found, dX = compute(layer, X, Y)
        milliseconds = 1000 * (time.perf_counter() - start)
        found.append(dX * X.shape[1])  # of the sum over the flowers
        _, A = forward(W, b, X, activation)
        expected = (A, *gradients(W, b, X, A - Y, activation))
        results[form] = dict(zip(NAMES, found, strict=True))
        by_hand[form] = dict(zip(NAMES, expected, strict=True))
        nodes = len(trace(E).labels)
        rows.append((form, f"{E.item():.12f}", f"{nodes:,}", f"{milliseconds:.1f} ms"))
    common.table(("", "E", "nodes of the graph", "time"), rows)

    show_distances("the same form by hand", results, by_hand)
    at_once = "all units, all flowers"
    show_distances(f"'{at_once}'", results, dict.fromkeys(FORMS, results[at_once]))
    print("\n  An ulp is 2⁻⁵² of the largest number; = stands where all are equal.")


def show_distances(
    title: str, results: dict[str, dict[str, Array]], others: dict[str, dict[str, Array]]
) -> None:
    """Print how far the results of each form are from others, and verify that it isn't far."""
    common.heading(f"How far each is from {title}, in ulps")
    rows, worst = [], 0.0
    for form, found in results.items():
        other = others[form]
        if found is not other:
            rows.append((form, *(ulps(found[name], other[name]) for name in found)))
            worst = max(worst, common.largest_difference(found, other))
    common.table(("", *NAMES), rows)
    common.verify(worst < common.TOLERANCE, f"they differ by {worst:.0e} of the largest number")


def ulps(found: Array, expected: Array) -> str:
    """Return the largest difference in units in the last place of the largest number."""
    if np.array_equal(found, expected):
        return "="
    return f"{common.largest_difference({'': found}, {'': expected}) / np.finfo(float).eps:.1f}"


def plot_units(layer: Layer, X: Array, y: Array, species: Sequence[str]) -> Any:
    """Draw g and g', and where on it one unit stands for each flower."""
    unit = layer.neurons[0]
    W, b = common.matrices([layer]).values()
    z = (W @ X + b)[0]
    a = unit(X.T).data
    low, high = min(-4.0, z.min() - 0.5), max(4.0, z.max() + 0.5)
    ax = figures.plot_activation(unit.function, low, high)
    ax.lines[0].set_label(f"{unit.activation}(z)")
    for k, (name, colour) in enumerate(zip(species, common.COLOURS[2:], strict=False)):
        ax.plot(z[y == k], a[y == k], "o", color=colour, mec="white", label=name, zorder=4)
    ax.set(xlabel="z = w·x + b of a neuron, for each flower", ylabel="a = g(z)")
    ax.legend(**common.LEGEND)
    return ax


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = common.parser(__doc__)
    parser.add_argument(
        "--activation", choices=equations.ACTIVATIONS, default="sigmoid", help="g (default sigmoid)"
    )
    arguments = parser.parse_args(argv)
    pictures = common.Pictures(arguments.output)
    activation, seed = arguments.activation, arguments.seed

    iris = data.load_iris()
    kept = slice(None, None, 5 if arguments.quick else 1)
    X = np.ascontiguousarray(data.Standardizer().fit(iris.X).transform(iris.X)[kept].T)
    y = iris.y[kept]
    Y = data.one_hot(y).T
    print(f"{len(y)} irises of 4 measurements, standardised, and a layer of 3 {activation} units")

    layer = make_layer(activation, seed)
    a = show_neuron(layer, X[:, 0], activation)
    show_forms(X, Y, activation, seed)

    about = "the neuron as a graph, with data, gradients and local derivatives"
    pictures.save("neuron.svg", about, draw, a, show=("data", "grad", "local"))
    pictures.save("neuron.html", "the same, step by step through both passes", draw, a)
    about = "the layer, shaded by its activations for the flower"
    pictures.save("layer.svg", about, draw, layer, x=X[:, 0])
    about = "the activation, and where on it the neuron stands for each flower"
    pictures.save("activation.png", about, plot_units, layer, X, y, iris.class_names)
    pictures.list()


if __name__ == "__main__":
    main()
