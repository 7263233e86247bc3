"""The table of losses. Each is a sum of convex functions of the network's outputs, written with an activation.

F = sum_i c_i sum_k outer(scale * f_k(x_i) + shift), where (scale, shift) comes from the target: the squared loss is the
square of f - y, the logistic loss the softplus of -y f. So a loss has no derivative rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from explorer.problem import Activation, Loss


@dataclass(frozen=True)
class LossRow:
    """One loss kind (also the checker's name): ``argument`` maps a target y to (scale, shift).

    Both losses are convex in f and nonnegative; ``infimum_attained`` says whether outer has a minimum.
    """

    kind: str
    formula: str
    outer: Activation
    argument: Callable[[Fraction], tuple[Fraction, Fraction]]
    infimum_attained: bool


LOSSES: tuple[LossRow, ...] = (
    LossRow("squared", "|y - f|^2", Activation("square"), lambda y: (Fraction(1), -y), True),
    LossRow("logistic", "ln(1 + e^(-y f))", Activation("softplus"), lambda y: (-y, Fraction(0)), False),
)

_ROWS = {r.kind: r for r in LOSSES}


def row(loss: Loss) -> LossRow:
    return _ROWS[loss.kind]
