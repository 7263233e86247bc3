"""Fields, univariate roots, minimal polynomials. Expected values are by hand unless a comment names another method."""

from __future__ import annotations

import math
from fractions import Fraction as Q

import pytest
from flint import fmpz_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.algebra.fields import arithmetic, minimal_polynomial
from explorer.algebra.roots import isolate, real_balls, real_roots, refine, sturm_count, sturm_total
from explorer.errors import Invalid, Unsupported
from explorer.point import Ln2Ring, NumberField, RationalField

SQRT2 = NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
# (x^2 - 2)(x^2 - 3): reducible, and sqrt 2 is its only root in (1, 3/2)
REDUCIBLE = NumberField((Q(6), Q(0), Q(-5), Q(0), Q(1)), (Q(1), Q(3, 2)))
ALPHA = (Q(0), Q(1))


def test_sqrt_two() -> None:
    a = arithmetic(SQRT2)
    assert a.mul(ALPHA, ALPHA) == (Q(2),)
    assert a.inverse(ALPHA) == (Q(0), Q(1, 2))
    assert a.inverse((Q(1), Q(1))) == (Q(-1), Q(1))  # 1/(1 + sqrt 2) = sqrt 2 - 1
    assert a.sub(ALPHA, ALPHA) == (Q(0),)
    # 99/70 is a convergent of sqrt 2 from above, 239/169 from below: 99^2 = 2*70^2 + 1, 239^2 = 2*169^2 - 1
    assert a.sign(a.sub(ALPHA, (Q(99, 70),))) == -1
    assert a.sign(a.sub(ALPHA, (Q(239, 169),))) == 1
    low, high = a.enclose(ALPHA, 200)
    assert low**2 < 2 < high**2
    assert high - low <= Q(1, 2**200)
    assert a.approximate(ALPHA) == math.sqrt(2)


def test_sign_of_a_number_far_below_the_first_precision() -> None:
    """(sqrt 2 - 1)^400 is about 10^-153 and positive: a + b sqrt 2 with huge a, b that nearly cancel."""
    a = arithmetic(SQRT2)
    x = a.one
    for _ in range(400):
        x = a.mul(x, (Q(-1), Q(1)))
    assert a.sign(x) == 1
    assert a.sign(a.neg(x)) == -1
    assert a.approximate(x) == pytest.approx(math.exp(400 * math.log(math.sqrt(2) - 1)), rel=1e-9)


def test_reducible_defining_polynomial() -> None:
    a = arithmetic(REDUCIBLE)
    zero = (Q(-2), Q(0), Q(1))  # alpha^2 - 2: not the zero polynomial, but zero at alpha
    divisor = (Q(-3), Q(0), Q(1))  # alpha^2 - 3 = -1 at alpha, yet a zero divisor modulo the polynomial
    assert a.is_zero(zero)
    assert a.sign(zero) == 0
    assert not a.is_zero(divisor)
    assert a.sign(divisor) == -1
    product = a.mul(divisor, a.inverse(divisor))
    assert a.is_zero(a.sub(product, a.one))
    with pytest.raises(ZeroDivisionError):
        a.inverse(zero)


@pytest.mark.parametrize(
    ("polynomial", "interval"),
    [
        ((4, -4, 1), (0, 3)),  # (x - 2)^2: not squarefree
        ((-2, 0, 1), (-2, 2)),  # two roots inside
        ((-2, 0, 1), (2, 3)),  # none inside
        ((-4, 0, 1), (1, 2)),  # an end is a root
        ((-2, 0, 1), (2, 1)),  # inverted
        ((5,), (0, 1)),  # constant
    ],
)
def test_ill_defined_fields_are_refused(polynomial: tuple[int, ...], interval: tuple[int, int]) -> None:
    field = NumberField(tuple(map(Q, polynomial)), (Q(interval[0]), Q(interval[1])))
    with pytest.raises(Invalid):
        arithmetic(field)


def test_ring_of_ln_two() -> None:
    a = arithmetic(Ln2Ring())
    # ln 2 = 0.693147180559945309417232121458...
    assert a.sign(a.sub(ALPHA, (Q(693147180559945309417232121458, 10**30),))) == 1
    assert a.sign(a.sub(ALPHA, (Q(693147180559945309417232121459, 10**30),))) == -1
    assert a.mul(ALPHA, a.add(ALPHA, a.one)) == (Q(0), Q(1), Q(1))
    assert a.inverse((Q(2),)) == (Q(1, 2),)
    assert a.approximate(ALPHA) == math.log(2)
    with pytest.raises(Unsupported):
        a.inverse(ALPHA)
    with pytest.raises(Unsupported):
        minimal_polynomial(ALPHA, Ln2Ring())


