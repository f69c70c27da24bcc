"""Model cards: what a saved model has to know of its data in order to be used on other data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn import training
from micrograd_nn.cli.parsing import CommandError
from micrograd_nn.data import Standardizer

Array = npt.NDArray[np.float64]

OUTPUTS = ("logits", "probability", "number")


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model beside its weights.

    Attributes
    ----------
    target : str
        The column that it predicts.
    columns : tuple of str
        Its inputs, in order.
    output : {"logits", "probability", "number"}
        What it returns: a logit for each class, the probability of the second of two classes, or a
        number (standardised by ``target_mean`` and ``target_scale``).
    class_names : tuple of str
        Empty for numbers.
    mean, scale : tuple of float
        How each input is standardised: (x − mean) / scale.
    target_mean, target_scale : float
    settings : dict
        How it was trained.
    """

    target: str
    columns: tuple[str, ...]
    output: str
    class_names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0
    settings: dict[str, Any] = field(default_factory=dict)

    def standardised(self, X: npt.ArrayLike) -> Array:
        """Return rows as the model takes them.

        Raises
        ------
        ValueError
            If a number is so large that the result is none.
        """
        scaler = Standardizer.from_arrays({"mean": self.mean, "scale": self.scale})
        rows = scaler.transform(X)
        finite = np.all(np.isfinite(rows), axis=0)
        if not np.all(finite):
            name = self.columns[int(np.argmin(finite))]
            raise ValueError(f"column {name!r} has a number that is too large")
        return rows

    def probabilities(self, model: Any, X: npt.ArrayLike) -> Array:
        """Return the probability of each class for rows as the file has them, (m, C)."""
        inputs = self.standardised(X)
        if self.output == "logits":
            return training.predict_proba(model, inputs, from_logits=True)
        second = training.predict_proba(model, inputs, from_logits=False).reshape(-1, 1)
        return np.hstack([1.0 - second, second])

    def numbers(self, model: Any, X: npt.ArrayLike) -> Array:
        """Return the predicted numbers for rows as the file has them, (m,)."""
        raw = training.predict(model, self.standardised(X)).reshape(-1)
        return np.asarray(raw * self.target_scale + self.target_mean)

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Return the card of a text.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the text is none, or makes no sense.

        Examples
        --------
        >>> card = ModelCard("y", ("a",), "number", (), (0.5,), (2.0,))
        >>> ModelCard.from_json(card.to_json()) == card
        True
        """
        state = json.loads(text)
        card = cls(
            target=str(state["target"]),
            columns=tuple(map(str, state["columns"])),
            output=str(state["output"]),
            class_names=tuple(map(str, state["class_names"])),
            mean=tuple(map(float, state["mean"])),
            scale=tuple(map(float, state["scale"])),
            target_mean=float(state["target_mean"]),
            target_scale=float(state["target_scale"]),
            settings=dict(state["settings"]),
        )
        if card.output not in OUTPUTS:
            raise ValueError(f"no output {card.output!r}")
        if not len(card.columns) == len(card.mean) == len(card.scale) > 0:
            raise ValueError("its columns and scales differ in number")
        if (card.output == "number") != (not card.class_names):
            raise ValueError("its classes don't fit its output")
        return card


class CardHolder(training.Callback):
    """A callback that does nothing but have its card written into the checkpoints of ``fit``.

    So a model that is still being trained, or was killed, can already be used.
    """

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    def state_dict(self) -> dict[str, Any]:
        """Return the card, to be saved."""
        return {"card": self.card.to_json()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: the card of a training that is resumed is the same."""


def load_model(path: str) -> tuple[training.Checkpoint, ModelCard]:
    """Load a model that was saved by ``train`` or ``demo``, and its card.

    Raises
    ------
    CheckpointError
        If the file is missing or damaged, or is no checkpoint.
    CommandError
        If it has no card.
    """
    found = training.load(path)
    text = _card_text(found.extra)
    if text is None:
        raise CommandError(
            f"{path}: it doesn't say which columns it needs; only a model that was saved by "
            "micrograd-nn train or demo does"
        )
    try:
        return found, ModelCard.from_json(text)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CommandError(f"{path}: what it says of its data makes no sense ({error})") from None


def _card_text(extra: Mapping[str, Any]) -> str | None:
    """Find the card in what ``save`` was given, or in the state of the callbacks of ``fit``."""
    card = extra.get("card")
    if card is None:
        try:
            states = [
                callback["state"]
                for callback in extra["training"]["callbacks"]
                if callback["type"] == CardHolder.__name__
            ]
            card = states[0]["card"]
        except (KeyError, IndexError, TypeError):
            return None
    return card if isinstance(card, str) else None
