"""Unbounded curves through a point on which F stands still: no compact set of parameters can be a strict minimum there.

*Dependent features*: if the activations of a hidden layer on the samples satisfy c^T Z = 0 with c != 0, adding t c to a row of
the next weight matrix changes no output. *Scaling*: a unit of a positively homogeneous activation, phi(az) = a^r phi(z), may
take a times its incoming weights and a^-r times its outgoing ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from flint import fmpq, fmpq_mat

from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.jets import outputs
from explorer.model.rings import ExactRing
from explorer.paths.curves import EscapeCurve, Terms
from explorer.paths.features import columns
from explorer.point import Element, Field, Ln2Ring, Point, RationalField
from explorer.problem import Activation, Dataset, DenseNetwork, Problem

Row = tuple[Fraction, ...]


def blocks(net: DenseNetwork) -> list[tuple[int, int | None]]:
    """(start of the weights, start of the biases or None) of every layer in the parameter vector."""
    out, start = [], 0
    for layer in range(net.depth):
        size = net.widths[layer] * net.widths[layer + 1]
        out.append((start, start + size if net.bias[layer] else None))
        start += size + (net.widths[layer + 1] if net.bias[layer] else 0)
    return out


def features(problem: Problem, point: Point, layer: int) -> tuple[Row, ...]:
    """The activations of hidden layer ``layer`` (from 1) on the samples, one row per unit; `Unsupported` unless rational."""
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or not 1 <= layer < net.depth:
        raise Unsupported("features", expected="a hidden layer of a network", got="none")
    cut = DenseNetwork(
        net.widths[: layer + 1], net.activations[: layer - 1], net.bias[:layer], net.activations[layer - 1]
    )
    zeros = tuple((Fraction(0),) * net.widths[layer] for _ in data.inputs)
    assert problem.loss is not None
    part = Problem(cut, Dataset(data.inputs, zeros), type(problem.loss)("squared", problem.loss.weights))
    ring = ExactRing(_field(net, point))
    theta = [ring.from_element(c) for c in point.coordinates[: cut.parameter_count]]
    rows = []
    for i in range(len(data)):
        values = [ring.to_element(f.value) for f in outputs(part, ring, theta, i, 0) if f.value is not None]
        if len(values) < net.widths[layer] or any(any(v[1:]) for v in values):
            raise Unsupported("features", expected="rational activations on all samples", got="others")
        rows.append([v[0] for v in values])
    return tuple(tuple(column) for column in zip(*rows, strict=True))


def _field(net: DenseNetwork, point: Point) -> Field:
    transcendental = any(pieces_of(a) is None for a in net.activations)
    return Ln2Ring() if transcendental and isinstance(point.field, RationalField) else point.field


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    """Exact rank of a rational matrix."""
    if not rows or not rows[0]:
        return 0
    entries = [fmpq(v.numerator, v.denominator) for row in rows for v in row]
    return int(fmpq_mat(len(rows), len(rows[0]), entries).rank())


def dependence(rows: Sequence[Row]) -> Row | None:
    """c != 0 with sum_j c_j rows[j] = 0, or None."""
    basis, found = columns(rows, order=range(len(rows)))
    for j in range(len(rows)):
        if j not in basis:
            c = [Fraction(0)] * len(rows)
            c[j] = Fraction(-1)
            for s, value in zip(basis, found[j], strict=True):
                c[s] = value
            return tuple(c)
    return None


def flat_line(problem: Problem, point: Point) -> EscapeCurve | None:
    """The line theta + (t - 1) (c in the first row of the layer behind a hidden layer with dependent features), t >= 1."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or problem.regularizer is not None:
        return None
    for layer in range(1, net.depth):
        try:
            c = dependence(features(problem, point, layer))
        except Unsupported:
            continue
        if c is None:
            continue
        start, curve = blocks(net)[layer][0], [_constant(v) for v in point.coordinates]
        for j, value in enumerate(c):
            k = start + j
            curve[k] = _affine(point.coordinates[k], value)
        because = f"the {net.widths[layer]} units of hidden layer {layer} are linearly dependent on the samples"
        return EscapeCurve(point.field, tuple(curve), Fraction(1), Fraction(0), because)
    return None


def degree_of_homogeneity(a: Activation) -> int | None:
    """r with phi(sz) = s^r phi(z) for all s > 0, for the activations where that is so and r >= 1."""
    p = pieces_of(a)
    if p is None or p.is_zero or any(b != 0 for b in p.breaks):
        return None
    degrees = {k for c in p.polynomials for k, v in enumerate(c) if v}
    return degrees.pop() if len(degrees) == 1 and min(degrees) >= 1 else None


def scaling_curve(problem: Problem, point: Point) -> EscapeCurve | None:
    """(a w, a b, a^-r v) of one unit of the first hidden layer, a = t or 1/t: an unbounded curve of constant F through the point."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or net.depth < 2 or problem.regularizer is not None:
        return None
    r = degree_of_homogeneity(net.activations[0])
    if r is None:
        return None
    (first, bias), (second, _) = blocks(net)[:2]
    cols, units, outs = net.widths[:3]
    own = [*range(first, first + cols), *([bias] if bias is not None else [])]
    away = [second + k * units for k in range(outs)]
    curve: list[Terms] = [_constant(v) for v in point.coordinates]
    incoming = any(any(point.coordinates[k]) for k in own)
    outgoing = any(any(point.coordinates[k]) for k in away)
    if not incoming and not outgoing:
        curve[own[0]] = _affine(point.coordinates[own[0]], Fraction(1))
    else:
        sign = 1 if incoming else -1  # with w = b = 0 the output weight goes to infinity
        for k, power in [*((k, sign) for k in own), *((k, -sign * r) for k in away)]:
            curve[k] = ((point.coordinates[k], (power, 0)),) if any(point.coordinates[k]) else ()
    because = f"the activation is positively homogeneous of degree {r}"
    return EscapeCurve(point.field, tuple(curve), Fraction(1), Fraction(0), because)


def with_limit(curve: EscapeCurve, value: Fraction) -> EscapeCurve:
    """The same curve with the constant value of F on it."""
    return EscapeCurve(curve.field, curve.curve, curve.since, value, curve.because)


def _constant(c: Element) -> Terms:
    return ((c, (0, 0)),) if any(c) else ()


def _affine(c: Element, slope: Fraction) -> Terms:
    """c + (t - 1) slope."""
    start = (c[0] - slope, *c[1:])
    return (*_constant(start), *((((slope,), (1, 0)),) if slope else ()))


def feature_dimension(problem: Problem) -> int | None:
    """An upper bound of the dimension of the span of one unit's activation vectors on the samples (one hidden layer).

    At most the number of different inputs; for polynomial activations of degree r at most the number of monomials that
    (w.x + b)^k can hold, k <= r (without bias: w.x^k for the degrees k that occur).
    """
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth != 2:
        return None
    bound, d, p = len(set(data.inputs)), net.widths[0], pieces_of(net.activations[0])
    if p is not None and p.is_polynomial:
        degrees = [k for k, c in enumerate(p.polynomials[0]) if c]
        if net.bias[0]:
            return min(bound, comb(d + max(degrees, default=0), d))
        return min(bound, sum(comb(d + k - 1, k) for k in degrees))
    return bound


def spans_everything(problem: Problem, point: Point) -> bool:
    """Whether the units at the point span all activation vectors: then least squares over them is the minimum of F."""
    bound = feature_dimension(problem)
    try:
        return bound is not None and rank(features(problem, point, 1)) == bound
    except Unsupported:
        return False
