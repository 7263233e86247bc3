"""One hidden layer of relu-like units: faces, critical strata and kinds, by hand or against F at nearby points."""

from __future__ import annotations

import time
from collections import Counter
from fractions import Fraction as Q
from itertools import product

import audit_checks
import audit_descents
import audit_problems
import pytest

from explorer.algebra.feasible import affine_solutions, strictly_feasible, value
from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.pieces.fans import dot, fan
from explorer.solve.pieces.layer import layer_of


def network(widths: list[int], inputs: list[object], targets: list[object], **more: object) -> Problem:
    return Problem.dense(widths=widths, inputs=inputs, targets=targets, **{"activation": "relu", **more})


def ridge(weight: str) -> dict[str, object]:
    return {"kind": "l2", "weights": weight}


def counted(problem: Problem) -> Counter:
    found = critical_set(problem, budget=Budget(100))
    assert found.coverage.complete, found.coverage.reason
    return Counter((c.dimension, c.kind.value, c.value.as_fraction) for c in found.components)


# -- linear programming and faces -------------------------------------------------------------------------------------


def test_strict_systems_against_a_grid() -> None:
    # all systems of three strict inequalities a x + b y + c > 0 with small coefficients: a grid point that satisfies one
    # proves it feasible; three half-planes whose normals sum to 0 with nonpositive sum of constants are infeasible (add them)
    rows = [
        (Q(a), Q(b), Q(c)) for a, b, c in ((1, 0, -1), (0, 1, -1), (-1, -1, 1), (-1, -1, 4), (1, -2, 0), (-1, 2, 0))
    ]
    grid = [(Q(x, 3), Q(y, 3)) for x in range(-15, 16) for y in range(-15, 16)]
    for chosen in product(rows, repeat=3):
        found = strictly_feasible(2, (), chosen)
        seen = any(all(value(r, p) > 0 for r in chosen) for p in grid)
        assert found is None or all(value(r, found) > 0 for r in chosen)
        assert not (seen and found is None)
        if all(sum(r[k] for r in chosen) == 0 for k in (0, 1)) and sum(r[2] for r in chosen) <= 0:
            assert found is None
    # on a line: x + y = 1, x > 2, y > 0 has no solution, x > 0, y > 0 has
    line = [(Q(1), Q(1), Q(-1))]
    assert strictly_feasible(2, line, [(Q(1), Q(0), Q(-2)), (Q(0), Q(1), Q(0))]) is None
    assert strictly_feasible(2, line, [(Q(1), Q(0), Q(0)), (Q(0), Q(1), Q(0))]) is not None
    assert affine_solutions(1, [(Q(0), Q(1))]) is None


def test_faces_are_counted_as_in_the_theory_of_arrangements() -> None:
    # m lines through 0 in the plane: 2m cells, 2m rays, 1 point; three planes in general position in space: 8, 12, 6, 1
    clock = Budget(20).start()
    plane = fan([(Q(1), Q(0)), (Q(0), Q(1)), (Q(1), Q(1)), (Q(2), Q(2))], (Q(0), Q(1)), clock)
    assert Counter(f.dimension for f in plane.faces) == {2: 6, 1: 6, 0: 1}
    space = fan([(Q(1), Q(0), Q(1)), (Q(0), Q(1), Q(1)), (Q(1), Q(1), Q(1))], (Q(0), Q(1)), clock)
    assert Counter(f.dimension for f in space.faces) == {3: 8, 2: 12, 1: 6, 0: 1}
    for found in (plane, space):
        for f in found.faces:
            assert [(v > 0) - (v < 0) for v in (dot(n, f.sample) for n in found.normals)] == list(f.signs)
        origin = found.faces[-1]
        assert len(found.rays(origin)) == 6
        assert len(found.cells(origin)) == sum(f.dimension == found.faces[0].dimension for f in found.faces)


# -- strata by hand ---------------------------------------------------------------------------------------------------


def test_one_unit_on_three_points_without_regularizer() -> None:
    # x = 1, 2 (y = 1, 0) on w > 0, x = -1 (y = 1) on w < 0. Right branch: min (1 - p)^2 + (2p)^2 at p = 1/5: 4/5 + 1 = 9/5;
    # left: p = 1, F = 1. Kink w = 0, F = 2: g = (-2, 0, -2), v h' = -2v on both sides: v < 0 minima, v > 0 maxima, 0 saddle
    got = counted(network([1, 1, 1], [1, 2, -1], [1, 0, 1]))
    assert got == {
        (1, "minimum", Q(9, 5)): 1,
        (1, "minimum", 1): 1,
        (1, "minimum", 2): 1,
        (1, "maximum", 2): 1,
        (0, "saddle", 2): 1,
    }


