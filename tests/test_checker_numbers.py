"""The intervals of the checker against mpmath (at 100 to 5,100 digits, in contexts of its own).

Every enclosure must contain the true value at the end points and inside of the input; thin inputs must give thin outputs.
Seeds are fixed.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from checker_numerics import BITS, Patient, context, held

from explorer import checker

UNIT = checker.Intervals.unit


@pytest.fixture
def ring():
    return checker.Intervals(Patient())


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


UNARY = {
    "exp": (lambda r, a: r.exp(a), lambda c, x: c.exp(x), 9, None),
    "log": (lambda r, a: r.log(a), lambda c, x: c.log(x), 20, 1),
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
    for found, truth in ((ring.pi, ctx.pi), (ring.guarded(ring.ln2, 1 << 10), ctx.ln(2))):
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
        lambda: ring.log((0, 0)),
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
