"""All complex critical points of a problem: arrivals certified, expanded by sign changes, and the audits of the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.homotopy.certify import Certified, Certifier, all_apart
from explorer.homotopy.family import Arrival, Family, arrivals
from explorer.homotopy.model import Pattern
from explorer.problem import Problem

Array: TypeAlias = Any


@dataclass(frozen=True)
class Orbit:
    """One representative, certified in its pattern's subnetwork; ``copies`` points by sign changes of living units.

    ``theta``: floats in the whole network. ``real`` and ``index`` (of the whole Hessian) as in `Certified`.
    """

    pattern: Pattern
    theta: tuple[complex, ...]
    box: Certified
    real: bool | None
    index: int | None
    copies: int


@dataclass(frozen=True)
class Solutions:
    """The certified solutions of one problem. ``generic``: the family's number, ``far`` of which went to infinity or too far to be followed;
    ``complaints``: what speaks against completeness; ``sound``: all of it is about solutions that were not reached."""

    orbits: tuple[Orbit, ...]
    generic: int
    far: int
    complaints: tuple[str, ...]
    sound: bool = True

    @property
    def count(self) -> int:
        """Certified distinct complex solutions."""
        return sum(o.copies for o in self.orbits)

    @property
    def real(self) -> tuple[Orbit, ...]:
        return tuple(o for o in self.orbits if o.real)

    @property
    def by_index(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for o in self.real:
            if o.index is not None:
                counts[o.index] = counts.get(o.index, 0) + o.copies
        return dict(sorted(counts.items()))


def solutions(
    family: Family, problems: Sequence[Problem], deadline: Deadline, *, seed: int = 0, real_only: bool = False
) -> list[Solutions]:
    """Certified solutions of each problem.

    ``real_only`` is for statistics over many data: only those that look real are certified, and paths that seem to go to infinity are
    not followed in longer numbers.
    """
    reached = arrivals(family, problems, deadline, seed=seed, thorough=not real_only)
    return [
        _certified(family, problem, found, deadline, real_only=real_only)
        for problem, found in zip(problems, reached, strict=True)
    ]


def _certified(
    family: Family, problem: Problem, found: Sequence[Arrival], deadline: Deadline, *, real_only: bool
) -> Solutions:
    d = family.network.parameter_count
    whole = Certifier(family.whole, family.whole.parameters(problem, range(d)))
    orbits: list[Orbit] = []
    missing = [] if family.saturated else [family.reason]
    missing += [a.lost for a in found if a.lost]
    complaints: list[str] = []
    for a in found:
        size, count = a.theta.shape
        scale = 1 + np.abs(a.theta).max(axis=0) if size else np.ones(count)
        looks_real = np.abs(a.theta.imag).max(axis=0) <= 1e-8 * scale if size else np.ones(count, dtype=bool)
        full = np.zeros((d, count), dtype=np.complex128)
        full[list(a.pattern.places)] = a.theta
        chosen = np.flatnonzero(looks_real) if real_only else np.arange(count)
        start = family.starts[family.shapes.index(a.pattern.shape)]
        if start is None:
            boxes: list[Certified | None] = [Certified((), 0.0, True)] * count
        else:
            here = whole if size == d else Certifier(start.model, start.model.parameters(problem, a.pattern.places))
            boxes = here.all(a.theta[:, chosen], deadline)
        if size == d:
            real = dict(zip(chosen, boxes, strict=True))
        else:
            inside = whole.all(full[:, np.flatnonzero(looks_real)], deadline)
            real = dict(zip(np.flatnonzero(looks_real), inside, strict=True))
        certified = []
        for k, box in zip(chosen, boxes, strict=True):
            if box is None:
                complaints.append("a solution could not be certified: it may be singular")
                continue
            if not _alive(a.pattern, box):
                complaints.append("a unit may be dead at a solution of the pattern in which it lives")
                continue
            certified.append(box)
            at = real.get(k)
            index = at.index if at is not None and at.real else None
            if box.real and index is None:
                complaints.append("a real solution with an undecided Hessian")
            if box.real is None:
                complaints.append("a solution that may be real or not")
            orbits.append(
                Orbit(
                    a.pattern,
                    tuple(complex(v) for v in full[:, k]),
                    box,
                    box.real,
                    index,
                    family.multiplicity(a.pattern),
                )
            )
        copies = [c for box in certified for c in _images(a.pattern, box)]
        if size and not all_apart(copies):
            complaints.append("two certified boxes overlap")
    if not real_only and not missing and not complaints:
        complaints += _conjugates(orbits)
    far = sum(a.far * family.multiplicity(a.pattern) for a in found)
    if far:  # floats do not tell infinity from far away, so nothing is complete then
        missing.append(f"{far} generic solutions go to infinity, or too far to be followed")
    return Solutions(tuple(orbits), family.count, far, tuple(dict.fromkeys(missing + complaints)), not complaints)


def _alive(pattern: Pattern, box: Certified) -> bool:
    """Whether every unit has a weight that is certainly not 0, on each side: then no other pattern holds the point."""
    shape = pattern.shape
    for layer, (start, rows, cols) in enumerate(shape.blocks[:-1]):
        after, beyond, columns = shape.blocks[layer + 1]
        for i in range(rows):
            incoming = [start + i * cols + j for j in range(cols)] + [start + rows * cols + i] * shape.bias[layer]
            outgoing = [after + k * columns + i for k in range(beyond)]
            if not all(any(abs(box.centre[k]) > 2 * box.radius for k in side) for side in (incoming, outgoing)):
                return False
    return True


def _images(pattern: Pattern, box: Certified) -> list[Certified]:
    """The boxes of all points of the orbit."""
    out = [box]
    for _, flipped in pattern.shape.flips:
        chosen = set(flipped)
        out += [replace(b, centre=tuple(-v if k in chosen else v for k, v in enumerate(b.centre))) for b in out]
    return out


def _conjugates(orbits: Sequence[Orbit]) -> list[str]:
    """The list must be its own complex conjugate (the data are real): in every pattern an even number of non-real orbits."""
    from explorer.homotopy.fibre import Fibre, canonical

    groups: dict[tuple[int, ...], list[Orbit]] = {}
    for o in orbits:
        groups.setdefault(o.pattern.places, []).append(o)
    for group in groups.values():
        points = np.array([o.box.centre for o in group]).T
        if not points.size:
            continue
        seen = Fibre()
        seen.add(canonical(group[0].pattern.shape, points))
        before = len(seen)
        seen.add(canonical(group[0].pattern.shape, points.conj()))
        if len(seen) != before:
            return ["the audit failed: the complex conjugate of a solution is missing"]
    return []
