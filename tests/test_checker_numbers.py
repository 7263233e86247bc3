"""The numbers of the checker against mpmath (at 100 to 5,100 digits, in contexts of its own) and SymPy.

Intervals: every enclosure must contain the true value at the end points and inside of the input; thin inputs must give
thin outputs. Exact fields: zero test, sign, inverse, products, enclosures, Sturm counts. Seeds are fixed.
"""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest
import sympy

from explorer import checker

UNIT = checker.Intervals.unit
BITS = checker.PRECISION


class Patient:
    """A meter that never runs out."""

    def spend(self, *cost):
        pass


@pytest.fixture
def ring():
    return checker.Intervals(Patient())


def context(digits=150):
    found = mpmath.mp.clone()
    found.dps = digits
    return found


# -- intervals ------------------------------------------------------------------------------------------------------------


def end_point(pick: random.Random, top: int) -> int:
    """A number of units: ordinary, tiny, one unit, zero, an integer, next to an integer, huge; |.| <= 2^top."""
    kind = pick.randrange(8)
    if kind == 0:
        value = pick.randrange(-3, 4)
    elif kind == 1:
        value = pick.randrange(-(1 << 40), 1 << 40)
    elif kind == 2:
        value = pick.randrange(-8, 9) * UNIT
    elif kind == 3:
        value = pick.randrange(-8, 9) * UNIT + pick.randrange(-2, 3)
    elif kind == 4:
        value = pick.randrange(-(1 << top), 1 << top) * UNIT + pick.randrange(UNIT)
    elif kind == 5:
        value = int(Fraction(pick.randrange(-(10**6), 10**6), pick.randrange(1, 10**3)) * UNIT)
    else:
        value = pick.randrange(-4 * UNIT, 4 * UNIT)
    bound = UNIT << top
    return max(-bound, min(bound, value))


def interval(pick: random.Random, top: int):
    """Thin, a few units wide, or wide; often with an end at 0 or straddling it."""
    a = end_point(pick, top)
    shape = pick.randrange(4)
    b = a if shape == 0 else a + pick.randrange(1, 9) if shape == 1 else end_point(pick, top)
    return min(a, b), max(a, b)


def inside(pick: random.Random, a, count=2):
    """The end points of an interval and some points in it."""
    return {*a, *(pick.randint(*a) for _ in range(count))}


def held(ctx, enclosure, value) -> bool:
    """lower <= value <= upper, with mpmath's relative error accounted for against us (a miss by rounding would be seen)."""
    scaled = ctx.ldexp(value, BITS)
    low, high = ctx.mpf(enclosure[0]), ctx.mpf(enclosure[1])
    slack = abs(scaled) * ctx.ldexp(1, 10 - ctx.prec)
    return low <= scaled + slack and scaled - slack <= high


#: name -> (enclosure, mpmath function, the inputs go up to 2^top, lower end)
UNARY = {
    "exp": (lambda r, a: r.exp(a), lambda c, x: c.exp(x), 9, None),
    "log": (lambda r, a: r.increasing(r.log_at, a), lambda c, x: c.log(x), 20, 1),
    "sigmoid": (lambda r, a: r.sigmoid(a), lambda c, x: 1 / (1 + c.exp(-x)), 11, None),
    "softplus": (lambda r, a: r.softplus(a), lambda c, x: c.log1p(c.exp(x)), 11, None),
    "sin": (lambda r, a: r.sine_cosine(a)[0], lambda c, x: c.sin(x), 60, None),
    "cos": (lambda r, a: r.sine_cosine(a)[1], lambda c, x: c.cos(x), 60, None),
    "sqrt": (lambda r, a: r.square_root(a), lambda c, x: c.sqrt(x), 80, 0),
    "square": (lambda r, a: r.square(a), lambda c, x: x * x, 80, None),
    "inverse": (lambda r, a: r.inverse(a), lambda c, x: 1 / x, 80, None),
    "neg": (lambda r, a: r.neg(a), lambda c, x: -x, 80, None),
    "erf": (lambda r, a: r.gaussian(a, False)[0], lambda c, x: c.erf(x), 5, None),
    "erf slope": (lambda r, a: r.gaussian(a, False)[1], lambda c, x: 2 * c.exp(-x * x) / c.sqrt(c.pi), 5, None),
    "normal": (lambda r, a: r.gaussian(a, True)[0], lambda c, x: c.ncdf(x), 5, None),
    "normal density": (lambda r, a: r.gaussian(a, True)[1], lambda c, x: c.npdf(x), 5, None),
}
#: (quick, slow) numbers of random intervals; each is checked at two to four points
COUNTS = {
    "exp": 2500, "log": 2500, "sigmoid": 2500, "softplus": 1500, "sin": 2000, "cos": 2000, "sqrt": 8000, "square": 8000,
    "inverse": 8000, "neg": 4000, "erf": 200, "erf slope": 200, "normal": 200, "normal density": 200,
}  # fmt: skip


