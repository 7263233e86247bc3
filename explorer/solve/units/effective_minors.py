"""The minors of `effective_search` over many boxes of incoming weights at a time, and the output weights of one box.

A minor is made of rows: divided differences of h at all samples, in groups of nodes that are near each other. Taylor coefficients over intervals (of nodes, or hulls of
groups) are computed once in ball arithmetic; determinants of many boxes in floats that are rounded outward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import comb, prod
from typing import Any

import numpy as np
from flint import arb

from explorer.algebra.balls import ball
from explorer.model.activations import row
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array
from explorer.solve.boxes.interval_batch import Batch, ends, floats, sum_of
from explorer.solve.units.confluent import Interval, Units

LEVELS = 40
APART = Fraction(
    1, 4
)  #: units farther apart than this, or than so many widths of the box, are not compared by divided differences
WIDTHS = 16
FAR = Fraction(1)  #: units of odd activations beyond this are far from their opposites
MORE = 4  #: orders of Taylor's polynomial of a group beyond what is needed
Row = tuple[int, tuple[int, ...]]  # a group of nodes, and how often each of them


@dataclass(frozen=True)
class Grid:
    """Incoming weights as whole multiples of the 2^LEVELS-th part of an interval."""

    inside: Interval
    size: int = 2**LEVELS

    def whole(self, n: int) -> tuple[Array, Array]:
        return np.zeros((n, 1), dtype=np.int64), np.full((n, 1), self.size, dtype=np.int64)

    @property
    def step(self) -> Fraction:
        return (self.inside[1] - self.inside[0]) / self.size

    def fraction(self, k: int) -> Fraction:
        return self.inside[0] + self.step * k

    def interval(self, a: Any, b: Any) -> Interval:
        return self.fraction(int(a)), self.fraction(int(b))

    def floats(self, k: Array) -> Array:
        start, step = floats((self.inside[0], self.step))
        return start + step * k

    def above(self, value: Fraction) -> int:
        """The least multiple that is not below the value."""
        return min(max(-((self.inside[0] - value) // self.step), -1), 2 * self.size)

    def below(self, value: Fraction) -> int:
        return max(min((value - self.inside[0]) // self.step, 2 * self.size), -1)


def both(problem: Problem) -> tuple[Units, Units | None]:
    """The units of a problem in the node u, and for odd activations in u^2."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    activation, inputs = net.activations[0], tuple(x[0] for x in data.inputs)
    odd = row(activation).facts(activation).parity == "odd"
    return Units(activation, inputs, False), Units(activation, inputs, True) if odd else None


