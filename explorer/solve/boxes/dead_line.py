"""The line of dead units of one hidden unit whose bias is not regularised: w = 0, v = 0, b free, and nothing else near it.

F = sum_i c_i (v phi(z_i) - y_i)^2 + sum_k lambda_k w_k^2 + mu v^2 with z_i = w . x_i + b, and sum_i c_i y_i = 0. With g_i = 2 c_i (v phi(z_i) - y_i) and g0_i = -2 c_i y_i
every point of the line is critical: F_v = phi(b) sum g0_i = 0. Near it (divided differences phi[z, b] = (phi(z) - phi(b))/(z - b), which are phi' somewhere between):

- F_(w_k) = v Q_k + 2 lambda_k w_k, Q_k = sum g_i x_ik phi'(z_i). So at a critical point w = v omega, omega_k = -Q_k / (2 lambda_k), and v = 0 implies w = 0: it is on the line.
- F_v = v E1, E1 = sum_k omega_k P_k + 2 mu + 2 sum c_i phi(z_i)^2, P_k = sum g0_i x_ik phi[z_i, b], since sum g0_i phi(z_i) = sum g0_i (phi(z_i) - phi(b)).
- F_b = v sum g_i phi'(z_i) = v^2 E2, E2 = sum_k omega_k R_k + 2 sum c_i phi(z_i) phi'(z_i), R_k = sum g0_i x_ik phi'[z_i, b], in the same way.

So in a box |w_k|, |v| <= r, b in an interval, where E1 or E2 misses 0, all critical points are those of the line: also where the Hessian across it is singular, at whatever b. On the line
E1 is the Schur complement of the Hessian in (w, v), whose other eigenvalues across it are the 2 lambda_k > 0: its sign is the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of
from explorer.budget import Deadline
from explorer.model.jets import Where
from explorer.point import EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.balls import BallRing
from explorer.solve.results import Component, Kind, Value
from explorer.solve.units.confluent import ANALYTIC, Interval

WIDEST, NARROWEST = 1, 8  #: half-widths 2^-k across the line that are tried
SHORTEST = 12  #: pieces of the line are not cut below 2^-k
EDGE = Fraction(1, 2**SHORTEST)  #: pieces overlap by this much, and reach beyond the ends of the box
NARROW = Fraction(1, 2**64)
PRECISION = 128


@dataclass(frozen=True)
class Line:
    """Boxes around the line, each without another critical point, that cover it; and its pieces."""

    tiles: tuple[EnclosedPoint, ...]
    components: tuple[Component, ...]

    def near(self, point: Sequence[float]) -> bool:
        """Whether a proposal lies in one of the boxes, so that it is on the line or nothing."""
        return any(all(a <= v <= b for a, v, b in zip(t.lower, point, t.upper, strict=True)) for t in self.tiles)


@dataclass(frozen=True)
class _Unit:
    problem: Problem
    inputs: tuple[tuple[Fraction, ...], ...]
    weights: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]  # g0
    ridge: tuple[Fraction, ...]
    last: Fraction

    def derivatives(self, z: arb) -> list[arb]:
        assert isinstance(self.problem.network, DenseNetwork)
        found = BallRing().derivatives(self.problem.network.activations[0], z, 2, Where("the line of dead units"))
        return [v for v in found if v is not None]

    def blown_up(self, b: Interval, r: Fraction) -> tuple[arb, arb]:
        """E1 and E2 over |w_k|, |v| <= r and b."""
        at, off = ball(*b), ball(-r, r)
        count = range(len(self.ridge))
        q, p, s = ([arb(0)] * len(self.ridge) for _ in range(3))
        e1, e2 = ball(2 * self.last), arb(0)
        for x, c, g0 in zip(self.inputs, self.weights, self.slopes, strict=True):
            z = at + sum((off * ball(v) for v in x), arb(0))
            value, slope, _ = self.derivatives(z)
            _, first, second = self.derivatives(z.union(at))
            g = ball(g0) + 2 * ball(c) * off * value
            for k in count:
                q[k] += g * ball(x[k]) * slope
                p[k] += ball(g0 * x[k]) * first
                s[k] += ball(g0 * x[k]) * second
            e1 += 2 * ball(c) * value**2
            e2 += 2 * ball(c) * value * slope
        for k in count:
            omega = -q[k] / ball(2 * self.ridge[k])
            e1 += omega * p[k]
            e2 += omega * s[k]
        return e1, e2

    def across(self, b: Interval) -> tuple[arb, arb]:
        """E1 on the line, and its derivative."""
        value, slope, bend = self.derivatives(ball(*b))
        total = ball(sum(self.weights, Fraction(0)))
        moments = [
            sum((g * x[k] for g, x in zip(self.slopes, self.inputs, strict=True)), Fraction(0))
            for k in range(len(self.ridge))
        ]
        share = ball(sum((m * m / (2 * a) for m, a in zip(moments, self.ridge, strict=True)), Fraction(0)))
        return 2 * ball(
            self.last
        ) + 2 * total * value**2 - share * slope**2, 4 * total * value * slope - 2 * share * slope * bend


def dead_line(
    problem: Problem, lower: Sequence[Fraction], upper: Sequence[Fraction], deadline: Deadline
) -> Line | None:
    """The line in the box, None where there is none of this kind or it could not be split off."""
    unit = _unit(problem)
    if unit is None:
        return None
    m = len(unit.ridge)
    around = [*range(m), m + 1]
    if not all(lower[k] < 0 < upper[k] for k in around):
        return None
    with flint.ctx.workprec(PRECISION):
        tiles = _tiles(unit, (lower[m], upper[m]), deadline)
        pieces = None if tiles is None else _pieces(unit, (lower[m], upper[m]), deadline)
    return None if tiles is None or pieces is None else Line(tuple(tiles), tuple(pieces))


def _unit(problem: Problem) -> _Unit | None:
    net, data, loss, ridge = problem.network, problem.data, problem.loss, problem.regularizer
    if not isinstance(net, DenseNetwork) or data is None or loss is None or loss.kind != "squared":
        return None
    if net.depth != 2 or net.widths[1:] != (1, 1) or tuple(net.bias) != (True, False) or net.output.kind != "linear":
        return None
    m = net.widths[0]
    if ridge is None or ridge.kind != "l2" or net.activations[0].kind not in ANALYTIC:
        return None
    if ridge.weights[m] or not all(v > 0 for v in ridge.weights[:m]) or ridge.weights[m + 1] < 0:
        return None
    slopes = tuple(-2 * c * y for c, (y,) in zip(loss.weights, data.targets, strict=True))
    if sum(slopes, Fraction(0)):
        return None
    return _Unit(
        problem, tuple(data.inputs), tuple(loss.weights), slopes, tuple(ridge.weights[:m]), ridge.weights[m + 1]
    )


def _tiles(unit: _Unit, b: Interval, deadline: Deadline) -> list[EnclosedPoint] | None:
    out, m = [], len(unit.ridge)
    stack = [b]
    while stack:
        deadline.check("splitting off the line of dead units")
        low, high = stack.pop()
        wide = low - EDGE, high + EDGE
        for k in range(WIDEST, NARROWEST):
            r = Fraction(1, 2**k)
            if high - low <= 1 and any(sign_of(e) for e in unit.blown_up(wide, r)):
                out.append(EnclosedPoint((*[-r] * m, wide[0], -r), (*[r] * m, wide[1], r)))
                break
        else:
            if high - low <= EDGE:
                return None
            middle = (low + high) / 2
            stack += [(low, middle), (middle, high)]
    return out


def _pieces(unit: _Unit, b: Interval, deadline: Deadline) -> list[Component] | None:
    """Where E1 has one sign along the line, and its zeros between."""
    zeros: list[Interval] = []
    stack = [b]
    while stack:
        deadline.check("splitting the line of dead units")
        low, high = stack.pop()
        value, slope = unit.across((low, high))
        if sign_of(value):
            continue
        ends = [sign_of(unit.across((v, v))[0]) for v in (low, high)]
        if sign_of(slope) and all(ends) and (ends[0] == ends[1] or high - low < Fraction(1, 2**40)):
            zeros += [(low, high)] if ends[0] != ends[1] else []
            continue
        if high - low < Fraction(1, 2**60):
            return None
        middle = (low + high) / 2
        if not sign_of(unit.across((middle, middle))[0]):  # perhaps a zero: no good place to cut
            middle = (5 * low + 3 * high) / 8
        stack += [(low, middle), (middle, high)]
    zeros.sort()
    out, m = [], len(unit.ridge)
    marks = [b[0], *(v for z in zeros for v in z), b[1]]
    for low, high in zip(marks[::2], marks[1::2], strict=True):
        middle = (low + high) / 2
        sign = sign_of(unit.across((middle, middle))[0])
        if not sign:
            return None
        out.append(
            _piece(unit, Point.rational([*[0] * m, middle, 0]), Inertia(m + (sign > 0), 1, int(sign < 0)), (low, high))
        )
    for low, high in zeros:
        box = EnclosedPoint((*[-NARROW] * m, low, -NARROW), (*[NARROW] * m, high, NARROW))
        out.append(_piece(unit, box, Inertia(m, 2, 0), None))
    return out


def _piece(unit: _Unit, sample: Point | EnclosedPoint, inertia: Inertia, part: Interval | None) -> Component:
    assert unit.problem.data is not None
    value = sum((c * y * y for c, (y,) in zip(unit.weights, unit.problem.data.targets, strict=True)), Fraction(0))
    names = unit.problem.parameters
    m = len(unit.ridge)
    if part is None:
        kind, because = (
            Kind.SADDLE,
            "F is constant along the line, and every neighbourhood meets a part of it that consists of strict saddles",
        )
    elif inertia.negative:
        kind, because = Kind.STRICT_SADDLE, "the Hessian across the line has eigenvalues of both signs"
    else:
        kind, because = Kind.MINIMUM, "Morse-Bott: a line with a positive definite Hessian across it"
    fixed = [f"{names[k]} = 0" for k in (*range(m), m + 1)]
    return Component(
        dimension=0 if part is None else 1,
        sample=sample,
        value=Value.rational(value),
        inertia=inertia,
        kind=kind,
        is_global=None,
        because=because,
        points=(sample,) if part is None else (),
        isolated=False if part is None else None,
        equations=tuple(fixed),
        description="a special point of the line: the Hessian across it is singular; the sample is a box around it"
        if part is None
        else f"a connected piece of dimension 1: the unit is dead and its bias free, from {decimals(part[0])} to {decimals(part[1])}",
    )


def decimals(x: Fraction) -> str:
    """Six decimals, for display."""
    scaled = round(x * 10**6)
    return f"{'-' if scaled < 0 else ''}{abs(scaled) // 10**6}.{abs(scaled) % 10**6:06d}"
