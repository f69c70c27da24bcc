"""A machine whose code is a program: numba compiles it once, and then it runs any tape.

Each instruction is a row ``(opcode, out, a, b, c)`` of numbers of rows in memory; it works on 64
examples. ``run`` is written for numba: plain loops over arrays, without a name from elsewhere but
``math`` and NumPy. A test holds every instruction to the kernel of its row in the table.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: Examples in a block: eight cache lines for each number.
LANES = 64

#: The rows of the table that the machine knows, by name; the place is the opcode.
OPERATIONS = (
    *("add", "sub", "mul", "div", "neg", "identity", "relu", "sign", "step", "maximum"),
    *("minimum", "where", "dominance", "abs", "exp", "log", "tanh", "sigmoid", "sqrt", "sin"),
    *("cos", "tan", "arctan", "sinh", "cosh", "expm1", "log1p", "power", "power_derivative"),
    *("hinge", "leaky_relu"),
)
#: Instructions that no row has: r += x, r -= x, r + x y, r += x y, and the two for totals.
FUSED = ("add_to", "sub_to", "product_plus", "add_product_to")
OPCODES = {name: code for code, name in enumerate((*OPERATIONS, *FUSED))}


def run(
    code: Any,
    memory: Any,
    X: Any,
    values: Any,
    of_inputs: Any,
    gradients: Any,
    seed: int,
    root: int,
) -> None:  # pragma: no cover (compiled)
    """Run the code on all examples, forward and backward.

    Parameters
    ----------
    code : ndarray of shape (n, 5), int64
        The instructions.
    memory : ndarray of shape (rows, 64)
        The first rows are for the inputs, which are followed by the seed.
    X : ndarray of shape (n_inputs, m)
        The examples.
    values, of_inputs : ndarray
        What is written: the root, and the gradients of the inputs.
    gradients : ndarray of int64
        The rows of the gradients of the inputs, -1 for none.
    seed, root : int
        Rows.
    """
    m, lanes = X.shape[1], memory.shape[1]  # no constant: LLVM would unroll, not vectorise
    for start in range(0, m, lanes):
        count = min(lanes, m - start)
        for i in range(X.shape[0]):
            for j in range(lanes):
                memory[i, j] = X[i, start + min(j, count - 1)]
        for j in range(lanes):  # the last example fills the block, with a cotangent of 0
            memory[seed, j] = 1.0 if j < count else 0.0
        for k in range(code.shape[0]):
            op = code[k, 0]
            r = code[k, 1]
            x = code[k, 2]
            y = code[k, 3]
            z = code[k, 4]
            if op == 2:
                for j in range(lanes):
                    memory[r, j] = memory[x, j] * memory[y, j]
            elif op == 34:
                for j in range(lanes):
                    memory[r, j] += memory[x, j] * memory[y, j]
            elif op == 0:
                for j in range(lanes):
                    memory[r, j] = memory[x, j] + memory[y, j]
            elif op == 31:
                for j in range(lanes):
                    memory[r, j] += memory[x, j]
            elif op == 33:
                for j in range(lanes):
                    memory[r, j] = memory[z, j] + memory[x, j] * memory[y, j]
            elif op == 32:
                for j in range(lanes):
                    memory[r, j] -= memory[x, j]
            elif op == 1:
                for j in range(lanes):
                    memory[r, j] = memory[x, j] - memory[y, j]
            elif op == 3:
                for j in range(lanes):
                    memory[r, j] = memory[x, j] / memory[y, j]
            elif op == 4:
                for j in range(lanes):
                    memory[r, j] = -memory[x, j]
            elif op == 5:
                for j in range(lanes):
                    memory[r, j] = memory[x, j]
            elif op == 6:
                for j in range(lanes):
                    memory[r, j] = 0.0 if memory[x, j] <= 0.0 else memory[x, j]
            elif op == 7:
                for j in range(lanes):
                    a = memory[x, j]
                    memory[r, j] = 1.0 if a > 0.0 else -1.0 if a < 0.0 else 0.0 if a == 0.0 else a
            elif op == 8:
                for j in range(lanes):
                    memory[r, j] = (
                        1.0 if memory[x, j] > 0.0 else 0.0 if memory[x, j] <= 0.0 else memory[x, j]
                    )
            elif op == 9:
                for j in range(lanes):
                    memory[r, j] = (
                        memory[x, j]
                        if memory[x, j] >= memory[y, j] or memory[x, j] != memory[x, j]
                        else memory[y, j]
                    )
            elif op == 10:
                for j in range(lanes):
                    memory[r, j] = (
                        memory[x, j]
                        if memory[x, j] <= memory[y, j] or memory[x, j] != memory[x, j]
                        else memory[y, j]
                    )
            elif op == 11:
                for j in range(lanes):
                    memory[r, j] = memory[y, j] if memory[x, j] != 0.0 else memory[z, j]
            elif op == 12:
                for j in range(lanes):
                    a, b = memory[x, j], memory[y, j]
                    memory[r, j] = 1.0 if a > b else 0.5 if a == b else 0.0 if a < b else math.nan
            elif op == 13:
                for j in range(lanes):
                    memory[r, j] = abs(memory[x, j])
            elif op == 14:
                for j in range(lanes):
                    memory[r, j] = math.exp(memory[x, j])
            elif op == 15:
                for j in range(lanes):
                    memory[r, j] = np.log(memory[x, j])
            elif op == 16:
                for j in range(lanes):
                    memory[r, j] = math.tanh(memory[x, j])
            elif op == 17:
                for j in range(lanes):
                    e = math.exp(-abs(memory[x, j]))
                    memory[r, j] = (
                        e - e * (e / (1.0 + e)) if memory[x, j] < 0.0 else 1.0 / (1.0 + e)
                    )
            elif op == 18:
                for j in range(lanes):
                    memory[r, j] = np.sqrt(memory[x, j])
            elif op == 19:
                for j in range(lanes):
                    memory[r, j] = math.sin(memory[x, j])
            elif op == 20:
                for j in range(lanes):
                    memory[r, j] = math.cos(memory[x, j])
            elif op == 21:
                for j in range(lanes):
                    memory[r, j] = math.tan(memory[x, j])
            elif op == 22:
                for j in range(lanes):
                    memory[r, j] = math.atan(memory[x, j])
            elif op == 23:
                for j in range(lanes):
                    memory[r, j] = math.sinh(memory[x, j])
            elif op == 24:
                for j in range(lanes):
                    memory[r, j] = math.cosh(memory[x, j])
            elif op == 25:
                for j in range(lanes):
                    memory[r, j] = math.expm1(memory[x, j])
            elif op == 26:
                for j in range(lanes):
                    memory[r, j] = np.log1p(memory[x, j])
            elif op == 27:
                for j in range(lanes):
                    memory[r, j] = math.pow(memory[x, j], memory[y, j])
            elif op == 28:
                for j in range(lanes):
                    a, b, order = memory[x, j], memory[y, j], memory[z, j]
                    factor = 1.0
                    for i in range(int(order)):
                        factor *= b - i
                    if factor == 0.0:
                        memory[r, j] = 0.0
                    elif (b - order) + order != b and a != 0.0:
                        memory[r, j] = factor * math.pow(a, b) / math.pow(a, order)
                    else:
                        memory[r, j] = factor * math.pow(a, b - order)
            elif op == 29:
                for j in range(lanes):
                    a = 1.0 - memory[y, j] * memory[x, j]
                    memory[r, j] = 0.0 if a < 0.0 else a
            elif op == 30:
                for j in range(lanes):
                    memory[r, j] = (
                        memory[x, j] if memory[x, j] > 0.0 else memory[y, j] * memory[x, j]
                    )
        for j in range(count):
            values[start + j] = memory[root, j]
        for i in range(gradients.shape[0]):
            if gradients[i] >= 0:
                for j in range(count):
                    of_inputs[i, start + j] = memory[gradients[i], j]
