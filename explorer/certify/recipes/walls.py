"""Walled basins: boxes around a bad minimum of a narrow network, or of a slice, on whose boundary the loss is higher."""

from __future__ import annotations

from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.goals import certify
from explorer.certify.paths import basin_certificate, descend
from explorer.point import Element, Ln2Ring, Point
from explorer.problem import Problem

F = Fraction
ZERO: Element = (F(0),)
LN2: Element = (F(0), F(1))
SIGMOID = {"activation": "sigmoid", "inputs": [1, 3], "targets": [F(-10, 3), F(35, 9)]}


def narrow_sigmoid(source: str) -> Instance:
    """One sigmoid unit, x = (1, 3): (w, v) = (ln 2, 1) is a strict minimum of value 25 inside a wall of 25 + 1/100.

    With residual r = (4, -3): <r, sigma> = 4 (2/3) - 3 (8/9) = 0 and <r, x sigma'> = 4 (2/9) - 9 (8/81) = 0; at w = -ln 2,
    v = -11/2 the loss is 45/2.
    """
    problem = Problem.dense(widths=[1, 1, 1], slug="narrow-sigmoid", source=source, **SIGMOID)  # type: ignore[arg-type]
    p = Point(Ln2Ring(), (LN2, (F(1),)))
    q = Point(Ln2Ring(), ((F(0), F(-1)), (F(-11, 2),)))
    wall = basin_certificate(
        problem, p, q, level=F(2501, 100), lower=(F(1, 2), F(1, 2)), upper=(F(9, 10), F(3, 2)), cuts=(16, 8)
    )
    strict = certify(problem, "spurious-local-minimum", at=p, better=q)
    return Instance(problem.slug, problem, (("spurious-basin", wall), ("spurious-local-minimum", strict)))


def wide_sigmoid(source: str) -> Instance:
    """The same data with two units: the unit twice with half its output weight is no longer walled in; a path leads to F = 0."""
    problem = Problem.dense(widths=[1, 2, 1], slug="wide-sigmoid", source=source, **SIGMOID)  # type: ignore[arg-type]
    p = Point(Ln2Ring(), (LN2, LN2, (F(1, 2),), (F(1, 2),)))
    bad = certify(problem, "local-minimum", at=p)
    return Instance(problem.slug, problem, (("local-minimum", bad), ("descending-path", descend(problem, p))))


def narrow_polynomial(source: str) -> Instance:
    """phi = t^2 + 1, one unit, x = (1, 2), y = (-6, 4): (w, v) = (0, -1) has f = (-1, -1), r = (5, -5), F = 50, Hessian
    diag(60, 4); at w = 2, v = 19/157 the loss is 7442/157 < 50."""
    problem = Problem.dense(
        widths=[1, 1, 1], activation="polynomial", coefficients=[1, 0, 1], inputs=[1, 2], targets=[-6, 4],
        slug="narrow-polynomial", source=source,
    )  # fmt: skip
    p, q = Point.rational([0, -1]), Point.rational([2, F(19, 157)])
    wall = basin_certificate(
        problem, p, q, level=F(252, 5), lower=(F(-1, 5), F(-3, 2)), upper=(F(1, 5), F(-1, 2)), cuts=(8, 16)
    )
    strict = certify(problem, "spurious-local-minimum", at=p, better=q)
    return Instance(problem.slug, problem, (("spurious-basin", wall), ("spurious-local-minimum", strict)))


def wide_polynomial(source: str) -> Instance:
    """The same data with two units: from the doubled bad minimum a path leads to F = 0."""
    problem = Problem.dense(
        widths=[1, 2, 1], activation="polynomial", coefficients=[1, 0, 1], inputs=[1, 2], targets=[-6, 4],
        slug="wide-polynomial", source=source,
    )  # fmt: skip
    p = Point.rational([0, 0, F(-1, 2), F(-1, 2)])
    return Instance(problem.slug, problem, (("descending-path", descend(problem, p)),))


def deltoid_slice(source: str) -> Instance:
    """A plane through a global minimum of a linear network of width 3 with a walled bad minimum.

    X = I_2, y = (-13/4, 0); theta* has output weights (1, 5/2, 1) and rows (1, 5), (-5/2, 0), (2, -5); the directions are
    (1, 0, 0), (1, 0), (0, 0), (2, 0) and (0, 1, 0), (0, 2), (-1, 0), (0, -2). The slice is |z^2 + 2 conj z - y|^2 with
    z = 1 + a + i (5/2 + b), at z = x + iy: (x^2 - y^2 + 2x + 13/4)^2 + (2xy - 2y)^2. At z = -1 its value is 81/16. The network
    itself has no bad local minimum at all (it is linear): a slice can make one.
    """
    square = {(2, 0): F(1), (0, 2): F(-1), (1, 0): F(2), (0, 0): F(13, 4)}
    other = {(1, 1): F(2), (0, 1): F(-2)}
    terms: dict[tuple[int, ...], F] = {}
    for factor in (square, other):
        for (a, b), c in factor.items():
            for (e, f), g in factor.items():
                terms[a + e, b + f] = terms.get((a + e, b + f), F(0)) + c * g
    problem = Problem.monomial(["x", "y"], {e: c for e, c in terms.items() if c}, slug="deltoid-slice", source=source)
    p, q = Point.rational([-1, 0]), Point.rational([1, F(5, 2)])
    wall = basin_certificate(
        problem, p, q, level=F(6), lower=(F(-3, 2), F(-1, 2)), upper=(F(-1, 2), F(1, 2)), cuts=(12, 12)
    )
    return Instance(problem.slug, problem, (("spurious-basin", wall),))
