"""The small problems on which the statements of Jiang 2019 are decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.problem import Problem


def network(widths: list[int], activation: Any, inputs: list[Any], targets: list[Any], **more: Any) -> Callable[[], Problem]:  # fmt: skip
    """A dense network on data, built when it is asked for."""
    return lambda: Problem.dense(widths=widths, activation=activation, inputs=inputs, targets=targets, **more)


BOTH = [True, True]
#: f = 1/2 + relu(x - 1/2) + relu(x - 3/4) on (1/8, 0), (1/4, 1): all units alive on [0, 1], none active on the data
SILENT = network([1, 2, 1], "relu", ["1/8", "1/4"], [0, 1], bias=BOTH)
SILENT_POINT = [1, 1, "-1/2", "-3/4", 1, 1, "1/2"]
#: the same data, one unit with its kink at 1/2
ONE_SILENT = network([1, 1, 1], "relu", ["1/8", "1/4"], [0, 1], bias=BOTH)
#: no output bias, kinks near the centre of the cube
CENTRE = network([1, 2, 1], "relu", ["1/8", "1/4"], [0, 1], bias=[True, False])
RAMP = network([1, 1, 1], "relu", [0], [0])
RAMP_INSIDE = network([1, 1, 1], "relu", ["1/4"], [0])
LINE = network([1, 1], "linear", [0], [1])
UNIT = network([1, 1, 1], "relu", [1], [0], bias=True)
PRODUCT = network([1, 1, 1], "linear", [1], [1])
PARABOLA = network([1, 1, 1], {"kind": "polynomial", "coefficients": ["-1/8", "1/4", "-1/8"]}, [1], [1])
ENDS = network([1, 1], "linear", [0, 1], [0, 1])
THREE = network([1, 1], "linear", ["0", "1/4", "1/2"], [0, 1, 0])
SQUARE_LINE = network([2, 1], "linear", [["1/8", "1/2"], ["3/8", "1/2"], ["5/8", "1/2"], ["7/8", "1/2"]], [1, -1, 1, -1])  # fmt: skip
ZIGZAG = network([1, 1, 1], "relu", [0, "1/4", "1/2", "3/4", 1], [0, 1, 0, 1, 0], bias=True)
DEEP = network([1, 1, 2, 1], "relu", [1], [10], bias=[False, True, False])
AFFINE = network([1, 1], "linear", ["1/4", "3/4"], [0, 1], bias=[True])
AFFINE_ENDS = network([1, 1], "linear", [0, 1], [0, 1], bias=[True])
