"""S7, a convolution: the layer Z = W P + b, whose examples P are the windows of an image.

The library has no layer for it, and needs none: it is ten lines of its operations, below. They are
held against the definition, written in loops. Then six filters learn to tell strokes apart that
stand in the left half of an image, and are asked about strokes in the right half, where they have
never seen any. A network without shared weights is asked, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import common
import numpy as np

from micrograd_nn import Adam, Flatten, Linear, Module, Sequential, Tensor, draw, explain
from micrograd_nn import functional as F
from micrograd_nn.testing import gradcheck
from micrograd_nn.training import evaluate, fit, predict

SIDE, LENGTH, FILTERS, SIZE = 8, 4, 6, 3
STROKES = {"horizontal": (0, 1), "vertical": (1, 0), "rising": (-1, 1), "falling": (1, 1)}

Array = np.ndarray


def patches(images: Any) -> Any:
    """Return every window of each image (m, rows, columns) as a row: (m, places, SIZE²)."""
    rim = (SIZE - 1, SIZE - 1)
    images = F.pad(images, ((0, 0), rim, rim))  # so that a stroke at the edge looks as elsewhere
    places = images.shape[1] - SIZE + 1
    at = np.arange(places)[:, None] + np.arange(SIZE)  # at[r, i] = r + i
    windows = images[:, at[:, None, :, None], at[None, :, None, :]]
    return F.reshape(windows, (len(windows), places**2, SIZE**2))


class Convolution(Module):
    """The same few weights at every place of an image."""

    def __init__(self, filters: int, rng: np.random.Generator) -> None:
        self.W = Tensor(rng.normal(size=(filters, SIZE**2)) * np.sqrt(2) / SIZE, name="W")
        self.b = Tensor(np.zeros(filters), name="b")

    def forward(self, images: Any) -> Any:
        """Return what each filter answers at each place, (m, places, filters)."""
        return F.linear(patches(images), self.W, self.b)


def strongest(A: Any) -> Any:
    """Return the largest answer of each filter, wherever it was given."""
    return F.max(A, axis=1)


def by_loops(images: Array, W: Array, b: Array, dZ: Array) -> dict[str, Array]:
    """Return z[r, c, f] = b[f] + Σᵢⱼ w[f, i, j] x[r + i, c + j], the definition, and gradients.

    Each product sends dz, times the one factor, to the other.
    """
    x = np.pad(images, ((0, 0), (SIZE - 1, SIZE - 1), (SIZE - 1, SIZE - 1)))
    Z, dW, dx = np.zeros_like(dZ) + b, np.zeros_like(W), np.zeros_like(x)
    for r, c, i, j in product(*map(range, (*dZ.shape[1:3], SIZE, SIZE))):
        Z[:, r, c] += np.outer(x[:, r + i, c + j], W[:, i, j])
        dW[:, i, j] += x[:, r + i, c + j] @ dZ[:, r, c]
        dx[:, r + i, c + j] += dZ[:, r, c] @ W[:, i, j]
    inner = slice(SIZE - 1, 1 - SIZE)
    return {"Z": Z, "dW": dW, "db": dZ.sum(axis=(0, 1, 2)), "dX": dx[:, inner, inner]}


def strokes(m: int, left: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return m images of one noisy stroke each, within four columns from ``left``, and its kind."""
    images, kinds = rng.normal(scale=0.2, size=(m, SIDE, SIDE)), rng.integers(0, 4, m)
    along = np.arange(LENGTH)
    for image, kind in zip(images, kinds, strict=True):
        down, right = list(STROKES.values())[kind]
        top = rng.integers(SIDE if down == 0 else SIDE - LENGTH + 1) + (LENGTH - 1) * (down < 0)
        column = left + (rng.integers(LENGTH) if right == 0 else 0)
        image[top + down * along, column + right * along] += 1
    return images, kinds


def check_gradients(rng: np.random.Generator) -> None:
    """Hold the convolution and its gradients against the definition."""
    common.heading("The convolution, as a matrix product and by its definition")
    X, layer = Tensor(rng.normal(size=(5, SIDE, SIDE)), name="X"), Convolution(FILTERS, rng)
    Z = layer(X)
    places = SIDE + SIZE - 1
    dZ = rng.normal(size=(5, places, places, FILTERS))
    Z.backward(dZ.reshape(Z.shape))
    expected = by_loops(X.data, layer.W.data.reshape(FILTERS, SIZE, SIZE), layer.b.data, dZ)
    found = {"Z": Z.data, "dW": layer.W.grad, "db": layer.b.grad, "dX": X.grad}
    common.compare(found, expected, by=("the matrix product", "loops"))


