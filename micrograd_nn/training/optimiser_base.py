"""What all optimisers share: the parameters they hold, their settings, their state, their step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.graph.backward import is_nan
from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.readers.compile.place import Place
from micrograd_nn.training.blocks import Array, blocks_of


class Optimizer:
    """The base of the optimisers: gathers the parameters, and lets a subclass move them.

    A step never writes into an array that a recorded graph may hold: each parameter gets a new
    one, of its own dtype. A parameter that no backward pass has reached has a gradient of 0, and
    takes part in the step like any other. A gradient that is NaN is applied as it is.

    A subclass lists its settings, names the arrays it keeps per parameter (``_state_names``) and
    defines its formula (``_update``).

    Parameters
    ----------
    parameters : iterable of Node
        Leaves, such as ``model.parameters()``.
    lr : float
        The learning rate α.

    Attributes
    ----------
    parameters : list of Node
    steps : int
        How many steps were made: t of the formulas.

    Raises
    ------
    TypeError
        If ``parameters`` isn't an iterable of nodes.
    ValueError
        If there are none, one stands twice, or one isn't a leaf that requires a gradient; or if a
        setting is out of its range.

    Examples
    --------
    >>> from micrograd_nn import Tensor
    >>> class SignDescent(Optimizer):
    ...     def _update(self, theta, grad, out, *state):
    ...         np.subtract(theta, self.lr * np.sign(grad), out=out)
    >>> w = Tensor([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> SignDescent([w], lr=0.5).step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    #: The settings besides lr: attributes that are checked, shown and saved.
    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Iterable[Node], lr: float) -> None:
        self.parameters: list[Node] = checked_parameters(parameters)
        self._blocks = blocks_of(self.parameters)
        self._state: dict[str, list[Array]] = {}
        self._per_block: list[list[Array]] = [[] for _ in self._blocks]
        self.steps = 0
        self.lr = checked_number("the learning rate lr", lr, above=0.0)
        self._check_settings(vars(self))

    @property
    def lr(self) -> float:
        """The learning rate. It may be set at any time; a schedule may let it end at 0."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = checked_number("the learning rate lr", lr)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter._grad = UNREACHED

    def step(self) -> None:
        """Move each parameter once, by its gradient."""
        self._begin_step()
        self._move()

    def _move(self) -> None:
        for block, state in zip(self._blocks, self._per_block, strict=True):
            block.update(self._update, state)

    def _begin_step(self) -> None:
        self.steps += 1
        names = self._state_names()
        if names != tuple(self._state):
            self._keep({n: self._state.get(n) or [b.zeros() for b in self._blocks] for n in names})
        self._prepare()

    # -------------------------------------------------------------- what a compiled program calls

    def can_settle(self) -> bool:
        """Tell whether its step is that of this class, which moves parameters where they lie."""
        return type(self).step is Optimizer.step and "step" not in vars(self)

    def settle(self) -> list[Place]:
        """Return where the data and the gradients of the parameters lie from now on, in order."""
        places = {id(place.node): place for block in self._blocks for place in block.settle()}
        return [places[id(node)] for node in self.parameters]

    def refresh(self) -> None:
        """Take over what was written to parameters since the last step."""
        for block in self._blocks:
            block.refresh()

    def has_nan(self) -> bool:
        """Tell whether a settled gradient holds NaN."""
        return any(is_nan(b.gradients) for b in self._blocks)

    def gradients(self) -> list[Array]:
        """Return the settled gradients, as a flat array for each block."""
        return [block.gradients for block in self._blocks]

    def settled_data(self) -> list[Array]:
        """Return the settled data, as a flat array for each block."""
        return [block.settled_data() for block in self._blocks]

    def show_gradients(self) -> None:
        """Let the parameters have copies of their settled gradients."""
        for place in self.settle():
            gradient = np.array(place.gradient)
            place.node._grad = (
                float(gradient) if place.data is None and not gradient.ndim else gradient
            )

    def take_gradients(self) -> None:
        """Take over the gradients that the parameters have."""
        for place in self.settle():
            place.gradient[...] = place.node._grad

    def step_settled(self) -> None:
        """Move each parameter once, where it lies, by its settled gradient."""
        self._begin_step()
        self._move_settled()

    def _move_settled(self) -> None:
        decays = type(self)._update is not Optimizer._update
        for block, state in zip(self._blocks, self._per_block, strict=True):
            block.step_settled(self._update, None if decays else self._change, state)

    # ------------------------------------------------------------------- what a subclass defines

    def _state_names(self) -> tuple[str, ...]:
        """Return the names of the arrays kept for each parameter, such as ``("m", "v")``."""
        return ()

    def _prepare(self) -> None:
        """Compute what the updates of one step have in common."""

    def _update(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        """Write the new parameters to ``out``, and the new state into ``state``.

        ``theta`` and ``grad`` must not be changed. All arrays are flat, of one length, and hold
        some of the parameters: the formula works element by element.
        """
        self._change(theta, grad, out, *state)
        np.subtract(theta, out, out=out)

    def _change(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        """Write to ``out`` what is to be subtracted from the parameters, instead of all that."""
        raise NotImplementedError(f"{type(self).__name__} must define _update() or _change()")

    @classmethod
    def _check_settings(cls, values: Mapping[str, Any]) -> None:
        """Raise a ValueError if a setting is out of its range."""

    # ------------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Array]:
        """Return the settings and the state as a flat dict of arrays: copies, and no objects.

        What is kept for the parameter at position 3 stands at ``"m.3"``; for all scalar
        parameters together, at ``"m.scalars"``.

        Examples
        --------
        >>> from micrograd_nn import Tensor
        >>> from micrograd_nn.training import SGD
        >>> sorted(SGD([Tensor([1.0, 2.0])], lr=0.1).state_dict())
        ['kind', 'lr', 'momentum', 'nesterov', 'steps', 'weight_decay']
        """
        state = {
            "kind": np.array(type(self).__name__),
            "steps": np.array(self.steps),
            "lr": np.array(self.lr),
        }
        state |= {name: np.array(getattr(self, name)) for name in self.settings}
        for name, arrays in self._state.items():
            for where, (block, start, stop, shape) in self._places().items():
                state[f"{name}.{where}"] = arrays[block][start:stop].reshape(shape).copy()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over settings and state; either all of it or, on an error, nothing.

        Raises
        ------
        ValueError
            If the state is of another kind of optimiser, or of other parameters.
        """
        mine = type(self).__name__
        kind = str(state.get("kind", "nothing"))
        if kind != mine:
            raise ValueError(f"the state is that of {kind}, not of {mine}: use the same optimiser")
        plain = ("kind", "steps", "lr", *self.settings)
        missing = [name for name in plain if name not in state]
        if missing:
            raise ValueError(f"the state of {mine} lacks {', '.join(missing)}: save it anew")
        values = {name: np.asarray(state[name]).tolist() for name in self.settings}
        self._check_settings(values)
        lr = checked_number("the learning rate lr", np.asarray(state["lr"]).item())
        steps = int(np.asarray(state["steps"]).item())
        arrays = self._checked_arrays({k: v for k, v in state.items() if k not in plain})
        for name, value in values.items():
            setattr(self, name, tuple(value) if isinstance(value, list) else value)
        self._lr, self.steps = lr, steps
        self._keep(arrays)

    def _checked_arrays(self, given: Mapping[str, Any]) -> dict[str, list[Array]]:
        """Return the arrays of the state by name, each a list with one flat array per block."""
        places = self._places()
        found: dict[str, set[str]] = {}
        for key, array in given.items():
            name, _, where = key.partition(".")
            shape = np.shape(array)
            if where not in places or shape != places[where][3]:
                mine = f"it has shape {places[where][3]}" if where in places else "there is none"
                raise ValueError(
                    f"the state has {key} of shape {shape}, but here {mine}: make the optimiser "
                    "with the same parameters in the same order"
                )
            found.setdefault(name, set()).add(where)
        result: dict[str, list[Array]] = {}
        for name, known in found.items():
            if len(known) < len(places):
                raise ValueError(
                    f"the state has {name} for {len(known)} parameters, but here are "
                    f"{len(places)}: make the optimiser with the same parameters"
                )
            result[name] = [block.zeros() for block in self._blocks]
            for where, (block, start, stop, _) in places.items():
                result[name][block][start:stop] = np.ravel(given[f"{name}.{where}"])
        return result

    def _places(self) -> dict[str, tuple[int, int, int, tuple[int, ...]]]:
        """Return, for each name of a parameter in the state, its block, place in it, and shape."""
        position = {id(node): i for i, node in enumerate(self.parameters)}
        places: dict[str, tuple[int, int, int, tuple[int, ...]]] = {}
        for k, block in enumerate(self._blocks):
            if block.scalars:
                places["scalars"] = (k, 0, block.size, (block.size,))
                continue
            for node, (start, stop) in zip(block.nodes, block.bounds, strict=True):
                places[str(position[id(node)])] = (k, start, stop, node.shape)
        return places

    def _keep(self, state: dict[str, list[Array]]) -> None:
        self._state = state
        self._per_block = [[state[n][k] for n in state] for k in range(len(self._blocks))]

    def __repr__(self) -> str:
        settings = "".join(f", {name}={getattr(self, name)!r}" for name in self.settings)
        count = sum(block.size for block in self._blocks)
        return f"{type(self).__name__}({count:,} parameters, lr={self.lr:g}{settings})"


def checked_parameters(parameters: Any) -> list[Node]:
    """Return the parameters as a list of leaves, each once; see ``Optimizer`` for the errors."""
    if isinstance(parameters, (Node, Mapping)) or not isinstance(parameters, Iterable):
        hint = "model.parameters()" if hasattr(parameters, "parameters") else "a list of them"
        kind = type(parameters).__name__
        raise TypeError(f"parameters must be an iterable of nodes, got a {kind}: pass {hint}")
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimise: the list is empty")
    seen: dict[int, int] = {}
    for i, node in enumerate(found):
        if not isinstance(node, Node):
            hint = ": pass model.parameters()" if isinstance(node, (str, tuple)) else ""
            raise TypeError(f"parameter {i} is a {type(node).__name__}, no Value or Tensor{hint}")
        what = f"parameter {i}" + (f" ({node.name})" if node.name else "")
        if id(node) in seen:
            raise ValueError(
                f"{what} is parameter {seen[id(node)]} again and would be moved twice: pass it once"
            )
        seen[id(node)] = i
        if node.op is not None:
            raise ValueError(
                f"{what} is the result of {node.op.name}, and only leaves can be moved: pass the "
                "nodes it was computed from"
            )
        if not node.requires_grad:
            raise ValueError(
                f"{what} is a constant, which has no gradient: leave it out, or make it with "
                "requires_grad=True"
            )
    return found


def checked_number(
    name: str, value: Any, *, above: float | None = None, below: float = math.inf
) -> float:
    """Return a setting as a float if 0 ≤ value < below, and value > above where that is given."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    if not 0.0 <= number < below or (above is not None and not number > above):
        if below < math.inf:
            wanted = f"in [0, {below:g})"
        else:
            wanted = "finite and " + ("0 or more" if above is None else f"above {above:g}")
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return number
