"""Certificates of all critical points: an a-priori radius, a tree of boxes that covers it, and a box around every point.

`explorer.solve.boxes.enclosure` proposes points and tree in outward rounded floats; the checker re-proves every leaf in integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from explorer.budget import Budget, Deadline
from explorer.certify.certificate import Certificate
from explorer.certify.encode import Step, assemble, number, point_json
from explorer.certify.located import Located
from explorer.certify.trees import Leaves, accepted_tree
from explorer.errors import Invalid, NotCertifiable
from explorer.exact import text
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.boxes.enclosure import Region, explore
from explorer.solve.boxes.points import WIDEST, Points, search
from explorer.solve.boxes.prune import Search, preorder

MAX_LEAVES = 100_000
SHARP = 14  #: half-widths 2^-SHARP of the boxes of points whose values are compared


def complete_certificate(problem: Problem, goal: str, *, at: Any = None, budget: Budget | None = None) -> Certificate:
    """How many critical points F has, and of which index: everywhere, or in the box ``at``. Not yet checked.

    `NotCertifiable` when something stays undecided or the tree grows too large, `Unsupported` without a radius.
    """
    deadline = (budget or Budget()).start()
    boxed = goal == "critical-points-in-box"
    if boxed != isinstance(at, EnclosedPoint) or (at is not None and not boxed):
        raise Invalid("point", expected='a box {"lower": [...], "upper": [...]}' if boxed else "none", got="another")
    where = Region.of(problem, at.lower, at.upper) if boxed else Region.everywhere(problem, certified=True)
    lowest = goal == "minimum-value"  # small boxes, over which values are sharp
    found, run = _explored(problem, where, deadline, widest=SHARP if lowest else WIDEST)
    points = [c.wide for c in found.found]
    names = [f"p{k:02d}" for k in range(len(points))]
    leaves = [*(["origin"] if found.origin is not None else []), *names]
    steps: list[Step] = []
    for name, point in zip(names, points, strict=True):
        at = Located(problem, name, point)
        steps += [*at.stationary_steps(), at.value_step()] if lowest else at.inertia_steps()[1]
    if lowest:
        low = min(Fraction(s["lower"]) for s in steps if s["rule"] == "value")
        steps.append({"rule": "floor", "proof": "critical-points", "value": number(low)})
    step: Step = {
        "rule": "complete-in-box",
        "lower": [number(v) for v in where.lower],
        "upper": [number(v) for v in where.upper],
        "points": names,
        "tree": [],
    }
    radius: Step | None = None
    steps.append(step)
    if where.ball is not None:
        radius = {"rule": "radius", "bounds": [number(v) for v in where.ball.bounds]}
        steps += [radius, {"rule": "complete"}]
    named = dict(zip(names, points, strict=True))

    def tokens(run: Search) -> list[Any]:
        _no_rest(run)
        return [leaves[int(t[1:])] if isinstance(t, str) and t[0] == "#" else t for t in preorder(run)]

    def further(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> list[Any]:
        part = Region(tuple(lower), tuple(upper), where.ball)
        return tokens(explore(problem, part, found, deadline, tree=True, discover=False))

    checked = Leaves(problem, {name: point_json(p) for name, p in named.items()}, step, radius)
    step["tree"] = accepted_tree(checked, tokens(run), further, deadline, most=2 * MAX_LEAVES)
    return assemble(problem, {"kind": goal, "points": names}, named, steps)


def _explored(problem: Problem, where: Region, deadline: Deadline, *, widest: int) -> tuple[Points, Search]:
    points = search(
        problem, where.lower, where.upper, deadline, accept=lambda wide: _passes(problem, wide), widest=widest
    )
    if points.singular:
        raise NotCertifiable(
            "all critical points",
            expected="nondegenerate critical points",
            got=f"a degenerate one at {_shown(points.singular[0].places[0])}",
            remedy="explorer solve lists it (computed, not verified); try a box without it",
        )
    run = explore(problem, where, points, deadline, tree=True)
    return points, run


def _shown(at: Sequence[Fraction]) -> str:
    return f"({', '.join(text(v) for v in at)})"


def _no_rest(run: Search) -> None:
    if run.undecided:
        raise NotCertifiable(
            "all critical points",
            expected="every part of the box excluded or settled",
            got=f"{run.undecided} undecided boxes ({run.stopped})",
            remedy="a degenerate critical point or a family; try a smaller box",
        )


def _passes(problem: Problem, wide: EnclosedPoint) -> bool:
    """Whether the checker accepts the box, with its inertia."""
    try:
        steps = Located(problem, "p", wide).inertia_steps()[1]
    except NotCertifiable:
        return False
    return (
        assemble(problem, {"kind": "critical-inertia", "point": "p"}, {"p": wide}, steps).check().status == "verified"
    )
