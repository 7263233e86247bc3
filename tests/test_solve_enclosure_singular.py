"""Degenerate critical points at rational places: isolated by the reduced terms of higher order, or honestly left."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from enclosure_tools import ends_by_chance, ridge

from explorer.budget import Budget
from explorer.certify import certify
from explorer.errors import NotCertifiable
from explorer.point import EnclosedPoint, Point
from explorer.problem import Problem
from explorer.solve.boxes.enclosure import by_enclosure
from explorer.solve.boxes.leftovers import clusters, hopeless, simplest_between
from explorer.solve.boxes.singular import Singular, singular_point
from explorer.solve.boxes.tape import Tape
from explorer.solve.critical import critical_set


def at_origin(problem: Problem) -> Singular | None:
    return singular_point(problem, [Fraction(0)] * len(problem.parameters), (), Budget(30).start())


def polynomial(terms: dict[Any, int]) -> Problem:
    return Problem.monomial(["x", "y", "z"][: len(next(iter(terms)))], terms)


#: polynomials with a degenerate critical point at 0, and what it is, by hand; None: not isolated, or not decided by the terms that are looked at
BY_HAND: list[tuple[dict[Any, int], str | None]] = [
    ({(4,): 1}, "strict minimum"),
    ({(4,): -2}, "strict maximum"),
    ({(3,): 1}, "saddle"),
    ({(5,): 1}, None),  # order 5: isolated, but not by terms of order 3 and 4
    (
        {(0, 2): 1, (2, 1): -3, (4, 0): 2},
        "saddle",
    ),  # Peano: (y - x^2)(y - 2x^2), reduced -x^4/4; a minimum on every line
    ({(0, 2): 1, (2, 1): -3, (4, 0): 3}, "strict minimum"),  # (y - 3x^2/2)^2 + 3x^4/4
    ({(0, 2): 1, (2, 1): -2, (4, 0): 1}, None),  # (y - x^2)^2: a curve
    ({(0, 2): -1, (4, 0): 1}, "saddle"),
    ({(0, 2): -1, (4, 0): -1}, "strict maximum"),
    ({(3, 0): 1, (1, 2): -3}, "saddle"),  # the monkey saddle, Hessian 0
    ({(2, 2): 1}, None),  # both axes
    ({(4, 0): 1, (2, 2): 1, (0, 4): 1}, "strict minimum"),
    ({(4, 0): 1, (2, 2): -3, (0, 4): 1}, "saddle"),  # x^4 - 3x^2y^2 + y^4: > 0 on the axes, < 0 on the diagonal
    ({(3, 0): 1, (0, 4): 1}, None),  # isolated, but the cubic terms alone are not
]


@pytest.mark.parametrize(("terms", "kind"), BY_HAND, ids=lambda v: v if isinstance(v, str) else None)
def test_degenerate_points_of_polynomials(terms: dict[Any, int], kind: str | None) -> None:
    found = at_origin(polynomial(terms))
    assert (found.component.kind.value if found else None) == kind


def test_regular_and_ordinary_points_are_no_business_of_this() -> None:
    assert at_origin(polynomial({(2, 0): 1, (0, 2): -1})) is None
    assert at_origin(polynomial({(1, 0): 1, (0, 4): 1})) is None  # not critical


def test_the_box_is_not_larger_than_the_truth() -> None:
    """x^4/4 - x^3/300 (times 300): 0 and 1/100 are critical, the cubic term decides at 0, and the box stays below 1/100."""
    found = at_origin(polynomial({(4,): 75, (3,): -1}))
    assert found is not None
    assert found.component.kind.value == "saddle"
    assert Fraction(1, 1000) < found.half < Fraction(1, 100)


@pytest.mark.parametrize("moved", [0, 2])
def test_rational_places_are_found_in_what_is_left(moved: int) -> None:
    """(3x - 1)^4 + (3x - 1)^6 moved: its only critical point is none of the first guesses, and settles the undecided box."""
    shift = [Fraction(-1 - 3 * moved), Fraction(3)]
    terms: dict[tuple[int, ...], Fraction] = {}
    for power in (4, 6):
        row = [Fraction(1)]
        for _ in range(power):
            row = [
                (row[k] if k < len(row) else 0) * shift[0] + (row[k - 1] * shift[1] if k else 0)
                for k in range(len(row) + 1)
            ]
        for k, c in enumerate(row):
            terms[k,] = terms.get((k,), Fraction(0)) + c
    box = EnclosedPoint((Fraction(moved) - 1,), (Fraction(moved) + 2,))
    found = critical_set(Problem.monomial(["x"], terms), box=box)
    assert found.coverage.complete, found.coverage.reason
    assert "1 of them degenerate" in found.coverage.reason
    assert [c.sample for c in found.components] == [Point.rational([Fraction(1, 3) + moved])]


# sigmoid units with sum y = 0: the origin is critical, the Hessian has the blocks 2 lambda on the diagonal, c = -sum x y/2 between w_j and v_j and
# n/2 between the v_j. On sum v = 0 that is singular where c^2 = 4 lambda^2, with nullity (units - 1). By hand: c = -1, 1/2, 1/2 for the three.
THRESHOLDS = [(2, [1, -1], [1, -1], "1/2"), (2, [1, 2], [1, -1], "1/4"), (2, [0, 1], [1, -1], "1/4")]


@pytest.mark.parametrize(("units", "inputs", "targets", "weight"), THRESHOLDS)
def test_a_ridge_at_its_threshold(units: int, inputs: list[int], targets: list[int], weight: str) -> None:
    """Only the origin, a strict minimum of nullity 1; Newton's method from 300 random starts ends near it, always."""
    problem = ridge("sigmoid", [1, units, 1], inputs, targets, weight)
    found = by_enclosure(problem, Budget(30).start())
    assert found.coverage.complete, found.coverage.reason
    (only,) = found.components
    assert only.kind.value == "strict minimum"
    assert only.inertia is not None
    assert (only.inertia.positive, only.inertia.zero) == (2 * units - units + 1, units - 1)
    assert only.is_global
    assert found.morse_sum is None  # of nondegenerate points only
    ends = ends_by_chance(problem, 300)
    assert len(ends) > 100
    assert np.abs(ends).max() < 0.02
    with pytest.raises(NotCertifiable, match=r"a degenerate one at \(0, 0, 0, 0\)"):
        certify(problem, "critical-points-complete")


