"""Problem -> Landscape: the loss as a SymPy expression with exact derivatives, and exact local geometry at a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.point import Element, Inertia, Point
from explorer.problem import Problem


@dataclass(frozen=True)
class LocalGeometry:
    """Value, gradient and Hessian of the loss at one exact point, as elements of the point's field.

    ``value`` is None when F(p) is not in the field although the derivatives are (the logistic loss at k ln 2);
    ``gradient`` has d elements, ``hessian`` d rows of d elements (None when asked with ``order=1``).
    """

    point: Point
    value: Element | None
    gradient: tuple[Element, ...]
    hessian: tuple[tuple[Element, ...], ...] | None

    @property
    def inertia(self) -> Inertia:
        """Exact inertia of the Hessian."""
        raise NotImplementedError

    @property
    def is_critical(self) -> bool:
        """Whether the gradient is exactly zero."""
        raise NotImplementedError


@dataclass(frozen=True)
class Landscape:
    """The loss landscape of one problem; SymPy expressions are built on first use and never expanded."""

    problem: Problem

    def at(self, point: Point | Mapping[str, Any], *, order: int = 2) -> LocalGeometry:
        """Exact value, gradient and (``order=2``) Hessian at ``point``.

        ``point`` is a `Point`, or a mapping from every parameter name to an int, Fraction, "p/q" string or a SymPy
        expression that is a polynomial in log(2) with rational coefficients.

        Raises `Unsupported` at kinks (naming layer, unit and sample) and where a number is not in the point's field.
        """
        raise NotImplementedError


def landscape(problem: Problem) -> Landscape:
    """The landscape of ``problem``: ``.parameters``, ``.loss``, ``.gradient``, ``.hessian`` (SymPy), ``.kind``
    (``polynomial``, ``piecewise`` or ``analytic``) and ``.at``."""
    return Landscape(problem)
