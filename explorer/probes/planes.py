"""A plane through two global minima of a linear two-layer network that holds a parabola of constant loss from one to the other.

theta(s, t) = theta_1 + s (theta_2 - theta_1) + t (p, S), one output, y = V_1 W_1 = V_2 W_2, Delta = theta_2 - theta_1. With
kappa = Delta_V Delta_W, the conditions V_1 S + p W_1 = kappa, Delta_V S + p Delta_W = 0, p S = 0 give
f - y = kappa (s^2 - s + t), which vanishes on the parabola t = s - s^2. They are 3 linear equations per input for the m entries of
a column of S, solvable as soon as V_1, Delta_V and p are independent (m >= 3). With p S = kappa and V_1 S + p W_1 = 0 instead,
the curve is the ellipse s^2 - s + t^2 = 0.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from explorer.errors import Unsupported
from explorer.paths.curves import Leg, PiecewisePath, Terms
from explorer.paths.features import columns
from explorer.point import Point, RationalField
from explorer.probes.flat import rank
from explorer.problem import DenseNetwork, Problem

Row = tuple[Fraction, ...]


def parabola(problem: Problem, a: Point, b: Point) -> PiecewisePath:
    """The path t = s - s^2 in the plane; `Unsupported` for other networks and dependent output weights."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.widths[2] != 1 or any(net.bias):
        raise Unsupported(
            "the network", expected="one linear hidden layer without biases, one output", got="another one"
        )
    if any(x.kind != "linear" for x in (*net.activations, net.output)) or not (a.is_rational and b.is_rational):
        raise Unsupported("the network", expected="linear activations and rational points", got="others")
    d, m, _ = net.widths
    (w1, v1), (w2, v2) = (_split(p, d, m) for p in (a, b))
    dv = tuple(x - y for x, y in zip(v2, v1, strict=True))
    dw = tuple(tuple(x - y for x, y in zip(r, s, strict=True)) for r, s in zip(w2, w1, strict=True))
    p = next((p for p in map(_fractions, product((0, 1, -1), repeat=m)) if rank([v1, dv, p]) == 3), None)
    if p is None:
        raise Unsupported("the output weights", expected="V_1, V_2 independent and m >= 3", got="dependent ones")
    s_columns = []
    for c in range(d):
        own, change = tuple(r[c] for r in w1), tuple(r[c] for r in dw)
        wanted = (_dot(dv, change) - _dot(p, own), -_dot(p, change), Fraction(0))
        s_columns.append(_solve((v1, dv, p), wanted))
    direction = [s_columns[c][j] for j in range(m) for c in range(d)] + list(p)
    start, end = ([c[0] for c in q.coordinates] for q in (a, b))
    piece: list[Terms] = []
    for x, y, t in zip(start, end, direction, strict=True):
        terms = (((x,), (0,)), ((y - x + t,), (1,)), ((-t,), (2,)))
        piece.append(tuple((c, e) for c, e in terms if c[0]))
    ends = (Point(RationalField(), tuple((c[0],) for c in q.coordinates)) for q in (a, b))
    first, last = ends
    return PiecewisePath(first, last, (Leg(tuple(piece), "a parabola in a plane through both points"),), Fraction(0))


def _split(point: Point, d: int, m: int) -> tuple[tuple[Row, ...], Row]:
    values = [c[0] for c in point.coordinates]
    return tuple(tuple(values[j * d : (j + 1) * d]) for j in range(m)), tuple(values[m * d :])


def _solve(rows: tuple[Row, ...], wanted: Row) -> Row:
    """Some x with rows x = wanted, the rows being independent."""
    m = len(rows[0])
    unknowns = [tuple(row[j] for row in rows) for j in range(m)]
    basis, found = columns([*unknowns, wanted], order=range(m + 1))
    x = [Fraction(0)] * m
    for s, c in zip(basis, found[m], strict=True):
        x[s] = c
    return tuple(x)


def _dot(a: Row, b: Row) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _fractions(values: tuple[int, ...]) -> Row:
    return tuple(map(Fraction, values))
