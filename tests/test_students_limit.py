"""Many units: exact series over Q(pi), the formal solution, and what the checker knows exactly.

Expected values come from mpmath (Newton's method in the reduced variables of checker_oracle.py, written by hand), from Fractions, or by hand.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import checker_oracle
import checker_oracle_landscape
import mpmath
import pytest
from checker_tools import checker

from explorer.algebra.rational_functions import ONE, ZERO, RationalFunction, determinant, solved
from explorer.algebra.series import SeriesInPi, coefficient
from explorer.certify import limit
from explorer.certify.limit import LEADING, POWERS, formal

R = RationalFunction.of
MP = mpmath.MPContext()
MP.dps = 120


def at(f: RationalFunction, t: Any) -> Any:
    return sum(int(c) * t**e for e, c in enumerate(f.above.coeffs())) / sum(
        int(c) * t**e for e, c in enumerate(f.below.coeffs())
    )


def random_function(rng: random.Random) -> RationalFunction:
    above, below = (
        sum((R(Fraction(rng.randint(-5, 5), rng.randint(1, 4)), e) for e in range(-2, 3)), ZERO) for _ in range(2)
    )
    return above / (below or ONE)


def test_rational_functions():
    rng, t = random.Random(1), Fraction(22, 7)
    for _ in range(200):
        f, g = random_function(rng), random_function(rng)
        assert at(f + g, t) == at(f, t) + at(g, t)
        assert at(f - g, t) == at(f, t) - at(g, t)
        assert at(f * g, t) == at(f, t) * at(g, t)
        assert f - f == ZERO
        if g:
            assert at(f / g, t) == at(f, t) / at(g, t)
            assert f / g * g == f
        assert (f * f).root() in (f, -f)
        assert abs(MP.mpf(f.at_pi(200).numerator) / f.at_pi(200).denominator - at(f, MP.pi)) < MP.mpf(2) ** -200
    with pytest.raises(ZeroDivisionError):
        ONE / ZERO
    with pytest.raises(ArithmeticError):
        R(2).root()
    assert (R(3, -2) + R(-1, 1)).terms() == ((-2, Fraction(3)), (1, Fraction(-1)))
    assert (ONE / (R(1, 1) - R(2))).terms() is None
    assert (R(2, 1) - R(Fraction(1, 3))).text() == "(6*pi - 1)/3"


def test_linear_systems():
    rng = random.Random(2)
    for _ in range(10):
        matrix, x = (
            [[random_function(rng) for _ in range(4)] for _ in range(4)],
            [random_function(rng) for _ in range(4)],
        )
        right = [sum((a * b for a, b in zip(row, x, strict=True)), ZERO) for row in matrix]
        if determinant(matrix):
            assert solved(matrix, right) == x
    singular = [[ONE, R(1, 1)], [R(1, -1), ONE]]
    assert determinant(singular) == ZERO
    with pytest.raises(ZeroDivisionError):
        solved(singular, [ONE, ONE])


def test_series_against_numbers():
    """At s = 10^-6 a series of n terms differs from the function by the size of the first term that is left out."""
    rng, s, ring = random.Random(3), MP.mpf(10) ** -6, SeriesInPi(9)

    def value(a: Any) -> Any:
        return sum(at(c, MP.pi) * s ** (a[0] + i) for i, c in enumerate(a[1]))

    for first in (ONE, -ONE, ZERO, ONE, -ONE, ZERO):
        x = [R(4)] + [random_function(rng) for _ in range(8)]
        # cosines 1 - 2 s^2 + ..., -1 + 2 s^2 - ..., 0 + ...: the sine's leading coefficient is 2, or 1
        y = [
            first,
            random_function(rng) if not first else ZERO,
            -first - first,
            *(random_function(rng) for _ in range(6)),
        ]
        a, b = ring.polynomial(x), ring.polynomial(y)
        u, v = value(a), value(b)
        sine, rest = ring.angle(b)
        for found, true in (
            (ring.mul(a, b), u * v),
            (ring.inverse(a), 1 / u),
            (ring.square_root(a), MP.sqrt(u)),
            (ring.mul(ring.size(1, -3), a), (s**-2 - 3) * u),
            (sine, MP.sqrt(1 - v * v)),
            (rest, MP.pi - MP.acos(v)),
        ):
            end = found[0] + len(found[1])
            assert abs(value(found) - true) < 10**9 * s**end, (first, end)
            assert len(found[1]) >= 6
    with pytest.raises(ArithmeticError):
        ring.inverse(ring.sub(a, a))
    with pytest.raises(ArithmeticError):
        ring.angle(ring.polynomial([R(Fraction(1, 2))]))
    with pytest.raises(ArithmeticError):
        coefficient(a, 40)


@pytest.fixture(scope="module")
def series():
    return formal(5)


def newton(k: int, monkeypatch: Any) -> tuple[list[Any], Any]:
    """(d, e, b, g, a) and F by mpmath at k, from the leading terms only."""
    oracle = checker_oracle_landscape.MP
    monkeypatch.setattr(oracle, "dps", 150)
    monkeypatch.setattr(checker_oracle_landscape, "STEP", oracle.mpf(10) ** -40)
    s, f = 1 / oracle.sqrt(k), checker_oracle.AllButOne(oracle.mpf(k))
    start = [1, -4 / oracle.pi * s**4, 2 * s**2, 4 / oracle.pi * s**2, -1]

    def full(zeta: list[Any]) -> list[Any]:
        return [v + z * s**m for v, z, m in zip(start, zeta, POWERS, strict=True)]

    reduced, zeta = checker_oracle_landscape.Reduced(f, 5, full), [0] * 5
    for _ in range(3):  # each call ends with a step shorter than 10^-22
        zeta = reduced.newton(zeta)
        assert zeta is not None
    return full(zeta), f(full(zeta))


@pytest.mark.parametrize("exponent", [8, 16])
def test_the_formal_solution_against_newton(series, monkeypatch, exponent):
    """The series without its last coefficient misses the solution by that coefficient, up to a factor 1 + O(s)."""
    s = MP.mpf(10) ** -(exponent // 2)
    entries, value = newton(10**exponent, monkeypatch)
    for row, m, found in zip(series.entries, POWERS, entries, strict=True):
        assert len(row) == m + 6
        missing = MP.mpf(found) - sum(at(c, MP.pi) * s**i for i, c in enumerate(row[:-1]))
        assert abs(missing / s ** (m + 5) - at(row[-1], MP.pi)) < 10**5 * s
    expansion = series.value(9)
    missing = MP.mpf(value) - sum(at(c, MP.pi) * s**i for i, c in enumerate(expansion[:-1]))
    assert abs(missing / s**9 - at(expansion[-1], MP.pi)) < 10**5 * s


def test_closed_forms(series):
    """k F tends to 1/2 - 2/pi^2 (Arjevani, Field 2021, type II). The determinant by hand: in the order (d, b, a | e, g) the Jacobian is
    [[1/2pi, 0, -1/2pi], [0, 1/4, 1/4], [-1/2pi, 1/4, 1/2]] and [[1/4, 1/4], [1/4, 1/2]], so (1/32pi - 1/16pi^2)/16."""
    assert series.value(2) == (ZERO, ZERO, R(Fraction(1, 2)) - R(2, -2))
    assert series.determinant == R(Fraction(1, 512), -1) - R(Fraction(1, 256), -2)
    d, e, b, g, a = series.entries
    assert [c.text() for c in (d[4], e[5], b[4], g[3], a[2])] == [
        "8/pi",
        "-32/pi^3",
        "(-2*pi - 8)/pi",
        "32/pi^3",
        "(2*pi^2 + 8*pi + 8)/pi^2",
    ]


def test_other_leading_terms_solve_nothing(monkeypatch):
    monkeypatch.setattr(limit, "LEADING", (*LEADING[:3], (ZERO, ZERO, R(Fraction(5, 4))), LEADING[4]))
    with pytest.raises(ArithmeticError):
        formal(1)


def test_what_the_checker_knows_exactly():
    """Random expressions in pi: enclosures against mpmath, and zero exactly where the expression is zero."""
    rng, ring = random.Random(4), checker.PiIntervals(checker.Meter(10**12))

    def inside(element: Any, value: Any) -> bool:
        low, high = (MP.mpf(v) / ring.unit for v in element[:2])
        known = (
            sum(MP.mpf(q.numerator) / q.denominator * MP.pi**e for e, q in element[2]) if len(element) == 3 else value
        )
        return (
            bool(low - MP.mpf(10) ** -100 <= value <= high + MP.mpf(10) ** -100)
            and abs(known - value) < MP.mpf(10) ** -90
        )

    for _ in range(300):
        pool = [(ring.pi, MP.pi), (ring.of(Fraction(2, 3)), MP.mpf(2) / 3), ((ring.unit, ring.unit + 9), MP.mpf(1))]
        for _ in range(12):
            (x, u), (y, v) = rng.choice(pool), rng.choice(pool)
            q = Fraction(rng.randint(-3, 3), rng.randint(1, 3))
            choices = [
                (ring.add(x, y), u + v),
                (ring.sub(x, y), u - v),
                (ring.mul(x, y), u * v),
                (ring.neg(x), -u),
                (ring.scale(x, q), u * q.numerator / q.denominator),
                (ring.square(x), u * u),
                (ring.dot([x, y], [y, x]), 2 * u * v),
            ]
            choices += [(ring.square_root(x), MP.sqrt(u))] if x[0] > 0 else []
            choices += [(ring.inverse(x), 1 / u)] if not x[0] <= 0 <= x[1] else []
            pool.append(rng.choice(choices))
            element, value = pool[-1]
            if abs(value) > 10**6:
                pool.pop()
                continue
            assert inside(element, value)
            assert (element == ring.zero) == (len(element) == 3 and not element[2])
    four = ring.scale(ring.inverse(ring.pi), 4)
    assert ring.square_root(ring.square(four))[2] == four[2] == ((-1, 4),)
    assert ring.sub(ring.mul(four, ring.pi), ring.of(Fraction(4))) == ring.zero
    assert ring.sub(ring.mul((four[0], four[1]), ring.pi), ring.of(Fraction(4))) != ring.zero
    assert len(ring.of(Fraction(1, 2**70))) == 2  # long fractions are not kept
    assert ring.in_pi([(-1, Fraction(4))])[2] == four[2]


def test_without_an_upper_end_nothing_uncertain_may_lead():
    """s c with c known up to rounding only, times k: for a bounded range of k a number, without a bound a rejection."""
    for last in (10**6, None):
        base = checker.PiIntervals(checker.Meter(10**9))
        expansions = checker.Expansions(base, 400, last, 6)
        exact = expansions.fold(0, [base.zero, base.zero, base.one])
        about = expansions.fold(0, [(-1, 1), base.zero, base.one])
        k = expansions.size(1, 0)
        assert expansions.definite(expansions.mul(k, exact)) == 1
        if last is not None:
            assert expansions.definite(expansions.mul(k, about)) == 1
            continue
        with pytest.raises(checker.Rejected, match="vanish"):
            expansions.definite(expansions.mul(k, about))
