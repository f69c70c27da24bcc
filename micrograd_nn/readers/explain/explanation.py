"""explain(root): the forward and the backward pass as the equations of a textbook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from micrograd_nn.graph.node import GraphError, Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain import latex as latex_
from micrograd_nn.readers.explain import mathml
from micrograd_nn.readers.explain.chain import Step, aligned, shortened_lines, steps
from micrograd_nn.readers.explain.derive import derive
from micrograd_nn.readers.explain.equations import Derivation, Equation
from micrograd_nn.readers.explain.numpy_source import numpy_source
from micrograd_nn.readers.explain.scalar_batch import batch_derivation
from micrograd_nn.readers.explain.scalar_network import index_form
from micrograd_nn.readers.explain.text import line, text


class Explanation:
    """The equations of both passes; ``explain`` makes it, ``print`` shows it.

    Attributes
    ----------
    forward, backward : list of Equation
    inputs, parameters : dict of str to array or float
        What the named leaves held when it was made, for the function that ``numpy()`` writes.

    Notes
    -----
    With a mean over m examples, the gradients of inner values are those of the sum over examples,
    and 1/m stands before the gradients of the leaves, as articles have it: dZ2 is m ∂J/∂Z2.
    """

    def __init__(self, derived: Callable[[], Derivation]) -> None:
        self._derived = derived

    @cached_property
    def _derivation(self) -> Derivation:
        return self._derived()

    @property
    def forward(self) -> list[Equation]:
        """The equations of the values."""
        return self._derivation.forward

    @property
    def backward(self) -> list[Equation]:
        """The equations of the gradients."""
        return self._derivation.backward

    @property
    def inputs(self) -> dict[str, Any]:
        """What the leaves without a gradient held."""
        made = self._derivation
        return {name: made.data[name] for name, _ in made.inputs}

    @property
    def parameters(self) -> dict[str, Any]:
        """What the leaves with a gradient held."""
        made = self._derivation
        return {name: made.data[name] for name, _ in made.parameters}

    def text(self, shapes: bool = False) -> str:
        """Return the equations as Unicode text, aligned, with the shapes beside them if asked.

        Parameters
        ----------
        shapes : bool
            Whether to write the shape of each value behind its equation.
        """
        rows = [*self.forward, *self.backward]
        left = max((len(e.name) for e in rows), default=0)
        written = [f"{e.name:>{left}} = {text(e.term)}" for e in rows]
        if shapes:
            width = max(map(len, written), default=0)
            written = [
                f"{line:<{width}}   {_shape(e.shape)}".rstrip()
                for line, e in zip(written, rows, strict=True)
            ]
        cut = len(self.forward)
        parts = [*written[:cut], *([""] if cut and self.backward else []), *written[cut:]]
        notes = self._notes()
        parts += ["", *notes] if notes else []
        return shortened_lines(parts)

    def _notes(self) -> list[str]:
        made = self._derivation
        notes = []
        for name, count in made.counts.items():
            note = f"{name} = {count.number:,}"
            scaled = [e.name for e in self.backward if made.scaled.get(e.name) == name]
            if scaled:
                listed = ", ".join(scaled) if len(scaled) <= 4 else f"{scaled[0]} … {scaled[-1]}"
                note += f"; {listed}: of the sum over examples, {name} times the gradient"
            notes.append(note)
        notes += [f"{name} sums to 1 over the classes" for name in sorted(made.sums_to_1)]
        if made.gathered:
            notes.append(f"{', '.join(made.gathered)}: the weights and biases of the neurons")
        return notes

    def latex(self) -> str:
        r"""Return the equations as LaTeX, an ``aligned`` environment for math mode."""
        rows = (*self.forward, *self.backward)
        return latex_.aligned([(latex_.name(e.name), latex_.latex(e.term)) for e in rows])

    def mathml(self) -> str:
        """Return the equations as MathML."""
        return mathml.equations([(e.name, e.term) for e in (*self.forward, *self.backward)])

    def numpy(self) -> str:
        """Return the source of ``forward_backward(inputs, parameters) -> (loss, gradients)``.

        Inputs, parameters and gradients are dicts by name; ``inputs`` and ``parameters`` of the
        explanation fit. Each line computes the form that doesn't lose digits; where the textbook's
        is another, it is the line's comment.
        """
        return numpy_source(self._derivation)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str | None:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str | None:
        return self.mathml() + mathml.paragraph(self._notes())


def explain(root: Node, wrt: Any = None, count: str = "m") -> Explanation:
    """Print the forward and the backward pass of a recorded graph the way a textbook does.

    Named values have an equation each, and so have the results of layers; an unnamed value that is
    used once is written where it is used. ``d`` and a name is the gradient by it. Sums, products,
    transpositions and means are simplified; the simplifications are listed in
    ``micrograd_nn.readers.explain.algebra``.

    Parameters
    ----------
    root : Value or Tensor
        A number: a loss, say.
    wrt : node or sequence of nodes, optional
        The nodes whose gradients are derived, at which the graph ends; by default all leaves that
        require one. The weights of neurons that were called on a batch are taken as matrices.
    count : str
        The name of the number of examples.

    Returns
    -------
    Explanation
        ``str()`` is Unicode text; ``latex()``, ``mathml()`` and ``numpy()`` give the same in
        LaTeX, in MathML and as a NumPy program. Of a graph of single numbers the text is the chain
        rule, step by step, with the numbers put in; of a network of neurons it is the index form,
        with a delta for each unit. Long texts are shortened, and say so.

    Raises
    ------
    TypeError
        If ``root`` isn't a node.
    GraphError
        If ``root`` has no graph, isn't a single number, or ``wrt`` isn't below it; or if a rule of
        one's own branches on its data where it mixes elements, so that it has no formula.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Tensor, functional as F
    >>> X = Tensor(np.ones((2, 5)), requires_grad=False, name="X")
    >>> Y = Tensor(np.ones((1, 5)), requires_grad=False, name="Y")
    >>> W, b = Tensor([[0.5, -1.0]], name="W"), Tensor([[0.1]], name="b")
    >>> A = F.sigmoid((W @ X + b).named("Z")).named("A")
    >>> print(explain((-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))).named("J")))
     Z = W X + b
     A = σ(Z)
     J = −1/m Σ (Y ∘ log(A) + (1 − Y) ∘ log(1 − A))
    <BLANKLINE>
    dZ = A − Y
    dW = 1/m dZ Xᵀ
    db = 1/m Σ dZ
    <BLANKLINE>
    m = 5; dZ: of the sum over examples, m times the gradient
    """
    if not isinstance(root, Node):
        raise TypeError(
            f"explain() takes the Value or Tensor that was computed, got {type(root).__name__}"
        )
    if root.op is None:
        raise GraphError(
            f"explain() needs the result of a computation, but {root.describe()} has no graph: it "
            "is a leaf, or was computed under no_grad() or from plain data"
        )
    if np.size(root._data) != 1:
        raise GraphError(
            f"explain() derives a single number, but the root has shape {np.shape(root._data)}: "
            "take its sum or mean first"
        )
    leaves = _leaves(root, wrt)
    order = toposort(root)
    if any(node.op is not None and node.op.vector for node in order):
        return ScalarNetwork(root, order, count)
    if all(isinstance(node._data, float) for node in order):
        return ChainRule(root, leaves, count)
    made = derive(root, leaves, count)
    return Explanation(lambda: made)


class ScalarNetwork(Explanation):
    """The equations of a network of neurons in index form, with the deltas of its units.

    ``forward``, ``backward``, ``numpy()`` and what it takes are of the same network on arrays: the
    examples as rows of X, the parameters as W1, b1, W2, ...
    """

    def __init__(self, root: Node, order: Sequence[Node], count: str) -> None:
        self._form = index_form(root, order, count)
        super().__init__(lambda: batch_derivation(self._form, root, count))

    def _notes(self) -> list[str]:
        return self._form.notes

    def text(self, shapes: bool = False) -> str:
        """Return the equations of one unit of each layer, and of one weight."""
        form = self._form
        lines = aligned([(line(left), line(*right)) for left, right in form.forward])
        behind = aligned([(line(left), line(*right)) for left, right in form.backward])
        width = max(row.index(" = ") for row in (*lines, *behind))
        rows = [" " * (width - row.index(" = ")) + row for row in (*lines, *behind)]
        rows.insert(len(lines), "")
        notes = self._notes()
        return shortened_lines([*rows, *(["", *notes] if notes else [])])

    def latex(self) -> str:
        r"""Return the equations as LaTeX, an ``aligned`` environment for math mode."""
        rows = (*self._form.forward, *self._form.backward)
        return latex_.aligned([(latex_.line(left), latex_.line(*right)) for left, right in rows])

    def mathml(self) -> str:
        """Return the equations as MathML."""
        rows = (*self._form.forward, *self._form.backward)
        return mathml.table([(mathml.line(left), mathml.line(*right)) for left, right in rows])


class ChainRule(Explanation):
    """The chain rule step by step, with the numbers put in: for a graph of single numbers."""

    def __init__(self, root: Node, wrt: Sequence[Node] | None, count: str) -> None:
        super().__init__(lambda: derive(root, wrt, count))
        self.steps: list[Step] = steps(root, wrt)

    def text(self, shapes: bool = False) -> str:
        """Return each step of both passes as a line of text; numbers have no shapes."""
        lines = aligned([step.parts for step in self.steps if step.forward])
        lines += ["", *aligned([step.parts for step in self.steps if not step.forward])]
        return shortened_lines(lines)

    def _repr_html_(self) -> str:
        return mathml.lines([step.parts for step in self.steps])

    def _repr_latex_(self) -> None:  # the numbers are in the MathML
        return None


def _leaves(root: Node, wrt: Any) -> Sequence[Node] | None:
    if wrt is None:
        return None
    leaves = [wrt] if isinstance(wrt, Node) else list(wrt)
    below = set(toposort(root, constants=False))
    for leaf in leaves:
        if not isinstance(leaf, Node):
            raise TypeError(f"wrt must be nodes of the graph, got {type(leaf).__name__}")
        if leaf not in below:
            raise GraphError(f"the root doesn't depend on {leaf.describe()}, which wrt names")
    return leaves


def _shape(shape: tuple[int, ...]) -> str:
    if not shape:
        return "number"
    return f"({shape[0]},)" if len(shape) == 1 else " × ".join(map(str, shape))
