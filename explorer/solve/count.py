"""How many complex critical points a polynomial loss has, and nothing else: no coordinates, no signs, no kinds.

Ridge networks go by structure (`explorer.solve.structure`): the origin once, and for every pattern of living units and every chart the
dimension of the quotient algebra of the reduced system, times 2 for the sign of every living unit. Small reduced systems have Groebner
bases over Q in this process, so their dimension is exact; of the others msolve computes the leading ideal modulo one prime. Every other
polynomial loss: the dimension for its gradient system itself.

A reduced system has no solution with U_i = 0 (checked: such points belong to other patterns), so that (U, m) -> w is etale at each of its
solutions, and each critical point lies in exactly one pattern and chart. A chart is a linear subspace on which the parameters outside it
have zero derivative or are equations of their own, so that its local rings are quotients of the gradient system's. Therefore

    distinct critical points  <=  this number  <=  dimension for the whole gradient system,

with equality where every critical point is nondegenerate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.algebra import groebner
from explorer.algebra.msolve import find_msolve, modular_count
from explorer.algebra.parametrization import Dimension, immediate
from explorer.algebra.quotient import Vanishes
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Budget, Deadline
from explorer.errors import Unsupported
from explorer.model.polynomial import loss_polynomial
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.classify import Target
from explorer.solve.structure import Unstructured, applies, charts, hidden_units, patterns


@dataclass(frozen=True)
class ComplexCount:
    """The number of complex critical points, degenerate ones with multiplicity (see the module's text).

    ``exact``: by exact algebra over Q. Else at least one summand is a dimension modulo a random prime of 30 bits, which is the one
    over Q for all but finitely many primes: strong evidence, no bound.
    """

    number: int
    exact: bool

    @property
    def word(self) -> str:
        return "exact over Q" if self.exact else "modulo a prime"


def complex_count(problem: Problem, *, budget: Budget | None = None) -> ComplexCount:
    """How many complex critical points ``problem`` has.

    `Unsupported` where the loss is not a polynomial or has infinitely many, `BudgetExceeded` when the time is spent.
    """
    deadline = (budget or Budget()).start()
    t = Target(problem, loss_polynomial(problem))
    if applies(problem) and t.gradient.vanishes_at(Point.rational([0] * len(t.loss.names))):
        try:
            return _by_structure(t, deadline)
        except Unstructured:
            pass
    number, exact = _dimension(t.gradient, deadline)
    if number is None:
        raise Unsupported(
            "the number of complex critical points", expected="finitely many", got=Dimension.POSITIVE.value
        )
    return ComplexCount(number, exact)


def _by_structure(t: Target, deadline: Deadline) -> ComplexCount:
    assert isinstance(t.problem.network, DenseNetwork)
    units = hidden_units(t.problem.network)
    total, exact = 1, True
    for living in patterns(units):
        for chart in charts(t, units, living):
            number, proved = _dimension(chart.system, deadline, chart.squares)
            if number is None:
                raise Unstructured
            total += 2 ** len(living) * number
            exact &= proved
    return ComplexCount(total, exact)


def _dimension(system: PolynomialSystem, deadline: Deadline, nonzero: Sequence[int] = ()) -> tuple[int | None, bool]:
    """The dimension of the quotient algebra (None where it is infinite), and whether it is exact over Q; `Unstructured` where a solution
    has one of the unknowns ``nonzero`` equal to 0."""
    deadline.check("counting complex critical points")
    if (known := immediate(system)) is not None and not (nonzero and known.multiplicity):
        return known.multiplicity, True
    try:
        if (small := groebner.quick_count(system, nonzero)) is not None:
            return small[1], True
    except Vanishes:
        raise Unstructured from None
    if (binary := find_msolve()) is None:
        found = groebner.propose(system, deadline)
        dimension, number, exact, why = found.dimension, found.multiplicity, True, found.reason
    else:
        (dimension, number), exact, why = modular_count(system, binary, deadline), False, "msolve does not say"
    if dimension is Dimension.UNDECIDED:
        raise Unsupported("the number of complex critical points", expected="an engine that counts them", got=why)
    for k in nonzero if number else ():
        without, proved = _dimension(_at_zero(system, k), deadline)
        if without != 0:
            raise Unstructured
        exact &= proved
    return number, exact


def _at_zero(system: PolynomialSystem, k: int) -> PolynomialSystem:
    """The system for the other unknowns where this one is 0."""
    names = (*system.names[:k], *system.names[k + 1 :])
    left = tuple(tuple(((*e[:k], *e[k + 1 :]), c) for e, c in p if not e[k]) for p in system.equations)
    return PolynomialSystem(names, left)
