"""Single paths in numbers of many digits, to the very end: what is left where the machine's numbers stop.

Near data for which solutions go to infinity, every path to those solutions passes large weights whose product stays
bounded: with weights of 10^3 in three layers the gradient cancels 15 digits, and no shorter step brings them back. Here each
path moves alone with midpoints of FLINT's balls, in s = 1 - t from 1 to 0, to exact parameters. A path that does not
reach s = 0 is followed to s = `TINY`: on its way to infinity theta ~ s^-a with a rational a > 0 (Puiseux), which is read
off twice, four decades apart. Nothing is enclosed: end points are certified like all others, exponents are evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from flint import acb, acb_mat, arb, ctx

from explorer.algebra.balls import to_fmpq
from explorer.budget import Deadline
from explorer.homotopy.model import Model
from explorer.homotopy.track import DIVERGED, DONE, FAILED

Array: TypeAlias = Any
BITS = 192
AIM = 1e-6  #: relative size of the first Newton correction
LIMIT = 1e-3  #: the largest one that is accepted
SMALLEST, LARGEST, FIRST = 1e-12, 0.1, 1e-3  #: steps, the smallest in s
ROUNDS = 1500
NODES = 6  #: of the predictor, whose order is twice that
NEWTON, ROUNDING = 7, 1e-30  #: at most so many corrections, down to this relative size
FIRST_LOOK, TINY = 1e-8, 1e-12  #: where exponents are read off
LEAST, SETTLED = 0.05, 0.02  #: the smallest exponent of a path to infinity, and how well two readings agree


@dataclass(frozen=True)
class End:
    """``theta`` (d,): the end point or the last one; ``growth``: the largest exponent a of a path with status DIVERGED."""

    theta: Array
    status: int
    growth: float = 0.0


def follow(model: Model, start: Array, p0: Array, p1: Sequence[Fraction], deadline: Deadline) -> End:
    """The path of the solution ``start`` (d,) over parameters p0 (floats) to the exact parameters p1, on a straight line."""
    with ctx.workprec(BITS), np.errstate(all="ignore"):
        return _follow(_Line(model, p0, p1), start, deadline)


class _Line:
    """The system with parameters p1 + s (p0 - p1)."""

    def __init__(self, model: Model, p0: Array, p1: Sequence[Fraction]) -> None:
        self.model = model
        self.p1 = [acb(to_fmpq(v)) for v in p1]
        self.dp = [acb(complex(a)) - b for a, b in zip(p0, self.p1, strict=True)]

    def newton(self, x: Array, s: float) -> tuple[Array, Array]:
        """Newton's correction at x, and the slope dx/ds there (of the solution, if x is one)."""
        d = self.model.size
        p = [a + s * v for a, v in zip(self.p1, self.dp, strict=True)] if s else self.p1
        out = self.model.move.on_numbers([*x, *p, *self.dp], lambda q: acb(to_fmpq(q)))
        half = d * (d + 1) // 2
        h = [[out[d + int(self.model.square[i, j])] for j in range(d)] for i in range(d)]
        sides = [[out[i], -out[d + half + i]] for i in range(d)]
        solved = acb_mat(h).mid().solve(acb_mat(sides).mid(), nonstop=True, algorithm="approx")
        move, slope = (np.array([solved[i, k].mid() for i in range(d)], dtype=object) for k in (0, 1))
        return move, slope


def _follow(line: _Line, start: Array, deadline: Deadline) -> End:
    x = np.array([acb(complex(v)) for v in start], dtype=object)
    for _ in range(4):  # the start is a float
        x = _middle(x - line.newton(x, 1.0)[0])
    s, step, aim, looked = 1.0, FIRST, AIM, 0.0
    nodes = [(s, x, line.newton(x, s)[1])]
    for _ in range(ROUNDS):
        deadline.check("following a path in long numbers")
        goal = max(s - step, 0.0)
        x = _predicted(nodes, goal)
        sizes: list[float] = []
        while len(sizes) < NEWTON and not (sizes and sizes[-1] < ROUNDING):
            move, slope = line.newton(x, goal)  # the slope belongs to the last x but one: digits enough
            x = _middle(x - move)
            sizes.append(_size(move) / (_size(x) + 1e-3))
            if not sizes[-1] < min(LIMIT, 0.1 * sizes[-2] if sizes[1:] else LIMIT):
                break
        if not sizes[-1] < ROUNDING:
            step *= 0.5
            if step < SMALLEST * s:
                break
            continue
        if goal == 0.0:
            return End(_floats(x), DONE)
        if len(sizes) > 1:  # Newton's iteration squares relative errors below first^2 / second
            aim = min(AIM, 0.03 * sizes[0] ** 2 / sizes[1])
        growth = 0.9 * (aim / max(sizes[0], 1e-300)) ** (0.5 / len(nodes))
        step = min((s - goal) * min(max(growth, 0.2), 3.0), LARGEST)
        nodes = [*nodes[1 - NODES :], (goal, x, slope)]
        if goal <= FIRST_LOOK < s:
            looked = _growth(x, slope, goal)
        s = goal
        if s <= TINY:
            growth = _growth(x, slope, s)
            gone = growth > LEAST and abs(growth - looked) < SETTLED
            return End(_floats(x), DIVERGED if gone else FAILED, growth)
    return End(_floats(nodes[-1][1]), FAILED)


def _predicted(nodes: Sequence[tuple[float, Array, Array]], goal: float) -> Array:
    """Hermite's interpolation polynomial through points and slopes, at ``goal``."""
    times = [arb(s) for s, _, _ in nodes]
    out: Array = 0
    for j, (_, x, slope) in enumerate(nodes):
        weight, tilt = arb(1), arb(0)  # Lagrange's polynomial at the goal, and its slope at its node
        for k, s in enumerate(times):
            if k != j:
                weight *= (goal - s) / (times[j] - s)
                tilt += 1 / (times[j] - s)
        away = goal - times[j]
        square = weight * weight
        out = out + x * acb((1 - 2 * away * tilt) * square) + slope * acb(away * square)
    return _middle(out)


def _growth(x: Array, slope: Array, s: float) -> float:
    """The exponent a of the coordinate that grows fastest, theta ~ s^-a."""
    return max(-complex(v * s / c).real for c, v in zip(x, slope, strict=True) if c != 0)


def _middle(x: Array) -> Array:
    return np.array([v.mid() for v in x], dtype=object)


def _floats(x: Array) -> Array:
    return np.array([complex(v) for v in x])


def _size(x: Array) -> float:
    return float(np.abs(_floats(x)).max())
