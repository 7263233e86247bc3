"""Isolated critical points with a singular Hessian, at rational places: no box around them passes Krawczyk's test.

Let grad F(p) = 0 exactly, K a basis of the kernel of the Hessian H, and x = p + K t + N n with unit vectors N = (e_i), i the pivots of H. The
gradient in these coordinates is G_t = K^T grad F, G_n = N^T grad F. In a box |x - p| <= r:

1. G_n(t, n) = G_n(t, 0) + A n, A in the enclosure of H_NN over the box. Along t = s u, |u| = 1 in the maximum norm, G_n(s u, 0) has no terms of
   order 0 and 1, so it is s^2 E, E the enclosure of half its second derivative over s in [0, r]. So G_n = 0 implies n = s^2 m with
   A m = -E, which bounds m where A is regular (m in -Y E up to d/(1 - d) |Y E|, d = |Y A - 1|).
2. Along s -> p + s K u + s^2 N m the terms of G_t of order 0, 1, ..., k - 1 vanish, exactly: k = 2 always, and k = 3 where D^3 F(p) vanishes on the
   kernel. So G_t is s^k times its k-th Taylor coefficient somewhere between; where the enclosure of that coefficient over all u on the unit
   sphere (cut in pieces) and all m of step 1 misses 0, p is the only critical point in the box.
3. Step 1 gives n*(t) with G_n(t, n*(t)) = 0 near p, and u . G_t is the derivative of s -> F(s u, n*(s u)). Its signs, and the inertia of H_NN
   (that of H without the zeros), say what p is (splitting lemma: Gromoll and Meyer, Topology 8 (1969) 361-369).

This is Lyapunov and Schmidt's reduction with weights 1 and 2 (blow-up). It settles what meets the eye where a ridge is exactly at a threshold:
tanh and sigmoid networks at the origin. A singular point at irrational coordinates is proved by no enclosure, since a small change removes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import comb
from typing import Any

import flint
from flint import arb, arb_series, fmpq_mat

from explorer.algebra.balls import ball, to_fmpq, to_fraction
from explorer.algebra.inertia import PRECISION
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.jets import Where, loss_jet
from explorer.model.landscape import landscape
from explorer.model.rings import ExactRing, taylor_of_polynomial
from explorer.point import Inertia, Point, RationalField
from explorer.problem import Activation, Problem
from explorer.solve.boxes.balls import AnalyticGradient, BallRing, piece_of, rounded
from explorer.solve.boxes.mirror import Move
from explorer.solve.results import Component, Kind, Value

WIDEST, NARROWEST = 1, 16  #: half-widths 2^-k of the boxes that are tried
MOST_PIECES, NARROWEST_PIECE = 1_000, Fraction(1, 2**12)  #: of the unit sphere
MOST_POINTS = 80


@dataclass(frozen=True)
class Singular:
    """In |x - p| <= half, for each p of ``component.points``, no critical point but p."""

    half: Fraction
    component: Component
    places: tuple[tuple[Fraction, ...], ...]


class Series:
    """Power series in one variable up to s^order over a ring, as tuples of coefficients: a ring of the jet engine."""

    def __init__(self, ring: Any, order: int) -> None:
        self.ring, self.order = ring, order
        self.zero = ring.constant(Fraction(0))

    def constant(self, value: Fraction) -> tuple[Any, ...]:
        return (self.ring.constant(value), *[self.zero] * self.order)

    def mul(self, a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
        mul, total = self.ring.mul, self.ring.total
        return tuple(total([mul(a[i], b[n - i]) for i in range(n + 1)]) for n in range(self.order + 1))

    def total(self, summands: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(self.ring.total([s[n] for s in summands]) for n in range(self.order + 1))

    def is_zero(self, a: tuple[Any, ...]) -> bool:
        return all(self.ring.is_zero(c) for c in a)

    def derivatives(
        self, activation: Activation, z: tuple[Any, ...], order: int, where: Where
    ) -> list[tuple[Any, ...]]:
        """phi^(j)(z_0 + h) = sum over n of (n + j)!/n! c_(n+j) h^n, with the Taylor coefficients c of phi at z_0."""
        c = self.ring.taylor(activation, z[0], order + self.order, where)
        if any(v is None for v in c):
            raise Unsupported(str(where), expected="Taylor coefficients in the ring", got="others")
        h, out = (self.zero, *z[1:]), []
        factorials = [1]
        for j in range(order + 1):
            terms, power = [], self.constant(Fraction(1))
            for n in range(self.order + 1):
                factor = self.ring.constant(Fraction(comb(n + j, j) * factorials[j]))
                terms.append(tuple(self.ring.mul(self.ring.mul(factor, c[n + j]), v) for v in power))
                power = self.mul(power, h)
            out.append(self.total(terms))
            factorials.append(factorials[-1] * (j + 1))
        return out

    def norm_cubed(self, square: Any, where: Where) -> None:
        raise Unsupported(str(where), expected="no neuron-cubic regularizer", got="one")


@contextmanager
def series_of(length: int) -> Iterator[None]:
    """Power series of at least so many terms: flint cuts all series, whatever their own length, at a number that it keeps by itself."""
    before = flint.ctx.cap
    flint.ctx.cap = max(before, length)
    try:
        yield
    finally:
        flint.ctx.cap = before


class BallTaylor(BallRing):
    """Balls, with Taylor coefficients of any order of smooth activations."""

    def taylor(self, activation: Activation, z: arb, order: int, where: Where) -> list[arb]:
        with series_of(order + 1):
            return self._taylor(activation, z, order, where)

    def _taylor(self, activation: Activation, z: arb, order: int, where: Where) -> list[arb]:
        p = pieces_of(activation)
        if p is not None:
            k = piece_of(p.breaks, z)
            if k is None:
                raise Unsupported(str(where), expected="a ball inside one piece", got=activation.kind)
            return taylor_of_polynomial(self, p.polynomials[k], z, order)
        x, kind = arb_series([z, 1], prec=order + 1), activation.kind
        if kind in ("sigmoid", "swish", "tanh"):
            twice = 2 * x if kind == "tanh" else x
            e = twice.exp() if twice[0].mid() < 0 else (-twice).exp()  # the small one: wide balls lose less
            below = 1 + e
            if not below[0] > 0:  # the ball of e is so wide that it holds negative numbers: no enclosure
                return [arb("nan")] * (order + 1)
            s = (e if twice[0].mid() < 0 else 1) / below
            value = s if kind == "sigmoid" else x * s if kind == "swish" else 2 * s - 1
        elif kind == "softplus":
            value = (1 + x.exp()).log()
        elif kind in ("exp", "sin", "erf"):
            value = getattr(x, kind)()
        elif kind == "gelu":
            value = x * (1 + (x / arb(2).sqrt()).erf()) / 2
        else:
            raise Unsupported(str(where), expected="a smooth activation", got=kind)
        return [value[n] for n in range(order + 1)]


@dataclass(frozen=True)
class Place:
    """A rational critical point with a singular Hessian: its kernel (rows) and the pivots."""

    problem: Problem
    at: tuple[Fraction, ...]
    kernel: tuple[tuple[Fraction, ...], ...]
    pivots: tuple[int, ...]
    inertia: Inertia
    #: the order in s of the tangential gradient
    order: int

    def slopes(self, ring: Any, curve: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The series of G_t and of G_n along a curve."""
        series = Series(ring, len(curve[0]) - 1)
        found = loss_jet(self.problem, series, list(curve), order=1).gradient
        g = [found.get(k, series.constant(Fraction(0))) for k in range(len(self.at))]
        tangential = [
            series.total([series.mul(series.constant(c), v) for c, v in zip(row, g, strict=True)])
            for row in self.kernel
        ]
        return tangential, [g[k] for k in self.pivots]

    def direction(self, ring: Any, u: Sequence[Any]) -> list[Any]:
        """K u."""
        columns = zip(*self.kernel, strict=True)
        return [ring.total([ring.mul(ring.constant(c), v) for c, v in zip(col, u, strict=True)]) for col in columns]


