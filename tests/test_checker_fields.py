"""The exact fields of the checker (number fields, Q[ln 2]) against mpmath at 100 to 400 digits and SymPy: zero test, sign,
inverse, products, enclosures, Sturm counts. Seeds are fixed."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import sympy
from checker_numerics import Patient, context, held

from explorer import checker

UNIT = checker.Intervals.unit

# -- number fields ----------------------------------------------------------------------------------------------------------

X = sympy.Symbol("x")


def as_sympy(a):
    return sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in reversed(a)] or [0], X, domain="QQ")


def random_polynomial(pick, degree, size=9):
    return checker.poly_trim(
        [Fraction(pick.randint(-size, size), pick.randint(1, 4)) for _ in range(degree)]
        + [Fraction(pick.choice([-2, -1, 1, 3]))]
    )


def random_field(pick):
    """A field by a squarefree modulus, reducible in half of the cases, and SymPy's isolating interval of a real root."""
    while True:
        modulus = random_polynomial(pick, pick.randint(1, 4))
        if pick.random() < 0.5:
            modulus = checker.poly_mul(modulus, random_polynomial(pick, pick.randint(1, 3)))
        polynomial = as_sympy(modulus)
        if polynomial.degree() < 1 or not polynomial.is_sqf:
            continue
        roots = polynomial.intervals(eps=sympy.Rational(1, 1000))
        if not roots:
            continue
        k = pick.randrange(len(roots))
        (low, high), _ = roots[k]
        if low == high:
            low, high = low - sympy.Rational(1, 10**6), high + sympy.Rational(1, 10**6)
        low, high = (Fraction(int(v.p), int(v.q)) for v in (low, high))
        if polynomial.eval(sympy.Rational(low.numerator, low.denominator)) == 0:
            continue
        if polynomial.eval(sympy.Rational(high.numerator, high.denominator)) == 0:
            continue
        inner = polynomial.count_roots(
            sympy.Rational(low.numerator, low.denominator), sympy.Rational(high.numerator, high.denominator)
        )
        if inner != 1:
            continue
        return checker.NumberField(Patient(), modulus, low, high, "test"), polynomial, k


def root_value(ctx, polynomial, low, high):
    """The root in the interval by bisection in mpmath: independent of the checker's refinement."""
    coefficients = [ctx.mpf(int(c.p)) / int(c.q) for c in polynomial.all_coeffs()]
    a, b = (ctx.mpf(v.numerator) / v.denominator for v in (low, high))
    below = ctx.polyval(coefficients, a) < 0
    for _ in range(ctx.prec):
        middle = (a + b) / 2
        value = ctx.polyval(coefficients, middle)
        if value == 0:
            return middle
        if (value < 0) == below:
            a = middle
        else:
            b = middle
    return (a + b) / 2


def test_number_fields_against_mpmath_and_sympy():
    """Zero: the minimal polynomial of the root (SymPy's factors) divides the element. Sign, products, inverse: 100 digits."""
    pick, ctx, zeros, reducible = random.Random(11), context(100), 0, 0
    for _ in range(60):
        field, polynomial, _ = random_field(pick)
        alpha = root_value(ctx, polynomial, *field.interval)
        factors = [f for f, _ in polynomial.factor_list()[1]]
        reducible += len(factors) > 1
        ends = [sympy.Rational(v.numerator, v.denominator) for v in field.interval]
        minimal = next(f for f in factors if f.count_roots(*ends) == 1)

        def at(a, alpha=alpha):
            return ctx.polyval([ctx.mpf(c.numerator) / c.denominator for c in reversed(a)] or [0], alpha)

        elements = [random_polynomial(pick, pick.randint(0, len(field.modulus) - 2)) for _ in range(4)] + [()]
        factor = tuple(Fraction(int(c.p), int(c.q)) for c in reversed(minimal.all_coeffs()))
        elements.append(
            field.mul(factor, random_polynomial(pick, 1))
        )  # vanishes at alpha, though perhaps not as a residue
        for a in elements:
            vanishes = as_sympy(a).rem(minimal).is_zero
            zeros += vanishes
            assert field.is_zero(a) == vanishes
            assert field.sign(a) == (0 if vanishes else int(ctx.sign(at(a))))
            low, high = field.range(a, 200)
            assert held_between(ctx, low, at(a), high)
            ring = checker.Intervals(Patient())
            assert held(ctx, field.enclose(a, ring), at(a)) or vanishes
            if not vanishes:
                inverse = field.inverse(a)
                assert len(inverse) < len(field.modulus)
                assert field.same(field.mul(a, inverse), field.one)
                assert abs(at(a) * at(inverse) - 1) < ctx.mpf(10) ** -60
            for b in elements:
                assert field.same(field.mul(a, b), field.mul(b, a))
                assert abs(at(field.mul(a, b)) - at(a) * at(b)) < (1 + abs(at(a) * at(b))) * ctx.mpf(10) ** -60
                assert field.same(a, b) == as_sympy(field.sub(a, b)).rem(minimal).is_zero
    assert zeros > 60
    assert reducible > 15


