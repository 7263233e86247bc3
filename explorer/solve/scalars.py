"""Numbers of results as JSON and as enclosures, and the exact comparison of two of them (SymPy-free)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from explorer.algebra.fields import arithmetic, minimal_polynomial
from explorer.algebra.roots import integer_polynomial, sturm_count
from explorer.exact import text
from explorer.point import Element, Field, Ln2Ring

Bounds = tuple[Fraction, Fraction]

#: bits of the enclosures that are shown to people
BITS = 64


def enclosure(element: Element, field: Field, *, bits: int = BITS) -> Bounds:
    """A rational interval of width at most 2^-``bits`` around ``element``."""
    if not any(element[1:]):
        return element[0], element[0]
    return arithmetic(field).enclose(element, bits)


def element_json(element: Element, field: Field) -> Any:
    """A number as text where it is rational, else ``{"polynomial", "interval"}``: its own minimal polynomial over Q
    (coefficients low to high) and an open interval in which it is the only root. Elements of Q[ln 2] say so."""
    if not any(element[1:]):
        return text(element[0])
    if isinstance(field, Ln2Ring):
        return {"ln2": [text(c) for c in element]}
    polynomial, interval = minimal_polynomial(element, field)
    if len(polynomial) == 2:  # a rational number in disguise
        return text(Fraction(-polynomial[0], polynomial[1]))
    return {"polynomial": [str(c) for c in polynomial], "interval": [text(b) for b in interval]}


def element_text(element: Element, field: Field) -> str:
    """A number of Q or Q(alpha) in words: '3/2', or '(the root of -2 + 1*t^2 near 1.41421)'."""
    if not any(element[1:]):
        return text(element[0])
    polynomial, _ = minimal_polynomial(element, field)
    if len(polynomial) == 2:
        return text(Fraction(-polynomial[0], polynomial[1]))
    return root_text(polynomial, arithmetic(field).approximate(element))


def root_text(polynomial: Sequence[int], near: float) -> str:
    """An irrational root of an integer polynomial (coefficients low to high) in words."""
    powers = [f"{c}" if k == 0 else f"{c}*t^{k}" for k, c in enumerate(polynomial) if c]
    return f"(the root of {' + '.join(powers)} near {near:.6g})"


def compare(a: Element, field_a: Field, b: Element, field_b: Field) -> int:
    """-1, 0 or 1 as the real number a is below, equal to or above b; the fields may differ, neither is Q[ln 2] unless
    both are. Equality is decided by minimal polynomials and a common isolating interval."""
    if field_a == field_b:
        arith = arithmetic(field_a)
        return arith.sign(arith.sub(a, b))
    (p, box_p), (q, _) = minimal_polynomial(a, field_a), minimal_polynomial(b, field_b)
    bits = 32
    while True:
        (a_lo, a_hi), (b_lo, b_hi) = enclosure(a, field_a, bits=bits), enclosure(b, field_b, bits=bits)
        if a_hi < b_lo:
            return -1
        if b_hi < a_lo:
            return 1
        if p == q:
            lo, hi = min(a_lo, b_lo), max(a_hi, b_hi)
            if box_p[0] < lo and hi < box_p[1]:
                return 0  # both are the only root of p in box_p
            gap = Fraction(1, 2**bits)
            if sturm_count(integer_polynomial(p), lo - gap, hi + gap) == 1:
                return 0
        bits *= 2