def singular_point(
    problem: Problem, at: Sequence[Fraction], moves: Sequence[Move], deadline: Deadline
) -> Singular | None:
    """A box in which p = ``at`` is the only critical point, though its Hessian is singular; None where p is not such a point or
    this could not be shown. Its images under ``moves`` are the other points of the component."""
    try:
        place = _place(problem, tuple(at))
        if place is None:
            return None
        with flint.ctx.workprec(PRECISION):
            half, signs = _widest(place, deadline, radial=False)
            if half is None:
                return None
            if (
                0 in signs and not {-1, 1} <= signs
            ):  # what p is can be seen in any neighbourhood: ask for signs in a smaller one
                sharper = _widest(place, deadline, radial=True)[1]
                signs = sharper or signs | _signs_at_points(place, half)
            places = _images(place.at, moves)
            return Singular(half, _component(place, signs, places), places)
    except Unsupported:  # at a kink, or with numbers that are not rational
        return None


def _widest(place: Place, deadline: Deadline, *, radial: bool) -> tuple[Fraction | None, set[int]]:
    for k in range(WIDEST, NARROWEST):
        half = Fraction(1, 2**k)
        try:
            signs = _isolated(place, half, deadline, radial=radial)
        except Unsupported:  # the box meets a break of an activation
            continue
        if signs is not None:
            return half, signs
    return None, set()


