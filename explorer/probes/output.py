"""The loss as a function of the output of the last linear layer: is it convex?"""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq, fmpq_poly

from explorer.model.activations import pieces_of
from explorer.model.pieces import nonnegative_on
from explorer.problem import DenseNetwork, Problem


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
