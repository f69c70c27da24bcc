"""Layers on tensors. Examples are rows: a layer takes (..., n_in) and returns (..., n_out)."""

from __future__ import annotations

import math
import re
from typing import Any, overload

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.drawn import Drawn, Kept
from micrograd_nn.graph.node import Node, modes
from micrograd_nn.graph.primitive import as_floating
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.nn import activations, initialisers
from micrograd_nn.nn.module import Module


class Linear(Module):
    """An affine layer, z = x Wᵀ + b.

    Parameters
    ----------
    n_in, n_out : int
        The numbers of inputs and of units.
    bias : bool
        Whether there is a b.
    init : str or callable, optional
        The initialiser of W; Xavier's by default. b starts at 0.
    seed : int or Generator, optional
        For the initialiser.
    dtype : dtype
        float64 or float32.

    Attributes
    ----------
    W : Tensor (n_out, n_in)
    b : Tensor (n_out,) or None

    Raises
    ------
    ValueError
        If called on rows of another length than ``n_in``.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Linear(2, 3, seed=0)
    >>> layer(np.ones((5, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        init: Any = None,
        seed: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        _check_size("n_in", n_in)
        _check_size("n_out", n_out)
        check_flag("bias", bias)
        draw = initialisers.by_name(init)
        generator = np.random.default_rng(seed)
        self.n_in, self.n_out = int(n_in), int(n_out)
        weights = initialisers.checked(draw((n_out, n_in), generator), (n_out, n_in))
        self.W = Tensor(weights, dtype=dtype, name="W")
        self.b = Tensor(np.zeros(n_out), dtype=dtype, name="b") if bias else None

    def forward(self, x: Any) -> Any:
        """Return x Wᵀ + b."""
        _check_width(self, x, self.n_in)
        return functions.linear(x, self.W, self.b)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.n_in}, {self.n_out}" + ("" if self.b is not None else ", bias=False")

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the layer again."""
        return {
            "n_in": self.n_in,
            "n_out": self.n_out,
            "bias": self.b is not None,
            "dtype": str(self.W.dtype),
        }


class Activation(Module):
    """An activation function as a layer.

    Parameters
    ----------
    name : str or callable
        Such as "relu", "tanh", "softmax"; or a function of nodes and arrays.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.

    Examples
    --------
    >>> import numpy as np
    >>> Activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, name: str | activations.Activation) -> None:
        self.function = activations.by_name(name)
        self.name = name if isinstance(name, str) else activations.name_of(name)

    def forward(self, x: Any) -> Any:
        """Return the function of x, element by element (softmax: row by row)."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Return the name of the function."""
        return repr(self.name)

    def config(self) -> dict[str, Any] | None:
        """Return the arguments to build the layer again, or None for a function of no name."""
        return {"name": self.name} if self.name in activations.ACTIVATIONS else None


