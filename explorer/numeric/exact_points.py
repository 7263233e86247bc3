"""The exact layer seen from the twin: exact points as claims, and their coordinates, values and Hessians as floats."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.errors import Unsupported
from explorer.model.landscape import landscape
from explorer.point import AnyPoint, Element, EnclosedPoint, Field, Inertia, Point
from explorer.problem import Problem
from explorer.solve.results import Component, CriticalSet, Kind, Value
from explorer.solve.scalars import enclosure

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True)
class Claim:
    """Something that the exact side says about one point, to be compared with the twin. None: not said.

    ``critical``: the gradient is 0. ``smooth`` False: F is not twice differentiable there, only the value is compared.
    """

    name: str
    point: AnyPoint
    value: Value | None = None
    inertia: Inertia | None = None
    kind: Kind | None = None
    critical: bool = False
    smooth: bool = True


@dataclass(frozen=True, eq=False)
class ExactJet:
    """F, its gradient (P,) and Hessian (P, P) by exact arithmetic at ``theta`` (P,), rounded at the very end."""

    theta: Tensor
    value: float | None
    gradient: Tensor
    hessian: Tensor | None


def claims_of(found: CriticalSet) -> tuple[Claim, ...]:
    """One claim per component: its sample."""
    return tuple(_claim(k, c) for k, c in enumerate(found.components))


def _claim(k: int, c: Component) -> Claim:
    here = smooth(c)
    return Claim(f"component {k + 1}", c.sample, c.value, c.inertia, c.kind, critical=here, smooth=here)


def smooth(c: Component) -> bool:
    """Whether F is twice differentiable at the component, as the solver says."""
    return "not twice differentiable" not in c.description


def floats(point: AnyPoint) -> list[float]:
    """The coordinates of ``point``, each rounded once (for a box: of its centre)."""
    if isinstance(point, EnclosedPoint):
        return [float(x) for x in point.centre]
    return [_float(e, point.field) for e in point.coordinates]


def exact_jet(problem: Problem, point: AnyPoint, *, order: int = 2) -> ExactJet | None:
    """Exact derivatives at ``point``; at a box: at the float nearest to its centre, which is a rational point.

    None where the exact layer has no derivatives (kinks, numbers outside the point's field).
    """
    if isinstance(point, EnclosedPoint):
        point = Point.rational([Fraction(x) for x in floats(point)])
    try:
        local = landscape(problem).at(point, order=order)
    except Unsupported:
        return None
    value = None if local.value is None else _float(local.value, local.field)
    gradient = torch.tensor([_float(g, local.field) for g in local.gradient], dtype=torch.float64)
    hessian = None
    if local.hessian is not None:
        different = {h for row in local.hessian for h in row}  # few entries differ at symmetric points
        seen = {h: _float(h, local.field) for h in different}
        rows = [[seen[h] for h in row] for row in local.hessian]
        hessian = torch.tensor(rows, dtype=torch.float64)
    return ExactJet(torch.tensor(floats(point), dtype=torch.float64), value, gradient, hessian)


def _float(element: Element, field: Field) -> float:
    lo, hi = enclosure(element, field, bits=80)
    return float((lo + hi) / 2)
