"""The critical equations of one or two active units on given faces, reduced to their V_j = v_j^2; docs/piecewise.md, "Shares".

With D = diag(1/2c_i) (and 1 1^T/2k for an output bias with l2 weight k), K_j = A_j M_j^+ A_j^T (A_j the outputs on the face's span, M_j the form of
L_j there) and Z the columns that units may add at no cost (A_j ker M_j, and 1 for a free output bias) the equations are

    (D + sum_j V_j K_j / 2) g + y in span Z,    Z^T g = 0,    g . K_j g = 4 m_j.

g is unique for V >= 0. F is convex in the products, so the V > 0 that solve them are one segment with one g, or one point at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
from flint import fmpq_poly

from explorer.algebra.exactify import Conjugates
from explorer.algebra.feasible import Affine, Vector, affine_solutions
from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import integer_polynomial, isolate
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import Evaluator, PolynomialSystem, polynomial
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.point import AnyPoint, Point, RationalField
from explorer.solve.classify import PRECISION
from explorer.solve.pieces.fans import Face, dot
from explorer.solve.pieces.layer import ZERO, Layer, Weights
from explorer.solve.pieces.ridge_points import Numbers
from explorer.solve.polynomials import context, to_terms, univariate

#: determinants of this many rows are still written out
MAX_ROWS = 6
Matrix = list[list[Fraction]]


@dataclass(frozen=True)
class Type:
    """What active units may have in common: a face, the sign of v, the l2 weights."""

    face: Face
    sign: int
    weights: Weights

    @property
    def bent(self) -> bool:
        """Whether the product costs something: v not 0 goes with L u not 0."""
        return bool(self.weights.outgoing)

    def columns(self, vectors: Sequence[Vector]) -> list[Vector]:
        """The outputs along vectors in the coordinates of the face's basis."""
        return [tuple(dot(row, v) for row in self.face.columns) for v in vectors]

    def inverse(self) -> Matrix:
        """A symmetric G with M G r = r for r in the image of M: the inverse of a principal block of full rank, with zeros."""
        matrix = self.weights.matrix(self.face)
        chosen: list[int] = []
        for k in range(len(matrix)):
            if _fmpq([[matrix[i][j] for j in (*chosen, k)] for i in (*chosen, k)]).det():
                chosen.append(k)
        out = [[ZERO] * len(matrix) for _ in matrix]
        block = _fmpq([[matrix[i][j] for j in chosen] for i in chosen]).inv()
        for a, i in enumerate(chosen):
            for b, j in enumerate(chosen):
                out[i][j] = Fraction(int(block[a, b].p), int(block[a, b].q))
        return out


@dataclass(frozen=True)
class Shares:
    """A solution: g, and the positive |v_j| of the bent units. With ``slide`` = m_b/m_a there are two of them and one number v: then
    V_a = (1 - t) v^2 and V_b = t v^2 / slide for any 0 < t < 1."""

    numbers: Numbers
    point: AnyPoint
    g: list[Any]
    sizes: list[Any]
    slide: Fraction | None = None


@dataclass(frozen=True)
class _Reduced:
    """The equations on the complement W of span Z, g = W e: (base + sum V_j forms_j / 2) e = right."""

    size: int
    complement: tuple[Vector, ...]
    base: Matrix
    forms: list[Matrix]
    right: list[Fraction]
    outgoing: list[Fraction]


def shares_of(layer: Layer, parts: Sequence[Type], deadline: Deadline, doubts: list[str]) -> Iterator[Shares]:
    """All solutions with V > 0 for units with these types, two bent ones at most."""
    reduced = _reduced(layer, parts)
    if len(reduced.right) > MAX_ROWS:
        raise Unsupported("sharing units", expected=f"at most {MAX_ROWS} free outputs", got=str(len(reduced.right)))
    count = len(reduced.forms)
    if not count:
        point = Point(RationalField(), ())
        numbers = Numbers.of(point)
        yield Shares(numbers, point, _gradient(reduced, numbers, point, (), []), [])
        return
    if not reduced.right:
        return  # g = 0, and g . K g = 4 m is not
    _, determinant, tops = _cramer(reduced, [0])
    lone = univariate(_condition(reduced, 0, determinant, tops), 0)
    for point in _positive(lone):
        numbers = Numbers.of(point)
        (size,) = numbers.values
        g = _gradient(reduced, numbers, point, (0,), [size])
        if count == 1:
            yield Shares(numbers, point, g, [size])
        elif _dependent(reduced, numbers, point, size):
            yield Shares(numbers, point, g, [size], reduced.outgoing[1] / reduced.outgoing[0])
            return  # every solution with V > 0 is on this segment
    if count == 2:
        yield from _isolated(reduced, deadline, doubts)