class Dropout(Module):
    """Set each element to 0 with probability p in training, and divide the others by 1 − p.

    In ``eval()`` it returns its input. Source: Srivastava et al., "Dropout", 2014.

    Parameters
    ----------
    p : float
        In [0, 1).
    seed : int or Generator, optional
        For which elements are dropped.

    Raises
    ------
    ValueError
        If p is outside [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> Dropout(0.5, seed=0)(np.ones(4))
    array([2., 0., 0., 0.])
    """

    def __init__(self, p: float = 0.5, seed: Any = None) -> None:
        if not 0.0 <= p < 1.0:
            raise ValueError(f"the probability of dropping must be in [0, 1), got {p}")
        self.p = float(p)
        self.generator = np.random.default_rng(seed)

    def forward(self, x: Any) -> Any:
        """Return x with elements dropped, in training."""
        if not self.training or self.p == 0.0:
            return x
        x = x if isinstance(x, Node) else np.asarray(as_floating(x))
        mask = Kept(self.generator, self.p, x.dtype)
        shape = np.shape(x._data if isinstance(x, Node) else x)
        return x * (Drawn.of(mask, shape) if isinstance(x, Node) else mask(shape))

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"{self.p}"

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the layer again."""
        return {"p": self.p}


class LayerNorm(Module):
    """Standardise each row, then scale and shift: w (x − μ) / √(σ² + eps) + b.

    Source: Ba, Kiros, Hinton, "Layer normalization", 2016.

    Parameters
    ----------
    n : int
        The length of the rows.
    eps : float
        Keeps the denominator from 0.
    dtype : dtype
        float64 or float32.

    Attributes
    ----------
    w, b : Tensor (n,)

    Raises
    ------
    ValueError
        If ``eps`` is negative, or if called on rows of another length than ``n``.

    Examples
    --------
    >>> import numpy as np
    >>> LayerNorm(2, eps=0.0)(np.array([[1.0, 3.0]])).data
    array([[-1.,  1.]])
    """

    def __init__(self, n: int, eps: float = 1e-5, dtype: Any = np.float64) -> None:
        _check_size("n", n)
        _check_eps(eps)
        self.n, self.eps = int(n), float(eps)
        self.w = Tensor(np.ones(n), dtype=dtype, name="w")
        self.b = Tensor(np.zeros(n), dtype=dtype, name="b")

    def forward(self, x: Any) -> Any:
        """Return the standardised, scaled and shifted rows."""
        _check_width(self, x, self.n)
        return functions.layer_norm(x, self.w, self.b, self.eps)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"{self.n}"

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the layer again."""
        return {"n": self.n, "eps": self.eps, "dtype": str(self.w.dtype)}


class BatchNorm(Module):
    """Standardise each column over the batch, then scale and shift.

    In training μ and σ² are the batch's, and running means of them are kept,
    r ← (1 − momentum) r + momentum · new (with the unbiased variance). In ``eval()`` the running
    means are used. Source: Ioffe, Szegedy, "Batch normalization", 2015.

    Parameters
    ----------
    n : int
        The number of columns.
    momentum : float
        The weight of the new batch in the running means.
    eps : float
        Keeps the denominator from 0.
    dtype : dtype
        float64 or float32.

    Attributes
    ----------
    w, b : Tensor (n,)
    running_mean, running_var : ndarray (n,)

    Raises
    ------
    ValueError
        If ``eps`` is negative or ``momentum`` outside [0, 1], or a batch in training has fewer than
        two examples.

    Examples
    --------
    >>> import numpy as np
    >>> norm = BatchNorm(1, eps=0.0)
    >>> norm(np.array([[1.0], [3.0]])).data.ravel(), norm.running_mean
    (array([-1.,  1.]), array([0.2]))
    """

    buffers = ("running_mean", "running_var")

    def __init__(
        self, n: int, momentum: float = 0.1, eps: float = 1e-5, dtype: Any = np.float64
    ) -> None:
        _check_size("n", n)
        _check_eps(eps)
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be from 0 to 1, got {momentum!r}")
        self.n, self.momentum, self.eps = int(n), float(momentum), float(eps)
        self.w = Tensor(np.ones(n), dtype=dtype, name="w")
        self.b = Tensor(np.zeros(n), dtype=dtype, name="b")
        self.running_mean = np.zeros(n, dtype)
        self.running_var = np.ones(n, dtype)

    def forward(self, x: Any) -> Any:
        """Return the standardised, scaled and shifted columns."""
        _check_width(self, x, self.n)
        data = x._data if isinstance(x, Tensor) else np.asarray(x)
        if not self.training:
            scale = 1.0 / np.sqrt(self.running_var + self.eps)
            return (x - self.running_mean) * scale * self.w + self.b
        axes = tuple(range(data.ndim - 1))
        count = data.size // self.n
        if count < 2:
            raise ValueError(
                f"{modes.scope or 'BatchNorm'} needs at least two examples in training, got "
                f"shape {data.shape}: use larger batches, or eval()"
            )
        new = self.momentum
        self.running_mean = (1 - new) * self.running_mean + new * data.mean(axes)
        self.running_var = (1 - new) * self.running_var + new * data.var(axes, ddof=1)
        return functions.standardize(x, axes, self.eps) * self.w + self.b

    def extra_repr(self) -> str:
        """Return the size."""
        return f"{self.n}"

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the layer again."""
        return {
            "n": self.n,
            "momentum": self.momentum,
            "eps": self.eps,
            "dtype": str(self.w.dtype),
        }


class Flatten(Module):
    """Return each example as one row.

    Raises
    ------
    ValueError
        If called on a single number.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.ones((5, 2, 3))).shape
    (5, 6)
    """

    def forward(self, x: Any) -> Any:
        """Return x of shape (m, ...) as (m, n)."""
        shape = np.shape(x._data if isinstance(x, Tensor) else x)
        if not shape:
            raise ValueError(
                f"{modes.scope or 'Flatten'} takes examples as rows, got a single number"
            )
        return functions.reshape(x, (shape[0], math.prod(shape[1:])))

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the layer again."""
        return {}


