"""``micrograd-nn train``: a classifier or a regression from a CSV file."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any

import numpy as np

from micrograd_nn import data, training
from micrograd_nn.cli import csv_file
from micrograd_nn.cli.cards import CardHolder, ModelCard, load_model
from micrograd_nn.cli.data import shipped_iris
from micrograd_nn.cli.parsing import (
    INTERRUPTED,
    CommandError,
    Commands,
    Parser,
    add_command,
    check_writable,
    count,
    names,
    not_negative,
    positive,
    refuse_same_file,
    seed,
    share,
    widths,
)
from micrograd_nn.cli.parts import Parts, split
from micrograd_nn.cli.progress import Progress
from micrograd_nn.cli.report import report_classes, report_numbers
from micrograd_nn.cli.terminal import Screen, plural, shorten
from micrograd_nn.nn import Linear, Sequential, initialisers
from micrograd_nn.nn.activations import ACTIVATIONS

#: The options on which a training depends, with their defaults. ``--resume`` takes them up again.
DEFAULTS: dict[str, Any] = {
    "columns": None,
    "task": "auto",
    "hidden": (16, 16),
    "activation": "relu",
    "lr": 0.01,
    "weight_decay": 0.3,
    "batch_size": 32,
    "test_size": 0.2,
    "seed": 0,
}

EPOCHS = 200

PATIENCE = 30

#: How the reason begins when a training broke off, and its model is good for nothing.
BROKEN = ("the loss became", "a gradient became")

#: How many epochs are lost at most when the training is killed.
CHECKPOINT_EVERY = 10


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    details = f"""\
The file has a header that names its columns; all columns but the target must hold numbers. They
are standardised by their mean and deviation in the training part. Part of the rows is held out,
and only looked at in the end. Another part validates: the training stops early when it is no
longer predicted better, and keeps the weights that predicted it best.

The shipped copy of Fisher's iris measurements is
  {shipped_iris()}
and `micrograd-nn data iris -o iris.csv` copies it here.

examples:
  micrograd-nn train iris.csv --target species
  micrograd-nn train houses.csv --target price --regression --hidden 32,32 -o houses.npz
