"""Minima of ordinary networks where no solver lists them: found by descent in floats, certified on a ball."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from explorer.budget import Budget, Deadline
from explorer.certify.convexity import centred
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.point import Point
from explorer.problem import Problem
from explorer.propose.networks import Floats, Limit, limits

STARTS = 24  #: of descents for one point
GOALS = ("critical-point", "strict-local-minimum", "local-minimum", "spurious-local-minimum")
APART = Fraction(1, 10**6)  #: relative difference of values that count as two


def minimum(problem: Problem, goal: str, budget: Budget | None) -> Located:
    """A strict minimum in a ball: the first that a descent finds, for ``spurious-local-minimum`` one that is not the lowest found."""
    clock = (budget or Budget()).start()
    found: list[Limit] = []
    for limit in _found(problem, clock):
        found.append(limit)
        high, low = max(found, key=_value), min(found, key=_value)
        if goal == "spurious-local-minimum":
            if not _differ(high, low):
                continue
            limit = high
        return Located.of(problem, "p", centred(problem, limit.theta))
    values = ", ".join(sorted({f"{f.value:.6g}" for f in found})[:4])
    raise NotCertifiable(
        goal,
        expected="descents that end in such a point",
        got=f"{len(found)} of {STARTS} at rest{', values ' + values if values else ''}",
        remedy="give the point with at=",
    )


def lower(p: Located, budget: Budget | None) -> Located:
    """A point near the end of a descent, below ``p``."""
    clock = (budget or Budget()).start()
    for limit in _found(p.problem, clock):
        if Fraction(limit.value) * (1 + APART) < p.bounds[0]:
            return Located.of(p.problem, "q", Point.rational(tuple(round(Fraction(v), 9) for v in limit.theta)))
    raise NotCertifiable(
        "lower point", expected="a descent that ends below", got=f"none of {STARTS}", remedy="give one with better="
    )


def _found(problem: Problem, clock: Deadline) -> Iterator[Limit]:
    for limit in limits(Floats.of(problem), starts=STARTS):
        clock.check("descending from random starts")
        if limit is not None:
            yield limit


def _value(limit: Limit) -> Fraction:
    return Fraction(limit.value)


def _differ(high: Limit, low: Limit) -> bool:
    return _value(high) - _value(low) > APART * abs(_value(high))
