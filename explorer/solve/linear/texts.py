"""Orbits of critical points of linear networks in words and as equations in the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from explorer.algebra.exactify import enclosure_of
from explorer.exact import text
from explorer.point import AnyPoint, Point
from explorer.problem import Problem
from explorer.solve.linear.slices import places, widths_of

#: longer sums are not written out
MAX_PATHS = 16
#: irrational entries of the product are given between multiples of 2^-BITS
BITS = 40


def described(widths: Sequence[int], rank: int) -> str:
    """The orbit of a point of this rank: frames of ``rank`` orthonormal vectors in every hidden layer."""
    hidden = widths[1:-1]
    pieces = 2 ** sum(n == rank for n in hidden)
    dimension = sum(n * rank - rank * (rank + 1) // 2 for n in hidden)
    frames = " x ".join(f"frames of {rank} in R^{n}" if rank > 1 else f"S^{n - 1}" for n in hidden)
    return (
        f"rank {rank}, {frames}: a compact manifold of dimension {dimension}, {'connected' if pieces == 1 else f'{pieces} connected pieces'}; "
        "the units of every hidden layer turned by an orthogonal matrix; product, value and inertia are the same on all of it"
    )


def equations(problem: Problem, sample: AnyPoint) -> tuple[str, ...]:
    """The product of the layers, which is the sample's, and the balance of neighbouring layers: together they cut out the orbit."""
    widths, names = widths_of(problem), problem.parameters
    at = places(widths)
    depth = len(widths) - 1
    paths = 1
    for n in widths[1:-1]:
        paths *= n
    if paths > MAX_PATHS:
        return ()
    box = enclosure_of(sample) if isinstance(sample, Point) else tuple(zip(sample.lower, sample.upper, strict=True))
    out = []
    for i, j in product(range(widths[-1]), range(widths[0])):
        terms = []
        low = high = Fraction(0)
        for inner in product(*(range(n) for n in widths[1:-1])):
            units = (j, *inner, i)
            used = [at[h, units[h + 1], units[h]] for h in range(depth)]
            terms.append("*".join(names[k] for k in used))
            ends = (Fraction(1), Fraction(1))
            for k in used:
                corners = [a * b for a in ends for b in box[k]]
                ends = min(corners), max(corners)
            low, high = low + ends[0], high + ends[1]
        form = " + ".join(terms)
        if low == high:
            out.append(f"{form} = {text(low)}")
        else:
            below, above = (Fraction(round(b * 2**BITS) + way, 2**BITS) for b, way in ((low, -1), (high, 1)))
            out += [f"{form} > {text(below)}", f"{form} < {text(above)}"]
    for h in range(depth - 1):
        for k in range(widths[h + 1]):
            for m in range(k, widths[h + 1]):
                left = [f"{names[at[h, k, j]]}*{names[at[h, m, j]]}" for j in range(widths[h])]
                right = [f"{names[at[h + 1, i, k]]}*{names[at[h + 1, i, m]]}" for i in range(widths[h + 2])]
                out.append(f"{' + '.join(left)} - {' - '.join(right)} = 0")
    return tuple(out)
