"""Ridge networks by structure: counts and roots beside the direct system, and the audits.

The numbers of complex solutions of generic members are those that Singular (vector space dimension of the quotient ring)
and msolve give for the full systems; the direct systems solved here share only the engine, not the reduction.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction as F

import pytest

from explorer.algebra.msolve import find_msolve
from explorer.algebra.solver import solve_zero_dimensional
from explorer.budget import Budget
from explorer.model.polynomial import loss_polynomial
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.classify import Target
from explorer.solve.critical import critical_set
from explorer.solve.structure import applies, by_structure

pytestmark = pytest.mark.skipif(find_msolve() is None, reason="needs the msolve program")


def ridge(widths, activation="linear", samples=5, seed=1):
    """Small random integer data and generic ridge weights."""
    rng = random.Random(seed)
    count = sum(a * b for a, b in itertools.pairwise(widths))
    return Problem.dense(
        widths=widths,
        activation=activation,
        inputs=[[rng.randint(-5, 5) for _ in range(widths[0])] for _ in range(samples)],
        targets=[[rng.randint(-5, 5) for _ in range(widths[-1])] for _ in range(samples)],
        regularizer={"kind": "l2", "weights": [F(rng.randint(1, 20), rng.randint(10, 40)) for _ in range(count)]},
    )


def target(p):
    return Target(p, loss_polynomial(p))


#: widths, activation, samples, number of complex critical points
COUNTS = [
    ((2, 2, 1), "linear", 5, 33),
    ((3, 1, 3), "linear", 5, 37),
    ((2, 2, 2), "linear", 5, 225),
    ((2, 1, 1, 2), "linear", 5, 81),
    ((1, 2, 2, 1), "linear", 5, 129),
    ((2, 2, 2, 1), "linear", 5, 641),
]


@pytest.mark.slow
@pytest.mark.parametrize(("widths", "activation", "samples", "count"), COUNTS, ids=str)
def test_complex_counts_and_audits(widths, activation, samples, count):
    p = ridge(widths, activation, samples)
    found = critical_set(p, budget=Budget(120))
    assert found.coverage.complete, found.coverage.reason
    assert f"has {count} complex solutions" in found.coverage.reason
    assert "dead units" in found.coverage.method
    assert found.morse_sum == 1  # a coercive Morse function on R^d
    assert found.real_points % 2 == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "activation", "samples"),
    [
        ((2, 2, 1), "linear", 3),
        ((2, 1, 1, 2), "linear", 4),
        ((1, 2, 2, 1), "linear", 3),
        ((1, 3, 1), "square", 3),
        ((1, 1, 3), "cubic", 3),
    ],
    ids=str,
)
def test_the_same_roots_as_the_direct_system(widths, activation, samples):
    for seed in (2,):
        p = ridge(widths, activation, samples, seed)
        reduced = by_structure(target(p), Budget(60).start())
        if not applies(p):
            assert reduced is None
            continue
        assert reduced is not None
        direct = solve_zero_dimensional(target(p).gradient, Budget(60).start(), engine="msolve")
        assert direct.complete
        assert reduced.complex_count == direct.complex_count
        assert len(reduced.roots) == len(direct.roots)
        for a in direct.roots:
            hits = [
                b
                for b in reduced.roots
                if all(lo <= hi2 and lo2 <= hi for (lo, hi), (lo2, hi2) in zip(a.enclosure, b.enclosure, strict=True))
            ]
            assert len(hits) == 1


def test_biases_of_the_first_layer_are_weights_of_a_constant_input():
    """Two units with biases have the critical points of the same network on inputs (x, 1) without biases, renamed."""
    rng = random.Random(7)
    inputs, targets = [[rng.randint(-5, 5)] for _ in range(3)], [[rng.randint(-5, 5)] for _ in range(3)]
    weights = [F(k, 20) for k in (3, 7, 5, 11, 13, 2)]  # biased: w1, w2, b1, b2, v1, v2
    both = {"activation": "linear", "targets": targets}
    biased = Problem.dense(
        widths=[1, 2, 1], inputs=inputs, bias=[True, False], regularizer={"kind": "l2", "weights": weights}, **both
    )
    order = (0, 2, 1, 3, 4, 5)  # w1, b1, w2, b2, v1, v2
    plain = Problem.dense(
        widths=[2, 2, 1],
        inputs=[[*x, 1] for x in inputs],
        regularizer={"kind": "l2", "weights": [weights[k] for k in order]},
        **both,
    )
    a, b = (by_structure(target(p), Budget(60).start()) for p in (biased, plain))
    assert a is not None
    assert b is not None
    assert a.complex_count == b.complex_count == 33
    assert len(a.roots) == len(b.roots) > 1
    moved = [[r.enclosure[k] for k in order] for r in a.roots]
    for box in (r.enclosure for r in b.roots):
        assert sum(all(x <= v and u <= y for (x, y), (u, v) in zip(box, m, strict=True)) for m in moved) == 1


def test_a_biased_cubic_unit_has_the_points_of_the_direct_system():
    """73 complex solutions: Singular and msolve on the full system of one cubic unit with a bias (benchmarks/peers.py)."""
    p = Problem.dense(
        widths=[1, 1, 1],
        activation="cubic",
        inputs=[[1], [-2], [3]],
        targets=[[2], [1], [-1]],
        bias=[True, False],
        regularizer={"kind": "l2", "weights": [F(3, 20), F(7, 20), F(1, 5)]},
    )
    assert applies(p)
    reduced = by_structure(target(p), Budget(60).start())
    direct = solve_zero_dimensional(target(p).gradient, Budget(60).start(), engine="msolve")
    assert reduced is not None
    assert reduced.complex_count == direct.complex_count == 73
    assert len(reduced.roots) == len(direct.roots)
    for box in (r.enclosure for r in direct.roots):
        hits = [
            b for b in reduced.roots if all(x <= v and u <= y for (x, y), (u, v) in zip(box, b.enclosure, strict=True))
        ]
        assert len(hits) == 1


def test_small_chains_keep_exact_coordinates_only_where_there_are_points():
    """By hand: with P = w1 w2 w3 w4, lambda_i w_i^2 = P (1 - P) at a critical point other than the origin, so 0 < P < 1 and
    prod lambda = P^2 (1 - P)^4, which is at most (4/27)^2 = 0.0219. Here it is 1.716 or 1.716e-4. And 49 = (4 - 1) 2^4 + 1."""
    for weight, more in ((F(1), False), (F(1, 10), True)):
        p = Problem.dense(
            widths=[1] * 5,
            activation="linear",
            inputs=[[1]],
            targets=[[1]],
            regularizer={"kind": "l2", "weights": [weight, weight * F(11, 10), weight * F(6, 5), weight * F(13, 10)]},
        )
        found = by_structure(target(p), Budget(60).start())
        assert found is not None
        assert found.complex_count == 49
        assert found.complex_count_is == "exact"
        assert (len(found.roots) > 1) == more


def test_other_charts_are_not_forgotten():
    """Uncorrelated data: the two directions decouple, so weights vanish one by one and the first chart misses points.

    F = (2 - v u)^2-like pairs: inputs e_1, e_2, targets 3 e_1, 2 e_2, one hidden unit, ridge 1/4. Critical points of
    rank 1 carry one direction each: a = 3 or 2 and |w_in| = |w_out|, w^2 = a - 1/4: 2 + 2 points, and the origin.
    """
    p = Problem.dense(
        widths=[2, 1, 3],
        activation="linear",
        inputs=[[1, 0], [0, 1]],
        targets=[[3, 0, 0], [0, 2, 0]],
        regularizer={"kind": "l2", "weights": "1/4"},
    )
    assert applies(p)
    found = by_structure(target(p), Budget(60).start())
    assert found is not None
    points = sorted(tuple(round(float(a + b) / 2, 9) for a, b in r.enclosure) for r in found.roots)
    root = {a: round((a - 0.25) ** 0.5, 9) for a in (3, 2)}
    expected = [(0.0,) * 5]
    for a, (i, o) in ((3, (0, 2)), (2, (1, 3))):
        for sign in (1, -1):
            w = [0.0] * 5
            w[i] = w[o] = sign * root[a]
            expected.append(tuple(w))
    assert points == sorted(expected)


def test_lifted_boxes_are_proved_on_the_original_gradient():
    p = ridge((2, 2, 1), seed=5)
    t = target(p)
    found = by_structure(t, Budget(60).start())
    assert found is not None
    from explorer.algebra.krawczyk import KrawczykProof, prove_box

    boxes = [r.point for r in found.roots if isinstance(r.point, EnclosedPoint)]
    assert len(boxes) == len(found.roots) - 1
    assert all(isinstance(prove_box(t.gradient, b), KrawczykProof) for b in boxes)


@pytest.mark.parametrize(
    "p",
    [
        Problem.dense(widths=[2, 2, 2], activation="linear", inputs=[[1, 2]], targets=[[1, 1]]),
        Problem.dense(widths=[2, 2, 2], activation="linear", inputs=[[1, 2]], targets=[[1, 1]], bias=True, regularizer={"kind": "l2", "weights": 1}),
        Problem.dense(widths=[2, 2, 2], activation="polynomial", coefficients=[0, 1, 1], inputs=[[1, 2]], targets=[[1, 1]], regularizer={"kind": "l2", "weights": 1}),
        Problem.dense(widths=[1, 1, 1], activation="linear", inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": 1}),
    ],
    ids=["no ridge", "bias", "neither even nor odd", "small"],
)  # fmt: skip
def test_where_it_does_not_apply(p):
    assert by_structure(target(p), Budget(10).start()) is None


def test_infinitely_many_solutions_are_left_to_the_decomposition():
    # equal ridge weights and proportional targets: the orthogonal group of the hidden layer turns solutions around
    p = Problem.dense(
        widths=[2, 2, 2],
        activation="linear",
        inputs=[[1, 0], [0, 1]],
        targets=[[3, 0], [0, 3]],
        regularizer={"kind": "l2", "weights": "1/4"},
    )
    assert by_structure(target(p), Budget(60).start()) is None