@pytest.mark.slow
def test_three_units_at_the_threshold() -> None:
    """Nullity 2 in six parameters: no number of boxes resolves the origin, the reduced terms do."""
    found = by_enclosure(ridge("sigmoid", [1, 3, 1], [1, -1], [1, -1], "1/2"), Budget(100).start())
    assert found.coverage.complete, found.coverage.reason
    assert [(c.kind.value, c.inertia and c.inertia.zero) for c in found.components] == [("strict minimum", 2)]


def test_beside_the_threshold_there_are_regular_points() -> None:
    """lambda = 49/200 instead of 1/4: the origin is a saddle, and a pair of minima has left it."""
    found = by_enclosure(ridge("sigmoid", [1, 2, 1], [1, 2], [1, -1], "49/200"), Budget(30).start())
    assert found.coverage.complete
    assert found.by_index == {"0": 2, "1": 1}
    assert found.morse_sum == 1


def test_hulls_hold_all_that_is_left() -> None:
    rng = np.random.default_rng(0)
    tape = Tape.of(polynomial({(2, 2): 1}))
    middle = np.concatenate([np.stack([rng.uniform(1, 2, 500), 0 * rng.random(500)]), [[-1.5], [-1.5]]], axis=1)
    lo, hi = middle - 0.01, middle + 0.01
    size = np.array([2, 2])
    found = clusters(tape, lo, hi, size)
    assert sum(c.boxes for c in found) == 501
    for n in range(501):
        assert any((c.lower <= lo[:, n]).all() and (hi[:, n] <= c.upper).all() for c in found)
    assert found[0].nullity == 1  # (x, 0) is critical, the Hessian there is diag(0, 2x^2)
    assert found[-1].nullity is None  # |grad| = 6.75 * sqrt 2 at (-3/2, -3/2)
    assert hopeless(tape, lo[:, :500], hi[:, :500], size)
    assert not hopeless(tape, lo[:, 500:], hi[:, 500:], size)


def test_simplest_fractions() -> None:
    pairs = [
        ("0.3", "0.35", "1/3"),
        ("-0.1", "1", "0"),
        ("-1.5", "-1.4", "-3/2"),
        ("2.99", "3.5", "3"),
        ("3.14", "3.15", "22/7"),
    ]
    for a, b, best in pairs:
        assert simplest_between(Fraction(a), Fraction(b)) == Fraction(best)
