"""The small exact instances of this paper's statements: rational unit inputs, widths that are squares, signs over sqrt(m)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from explorer.point import Point
from explorer.problem import Problem
from explorer.statements.nouns import Subject

HALF = Fraction(1, 2)
#: points of the 24-cell: unit vectors at 60, 90, 120 and 180 degrees
E1, HALVES, TURNED = (1, 0, 0, 0), (HALF, HALF, HALF, HALF), (-HALF, HALF, HALF, HALF)


def minus(x: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(-v for v in x)


def relu(inputs: Sequence[Any], labels: Sequence[Any], width: int = 1, **more: Any) -> Problem:
    rows = [list(x) if isinstance(x, tuple) else [x] for x in inputs]
    name = f"relu-units-n{len(rows)}-d{len(rows[0])}-m{width}"
    options = {"activation": "relu", "slug": name, "source": "du2019"} | more
    return Problem.dense(widths=[len(rows[0]), width, 1], inputs=rows, targets=list(labels), **options)


def at(problem: Problem, rows: Sequence[Any], outer: Sequence[Any], *later: Sequence[Any]) -> Subject:
    """The problem with W(0) and the output weights; ``later`` are further hidden weights, flat, with the same output weights."""
    points = tuple(Point.rational([*flat, *outer]) for flat in later)
    return Subject(problem, Point.rational([*rows, *outer]), points)


def one(label: Any, weight: Any, *, sign: int = 1, width: int = 1, root: int = 1) -> Subject:
    """n = d = 1, x = 1: every unit has the same weight and the same sign over sqrt(m) = ``root``."""
    return at(relu([1], [label], width), [weight] * width, [Fraction(sign, root)] * width)


def sixty_degrees(*later: Sequence[Any]) -> Subject:
    """Two inputs at 60 degrees, four units far from every kink: H(0) has eigenvalues 3/8 and 5/8, u(0) - y = (-1, 1)."""
    rows = [32, 32, 0, 0, 32, -32, -32, 0, -32, 32, 32, 32, -32, -32, 0, 0]
    return at(relu([E1, HALVES], [1, 31], 4), rows, [HALF, -HALF, HALF, -HALF], *later)


def opposite() -> Subject:
    """x = 1 and -1: H of infinite width is I/2; two units see each input, far from the kink."""
    return at(relu([1, -1], [1, 1], 4), [16, 16, -16, -16], [HALF, -HALF, HALF, -HALF])


def same_signs() -> Subject:
    """n = 1, y = -1 and only positive signs: the label is out of reach; every unit starts at 1."""
    return one(-1, 1, width=4, root=2)


def data(inputs: Sequence[Any], labels: Sequence[Any] | None = None) -> Callable[[], Subject]:
    """A subject without a point, for statements about the inputs."""
    return lambda: Subject(relu(inputs, [0] * len(inputs) if labels is None else labels))


HEXAGON = (E1, minus(E1), HALVES, minus(HALVES), TURNED, minus(TURNED))
#: three unit vectors in the plane with rational coordinates, at irrational angles
PYTHAGOREAN = ((1, 0), (Fraction(3, 5), Fraction(4, 5)), (Fraction(-5, 13), Fraction(12, 13)))