class Sequential(Module):
    """Layers one after another.

    The parameters of the k-th layer that has any are named W1, b1, W2, b2, ..., as formulas and
    pictures show them.

    Parameters
    ----------
    *layers : Module, str or callable
        A name or function stands for an activation layer.

    Attributes
    ----------
    layers : list of Module

    Raises
    ------
    ValueError
        If a name is no activation.

    Examples
    --------
    >>> import numpy as np
    >>> model = Sequential(Linear(2, 3, seed=0), "tanh", Linear(3, 1, seed=1))
    >>> model(np.ones((5, 2))).shape, [p.name for p in model.parameters()]
    ((5, 1), ['W1', 'b1', 'W2', 'b2'])
    """

    def __init__(self, *layers: Module | str | activations.Activation) -> None:
        for layer in layers:
            if isinstance(layer, (list, tuple)):
                raise TypeError("the layers are arguments of their own: write Sequential(*layers)")
        self.layers = [
            layer if isinstance(layer, Module) else Activation(layer) for layer in layers
        ]
        own = [[node for _, node in part._own_nodes()] for _, part in self.named_modules()]
        for k, nodes in enumerate(filter(None, own), start=1):
            for parameter in nodes:
                base = re.fullmatch(r"([A-Za-z]+)\d*", parameter.name or "")
                if base is not None:
                    parameter.name = f"{base[1]}{k}"

    def forward(self, x: Any) -> Any:
        """Return the last layer's result."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> list[Module]: ...
    def __getitem__(self, index: int | slice) -> Module | list[Module]:
        return self.layers[index]

    def config(self) -> dict[str, Any] | None:
        """Return the arguments to build the network again, or None for a layer that has none."""
        parts = [{"type": type(layer).__name__, "config": layer.config()} for layer in self.layers]
        return None if any(part["config"] is None for part in parts) else {"layers": parts}


def _check_width(layer: Module, x: Any, width: int) -> None:
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if not shape or shape[-1] != width:
        where = modes.scope or type(layer).__name__
        raise ValueError(f"{where} takes rows of {width} numbers, got shape {shape}")


def _check_size(name: str, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"{name} must be a positive integer, got {size!r}")


def check_flag(name: str, flag: Any, meant: str = "") -> None:
    """Raise a TypeError if what stands in the place of a flag is none."""
    if not isinstance(flag, (bool, np.bool_)) and not (isinstance(flag, int) and flag in (0, 1)):
        hint = f": was {meant}={flag!r} meant?" if meant else ""
        raise TypeError(f"{name} is True or False, got {flag!r}{hint}")


def _check_eps(eps: Any) -> None:
    if not 0 <= eps < np.inf:
        raise ValueError(f"eps must be at least 0, got {eps!r}")
