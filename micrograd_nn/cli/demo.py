"""``micrograd-nn demo``: the articles' network learns to tell two circles apart."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import numpy as np
import numpy.typing as npt

from micrograd_nn import Value, data, training
from micrograd_nn.cli import circle, demo_figures
from micrograd_nn.cli.parsing import (
    CommandError,
    Commands,
    add_command,
    count,
    seed,
    writing,
)
from micrograd_nn.cli.progress import Progress
from micrograd_nn.cli.terminal import Screen, percent, plural
from micrograd_nn.nn import MLP, Sequential
from micrograd_nn.readers import draw

Array = npt.NDArray[np.float64]

POINTS, QUICK_POINTS = 1000, 500
EPOCHS, QUICK_EPOCHS = 30, 25
BATCH, RATE = 32, 0.02

#: Two ways to the same gradient must agree to this, relative to the terms that are summed.
TOLERANCE = 1e-12

_SHOWN = {"loss": "loss", "accuracy": "training", "val_accuracy": "test"}

_DETAILS = """\
The network 2-4-6-6-4-1 (ReLU, sigmoid, binary cross-entropy) is trained on two concentric circles,
its gradients are compared with the equations that are derived by hand, and a folder is filled with
pictures of it and the model.

examples:
  micrograd-nn demo
  micrograd-nn demo --seed 7 --out /tmp/circles
