"""Steps about values of F: exact where the number is short, between two short bounds otherwise."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from explorer.certify.encode import Step, element_json, number, trimmed
from explorer.point import Element, Field
from explorer.problem import Problem

#: a value with a longer numerator or denominator is stated by bounds, which people can read
SHORT = 10**300
ENORMOUS = 2**64


def state_exactly(value: Element, problem: Problem) -> bool:
    """Whether to state ``value`` exactly: where it is short, and where bounds would be fragile.

    The checker's intervals have 256 bits after the binary point; with enormous targets these may be too few.
    """
    if all(abs(c.numerator) < SHORT and c.denominator < SHORT for c in value):
        return True
    return problem.data is not None and any(abs(y) > ENORMOUS for row in problem.data.targets for y in row)


def exact_step(name: str, value: Element, field: Field) -> Step:
    """F(name) = value, an element of the field of the point."""
    return {"rule": "value", "point": name, "value": element_json(trimmed(value), field)}


def bounds_step(name: str, lower: Fraction, upper: Fraction) -> Step:
    """lower <= F(name) <= upper."""
    return {"rule": "value", "point": name, "lower": number(lower), "upper": number(upper)}


def rounded_out(lower: Fraction, upper: Fraction, *, bits: int = 40) -> tuple[Fraction, Fraction]:
    """Dyadic bounds outside [lower, upper] with about ``bits`` significant bits: short numbers, slightly wider.

    At least one unit of the last place is left on either side, so that the checker's own rounding fits in even where the
    number is itself short.
    """
    size = max(abs(lower), abs(upper))
    shift = bits - (size.numerator.bit_length() - size.denominator.bit_length() if size else 0)
    scale = Fraction(2) ** shift
    low = Fraction(floor(lower * scale) - 1) / scale
    high = Fraction(ceil(upper * scale) + 1) / scale
    return low, high
