"""micrograd-nn data: the data sets as CSV."""

import numpy as np
import pytest

from micrograd_nn import data
from micrograd_nn.cli.data import GENERATORS


def test_iris_is_the_shipped_file(mn, folder):
    result = mn("data", "iris", "-o", "iris.csv")
    assert (result.code, result.err) == (0, "")
    assert "iris.csv, 150 rows" in result.out
    table = data.read_csv("iris.csv", "species")
    assert np.array_equal(table.X, data.load_iris().X)


@pytest.mark.parametrize("name", GENERATORS)
def test_points_go_to_the_standard_output(mn, folder, name):
    result = mn("data", name, "-n", 40, "--seed", 3, "--noise", 0.2)
    (folder / "points.csv").write_text(result.out)
    table = data.read_csv("points.csv", "class")
    X, y = GENERATORS[name](40, noise=0.2, seed=3)
    assert np.allclose(table.X, X, atol=1e-6)
    assert np.array_equal(table.y, y)
    assert mn("data", name, "-n", 40, "--seed", 3, "--noise", 0.2).out == result.out


@pytest.mark.parametrize("output", ["nowhere/iris.csv", "."])
def test_a_file_that_cannot_be_written_is_an_error(mn, output):
    result = mn("data", "iris", "-o", output)
    assert result.code == 2
    assert f"error: {output}: it can't be written: " in result.error
