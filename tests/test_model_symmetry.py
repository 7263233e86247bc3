"""Symmetries: invariance at random rational points by a separate evaluation, group orders and orbits by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction as Q
from math import factorial

import pytest

from explorer.errors import BudgetExceeded, Invalid, Unsupported
from explorer.model.landscape import landscape
from explorer.model.polynomial import loss_polynomial
from explorer.model.symmetry import SignedPermutation, group_order, orbit, orbit_size, symmetry_generators
from explorer.point import EnclosedPoint, Ln2Ring, NumberField, Point
from explorer.problem import Problem

GENERIC = {"inputs": [1, 2, "-1/2"], "targets": [1, 3, "1/5"]}


def image(g: SignedPermutation, theta):
    out = [None] * len(theta)
    for k, t in enumerate(theta):
        out[g.images[k]] = g.signs[k] * t
    return out


# problem, order of the group: by hand
ORDERS = {
    # S_2 x {flip v and w of a unit}^2 = 8
    "tanh": (Problem.dense(widths=[1, 2, 1], activation="tanh", **GENERIC), 8),
    "tanh-bias": (Problem.dense(widths=[1, 2, 1], activation="tanh", bias=True, **GENERIC), 8),
    # even activation: flip the incoming weights alone
    "square": (Problem.dense(widths=[1, 3, 1], activation="square", **GENERIC), 2**3 * factorial(3)),
    # no sign symmetry
    "sigmoid": (Problem.dense(widths=[1, 3, 1], activation="sigmoid", **GENERIC), factorial(3)),
    "relu-deep": (Problem.dense(widths=[1, 2, 3, 1], activation="relu", **GENERIC), 2 * 6),
    # ridge weights that tell the units apart leave the signs only
    "tanh-ridge": (
        Problem.dense(
            widths=[1, 2, 1],
            activation="tanh",
            regularizer={"kind": "l2", "weights": [1, 2, 3, 4]},
            **GENERIC,
        ),
        4,
    ),
    # ridge weights that agree on units 1 and 3
    "sigmoid-ridge": (
        Problem.dense(
            widths=[1, 3, 1],
            activation="sigmoid",
            regularizer={"kind": "power", "exponent": 3, "weights": [1, 2, 1, 5, 5, 5]},
            **GENERIC,
        ),
        2,
    ),
    "neuron-cubic": (
        Problem.dense(
            widths=[1, 3, 1],
            activation="relu",
            bias=[True, False],
            regularizer={"kind": "neuron-cubic", "weights": [1, 2, 2]},
            **GENERIC,
        ),
        2,
    ),
    # the data are mapped to themselves by x -> -x, y -> -y: but sigmoid has no sign symmetry; f(-x) = -y needs both outer flips
    "sigmoid-data": (Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1, -1], targets=[2, -2]), 2),
    # and x -> -x alone with even targets
    "sigmoid-even-data": (Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1, -1], targets=[2, 2]), 2),
    # an output activation that is not odd has no such flip
    "sigmoid-output": (
        Problem.dense(widths=[1, 1], output_activation="sigmoid", inputs=[1, -1], targets=[2, -2]),
        1,
    ),
    # weights of the samples break it
    "sigmoid-weighted-data": (
        Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1, -1], targets=[2, 2], loss_weights=[1, 2]),
        1,
    ),
    # two exchangeable inputs
    "inputs": (Problem.dense(widths=[2, 1, 1], activation="sigmoid", inputs=[[1, 2], [2, 1]], targets=[5, 5]), 2),
    # (x y z - 1)^2: all exchanges, and pairs of signs: 6 * 4
    "xyz": (Problem.monomial(["x", "y", "z"], {(2, 2, 2): 1, (1, 1, 1): -2, (0, 0, 0): 1}), 24),
    # (x - y - 1)^2: x -> -y, y -> -x
    "x-y": (
        Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 1, (1, 1): -2, (1, 0): -2, (0, 1): 2, (0, 0): 1}),
        2,
    ),
    # no symmetry at all
    "none": (Problem.monomial(["x", "y"], {(1, 0): 1, (2, 0): 1, (0, 1): 2, (0, 2): 3}), 1),
    "even-output": (Problem.dense(widths=[1, 1], output_activation="square", **GENERIC), 2),
}


@pytest.mark.parametrize("name", ORDERS)
def test_group_orders_by_hand(name):
    problem, order = ORDERS[name]
    generators = symmetry_generators(problem)
    assert group_order(generators) == order
    assert not any(g.is_identity for g in generators)


@pytest.mark.parametrize("name", [n for n in ORDERS if "relu" not in n and n != "neuron-cubic"])
def test_every_generator_preserves_the_loss(name):
    """At a point of Q (polynomials), or of Q[ln 2] (sigmoid networks: integer first-layer multiples): exact equality."""
    problem, _ = ORDERS[name]
    names, land = problem.parameters, landscape(problem)
    if land.kind == "polynomial":
        theta = [Q(3 * k + 2, 5) for k in range(len(names))]
        for g in symmetry_generators(problem):
            assert land.at(Point.rational(image(g, theta))).value == land.at(Point.rational(theta)).value
        return
    scale = 2 if problem.regularizer else 1
    for g in symmetry_generators(problem):
        # compared as expressions at rational multiples of ln 2, to 60 digits
        theta = [Q(k + 1, scale) for k in range(len(names))]
        a, b = (
            land.loss.subs({s: _rational(v) for s, v in zip(land.parameters, t, strict=True)}).evalf(60)
            for t in (theta, image(g, theta))
        )
        assert abs(a - b) < 1e-50


def _rational(q):
    import sympy

    return sympy.Rational(q.numerator, q.denominator)


def test_relu_symmetries_at_a_rational_point():
    for name in ("relu-deep", "neuron-cubic"):
        problem, _ = ORDERS[name]
        theta = [Q(k % 3 + 1, 2) for k in range(len(problem.parameters))]
        if name == "neuron-cubic":  # every (w, b) = (3, 4) up to scale: rational norms
            theta = [Q(3), Q(6), Q(9), Q(4), Q(8), Q(12), Q(1), Q(2), Q(5)]
        land = landscape(problem)
        for g in symmetry_generators(problem):
            assert land.at(Point.rational(image(g, theta))).value == land.at(Point.rational(theta)).value


@pytest.mark.parametrize("name", ["xyz", "x-y", "square", "none", "even-output"])
def test_no_signed_exchange_is_missed_on_small_polynomials(name):
    """Brute force over all signed permutations of up to 3 parameters: the group found is the whole stabiliser."""
    problem, order = ORDERS[name]
    d = len(problem.parameters)
    if d > 3:
        problem = Problem.dense(widths=[1, 1, 1], activation="square", **GENERIC)
        d, order = 2, 2
    terms, count = loss_polynomial(problem).terms, 0
    for images in itertools.permutations(range(d)):
        for signs in itertools.product((1, -1), repeat=d):
            count += _composed(terms, images, signs) == terms
    assert count == order == group_order(symmetry_generators(problem))


def _composed(terms, images, signs):
    """The terms of theta -> F(g theta), computed monomial by monomial."""
    out = {}
    for e, c in terms.items():
        moved = [0] * len(e)
        for k, (i, s) in enumerate(zip(images, signs, strict=True)):
            moved[k] = e[i]
            c = c * s ** e[i]
        out[tuple(moved)] = out.get(tuple(moved), Q(0)) + c
    return {e: c for e, c in out.items() if c}


def test_composition_is_composition_of_maps():
    g, h = SignedPermutation((1, 2, 0), (1, -1, 1)), SignedPermutation((0, 2, 1), (-1, 1, 1))
    theta = [Q(2), Q(3), Q(5)]
    assert image(g @ h, theta) == image(g, image(h, theta))


# -- orbits ------------------------------------------------------------------------------------------------------------

FLIP, SWAP = SignedPermutation((0, 1), (-1, -1)), SignedPermutation((1, 0), (1, 1))


def test_orbits_by_hand():
    points = orbit(Point.rational([1, 2]), [FLIP, SWAP])
    assert [tuple(c[0] for c in p.coordinates) for p in points] == [(-2, -1), (-1, -2), (1, 2), (2, 1)]
    assert orbit_size(Point.rational([1, 1]), [FLIP, SWAP]) == 2
    assert orbit_size(Point.rational([0, 0]), [FLIP, SWAP]) == 1
    assert orbit(Point.rational([3, 4]), []) == (Point.rational([3, 4]),)


def test_orbits_are_sorted_by_value_and_equal_elements_are_recognised():
    # in Q[ln 2]: 1 - ln 2 > 0 > -(1 - ln 2)
    p = Point(Ln2Ring(), ((Q(1), Q(-1)), (Q(0),)))
    assert [x.coordinates[0] for x in orbit(p, [FLIP])] == [(Q(-1), Q(1)), (Q(1), Q(-1))]
    # x^3 - 2x has the roots 0 and +-sqrt 2; at alpha = sqrt 2 the element alpha^2 - 2 is 0, so it is its own mirror image
    field = NumberField((Q(0), Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
    zero = Point(field, ((Q(-2), Q(0), Q(1)), (Q(0),)))
    assert orbit_size(zero, [FLIP]) == 1
    assert orbit_size(Point(field, ((Q(0), Q(1)), (Q(0),))), [FLIP]) == 2


def test_orbits_of_boxes():
    box = EnclosedPoint((Q(1), Q(-1, 8)), (Q(2), Q(1, 8)))
    images = orbit(box, [FLIP])
    assert images == (EnclosedPoint((Q(-2), Q(-1, 8)), (Q(-1), Q(1, 8))), box)
    with pytest.raises(Unsupported, match="overlap"):
        orbit(EnclosedPoint((Q(-1), Q(0)), (Q(2), Q(1))), [FLIP])


def test_orbits_end_at_their_limit():
    with pytest.raises(BudgetExceeded, match="at most 3 points"):
        orbit(Point.rational([1, 2]), [FLIP, SWAP], limit=3)
    with pytest.raises(Invalid, match="signed permutations of 3"):
        orbit(Point.rational([1, 2, 3]), [FLIP])


def test_wide_networks_have_few_generators():
    p = Problem.dense(widths=[1, 50, 1], activation="sigmoid", inputs=range(1, 21), targets=range(20))
    generators = symmetry_generators(p)
    assert len(generators) == 49
    assert group_order(generators[:9]) == factorial(10)