"""


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands, "demo", run, "Train the circle classifier, check it, draw it.", _DETAILS
    )
    command.add_argument(
        "--out",
        default="micrograd-nn-demo",
        metavar="DIR",
        help="the folder for what is made (default: %(default)s)",
    )
    command.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of data, weights and batches; default: 0"
    )
    command.add_argument(
        "--epochs", type=count, metavar="N", help=f"how often to go through the data ({EPOCHS})"
    )
    command.add_argument(
        "--quick", action="store_true", help="fewer points and epochs, and smaller pictures"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    folder = Path(arguments.out)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    points = QUICK_POINTS if arguments.quick else POINTS
    epochs = arguments.epochs or (QUICK_EPOCHS if arguments.quick else EPOCHS)
    X, y = data.circles(points, noise=0.1, seed=arguments.seed, factor=0.3)
    X_train, X_test, y_train, y_test = data.train_test_split(
        X, y, 0.2, seed=arguments.seed, stratify=True
    )
    model = circle.build(arguments.seed, X_train)
    _introduce(screen, model, len(X_train), len(X_test))

    every, resolution = (4, 60) if arguments.quick else (1, 100)
    snapshots = training.Snapshots(X, y, every, resolution, predict=training.predict)
    optimizer = training.Adam(model.parameters(), lr=RATE)
    history = training.fit(
        model,
        X_train,
        y_train,
        loss="binary_cross_entropy",
        optimizer=optimizer,
        epochs=epochs,
        batch_size=BATCH,
        schedule=training.CosineDecay(RATE, epochs),
        validation_data=(X_test, y_test),
        callbacks=[Progress(_SHOWN), snapshots],
        metrics=["accuracy"],
        seed=arguments.seed,
        progress=False,
    )
    if history.stopped is not None:
        if history.stopped.startswith("interrupted"):
            raise KeyboardInterrupt
        raise CommandError(history.stopped, code=1)
    accuracy = _tell_result(screen, history, len(y_test))
    agree = _compare(screen, model, X_train, y_train)

    made = [
        ("network.svg", "the trained network on one point: activations, weights and biases"),
        ("graph.svg", "the computation graph of a small network, with data and gradients"),
    ]
    with writing(folder / "network.svg"):
        draw(model, x=X_test[y_test == 1][0]).save(folder / "network.svg")
    _draw_graph(folder / "graph.svg", X_train[0], float(y_train[0]), arguments.seed)
    figures, missing = demo_figures.write(folder, snapshots, history, arguments.quick)
    made += figures
    training.save(
        folder / "model.npz",
        model,
        optimizer,
        epoch=len(history),
        history=history,
        extra={"card": circle.card(arguments.seed).to_json()},
    )
    made.append(("model.npz", "the trained model, for micrograd-nn predict and mg.load"))
    _list_files(screen, folder, made, missing)
    _what_next(screen, folder)
    if not agree:
        raise CommandError("the gradients differ from the equations by more than 1e-12", code=1)
    if accuracy < 0.99 and arguments.epochs is None:
        raise CommandError(f"the accuracy is {percent(accuracy)}, below 99 %", code=1)
    return 0


# ---------------------------------------------------------------------------------- what is said


def _introduce(screen: Screen, model: Sequential, train: int, test: int) -> None:
    screen.heading("micrograd-nn demo · a network learns to tell two circles apart")
    parameters = sum(int(p.data.size) for p in model.parameters())
    screen.fact("data", f"{train:,} points to train on and {test:,} to test, with noise 0.1")
    layers = " → ".join(map(str, circle.WIDTHS))
    screen.fact("network", f"{layers}, ReLU, at the end a sigmoid; {parameters} parameters")
    screen.fact(
        "training", f"binary cross-entropy, Adam, rate {RATE:g} falling to 0, {BATCH} points a step"
    )
    screen.line()


def _tell_result(screen: Screen, history: training.History, test: int) -> float:
    accuracy = history.metrics["val_accuracy"][-1]
    reached = [k for k, a in enumerate(history.metrics["val_accuracy"], start=1) if a >= 0.99]
    when = f", 99 % reached in epoch {reached[0]}" if reached else ""
    right = f"{round(accuracy * test)} of {test} right"
    loss = f"{history.loss[0]:.3f} → {history.loss[-1]:.4f}"
    screen.fact("loss", f"{loss} in {plural(len(history), 'epoch')}, {sum(history.times):.1f} s")
    screen.fact("test", f"{screen.good(f'accuracy {percent(accuracy)}')}, {right}{when}")
    screen.line()
    return float(accuracy)


def _compare(screen: Screen, model: Sequential, X: Array, y: npt.NDArray[np.int64]) -> bool:
    """Print how the gradients of the next step compare with the equations on paper."""
    found = circle.gradient_differences(model, X, y)
    screen.line(screen.bold("The gradients of the next step, by the graph and by hand"))
    screen.line(screen.dim("dZ = dA ∘ g'(Z)    dW = 1/m dZ Aᵀ    db = 1/m Σ dZ    dA = Wᵀ dZ"))
    screen.line()
    rows = [
        [
            f"d{name}",
            " × ".join(map(str, shape)),
            f"{largest:.3g}",
            f"{difference:.1e}" if difference else "0",
        ]
        for name, (shape, largest, difference) in found.items()
    ]
    screen.table(["", "shape", "largest", "relative difference"], rows, left=(0, 1))
    worst = max(difference for _, _, difference in found.values())
    agree = worst < TOLERANCE
    screen.line()
    verdict = screen.good("they agree") if agree else screen.bad("they differ")
    screen.fact("result", f"{verdict}: at most {worst:.1e} of the terms that are summed")
    screen.line()
    return agree


def _list_files(
    screen: Screen, folder: Path, made: list[tuple[str, str]], missing: str | None
) -> None:
    screen.line(screen.bold(f"Written to {folder}/"))
    screen.line()
    longest = max(len(name) for name, _ in made)
    for name, about in made:
        screen.line(f"  {screen.bold(name.ljust(longest))}  {about}")
    if missing is not None:
        screen.line(f"  {screen.dim(missing)}")
    screen.line()


def _what_next(screen: Screen, folder: Path) -> None:
    screen.line(screen.bold("Try next"))
    screen.line()
    model = shlex.quote(str(folder / "model.npz"))
    for command in (
        "micrograd-nn data circles -n 10 --seed 1 -o points.csv",
        f"micrograd-nn predict {model} points.csv",
        "micrograd-nn data iris -o iris.csv",
        "micrograd-nn train iris.csv --target species",
        'micrograd-nn draw "x*y + tanh(x)" --set x=2 --set y=-3',
    ):
        screen.line(f"  {screen.code(command)}")


# ---------------------------------------------------------------------------------- what is made


def _draw_graph(path: Path, x: Array, y: float, seed: int) -> None:
    """Draw a network that is small enough to read each number, and its gradients."""
    model = MLP(2, [2, 1], activation="tanh", seed=seed)
    _name_parameters(model)
    inputs = [Value(float(x[0]), "x1"), Value(float(x[1]), "x2")]
    prediction = model(inputs).named("ŷ")
    loss = ((prediction - y) ** 2).named("loss")
    loss.backward()
    with writing(path):
        draw(loss).save(path)


def _name_parameters(model: MLP) -> None:
    """Name weights as the articles do: w21 is from the first input to the second unit."""
    for layer in model.layers:
        for i, neuron in enumerate(layer.neurons, start=1):
            number = str(i) if len(layer.neurons) > 1 else ""
            neuron.b.name = f"b{number}"
            for j, weight in enumerate(neuron.w, start=1):
                weight.name = f"w{number}{j}"