@dataclass
class Minors:
    """See `effective_search`; ``weights`` are the c_i."""

    plain: Units
    halved: Units | None
    targets: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    n: int
    #: Taylor coefficients over intervals of the grid, shape (2, samples, orders)
    known: dict[tuple[bool, int, int], Array] = field(default_factory=dict)

    def exclude(self, grid: Grid, lo: Array, hi: Array) -> Array:
        """Where a box holds no critical point of n different units with a residual."""
        out = np.zeros(lo.shape[1], dtype=bool)
        if not out.size:
            return out
        code = np.zeros(lo.shape[1], dtype=np.int64)
        for k in range(self.n):
            gap, width = (lo[k] - hi[k - 1], (hi - lo).max(axis=0)) if k else (0, 0)
            near = (gap < np.minimum(int(APART / grid.step), WIDTHS * width)) if k else np.zeros_like(out)
            code = code * 4 + near + 2 * ((lo[k] < grid.above(FAR)) if self.halved else False)
        for c in np.unique(code).tolist():
            where = np.flatnonzero(code == c)
            digits = [(c >> (2 * (self.n - 1 - k))) & 3 for k in range(self.n)]
            starts = [k for k in range(self.n) if not digits[k] & 1]
            groups = list(zip(starts, [*starts[1:], self.n], strict=True))
            chosen = [self.halved if digits[a] & 2 and self.halved else self.plain for a, _ in groups]
            with np.errstate(all="ignore"):
                out[where] = self._exclude(Rows.over(self, grid, groups, chosen, lo[:, where], hi[:, where]))
        return out

    def _exclude(self, rows: Rows) -> Array:
        n, samples = self.n, len(self.targets)
        base, extra = rows.base, rows.extra
        out = np.zeros(rows.lo.shape[1], dtype=bool)
        if samples <= n:
            for pick in combinations((*base, *extra), samples):
                out |= determinant([rows.at(r) for r in pick]).signed
            return out
        for e in extra:
            out |= self._condition(rows, base, e).signed
        left = np.flatnonzero(~out)
        if not left.size:
            return out
        rows = rows.of(left)
        middle = rows.middle()
        values = [self._condition(middle, base, e) for e in extra]
        slopes = [[self._slope(rows, base, e, k) for k in range(n)] for e in extra]
        offsets = [rows.offset(k) for k in range(n)]
        found = np.zeros(left.size, dtype=bool)
        for combination in (*_units(n, left.size), *_inverses(slopes)):
            parts = [Batch.numbers(c) for c in combination]
            total = sum_of(c * v for c, v in zip(parts, values, strict=True))
            for k in range(n):
                total = total + sum_of(c * s[k] for c, s in zip(parts, slopes, strict=True)) * offsets[k]
            found |= total.signed
        out[left] = found
        return out

    def _condition(self, rows: Rows, base: Sequence[Row], extra: Row) -> Batch:
        if len(self.targets) == self.n + 1:
            return determinant([rows.at(r) for r in (*base, extra)])
        return self._sum(rows, base, base, extra)

    def _sum(self, rows: Rows, first: Sequence[Row], base: Sequence[Row], extra: Row) -> Batch:
        """Sum over I of c_I det(first, y)_I det(base, extra)_I."""
        y = [Batch.constant(v) for v in self.targets]
        left, right = [*(rows.at(r) for r in first), y], [rows.at(r) for r in (*base, extra)]
        return sum_of(
            Batch.constant(prod((self.weights[i] for i in pick), start=Fraction(1)))
            * determinant(_columns(left, pick))
            * determinant(_columns(right, pick))
            for pick in combinations(range(len(y)), self.n + 1)
        )

    def _slope(self, rows: Rows, base: Sequence[Row], extra: Row, k: int) -> Batch:
        """The derivative of `_condition` in node k: row by row, each once more with that node."""
        short = len(self.targets) == self.n + 1
        every, terms = [*base, extra], []
        for j, (times, more) in enumerate(rows.raised(r, k) for r in every):
            if times and more not in every:
                changed = [*every[:j], more, *every[j + 1 :]]
                part = (
                    determinant([rows.at(r) for r in changed])
                    if short
                    else self._sum(rows, base, changed[:-1], changed[-1])
                )
                terms.append(Batch.constant(Fraction(times)) * part)
        for j, (times, more) in enumerate(rows.raised(r, k) for r in base) if not short else ():
            if times and more not in base:
                part = self._sum(rows, [*base[:j], more, *base[j + 1 :]], base, extra)
                terms.append(Batch.constant(Fraction(times)) * part)
        return sum_of(terms) if terms else Batch.constant(Fraction(0))

    def taylor(self, grid: Grid, units: Units, lo: Array, hi: Array, order: int) -> Array:
        """Taylor coefficients over many intervals, shape (2, samples, orders, M)."""
        pairs, back = np.unique(np.stack([lo, hi]), axis=1, return_inverse=True)
        rows = []
        for a, b in pairs.T.tolist():
            key = (units.halved, a, b)
            found = self.known.get(key)
            if found is None or found.shape[2] <= order:
                t = units.node(grid.interval(a, b))
                balls = [units.taylor(i, t, order) for i in range(len(units.inputs))]
                found = ends(balls)
                if len(self.known) > 200_000:
                    self.known.clear()
                self.known[key] = found
            rows.append(found[:, :, : order + 1])
        return np.stack(rows, axis=-1)[..., back.reshape(-1)]

    def outputs(self, box: Sequence[Interval]) -> list[arb] | None:
        """Enclosures of the output weights V_g that solve the least squares problem in one box, in balls; None where units may come together
        (or, for odd activations, vanish)."""
        n, samples = self.n, len(self.targets)
        tables = self.plain.differences(box)
        base = [[t.at(tuple(int(k <= j) for k in range(n))) for t in tables] for j in range(n)]
        y = [ball(v) for v in self.targets]
        gram, tops = arb(0), [arb(0)] * n
        for pick in combinations(range(samples), n):
            c = ball(prod((self.weights[i] for i in pick), start=Fraction(1)))
            minor = expanded(_columns(base, pick))
            gram += c * minor**2
            for j in range(n):
                tops[j] += c * minor * expanded(_columns([*base[:j], y, *base[j + 1 :]], pick))
        if not gram > 0:
            return None
        t, out = [ball(*u) for u in box], []
        for g in range(n):
            total = arb(0)
            for j in range(g, n):  # phi[u_1..u_j+1] = sum over g of phi(u_g x) / prod of (u_g - u_l)
                below = arb(1)
                for k in range(j + 1):
                    below *= t[g] - t[k] if k != g else 1
                total += tops[j] / gram / below
            out.append(total)
        return out if all(v.is_finite() for v in out) else None


