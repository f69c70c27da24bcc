"""Generated classification problems in the plane: circles, moons, XOR, blobs and spirals.

All return ``X`` of shape (n, 2), float64, and ``y`` of shape (n,), int64. The classes are as equal
in size as n allows (the first ones get a point more if need be) and their points come shuffled. The
same seed gives the same numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Seed = int | np.random.Generator | None


def circles(
    n: int = 1000, noise: float = 0.1, seed: Seed = None, factor: float = 0.3
) -> tuple[Points, Labels]:
    """Two concentric circles: class 0 outside, with radius 1, and class 1 inside.

    Parameters
    ----------
    n : int
        The number of points.
    noise : float
        The standard deviation of the normal noise added to each coordinate.
    seed : int or numpy.random.Generator, optional
    factor : float
        The inner radius, between 0 and 1.

    Returns
    -------
    (ndarray of shape (n, 2), ndarray of shape (n,))
        X, float64, and y, int64.

    Raises
    ------
    TypeError
        If n is no whole number.
    ValueError
        If n is below 1, noise is negative or not finite, or factor is not between 0 and 1.

    Examples
    --------
    >>> X, y = circles(5, noise=0.0, seed=0)
    >>> y.tolist(), np.hypot(X[:, 0], X[:, 1]).round(6).tolist()
    ([1, 0, 0, 0, 1], [0.3, 1.0, 1.0, 1.0, 0.3])
    """
    if not 0 < factor < 1:
        raise ValueError(f"factor is the inner radius, between 0 and 1, not {factor}")

    def on_circle(label: int, count: int, random: np.random.Generator) -> Points:
        angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
        radius = factor if label == 1 else 1.0
        return radius * np.column_stack([np.cos(angle), np.sin(angle)])

    return _sample(on_circle, 2, n, noise, seed)


def moons(n: int = 1000, noise: float = 0.1, seed: Seed = None) -> tuple[Points, Labels]:
    """Two interleaving half circles of radius 1: class 0 above, class 1 below.

    It takes, returns and raises what :func:`circles` does, but for ``factor``.

    Examples
    --------
    >>> X, y = moons(100, noise=0.0, seed=0)
    >>> bool(X[y == 0, 1].min() >= 0), bool(X[y == 1, 1].max() <= 0.5)
    (True, True)
    """

    def on_moon(label: int, count: int, random: np.random.Generator) -> Points:
        angle = np.linspace(0.0, np.pi, count)
        upper = np.column_stack([np.cos(angle), np.sin(angle)])
        return upper if label == 0 else np.array([1.0, 0.5]) - upper

    return _sample(on_moon, 2, n, noise, seed)


def xor(n: int = 1000, noise: float = 0.1, seed: Seed = None) -> tuple[Points, Labels]:
    """Exclusive or: the square [−1, 1]², class 1 where exactly one coordinate is positive.

    Points keep a distance of 0.1 from both axes before the noise is added, and fill both quadrants
    of their class alike.

    It takes, returns and raises what :func:`circles` does, but for ``factor``.

    Examples
    --------
    >>> X, y = xor(100, noise=0.0, seed=0)
    >>> np.array_equal(y, (X[:, 0] > 0) ^ (X[:, 1] > 0))
    True
    """

    def in_quadrants(label: int, count: int, random: np.random.Generator) -> Points:
        first_sign = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
        second_sign = first_sign if label == 0 else -first_sign
        return np.column_stack([first_sign, second_sign]) * random.uniform(0.1, 1.0, (count, 2))

    return _sample(in_quadrants, 2, n, noise, seed)


def blobs(
    n: int = 1000, noise: float = 0.3, seed: Seed = None, classes: int = 2
) -> tuple[Points, Labels]:
    """Gaussian blobs, one for each class, their centres spread evenly on the unit circle.

    Parameters
    ----------
    n, seed
        As for :func:`circles`.
    noise : float
        The standard deviation of each blob.
    classes : int
        The number of blobs.

    Returns
    -------
    (ndarray of shape (n, 2), ndarray of shape (n,))
        X, float64, and y, int64.

    Raises
    ------
    TypeError
        If n or classes is no whole number.
    ValueError
        If n or classes is below 1, or noise is negative or not finite.

    Examples
    --------
    >>> X, y = blobs(300, seed=0, classes=3)
    >>> np.bincount(y).tolist()
    [100, 100, 100]
    """

    def at_centre(label: int, count: int, random: np.random.Generator) -> Points:
        angle = 2.0 * np.pi * label / classes
        return np.tile([np.cos(angle), np.sin(angle)], (count, 1))

    return _sample(at_centre, classes, n, noise, seed)


def spirals(
    n: int = 1000,
    noise: float = 0.02,
    seed: Seed = None,
    classes: int = 2,
    turns: float = 1.75,
) -> tuple[Points, Labels]:
    """Interleaved spirals, one arm for each class, from near the centre out to radius 1.

    Parameters
    ----------
    n, noise, seed
        As for :func:`circles`.
    classes : int
        The number of arms.
    turns : float
        How often each arm winds around the centre.

    Returns
    -------
    (ndarray of shape (n, 2), ndarray of shape (n,))
        X, float64, and y, int64.

    Raises
    ------
    TypeError
        If n or classes is no whole number.
    ValueError
        If n or classes is below 1, or noise is negative or not finite.

    Examples
    --------
    >>> X, y = spirals(7, noise=0.0, seed=0)
    >>> X.shape, np.bincount(y).tolist(), float(np.hypot(X[:, 0], X[:, 1]).max())
    ((7, 2), [4, 3], 1.0)
    """

    def on_arm(label: int, count: int, random: np.random.Generator) -> Points:
        # From 1/count: all arms would meet at radius 0, where a point has no class.
        radius = np.arange(1, count + 1) / max(count, 1)
        angle = 2.0 * np.pi * (turns * radius + label / classes)
        return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])

    return _sample(on_arm, classes, n, noise, seed)


def _sample(
    points: Callable[[int, int, np.random.Generator], Points],
    classes: int,
    n: int,
    noise: float,
    seed: Seed,
) -> tuple[Points, Labels]:
    """Draw ``points(label, count, random)`` of every class, add the noise, shuffle."""
    n, classes = _count("n", n), _count("classes", classes)
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise is a standard deviation, finite and not negative, not {noise}")
    random = np.random.default_rng(seed)
    y = np.sort(np.arange(n) % classes).astype(np.int64)
    counts = np.bincount(y, minlength=classes)
    X = np.vstack([points(label, int(count), random) for label, count in enumerate(counts)])
    X = X + noise * random.standard_normal(X.shape)
    order = random.permutation(n)
    return X[order], y[order]


def _count(name: str, number: int) -> int:
    try:
        count = operator.index(number)
    except TypeError:
        raise TypeError(f"{name} is a whole number, an int, not {number!r}") from None
    if count < 1:
        raise ValueError(f"{name} is at least 1, not {number}")
    return count
