"""S7, a recurrent network: the layer h = tanh(U x + W h + b), applied at every step of time.

The library has no layer for it: unrolled over time it is a deep network whose layers share their
weights, a few lines of Python's own loop. Its gradient through time is explained, held against the
lines derived by hand, and followed back to where it vanishes. Then eight units learn to say of
each bit whether it differs from the one two steps ago, from 10 bits, and do so for 1,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import Adam, Module, Tensor, draw, equations, explain
from micrograd_nn import functional as F
from micrograd_nn.testing import gradcheck
from micrograd_nn.training import fit, predict

UNITS, DELAY, STEPS = 8, 2, 10

Array = np.ndarray
loss = F.binary_cross_entropy_with_logits


class Recurrent(Module):
    """A cell whose state h remembers, and a logit read off it at every step."""

    def __init__(self, rng: np.random.Generator, norm: float = 1.0) -> None:
        rotation, _ = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))
        self.U = Tensor(rng.normal(size=(UNITS, 1)), name="U")
        self.W = Tensor(norm * rotation, name="W")
        self.b = Tensor(np.zeros((UNITS, 1)), name="b")
        self.V = Tensor(rng.normal(size=(1, UNITS)) / np.sqrt(UNITS), name="V")
        self.c = Tensor(np.zeros((1, 1)), name="c")

    def states(self, xs: Sequence[Any]) -> list[Any]:
        """Return H after each step; the examples are columns, x (1, m) and H (UNITS, m)."""
        states, H = [], None
        for t, x in enumerate(xs, start=1):
            Z = self.U @ x + self.b if H is None else self.U @ x + self.W @ H + self.b
            H = F.tanh(Z.named(f"Z{t}")).named(f"H{t}")
            states.append(H)
        return states

    def forward(self, X: Any) -> Any:
        """Return a logit for each bit of the sequences (m, T)."""
        states = self.states([X[:, t][None, :] for t in range(X.shape[1])])
        return F.concatenate([self.V @ H + self.c for H in states]).T


def gradients_by_hand(p: dict[str, Array], X: Array, Y: Array) -> dict[str, Array]:
    """Return the gradients of J by backpropagation through time, in plain NumPy."""
    (m, T), H = X.shape, [np.zeros((UNITS, len(X)))]
    for t in range(T):
        H.append(np.tanh(p["U"] @ X[None, :, t] + p["W"] @ H[-1] + p["b"]))
    d = {f"d{name}": np.zeros_like(array) for name, array in p.items()}
    dH = np.zeros_like(H[0])
    for t in reversed(range(T)):
        dO = equations.sigmoid(p["V"] @ H[t + 1] + p["c"]) - Y[None, :, t]
        d["dV"] += dO @ H[t + 1].T / (m * T)
        d["dc"] += dO.sum() / (m * T)
        dH += p["V"].T @ dO  # from the logit of this step; it holds what came from later ones
        dZ = dH * (1 - H[t + 1] ** 2)
        d["dU"] += dZ @ X[:, t : t + 1] / (m * T)
        d["dW"] += dZ @ H[t].T / (m * T)
        d["db"] += dZ.sum(axis=1, keepdims=True) / (m * T)
        dH = p["W"].T @ dZ
    return d


def bits(m: int, steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return sequences of bits (m, steps), and whether each differs from the one DELAY ago."""
    X = rng.integers(0, 2, (m, steps))
    before = np.pad(X, ((0, 0), (DELAY, 0)))[:, :-DELAY]
    return X, X ^ before


def accuracy(logits: Any, Y: Array) -> float:
    """Return the share of all steps of all sequences that are told right."""
    return float(np.mean((np.asarray(logits) > 0) == Y))


