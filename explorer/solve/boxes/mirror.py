"""Which boxes a search may leave out, since symmetries of the units map them to others.

Changing the sign of a hidden unit and exchanging two leave F as it is. Order the points of an orbit by phi = sum_j c_j w_j, w_j the first
weight of unit j, c_1 > c_2 > ... > 0: where a symmetry raises phi on a whole box, a critical point in it has an image that is listed or
lies in a box that is looked at (proof: docs/certificate.md, rule complete-in-box). So only w_1 >= w_2 >= ... >= 0 is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from explorer.model.activations import pieces_of, row
from explorer.model.signed import SignedPermutation
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.arrays import Array

MOST_UNITS = 16


@dataclass(frozen=True)
class Move:
    """A symmetry; it raises phi where parameter ``first`` is negative, or (``second`` not None) smaller than that one."""

    symmetry: SignedPermutation
    first: int
    second: int | None

    def raises(self, lo: Array, hi: Array) -> Array:
        return hi[self.first] < (0 if self.second is None else lo[self.second])

    def image(
        self, lower: Sequence[Fraction], upper: Sequence[Fraction]
    ) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
        """The image of a box."""
        low, high = list(lower), list(upper)
        for k, (m, sign) in enumerate(zip(self.symmetry.images, self.symmetry.signs, strict=True)):
            low[m], high[m] = (lower[k], upper[k]) if sign > 0 else (-upper[k], -lower[k])
        return tuple(low), tuple(high)


def moves(problem: Problem, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> tuple[Move, ...]:
    """The symmetries of the units of the first hidden layer that map the box to itself."""
    net, regularizer = problem.network, problem.regularizer
    if not isinstance(net, DenseNetwork) or net.depth < 2 or net.widths[1] > MOST_UNITS:
        return ()
    if regularizer is not None and regularizer.kind not in ("l2", "power"):
        return ()
    weights = regularizer.weights if regularizer is not None else None
    box = tuple(lower), tuple(upper)
    return tuple(move for move in _candidates(net, weights) if move.image(lower, upper) == box)


def _candidates(net: DenseNetwork, weights: Sequence[Fraction] | None) -> Iterator[Move]:
    cols, units, size = net.widths[0], net.widths[1], net.parameter_count
    second = units * (cols + net.bias[0])
    into = [[*range(j * cols, (j + 1) * cols), *([units * cols + j] if net.bias[0] else [])] for j in range(units)]
    away = [list(range(second + j, second + units * net.widths[2], units)) for j in range(units)]
    pieces = pieces_of(net.activations[0])
    parity = row(net.activations[0]).facts(net.activations[0]).parity if pieces is None or not pieces.breaks else None
    for j in range(units) if parity else ():
        signs = [1] * size
        for k in into[j] + (away[j] if parity == "odd" else []):
            signs[k] = -1
        yield Move(SignedPermutation(tuple(range(size)), tuple(signs)), into[j][0], None)
    for i, j in combinations(range(units), 2):
        pairs = list(zip(into[i] + away[i], into[j] + away[j], strict=True))
        if weights is None or all(weights[a] == weights[b] for a, b in pairs):
            images = list(range(size))
            for a, b in pairs:
                images[a], images[b] = b, a
            yield Move(SignedPermutation(tuple(images), (1,) * size), into[i][0], into[j][0])
