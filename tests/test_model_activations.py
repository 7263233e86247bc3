"""The activation table against mpmath (numerical differentiation of formulas written here), and against the checker."""

from __future__ import annotations

from fractions import Fraction as Q
from itertools import pairwise

import mpmath
import pytest
import sympy as sp

from explorer import checker
from explorer.model import activations
from explorer.model.activations import ACTIVATIONS
from explorer.model.pieces import nonnegative_on, pieces, roots_in
from explorer.problem import ACTIVATION_KEYS, Activation

Z = sp.Symbol("z", real=True)

#: at least one member of every kind, with the function written independently of the table (definitions of
#: docs/certificate.md, section "Problem file"), in mpmath
MEMBERS = {
    "linear": (Activation("linear"), lambda z: z),
    "relu": (Activation("relu"), lambda z: max(z, mpmath.mpf(0))),
    "leaky_relu": (Activation("leaky_relu", slope=Q(1, 3)), lambda z: z if z >= 0 else z / 3),
    "requ": (Activation("requ"), lambda z: max(z, mpmath.mpf(0)) ** 2),
    "square": (Activation("square"), lambda z: z * z),
    "cubic": (Activation("cubic"), lambda z: z * z * z),
    "polynomial": (
        Activation("polynomial", coefficients=(Q(-1, 8), Q(1, 4), Q(-1, 8))),
        lambda z: -((z - 1) ** 2) / 8,
    ),
    "sigmoid": (Activation("sigmoid"), lambda z: 1 / (1 + mpmath.exp(-z))),
    "tanh": (Activation("tanh"), mpmath.tanh),
    "softplus": (Activation("softplus"), lambda z: mpmath.log(1 + mpmath.exp(z))),
    "swish": (Activation("swish"), lambda z: z / (1 + mpmath.exp(-z))),
    "exp": (Activation("exp"), mpmath.exp),
    "sin": (Activation("sin"), mpmath.sin),
    "erf": (Activation("erf"), mpmath.erf),
    "gelu": (Activation("gelu"), lambda z: z * mpmath.ncdf(z)),
    "elu": (Activation("elu", alpha=Q(3, 2)), lambda z: z if z >= 0 else mpmath.mpf(3) / 2 * (mpmath.exp(z) - 1)),
    "elu-1": (Activation("elu", alpha=Q(1)), lambda z: z if z >= 0 else mpmath.exp(z) - 1),
    "piecewise-polynomial": (
        # z^2 on z <= 1, then 2z - 1 (C^1 at 1), then the constant 3 from 2 on (C^0 at 2)
        Activation("piecewise-polynomial", breaks=(Q(1), Q(2)), pieces=((Q(0), Q(0), Q(1)), (Q(-1), Q(2)), (Q(3),))),
        lambda z: z * z if z <= 1 else 2 * z - 1 if z <= 2 else mpmath.mpf(3),
    ),
}
POINTS = (Q(-7, 3), Q(-1, 2), Q(1, 5), Q(3, 4), Q(4, 3), Q(5, 2))
by_member = pytest.mark.parametrize("name", MEMBERS)


def test_one_row_per_kind_and_a_member_of_each():
    assert sorted(r.kind for r in ACTIVATIONS) == sorted(ACTIVATION_KEYS)
    assert {a.kind for a, _ in MEMBERS.values()} == set(ACTIVATION_KEYS)


def symbolic(activation: Activation, z: sp.Expr) -> list[sp.Expr]:
    row = activations.row(activation)
    return [row.expression(activation, z), *row.derivatives(activation, z)]


@by_member
def test_formula_and_derivatives_agree_with_numerical_differentiation(name):
    activation, function = MEMBERS[name]
    rows = symbolic(activation, Z)
    with mpmath.workdps(60):
        for q in POINTS:
            z = mpmath.mpf(q.numerator) / q.denominator
            for order, row in enumerate(rows):
                expected = mpmath.diff(function, z, order, h=mpmath.mpf(10) ** -15) if order else function(z)
                got = row.subs(Z, sp.Rational(q.numerator, q.denominator)).evalf(50)
                assert abs(mpmath.mpf(got) - expected) < mpmath.mpf(10) ** -13, (order, q)


