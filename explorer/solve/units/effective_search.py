"""Effective networks in an interval of incoming weights: units u_1, ..., u_n at which psi vanishes doubly, for all output weights at once.

psi(u) = sum_i c_i r_i phi(u x_i) with the residual r = f - y of the network with units u_1 < ... < u_n and output weights V (F = sum c_i r_i^2). A critical point
with all V_g != 0 has psi(u_g) = psi'(u_g) = 0. In each group of neighbouring units, with the nodes t of `confluent` (t = u, or u^2 >= 0 for odd activations), these
are the 2m divided differences psi[t_1], psi[t_1, t_2], ..., psi[t_1..t_m], psi[t_1..t_m, t_1], ..., psi[t_1..t_m, t_1..t_m] = 0, which do not all become one
equation where nodes come together. Of all 2n rows R_j (divided differences of h at the samples) the first n, with simple nodes, say that V is the least squares
solution, so V is no unknown. With g_i = c_i r_i and N samples:

- N <= n: all rows vanish on g; where N of them are independent, r = 0.
- N = n + 1: g is a multiple of the one direction across R_1, ..., R_n, so r != 0 requires D_j = det(R_1, ..., R_n, R_j) = 0 for n < j <= 2n.
- N > n + 1: Gram(R_1..R_n) times R_j psi is -sum over I of c_I det(R_1, ..., R_n, y)_I det(R_1, ..., R_n, R_j)_I over all I of n + 1 samples
  (Cauchy and Binet; c_I is the product of c_i). So this sum vanishes.

Boxes of (u_1 <= ... <= u_n) are halved until one of these expressions, or a combination of their mean value forms in the nodes, misses 0, or (u, V(u)) lies in
a box that Krawczyk's test gives to one critical point of the network with n units. V(u) by Cramer's rule from the same minors. What is left is a doubt.
(For N <= n + 1 exact fits, r = 0, are not looked for.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import flint
import numpy as np

from explorer.algebra.balls import bounds
from explorer.budget import Deadline
from explorer.problem import Problem
from explorer.solve.boxes.arrays import Array
from explorer.solve.boxes.interval_batch import floats
from explorer.solve.boxes.points import Certified, Points, limits_of_newton
from explorer.solve.units.confluent import Interval
from explorer.solve.units.effective import narrowed, targets
from explorer.solve.units.effective_minors import Grid, Minors, both

PRECISION = 128
STARTS = 256
LARGEST = 2**12  #: output weights of proposals are cut here; this only affects what is found at first
FINEST = (8, 10, 12, 30)  #: boxes of a 2^-k-th of the interval wait, and Newton's method starts again from some of them
OFFERED = 64
MOST_BOXES = 2_000_000
MOST_WAITING = 20_000
BATCH = 4096
ATTEMPTS = 12  #: limits of Newton's method that may turn out to be on a family, or double
ALIKE = np.ldexp(1, -16)


@dataclass
class Places:
    """Certified critical points with n different units, u_1 < ... < u_n (all > 0 for odd activations)."""

    units: int
    problem: Problem
    found: list[Certified] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    boxes: int = 0


def effective_places(problem: Problem, n: int, inside: Interval, deadline: Deadline) -> Places:
    """All of them with a residual and incoming weights in the interval ``inside`` (nonnegative for odd activations)."""
    narrow = narrowed(problem, n)
    out = Places(n, narrow)
    plain, halved = both(problem)
    minors = Minors(plain, halved, *targets(problem), n)
    grid = Grid(inside)
    limit, reach = Fraction(LARGEST), Fraction(1) + max(abs(v) for v in inside)
    points = Points(narrow, (-reach,) * n + (-limit,) * n, (reach,) * n + (limit,) * n, deadline)
    first, last = floats(inside)
    random = first + (last - first) * np.random.default_rng(0).random((n, STARTS))
    with flint.ctx.workprec(PRECISION):
        _propose(points, minors, random, deadline)
        lo, hi = grid.whole(n)
        for finest in FINEST:
            lo, hi = _explored(minors, grid, points.found, lo, hi, finest, out, deadline)
            if not lo.shape[1] or lo.shape[1] > MOST_WAITING:
                break
            pick = slice(None, None, 1 + lo.shape[1] // OFFERED)
            _propose(points, minors, grid.floats((lo[:, pick] + hi[:, pick]) // 2), deadline)
        if lo.shape[1]:
            lows, highs = (floats(grid.fraction(k) for k in side.tolist()) for side in (lo.min(axis=1), hi.max(axis=1)))
            where = " x ".join(f"[{a:.6g}, {b:.6g}]" for a, b in zip(lows, highs, strict=True))
            out.doubts.append(
                f"whether {n} different unit{'s' * (n > 1)} share a residual is not decided in {lo.shape[1]} boxes of incoming weights in {where}"
            )
    out.found = [p for p in points.found if _ordered(p, n, odd=halved is not None)]
    return out


def _explored(
    minors: Minors,
    grid: Grid,
    found: Sequence[Certified],
    lo: Array,
    hi: Array,
    finest: int,
    out: Places,
    deadline: Deadline,
) -> tuple[Array, Array]:
    """The boxes that are neither excluded nor settled at 2^-finest of the interval."""
    stack, waiting = [(lo, hi)], [(lo[:, :0], hi[:, :0])]
    least = grid.size >> finest
    while stack:
        deadline.check("looking for effective networks")
        lo, hi = stack.pop()
        if lo.shape[1] > BATCH:
            stack.append((lo[:, BATCH:], hi[:, BATCH:]))
            lo, hi = lo[:, :BATCH], hi[:, :BATCH]
        left = (lo[:-1] <= hi[1:]).all(axis=0)  # the others hold the same units in another order
        lo, hi = lo[:, left], hi[:, left]
        out.boxes += lo.shape[1]
        left = ~minors.exclude(grid, lo, hi)
        lo, hi = lo[:, left], hi[:, left]
        left = ~_settled(minors, grid, found, lo, hi)
        lo, hi = lo[:, left], hi[:, left]
        if not lo.shape[1]:
            continue
        small = ((hi - lo) <= least).all(axis=0) | (out.boxes > MOST_BOXES)
        waiting.append((lo[:, small], hi[:, small]))
        lo, hi = lo[:, ~small], hi[:, ~small]
        axis = (hi - lo).argmax(axis=0)
        pick = (axis, np.arange(lo.shape[1]))
        first, second = hi.copy(), lo.copy()
        first[pick] = second[pick] = (lo[pick] + hi[pick]) // 2
        stack += [(np.concatenate([lo, second], axis=1), np.concatenate([first, hi], axis=1))]
    return tuple(np.concatenate(part, axis=1) for part in zip(*waiting, strict=True))  # type: ignore[return-value]


def _settled(minors: Minors, grid: Grid, found: Sequence[Certified], lo: Array, hi: Array) -> Array:
    """Whether (u, V(u)) lies in the box of one certified critical point for all u of a box."""
    n = len(lo)
    out = np.zeros(lo.shape[1], dtype=bool)
    for p in found:
        a, b = p.wide.lower, p.wide.upper
        near = ~out
        for k in range(n):
            near &= (lo[k] >= grid.above(a[k])) & (hi[k] <= grid.below(b[k]))
        for m in np.flatnonzero(near).tolist():
            outputs = minors.outputs([grid.interval(lo[k, m], hi[k, m]) for k in range(n)])
            if outputs is not None:
                ends = [bounds(v) for v in outputs]
                out[m] = all(a[n + k] <= ends[k][0] and ends[k][1] <= b[n + k] for k in range(n))
    return out


def _propose(points: Points, minors: Minors, u: Array, deadline: Deadline) -> None:
    """Certify limits of Newton's method from these incoming weights (shape (n, count)) with their best output weights."""
    starts = []
    for column in u.T:
        at = [(Fraction(v), Fraction(v)) for v in sorted(column.tolist())]
        outputs = minors.outputs(at) if len(minors.targets) > minors.n else None  # else there is none with a residual
        if outputs is not None:
            starts.append(floats([*(a for a, _ in at), *outputs]))
    if not starts:
        return
    x = np.array(starts).T
    lo, hi = floats(points.lower), floats(points.upper)
    tried = 0
    for near in limits_of_newton(points.tape, x, lo, hi, deadline):
        deadline.check("certifying effective networks")
        if tried > ATTEMPTS or _degenerate(near, minors.n):
            continue
        known = (p.wide for p in points.found)
        if not any(all(a <= v <= b for a, v, b in zip(k.lower, near, k.upper, strict=True)) for k in known):
            tried += not points.propose(near)


def _degenerate(near: Array, n: int) -> bool:
    """Whether units look equal, opposite or switched off: such limits lie on families, and no test of Krawczyk's passes."""
    u, v = near[:n], near[n:]
    apart = [abs(abs(a) - abs(b)) for k, a in enumerate(u) for b in u[:k]]
    return n > 1 and min([*apart, *np.abs(v)]) < ALIKE


def _ordered(p: Certified, n: int, *, odd: bool) -> bool:
    at = [(p.narrow.lower[k], p.narrow.upper[k]) for k in range(n)]
    return all(a[1] < b[0] for a, b in pairwise(at)) and (not odd or at[0][0] > 0)
