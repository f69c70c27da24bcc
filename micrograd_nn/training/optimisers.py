"""The optimisers: rules by which parameters follow their gradients.

In the formulas θ is a parameter, ∇ its gradient, α the learning rate, t = 1, 2, ... the step; all
state starts at 0. They are evaluated in the order in which they are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.training.blocks import Array
from micrograd_nn.training.optimiser_base import Optimizer, checked_number


class SGD(Optimizer):
    """Gradient descent, θ ← θ − α ∇, with momentum and weight decay if asked.

    With ``momentum`` β > 0: v ← β v + α ∇, θ ← θ − v. Nesterov's form looks ahead along v:
    θ ← θ − (β v + α ∇), with v already updated. With ``weight_decay`` λ > 0 the gradient is first
    replaced by ∇ + λ θ, which is that of the loss + ``λ/2 |θ|²``.

    Parameters
    ----------
    parameters : iterable of Node
    lr : float
        α > 0.
    momentum : float
        β in [0, 1).
    nesterov : bool
        Needs a momentum.
    weight_decay : float
        λ ≥ 0.

    References
    ----------
    Momentum: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
    Nesterov's in this form: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization
    and momentum in deep learning", 2013, eq. 3-4, written for parameters that stand at the point
    looked ahead to, as Keras and PyTorch do.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(4.0)
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> x.data
    2.0
    """

    settings = ("momentum", "nesterov", "weight_decay")

    def __init__(
        self,
        parameters: Iterable[Node],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        super().__init__(parameters, lr)

    def _move(self) -> None:
        if self.momentum or self.weight_decay:
            super()._move()
            return
        # Two operations to a tensor cost less than to lay them one after another.
        for block in self._blocks:
            if block.uneven:
                block.update(self._update, ())
                continue
            for node in block.nodes:
                grad = node._grad
                if type(grad) is not float:  # else it is zero: no backward pass has reached it
                    if type(grad) is not np.ndarray:
                        grad = grad._data
                    node._overwrite(node._data - grad * self._lr)

    def _state_names(self) -> tuple[str, ...]:
        return ("v",) if self.momentum else ()

    def _change(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        if self.weight_decay:
            grad = grad + theta * self.weight_decay
        np.multiply(grad, self._lr, out=out)
        if state:
            (v,) = state
            v *= self.momentum
            v += out
            if self.nesterov:
                out += v * self.momentum
            else:
                np.copyto(out, v)

    @classmethod
    def _check_settings(cls, values: Mapping[str, Any]) -> None:
        checked_number("momentum", values["momentum"], below=1.0)
        checked_number("weight_decay", values["weight_decay"])
        if values["nesterov"] and not values["momentum"]:
            raise ValueError("nesterov=True needs a momentum: pass momentum=0.9, say")


class RMSProp(Optimizer):
    """RMSProp: v ← ρ v + (1 − ρ) ∇², θ ← θ − α ∇ / (√v + ε).

    Parameters
    ----------
    parameters : iterable of Node
    lr : float
        α > 0.
    rho : float
        ρ in [0, 1).
    eps : float
        ε > 0, outside the root.

    References
    ----------
    Hinton, "Neural networks for machine learning", lecture 6e, 2012.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(4.0)
    >>> optimizer = RMSProp([x], lr=0.5, rho=0.75)
    >>> (x * x).backward()
    >>> optimizer.step()  # ∇ = 8, v = 0.25 · 64 = 16, so θ = 4 − 0.5 · 8/4
    >>> round(x.data, 6)
    3.0
    """

    settings = ("rho", "eps")

    def __init__(
        self,
        parameters: Iterable[Node],
        lr: float = 1e-2,
        rho: float = 0.9,
        eps: float = 1e-8,
    ) -> None:
        self.rho = rho
        self.eps = eps
        super().__init__(parameters, lr)

    def _state_names(self) -> tuple[str, ...]:
        return ("v",)

    def _change(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        (v,) = state
        v *= self.rho
        np.multiply(grad, grad, out=out)
        out *= 1 - self.rho
        v += out
        np.sqrt(v, out=out)
        out += self.eps
        np.divide(grad * self._lr, out, out=out)

    @classmethod
    def _check_settings(cls, values: Mapping[str, Any]) -> None:
        checked_number("rho", values["rho"], below=1.0)
        checked_number("eps", values["eps"], above=0.0)


class Adam(Optimizer):
    """Adam: m ← β₁ m + (1−β₁) ∇, v ← β₂ v + (1−β₂) ∇², θ ← θ − α m̂ / (√v̂ + ε).

    Where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ). The last step is computed as
    θ − m / (√v + ε √c) · (α √c / (1 − β₁ᵗ)) with c = 1 − β₂ᵗ, which is the same and takes less.

    Parameters
    ----------
    parameters : iterable of Node
    lr : float
        α > 0.
    betas : (float, float)
        β₁ and β₂, each in [0, 1).
    eps : float
        ε > 0, outside the root.

    References
    ----------
    Kingma, Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(4.0)
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).backward()
    >>> optimizer.step()  # the first step is α, whatever the size of the gradient
    >>> round(x.data, 6)
    3.5
    """

    settings: ClassVar[tuple[str, ...]] = ("betas", "eps")

    def __init__(
        self,
        parameters: Iterable[Node],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.betas = betas
        self.eps = eps
        self._rates = (0.0, 0.0)
        super().__init__(parameters, lr)

    def _state_names(self) -> tuple[str, ...]:
        return ("m", "v")

    def _prepare(self) -> None:
        beta1, beta2 = self.betas
        root = math.sqrt(1 - beta2**self.steps)
        self._rates = (self._lr * root / (1 - beta1**self.steps), self.eps * root)

    def _change(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        m, v = state
        beta1, beta2 = self.betas
        m *= beta1
        np.multiply(grad, 1 - beta1, out=out)
        m += out
        v *= beta2
        np.multiply(grad, grad, out=out)
        out *= 1 - beta2
        v += out
        rate, eps = self._rates
        np.sqrt(v, out=out)
        out += eps
        np.divide(m, out, out=out)
        out *= rate

    @classmethod
    def _check_settings(cls, values: Mapping[str, Any]) -> None:
        betas = values["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be two numbers, such as (0.9, 0.999), got {betas!r}")
        checked_number("betas[0]", betas[0], below=1.0)
        checked_number("betas[1]", betas[1], below=1.0)
        checked_number("eps", values["eps"], above=0.0)


class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← θ − α λ θ, then Adam's step, from the same gradient.

    The decay doesn't pass through m and v, so that it is the same for parameters of large and of
    small gradients.

    Parameters
    ----------
    parameters : iterable of Node
    lr : float
        α > 0.
    betas : (float, float)
        β₁ and β₂, each in [0, 1).
    eps : float
        ε > 0.
    weight_decay : float
        λ ≥ 0.

    References
    ----------
    Loshchilov, Hutter, "Decoupled weight decay regularization", 2019, algorithm 2, with α in the
    place of its schedule multiplier, as PyTorch and Keras have it.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(4.0)
    >>> AdamW([x], lr=0.5, weight_decay=0.1).step()  # without a gradient, only the decay
    >>> x.data
    3.8
    """

    settings = ("betas", "eps", "weight_decay")

    def __init__(
        self,
        parameters: Iterable[Node],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        self.weight_decay = weight_decay
        super().__init__(parameters, lr, betas, eps)

    def _update(self, theta: Array, grad: Array, out: Array, *state: Array) -> None:
        if self.weight_decay:
            theta = theta - theta * (self._lr * self.weight_decay)
        super()._update(theta, grad, out, *state)

    @classmethod
    def _check_settings(cls, values: Mapping[str, Any]) -> None:
        super()._check_settings(values)
        checked_number("weight_decay", values["weight_decay"])


#: Every optimiser by its name.
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    kind.__name__: kind for kind in (SGD, RMSProp, Adam, AdamW)
}
