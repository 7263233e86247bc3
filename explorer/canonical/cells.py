"""The function x -> f(x; p) on [0, 1] and its derivatives by the parameters, polynomial on every cell between kinks.

For scalar inputs, scalar output, rational parameters and piecewise polynomial activations. The jet engine runs over the
ring Q[x] on one cell; a pre-activation that crosses a break inside the cell splits it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_poly

from explorer.errors import Unsupported
from explorer.model import activations, jets
from explorer.model.jets import Where
from explorer.model.pieces import Coefficients, roots_in, value
from explorer.model.rings import taylor_of_polynomial
from explorer.point import AnyPoint, Point
from explorer.problem import LINEAR, Activation, Dataset, DenseNetwork, Problem

MAX_CELLS = 64


@dataclass(frozen=True)
class Cell:
    """An interval on which f and its derivatives by all parameters are polynomials in x (coefficients low to high)."""

    low: Fraction
    high: Fraction
    value: Coefficients
    slopes: tuple[Coefficients, ...]


class _Crossing(Exception):
    """A pre-activation meets a break inside the cell."""

    def __init__(self, at: Fraction) -> None:
        super().__init__(str(at))
        self.at = at


class _Polynomials:
    """Q[x] for x in an open cell: the ring in which the jet engine runs."""

    def __init__(self, low: Fraction, high: Fraction) -> None:
        self.low, self.high = low, high

    def constant(self, v: Fraction) -> Any:
        return fmpq_poly([fmpq(v.numerator, v.denominator)])

    def mul(self, a: Any, b: Any) -> Any:
        return a * b

    def total(self, summands: Sequence[Any]) -> Any:
        out = fmpq_poly([0])
        for s in summands:
            out = out + s
        return out

    def is_zero(self, a: Any) -> bool:
        return bool(a == 0)

    def derivatives(self, activation: Activation, z: Any, order: int, where: Where) -> list[Any]:
        p = activations.pieces_of(activation)
        if p is None:
            raise Unsupported(str(where), expected="a piecewise polynomial activation", got=activation.kind)
        index = 0
        for b in p.breaks:
            gap = coefficients(z - self.constant(b))
            if not any(gap):
                raise Unsupported(
                    str(where), expected="a pre-activation off the kinks", got=f"{b} for every input", remedy="move it"
                )
            self._stays_on_one_side(gap, where)
            index += value(gap, (self.low + self.high) / 2) > 0
        series = taylor_of_polynomial(self, p.polynomials[index], z, order)
        return [c * 2 if n == 2 else c for n, c in enumerate(series)]

    def norm_cubed(self, square: Any, where: Where) -> None:
        raise Unsupported(str(where), expected="no regularizer", got="one")

    def _stays_on_one_side(self, gap: Coefficients, where: Where) -> None:
        if len(gap) < 2 or not roots_in(gap, self.low, self.high):
            return
        for factor, _ in fmpq_poly([fmpq(c.numerator, c.denominator) for c in gap]).factor()[1]:
            if factor.degree() == 1:
                root = -factor[0] / factor[1]
                at = Fraction(int(root.p), int(root.q))
                if self.low < at < self.high:
                    raise _Crossing(at)
            elif roots_in(coefficients(factor), self.low, self.high):
                raise Unsupported(str(where), expected="rational kinks", got="an irrational one inside [0, 1]")


def coefficients(p: Any) -> Coefficients:
    """A flint polynomial as a tuple of Fractions, never empty."""
    return tuple(Fraction(int(c.p), int(c.q)) for c in p.coeffs()) or (Fraction(0),)


def rational_coordinates(point: AnyPoint) -> tuple[Fraction, ...]:
    """The coordinates, where all are rational; `Unsupported` otherwise."""
    if not isinstance(point, Point) or not point.is_rational:
        raise Unsupported("point", expected="rational coordinates", got="others")
    return tuple(c[0] for c in point.coordinates)


def on_the_line(problem: Problem) -> DenseNetwork:
    """The network, where it has one scalar input and one scalar output; `Unsupported` otherwise."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or net.widths[0] != 1 or net.widths[-1] != 1:
        raise Unsupported("network", expected="a network with scalar input and output", got="another")
    return net


def cells(problem: Problem, point: AnyPoint) -> tuple[Cell, ...]:
    """f(.; point) on [0, 1], cell by cell, neighbours meeting at rational kinks of f or of its derivatives.

    `Unsupported` where an activation is not piecewise polynomial, a kink is irrational, or a pre-activation stays on a
    break (then f is not differentiable in the parameters).
    """
    net = on_the_line(problem)
    theta = rational_coordinates(point)
    # the input as the weight of a layer in front: then the engine sees x as a ring element
    front = replace(net, widths=(1, *net.widths), activations=(LINEAR, *net.activations), bias=(False, *net.bias))
    one = (Fraction(1),)
    posed = replace(
        problem, network=front, data=Dataset((one,), (one,)), loss=replace_weights(problem), regularizer=None
    )
    out: list[Cell] = []
    todo = [(Fraction(0), Fraction(1))]
    while todo:
        if len(todo) + len(out) > MAX_CELLS:
            raise Unsupported("network", expected=f"at most {MAX_CELLS} cells", got="more")
        low, high = todo.pop()
        ring = _Polynomials(low, high)
        values = [fmpq_poly([0, 1]), *(ring.constant(t) for t in theta)]
        try:
            jet = jets.outputs(posed, ring, values, 0, 1)[0]
        except _Crossing as crossing:
            todo += [(crossing.at, high), (low, crossing.at)]
            continue
        slopes = tuple(coefficients(jet.gradient.get(m + 1, fmpq_poly([0]))) for m in range(len(theta)))
        out.append(Cell(low, high, coefficients(jet.value), slopes))
    return tuple(out)


def replace_weights(problem: Problem) -> Any:
    """The problem's loss for a single sample."""
    assert problem.loss is not None
    return replace(problem.loss, weights=(Fraction(1),))


def network_value(found: Sequence[Cell], x: Fraction) -> Fraction:
    """f(x) for x in [0, 1]."""
    return next(value(c.value, x) for c in found if c.low <= x <= c.high)
