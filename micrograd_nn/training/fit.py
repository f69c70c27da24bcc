"""fit: train a model on data, in one call."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np

from micrograd_nn.data.batching import Batches
from micrograd_nn.nn import losses
from micrograd_nn.training.archive import PathLike
from micrograd_nn.training.callbacks import Callback, LearningRate
from micrograd_nn.training.compiled import CompiledSteps
from micrograd_nn.training.history import History
from micrograd_nn.training.inputs import checked_pair
from micrograd_nn.training.interrupts import Interrupts, dealt_with
from micrograd_nn.training.loop import Loop, NotFiniteError
from micrograd_nn.training.model_state import check_model, dtype_of, mode_kept, quiet
from micrograd_nn.training.optimiser_base import Optimizer, checked_number
from micrograd_nn.training.optimisers import Adam
from micrograd_nn.training.prediction import loss_name, metrics_for
from micrograd_nn.training.progress import ProgressLine, is_terminal
from micrograd_nn.training.resuming import Journal, seed_generators
from micrograd_nn.training.schedules import SCHEDULES, Schedule, checked_count


def fit(
    model: Any,
    X: Any,
    y: Any,
    loss: str | Callable[[Any, Any], Any] = "mse",
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation_data: Any = None,
    callbacks: Iterable[Any] = (),
    metrics: Any = (),
    seed: int | None = None,
    progress: bool = True,
    checkpoint: PathLike | None = None,
    resume: bool = False,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
    compile: bool | Literal["always"] = True,
    checkpoint_every: int = 1,
) -> History:
    """Train a model: forward, cost, backpropagation, descent; batch by batch, epoch by epoch.

    Ctrl-C ends it between two steps, with the weights as they are then; a loss or gradient that is
    NaN or infinite ends it before the step that would have written it into the weights. Both
    return the history, whose ``stopped`` tells.

    Parameters
    ----------
    model : Module
        Called on batches (rows of X) in ``train()`` mode, on the validation data in ``eval()``
        mode; afterwards each part is in the mode it was in.
    X : array-like, shape (m, n)
        The examples, as rows; turned into the dtype of the model's parameters.
    y : array-like, shape (m,) or (m, k)
        The targets; integers stay integers.
    loss : str or callable
        A loss of ``micrograd_nn.nn.losses`` by name, or ``loss(prediction, target)``, a scalar
        node. A target (m,) is given to it as (m, 1) where the prediction is.
    optimizer : Optimizer, optional
        ``Adam(model.parameters(), lr=1e-3)`` by default.
    epochs : int
        How often to go through the data, those of a resumed training included.
    batch_size : int, optional
        How many examples to a step; all by default. The order is drawn anew for each epoch.
    validation_data : (X, y), optional
        Data to measure the loss and the metrics on after each epoch.
    callbacks : sequence
        Of ``Callback``, such as ``EarlyStopping()``; of schedules; or of functions
        ``(epoch, logs)``.
    metrics : sequence or dict
        Names ("accuracy", "mae", "mse", "r2") or functions of (prediction, target). The loss, or
        else the targets or the model's last activation, tell where accuracy has its threshold.
    seed : int, optional
        The same seed gives the same numbers: it orders the batches, and starts the random
        generators of the model's dropout layers. By default one is drawn for the batches, and
        kept in ``history.seed``; dropout layers go on with the generators that they have.
    progress : bool
        Whether to show a progress line, if the standard error is a terminal.
    checkpoint : path, optional
        A file to write the whole state of the training to, before the first epoch and after each.
    resume : bool
        Go on from the checkpoint, if the file exists. A training that was killed and is resumed
        with the same arguments ends with the same numbers as one that wasn't, bit for bit.
    clip_norm : float, optional
        The norm that the gradient of all parameters together is limited to.
    schedule : callable, optional
        From the number of epochs done to the learning rate, such as ``CosineDecay(0.1, 100)``.
    compile : bool or "always"
        Whether to run the steps by a program, once two of them have been recorded and agree. The
        numbers are the same; ``history.compiled`` says whether it was done, or why not. A program
        doesn't call the model and the loss any more, so it is made only where both are the
        library's own. For your own, "always" says that their results depend on the batch, the
        parameters and their own generators alone.
    checkpoint_every : int
        Write the checkpoint only after every so many epochs, and after the last.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If the arguments make no sense, or the data are empty, of different lengths, or hold NaN;
        the message names the place.
    CheckpointError
        If the checkpoint can't be written, or isn't that of such a training.

    Examples
    --------
    >>> from micrograd_nn.data import circles
    >>> from micrograd_nn.nn import MLP
    >>> from micrograd_nn.training import Adam
    >>> X, y = circles(100, noise=0.1, seed=0)
    >>> model = MLP(2, [8, 1], seed=0)
    >>> history = fit(
    ...     model,
    ...     X,
    ...     y,
    ...     "binary_cross_entropy_with_logits",
    ...     epochs=60,
    ...     seed=0,
    ...     optimizer=Adam(model.parameters(), lr=0.1),
    ...     metrics=["accuracy"],
    ... )
    >>> history.metrics["accuracy"][-1]
    1.0
    """
    check_model(model)
    dtype = dtype_of(model)
    inputs, target = checked_pair(X, y, dtype)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
            raise ValueError("validation_data must be a pair (X, y), such as (X_test, y_test)")
        validation = checked_pair(validation_data[0], validation_data[1], dtype, "validation ")
    if compile not in (True, False, "always"):
        raise ValueError(f"compile must be True, False or 'always', got {compile!r}")
    epochs = checked_count("epochs", epochs, 0)
    every = checked_count("checkpoint_every", checkpoint_every, 1)
    size = None if batch_size is None else checked_count("batch_size", batch_size, 1)
    limit = None if clip_norm is None else checked_number("clip_norm", clip_norm, above=0.0)
    if seed is not None:
        seed = checked_count("seed", seed, 0)
    if resume and checkpoint is None:
        raise ValueError("resume=True needs checkpoint=, the file to resume from")
    optimizer = _checked_optimizer(model, optimizer)
    listed = _listed(callbacks, schedule)
    function = losses.by_name(loss)
    chosen = metrics_for(metrics, loss_name(loss), model, inputs, target)
    settings = {"loss": loss_name(loss), "batch_size": size, "examples": len(inputs)}

    journal = None
    history = History()
    resumed = False
    if checkpoint is not None:
        journal = Journal(checkpoint, model, optimizer, listed, settings)
        if resume and journal.exists():
            history, resumed = journal.take_up(epochs), True
    if not resumed and seed is not None:
        seed_generators(model, seed)
    if resumed and seed is not None and seed != history.seed:
        history.note(f"seed is {seed}, and was {history.seed} in the training that is resumed")
    seed = history.seed if seed is None else seed
    batches = Batches(inputs, target, size, seed)
    history.seed = batches.seed
    line = ProgressLine() if progress and is_terminal(sys.stderr) else None
    if line is not None:
        listed.append(line)
    for callback in listed:
        _attach(callback, model, optimizer, history, epochs)

    with mode_kept(model), quiet(), Interrupts() as interrupts:
        if hasattr(model, "train"):
            model.train()
        loop = Loop(
            model, function, optimizer, batches, validation, chosen, limit, history, interrupts,
            CompiledSteps(model, function, optimizer, history, compile == "always")
            if compile
            else None,
            None if line is None else line.on_batch_end,
        )  # fmt: skip
        _call(listed, "on_train_begin")
        if journal is not None and not resumed:
            journal.write(history)
        whole = _run(loop, listed, epochs, journal, every)
        last = model.state_dict() if journal is not None and whole else {}
        _call(listed, "on_train_end")
        if journal is not None and whole and _differs(last, model.state_dict()):
            interrupts.whole(journal.write, history, last)
    return history


def _run(
    loop: Loop, callbacks: list[Any], epochs: int, journal: Journal | None, every: int
) -> bool:
    """Run the epochs that are left; tell whether the training came to its own end."""
    history = loop.history
    epoch = len(history)
    try:
        while epoch < epochs and history.stopped is None:
            epoch += 1
            _call(callbacks, "on_epoch_begin", epoch)
            logs = loop.run_epoch(epoch)
            history.append(logs)
            _call(callbacks, "on_epoch_end", epoch, logs)
            reasons = [c.stop for c in callbacks if getattr(c, "stop", None)]
            history.stopped = "; ".join(map(str, reasons)) or None
            last = epoch == epochs or history.stopped is not None
            if journal is not None and (last or epoch % every == 0):
                loop.interrupts.whole(journal.write, history)
    except KeyboardInterrupt:
        dealt_with()
        history.stopped = f"interrupted by the user at epoch {epoch}"
        return False
    except NotFiniteError as error:
        history.stopped = str(error)
        return False
    return True


def _call(callbacks: list[Any], method: str, *args: Any) -> None:
    for callback in callbacks:
        act = getattr(callback, method, None)
        if act is not None:
            act(*args)


class _Function(Callback):
    """A plain function, called after each epoch."""

    def __init__(self, function: Callable[[int, dict[str, float]], Any]) -> None:
        self._function = function

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Call it."""
        self._function(epoch, logs)