def _place(problem: Problem, at: tuple[Fraction, ...]) -> Place | None:
    point = Point.rational(at)
    geometry = landscape(problem).at(point)
    found = geometry.inertia
    if not geometry.is_critical or not found.zero or geometry.hessian is None:
        return None
    if any(any(entry[1:]) for row in geometry.hessian for entry in row):
        return None
    d = len(at)
    reduced, rank = fmpq_mat(d, d, [to_fmpq(entry[0]) for row in geometry.hessian for entry in row]).rref()
    pivots = tuple(next(j for j in range(d) if reduced[i, j] != 0) for i in range(rank))
    kernel = []
    for free in (j for j in range(d) if j not in pivots):
        row = [Fraction(int(j == free)) for j in range(d)]
        for i, p in enumerate(pivots):
            row[p] = -to_fraction(reduced[i, free])
        kernel.append(tuple(row))
    place = Place(problem, at, tuple(kernel), pivots, found, 2)
    return Place(problem, at, tuple(kernel), pivots, found, 3) if _without_cubes(place) else place


def _without_cubes(place: Place) -> bool:
    """Whether D^3 F(p) vanishes on the kernel: the quadratic map u -> D^3 F(p)[K ., K u, K u] does at all e_i and e_i + e_j."""
    ring, q = ExactRing(RationalField()), len(place.kernel)
    unit = [[Fraction(int(i == j)) for j in range(q)] for i in range(q)]
    both = [[a + b for a, b in zip(unit[i], unit[j], strict=True)] for i, j in combinations(range(q), 2)]
    zero = ring.constant(Fraction(0))
    for u in unit + both:
        along = place.direction(ring, [ring.constant(c) for c in u])
        curve = [(ring.constant(a), v, zero) for a, v in zip(place.at, along, strict=True)]
        tangential, _ = place.slopes(ring, curve)
        if not all(ring.is_zero(g[2]) for g in tangential):
            return False
    return True


def _isolated(place: Place, half: Fraction, deadline: Deadline, *, radial: bool) -> set[int] | None:
    """The signs of u . G_t, 0 (unless ``radial``) for pieces of the sphere where that has no known sign but G_t is not 0; None: not shown
    in this box."""
    bends = _bends(place, half)
    if bends is None:
        return None
    signs: set[int] = set()
    stack, count = list(_faces(len(place.kernel))), 0
    while stack:
        deadline.check("proving that a singular critical point is isolated")
        piece = stack.pop()
        count += 1
        sign = _sign_on(place, half, bends, [ball(a, b) for a, b in piece])
        if sign is not None and (sign or not radial):
            signs.add(sign)
            continue
        k = max(range(len(piece)), key=lambda i: piece[i][1] - piece[i][0])
        low, high = piece[k]
        if count > MOST_PIECES or high - low < NARROWEST_PIECE:
            return None
        middle = (low + high) / 2
        stack += [[*piece[:k], part, *piece[k + 1 :]] for part in ((low, middle), (middle, high))]
    return signs


def _signs_at_points(place: Place, half: Fraction) -> set[int]:
    """The signs of u . G_t at the points u of the sphere with entries -1, 0, 1."""
    bends = _bends(place, half)
    points = [u for u in product((-1, 0, 1), repeat=len(place.kernel)) if any(u)][:MOST_POINTS]
    found = {_sign_on(place, half, bends, [arb(c) for c in u]) for u in points} if bends is not None else set()
    return {sign for sign in found if sign}


def _faces(q: int) -> Iterator[list[tuple[Fraction, Fraction]]]:
    for i in range(q):
        for side in (Fraction(-1), Fraction(1)):
            yield [(side, side) if j == i else (Fraction(-1), Fraction(1)) for j in range(q)]


