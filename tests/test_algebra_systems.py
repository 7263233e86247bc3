"""Systems, Krawczyk's test, exactification. The Krawczyk proofs are re-done here in plain Fraction intervals."""

from __future__ import annotations

from fractions import Fraction as Q

import flint
import pytest

from explorer.algebra.balls import nearest
from explorer.algebra.exactify import exact_point, simplest_between
from explorer.algebra.inertia import Undecided
from explorer.algebra.krawczyk import KrawczykProof, prove_box, prove_root
from explorer.algebra.systems import Polynomial, PolynomialSystem, total_degree
from explorer.errors import Invalid
from explorer.point import EnclosedPoint, NumberField, Point

CIRCLE_LINE = PolynomialSystem.of("xy", [{(2, 0): 1, (0, 2): 1, (0, 0): -1}, {(0, 1): 1, (1, 0): -1}])
Pair = tuple[Q, Q]


def test_gradient_by_hand() -> None:
    """F = x^2 y + 3 y^2 + 7: F_x = 2 x y, F_y = x^2 + 6 y."""
    system = PolynomialSystem.gradient("xy", {(2, 1): 1, (0, 2): 3, (0, 0): 7})
    assert system.equations == ((((1, 1), Q(2)),), (((0, 1), Q(6)), ((2, 0), Q(1))))
    assert [total_degree(p) for p in system.equations] == [2, 2]
    point = Point.rational([2, "-1/3"])
    assert system.at(point) == ((Q(-4, 3),), (Q(2),))
    assert system.jacobian_at(point) == (((Q(-2, 3),), (Q(4),)), ((Q(4),), (Q(6),)))
    assert not system.vanishes_at(point)
    assert system.vanishes_at(Point.rational([0, 0]))


def test_exact_zero_in_a_field() -> None:
    half = NumberField((Q(-1), Q(0), Q(2)), (Q(0), Q(1)))  # sqrt(1/2)
    alpha = (Q(0), Q(1))
    assert CIRCLE_LINE.vanishes_at(Point(half, (alpha, alpha)))
    assert not CIRCLE_LINE.vanishes_at(Point(half, (alpha, (Q(0), Q(-1)))))


def test_balls_around_zero() -> None:
    """x^2 + y^2 - 1 over [-1, 1] x {0}: the enclosure is finite and contains the range [-1, 0]."""
    (value, _) = CIRCLE_LINE.at_balls([flint.arb(0, 1), flint.arb(0)])
    assert value.is_finite()
    assert value.contains(-1)
    assert value.contains(0)


def test_rounding_to_a_grid_by_hand() -> None:
    # 3/4, 1/2, 3/2, -5/4 to integers, halves to even; a number like e^(-10^15), as where Newton's method leaves through saturated outputs
    values = [
        flint.arb((3, -2)),
        flint.arb((1, -1)),
        flint.arb((3, -1)),
        flint.arb((-5, -2)),
        flint.arb((-1, -(10**15))),
    ]
    assert [nearest(v, 0) for v in values] == [1, 0, 2, -1, 0]
    assert nearest(flint.arb((5, -10)), 9) == 2


def test_malformed_systems() -> None:
    with pytest.raises(Invalid):
        PolynomialSystem.of(["x", "x"], [])
    with pytest.raises(Invalid):
        PolynomialSystem.of(["x"], [{(1, 1): 1}])
    with pytest.raises(Invalid):
        prove_root(PolynomialSystem.of("xy", [{(1, 0): 1}]), [Q(0), Q(0)])


# -- Krawczyk --------------------------------------------------------------------------------------------------


def times(a: Pair, b: Pair) -> Pair:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def plus(a: Pair, b: Pair) -> Pair:
    return a[0] + b[0], a[1] + b[1]


def interval_value(p: Polynomial, box: list[Pair]) -> Pair:
    total = (Q(0), Q(0))
    for exponents, c in p:
        term = (c, c)
        for x, e in zip(box, exponents, strict=True):
            for _ in range(e):
                term = times(term, x)
        total = plus(total, term)
    return total


def krawczyk_holds(system: PolynomialSystem, proof: KrawczykProof) -> bool:
    """The textbook test in exact rational intervals, sharing no code with the package but the derivatives."""
    n = len(system.names)
    box = list(zip(proof.point.lower, proof.point.upper, strict=True))
    m = [(a + b) / 2 for a, b in box]
    at_m = [interval_value(p, [(x, x) for x in m]) for p in system.equations]
    jacobian = [[interval_value(p, box) for p in row] for row in system.jacobian]
    for i in range(n):
        total = (m[i], m[i])
        for k in range(n):
            c = (proof.preconditioner[i][k],) * 2
            total = plus(total, times((-c[0], -c[0]), at_m[k]))
        for j in range(n):
            entry = (Q(int(i == j)),) * 2
            for k in range(n):
                entry = plus(entry, times((-proof.preconditioner[i][k],) * 2, jacobian[k][j]))
            total = plus(total, times(entry, (box[j][0] - m[j], box[j][1] - m[j])))
        if not (box[i][0] < total[0] and total[1] < box[i][1]):
            return False
    return True


