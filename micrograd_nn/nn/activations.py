"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_nn.graph import functions

Activation = Callable[[Any], Any]


def identity(x: Any) -> Any:
    """Return x: the activation of a linear layer.

    Examples
    --------
    >>> identity(3.0)
    3.0
    """
    return x


#: Every activation function by its name.
ACTIVATIONS: dict[str, Activation] = {
    "identity": identity,
    "linear": identity,
    **{
        name: getattr(functions, name)
        for name in (
            "relu leaky_relu elu gelu silu sigmoid tanh softplus softmax log_softmax sin"
        ).split()
    },
}


def by_name(activation: str | Activation | None) -> Activation:
    """Return the activation function of that name; a function is returned as it is.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.

    Examples
    --------
    >>> by_name("relu")(-3.0)
    0.0
    """
    if activation is None:
        return identity
    if callable(activation):
        return activation
    found: Activation = chosen("activation", activation, ACTIVATIONS)
    return found


def name_of(activation: Activation) -> str:
    """Return the name by which ``by_name`` finds the activation, or its own name."""
    for name, function in ACTIVATIONS.items():
        if function is activation:
            return name
    return str(getattr(activation, "name", getattr(activation, "__name__", repr(activation))))


def chosen(what: str, name: str, table: dict[str, Any]) -> Any:
    """Return ``table[name]``, or say which names there are."""
    if name in table:
        return table[name]
    import difflib  # only an error needs it

    near = difflib.get_close_matches(str(name), table, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no {what} {name!r}.{hint} There are: {', '.join(table)}")
