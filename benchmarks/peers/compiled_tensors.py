"""The step in our tensors, recorded once and compiled with its optimiser."""

from __future__ import annotations

from micrograd_nn import Tensor
from micrograd_nn.training.optimisers import OPTIMIZERS
from peers.eager_tensors import current, network, total
from workloads import Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant: each call gets the batch, as a training loop would give it."""
    from micrograd_nn import compile as compile_graph

    batch = workload.data()
    X, y = (Tensor(array, requires_grad=False) for array in batch)
    model = network(workload)
    optimizer = OPTIMIZERS[workload.optimizer](model.parameters(), lr=workload.lr)
    program = compile_graph(total(workload, model, X, y), inputs=[X, y], optimizer=optimizer)

    def run() -> float:
        return float(program(*batch))

    return Step(run, lambda: current(model))
