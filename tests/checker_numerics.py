"""What the tests of the checker's numbers share: a meter, contexts of mpmath, enclosures, and the activations by definition."""

from __future__ import annotations

from fractions import Fraction

import mpmath

from explorer import checker

BITS = checker.PRECISION


class Patient:
    """A meter that never runs out."""

    def spend(self, *cost):
        pass


def context(digits=150):
    found = mpmath.mp.clone()
    found.dps = digits
    return found


CTX = context(60)


def mpf(ctx, q):
    return ctx.mpf(q.numerator) / q.denominator


def enclosing(ring, low, high=None):
    """The interval from low to high (rationals)."""
    return ring.hull(ring.of(Fraction(low)), ring.of(Fraction(low if high is None else high)))


def contains(ctx, interval, value, slack):
    low, high = (ctx.ldexp(ctx.mpf(end), -BITS) for end in interval)
    return low - slack <= value <= high + slack


def held(ctx, enclosure, value) -> bool:
    """lower <= value <= upper, with mpmath's relative error accounted for against us (a miss by rounding would be seen)."""
    scaled = ctx.ldexp(value, BITS)
    low, high = ctx.mpf(enclosure[0]), ctx.mpf(enclosure[1])
    slack = abs(scaled) * ctx.ldexp(1, 10 - ctx.prec)
    return low <= scaled + slack and scaled - slack <= high


# -- the functions, from their definitions ------------------------------------------------------------------------------------

PIECES = {"kind": "piecewise-polynomial", "breaks": ["-1", "1"], "pieces": [["-1"], ["1/2", "3/2"], ["2", "-1", "1"]]}
CUSTOM = {"kind": "polynomial", "coefficients": ["1/3", "-2", "0", "5/7"]}


def piecewise(c, x):
    """-1 up to -1, then (1 + 3x)/2 up to 1, then 2 - x + x^2: continuous, two kinks."""
    return -c.one if x <= -1 else (1 + 3 * x) / 2 if x <= 1 else 2 - x + x * x


FUNCTIONS = {
    "linear": lambda c, x: +x,
    "relu": lambda c, x: max(x, c.zero),
    "requ": lambda c, x: max(x, c.zero) ** 2,
    "square": lambda c, x: x**2,
    "cubic": lambda c, x: x**3,
    "sigmoid": lambda c, x: 1 / (1 + c.exp(-x)),
    "tanh": lambda c, x: c.tanh(x),
    "softplus": lambda c, x: c.log1p(c.exp(x)),
    "swish": lambda c, x: x / (1 + c.exp(-x)),
    "exp": lambda c, x: c.exp(x),
    "sin": lambda c, x: c.sin(x),
    "erf": lambda c, x: c.erf(x),
    "gelu": lambda c, x: x * (1 + c.erf(x / c.sqrt(2))) / 2,
    "leaky_relu": lambda c, x: x if x >= 0 else x / 10,
    "elu": lambda c, x: x if x >= 0 else c.expm1(x),
    "elu3": lambda c, x: x if x >= 0 else 3 * c.expm1(x),
    "polynomial": lambda c, x: c.mpf(1) / 3 - 2 * x + c.mpf(5) / 7 * x**3,
    "piecewise-polynomial": piecewise,
}
BODIES = {
    "leaky_relu": {"kind": "leaky_relu", "slope": "1/10"},
    "elu": {"kind": "elu", "alpha": 1},
    "elu3": {"kind": "elu", "alpha": "3"},
    "polynomial": CUSTOM,
    "piecewise-polynomial": PIECES,
}
#: where the functions are not smooth: point -> the largest k with continuous k-th derivative
KINKS = {
    "relu": {0: 0}, "requ": {0: 1}, "leaky_relu": {0: 0}, "elu": {0: 1}, "elu3": {0: 0}, "piecewise-polynomial": {-1: 0, 1: 0},
}  # fmt: skip
