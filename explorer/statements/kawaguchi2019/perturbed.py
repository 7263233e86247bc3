"""The perturbable gradient basis at a point: nearby parameters with exactly the same outputs, and their gradient features."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from explorer.errors import Unsupported
from explorer.induced.features import Features, gradient_features, kinks
from explorer.induced.linear import least_squares
from explorer.point import Element, Point
from explorer.problem import Problem
from explorer.statements.nouns import Subject

#: the radius of the directions tried; every direction has norm 1 (a unit vector, or 3/5 and 4/5 in two coordinates)
RADIUS = Fraction(1, 1000)
MOST_DIRECTIONS = 240


def directions(size: int) -> list[dict[int, Fraction]]:
    """Rational unit vectors: plus and minus each axis, and (3/5, 4/5) in each pair of axes with every sign."""
    out = [{k: Fraction(s)} for k in range(size) for s in (1, -1)]
    for i, j in combinations(range(size), 2):
        out += [{i: Fraction(3 * s, 5), j: Fraction(4 * t, 5)} for s in (1, -1) for t in (1, -1)]
    return out[:MOST_DIRECTIONS]


def moved(point: Point, direction: dict[int, Fraction], radius: Fraction = RADIUS) -> Point:
    """theta + radius v."""
    coordinates = list(point.coordinates)
    for k, step in direction.items():
        head, *rest = coordinates[k]
        coordinates[k] = (head + radius * step, *rest)
    return Point(point.field, tuple(coordinates))


def same_outputs(problem: Problem, point: Point, here: Features) -> list[Features]:
    """Features at every point theta + RADIUS v of the directions tried where all outputs are those at theta, v = 0 first.

    This is a finite subset S of V[theta, eps], chosen exactly; other members of V may exist.
    """
    a, found = here.arithmetic, [here]
    for v in directions(len(point.coordinates)):
        other = moved(point, v)
        try:
            if kinks(problem, other):
                continue
            there = gradient_features(problem, other)
        except Unsupported:
            continue
        if there.field == here.field and all(
            a.is_zero(a.sub(x, y)) for x, y in zip(there.outputs, here.outputs, strict=True)
        ):
            found.append(there)
    return found


def stacked_minimum(family: list[Features]) -> Element:
    """The least-squares value over all gradient features of the family together."""
    first = family[0]
    columns = [c for f in family for c in f.columns]
    return least_squares(first.arithmetic, columns, first.lifted_targets, first.weights)


def given_points(subject: Subject) -> list[Point]:
    """The further points of the subject, where exact ones were given."""
    return [p for p in subject.points if isinstance(p, Point)]