def filters_at_work(model: Sequential, images: Array, titles: Sequence[str]) -> Any:
    """Return the figure of the filters, and below each its answers to some images."""
    filters = model[0].W.data.reshape(FILTERS, SIZE, SIZE)
    A = F.relu(model[0](images)).data.reshape(len(images), SIDE + SIZE - 1, -1, FILTERS)
    titles_on_top = ["", *(f"filter {k + 1}" for k in range(FILTERS))]
    blank = [""] * len(titles_on_top) * len(images)
    figure, axes = common.panels(*titles_on_top, *blank, size=(8.4, 6.4), columns=1 + FILTERS)
    for ax in axes:
        ax.set(xticks=(), yticks=())
    (corner, *tops), *rows = axes.reshape(-1, 1 + FILTERS)
    corner.set_axis_off()
    for ax, weights in zip(tops, filters, strict=True):
        common.heat_map(ax, weights)
    for (left, *answers), image, title, a in zip(rows, images, titles, A, strict=True):
        common.heat_map(left, image, reach=1.0)
        left.set_ylabel(title)
        for k, ax in enumerate(answers):
            common.heat_map(ax, a[..., k], reach=A[..., k].max())
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    rng = np.random.default_rng(arguments.seed)
    m, epochs = (200, 30) if arguments.quick else (400, 150)
    print(f"{SIDE}×{SIDE} images of strokes, and {FILTERS} filters of {SIZE}×{SIZE} weights")
    check_gradients(rng)

    X, y = strokes(m, 0, rng)
    models = {
        "convolution": Sequential(
            Convolution(FILTERS, rng), "relu", strongest, Linear(FILTERS, 4, seed=rng)
        ),
        "dense": Sequential(
            Flatten(), Linear(SIDE**2, 64, seed=rng), "relu", Linear(64, 4, seed=rng)
        ),
    }
    shared = models["convolution"]

    common.heading("A network of it, proven and explained")
    print(f"  {gradcheck(shared, X[:5])}\n")
    P = Tensor(patches(X), requires_grad=False, name="P")
    A = F.relu(F.linear(P, shared[0].W, shared[0].b).named("Z1")).named("A1")
    Z2 = shared[3](strongest(A).named("a1")).named("Z2")
    print(explain(F.cross_entropy(Z2, y).named("J")))

    common.heading(f"{epochs} epochs on {m} strokes in the left half of the image")
    new, elsewhere = (strokes(500, left, rng) for left in (0, LENGTH))
    histories, right = {}, {}
    for name, model in models.items():
        histories[name] = fit(
            model, X, y, "cross_entropy", Adam(model.parameters(), lr=0.02), epochs=epochs,
            batch_size=25, validation_data=elsewhere, metrics=["accuracy"], seed=arguments.seed,
            compile="always",
        )  # fmt: skip
        right[name] = [
            evaluate(model, *data, "cross_entropy", ["accuracy"])["accuracy"]
            for data in ((X, y), new, elsewhere)
        ]
    size = {name: sum(p.size for p in model.parameters()) for name, model in models.items()}
    common.table(
        ("accuracy", "parameters", "on these", "on new ones", "in the right half"),
        ((name, f"{size[name]:,}", *(f"{r:.1%}" for r in right[name])) for name in models),
    )
    print()
    found, guessed = right["convolution"][2], right["dense"][2]
    common.verify(found > 0.95, f"what is learnt in one place is known in all: {found:.1%}")
    common.verify(guessed < 0.5, f"the dense network has to guess one of four: {guessed:.1%}")
    left = np.where(np.arange(SIDE) < LENGTH, new[0], 0.0)
    moved = np.roll(left, LENGTH, axis=2)
    difference = np.abs(predict(shared, moved) - predict(shared, left)).max()
    common.verify(difference < common.TOLERANCE, "moved by four pixels, an image gets the same")

    each = [int(np.argmax(elsewhere[1] == kind)) for kind in range(len(STROKES))]
    about = "the filters, and their answers to strokes where they never saw any"
    drawn = elsewhere[0][each]
    pictures.save("filters.png", about, filters_at_work, shared, drawn, list(STROKES))
    for name, history in histories.items():
        about = f"{name}: the left half (training) and the right half (validation)"
        pictures.save(f"{name}.png", about, history.plot)
    J = F.cross_entropy(shared(Tensor(X[:5], requires_grad=False, name="X")), y[:5]).named("J")
    J.backward()
    pictures.save("graph.svg", "the network as a graph, with data and gradients", draw, J)
    pictures.list()


if __name__ == "__main__":
    main()
