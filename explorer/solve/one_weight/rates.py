"""Which samples prevail far out: |h(z)| = u^a e^(-rho u^k) B for u = |z| >= u0, with B in a known interval, and what follows for F'(w).

|h| of a summand c l(psi(z), y) is psi' times 2c |psi - y|, or c |y| s(-y psi). Far out psi grows like a monomial (up to small errors), or tends to a
limit with a known gap. With u = |x| w the terms of F' are compared: the slowest decay leads; the signed sum of the leading terms is bounded away from 0 by their B, and
the quotients of the others by the leading factor, C w^d e^(-delta w^k), fall for w >= max(1, d/delta) and are bounded by their values at W.

Gaps: erfc(u) in e^(-u^2)/(u sqrt pi) [1 - 1/(2u^2), 1], Phi(-u) in phi(u)/u [1 - 1/u^2, 1] (Mills), log(1 + t) in t [1 - t/2, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball
from explorer.model.activations import pieces_of
from explorer.model.pieces import trim
from explorer.solve.growth import Term, limit_of

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
PRECISION, DOUBLINGS = 256, 14


@dataclass(frozen=True)
class Rate:
    """u^power e^(-decay u^order) times a number in ``factor``; ``order`` is 1 where ``decay`` <= 0."""

    power: int
    order: int
    decay: Fraction
    factor: arb

    def scaled(self, x: Fraction) -> Rate:
        """For u = x w, and once more times x."""
        return Rate(self.power, self.order, self.decay * x**self.order, self.factor * ball(x ** (self.power + 1)))

    @property
    def key(self) -> tuple[int, int, Fraction, int]:
        """Smaller: larger far out."""
        if self.decay > 0:
            return 2, self.order, self.decay, -self.power
        return (1 if not self.decay else 0), 1, self.decay, -self.power


def _between(low: arb, high: arb) -> arb:
    return low.union(high)


def prevailing(
    terms: Sequence[tuple[int, Fraction, Term, int]], start: Fraction, weight: Fraction, exponent: int
) -> tuple[int, Fraction] | None:
    """(way, W): the sum of way_i |x_i| |h_i(x_i w)| and p lambda w^(p-1) has the sign ``way`` for w >= W. Terms: (way, |x|, summand, side)."""
    w = start
    with flint.ctx.workprec(PRECISION):
        for _ in range(DOUBLINGS):
            rates = [(way, _rate(t, side, ball(x * w)), x) for way, x, t, side in terms if way]
            known = [(way, r.scaled(x)) for way, r, x in rates if r is not None]
            if weight:
                known.append((1, Rate(exponent - 1, 1, ZERO, ball(exponent * weight))))
            if all(r is not None for _, r, _ in rates) and (found := _lead(known, w)):
                return found, w
            w *= 2
    return None


def _lead(rates: Sequence[tuple[int, Rate]], w: Fraction) -> int:
    first = min(r.key for _, r in rates)
    lead = next(r for _, r in rates if r.key == first)
    total, others = arb(0), arb(0)
    for way, r in rates:
        if r.key == first:
            total += way * r.factor
            continue
        bound = _quotient(r, lead, w)
        if bound is None:
            return 0
        others += abs(r.factor).upper() * bound
    if total > others:
        return 1
    return -1 if total < -others else 0


def _quotient(r: Rate, lead: Rate, w: Fraction) -> arb | None:
    """At least w^a e^(-..) of r over that of the lead, from w >= 1 on."""
    rise = r.power - lead.power
    if (r.order, r.decay) == (lead.order, lead.decay):
        return ball(w**rise)
    if r.order == lead.order:
        delta = r.decay - lead.decay
    elif lead.decay > 0:
        delta = r.decay - lead.decay * w ** (lead.order - r.order)
    else:
        delta = r.decay
    if delta <= 0 or w < 1 or w * delta < rise:
        return None
    return ball(w**rise) * (-ball(delta * w)).exp()


# -- single summands -------------------------------------------------------------------------------------------------------


def _rate(t: Term, side: int, u: arb) -> Rate | None:
    """The rate of |h| for side z >= u (at least 2), or None."""
    grown = _grown(t, side, u)
    if grown is not None:
        return grown
    flat = _flat(t, side, u)
    if flat is None:
        return None
    slope, gap = flat
    end = limit_of(t.psi, side)
    assert end is not None
    c, y = t.weight, t.target
    near = abs(gap.factor).upper() * _power(u, gap.power) * (-ball(gap.decay) * _power(u, gap.order)).exp()
    if t.kind == "logistic":
        share = [1 / (1 + (ball(y) * (ball(end) + s * near)).exp()) for s in (1, -1)]
        return Rate(slope.power, slope.order, slope.decay, slope.factor * ball(c * abs(y)) * _between(*share))
    if end == y:
        factor = 2 * ball(c) * slope.factor * gap.factor
        return Rate(slope.power + gap.power, slope.order, slope.decay + gap.decay, factor)
    off = ball(abs(end - y))
    return Rate(slope.power, slope.order, slope.decay, 2 * ball(c) * slope.factor * _between(off - near, off + near))


def _power(x: arb, n: int) -> arb:
    out = arb(1)
    for _ in range(abs(n)):
        out = out * x
    return out if n >= 0 else 1 / out


def _grown(t: Term, side: int, u: arb) -> Rate | None:
    """psi -> infinity: psi within ``slip`` of a + b u^m (side z = u), psi' in ``slope`` times m b u^(m-1)."""
    kind, c, y, p = t.psi.kind, t.weight, t.target, pieces_of(t.psi)
    fall = (-u).exp()
    if kind == "exp" and side > 0:
        return _exponential(t, u)
    slip, slope, a, m = arb(0), arb(1), ZERO, 1
    if p is not None:
        piece = trim(p.polynomials[-1 if side > 0 else 0])
        terms = [k for k, v in enumerate(piece) if v and k]
        if len(terms) != 1 or (terms[0] > 1 and piece[0]):
            return None
        m = terms[0]
        a, b = piece[0], piece[m] * side**m
    elif side > 0 and kind in ("softplus", "swish", "gelu", "elu"):
        b = ONE
        if kind == "softplus":
            slip, slope = fall, _between(1 / (1 + fall), arb(1))
        if kind == "swish":
            slip, slope = u * fall, _between(1 / (1 + fall), 1 + u * fall)
        if kind == "gelu":
            bell = (-u * u / 2).exp()
            slip, slope = bell, _between(1 - bell, 1 + u * bell)
    else:
        return None
    steep = slope * ball(m * abs(b))
    if t.kind == "squared":  # (psi - y) psi' = b u^m (1 +- (|a - y| + slip)/(|b| u^m)) m b u^(m-1)
        off = (ball(abs(a - y)) + slip) / (ball(abs(b)) * _power(u, m))
        return Rate(2 * m - 1, 1, ZERO, 2 * ball(c * abs(b)) * steep * _between(1 - off, 1 + off))
    outward = y * b > 0
    margin = (-ball(abs(y)) * (ball(abs(b)) * _power(u, m) - slip)).exp() * (ball(abs(y) * abs(a))).exp()
    share = ball(c * abs(y)) * steep * _between(1 / (1 + margin), arb(1))
    if not outward:
        return Rate(m - 1, 1, ZERO, share)
    loose = (ball(abs(y)) * slip).exp()
    return Rate(m - 1, m, abs(y * b), share * (ball(-y * a)).exp() * _between(1 / loose, loose))


