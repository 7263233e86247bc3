"""Strict minima by strong convexity on a small ball: rule ``minimum-in-ball``.

The Hessian, its error over the ball and the gradient come from the checker's own kernels, the claimed modulus from
floating-point eigenvalues. Nothing here is a proof: the checker recomputes all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from explorer import checker
from explorer.certify.encode import Step, number
from explorer.errors import NotCertifiable
from explorer.point import BallPoint
from explorer.problem import Problem
from explorer.propose.definite import CLAIM, least_eigenvalue, newton, symmetric

RADIUS = Fraction(1, 2**36)  #: of a ball, where nothing else is asked for
PLACES = 80  #: binary places of a centre


@lru_cache(maxsize=4)
def _read(problem: Problem) -> Any:
    return checker.Problem(problem.to_json())


@lru_cache(maxsize=2)
def around(
    problem: Problem, centre: tuple[Fraction, ...], radius: Fraction
) -> tuple[Any, Any, list[Fraction], tuple[Any, int]]:
    """(ring, enclosure of F, middles of the gradient, (Hessian, slack)) at a centre, as the checker sees them."""
    ring = checker.Intervals(checker.Meter(10**12))
    try:
        value, gradient, matrix = checker.around(_read(problem), list(centre), radius, ring)
    except checker.Rejected as error:
        raise NotCertifiable("ball", expected="a Hessian over the ball", got=error.why) from None
    return ring, value, [sum(ring.ends(g)) / 2 for g in gradient], matrix


def ball_step(problem: Problem, name: str, ball: BallPoint) -> Step:
    """The step that proves the ball; `NotCertifiable` where the Hessian is not definite enough over it."""
    _, _, gradient, (rows, slack) = around(problem, ball.centre, ball.radius)
    least = least_eigenvalue(symmetric(rows, checker.ULP))
    if not least > 0:
        raise NotCertifiable(f"ball {name}", expected="a positive definite Hessian", got="another one")
    modulus = short_below(CLAIM * (Fraction(least) - Fraction(slack, checker.ULP)))
    if modulus <= 0 or sum(g * g for g in gradient) >= (modulus * ball.radius) ** 2:
        raise NotCertifiable(
            f"ball {name}",
            expected="a gradient shorter than radius times least eigenvalue",
            got="a ball that is too wide" if modulus <= 0 else "a longer one",
            remedy="give another radius, or a centre nearer to the minimum",
        )
    return {"rule": "minimum-in-ball", "point": name, "modulus": number(modulus)}


def short_below(value: Fraction) -> Fraction:
    """A dyadic number of twelve digits, not above ``value``."""
    unit = Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() - 12)
    return value // unit * unit


def ball_bounds(problem: Problem, ball: BallPoint, modulus: Fraction) -> tuple[Fraction, Fraction]:
    """F(c) - |g|^2/(2 modulus) <= F(p) <= F(c), a little wider."""
    ring, value, gradient, _ = around(problem, ball.centre, ball.radius)
    low, high = ring.ends(value)
    return low - sum(g * g for g in gradient) / modulus - Fraction(1, 2**200), high + Fraction(1, 2**200)


def value_bounds(problem: Problem, at: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """F at a rational point of a student-teacher problem, enclosed."""
    ring = checker.Intervals(checker.Meter(10**12))
    low, high = ring.ends(checker.StudentTeacher(ring, _read(problem), list(at)).value())
    return low, high


def polished(problem: Problem, start: Sequence[Fraction], *, radius: Fraction = RADIUS, steps: int = 8) -> BallPoint:
    """A ball of that radius around a point where Newton's method from ``start`` came to rest; not yet a proof."""
    centre = rounded(start)
    for _ in range(steps):
        _, _, gradient, (rows, _) = around(problem, centre, radius)
        if sum(g * g for g in gradient) < (radius / 2**14) ** 2:
            break
        move = newton(rows, checker.ULP, gradient)
        if move is None:
            break
        centre = rounded(tuple(c + m for c, m in zip(centre, move, strict=True)))
    return BallPoint.around(centre, radius)


def centred(problem: Problem, start: Iterable[float]) -> BallPoint:
    """A ball around the end of a descent: as wide as leaves half of the least eigenvalue, but never wider than 2^-24."""
    radius, at = Fraction(1, 2**24), [Fraction(v) for v in start]
    for _ in range(4):
        ball = polished(problem, at, radius=radius)
        _, _, _, (rows, slack) = around(problem, ball.centre, radius)
        least = least_eigenvalue(symmetric(rows, checker.ULP))
        if 2 * Fraction(slack, checker.ULP) < Fraction(least):
            return ball
        at, radius = list(ball.centre), radius / 2**8
    return ball


def rounded(values: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The nearest multiples of 2^-PLACES."""
    return tuple(Fraction(round(v * 2**PLACES), 2**PLACES) for v in values)
