"""What a computation graph is: operations, nodes, their order and their derivatives."""
