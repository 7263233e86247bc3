"""Paths that statements about valleys ask for: non-increasing ones to a lower point, and Property PT's perturbed start."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.budget import Budget
from explorer.errors import ExplorerError, NotCertifiable
from explorer.paths.curves import Leg, PiecewisePath, line
from explorer.paths.descend import descending_path
from explorer.paths.features import Layer, Row, columns
from explorer.paths.walks import LINE, Walk, solved
from explorer.point import Element, Point
from explorer.problem import Problem

#: perturbations of hidden parameters that are tried, the largest first
STEPS = (Fraction(1, 8), Fraction(1, 64))


def down_from(problem: Problem, point: Point, budget: Budget) -> PiecewisePath | str:
    """A path from the point along which F never rises and that ends lower; else the reason why these moves give none."""
    try:
        return descending_path(problem, point, budget=budget)
    except ExplorerError as error:
        return error.sentence()


def segment(a: Point, b: Point, *, because: str = "the segment", level: Fraction | None = None) -> PiecewisePath:
    """The straight path."""
    return PiecewisePath(a, b, (Leg(line(a.coordinates, b.coordinates, a.field), because),), level)


def perturbed_descent(problem: Problem, point: Point) -> PiecewisePath:
    """Property PT at a point: hidden weights moved by at most 1/8 so that the features have rank n, then the straight line
    in the output weights to an interpolating network, on which the squared loss is strictly convex, hence falls to 0.

    `NotCertifiable` where no perturbation that was tried has exact features of rank n.
    """
    start = Layer.of(problem, point)
    assert problem.data is not None
    for step in (Fraction(0), *STEPS):
        there = _perturbed(start, step)
        try:
            rows = list(there.table())
        except ExplorerError:
            continue
        walk = Walk(there).to(solved(there, _basis(there, rows)), LINE)
        if walk.here.loss() == 0:
            return walk.path(there)
    raise NotCertifiable(
        "Property PT",
        expected="hidden weights within 1/8 whose exact features have rank n",
        got="none among the perturbations that were tried",
    )


def _perturbed(layer: Layer, step: Fraction) -> Layer:
    """Unit j moves by step (j + 1)/m in its parameters, the c-th by 1/(c + 1) of that, so that equal units part."""
    m = layer.units
    hidden = []
    for j, unit in enumerate(layer.hidden):
        moved: list[Element] = []
        for c, value in enumerate(unit):
            moved.append((value[0] + step * Fraction(j + 1, m * (c + 1)), *value[1:]))
        hidden.append(tuple(moved))
    return replace(layer, hidden=tuple(hidden))


def fitted(problem: Problem, point: Point) -> bool:
    """Whether the output weights are least-squares solutions for the units at the point (one hidden layer, squared loss)."""
    layer = Layer.of(problem, point)
    return solved(layer, _basis(layer, list(layer.table()))).loss() == layer.loss()


def _basis(layer: Layer, rows: list[Row]) -> list[int]:
    """Units whose features are independent, together with the constant that an output bias adds."""
    ones = [(Fraction(1),) * len(rows[0])] if layer.biases else []
    shift = len(ones)
    return [j - shift for j in columns([*ones, *rows], order=range(shift + len(rows)))[0] if j >= shift]
