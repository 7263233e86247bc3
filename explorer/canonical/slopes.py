"""Exact derivatives at a rational point: the gradient of F, the Jacobian of the outputs at the data, one gradient step."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq, fmpq_mat

from explorer.canonical.cells import rational_coordinates
from explorer.errors import Unsupported
from explorer.model.jets import loss_jet, outputs
from explorer.model.rings import ExactRing
from explorer.point import AnyPoint, Point, RationalField
from explorer.problem import Problem

Vector = tuple[Fraction, ...]


def _elements(point: AnyPoint) -> tuple[ExactRing, list[object]]:
    ring = ExactRing(RationalField())
    return ring, [ring.from_element((c,)) for c in rational_coordinates(point)]


def loss_value(problem: Problem, point: AnyPoint) -> Fraction:
    """F at the point. `Unsupported` where it is not rational."""
    ring, theta = _elements(point)
    found = loss_jet(problem, ring, theta, order=0).value
    if found is None:
        raise Unsupported("value of F", expected="a rational number", got="another number")
    return ring.to_element(found)[0]


def gradient(problem: Problem, point: AnyPoint) -> Vector:
    """dF/dtheta_k at the point. `Unsupported` at kinks and where it is not rational."""
    ring, theta = _elements(point)
    slopes = loss_jet(problem, ring, theta, order=1).gradient
    zero = ring.constant(Fraction(0))
    return tuple(ring.to_element(slopes.get(k, zero))[0] for k in range(len(theta)))


def gradient_step(problem: Problem, point: AnyPoint, step: Fraction) -> Point:
    """point - step grad F(point)."""
    moved = zip(rational_coordinates(point), gradient(problem, point), strict=True)
    return Point.rational([a - step * g for a, g in moved])


def jacobian(problem: Problem, point: AnyPoint) -> tuple[Vector, ...]:
    """One row per sample: df(x_t)/dtheta_k of a network with scalar output."""
    ring, theta = _elements(point)
    assert problem.data is not None
    zero, rows = ring.constant(Fraction(0)), []
    for t in range(len(problem.data)):
        jet = outputs(problem, ring, theta, t, 1)[0]
        rows.append(tuple(ring.to_element(jet.gradient.get(k, zero))[0] for k in range(len(theta))))
    return tuple(rows)


def rank(rows: tuple[Vector, ...]) -> int:
    """The rank of a rational matrix."""
    flat = [fmpq(v.numerator, v.denominator) for row in rows for v in row]
    return int(fmpq_mat(len(rows), len(rows[0]), flat).rank()) if rows and rows[0] else 0
