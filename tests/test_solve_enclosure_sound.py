"""Enclosures never lose a critical point: against ball arithmetic, and against planted points."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
import numpy as np
import pytest
from enclosure_tools import REGULARISED, TABLE, ridge
from mpmath import mp, mpf

from explorer.algebra.balls import ball
from explorer.budget import Budget
from explorer.problem import Activation, Problem
from explorer.solve.boxes import prune
from explorer.solve.boxes.arrays import Range
from explorer.solve.boxes.balls import AnalyticGradient
from explorer.solve.boxes.enclosure import Region
from explorer.solve.boxes.mirror import moves
from explorer.solve.boxes.points import search
from explorer.solve.boxes.ring import derivative_range
from explorer.solve.boxes.tape import Tape

KINDS = ["tanh", "sigmoid", "softplus", "swish", "gelu", "erf", "sin", "exp", "cubic", "square"]


def random_boxes(rng: Any, size: int, count: int) -> tuple[Any, Any]:
    """Boxes of all sizes, around places of all sizes; some sides are single points."""
    centre = rng.normal(size=(size, count)) * 10.0 ** rng.uniform(-4, 0.6, (1, count))
    half = 10.0 ** rng.uniform(-12, 0, (size, count)) * (rng.random((size, count)) < 0.9)
    return centre - half, centre + half


@pytest.mark.parametrize("kind", KINDS)
def test_enclosures_hold_ball_arithmetic(kind: str) -> None:
    """At corners and inside of 250 boxes for each activation: gradient and Hessian at 128 bits, by another ring of the jet engine."""
    problem = ridge(kind, [1, 2, 1], [1, "-3/7"], ["1/2", "-1/3"], "1/20", bias=kind in ("tanh", "gelu"))
    system, rng = AnalyticGradient(problem), np.random.default_rng(KINDS.index(kind))
    d = len(problem.parameters)
    lo, hi = random_boxes(rng, d, 250)
    g, h = Tape.of(problem).derivatives(lo, hi, order=2)
    assert h is not None
    with flint.ctx.workprec(128):
        for n in range(lo.shape[1]):
            share = rng.random(d) if n % 2 else rng.integers(0, 2, d)  # an inner point, or a corner
            at = [min(max(a + (b - a) * s, a), b) for a, b, s in zip(lo[:, n], hi[:, n], share, strict=True)]
            x = [ball(Fraction(float(v))) for v in at]
            slopes, bends = system.at_balls(x), system.jacobian_at_balls(x)
            for i in range(d):
                assert flint.arb(float(g.lo[i, n])) <= slopes[i] <= flint.arb(float(g.hi[i, n]))
                for j in range(d):
                    assert flint.arb(float(h.lo[i, j, n])) <= bends[i][j] <= flint.arb(float(h.hi[i, j, n]))


def test_enclosures_of_points_are_narrow() -> None:
    """What proves everything is sound, and useless: at single points the ends are at most 1e-11 apart."""
    problem = TABLE["gelu 1-2-1"]
    x = np.random.default_rng(1).normal(size=(4, 100))
    g, h = Tape.of(problem).derivatives(x, x, order=2)
    assert h is not None
    assert (g.hi - g.lo).max() < 1e-11
    assert (h.hi - h.lo).max() < 1e-11


PLANTED: dict[str, Problem] = {
    name: REGULARISED[name] for name in ("tanh two units", "sigmoid bias", "softplus bias", "logistic tanh")
} | {name: TABLE[name] for name in ("swish 1-2-1", "gelu 1-2-1")}


@pytest.mark.parametrize("name", PLANTED)
def test_no_box_around_a_critical_point_is_ever_dropped(name: str) -> None:
    """Boxes of all sizes, with a certified critical point (Krawczyk, ball arithmetic) inside, near a face or in a corner, go through all the
    tests, with no known box to settle them: they come back, and hold the point after their contraction."""
    problem = PLANTED[name]
    where = Region.everywhere(problem)
    found = search(problem, where.lower, where.upper, Budget(60).start()).found
    assert found
    rng, tape, d = np.random.default_rng(3), Tape.of(problem), len(problem.parameters)
    for point in found:
        inner = [(float(a), float(b)) for a, b in zip(point.narrow.lower, point.narrow.upper, strict=True)]
        count = 2400 // len(found)
        size = 10.0 ** rng.uniform(-9, 0.7, (1, count)) * rng.random((d, count))
        share = np.where(rng.random((d, count)) < 0.3, 0, rng.random((d, count)))
        share = np.where(rng.random((d, count)) < 0.3, 1, share)
        lo = np.nextafter(np.array([[a] for a, _ in inner]) - size * share, -np.inf)
        hi = np.nextafter(np.array([[b] for _, b in inner]) + size * (1 - share), np.inf)
        for recorded in (False, True):
            run = prune.Search([], recorded=recorded)
            a, b, node, _ = prune._resisting(problem, tape, run, lo, hi, np.arange(count), where.ball)
            assert node.tolist() == list(range(count))
            assert not run.tokens
            for k, (low, high) in enumerate(zip(point.narrow.lower, point.narrow.upper, strict=True)):
                assert all(Fraction(float(v)) <= high for v in a[k])  # the point is somewhere in its narrow box
                assert all(low <= Fraction(float(v)) for v in b[k])


@pytest.mark.parametrize("name", ["tanh two units", "swish 1-2-1", "gelu 1-2-1"])
def test_symmetries_leave_nothing_out(name: str) -> None:
    """The same points settle everything when no box is called an image: what the symmetries add is all that there is."""
    problem = PLANTED[name]
    where = Region.everywhere(problem)
    deadline = Budget(60).start()
    points = search(problem, where.lower, where.upper, deadline)
    assert points.mirrors
    known = [prune.inner_box(c.wide.lower, c.wide.upper) for c in points.found]
    run = prune.prune(problem, prune.outer_box(where.lower, where.upper), known, deadline, ball=where.ball)
    assert run.undecided == 0
    images = {(c.wide.lower, c.wide.upper) for c in points.found}
    assert all(move.image(*ends) in images for ends in images for move in points.mirrors)


def test_symmetries_of_units() -> None:
    """Signs of odd units, exchanges of units with equal penalties; none that a box or the regularizer breaks."""
    box = (Fraction(-2),) * 4, (Fraction(2),) * 4
    tanh, sigmoid = REGULARISED["tanh two units"], TABLE["sigmoid 1-2-1"]
    assert [(m.first, m.second) for m in moves(tanh, *box)] == [(0, None), (1, None), (0, 1)]
    assert [(m.first, m.second) for m in moves(sigmoid, *box)] == [(0, 1)]
    assert [(m.first, m.second) for m in moves(tanh, (Fraction(-1),) * 4, box[1])] == [(0, 1)]
    uneven = Problem.dense(
        widths=[1, 2, 1], activation="sigmoid", inputs=[1], targets=[1],
        regularizer={"kind": "l2", "weights": ["1", "1", "1", "2"]},
    )  # fmt: skip
    assert not moves(uneven, *box)


DERIVATIVES = {
    "swish": lambda z: [z / (1 + mp.exp(-z)), *_swish_slopes(z)],
    "gelu": lambda z: [z * mp.ncdf(z), mp.ncdf(z) + z * mp.npdf(z), (2 - z * z) * mp.npdf(z)],
    "softplus": lambda z: [mp.log1p(mp.exp(z)), 1 / (1 + mp.exp(-z)), mp.exp(-z) / (1 + mp.exp(-z)) ** 2],
}


def _swish_slopes(z: Any) -> list[Any]:
    s = 1 / (1 + mp.exp(-z))
    return [s + z * s * (1 - s), 2 * s * (1 - s) + z * s * (1 - s) * (1 - 2 * s)]


@pytest.mark.parametrize("kind", DERIVATIVES)
def test_ranges_of_derivatives_hold_mpmath_and_are_sharp(kind: str) -> None:
    """100 intervals of all sizes, 24 points in each at 40 digits, of the value and two derivatives; what the points do not reach is below their spacing."""
    rng = np.random.default_rng(4)
    centre, half = rng.normal(size=100) * 10.0 ** rng.uniform(-3, 1.6, 100), 10.0 ** rng.uniform(-9, 1.2, 100)
    z = Range(centre - half, centre + half)
    known: list[Range] = []
    shared: dict[str, Range] = {}
    for order in range(3):
        known.append(derivative_range(Activation(kind), z, order, lambda k, known=known: known[k], shared))
    with mp.workdps(40):
        for n in range(100):
            share = [0, 1, *rng.random(22)]
            points = sorted(
                mpf(float(z.lo[n])) + (mpf(float(z.hi[n])) - mpf(float(z.lo[n]))) * mpf(float(v)) for v in share
            )
            gap = max(float(b - a) for a, b in pairwise(points))
            rows = [DERIVATIVES[kind](x) for x in points]
            for order, found in enumerate(known):
                values = [row[order] for row in rows]
                assert found.lo[n] <= min(values)
                assert max(values) <= found.hi[n]
                slack = 1.2 * gap + 1e-11 * (1 + abs(float(z.lo[n])) + abs(float(z.hi[n])))
                assert float(min(values)) - slack <= found.lo[n]  # every derivative here is below 1.2
                assert found.hi[n] <= float(max(values)) + slack


def test_extreme_arguments_of_activations() -> None:
    """Far out the values are those of 0 and z, to be held; infinities and nan prove nothing."""
    for kind in ("swish", "gelu", "softplus"):
        for x, below in (
            (-1e308, True),
            (-1e150, True),
            (-800.0, True),
            (800.0, False),
            (1e150, False),
        ):
            z, known, shared = Range(np.array([x]), np.array([x])), [], {}
            with np.errstate(all="ignore"):
                for order in range(3):
                    known.append(derivative_range(Activation(kind), z, order, lambda k, known=known: known[k], shared))
            for order, limit in enumerate((0 if below else x, 0 if below else 1, 0)):
                assert not known[order].lo[0] > limit
                assert not known[order].hi[0] < limit
        with np.errstate(all="ignore"):
            bad = derivative_range(
                Activation(kind), Range(np.array([np.nan]), np.array([np.nan])), 0, lambda k, known=known: known[k], {}
            )
        assert np.isnan(bad.lo[0]) or bad.lo[0] <= 0
