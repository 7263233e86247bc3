"""Many units: the symmetric critical point of `StudentTeacherFamily` as a formal power series in s = k^(-1/2), exact in Q(pi).

All units but one are alike: W_ii = d, W_ij = e, W_ik = b, W_ki = g for i, j < k, and W_kk = a. With the leading terms `LEADING` and
the powers m_o of `POWERS`, entry o is its leading term + s^(m_o) zeta_o, and G_o = s^(m_o - 2) dF/d(entry o) is a function of s and
zeta that is analytic at (0, 0): docs/student-teacher.md estimates the terms that could have a pole. `formal` checks that
G(0, 0) = 0 and that the Jacobian of G in zeta is regular there; so there is exactly one formal power series zeta(s) with
zeta(0) = 0 and G(s, zeta(s)) = 0, its coefficients solve one linear system over Q(pi) after the other, and it converges for
small s (implicit function theorem).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from explorer import checker
from explorer.algebra.rational_functions import ONE, ZERO, RationalFunction, determinant, solved
from explorer.algebra.series import SeriesInPi, coefficient
from explorer.budget import Deadline

Row = tuple[RationalFunction, ...]  #: coefficients of s^0, s^1, ...

SIZES, CLASSES = ((1, -1), (0, 1)), (0, 1)  #: k - 1 units alike, and one
NAMES = ("d", "e", "b", "g", "a")  #: of the orbits of entries, in the checker's order
#: 1, -4/pi s^4, 2 s^2, 4/pi s^2, -1
LEADING: tuple[Row, ...] = (
    (ONE,),
    (ZERO,) * 4 + (RationalFunction.of(-4, -1),),
    (ZERO, ZERO, RationalFunction.of(2)),
    (ZERO, ZERO, RationalFunction.of(4, -1)),
    (-ONE,),
)
POWERS = (3, 4, 3, 2, 1)
#: coefficients of a series that cancel in G, and beyond
MARGIN = 9


@dataclass(frozen=True)
class FormalSeries:
    """``entries``: per orbit the coefficients of s^0, ..., s^(m_o + order); ``determinant`` of the Jacobian of G at (0, 0), not 0."""

    order: int
    entries: tuple[Row, ...]
    determinant: RationalFunction

    def value(self, last: int) -> Row:
        """The coefficients of s^0, ..., s^last in F_k(p_k); ``last`` at most 2 order + 3, up to where the rest of the entries cannot be
        felt (F is stationary, and s^2 times a function of s and zeta up to its second derivatives)."""
        if last > 2 * self.order + 3:
            raise ValueError("the value needs more terms of the entries")
        ring = SeriesInPi(last + MARGIN)
        found = tied(ring, self.entries).value()
        if any(coefficient(found, e) for e in range(-6, 0)):
            raise ArithmeticError("the value grows with the number of units")
        return tuple(coefficient(found, e) for e in range(last + 1))


def tied(ring: SeriesInPi, rows: tuple[Row, ...]) -> Any:
    """The checker's evaluator over exact series."""
    shape = ring, SIZES, CLASSES, CLASSES
    orbits = checker.Tied(*shape, {}).orbits()
    return checker.Tied(*shape, dict(zip(orbits, map(ring.polynomial, rows), strict=True)))


def formal(order: int, *, deadline: Deadline | None = None) -> FormalSeries:
    """The only formal solution that starts with `LEADING`, up to zeta's coefficients of s^order. `ArithmeticError` if the hypotheses
    of the implicit function theorem do not hold."""
    jacobian = _jacobian()
    size = determinant(jacobian)
    if not size:
        raise ArithmeticError("the Jacobian is singular")
    entries = LEADING
    for j in range(order + 1):
        if deadline is not None:
            deadline.check("expanding in the number of units")
        ring = SeriesInPi(j + MARGIN)
        now = tied(ring, entries)
        slopes = [
            ring.mul(ring.monomial(m - 2, ONE), ring.mul(now.orbit_size(o), now.slope(o)))
            for m, o in zip(POWERS, now.orbits(), strict=True)
        ]
        if any(coefficient(g, i) for g in slopes for i in range(-6, max(j, 1))):
            raise ArithmeticError("the leading terms do not solve the equations")
        if j:
            moves = solved(jacobian, [-coefficient(g, j) for g in slopes])
            entries = tuple(
                row + (ZERO,) * (m + j - len(row)) + (c,) for row, m, c in zip(entries, POWERS, moves, strict=True)
            )
    return FormalSeries(order, entries, size)


def _jacobian() -> list[list[RationalFunction]]:
    """Of G in zeta at (0, 0)."""
    ring = SeriesInPi(MARGIN)
    block = [
        [ring.mul(ring.monomial(m + n - 2, ONE), v) for n, v in zip(POWERS, row, strict=True)]
        for m, row in zip(POWERS, tied(ring, LEADING).trivial_block(), strict=True)
    ]
    if any(v is not None and v[0] < 0 for row in block for v in row):
        raise ArithmeticError("the Jacobian has a pole")
    return [[coefficient(v, 0) for v in row] for row in block]


def in_pi(c: RationalFunction) -> tuple[tuple[int, Fraction], ...]:
    """A coefficient without other denominators than powers of pi, as pairs (e, q) for the sum of q pi^e."""
    terms = c.terms()
    if terms is None:
        raise ArithmeticError("a denominator that is no power of pi")
    return terms
