"""Losses with finitely many critical points: solve the gradient system, classify, group into orbits, audit.

Two audits can only complain: the list must be closed under the symmetries of F, and for a coercive F with nondegenerate
critical points the Morse sum must be 1. A failed audit turns the coverage to incomplete and says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.solver import RealRoot, SystemSolution
from explorer.budget import Deadline
from explorer.model.symmetry import SignedPermutation, symmetry_generators
from explorer.point import AnyPoint, Point
from explorer.solve.classify import Target, classify
from explorer.solve.results import Component, Coverage, CriticalSet, Trust
from explorer.solve.values import settle_globals

Box = tuple[tuple[Fraction, Fraction], ...]
Grid = tuple[tuple[int, int, int, int], ...]
FINE = 112  #: boxes are compared on a grid of this many bits, finer than most of them
#: the coefficients of a linear form, without a pattern that symmetries would have (beyond so many coordinates they are 0)
WEIGHTS = tuple(k * 40503 % 65536 | 1 for k in range(1, 500))


def from_solution(t: Target, solution: SystemSolution, deadline: Deadline, *, symmetric: bool = True) -> CriticalSet:
    """The critical set from the real roots of the gradient system (finitely many complex ones).

    ``symmetric`` False (one activation cell of a larger problem): no orbits, no audits, every point on its own.
    """
    generators = symmetry_generators(t.problem, loss=t.loss.terms) if symmetric else ()
    orbits = group(solution.roots, generators)
    components = [_component(t, orbit, solution.roots, deadline) for orbit in orbits.members]
    count = len(solution.roots)
    kind = {"exact": "by exact algebra", "modular": "by modular lifting: strong evidence, not a proof"}
    numerical = solution.complex_count_is == "numerical"
    reason = (
        f"{solution.reason}; {count} of them real, each re-proved"
        if numerical
        else f"the gradient system has {solution.complex_count} complex solutions "
        f"({kind.get(solution.complex_count_is, 'count not proved')}), {count} of them real, each re-proved"
        if solution.complete
        else solution.reason
    )
    complaint = (orbits.complaint or _morse_complaint(t, components)) if symmetric else ""
    coverage = Coverage(
        solution.complete and not complaint,
        f"polynomial system ({solution.method})",
        Trust.NUMERICAL if numerical else Trust.COMPUTED,
        f"{reason}; but {complaint}" if complaint else reason,
    )
    return assemble(t, components, coverage)


def assemble(t: Target, components: Sequence[Component], coverage: Coverage) -> CriticalSet:
    """Global minima settled, components in order: families first, then by value and index."""
    from explorer.solve import bounds

    settled, best, because = settle_globals(
        components,
        floor=t.floor,
        floor_because=bounds.nonnegative(t.problem, t.loss.terms),
        coercive=t.attained,
        complete=coverage.complete,
    )
    return CriticalSet(t.problem, tuple(sorted(settled, key=_position)), coverage, best, because)


def _position(c: Component) -> tuple[object, ...]:
    index = -1 if c.inertia is None else c.inertia.index
    return (-c.dimension, c.value.lower, index, c.orbit or 0, str(c.sample))


def _component(t: Target, members: tuple[int, ...], roots: Sequence[RealRoot], deadline: Deadline) -> Component:
    deadline.check("classifying critical points")
    points = tuple(roots[k].point for k in members)
    sample = points[0]
    found = t.hessian_inertia(sample)
    result = classify(t, sample, deadline, found=found)
    return Component(
        dimension=0,
        sample=sample,
        value=t.value(sample),
        inertia=found,
        kind=result.kind,
        is_global=result.is_global,
        because=result.because,
        orbit=len(points),
        points=points,
        isolated=True,
        evidence=result.evidence,
    )


def _morse_complaint(t: Target, components: Sequence[Component]) -> str:
    if not t.coercive or any(c.inertia is None or c.inertia.zero for c in components):
        return ""
    total = sum((-1) ** c.inertia.index * (c.orbit or 1) for c in components if c.inertia is not None)
    return (
        ""
        if total == 1
        else (
            f"the audit failed: the Morse sum is {total}, and for a coercive loss with nondegenerate critical points it is 1"
        )
    )


# -- orbits -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Orbits:
    """Classes of root numbers, the sample first in each; ``complaint`` says where the symmetry audit failed."""

    members: tuple[tuple[int, ...], ...]
    complaint: str


def group(roots: Sequence[RealRoot], generators: Sequence[SignedPermutation]) -> Orbits:
    """The orbits of the listed real roots: every image of a root must lie in the box of exactly one listed root."""
    parent = list(range(len(roots)))

    def find(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    complaint = ""
    near = [_grid(root.enclosure) for root in roots]
    # boxes that meet have values of a linear form that meet: a list sorted by them leaves few to be compared
    forms = sorted((*_form(box), m) for m, box in enumerate(near))
    starts, widest = [low for low, _, _ in forms], max((high - low for low, high, _ in forms), default=0)
    for g in generators:
        for k, root in enumerate(roots):
            there = _moved_grid(g, near[k])
            low, high = _form(there)
            around = forms[bisect_left(starts, low - widest) : bisect_right(starts, high)]
            hits = sorted(
                m for _, up, m in around if up >= low and _meets(g, root.enclosure, there, roots[m].enclosure, near[m])
            )
            if len(hits) == 1:
                parent[find(k)] = find(hits[0])
            elif not hits:
                complaint = complaint or "the audit failed: a symmetric image of a critical point is missing"
            elif len(hits) > 1:
                exact = [m for m in hits if roots[m].point == moved(g, root.point)]
                if len(exact) == 1:
                    parent[find(k)] = find(exact[0])
    classes: dict[int, list[int]] = {}
    for k in range(len(roots)):
        classes.setdefault(find(k), []).append(k)
    rank = [_preference(root) for root in roots]
    members = [tuple(sorted(ks, key=rank.__getitem__)) for ks in classes.values()]
    return Orbits(tuple(sorted(members, key=lambda ks: rank[ks[0]])), complaint)


def image(g: SignedPermutation, box: Box) -> Box:
    """The box of the images: (g theta)[images[k]] = signs[k] theta[k]."""
    out = list(box)
    for k, (target, sign) in enumerate(zip(g.images, g.signs, strict=True)):
        lo, hi = box[k]
        out[target] = (lo, hi) if sign > 0 else (-hi, -lo)
    return tuple(out)


def moved(g: SignedPermutation, point: AnyPoint) -> AnyPoint | None:
    """The image of an exact point (None for a box)."""
    if not isinstance(point, Point):
        return None
    out = list(point.coordinates)
    for k, (target, sign) in enumerate(zip(g.images, g.signs, strict=True)):
        out[target] = point.coordinates[k] if sign > 0 else tuple(-c for c in point.coordinates[k])
    return Point(point.field, tuple(out))


def _meet(a: Box, b: Box) -> bool:
    return all(not (low > up or down > high) for (low, high), (down, up) in zip(a, b, strict=True))


def _grid(box: Box) -> Grid:
    """Both ends of every side in units of 2^-FINE: the lower one rounded down and up, then the upper one."""
    return tuple((*_floor_ceil(a), *_floor_ceil(b)) for a, b in box)


def _floor_ceil(x: Fraction) -> tuple[int, int]:
    over, rest = divmod(x.numerator << FINE, x.denominator)
    return over, over + (rest != 0)


def _moved_grid(g: SignedPermutation, box: Grid) -> Grid:
    """`_grid` of the box of the images."""
    out = list(box)
    for (a, b, c, d), target, sign in zip(box, g.images, g.signs, strict=True):
        out[target] = (a, b, c, d) if sign > 0 else (-d, -c, -b, -a)
    return tuple(out)


def _form(box: Grid) -> tuple[int, int]:
    """The range of one linear form over the box."""
    low = sum(w * side[0] for w, side in zip(WEIGHTS, box, strict=False))
    return low, sum(w * side[3] for w, side in zip(WEIGHTS, box, strict=False))


def _meets(g: SignedPermutation, box: Box, there: Grid, other: Box, grid: Grid) -> bool:
    """Whether the image of ``box``, ``there`` on the grid, meets the box ``other``: exactly where the grid does not decide."""
    if any(a[0] > b[3] or b[0] > a[3] for a, b in zip(there, grid, strict=True)):
        return False
    inside = all(a[1] <= b[2] and b[1] <= a[2] for a, b in zip(there, grid, strict=True))
    return inside or _meet(image(g, box), other)


def _preference(root: RealRoot) -> tuple[object, ...]:
    """Exact points first, then few negative coordinates, then large leading ones (a choice of sample, nothing more)."""
    coarse = [
        -(((a.numerator * b.denominator + b.numerator * a.denominator) << 19) // (a.denominator * b.denominator))
        for a, b in root.enclosure
    ]
    negative = sum(hi.numerator < 0 for _, hi in root.enclosure)
    return (not isinstance(root.point, Point), negative, coarse, root.enclosure)
