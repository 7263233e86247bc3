"""Paths to infinity of networks with one hidden layer of exponential units: incoming weights grow like ln t.

With w_j = n_j ln t, b_j = m_j ln t and v_j = c_j t^e_j the output is f(x) = sum_j c_j t^(e_j + n_j . x + m_j), a Laurent
polynomial where n_j . x is an integer: the squared loss is one as well. (The path of Kawaguchi and Kaelbling's added neuron:
a = 1/t, w = ln t.)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import lcm

from explorer.budget import Budget
from explorer.errors import NotCertifiable, Unsupported
from explorer.paths.curves import EscapeCurve, Terms
from explorer.paths.escape import falling
from explorer.paths.features import one_hidden_layer
from explorer.point import RationalField
from explorer.problem import Problem

REACH = 2
MAX_UNITS = 3
Shape = tuple[
    Fraction, int, tuple[int, ...]
]  #: coefficient, exponent of the output weight, multiples of ln t of the hidden


def logarithmic_escape(problem: Problem, *, budget: Budget | None = None) -> EscapeCurve:
    """The first such path on which the squared loss falls, units that are not needed staying silent."""
    net = one_hidden_layer(problem)
    data, loss = problem.data, problem.loss
    assert data is not None
    assert loss is not None
    if net.activations[0].kind != "exp" or net.bias[1] or net.widths[2] != 1:
        raise Unsupported(
            "the network", expected="exponential units, one output, no output bias", got="another network"
        )
    deadline = (budget or Budget()).start()
    scales = [lcm(*(row[c].denominator for row in data.inputs)) for c in range(net.widths[0])]
    scales += [1] if net.bias[0] else []
    shapes = list(_shapes(len(scales), [y[0] for y in data.targets]))
    for used in range(1, min(net.widths[1], MAX_UNITS) + 1):
        best: EscapeCurve | None = None
        for units in product(shapes, repeat=used):
            deadline.check("looking for a path to infinity")
            series: dict[int, Fraction] = {}
            for x, y, weight in zip(data.inputs, data.targets, loss.weights, strict=True):
                residual = {0: -y[0]}
                for c, e, n in units:
                    inner = sum((k * s * v for k, s, v in zip(n, scales, x, strict=False)), Fraction(0))
                    power = e + int(inner) + (n[len(x)] if net.bias[0] else 0)
                    residual[power] = residual.get(power, Fraction(0)) + c
                for (p, a), (q, b) in product(residual.items(), repeat=2):
                    series[p + q] = series.get(p + q, Fraction(0)) + weight * a * b
            found = falling(series)
            to_infinity = any(e > 0 or any(n) for _, e, n in units)
            if found and to_infinity and (best is None or found[1] < best.limit):
                best = _curve(problem, units, scales, found)
        if best is not None:
            return best
    raise NotCertifiable("escape", expected=f"a path with exponents up to {REACH}", got="none in this family")


def _shapes(size: int, targets: list[Fraction]) -> Iterator[Shape]:
    sizes = sorted({Fraction(1), Fraction(-1), *(y for y in targets if y)}, key=lambda v: (abs(v), v < 0))[:4]
    steps = range(-REACH, REACH + 1)
    for e, *n in sorted(product(steps, repeat=size + 1), key=lambda v: (sum(map(abs, v)), v)):
        for c in sizes:
            yield c, e, tuple(n)


def _curve(
    problem: Problem, units: tuple[Shape, ...], scales: list[int], found: tuple[Fraction, Fraction]
) -> EscapeCurve:
    net = one_hidden_layer(problem)
    d, m = net.widths[0], net.widths[1]

    def log(j: int, c: int) -> Terms:
        multiple = units[j][2][c] * scales[c] if j < len(units) else 0
        return (((Fraction(multiple),), (0, 1)),) if multiple else ()

    incoming = [log(j, c) for j in range(m) for c in range(d)]
    biases = [log(j, d) for j in range(m)] if net.bias[0] else []
    outer = [(((units[j][0],), (units[j][1], 0)),) if j < len(units) else () for j in range(m)]
    since, limit = found
    if since != 1:
        raise NotCertifiable(
            "escape", expected="a path that falls from t = 1 on (ln t is exact there)", got="a later one"
        )
    because = "incoming weights in multiples of ln t, output weights in powers of t"
    return EscapeCurve(RationalField(), (*incoming, *biases, *outer), since, limit, because)
