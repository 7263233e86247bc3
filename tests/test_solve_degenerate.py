"""Data in special position: equal samples, opposite ones, ridge weights at a bifurcation, squares. Expected sets by hand."""

from __future__ import annotations

from fractions import Fraction as Q

import pytest

from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import CriticalSet, Kind


def _shape(found: CriticalSet) -> list[tuple[int, str, bool | None, Q | None]]:
    return [(c.dimension, c.kind.value, c.is_global, c.value.as_fraction) for c in found.components]


def test_a_curve_of_exact_fits_of_opposite_samples_is_not_missed() -> None:
    # F = 2 (v tanh w - 1)^2: the gradient is 4 (v tanh w - 1) (v / cosh^2 w, tanh w), so v tanh w = 1, or w = v = 0
    # where F = 2 (1 - v w + ...)^2 has the Hessian [[0, -4], [-4, 0]]
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1, -1], targets=[1, -1], activation="tanh")
    found = critical_set(problem)
    assert found.coverage.complete
    assert _shape(found) == [(1, "minimum", True, Q(0)), (0, "strict saddle", False, Q(2))]
    assert found.global_value is not None
    assert found.global_value.as_fraction == 0


@pytest.mark.parametrize("activation", ["sigmoid", "exp"])
def test_equal_samples_count_as_one(activation: str) -> None:
    # F = (f - 1)^2 + f^2 = 2 (f - 1/2)^2 + 1/2 with f = v phi(w), phi > 0: critical iff f = 1/2
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1, 1], targets=[1, 0], activation=activation)
    found = critical_set(problem)
    assert found.coverage.complete
    assert _shape(found) == [(1, "minimum", True, Q(1, 2))]


def test_an_input_at_which_the_output_is_zero_adds_a_constant() -> None:
    # F = 9/4 + (v tanh w - 1)^2: as above, 9/4 higher, and half as steep
    problem = Problem.dense(widths=[1, 1, 1], inputs=[0, 1], targets=["3/2", 1], activation="tanh")
    found = critical_set(problem)
    assert found.coverage.complete
    assert _shape(found) == [(1, "minimum", True, Q(9, 4)), (0, "strict saddle", False, Q(13, 4))]


def test_a_global_minimum_is_called_a_minimum() -> None:
    # |v|^2 + |w|^2 >= 2 v.w, so F = (1 - v.w)^2 + |v|^2 + |w|^2 >= 1 + (v.w)^2, with equality only for v = w, and F = 1 only at 0
    problem = Problem.dense(widths=[1, 2, 1], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": 1})
    (origin,) = critical_set(problem).components
    assert (origin.kind, origin.is_global) == (Kind.STRICT_MINIMUM, True)
    assert origin.inertia is not None
    assert origin.inertia.zero == 2


def test_sums_of_squares_do_not_leave_signs_open() -> None:
    # x^2 (y^2 + z^2) is 0 and critical on x = 0 and on y = z = 0, nowhere else (x F_x = y F_y + z F_z = 2 F)
    found = critical_set(Problem.monomial(["x", "y", "z"], {(2, 2, 0): 1, (2, 0, 2): 1}))
    assert found.coverage.complete
    assert sorted(c.dimension for c in found.components) == [0, 1, 1, 2]
    assert all(c.kind in (Kind.MINIMUM, Kind.UNDECIDED) for c in found.components)
    (plane,) = [c for c in found.components if c.dimension == 2]
    assert "y^2 + z^2 != 0" in plane.equations
    assert plane.kind is Kind.MINIMUM


def test_two_tanh_units_on_opposite_samples() -> None:
    """By hand: with s = v1 tanh w1 + v2 tanh w2, F = (s - 1)^2 + (-s - 2)^2 = 2 (s + 1/2)^2 + 9/2. Critical: s = -1/2, where ds is not
    0 (s would be), or ds = 0, the origin, where F = 5 + 2 (v1 w1 + v2 w2) + ..., two positive and two negative eigenvalues."""
    problem = Problem.dense(widths=[1, 2, 1], inputs=[1, -1], targets=[1, 2], activation="tanh")
    found = critical_set(problem)
    assert found.coverage.complete
    minima, origin = found.components
    assert _shape(found) == [(3, "minimum", True, Q(9, 2)), (0, "strict saddle", False, Q(5))]
    assert minima.equations == ("f(1) = -1/2",)
    assert origin.inertia is not None
    assert (origin.inertia.positive, origin.inertia.negative) == (2, 2)
