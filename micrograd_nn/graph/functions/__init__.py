"""The functions a user calls, with NumPy's names and arguments, on nodes, floats and arrays.

Most are rows of the table, taken as they are; the others put NumPy's arguments (``axis``,
``keepdims``, ``None``) into the one form that a row takes, or are written in other functions.
"""

from micrograd_nn.graph.functions.elementwise import clip, elu, leaky_relu
from micrograd_nn.graph.functions.layers import dot, layer_norm, linear, outer, standardize
from micrograd_nn.graph.functions.parts import concatenate, getitem, pad, split, stack, take
from micrograd_nn.graph.functions.reductions import (
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    std,
    sum,
    var,
)
from micrograd_nn.graph.functions.shapes import (
    broadcast_to,
    expand_dims,
    flatten,
    flip,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    transpose,
)
from micrograd_nn.graph.table.activations import gelu, relu, silu
from micrograd_nn.graph.table.arithmetic import absolute as abs
from micrograd_nn.graph.table.arithmetic import (
    add,
    div,
    maximum,
    minimum,
    mul,
    neg,
    power,
    sign,
    sub,
    where,
)
from micrograd_nn.graph.table.arrays import matmul
from micrograd_nn.graph.table.elementary import (
    arctan,
    cos,
    cosh,
    erf,
    exp,
    expm1,
    log,
    log1p,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    tan,
    tanh,
)

__all__ = [
    "abs", "add", "arctan", "broadcast_to", "clip", "concatenate", "cos", "cosh", "cumsum", "div",
    "dot", "elu", "erf", "exp", "expand_dims", "expm1", "flatten", "flip", "gelu", "getitem",
    "layer_norm", "leaky_relu", "linear", "log", "log1p", "log_softmax", "logsumexp", "matmul",
    "max", "maximum", "mean", "min", "minimum", "moveaxis", "mul", "neg", "norm", "outer", "pad",
    "power", "prod", "ravel", "relu", "reshape", "sigmoid", "sign", "silu", "sin", "sinh",
    "softmax", "softplus", "split", "sqrt", "squeeze", "stack", "standardize", "std", "sub", "sum",
    "swapaxes", "take", "tan", "tanh", "transpose", "var", "where",
]  # fmt: skip
