"""Resuming: all that a training is made of, written down between two epochs, and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.training.archive import CheckpointError, PathLike, remove_leftovers
from micrograd_nn.training.checkpoints import Opened, save
from micrograd_nn.training.history import History
from micrograd_nn.training.optimiser_base import Optimizer

#: The names of the arrays of callbacks, and of the last weights, begin with these.
_CALLBACK, _LAST = "callback", "last"


class Journal:
    """The checkpoint file of one training.

    Besides the weights and the optimiser it holds the history, the state of each callback, of the
    schedule and of the model's random generators, and the seed of the batches: so that a training
    that is killed at any moment goes on, from the last epoch written, as if nothing had happened.

    Parameters
    ----------
    path : path
    model, optimizer, callbacks
        What it writes down and takes up.
    settings : dict
        What else the result depends on, to be compared when a training is resumed.
    """

    def __init__(
        self,
        path: PathLike,
        model: Any,
        optimizer: Optimizer,
        callbacks: Sequence[Any],
        settings: dict[str, Any],
    ) -> None:
        for method in ("state_dict", "load_state_dict"):
            if not hasattr(model, method):
                raise TypeError(f"checkpoint= needs a model with {method}(), as nn.Module has it")
        self.path = path
        self._model = model
        self._optimizer = optimizer
        self._stateful = [c for c in callbacks if hasattr(c, "state_dict")]
        self._settings = settings
        remove_leftovers(path)

    def exists(self) -> bool:
        """Tell whether there is a checkpoint to resume from."""
        return Path(self.path).exists()

    def write(self, history: History, last: dict[str, Any] | None = None) -> None:
        """Write down the training as it is after an epoch.

        ``last`` holds the weights after the last epoch, where the model's are others in the end.
        """
        arrays: dict[str, Any] = {f"{_LAST}.{k}": v for k, v in (last or {}).items()}
        states = []
        for i, callback in enumerate(self._stateful):
            state = callback.state_dict()
            plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
            arrays |= {f"{_CALLBACK}.{i}.{k}": v for k, v in state.items() if k not in plain}
            states.append({"type": type(callback).__name__, "state": plain})
        training = {
            "callbacks": states,
            "generators": {k: g.bit_generator.state for k, g in generators_of(self._model).items()},
            "settings": self._settings,
        }
        extra = {"training": training, **arrays}
        save(self.path, self._model, self._optimizer, len(history), history, extra)

    def take_up(self, epochs: int) -> History:
        """Put the training back to the checkpoint, and return its history.

        Raises
        ------
        CheckpointError
            If the file isn't that of such a training; nothing is changed then.
        """
        opened = Opened(self.path)
        try:
            training = opened.extra["training"]
            types = [state["type"] for state in training["callbacks"]]
            generators = training["generators"]
            settings = training["settings"]
        except (KeyError, TypeError) as error:
            problem = "it was written by save(), not by fit(checkpoint=...): load() it instead"
            raise CheckpointError.at(self.path, problem) from error
        mine = [type(callback).__name__ for callback in self._stateful]
        if types != mine or opened.history is None:
            problem = (
                f"it is of a training with the callbacks {', '.join(types) or 'none'}, here are "
                f"{', '.join(mine) or 'none'}: pass the same, or resume=False"
            )
            raise CheckpointError.at(self.path, problem)
        own = generators_of(self._model)
        if set(own) != set(generators):
            problem = "its model has other random generators (dropout layers) than this one"
            raise CheckpointError.at(self.path, problem)
        if not opened.is_of(self._model):
            problem = "its model has other layers or settings than this one: build the same"
            raise CheckpointError.at(self.path, problem)
        opened.put_into(self._model, self._optimizer)
        for name, generator in own.items():
            generator.bit_generator.state = generators[name]
        for i, callback in enumerate(self._stateful):
            start = f"{_CALLBACK}.{i}."
            arrays = _named(opened.extra, start)
            callback.load_state_dict({**training["callbacks"][i]["state"], **arrays})
        history = opened.history
        history.notes = [
            f"{name} is {now!r}, and was {settings[name]!r} in the training that is resumed"
            for name, now in self._settings.items()
            if name in settings and settings[name] != now
        ]
        last = _named(opened.extra, f"{_LAST}.")
        if last and history.stopped is None and len(history) < epochs:
            self._model.load_state_dict(last)
        return history


def generators_of(model: Any) -> dict[str, np.random.Generator]:
    """Return the model's random generators by name, if it has any."""
    return dict(model.generators()) if hasattr(model, "generators") else {}


def seed_generators(model: Any, seed: int) -> None:
    """Start the model's random generators (of dropout layers) from a seed."""
    for i, generator in enumerate(generators_of(model).values()):
        fresh = type(generator.bit_generator)(np.random.SeedSequence(seed, spawn_key=(i,)))
        generator.bit_generator.state = fresh.state


def _named(arrays: dict[str, Any], start: str) -> dict[str, Any]:
    return {key[len(start) :]: array for key, array in arrays.items() if key.startswith(start)}
