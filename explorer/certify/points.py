"""Which points a certificate is about: as given, or found in the problem's critical set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from explorer.budget import Budget
from explorer.certify import descents
from explorer.certify.located import Located
from explorer.errors import Invalid, NotCertifiable
from explorer.model.coordinates import as_point
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import DenseNetwork, Problem
from explorer.propose.networks import SMOOTH
from explorer.solve.results import Component, Evidence, Kind

if TYPE_CHECKING:
    from explorer.solve.results import CriticalSet

LISTED = 8  #: parameters up to which the solvers may list the critical points of a network that is not polynomial
#: goal -> whether a component of the critical set answers it
FITS: dict[str, Callable[[Component], bool]] = {
    "value": lambda c: True,
    "critical-point": lambda c: True,
    "critical-inertia": lambda c: True,
    "strict-local-minimum": lambda c: c.kind is Kind.STRICT_MINIMUM,
    "strict-local-maximum": lambda c: c.kind is Kind.STRICT_MAXIMUM,
    "local-minimum": lambda c: c.kind.is_minimum,
    "local-maximum": lambda c: c.kind.is_maximum,
    "strict-saddle": lambda c: c.kind is Kind.STRICT_SADDLE,
    "saddle": lambda c: c.kind.is_saddle,
    "not-local-minimum": lambda c: c.kind.is_saddle or c.kind is Kind.STRICT_MAXIMUM,
    "not-local-maximum": lambda c: c.kind.is_saddle or c.kind is Kind.STRICT_MINIMUM,
    "global-minimum": lambda c: c.is_global is True,
    "not-global": lambda c: c.is_global is False,
    "spurious-local-minimum": lambda c: c.kind.is_minimum and c.is_global is False,
    "tangent-optimal": lambda c: True,
    "kinks-nearby": lambda c: True,
    "rank": lambda c: True,
}


def located(problem: Problem, name: str, at: AnyPoint | Mapping[str, Any], evidence: Any) -> Located:
    """The point as given, with the solver's evidence about it (an `Evidence` or a `Component`), if any."""
    found = evidence.evidence if isinstance(evidence, Component) else evidence
    if found is not None and not isinstance(found, Evidence):
        raise Invalid("evidence", expected="an Evidence or a Component", got=type(evidence).__name__)
    if isinstance(at, EnclosedPoint):
        if isinstance(evidence, Component) and evidence.is_family:
            raise NotCertifiable(
                f"point {name}",
                expected="exact coordinates, or a box with one critical point in it",
                got="a box around one point of a family",
            )
        if len(at.lower) != len(problem.parameters) or len(at.upper) != len(at.lower):
            raise Invalid("point", expected=f"a box of {len(problem.parameters)} intervals", got=f"{len(at.lower)}")
        return Located(problem, name, at, found or Evidence())
    return Located.of(problem, name, as_point(at, problem), found)


def choose(problem: Problem, goal: str, budget: Budget | None) -> Located:
    """The first component of the critical set that answers ``goal``; `NotCertifiable` if there is none."""
    if descends(problem) and goal in descents.GOALS:
        return descents.minimum(problem, goal, budget)
    found = _critical_set(problem, budget)
    for component in found.components:
        if FITS[goal](component):
            return located(problem, "p", component.sample, component)
    raise NotCertifiable(
        goal,
        expected="a critical point of that kind",
        got=f"none among {len(found.components)} components ({found.coverage.reason})",
        remedy="give the point with at=",
    )


def lower(p: Located, budget: Budget | None) -> Located:
    """A point of the critical set with a lower value than ``p``: the lowest one that is known."""
    if descends(p.problem):
        return descents.lower(p, budget)
    found = _critical_set(p.problem, budget)
    for component in sorted(found.components, key=lambda c: (c.value.upper, c.value.lower)):
        if component.value.upper < p.bounds[0]:
            if component.is_family and isinstance(component.sample, EnclosedPoint):
                return located(p.problem, "q", Point.rational(component.sample.centre), component)
            return located(p.problem, "q", component.sample, component)
    raise NotCertifiable(
        "lower point",
        expected="a critical point with a lower value",
        got=f"none among {len(found.components)} components ({found.coverage.reason})",
        remedy="give one with better=",
    )


def descends(problem: Problem) -> bool:
    """Whether points are looked for by descent: networks with so many parameters that no solver lists their critical points, unless
    they are polynomial, with a regularizer that makes minima strict."""
    net, extra = problem.network, problem.regularizer
    if not isinstance(net, DenseNetwork) or extra is None or extra.kind != "l2" or not all(extra.weights):
        return False
    kinds = {a.kind for a in (*net.activations, net.output)} - {"linear"}
    return len(problem.parameters) > LISTED and bool(kinds) and kinds <= set(SMOOTH)


def _critical_set(problem: Problem, budget: Budget | None) -> CriticalSet:
    from explorer.solve.critical import critical_set

    return critical_set(problem, budget=budget or Budget())