@dataclass
class Rows:
    """Divided differences at all samples over boxes whose nodes are in the same ``groups``. A row is (group, multiplicities of its nodes).

    With m + 1 nodes t_k = c + z_k around the middle c of the hull of a group and Taylor coefficients h_n there, h[t_0..t_m] is the sum over m <= n < K of h_n S_(n-m)(z), S the
    complete symmetric polynomials, plus C(K, m) h_K(at one point of the hull) (z)^(K-m) (at another): the m-th divided difference of Taylor's remainder is its m-th derivative
    over m!, somewhere.
    """

    minors: Minors
    grid: Grid
    groups: list[tuple[int, int]]
    units: list[Units]
    lo: Array
    hi: Array
    #: the hulls of the groups, which are kept for the middles of boxes; shape (groups, M)
    hull: tuple[Array, Array]
    known: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def over(
        cls, minors: Minors, grid: Grid, groups: list[tuple[int, int]], units: list[Units], lo: Array, hi: Array
    ) -> Rows:
        hull = np.stack([lo[a:b].min(axis=0) for a, b in groups]), np.stack([hi[a:b].max(axis=0) for a, b in groups])
        return cls(minors, grid, groups, units, lo, hi, hull)

    @property
    def base(self) -> list[Row]:
        return [
            (g, tuple(int(k <= j) for k in range(b - a))) for g, (a, b) in enumerate(self.groups) for j in range(b - a)
        ]

    @property
    def extra(self) -> list[Row]:
        return [
            (g, tuple(1 + int(k <= j) for k in range(b - a)))
            for g, (a, b) in enumerate(self.groups)
            for j in range(b - a)
        ]

    def at(self, r: Row) -> list[Batch]:
        """The row at all samples."""
        if r not in self.known:
            a, b = self.groups[r[0]]
            self.known[r] = self._single(r[0], sum(r[1]) - 1) if b - a == 1 else self._several(*r)
        return self.known[r]

    def _single(self, g: int, order: int) -> list[Batch]:
        if g not in self.known:
            k = self.groups[g][0]
            self.known[g] = self.minors.taylor(self.grid, self.units[g], self.lo[k], self.hi[k], 2)
        return [Batch(self.known[g][:, i, order]) for i in range(self.known[g].shape[1])]

    def _several(self, g: int, times: tuple[int, ...]) -> list[Batch]:
        a, b = self.groups[g]
        top = 2 * (b - a) + MORE
        if g not in self.known:
            low, high = self.hull[0][g], self.hull[1][g]
            centre = (low + high) // 2
            at = self.minors.taylor(self.grid, self.units[g], centre, centre, top - 1)
            over = self.minors.taylor(self.grid, self.units[g], low, high, top)
            whole = self._offset(self.units[g], low, high, centre)
            self.known[g] = (
                at,
                over,
                whole,
                [self._offset(self.units[g], self.lo[k], self.hi[k], centre) for k in range(a, b)],
            )
        at, over, whole, offsets = self.known[g]
        m, one = sum(times) - 1, Batch.constant(Fraction(1))
        symmetric = [one] + [Batch.constant(Fraction(0))] * (top - 1 - m)
        for z, n in zip(offsets, times, strict=True):
            for _ in range(n):
                for j in range(1, len(symmetric)):
                    symmetric[j] = symmetric[j] + z * symmetric[j - 1]
        rest = Batch.constant(Fraction(comb(top, m)))
        for _ in range(top - m):
            rest = rest * whole
        return [
            sum_of([*(Batch(at[:, i, m + j]) * s for j, s in enumerate(symmetric)), Batch(over[:, i, top]) * rest])
            for i in range(at.shape[1])
        ]

    def raised(self, r: Row, k: int) -> tuple[int, Row]:
        """The derivative of a row in node k: how often which row."""
        g, times = r
        first, last = self.groups[g]
        if not first <= k < last:
            return 0, r
        return times[k - first], (g, tuple(n + (first + j == k) for j, n in enumerate(times)))

    def of(self, keep: Array) -> Rows:
        hull = self.hull[0][:, keep], self.hull[1][:, keep]
        return Rows(self.minors, self.grid, self.groups, self.units, self.lo[:, keep], self.hi[:, keep], hull)

    def middle(self) -> Rows:
        m = (self.lo + self.hi) // 2
        return Rows(self.minors, self.grid, self.groups, self.units, m, m, self.hull)

    def offset(self, k: int) -> Batch:
        """Node k minus its middle."""
        units = next(u for (a, b), u in zip(self.groups, self.units, strict=True) if a <= k < b)
        return self._offset(units, self.lo[k], self.hi[k], (self.lo[k] + self.hi[k]) // 2)

    def _offset(self, units: Units, lo: Array, hi: Array, m: Array) -> Batch:
        step = Batch.constant(self.grid.step)
        sides = np.stack([(lo - m).astype(np.float64), (hi - m).astype(np.float64)])
        by = Batch(sides) * step  # whole numbers below 2^53
        if not units.halved:
            return by
        start = Batch.constant(self.grid.inside[0])  # u^2 - m^2 = (u - m)(2m + (u - m))
        return by * (Batch.numbers((2 * m).astype(np.float64)) * step + start + start + by)


def determinant(m: Sequence[Sequence[Batch]]) -> Batch:
    """The intersection of the expansions by all rows: nearly parallel rows cancel in some of them only."""
    if len(m) <= 2:
        return expanded(m)
    found = [
        expanded([*m[k:], *m[:k]]).v for k in range(len(m))
    ]  # a cyclic change of an odd number of rows keeps the sign
    turned = [v if len(m) % 2 or k % 2 == 0 else -v[::-1] for k, v in enumerate(found)]
    low, high = turned[0]
    for v in turned[1:]:
        low, high = np.fmax(low, v[0]), np.fmin(high, v[1])
    return Batch(np.stack([low, high]))


def expanded(m: Sequence[Sequence[Any]]) -> Any:
    """By the first row; elimination would need pivots that are not 0."""
    if len(m) == 1:
        return m[0][0]
    if len(m) == 2:
        return m[0][0] * m[1][1] - m[0][1] * m[1][0]
    total = None
    for k, top in enumerate(m[0]):
        minor = top * expanded([[*r[:k], *r[k + 1 :]] for r in m[1:]])
        total = minor if total is None else total - minor if k % 2 else total + minor
    return total


def _columns(m: Sequence[Sequence[Any]], pick: Sequence[int]) -> list[list[Any]]:
    return [[r[i] for i in pick] for r in m]


def _units(n: int, count: int) -> list[list[Array]]:
    return [[np.full(count, i == j, dtype=np.float64) for j in range(n)] for i in range(n)]


def _inverses(slopes: list[list[Batch]]) -> list[list[Array]]:
    """Rows of approximate inverses of the middles; only hints (0 where there is none)."""
    n = len(slopes)
    if n == 1:
        return []
    width = max(s.v.shape[1] for line in slopes for s in line)
    m = np.array([[np.broadcast_to(s.mid, width) for s in line] for line in slopes])
    good = np.isfinite(m).all(axis=(0, 1))
    m = np.where(good, m, np.eye(n)[..., None])
    m = m / (np.abs(m).max(axis=(0, 1)) + ia.TINY)
    bad = np.abs(np.linalg.det(np.moveaxis(m, -1, 0))) < ia.NEARLY_SINGULAR
    m[..., bad] = np.eye(n)[..., None]
    y = np.moveaxis(np.linalg.inv(np.moveaxis(m, -1, 0)), 0, -1)
    return [[y[i, j] for j in range(n)] for i in range(n)]