def _listed(callbacks: Iterable[Any], schedule: Schedule | None) -> list[Any]:
    """Return the callbacks, the schedule among them, as objects with the methods of Callback."""
    listed: list[Any] = [] if schedule is None else [LearningRate(schedule)]
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        callbacks = [callbacks]
    for callback in callbacks:
        if isinstance(callback, type):
            raise TypeError(
                f"callbacks must be objects, got the class {callback.__name__}: call it"
            )
        if isinstance(callback, SCHEDULES):
            listed.append(LearningRate(callback))
        elif any(hasattr(callback, f"on_{when}") for when in _WHEN):
            listed.append(callback)
        elif callable(callback):
            listed.append(_Function(callback))
        else:
            raise TypeError(
                f"a callback has methods such as on_epoch_end(epoch, logs), or is a function of "
                f"them; got {callback!r}"
            )
    return listed


_WHEN = ("train_begin", "epoch_begin", "epoch_end", "train_end")


def _attach(callback: Any, model: Any, optimizer: Optimizer, history: History, epochs: int) -> None:
    given = {"model": model, "optimizer": optimizer, "history": history, "epochs": epochs}
    for name, value in given.items():
        with contextlib.suppress(AttributeError):  # an object of one's own may have no room for it
            setattr(callback, name, value)


def _checked_optimizer(model: Any, optimizer: Any) -> Optimizer:
    if optimizer is None:
        return Adam(model.parameters())
    if not isinstance(optimizer, Optimizer):
        what = f"the class {optimizer.__name__}" if isinstance(optimizer, type) else repr(optimizer)
        raise TypeError(
            f"the optimizer must be such as Adam(model.parameters(), lr=1e-3), got {what}"
        )
    mine = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in mine for parameter in optimizer.parameters):
        raise ValueError(
            "the optimizer holds no parameter of this model: make it with model.parameters()"
        )
    moved = {id(parameter) for parameter in optimizer.parameters}
    if moved - mine and mine - moved:
        raise ValueError(
            f"the optimizer holds {len(moved - mine)} parameters that aren't this model's, and not "
            f"{len(mine - moved)} that are: were they replaced after it was made? Make it anew, "
            "with model.parameters()"
        )
    return optimizer


def _differs(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return before.keys() != after.keys() or any(
        not np.array_equal(array, after[name], equal_nan=True) for name, array in before.items()
    )
