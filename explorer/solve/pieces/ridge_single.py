"""One active unit in a face, in closed form: its output weight is a root of one polynomial in one unknown.

With V = v^2, N = A^T C A and b = A^T C y (A the outputs on the face's span, C the data weights, an output bias projected out), the critical
equations of |A p - y|^2 + s . M s + m v^2, p = v s, say (V N + M) q = b, s = v q and q . M q = m. V N + M is positive definite
for V > 0, so every root V > 0 of m det^2 - (adj b) . M (adj b) gives one critical point for each sign of v, and F is strictly convex
in p there: no other engine is needed, and the list is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq_poly

from explorer.algebra.balls import to_fmpq
from explorer.algebra.exactify import Conjugates
from explorer.algebra.roots import integer_polynomial, isolate
from explorer.point import Point
from explorer.solve.pieces.fans import Face
from explorer.solve.pieces.layer import ZERO, Layer

Poly = Any  # flint.fmpq_poly in v


def single_unit(
    layer: Layer, face: Face, matrix: Sequence[Sequence[Fraction]], outgoing: Fraction, bias_weight: Fraction
) -> list[Point]:
    """All critical points (s, v[, c]) of one unit with v not 0 on the span of ``face``, both signs of v, by increasing v.

    ``matrix`` is M in the basis of the face, ``outgoing`` m, ``bias_weight`` the l2 weight of the output bias (if there is one).
    """
    columns = [[row[k] for row in face.columns] for k in range(face.dimension)]
    normal = [[_paired(layer, a, b, bias_weight) for b in columns] for a in columns]
    right = [_paired(layer, a, layer.targets, bias_weight) for a in columns]
    square = [
        [fmpq_poly([to_fmpq(m), 0, to_fmpq(n)]) for m, n in zip(ms, ns, strict=True)]
        for ms, ns in zip(matrix, normal, strict=True)
    ]  # V N + M with V = v^2
    size = face.dimension
    determinant = _determinant(square)
    adjugate = []
    for k in range(size):  # Cramer's rule: column k replaced by b
        replaced = [
            [fmpq_poly([to_fmpq(right[i])]) if j == k else square[i][j] for j in range(size)] for i in range(size)
        ]
        adjugate.append(_determinant(replaced))
    eliminating = fmpq_poly([to_fmpq(outgoing)]) * determinant * determinant
    for i in range(size):
        for j in range(size):
            if matrix[i][j]:
                eliminating -= fmpq_poly([to_fmpq(matrix[i][j])]) * adjugate[i] * adjugate[j]
    found = []
    for factor, _ in integer_polynomial([Fraction(int(c.p), int(c.q)) for c in eliminating.coeffs()]).factor()[1]:
        q = fmpq_poly(factor)
        _, inverse, _ = (determinant % q).xgcd(q)
        v = fmpq_poly([0, 1]) % q
        s = [(v * a * inverse) % q for a in adjugate]
        coordinates = [*s, v]
        if layer.output_bias:
            total = sum(layer.weights, bias_weight)
            mean = sum((w * y for w, y in zip(layer.weights, layer.targets, strict=True)), ZERO) / total
            moments = [sum((w * x for w, x in zip(layer.weights, c, strict=True)), ZERO) / total for c in columns]
            c = fmpq_poly([to_fmpq(mean)])
            for m, x in zip(moments, s, strict=True):
                c -= fmpq_poly([to_fmpq(m)]) * v * x
            coordinates.append(c % q)
        points = Conjugates(factor, tuple(coordinates))
        found += [(box, points.point(box)) for box in isolate(factor)]
    return [point for box, point in sorted(found, key=lambda f: f[0])]


def _paired(layer: Layer, a: Sequence[Fraction], b: Sequence[Fraction], bias_weight: Fraction) -> Fraction:
    """a . C b, with the best output bias taken out where there is one."""
    plain = sum((w * x * y for w, x, y in zip(layer.weights, a, b, strict=True)), ZERO)
    if not layer.output_bias:
        return plain
    means = [sum((w * x for w, x in zip(layer.weights, c, strict=True)), ZERO) for c in (a, b)]
    return plain - means[0] * means[1] / sum(layer.weights, bias_weight)


def _determinant(matrix: Sequence[Sequence[Poly]]) -> Poly:
    if len(matrix) == 1:
        return matrix[0][0]
    total = fmpq_poly([0])
    for k, entry in enumerate(matrix[0]):
        minor = [[*row[:k], *row[k + 1 :]] for row in matrix[1:]]
        total += (-1) ** k * entry * _determinant(minor)
    return total
