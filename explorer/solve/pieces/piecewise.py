"""Piecewise polynomial losses whose breaks each depend on one parameter: cell by cell, then the kinks between two cells.

Inside a cell F is a polynomial. On a kink theta_k = c between two cells F may not be differentiable; a point there is
listed when it is critical in the sense of Clarke (0 is a convex combination of the two one-sided gradients; Clarke,
Optimization and Nonsmooth Analysis, 1983, 2.5), and decided by one-sided tests: F on the kink is a polynomial g of the
other parameters, and the first derivatives to both sides say whether F rises or falls away from the kink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product
from math import comb

from explorer.algebra.fields import arithmetic
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.model.polynomial import CellPolynomial, LossPolynomial, cell_polynomial
from explorer.point import EnclosedPoint, Inertia, Point
from explorer.problem import Problem
from explorer.solve import bounds
from explorer.solve.attained import attained
from explorer.solve.classify import Target
from explorer.solve.curves import search
from explorer.solve.finite import from_solution
from explorer.solve.polynomials import Terms
from explorer.solve.results import Component, Coverage, CriticalSet, Evidence, Kind, Trust, Value
from explorer.solve.taylor import expand, field_ring
from explorer.solve.values import settle_globals
from explorer.solve.varieties.families import decomposed, has_families

MAX_CELLS = 64
Range = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True)
class Box:
    """An open activation cell: one open interval per parameter, and F on it."""

    ranges: tuple[Range, ...]
    loss: LossPolynomial

    @property
    def inside(self) -> list[Terms]:
        """Polynomials that are positive exactly in the box."""
        d = len(self.ranges)
        zero = (0,) * d
        out: list[Terms] = []
        for k, (lo, hi) in enumerate(self.ranges):
            unit = tuple(int(i == k) for i in range(d))
            if lo is not None:
                out.append({unit: Fraction(1), zero: -lo})
            if hi is not None:
                out.append({unit: Fraction(-1), zero: hi})
        return out


def by_cells(problem: Problem, deadline: Deadline) -> CriticalSet:
    """Critical points inside every cell and Clarke-critical points on the kinks between two cells.

    `Unsupported` when a break depends on more than one parameter or there are more than `MAX_CELLS` cells.
    """
    boxes = _boxes(problem, deadline)
    components: list[Component] = []
    doubts: list[str] = []
    for box in boxes:
        found = in_box(problem, box, deadline)
        components += found.components
        if not found.coverage.complete:
            doubts.append(found.coverage.reason)
    pairs = [(a, b, k) for a in boxes for b in boxes if (k := _shared_face(a, b)) is not None]
    for left, right, k in pairs:
        deadline.check("looking at kinks")
        found_on_kink, more = _on_kink(problem, left, right, k, deadline)
        components += found_on_kink
        doubts += more
    if sum(len(set(ranges)) > 1 for ranges in zip(*(b.ranges for b in boxes), strict=True)) > 1:
        doubts.append("points where two or more kinks meet are not examined")
    floor = Fraction(0) if bounds.nonnegative(problem) else None
    settled, best, because = settle_globals(
        components,
        floor=floor,
        floor_because=bounds.nonnegative(problem),
        coercive=attained(problem) or _bounded_on_the_line(problem),
        complete=not doubts,
    )
    reason = f"{len(boxes)} activation cells decomposed or solved, and {len(pairs)} kinks by one-sided tests"
    return CriticalSet(
        problem,
        tuple(sorted(settled, key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))),
        Coverage(not doubts, "activation cells", Trust.COMPUTED, "; ".join(dict.fromkeys(doubts)) or reason),
        best,
        because,
    )


def _bounded_on_the_line(problem: Problem) -> str:
    one = len(problem.parameters) == 1 and bounds.nonnegative(problem)
    return "F is a piecewise polynomial of one parameter and >= 0, so constant or growing far out" if one else ""


# -- cells --------------------------------------------------------------------------------------------------------


def _boxes(problem: Problem, deadline: Deadline) -> list[Box]:
    """All open cells, found by probing: a probe's inequalities reveal the breaks until no new ones turn up."""
    d = len(problem.parameters)
    breaks: list[set[Fraction]] = [set() for _ in range(d)]
    while True:
        deadline.check("enumerating activation cells")
        boxes, known = [], [set(b) for b in breaks]
        ranges = [_ranges(sorted(b)) for b in breaks]
        if _count(ranges) > MAX_CELLS:
            raise Unsupported("activation cells", expected=f"at most {MAX_CELLS}", got=f"{_count(ranges)}")
        for box in product(*ranges):
            point = tuple(_between(lo, hi) for lo, hi in box)
            cell = _probe(problem, box, point)
            for inequality in cell.inequalities:
                where, at = _single_parameter(inequality.terms)
                breaks[where].add(at)
            boxes.append(Box(tuple(box), cell.polynomial))
        if known == breaks:
            return boxes


