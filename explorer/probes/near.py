"""What a problem looks like near one exact point: its value there, and the point's kind where a rule decides it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.errors import Invalid, Unsupported
from explorer.model.kinds import is_piecewise_polynomial, is_polynomial
from explorer.model.landscape import landscape
from explorer.model.polynomial import LossPolynomial, cell_polynomial, loss_polynomial
from explorer.point import Inertia, Point
from explorer.problem import Problem
from explorer.solve.classify import Target, classify
from explorer.solve.results import Kind, Value
from explorer.solve.tangent import tangent_lemma


@dataclass(frozen=True)
class Near:
    """``kind`` None: the point is not critical. ``inertia`` None: not computed. ``because`` is a whole sentence."""

    kind: Kind | None
    inertia: Inertia | None
    because: str

    @property
    def critical(self) -> bool:
        return self.kind is not None


def value_at(problem: Problem, point: Point) -> Value:
    """F at the point; `Unsupported` where it is not known exactly."""
    element, field = landscape(problem).value_at(point)
    if element is None:
        raise Unsupported("the value of F", expected="an exact number", got="none in the field of the point")
    low, high = arithmetic(field).enclose(element, 128)
    return Value(low, high, element, field)


def is_zero(value: Value) -> bool:
    """Whether the value is exactly 0."""
    return value.exact is not None and arithmetic(value.field).is_zero(value.exact)


def below(a: Value, b: Value) -> bool | None:
    """Whether a < b; None where the enclosures overlap and the exact numbers lie in different fields."""
    if a.exact is not None and b.exact is not None and a.field == b.field:
        ring = arithmetic(a.field)
        return ring.sign(ring.sub(b.exact, a.exact)) > 0
    if a.upper < b.lower:
        return True
    if a.lower >= b.upper:
        return False
    x, y = a.as_fraction, b.as_fraction
    return None if x is None or y is None else x < y


def near(problem: Problem, point: Point, deadline: Deadline) -> Near:
    """The kind of the point: by the classifier for (piecewise) polynomial losses, else by the Hessian and the tangent lemma.

    `Unsupported` at kinks and where the derivatives are not known exactly.
    """
    local = _local_polynomial(problem, point)
    if local is None:
        return _by_hessian(problem, point)
    target = Target(problem, local)
    if not target.gradient.vanishes_at(point):
        return Near(None, None, "the gradient is not 0 there")
    found = target.hessian_inertia(point)
    if all(not any(e) for e in local.terms):
        return Near(Kind.MINIMUM, found, "F is constant near the point")
    try:
        answer = classify(target, point, deadline, found=found)
    except Invalid as error:
        return Near(None, None, error.sentence())
    return Near(answer.kind, found, answer.because)


def _local_polynomial(problem: Problem, point: Point) -> LossPolynomial | None:
    if is_polynomial(problem)[0]:
        return loss_polynomial(problem)
    if is_piecewise_polynomial(problem)[0] and point.is_rational:
        return cell_polynomial(problem, point).polynomial
    return None


def _by_hessian(problem: Problem, point: Point) -> Near:
    geometry = landscape(problem).at(point)
    if not geometry.is_critical:
        return Near(None, None, "the gradient is not 0 there")
    found = geometry.inertia
    if not found.zero:
        kind = Kind.STRICT_SADDLE
        if not found.negative or not found.positive:
            kind = Kind.STRICT_MAXIMUM if found.negative else Kind.STRICT_MINIMUM
        return Near(kind, found, "the Hessian is regular")
    if found.negative and found.positive:
        return Near(Kind.STRICT_SADDLE, found, "the Hessian has eigenvalues of both signs")
    if not found.negative and geometry.value is not None and not any(geometry.value) and problem.data is not None:
        return Near(Kind.MINIMUM, found, "F = 0 there, and F is a sum of nonnegative terms")
    if not found.negative and tangent_lemma(problem, point) is not None:
        return Near(
            Kind.MINIMUM, found, "tangent lemma: F minus its value is bounded below by a functional with a minimum"
        )
    return Near(Kind.UNDECIDED, found, "the Hessian is singular and no rule for that applies")


def distance_squared(a: Point, b: Point) -> Fraction | None:
    """|a - b|^2 for rational points."""
    if not (a.is_rational and b.is_rational):
        return None
    return sum(((x[0] - y[0]) ** 2 for x, y in zip(a.coordinates, b.coordinates, strict=True)), Fraction(0))
