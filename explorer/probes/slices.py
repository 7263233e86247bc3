"""Polynomial losses on lines and planes: the restriction as a polynomial, its monotonicity and its mean, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from explorer.errors import Unsupported
from explorer.model.pieces import nonnegative_on
from explorer.model.polynomial import Terms, loss_polynomial, terms_of
from explorer.point import Point
from explorer.problem import Problem

#: a polynomial in several slice coordinates for every parameter
Chart = Sequence[Terms]


def pulled_back(problem: Problem, chart: Chart, names: Sequence[str]) -> Terms:
    """F(theta(s)) for polynomial coordinates theta_k(s) in ``names``; `Unsupported` for losses that are no polynomials."""
    loss = loss_polynomial(problem)
    context = fmpq_mpoly_ctx.get(list(names), Ordering.lex)
    images = [context.from_dict({e: _fmpq(c) for e, c in terms.items() if c}) for terms in chart]
    total = context.constant(0)
    for exponents, c in loss.terms.items():
        term = context.constant(_fmpq(c))
        for image, e in zip(images, exponents, strict=True):
            if e:
                term = term * image**e
        total += term
    return terms_of(total)


def affine_chart(base: Point, directions: Sequence[Point]) -> Chart:
    """theta(s) = base + sum_j s_j directions[j], for rational points."""
    if not all(p.is_rational for p in (base, *directions)):
        raise Unsupported("the points", expected="rational coordinates", got="another field")
    n, chart = len(directions), []
    for k, c in enumerate(base.coordinates):
        terms = {(0,) * n: c[0]}
        for j, d in enumerate(directions):
            terms[tuple(int(i == j) for i in range(n))] = d.coordinates[k][0]
        chart.append({e: v for e, v in terms.items() if v})
    return chart


def minus(a: Point, b: Point) -> Point:
    """a - b for rational points."""
    return Point.rational([x[0] - y[0] for x, y in zip(a.coordinates, b.coordinates, strict=True)])


def on_segment(problem: Problem, a: Point, b: Point) -> tuple[Fraction, ...]:
    """The coefficients of s -> F(a + s (b - a)), low to high."""
    terms = pulled_back(problem, affine_chart(a, [minus(b, a)]), ["s"])
    top = max((e[0] for e in terms), default=0)
    return tuple(terms.get((k,), Fraction(0)) for k in range(top + 1))


def decreasing_on_unit(c: Sequence[Fraction]) -> bool:
    """Whether the polynomial decreases strictly on [0, 1]: its slope is <= 0 there and not identically 0."""
    slope = _derivative(c)
    if not any(slope):
        return False
    return nonnegative_on(tuple(-v for v in slope), Fraction(0), Fraction(1))


def rises_from(c: Sequence[Fraction]) -> bool:
    """Whether the polynomial rises immediately right of 0."""
    return next((v > 0 for v in _derivative(c) if v), False)


def mean_on_unit(c: Sequence[Fraction]) -> Fraction:
    """The integral over [0, 1]."""
    return sum((v / (k + 1) for k, v in enumerate(c)), Fraction(0))


def constant_on_segment(problem: Problem, a: Point, b: Point) -> bool:
    """Whether F does not change on the segment."""
    return not any(on_segment(problem, a, b)[1:])


def bezier(problem: Problem, a: Point, bend: Point, b: Point) -> tuple[Fraction, ...]:
    """The coefficients of t -> F((1-t)^2 a + 2t(1-t) bend + t^2 b)."""
    chart: list[Terms] = []
    for x, m, y in zip(a.coordinates, bend.coordinates, b.coordinates, strict=True):
        terms: Terms = {(0,): x[0], (1,): 2 * (m[0] - x[0]), (2,): x[0] - 2 * m[0] + y[0]}
        chart.append({e: v for e, v in terms.items() if v})
    found = pulled_back(problem, chart, ["t"])
    top = max((e[0] for e in found), default=0)
    return tuple(found.get((k,), Fraction(0)) for k in range(top + 1))


def slice_problem(problem: Problem, base: Point, u: Point, v: Point, *, slug: str = "slice") -> Problem:
    """G(a, b) = F(base + a u + b v) as a problem of its own."""
    terms = pulled_back(problem, affine_chart(base, [u, v]), ["a", "b"])
    zero: Terms = {(0, 0): Fraction(0)}
    return Problem.monomial(["a", "b"], terms or zero, slug=slug)


def _derivative(c: Sequence[Fraction]) -> list[Fraction]:
    return [k * v for k, v in enumerate(c)][1:]


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def loss_terms(problem: Problem) -> Terms | None:
    """F as a polynomial (exponents -> coefficient), or None."""
    try:
        return loss_polynomial(problem).terms
    except Unsupported:
        return None