def _probe(problem: Problem, box: Sequence[Range], point: tuple[Fraction, ...]) -> CellPolynomial:
    """The cell of a sample of the box; a sample on an unknown kink is moved a few times."""
    for attempt in range(4):
        moved = tuple(
            v if attempt == 0 else _between(lo, hi, Fraction(attempt + 1, 7 + 2 * attempt + k))
            for k, (v, (lo, hi)) in enumerate(zip(point, box, strict=True))
        )
        try:
            return cell_polynomial(problem, moved)
        except Unsupported:
            if attempt == 3:
                raise
    raise AssertionError


def _single_parameter(terms: Terms) -> tuple[int, Fraction]:
    """(k, c) when the inequality says which side of theta_k = c a point is on."""
    linear = {e: c for e, c in terms.items() if any(e)}
    if len(linear) != 1 or sum(next(iter(linear))) != 1:
        raise Unsupported(
            "activation cells",
            expected="breaks that depend on one parameter each",
            got="a break that depends on several",
            remedy="this version enumerates cells of networks with scalar inputs and no hidden bias only",
        )
    ((e, slope),) = linear.items()
    return e.index(1), -terms.get((0,) * len(e), Fraction(0)) / slope


def _ranges(breaks: list[Fraction]) -> list[Range]:
    ends: list[Fraction | None] = [None, *breaks, None]
    return list(pairwise(ends))


def _count(ranges: Sequence[Sequence[Range]]) -> int:
    total = 1
    for r in ranges:
        total *= len(r)
    return total


def _between(lo: Fraction | None, hi: Fraction | None, at: Fraction = Fraction(1, 2)) -> Fraction:
    if lo is None and hi is None:
        return 2 * at
    if lo is None:
        assert hi is not None
        return hi - 2 * at
    return lo + 2 * at if hi is None else lo + (hi - lo) * at


def in_box(problem: Problem, box: Box, deadline: Deadline) -> CriticalSet:
    """The critical points inside an open activation cell, where F is the polynomial ``box.loss``."""
    t = Target(problem, box.loss)
    if not has_families(t):
        solution = solve_zero_dimensional(t.gradient, deadline)
        if solution.dimension in (Dimension.FINITE, Dimension.EMPTY):
            inside = PolynomialSystem.of(box.loss.names, box.inside)
            roots = []
            for root in solution.roots:
                at = root.point if isinstance(root.point, Point) else None
                a = arithmetic(at.field) if at else None
                if at is not None and a is not None and all(a.sign(v) > 0 for v in inside.at(at)):
                    roots.append(root)
                if isinstance(root.point, EnclosedPoint) and _box_inside(root.point, box):
                    roots.append(root)
            kept = replace(solution, roots=tuple(roots))
            return from_solution(t, kept, deadline, symmetric=False)
    return decomposed(t, deadline, inside=box.inside)


def _box_inside(point: EnclosedPoint, box: Box) -> bool:
    for (lo, hi), a, b in zip(box.ranges, point.lower, point.upper, strict=True):
        if (lo is not None and b <= lo) or (hi is not None and a >= hi):
            return False
        if (lo is not None and a <= lo) or (hi is not None and b >= hi):
            raise Unsupported("a critical point", expected="a box inside one activation cell", got="one across a kink")
    return True


# -- kinks --------------------------------------------------------------------------------------------------------


def _shared_face(a: Box, b: Box) -> int | None:
    """k when the boxes share a face theta_k = c, with a on its lower side."""
    differ = [k for k, (x, y) in enumerate(zip(a.ranges, b.ranges, strict=True)) if x != y]
    if len(differ) != 1:
        return None
    k = differ[0]
    return k if a.ranges[k][1] is not None and a.ranges[k][1] == b.ranges[k][0] else None


