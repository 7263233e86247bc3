"""Hyperplanes in parameter space that every path between two minima has to cross, and how high F is on them.

On the hyperplane a unit is silent, or two units have become one: the network there is a smaller one, with outputs that cannot fit the
data. No box is needed, so the components on the two sides may be unbounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.certify.goals import certify
from explorer.certify.located import Located
from explorer.certify.paths import path_step
from explorer.paths.curves import Leg, PiecewisePath, line
from explorer.point import Ln2Ring, Point
from explorer.problem import Problem

F = Fraction


def separated(
    problem: Problem, a: Point, b: Point, *, wall: Step, goal: str, through: Sequence[Point] | None = None
) -> Certificate:
    """A certificate of ``barrier``, ``exact-barrier`` (with a polygon ``through`` points) or ``spurious-valley``."""
    p, q = Located(problem, "p", a), Located(problem, "q", b)
    steps = [{"rule": "wall", "point": "p", "to": "q"} | wall]
    if through is not None:
        corners = [a, *through, b]
        legs = tuple(Leg(line(u.coordinates, v.coordinates, a.field), "a segment") for u, v in pairwise(corners))
        steps.append(path_step(PiecewisePath(a, b, legs, F(wall["level"])), "p", "q"))
    if goal == "spurious-valley":
        steps += [p.value_step(), q.value_step()]
    claim = {"kind": goal, "point": "p", "better" if goal == "spurious-valley" else "to": "q"}
    return accepted(assemble(problem, claim, {"p": a, "q": b}, steps))


def cells(level: Fraction | int, wall: Sequence[int], signs: Sequence[int]) -> Step:
    """Evidence: in every cell of signs of the parameters ``signs`` (from 1) some outputs do not depend on the parameters."""
    return {"level": number(F(level)), "wall": [number(F(v)) for v in wall], "proof": "cells", "cells": list(signs)}


def two_branches(source: str) -> Instance:
    """(vw - 1)^2: the two branches of the hyperbola vw = 1 are separated by v = 0, where F = 1; the diagonal reaches just 1."""
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="barrier-vw", source=source)
    a, o, b = Point.rational([1, 1]), Point.rational([0, 0]), Point.rational([-1, -1])
    wall = cells(1, [0, 1], [])
    return _between_minima(problem, a, b, separated(problem, a, b, wall=wall, goal="exact-barrier", through=[o]))


def relu_pair(source: str) -> Instance:
    """Two ReLU units, x = +-1, y = (1, 1): where the two units agree in sign, w_1 = w_2, one sample gets 0, so F >= 1.

    The path lets unit 2 die, hands the sample 1 over from unit 1 to unit 2 (w_1 + w_2 = 1) and lets unit 1 turn to the
    other sample; F rises to 1, stays, and falls.
    """
    problem = Problem.dense(
        widths=[1, 2, 1], activation="relu", inputs=[1, -1], targets=[1, 1], slug="barrier-relu", source=source
    )
    a, b = Point.rational([1, -1, 1, 1]), Point.rational([-1, 1, 1, 1])
    through = [Point.rational([1, 0, 1, 1]), Point.rational([0, 1, 1, 1])]
    wall = cells(1, [1, -1, 0, 0], [2])
    return _between_minima(problem, a, b, separated(problem, a, b, wall=wall, goal="exact-barrier", through=through))


def relu_valley(source: str) -> Instance:
    """One ReLU unit, x = +-1, y = (1, 2): the sample -1 is lost for w >= 0 (F >= 4), both at w = 0 (F = 5); F(-1, 2) = 1.

    So {F < 5} has a component with w > 0 whose infimum is 4, an unbounded valley (F does not change along (tw, v/t)).
    """
    problem = Problem.dense(
        widths=[1, 1, 1], activation="relu", inputs=[1, -1], targets=[1, 2], slug="valley-relu", source=source
    )
    a, b = Point.rational([1, 1]), Point.rational([-1, 2])
    wall = cells(5, [1, 0], [])
    through = [Point.rational([0, 1]), Point.rational([0, 2])]
    return Instance(
        problem.slug,
        problem,
        (
            ("spurious-valley", separated(problem, a, b, wall=wall | {"side": "4"}, goal="spurious-valley")),
            ("exact-barrier", separated(problem, a, b, wall=wall, goal="exact-barrier", through=through)),
        ),
    )


def swapped_sigmoids(source: str) -> Instance:
    """Width = samples = 2, sigmoid, x = (1, 2), y = (1, -1): the two global minima with units swapped are separated by w_1 = w_2,
    where both outputs have the same sign, so F >= 1.

    W = (1, 2) ln 2: features (2/3, 4/5), (4/5, 16/17), determinant 32/51 - 16/25 = -16/1275; v = (-555/4, 935/8).
    """
    problem = Problem.dense(
        widths=[1, 2, 1], activation="sigmoid", inputs=[1, 2], targets=[1, -1], slug="barrier-sigmoid", source=source
    )
    one, two, u, v = (F(0), F(1)), (F(0), F(2)), (F(-555, 4),), (F(935, 8),)
    a, b = (Point(Ln2Ring(), c) for c in ((one, two, u, v), (two, one, v, u)))
    wall: Step = {"level": "1", "wall": ["1", "-1", "0", "0"], "proof": "same-sign"}
    return _between_minima(problem, a, b, separated(problem, a, b, wall=wall, goal="barrier"))


def three_on_two_branches(source: str) -> Instance:
    """(vw - 1)^2, the minima (1, 1), (-1, -1), (2, 1/2): their plane is the whole space, and every path from the first to the
    second rises to 1."""
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="plane-of-three", source=source)
    points = [Point.rational(c) for c in ([1, 1], [-1, -1], [2, F(1, 2)])]
    wall = separated(problem, points[0], points[1], wall=cells(1, [0, 1], []), goal="barrier")
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=p)) for k, p in enumerate(points, 1)]
    return Instance(problem.slug, problem, (("barrier", wall), *minima))


def _between_minima(problem: Problem, a: Point, b: Point, wall: Certificate) -> Instance:
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=p)) for k, p in enumerate((a, b), 1)]
    return Instance(problem.slug, problem, ((str(wall.goal["kind"]), wall), *minima))
