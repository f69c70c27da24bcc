"""Checkpoints: a model, with its optimiser and how far it was trained, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.training.archive import (
    Array,
    CheckpointError,
    PathLike,
    read_archive,
    write_archive,
)
from micrograd_nn.training.history import History
from micrograd_nn.training.optimiser_base import Optimizer
from micrograd_nn.training.optimisers import OPTIMIZERS

FORMAT = "micrograd_nn checkpoint"
VERSION = 1


@dataclass
class Checkpoint:
    """What ``load`` found in a file.

    Attributes
    ----------
    model
        The model that was passed, or a new one, with the weights of the file.
    optimizer : Optimizer or None
        The one that was passed, or a new one, with the state of the file; None if the file has
        none, or if it is of a class of one's own and none was passed.
    epoch : int or None
        How many epochs the model was trained.
    history : History or None
    extra : dict
        What was passed to ``save`` as ``extra``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from micrograd_nn import Linear, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.npz")
    ...     save(path, Linear(2, 1, seed=0), epoch=3)
    ...     found = load(path)
    >>> found.model, found.epoch, found.optimizer
    (Linear(2, 1), 3, None)
    """

    model: Any
    optimizer: Optimizer | None = None
    epoch: int | None = None
    history: History | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def save(
    path: PathLike,
    model: Any,
    optimizer: Optimizer | None = None,
    epoch: int | None = None,
    history: History | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Save a model, and how far it was trained, to one file.

    The file is an ``.npz`` archive of plain arrays, without pickle, under exactly the name given:
    ``numpy.load(path)["model/layers.0.W"]`` is a weight. It is replaced at once: at any moment the
    path holds the whole old or the whole new checkpoint.

    Parameters
    ----------
    path : str or path-like
    model : Module
        Its architecture is saved too, if it is made of the library's layers.
    optimizer : Optimizer, optional
    epoch : int, optional
        How many epochs the model was trained.
    history : History, optional
    extra : dict, optional
        Arrays, and whatever JSON can hold, by name.

    Raises
    ------
    CheckpointError
        If the file can't be written, or ``extra`` can't be saved. What was there before is as it
        was.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from micrograd_nn.nn import MLP
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.npz")
    ...     save(path, MLP(2, [3, 1], seed=0), epoch=5)
    ...     found = load(path)
    >>> type(found.model).__name__, found.epoch
    ('MLP', 5)
    """
    arrays = {f"model/{name}": array for name, array in model.state_dict().items()}
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "epoch": epoch,
        "history": None if history is None else history.to_dict(),
        "model": _config(model),
        "moved": None,
        "extra": {},
    }
    if optimizer is not None:
        arrays |= {f"optimizer/{key}": array for key, array in optimizer.state_dict().items()}
        header["moved"] = _names_of_moved(model, optimizer)
        if hasattr(model, "parameters") and not {*model.parameters()} & {*optimizer.parameters}:
            raise CheckpointError.at(path, "the optimizer holds no parameter of the model")
    _check_keys(path, extra or {})
    for key, value in (extra or {}).items():
        if isinstance(value, np.ndarray):
            arrays[f"extra/{key}"] = value
        else:
            header["extra"][key] = value
    for key, array in arrays.items():
        if array.dtype.hasobject:
            raise CheckpointError.at(path, f"{key} is an array of objects, which can't be saved")
    # A scalar network has hundreds of single numbers: they go into one array.
    single = [k for k, a in arrays.items() if a.ndim == 0 and a.dtype == np.float64]
    header["scalars"] = single
    together = np.array([float(arrays.pop(k)) for k in single])
    try:
        text = json.dumps(header, default=_plain)
    except (TypeError, ValueError) as error:
        raise CheckpointError.at(path, f"extra can't be saved: {error}") from error
    write_archive(path, {"header": np.array(text), "scalars": together, **arrays})


def load(path: PathLike, model: Any = None, optimizer: Optimizer | None = None) -> Checkpoint:
    """Load a checkpoint, into the model and the optimiser given or into new ones.

    Either all is loaded or, on an error, nothing is changed.

    Parameters
    ----------
    path : str or path-like
    model : Module, optional
        Of the architecture of the saved one. Without it the model is built anew, which needs a
        model made of the library's layers.
    optimizer : Optimizer, optional
        For the model's parameters. Without it one is made, if the file has one.

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, no checkpoint or of a later version, or doesn't fit.

    Examples
    --------
    ::

        save("run.npz", model, optimizer, epoch=20)
        found = load("run.npz")
        found.model, found.optimizer, found.epoch
    """
    return Opened(path).put_into(model, optimizer)