@by_member
def test_breaks_and_smoothness_agree_with_one_sided_differences(name):
    """The table's breaks are where the one-sided derivatives (by mpmath) part, at the order that it states."""
    activation, function = MEMBERS[name]
    stated = {b.at: b.smoothness for b in activations.row(activation).breaks(activation)}
    with mpmath.workdps(60):
        for at in (Q(0), Q(1), Q(2)):
            z, h = mpmath.mpf(at.numerator), mpmath.mpf(10) ** -15
            agree = [
                abs(mpmath.diff(function, z, n, h=h, direction=1) - mpmath.diff(function, z, n, h=h, direction=-1))
                < mpmath.mpf(10) ** -9
                for n in (1, 2, 3)
            ]
            expected = None if all(agree) else agree.index(False)
            assert stated.get(at) == expected
            assert activations.smoothness(activation, at) == expected


@by_member
def test_derivatives_at_breaks_exist_exactly_where_the_function_is_smooth_enough(name):
    activation, _ = MEMBERS[name]
    rows = symbolic(activation, Z)
    for b in activations.row(activation).breaks(activation):
        at = sp.Rational(b.at.numerator, b.at.denominator)
        for order, row in enumerate(rows):
            assert (row.subs(Z, at) is sp.nan) == (order > b.smoothness)


def test_degenerate_parameters_are_seen_as_what_they_are():
    # by hand: slope 1 is the identity; elu with alpha 0 is relu; a break between equal pieces is none
    assert activations.row(a := Activation("leaky_relu", slope=Q(1))).breaks(a) == ()
    assert activations.pieces_of(Activation("elu", alpha=Q(0))) == activations.pieces_of(Activation("relu"))
    assert pieces((Q(3),), ((Q(1), Q(2)), (Q(1), Q(2), Q(0)))).breaks == ()


@by_member
def test_facts_agree_with_a_grid(name):
    activation, function = MEMBERS[name]
    facts = activations.facts(activation)
    with mpmath.workdps(30):
        grid = [mpmath.mpf(k) / 8 for k in range(-48, 49)]
        values = [function(z) for z in grid]
        tiny = mpmath.mpf(10) ** -25
        odd = all(abs(a + b) < tiny for a, b in zip(values, reversed(values), strict=True))
        even = all(abs(a - b) < tiny for a, b in zip(values, reversed(values), strict=True))
        assert facts.parity == ("even" if even else "odd" if odd else None)
        assert facts.nondecreasing == all(a <= b + tiny for a, b in pairwise(values))
        middle = zip(values, values[1:], values[2:], strict=False)
        assert facts.convex == all(a - 2 * b + c >= -tiny for a, b, c in middle)
        assert facts.positive == all(v > 0 for v in values)
        degrees = [k for k in range(5) if all(abs(function(3 * z) - 3**k * function(z)) < tiny for z in grid)]
        assert facts.homogeneous == (degrees[0] if degrees else None)
        assert facts.bounded == (max(abs(function(s * mpmath.mpf(10) ** 6)) for s in (1, -1)) < 100)


def test_polynomial_signs_by_sturm():
    # by hand: (z-1)^2 (z+2) on [-2, oo) and on the line; (z^2-2) has its roots at +-1.41...
    c = (Q(2), Q(-3), Q(0), Q(1))
    assert nonnegative_on(c, Q(-2), None)
    assert not nonnegative_on(c, None, None)
    assert nonnegative_on(c, Q(-2), Q(-1))
    assert not nonnegative_on(tuple(-x for x in c), Q(-2), None)
    assert roots_in(c, Q(-2), Q(1)) == 2
    assert roots_in((Q(-2), Q(0), Q(1)), Q(0), Q(1)) == 0
    assert roots_in((Q(-2), Q(0), Q(1)), None, None) == 2


# -- exact values ----------------------------------------------------------------------------------------------------


