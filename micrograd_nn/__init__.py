"""A neural network is a graph that you can read."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from micrograd_nn import functional
from micrograd_nn.graph.derivatives import (
    grad,
    hessian,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from micrograd_nn.graph.node import (
    GraphError,
    NonFiniteError,
    StaleGraphError,
    debug_nans,
    no_grad,
    record_lines,
)
from micrograd_nn.graph.own import primitive
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.nn import (
    MLP,
    Activation,
    BatchNorm,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Module,
    Neuron,
    Sequential,
)

if TYPE_CHECKING:
    from micrograd_nn import data
    from micrograd_nn.readers import compile, draw, explain, summary, trace
    from micrograd_nn.training import (
        SGD,
        Adam,
        AdamW,
        History,
        RMSProp,
        evaluate,
        fit,
        load,
        predict,
        predict_proba,
        save,
    )

__all__ = [
    "Value",
    "Tensor",
    "Neuron",
    "Layer",
    "MLP",
    "Module",
    "Linear",
    "Sequential",
    "Activation",
    "BatchNorm",
    "Dropout",
    "Flatten",
    "LayerNorm",
    "fit",
    "predict",
    "predict_proba",
    "evaluate",
    "History",
    "SGD",
    "RMSProp",
    "Adam",
    "AdamW",
    "save",
    "load",
    "data",
    "grad",
    "value_and_grad",
    "vjp",
    "jvp",
    "jacobian",
    "hessian",
    "no_grad",
    "debug_nans",
    "record_lines",
    "primitive",
    "draw",
    "explain",
    "compile",
    "summary",
    "trace",
    "functional",
    "GraphError",
    "NonFiniteError",
    "StaleGraphError",
]

__version__ = "0.1.0"

#: What is loaded when it is asked for: arithmetic and networks need neither.
_LATER = {
    **dict.fromkeys(("draw", "explain", "compile", "summary", "trace"), "readers"),
    **dict.fromkeys(
        (
            "fit",
            "predict",
            "predict_proba",
            "evaluate",
            "History",
            "SGD",
            "RMSProp",
            "Adam",
            "AdamW",
            "save",
            "load",
        ),
        "training",
    ),
}


def __getattr__(name: str) -> Any:
    if name == "data":
        return importlib.import_module("micrograd_nn.data")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"micrograd_nn.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
