"""S6, linear regression: a convex cost, and what the learning rate decides.

The width of an iris's petal is learnt from the three other measurements, ŷ = w·x + b. The Hessian
of the MSE has no negative eigenvalue, so that all ways down end at one place: wherever it starts,
gradient descent reaches the least-squares solution θ*. Along an eigenvector of the Hessian, a step
multiplies the distance from θ* by 1 − αλ. Below α = 2/λ_max the distance shrinks, too slowly if α
is too small; above, it grows without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import common
import numpy as np

from micrograd_nn import SGD, Tensor, data, hessian
from micrograd_nn import functional as F
from micrograd_nn.readers import figures

NAMES = ("w₁", "w₂", "w₃", "b")
#: α in parts of its limit, and what comes of it.
RATES = {
    0.002: "crawls",
    0.05: "is slow",
    0.5: "converges",
    0.98: "swings, and converges",
    1.02: "diverges",
}
COLOURS = [common.COLOURS[k] for k in (3, 4, 2, 0, 1)]  # green is right, red diverges

Array = np.ndarray


class Regression:
    """The irises to learn from, and the MSE of θ = (w₁, w₂, w₃, b)."""

    def __init__(self, seed: int) -> None:
        iris = data.load_iris()
        X, _, self.y, _ = data.train_test_split(iris.X[:, :3], iris.X[:, 3], 0.2, seed=seed)
        self.X = np.column_stack([data.Standardizer().fit_transform(X), np.ones(len(X))])
        self.best = np.linalg.lstsq(self.X, self.y, rcond=None)[0]
        self.hessian = hessian(self.mse)(self.best)
        self.eigenvalues, self.eigenvectors = np.linalg.eigh(self.hessian)
        self.limit = 2 / self.eigenvalues[-1]

    def mse(self, theta: Any) -> Any:
        """Return 1/n Σ (ŷ − y)²."""
        return F.mse(self.X @ theta, self.y)

    def excess(self, path: Array) -> Array:
        """Return how far the MSE is above its lowest: ½ dᵀHd, with d = θ − θ*."""
        d = path - self.best
        return 0.5 * np.sum(d @ self.hessian * d, axis=-1)

    def descend(self, rate: float, steps: int, start: Array) -> Array:
        """Return θ at the start, and after each step of gradient descent."""
        theta = Tensor(start, name="θ")
        optimizer = SGD([theta], lr=rate)
        path = [theta.data]
        for _ in range(steps):
            optimizer.zero_grad()
            self.mse(theta).backward()
            optimizer.step()
            path.append(theta.data)
        return np.array(path)

    def foretold(self, rate: float, steps: int, start: Array) -> Array:
        """Return the same by theory: θ* + Σ (1 − αλ)ᵗ c v, over the eigenvectors v."""
        c = self.eigenvectors.T @ (start - self.best)
        powers = (1 - rate * self.eigenvalues) ** np.arange(steps + 1)[:, None]
        return self.best + (powers * c) @ self.eigenvectors.T


def show_convexity(problem: Regression, rng: np.random.Generator) -> None:
    """Verify that the Hessian is that derived by hand, the same everywhere, and not negative."""
    common.heading("The Hessian of the MSE")
    common.table(
        ("", *NAMES),
        (
            (name, *(f"{number + 0.0:.6f}" for number in row.round(9)))
            for name, row in zip(NAMES, problem.hessian, strict=True)
        ),
    )
    by_hand = 2 / len(problem.y) * problem.X.T @ problem.X
    elsewhere = hessian(problem.mse)(rng.normal(size=4))
    for other, claim in ((by_hand, "it is 2/n XᵀX"), (elsewhere, "it is the same elsewhere")):
        gap = np.max(np.abs(problem.hessian - other))
        common.verify(gap < common.TOLERANCE, f"{claim}, to {gap:.0e}")
    listed = ", ".join(f"{value:.4f}" for value in problem.eigenvalues)
    common.verify(problem.eigenvalues[0] >= 0, f"it is convex, as no eigenvalue is < 0: {listed}")


def show_solution(problem: Regression, starts: Sequence[Array], steps: int) -> None:
    """Verify that gradient descent reaches the least-squares solution from several starts."""
    low, high = problem.eigenvalues[[0, -1]]
    rate, factor = 2 / (low + high), (high - low) / (high + low)
    common.heading(f"Gradient descent, {steps:,} steps with α = 2/(λ_min + λ_max) = {rate:.4f}")
    ends = {}
    for k, start in enumerate(starts, start=1):
        path = problem.descend(rate, steps, start)
        distance = np.linalg.norm(path - problem.best, axis=1)
        bound = factor ** np.arange(steps + 1) * distance[0]
        ends[f"start {k}"] = path[0]
        ends[f"  end {k}"] = path[-1]
        common.verify(
            np.all(distance <= 1.000001 * bound + common.TOLERANCE),
            f"start {k}: |θ − θ*| falls from {distance[0]:.2f} to {distance[-1]:.0e}, "
            f"by {factor:.4f} or faster at each step",
        )
    ends["least squares θ*"] = problem.best
    common.table(("", *NAMES), ((k, *(f"{c:.12f}" for c in end)) for k, end in ends.items()))


def show_rates(problem: Regression, start: Array, steps: int) -> dict[float, Array]:
    """Verify what each learning rate does; return the ways down."""
    common.heading(f"Learning rates: the limit is 2/λ_max = {problem.limit:.4f}; {steps} steps")
    paths = {s: problem.descend(s * problem.limit, steps, start) for s in RATES}
    before = problem.excess(start)
    excess = {share: problem.excess(path) for share, path in paths.items()}
    common.table(
        ("α", "of the limit", "above the lowest MSE: before", "after", ""),
        (
            (f"{share * problem.limit:.5f}", share, f"{before:.3g}", f"{above[-1]:.3g}",
             f"it {RATES[share]}")
            for share, above in excess.items()
        ),
    )  # fmt: skip
    theory = {s: problem.foretold(s * problem.limit, steps, start) for s in RATES}
    gap = max(common.largest_difference({"θ": paths[s]}, {"θ": theory[s]}) for s in RATES)
    common.verify(gap < 1e-10, f"θ is where 1 − αλ puts it, at every step, to {gap:.0e}")
    crawling, *_, diverging = RATES
    falls = [np.all(np.diff(above) < 1e-15) for share, above in excess.items() if share < 1]
    common.verify(all(falls), "below the limit, MSE falls at every step")
    left, grown = (excess[share][-1] / before for share in (crawling, diverging))
    common.verify(
        left >= (1 - 2 * crawling) ** (2 * steps),
        f"far below it, gradient descent crawls: {left:.0%} of the excess is left",
    )
    common.verify(grown > 1, f"above the limit it diverges: the excess grew {grown:.2g}-fold")
    return paths


def bowl(problem: Regression) -> Callable[[Any, Any], Any]:
    """Return the MSE as a function of w₁ and w₃, with w₂ and b of the solution."""
    (h11, _, h13, _), _, (_, _, h33, _), _ = problem.hessian.tolist()
    best1, _, best3, _ = problem.best.tolist()
    lowest = float(problem.mse(problem.best))

    def mse(w1: Any, w3: Any) -> Any:
        d1, d3 = w1 - best1, w3 - best3
        return lowest + 0.5 * h11 * d1**2 + h13 * d1 * d3 + 0.5 * h33 * d3**2

    return mse


def plot_bowl(problem: Regression) -> Any:
    """Draw the convex MSE, and gradient descent from three places."""
    mse, rate = bowl(problem), 0.4 * problem.limit
    starts = {"start 1": (-1.6, -0.6), "start 2": (1.7, 0.4), "start 3": (0.2, 2.2)}
    paths = {k: figures.descend(mse, start, steps=60, lr=rate) for k, start in starts.items()}
    ax = figures.plot_descent(mse, paths, ((-2.1, 2.1), (-1.1, 2.7)), view="surface")
    ax.set_zlabel("MSE", color=common.INK)
    return ax


def plot_rates(problem: Regression, paths: dict[float, Array]) -> Any:
    """Draw the MSE step by step for each rate; and what is reached, as a function of the rate."""
    first, *_ = paths.values()
    start, steps = first[0], len(first) - 1
    titles = ("step by step", f"after {steps} steps")
    figure, (left, right) = common.panels(*titles, size=(9.6, 4.0), sharey=True)
    for (share, path), colour in zip(paths.items(), COLOURS, strict=True):
        excess = problem.excess(path)
        label = f"{share:g} of the limit {RATES[share]}"
        left.plot(excess, color=colour, linewidth=1.8, label=label)
        right.plot(share, excess[-1], "o", color=colour, ms=7, mec="white", zorder=4)
    shares = np.geomspace(1e-3, 1.05, 400)
    ends = np.array([problem.foretold(s * problem.limit, steps, start)[-1] for s in shares])
    right.plot(shares, problem.excess(ends), color=common.INK, linewidth=1.4)
    right.axvline(1, color=COLOURS[-1], linewidth=1, linestyle=(0, (4, 3)))
    left.set(xlabel="step", ylabel="MSE above its lowest", yscale="log", ylim=(1e-16, 1e12))
    right.set(xlabel=r"α in parts of the limit $2/\lambda_{max}$", xscale="log")
    right.xaxis.set_major_formatter("{x:g}")
    left.legend(loc="lower left", **common.LEGEND)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    arguments = common.parser(__doc__).parse_args(argv)
    pictures = common.Pictures(arguments.output)
    rng = np.random.default_rng(arguments.seed)
    problem = Regression(arguments.seed)
    print(f"{len(problem.y)} irises; w₁, w₂, w₃ belong to the length and width of the sepal,")
    print("and to the length of the petal; θ = (w₁, w₂, w₃, b)")

    show_convexity(problem, rng)
    starts = [np.zeros(4), *rng.normal(size=(2, 4))]
    show_solution(problem, starts, 150 if arguments.quick else 1500)
    paths = show_rates(problem, starts[0], 100 if arguments.quick else 300)

    pictures.save("bowl.png", "the MSE over two weights, and three ways down", plot_bowl, problem)
    pictures.save("learning_rates.png", "what each learning rate does", plot_rates, problem, paths)
    pictures.list()


if __name__ == "__main__":
    main()
