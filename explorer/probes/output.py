"""The loss as a function of the output of the last linear layer: is it convex, does it have a well around a point?"""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq, fmpq_poly

from explorer.model.activations import pieces_of
from explorer.model.jets import outputs
from explorer.model.pieces import nonnegative_on, value
from explorer.model.rings import ExactRing
from explorer.point import Point
from explorer.problem import Dataset, DenseNetwork, Loss, Problem


def convex_in_output(problem: Problem) -> bool | None:
    """Exactly, for linear outputs and for polynomial output activations with the squared loss; None where it is not decided.

    With an output activation g the loss of the linear output z is (y - g(z))^2: convex iff its second derivative is >= 0.
    """
    net, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None:
        return None
    p = pieces_of(net.output)
    if net.output.kind == "linear" or (p is not None and p.is_polynomial and len(p.polynomials[0]) <= 2):
        return True
    if p is None or not p.is_polynomial or loss.kind != "squared":
        return None
    g = fmpq_poly([fmpq(c.numerator, c.denominator) for c in p.polynomials[0]])
    for row in data.targets:
        for y in row:
            bend = ((g - fmpq(y.numerator, y.denominator)) ** 2).derivative().derivative()
            if not nonnegative_on(tuple(Fraction(int(c.p), int(c.q)) for c in bend.coeffs()), None, None):
                return False
    return True


def lowest_in_output(problem: Problem, point: Point, better: Point) -> dict[str, object] | None:
    """For one sample and one output: an interval of linear outputs around the point's on whose ends the loss is above a level >=
    F(point), and inside which it stays above F(better). The options of a witness of ``output-valley``, or None.
    """
    net, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or len(data) != 1 or net.widths[-1] != 1:
        return None
    p = pieces_of(net.output)
    if p is None or not p.is_polynomial or loss.kind != "squared" or problem.regularizer is not None:
        return None
    plain = Problem(
        DenseNetwork(net.widths, net.activations, net.bias),
        Dataset(data.inputs, ((Fraction(0),),)),
        Loss("squared", (Fraction(1),)),
    )
    outs = [_output(plain, q) for q in (point, better)]
    if outs[0] is None or outs[1] is None:
        return None
    y, c = data.targets[0][0], loss.weights[0]
    of = lambda z: c * (y - value(p.polynomials[0], z)) ** 2  # noqa: E731
    here, there = of(outs[0]), of(outs[1])
    if there >= here:
        return None
    level = here + (here - there)
    for grain in (8, 64):
        ends = []
        for direction in (-1, 1):
            z = outs[0]
            for _ in range(40 * grain):
                z += Fraction(direction, grain)
                if of(z) > level:
                    ends.append(z)
                    break
        if len(ends) == 2 and not ends[0] <= outs[1] <= ends[1]:
            return {"level": level, "lower": (ends[0],), "upper": (ends[1],), "cuts": (64,)}
    return None


def _output(problem: Problem, point: Point) -> Fraction | None:
    """The output of a network on its only sample, for a target 0: up to its sign a square root, so evaluated directly."""
    ring = ExactRing(point.field)
    found = outputs(problem, ring, [ring.from_element(c) for c in point.coordinates], 0, 0)[0].value
    element = None if found is None else ring.to_element(found)
    return None if element is None or any(element[1:]) else element[0]
