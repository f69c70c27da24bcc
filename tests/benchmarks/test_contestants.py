"""Every contestant must make the same step; whoever doesn't is found before it is timed."""

import importlib
import shutil

import numpy as np
import pytest


@pytest.fixture
def workloads():
    return importlib.import_module("workloads")


def steps(workload, *names):
    """Return the contestants of these files, but for those whose package isn't installed."""
    makers = {name: importlib.import_module(f"peers.{name}").step for name in names}
    return importlib.import_module("workloads").installed(makers, workload)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_steps_on_tensors_agree(workloads, k):
    workload = workloads.TENSORS[k]
    names = ["numpy_steps", "numpy_best", "numpy_rows", "compiled_tensors"]
    agreeing = steps(workload, "eager_tensors", *names)
    assert len(agreeing) >= 4
    workloads.check(workload, agreeing)


def test_steps_of_the_demo_agree(workloads):
    workload = workloads.demo(11)
    scalars = importlib.import_module("peers.scalars")
    agreeing = {
        "mlp": scalars.by_mlp(workload),
        "by hand": scalars.by_hand(workload),
        **steps(workload, "eager_tensors", "numpy_steps"),
    }
    if shutil.which("gcc"):
        agreeing |= steps(workload, "c_steps")
    workloads.check(workload, agreeing)


@pytest.mark.parametrize("fault", ["loss", "update", "gradient of a bias"])
def test_a_wrong_contestant_is_found(workloads, fault):
    workload = workloads.TENSORS[0]
    right = steps(workload, "numpy_steps")["numpy_steps"]
    wrong = steps(workload, "numpy_best")["numpy_best"]
    start = workload.parameters()

    def parameters():
        moved = [np.array(p) for p in wrong.parameters()]
        if fault == "update":
            return [p0 + 1.01 * (p - p0) for p, p0 in zip(moved, start, strict=True)]
        if fault == "gradient of a bias":
            moved[3] = start[3]
        return moved

    def run():
        return wrong.run() * (1.00001 if fault == "loss" else 1.0)

    pair = {"right": right, "wrong": workloads.Step(run, parameters)}
    with pytest.raises(workloads.DisagreementError, match="wrong"):
        workloads.check(workload, pair)


def test_contestants_whose_package_is_missing_are_named(workloads, capsys):
    def missing(workload):
        raise ImportError("No module named 'fastest'")

    makers = {"the fastest": missing, "plain": importlib.import_module("peers.numpy_steps").step}
    assert list(workloads.installed(makers, workloads.TENSORS[0])) == ["plain"]
    assert "left out: the fastest (No module named 'fastest')" in capsys.readouterr().out