def _reduced(layer: Layer, parts: Sequence[Type]) -> _Reduced:
    size = len(layer.targets)
    free = [c for t in parts for c in t.columns(t.weights.kernel(t.face))]
    if layer.output_bias and not layer.bias_weight:
        free.append((Fraction(1),) * size)
    solved = affine_solutions(size, [(*c, ZERO) for c in free])
    assert solved is not None
    w = solved[1]
    bent = [t for t in parts if t.bent]
    level = 1 / (2 * layer.bias_weight) if layer.output_bias and layer.bias_weight else ZERO
    slack = [[level + (1 / (2 * layer.weights[i]) if i == k else ZERO) for k in range(size)] for i in range(size)]
    forms = []
    for t in bent:
        inverse = t.inverse()
        outputs = [tuple(dot(row, line) for line in inverse) for row in t.face.columns]
        forms.append(_on(w, [[dot(a, row) for row in t.face.columns] for a in outputs]))
    right = [-dot(v, layer.targets) for v in w]
    return _Reduced(size, w, _on(w, slack), forms, right, [t.weights.outgoing for t in bent])


def _on(w: Sequence[Vector], matrix: Matrix) -> Matrix:
    return [[dot(a, [dot(row, b) for row in matrix]) for b in w] for a in w]


def _cramer(reduced: _Reduced, used: Sequence[int]) -> tuple[Any, Any, list[Any]]:
    """(the ring of the V_j, det, the numerators) of the solution e with the forms ``used`` only."""
    ring = context([f"V{j}" for j in used])
    constant = lambda x: ring.constant(flint.fmpq(x.numerator, x.denominator))  # noqa: E731
    gens = ring.gens()
    size = len(reduced.right)
    square = [
        [
            sum(
                (constant(reduced.forms[j][i][k] / 2) * v for j, v in zip(used, gens, strict=True)),
                constant(reduced.base[i][k]),
            )
            for k in range(size)
        ]
        for i in range(size)
    ]
    right = [constant(x) for x in reduced.right]
    tops = [
        _determinant([[right[i] if j == k else square[i][j] for j in range(size)] for i in range(size)])
        for k in range(size)
    ]
    return ring, _determinant(square), tops


def _determinant(matrix: Sequence[Sequence[Any]]) -> Any:
    if len(matrix) == 1:
        return matrix[0][0]
    total = 0
    for k, entry in enumerate(matrix[0]):
        total = total + (-1) ** k * entry * _determinant([[*row[:k], *row[k + 1 :]] for row in matrix[1:]])
    return total


def _condition(reduced: _Reduced, j: int, determinant: Any, tops: Sequence[Any]) -> Any:
    """g . K_j g - 4 m_j, times the square of the determinant."""
    q = lambda x: flint.fmpq(x.numerator, x.denominator)  # noqa: E731
    total = q(-4 * reduced.outgoing[j]) * determinant * determinant
    for row, a in zip(reduced.forms[j], tops, strict=True):
        for x, b in zip(row, tops, strict=True):
            if x:
                total = total + q(x) * a * b
    return total


def _positive(coefficients: Sequence[Fraction]) -> Iterator[Point]:
    """v > 0 with p(v^2) = 0, each in the field that it generates."""
    even = [c for x in coefficients for c in (x, ZERO)]
    for factor, _ in integer_polynomial(even).factor()[1]:
        generator = fmpq_poly([0, 1]) % fmpq_poly(factor)
        for box in isolate(factor):
            point = Conjugates(factor, (generator,)).point(box)
            if arithmetic(point.field).sign(point.coordinates[0]) > 0:
                yield point


