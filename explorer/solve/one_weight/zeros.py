"""All zeros of a function of one variable on an interval, from enclosures of the function and of its derivative.

An interval is dropped when the function or its mean value form excludes 0; where the derivative excludes 0 the function is monotone, and
its signs at the ends say whether there is a zero, one. What resists at the smallest width is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of
from explorer.budget import Deadline

PRECISION = 128
NARROWEST = 45  #: intervals below 2^-NARROWEST of the whole are given up
ZERO = Fraction(0)

#: enclosures of the function and of its derivative over a ball
Derivatives = Callable[[arb], tuple[arb, arb]]
#: the sign of the function at a number; None: not decided
Sign = Callable[[Fraction], int | None]


@dataclass
class Zeros:
    """Intervals with one zero each and the sign of the derivative there; ends of the whole at which the sign is not decided; the hull of
    what resisted."""

    found: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    unsure: list[Fraction] = field(default_factory=list)
    left: tuple[Fraction, Fraction] | None = None


def zeros(derivatives: Derivatives, sign: Sign, a: Fraction, b: Fraction, deadline: Deadline) -> Zeros:
    """The zeros strictly between a and b; a zero at an end is not listed."""
    floor, stack, out = (b - a) / 2**NARROWEST, [(a, b)], Zeros()
    left: list[tuple[Fraction, Fraction]] = []
    while stack:
        deadline.check("looking for zeros of the derivative")
        lo, hi = stack.pop()
        middle = (lo + hi) / 2
        with flint.ctx.workprec(PRECISION):
            first, second = derivatives(ball(lo, hi))
            mean = derivatives(ball(middle))[0] + second * (ball(lo, hi) - ball(middle))
        if sign_of(first) or sign_of(mean):
            continue
        if sign_of(second):
            signs = [sign(v) for v in (lo, hi)]
            signs = [None if s == 0 and v not in (a, b) else s for s, v in zip(signs, (lo, hi), strict=True)]
            if None not in signs:
                if signs[0] * signs[1] < 0:  # type: ignore[operator]
                    out.found.append((lo, hi, sign_of(second)))
                continue  # a zero at an end is somebody else's business
            if any(s is None and v in (a, b) for s, v in zip(signs, (lo, hi), strict=True)):
                out.unsure.append(lo if signs[0] is None else hi)
                continue
        if hi - lo < floor:
            left.append((lo, hi))
            continue
        split = middle
        for shift in (ZERO, Fraction(1, 7), Fraction(-1, 11), Fraction(1, 13)):
            split = middle + shift * (hi - lo)
            if sign(split):
                break
        stack += [(lo, split), (split, hi)]
    if left:
        out.left = min(u for u, _ in left), max(v for _, v in left)
    return out


def narrowed(sign: Sign, lo: Fraction, hi: Fraction, rising: int, width: Fraction) -> tuple[Fraction, Fraction]:
    """The interval with one zero, at which the sign changes to ``rising``, halved down to the width where signs allow."""
    while hi - lo > width:
        middle = (lo + hi) / 2
        s = sign(middle)
        if not s:  # very near the zero
            middle += (hi - lo) / 7
            s = sign(middle)
            if not s:
                break
        lo, hi = (middle, hi) if s == -rising else (lo, middle)
    return lo, hi
