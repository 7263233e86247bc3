"""Single neurons far out: from where on F'(w) of F(w) = sum_i c_i l(psi(w x_i), y_i) + lambda |w|^p has one sign, and the limit of F.

With s = 1 or -1 and d_i = sgn(s x_i), s F'(w) = sum |x_i| d_i h_i(w x_i) + p lambda |w|^(p-1) for s w > 0, where h = d/dz c l(psi(z), y).
Beyond Z_i the sign of h_i is known (`growth.ahead`) and |h_i| lies between two bounds that are monotone in |z| (`size`). If the terms of
one sign outweigh those of the other at |w| = W, by the smallest that the ones and the largest that the others can be beyond W, then F' has
that sign for s w >= W: no critical point there, and F falls or rises to its limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

from flint import arb

from explorer.algebra.balls import ball
from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.pieces import trim
from explorer.solve.growth import Term, ahead, limit_of
from explorer.solve.one_weight.rates import prevailing

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
DOUBLINGS = 40  #: W is looked for up to 2^DOUBLINGS
#: where psi -> infinity: a with psi >= a z, and bounds of psi'
RISING = {
    "softplus": (ONE, HALF, ONE), "elu": (ONE, ONE, ONE), "swish": (HALF, HALF, Fraction(5, 4)), "gelu": (HALF, HALF, Fraction(5, 4)),
    "exp": (ONE, ONE, None),
}  # fmt: skip
#: where psi is bounded: sup |psi|, and (a, b) with |psi'| <= (a + b u) e^-u for u = |z| >= 2
FLAT = {
    "sigmoid": (ONE, ONE, ZERO), "tanh": (ONE, Fraction(4), ZERO), "erf": (ONE, Fraction(113, 100), ZERO), "softplus": (ONE, ONE, ZERO),
    "exp": (ONE, ONE, ZERO), "swish": (HALF, ONE, ONE), "gelu": (HALF, ONE, ONE),
}  # fmt: skip


@dataclass(frozen=True)
class Tail:
    """For s w >= start: sgn(s F'(w)) = way (0: F is constant there). ``limit`` encloses the limit for way <= 0, without the
    constant summands (samples with x_i = 0)."""

    start: Fraction
    way: int
    limit: arb | None


def tail(samples: Sequence[tuple[Fraction, Term]], weight: Fraction, exponent: int, s: int) -> Tail:
    """The tail on the side ``s`` of the samples (x_i not 0, summand); `Unsupported` where no sign prevails."""
    found = []
    for x, t in samples:
        d = 1 if x * s > 0 else -1
        sign = ahead(t, d)
        if sign is None:
            raise _no(f"{t.psi.kind}, which has none" if t.psi.kind == "sin" else t.psi.kind)
        found.append((x, t, d, sign[0] * d, sign[1]))
    start = max([Fraction(2), *((z / abs(x)) for x, _, _, _, z in found), *(2 / abs(x) for x, *_ in found)])
    signs = {way for *_, way, _ in found if way} | ({1} if weight else set())
    if len(signs) <= 1:
        way = signs.pop() if signs else 0
        return Tail(start, way, _limit(samples, s) if way <= 0 else None)
    first = start
    for _ in range(DOUBLINGS):
        sums = {1: [weight * exponent * start ** (exponent - 1), ZERO], -1: [ZERO, ZERO]}  # smallest and largest
        unbounded = {1: bool(weight), -1: False}
        for x, t, d, way, _ in found:
            if not way:
                continue
            low, high = size(t, d, abs(x) * start)
            sums[way][0] += abs(x) * low
            if high is None:
                unbounded[way] = True
            else:
                sums[way][1] += abs(x) * high
        for way in (1, -1):
            if not unbounded[-way] and sums[way][0] > sums[-way][1]:
                return Tail(start, way, _limit(samples, s) if way < 0 else None)
        start *= 2
    compared = [(way, abs(x), t, d) for x, t, d, way, _ in found]
    if (lead := prevailing(compared, first, weight, exponent)) is not None:
        return Tail(lead[1], lead[0], _limit(samples, s) if lead[0] < 0 else None)
    raise _no("samples that pull both ways with forces that vanish at the same rate, or grow")


def _no(got: str) -> Unsupported:
    return Unsupported(
        "where F' has one sign",
        expected="a bound beyond which the derivative keeps its sign",
        got=got,
        remedy="give a box with --box",
    )


def size(t: Term, side: int, u: Fraction) -> tuple[Fraction, Fraction | None]:
    """(low, high) with low <= |h(z)| <= high for all side z >= u, monotone in u >= 2; high None: no bound is known."""
    kind, c, y, squared, p = t.psi.kind, t.weight, t.target, t.kind == "squared", pieces_of(t.psi)
    if p is not None:
        piece = trim(p.polynomials[-1 if side > 0 else 0])
        if len(piece) > 2:
            return ZERO, None
        slope = piece[1] if len(piece) == 2 else ZERO
        grown = abs(slope) * u - abs(piece[0])
        reach = max(ZERO, grown)  # |psi| is at least that
        if squared:
            return 2 * c * abs(slope) * max(ZERO, reach - abs(y)), None
        outward = y * slope * side > 0  # y psi -> infinity
        # before the zero of its last piece psi has the other sign: no lower bound there
        return _logistic(c, y, outward, reach, abs(slope) if grown >= 0 else ZERO, abs(slope))
    if side > 0 and kind in RISING:
        a, low, high = RISING[kind]
        if squared:
            return 2 * c * low * max(ZERO, a * u - y), None
        return _logistic(c, y, y > 0, a * u, low, high)
    top, a, b = (abs(t.psi.alpha or ZERO), abs(t.psi.alpha or ZERO), ZERO) if kind == "elu" else FLAT[kind]
    return ZERO, c * (a + b * u) * _falling(u) * (2 * (top + abs(y)) if squared else abs(y))


def _logistic(
    c: Fraction, y: Fraction, outward: bool, reach: Fraction, low: Fraction, high: Fraction | None
) -> tuple[Fraction, Fraction | None]:
    """|h| = c |y| psi' s(-y psi): s is at least 1/2 against the margin, and at most e^-(|y| psi) along it."""
    if not outward:
        return c * abs(y) * low * HALF, None if high is None else c * abs(y) * high
    return ZERO, None if high is None else c * abs(y) * high * _falling(abs(y) * reach)


def _falling(u: Fraction) -> Fraction:
    """At least e^-u, and (a + b u) times it falls for u >= 2 (a, b >= 0): the reciprocal of nine terms of e^u."""
    return 1 / sum((u**k / factorial(k) for k in range(9)), ZERO)


def _limit(samples: Sequence[tuple[Fraction, Term]], s: int) -> arb:
    """The limit of the summands of these samples, for F that does not rise."""
    total = arb(0)
    for x, t in samples:
        end = limit_of(t.psi, 1 if x * s > 0 else -1)
        if t.kind == "squared":
            assert end is not None  # a term that grows without bound would rise
            total += ball(t.weight * (end - t.target) ** 2)
        elif end is not None:
            total += ball(t.weight) * ball(-t.target * end).exp().log1p()
        elif not t.target:
            total += ball(t.weight) * arb(2).log()
    return total
