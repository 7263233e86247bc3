"""Writers of certificates about paths and sets: descending, connecting and escaping paths, coercivity, walled basins.

The verbs `escape_path`, `descending_path` and `connect` search (explorer.paths), write the certificate and hand it to the
independent checker; what they return has been accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from explorer.budget import Budget
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import Step, assemble, element_json, number
from explorer.certify.located import Located
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.coordinates import as_point
from explorer.paths.coercive import flat_ray, radii
from explorer.paths.connect import connecting_path
from explorer.paths.curves import EscapeCurve, Piece, PiecewisePath
from explorer.paths.descend import descending_path as find_descent
from explorer.paths.escape import scaling_escape, separating_escape
from explorer.paths.exponential import logarithmic_escape
from explorer.paths.straight import straight_path
from explorer.point import AnyPoint, Field, Point
from explorer.problem import DenseNetwork, Problem

Where = Point | Mapping[str, Any]
FLOOR: Step = {"rule": "floor", "proof": "nonnegative", "value": "0"}


def piece_json(piece: Piece, field: Field) -> list[list[Any]]:
    """The terms of one piece as the format writes them."""
    return [[[element_json(c, field), list(e)] for c, e in sorted(terms, key=lambda t: t[1])] for terms in piece]


def path_step(path: PiecewisePath, name: str, to: str) -> Step:
    """F non-increasing along the path, or F <= level where the path has one."""
    field = path.start.field
    step: Step = {"rule": "path", "point": name, "to": to, "pieces": [piece_json(p, field) for p in path.pieces]}
    return step if path.level is None else step | {"level": number(path.level)}


def escape_step(escape: EscapeCurve, name: str) -> Step:
    """F falls to the limit along the curve, which leads to infinity."""
    return {
        "rule": "escape",
        "point": name,
        "from": number(escape.since),
        "limit": number(escape.limit),
        "path": piece_json(escape.curve, escape.field),
    }


# -- certificates -------------------------------------------------------------------------------------------------------


def descending_certificate(problem: Problem, path: PiecewisePath) -> Certificate:
    """``descending-path``: F never rises along the path, and its end is lower than its start."""
    p, q = (Located(problem, name, point) for name, point in (("p", path.start), ("q", path.end)))
    steps = [p.value_step(), q.value_step(), {"rule": "below", "lower": "q", "upper": "p"}, path_step(path, "p", "q")]
    goal = {"kind": "descending-path", "point": "p", "better": "q"}
    return accepted(assemble(problem, goal, {"p": path.start, "q": path.end}, steps))


def bounded_certificate(problem: Problem, path: PiecewisePath) -> Certificate:
    """``bounded-path``: the ends are joined by a path on which F <= level."""
    goal = {"kind": "bounded-path", "point": "p", "to": "q"}
    return accepted(assemble(problem, goal, {"p": path.start, "q": path.end}, [path_step(path, "p", "q")]))


def escape_certificate(
    problem: Problem, escape: EscapeCurve, better: AnyPoint | None = None, *, goal: str = "escape-path"
) -> Certificate:
    """One of the goals about a path to infinity; ``better`` is the point below the limit that ``escape-path`` needs.

    ``unattained-infimum`` is for the logistic loss, ``infimum-at-infinity`` for a limit 0 of a nonnegative loss, and
    ``not-coercive`` also takes curves on which F is constant.
    """
    points: dict[str, AnyPoint] = {"p": escape.start}
    claim: dict[str, Any] = {"kind": goal, "point": "p"}
    steps = [escape_step(escape, "p")]
    if goal == "escape-path":
        if better is None:
            raise NotCertifiable("escape-path", expected="a point with a value below the limit", got="none")
        q = Located(problem, "q", better)
        points["q"], claim["better"] = better, "q"
        steps.append(q.value_step())
    if goal == "infimum-at-infinity":
        steps.append(FLOOR)
    return accepted(assemble(problem, claim, points, steps))


def coercive_certificate(problem: Problem, level: Fraction, bounds: Sequence[Fraction]) -> Certificate:
    """``coercive``: F <= level implies |theta_k| <= bounds_k, and F tends to infinity."""
    step: Step = {"rule": "coercive", "level": number(level), "bounds": [number(b) for b in bounds]}
    return accepted(assemble(problem, {"kind": "coercive"}, {}, [step]))


def basin_certificate(
    problem: Problem,
    point: Point,
    better: AnyPoint,
    *,
    level: Fraction,
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    cuts: Sequence[int],
) -> Certificate:
    """``spurious-basin``: the component of ``point`` in {F <= level} lies in the box, where F stays above F(better)."""
    steps = [Located(problem, name, at).value_step() for name, at in (("p", point), ("q", better))]
    box = {"lower": [number(v) for v in lower], "upper": [number(v) for v in upper]}
    steps.append({"rule": "basin", "point": "p", "level": number(level), **box, "cuts": list(cuts)})
    goal = {"kind": "spurious-basin", "point": "p", "better": "q"}
    return accepted(assemble(problem, goal, {"p": point, "q": better}, steps))


def barrier_certificate(
    problem: Problem,
    a: Point,
    b: Point,
    *,
    level: Fraction,
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    cuts: Sequence[int],
) -> Certificate:
    """``barrier``: a box around ``a`` with F > level on its boundary and ``b`` outside; every path between them rises above."""
    box = {"lower": [number(v) for v in lower], "upper": [number(v) for v in upper]}
    wall: Step = {"rule": "basin", "point": "p", "level": number(level), **box, "cuts": list(cuts)}
    goal = {"kind": "barrier", "point": "p", "to": "q"}
    steps = [Located(problem, "p", a).value_step(), wall]
    return accepted(assemble(problem, goal, {"p": a, "q": b}, steps))


# -- verbs --------------------------------------------------------------------------------------------------------------


def descend(problem: Problem, at: Where, *, budget: Budget | None = None) -> Certificate:
    """A certified path from ``at`` along which F never rises, to a point with a lower value.

    For one-hidden-layer networks with the squared loss; errors as in `explorer.paths.descend.descending_path`.
    """
    return descending_certificate(problem, find_descent(problem, as_point(at, problem), budget=budget))


def connect(problem: Problem, a: Where, b: Where, *, budget: Budget | None = None) -> Certificate:
    """A certified path from ``a`` to ``b`` with the level that F does not exceed on it.

    One hidden layer with a spare unit, squared loss: the level is the larger of F(a) and F(b), so between two global
    minima F is constant. Elsewhere, for polynomial losses: the segment, with a level just above its maximum; a lower path may
    exist then. Errors as in `explorer.paths.connect.connecting_path`.
    """
    p, q = as_point(a, problem), as_point(b, problem)
    try:
        path = connecting_path(problem, p, q, budget=budget)
    except Unsupported as refusal:
        try:
            path = straight_path(problem, p, q)
        except Unsupported:
            raise refusal from None
    return bounded_certificate(problem, path)


def coercivity(problem: Problem, *, level: Fraction | None = None) -> Certificate:
    """Whether F is coercive: a certificate of ``coercive`` with radii for the sublevel set {F <= level}, or of ``not-coercive``.

    ``level`` is F(0), rounded up where it is no positive rational number, unless given. Coercive: the regularizer holds every parameter. Not: a ray on which F
    stands still. Raises `Unsupported` where neither is seen.
    """
    if level is None:
        origin = Located(problem, "p", Point.rational([0] * len(problem.parameters)))
        exact = origin.value[0] if origin.value is not None and not any(origin.value[1:]) else None
        level = exact or Fraction(ceil(max(origin.bounds[1], Fraction(1))))
    bounds = radii(problem, level)
    if bounds is not None:
        return coercive_certificate(problem, level, bounds)
    return escape_certificate(problem, flat_ray(problem), goal="not-coercive")


def escape_path(problem: Problem, *, seed: int = 0, budget: Budget | None = None) -> Certificate:
    """A certified path to infinity along which F decreases strictly, or a certificate that F is coercive, so that there is none.

    Networks with polynomial losses: theta_k = c_k t^a_k (goal ``escape-path``, or ``infimum-at-infinity`` where the limit is
    0); logistic losses of separable data: ``unattained-infimum``; exponential units: incoming weights in multiples of ln t.
    Raises `Unsupported` or `NotCertifiable` when the search knows no answer.
    """
    if problem.regularizer is not None and (bounds := radii(problem, Fraction(1))) is not None:
        return coercive_certificate(problem, Fraction(1), bounds)
    if problem.loss is not None and problem.loss.kind == "logistic":
        found = separating_escape(problem, seed=seed, budget=budget)
        return escape_certificate(problem, found, goal="unattained-infimum")
    net = problem.network
    if isinstance(net, DenseNetwork) and "exp" in {a.kind for a in net.activations}:
        curve, better = logarithmic_escape(problem, budget=budget), None
    else:
        escape = scaling_escape(problem, seed=seed, budget=budget)
        curve, better = escape.curve, escape.better
    if better is None and curve.limit == 0 and isinstance(net, DenseNetwork):
        return escape_certificate(problem, curve, goal="infimum-at-infinity")
    if better is None:
        raise NotCertifiable(
            "escape",
            expected=f"a point below the limit {curve.limit} of the path that was found",
            got="none on the grid",
            remedy="the limit may be the infimum; no goal of the format says so unless it is 0",
        )
    return escape_certificate(problem, curve, better)