def held_between(ctx, low, value, high):
    a, b = (ctx.mpf(v.numerator) / v.denominator for v in (low, high))
    slack = (1 + abs(value)) * ctx.mpf(10) ** -80
    return a - slack <= value <= b + slack


def test_sturm_counts_against_sympy():
    pick, repeated = random.Random(13), 0
    for _ in range(300):
        a = random_polynomial(pick, pick.randint(1, 5))
        if pick.random() < 0.3:
            a = checker.poly_mul(a, checker.poly_mul(a, random_polynomial(pick, 1)))
            repeated += 1
        low, high = sorted(Fraction(pick.randint(-30, 30), pick.randint(1, 7)) for _ in range(2))
        if low == high or checker.poly_at(a, low) == 0 or checker.poly_at(a, high) == 0:
            continue
        distinct = as_sympy(a).sqf_part()
        ends = [sympy.Rational(v.numerator, v.denominator) for v in (low, high)]
        assert checker.root_count(a, low, high, Patient()) == distinct.count_roots(*ends)
    assert repeated > 50


def test_polynomial_arithmetic_against_sympy():
    pick = random.Random(17)
    for _ in range(200):
        a, b = (random_polynomial(pick, pick.randint(0, 5)) for _ in range(2))
        if pick.random() < 0.4:
            common = random_polynomial(pick, 2)
            a, b = checker.poly_mul(a, common), checker.poly_mul(b, common)
        quotient, rest = checker.poly_divmod(a, b)
        found = sympy.div(as_sympy(a), as_sympy(b))
        assert (as_sympy(quotient), as_sympy(rest)) == found
        assert as_sympy(checker.poly_mul(a, b)) == as_sympy(a) * as_sympy(b)
        assert as_sympy(checker.poly_add(a, b)) == as_sympy(a) + as_sympy(b)
        assert as_sympy(checker.poly_derivative(a)) == as_sympy(a).diff(X)
        gcd = as_sympy(checker.poly_gcd(a, b, Patient()))
        assert gcd.degree() == sympy.gcd(as_sympy(a), as_sympy(b)).degree()
        assert as_sympy(a).rem(gcd).is_zero
        assert as_sympy(b).rem(gcd).is_zero


@pytest.mark.parametrize(
    ("modulus", "interval"),
    [
        ((-2, 0, 1), (0, 1)),  # no root
        ((-2, 0, 1), (-2, 2)),  # two roots
        ((0, -1, 1), (0, 2)),  # an end point is a root
        ((0, -1, 1), (-1, 1)),  # the other one
        ((1, 2, 1), (-2, 0)),  # a double root
        ((1, 0, 2, 0, 1), (-1, 1)),  # repeated, not real
        ((1, 0, 1), (-5, 5)),  # no real root
        ((5,), (0, 1)),  # a constant
        ((-2, 0, 1, 0), (1, 2)),  # leading zero
        ((-2, 0, 1), (2, 1)),  # reversed
        ((-2, 0, 1), (1, 1)),  # empty
        ((), (0, 1)),
    ],
)
def test_bad_fields_are_malformed(modulus, interval):
    with pytest.raises(checker.Malformed):
        checker.NumberField(Patient(), tuple(map(Fraction, modulus)), *map(Fraction, interval), "test")