def _bends(place: Place, half: Fraction) -> tuple[Any, arb] | None:
    """Y, an approximate inverse of H_NN, and d/(1 - d) for d = |Y A - 1| over all (t, n) that the box meets; None if d may be 1."""
    size = len(place.pivots)
    if not size:
        return flint.arb_mat(0, 0), arb(0)
    # between p + K t and x = p + K t + N n: both ends are within half * max(1, sum of |K_k|) of p, and |t| <= |x - p|
    reach = {k: half * max(1, sum(abs(row[k]) for row in place.kernel)) for k in place.pivots}
    box = [ball(a - reach.get(k, half), a + reach.get(k, half)) for k, a in enumerate(place.at)]
    try:
        whole = AnalyticGradient(place.problem).jacobian_at_balls(box)
    except ZeroDivisionError:
        return None
    a = flint.arb_mat([[whole[i][j] for j in place.pivots] for i in place.pivots])
    try:
        y = flint.arb_mat([[arb(a[i, j].mid()) for j in range(size)] for i in range(size)]).inv()
    except ZeroDivisionError:
        return None
    off = y * a
    rows = [sum((abs(off[i, j] - int(i == j)) for j in range(size)), arb(0)) for i in range(size)]
    d = max((row.upper() for row in rows), default=arb(0))
    return (y, (d / (1 - d)).upper()) if d < 1 else None


def _sign_on(place: Place, half: Fraction, bends: tuple[Any, arb], u: list[arb]) -> int | None:
    """Steps 1 and 2 for u in a box of the unit sphere: the sign of u . G_t (0: unknown, but G_t is not 0); None: no answer."""
    ring, (y, more) = BallTaylor(), bends
    s, zero = ball(Fraction(0), half), arb(0)
    along = place.direction(ring, u)
    start = [ball(a) + s * v for a, v in zip(place.at, along, strict=True)]
    _, normal = place.slopes(ring, [(a, v, zero) for a, v in zip(start, along, strict=True)])
    m = [zero] * len(place.at)
    if place.pivots:
        rough = y * flint.arb_mat([[-g[2]] for g in normal])
        entries = [rough[i, 0] for i in range(len(place.pivots))]
        size = max((abs(v).upper() for v in entries), default=zero)
        slack = (more * size).upper()
        for k, v in zip(place.pivots, entries, strict=True):
            m[k] = v + (-slack).union(slack)
    # p + (s + e) K u + (s + e)^2 N m as a series in e, s anywhere in [0, r]
    curve = [
        (a + s * s * n, v + 2 * s * n, n, *[zero] * (place.order - 2)) for a, v, n in zip(start, along, m, strict=True)
    ]
    tangential, _ = place.slopes(ring, curve)
    last = [g[place.order] for g in tangential]
    if not all(v.is_finite() for v in last):
        return None
    radial = sum((a * b for a, b in zip(u, last, strict=True)), arb(0))
    if radial > 0 or radial < 0:
        return 1 if radial > 0 else -1
    return 0 if any(v > 0 or v < 0 for v in last) else None


def _images(at: tuple[Fraction, ...], moves: Sequence[Move]) -> tuple[tuple[Fraction, ...], ...]:
    out = [at]
    for point in out:  # grows on the way
        for move in moves:
            image = move.image(point, point)[0]
            out += [image] if image not in out else []
    return tuple(out)


def _component(place: Place, signs: set[int], points: Sequence[tuple[Fraction, ...]]) -> Component:
    found = place.inertia
    kind, because = _kind(found, signs)
    return Component(
        dimension=0,
        sample=Point.rational(place.at),
        value=_value(place),
        inertia=found,
        kind=kind,
        is_global=None,
        because=f"{because}; the Hessian has nullity {found.zero}, and the terms of F of order {place.order + 1} in its kernel isolate the point",
        orbit=len(points),
        points=tuple(Point.rational(at) for at in points),
        isolated=True,
    )


def _kind(found: Inertia, signs: set[int]) -> tuple[Kind, str]:
    up, down = bool(found.positive) or 1 in signs, bool(found.negative) or -1 in signs
    if found.positive and found.negative:
        return Kind.STRICT_SADDLE, "the Hessian has eigenvalues of both signs"
    if signs == {1} and not found.negative:
        return Kind.STRICT_MINIMUM, "F increases along the kernel of a positive semidefinite Hessian, reduced to it"
    if signs == {-1} and not found.positive:
        return Kind.STRICT_MAXIMUM, "F decreases along the kernel of a negative semidefinite Hessian, reduced to it"
    if up and down:
        return Kind.SADDLE, "F, reduced to the kernel of the Hessian, and the Hessian show both signs"
    return Kind.UNDECIDED, "the signs of F, reduced to the kernel of the Hessian, are not known"


def _value(place: Place) -> Value:
    value = loss_jet(place.problem, BallRing(), [ball(a) for a in place.at], order=0).value
    if value is None:
        raise Unsupported("value", expected="an enclosure of F", got="none")
    return rounded(value)
