"""S7, the heart of a transformer: one head of self-attention, softmax(Q Kᵀ / √d) V.

The library has no layer for it: it is five matrix products and a softmax, whose gradients are
explained, and held against the lines derived by hand. Then a head learns to look things up: each
token asks for a key, has a key and carries a value; its answer is the value of the token whose key
it asks for. A transformer stacks such heads with what is there: Linear, LayerNorm, and sums.
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

SYMBOLS, VALUES, TOKENS, WIDTH = 8, 4, 6, 16
PARTS = {"asks": SYMBOLS, "key": SYMBOLS, "value": VALUES}  # of a token, each one-hot

Array = np.ndarray


class Head(Module):
    """Tokens look at each other, and take over what they see."""

    def __init__(self, rng: np.random.Generator) -> None:
        n = sum(PARTS.values())
        self.WQ = Tensor(rng.normal(size=(n, WIDTH)) / np.sqrt(3), name="WQ")
        self.WK = Tensor(rng.normal(size=(n, WIDTH)) / np.sqrt(3), name="WK")
        self.WV = Tensor(rng.normal(size=(n, VALUES)) / np.sqrt(3), name="WV")

    def weights(self, X: Any) -> Any:
        """Return how much each token looks at each other, (..., TOKENS, TOKENS)."""
        Q, K = (X @ self.WQ).named("Q"), (X @ self.WK).named("K")
        S = (Q @ F.swapaxes(K, -1, -2)).named("S")
        return F.softmax(S / np.sqrt(WIDTH)).named("A")

    def forward(self, X: Any) -> Any:
        """Return what each token gets, (..., TOKENS, VALUES), from tokens (..., TOKENS, n)."""
        return (self.weights(X) @ (X @ self.WV).named("V")).named("Z")


def loss(Z: Any, y: Array) -> Any:
    """Return the cross-entropy over all tokens of all sequences."""
    return F.cross_entropy(F.reshape(Z, (-1, VALUES)), np.ravel(y))


def accuracy(Z: Any, y: Array) -> float:
    """Return the share of tokens that got the right value."""
    return float(np.mean(np.argmax(Z, axis=-1) == y))


def gradients_by_hand(p: dict[str, Array], X: Array, dZ: Array) -> dict[str, Array]:
    """Return the gradients of one sequence (TOKENS, n), in plain NumPy."""
    Q, K, V = X @ p["WQ"], X @ p["WK"], X @ p["WV"]
    A = equations.softmax((Q @ K.T).T / np.sqrt(WIDTH)).T  # there the classes are rows
    dV = A.T @ dZ
    dA = dZ @ V.T
    dS = np.stack([(np.diag(a) - np.outer(a, a)) @ da for a, da in zip(A, dA, strict=True)])
    dQ, dK = dS @ K / np.sqrt(WIDTH), dS.T @ Q / np.sqrt(WIDTH)
    dX = dQ @ p["WQ"].T + dK @ p["WK"].T + dV @ p["WV"].T
    return {"dWQ": X.T @ dQ, "dWK": X.T @ dK, "dWV": X.T @ dV, "dX": dX}


def sequences(m: int, tokens: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return tokens (m, tokens, n), the value each asks for, and the place of that value."""
    keys = rng.permuted(np.tile(np.arange(SYMBOLS), (m, 1)), axis=1)[:, :tokens]
    partner = rng.permuted(np.tile(np.arange(tokens), (m, 1)), axis=1)
    values = rng.integers(0, VALUES, (m, tokens))
    asked, answer = (np.take_along_axis(a, partner, axis=1) for a in (keys, values))
    parts = zip((asked, keys, values), PARTS.values(), strict=True)
    X = np.concatenate([np.eye(size)[labels] for labels, size in parts], axis=-1)
    return X, answer, partner


def check_gradients(head: Head, X: Array, rng: np.random.Generator) -> None:
    """Explain the head, hold its gradients against those by hand, and against gradcheck."""
    common.heading("The equations, read off the recorded graph")
    x, y = Tensor(X, name="X"), Tensor(rng.normal(size=(TOKENS, VALUES)), requires_grad=False)
    J = np.sum(head(x) * y.named("Y")).named("J")
    print(explain(J))

    common.heading("The gradients, by the graph and by hand")
    J.backward()
    parameters = dict(head.named_parameters())
    found = {f"d{name}": p.grad for name, p in parameters.items()} | {"dX": x.grad}
    expected = gradients_by_hand({name: p.data for name, p in parameters.items()}, X, y.data)
    common.compare(found, expected)
    print(f"  {gradcheck(head, X)}")


