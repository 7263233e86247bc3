"""Inertia over fields and over boxes. Expected values: by construction (Sylvester's law) or by hand."""

from __future__ import annotations

from fractions import Fraction as Q

import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.algebra.inertia import BoxInertia, Undecided, inertia, inertia_in_box
from explorer.errors import Invalid
from explorer.point import Inertia, NumberField, RationalField

QQ = RationalField()


def rational(matrix: list[list[int]]) -> list[list[tuple[Q, ...]]]:
    return [[(Q(x),) for x in row] for row in matrix]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[0]], (0, 1, 0)),
        ([[0, 1], [1, 0]], (1, 0, 1)),  # zero diagonal: needs a 2x2 pivot
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], (1, 0, 2)),  # eigenvalues 2, -1, -1
        ([[1, 2], [2, 4]], (1, 1, 0)),  # rank one
        ([[0, 0, 1], [0, 0, 1], [1, 1, 0]], (1, 1, 1)),  # eigenvalues +-sqrt 2, 0
        ([[1, 0], [0, -1]], (1, 0, 1)),
    ],
)
def test_by_hand(matrix: list[list[int]], expected: tuple[int, int, int]) -> None:
    assert inertia(rational(matrix), QQ) == Inertia(*expected)


def test_an_entry_that_is_zero_only_at_alpha() -> None:
    """[[alpha^2 - 2, 0], [0, alpha]] over a reducible modulus: inertia (1, 1, 0), because alpha = sqrt 2."""
    field = NumberField((Q(6), Q(0), Q(-5), Q(0), Q(1)), (Q(1), Q(3, 2)))
    zero, alpha = (Q(-2), Q(0), Q(1)), (Q(0), Q(1))
    assert inertia([[zero, (Q(0),)], [(Q(0),), alpha]], field) == Inertia(1, 1, 0)


def test_unsymmetric_and_ragged_matrices_are_refused() -> None:
    with pytest.raises(Invalid):
        inertia(rational([[0, 1], [2, 0]]), QQ)
    with pytest.raises(Invalid):
        inertia(rational([[0, 1]]), QQ)


@st.composite
def congruent(draw: st.DrawFn) -> tuple[list[list[int]], tuple[int, int, int]]:
    """B^T D B with unimodular B (lower triangular times upper triangular, ones on the diagonals) and D = diag of signs."""
    n = draw(st.integers(1, 6))
    signs = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
    entry = st.integers(-3, 3)
    low = [[draw(entry) if j < i else int(i == j) for j in range(n)] for i in range(n)]
    up = [[draw(entry) if j > i else int(i == j) for j in range(n)] for i in range(n)]
    b = [[sum(low[i][k] * up[k][j] for k in range(n)) for j in range(n)] for i in range(n)]
    m = [[sum(b[k][i] * signs[k] * b[k][j] for k in range(n)) for j in range(n)] for i in range(n)]
    return m, (signs.count(1), signs.count(0), signs.count(-1))


@settings(max_examples=80)
@given(congruent())
def test_sylvester(case: tuple[list[list[int]], tuple[int, int, int]]) -> None:
    matrix, expected = case
    assert inertia(rational(matrix), QQ) == Inertia(*expected)
    narrow = [[flint.arb(x, 2.0**-60) for x in row] for row in matrix]
    found = inertia_in_box(narrow)
    if expected[1]:
        assert isinstance(found, Undecided)  # a box around a singular matrix holds matrices of several inertias
    else:
        assert isinstance(found, BoxInertia)
        assert found.inertia == Inertia(*expected)
        assert dominant(found.congruence, matrix)


def dominant(s: tuple[tuple[Q, ...], ...], h: list[list[int]]) -> bool:
    """S^T H S is strictly diagonally dominant, in plain Fractions."""
    n = len(h)
    hs = [[sum((h[i][k] * s[k][j] for k in range(n)), Q(0)) for j in range(n)] for i in range(n)]
    d = [[sum((s[k][i] * hs[k][j] for k in range(n)), Q(0)) for j in range(n)] for i in range(n)]
    return all(abs(d[i][i]) > sum(abs(d[i][j]) for j in range(n) if j != i) for i in range(n))


def test_wide_boxes_are_undecided() -> None:
    found = inertia_in_box([[flint.arb(1, 2)]])
    assert isinstance(found, Undecided)
    found = inertia_in_box([[flint.arb("nan")]])
    assert isinstance(found, Undecided)


def test_badly_scaled_matrix() -> None:
    """diag(10^20, -10^-20) with a small coupling: determinant is negative, so one eigenvalue of each sign."""
    big, small = flint.arb(10) ** 20, 1 / flint.arb(10) ** 20
    found = inertia_in_box([[big, flint.arb("0.01")], [flint.arb("0.01"), -small]])
    assert isinstance(found, BoxInertia)
    assert found.inertia == Inertia(1, 0, 1)
