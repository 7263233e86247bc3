"""Whether two minima are joined at constant loss: predicates of section V-B."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import ExplorerError
from explorer.paths.connect import connecting_path
from explorer.paths.curves import PiecewisePath
from explorer.point import Point
from explorer.probes.descents import segment
from explorer.probes.near import is_zero, value_at
from explorer.probes.planes import parabola
from explorer.probes.slices import constant_on_segment
from explorer.probes.walls import hyperplane
from explorer.problem import DenseNetwork
from explorer.solve.results import Kind
from explorer.statements.nouns import (
    Judgement,
    Predicate,
    Subject,
    Witness,
)
from explorer.statements.sun2020.conditions import (
    exact_points,
    look,
    points_given,
)
from explorer.statements.sun2020.sets import decided, wall_step

F = Fraction
PAIR, TRIPLE = points_given(2, "global minima"), points_given(3, "global minima")
BEND = points_given(3, "the two ends and the control point")


def _all_global(subject: Subject) -> Judgement:
    for p in exact_points(subject):
        if not (isinstance(subject.problem.network, DenseNetwork) and is_zero(value_at(subject.problem, p))):
            if (
                subject.critical.global_value is not None
                and subject.critical.global_value.upper < value_at(subject.problem, p).lower
            ):
                return Judgement(False, "F is larger than min F at one of the points")
            return Judgement.unknown("F is not 0 at one of the points")
    return Judgement(True, "F = 0 at all of them")


ALL_GLOBAL = Predicate("points-are-global", "the points are global minima", _all_global)


def constant_path(subject: Subject, a: Point, b: Point) -> PiecewisePath | None:
    """A path of constant loss 0: the segment, a planar parabola of a linear network, or one through spare units."""
    problem = subject.problem
    try:
        if constant_on_segment(problem, a, b):
            return segment(a, b, level=F(0))
    except ExplorerError:
        pass
    for make in (lambda: parabola(problem, a, b), lambda: connecting_path(problem, a, b, budget=subject.budget)):
        try:
            return make()
        except (ExplorerError, StopIteration):
            continue
    return None


def same_hidden(subject: Subject, a: Point, b: Point) -> bool:
    net = subject.problem.network
    if not isinstance(net, DenseNetwork):
        return False
    last = net.widths[-2] * net.widths[-1] + (net.widths[-1] if net.bias[-1] else 0)
    return a.coordinates[:-last] == b.coordinates[:-last]


def planar_path(subject: Subject, a: Point, b: Point) -> PiecewisePath | None:
    """A path of constant loss 0 in a plane through both points: the segment, or a parabola."""
    problem = subject.problem
    if same_hidden(subject, a, b):  # the loss is convex in the last layer, and 0 at both ends
        return segment(a, b, level=F(0))
    try:
        if constant_on_segment(problem, a, b):
            return segment(a, b, level=F(0))
    except ExplorerError:
        pass
    try:
        return parabola(problem, a, b)
    except (ExplorerError, StopIteration):
        return None


def barrier(subject: Subject, a: Point, b: Point) -> Witness | None:
    """What separates two minima of value 0: the first is isolated, or a hyperplane on which F is constant and positive."""
    if a != b and look(subject, a).kind is Kind.STRICT_MINIMUM:
        return Witness("barrier", a, b)
    found = hyperplane(subject.problem, a, b)
    if found is None or found.level <= 0:
        return None
    return Witness("barrier", a, b, options={"wall": wall_step(subject, found)})


def _joined(subject: Subject) -> Judgement:
    a, b = exact_points(subject)[:2]
    path = constant_path(subject, a, b)
    if path is not None:
        return Judgement(
            True,
            f"a path of {len(path.legs)} pieces on which F = 0",
            shows=(Witness("bounded-path", options={"path": path}),),
        )
    wall = barrier(subject, a, b)
    if wall is None:
        return Judgement.unknown("neither a path of constant loss nor a wall between the points was found")
    return Judgement(False, "every path between them passes a point with larger loss", shows=(wall,))


JOINED = Predicate(
    "joined-at-constant-loss", "the two points are joined by a path on which F does not rise above 0", _joined
)
JOINED_DECIDED = decided(
    JOINED,
    name="connectivity-decided",
    text="whether the two minima are joined at constant loss is decided",
    yes="joined",
    no="not joined",
)
