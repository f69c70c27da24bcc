"""Fisher's iris measurements."""

import numpy as np

from micrograd_nn.data import load_iris


def test_iris_is_fishers():
    iris = load_iris()
    assert iris.X.shape == (150, 4)
    assert iris.columns == ("sepal_length", "sepal_width", "petal_length", "petal_width")
    assert iris.class_names == ("setosa", "versicolor", "virginica")
    assert iris.y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    assert iris.X[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert iris.X[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_iris_has_the_published_means():
    iris = load_iris()
    means = [iris.X[iris.y == species].mean(axis=0) for species in range(3)]
    expected = [
        [5.006, 3.428, 1.462, 0.246],
        [5.936, 2.770, 4.260, 1.326],
        [6.588, 2.974, 5.552, 2.026],
    ]
    np.testing.assert_allclose(means, expected, atol=1e-12)
