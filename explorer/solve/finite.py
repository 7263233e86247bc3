"""Losses with finitely many critical points: solve the gradient system, classify, group into orbits, audit.

Two audits can only complain: the list must be closed under the symmetries of F, and for a coercive F with nondegenerate
critical points the Morse sum must be 1. A failed audit turns the coverage to incomplete and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from explorer.algebra.solver import RealRoot, SystemSolution
from explorer.budget import Deadline
from explorer.model.symmetry import SignedPermutation, symmetry_generators
from explorer.point import AnyPoint, Point
from explorer.solve.classify import Target, classify
from explorer.solve.results import Component, Coverage, CriticalSet, Trust
from explorer.solve.values import settle_globals

Box = tuple[tuple[Fraction, Fraction], ...]
T = TypeVar("T", int, Fraction)


def from_solution(t: Target, solution: SystemSolution, deadline: Deadline, *, symmetric: bool = True) -> CriticalSet:
    """The critical set from the real roots of the gradient system (finitely many complex ones).

    ``symmetric`` False (one activation cell of a larger problem): no orbits, no audits, every point on its own.
    """
    generators = symmetry_generators(t.problem) if symmetric else ()
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
    near = [_coarse(root.enclosure) for root in roots]
    for g in generators:
        for k, root in enumerate(roots):
            there = image(g, root.enclosure)
            around = _coarse(there)
            hits = [m for m, c in enumerate(near) if _meet(around, c) and _meet(there, roots[m].enclosure)]
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
    members = [tuple(sorted(ks, key=lambda k: _preference(roots[k]))) for ks in classes.values()]
    return Orbits(tuple(sorted(members, key=lambda ks: _preference(roots[ks[0]]))), complaint)


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


def _meet(a: Sequence[tuple[T, T]], b: Sequence[tuple[T, T]]) -> bool:
    return all(not (low > up or down > high) for (low, high), (down, up) in zip(a, b, strict=True))


def _coarse(box: Box) -> tuple[tuple[int, int], ...]:
    """Both ends rounded down to multiples of 2^-40, in these units: boxes that meet still do, and integers compare faster."""
    return tuple(((a.numerator << 40) // a.denominator, (b.numerator << 40) // b.denominator) for a, b in box)


def _preference(root: RealRoot) -> tuple[object, ...]:
    """Exact points first, then few negative coordinates, then large leading ones (a choice of sample, nothing more)."""
    coarse = [-((lo + hi) * 2**20 // 2) for lo, hi in root.enclosure]
    negative = sum(hi < 0 for _, hi in root.enclosure)
    return (not isinstance(root.point, Point), negative, coarse, root.enclosure)
