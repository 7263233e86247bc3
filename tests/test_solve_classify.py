"""The kind of single critical points, with curves checked against the loss written out by hand."""

from __future__ import annotations

from fractions import Fraction as Q

import pytest

from explorer.budget import Budget
from explorer.errors import Invalid
from explorer.model.polynomial import loss_polynomial
from explorer.point import NumberField, Point
from explorer.problem import Problem
from explorer.solve.classify import Target, classify
from explorer.solve.results import Curve

# terms, kind at the origin, and why (by hand)
ORIGIN = [
    ({(2, 0): 1, (0, 4): 1}, "strict minimum"),  # x^2 + y^4
    ({(2, 0): -1, (0, 4): -1}, "strict maximum"),
    ({(2, 0): 1, (1, 2): -2}, "saddle"),  # (x - y^2)^2 - y^4: -s^4 on x = y^2
    ({(2, 0): 1, (1, 2): -2, (0, 4): 1}, "minimum"),  # (x - y^2)^2
    ({(2, 0): 1, (1, 2): -2, (0, 4): 1, (0, 6): -1}, "saddle"),  # ... - y^6
    ({(2, 0): 1, (1, 2): -2, (0, 4): 1, (0, 6): 1}, "strict minimum"),  # ... + y^6
    ({(2, 0): 1, (0, 3): 1}, "saddle"),
    ({(2, 0): -1, (0, 3): 1}, "saddle"),
    ({(3, 0): 1, (1, 2): -3}, "saddle"),  # the monkey saddle
    ({(4, 0): 1, (0, 4): 1, (2, 2): -3}, "saddle"),  # 1 + 1 - 3 < 0 on x = y
    ({(2, 0): 1, (1, 1): 2, (0, 2): 1, (0, 4): -1}, "saddle"),  # (x + y)^2 - y^4
    ({(2, 0): 1, (1, 1): 2, (0, 2): 1, (0, 4): 1}, "strict minimum"),
    ({(2, 0): 1, (0, 2): -1}, "strict saddle"),
    ({(2, 0): 1, (0, 2): 1}, "strict minimum"),
    ({(4, 0): 1, (0, 4): 1}, "undecided"),  # a minimum, but two zero eigenvalues and no rule: must not be guessed
    ({(2, 0): 1, (0, 10): -1}, "undecided"),  # beyond the order that curves are followed
]


def target(terms: dict) -> Target:
    problem = Problem.monomial(["x", "y"], terms)
    return Target(problem, loss_polynomial(problem))


@pytest.mark.parametrize(("terms", "kind"), ORIGIN, ids=[str(t) for t, _ in ORIGIN])
def test_the_origin(terms: dict, kind: str) -> None:
    result = classify(target(terms), Point.rational([0, 0]), Budget(30).start())
    assert result.kind.value == kind, result.because
    assert result.because
    for curve, sign in ((result.evidence.descent, -1), (result.evidence.ascent, 1)):
        if curve is not None:
            check_curve(terms, curve, sign)


def check_curve(terms: dict, curve: Curve, sign: int) -> None:
    """F along the curve is coefficient s^order + O(s^(order + 1)), by evaluation at two small rational s."""
    (c,) = curve.coefficient
    assert (c > 0) == (sign > 0)
    errors = []
    for s in (Q(1, 10**4), Q(1, 10**6)):
        x, y = (sum((k[0] * s ** (m + 1) for m, k in enumerate(row)), Q(0)) for row in curve.coefficients)
        value = sum((a * x ** e[0] * y ** e[1] for e, a in terms.items()), Q(0))
        errors.append(abs(value / s**curve.order - c))
    assert errors[0] <= Q(1, 100) * abs(c)
    assert errors[1] <= Q(1, 10**4) * abs(c)


def test_saddles_carry_what_the_hessian_does_not_show() -> None:
    result = classify(target({(2, 0): 1, (1, 2): -2}), Point.rational([0, 0]), Budget(30).start())
    assert result.evidence.descent is not None  # ascent comes from the positive eigenvalue
    assert result.evidence.descent.order == 4
    assert result.evidence.descent.coefficient == (Q(-1),)


def test_a_degenerate_point_in_a_number_field() -> None:
    # F = (x^2 - 2)^3 + (x^2 - 2) y ... at x = sqrt 2: with u = x^2 - 2, F = u^3 + u y^2; both signs at order 3 by hand:
    # u = 2 sqrt2 h + h^2, so F = (2 sqrt2 h)^3 + ... on y = 0
    field = NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
    terms = {(6, 0): 1, (4, 0): -6, (2, 0): 12, (0, 0): -8, (2, 2): 1, (0, 2): -2}
    point = Point(field, ((Q(0), Q(1)), (Q(0),)))
    result = classify(target(terms), point, Budget(30).start())
    assert result.kind.value == "saddle"
    assert result.evidence.ascent is not None
    assert result.evidence.ascent.order == 3


def test_a_point_that_is_not_critical_is_refused() -> None:
    # singular Hessian and nonzero gradient: x + y^2 would read as a degenerate minimum from its Hessian alone
    with pytest.raises(Invalid, match="critical point"):
        classify(target({(1, 0): 1, (0, 2): 1}), Point.rational([0, 0]), Budget(30).start())
    with pytest.raises(Invalid, match="critical point"):
        classify(target({(1, 0): 1, (2, 0): 1, (0, 2): 1}), Point.rational([0, 0]), Budget(30).start())
