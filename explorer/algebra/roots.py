"""Real roots of univariate polynomials over Q, exactly: squarefree parts, Descartes bisection, Sturm counts.

Descartes' rule with bisection (Collins and Akritas 1976, "Polynomial real root isolation using Descartes' rule of signs")
isolates; Sturm's theorem counts, as an independent check; refinement is interval Newton
and Abbott's quadratic interval refinement (2014).
Polynomials are lists of coefficients, low to high.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from operator import ne

import flint
from flint import arb_poly, fmpq, fmpq_poly, fmpz_poly

from explorer.algebra.balls import ball, bounds, round_dyadic, to_fmpq
from explorer.errors import Invalid

Interval = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class AlgebraicNumber:
    """The only root of ``polynomial`` (irreducible, primitive integers) in the open ``interval``, with its multiplicity."""

    polynomial: tuple[int, ...]
    interval: Interval
    multiplicity: int = 1

    @property
    def degree(self) -> int:
        return len(self.polynomial) - 1

    @property
    def rational(self) -> Fraction | None:
        """The number itself when it is rational."""
        return Fraction(-self.polynomial[0], self.polynomial[1]) if self.degree == 1 else None


def real_roots(coefficients: Sequence[Fraction | int]) -> tuple[AlgebraicNumber, ...]:
    """Every real root of a nonzero polynomial, in increasing order, each by its own irreducible factor over Q."""
    found = []
    for factor, multiplicity in integer_polynomial(coefficients).factor()[1]:
        key = coefficient_tuple(factor)
        found += [AlgebraicNumber(key, box, int(multiplicity)) for box in isolate(factor)]
    return tuple(_sorted(found))


def integer_polynomial(coefficients: Sequence[Fraction | int]) -> fmpz_poly:
    """The primitive integer multiple of a nonzero rational polynomial, with positive leading coefficient."""
    p = fmpq_poly([to_fmpq(Fraction(c)) for c in coefficients]).numer()
    if p == 0:
        raise Invalid("polynomial", expected="a nonzero polynomial", got="0", remedy="every number is a root of 0")
    p = p / p.content() if p.degree() >= 0 else p
    return -p if p.leading_coefficient() < 0 else p


def coefficient_tuple(p: fmpz_poly) -> tuple[int, ...]:
    return tuple(int(c) for c in p.coeffs())


def squarefree_part(p: fmpz_poly) -> fmpz_poly:
    """p without repeated factors, primitive."""
    q = p if p.degree() < 1 else p / p.gcd(p.derivative())
    return integer_polynomial([int(c) for c in q.coeffs()])


def is_squarefree(p: fmpz_poly) -> bool:
    return p.degree() < 1 or p.gcd(p.derivative()).degree() == 0


def sign_at(p: fmpz_poly, x: Fraction) -> int:
    value = p(to_fmpq(x))
    return (value > 0) - (value < 0)


def isolate(p: fmpz_poly) -> list[Interval]:
    """Open intervals with rational end points that are not roots, each with exactly one real root of squarefree p, in order.

    Two of them may overlap outside their roots.
    """
    if not is_squarefree(p):
        raise Invalid("polynomial", expected="a squarefree polynomial", got=str(p)[:60], remedy="take squarefree_part")
    if p.degree() < 1:
        return []
    intervals: list[Interval] = []
    rational: list[Fraction] = []
    if p[0] == 0:
        rational.append(Fraction(0))
        p = p.right_shift(1)
    bound = _root_bound(p)
    for side in (-1, 1):
        q = p(fmpz_poly([0, side * bound]))
        opened, hit = _descartes(q)
        intervals += [(min(side * a, side * b) * bound, max(side * a, side * b) * bound) for a, b in opened]
        rational += [side * r * bound for r in hit]
    for r in rational:
        intervals.append(_around(p.left_shift(1) if r == 0 else p, r, rational, intervals))
    full = p.left_shift(1) if Fraction(0) in rational else p
    return sorted(_shrunk(full, box, rational) for box in intervals)


def _root_bound(p: fmpz_poly) -> int:
    """A power of two above the modulus of every root: 2 max |a_(n-k) / a_n|^(1/k), rounded up (Fujiwara 1916)."""
    n = p.degree()
    sizes = [abs(int(c)).bit_length() for c in p.coeffs()]
    lead = sizes[-1] - 1  # |a_n| >= 2^lead and |a_(n-k)| < 2^sizes[n-k]
    exponent = max((-((lead - sizes[n - k]) // k) for k in range(1, n + 1) if sizes[n - k]), default=0)
    return int(2 ** max(exponent + 1, 0))


def _descartes(p: fmpz_poly) -> tuple[list[Interval], list[Fraction]]:
    """Isolating intervals and exactly hit dyadic roots of p (p(0) != 0) in the open unit interval."""
    opened: list[Interval] = []
    hit: list[Fraction] = []
    shift = fmpz_poly([1, 1])
    pending = [(p, Fraction(0), Fraction(1))]
    while pending:
        q, a, b = pending.pop()
        coefficients = q.coeffs()  # as FLINT's integers: to Python's and back would take most of the time
        variations = _variations(fmpz_poly(coefficients[::-1])(shift))
        if variations == 0:
            continue
        if variations == 1:
            opened.append((a, b))
            continue
        n = q.degree()
        left = fmpz_poly([c << (n - k) for k, c in enumerate(coefficients)])
        right = left(shift)
        mid = (a + b) / 2
        if right[0] == 0:
            hit.append(mid)
            right = right.right_shift(1)
            left = left / fmpz_poly([-1, 1])
        pending += [(right, mid, b), (left, a, mid)]
    return opened, hit


def _variations(p: fmpz_poly) -> int:
    signs = [c > 0 for c in p.coeffs() if c]
    return sum(map(ne, signs, signs[1:]))


def _around(p: fmpz_poly, r: Fraction, rational: list[Fraction], others: list[Interval]) -> Interval:
    """An open interval around the rational root r that holds no other root and has no root at its ends."""
    radius = Fraction(1)
    while (
        any(s != r and abs(s - r) <= 2 * radius for s in rational)
        or sign_at(p, r - radius) == 0
        or sign_at(p, r + radius) == 0
        or sturm_count(p, r - radius, r + radius) != 1
    ):
        radius /= 2
    return r - radius, r + radius


def _shrunk(p: fmpz_poly, box: Interval, rational: list[Fraction]) -> Interval:
    """``box`` with ends that are not roots (a bisection point may be a root of p) and without the rational roots' boxes."""
    a, b = box
    inside = [r for r in rational if a < r < b]
    if inside:  # the box of a rational root, made by _around
        return box
    while sign_at(p, a) == 0 or sign_at(p, b) == 0:
        # one end is a root: the other root lies strictly inside, so Sturm tells the right half
        mid = (a + b) / 2
        if sign_at(p, mid) == 0:
            return (a + mid) / 2, (mid + b) / 2
        if sturm_count(p, a, mid) - (sign_at(p, mid) == 0) == 1:
            b = mid
        else:
            a = mid
    return a, b


