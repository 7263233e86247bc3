"""Steps about values of F: exact where the number is short, between two short bounds otherwise."""

from __future__ import annotations

from fractions import Fraction

from explorer.certify.encode import Step, element_json, number, trimmed
from explorer.point import Element, Field

#: a value with a longer numerator or denominator is stated by bounds, which people can read
SHORT = 10**300


def is_short(element: Element) -> bool:
    return all(abs(c.numerator) < SHORT and c.denominator < SHORT for c in element)


def exact_step(name: str, value: Element, field: Field) -> Step:
    """F(name) = value, an element of the field of the point."""
    return {"rule": "value", "point": name, "value": element_json(trimmed(value), field)}


def bounds_step(name: str, lower: Fraction, upper: Fraction) -> Step:
    """lower <= F(name) <= upper."""
    return {"rule": "value", "point": name, "lower": number(lower), "upper": number(upper)}


def rounded_out(lower: Fraction, upper: Fraction, *, bits: int = 40) -> tuple[Fraction, Fraction]:
    """Dyadic bounds outside [lower, upper] with about ``bits`` significant bits: short numbers, slightly wider."""
    size = max(abs(lower), abs(upper))
    shift = bits - (size.numerator.bit_length() - size.denominator.bit_length() if size else 0)
    scale = Fraction(2) ** shift
    low = Fraction((lower * scale).__floor__()) / scale
    high = Fraction((upper * scale).__ceil__()) / scale
    return low, high
