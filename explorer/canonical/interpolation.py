"""Points with zero loss, and data that no parameters fit: one hidden layer of piecewise polynomial units, scalar inputs."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod

from explorer.canonical.cells import on_the_line
from explorer.errors import Unsupported
from explorer.model import activations
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem

QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


def _relu_layer(problem: Problem) -> DenseNetwork:
    net = on_the_line(problem)
    if net.depth != 2 or net.activations[0].kind != "relu" or not net.bias[0] or net.output.kind != "linear":
        raise Unsupported("network", expected="one hidden layer of biased ReLU units, linear output", got="another")
    return net


def _assembled(net: DenseNetwork, units: list[tuple[Fraction, Fraction, Fraction]], shift: Fraction) -> Point:
    """Units (w, b, v) padded with dead ones, and the output bias."""
    spare = net.widths[1] - len(units)
    full = units + [(Fraction(0), Fraction(-1), Fraction(0))] * spare
    tail = [shift] if net.bias[1] else []
    return Point.rational([*(u[0] for u in full), *(u[1] for u in full), *(u[2] for u in full), *tail])


def interpolant(problem: Problem) -> Point | None:
    """A point with f(x_t) = y_t for all t, where there are enough ReLU units: one per sample, one less with an output bias.

    Kinks stand at the inputs, from left to right, and every unit changes the slope to what the next sample needs.
    """
    net = _relu_layer(problem)
    assert problem.data is not None
    data = sorted((x[0], y[0]) for x, y in zip(problem.data.inputs, problem.data.targets, strict=True))
    if len({x for x, _ in data}) < len(data):
        return None
    shift = data[0][1] if net.bias[1] else Fraction(0)
    start = data[0][0] if net.bias[1] else data[0][0] - 1
    knots = [(start, shift)] + (data[1:] if net.bias[1] else data)
    units, slope = [], Fraction(0)
    for (a, u), (b, v) in pairwise(knots):
        needed = (v - u) / (b - a)
        units.append((Fraction(1), -a, needed - slope))
        slope = needed
    if len(units) > net.widths[1]:
        return None
    return _assembled(net, units, shift)


def silent_start(problem: Problem) -> Point | None:
    """A point at which no unit is active on the data, with kinks at multiples of 1/4 right of all inputs; None if none fits."""
    net = _relu_layer(problem)
    assert problem.data is not None
    places = [q for q in QUARTERS if all(x[0] < q for x in problem.data.inputs)]
    if not places:
        return None
    units = [(Fraction(j + 1), -(j + 1) * places[j % len(places)], Fraction(1)) for j in range(net.widths[1])]
    return _assembled(net, units, Fraction(0))


def forced_breaks(problem: Problem) -> tuple[int, int]:
    """(breakpoints that the targets force, breakpoints that the network can have).

    m + 2 consecutive inputs with a nonzero divided difference of order m + 1, m the degree of the pieces, force one
    strictly between them; windows that share end points force different ones.
    """
    net, data = on_the_line(problem), problem.data
    p = activations.pieces_of(net.activations[0]) if net.depth == 2 else None
    if p is None or net.output.kind != "linear" or data is None:
        raise Unsupported("network", expected="one hidden layer of piecewise polynomial units, linear output", got="another")  # fmt: skip
    points = sorted((x[0], y[0]) for x, y in zip(data.inputs, data.targets, strict=True))
    order, at, forced = max(len(c) for c in p.polynomials), 0, 0
    while at + order < len(points):
        window = points[at : at + order + 1]
        bent = sum((y / prod((x - u for u, _ in window if u != x), start=Fraction(1)) for x, y in window), Fraction(0))
        forced, at = (forced + 1, at + order) if bent else (forced, at + 1)
    return forced, net.widths[1] * len(p.breaks)
