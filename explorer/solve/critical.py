"""`critical_set`: the strategies in order, each with the coverage that it can honestly state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from explorer.algebra.msolve import TooMany
from explorer.algebra.solver import Dimension, SystemSolution, solve_zero_dimensional
from explorer.budget import Budget, Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.homotopy.model import applies as ridge_network
from explorer.model.kinds import is_piecewise_polynomial, is_polynomial
from explorer.model.polynomial import loss_polynomial
from explorer.point import EnclosedPoint
from explorer.problem import DenseNetwork, Problem
from explorer.solve import convex, neurons
from explorer.solve.classify import Target
from explorer.solve.finite import from_solution
from explorer.solve.linear.closed_form import is_deep_linear
from explorer.solve.linear.orbits import by_orbits
from explorer.solve.linear.unregularised import any_depth, data_of
from explorer.solve.monodromy import by_monodromy
from explorer.solve.one_weight import chains, line
from explorer.solve.results import Coverage, CriticalSet, Trust
from explorer.solve.structure import by_structure
from explorer.solve.units.exponential import applies, by_exponentials
from explorer.solve.values import CONTRADICTION
from explorer.solve.varieties.families import decomposed, has_families

#: up to this many parameters case splits come before the closed form of linear networks
SMALL = 4
#: up to this many parameters branch and prune is tried without being asked for
ENCLOSED = 6
#: from this many parameters on monodromy comes before the exact engines (measured: docs/performance.md)
LARGE = 12
#: the share of the time that is left for each exact engine, before monodromy
EXACT_SHARE = Fraction(3, 10)
#: what the method of an answer says when an exact engine had been stopped
LATE = "; an exact engine was stopped after its share of the time, 3/10 of what was left"
#: a ridge network's system with more solutions is left to monodromy
MANY = 600


def critical_set(problem: Problem, *, budget: Budget | None = None, box: EnclosedPoint | None = None) -> CriticalSet:
    """All critical points of ``problem`` as far as the methods here reach; ``coverage`` says how far that is.

    Linear networks: in closed form, without a ridge or with one weight for all. Polynomial losses: a gradient with a common
    factor is decomposed by case splits; otherwise the gradient system is solved (ridge networks after dividing out signs and dead units), and decomposed if it turns out to have infinitely many
    solutions. Piecewise polynomial losses: cell by cell. Sigmoid, tanh and exp: algebraic in t = exp(w/q).
    Every other regularised problem of up to `ENCLOSED` parameters whose critical points have an a-priori radius: branch and prune.
    With a ``box`` (its ends as an `EnclosedPoint`): several units with one incoming weight each and no regularizer as strata over
    effective networks, branch and prune in the box for any other problem.
    Everything else: an empty list whose coverage says why. Never raises for lack of time or method: it says so.
    """
    return _consistent(_answer(problem, (budget or Budget()).start(), box))


def _consistent(found: CriticalSet) -> CriticalSet:
    """A list that contradicts itself is not complete."""
    if not found.coverage.complete or not found.global_because.startswith(CONTRADICTION):
        return found
    reason = f"{found.coverage.reason}; but {CONTRADICTION}"
    return replace(found, coverage=replace(found.coverage, complete=False, reason=reason))


def _answer(problem: Problem, deadline: Deadline, box: EnclosedPoint | None) -> CriticalSet:
    try:
        if box is not None:
            return _on_line(problem, deadline, box) if line.applies(problem) else _enclosed(problem, deadline, box)
        try:
            found = _critical_set(problem, deadline)
            return found if found.coverage.complete else _chain(problem, deadline) or found
        except Unsupported as first:
            if (chained := _chain(problem, deadline)) is not None:
                return chained
            if line.applies(problem):
                return line.by_line(problem, deadline)
            if len(problem.parameters) > ENCLOSED:
                raise
            try:
                return _enclosed(problem, deadline, None)
            except Unsupported as second:
                return _nothing(problem, _neither(problem, first, second))
    except (BudgetExceeded, Unsupported) as stopped:
        return _nothing(problem, stopped.sentence())


def _chain(problem: Problem, deadline: Deadline) -> CriticalSet | None:
    """Chains of single homogeneous units, where no other method has all critical points."""
    if chains.applies(problem):
        with suppress(Unsupported, BudgetExceeded):
            return chains.by_chain(problem, deadline, lambda one, clock: _answer(one, clock, None))
    return None


def _neither(problem: Problem, exact: Unsupported, search: Unsupported) -> str:
    """Why neither exact methods nor a search of all of space answer, and what to do about it, in one sentence."""
    why = f"the exact methods need {exact.expected} (here: {exact.got})" if exact.expected else exact.sentence()
    if search.subject != "a-priori radius":
        return f"{why}; {search.sentence()}"
    r = problem.regularizer
    ridge = r is not None and r.exponent != 1 and all(r.weights)
    remedy = "give a box with --box" + ("" if ridge else ", or put a ridge (l2) on every parameter")
    return f"{why}, and an a-priori radius for a search of all of space needs {search.expected} (here: {search.got}): {remedy}"


def _nothing(problem: Problem, why: str) -> CriticalSet:
    return CriticalSet(problem, (), Coverage(False, "none", Trust.COMPUTED, why))


def _on_line(problem: Problem, deadline: Deadline, box: EnclosedPoint) -> CriticalSet:
    """One parameter: branch and prune, or with kinks, where it may stop, first intervals and one-sided derivatives."""
    if line.has_kinks(problem):
        with suppress(Unsupported):
            if (found := line.by_line(problem, deadline, box)).coverage.complete:
                return found
    found = _enclosed(problem, deadline, box)
    if not found.coverage.complete and not line.has_kinks(problem):
        with suppress(BudgetExceeded, Unsupported):
            if (closed := line.by_line(problem, deadline, box)).coverage.complete:
                return closed
    return found


def _enclosed(problem: Problem, deadline: Deadline, box: EnclosedPoint | None) -> CriticalSet:
    from explorer.solve.boxes.enclosure import Region, by_enclosure  # the last strategy, and slow to load

    region = None if box is None else Region.of(problem, box.lower, box.upper)
    if box is not None:
        from explorer.solve.units import box_strata

        if not box_strata.applies(problem):
            return box_strata.by_strata(problem, deadline, box)
    return by_enclosure(problem, deadline, region)


def _critical_set(problem: Problem, deadline: Deadline) -> CriticalSet:
    if convex.applies(problem):
        with suppress(Unsupported):
            return convex.by_convexity(problem, deadline)
    polynomial, why = is_polynomial(problem)
    if not polynomial and (empty := neurons.by_separation(problem)) is not None:
        return empty
    if not polynomial:
        if is_piecewise_polynomial(problem)[0]:
            return _piecewise(problem, deadline)
        if applies(problem):
            return by_exponentials(problem, deadline)
        raise Unsupported("critical set", expected="a polynomial or piecewise polynomial loss", got=why)
    closed, refused = _orbits(problem, deadline)
    if closed is not None:
        return closed
    closed, why = _closed(problem, deadline)
    refused = refused or why
    if closed is not None and not _decomposed_first(problem):
        return closed
    try:
        return _by_engines(problem, deadline, closed, refused)
    except BudgetExceeded as stopped:
        if not refused:
            raise
        return _nothing(problem, f"{stopped.sentence()}; {refused}")


def _by_engines(problem: Problem, deadline: Deadline, closed: CriticalSet | None, refused: str) -> CriticalSet:
    t = Target(problem, loss_polynomial(problem))
    if has_families(t):
        return _explained(_either(decomposed(t, deadline), closed), refused)
    solution = _finite(t, deadline)
    if solution.dimension in (Dimension.FINITE, Dimension.EMPTY):
        return from_solution(t, solution, deadline)
    return _explained(_either(decomposed(t, deadline), closed), refused)


def _orbits(problem: Problem, deadline: Deadline) -> tuple[CriticalSet | None, str]:
    """Linear networks with one ridge weight for all parameters: their families are orbits, or why that is not enough."""
    try:
        return by_orbits(problem, deadline), ""
    except Unsupported as why:
        return None, why.sentence()


def _closed(problem: Problem, deadline: Deadline) -> tuple[CriticalSet | None, str]:
    """The closed form of linear networks, or why it does not apply to one."""
    if not is_deep_linear(problem):
        return None, ""
    try:
        return any_depth(problem, deadline), ""
    except Unsupported as why:
        return None, why.sentence()


def _decomposed_first(problem: Problem) -> bool:
    """Linear networks with few parameters or with layers of one unit, where case splits also cut into connected pieces;
    not with repeated eigenvalues, whose families are no longer cut out by monomials."""
    assert isinstance(problem.network, DenseNetwork)
    few = len(problem.parameters) <= SMALL or max(problem.network.widths) == 1
    return few and not data_of(problem).repeated


def _explained(found: CriticalSet, refused: str) -> CriticalSet:
    """An incomplete answer also says why the closed form of linear networks does not apply."""
    if found.coverage.complete or not refused:
        return found
    return replace(found, coverage=replace(found.coverage, reason=f"{found.coverage.reason}; {refused}"))


def _piecewise(problem: Problem, deadline: Deadline) -> CriticalSet:
    """One hidden layer of relu-like units face by face, everything else cell by cell."""
    from explorer.solve.pieces.layer import layer_of

    layer = layer_of(problem)
    if layer is None:
        from explorer.solve.pieces.piecewise import by_cells

        return by_cells(problem, deadline)
    if layer.ridge and layer.degree > 1:
        from explorer.solve.pieces.fans_smooth import with_smooth_kinks

        return with_smooth_kinks(layer, deadline)
    if not layer.flat:
        from explorer.solve.pieces.fans_ridge import with_ridge

        return with_ridge(layer, deadline)
    from explorer.solve.pieces.fans_free import polyhedral

    return polyhedral(layer, deadline)


def _finite(t: Target, deadline: Deadline) -> SystemSolution:
    """By structure and exact engines; for ridge networks that are too large for them by monodromy, which is numerical."""
    if not ridge_network(t.problem):
        with suppress(TooMany):
            if (found := by_structure(t, deadline)) is not None:
                return found
        return solve_zero_dimensional(t.gradient, deadline)
    numerical, late = None, ""
    if len(t.loss.names) >= LARGE and (numerical := by_monodromy(t, deadline)) is not None and numerical.complete:
        return numerical
    for method in (by_structure, _directly):
        clock = deadline if deadline.remaining is None else Deadline(deadline.remaining * EXACT_SHARE)
        try:
            if (found := method(t, clock)) is not None and found.dimension is not Dimension.UNDECIDED:
                return replace(found, method=found.method + late)
        except BudgetExceeded:
            deadline.check("solving the gradient system")
            late = LATE  # another method answers: a longer budget, or a faster machine, may do better
        except TooMany:  # the system without structure has still more solutions
            break
    found = numerical or by_monodromy(t, deadline)
    assert found is not None
    return replace(found, method=found.method + late)


def _directly(t: Target, deadline: Deadline) -> SystemSolution:
    return solve_zero_dimensional(t.gradient, deadline, largest=MANY)


def _either(found: CriticalSet, closed: CriticalSet | None) -> CriticalSet:
    """The decomposition, which knows connected pieces, unless it is incomplete and a closed form is not; what the closed
    form knows about the global value is added."""
    if closed is None:
        return found
    if not found.coverage.complete:
        return closed
    low = None if closed.global_value is None else closed.global_value.as_fraction
    if found.global_value is not None or low is None:
        return found
    settled = tuple(
        replace(c, is_global=True if c.value.as_fraction == low else False if c.value.lower > low else c.is_global)
        for c in found.components
    )
    return replace(found, components=settled, global_value=closed.global_value, global_because=closed.global_because)
