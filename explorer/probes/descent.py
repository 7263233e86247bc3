"""Gradient descent with a constant step on polynomial losses, in exact arithmetic: orbits that become periodic."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import Unsupported
from explorer.model.polynomial import Terms, differentiate
from explorer.point import Point
from explorer.probes.slices import loss_terms
from explorer.problem import Problem

Vector = tuple[Fraction, ...]
MAX_BITS = 20_000


def _value(terms: Terms, x: Vector) -> Fraction:
    total = Fraction(0)
    for exponents, c in terms.items():
        for base, e in zip(x, exponents, strict=True):
            c *= base**e
        total += c
    return total


def limit_inferior(problem: Problem, start: Point, rate: Fraction, steps: int) -> Fraction | None:
    """liminf F along gradient descent from ``start``, where a point comes back within ``steps`` steps; None where none does.

    A point that comes back makes the orbit periodic, and the limit inferior is the least value on the cycle.
    """
    terms = loss_terms(problem)
    if terms is None or not start.is_rational:
        raise Unsupported("gradient descent", expected="a polynomial loss and a rational start", got="another")
    slopes = [differentiate(terms, k) for k in range(len(start.coordinates))]
    orbit: list[Vector] = [tuple(c[0] for c in start.coordinates)]
    for _ in range(steps):
        here = orbit[-1]
        there = tuple(a - rate * _value(s, here) for a, s in zip(here, slopes, strict=True))
        if there in orbit:
            return min(_value(terms, x) for x in orbit[orbit.index(there) :])
        if max(c.numerator.bit_length() for c in there) > MAX_BITS:
            return None
        orbit.append(there)
    return None
