"""Canonical text of certificates: elements, points, steps in the required order (docs/certificate.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from explorer.certify.certificate import FORMAT, Certificate
from explorer.errors import NotCertifiable
from explorer.exact import MAX_DIGITS, text
from explorer.point import (
    AnyPoint,
    BallPoint,
    Element,
    EnclosedPoint,
    Field,
    FittedPoint,
    InPi,
    Ln2Ring,
    Point,
    RationalField,
    TaughtPoint,
    TiedPoint,
    UniformPoint,
)
from explorer.problem import Problem

Step: TypeAlias = dict[str, Any]

#: the rules in the order in which a certificate lists its steps
ORDER = (
    "hypothesis",
    "minimum-in-ball",
    "symmetric-inertia",
    "uniform-minimum",
    "value",
    "stationary",
    "stationary-in-box",
    "inertia",
    "strict-minimum",
    "maximum",
    "strict-saddle",
    "flat-minimum",
    "morse-bott-minimum",
    "morse-bott-maximum",
    "descent-curve",
    "ascent-curve",
    "floor",
    "below",
    "global",
    "coercive",
    "path",
    "escape",
    "basin",
    "wall",
    "output-basin",
    "constant",
    "slice-basin",
    "quadratic-output",
    "line",
    "gradient-step",
    "flow",
    "chord",
    "orthogonal-requ",
    "added-unit",
    "zero-error",
    "tangent-optimal",
    "kinks-nearby",
    "rank",
    "disparity",
    "fourier-limit",
    "frozen",
    "revival",
    "aliased",
    "too-few-breaks",
    "gram-floor",
    "gram-null",
    "hidden-gram",
    "linear-descent",
    "hidden-descent",
    "flow-ends",
    "flow-rests",
    "initial-mean",
    "radius",
    "complete-in-box",
    "complete",
    "feature-null",
    "feature-null-near",
    "positive",
)


def number(value: Fraction) -> str:
    """The text of a rational number; `NotCertifiable` past the format's limit on digits."""
    limit = 10**MAX_DIGITS
    if abs(value.numerator) >= limit or value.denominator >= limit:
        raise NotCertifiable("number", expected=f"at most {MAX_DIGITS} digits", got="more", remedy="use simpler data")
    return text(value)


def trimmed(element: Sequence[Fraction]) -> Element:
    """``element`` without trailing zero coefficients, never empty."""
    end = len(element)
    while end > 1 and element[end - 1] == 0:
        end -= 1
    return tuple(element[:end]) or (Fraction(0),)


def element_json(element: Element, field: Field) -> str | list[str]:
    """An element as the format writes it: a number over the rationals, a coefficient list otherwise."""
    element = trimmed(element)
    if isinstance(field, RationalField):
        if len(element) > 1:
            raise NotCertifiable("coordinate", expected="a rational number", got=f"{len(element)} coefficients")
        return number(element[0])
    return [number(c) for c in element]


def in_pi(terms: InPi) -> str | list[list[int | str]]:
    """A sum of q pi^e as the format writes it: a number, or pairs."""
    kept = sorted((e, q) for e, q in terms if q)
    return (
        number(sum((q for _, q in kept), Fraction(0)))
        if all(e == 0 for e, _ in kept)
        else [[e, number(q)] for e, q in kept]
    )


def point_json(point: AnyPoint | TiedPoint | TaughtPoint | UniformPoint | FittedPoint) -> dict[str, Any]:
    """A point as the format writes it."""
    if isinstance(point, FittedPoint):
        numbers = {"field": "rational", "coordinates": [number(c) for c in point.coordinates]}
        return numbers | {"fitted": point.fitted + 1, "output": number(point.output)}
    if isinstance(point, TaughtPoint):
        return {"teacher": "padded"}
    if isinstance(point, UniformPoint):
        uniform = {
            "classes": [list(pair) for pair in point.sizes],
            "rows": list(point.rows),
            "columns": list(point.columns),
        }
        powers = [[e, number(c)] for e, c in (point.radius, *point.scale)]
        rows = [[in_pi(terms) for terms in row] for row in point.centre]
        return {**uniform, "centre": rows, "scale": powers[1:], "radius": powers[0]}
    if isinstance(point, TiedPoint):
        shape = {"classes": list(point.sizes), "rows": list(point.rows), "columns": list(point.columns)}
        numbers = {"centre": [number(v) for v in point.centre], "scale": [number(v) for v in point.scale]}
        return {**shape, **numbers, "radius": number(point.radius)}
    if isinstance(point, BallPoint):
        return {"centre": [number(v) for v in point.centre], "radius": number(point.radius)}
    if isinstance(point, EnclosedPoint):
        return {"lower": [number(v) for v in point.lower], "upper": [number(v) for v in point.upper]}
    if isinstance(point.field, RationalField):
        head: Any = "rational"
    elif isinstance(point.field, Ln2Ring):
        head = "ln2"
    else:
        head = {
            "polynomial": [number(c) for c in point.field.polynomial],
            "interval": [number(v) for v in point.field.interval],
        }
    return {"field": head, "coordinates": [element_json(c, point.field) for c in point.coordinates]}


def simplest(point: AnyPoint) -> AnyPoint:
    """The same real vector, over the rationals where its coordinates are rational as written."""
    if isinstance(point, EnclosedPoint):
        return point
    coordinates = tuple(trimmed(c) for c in point.coordinates)
    field = RationalField() if all(len(c) == 1 for c in coordinates) else point.field
    return Point(field, coordinates)


def assemble(
    problem: Problem,
    goal: Mapping[str, Any],
    points: Mapping[str, AnyPoint | TiedPoint | TaughtPoint | UniformPoint | FittedPoint],
    steps: Iterable[Step],
) -> Certificate:
    """The certificate with its steps in canonical order: by rule, then by the names that they are about."""
    ordered = sorted(steps, key=lambda step: (ORDER.index(step["rule"]), _subject(step)))
    body = {
        "format": FORMAT,
        "problem": problem.digest,
        "goal": dict(goal),
        "points": {name: point_json(point) for name, point in points.items()},
        "steps": ordered,
    }
    return Certificate(problem, body)


def _subject(step: Step) -> tuple[str, ...]:
    return tuple(
        step[key] for key in ("name", "point", "lower", "upper", "proof", "matrix") if isinstance(step.get(key), str)
    )
