"""Exact probabilities of cones under the standard normal distribution of the plane: angles divided by 2 pi.

The angle between two rational directions is a rational multiple of pi only if it is a multiple of pi/4 (its tangent is
rational: Niven's theorem), so the answer is an exact fraction or a certified ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb, fmpq

Vector = tuple[Fraction, Fraction]


def cone_probability(normals: Sequence[Vector]) -> Fraction | arb:
    """Pr[n.g < 0 for all n in ``normals``], g standard normal in the plane; at least one nonzero normal."""
    if len(normals) == 1:
        return Fraction(1, 2)
    rays = [d for a, b in normals for d in ((-b, a), (b, -a)) if all(p * d[0] + q * d[1] <= 0 for p, q in normals)]
    rays = [d for k, d in enumerate(rays) if not any(_same_direction(d, e) for e in rays[:k])]
    if len(rays) < 2:
        return Fraction(0)
    (a, b), (c, d) = rays[:2]
    dot, cross = a * c + b * d, abs(a * d - b * c)
    if cross == 0:
        return Fraction(1, 2) if dot < 0 and all(_same_direction(normals[0], n) for n in normals) else Fraction(0)
    if dot == 0:
        return Fraction(1, 4)
    if abs(dot) == cross:
        return Fraction(1, 8) if dot > 0 else Fraction(3, 8)
    return arb.atan2(_ball(cross), _ball(dot)) / (2 * arb.pi())


def dead_probability() -> Fraction:
    """Pr[w x + b < 0 on all of [0, 1]] for (w, b) standard normal: the cone b < 0, w + b < 0."""
    found = cone_probability([(Fraction(0), Fraction(1)), (Fraction(1), Fraction(1))])
    assert isinstance(found, Fraction)
    return found


def silent_probability(inputs: Sequence[Fraction]) -> Fraction | arb:
    """Pr[w x + b < 0 at all the scalar inputs] for (w, b) standard normal."""
    return cone_probability([(x, Fraction(1)) for x in inputs])


def _same_direction(a: Vector, b: Vector) -> bool:
    return a[0] * b[1] == a[1] * b[0] and a[0] * b[0] + a[1] * b[1] > 0


def _ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))
