"""The figures of ``micrograd-nn demo``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd_nn import functional as F
from micrograd_nn import training
from micrograd_nn.cli.parsing import writing
from micrograd_nn.readers import figures
from micrograd_nn.training import SGD, Adam, Snapshots

#: The surface, where the ways down it begin, and what of it is shown.
_START, _EXTENT = (0.35, 1.0), ((-1.2, 4.4), (-3.0, 3.0))
_STEPS, _QUICK_STEPS = 45, 10


def write(
    folder: Path, snapshots: Snapshots, history: training.History, quick: bool
) -> tuple[list[tuple[str, str]], str | None]:
    """Write the figures; return their names and what they show, or what is missing for them."""
    kinds: list[tuple[str, str, Callable[[], Any]]] = [
        ("data.png", "the points, in two classes", lambda: _data(snapshots)),
        (
            "activations.png",
            "sigmoid, tanh, ReLU and leaky ReLU, with their derivatives",
            figures.plot_activations,
        ),
        (
            "curves.png",
            "loss and accuracy over the epochs, on the test points dashed",
            history.plot,
        ),
        (
            "regions.png",
            "what the network says of each place, with the points",
            lambda: _regions(snapshots, 100 if quick else 300),
        ),
        ("regions.gif", "the same while it learns, epoch by epoch", snapshots.animate),
        (
            "descent.gif",
            "three ways down the surface sin(b cos a), step by step",
            lambda: _descent(_QUICK_STEPS if quick else _STEPS),
        ),
    ]
    made: list[tuple[str, str]] = []
    for name, about, make in kinds:
        try:
            figure = make()
        except ImportError:
            return made, (
                "the figures and animations are left out, since matplotlib is missing: "
                'pip install "micrograd-nn[plot]"'
            )
        with writing(folder / name):
            if name.endswith(".gif"):
                figure.save(folder / name)
            else:
                figure.savefig(folder / name, dpi=80 if quick else 160)
        made.append((name, about))
    return made, None


def _data(snapshots: Snapshots) -> Any:
    return figures.plot_data(snapshots.X, snapshots.y).get_figure(root=True)


def _regions(snapshots: Snapshots, resolution: int) -> Any:
    def predict(points: Any) -> Any:
        return training.predict(snapshots.model, points)

    axes = figures.plot_regions(predict, snapshots.X, snapshots.y, resolution)
    return axes.get_figure(root=True)


def _descent(steps: int) -> Any:
    def surface(a: Any, b: Any) -> Any:
        return F.sin(b * F.cos(a))

    optimizers: dict[str, Callable[[list[Any]], Any]] = {
        "gradient descent": lambda parameters: SGD(parameters, lr=0.2),
        "momentum": lambda parameters: SGD(parameters, lr=0.05, momentum=0.9),
        "Adam": lambda parameters: Adam(parameters, lr=0.12),
    }
    paths = {
        name: figures.descend(surface, _START, optimizer, steps)
        for name, optimizer in optimizers.items()
    }
    return figures.animate_descent(surface, paths, _EXTENT)