def _exponential(t: Term, u: arb) -> Rate | None:
    """psi = e^z, z -> infinity."""
    c, y = t.weight, t.target
    if t.kind == "squared":
        off = ball(abs(y)) * (-u).exp()
        return Rate(0, 1, Fraction(-2), 2 * ball(c) * _between(1 - off, 1 + off))
    if y < 0:
        return Rate(0, 1, -ONE, ball(c * -y) * _between(arb(1) / 2, arb(1)))
    if not u > ball(2 / y):
        return None
    # e^u e^(-y e^u) <= e^(-y u^4/24): e^u >= u^2/2 + u^4/24, and y u^2/2 >= u
    return Rate(0, 4, y / 24, ball(c * y) * _between(arb(0), arb(1)))


def _flat(t: Term, side: int, u: arb) -> tuple[Rate, Rate] | None:
    """psi -> a limit: the rates of |psi'| and of the gap."""
    kind, fall = t.psi.kind, (-u).exp()
    near, root = 1 / (1 + fall), arb.pi().sqrt()
    if kind == "sigmoid":
        return Rate(0, 1, ONE, _between(near * near, arb(1))), Rate(0, 1, ONE, _between(near, arb(1)))
    if kind == "tanh":
        near = 1 / (1 + fall * fall)
        return Rate(0, 1, Fraction(2), 4 * _between(near * near, arb(1))), Rate(
            0, 1, Fraction(2), 2 * _between(near, arb(1))
        )
    if kind == "erf":
        return Rate(0, 2, ONE, 2 / root), Rate(-1, 2, ONE, _between(1 - 1 / (2 * u * u), arb(1)) / root)
    if side > 0:
        return None
    if kind == "softplus":
        return Rate(0, 1, ONE, _between(near, arb(1))), Rate(0, 1, ONE, _between(1 - fall / 2, arb(1)))
    if kind == "exp":
        return Rate(0, 1, ONE, arb(1)), Rate(0, 1, ONE, arb(1))
    if kind == "elu" and t.psi.alpha:
        return (Rate(0, 1, ONE, ball(abs(t.psi.alpha))),) * 2
    if kind == "swish":
        low = (1 - (1 + fall) / u) * near * near
        return Rate(1, 1, ONE, _between(low, arb(1))), Rate(1, 1, ONE, _between(near, arb(1)))
    if kind == "gelu":
        mills, scale = _between(1 - 1 / (u * u), arb(1)), 1 / (arb(2).sqrt() * root)
        return Rate(1, 2, HALF, scale * mills), Rate(0, 2, HALF, scale * mills)
    return None
