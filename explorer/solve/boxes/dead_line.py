"""The line of dead units of one hidden unit whose bias is not regularised: w = 0, v = 0, b free, and nothing else near it.

F = sum_i c_i (v phi(z_i) + a - y_i)^2 + sum_k lambda_k w_k^2 + mu v^2 + lambda a^2 with z_i = w . x_i + b; the output bias a may be missing, free (lambda = 0), or have a ridge.
On the line a = a0: 0 or, if it is free, the mean of the targets; and with g0_i = 2 c_i (a0 - y_i) it is critical, F_v = phi(b) sum g0_i = 0, if sum g0_i = 0: always where a is free, else for
sum c_i y_i = 0. Let g_i = 2 c_i (v phi(z_i) + a - y_i), T = sum c_i, Phi = sum c_i phi(z_i). Divided differences phi[z, b] = (phi(z) - phi(b))/(z - b) are phi' somewhere between.

- F_a = 0 gives a - a0 = -v Phi/(T + lambda): so g_i = g0_i + 2 c_i v (phi(z_i) - Phi/(T + lambda)), without the fraction where there is no a, and
  sum g_i = 2 kappa v Phi with kappa = lambda/(T + lambda), 1 where there is no a.
- F_(w_k) = v Q_k + 2 lambda_k w_k, Q_k = sum g_i x_ik phi'(z_i). So at a critical point w = v omega, omega_k = -Q_k / (2 lambda_k), and v = 0 implies w = 0 and a = a0: it is on the line.
- F_v = sum g_i (phi(z_i) - phi(b)) + phi(b) sum g_i + 2 mu v = v E1, E1 = sum_k omega_k P_k + 2 mu + 2 kappa phi(b) Phi, P_k = sum g_i x_ik phi[z_i, b].
- F_b = v sum g_i phi'(z_i) = v^2 E2, E2 = sum_k omega_k R_k + 2 kappa phi'(b) Phi, R_k = sum g_i x_ik phi'[z_i, b], in the same way.

So in a box |w_k|, |v| <= r, b in an interval, any a, where E1 or E2 misses 0, all critical points are those of the line: also where the Hessian across it is singular, at whatever b. On the line
E1 is the Schur complement of the Hessian in (w, a, v), whose other eigenvalues across it are positive: its sign is the index.

*Far out* (`whole_line`). Let phi be tanh, sigmoid or erf, mu > 0, and W_k, G_i a-priori bounds of |w_k|, |g_i|. For |b| >= B = D + max sum_k W_k |x_ik| all z_i and b are on one side of 0, at least D away, so
phi' and phi[z, b] are at most e = phi'(D), phi(b) Phi >= 0, and E1 >= 2 mu - sum_k (e sum_i G_i |x_ik|)^2 / (2 lambda_k) > 0 for a large D: no critical point there but the line. So |b| <= B holds all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of
from explorer.budget import Deadline
from explorer.exact import text
from explorer.model.jets import Where
from explorer.point import EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.balance import euler_bounds
from explorer.solve.boxes.balls import BallRing
from explorer.solve.radius import Radius, root_above
from explorer.solve.results import Component, Kind, Value
from explorer.solve.units.confluent import ANALYTIC, Interval

WIDEST, NARROWEST = 1, 8  #: half-widths 2^-k across the line that are tried
SHORTEST = 12  #: pieces of the line are not cut below 2^-k
#: why min F is attained with an infinite line: w and v are bounded by their ridge where F is, and then a; where b is far out all phi(z_i) come near one limit s, and
#: sum c (v s + a - y)^2 + lambda a^2 is at least its value at v s + a = a0
ATTAINED = "the weights are regularized, and where the free hidden bias goes to infinity F comes near its value on the line, or is larger"
EDGE = Fraction(1, 2**SHORTEST)  #: pieces overlap by this much, and reach beyond the ends of the box
NARROW = Fraction(1, 2**64)
PRECISION = 128
#: (f, q) with phi'(D) <= f q^D for D = 1, 2, ...: 4 e^(-2D), e^(-D), 2/sqrt(pi) e^(-D^2); e > 5/2
FALLS = {
    "tanh": (Fraction(4), Fraction(4, 25)),
    "sigmoid": (Fraction(1), Fraction(2, 5)),
    "erf": (Fraction(6, 5), Fraction(2, 5)),
}


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
    #: a0 and lambda, None where there is no output bias
    output: tuple[Fraction, Fraction] | None

    @property
    def kappa(self) -> Fraction:
        return Fraction(1) if self.output is None else self.output[1] / (sum(self.weights, self.output[1]))

    def place(self, w: Fraction, b: Fraction, v: Fraction, a: Fraction = Fraction(0)) -> list[Fraction]:
        """A point; ``a`` is added to a0."""
        return [*[w] * len(self.ridge), b, v, *([] if self.output is None else [self.output[0] + a])]

    def derivatives(self, z: arb) -> list[arb]:
        assert isinstance(self.problem.network, DenseNetwork)
        found = BallRing().derivatives(self.problem.network.activations[0], z, 2, Where("the line of dead units"))
        return [v for v in found if v is not None]

    def blown_up(self, b: Interval, r: Fraction) -> tuple[arb, arb]:
        """E1 and E2 over |w_k|, |v| <= r and b."""
        at, off = ball(*b), ball(-r, r)
        count, none = range(len(self.ridge)), arb(0)
        inner = [at + sum((off * ball(v) for v in x), none) for x in self.inputs]
        jets, between = [self.derivatives(z) for z in inner], [self.derivatives(z.union(at)) for z in inner]
        total = sum((ball(c) * j[0] for c, j in zip(self.weights, jets, strict=True)), none)
        share = none if self.output is None else total / ball(sum(self.weights, self.output[1]))
        q, p, s = ([none] * len(self.ridge) for _ in range(3))
        for x, c, g0, (value, slope, _), (_, first, second) in zip(
            self.inputs, self.weights, self.slopes, jets, between, strict=True
        ):
            g = ball(g0) + 2 * ball(c) * off * (value - share)
            for k in count:
                q[k] += g * ball(x[k]) * slope
                p[k] += g * ball(x[k]) * first
                s[k] += g * ball(x[k]) * second
        value, slope, _ = self.derivatives(at)
        kappa = ball(2 * self.kappa)
        e1, e2 = ball(2 * self.last) + kappa * value * total, kappa * slope * total
        for k in count:
            omega = -q[k] / ball(2 * self.ridge[k])
            e1 += omega * p[k]
            e2 += omega * s[k]
        return e1, e2

    def across(self, b: Interval) -> tuple[arb, arb]:
        """E1 on the line, and its derivative."""
        value, slope, bend = self.derivatives(ball(*b))
        total = ball(self.kappa * sum(self.weights, Fraction(0)))
        moments = [
            sum((g * x[k] for g, x in zip(self.slopes, self.inputs, strict=True)), Fraction(0))
            for k in range(len(self.ridge))
        ]
        share = ball(sum((m * m / (2 * a) for m, a in zip(moments, self.ridge, strict=True)), Fraction(0)))
        return 2 * ball(
            self.last
        ) + 2 * total * value**2 - share * slope**2, 4 * total * value * slope - 2 * share * slope * bend


def dead_line(
    problem: Problem, lower: Sequence[Fraction], upper: Sequence[Fraction], deadline: Deadline, *, whole: bool = False
) -> Line | None:
    """The line in the box, None where there is none of this kind or it could not be split off. ``whole``: the box is that of `whole_line`."""
    unit = _unit(problem)
    if unit is None:
        return None
    m = len(unit.ridge)
    around = [*range(m), m + 1]
    if not all(lower[k] < 0 < upper[k] for k in around):
        return None
    if unit.output is not None and not lower[-1] < unit.output[0] < upper[-1]:
        return None
    outputs = [] if unit.output is None else [(lower[-1] - 1, upper[-1] + 1)]
    with flint.ctx.workprec(PRECISION):
        tiles = _tiles(unit, (lower[m], upper[m]), outputs, deadline)
        pieces = None if tiles is None else _pieces(unit, (lower[m], upper[m]), deadline, whole=whole)
    return None if tiles is None or pieces is None else Line(tuple(tiles), tuple(pieces))


def whole_line(problem: Problem) -> Radius | None:
    """Bounds of all critical points but those of the line, which is infinite; None where there are none of this kind."""
    unit = _unit(problem)
    if unit is None or not unit.last or not isinstance(problem.network, DenseNetwork) or problem.data is None:
        return None
    fall = FALLS.get(problem.network.activations[0].kind)
    m, (found, balls) = len(unit.ridge), euler_bounds(problem)
    if fall is None or not all(k in found for k in (*range(m), m + 1)):
        return None
    energy = sum((c * y * y for c, (y,) in zip(unit.weights, problem.data.targets, strict=True)), Fraction(0))
    pulls = [2 * root_above(c * energy, 2) for c in unit.weights]  # |g_i| <= 2 sqrt(c_i) |r|, and |r| <= |y|
    force = Fraction(0)
    for k, weight in enumerate(unit.ridge):
        force += sum((g * abs(x[k]) for g, x in zip(pulls, unit.inputs, strict=True)), Fraction(0)) ** 2 / (2 * weight)
    d, slope = 1, fall[0] * fall[1]
    while slope**2 * force >= unit.last:
        d, slope = d + 1, slope * fall[1]
    reach = max(sum((found[k] * abs(x[k]) for k in range(m)), Fraction(0)) for x in unit.inputs)
    bounds = [*(found[k] for k in range(m)), d + reach, found[m + 1]]
    if unit.output is not None:  # |a - a0| = |v Phi|/(T + lambda) <= |v|
        bounds.append(abs(unit.output[0]) + max(found[m + 1], EDGE))
    return Radius(tuple(max(v, EDGE) for v in bounds), tuple(balls))  # all 0 where all targets are


def _unit(problem: Problem) -> _Unit | None:
    net, data, loss, ridge = problem.network, problem.data, problem.loss, problem.regularizer
    if not isinstance(net, DenseNetwork) or data is None or loss is None or loss.kind != "squared":
        return None
    if net.depth != 2 or net.widths[1:] != (1, 1) or not net.bias[0] or net.output.kind != "linear":
        return None
    m = net.widths[0]
    if ridge is None or ridge.kind != "l2" or net.activations[0].kind not in ANALYTIC:
        return None
    if ridge.weights[m] or not all(v > 0 for v in ridge.weights[:m]) or ridge.weights[m + 1] < 0:
        return None
    output, centre = None, Fraction(0)
    if net.bias[1]:
        weight, total = ridge.weights[m + 2], sum(loss.weights, Fraction(0))
        if weight < 0 or total <= 0:
            return None
        if not weight:
            centre = sum((c * y for c, (y,) in zip(loss.weights, data.targets, strict=True)), Fraction(0)) / total
        output = centre, weight
    slopes = tuple(2 * c * (centre - y) for c, (y,) in zip(loss.weights, data.targets, strict=True))
    if sum(slopes, Fraction(0)):
        return None
    return _Unit(
        problem, tuple(data.inputs), tuple(loss.weights), slopes, tuple(ridge.weights[:m]), ridge.weights[m + 1], output
    )


def _tiles(unit: _Unit, b: Interval, outputs: Sequence[Interval], deadline: Deadline) -> list[EnclosedPoint] | None:
    out, m = [], len(unit.ridge)
    stack = [b]
    while stack:
        deadline.check("splitting off the line of dead units")
        low, high = stack.pop()
        wide = low - EDGE, high + EDGE
        for k in range(WIDEST, NARROWEST):
            r = Fraction(1, 2**k)
            if high - low <= 1 and any(sign_of(e) for e in unit.blown_up(wide, r)):
                ends = [tuple(o[side] for o in outputs) for side in (0, 1)]
                out.append(EnclosedPoint((*[-r] * m, wide[0], -r, *ends[0]), (*[r] * m, wide[1], r, *ends[1])))
                break
        else:
            if high - low <= EDGE:
                return None
            middle = (low + high) / 2
            stack += [(low, middle), (middle, high)]
    return out


def _pieces(unit: _Unit, b: Interval, deadline: Deadline, *, whole: bool) -> list[Component] | None:
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
    out, m = [], len(unit.ridge) + (unit.output is not None)
    marks = [b[0], *(v for z in zeros for v in z), b[1]]
    for low, high in zip(marks[::2], marks[1::2], strict=True):
        middle = (low + high) / 2
        sign = sign_of(unit.across((middle, middle))[0])
        if not sign:
            return None
        stretch = tuple("infinity" if whole and v in b else decimals(v) for v in (low, high))
        sample = Point.rational(unit.place(Fraction(0), middle, Fraction(0)))
        out.append(_piece(unit, sample, Inertia(m + (sign > 0), 1, int(sign < 0)), stretch))
    for low, high in zeros:
        below, above = unit.place(-NARROW, low, -NARROW, -NARROW), unit.place(NARROW, high, NARROW, NARROW)
        out.append(_piece(unit, EnclosedPoint(tuple(below), tuple(above)), Inertia(m, 2, 0), None))
    return out


def _piece(unit: _Unit, sample: Point | EnclosedPoint, inertia: Inertia, part: tuple[str, ...] | None) -> Component:
    # c (a0 - y)^2 = g0^2 / (4 c), and lambda a0^2 = 0
    value = sum((g * g / (4 * c) for g, c in zip(unit.slopes, unit.weights, strict=True) if c), Fraction(0))
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
    fixed += [] if unit.output is None else [f"{names[m + 2]} = {text(unit.output[0])}"]
    if part is not None:  # the other pieces have the same equations
        fixed += [f"{names[m]} {sign} {end}..." for sign, end in zip("><", part, strict=True) if end != "infinity"]
    elif isinstance(sample, EnclosedPoint):
        fixed.append(f"{names[m]} = {decimals(sample.centre[m])}...")
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
        else f"a connected piece of dimension 1: the unit is dead and its bias free, from {'-' * (part[0] == 'infinity')}{part[0]} to {part[1]}",
    )


def decimals(x: Fraction) -> str:
    """Six decimals, for display."""
    scaled = round(x * 10**6)
    return f"{'-' if scaled < 0 else ''}{abs(scaled) // 10**6}.{abs(scaled) % 10**6:06d}"
