"""The hand-derived equations of neural networks, line by line, in plain NumPy.

This package is a textbook chapter that runs. Every function is one equation (or one short chain of
equations) written by hand, and it imports nothing but NumPy, so that the rest of the library can be
tested against it.

Notation
--------
The articles' own: **examples are columns**. With m examples and n[l] units in layer l,

================================  ================  =============================================
``X = A[0]``                      (n[0], m)         the examples
``W[l]``                          (n[l], n[l-1])    weights; row i belongs to unit i
``b[l]``                          (n[l], 1)         biases
``Z[l] = W[l] A[l-1] + b[l]``     (n[l], m)         pre-activations
``A[l] = g(Z[l])``                (n[l], m)         activations; ``A[L]`` is the prediction ŷ
``Y``                             (n[L], m)         the targets
================================  ================  =============================================

Networks are dictionaries of float64 arrays, keyed as the equations are: ``"W1"``, ``"b1"``,
``"Z1"``, ``"A1"``, ``"dW1"``, ``"db1"``, ``"dZ1"``, ``"dA1"``, ... and ``"A0"`` for the input.

Every cost is summed over the output units and averaged over the examples, J = 1/m Σᵢ loss(i). As in
the articles, ``dW`` and ``db`` are the gradients of J and carry the factor 1/m, while ``dZ`` and
``dA`` hold in column i the gradient of the loss of example i alone and do not.

Contents
--------
``layer``       S1: one neuron, one layer, all examples
``two_layers``  S2: the two-layer network
``network``     S3: the L-layer network
``training``    S4: training
``losses``      costs of all systems, and S5's deltas
``optimisers``  S5: optimisers
``by_indices``  S6: the index formulas, with explicit loops
"""

from micrograd_nn.equations.activations import (
    ACTIVATIONS,
    Activation,
    activation_named,
    elu,
    elu_prime,
    gaussian_cdf,
    gelu,
    gelu_prime,
    identity,
    identity_prime,
    leaky_relu,
    leaky_relu_prime,
    relu,
    relu_prime,
    sigmoid,
    sigmoid_prime,
    silu,
    silu_prime,
    softplus,
    tanh,
    tanh_prime,
)
from micrograd_nn.equations.by_indices import (
    deltas_by_indices,
    forward_one_by_indices,
    gradients_by_indices,
)
from micrograd_nn.equations.layer import (
    layer_by_examples,
    layer_by_matrices,
    layer_by_neurons,
    layer_gradients_by_examples,
    layer_gradients_by_matrices,
    layer_gradients_by_neurons,
    neuron,
    neuron_gradients,
)
from micrograd_nn.equations.losses import (
    binary_cross_entropy,
    binary_cross_entropy_from_logits,
    cross_entropy,
    cross_entropy_delta,
    cross_entropy_from_logits,
    half_mse,
    log_softmax,
    mse,
    mse_delta,
    soft_iou,
    soft_iou_gradient,
    softmax,
    weight_gradient,
)
from micrograd_nn.equations.network import (
    LOSSES,
    backward,
    cost,
    forward,
    initialise,
    layer_activations,
    number_of_layers,
    output_gradients,
    predict,
)
from micrograd_nn.equations.notation import Array, Arrays, Function
from micrograd_nn.equations.optimisers import (
    adam_step,
    adamw_step,
    gradient_descent_step,
    momentum_step,
    nesterov_step,
    rmsprop_step,
)
from micrograd_nn.equations.training import train, update
from micrograd_nn.equations.two_layers import (
    two_layer_forward,
    two_layer_gradients,
    two_layer_predict,
)

__all__ = [
    "Array",
    "Arrays",
    "Function",
    "sigmoid",
    "sigmoid_prime",
    "tanh",
    "tanh_prime",
    "relu",
    "relu_prime",
    "leaky_relu",
    "leaky_relu_prime",
    "identity",
    "identity_prime",
    "softplus",
    "elu",
    "elu_prime",
    "silu",
    "silu_prime",
    "gaussian_cdf",
    "gelu",
    "gelu_prime",
    "Activation",
    "activation_named",
    "ACTIVATIONS",
    "neuron",
    "neuron_gradients",
    "layer_by_neurons",
    "layer_by_examples",
    "layer_by_matrices",
    "layer_gradients_by_neurons",
    "layer_gradients_by_examples",
    "layer_gradients_by_matrices",
    "two_layer_forward",
    "two_layer_gradients",
    "two_layer_predict",
    "binary_cross_entropy",
    "binary_cross_entropy_from_logits",
    "half_mse",
    "mse",
    "softmax",
    "log_softmax",
    "cross_entropy",
    "cross_entropy_from_logits",
    "mse_delta",
    "cross_entropy_delta",
    "weight_gradient",
    "soft_iou",
    "soft_iou_gradient",
    "number_of_layers",
    "layer_activations",
    "initialise",
    "forward",
    "cost",
    "output_gradients",
    "backward",
    "predict",
    "LOSSES",
    "update",
    "train",
    "gradient_descent_step",
    "momentum_step",
    "nesterov_step",
    "rmsprop_step",
    "adam_step",
    "adamw_step",
    "forward_one_by_indices",
    "deltas_by_indices",
    "gradients_by_indices",
]
