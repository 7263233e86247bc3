"""Linear networks with one ridge weight, any data: the orbits of critical points by the rank r of the product of the layers.

r is at most the rank of Syx and every width. Rank 1: the network with one unit per layer, whose critical points are isolated unless the
data are special. Two layers and r = rank Syx: at most one orbit, the minimum of a convex function; there is one exactly where no point of
lower rank minimises it. Every other rank: the matrix equation for W_1^T W_1 (cells.py).

What does not come to an end is named as missing. Lemmas and proofs: docs/linear.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from math import prod
from typing import TypeAlias

from flint import fmpq_mat

from explorer.algebra.balls import ball, bounds, to_fraction
from explorer.algebra.exactify import enclosure_of, exact_point
from explorer.algebra.msolve import TooMany
from explorer.algebra.solver import Dimension, RealRoot, SystemSolution, solve_zero_dimensional
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.homotopy.balanced import from_gram, minimiser
from explorer.model.polynomial import loss_polynomial
from explorer.model.signed import SignedPermutation
from explorer.point import AnyPoint, Inertia, Point
from explorer.problem import Problem
from explorer.solve.classify import Target
from explorer.solve.finite import group
from explorer.solve.linear.cells import MAX_CELLS, Cell, cells, excess, meeting, solve_cell, solve_outputs
from explorer.solve.linear.closed_form import moments
from explorer.solve.linear.components import component, lies_lowest
from explorer.solve.linear.counts import Counted, complaint
from explorer.solve.linear.ridge import Orbit, origin
from explorer.solve.linear.slices import across, narrowed, places, proved, widened, widths_of, zeros
from explorer.solve.linear.texts import described, equations
from explorer.solve.results import Component
from explorer.solve.structure import by_structure

SUBJECT = "equal ridge weights by ranks"
#: samples of degree up to this are made exact where balls do not decide an inertia
MAX_DEGREE = 64
#: losses with more terms, before like ones are added, are not expanded (8-4-8 has 8192 and takes some seconds)
MAX_TERMS = 10_000
#: how the completeness of a polynomial system's solutions is known
COUNTED = {"exact": "by exact algebra", "modular": "by modular lifting: strong evidence, not a proof"}


Spare: TypeAlias = Callable[[], Inertia]


@dataclass
class Found:
    """The orbits so far with their components, what is missing, and in words how each rank was settled."""

    problem: Problem
    weight: Fraction
    target: Target
    deadline: Deadline
    components: list[Component] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    how: list[str] = field(default_factory=list)

    def add(
        self, rank: int, sample: AnyPoint, pivots: Sequence[int], small: Target | None, *, spare: Spare | None = None
    ) -> None:
        """The orbit of ``sample``, a critical point of ``small`` (the network with ``rank`` units per hidden layer). ``spare``: the inertia
        of lambda^2 - E^T E, asked for where the balls do not decide that of the Hessian."""
        widths = widths_of(self.problem)
        dropped = zeros(widths, pivots)
        here = widened(self.problem, rank, sample)
        orbit = replace(origin(self.problem), dropped=()) if small is None else Orbit(
            len(dropped), here, equations(self.problem, here), described(widths, rank), rank, dropped
        )  # fmt: skip
        inner = None if small is None else across(small, zeros(widths_of(small.problem), pivots), sample)
        known = None if small is None else across(self.target, dropped, here)
        if known is None and inner is not None and spare is not None:
            form, units = spare(), widths[1] - rank
            flat, low = units * form.zero, units * form.negative
            high = units * (widths[0] + widths[-1]) - flat - low
            known = Inertia(inner.positive + high, inner.zero + flat, inner.negative + low)
        found = component(self.problem, orbit, self.deadline, t=self.target, known=known)
        self.components.append(found)
        narrow = (0, 0) if small is None else None if inner is None else (inner.negative, inner.zero)
        self.counted.append(Counted(rank, len(dropped), narrow, found.inertia))

    def take_back(self, rank: int) -> None:
        """Forget the orbits of this rank."""
        kept = [k for k, c in enumerate(self.counted) if c.rank != rank]
        self.components = [self.components[k] for k in kept]
        self.counted = [self.counted[k] for k in kept]

    @property
    def lowest(self) -> list[bool | None]:
        """Of every orbit whether it is known to be the global minimum (None: its inertia is not known)."""
        return [None if c.inertia is None else lies_lowest(self.problem, c.rank, c.inertia) for c in self.counted]


def by_ranks(problem: Problem, weight: Fraction, deadline: Deadline) -> Found:
    """All orbits, as far as the ranks named in ``missing`` go; `Unsupported` where there are families that are no orbits."""
    widths = widths_of(problem)
    sxx, syx, _ = moments(problem)
    largest, depth = int(syx.rank()), len(widths) - 1
    terms = widths[-1] * (widths[0] * prod(widths[1:-1])) ** 2
    if terms > MAX_TERMS:
        raise Unsupported(SUBJECT, expected=f"a loss of at most about {MAX_TERMS} terms", got=f"about {terms}")
    found = Found(problem, weight, Target(problem, loss_polynomial(problem)), deadline)
    found.add(0, origin(problem).sample, (), None)
    if largest:
        _one(found)
    reachable = min(largest, *widths[1:-1])
    for r in range(2, reachable + 1):
        try:
            if depth == 2 and r == largest:
                _convex(found, sxx, syx, r)
            else:
                _cells(found, sxx, syx, r)
        except BudgetExceeded as stopped:
            found.missing.append(f"rank {r}: {stopped.sentence()}")
    wrong = complaint(found.counted, widths[1:-1]) if not found.missing else ""
    if wrong:
        found.missing.append(f"the audit failed: {wrong}")
    return found


# -- rank 1 -----------------------------------------------------------------------------------------------------------


def _one(found: Found) -> None:
    """Every orbit of rank 1, from the network with one unit in every hidden layer."""
    small = narrowed(found.problem, 1)
    t = Target(small, loss_polynomial(small))
    solution = None
    with suppress(TooMany):
        solution = by_structure(t, found.deadline)
    solution = solution or solve_zero_dimensional(t.gradient, found.deadline)
    _accept_one(found, t, solution)
    if any(c.rank == 1 and c.inertia is None for c in found.counted):
        exact = solve_zero_dimensional(t.gradient, found.deadline, max_field_degree=MAX_DEGREE)
        if exact.dimension is Dimension.FINITE and exact.complete:
            found.take_back(1)
            _accept_one(found, t, exact)


def _accept_one(found: Found, t: Target, solution: SystemSolution) -> None:
    if solution.dimension is not Dimension.FINITE or not solution.complete:
        raise Unsupported(
            SUBJECT,
            expected="finitely many critical points of the network with one unit in every hidden layer",
            got=solution.reason or solution.dimension.value,
        )
    widths = widths_of(t.problem)
    classes = group(solution.roots, tuple(_flips(widths)))
    if classes.complaint:
        found.missing.append(classes.complaint)
    orbits = [m for m in classes.members if not _is_origin(solution.roots[m[0]])]
    for members in orbits:
        root = solution.roots[members[0]]
        sizes = [max(abs(lo + hi), 0) for lo, hi in root.enclosure[: widths[0]]]
        c = sizes.index(max(sizes))
        if len(members) != 2 ** (len(widths) - 2) or not (root.enclosure[c][0] > 0 or root.enclosure[c][1] < 0):
            found.missing.append("a point of rank 1 could not be told from its mirror images")
            continue
        point = root.point if isinstance(root.point, Point) else exact_point(t.gradient, root.point)
        found.add(1, point, (c,), t)
    found.how = [h for h in found.how if not h.startswith("rank 1")]
    found.how.append(
        f"rank 1: {len(orbits)}, from the {solution.complex_count} complex critical points of one unit per layer "
        f"({COUNTED.get(solution.complex_count_is, 'count not proved')})"
    )


def _flips(widths: Sequence[int]) -> Iterator[SignedPermutation]:
    """The sign changes of one hidden unit, for one unit in every hidden layer."""
    at = places(widths)
    for h in range(len(widths) - 2):
        yield SignedPermutation(tuple(range(len(at))), tuple(-1 if layer in (h, h + 1) else 1 for layer, _, _ in at))


def _is_origin(root: RealRoot) -> bool:
    return isinstance(root.point, Point) and not any(any(x) for x in root.point.coordinates)


# -- two layers, full rank ----------------------------------------------------------------------------------------------


def _convex(found: Found, sxx: fmpq_mat, syx: fmpq_mat, rank: int) -> None:
    """The orbit whose product has the rank of Syx, if there is one."""
    low = found.lowest
    if True in low:
        found.how.append(f"rank {rank}: none, because one of lower rank is the global minimum, whose product is unique")
        return
    small = narrowed(found.problem, rank)
    t = Target(small, loss_polynomial(small))
    found.deadline.check("proposing the minimum of a linear network")
    near = minimiser(_table(sxx), _table(syx), found.weight, rank)
    point = None if near is None else proved(t, near)
    if near is None or point is None:
        found.missing.append(
            f"rank {rank}: the minimum was not found" + (", if there is one" if found.missing or None in low else "")
        )
        return
    found.add(rank, point, near.pivots, t)
    found.how.append(
        f"rank {rank}: the global minimum alone, because there the product minimises the strictly convex function loss + 2 lambda (nuclear norm)"
    )


# -- any rank -----------------------------------------------------------------------------------------------------------


def _cells(found: Found, sxx: fmpq_mat, syx: fmpq_mat, rank: int) -> None:
    """The orbits of this rank, from the matrix equation for R = W_1^T W_1 (cells.py)."""
    depth, every = len(widths_of(found.problem)) - 1, cells(sxx.nrows(), rank)
    by_outputs = depth % 2 == 1 and rank == syx.nrows() < sxx.nrows()
    if by_outputs:
        every = [()]
    if len(every) > MAX_CELLS:
        found.missing.append(f"rank {rank}: more than {MAX_CELLS} cells of row spaces in {sxx.nrows()} inputs")
        return
    small = narrowed(found.problem, rank)
    t = Target(small, loss_polynomial(small))
    count, solutions, exact = 0, 0, True
    for pivots in every:
        found.deadline.check(f"solving for the critical points of rank {rank}")
        if by_outputs:
            cell = solve_outputs(sxx, syx, found.weight, depth, found.deadline)
        else:
            cell = solve_cell(sxx, syx, found.weight, depth, pivots, found.deadline)
        if cell.trouble:
            found.missing.append(f"rank {rank}: {cell.trouble}")
            continue
        solutions += cell.solution.complex_count or 0
        exact = exact and cell.solution.complex_count_is == "exact"
        for k, gram in enumerate(cell.grams):
            found.deadline.check(f"constructing critical points of rank {rank}")
            middle = [[(lo + hi) / 2 for lo, hi in row] for row in gram]
            near = from_gram(middle, _table(sxx), _table(syx), found.weight, depth=depth, rank=rank)
            root = cell.roots[k]
            point = None if near is None or root.singular else proved(t, near)
            met = [] if point is None else _met(point, rank, sxx.nrows(), cell)
            if near is None or point is None or met != [k]:
                why = "it is degenerate" if root.singular else "Krawczyk's test did not prove it"
                found.missing.append(f"rank {rank}: a solution R = W_1^T W_1 has no proved point: {why}")
                continue
            spare = None
            if depth == 2 and isinstance(root.point, Point):
                spare = partial(excess, root.point, pivots, sxx, syx, found.weight, found.deadline)
            found.add(rank, point, near.pivots, t, spare=spare)
            count += 1
    found.how.append(
        f"rank {rank}: {count}, the positive semidefinite ones among the {solutions} complex solutions of the equation for W_1^T W_1 "
        f"({COUNTED['exact' if exact else 'modular']})"
    )


def _met(point: AnyPoint, rank: int, size: int, cell: Cell) -> list[int]:
    """The numbers of the solutions of the cell whose enclosure meets that of W_1^T W_1."""
    box = enclosure_of(point) if isinstance(point, Point) else tuple(zip(point.lower, point.upper, strict=True))
    w = [[ball(*ends) for ends in box[i * size : (i + 1) * size]] for i in range(rank)]
    gram = [[bounds(sum((row[i] * row[j] for row in w[1:]), w[0][i] * w[0][j])) for j in range(size)] for i in range(size)]  # fmt: skip
    return [k for k, other in enumerate(cell.grams) if meeting(gram, other)]


def _table(m: fmpq_mat) -> list[list[Fraction]]:
    return [[to_fraction(m[i, j]) for j in range(m.ncols())] for i in range(m.nrows())]