def _on_kink(problem: Problem, left: Box, right: Box, k: int, deadline: Deadline) -> tuple[list[Component], list[str]]:
    c = left.ranges[k][1]
    assert c is not None
    name = problem.parameters[k]
    if len(problem.parameters) == 1:
        return _on_the_line(problem, left, right, c), []
    if left.loss.terms == right.loss.terms:
        return [], [
            f"F is the same polynomial on both sides of {name} = {text(c)}: critical points on it are not listed"
        ]
    others = tuple(n for n in problem.parameters if n != name)
    g = _restricted(right.loss.terms, k, c)
    sides = {-1: _leaving(left.loss.terms, k, c, -1), 1: _leaving(right.loss.terms, k, c, 1)}
    face = Problem.monomial(others, g or {(0,) * len(others): Fraction(0)})
    inside = [
        {(*e[:k], *e[k + 1 :]): v for e, v in p.items()}
        for p in Box(right.ranges, right.loss).inside
        if not _mentions(p, k)
    ]
    found = decomposed(
        Target(face, LossPolynomial(others, dict(g))),
        deadline,
        inside=inside,
        marks=[side.coefficient for side in sides.values() if side.order],
    )
    doubts = [] if found.coverage.complete else [f"on {name} = {text(c)}: {found.coverage.reason}"]
    floor = bounds.nonnegative(problem)
    constant = not any(any(e) for e in g)  # F is constant on the kink
    out = []
    for component in found.components:
        if not isinstance(component.sample, Point):
            doubts.append(f"a critical point on {name} = {text(c)} is known by a box only; its sides are not compared")
            continue
        if (
            judged := _judged(component, sides, others, name, k, c, deadline, constant=constant, floor=floor)
        ) is not None:
            out.append(judged)
    return out, doubts