def sturm_count(p: fmpz_poly, low: Fraction, high: Fraction) -> int:
    """Number of distinct real roots of p in (low, high] by Sturm's theorem (p squarefree or not, p(low) may be 0)."""
    chain = _sturm_chain(p)
    return _chain_variations(chain, low) - _chain_variations(chain, high)


def sturm_total(p: fmpz_poly) -> int:
    """Number of distinct real roots of p."""
    signs_left, signs_right = [], []
    for q in _sturm_chain(p):
        lead = q.leading_coefficient() > 0
        signs_right.append(lead)
        signs_left.append(lead if q.degree() % 2 == 0 else not lead)
    return sum(s != t for s, t in itertools.pairwise(signs_left)) - sum(
        s != t for s, t in itertools.pairwise(signs_right)
    )


def real_balls(p: fmpz_poly) -> list[Interval]:
    """Narrow intervals around the real roots of squarefree p, in order, by Arb's certified complex roots: their number is a
    check that shares nothing with `isolate`."""
    return sorted(bounds(root.real) for root, _ in p.complex_roots() if root.imag.is_zero())


def sharpened(p: fmpz_poly, intervals: Sequence[Interval], narrow: Sequence[Interval]) -> list[Interval]:
    """The isolating ``intervals``, each replaced by the one of ``narrow`` where that lies in it and p changes sign over it."""
    return [
        (c, d) if a <= c < d <= b and sign_at(p, c) * sign_at(p, d) < 0 else (a, b)
        for (a, b), (c, d) in zip(intervals, narrow, strict=True)
    ]


