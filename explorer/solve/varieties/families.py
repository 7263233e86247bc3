"""Losses whose critical points come in families: decompose, stratify, classify every stratum as a whole.

Along a connected stratum the rank of the Hessian is constant, so its inertia is that of the sample; what further rules
need (signs of coefficients of curves) is a polynomial in the free parameters with a sign on the whole stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from explorer.algebra.balls import ball, sign_of
from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import ExplorerError
from explorer.point import AnyPoint, Inertia, Point, RationalField
from explorer.solve import bounds
from explorer.solve.classify import Classification, Target, classify, morse_bott
from explorer.solve.curves import monomial_curve, search
from explorer.solve.finite import assemble
from explorer.solve.polynomials import (
    Poly,
    Terms,
    context,
    factors,
    fraction,
    from_terms,
    to_terms,
    variables,
)
from explorer.solve.results import Component, Coverage, CriticalSet, Evidence, Kind, Trust, Value
from explorer.solve.taylor import expand, polynomial_ring
from explorer.solve.varieties.decompose import Cell, decompose, nonvanishing, tidied
from explorer.solve.varieties.graphs import larger_graph, spectral_factors, value_on
from explorer.solve.varieties.laurent import laurent_family
from explorer.solve.varieties.leftovers import (
    sample_of_hypersurface,
    subsystem,
    univariate_points,
    zero_dimensional_points,
)
from explorer.solve.varieties.strata import Stratum, cell_texts, cut

ROUNDS = 4
ONE_POINT_ONLY = "a hypersurface that is no graph: strata along it are not computed"


@dataclass
class Work:
    """What one run collects: components, the cells they came from, and everything that may be missing."""

    target: Target
    loss: Poly
    deadline: Deadline
    inside: tuple[Poly, ...] = ()
    marks: tuple[Poly, ...] = ()
    components: list[Component] = field(default_factory=list)
    top: list[Cell] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def decomposed(
    t: Target, deadline: Deadline, *, inside: Sequence[Terms] = (), marks: Sequence[Terms] = ()
) -> CriticalSet:
    """The critical set by case splits on the gradient; coverage says what could not be split, cut or found.

    Only points where every polynomial of ``inside`` is positive are listed; along every component each polynomial of
    ``inside`` and ``marks`` keeps its sign.
    """
    ring = context(t.loss.names)
    bounding = tuple(from_terms(ring, p) for p in inside)
    marked = tuple(from_terms(ring, p) for p in marks)
    work = Work(t, from_terms(ring, t.loss.terms), deadline, bounding, (*bounding, *marked))
    gradient = [work.loss.derivative(i) for i in range(ring.nvars())]
    try:
        cells = decompose(ring, gradient, deadline, finite=lambda eqs, free: _finite(eqs, free, ring, deadline))
        work.top = tidied(cells, deadline)
        for cell in work.top:
            _cell(work, cell, parent=larger_graph(work.top, cell))
    except ExplorerError as stopped:
        work.doubts.append(stopped.sentence())
    complete = not work.doubts
    reason = (
        "every step is a case split of the gradient equations, so the listed pieces are all their real solutions"
        if complete
        else "; ".join(dict.fromkeys(work.doubts))
    )
    coverage = Coverage(complete, "decomposition by case splits", Trust.COMPUTED, reason)
    found = assemble(t, work.components, coverage)
    # a value that is only the sample's compares nothing else
    open_ended = [_reopened(c) if ONE_POINT_ONLY in c.because else c for c in found.components]
    return replace(found, components=tuple(open_ended))


def _reopened(c: Component) -> Component:
    return replace(c, is_global=None, kind=Kind.UNDECIDED, because=ONE_POINT_ONLY)


def has_families(t: Target) -> bool:
    """Whether the partial derivatives have a common factor, so that there are infinitely many complex critical points."""
    ring = context(t.loss.names)
    common = ring.constant(0)
    loss = from_terms(ring, t.loss.terms)
    for i in range(ring.nvars()):
        common = common.gcd(loss.derivative(i))
    return bool(common.is_zero() or (not common.is_constant() and ring.nvars() > 1))


def _finite(equations: Sequence[Poly], free: Sequence[int], ring: Any, deadline: Deadline) -> bool:
    if not equations:
        return not free
    if set(free) != {i for e in equations for i in variables(e)} or len(equations) < len(free):
        return False
    if len(free) == 1:
        return True
    system = subsystem(equations, free, ring)
    return solve_zero_dimensional(system, deadline).dimension in (Dimension.FINITE, Dimension.EMPTY)


# -- one cell ---------------------------------------------------------------------------------------------------


def _cell(work: Work, cell: Cell, parent: Cell | None) -> None:
    """Add the components of one cell; ``parent`` is the graph of larger dimension that the cell lies on, if any."""
    work.deadline.check("classifying families of critical points")
    if cell.equations:
        _unsplit(work, cell, parent)
        return
    if not cell.free:
        values = tuple(
            (fraction(n.leading_coefficient() / d.leading_coefficient()) if not n.is_zero() else Fraction(0),)
            for n, d in cell.coordinates()
        )
        _point(work, cell, Point(RationalField(), values), parent)
        return
    value = value_on(work.loss, cell)
    if work.target.floor is not None and value == work.target.floor:
        strata, doubts = cut(cell, _marks(work, cell), work.deadline)
        work.doubts += doubts
        why = bounds.nonnegative(work.target.problem, work.target.loss.terms)
        result = Classification(
            Kind.MINIMUM,
            f"F = 0 here and F >= 0 everywhere: {why}",
            Evidence(at_floor=bounds.has_certified_floor(work.target.problem)),
            True,
        )
        for stratum in strata:
            _add(work, _typical(work, stratum), result, value, parent)
        _split_further(work, cell, _marks(work, cell), parent)
        return
    extra = _marks(work, cell)
    extra += [f for f in spectral_factors(work.loss, cell, everything=False) if f not in extra]
    for _ in range(ROUNDS):
        strata, doubts = cut(cell, extra, work.deadline)
        if not all(s.connected for s in strata):
            more = [f for f in spectral_factors(work.loss, cell, everything=True) if f not in extra]
            if more:
                extra += more
                continue
        results = [_classify(work, s, parent or cell) for s in strata]
        wanted = [f for _, needs in results for f in needs if f not in extra]
        if not wanted:
            break
        extra += [f for k, f in enumerate(wanted) if f not in wanted[:k]]
    else:
        strata, doubts = cut(cell, extra, work.deadline)
        results = [_classify(work, s, parent or cell) for s in strata]
    work.doubts += doubts
    for stratum, (result, _) in zip(strata, results, strict=True):
        _add(work, stratum, result, value, parent)
    _split_further(work, cell, extra, parent)


def _split_further(work: Work, cell: Cell, polys: Sequence[Poly], parent: Cell | None) -> None:
    """The parts of a graph cell on which one of ``polys`` vanishes, as cells of their own."""
    earlier: list[Poly] = []
    for f in polys:
        if nonvanishing(cell, f):
            continue
        start = replace(cell, nonzero=(*cell.nonzero, *earlier))
        finite = lambda eqs, free: _finite(eqs, free, cell.ring, work.deadline)  # noqa: E731
        for sub in decompose(cell.ring, [f], work.deadline, start=start, finite=finite):
            _cell(work, sub, parent or cell)
        earlier.append(f)


def _marks(work: Work, cell: Cell) -> list[Poly]:
    """Factors of the polynomials that must keep their sign, restricted to the cell."""
    out: list[Poly] = []
    for p in work.marks:
        numerator, denominator = cell.pull_back(p)
        if not numerator.is_zero():
            out += [
                f for f in (*factors(numerator), *factors(denominator)) if not nonvanishing(cell, f) and f not in out
            ]
    return out


def _outside(work: Work, point: AnyPoint) -> bool:
    """Whether some polynomial of ``inside`` is not positive at the point; a doubt is noted where a box does not tell."""
    system = PolynomialSystem.of(work.target.loss.names, [to_terms(p) for p in work.inside])
    if isinstance(point, Point):
        a = arithmetic(point.field)
        return any(a.sign(v) <= 0 for v in system.at(point))
    box = [ball(lo, hi) for lo, hi in zip(point.lower, point.upper, strict=True)]
    signs = [sign_of(v) for v in system.at_balls(box)]
    if 0 in signs and -1 not in signs:
        work.doubts.append("a critical point of one activation cell may lie on its boundary")
    return any(s <= 0 for s in signs)


def _classify(work: Work, stratum: Stratum, graph: Cell) -> tuple[Classification, list[Poly]]:
    """The kind of every point of a stratum, and polynomials whose signs would have to be known to decide more."""
    t = work.target
    point = stratum.sample
    found = inertia(t.gradient.jacobian_at(point), point.field)
    if found.positive and found.negative:
        words = f"eigenvalues: {found.positive} positive, {found.zero} zero, {found.negative} negative, all along it"
        return Classification(Kind.STRICT_SADDLE, words), []
    if found.zero == len(graph.free):
        return morse_bott(found, laurent_family(graph, point)), []
    return _by_curves(work, stratum, point, found)


def _by_curves(work: Work, stratum: Stratum, point: Point, found: Inertia) -> tuple[Classification, list[Poly]]:
    t = work.target
    cell = stratum.cell
    want = frozenset(({-1} if not found.negative else set()) | ({1} if not found.positive else set()))
    pairs = cell.coordinates()
    common = cell.ring.constant(1)
    for _, d in pairs:
        common = common * divmod(d, common.gcd(d))[0]
    unknown: list[Poly] = []

    def sign(p: Poly) -> int | None:
        s = stratum.sign(p)
        if s is None:
            unknown.append(p)
        return s

    ring = polynomial_ring(cell.ring, sign)
    base = [n * divmod(common, d)[0] for n, d in pairs]
    expansion = expand(t.loss.terms, base, ring, work.deadline, scale=common)
    hits = search(expansion, len(pairs), ring, work.deadline, want=want)
    curves = {}
    for s, candidate in hits.items():
        curve = monomial_curve(t.loss.terms, point, candidate)
        if curve is not None:
            curves[s] = curve
    evidence = Evidence(descent=curves.get(-1), ascent=curves.get(1))
    if want <= curves.keys():
        words = " and ".join(f"F {'ascends' if s > 0 else 'descends'} like s^{curves[s].order}" for s in sorted(curves))
        side = "the Hessian is semidefinite; " if found.positive or found.negative else "the Hessian is zero; "
        return Classification(
            Kind.SADDLE, f"{side}{words} along one polynomial curve shape from every point", evidence
        ), []
    needs = [f for p in unknown[:1] for f in factors(p) if stratum.sign(f) is None]
    why = "the Hessian is singular across the family, and no curve among those tried decides every point of it"
    return Classification(Kind.UNDECIDED, why, evidence), needs


def _typical(work: Work, stratum: Stratum) -> Stratum:
    """The stratum with a sample at which the Hessian has the largest rank among a few (at the floor of F the kind needs no
    cut along the family, so its rank may drop at special points; a special one would be a poor sample)."""
    return max(stratum.resampled(8), key=lambda s: -_nullity(work, s.sample))  # the first of equals


def _nullity(work: Work, point: Point) -> int:
    return inertia(work.target.gradient.jacobian_at(point), point.field).zero


def _add(work: Work, stratum: Stratum, result: Classification, value: Fraction, parent: Cell | None) -> None:
    point = stratum.sample
    if _outside(work, point):
        return
    words = "a connected piece" if stratum.connected else "a piece (not claimed to be connected)"
    work.components.append(
        Component(
            dimension=stratum.dimension,
            sample=point,
            value=Value.rational(value),
            inertia=inertia(work.target.gradient.jacobian_at(point), point.field),
            kind=result.kind,
            is_global=result.is_global,
            because=result.because,
            equations=stratum.texts(),
            description=f"{words} of dimension {stratum.dimension}"
            + (f" inside a family of dimension {len(parent.free)}" if parent else ""),
            evidence=result.evidence,
        )
    )


# -- points and what does not split ---------------------------------------------------------------------------------


def _point(work: Work, cell: Cell, point: AnyPoint, parent: Cell | None) -> None:
    t = work.target
    if _outside(work, point):
        return
    found = t.hessian_inertia(point)
    family = laurent_family(parent, point) if parent is not None and isinstance(point, Point) else None
    result = classify(
        t, point, work.deadline, found=found, family=family, family_dimension=len(parent.free) if parent else 0
    )
    isolated: bool | None = False if parent is not None else _isolated(work, cell, point, found)
    work.components.append(
        Component(
            dimension=0,
            sample=point,
            value=t.value(point),
            inertia=found,
            kind=result.kind,
            is_global=result.is_global,
            because=result.because,
            orbit=1 if isolated else None,
            points=(point,),
            isolated=isolated,
            equations=tuple(cell_texts(cell)),
            description="an isolated point"
            if isolated
            else f"a special point of a family of dimension {len(parent.free)}"
            if parent
            else "a point; whether other critical points come near is not decided",
            evidence=result.evidence,
        )
    )


def _isolated(work: Work, cell: Cell, point: AnyPoint, found: Inertia | None) -> bool | None:
    """Whether no other critical point comes near: a nonsingular Hessian, or outside the closure of every family."""
    if found is not None and found.zero == 0:
        return True
    if not isinstance(point, Point):
        return None
    for other in work.top:
        if not other.free:
            continue
        closure = [d * other.ring.gen(i) - n for i, n, d in other.solved] + list(other.equations)
        system = PolynomialSystem.of(work.target.loss.names, [to_terms(p) for p in closure])
        if system.vanishes_at(point):
            return None
    return True


def _unsplit(work: Work, cell: Cell, parent: Cell | None) -> None:
    """A cell with equations left: finitely many points, or a hypersurface that is not a graph."""
    involved = tuple(sorted({i for e in cell.equations for i in variables(e)}))
    if involved == cell.free:
        roots: list[AnyPoint] | None = None
        if len(cell.free) == 1:
            roots = univariate_points(cell)
        else:
            roots = zero_dimensional_points(cell, work.deadline, work.doubts)
        if roots is not None:
            for point in roots:
                _point(work, cell, point, parent)
            return
    _hypersurface(work, cell, parent)


def _hypersurface(work: Work, cell: Cell, parent: Cell | None) -> None:
    """One equation that is linear in no parameter: a sample by specialisation; its kind where F is at its floor there."""
    names = cell.ring.names()
    if len(cell.equations) != 1:
        work.doubts.append(f"a system of {len(cell.equations)} equations of positive dimension was not split further")
        return
    (e,) = cell.equations
    numerator, _ = cell.pull_back(work.loss)
    constant = numerator - e * divmod(numerator, e)[0]
    sample = sample_of_hypersurface(cell, e)
    if sample is None:
        work.doubts.append(f"it is not decided whether {e} = 0 has real solutions")
        return
    if _outside(work, sample) or work.marks:
        work.doubts.append(f"the part of {e} = 0 inside this activation cell was not computed")
        return
    t = work.target
    at_floor = t.floor is not None and t.floor == 0 and constant.is_zero()
    found = inertia(t.gradient.jacobian_at(sample), sample.field)
    why = bounds.nonnegative(t.problem, t.loss.terms)
    work.components.append(
        Component(
            dimension=len(cell.free) - 1,
            sample=sample,
            value=t.value(sample),
            inertia=found,
            kind=Kind.MINIMUM if at_floor else Kind.UNDECIDED,
            is_global=True if at_floor else None,
            because=f"F = 0 here and F >= 0 everywhere: {why}" if at_floor else ONE_POINT_ONLY,
            equations=(*cell_texts(cell), *(f"{q} != 0" for q in cell.nonzero)),
            description=f"a hypersurface in the space of {', '.join(names[i] for i in cell.free)} (not claimed connected)"
            + ("" if at_floor else "; value and inertia are those of the sample, not of every point of it"),
            evidence=Evidence(at_floor=at_floor and bounds.has_certified_floor(t.problem)),
        )
    )
    if not at_floor:
        work.doubts.append(f"the value and the kind along {e} = 0 may change; only one point of it was looked at")
