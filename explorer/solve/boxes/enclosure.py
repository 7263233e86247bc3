"""Critical points of any smooth problem, all of them in a box: branch and prune with certified points, and honest leftovers.

With an a-priori radius the box holds every critical point of F, so the answer is global. What could not be excluded is listed in the
coverage as undecided boxes; degenerate families end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.budget import Deadline
from explorer.errors import Invalid, Unsupported
from explorer.exact import text
from explorer.model.symmetry import symmetry_generators
from explorer.point import Inertia
from explorer.problem import Problem
from explorer.solve import bounds
from explorer.solve.attained import attained
from explorer.solve.balance import balance_radius, narrowed
from explorer.solve.boxes.balls import inertia_at, value_at
from explorer.solve.boxes.dead_line import ATTAINED, dead_line, whole_line
from explorer.solve.boxes.leftovers import Cluster, clusters
from explorer.solve.boxes.points import Certified, Points, search
from explorer.solve.boxes.prune import Box, Search, inner_box, outer_box, prune
from explorer.solve.boxes.ring import applies, first_order_smooth
from explorer.solve.growth import growth_radius
from explorer.solve.neurons import is_plain_neuron, neuron_radius
from explorer.solve.radius import Radius, radius
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust
from explorer.solve.values import settle_globals

METHOD = "branch and prune"
MAX_PARAMETERS = 10
SHOWN = 3  #: groups of undecided boxes that the coverage spells out
TRIED = 8  #: groups in which a rational degenerate point is looked for


@dataclass(frozen=True)
class Region:
    """A box to search. ``ball`` is set when it holds every critical point; with ``line``, every one but those of an infinite line of dead units."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    ball: Radius | None = None
    line: bool = False

    @classmethod
    def everywhere(cls, problem: Problem, *, certified: bool = False) -> Region:
        """The box of the a-priori radius, with sides that are short binary numbers; `Unsupported` where there is none.
        ``certified``: by the checker's rule ``radius`` only."""
        line = None if certified else whole_line(problem)
        if line is not None:
            sides = tuple(_short_side(b) for b in line.bounds)
            return cls(tuple(-s for s in sides), sides, line, line=True)
        try:
            ball = radius(problem)
        except Unsupported:
            if certified:
                raise
            try:
                ball = neuron_radius(problem) if is_plain_neuron(problem) else growth_radius(problem)
            except Unsupported as refused:
                try:
                    ball = balance_radius(problem)
                except Unsupported:
                    raise refused from None
        if not certified:
            ball = narrowed(problem, ball)
        sides = tuple(_short_side(b) for b in ball.bounds)
        return cls(tuple(-s for s in sides), sides, ball)

    @classmethod
    def of(cls, problem: Problem, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Region:
        d = len(problem.parameters)
        if len(lower) != d or len(upper) != d or any(a >= b for a, b in zip(lower, upper, strict=True)):
            raise Invalid(
                "box", expected=f"{d} intervals with lower < upper", got=f"{len(lower)} and {len(upper)} ends"
            )
        return cls(tuple(lower), tuple(upper))


def _short_side(bound: Fraction) -> Fraction:
    """The bound rounded up to five significant bits."""
    unit = Fraction(1, 2**20)
    while bound / unit > 32:
        unit *= 2
    return -(-bound // unit) * unit


def by_enclosure(problem: Problem, deadline: Deadline, region: Region | None = None) -> CriticalSet:
    """All critical points in the region (by default the box of the a-priori radius, then all of F's critical points)."""
    if why := applies(problem):
        raise Unsupported("enclosures", expected="a loss with enclosures of its derivatives", got=why)
    if len(problem.parameters) > MAX_PARAMETERS:
        raise Unsupported(
            "branch and prune", expected=f"at most {MAX_PARAMETERS} parameters", got=f"{len(problem.parameters)}"
        )
    where = Region.everywhere(problem) if region is None else region
    line = None
    if region is not None or where.line:
        line = dead_line(problem, where.lower, where.upper, deadline, whole=where.line)
        if line is None and where.line:
            raise Unsupported("branch and prune", expected="a line of dead units that can be split off", got="no proof")
    points = search(problem, where.lower, where.upper, deadline, line=line)
    run = explore(problem, where, points, deadline)
    groups = _clusters(points, where, run)
    while groups and not deadline.over and points.settle([g.simplest() for g in groups[:TRIED]]):
        boxes = run.boxes
        run = explore(problem, where, points, deadline, resume=run.rest)
        run.boxes += boxes
        groups = _clusters(points, where, run)
    return _assembled(problem, where, points, run, groups)


def _clusters(points: Points, where: Region, run: Search) -> list[Cluster]:
    lo, hi = outer_box(where.lower, where.upper)
    return clusters(points.tape, *run.rest, (hi - lo) / 2) if run.undecided else []


def explore(
    problem: Problem,
    where: Region,
    points: Points,
    deadline: Deadline,
    *,
    tree: bool = False,
    discover: bool = True,
    resume: Box | None = None,
) -> Search:
    """Branch and prune around the certified points, which may become more on the way if ``discover``."""
    known = [inner_box(*ends) for ends in points.singular_boxes]
    known += [inner_box(c.wide.lower, c.wide.upper) for c in points.found]
    known += [inner_box(t.lower, t.upper) for t in points.line.tiles] if points.line is not None else []
    if points.origin is not None:  # the first of the known boxes: those that are discovered follow the others
        half = [points.origin.half] * len(where.lower)
        known.insert(0, inner_box([-h for h in half], half))
    return prune(
        problem,
        outer_box(where.lower, where.upper),
        known,
        deadline,
        ball=where.ball,
        tree=tree,
        resume=resume,
        mirrors=points.mirrors,
        discover=points.discover if discover else None,
    )


def _assembled(problem: Problem, where: Region, points: Points, run: Search, groups: Sequence[Cluster]) -> CriticalSet:
    components = _components(problem, points.found) + [s.component for s in points.singular]
    components += points.line.components if points.line is not None else ()
    if points.origin is not None and all(a < 0 < b for a, b in zip(where.lower, where.upper, strict=True)):
        components.append(points.origin.component)
    everywhere = where.ball is not None and not run.undecided
    smooth = first_order_smooth(problem)
    settled, best, because = settle_globals(
        components,
        floor=Fraction(0) if bounds.nonnegative(problem) else None,
        floor_because=bounds.nonnegative(problem),
        # also with kinks: minima are critical in the sense of Clarke
        coercive=ATTAINED if where.line else attained(problem) or _above(where.ball, components),
        complete=everywhere,
    )
    if everywhere and not components:
        because = "the infimum is not attained: F is differentiable and has no critical point"
    place = (
        f"everywhere (the a-priori radius bounds all critical points{' but those of an infinite line' if where.line else ''})"
        if where.ball is not None
        else f"in the box {_shown(where.lower, where.upper)} only"
    )
    looked = f"{run.boxes} boxes were excluded, settled or halved, with outward rounded arithmetic"
    if run.undecided:
        listed = "; ".join(g.shown() for g in groups[:SHOWN])
        more = f"; and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
        images = ", and in the images of these under the symmetries of the units" if points.mirrors else ""
        reason = f"complete {place} except in {run.undecided} undecided boxes in {len(groups)} group{'s' * (len(groups) != 1)} ({_stop(run)}): {listed}{more}{images}; {looked}"
        box = "" if where.ball is not None else _shown(where.lower, where.upper)
        return CriticalSet(problem, settled, Coverage(False, METHOD, Trust.COMPUTED, reason, box), best, because)
    degenerate = sum(len(s.component.points) for s in points.singular)
    kinds = (
        f"certified in a box of its own, {degenerate} of them degenerate"
        if degenerate
        else "nondegenerate and certified in a box of its own"
    )
    reason = f"{looked}; complete {place}; every critical point is {kinds}"
    if points.line is not None:
        reason += (
            f", but for a line of dead units ({len(points.line.tiles)} boxes around it hold no other critical point)"
        )
    if not smooth:
        reason += "; F has kinks, and on them no critical point in the sense of Clarke" + (
            " but the origin" if points.origin else ""
        )
    box = "" if where.ball is not None else _shown(where.lower, where.upper)
    return CriticalSet(problem, settled, Coverage(True, METHOD, Trust.COMPUTED, reason, box), best, because)


def orbits(problem: Problem, found: Sequence[Certified]) -> list[list[Certified]]:
    """The points in orbits under the symmetries of the problem, as far as the boxes show who is whose image."""
    generators = symmetry_generators(problem)
    parent = list(range(len(found)))

    def top(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, c in enumerate(found):
        for g in generators:
            lower, upper = [Fraction(0)] * len(c.narrow.lower), [Fraction(0)] * len(c.narrow.lower)
            for k, (image, sign) in enumerate(zip(g.images, g.signs, strict=True)):
                a, b = c.narrow.lower[k], c.narrow.upper[k]
                lower[image], upper[image] = (a, b) if sign > 0 else (-b, -a)
            for j, other in enumerate(found):  # the image of the point is critical, so it is the only one in that box
                wide = zip(other.wide.lower, lower, upper, other.wide.upper, strict=True)
                if all(a <= x and y <= b for a, x, y, b in wide):
                    parent[top(i)] = top(j)
    groups: dict[int, list[Certified]] = {}
    for i, c in enumerate(found):
        groups.setdefault(top(i), []).append(c)
    return [sorted(members, key=lambda c: c.narrow.lower) for members in groups.values()]


def _components(problem: Problem, found: Sequence[Certified]) -> list[Component]:
    out = []
    for members in orbits(problem, found):
        first = members[0]
        kind, because = _kind(first.inertia)
        out.append(
            Component(
                dimension=0,
                sample=first.narrow,
                value=value_at(problem, first.narrow),
                inertia=first.inertia if _smooth_at(problem, first) else None,
                kind=kind,
                is_global=None,
                because=because,
                orbit=len(members),
                points=tuple(c.narrow for c in members),
                isolated=True,
            )
        )
    return sorted(out, key=lambda c: (c.value.lower, str(c.sample)))


def _stop(run: Search) -> str:
    if run.stopped == "the time is spent":
        return "the time is spent: give more with --budget SECONDS, or a smaller box with --box; at a family or a kink that does not help"
    return f"{run.stopped}: a degenerate critical point, a family, or a kink"


def _smooth_at(problem: Problem, at: Certified) -> bool:
    """Whether F is known to be twice differentiable there, so that there is a Hessian."""
    try:
        return inertia_at(problem, at.narrow) is not None
    except Unsupported:
        return False


def _above(ball: Radius | None, components: Sequence[Component]) -> str:
    """Why min F is attained without a regularizer, as far as the limits of F far out are known."""
    if ball is None or not components:
        return ""
    if ball.coercive:
        return "F goes to infinity far out"
    if ball.beneath is not None and min(c.value.upper for c in components) < ball.beneath:
        return "far out F tends to more than the smallest critical value"
    return ""


def _kind(found: Inertia) -> tuple[Kind, str]:
    if found.negative == 0:
        return Kind.STRICT_MINIMUM, "the Hessian is positive definite"
    if found.positive == 0:
        return Kind.STRICT_MAXIMUM, "the Hessian is negative definite"
    return Kind.STRICT_SADDLE, "the Hessian has eigenvalues of both signs"


def _shown(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> str:
    return " x ".join(f"[{text(a)}, {text(b)}]" for a, b in zip(lower, upper, strict=True))