def _solved(
    reduced: _Reduced, numbers: Numbers, point: AnyPoint, used: Sequence[int], sizes: Sequence[Any]
) -> list[Any]:
    """e at V_j = sizes_j^2 (the others 0)."""
    if not reduced.right:
        return []
    _, determinant, tops = _cramer(reduced, used)
    squares = [numbers.ring.mul(x, x) for x in sizes]
    value = Evaluator(squares, constant=numbers.ring.constant, add=numbers.ring.add, mul=numbers.ring.mul)
    below = inverse(point, value(polynomial(to_terms(determinant))))
    return [numbers.ring.mul(value(polynomial(to_terms(top))), below) for top in tops]


def _gradient(
    reduced: _Reduced, numbers: Numbers, point: AnyPoint, used: Sequence[int], sizes: Sequence[Any]
) -> list[Any]:
    if not used:  # no unknown at all
        size = len(reduced.right)
        rows: list[Affine] = [(*row, -x) for row, x in zip(reduced.base, reduced.right, strict=True)]
        solved = affine_solutions(size, rows)
        assert solved is not None
        e: list[Any] = [numbers.ring.constant(x) for x in solved[0]]
    else:
        e = _solved(reduced, numbers, point, used, sizes)
    return [numbers.linear([w[i] for w in reduced.complement], e) for i in range(reduced.size)]


def _dependent(reduced: _Reduced, numbers: Numbers, point: AnyPoint, size: Any) -> bool:
    """Whether m_b K_a g = m_a K_b g modulo span Z: shares move from one unit to the other."""
    e = _solved(reduced, numbers, point, (0,), [size])
    a, b = reduced.outgoing
    rows = [[b * x - a * y for x, y in zip(one, two, strict=True)] for one, two in zip(*reduced.forms, strict=True)]
    return all(numbers.sign(numbers.linear(row, e)) == 0 for row in rows)


def _isolated(reduced: _Reduced, deadline: Deadline, doubts: list[str]) -> Iterator[Shares]:
    """The isolated V > 0: zeros of the two conditions without their common factor, and singular zeros of that factor."""
    ring, determinant, tops = _cramer(reduced, [0, 1])
    first, second = (_condition(reduced, j, determinant, tops) for j in (0, 1))
    common = first.gcd(second)
    systems = [[first / common, second / common]]
    if not common.is_constant():
        simple = common / common.gcd(common.derivative(0)).gcd(common.derivative(1))
        systems.append([simple, simple.derivative(0), simple.derivative(1)])
    for equations in systems:
        for point in _both_positive(ring, equations, deadline, doubts):
            with flint.ctx.workprec(PRECISION):
                numbers = Numbers.of(point)
                yield Shares(numbers, point, _gradient(reduced, numbers, point, (0, 1), numbers.values), numbers.values)


def _both_positive(ring: Any, equations: Sequence[Any], deadline: Deadline, doubts: list[str]) -> Iterator[AnyPoint]:
    """(v_a, v_b), both positive, with the equations in V = v^2."""
    for names, power in (("V0", "V1"), 1), (("v0", "v1"), 2):
        terms = [{tuple(power * n for n in e): c for e, c in to_terms(p).items()} for p in equations if not p.is_zero()]
        solution = solve_zero_dimensional(PolynomialSystem.of(names, terms), deadline)
        if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY) or not solution.complete:
            doubts.append(f"the system of two units that may share was not solved: {solution.reason}")
            return
        found = []
        for root in solution.roots:
            with flint.ctx.workprec(PRECISION):
                numbers = Numbers.of(root.point)
                signs = [numbers.sign(x) for x in numbers.values]
            if -1 in signs or 0 in signs:
                continue
            if None in signs:
                doubts.append("a box does not tell whether a unit is active")
            else:
                found.append(root.point)
        if not found or power == 2:
            yield from found
            return


def inverse(point: AnyPoint, x: Any) -> Any:
    """1/x in the field of the point, or as a ball."""
    return arithmetic(point.field).inverse(x) if isinstance(point, Point) else 1 / x


def _fmpq(rows: Sequence[Sequence[Fraction]]) -> flint.fmpq_mat:
    return flint.fmpq_mat(len(rows), len(rows), [flint.fmpq(v.numerator, v.denominator) for row in rows for v in row])
