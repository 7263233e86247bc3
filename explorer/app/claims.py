"""Exact claims about a landscape as assertions, for tests: proved by certificate and checker, refuted, or unknown.

Every claim returns what proves it (the checker's fact) or raises AssertionError with what refutes it; if neither a
proof nor a refutation was found it raises `UnknownClaim` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from explorer.app.checking import check
from explorer.app.given import point_from_json
from explorer.app.pytest_plugin import UnknownClaim
from explorer.budget import Budget
from explorer.errors import BudgetExceeded, NotCertifiable, Unsupported
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import Problem

#: goal -> goals that contradict it; a verified one of these refutes the claim
OPPOSITES = {
    "local-minimum": ("not-local-minimum",),
    "strict-local-minimum": ("not-local-minimum",),
    "global-minimum": ("not-local-minimum",),
    "local-maximum": ("not-local-maximum",),
    "strict-local-maximum": ("not-local-maximum",),
    "saddle": ("local-minimum", "local-maximum"),
    "strict-saddle": ("local-minimum", "local-maximum"),
    "not-local-minimum": ("local-minimum",),
    "not-local-maximum": ("local-maximum",),
    "spurious-local-minimum": ("not-local-minimum", "global-minimum"),
}
NO_ANSWER = (NotCertifiable, Unsupported, BudgetExceeded)

#: a point as people write it in a test: a `Point`, or {parameter: exact number}
Where = AnyPoint | Mapping[str, Any]


class LandscapeClaims:
    """Claims about problems; points are `Point` objects or mappings from every parameter to an exact number.

    >>> def test_saddle(landscape_claims):
    ...     landscape_claims.index(problem, {"v": 0, "w": 0}, 1)
    """

    def __init__(self, *, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()

    # -- one point ---------------------------------------------------------------------------------------------

    def local_minimum(self, problem: Problem, at: Where) -> str:
        """F(q) >= F(p) for all q near p."""
        return self.holds(problem, "local-minimum", at)

    def strict_local_minimum(self, problem: Problem, at: Where) -> str:
        """F(q) > F(p) for all q != p near p."""
        return self.holds(problem, "strict-local-minimum", at)

    def global_minimum(self, problem: Problem, at: Where) -> str:
        """F(q) >= F(p) for all q."""
        return self.holds(problem, "global-minimum", at)

    def saddle(self, problem: Problem, at: Where) -> str:
        """p is critical, neither a local minimum nor a local maximum."""
        return self.holds(problem, "saddle", at)

    def not_local_minimum(self, problem: Problem, at: Where) -> str:
        """Every neighbourhood of p holds a lower point."""
        return self.holds(problem, "not-local-minimum", at)

    def spurious_local_minimum(self, problem: Problem, at: Where, better: Where) -> str:
        """p is a local minimum and F(better) < F(p)."""
        return self.holds(problem, "spurious-local-minimum", at, better=better)

    def critical(self, problem: Problem, at: Where) -> str:
        """The gradient at p is exactly zero."""
        fact, why = self._proved(problem, "critical-point", at)
        if fact is not None:
            return fact
        if self._is_critical(problem, at) is False:
            raise AssertionError("refuted: the gradient there is not zero (computed exactly)")
        raise UnknownClaim(f"critical-point: {why}")

    def not_global(self, problem: Problem, at: Where, better: Where) -> str:
        """F(better) < F(p)."""
        fact, why = self._proved(problem, "not-global", at, better=better)
        if fact is not None:
            return fact
        contrary, _ = self._proved(problem, "not-global", better, better=at)
        if contrary is not None:
            raise AssertionError(f"refuted, the other way round: {contrary}")
        low, _ = self._proved(problem, "global-minimum", at)
        if low is not None:
            raise AssertionError(f"refuted: {low}")
        raise UnknownClaim(f"not-global: {why}")

    def index(self, problem: Problem, at: Where, expected: int) -> str:
        """p is critical and its Hessian has exactly ``expected`` negative eigenvalues."""
        fact, inertia, why = self._inertia(problem, at)
        if fact is None:
            if self._is_critical(problem, at) is False:
                raise AssertionError("refuted: the gradient there is not zero (computed exactly)")
            raise UnknownClaim(f"critical-inertia: {why}")
        if inertia[2] != expected:
            raise AssertionError(f"refuted, the index is {inertia[2]}, not {expected}: {fact}")
        return fact

    def holds(self, problem: Problem, goal: str, at: Where, *, better: Where | None = None) -> str:
        """Any goal of docs/certificate.md about one point (or two): the fact in the checker's words."""
        fact, why = self._proved(problem, goal, at, better=better)
        if fact is not None:
            return fact
        for opposite in OPPOSITES.get(goal, ()):
            contrary, _ = self._proved(problem, opposite, at)
            if contrary is not None:
                raise AssertionError(f"refuted: {contrary}")
        raise UnknownClaim(f"{goal}: {why}")

    # -- the whole critical set --------------------------------------------------------------------------------

    def all_critical_points(
        self, problem: Problem, expected: int | Iterable[Where], *, by_index: Mapping[int, int] | None = None
    ) -> str:
        """The critical points are exactly ``expected``: their number, or the points themselves; all isolated.

        ``by_index`` may add how many have each Morse index. The trust is *computed* (exact, no certificate of
        completeness); each point that is listed is proved critical by a certificate.
        """
        from explorer.solve.critical import critical_set

        try:
            found = critical_set(problem, budget=self.budget)
        except NO_ANSWER as error:
            raise UnknownClaim(f"all critical points: {error}") from None
        points = None if isinstance(expected, int) else [_point(p, problem) for p in expected]
        count = expected if isinstance(expected, int) else len(points or ())
        if points is not None:
            for p in points:
                self.critical(problem, p)
            for p, q in combinations(points, 2):
                _require_distinct(p, q)
        if found.families:
            raise AssertionError(f"refuted (computed): there are {len(found.families)} families of critical points")
        if not found.coverage.complete:
            if found.real_points > count:
                raise AssertionError(f"refuted (computed): at least {found.real_points} critical points, not {count}")
            raise UnknownClaim(f"all critical points: {found.coverage.reason}")
        if found.real_points != count:
            raise AssertionError(f"refuted (computed): {found.real_points} critical points, not {count}")
        if by_index is not None and found.by_index != {str(k): n for k, n in sorted(by_index.items()) if n}:
            raise AssertionError(f"refuted (computed): by index {found.by_index}, not {dict(by_index)}")
        return f"computed: {count} critical points; {found.coverage.reason}"

    # -- proofs ------------------------------------------------------------------------------------------------

    def _proved(self, problem: Problem, goal: str, at: Where, *, better: Where | None = None) -> tuple[str | None, str]:
        """The checker's fact, or None and the reason why there is none."""
        certificate, why = self._certificate(problem, goal, at, better)
        if certificate is None:
            return None, why
        verdict = check(problem, certificate)
        return (verdict.fact, "") if verdict.status == "verified" else (None, f"the checker rejected it: {verdict.why}")

    def _certificate(self, problem: Problem, goal: str, at: Where, better: Where | None) -> tuple[Any, str]:
        from explorer.certify import certify

        pair = None if better is None else _point(better, problem)
        try:
            return certify(problem, goal=goal, at=_point(at, problem), better=pair, budget=self.budget), ""
        except NO_ANSWER as error:
            return None, str(error)

    def _inertia(self, problem: Problem, at: Where) -> tuple[str | None, tuple[int, ...], str]:
        certificate, why = self._certificate(problem, "critical-inertia", at, None)
        if certificate is None:
            return None, (), why
        verdict = check(problem, certificate)
        if verdict.status != "verified":
            return None, (), f"the checker rejected it: {verdict.why}"
        step = next(s for s in certificate.to_json()["steps"] if s["rule"] == "inertia")
        return verdict.fact, tuple(step["inertia"]), ""

    def _is_critical(self, problem: Problem, at: Where) -> bool | None:
        from explorer.model.landscape import landscape

        point = _point(at, problem)
        if not isinstance(point, Point):
            return None
        try:
            return landscape(problem).at(point, order=1).is_critical
        except NO_ANSWER:
            return None


def _point(where: Where, problem: Problem) -> AnyPoint:
    return where if isinstance(where, (Point, EnclosedPoint)) else point_from_json(where, problem)


def _require_distinct(p: AnyPoint, q: AnyPoint) -> None:
    """Two expected points must be different ones, or their number would not count points."""
    if isinstance(p, Point) and isinstance(q, Point) and p.field == q.field:
        if p.coordinates == q.coordinates:
            raise AssertionError("a critical point is listed twice")
        return
    if not any(a[1] < b[0] or b[1] < a[0] for a, b in zip(_bounds(p), _bounds(q), strict=True)):
        raise UnknownClaim("two expected points in different fields could not be told apart; list them in one field")


def _bounds(p: AnyPoint) -> list[tuple[Any, Any]]:
    from explorer.solve.scalars import enclosure

    if isinstance(p, EnclosedPoint):
        return list(zip(p.lower, p.upper, strict=True))
    return [enclosure(c, p.field) for c in p.coordinates]
