"""Real data: iris flowers, breast tumours and handwritten digits, beside scikit-learn.

Networks learn from three quarters of each data set and are tested on the rest, several times over.
So does scikit-learn's MLPClassifier, on the same quarters, with the same widths, epochs, batches
and rates. Iris comes with the library; the others, and the comparison, need scikit-learn:
pip install scikit-learn
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import common
import numpy as np

from micrograd_nn import SGD, Adam, Linear, Sequential, data
from micrograd_nn.training import fit, predict

BATCH = 32
WITH_SKLEARN = find_spec("sklearn") is not None

Array = np.ndarray


class Task(NamedTuple):
    """How a data set is learnt, and which accuracy every split of it should reach."""

    hidden: int
    epochs: int
    rate: float
    expected: float


TASKS = {
    "iris": Task(hidden=16, epochs=100, rate=0.01, expected=0.85),
    "breast-cancer": Task(hidden=16, epochs=50, rate=0.01, expected=0.93),
    "digits": Task(hidden=64, epochs=30, rate=0.003, expected=0.95),
}


class Split(NamedTuple):
    """A part to learn from and one to be tested on, with the numbers of the latter's examples."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array
    test: Array


class Run(NamedTuple):
    """What came of one training: which test examples are told as what, and the losses."""

    told: Array
    seconds: float
    loss: list[float]


def load(name: str) -> tuple[Array, Array, list[str]]:
    """Return the examples, their classes as numbers, and the names of the classes."""
    if name == "iris":
        iris = data.load_iris()
        return iris.X, iris.y, list(iris.class_names)
    from sklearn import datasets

    found = getattr(datasets, f"load_{name.replace('-', '_')}")()
    return found.data, found.target, list(map(str, found.target_names))


def split(X: Array, y: Array, seed: int) -> Split:
    """Set a quarter of each class aside."""
    train, test, y_train, y_test = data.train_test_split(
        np.arange(len(X)), y, test_size=0.25, seed=seed, stratify=True
    )
    scale = data.Standardizer().fit(X[train])
    return Split(scale.transform(X[train]), y_train, scale.transform(X[test]), y_test, test)


def network(task: Task, part: Split, seed: int) -> tuple[Sequential, str]:
    """Return an untrained network and its loss: one logit for two classes, else one for each."""
    classes = len(np.unique(part.y))
    n, outputs = part.X.shape[1], classes if classes > 2 else 1
    rng = np.random.default_rng(seed)
    first, last = Linear(n, task.hidden, seed=rng), Linear(task.hidden, outputs, seed=rng)
    loss = "cross_entropy" if classes > 2 else "binary_cross_entropy_with_logits"
    return Sequential(first, "relu", last), loss


