"""A path down from any point of a wide one-hidden-layer network: no spurious valley, made explicit."""

from __future__ import annotations

from explorer.budget import Budget
from explorer.errors import NotCertifiable
from explorer.paths.curves import PiecewisePath
from explorer.paths.features import Layer
from explorer.paths.walks import LINE, MOVE, SHIFT, Walk, concentrated, enriched, solved
from explorer.point import Point
from explorer.problem import Problem


def descending_path(problem: Problem, point: Point, *, budget: Budget | None = None) -> PiecewisePath:
    """A path from ``point`` along which the squared loss never rises and that ends strictly lower.

    Shift the output weights to independent units, move the freed units to new features, go straight to the least-squares
    output weights. With at least as many units as samples the end is a network of loss 0, provided the candidates reach
    full rank. Raises `Unsupported` for other networks, `NotCertifiable` when these moves reach no lower point.
    """
    deadline = (budget or Budget()).start()
    start = Layer.of(problem, point)
    value = start.loss()
    here, basis = concentrated(start)
    moved, used = enriched(here, basis, deadline)
    walk = Walk(start)
    if len(used) > len(basis):
        walk = walk.to(here, SHIFT).to(moved, MOVE)
        walk = walk.to(solved(walk.here, used), LINE)
    else:
        walk = walk.to(solved(start, basis), LINE)
    if walk.here.loss() >= value:
        raise NotCertifiable(
            "descending path",
            expected="a lower point that shifting, moving and solving reach",
            got="none: the point is a least-squares solution for its features and no silent unit adds one",
            remedy="give a wider network, or another point",
        )
    return walk.path(start)
