"""Fisher's iris measurements."""

from __future__ import annotations

from importlib.resources import as_file, files

from micrograd_nn.data.csv_table import Table, read_csv


def load_iris() -> Table:
    """Load Fisher's iris data: 150 flowers, 4 lengths in cm, 3 species of 50 each.

    From R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics
    7 (1936). The copy in the UCI repository, from which many others descend, differs from the paper
    in two flowers. This one has Fisher's values (as R and scikit-learn do): counted from 1, flower
    35 is 4.9, 3.1, 1.5, 0.2 (UCI: 4.9, 3.1, 1.5, 0.1), and flower 38 is 4.9, 3.6, 1.4, 0.1 (UCI:
    4.9, 3.1, 1.5, 0.1).

    Returns
    -------
    Table
        X of shape (150, 4), y of shape (150,) with the classes setosa, versicolor and virginica.

    Examples
    --------
    >>> iris = load_iris()
    >>> iris.columns
    ('sepal_length', 'sepal_width', 'petal_length', 'petal_width')
    >>> iris.X[34].tolist(), iris.class_names[iris.y[34]]
    ([4.9, 3.1, 1.5, 0.2], 'setosa')
    """
    with as_file(files("micrograd_nn.data") / "iris.csv") as path:
        return read_csv(path, target="species")
