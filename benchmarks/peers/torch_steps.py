"""The step in PyTorch's eager mode, at its best setting: fused Adam, SGD over all parameters."""

from __future__ import annotations

from typing import Any

from workloads import Array, Step, Workload


def step(workload: Workload) -> Step:
    """Return the contestant."""
    import torch

    functional = torch.nn.functional
    torch.set_num_threads(1)
    X, y = map(torch.tensor, workload.data())
    start = [torch.tensor(p) for p in workload.parameters()]
    layers: list[Any] = []
    for W, b in zip(start[0::2], start[1::2]):
        linear = torch.nn.Linear(W.shape[1], W.shape[0], dtype=W.dtype)
        linear.weight.data, linear.bias.data = W, b
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    parameters = list(model.parameters())
    optimizer: Any
    if workload.optimizer == "SGD":
        optimizer = torch.optim.SGD(parameters, lr=workload.lr, foreach=True)
    else:
        optimizer = torch.optim.Adam(parameters, lr=workload.lr, fused=True)

    def loss(z: Any) -> Any:
        if workload.loss == "hinge":
            return functional.relu(1 - y * z).mean()
        if workload.loss == "bce":
            return functional.binary_cross_entropy_with_logits(z, y)
        return functional.cross_entropy(z, y)

    def run() -> float:
        value = loss(model(X))
        if workload.l2:
            norms = torch._foreach_norm(parameters)
            value = value + workload.l2 * torch.stack(norms).square().sum()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return float(value.item())

    def current() -> list[Array]:
        return [p.detach().numpy() for p in parameters]

    return Step(run, current)