def check_properties(head: Head, X: Array, rng: np.random.Generator) -> None:
    """Show what attention knows of places, and why it divides by √d."""
    common.heading("What follows from the formula")
    order = rng.permutation(TOKENS)
    difference = np.abs(predict(head, X[:, order]) - predict(head, X)[:, order]).max()
    common.verify(difference < common.TOLERANCE, "tokens in another order get the same")
    rows = []
    for d in (4, 64, 1024):
        q, K = rng.normal(size=(1000, d)), rng.normal(size=(1000, TOKENS, d))
        S = np.einsum("nd,nkd->nk", q, K)
        divided = S / np.sqrt(d)
        largest = [f"{F.softmax(s).max(axis=-1).mean():.2f}" for s in (S, divided)]
        claim = f"q·k of {d:5,} random numbers each is of size √d = {d**0.5:2.0f}: {np.std(S):4.1f}"
        common.verify(abs(np.std(divided) - 1) < 0.1, claim)
        rows.append((f"d = {d:,}", *largest))
    print("\n  so that without the root a softmax over six keys has decided before it learns:\n")
    common.table(("largest weight", "softmax(q·k)", "softmax(q·k / √d)"), rows)


def plot_attention(seen: dict[int, Array], tokens: Array) -> Any:
    """Return the figure of the weights of one sequence, as they were after some epochs."""
    asked, keys = (tokens[:, at : at + SYMBOLS].argmax(axis=1) for at in (0, SYMBOLS))
    titles = (f"after {epoch} epochs" for epoch in seen)
    figure, axes = common.panels(*titles, size=(2.3 * len(seen), 2.7))
    for ax, A in zip(axes, seen.values(), strict=True):
        common.heat_map(ax, A, reach=1.0)
        ax.set_xticks(range(TOKENS), ["abcdefgh"[k] for k in keys])
        ax.set_yticks(range(TOKENS), ["abcdefgh"[k] for k in asked])
        ax.set_xlabel("key")
    axes[0].set_ylabel("asks for")
    return figure


def plot_learnt(head: Head) -> Any:
    """Return the figure of what the head compares, and what it hands on."""
    ends = np.cumsum([0, *PARTS.values()])
    middles = (ends[:-1] + ends[1:] - 1) / 2
    figure, (compared, handed_on) = common.panels(
        "WQ WKᵀ / √d", "WV", size=(6.2, 4.4), sharey=True, width_ratios=[ends[-1], VALUES]
    )
    common.heat_map(compared, (head.WQ @ head.WK.T / np.sqrt(WIDTH)).data)
    common.heat_map(handed_on, head.WV.data)
    for end in ends[1:-1] - 0.5:
        for line in (compared.axvline, compared.axhline, handed_on.axhline):
            line(end, color=common.INK, linewidth=0.5)
    compared.set_xticks(middles, PARTS)
    compared.set_yticks(middles, PARTS)
    compared.set(xlabel="of the token that is looked at", ylabel="of the token that looks")
    handed_on.set(xticks=range(VALUES), xlabel="answer")
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    rng = np.random.default_rng(arguments.seed)
    m, epochs = (200, 40) if arguments.quick else (400, 100)
    head = Head(rng)
    X, y, _ = sequences(m, TOKENS, rng)
    size = sum(p.size for p in head.parameters())
    print(f"A head of {size} parameters, on {TOKENS} tokens at a time")
    check_gradients(head, X[0], rng)
    check_properties(head, X[:5], rng)

    common.heading(f"{epochs} epochs of looking up, in {m} sequences")
    X_new, y_new, partner = sequences(1000, TOKENS, rng)
    seen = {0: head.weights(X_new[0]).data}

    def look(epoch: int, _: Any) -> None:
        if epoch in (2, 5, epochs):
            seen[epoch] = head.weights(X_new[0]).data

    before = accuracy(predict(head, X_new), y_new)
    history = fit(
        head, X, y, loss, Adam(head.parameters(), lr=0.02), epochs=epochs, batch_size=50,
        metrics={"accuracy": accuracy}, callbacks=[look], seed=arguments.seed, compile="always",
    )  # fmt: skip
    right = accuracy(predict(head, X_new), y_new)
    print(f"  before it learns, {before:.1%} of the answers are right\n")
    common.verify(right > 0.99, f"new sequences of {TOKENS} tokens: {right:.1%} right")
    found = np.take_along_axis(head.weights(X_new).data, partner[..., None], axis=-1)
    common.verify(found.mean() > 0.9, f"{found.mean():.1%} of the weights are where they belong")
    X, y, _ = sequences(1000, SYMBOLS, rng)
    right = accuracy(predict(head, X), y)
    common.verify(right > 0.99, f"longer sequences, of {SYMBOLS} tokens: {right:.1%} right")

    J = loss(head(Tensor(X_new[:1], requires_grad=False, name="X")), y_new[:1]).named("J")
    J.backward()
    about = "who looks at whom, in a new sequence, while it learns"
    pictures.save("attention.png", about, plot_attention, seen, X_new[0])
    pictures.save("learnt.png", "what is compared and handed on", plot_learnt, head)
    pictures.save("training.png", "loss and accuracy", history.plot)
    pictures.save("graph.svg", "the head as a graph, with data and gradients", draw, J)
    pictures.list()


if __name__ == "__main__":
    main()
