"""Which claims the tour proves at a case: what the solver found, what the case expects, and what it ships."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.app.cases import Case
from explorer.app.given import point_from_json
from explorer.certify import Certificate
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.results import CriticalSet, Kind
from explorer.strict import strict_json

#: kind of a component -> the goal that says the same
GOAL_OF = {
    Kind.STRICT_MINIMUM: "strict-local-minimum",
    Kind.MINIMUM: "local-minimum",
    Kind.STRICT_SADDLE: "strict-saddle",
    Kind.SADDLE: "saddle",
    Kind.MAXIMUM: "local-maximum",
    Kind.STRICT_MAXIMUM: "strict-local-maximum",
    Kind.UNDECIDED: "critical-point",
}


@dataclass(frozen=True)
class Claim:
    """One claim to certify. ``required``: the case expects it, so a missing proof is a difference, not a remark.

    ``stated`` = (rule, key, text): the certificate's step of that rule must say so, e.g. ("value", "value", "25").
    ``shipped`` is a certificate that the case already has; then there is nothing left to write.
    """

    name: str
    goal: str
    options: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False
    stated: tuple[str, str, Any] | None = None
    shipped: Certificate | None = None

    def states(self, certificate: Certificate) -> bool:
        """Whether the certificate's step says what is expected."""
        if self.stated is None:
            return True
        rule, key, expected = self.stated
        step: Mapping[str, Any] = next((s for s in certificate.to_json()["steps"] if s["rule"] == rule), {})
        said = step.get(key)
        return said == expected or said == [expected]


#: parameters up to which the tour proves expected inertias; the tests prove the larger ones (tests/test_cases_solved.py)
TOUR_INERTIA = 64


def box_of(case: Case) -> EnclosedPoint | None:
    """The box in which the case asks for the critical points, or None: it asks for all."""
    if "box" not in case.expected:
        return None
    box = point_from_json(case.expected["box"], case.problem)
    assert isinstance(box, EnclosedPoint)
    return box


def claims_of(case: Case, found: CriticalSet | None) -> tuple[Claim, ...]:
    """All claims at a case, with distinct names."""
    return (*_of_components(found), *_of_facts(case), *_of_files(case))


def _of_components(found: CriticalSet | None) -> Iterator[Claim]:
    """The kind of every component, and for minima whether they are global."""
    if found is None:
        return
    lowest = next((c for c in found.components if c.is_global), None)
    for k, c in enumerate(found.components, 1):
        about: dict[str, Any] = {"at": c.sample, "evidence": c}
        name = f"component-{k:02d}"
        yield Claim(f"{name}-{GOAL_OF[c.kind]}", GOAL_OF[c.kind], about)
        if c.is_global:
            yield Claim(f"{name}-global-minimum", "global-minimum", about)
        if c.kind.is_minimum and c.is_global is False and lowest is not None:
            yield Claim(f"{name}-spurious", "spurious-local-minimum", about | {"better": lowest.sample})


def _of_facts(case: Case) -> Iterator[Claim]:
    """The single facts of expected.json, with the values and inertias that it gives."""
    for k, fact in enumerate(case.expected.get("facts", ()), 1):
        name = f"expected-{k:02d}"
        at = {"at": point_from_json(fact["at"], case.problem)}
        better = {"better": point_from_json(fact["better"], case.problem)} if "better" in fact else {}
        inertia = ("inertia", "inertia", fact["inertia"]) if "inertia" in fact else None
        is_inertia = fact["goal"] == "critical-inertia"
        said = inertia if is_inertia else None
        yield Claim(f"{name}-{fact['goal']}", fact["goal"], at | better, required=True, stated=said)
        if inertia is not None and not is_inertia and len(case.problem.parameters) <= TOUR_INERTIA:
            yield Claim(f"{name}-inertia", "critical-inertia", at, required=True, stated=inertia)
        for key, options in (("value", at), ("better_value", {"at": better.get("better")})):
            if isinstance(fact.get(key), str):
                stated = ("value", "value", fact[key])
                yield Claim(f"{name}-{key.replace('_', '-')}", "value", options, required=True, stated=stated)


def _of_files(case: Case) -> Iterator[Claim]:
    """The certificates that the case ships, as they are."""
    for path in case.certificates:
        certificate = shipped(case.problem, path.read_bytes())
        name = f"shipped-{path.name.removesuffix('.certificate.json')}"
        yield Claim(name, certificate.goal["kind"], required=True, shipped=certificate)


def shipped(problem: Problem, raw: bytes) -> Certificate:
    """A certificate file as the noun."""
    return Certificate(problem, strict_json(raw))
