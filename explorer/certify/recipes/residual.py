"""Residuals that turn a point into a local minimum: orthogonal to value and slope, positive on curvature.

For a sum of squared errors with residual r = f - y at a point, F(q) - F(p) = 2 <r, f_q - f_p> + |f_q - f_p|^2, so p is a
local minimum of F as soon as it is one of q -> <r, f_q>. A unit v phi(u) adds v <r, phi(u)> to that functional; its Taylor
expansion at u starts with <r, value>, <r, slope>, <r, curvature>/2. Hence the recipe: the first two vanish, the third has the
sign of v. (The idea: Ding, Li, Sun, arXiv 1911.01413; survey of Sun et al. 2020, Proposition IV.2.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm

POOL = 12  #: triples are searched among this many samples


def dual_residual(
    value: Sequence[Fraction], slope: Sequence[Fraction], curvature: Sequence[Fraction], order: Sequence[int]
) -> tuple[Fraction, ...] | None:
    """The shortest integer r with two or three nonzero entries, <r, value> = <r, slope> = 0 < <r, curvature>; None if none.

    ``order`` lists the samples, the preferred ones first: pairs are searched among all, triples among the first `POOL`.
    """
    best: tuple[tuple[int, ...], tuple[Fraction, ...]] | None = None
    supports = [*combinations(order, 2), *combinations(order[:POOL], 3)]
    for support in supports:
        a, b = [value[i] for i in support], [slope[i] for i in support]
        if len(support) == 2:
            weights = [a[1], -a[0]] if a[0] * b[1] == a[1] * b[0] and any(a) else None
        else:
            weights = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        if weights is None or not any(weights):
            continue
        bend = sum((w * curvature[i] for w, i in zip(weights, support, strict=True)), Fraction(0))
        if bend == 0:
            continue
        r = [Fraction(0)] * len(value)
        for w, i in zip(primitive(weights), support, strict=True):
            r[i] = w if bend > 0 else -w
        rank = (max(abs(int(v)) for v in r), *(abs(int(v)) for v in r))
        if best is None or rank < best[0]:
            best = (rank, tuple(r))
    return None if best is None else best[1]


def primitive(weights: Sequence[Fraction]) -> list[Fraction]:
    """The positive multiple of a nonzero rational vector with coprime integer entries."""
    scale = lcm(*(w.denominator for w in weights))
    whole = [int(w * scale) for w in weights]
    common = gcd(*whole)
    return [Fraction(k // common) for k in whole]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
