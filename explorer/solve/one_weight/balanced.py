"""Chains of homogeneous units with a regularizer on every weight: balanced points, one number r on every orthant (the lemma: `chains`).

G(r) = H_s(c r^E) + E lambda_L r^q. With m = min(E, q) the zeros of G'/r^(m-1) on (0, R] are isolated by balls; its sign at 0 says what the origin is,
and must not be 0 (a ridge exactly at a threshold). R: -H'(p) p <= sum of the inward pulls (`growth.pull`), so q lambda_L R^q is at most that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import flint
from flint import arb

from explorer.algebra.balls import ball, bounds, sign_of
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.point import EnclosedPoint, Inertia, Point
from explorer.problem import Problem
from explorer.solve import bounds as facts
from explorer.solve.boxes.balls import rounded
from explorer.solve.boxes.enclosure import orbits
from explorer.solve.boxes.points import Certified
from explorer.solve.growth import pull, terms_of
from explorer.solve.one_weight.chains import METHOD, inertia_on
from explorer.solve.one_weight.reduced import Chain, Reduced, Signs
from explorer.solve.one_weight.terms import FINER, PRECISION, ZERO, Line, slope_at_zero, value_on_line
from explorer.solve.one_weight.zeros import narrowed, zeros
from explorer.solve.radius import root_above
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust, Value
from explorer.solve.values import settle_globals

NARROW = Fraction(1, 2**80)
NEAREST = 40


@dataclass(frozen=True)
class Ray:
    """G on one orthant."""

    chain: Chain
    line: Line
    #: its loss in one weight
    problem: Problem

    @property
    def total(self) -> int:
        return sum(self.chain.exponents)

    @property
    def last(self) -> Fraction:
        return self.chain.weights[-1]

    def ratio(self, k: int) -> arb:
        """rho_k, at the current precision."""
        share = self.chain.exponents[k] * self.last / self.chain.weights[k]
        return arb(1) if share == 1 else ball(share).root(self.chain.power) if self.chain.power > 1 else ball(share)

    @property
    def scale(self) -> arb:
        out = arb(1)
        for k, e in enumerate(self.chain.exponents):
            out *= _power(self.ratio(k), e)
        return out

    def derivatives(self, r: arb) -> tuple[arb, arb]:
        """G'(r)/r^(m-1) and its derivative."""
        e, q, c = self.total, self.chain.power, self.scale
        m = min(e, q)
        first, second = self.line.derivatives(c * _power(r, e), Fraction(1))
        rest = q * e * ball(self.last)
        value = first * c * e * _power(r, e - m) + rest * _power(r, q - m)
        slope = second * c * c * e * e * _power(r, 2 * e - m - 1)
        if e > m:
            slope += first * c * e * (e - m) * _power(r, e - m - 1)
        if q > m:
            slope += rest * (q - m) * _power(r, q - m - 1)
        return value, slope

    def value(self, lo: Fraction, hi: Fraction) -> Value:
        """F at balanced weights with last one between lo and hi."""
        with flint.ctx.workprec(FINER[0]):
            r = ball(lo, hi)
            low, high = bounds(self.scale * _power(r, self.total))
            data = value_on_line(self.problem, EnclosedPoint((low,), (high,)))
            rest = self.total * ball(self.last) * _power(r, self.chain.power)
            return rounded(ball(data.lower, data.upper) + rest)

    def near(self) -> tuple[int, Fraction] | None:
        """The sign of G' on (0, r], and r, perhaps 0; None at a threshold. Where H'(0+) = 0, H'(p) is p times values of H''."""
        if found := self.sign(ZERO):
            return found, ZERO
        if slope_at_zero(self.line, 1) != 0:
            return None
        e, q = self.total, self.chain.power
        m = min(2 * e, q)
        for k in range(2, NEAREST):
            with flint.ctx.workprec(PRECISION):
                r, c = ball(ZERO, Fraction(1, 2**k)), self.scale
                bend = self.line.derivatives(c * _power(r, e), Fraction(1))[1]
                total = bend * c * c * e * _power(r, 2 * e - m) + q * e * ball(self.last) * _power(r, q - m)
                if found := sign_of(total):
                    return found, Fraction(1, 2**k)
        return None

    def sign(self, r: Fraction) -> int | None:
        for bits in (PRECISION, *FINER):
            with flint.ctx.workprec(bits):
                if found := sign_of(self.derivatives(ball(r))[0]):
                    return found
        return None


def _power(x: arb, n: int) -> arb:
    out = arb(1)
    for _ in range(n):
        out = out * x
    return out


