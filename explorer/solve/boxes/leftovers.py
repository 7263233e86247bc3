"""What branch and prune could not decide: whether it is near critical points at all, in how few hulls, and of which likely dimension.

Nothing here is a proof and nothing is dropped: samples tell the search whether further cutting is hopeless, and the hulls that are shown
hold all undecided boxes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from explorer.solve.boxes.arrays import Array
from explorer.solve.boxes.tape import Tape

SAMPLES, STEPS = 256, 10
FEW = 24  #: so many different limits or fewer are single points, not a family
NEAR = 4  #: limits that are so many widths of a box away, or nearer, belong to it
MOST_CELLS = 400
NULL = np.ldexp(
    1, -12
)  #: eigenvalues that are smaller than this share of what is usual in the whole box count as 0 in a guess


@dataclass(frozen=True)
class Cluster:
    """The hull of touching undecided boxes, and the nullity of the Hessian nearby, from floats (None: no critical point was seen nearby)."""

    lower: Array
    upper: Array
    boxes: int
    nullity: int | None

    def shown(self) -> str:
        place = " x ".join(f"[{a:.4g}, {b:.4g}]" for a, b in zip(self.lower, self.upper, strict=True))
        guess = (
            "no critical point was seen nearby"
            if self.nullity is None
            else "the Hessian is regular nearby"
            if self.nullity == 0
            else f"numerically a Hessian of nullity {self.nullity}"
        )
        return f"{place} ({self.boxes} box{'es' if self.boxes != 1 else ''}; {guess})"

    def simplest(self) -> tuple[Fraction, ...]:
        """The rational point of the hull with the smallest denominators."""
        return tuple(
            simplest_between(Fraction(a), Fraction(b))
            for a, b in zip(self.lower.tolist(), self.upper.tolist(), strict=True)
        )


def simplest_between(a: Fraction, b: Fraction) -> Fraction:
    """The fraction in [a, b] with the smallest denominator (Stern and Brocot), 0 if it is there."""
    if a <= 0 <= b:
        return Fraction(0)
    if b < 0:
        return -simplest_between(-b, -a)
    whole = -(-a.numerator // a.denominator)
    return Fraction(whole) if whole <= b else whole - 1 + 1 / simplest_between(1 / (b - whole + 1), 1 / (a - whole + 1))


def hopeless(tape: Tape, lo: Array, hi: Array, size: Array) -> bool:
    """Whether a sample of the boxes looks like the neighbourhood of a family of critical points: most middles have one within a few widths,
    by the method of Gauss and Newton, and these are many different ones. ``size``: the half-widths of the whole box."""
    ends, _ = _limits(tape, lo, hi, usual(tape, size))
    near = ~np.isnan(ends).any(axis=0)
    if 2 * near.sum() < near.size:
        return False
    cells = np.floor(ends[:, near] / (hi - lo).max(axis=1, keepdims=True))
    return bool(np.unique(cells, axis=1).shape[1] > FEW)


def usual(tape: Tape, size: Array) -> Array:
    """The median size of Hessians at random points of [-size, size]."""
    x = size.reshape(-1, 1) * np.random.default_rng(0).uniform(-1, 1, (size.size, SAMPLES))
    _, h = tape.derivatives(x, x, order=2)
    assert h is not None
    return np.median(np.nan_to_num(np.abs(h.mid).max(axis=(0, 1))))


def _limits(tape: Tape, lo: Array, hi: Array, scale: Array) -> tuple[Array, Array]:
    """Critical points that floats see near a sample of the boxes (nan: none), and the nullities of the Hessian there."""
    pick = np.unique(np.linspace(0, lo.shape[1] - 1, min(SAMPLES, lo.shape[1])).astype(np.int64))
    start, width = (lo[:, pick] + hi[:, pick]) / 2, hi[:, pick] - lo[:, pick]
    x = start
    with np.errstate(all="ignore"):
        for step in range(STEPS + 1):
            g, h = tape.derivatives(x, x, order=2)
            assert h is not None
            slope, matrix = np.nan_to_num(np.moveaxis(g.mid, -1, 0)), np.nan_to_num(np.moveaxis(h.mid, -1, 0))
            values, vectors = np.linalg.eigh(matrix)
            small = np.abs(values) <= scale * NULL
            if step == STEPS:
                break
            along = (vectors.transpose(0, 2, 1) @ slope[..., None])[..., 0]
            move = (vectors @ np.where(small, 0, along / values)[..., None])[..., 0].T
            x = x - np.clip(np.nan_to_num(move), -NEAR * width, NEAR * width)
        # the gradient is smaller than its change across a thousandth of a box
        still = np.abs(slope).max(axis=1) <= scale * np.ldexp(width.min(axis=0), -10) + np.ldexp(scale, -40)
        near = still & (np.abs(x - start) <= NEAR * width).all(axis=0)
    return np.where(near, x, np.nan), small.sum(axis=1)


def clusters(tape: Tape, lo: Array, hi: Array, size: Array) -> list[Cluster]:
    """Hulls of the boxes (shape (d, N)) that touch each other, the largest group first. ``size``: the half-widths of the whole box."""
    if not lo.shape[1]:
        return []
    cell = (hi - lo).max(axis=1, keepdims=True)
    cell = np.where(cell > 0, cell, 1)
    middle, scale = (lo + hi) / 2, usual(tape, size)
    while True:  # boxes in one cell, or in neighbouring ones, are one group
        places, of = np.unique(np.floor(middle / cell).astype(np.int64), axis=1, return_inverse=True)
        if places.shape[1] <= MOST_CELLS:
            break
        cell = cell * 2
    of = of.reshape(-1)
    out = []
    for group in _connected([tuple(c) for c in places.T.tolist()]):
        inside = np.isin(of, group)
        a, b = lo[:, inside], hi[:, inside]
        ends, nullities = _limits(tape, a, b, scale)
        seen = ~np.isnan(ends).any(axis=0)
        nullity = int(np.median(nullities[seen])) if seen.any() else None
        out.append(Cluster(a.min(axis=1), b.max(axis=1), int(inside.sum()), nullity))
    return sorted(out, key=lambda c: (-c.boxes, c.lower.tolist()))


def _connected(cells: list[tuple[int, ...]]) -> Iterable[list[int]]:
    number = {c: k for k, c in enumerate(cells)}
    left = dict.fromkeys(number)
    while left:
        stack = [next(iter(left))]
        del left[stack[0]]
        group = []
        while stack:
            c = stack.pop()
            group.append(number[c])
            for other in [o for o in left if all(-1 <= x - y <= 1 for x, y in zip(o, c, strict=True))]:
                del left[other]
                stack.append(other)
        yield sorted(group)
