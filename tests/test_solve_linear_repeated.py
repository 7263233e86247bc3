"""Two-layer linear networks with repeated eigenvalues, against computations by hand, and losses by hand beside them."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from explorer.budget import Budget, Deadline
from explorer.errors import Unsupported
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.linear.unregularised import any_depth


def identity(widths, target):
    n = widths[0]
    return Problem.dense(
        widths=widths,
        inputs=[[int(i == j) for j in range(n)] for i in range(n)],
        targets=[list(map(str, r)) for r in target],
    )


def numbers(found):
    return sorted(
        (c.dimension, c.value.as_fraction, (c.inertia.positive, c.inertia.zero, c.inertia.negative), c.is_global)
        for c in found.components
    )


def test_three_inputs_two_equal_directions():
    """2-dimensional top eigenspace, one hidden unit: F = |D - v w^T|^2, D = diag(2, 2, 1).

    Rank 1 on a line of the plane of 2 (a circle of lines): w = s u, v = (2/s) u: dimension 1 + 1, F = 4 + 1 = 5, the global minimum
    (Eckart and Young); on e_3: dimension 1, F = 8; the origin, F = 9, half Hessian -(2 a e + 2 b f + c g).
    At v = (2/s) e_1, w = s e_1: for the second direction (2b/s)^2 + (s f)^2 - 4 b f = (2b/s - s f)^2: nullity 1; for the third (2c/s)^2 + (s g)^2
    - 2 c g > 0; and (2a/s + s e)^2: inertia (1 + 2 + 1, 1 + 1, 0). On e_3 with u s = 1: two directions with b^2 u^2 + s^2 f^2 - 4 b f: (1, 0, 1)
    each, and one square: (3, 1, 2).
    """
    found = critical_set(identity([3, 1, 3], [[2, 0, 0], [0, 2, 0], [0, 0, 1]]), budget=Budget(20))
    assert found.coverage.complete
    assert numbers(found) == [
        (0, F(9), (3, 0, 3), False),
        (1, F(8), (3, 1, 2), False),
        (2, F(5), (4, 2, 0), True),
    ]


def test_square_network_with_the_identity():
    # 3-3-3 with Y = I, rank r: a subspace V of dimension r (r (3 - r) parameters), W_1 = X V^T with X of rank r (3 r) and W_2 = V Y^T
    # with Y^T X = I (3 r - r^2): 9 r - 2 r^2 in all; F = 3 - r
    found = critical_set(identity([3, 3, 3], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]), budget=Budget(20))
    assert found.coverage.complete
    assert sorted((c.dimension, c.value.as_fraction) for c in found.components) == [
        (0, F(3)),
        (7, F(2)),
        (9, F(0)),
        (10, F(1)),
    ]
    assert all(c.kind.value == ("minimum" if c.value.as_fraction == 0 else "strict saddle") for c in found.components)


@pytest.mark.parametrize(
    "problem",
    [
        identity([2, 1, 2], [[1, 1], [1, 1]]),
        Problem.dense(widths=[2, 1, 2], inputs=[[1, 0], [0, 1]], targets=[[1, 0], [0, 1]], regularizer={"kind": "l2", "weights": 1}),
    ],
    ids=["eigenvalue 0", "ridge"],
)  # fmt: skip
def test_where_the_closed_form_does_not_apply(problem):
    with pytest.raises(Unsupported):
        any_depth(problem, Deadline(5))


def test_inputs_on_a_line():
    # only w = W_1 e_1 counts: (1 - v_1 w)^2 + (v_2 w)^2; v_2 = 0, v_1 w = 1: minimum, w = 0: v_1 = 0, F = 1; W_1 e_2 is free
    found = any_depth(Problem.dense(widths=[2, 1, 2], inputs=[[1, 0]], targets=[[1, 0]]), Deadline(5))
    assert numbers(found) == [(2, F(0), (2, 2, 0), True), (2, F(1), (1, 2, 1), False)]


def test_a_rotated_target_has_the_same_strata():
    # the rotation (3, 4; -4, 3) / 5 is a target with both singular values 1, like the identity
    turned = critical_set(identity([2, 2, 2], [["3/5", "4/5"], ["-4/5", "3/5"]]), budget=Budget(20))
    assert numbers(turned) == numbers(critical_set(identity([2, 2, 2], [[1, 0], [0, 1]]), budget=Budget(20)))


def test_two_square_units_on_one_sample():
    """(1 - v1 w1^2 - v2 w2^2)^2: besides F = 0 the plane w = 0, F - 1 = -2 (v1 w1^2 + v2 w2^2) + ..., Hessian diag(-4 v1, -4 v2, 0, 0).

    v1, v2 < 0: local minima; > 0: maxima; mixed signs: strict saddles; one of them 0: saddles (the other w decides nothing).
    """
    found = critical_set(
        Problem.dense(widths=[1, 2, 1], inputs=[1], targets=[1], activation="square"), budget=Budget(20)
    )
    assert found.coverage.complete
    by_value = {c for c in found.components if c.value.as_fraction == 1}
    seen = {(c.dimension, c.kind.value, (c.inertia.positive, c.inertia.zero, c.inertia.negative)) for c in by_value}
    assert seen == {
        (2, "minimum", (2, 2, 0)),
        (2, "maximum", (0, 2, 2)),
        (2, "strict saddle", (1, 2, 1)),
        (1, "saddle", (1, 3, 0)),
        (1, "saddle", (0, 3, 1)),
        (0, "saddle", (0, 4, 0)),
    }
    assert {c.kind.value for c in found.components if c not in by_value} == {"minimum"}
    assert found.global_value.as_fraction == 0
    assert len(found.spurious) == 1