def unary_failures(name: str, count: int, seed: int, ring):
    """(failures, checks) of the enclosures of one function."""
    enclosure, truth, top, lowest = UNARY[name]
    pick, ctx, failures, checks = random.Random(f"{name} {seed}"), context(), [], 0
    for _ in range(count):
        a = interval(pick, top)
        if lowest is not None:
            a = tuple(sorted(max(lowest, abs(end)) for end in a))
        if name == "inverse" and a[0] <= 0 <= a[1]:
            with pytest.raises(checker.Rejected):
                ring.inverse(a)
            continue
        found = enclosure(ring, a)
        assert found[0] <= found[1]
        for x in inside(pick, a):
            checks += 1
            # log and softplus of numbers next to 1 or -oo lose digits; the slack in `held` is relative to the value
            if not held(ctx, found, truth(ctx, ctx.ldexp(ctx.mpf(x), -BITS))):
                failures.append((name, a, x, found))
    return failures, checks


@pytest.mark.parametrize("name", UNARY)
def test_enclosures_contain_the_value(name, ring):
    failures, checks = unary_failures(name, COUNTS[name] // 10, 1, ring)
    assert checks > 20
    assert failures == []


@pytest.mark.slow
def test_enclosures_contain_the_value_at_many_points(ring):
    total = 0
    for name, count in COUNTS.items():
        failures, checks = unary_failures(name, count, 2, ring)
        total += checks
        assert failures == []
    assert total > 100_000


def test_sums_and_products_contain_the_value(ring):
    """Exact rational arithmetic is the oracle: x * y for x, y in the inputs, in units."""
    pick, checks = random.Random(5), 0
    for _ in range(8_000):
        a, b = interval(pick, 40), interval(pick, 40)
        add, sub, mul, hull = ring.add(a, b), ring.sub(a, b), ring.mul(a, b), ring.hull(a, b)
        for x, y in zip(inside(pick, a), inside(pick, b), strict=False):
            checks += 1
            assert add[0] <= x + y <= add[1]
            assert sub[0] <= x - y <= sub[1]
            assert mul[0] * UNIT <= x * y <= mul[1] * UNIT
            assert hull[0] <= min(x, y) <= max(x, y) <= hull[1]
        assert mul[1] - mul[0] <= (abs(a[0]) + abs(a[1])) * (abs(b[0]) + abs(b[1])) // UNIT + 2
    assert checks > 10_000


def test_rationals_round_outwards(ring):
    pick = random.Random(6)
    for _ in range(5_000):
        q = Fraction(pick.randrange(-(10**40), 10**40), pick.randrange(1, 10 ** pick.randrange(1, 90)))
        low, high = ring.of(q)
        assert low <= q * UNIT <= high <= low + 1
        assert (low == high) == ((q * UNIT).denominator == 1)
        assert ring.ends((low, high)) == (Fraction(low, UNIT), Fraction(high, UNIT))
        scaled = ring.scale(ring.of(Fraction(7, 3)), q)
        assert scaled[0] <= q * UNIT * 7 / 3 <= scaled[1]


def test_constants(ring):
    ctx = context(400)
    for found, truth in ((ring.pi, ctx.pi), (ring.ln2, ctx.ln(2))):
        assert held(ctx, found, +truth)
        assert found[1] - found[0] < 1 << 16


def test_bounds_of_ln2_at_every_precision():
    field = checker.Ln2Ring(Patient())
    ctx = context(5_100)
    log2 = ctx.ln(2)
    for bits in (1, 2, 3, 8, 64, 100, 256, 1000, 4096, 1 << 14):
        low, high = field.bounds(bits)
        assert ctx.mpf(low.numerator) / low.denominator < log2 < ctx.mpf(high.numerator) / high.denominator
        assert high - low < Fraction(1, 1 << bits)


def test_the_magnitude_of_an_interval(ring):
    assert ring.magnitude((-3, 2)) == (0, 3)
    assert ring.magnitude((-3, -2)) == (2, 3)
    assert ring.magnitude((2, 5)) == (2, 5)
    assert ring.magnitude((0, 5)) == (0, 5)


def test_functions_refuse_what_is_outside_their_domain(ring):
    for call in (
        lambda: ring.inverse((-1, 1)),
        lambda: ring.inverse((0, 5)),
        lambda: ring.inverse((-5, 0)),
        lambda: ring.square_root((-1, 5)),
        lambda: ring.log_at((0, 0)),
        lambda: ring.exp((0, 5000 * UNIT)),
        lambda: ring.sine_cosine((UNIT << 300, UNIT << 300)),
    ):
        with pytest.raises(checker.Rejected):
            call()


def test_exp_and_erf_far_out(ring):
    """e^-5000 lies below one unit; erf(20) = 1 - 5.4e-176, Phi(-30) = 4.9e-198 (both by mpmath)."""
    ctx = context(200)
    for x in (-5000, -4097, -4096, -4095, -200, -177, 700, 4095, 4096):
        assert held(ctx, ring.exp((x * UNIT, x * UNIT)), ctx.exp(x))
    for x in (-70, -40, -20, -17, -16, 16, 17, 20, 40, 70):
        a = (x * UNIT + 1, x * UNIT + 1)
        value = ctx.ldexp(ctx.mpf(a[0]), -BITS)
        assert held(ctx, ring.gaussian(a, False)[0], ctx.erf(value))
        assert held(ctx, ring.gaussian(a, True)[0], ctx.ncdf(value))


#: (function, thin inputs from, to, the relative width that is promised, in bits)
TIGHT = [
    ("exp", -30, 300, 200), ("log", 2, 10**6, 200), ("sigmoid", -30, 300, 200), ("softplus", -30, 300, 200),
    ("sqrt", 1, 10**6, 240), ("square", 1, 10**6, 240), ("inverse", 1, 10**6, 230), ("sin", 0, 3, 200), ("cos", 0, 1, 200),
    ("erf", 1, 5, 200), ("erf slope", 0, 5, 200), ("normal", -5, 7, 200), ("normal density", -5, 5, 200),
]  # fmt: skip


def widths(name, low, high, ring, count=60):
    """Largest relative width over thin inputs, as minus log2."""
    pick, worst = random.Random(name), None
    for _ in range(count):
        x = pick.randint(low * UNIT, high * UNIT)
        found = UNARY[name][0](ring, (x, x))
        width, size = found[1] - found[0], min(map(abs, found))
        bits = size.bit_length() - width.bit_length()
        worst = bits if worst is None else min(worst, bits)
    return worst


@pytest.mark.parametrize(("name", "low", "high", "bits"), TIGHT, ids=[row[0] for row in TIGHT])
def test_thin_inputs_give_thin_outputs(name, low, high, bits, ring):
    assert widths(name, low, high, ring) >= bits


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
