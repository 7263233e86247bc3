"""Problem -> Landscape: the loss as a SymPy expression with exact derivatives, and exact local geometry at a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.errors import Unsupported
from explorer.model.coordinates import as_point
from explorer.model.jets import LossJet, loss_jet
from explorer.model.kinds import kind
from explorer.model.rings import ExactRing, SymPyRing
from explorer.model.students import closed_form
from explorer.point import Element, Field, Inertia, Ln2Ring, Point, RationalField
from explorer.problem import Problem, StudentTeacher
from explorer.shown import Shown


@dataclass(frozen=True)
class LocalGeometry(Shown):
    """Value, gradient and Hessian of the loss at one exact point, as elements of ``field``.

    ``field`` is the point's field, or Q[ln 2] where a rational point has a value such as ln 2 (softplus, logistic loss at 0).
    ``value`` is None when F(p) is not in the field although the derivatives are (the logistic loss at k ln 2, k != 0);
    ``gradient`` has d elements, ``hessian`` d rows of d elements (None when asked with ``order=1``).
    """

    point: Point
    field: Field
    value: Element | None
    gradient: tuple[Element, ...]
    hessian: tuple[tuple[Element, ...], ...] | None

    @cached_property
    def inertia(self) -> Inertia:
        """Exact inertia of the Hessian. `Unsupported` when the geometry was asked for with ``order=1``."""
        if self.hessian is None:
            raise Unsupported("inertia", expected="a Hessian", got="a geometry of order 1", remedy="ask with order=2")
        return inertia(self.hessian, self.field)

    @cached_property
    def is_critical(self) -> bool:
        """Whether the gradient is exactly zero."""
        field = arithmetic(self.field)
        return all(field.is_zero(g) for g in self.gradient)


@dataclass(frozen=True)
class Landscape(Shown):
    """The loss landscape of one problem; SymPy expressions are built on first use and never expanded.

    At kinks of the activation or of the regularizer the derivative expressions are nan: no subgradient is chosen.
    """

    problem: Problem

    @cached_property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """One real symbol per parameter, in the problem's order."""
        return tuple(sp.Symbol(name, real=True) for name in self.problem.parameters)

    @cached_property
    def kind(self) -> str:
        """``polynomial``, ``piecewise`` (some part has a break) or ``analytic``, as a function of the parameters."""
        return kind(self.problem)

    @cached_property
    def loss(self) -> sp.Expr:
        """F as an expression."""
        if isinstance(self.problem.network, StudentTeacher):
            return closed_form(self.problem.network, self.parameters)
        return self._jet(0).value

    @cached_property
    def gradient(self) -> tuple[sp.Expr, ...]:
        """The d partial derivatives."""
        if isinstance(self.problem.network, StudentTeacher):
            return tuple(sp.diff(self.loss, p) for p in self.parameters)
        jet = self._jet(1)
        return tuple(jet.gradient.get(i, sp.S.Zero) for i in range(len(self.parameters)))

    @cached_property
    def hessian(self) -> sp.ImmutableMatrix:
        """The d x d matrix of second derivatives."""
        if isinstance(self.problem.network, StudentTeacher):
            return sp.ImmutableMatrix([[sp.diff(g, p) for p in self.parameters] for g in self.gradient])
        jet, d = self._jet(2), len(self.parameters)
        return sp.ImmutableMatrix(d, d, lambda i, j: jet.hessian.get((min(i, j), max(i, j)), sp.S.Zero))

    def _jet(self, order: int) -> LossJet[sp.Expr]:
        return loss_jet(self.problem, SymPyRing(), self.parameters, order=order)

    def at(self, point: Point | Mapping[Any, Any], *, order: int = 2) -> LocalGeometry:
        """Exact value, gradient and (``order=2``) Hessian at ``point``.

        ``point`` is a `Point`, or a mapping from every parameter (name or symbol) to an int, Fraction, "p/q" string or a
        SymPy expression that is a polynomial in log(2) with rational coefficients.

        Raises `Unsupported` at kinks (naming layer, unit and sample) and where a number is not in the point's field.
        """
        if order not in (1, 2):
            raise Unsupported("order", expected="1 (gradient) or 2 (Hessian)", got=str(order))
        p = as_point(point, self.problem)
        ring = ExactRing(_working_field(self.problem, p.field))
        jet = loss_jet(self.problem, ring, [ring.from_element(c) for c in p.coordinates], order=order)
        d = len(p.coordinates)
        zero = ring.to_element(ring.total([]))
        gradient = [ring.to_element(jet.gradient[i]) if i in jet.gradient else zero for i in range(d)]
        hessian = None
        if order == 2:
            upper = {ij: ring.to_element(h) for ij, h in jet.hessian.items()}
            hessian = tuple(tuple(upper.get((min(i, j), max(i, j)), zero) for j in range(d)) for i in range(d))
        value = None if jet.value is None else ring.to_element(jet.value)
        entries = [*gradient, *([] if value is None else [value]), *(e for r in hessian or () for e in r)]
        stays = isinstance(p.field, RationalField) and all(len(e) == 1 for e in entries)
        return LocalGeometry(p, p.field if stays else ring.field, value, tuple(gradient), hessian)

    def value_at(self, point: Point | Mapping[Any, Any]) -> tuple[Element | None, Field]:
        """F at an exact point, kinks included, and the field of the answer (None: not in that field)."""
        p = as_point(point, self.problem)
        ring = ExactRing(_working_field(self.problem, p.field))
        value = loss_jet(self.problem, ring, [ring.from_element(c) for c in p.coordinates], order=0).value
        element = None if value is None else ring.to_element(value)
        stays = isinstance(p.field, RationalField) and element is not None and len(element) == 1
        return element, p.field if stays else ring.field


def _working_field(problem: Problem, field: Field) -> Field:
    """Q[ln 2] instead of Q where ln(1 + e^0) = ln 2 may turn up at a rational point."""
    if not isinstance(field, RationalField) or problem.loss is None:
        return field
    net = problem.network
    kinds = {problem.loss.kind} | {
        a.kind for a in (*getattr(net, "activations", ()), getattr(net, "output", None)) if a
    }
    return Ln2Ring() if kinds & {"logistic", "softplus"} else field


def landscape(problem: Problem) -> Landscape:
    """The landscape of ``problem``: ``.parameters``, ``.loss``, ``.gradient``, ``.hessian`` (SymPy), ``.kind``
    (``polynomial``, ``piecewise`` or ``analytic``) and ``.at``."""
    return Landscape(problem)