"""
    command = add_command(
        commands, "train", run, "Train a network on a CSV file and save it.", details
    )
    command.add_argument("csv", metavar="DATA.csv", help="the examples, one a row")
    command.add_argument("--target", required=True, metavar="COL", help="the column to predict")
    command.add_argument(
        "-o",
        "--output",
        default="model.npz",
        metavar="FILE",
        help="where to save the model; an old one is replaced (default: %(default)s)",
    )
    command.add_argument(
        "--resume", action="store_true", help="go on with the training saved in that file"
    )
    command.add_argument(
        "--epochs",
        type=count,
        default=EPOCHS,
        metavar="N",
        help="how often to go through the data, at most (default: %(default)s)",
    )
    csv_file.add_options(command)
    _add_settings(command)


def _add_settings(command: Parser) -> None:
    """Add the options of ``DEFAULTS``; one that isn't given is None, to be told apart."""
    group = command.add_argument_group("what the training depends on")
    group.add_argument(
        "--columns", type=names, metavar="A,B,...", help="the columns to use (default: all others)"
    )
    task = group.add_mutually_exclusive_group()
    task.add_argument(
        "--regression",
        dest="task",
        action="store_const",
        const="regression",
        help="predict a number, even if there are few different ones",
    )
    task.add_argument(
        "--classification",
        dest="task",
        action="store_const",
        const="classification",
        help="predict a class, even if there are many different numbers",
    )
    group.add_argument(
        "--hidden",
        type=widths,
        metavar="N,N,...",
        help="the units of the hidden layers, or none (default: 16,16)",
    )
    group.add_argument(
        "--activation",
        choices=[name for name in ACTIVATIONS if not name.endswith("softmax")],
        metavar="NAME",
        help="of the hidden layers: relu, tanh, sigmoid, gelu ... (default: relu)",
    )
    group.add_argument("--lr", type=positive, metavar="X", help="learning rate (default: 0.01)")
    group.add_argument(
        "--weight-decay", type=not_negative, metavar="X", help="of AdamW (default: 0.3)"
    )
    group.add_argument(
        "--batch-size", type=count, metavar="N", help="examples to a step (default: 32)"
    )
    group.add_argument(
        "--test-size", type=share, metavar="X", help="the share held out (default: 0.2)"
    )
    group.add_argument(
        "--seed", type=seed, metavar="N", help="of the split, the weights, the batches (default: 0)"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    refuse_same_file(arguments.csv, arguments.output)
    check_writable(arguments.output)
    settings = _settings(arguments)
    table = _read(arguments, settings)
    parts = split(table, settings)
    if arguments.resume:
        _check_resumed(arguments.output, parts.card)
    model = _build(settings, len(table.columns), max(len(table.class_names or ()), 1))
    _introduce(screen, arguments, settings, table, parts, model)

    history = _fit(arguments, settings, parts, model)
    if history.stopped is not None and history.stopped.startswith("interrupted"):
        return _tell_the_interruption(screen, arguments, len(history))
    _tell_the_end(screen, history, arguments.epochs)
    if table.class_names is None:
        report_numbers(screen, model, parts)
    else:
        report_classes(screen, model, parts, table.class_names)
    screen.line()
    screen.fact("saved", f"{screen.bold(arguments.output)}, with all that predict needs")
    screen.fact("next", screen.code(_predict_command(arguments)))
    return 0


# ------------------------------------------------------------------------------------ the data


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of ``DEFAULTS``; those of the saved training, if it is resumed."""
    given = {k: getattr(arguments, k) for k in DEFAULTS if getattr(arguments, k) is not None}
    if not (arguments.resume and os.path.exists(arguments.output)):
        return {**DEFAULTS, **given}
    _, card = load_model(arguments.output)
    if card.target != arguments.target:
        raise CommandError(
            f"{arguments.output}: it is trained to predict {card.target!r}, not "
            f"{arguments.target!r}; leave out --resume to train anew"
        )
    saved = {**DEFAULTS, **{k: v for k, v in card.settings.items() if k in DEFAULTS}}
    saved = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
    for name, value in given.items():
        if value != saved[name]:
            option = value if name == "task" else name.replace("_", "-")
            raise CommandError(
                f"{arguments.output}: it was trained with another --{option}; leave it out to go "
                "on as before, or leave out --resume to train anew"
            )
    return saved


def _read(arguments: argparse.Namespace, settings: dict[str, Any]) -> data.Table:
    columns = settings["columns"]
    if columns is not None and arguments.target in columns:
        raise CommandError(f"the target {arguments.target!r} can't be one of --columns too")
    return csv_file.read(arguments, arguments.target, columns=columns, task=settings["task"])


def _check_resumed(path: str, card: ModelCard) -> None:
    """Raise if the saved training was on other data."""
    if os.path.exists(path):
        _, saved = load_model(path)
        if saved.settings.get("data") != card.settings["data"]:
            raise CommandError(
                f"{path}: it was trained on other data than these; leave out --resume to train anew"
            )


# -------------------------------------------------------------------------------- the training


def _build(settings: dict[str, Any], inputs: int, outputs: int) -> Sequential:
    generator = np.random.default_rng(settings["seed"])
    activation = settings["activation"]
    layers: list[Any] = []
    for units in settings["hidden"]:
        draw = initialisers.by_name("auto", activation)
        layers += [Linear(inputs, units, init=draw, seed=generator), activation]
        inputs = units
    return Sequential(*layers, Linear(inputs, outputs, init="xavier", seed=generator))


def _fit(
    arguments: argparse.Namespace, settings: dict[str, Any], parts: Parts, model: Sequential
) -> training.History:
    classes = bool(parts.card.class_names)
    metric = "accuracy" if classes else "r2"
    shown = {"loss": "loss", metric: "accuracy" if classes else "R²", f"val_{metric}": "validation"}
    callbacks: list[Any] = [CardHolder(parts.card), Progress(shown)]
    if parts.stopping is not None:
        callbacks.append(training.EarlyStopping(patience=PATIENCE))
    else:
        callbacks.append(training.StopOnConvergence())
    history = training.fit(
        model,
        *parts.train,
        loss="cross_entropy" if classes else "mse",
        optimizer=training.AdamW(
            model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"]
        ),
        epochs=arguments.epochs,
        batch_size=settings["batch_size"],
        validation_data=parts.stopping,
        callbacks=callbacks,
        metrics=[metric],
        seed=settings["seed"],
        checkpoint=arguments.output,
        resume=arguments.resume,
        progress=False,
        checkpoint_every=CHECKPOINT_EVERY,
    )
    if history.stopped is not None and history.stopped.startswith(BROKEN):
        reason = history.stopped.split(";")[0]
        raise CommandError(f"{reason}; choose a lower --lr than {settings['lr']:g}", code=1)
    return history


# ---------------------------------------------------------------------------------- the report


def _introduce(
    screen: Screen,
    arguments: argparse.Namespace,
    settings: dict[str, Any],
    table: data.Table,
    parts: Parts,
    model: Sequential,
) -> None:
    screen.heading(f"micrograd-nn train · {shorten(arguments.csv, 60)}")
    about = f"{plural(len(table), 'row')}, {plural(len(table.columns), 'column')} to predict "
    about += f"{shorten(arguments.target)} by"
    if table.class_names is not None:
        sizes = np.bincount(np.asarray(table.y), minlength=len(table.class_names)).tolist()
        pairs = [f"{shorten(n)} {s}" for n, s in zip(table.class_names, sizes, strict=True)]
        more = f" and {len(pairs) - 6} more" if len(pairs) > 6 else ""
        screen.fact("data", about)
        screen.fact("classes", ", ".join(pairs[:6]) + more)
    else:
        screen.fact("data", about)
    counts = f"{len(parts.train[0]):,} rows to train on"
    if parts.stopping is not None:
        counts += f", {len(parts.stopping[0]):,} to validate"
    if parts.test is not None:
        counts += f", {len(parts.test[0]):,} held out"
    screen.fact("split", counts)
    sizes = [len(table.columns), *settings["hidden"], max(len(table.class_names or ()), 1)]
    parameters = sum(int(p.data.size) for p in model.parameters())
    activation = f" with {settings['activation']}" if settings["hidden"] else ""
    shape = " → ".join(map(str, sizes))
    screen.fact("network", f"{shape}{activation}, {plural(parameters, 'parameter')}")
    screen.fact(
        "steps", f"AdamW, learning rate {settings['lr']:g}, {settings['batch_size']} rows each"
    )
    if arguments.resume:
        exists = os.path.exists(arguments.output)
        text = "going on with" if exists else "starting anew, since there is no"
        screen.fact("resume", f"{text} {arguments.output}")
    screen.line()


def _tell_the_end(screen: Screen, history: training.History, epochs: int) -> None:
    """Say how far the training went and why it ended there."""
    text = f"{len(history)} of {plural(epochs, 'epoch')}, {sum(history.times):.1f} s"
    if history.stopped is not None and "converged" in history.stopped:
        text += "; the loss no longer changes"
    best = [note.rpartition(" ")[2] for note in history.notes if "best epoch" in note]
    if best:
        early = "stopped early, with" if history.stopped is not None else "with"
        text += f"; {early} the weights of epoch {best[-1]}"
    screen.fact("trained", text)


def _tell_the_interruption(screen: Screen, arguments: argparse.Namespace, epochs: int) -> int:
    """Say what is there after Ctrl-C, and how to go on."""
    kept = load_model(arguments.output)[0].epoch or 0
    screen.fact("stopped", f"interrupted after {plural(epochs, 'epoch')}")
    screen.fact("saved", f"{screen.bold(arguments.output)}, as it was after epoch {kept}")
    words = [arguments.csv, *csv_file.options_given(arguments), "--target", arguments.target]
    words += ["-o", arguments.output, "--epochs", arguments.epochs, "--resume"]
    screen.fact("go on", screen.code(_command("train", *words)))
    return INTERRUPTED


def _predict_command(arguments: argparse.Namespace) -> str:
    options = csv_file.options_given(arguments)
    return _command("predict", arguments.output, arguments.csv, *options)


def _command(*words: object) -> str:
    return shlex.join(["micrograd-nn", *map(str, words)])