def learn(task: Task, part: Split, seed: int) -> Run:
    """Train a network of the library, and test it."""
    model, loss = network(task, part, seed)
    start = time.perf_counter()
    history = fit(
        model, part.X, part.y, loss, Adam(model.parameters(), lr=task.rate), epochs=task.epochs,
        batch_size=BATCH, seed=seed, progress=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    logits = predict(model, part.X_test)
    told = logits.argmax(axis=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
    return Run(told, seconds, history.loss)


def sklearn_network(task: Task, seed: int, **options: Any) -> Any:
    """Return scikit-learn's network of the same kind."""
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")  # as asked for
    settings = {
        "batch_size": BATCH, "learning_rate_init": task.rate, "max_iter": task.epochs,
        "n_iter_no_change": 10**6, "alpha": 0.0, "random_state": seed,
    }  # fmt: skip
    return MLPClassifier((task.hidden,), **(settings | options))


def learn_by_sklearn(task: Task, part: Split, seed: int) -> Run:
    """Train scikit-learn's network, and test it."""
    model = sklearn_network(task, seed)
    start = time.perf_counter()
    model.fit(part.X, part.y)
    seconds = time.perf_counter() - start
    return Run(model.predict(part.X_test), seconds, model.loss_curve_)


def difference_from_same_start(task: Task, part: Split, seed: int) -> float:
    """Return how far the losses differ in gradient descent on all examples, from equal weights."""
    model, loss = network(task, part, seed)
    layers = model[::2]  # but for the relu
    other = sklearn_network(task, seed, batch_size=len(part.X), shuffle=False, warm_start=True)
    other.set_params(solver="sgd", momentum=0.0, learning_rate_init=0.1, max_iter=1)
    other.fit(part.X, part.y)  # so that it has weights, to be overwritten
    other.coefs_ = [layer.W.data.T.copy() for layer in layers]
    other.intercepts_ = [layer.b.data.copy() for layer in layers]
    other.set_params(max_iter=task.epochs).fit(part.X, part.y)
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, part.X, part.y, loss, optimizer, task.epochs, progress=False)
    return float(np.max(np.abs(np.subtract(other.loss_curve_[-task.epochs :], history.loss))))


LEARNERS = {"micrograd_nn": learn} | ({"scikit-learn": learn_by_sklearn} if WITH_SKLEARN else {})


def study(name: str, task: Task, seeds: Sequence[int], pictures: common.Pictures) -> list[Run]:
    """Train and test on a split of a data set for each seed; return the runs on the first."""
    X, y, names = load(name)
    common.heading(f"{name}: {len(X):,} examples of {X.shape[1]} features, {len(names)} classes")
    print(f"  {task.hidden} relu units, {task.epochs} epochs, Adam at {task.rate}\n")
    print("  split" + "".join(f"{learner:>15}{'seconds':>9}" for learner in LEARNERS))
    parts = [split(X, y, seed) for seed in seeds]
    runs, right = [], []
    for k, (part, seed) in enumerate(zip(parts, seeds, strict=True)):
        runs.append([train(task, part, seed) for train in LEARNERS.values()])
        right.append([run.told == part.y_test for run in runs[k]])
        shown = zip(np.mean(right[k], axis=1), runs[k], strict=True)
        print(f"  {k + 1:5}" + "".join(f"{a:15.1%}{run.seconds:9.2f}" for a, run in shown))
    accuracies = np.mean(right, axis=2).T
    if len(seeds) > 1:
        print("   mean" + "".join(f"{a.mean():15.1%}{f'± {a.std():.1%}':>9}" for a in accuracies))
    print()
    worst = accuracies[0].min()
    common.verify(worst > task.expected, f"in each split, {worst:.1%} or more are told right")
    if WITH_SKLEARN:
        ours, theirs = np.moveaxis(right, 1, 0)
        we, they = np.sum(ours & ~theirs), np.sum(theirs & ~ours)
        claim = (
            f"{they} told right by scikit-learn only, {we} by the library only: no more than chance"
        )
        common.verify(they - we < 3 * np.sqrt(we + they) + 1, claim)  # three standard deviations
        difference = difference_from_same_start(task, parts[0], seeds[0])
        claim = f"from equal weights, gradient descent has equal losses, to {difference:.0e}"
        common.verify(difference < 1e-9, claim)

    confusion = np.zeros((len(names), len(names)), dtype=int)
    for part, (run, *_) in zip(parts, runs, strict=True):
        np.add.at(confusion, (part.y_test, run.told), 1)
    print()
    rows = ((name, *(n or "·" for n in row)) for name, row in zip(names, confusion, strict=True))
    common.table(("are / told as", *names), rows)
    part, run = parts[0], runs[0][0]
    wrong = np.flatnonzero(run.told != part.y_test)
    if name == "digits" and len(wrong):
        titles = [f"{part.y_test[k]} told as {run.told[k]}" for k in wrong]
        about = "digits of the first split that are told wrong"
        pictures.save("mistakes.png", about, plot_digits, X[part.test[wrong]], titles)
    return runs[0]


def plot_digits(images: Array, titles: Sequence[str]) -> Any:
    """Return the figure of up to 12 images, with titles."""
    figure, axes = common.panels(*titles[:12], size=(7.4, 3.0), columns=6)
    for ax, image in zip(axes, images, strict=False):
        ax.imshow(image.reshape(8, 8), cmap="Greys")
        ax.set_axis_off()
    return figure


def plot_losses(runs: dict[str, list[Run]]) -> Any:
    """Return the figure of the losses on the first split of each data set."""
    figure, axes = common.panels(*runs, size=(3.6 * len(runs), 3.2))
    for ax, beside in zip(axes, runs.values(), strict=True):
        for k, (learner, run) in enumerate(zip(LEARNERS, beside, strict=False)):
            epochs, colour = np.arange(1, len(run.loss) + 1), common.COLOURS[k]
            ax.semilogy(epochs, run.loss, "-:"[k], color=colour, linewidth=1.8, label=learner)
        ax.set_xlabel("epoch")
    axes[0].set_ylabel("training loss")
    axes[0].legend(**common.LEGEND)
    return figure


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = common.parser(__doc__)
    parser.add_argument("--data", choices=(*TASKS, "all"), default="all", help="(default: all)")
    arguments = parser.parse_args(argv)
    pictures = common.Pictures(arguments.output)
    seeds = range(arguments.seed, arguments.seed + (1 if arguments.quick else 5))
    chosen = list(TASKS) if arguments.data == "all" else [arguments.data]
    print("Three quarters of each data set to learn from, the rest to be tested on")
    if not WITH_SKLEARN:
        print("Only iris, and nothing to compare with: pip install scikit-learn brings the rest")
        chosen = ["iris"]
    runs = {}
    for name in chosen:
        task = TASKS[name]
        task = task._replace(epochs=task.epochs // 2) if arguments.quick else task
        runs[name] = study(name, task, seeds, pictures)
    about = "the losses, epoch by epoch, on the first split"
    pictures.save("losses.png", about, plot_losses, runs)
    pictures.list()


if __name__ == "__main__":
    main()
