"""Short ways to write this paper's entries: problems, points, and judgements about least squares."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from explorer.exact import exact
from explorer.induced.features import Features, induced_minimum, squared_loss
from explorer.point import Element, Point, RationalField
from explorer.problem import Problem
from explorer.statements.nouns import Judgement, Subject, Witness


def dense(widths: list[int], activation: Any, inputs: list[Any], targets: list[Any], **more: Any) -> Problem:
    """A small network on scalar or vector data."""
    rows = [[x if isinstance(x, list) else [x] for x in side] for side in (inputs, targets)]
    return Problem.dense(
        widths=widths, activation=activation, inputs=rows[0], targets=rows[1], **{"bias": False, **more}
    )


def rational(problem: Problem, *coordinates: Any) -> Point:
    """The rational point with these coordinates, in parameter order."""
    assert len(coordinates) == len(problem.parameters)
    return Point(RationalField(), tuple((exact(c, "coordinate"),) for c in coordinates))


def subject(problem: Problem, *coordinates: Any) -> Subject:
    """The problem at one rational point; without coordinates, the problem alone."""
    return Subject(problem, rational(problem, *coordinates) if coordinates else None)


def same(features: Features, left: Element, right: Element) -> bool:
    """Equality in the field of the features."""
    a = features.arithmetic
    return a.is_zero(a.sub(left, right))


def shown(features: Features, value: Element) -> str:
    """A value for a reason: exact when rational, else approximate."""
    return str(value[0]) if not any(value[1:]) else f"~{features.arithmetic.approximate(value):.6g}"


def optimal_everywhere(found: list[tuple[Point, Features]], word: str, *, partial: bool) -> Judgement:
    """L(theta) equals the least loss over the span of the gradient features, at every point of the list."""
    for _, f in found:
        here, best = squared_loss(f), induced_minimum(f)
        if not same(f, here, best):
            return Judgement(False, f"at a {word} L = {shown(f, here)}, but the induced model reaches {shown(f, best)}")
    shows = tuple(Witness("tangent-optimal", p) for p, _ in found)
    values = ", ".join(sorted({shown(f, squared_loss(f)) for _, f in found}))
    return Judgement(
        True,
        f"L equals the least-squares value over the gradient features at {len(found)} point(s): {values}",
        shows=shows,
        partial=partial,
    )


def fraction(text: str) -> Fraction:
    """A rational number from its text."""
    return Fraction(exact(text, "number"))
