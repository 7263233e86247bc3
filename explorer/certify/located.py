"""A named point of a problem and what the writers need to know about it: value, gradient, Hessian, inertia."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.certify.enclosure import enclose_loss
from explorer.certify.encode import Step, simplest
from explorer.certify.values import bounds_step, exact_step, rounded_out, state_exactly
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.jets import loss_jet
from explorer.model.landscape import LocalGeometry, landscape
from explorer.model.rings import ExactRing
from explorer.point import AnyPoint, BallPoint, Element, EnclosedPoint, Field, Inertia, Ln2Ring, Point, RationalField
from explorer.problem import Problem, StudentTeacher
from explorer.solve.results import Evidence

MAX_INERTIA = 400  #: the checker's limit on the order of a Hessian


@dataclass(frozen=True)
class Located:
    """The real vector ``point``, called ``name`` in the certificate. ``evidence`` is what a solver found out there."""

    problem: Problem
    name: str
    point: AnyPoint
    evidence: Evidence = field(default_factory=Evidence)

    @classmethod
    def of(cls, problem: Problem, name: str, point: AnyPoint, evidence: Evidence | None = None) -> Located:
        """Over the simplest field in which F and its derivatives are at home."""
        point = simplest(point)
        found = cls(problem, name, point, evidence or Evidence())
        if isinstance(point, Point) and isinstance(point.field, RationalField) and found._needs_ln2:
            return cls(problem, name, Point(Ln2Ring(), point.coordinates), found.evidence)
        return found

    @property
    def exact(self) -> Point:
        """The point, where exact coordinates are needed."""
        if isinstance(self.point, EnclosedPoint):
            raise NotCertifiable(
                f"point {self.name}", expected="exact coordinates", got="a box around a critical point"
            )
        return self.point

    @property
    def is_boxed(self) -> bool:
        return isinstance(self.point, EnclosedPoint)

    @cached_property
    def ball_step(self) -> Step:
        """For a ball: the step that proves its one critical point and that it is a strict minimum."""
        from explorer.certify.convexity import ball_step

        assert isinstance(self.point, BallPoint)
        return ball_step(self.problem, self.name, self.point)

    @property
    def _needs_ln2(self) -> bool:
        """Whether the value or the slope of F involves ln 2 although the coordinates are rational (softplus at 0)."""
        net, loss = self.problem.network, self.problem.loss
        activations = (*getattr(net, "activations", ()), *([net.output] if hasattr(net, "output") else ()))
        return any(a.kind == "softplus" for a in activations) or (loss is not None and loss.kind == "logistic")

    @property
    def field(self) -> Field:
        return self.exact.field

    # -- value -----------------------------------------------------------------------------------------------------

    @cached_property
    def value(self) -> Element | None:
        """F at the point, where it is an element of the point's field."""
        if isinstance(self.point, EnclosedPoint):
            return None
        if isinstance(self.problem.network, StudentTeacher):
            return (Fraction(0),) if taught(self.problem.network, self.point) else None
        ring = ExactRing(self.point.field)
        try:
            found = loss_jet(self.problem, ring, [ring.from_element(c) for c in self.point.coordinates], order=0).value
        except Unsupported:
            return None
        return None if found is None else ring.to_element(found)

    @cached_property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Short rational numbers that enclose F; over a box twice as wide as needed, so that other roundings fit in."""
        if self.value is not None:
            return rounded_out(*arithmetic(self.field).enclose(self.value, 128))
        if isinstance(self.point, BallPoint):
            from explorer.certify.convexity import ball_bounds

            return rounded_out(*ball_bounds(self.problem, self.point, Fraction(self.ball_step["modulus"])))
        if isinstance(self.problem.network, StudentTeacher):
            from explorer.certify.convexity import value_bounds

            return rounded_out(*value_bounds(self.problem, tuple(c[0] for c in self.exact.coordinates)))
        low, high = enclose_loss(self.problem, self.point)
        return rounded_out(low - (high - low) / 2, high + (high - low) / 2)

    def value_step(self) -> Step:
        if self.value is not None and state_exactly(self.value, self.problem):
            return exact_step(self.name, self.value, self.field)
        return bounds_step(self.name, *self.bounds)

    # -- derivatives -----------------------------------------------------------------------------------------------

    @cached_property
    def slope(self) -> LocalGeometry:
        """Exact gradient."""
        return landscape(self.problem).at(self.exact, order=1)

    @cached_property
    def geometry(self) -> LocalGeometry:
        """Exact gradient and Hessian."""
        return landscape(self.problem).at(self.exact)

    def require_critical(self) -> None:
        """`NotCertifiable` unless the gradient at an exact point is exactly zero."""
        a = arithmetic(self.slope.field)
        for name, entry in zip(self.problem.parameters, self.slope.gradient, strict=True):
            if not a.is_zero(entry):
                raise NotCertifiable(
                    f"point {self.name}",
                    expected="a critical point",
                    got=f"dF/d{name} = {a.approximate(entry):.6g}, not 0",
                    remedy="give a point where the gradient vanishes exactly",
                )

    @cached_property
    def inertia(self) -> Inertia:
        """Exact inertia of the Hessian at an exact point."""
        if len(self.problem.parameters) > MAX_INERTIA:
            raise NotCertifiable(
                "inertia", expected=f"at most {MAX_INERTIA} parameters", got=f"{len(self.problem.parameters)}"
            )
        hessian = self.geometry.hessian
        assert hessian is not None  # order 2 was asked for
        return inertia(hessian, self.geometry.field)

    def stationary_steps(self) -> list[Step]:
        if isinstance(self.point, BallPoint):
            return [self.ball_step]
        if self.is_boxed:
            from explorer.certify.boxes import stationary_in_box

            return [stationary_in_box(self)]
        self.require_critical()
        return [{"rule": "stationary", "point": self.name}]

    def inertia_steps(self) -> tuple[Inertia, list[Step]]:
        """The inertia of the Hessian, with the steps that prove it (for a box: also that it holds one critical point)."""
        if isinstance(self.point, BallPoint):
            raise NotCertifiable(f"point {self.name}", expected="a box or an exact point for an inertia", got="a ball")
        if self.is_boxed:
            from explorer.certify.boxes import inertia_over_box

            return inertia_over_box(self)
        found = self.inertia
        step = {"rule": "inertia", "point": self.name, "inertia": [found.positive, found.zero, found.negative]}
        return found, [step]


def taught(net: StudentTeacher, point: Point) -> bool:
    """Whether the nonzero students are the teacher's vectors in some order, so that F = 0."""
    if not isinstance(point.field, RationalField):
        return False
    w = [c[0] for c in point.coordinates]
    rows = [tuple(w[k : k + net.inputs]) for k in range(0, len(w), net.inputs)]
    return sorted(row for row in rows if any(row)) == sorted(net.vectors())