def test_a_reducible_modulus_knows_which_root_is_meant():
    """(x^2 - 2)(x - 3) with the root 3: x - 3 vanishes, x^2 - 2 = 7 does not, though both are zero divisors as residues."""
    modulus = tuple(map(Fraction, (6, -2, -3, 1)))
    field = checker.NumberField(Patient(), modulus, Fraction(2), Fraction(4), "test")
    zero, seven = (Fraction(-3), Fraction(1)), (Fraction(-2), Fraction(0), Fraction(1))
    assert field.sign(zero) == 0
    assert field.sign(seven) == 1
    assert field.same(seven, field.of(Fraction(7)))
    assert field.same(field.inverse(seven), field.of(Fraction(1, 7)))
    assert field.ln2_multiple(zero) == 0
    assert field.ln2_multiple(seven) is None
    other = checker.NumberField(Patient(), modulus, Fraction(1), Fraction(2), "test")  # sqrt 2
    assert other.sign(zero) == -1
    assert other.sign(seven) == 0


# -- Q[ln 2] ------------------------------------------------------------------------------------------------------------------


def test_signs_in_ln2_against_mpmath():
    pick, ctx, ring = random.Random(19), context(120), checker.Ln2Ring(Patient())
    intervals, log2 = checker.Intervals(Patient()), ctx.ln(2)
    for _ in range(400):
        a = random_polynomial(pick, pick.randint(0, 6), size=10**6)
        value = ctx.polyval([ctx.mpf(c.numerator) / c.denominator for c in reversed(a)], log2)
        assert ring.sign(a) == int(ctx.sign(value))
        assert held(ctx, ring.enclose(a, intervals), value)
    assert ring.sign(()) == 0


def test_signs_in_ln2_next_to_convergents():
    """|ln 2 - p/q| < 1/q^2 for the convergents of the continued fraction (from mpmath); the sign alternates."""
    ctx, ring = context(400), checker.Ln2Ring(Patient())
    x, terms = ctx.ln(2), []
    for _ in range(300):
        terms.append(int(ctx.floor(x)))
        x = 1 / (x - terms[-1])
    p, q = [1, terms[0]], [0, 1]
    for k, term in enumerate(terms[1:], start=1):
        p.append(term * p[-1] + p[-2])
        q.append(term * q[-1] + q[-2])
        # even-numbered convergents lie below: T - p_k/q_k > 0 for even k
        assert ring.sign((Fraction(-p[-1], q[-1]), Fraction(1))) == (1 if k % 2 == 0 else -1)
    assert len(str(q[-1])) > 100


def test_exact_values_at_multiples_of_ln2():
    """e^(k ln 2) = 2^k, sigmoid(k ln 2) = 2^k/(1 + 2^k), softplus(0) = ln 2; everything else is refused."""
    ring = checker.Ln2Ring(Patient())
    for k in (-5, -1, 0, 1, 2, 30):
        z = checker.poly_trim((Fraction(0), Fraction(k)))
        assert ring.exp(z) == ring.of(Fraction(2) ** k)
        assert ring.sigmoid(z) == ring.of(Fraction(2) ** k / (1 + Fraction(2) ** k))
    assert ring.softplus(()) == (0, 1)
    T = (Fraction(0), Fraction(1))
    for z in (
        (Fraction(0), Fraction(1, 2)),
        (Fraction(1),),
        (Fraction(1), Fraction(1)),
        (0, 0, Fraction(1)),
        (0, Fraction(5000)),
    ):
        with pytest.raises(checker.Rejected):
            ring.exp(z)
    for call in (
        lambda: ring.softplus(T),
        lambda: ring.sine_cosine(T),
        lambda: ring.gaussian(T, False),
        lambda: ring.square_root(T),
    ):
        with pytest.raises(checker.Rejected):
            call()
    rationals = checker.Rationals(Patient())
    assert rationals.exp(Fraction(0)) == 1
    assert rationals.sigmoid(Fraction(0)) == Fraction(1, 2)
    assert rationals.square_root(Fraction(9, 4)) == Fraction(3, 2)
    for call in (
        lambda: rationals.exp(Fraction(1)),
        lambda: rationals.softplus(Fraction(0)),
        lambda: rationals.square_root(Fraction(2)),
        lambda: rationals.square_root(Fraction(-4)),
        lambda: rationals.gaussian(Fraction(1), True),
    ):
        with pytest.raises(checker.Rejected):
            call()
    assert rationals.gaussian(Fraction(0), True)[0] == Fraction(1, 2)  # Phi(0); its slope 1/sqrt(2 pi) is not rational
    assert rationals.gaussian(Fraction(0), False)[0] == 0
    assert ring.inverse(T) is None
