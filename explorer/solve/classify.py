"""The kind of a critical point of a polynomial loss, by exact rules in a fixed order; `undecided` with a reason otherwise.

Order: nonsingular Hessian; eigenvalues of both signs; the value is the floor of F; the tangent lemma; a Morse-Bott
family through the point; corank one (splitting lemma); descent and ascent curves. The first that applies decides.
Only this module sets a kind at a point; what it used is kept as `Evidence` for the certificate writer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

import flint

from explorer.algebra.balls import ball, bounds
from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import BoxInertia, inertia, inertia_in_box
from explorer.algebra.systems import PolynomialSystem, polynomial
from explorer.budget import Deadline
from explorer.errors import Invalid
from explorer.model.polynomial import LossPolynomial
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import Problem
from explorer.solve import bounds as whole
from explorer.solve.attained import attained
from explorer.solve.curves import curves_at, reduced_order
from explorer.solve.results import Curve, Evidence, Family, Kind, Value
from explorer.solve.scalars import enclosure
from explorer.solve.tangent import tangent_lemma

#: working bits of values over boxes
PRECISION = 192
#: enclosures of values are rounded outward to multiples of 2^-BITS
BITS = 64


@dataclass(frozen=True)
class Target:
    """A problem with its loss polynomial, and what classification needs of it, computed once."""

    problem: Problem
    loss: LossPolynomial

    @cached_property
    def gradient(self) -> PolynomialSystem:
        return PolynomialSystem.gradient(self.loss.names, self.loss.terms)

    @cached_property
    def _value(self) -> PolynomialSystem:
        return PolynomialSystem(self.loss.names, (polynomial(self.loss.terms),))

    @cached_property
    def floor(self) -> Fraction | None:
        return whole.value_floor(self.problem, self.loss.terms)

    @cached_property
    def coercive(self) -> str:
        return whole.coercive(self.problem, self.loss.terms)

    @cached_property
    def attained(self) -> str:
        return attained(self.problem, self.loss.terms)

    def value(self, point: AnyPoint) -> Value:
        """F at an exact point (exact), or an enclosure over a box."""
        if isinstance(point, EnclosedPoint):
            with flint.ctx.workprec(PRECISION):
                box = [ball(a, b) for a, b in zip(point.lower, point.upper, strict=True)]
                lo, hi = bounds(self._value.at_balls(box)[0])
            return Value(Fraction(floor(lo * 2**BITS), 2**BITS), Fraction(ceil(hi * 2**BITS), 2**BITS))
        element = self._value.at(point)[0]
        lo, hi = enclosure(element, point.field)
        return Value(lo, hi, element, point.field)

    def hessian_inertia(self, point: AnyPoint) -> Inertia | None:
        """The exact inertia of the Hessian; over a box None where the enclosure does not decide."""
        if isinstance(point, EnclosedPoint):
            with flint.ctx.workprec(PRECISION):
                box = [ball(a, b) for a, b in zip(point.lower, point.upper, strict=True)]
                found = inertia_in_box(self.gradient.jacobian_at_balls(box))
            return found.inertia if isinstance(found, BoxInertia) else None
        return inertia(self.gradient.jacobian_at(point), point.field)


@dataclass(frozen=True)
class Classification:
    """A kind with its reason and evidence; ``is_global`` is True only where the value is the floor of F."""

    kind: Kind
    because: str
    evidence: Evidence = field(default_factory=Evidence)
    is_global: bool | None = None


def target(problem: Problem, loss: LossPolynomial) -> Target:
    return Target(problem, loss)


def classify(
    t: Target,
    point: AnyPoint,
    deadline: Deadline,
    *,
    found: Inertia | None = None,
    family: Family | None = None,
    family_dimension: int = 0,
) -> Classification:
    """The kind of the critical point ``point``; ``family`` is a family of critical points through it, if one is known."""
    found = found or t.hessian_inertia(point)
    if isinstance(point, EnclosedPoint):
        if found is None:
            return Classification(
                Kind.UNDECIDED, "the enclosure of the Hessian over the box does not decide the signs of its eigenvalues"
            )
        return _nondegenerate(found)
    assert found is not None
    if not t.gradient.vanishes_at(point):
        raise Invalid(
            "point", expected="a critical point", got="one with nonzero gradient", remedy="check the coordinates"
        )
    if found.zero == 0:
        return _nondegenerate(found)
    if found.positive and found.negative:
        return Classification(Kind.STRICT_SADDLE, _signs(found))
    return degenerate(t, point, found, deadline, family=family, family_dimension=family_dimension)


def degenerate(
    t: Target, point: Point, found: Inertia, deadline: Deadline, *, family: Family | None, family_dimension: int
) -> Classification:
    """The rules for a singular, semidefinite Hessian at an exact critical point."""
    value = t.value(point)
    a = arithmetic(point.field)
    at_floor = (
        t.floor is not None and value.exact is not None and a.is_zero(a.sub(value.exact, a.from_fraction(t.floor)))
    )
    if at_floor:
        evidence = Evidence(at_floor=whole.has_certified_floor(t.problem))
        why = whole.nonnegative(t.problem, t.loss.terms)
        return Classification(Kind.MINIMUM, f"F = 0 here and F >= 0 everywhere: {why}", evidence, True)
    if found.negative == 0:
        proof = tangent_lemma(t.problem, point)
        if proof is not None:
            return Classification(
                Kind.MINIMUM,
                "tangent lemma: F minus its value is bounded below by a functional with a minimum here",
                Evidence(flat=proof),
            )
    if family is not None and family_dimension == found.zero:
        return morse_bott(found, family)
    if found.zero == 1 and (found.positive or found.negative):
        curve = reduced_order(t.loss.terms, point, deadline)
        if curve is not None:
            return _corank_one(t, point, found, curve, deadline)
    want = frozenset(({-1} if not found.negative else set()) | ({1} if not found.positive else set()))
    curves = curves_at(t.loss.terms, point, deadline, want=want)
    evidence = Evidence(descent=curves.get(-1), ascent=curves.get(1))
    if want <= curves.keys():
        return Classification(Kind.SADDLE, f"{_directions(found)}; {_curve_words(curves)}", evidence)
    missing = " or ".join(("descent", "ascent")[s > 0] for s in sorted(want - curves.keys()))
    return Classification(
        Kind.UNDECIDED,
        f"the Hessian is singular ({_signs(found)}), no rule for degenerate minima or maxima applies and no {missing} "
        f"curve was found among those tried",
        evidence,
    )


def morse_bott(found: Inertia, family: Family | None) -> Classification:
    """A critical family whose dimension is the nullity of a semidefinite Hessian."""
    evidence = Evidence(morse_bott=family)
    kind = Kind.MAXIMUM if found.negative else Kind.MINIMUM
    if not found.negative and not found.positive:
        return Classification(
            Kind.MINIMUM, "F is constant near this point, which is both a local minimum and a local maximum", evidence
        )
    shape = "positive" if kind is Kind.MINIMUM else "negative"
    return Classification(
        kind,
        f"Morse-Bott: a family of critical points of dimension {found.zero} passes here and the Hessian is {shape} "
        "definite across it",
        evidence,
    )


def _corank_one(t: Target, point: Point, found: Inertia, curve: Curve, deadline: Deadline) -> Classification:
    """Splitting lemma: F is a nondegenerate form plus c s^m + ..., so m and the sign of c decide."""
    a = arithmetic(point.field)
    sign = a.sign(curve.coefficient)
    outer = 1 if found.positive else -1
    if curve.order % 2 == 0 and sign == outer:
        kind = Kind.STRICT_MINIMUM if outer > 0 else Kind.STRICT_MAXIMUM
        return Classification(
            kind, f"the Hessian has one zero eigenvalue and F behaves like s^{curve.order} along it (splitting lemma)"
        )
    want = frozenset({-outer})
    curves = {sign: curve} if sign == -outer else curves_at(t.loss.terms, point, deadline, want=want)
    return Classification(
        Kind.SADDLE,
        f"the Hessian has one zero eigenvalue and F behaves like s^{curve.order} along it (splitting lemma); "
        f"{_curve_words(curves)}",
        Evidence(descent=curves.get(-1), ascent=curves.get(1)),
    )


def _nondegenerate(found: Inertia) -> Classification:
    if not found.negative:
        return Classification(Kind.STRICT_MINIMUM, "the Hessian is positive definite")
    if not found.positive:
        return Classification(Kind.STRICT_MAXIMUM, "the Hessian is negative definite")
    return Classification(Kind.STRICT_SADDLE, _signs(found))


def _signs(found: Inertia) -> str:
    return f"eigenvalues: {found.positive} positive, {found.zero} zero, {found.negative} negative"


def _directions(found: Inertia) -> str:
    if found.positive:
        return "a positive eigenvalue gives ascent"
    return "a negative eigenvalue gives descent" if found.negative else "the Hessian is zero"


def _curve_words(curves: dict[int, Curve]) -> str:
    words = {-1: "descends", 1: "ascends"}
    return " and ".join(f"F {words[s]} like s^{curves[s].order} along a polynomial curve" for s in sorted(curves))
