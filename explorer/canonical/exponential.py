"""Networks of exponential units on the line, f = sum_j v_j e^(w_j x + b_j) + c: Fourier coefficients in closed form.

Every derivative is a constant times x^m e^(a x), m = 0 or 1, whose coefficients are
    m = 0: (e^s - 1)/s,    m = 1: e^s/s - (e^s - 1)/s^2,    s = a - 2 pi i k
(1 and 1/2 for s = 0). Whether e and pi are algebraically independent is not known, so entries are balls: they prove lower
bounds of ranks, and the number of distinct functions x^m e^(a x) is an upper bound.
"""

from __future__ import annotations

from fractions import Fraction

from flint import acb, arb, fmpq

from explorer.canonical.cells import on_the_line, rational_coordinates
from explorer.errors import Unsupported
from explorer.point import AnyPoint
from explorer.problem import Problem

#: the function factor * e^shift * x^power * e^(rate x)
Term = tuple[Fraction, Fraction, int, Fraction]
Rows = list[list[acb]]


def terms(problem: Problem, point: AnyPoint) -> list[Term]:
    """df/dtheta_m for every parameter of one hidden layer of exponential units."""
    net = on_the_line(problem)
    if net.depth != 2 or net.activations[0].kind != "exp" or net.output.kind != "linear":
        raise Unsupported("network", expected="one hidden layer of exponential units, linear output", got="another")
    theta, width = rational_coordinates(point), net.widths[1]
    shift = [theta[width + j] if net.bias[0] else Fraction(0) for j in range(width)]
    start = width * (2 if net.bias[0] else 1)
    inner = [(theta[start + j], shift[j], 1, theta[j]) for j in range(width)]
    biases = [(theta[start + j], shift[j], 0, theta[j]) for j in range(width)] if net.bias[0] else []
    outer = [(Fraction(1), shift[j], 0, theta[j]) for j in range(width)]
    last = [(Fraction(1), Fraction(0), 0, Fraction(0))] if net.bias[1] else []
    return [*inner, *biases, *outer, *last]


def coefficient(term: Term, k: int) -> acb:
    """The integral of the function times e^(-2 pi i k x) over [0, 1]."""
    factor, shift, power, rate = term
    scale = _ball(factor) * _ball(shift).exp()
    if k == 0 and rate == 0:
        return acb(scale / (power + 1))
    s = acb(_ball(rate), -2 * k * arb.pi())
    growth = acb(_ball(rate).exp())  # e^s, as e^(2 pi i k) = 1
    plain = (growth - 1) / s
    return scale * (plain if power == 0 else growth / s - plain / s)


def exponential_disparity(problem: Problem, point: AnyPoint, top: int) -> tuple[Rows, int, int]:
    """(H as balls, a proved lower bound of its rank, a proved upper bound), frequencies |k| <= ``top``."""
    found = terms(problem, point)
    rows = [[coefficient(t, k) for k in range(-top, top + 1)] for t in found]
    distinct = {(power, rate) for factor, _, power, rate in found if factor}
    return rows, _rank_at_least(rows), min(len(distinct), 2 * top + 1)


def _rank_at_least(rows: Rows) -> int:
    """The number of pivots that an elimination finds away from 0."""
    left, rank = [list(row) for row in rows], 0
    for column in range(len(left[0]) if left else 0):
        sizes = [(row[column].abs_lower(), i) for i, row in enumerate(left)]
        best = next((i for size, i in sizes if size > 0 and all(not other > size for other, _ in sizes)), None)
        if best is None:
            continue
        lead, rank = left.pop(best), rank + 1
        left = [[a - row[column] / lead[column] * b for a, b in zip(row, lead, strict=True)] for row in left]
        if not left:
            break
    return rank


def _ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))