@by_member
def test_exact_taylor_coefficients_agree_with_mpmath(name):
    """Every coefficient that the table claims to know exactly, up to order 4, at half-integer multiples of ln 2."""
    activation, function = MEMBERS[name]
    row = activations.row(activation)
    if row.exact is None:
        assert row.pieces(activation) is not None
        return
    known = 0
    with mpmath.workdps(80):
        for k in (Q(-3), Q(-1), Q(-1, 2), Q(0), Q(1, 3), Q(1, 2), Q(2)):
            if activation.kind == "elu" and k >= 0:  # documented: only the branch z < 0 is asked for
                continue
            z = mpmath.log(2) * k.numerator / k.denominator
            numeric = mpmath.taylor(function, z, 4)
            for n, c in enumerate(row.exact(activation, k, 4)):
                if c is None:
                    continue
                known += 1
                value = sum(mpmath.mpf(a.numerator) / a.denominator * mpmath.log(2) ** j for j, a in enumerate(c))
                assert abs(value - numeric[n]) < mpmath.mpf(10) ** -12, (k, n)
    assert known >= 2


def test_exact_values_by_hand():
    # sigma(ln 2) = 2/3, sigma' = s(1-s) = 2/9, sigma'' = s(1-s)(1-2s) = -2/27 (halved as a Taylor coefficient)
    sigmoid, tanh, softplus = (activations.row(Activation(k)).exact for k in ("sigmoid", "tanh", "softplus"))
    assert sigmoid(Activation("sigmoid"), Q(1), 2) == ((Q(2, 3),), (Q(2, 9),), (Q(-1, 27),))
    # tanh((1/2) ln 2) = (2-1)/(2+1) = 1/3, tanh' = 1 - 1/9
    assert tanh(Activation("tanh"), Q(1, 2), 1) == ((Q(1, 3),), (Q(8, 9),))
    # softplus(0) = ln 2, softplus(ln 2) = ln 3 is not in Q[ln 2], softplus' = sigma
    assert softplus(Activation("softplus"), Q(0), 1) == ((Q(0), Q(1)), (Q(1, 2),))
    assert softplus(Activation("softplus"), Q(1), 1) == (None, (Q(2, 3),))


# -- the checker -------------------------------------------------------------------------------------------------------


def checker_activation(activation: Activation) -> checker.Activation:
    return checker.Activation(activation.to_json(), "activation", {})


@by_member
def test_symbolic_derivatives_equal_the_checkers_exact_taylor_coefficients(name):
    """Wherever the checker knows phi exactly, the SymPy rows have the same values (by equality, not by approximation)."""
    activation, _ = MEMBERS[name]
    rows, theirs = symbolic(activation, Z), checker_activation(activation)
    compared = 0
    cases = [(checker.Rationals(checker.Meter()), q, sp.Rational(q.numerator, q.denominator)) for q in (*POINTS, Q(0))]
    ln2 = checker.Ln2Ring(checker.Meter())
    for k in (Q(-2), Q(-1), Q(1), Q(1, 2), Q(3)):
        cases.append((ln2, (Q(0), k), sp.Rational(k.numerator, k.denominator) * sp.log(2)))
    for ring, z, symbol in cases:
        for order in (0, 1, 2):
            try:
                coefficient = checker.taylor(ring, theirs, z, order, need_value=order == 0)[order]
            except checker.Rejected:
                continue
            value = coefficient if isinstance(coefficient, tuple) else (coefficient,)
            expected = sp.Add(*(sp.Rational(c.numerator, c.denominator) * sp.log(2) ** j for j, c in enumerate(value)))
            got = rows[order].subs(Z, symbol) / sp.factorial(order)
            assert sp.radsimp(sp.expand(got.rewrite(sp.exp) - expected)) == 0, (z, order)
            compared += 1
    assert compared >= (0 if activation.kind in ("erf", "gelu") else 2)


@by_member
def test_symbolic_derivatives_lie_in_the_checkers_enclosures(name):
    """At rational points off the breaks: 40 digits of the SymPy rows against the checker's interval Taylor coefficients."""
    activation, _ = MEMBERS[name]
    rows, theirs = symbolic(activation, Z), checker_activation(activation)
    ring = checker.Intervals(checker.Meter())
    slack = sp.Rational(1, 10**35)  # the SymPy side is rounded to 40 digits
    for q in POINTS:
        enclosures = checker.taylor(ring, theirs, ring.of(q), 2)
        for order, (low, high) in enumerate(enclosures):
            value = rows[order].subs(Z, sp.Rational(q.numerator, q.denominator)) / sp.factorial(order)
            rounded = sp.Rational(str(value.evalf(40)))
            assert sp.Rational(low, ring.unit) - slack <= rounded <= sp.Rational(high, ring.unit) + slack, (q, order)
            assert high - low < ring.unit >> 60
