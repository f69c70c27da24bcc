"""The layers of a network as a reader sees them: by what a module offers, whatever its class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from micrograd_nn.graph.node import no_grad


class Call(NamedTuple):
    """A layer that was called, and what it returned."""

    path: str
    result: Any


def is_network(thing: Any) -> bool:
    """Tell whether a thing names its modules and parameters."""
    named = hasattr(thing, "named_modules") and hasattr(thing, "named_parameters")
    return named and not isinstance(thing, type)


def check_network(model: Any, reader: str) -> None:
    """Raise a TypeError if a thing isn't a network."""
    if not is_network(model):
        raise TypeError(
            f"{reader}() takes a network with named_modules() and named_parameters(), "
            f"got {type(model).__name__}"
        )


def layers_of(model: Any) -> dict[str, Any]:
    """Return the modules that are layers by dotted name: the innermost ones, neurons not counted.

    One that has parameters of its own beside its parts is a layer too.
    """
    modules = dict(model.named_modules())
    neurons = {path for path in modules if path.rpartition(".")[0].rpartition(".")[2] == "neurons"}
    kept = {path: module for path, module in modules.items() if path not in neurons or not path}
    # The paths around each module, so that no pair of modules need be compared.
    around = {path[:i] for path in kept for i, c in enumerate(path) if c == "."}
    around |= {""} if len(kept) > 1 else set()
    return {
        path: module
        for path, module in kept.items()
        if path not in around or _has_own_parameters(module)
    }


def parameters_by_layer(model: Any, layers: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield each parameter once: the name of its layer, its name there, and the node."""
    for name, node in model.named_parameters():
        owner = name
        while owner and owner not in layers:
            owner = owner.rpartition(".")[0]
        yield owner, name[len(owner) + 1 :] if owner else name, node


def calls(model: Any, layers: dict[str, Any], example: Any) -> list[Call]:
    """Run a network on an example, leaving no trace; return what its layers gave, in order."""
    heard: list[Call] = []
    before = [(module, dict(vars(module))) for _, module in model.named_modules()]

    def listening(path: str, module: Any) -> Any:
        forward = type(module).forward

        def noting(*args: Any, **kwargs: Any) -> Any:
            result = forward(module, *args, **kwargs)
            heard.append(Call(path, result))
            return result

        return noting

    try:
        for module, _ in before:
            module.training = False
        for path, module in layers.items():
            vars(module)["forward"] = listening(path, module)
        with no_grad():
            model(example)
    finally:
        for module, attributes in before:
            vars(module).clear()
            vars(module).update(attributes)
    return heard


def kind_of(module: Any, longest: int = 40) -> str:
    """Return how a layer shows itself, or just its type where that is long."""
    text = repr(module)
    name = type(module).__name__
    return text if text.startswith(name) and len(text) <= longest and "\n" not in text else name


def _has_own_parameters(module: Any) -> bool:
    """Tell whether a module holds parameters itself, rather than its parts."""
    inner = {path for path, _ in module.named_modules() if path}
    return any(
        not any(name[:i] in inner for i, c in enumerate(name) if c == ".")
        for name, _ in module.named_parameters()
    )