class Opened:
    """A checkpoint that was read and understood, and not yet put into anything.

    Attributes
    ----------
    epoch, history, extra
        As those of ``Checkpoint``.
    """

    def __init__(self, path: PathLike) -> None:
        self._path = path
        arrays = read_archive(path)
        header = _header(path, arrays)
        self._sections: dict[str, dict[str, Array]] = {"model": {}, "optimizer": {}, "extra": {}}
        try:
            singles = zip(header["scalars"], arrays["scalars"], strict=True)
            together = {**arrays, **{name: np.array(number) for name, number in singles}}
            for name, array in together.items():
                section, slash, key = name.partition("/")
                if slash:
                    self._sections[section][key] = array
            stored = header["history"]
            self.history = None if stored is None else History.from_dict(stored)
            self.extra: dict[str, Any] = {**header["extra"], **self._sections["extra"]}
            self.epoch: int | None = header["epoch"]
            self._moved, self._config = header["moved"], header["model"]
        except (KeyError, TypeError, ValueError) as error:
            problem = f"it is incomplete ({error!r}): use a copy of it, or save it anew"
            raise CheckpointError.at(path, problem) from error

    def is_of(self, model: Any) -> bool:
        """Tell whether the model is built as the one that was saved, as far as that is known."""
        config = _config(model)
        return self._config is None or config is None or self._config == config

    def put_into(self, model: Any = None, optimizer: Optimizer | None = None) -> Checkpoint:
        """Put it into a model and an optimiser, given or new: all of it, or nothing on an error."""
        state = self._sections["optimizer"]
        if model is None:
            model = _built(self._path, self._config)
        if optimizer is None:
            optimizer = _new_optimizer(model, state, self._moved)
        elif not state:
            problem = "it was saved without an optimiser: load it without one"
            raise CheckpointError.at(self._path, problem)
        elif self._moved not in (None, _names_of_moved(model, optimizer)):
            problem = (
                f"its optimiser moves {', '.join(self._moved)}: make yours with the same "
                "parameters in the same order"
            )
            raise CheckpointError.at(self._path, problem)
        before = None if optimizer is None else optimizer.state_dict()
        try:
            if optimizer is not None:
                optimizer.load_state_dict(state)
            try:
                model.load_state_dict(self._sections["model"])
            except BaseException:
                if optimizer is not None and before is not None:
                    optimizer.load_state_dict(before)
                raise
        except (KeyError, TypeError, ValueError) as error:
            problem = f"it doesn't fit: {error.args[0] if error.args else error}"
            raise CheckpointError.at(self._path, problem) from error
        return Checkpoint(model, optimizer, self.epoch, self.history, self.extra)


def _header(path: PathLike, arrays: Mapping[str, Array]) -> dict[str, Any]:
    foreign = "it isn't a checkpoint of micrograd_nn: only files written by save() or fit() are"
    try:
        header = json.loads(str(arrays["header"]))
        known = header["format"] == FORMAT
        version = header["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError.at(path, foreign) from error
    if not known:
        raise CheckpointError.at(path, foreign)
    if version != VERSION:
        problem = (
            f"it has format version {version}, and this release of micrograd_nn reads {VERSION}: "
            "install the release that wrote it, or a later one"
        )
        raise CheckpointError.at(path, problem)
    return header  # type: ignore[no-any-return]


def _config(model: Any) -> Any:
    """Return the architecture as JSON can hold it, or None."""
    from micrograd_nn.nn import to_config

    if not hasattr(model, "config"):
        return None
    try:
        return json.loads(json.dumps(to_config(model), default=_plain))
    except (TypeError, ValueError, NotImplementedError):
        return None  # load() will ask for the model


def _built(path: PathLike, config: Any) -> Any:
    from micrograd_nn.nn import from_config

    if config is None:
        problem = (
            "it doesn't hold the architecture, since the model has parts that aren't the library's "
            "own, or one that is used twice: build the model and pass it, load(path, model=...)"
        )
        raise CheckpointError.at(path, problem)
    try:
        return from_config(config)
    except (KeyError, TypeError, ValueError) as error:
        problem = f"its model can't be built ({error}): build it and pass it, load(path, model=...)"
        raise CheckpointError.at(path, problem) from error


def _check_keys(path: PathLike, items: Any) -> None:
    """Raise a CheckpointError if a key isn't text, as which it would come back."""
    if isinstance(items, (list, tuple)):
        for item in items:
            _check_keys(path, item)
    elif isinstance(items, Mapping):
        for key, item in items.items():
            if not isinstance(key, str):
                problem = f"extra can't be saved: the key {key!r} would come back as text"
                raise CheckpointError.at(path, problem)
            _check_keys(path, item)


def _names_of_moved(model: Any, optimizer: Optimizer) -> list[str] | None:
    """Return the names of the parameters that the optimiser moves, if all are the model's."""
    if not hasattr(model, "named_parameters"):
        return None
    names: dict[Node, str] = {node: name for name, node in model.named_parameters()}
    moved = [names.get(node) for node in optimizer.parameters]
    return None if None in moved else [name for name in moved if name is not None]


def _new_optimizer(
    model: Any, state: Mapping[str, Array], moved: list[str] | None
) -> Optimizer | None:
    kind = OPTIMIZERS.get(str(state.get("kind")))
    if kind is None or not moved or not hasattr(model, "named_parameters"):
        return None
    nodes = dict(model.named_parameters())
    if not set(moved) <= set(nodes):
        return None  # the model isn't the saved one, which its load_state_dict() will say
    return kind([nodes[name] for name in moved], lr=1.0)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is a {type(value).__name__}, and neither an array nor JSON")