def _sturm_chain(p: fmpz_poly) -> list[fmpq_poly]:
    chain = [fmpq_poly(squarefree_part(p))]
    chain.append(chain[0].derivative())
    while chain[-1].degree() > 0:
        rest = -(chain[-2] % chain[-1])
        numerator = rest.numer()
        chain.append(fmpq_poly(numerator / numerator.content()))  # positive factors do not change signs
    return [q for q in chain if q != 0]


def _chain_variations(chain: list[fmpq_poly], x: Fraction) -> int:
    point: fmpq = to_fmpq(x)
    signs = [v > 0 for v in (q(point) for q in chain) if v != 0]
    return sum(s != t for s, t in itertools.pairwise(signs))


def refine(p: fmpz_poly, interval: Interval, bits: int) -> Interval:
    """A subinterval of width at most 2^-bits around the only root of squarefree p in ``interval`` (QIR).

    The ends keep different signs of p; a rational root that is hit exactly comes back as (r, r).
    """
    a, b = interval
    at_a, at_b = sign_at(p, a), sign_at(p, b)
    if at_a * at_b >= 0:
        raise Invalid("interval", expected="a sign change over an isolating interval", got=f"({a}, {b})")
    if b - a > Fraction(1, 2**bits) and (narrow := _newton(p, interval, bits)) is not None:
        return narrow
    goal, steps = Fraction(1, 2**bits), 4
    while b - a > goal:
        value_a, value_b = p(to_fmpq(a)), p(to_fmpq(b))
        ratio = value_a / (value_a - value_b)
        k = min(max(round(Fraction(int(ratio.p), int(ratio.q)) * steps), 1), steps - 1)
        width = (b - a) / steps
        m = a + k * width
        s = sign_at(p, m)
        if s == 0:
            return m, m
        other = m + width if s == at_a else m - width
        t = sign_at(p, other)
        if t == 0:
            return other, other
        if t != s:
            a, b = (m, other) if s == at_a else (other, m)
            steps = min(steps * steps, 2**64)
        elif steps > 4:
            steps = max(4, isqrt(steps))
        else:  # plain bisection
            mid = (a + b) / 2
            s = sign_at(p, mid)
            if s == 0:
                return mid, mid
            a, b = (mid, b) if s == at_a else (a, mid)
    return a, b


def _newton(p: fmpz_poly, interval: Interval, bits: int) -> Interval | None:
    """`refine` by the interval Newton method in balls, checked exactly; None where it does not contract at once."""
    a, b = interval
    with flint.ctx.workprec(3 * bits + 64):
        whole, slope = arb_poly(p), arb_poly(p.derivative())
        while b - a > Fraction(1, 2**bits):
            mid = ball(round_dyadic((a + b) / 2, 2 * bits))
            step = whole(mid) / slope(ball(a, b))
            if not step.is_finite():
                return None
            low, high = bounds(mid - step)
            low, high = max(a, low), min(b, high)
            if not (low < high and 4 * (high - low) < b - a):
                return None
            a, b = low, high
    return (a, b) if sign_at(p, a) * sign_at(p, b) < 0 else None


def _sorted(numbers: list[AlgebraicNumber]) -> list[AlgebraicNumber]:
    """In increasing order; intervals of different factors are refined until they are disjoint."""
    boxes = [(n, fmpz_poly(list(n.polynomial))) for n in numbers]
    bits = 8
    while True:
        ends = [(refine(p, n.interval, bits), n) for n, p in boxes]
        ends.sort(key=lambda e: e[0])
        if all(left[0][1] < right[0][0] for left, right in itertools.pairwise(ends)):
            return [n for _, n in ends]
        bits *= 2
