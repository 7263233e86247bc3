"""Elements of a point's field as intervals and as JSON: rational bounds by bisection, minimal polynomials by linear algebra.

Standard library and FLINT's rational polynomials only; no SymPy, so that results print without it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from explorer.errors import Invalid
from explorer.exact import text
from explorer.point import Element, Field, Ln2Ring, NumberField, RationalField

Bounds = tuple[Fraction, Fraction]

#: bits of the enclosures that are shown to people
BITS = 64


def is_rational(element: Element) -> bool:
    """Whether the coefficients say that the element is rational (a sufficient condition in a number field)."""
    return not any(element[1:])


def enclosure(element: Element, field: Field, *, bits: int = BITS) -> Bounds:
    """A rational interval around ``element``, of width at most about 2^-``bits`` times its size (0 for rationals)."""
    if is_rational(element):
        return element[0], element[0]
    if isinstance(field, RationalField):
        raise Invalid("element", expected="one coefficient in the rational field", got=f"{len(element)}")
    work = bits
    while True:
        generator = _ln2(work) if isinstance(field, Ln2Ring) else _refined(field, work)
        lo, hi = evaluate(element, generator)
        if (hi - lo) * 2**bits <= max(Fraction(1), abs(lo)):
            return lo, hi
        work *= 2


def evaluate(coefficients: Element, x: Bounds) -> Bounds:
    """Interval Horner evaluation of sum c_k x^k."""
    lo = hi = Fraction(0)
    for c in reversed(coefficients):
        products = (lo * x[0], lo * x[1], hi * x[0], hi * x[1])
        lo, hi = min(products) + c, max(products) + c
    return lo, hi


def element_json(element: Element, field: Field) -> Any:
    """A number as text where it is rational, else ``{"polynomial", "interval"}``: its own minimal polynomial over Q
    (coefficients low to high) and an open interval in which it is the only root. Elements of Q[ln 2] say so."""
    if is_rational(element):
        return text(element[0])
    if isinstance(field, Ln2Ring):
        return {"ln2": [text(c) for c in element]}
    assert isinstance(field, NumberField)
    polynomial, interval = minimal_polynomial(element, field)
    if len(polynomial) == 2:  # a rational number in disguise
        return text(-polynomial[0] / polynomial[1])
    return {"polynomial": [text(c) for c in polynomial], "interval": [text(b) for b in interval]}


@lru_cache(maxsize=4096)
def minimal_polynomial(element: Element, field: NumberField) -> tuple[tuple[Fraction, ...], Bounds]:
    """The minimal polynomial (integer coefficients, low to high) of an element of Q(alpha), with an isolating interval.

    The element is a root of the characteristic polynomial of multiplication by it on Q[x]/(m); of the irreducible
    factors exactly one has a root in a small enough enclosure (compare Cohen, A Course in Computational Algebraic
    Number Theory, 4.3).
    """
    modulus = _poly(field.polynomial)
    degree = modulus.degree()
    rows = []
    for k in range(degree):
        image = (_poly(element) * fmpq_poly([0] * k + [1])) % modulus
        rows += [image[j] for j in range(degree)]
    _, factors = fmpq_mat(degree, degree, rows).charpoly().numer().factor()
    bits = 32
    while True:
        lo, hi = enclosure(element, field, bits=bits)
        gap = Fraction(1, 2**bits)
        lo, hi = lo - gap, hi + gap  # open at both ends, the element strictly inside
        hits = [(f, roots_between(fmpq_poly(f), lo, hi)) for f, _ in factors]
        hits = [(f, n) for f, n in hits if n]
        if len(hits) == 1 and hits[0][1] == 1:
            return tuple(Fraction(int(hits[0][0][k])) for k in range(hits[0][0].degree() + 1)), (lo, hi)
        bits *= 2


def roots_between(p: fmpq_poly, lo: Fraction, hi: Fraction) -> int:
    """The number of distinct real roots in (lo, hi] of a polynomial p, by Sturm's theorem; p(lo) = 0 counts as outside."""
    chain = [p, p.derivative()]
    while chain[-1].degree() > 0:
        rest = chain[-2] % chain[-1]
        if rest == 0:
            break
        chain.append(-rest)

    def changes(x: Fraction) -> int:
        signs = [v for v in (q(fmpq(x.numerator, x.denominator)) for q in chain) if v != 0]
        return sum((a > 0) != (b > 0) for a, b in pairwise(signs))

    return changes(lo) - changes(hi)


def _refined(field: NumberField, bits: int) -> Bounds:
    """The field's isolating interval, bisected until it is shorter than 2^-bits."""
    return _bisected(field.polynomial, field.interval, bits)


@lru_cache(maxsize=1024)
def _bisected(polynomial: tuple[Fraction, ...], interval: Bounds, bits: int) -> Bounds:
    p = _poly(polynomial)
    lo, hi = interval
    left = p(fmpq(lo.numerator, lo.denominator))
    while (hi - lo) * 2**bits > 1:
        middle = (lo + hi) / 2
        value = p(fmpq(middle.numerator, middle.denominator))
        if value == 0:
            return middle, middle
        if (value > 0) == (left > 0):
            lo = middle
        else:
            hi = middle
    return lo, hi


@lru_cache(maxsize=16)
def _ln2(bits: int) -> Bounds:
    # ln 2 = sum 1/(k 2^k); the tail after n terms is below 1/(n 2^n)
    n = bits + 2
    total = sum((Fraction(1, k * 2**k) for k in range(1, n + 1)), Fraction(0))
    return total, total + Fraction(1, n * 2**n)


def _poly(coefficients: tuple[Fraction, ...]) -> fmpq_poly:
    return fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients])