@pytest.mark.parametrize("sign", [1, -1])
def test_proof_of_a_simple_root(sign: int) -> None:
    proof = prove_root(CIRCLE_LINE, [Q(7, 10) * sign, Q(7, 10) * sign])
    assert isinstance(proof, KrawczykProof)
    assert krawczyk_holds(CIRCLE_LINE, proof)
    for low, high in zip(proof.point.lower, proof.point.upper, strict=True):
        inner, outer = sorted([abs(low), abs(high)])
        assert 2 * inner**2 < 1 < 2 * outer**2  # sqrt(1/2) lies inside
        assert (high - low) / 2 == Q(1, 2**40)  # a comfortable radius
        assert low.denominator & (low.denominator - 1) == 0  # dyadic
    again = prove_box(CIRCLE_LINE, proof.point)
    assert isinstance(again, KrawczykProof)


def test_no_proof_without_a_simple_root() -> None:
    double = PolynomialSystem.of("x", [{(2,): 1, (1,): -2, (0,): 1}])  # (x - 1)^2
    assert isinstance(prove_root(double, [Q(1)]), Undecided)
    assert isinstance(prove_root(double, [Q(11, 10)]), Undecided)
    none = PolynomialSystem.of("x", [{(2,): 1, (0,): 1}])  # x^2 + 1
    assert isinstance(prove_root(none, [Q(1)]), Undecided)
    two = PolynomialSystem.of("x", [{(2,): 1, (0,): -1}])  # both roots in one box
    assert isinstance(prove_box(two, EnclosedPoint((Q(-2),), (Q(2),))), Undecided)
    assert isinstance(prove_box(two, EnclosedPoint((Q(2),), (Q(3),))), Undecided)
    with pytest.raises(Invalid):
        prove_box(two, EnclosedPoint((Q(2),), (Q(1),)))


def test_close_roots_get_their_own_boxes() -> None:
    """x^2 - 2^-60: the roots +-2^-30 are proved apart."""
    close = PolynomialSystem.of("x", [{(2,): 1, (0,): -Q(1, 2**60)}])
    proofs = [prove_root(close, [Q(s, 2**30)]) for s in (-1, 1)]
    assert all(isinstance(p, KrawczykProof) for p in proofs)
    left, right = (p.point for p in proofs if isinstance(p, KrawczykProof))
    assert left.upper[0] < 0 < right.lower[0]


# -- rational roots from boxes -----------------------------------------------------------------------------------


def test_simplest_fraction() -> None:
    """Hand values: 22/7 is the simplest in [3.14, 3.15], 1/2 in [0.4, 0.6], 0 in [-1, 1], -1/3 in [-0.34, -0.33]."""
    assert simplest_between(Q(314, 100), Q(315, 100)) == Q(22, 7)
    assert simplest_between(Q(4, 10), Q(6, 10)) == Q(1, 2)
    assert simplest_between(Q(-1), Q(1)) == 0
    assert simplest_between(Q(-34, 100), Q(-33, 100)) == Q(-1, 3)
    assert simplest_between(Q(2), Q(2)) == 2


def test_rational_root_of_a_box_is_recognised_exactly() -> None:
    system = PolynomialSystem.of("xy", [{(2, 0): 9, (0, 0): -4}, {(1, 1): 1, (0, 0): -1}])  # x = +-2/3, y = +-3/2
    proof = prove_root(system, [Q(67, 100), Q(151, 100)])
    assert isinstance(proof, KrawczykProof)
    assert exact_point(system, proof.point) == Point.rational(["2/3", "3/2"])
    proof = prove_root(CIRCLE_LINE, [Q(7, 10), Q(7, 10)])
    assert isinstance(proof, KrawczykProof)
    assert exact_point(CIRCLE_LINE, proof.point) == proof.point


def test_changes_of_sign_by_hand() -> None:
    both = PolynomialSystem.of("xy", [{(1, 1): 1, (0, 0): -1}, {(2, 0): 1, (0, 0): -2}])  # xy = 1, x^2 = 2
    assert [set(places) for places in both.sign_changes] == [{0, 1}]
    each = PolynomialSystem.of(
        "xy", [{(2, 0): 1, (0, 0): -2}, {(2, 1): 1, (0, 1): -3}]
    )  # the second changes its sign with y
    assert sorted(set(places) for places in each.sign_changes) == [{0}, {1}]
    assert PolynomialSystem.of("x", [{(2,): 1, (1,): 1}]).sign_changes == ()