def test_minimal_polynomials() -> None:
    golden = (Q(1, 2), Q(1, 2))  # (1 + sqrt 5)/2 is a root of x^2 - x - 1
    sqrt5 = NumberField((Q(-5), Q(0), Q(1)), (Q(2), Q(3)))
    polynomial, (low, high) = minimal_polynomial(golden, sqrt5)
    assert polynomial == (-1, -1, 1)
    assert low < Q(1618, 1000) < Q(1619, 1000) < high or Q(16, 10) < low < high < Q(17, 10)
    assert (low**2 - low - 1) * (high**2 - high - 1) < 0
    assert minimal_polynomial((Q(3, 4),), RationalField())[0] == (-3, 4)
    assert minimal_polynomial(ALPHA, REDUCIBLE)[0] == (-2, 0, 1)
    assert minimal_polynomial((Q(0), Q(0), Q(1)), SQRT2)[0] == (-2, 1)  # alpha^2 = 2, unreduced


elements = st.tuples(*[st.fractions(min_value=-9, max_value=9, max_denominator=9)] * 3)


@settings(max_examples=60)
@given(elements, elements, elements)
def test_field_laws(x: tuple[Q, ...], y: tuple[Q, ...], z: tuple[Q, ...]) -> None:
    """Distributivity, inverses and order in Q(cube root of 2); approximations come from plain floats."""
    field = NumberField((Q(-2), Q(0), Q(0), Q(1)), (Q(1), Q(2)))
    a = arithmetic(field)
    x, y, z = (a.add(a.zero, e) for e in (x, y, z))
    assert a.mul(x, a.add(y, z)) == a.add(a.mul(x, y), a.mul(x, z))
    if not a.is_zero(x):
        assert a.mul(x, a.inverse(x)) == a.one
        value = sum(float(c) * 2 ** (k / 3) for k, c in enumerate(x))
        if abs(value) > 1e-9:
            assert a.sign(x) == (1 if value > 0 else -1)
            assert a.approximate(x) == pytest.approx(value, rel=1e-6)


def test_real_roots_with_multiplicities() -> None:
    # x^2 (x^2 - 2) (2x - 1)^3: 0 twice, +-sqrt 2 once, 1/2 three times
    p = fmpz_poly([0, 0, 1]) * fmpz_poly([-2, 0, 1]) * fmpz_poly([-1, 2]) ** 3
    found = real_roots([int(c) for c in p.coeffs()])
    assert [(r.polynomial, r.multiplicity) for r in found] == [
        ((-2, 0, 1), 1),
        ((0, 1), 2),
        ((-1, 2), 3),
        ((-2, 0, 1), 1),
    ]
    assert [r.rational for r in found] == [None, 0, Q(1, 2), None]
    assert real_roots([1, 0, 1]) == ()
    with pytest.raises(Invalid):
        real_roots([0])


@pytest.mark.parametrize(
    ("p", "count"),
    [
        (fmpz_poly.chebyshev_t(60), 60),  # all roots of T_n are real
        (fmpz_poly([1] + [0] * 30 + [1]), 1),  # x^31 + 1: only -1 is real
        (fmpz_poly([-(10**40), 0, 1]), 2),  # +-10^20: large roots
        (fmpz_poly([-1, 10**60]), 1),  # 10^-60: a tiny root
        (fmpz_poly([0, -1, 0, 1]), 3),  # -1, 0, 1: bisection hits roots exactly
        (fmpz_poly([-1, 2]) * fmpz_poly([-3, 4]) * fmpz_poly([-5, 8]) * fmpz_poly([-1, 0, 3]), 5),
    ],
)
def test_isolation_sturm_and_balls_agree(p: fmpz_poly, count: int) -> None:
    intervals = isolate(p)
    assert len(intervals) == sturm_total(p) == len(real_balls(p)) == count
    for low, high in intervals:
        assert sturm_count(p, low, high) == 1
        a, b = refine(p, (low, high), 100)
        assert b - a <= Q(1, 2**100)
        assert low <= a <= b <= high


@settings(max_examples=60)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=6, unique=True), st.integers(1, 5))
def test_isolation_of_products_of_linear_factors(numerators: list[int], denominator: int) -> None:
    p = fmpz_poly([1])
    for n in numerators:
        p *= fmpz_poly([-n, denominator])
    intervals = isolate(p / p.content())
    roots = sorted(Q(n, denominator) for n in numerators)
    assert len(intervals) == len(roots)
    assert all(low < r < high for (low, high), r in zip(intervals, roots, strict=True))
    assert all(sum(low < r < high for r in roots) == 1 for low, high in intervals)
