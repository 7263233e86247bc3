"""Piecewise polynomial losses: cells and kinks, by hand and against signs of F near the samples."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from fractions import Fraction as Q

import pytest

from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def neuron(activation: str | dict[str, object], inputs: list[int], targets: list[int]) -> Problem:
    return Problem.dense(widths=[1, 1, 1], activation=activation, inputs=inputs, targets=targets)


def relu(z: Q) -> Q:
    return max(z, Q(0))


RELU_LIKE = [
    (2, "minimum", 1, False),
    (1, "minimum", 0, True),
    (1, "minimum", 1, False),
    (1, "maximum", 1, False),
    (0, "saddle", 1, False),
]

CASES: dict[str, tuple[Problem, Callable[[Q, Q], Q], list[tuple[int, str, int, bool | None]]]] = {
    # (1 - v relu(w))^2: the flat half plane w < 0, the branch v w = 1, and the kink w = 0, where F = 1 - 2 v w + ... for
    # w > 0: minima for v < 0, maxima for v > 0, and at v = 0 both signs (v = w = s, v = -w = -s)
    "relu": (
        neuron("relu", [1], [1]),
        lambda w, v: (1 - v * relu(w)) ** 2,
        RELU_LIKE,
    ),
    # the same with relu^2 (differentiable, second derivative jumps): F = 1 - 2 v w^2 + ... for w > 0
    "requ": (
        neuron("requ", [1], [1]),
        lambda w, v: (1 - v * relu(w) ** 2) ** 2,
        RELU_LIKE,
    ),
    # x = +-1, y = 1: F = (1 - v|w|)^2 + 1 >= 1 on both sides: two branches v|w| = 1 with value 1, the kink as above with value 2
    "two-sided": (
        neuron("relu", [1, -1], [1, 1]),
        lambda w, v: (1 - v * relu(w)) ** 2 + (1 - v * relu(-w)) ** 2,
        [(1, "minimum", 1, True)] * 2 + [(1, "minimum", 2, False), (1, "maximum", 2, False), (0, "saddle", 2, False)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cells_and_kinks(name: str) -> None:
    problem, loss, expected = CASES[name]
    found = critical_set(problem)
    assert found.coverage.complete, found.coverage.reason
    listed = [(c.dimension, c.kind.value, c.value.as_fraction, c.is_global) for c in found.components]
    assert Counter(listed) == Counter(expected)
    assert found.real_points == 0
    for c in found.components:
        w, v = (x[0] for x in c.sample.coordinates)
        assert loss(w, v) == c.value.as_fraction
        signs = set()
        for r in (Q(1, 50), Q(1, 400)):
            for a, b in itertools.product((-2, -1, 0, 1, 2), repeat=2):
                change = loss(w + r * a, v + r * b) - loss(w, v)
                signs.add((change > 0) - (change < 0))
        assert (-1 in signs) == (c.kind in (Kind.SADDLE, Kind.MAXIMUM)), (c.sample, signs)
        # the flat region is a minimum and a maximum, reported as a minimum
        assert (1 in signs) == (c.kind in (Kind.SADDLE, Kind.MINIMUM) and c.dimension < 2), (c.sample, signs)


def test_the_smooth_part_has_a_hessian_and_the_kink_has_none() -> None:
    found = critical_set(CASES["relu"][0])
    for c in found.components:
        assert (c.inertia is None) == (c.sample.coordinates[0] == (Q(0),))


def test_kinks_of_several_parameters_are_not_pretended() -> None:
    two_inputs = Problem.dense(widths=[2, 1, 1], activation="requ", inputs=[[1, 2]], targets=[1])
    found = critical_set(two_inputs)
    assert not found.coverage.complete
    assert "depend" in found.coverage.reason


def test_crossing_kinks_are_named_as_missing() -> None:
    hard_tanh = {"kind": "piecewise-polynomial", "breaks": ["-1", "1"], "pieces": [["-1"], ["0", "1"], ["1"]]}
    found = critical_set(
        Problem.dense(
            widths=[1, 2, 1], activation=hard_tanh, inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": 1}
        )
    )
    assert not found.coverage.complete
    assert "two or more kinks" in found.coverage.reason


def test_a_leaky_unit_of_slope_one_has_no_kink() -> None:
    # slope 1 is the identity: F = (1 - v w)^2 + (2 - 2 v w)^2 = 5 (1 - v w)^2, the hyperbola and the strict saddle 0
    found = critical_set(neuron({"kind": "leaky_relu", "slope": 1}, [1, 2], [1, 2]))
    assert found.coverage.complete
    assert (
        sorted((c.dimension, c.kind.value) for c in found.components) == [(0, "strict saddle")] + [(1, "minimum")] * 2
    )