def _on_the_line(problem: Problem, left: Box, right: Box, c: Fraction) -> list[Component]:
    """One parameter: the first powers of s in F(c - s) and F(c + s) say all. Critical unless both are s itself, with opposite signs."""
    sides = {s: _opened(box.loss.terms, 0, c, s) for s, box in ((-1, left), (1, right))}  # in v with s = v^2
    jets = {s: {e[0] // 2: v for e, v in terms.items() if e[0]} for s, terms in sides.items()}
    first = {s: min(jet, default=0) for s, jet in jets.items()}
    rise = {s: 0 if not n else 1 if jets[s][n] > 0 else -1 for s, n in first.items()}
    if first[-1] == first[1] == 1 and rise[-1] != rise[1]:
        return []
    ways = set(rise.values())
    if ways == {1, -1}:
        kind = Kind.SADDLE
    elif -1 not in ways:
        kind = Kind.MINIMUM if 0 in ways else Kind.STRICT_MINIMUM
    else:
        kind = Kind.MAXIMUM if 0 in ways else Kind.STRICT_MAXIMUM
    # F', F'' from the left and from the right; critical, so F' = 0 where it exists
    smooth = all(not jet.get(1) for jet in jets.values()) and jets[-1].get(2, 0) == jets[1].get(2, 0)
    bend = jets[1].get(2, Fraction(0))
    point = Point.rational([c])
    words = " and ".join(f"F {_WORDS[rise[s]]} to the {'right' if s > 0 else 'left'}" for s in (-1, 1))
    return [
        Component(
            dimension=0,
            sample=point,
            value=Value.rational(sides[1].get((0,), Fraction(0))),
            inertia=Inertia(int(bend > 0), int(bend == 0), int(bend < 0)) if smooth else None,
            kind=kind,
            is_global=None,
            because=f"on the kink {problem.parameters[0]} = {text(c)}: {words}",
            orbit=1 if smooth and 0 not in ways else None,
            points=(point,),
            isolated=smooth and 0 not in ways,
            description="a point where two pieces meet" + ("" if smooth else " (critical in the sense of Clarke)"),
        )
    ]


@dataclass(frozen=True)
class _Side:
    """F(c + side s, y) - F(c, y) = coefficient(y) s^order + higher powers, s > 0; order 0: F does not depend on s."""

    terms: Terms
    order: int
    coefficient: Terms


def _leaving(terms: Terms, k: int, c: Fraction, side: int) -> _Side:
    moved = _opened(terms, k, c, side)  # in v with s = v^2
    orders = sorted({e[k] // 2 for e in moved if e[k]})
    if not orders:
        return _Side(terms, 0, {})
    m = orders[0]
    return _Side(terms, m, {(*e[:k], *e[k + 1 :]): v for e, v in moved.items() if e[k] == 2 * m})


def _judged(
    on_face: Component,
    sides: dict[int, _Side],
    others: Sequence[str],
    name: str,
    k: int,
    c: Fraction,
    deadline: Deadline,
    *,
    constant: bool,
    floor: str,
) -> Component | None:
    """The component as one of F, or None when it is not Clarke-critical. ``floor`` says why F >= 0, if it is."""
    face_point = on_face.sample
    assert isinstance(face_point, Point)
    a = arithmetic(face_point.field)
    # rise[side]: the sign of the first coefficient of F when leaving the kink to that side
    rise = {s: a.sign(PolynomialSystem.of(others, [side.coefficient]).at(face_point)[0]) for s, side in sides.items()}
    if rise[-1] * rise[1] < 0 and sides[-1].order == sides[1].order == 1:
        return None
    point = Point(face_point.field, (*face_point.coordinates[:k], a.from_fraction(c), *face_point.coordinates[k:]))
    ways = {s: rise[s] or (None if sides[s].order else 0) for s in (-1, 1)}
    face_min = on_face.kind.is_minimum or constant
    face_max = on_face.kind.is_maximum or constant
    known = all(w is not None for w in ways.values())
    words = f"on the kink {name} = {text(c)}: " + " and ".join(
        f"F {_WORDS[ways[s]]} to the {'right' if s > 0 else 'left'}" for s in (-1, 1)
    )
    kind = Kind.UNDECIDED
    if floor and on_face.value.as_fraction == 0:
        kind, words = Kind.MINIMUM, f"F = 0 here and F >= 0 everywhere: {floor}"
    elif known and all(w is not None and w >= 0 for w in ways.values()) and face_min:
        kind = Kind.STRICT_MINIMUM if all(ways.values()) and on_face.kind is Kind.STRICT_MINIMUM else Kind.MINIMUM
    elif known and all(w is not None and w <= 0 for w in ways.values()) and face_max:
        kind = Kind.STRICT_MAXIMUM if all(ways.values()) and on_face.kind is Kind.STRICT_MAXIMUM else Kind.MAXIMUM
    else:
        descends = -1 in rise.values() or on_face.kind.is_saddle or (on_face.kind.is_maximum and not constant)
        ascends = 1 in rise.values() or on_face.kind.is_saddle or (on_face.kind.is_minimum and not constant)
        if on_face.dimension == 0 and not (descends and ascends):
            signs = _one_sided_signs(sides, k, c, point, deadline)
            descends, ascends = descends or -1 in signs, ascends or 1 in signs
        if descends and ascends:
            kind = Kind.SADDLE
            words += "; F takes values below and above its value in every neighbourhood"
        else:
            words += "; one-sided tests do not decide"
    return replace(
        on_face,
        sample=point,
        points=(point,) if on_face.points else (),
        orbit=None,
        isolated=False if on_face.dimension == 0 else None,
        inertia=None,
        kind=kind,
        is_global=None,
        because=words,
        equations=(f"{name} = {text(c)}", *on_face.equations),
        description=f"{on_face.description}, where F is not twice differentiable (critical in the sense of Clarke)",
        evidence=Evidence(),
    )


_WORDS = {1: "rises", -1: "falls", 0: "is constant", None: "has a vanishing first coefficient"}


def _one_sided_signs(sides: dict[int, _Side], k: int, c: Fraction, point: Point, deadline: Deadline) -> set[int]:
    """The signs that F - F(p) takes along monomial curves that leave the kink to one side."""
    ring = field_ring(point.field)
    found: set[int] = set()
    for side, data in sides.items():
        # theta_k = c + side * v^2 keeps to the side; the curve search runs in v
        opened = _opened(data.terms, k, c, side)
        origin = (*point.coordinates[:k], ring.constant(Fraction(0)), *point.coordinates[k + 1 :])
        expansion = expand(opened, origin, ring, deadline)
        found |= set(search(expansion, len(origin), ring, deadline, want=frozenset({-1, 1})))
    return found


def _opened(terms: Terms, k: int, c: Fraction, side: int) -> dict[tuple[int, ...], Fraction]:
    """The polynomial with theta_k = c + side * v^2."""
    out: dict[tuple[int, ...], Fraction] = {}
    for e, v in terms.items():
        for j in range(e[k] + 1):
            key = (*e[:k], 2 * j, *e[k + 1 :])
            out[key] = out.get(key, Fraction(0)) + v * comb(e[k], j) * c ** (e[k] - j) * side**j
    return {e: v for e, v in out.items() if v}


def _restricted(terms: Terms, k: int, c: Fraction) -> dict[tuple[int, ...], Fraction]:
    out: dict[tuple[int, ...], Fraction] = {}
    for e, v in terms.items():
        key = (*e[:k], *e[k + 1 :])
        out[key] = out.get(key, Fraction(0)) + v * c ** e[k]
    return {e: v for e, v in out.items() if v}


def _mentions(terms: Terms, k: int) -> bool:
    return any(e[k] for e in terms)
