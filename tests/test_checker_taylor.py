"""Taylor coefficients of the checker's activations against mpmath.

The oracle: mpmath's numerical differentiation of functions written from their definitions (both sides of a kink apart).
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from checker_numerics import BITS, BODIES, CTX, FUNCTIONS, KINKS, Patient, contains, context, enclosing, mpf

from explorer import checker


def activation(name):
    return checker.Activation(BODIES.get(name, name), "test", {})


def test_every_activation_of_the_checker_is_tested_here():
    assert {activation(name).kind for name in FUNCTIONS} == set(checker.ACTIVATION_KEYS)


def true_taylor(name, z, order):
    """f^(k)(z)/k! by mpmath's numerical differentiation, one-sided (away from 0) where z lies next to a kink."""
    ctx = context(60)
    f = lambda x: FUNCTIONS[name](ctx, x)  # noqa: E731
    near = any(abs(z - kink) < 1 for kink in KINKS.get(name, ()))
    direction = 0 if not near else 1 if any(0 <= z - kink < 1 for kink in KINKS[name]) else -1
    return [ctx.diff(f, mpf(ctx, z), k, direction=direction) / ctx.factorial(k) for k in range(order + 1)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_taylor_coefficients_over_intervals(name):
    """Thin inputs are tight, wide inputs hold the coefficients at all of their points."""
    ring, pick, order = checker.Intervals(Patient()), random.Random(name), 4
    for _ in range(5):
        z = Fraction(pick.randint(-40, 40), 7)
        if z in KINKS.get(name, ()):
            continue
        truth = true_taylor(name, z, order)
        thin = checker.taylor(ring, activation(name), ring.of(z), order)
        wide_low, wide_high = z - Fraction(pick.randint(0, 9), 100), z + Fraction(pick.randint(0, 9), 100)
        smooth = not any(wide_low <= kink <= wide_high for kink in KINKS.get(name, ()))
        wide = checker.taylor(ring, activation(name), enclosing(ring, wide_low, wide_high), order if smooth else 0)
        assert len(thin) == order + 1
        for k, value in enumerate(truth):
            slack = CTX.mpf(10) ** -25 * (1 + abs(value))
            assert contains(CTX, thin[k], value, slack), (name, z, k)
            assert thin[k][1] - thin[k][0] < 1 << (BITS - 180)
            if k < len(wide):
                assert contains(CTX, wide[k], value, slack), (name, z, k)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_taylor_coefficients_over_wide_intervals_at_inner_points(name):
    ring, pick, order = checker.Intervals(Patient()), random.Random(name + "wide"), 3
    for _ in range(4):
        low = Fraction(pick.randint(-30, 25), 10)
        high = low + Fraction(pick.randint(1, 10), 10)
        kinks = {k: v for k, v in KINKS.get(name, {}).items() if low <= k <= high}
        smooth = min(kinks.values(), default=order)
        found = checker.taylor(ring, activation(name), enclosing(ring, low, high), smooth)
        for point in (low, high, (low + 2 * high) / 3):
            if point in KINKS.get(name, ()):
                continue
            for k, value in enumerate(true_taylor(name, point, smooth)):
                assert contains(CTX, found[k], value, CTX.mpf(10) ** -25 * (1 + abs(value))), (
                    name,
                    low,
                    high,
                    point,
                    k,
                )
        if kinks:
            with pytest.raises(checker.Rejected, match="kink"):
                checker.taylor(ring, activation(name), enclosing(ring, low, high), smooth + 1)


RATIONAL = [Fraction(-5, 2), Fraction(-1, 3), Fraction(2, 7), Fraction(3)]
MULTIPLES = [-3, -1, 0, 1, 4]
EXACT = {  # name -> exact pre-activations: rationals, or (field ln2) multiples of ln 2
    "linear": RATIONAL, "relu": RATIONAL, "requ": RATIONAL, "square": RATIONAL, "cubic": RATIONAL, "leaky_relu": RATIONAL,
    "polynomial": RATIONAL, "piecewise-polynomial": RATIONAL, "sigmoid": MULTIPLES, "tanh": MULTIPLES, "swish": MULTIPLES,
    "exp": MULTIPLES, "softplus": [0], "sin": [0], "elu": [-2, -1, 1], "elu3": [-2, -1, 1],
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_taylor_coefficients_at_exact_points(name):
    order, ctx = 5, context(60)
    for z in EXACT[name]:
        multiple = isinstance(z, int)
        ring = (checker.Ln2Ring if multiple else checker.Rationals)(Patient())
        centre = checker.poly_trim((Fraction(0), Fraction(z))) if multiple else z
        found = checker.taylor(ring, activation(name), centre, order)
        f = lambda x: FUNCTIONS[name](ctx, x)  # noqa: E731
        at = z * ctx.ln(2) if multiple else mpf(ctx, z)
        for k, c in enumerate(found):
            c = c if multiple else (c,)
            value = ctx.polyval([mpf(ctx, v) for v in reversed(c)] or [0], ctx.ln(2))
            truth = ctx.diff(
                f, at, k, direction=0 if name not in KINKS or abs(at) < ctx.mpf(10) ** -30 else int(ctx.sign(at))
            )
            if name == "piecewise-polynomial" and -1 < at < 0:
                truth = ctx.diff(f, at, k)  # away from the kink at 0 that this function does not have
            assert abs(value - truth / ctx.factorial(k)) < ctx.mpf(10) ** -22 * (1 + abs(truth)), (name, z, k)


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_the_checker_knows_how_smooth_the_function_is(name):
    """Where it accepts, both one-sided derivatives agree with it; one order more and it refuses, and they do differ."""
    ring, ctx = checker.Rationals(Patient()), context(60)
    for kink, smooth in KINKS[name].items():
        f = lambda x: FUNCTIONS[name](ctx, x)  # noqa: E731
        sides = [[ctx.diff(f, kink, k, direction=d) for d in (-1, 1)] for k in range(smooth + 2)]
        found = checker.taylor(ring, activation(name), Fraction(kink), smooth)
        for k in range(smooth + 1):
            for side in sides[k]:
                assert abs(mpf(ctx, found[k]) * ctx.factorial(k) - side) < ctx.mpf(10) ** -20
        assert abs(sides[smooth + 1][0] - sides[smooth + 1][1]) > ctx.mpf(10) ** -3
        with pytest.raises(checker.Rejected, match="kink"):
            checker.taylor(ring, activation(name), Fraction(kink), smooth + 1)
