"""The one order in which a graph is read: inputs before the nodes that use them."""

from __future__ import annotations

from micrograd_nn.graph.node import Node


def toposort(*roots: Node, constants: bool = True) -> list[Node]:
    """Return every node below ``roots`` once, inputs first, in argument order.

    Plain numbers and arrays that met a node are shown as constant nodes, unless ``constants`` is
    false.

    It is iterative, so that a chain of a million nodes is no deeper than one of ten, and it visits
    each node once, however many paths lead to it.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(2.0, name="x")
    >>> y = x * x + 1
    >>> [node.op.name if node.op else node.name or node.data for node in toposort(y)]
    ['x', 'mul', 1.0, 'add']
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # the inputs of the node below it on the stack are done
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            inputs = node.inputs if constants else node._recorded_inputs()
            stack += [i for i in reversed(inputs) if i not in seen]
    return order
