"""S6, demonstrations: what activations, width and costs are for.

Without an activation between them, any number of layers are one: on two circles, one around the
other, they can draw no more than a straight line. With one hidden layer of tanh, a network
approximates a curve, the better the more units it has. Then the costs that networks are taught by:
MSE, cross-entropy, binary cross-entropy, soft intersection over union (IoU), with their gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import Adam, Linear, Sequential, Tensor, data, equations, fit, predict, training
from micrograd_nn import functional as F
from micrograd_nn.readers import figures
from micrograd_nn.training import CosineDecay

WIDTHS = (1, 2, 4, 8, 16, 32)

Array = np.ndarray


# ------------------------------------------------------------- layers without an activation are one


def deep_network(g: str, seed: int) -> Sequential:
    """Return 2 → 8 → 8 → 8 → 1, with the activation g in the hidden layers."""
    rng = np.random.default_rng(seed)
    first, *others = (Linear(*n, seed=rng) for n in ((2, 8), (8, 8), (8, 8), (8, 1)))
    return Sequential(first, *(part for layer in others for part in (g, layer)))


def bend(model: Sequential, rng: np.random.Generator) -> float:
    """Return the largest second difference f(x + h) − 2 f(x) + f(x − h), next to the largest f."""
    x, h = rng.normal(size=(2, 500, 2))
    after, here, before = (predict(model, points) for points in (x + h, x, x - h))
    return float(np.max(np.abs(after - 2 * here + before)) / np.max(np.abs(here)))


def show_depth(epochs: int, seed: int) -> tuple[dict[str, Sequential], Array, Array]:
    """Verify that a deep network of identities is affine, and what that means for circles."""
    common.heading(f"2 → 8 → 8 → 8 → 1 on two circles, {epochs} epochs")
    X, y = data.circles(400, noise=0.1, seed=seed)
    models, rows, bends, scores = {}, [], {}, {}
    for name in ("identity", "tanh"):
        model = deep_network(name, seed)
        loss = "binary_cross_entropy_with_logits"
        adam = Adam(model.parameters(), lr=0.02)
        history = fit(model, X, y, loss=loss, optimizer=adam, epochs=epochs)
        models[name] = model
        bends[name] = bend(model, np.random.default_rng(seed))
        scores[name] = training.accuracy(predict(model, X), y, threshold=0.0)
        rows.append((name, f"{history.loss[-1]:.4f}", f"{scores[name]:.1%}", f"{bends[name]:.0e}"))
    common.table(("activation", "cross-entropy", "accuracy", "second differences"), rows)

    arrays = [p.data for p in models["identity"].parameters()]
    product, c = np.eye(2), np.zeros(2)
    for W, b in zip(arrays[::2], arrays[1::2], strict=True):
        product, c = W @ product, W @ c + b
    found, affine = predict(models["identity"], X), X @ product.T + c
    common.verify_equal({"f": found}, {"f": affine}, "with the identity, f = W₄W₃W₂W₁ x + c")
    straight = bends["identity"] < common.TOLERANCE < bends["tanh"]
    common.verify(straight, "so its second differences vanish")
    identity, tanh = scores.values()
    common.verify(identity < 0.75, f"a straight line puts {identity:.0%} right")
    common.verify(tanh > 0.9, f"with tanh the same network puts {tanh:.0%} right")
    return models, X, y


def plot_boundaries(models: dict[str, Sequential], X: Array, y: Array) -> Any:
    """Draw the regions of both networks side by side."""
    figure, axes = common.panels(*(f"activation: {name}" for name in models), size=(9.2, 4.4))
    for ax, model in zip(axes, models.values(), strict=True):
        figures.plot_regions(lambda points, m=model: training.predict_proba(m, points), X, y, ax=ax)
    return figure


# ---------------------------------------------------------------- a wider layer approximates better


def curve(x: Array) -> Array:
    """Return the function that is to be approximated."""
    return np.sin(3 * x) + 0.5 * np.sin(8 * x)


def show_width(epochs: int, seed: int) -> dict[int, tuple[Sequential, float]]:
    """Verify that the widest network approximates best; return all, with their errors."""
    common.heading(f"1 → n tanh → 1 learns sin 3x + ½ sin 8x, {epochs:,} epochs")
    x = np.linspace(-2, 2, 120)[:, None]
    between = (x[1:] + x[:-1]) / 2
    found, rows = {}, []
    for n in WIDTHS:
        rng = np.random.default_rng(seed)
        first, last = Linear(1, n), Linear(n, 1, seed=rng)
        first.W.data = 2 * rng.normal(size=(n, 1))
        first.b.data = -first.W.data[:, 0] * np.linspace(-2, 2, n + 2)[1:-1]  # spread over x
        model = Sequential(first, "tanh", last)
        adam, schedule = Adam(model.parameters(), lr=0.1), CosineDecay(0.1, epochs)
        history = fit(model, x, curve(x), optimizer=adam, epochs=epochs, schedule=schedule)
        error = training.mse(predict(model, between), curve(between))
        found[n] = model, error
        rows.append((n, 3 * n + 1, f"{history.loss[-1]:.5f}", f"{error:.5f}"))
    common.table(("units n", "parameters", "MSE at its points", "MSE between them"), rows)
    gain = found[WIDTHS[0]][1] / found[WIDTHS[-1]][1]
    common.verify(gain > 5, f"the error of 1 unit is {gain:,.0f} times that of {WIDTHS[-1]} units")
    return found


def plot_fits(found: dict[int, tuple[Sequential, float]]) -> Any:
    """Draw what each network has learnt."""
    titles = (f"{n} unit{'s' * (n > 1)},  MSE {error:.2g}" for n, (_, error) in found.items())
    figure, axes = common.panels(*titles, size=(9.2, 4.8), columns=3, sharex=True, sharey=True)
    x = np.linspace(-2, 2, 400)[:, None]
    for ax, (model, _) in zip(axes, found.values(), strict=True):
        ax.plot(x, curve(x), color=common.RULE, linewidth=4, label="the curve")
        ax.plot(x, predict(model, x), color=common.COLOURS[1], linewidth=1.6, label="the network")
        ax.set_xlabel("x")
        ax.label_outer()
    axes[0].legend(**common.LEGEND)
    return figure


# -------------------------------------------------------------------------------------------- costs


def disc(offset: float) -> Array:
    """Return a soft mask (1, 32, 32), near 1 inside a disc whose middle is moved to the right."""
    i, j = np.mgrid[:32, :32]
    return equations.sigmoid(3 * (5 - np.hypot(i - 15.5, j - 9.5 - offset)))[None]


def show_costs(rng: np.random.Generator) -> None:
    """Verify each cost and its gradient against the equations."""
    common.heading("The costs, with their gradients by what is predicted")
    z, logits = rng.normal(size=(20, 1)), rng.normal(size=(20, 3))
    y, classes = rng.integers(0, 2, (20, 1)).astype(float), rng.integers(0, 3, 20)
    a, hot = equations.sigmoid(z), data.one_hot(classes, 3)
    mask, truth = disc(3.0), disc(0.0).round()
    da, _ = equations.output_gradients(z.T, y.T, "sigmoid", "binary_cross_entropy")
    costs = {
        "mse": (z, y, equations.mse(z.T, y.T), equations.mse_delta(z.T, y.T, "identity").T),
        "cross_entropy": (
            logits, classes, equations.cross_entropy(equations.softmax(logits.T), hot.T),
            equations.cross_entropy_delta(logits.T, hot.T).T,
        ),
        "binary_cross_entropy": (a, y, equations.binary_cross_entropy(a.T, y.T), da.T / 20),
        "soft_iou": (
            mask, truth, equations.soft_iou(mask, truth), equations.soft_iou_gradient(mask, truth),
        ),
    }  # fmt: skip
    rows, worst = [], 0.0
    for name, (prediction, target, cost, gradient) in costs.items():
        node = Tensor(prediction)
        J = getattr(F, name)(node, target)
        J.backward()
        gaps = abs(J.item() - cost), common.largest_difference({"": node.grad}, {"": gradient})
        worst = max(worst, *gaps)
        rows.append((name, f"{J.item():.12f}", f"{cost:.12f}", *(f"{gap:.0e}" for gap in gaps)))
    common.table(("", "by the library", "by hand", "they differ by", "their gradients by"), rows)
    common.verify(worst < common.TOLERANCE, f"all agree, to {worst:.0e}")
    hard, inside = mask.round(), truth.astype(bool)
    both, either = np.sum(hard[inside]), np.sum(np.maximum(hard, truth))
    common.verify(
        np.isclose(F.soft_iou(hard, truth), 1 - both / either),
        f"on masks of 0 and 1 it is 1 − {both:.0f} pixels in both / {either:.0f} in one or both",
    )


def plot_costs() -> Any:
    """Draw the costs of one prediction, and of a disc that is predicted beside its place."""
    p, offsets = np.linspace(0.01, 1, 200), np.linspace(0, 14, 57)
    ones, truth = np.ones((200, 1)), disc(0.0).round()
    titles = ("one prediction", f"a disc of {truth.sum():.0f} pixels among {truth.size:,}")
    figure, (left, right) = common.panels(*titles, size=(9.2, 3.9))
    names = {"mse": "MSE", "binary_cross_entropy": "cross-entropy", "soft_iou": "soft IoU"}
    for colour, (loss, name) in zip(common.COLOURS, names.items(), strict=False):
        # A mask of one pixel for each prediction, as soft_iou takes one mask at a time.
        each = [getattr(F, loss)(p[k : k + 1, None], ones[:1]) for k in range(len(p))]
        left.plot(p, each, color=colour, linewidth=2, label=name)
        moved = [getattr(F, loss)(disc(d), truth) for d in offsets]
        right.plot(offsets, moved, color=colour, linewidth=2, label=name)
    left.set(xlabel="probability that is predicted where y = 1", ylabel="cost", ylim=(0, 3))
    right.set(xlabel="pixels by which the disc is beside its place", ylabel="cost")
    left.legend(**common.LEGEND)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    quick, seed = arguments.quick, arguments.seed

    networks = show_depth(60 if quick else 200, seed)
    found = show_width(500 if quick else 5000, seed)
    show_costs(np.random.default_rng(seed))

    pictures.save("depth.png", "deep, without and with activation", plot_boundaries, *networks)
    pictures.save("width.png", "one hidden layer of several widths", plot_fits, found)
    pictures.save("costs.png", "the costs of a prediction and of a mask", plot_costs)
    pictures.list()


if __name__ == "__main__":
    main()
