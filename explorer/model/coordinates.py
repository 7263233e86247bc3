"""Points as people write them: names to exact numbers, in Q or in Q[ln 2]."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from explorer.errors import Invalid
from explorer.exact import exact
from explorer.point import Element, Ln2Ring, Point, RationalField
from explorer.problem import Problem

_T = sp.Dummy("T", real=True)


def as_point(point: Point | Mapping[Any, Any], problem: Problem) -> Point:
    """``point`` itself (its length checked), or the point of a mapping from every parameter to an exact number."""
    names = problem.parameters
    if isinstance(point, Point):
        if len(point.coordinates) != len(names):
            raise Invalid("point", expected=f"{len(names)} coordinates", got=f"{len(point.coordinates)}")
        return point
    if not isinstance(point, Mapping):
        raise Invalid(
            "point",
            expected="a Point or a mapping from parameter names to exact numbers",
            got=type(point).__name__,
            remedy="write {'w1_1_1': '1/2', ...}",
        )
    given = {str(k): v for k, v in point.items()}
    for what, keys in (("missing", set(names) - set(given)), ("unknown", set(given) - set(names))):
        if keys:
            raise Invalid(
                "point",
                expected="every parameter once",
                got=f"{what} {', '.join(sorted(keys))[:80]}",
                remedy=f"the parameters are {', '.join(names)[:200]}",
            )
    coordinates = tuple(_element(given[n], n) for n in names)
    field = RationalField() if all(len(c) == 1 for c in coordinates) else Ln2Ring()
    return Point(field, coordinates)


def _element(value: object, name: str) -> Element:
    if isinstance(value, sp.Expr) and not value.is_Rational:
        return _in_ln2(value, name)
    return (exact(value, name),)


def _in_ln2(value: sp.Expr, name: str) -> Element:
    """The coefficients of a polynomial in log(2); log(2^k) counts as k log(2)."""
    refusal = Invalid(
        name,
        expected="a rational number or a polynomial in log(2) with rational coefficients",
        got=str(value)[:80],
        remedy="for algebraic coordinates give an explorer.point.Point over a NumberField",
    )
    if value.has(sp.Float) or value.free_symbols:
        raise refusal
    swapped = value.replace(
        lambda e: isinstance(e, sp.log) and _power_of_two(e.args[0]) is not None,
        lambda e: _power_of_two(e.args[0]) * _T,
    )
    try:
        poly = sp.Poly(swapped, _T)
    except sp.PolynomialError:
        raise refusal from None
    coefficients = poly.all_coeffs()[::-1]
    if not all(c.is_Rational for c in coefficients):
        raise refusal
    return tuple(Fraction(int(c.p), int(c.q)) for c in coefficients)


def _power_of_two(x: sp.Expr) -> int | None:
    if not x.is_Rational or x <= 0:
        return None
    for p, sign in ((int(x), 1), (int(1 / x), -1)):
        if p > 0 and p & (p - 1) == 0 and x == sp.Integer(2) ** (sign * (p.bit_length() - 1)):
            return sign * (p.bit_length() - 1)
    return None
