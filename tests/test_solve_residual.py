"""The gradient by the product of the weights as the unknown, beside the systems in the weights that it stands for.

Both describe the same points by different polynomials; the system in the weights is solved directly (exactly in this process where
it is small). Numbers of solutions: 1-1-1 has 5 critical points by hand (tests/test_homotopy.py), 2-1-2 has 17, 2-2-1 33 and 2-2-2 225
(Singular, msolve); without the origin, single units and signs there remain 2, 8, 4 and 48 with all units alive.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from fractions import Fraction as F

import pytest

from explorer.algebra.msolve import find_msolve, multiplicity, propose
from explorer.algebra.solver import solve_zero_dimensional
from explorer.budget import Deadline
from explorer.model.polynomial import evaluate, loss_polynomial
from explorer.problem import Problem
from explorer.solve import residual, structure
from explorer.solve.classify import Target
from explorer.solve.residual import real_points, residual_system

pytestmark = pytest.mark.skipif(find_msolve() is None, reason="needs the msolve program")
BITS = 100


def network(widths, inputs, targets, weights):
    return Problem.dense(
        widths=list(widths),
        activation="linear",
        inputs=inputs,
        targets=targets,
        regularizer={"kind": "l2", "weights": weights},
    )


def random_network(widths, *, seed=1, inputs=None, targets=None, weights=None):
    rng = random.Random(f"{widths} {seed}")
    count = sum(a * b for a, b in itertools.pairwise(widths))
    xs = [[F(rng.randint(-9, 9), 4) for _ in range(widths[0])] for _ in range(4)]
    ys = [[F(rng.randint(-9, 9), 4) for _ in range(widths[-1])] for _ in range(4)]
    drawn = [F(k, 100) for k in rng.sample(range(1, 100), count)]
    return network(widths, inputs or xs, targets or ys, weights or drawn)


def target(p):
    return Target(p, loss_polynomial(p))


def in_the_weights(p):
    """The system of the first chart with all units alive: U and then the weights that are left, unit by unit."""
    t = target(p)
    units = structure.hidden_units(p.network)
    living = tuple(units.incoming)
    pivots = {units.incoming[u][0][1]: u for u in living}
    names, system = structure._reduced(t, units, living, pivots, set(), set())
    places = [
        [structure._name(u), *(f"m{k}" for k in (*(q for _, q in units.incoming[u][1:]), *units.outgoing[u]))]
        for u in living
    ]
    return system, [names.index(v) for row in places for v in row]


def by_residual(p, count):
    shorter = residual_system(p, range(p.network.widths[1]))
    assert shorter is not None
    found = real_points(shorter, count, find_msolve(), Deadline(60), [], bits=BITS)
    return None if found is None else sorted([x for row in point for x in row] for point in found)


def same_points(p, count):
    """Both lists have as many points, and each box of one meets exactly one of the other."""
    system, order = in_the_weights(p)
    direct = solve_zero_dimensional(system, Deadline(100))
    assert direct.complete
    assert direct.complex_count == count == multiplicity(system, find_msolve(), Deadline(60))
    expected = sorted([r.enclosure[k] for k in order] for r in direct.roots)
    found = by_residual(p, count)
    assert found is not None
    assert len(found) == len(expected)
    for a in expected:
        meets = [b for b in found if all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a, b, strict=True))]
        assert len(meets) == 1
    return found


@pytest.mark.parametrize(
    ("widths", "count"),
    [
        ((1, 1, 1), 2),
        ((2, 1, 1), 4),
        ((1, 1, 2), 4),
        ((2, 1, 2), 8),
        ((3, 1, 1), 6),
        ((2, 2, 1), 4),
        ((1, 2, 2), 4),
        ((2, 2, 2), 48),
    ],
    ids=str,
)
def test_the_same_points_as_in_the_weights(widths, count):
    for seed in (1, 2) if count < 10 else (1,):
        same_points(random_network(widths, seed=seed), count)


def test_directions_and_multipliers_have_the_same_points(monkeypatch):
    p = random_network((2, 2, 2), seed=2)
    directions = by_residual(p, 48)
    monkeypatch.setattr(residual, "_by_directions", residual._by_multipliers)
    multipliers = by_residual(p, 48)
    assert len(residual_system(p, range(2)).system.equations) == 6
    assert len(directions) == len(multipliers)
    for a, b in zip(directions, multipliers, strict=True):
        assert all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a, b, strict=True))


def test_directions_without_second_moments_of_full_rank_are_left_to_multipliers():
    # inputs on a line: C is singular, and P is not a function of G
    singular = residual_system(random_network((2, 2, 2), **SPECIAL["inputs on a line"]), range(2))
    assert singular.system.names[0] == "t0"
    assert residual_system(random_network((2, 2, 2)), range(2)).system.names[-1] == "r1"


def test_one_linear_unit_by_hand():
    # x = 1, y = 2, all ridge weights 1/4: G^2 = 1/16, b / a = -4 G and a b = P = G + 2; G = -1/4 has a = b and a^2 = 7/4,
    # G = 1/4 has b = -a and a^2 = -9/4
    (first, second) = by_residual(network((1, 1, 1), [[1]], [[2]], [F(1, 4)] * 2), 2)
    for point, values in ((first, (F(-9, 4), -1)), (second, (F(7, 4), 1))):
        for (low, high), v in zip(point, values, strict=True):
            assert low <= v <= high
            assert high - low <= F(1, 2**BITS)


def test_two_units_that_never_live_together():
    # 1-2-1: G^2 is the product of the ridge weights of either unit, which are different products
    p = random_network((1, 2, 1))
    system, _ = in_the_weights(p)
    assert multiplicity(system, find_msolve(), Deadline(60)) == 0
    assert by_residual(p, 0) is None


def test_a_wrong_number_is_not_accepted():
    p = random_network((2, 2, 1))
    assert by_residual(p, 4) is not None
    assert by_residual(p, 3) is None
    assert by_residual(p, 5) is None


def test_equal_ridge_weights_of_two_units_are_left_to_others():
    # the units' determinants are one polynomial, and only the sum of their multiples enters: infinitely many solutions
    p = random_network((2, 2, 1), weights=[F(1, 10)] * 6)
    assert by_residual(p, 4) is None


@pytest.mark.parametrize("form", ["directions", "multipliers"])
def test_a_unit_whose_kernel_is_a_plane_is_noticed(form, monkeypatch):
    """G = I is critical by hand: N_1 = [[I, I], [I, I]] has the kernel (a, -a), N_2 has (1, 0, -2, 0); the units a_1 = (1, 2),
    b_1 = -a_1 and a_2 = (1, 0), b_2 = (-2, 0) have the product P below, and D = P - I for orthonormal inputs. All of adj N_1 is 0
    there: with multipliers the shorter system does not have this point; with directions b_1 is free there, and other points
    come in. Neither must be believed."""
    if form == "multipliers":
        monkeypatch.setattr(residual, "_by_directions", residual._by_multipliers)
    p = network(
        (2, 2, 2), [[1, 0], [0, 1]], [[-4, -2], [-2, -5]], [1, 1, 2, 3, 1, F(1, 2), 1, 5]
    )  # rows of W1, then rows of W2: a column of W2 belongs to a unit
    theta = [F(v) for v in (1, 2, 1, 0, -1, -2, -2, 0)]
    assert all(evaluate(terms, theta) == 0 for terms in loss_polynomial(p).gradient)
    system, order = in_the_weights(p)
    at = [F(0)] * len(order)
    for place, v in zip(order, [1, 2, -1, -2, 1, 0, -2, 0], strict=True):
        at[place] = F(v)
    assert all(evaluate(dict(e), at) == 0 for e in system.integer_equations())
    count = multiplicity(system, find_msolve(), Deadline(60))
    assert count is not None
    assert by_residual(p, count) is None
    shorter = propose(residual_system(p, range(2)).system, find_msolve(), Deadline(60))
    assert not shorter.reason
    assert shorter.multiplicity != count  # finite and without complaint: nothing but the count tells


def test_first_weights_that_vanish_are_left_to_others():
    # inputs on the second axis only: critical points have first weights 0, none has the first chart's form with U != 0
    p = random_network((2, 2, 1), inputs=[[0, 1], [0, 2], [0, -3]], targets=[[1], [3], [-2]])
    system, _ = in_the_weights(p)
    count = multiplicity(system, find_msolve(), Deadline(60))
    assert count == 0
    assert by_residual(p, count) is None


def test_parametrised_points_that_do_not_solve_the_system_are_refused(monkeypatch):
    p = random_network((2, 1, 2))
    assert by_residual(p, 8) is not None

    def spoiled(*args, **options):
        answer = propose(*args, **options)
        found = answer.parametrization
        numerators = (found.numerators[0], found.numerators[1] + 1, *found.numerators[2:])
        return replace(answer, parametrization=replace(found, numerators=numerators))

    monkeypatch.setattr(residual, "propose", spoiled)
    assert by_residual(p, 8) is None


SPECIAL = {
    "inputs on a line": {"inputs": [[1, 2], [-2, -4], [3, 6], [F(1, 2), 1]]},
    "one sample": {"inputs": [[1, 2]], "targets": [[3, -1]]},
    "targets on a line": {"targets": [[1, 2], [2, 4], [-1, -2], [3, 6]]},
    "target 0": {"targets": [[0, 0]] * 4},
    "an even grid": {"inputs": [[1, 0], [0, 1]], "targets": [[2, 0], [0, 3]]},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECIAL)
def test_special_data_with_and_without_it(name, monkeypatch):
    """The whole answer of the structure for 2-2-2, with the shorter system where it is accepted and without it."""
    t = target(random_network((2, 2, 2), **SPECIAL[name]))

    def solved():
        found = structure.by_structure(t, Deadline(60))
        if found is None:
            return None
        return found.complex_count, sorted(tuple(round((a + b) * 10**8) for a, b in r.enclosure) for r in found.roots)

    with_it = solved()
    monkeypatch.setattr(structure, "residual_system", lambda *_: None)
    assert with_it == solved()