def by_balance(chain: Chain, deadline: Deadline) -> CriticalSet:
    """The critical set of a chain whose weights are all regularized; `Unsupported` at a threshold, or where psi has kinks off 0."""
    problem = chain.problem
    pulls = [pull(t) for row in terms_of(problem) for t in row]
    known = [e for e in pulls if e is not None]
    if len(known) < len(pulls):
        raise Unsupported(
            "how far out critical points can be", expected="an output that is pulled inward", got="an oscillating one"
        )
    far = root_above(sum(known, ZERO) / (chain.power * chain.weights[-1]), chain.power) + 1
    found: dict[Certified, Component] = {}
    ways: dict[Signs, int] = {}
    for signs in product((1, -1), repeat=chain.size):
        reduced = Reduced(problem, chain.inputs(signs))
        ray = Ray(chain, reduced.line, reduced.problem)
        if any(k > 0 for k in ray.line.kinks):
            raise Unsupported(
                "a chain with a regularizer", expected="an output without kinks off 0", got="one with such"
            )
        ways[signs] = 1
        if ray.line.silent(Fraction(1)):
            continue
        near = ray.near()
        if near is None:
            raise Unsupported(
                "a chain with a regularizer",
                expected="a regularizer that is not exactly at the threshold where the origin changes its kind",
                got="one that is, or too near to tell",
            )
        ways[signs], start = near
        found |= dict(_on_ray(ray, signs, start, far, deadline))
    components = [_origin(chain, ways)]
    for members in orbits(problem, list(found)):
        points = tuple(m.narrow for m in members)
        components.append(replace(found[members[0]], orbit=len(points), points=points))
    components.sort(key=lambda c: (c.value.lower, str(c.sample)))
    settled, best, because = settle_globals(
        components,
        floor=ZERO,
        floor_because=facts.nonnegative(problem),
        coercive=facts.coercive(problem),
        complete=True,
    )
    reason = (
        "at a critical point the weights are balanced (Euler's identity), so on every orthant one number is left, and all zeros of "
        "the derivative were isolated by balls up to a bound; with some but not all weights 0 nothing is critical"
    )
    return CriticalSet(problem, settled, Coverage(True, METHOD, Trust.COMPUTED, reason), best, because)


def _on_ray(
    ray: Ray, signs: Signs, start: Fraction, far: Fraction, deadline: Deadline
) -> Iterator[tuple[Certified, Component]]:
    got = zeros(ray.derivatives, ray.sign, start, far, deadline)
    if got.left is not None or got.unsure:
        raise Unsupported(
            "a chain with a regularizer", expected="simple zeros of a derivative", got="one that is perhaps multiple"
        )
    for low, high, rising in got.found:
        lo, hi = narrowed(ray.sign, low, high, rising, NARROW)
        ends = []
        with flint.ctx.workprec(FINER[0]):
            for k, s in enumerate(signs):
                a, b = bounds(ray.ratio(k) * ball(lo, hi))
                ends.append((a, b) if s > 0 else (-b, -a))
        box = EnclosedPoint(tuple(a for a, _ in ends), tuple(b for _, b in ends))
        d = len(signs)
        found = Inertia(d, 0, 0) if rising > 0 else Inertia(d - 1, 0, 1)
        yield (
            Certified(box, box, found),
            Component(
                dimension=0,
                sample=box,
                value=ray.value(lo, hi),
                inertia=found,
                kind=Kind.STRICT_MINIMUM if rising > 0 else Kind.STRICT_SADDLE,
                is_global=None,
                because="where the product of the weights is constant F grows from balanced weights to second order; along them the "
                f"second derivative is {'positive' if rising > 0 else 'negative'}",
                isolated=True,
            ),
        )


def _origin(chain: Chain, ways: dict[Signs, int]) -> Component:
    at = Point.rational([0] * chain.size)
    falls, found = -1 in ways.values(), inertia_on(chain.problem, at)
    strict = found is not None and found.positive and found.negative
    words = (
        "F falls along balanced weights of some signs, and rises along the axes"
        if falls
        else "for weights of any signs F is at least its value at balanced weights with the same product, which rises from the origin"
    )
    line = Reduced(chain.problem, chain.inputs((1,) * chain.size))
    return Component(
        dimension=0,
        sample=at,
        value=value_on_line(line.problem, Point.rational([0])),
        inertia=found,
        kind=(Kind.STRICT_SADDLE if strict else Kind.SADDLE) if falls else Kind.STRICT_MINIMUM,
        is_global=None,
        because=words,
        orbit=1,
        points=(at,),
        isolated=True,
        description="the origin",
    )
