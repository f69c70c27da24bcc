"""Networks, written in the language of the graph."""

from micrograd_nn.nn import losses
from micrograd_nn.nn.convert import from_config, to_config, to_scalars, to_tensors
from micrograd_nn.nn.layers import (
    Activation,
    BatchNorm,
    Dropout,
    Flatten,
    LayerNorm,
    Linear,
    Sequential,
)
from micrograd_nn.nn.module import Module
from micrograd_nn.nn.scalar import MLP, Layer, Neuron

__all__ = [
    "Module",
    "Neuron",
    "Layer",
    "MLP",
    "Linear",
    "Activation",
    "Dropout",
    "LayerNorm",
    "BatchNorm",
    "Flatten",
    "Sequential",
    "from_config",
    "to_config",
    "to_scalars",
    "to_tensors",
    "losses",
]