def three_steps(model: Recurrent, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return the logit O after three steps that have names, and its target Y."""
    X, Y = bits(20, 3, rng)
    xs = [Tensor(X[None, :, t], requires_grad=False, name=f"x{t + 1}") for t in range(3)]
    O = (model.V @ model.states(xs)[-1] + model.c).named("O")
    return O, Tensor(Y[None, :, -1], requires_grad=False, name="Y")


def gradients_back(model: Recurrent, X: Array) -> Array:
    """Return the size of ∂J/∂h, of the last loss by the states 0, 1, 2, ... steps before."""
    states = model.states([X[None, :, t] for t in range(X.shape[1])])
    loss(model.V @ states[-1] + model.c, np.ones((1, len(X)))).backward()
    return np.array([np.linalg.norm(H.grad) for H in reversed(states)])


def check_gradients(model: Recurrent, rng: np.random.Generator) -> None:
    """Hold the gradient through time against backpropagation by hand, and gradcheck."""
    X, Y = bits(50, STEPS, rng)
    loss(model(Tensor(X, requires_grad=False)), Y).backward()
    parameters = dict(model.named_parameters())
    found = {f"d{name}": p.grad for name, p in parameters.items()}
    expected = gradients_by_hand({name: p.data for name, p in parameters.items()}, X, Y)
    common.compare(found, expected)
    print(f"  {gradcheck(model, X[:3].astype(float))}")


def plot_gradients(sizes: dict[str, Array]) -> Any:
    """Return the figure of the gradients on their way back."""
    figure, (ax,) = common.panels("the gradient on its way back", size=(6.4, 4.0))
    for (label, size), colour in zip(sizes.items(), common.COLOURS, strict=False):
        ax.semilogy(size, color=colour, linewidth=1.8, label=label)
    ax.set(xlabel="steps back", ylabel="‖∂J/∂h‖")
    ax.legend(**common.LEGEND)
    return figure


def plot_memory(model: Recurrent, X: Array, Y: Array) -> Any:
    """Return the figure of one sequence: bits, states, what is told, and what is right."""
    H = np.hstack([H.data for H in model.states([X[None, :, t] for t in range(X.shape[1])])])
    rows = {"bit x": X, "state h": H, "told": F.sigmoid(predict(model, X)), "differs": Y}
    ratios = [len(row) for row in rows.values()]
    figure, axes = common.panels(
        "one sequence", "", "", "", size=(8.4, 3.9), columns=1, sharex=True, height_ratios=ratios
    )
    for ax, (label, row) in zip(axes, rows.items(), strict=True):
        common.heat_map(ax, row, reach=1.0).axes.set(aspect="auto", yticks=())
        ax.set_ylabel(label, rotation=0, ha="right", va="center")
    axes[-1].set_xlabel("time t")
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    rng = np.random.default_rng(arguments.seed)
    m, epochs = (256, 60) if arguments.quick else (512, 150)
    model = Recurrent(rng)
    print(f"A cell of {UNITS} units, {sum(p.size for p in model.parameters())} parameters")

    common.heading("Three steps through time, and back")
    O, Y = three_steps(model, rng)
    A = F.sigmoid(O).named("A")
    print(explain((-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))).named("J")))

    common.heading(f"The gradients of {STEPS} steps, by the graph and by hand")
    check_gradients(model, rng)

    common.heading("The gradient on its way back: dH(t−1) = Wᵀ (dH(t) ∘ (1 − H(t)²))")
    X, back = 0.1 * rng.integers(0, 2, (1, 41)), (0, 1, 5, 10, 20, 40)
    sizes = {}
    for norm in (0.5, 1.0, 2.0):
        label = f"‖W‖ = {norm:g}"
        sizes[label] = gradients_back(Recurrent(np.random.default_rng(arguments.seed), norm), X)
        growth = (sizes[label][1:] / sizes[label][:-1]).max()
        claim = f"{label}: no step back multiplies it by more than {growth:.2f}"
        common.verify(growth < norm + 1e-9, claim)
    print()
    rows = ((label, *(f"{size[k]:.1e}" for k in back)) for label, size in sizes.items())
    common.table(("‖∂J/∂h‖, steps back", *map(str, back)), rows)

    common.heading(f"{epochs} epochs: is a bit another than that {DELAY} steps ago?")
    X, Y = bits(m, STEPS, rng)
    history = fit(
        model, X, Y, loss, Adam(model.parameters(), lr=0.02), epochs=epochs, batch_size=64,
        metrics={"accuracy": accuracy}, seed=arguments.seed, compile="always",
    )  # fmt: skip
    print(f"  {STEPS} steps, unrolled and {history.compiled}")
    for steps in (STEPS, 100, 1000):
        X, Y = bits(100, steps, rng)
        right = accuracy(predict(model, X), Y)
        common.verify(right > 0.98, f"new sequences of {steps:5,} bits: {right:7.2%} told right")

    X, Y = bits(1, 41, rng)
    sizes["after training"] = gradients_back(model, X)
    about = "the size of the gradient on its way back through time"
    pictures.save("gradient.png", about, plot_gradients, sizes)
    pictures.save("memory.png", "what the units remember", plot_memory, model, X, Y)
    pictures.save("training.png", "loss and accuracy", history.plot)

    J = loss(*three_steps(model, rng)).named("J")
    J.backward()
    pictures.save("graph.svg", "three steps as a graph, with data and gradients", draw, J)
    pictures.list()


if __name__ == "__main__":
    main()