def test_a_kink_with_slopes_of_opposite_signs_is_not_critical() -> None:
    # x = 1, -1 with y = 1, -1: on w = 0 g = (-2, 2), the derivatives along w are -2v and -2v: only v = 0 is critical
    got = counted(network([1, 1, 1], [1, -1], [1, -1]))
    assert got == {(1, "minimum", 1): 2, (0, "saddle", 2): 1}


def test_absolute_values_and_leaky_units() -> None:
    # |z|, x = 1, y = 1: v |w| = 1 on both sides; w = 0 with F = 1: g = -2, v h' = -2v to both sides
    absolute = {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["0", "-1"], ["0", "1"]]}
    expected = {(1, "minimum", 0): 2, (1, "minimum", 1): 1, (1, "maximum", 1): 1, (0, "saddle", 1): 1}
    assert counted(network([1, 1, 1], [1], [1], activation=absolute)) == expected
    # slope 1/2 is increasing: on w = 0 the derivatives -2v and -v have one sign, so v = 0
    leaky = {"kind": "leaky_relu", "slope": "1/2"}
    assert counted(network([1, 1, 1], [1], [1], activation=leaky)) == {(1, "minimum", 0): 2, (0, "saddle", 1): 1}


def test_two_requ_units() -> None:
    # v relu(w)^2 = p is any number of the sign of v, as for relu: the strata of two relu units on one point, x = y = 1
    units = [counted(network([1, 2, 1], [1], [1], activation=a)) for a in ("relu", "requ")]
    assert units[0] == units[1]


def test_two_requ_units_with_ridge() -> None:
    # x = 1, -1, y = 2, 3, weights 1/2: an active unit has v = -1/(2g), w^2 = 1/(2g^2), g = 2 (f - y) of the point that it sees, so k units on one
    # side give f = -k/(4g^3), that is 2g^4 + 4yg^3 + k = 0 with g < 0: two roots for y = 2, 3 and k = 1, 2. Points: one unit on each side
    # 2 * 2 * 2 (order), two on one side 2 + 2, one active and one zero 2 * (2 + 2), none 1. A single unit has one minimum and one
    # saddle on each side, so on different sides there are 2 minima and 6 saddles; the point without units is a strict minimum.
    found = critical_set(
        network([1, 2, 1], [1, -1], [2, 3], activation="requ", regularizer=ridge("1/2")), budget=Budget(100)
    )
    assert found.coverage.complete, found.coverage.reason
    assert found.real_points == 12
    kinks = Counter(c.kind.value for c in found.components if not c.isolated)
    assert kinks == {"strict minimum": 5, "saddle": 4}
    smooth = Counter(c.kind.value for c in found.components if c.isolated)
    assert smooth["strict minimum"] == 2  # two units on one side cannot be at a minimum: moving v between them lowers F


def test_ridge_that_is_too_strong_leaves_the_origin() -> None:
    # h(1) = -2, h^2 = 4 against 4 lambda^2: lambda > 1 a strict minimum, lambda = 1 a minimum (equality), lambda < 1 a saddle
    # and v = w = sqrt(1 - lambda), F = lambda^2 + 2 lambda (1 - lambda)
    for weight, expected in (
        ("2", {(0, "strict minimum", 1): 1}),
        ("1", {(0, "minimum", 1): 1}),
        ("1/2", {(0, "saddle", 1): 1, (0, "strict minimum", Q(3, 4)): 1}),
    ):
        assert counted(network([1, 1, 1], [1], [1], regularizer=ridge(weight))) == expected


def test_output_bias_with_ridge() -> None:
    # x = 1, -1, y = 3, 0, lambda = 1/2, output bias: with w > 0 minimise (p + c - 3)^2 + c^2 + p + c^2/2 over p, c:
    # p + c = 5/2, 2c + c - 1 = 0: c = 1/3, p = 13/6. F = 1/4 + 1/9 + 13/6 + 1/18 = 31/12. With w < 0, v > 0: (c - 3)^2 + (p + c)^2 + p + c^2/2:
    # p + c = -1/2 and c = 7/3 + ... : 2(c - 3) - 1 + c = 0, c = 7/3, p = -17/6 < 0: none; v < 0: p + c = 1/2, 2(c - 3) + 1 + c = 0,
    # c = 5/3, p = -7/6, F = 16/9 + 1/4 + 7/6 + 25/18 = 55/12. Origin: c = 6/5, F = 9 - 9/(5/2) = 27/5, g = (-18/5, 12/5), 4 lambda^2 = 1: saddle
    got = counted(network([1, 1, 1], [1, -1], [3, 0], bias=[False, True], regularizer=ridge("1/2")))
    assert got == {
        (0, "strict minimum", Q(31, 12)): 1,
        (0, "strict minimum", Q(55, 12)): 1,
        (0, "saddle", Q(27, 5)): 1,
    }


