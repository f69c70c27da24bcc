"""Module: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.graph.node import Node, clock, modes
from micrograd_nn.graph.tensor import Tensor

FloatArray = np.ndarray[Any, Any]


class Parts(list[Any]):
    """A list of parameters or parts; what was made of them notices when it is changed."""

    name = ""  # of the attribute that it is


def _noticed(name: str) -> Any:
    change = getattr(list, name)

    def noticed(self: Parts, *args: Any, **kwargs: Any) -> Any:
        clock.time += 1
        clock.changes += 1
        result = change(self, *args, **kwargs)
        _give_scopes(self.name, self)
        return result

    noticed.__name__ = name
    return noticed


for _name in (
    "__setitem__ __delitem__ __iadd__ __imul__ append extend insert pop remove clear sort reverse"
).split():
    setattr(Parts, _name, _noticed(_name))


class Module:
    """The base of layers and networks.

    A parameter is a leaf node that requires a gradient and is an attribute, or stands in a list,
    tuple or dict that is one; a module so held is a part. Their names are the dotted paths to
    them. A subclass defines ``forward``.

    An attribute whose name begins with ``_`` is private to the module: what it holds is neither
    trained nor saved, and is in none of the lists. Give what is to be learnt a public name.

    Attributes
    ----------
    training : bool
        Whether layers behave as in training (dropout drops, batch norm measures).

    Raises
    ------
    NotImplementedError
        If it is called and the subclass doesn't define ``forward``.

    Examples
    --------
    >>> from micrograd_nn import Tensor
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(2.0)
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> scale = Scale()
    >>> [name for name, _ in scale.named_parameters()]
    ['factor']
    >>> scale._frozen = Tensor(3.0)
    >>> len(scale.parameters())
    1
    """

    #: Names of attributes that are saved with the parameters but not trained.
    buffers: ClassVar[tuple[str, ...]] = ()

    training: bool = True
    _scope: str = ""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``forward(...)``; layers and tensors recorded in it carry its name as scope."""
        outer = modes.scope
        name = self._scope or type(self).__name__
        modes.scope = f"{outer}.{name}" if outer else name
        try:
            return self.forward(*args, **kwargs)
        finally:
            modes.scope = outer

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_lost(name, value)
        value = Parts(value) if type(value) is list else value
        if isinstance(value, Parts):
            value.name = name
        _give_scopes(name, value)
        clock.time += 1  # what was gathered from the old parameters is out of date
        clock.changes += name != "training"
        object.__setattr__(self, name, value)

    def _refuse_lost(self, name: str, value: Any) -> None:
        """Raise a TypeError if an array or a result would take the place of parameters.

        It would never be trained. A number or a detached leaf freezes a parameter.
        """
        before = vars(self).get(name)
        if name.startswith("_") or not any(_leaves_in(name, before)):
            return
        computed = isinstance(value, Node) and value.op is not None
        beside_tensor = isinstance(before, Tensor) and not isinstance(value, (Node, type(None)))
        if computed or beside_tensor or isinstance(value, np.ndarray):
            what = value.describe() if isinstance(value, Node) else f"a {type(value).__name__}"
            raise TypeError(
                f"{name} of {type(self).__name__} is a parameter, and {what} is none, so that it "
                f"would never be trained: write to the data ({name}.data = ...), or give a Tensor"
            )

    # ---------------------------------------------------------------------------- parameters

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield this module and all parts below it, each once, with their dotted names."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            prefix, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield prefix, module
            parts = [
                (_join(prefix, path), part)
                for name, value in module._attributes()
                for path, part in _parts(name, value)
            ]
            stack += reversed(parts)

    def named_parameters(self) -> Iterator[tuple[str, Node]]:
        """Yield each parameter once, with its dotted name."""
        seen: set[Node] = set()
        for prefix, module in self.named_modules():
            for name, value in module._own_nodes():
                if value not in seen:
                    seen.add(value)
                    yield _join(prefix, name), value

    def _attributes(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in vars(self).items() if not name.startswith("_")]

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if not k.endswith("_cache")}

    def _own_nodes(self) -> Iterator[tuple[str, Node]]:
        for name, value in self._attributes():
            yield from _leaves_in(name, value)

    def parameters(self) -> list[Any]:
        """Return all parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    # ---------------------------------------------------------------------------------- modes

    def train(self, mode: bool = True) -> Module:
        """Let this module and its parts behave as in training; return it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Let this module and its parts behave as in use; return it."""
        return self.train(False)

    def generators(self) -> dict[str, np.random.Generator]:
        """Return the random generators of the parts, by dotted name."""
        return {
            _join(name, "generator"): module.__dict__["generator"]
            for name, module in self.named_modules()
            if isinstance(module.__dict__.get("generator"), np.random.Generator)
        }

    # ---------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, FloatArray]:
        """Return copies of all parameters and buffers, by dotted name."""
        state = {name: np.array(node._data) for name, node in self.named_parameters()}
        for name, module, attribute in self._named_buffers():
            state[name] = np.array(getattr(module, attribute))
        return state

    def _named_buffers(self) -> Iterator[tuple[str, Module, str]]:
        for prefix, module in self.named_modules():
            for attribute in module.buffers:
                yield _join(prefix, attribute), module, attribute

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over parameters and buffers; either all of them or, on an error, none.

        Raises
        ------
        KeyError
            If names are missing from ``state`` or unknown to the module.
        ValueError
            If a shape differs.
        """
        parameters = dict(self.named_parameters())
        buffers = {name: (module, attr) for name, module, attr in self._named_buffers()}
        missing = [n for n in (*parameters, *buffers) if n not in state]
        unknown = [n for n in state if n not in parameters and n not in buffers]
        if missing or unknown:
            raise KeyError(
                f"the state doesn't fit {type(self).__name__}: "
                + "; ".join(
                    f"{what} {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
                    for what, names in (("missing", missing), ("unknown", unknown))
                    if names
                )
            )
        arrays = {name: np.asarray(array) for name, array in state.items()}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise ValueError(f"{name} holds no real numbers in the state, but {array.dtype}")
            module, attribute = buffers.get(name, (None, ""))
            target = parameters[name]._data if module is None else getattr(module, attribute)
            if array.shape != np.shape(target):
                raise ValueError(
                    f"{name} has shape {array.shape} in the state, {np.shape(target)} in "
                    f"{type(self).__name__}: build the model with the sizes it was saved with"
                )
        for name, node in parameters.items():
            node.data = arrays[name]  # type: ignore[attr-defined]
        for name, (module, attribute) in buffers.items():
            setattr(module, attribute, np.array(arrays[name]))

    def config(self) -> dict[str, Any] | None:
        """Return what ``from_config`` needs to build the module again, or None."""
        return None

    # -------------------------------------------------------------------------------- display

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from micrograd_nn.readers import draw

        bundle: dict[str, str] = draw(self)._repr_mimebundle_(include, exclude)
        if "text/plain" in bundle:
            bundle["text/plain"] = repr(self)
        return bundle

    def extra_repr(self) -> str:
        """Return the arguments to show between the parentheses of ``repr``."""
        return ""

    def __repr__(self) -> str:
        parts = [
            f"  {path}: " + repr(part).replace("\n", "\n  ")
            for name, value in self._attributes()
            for path, part in _parts(name, value)
        ]
        head = f"{type(self).__name__}({self.extra_repr()}"
        if not parts:
            return head + ")"
        return "\n".join([head, *parts, f")  # {count_of(self):,} parameters"])


def count_of(module: Module) -> int:
    """Return the number of trained numbers in a module."""
    return sum(int(np.size(p._data)) for p in module.parameters())


def _join(*names: str) -> str:
    return ".".join(name for name in names if name)


def _flattened(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _flattened(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _flattened(f"{name}.{key}", item)
    else:
        yield name, value


def _give_scopes(name: str, value: Any) -> None:
    for path, part in _parts(name, value):
        part.__dict__["_scope"] = path


def _parts(name: str, value: Any) -> Iterator[tuple[str, Module]]:
    if isinstance(value, (Module, list, tuple, dict)):
        for path, item in _flattened(name, value):
            if isinstance(item, Module):
                yield path, item


def _leaves_in(name: str, value: Any) -> Iterator[tuple[str, Node]]:
    """Yield the parameters in an attribute."""
    for path, item in _flattened(name, value):
        if isinstance(item, Node) and item.op is None and item.requires_grad:
            yield path, item