def test_what_the_layer_does_not_cover_goes_another_way() -> None:
    assert layer_of(network([1, 1, 1, 1], [1], [1])) is None
    assert layer_of(network([1, 1, 2], [1], [[1, 2]])) is None
    assert layer_of(network([1, 1, 1], [1], [1], activation="requ", bias=[True, False])) is None
    assert layer_of(network([2, 1, 1], [[1, 2]], [1], activation="requ")) is None


def test_directions_that_share_their_outputs() -> None:
    # |u_1| y_1 + |u_2| y_2 on e_1, e_2: units in the cells (+ +) and (+ -) have the same outputs and may share their product.
    # (a - 1)^2 + (b - 3)^2 + sqrt(a^2 + b^2)/5 is least for r = sqrt(10) - 1/10 along (1, 3): F = sqrt(10)/5 - 1/100. Each of two units in one of four
    # cells: 16 pieces of dimension 1; one of them alone: 8 points. Everything else falls.
    absolute = {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["0", "-1"], ["0", "1"]]}
    p = network([2, 2, 1], [[1, 0], [0, 1]], [1, 3], activation=absolute, regularizer=ridge("1/10"))
    found = critical_set(p, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    low = [c for c in found.components if c.kind.is_minimum]
    assert sorted(c.dimension for c in low) == [0] * 8 + [1] * 16
    assert all(abs(float(c.value.lower) - (10**0.5 / 5 - 0.01)) < 1e-12 for c in low)
    three = network([2, 3, 1], [[1, 0], [0, 1]], [1, 3], activation=absolute, regularizer=ridge("1/10"))
    found = critical_set(three, budget=Budget(40))
    assert not found.coverage.complete
    assert "a choice of faces was not solved" in found.coverage.reason


def test_a_unit_on_a_kink_of_another_point_by_structure() -> None:
    # a unit that sees only the point x = -1 has u parallel to (-1, 1) (equal weights), which lies on the kink (1, 1) . u = 0 of x = 1; the other
    # unit sees x = 2 and 1 and is known by a box, and the slope across that kink is 0 identically, not only nearly
    p = network([1, 2, 1], [1, 2, -1], [1, 3, 2], bias=[True, False], regularizer=ridge("1/10"))
    found = critical_set(p, budget=Budget(100))
    assert found.coverage.complete, found.coverage.reason
    assert not [c for c in found.components if c.kind.value == "undecided"]
    assert any("w1_1_1 + b1_1 = 0" in c.equations and "w1_2_1 + b1_2 > 0" in c.equations for c in found.components)


def test_too_many_strata_are_refused_with_the_reason() -> None:
    found = critical_set(network([1, 6, 1], [1, -2, 3], [1, -2, 3]), budget=Budget(3))
    assert not found.coverage.complete
    assert "strata are missing" in found.coverage.reason
    assert found.components  # what was found is handed over all the same


# -- against floats ---------------------------------------------------------------------------------------------------

SAMPLE = (
    pytest.param(1, marks=pytest.mark.slow),
    pytest.param(3, marks=pytest.mark.slow),
    4,
)  # one and two units, with and without ridge, inputs of dimension 1 and 2, a hidden bias


@pytest.mark.parametrize("seed", SAMPLE)
def test_descents_end_on_listed_components(seed: int) -> None:
    """Limits of gradient descent lie on listed components, and kinds agree with F nearby (see audit_checks)."""
    problem = audit_problems.make("kinks", seed)
    found = critical_set(problem, budget=Budget(100))
    assert found.coverage.complete
    limits, lost = audit_descents.missed(problem, found, starts=25, seed=seed, steps=50)
    assert limits >= 10
    assert not lost
    assert not [c for c in audit_checks.audit(problem, found, starts=25) if "unconfirmed" not in c]


def test_the_audit_of_descents_can_fail() -> None:
    from dataclasses import replace

    problem = audit_problems.make("kinks", 8)
    found = critical_set(problem, budget=Budget(100))
    fewer = replace(found, components=tuple(c for c in found.components if not c.kind.is_minimum))
    assert audit_descents.missed(problem, fewer, starts=10, steps=50)[1]


def test_many_units_end_with_the_budget() -> None:
    """Twelve units have 12! orders of a choice of faces: they are listed one at a time, and the list says that it is cut short."""
    problem = network([1, 12, 1], [[1], [-1], [2]], [[1], [2], [0]])
    before = time.process_time()
    found = critical_set(problem, budget=Budget(1))
    assert time.process_time() - before < 10
    assert not found.coverage.complete
    assert "strata are missing" in found.coverage.reason
