"""Proposition IV.1: the decision by hand for a list of activations, and against all critical points of polynomial losses."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from independent import floating
from recipe_tools import HAT, pieces, polynomial

from explorer.budget import Budget
from explorer.certify.recipes.single import decide, instances
from explorer.certify.requests import activations
from explorer.errors import NotCertifiable
from explorer.problem import Problem
from explorer.solve.critical import critical_set

#: activation -> does phi have a zero that is a local extremum? By hand.
BY_HAND: list[tuple[Any, bool]] = [
    ("linear", False),
    ("relu", True),  # every z < 0
    ({"kind": "leaky_relu", "slope": "1/10"}, False),
    ({"kind": "leaky_relu", "slope": "-1/10"}, True),  # a minimum at the kink
    ("requ", True),
    ("square", True),
    ("cubic", False),
    ("sigmoid", False),
    ("tanh", False),
    ("softplus", False),
    ("swish", False),
    ("exp", False),
    ("sin", False),
    ("erf", False),
    ("gelu", False),
    ({"kind": "elu", "alpha": "1"}, False),
    ({"kind": "elu", "alpha": "-1"}, True),  # elu > 0 on both sides of 0
    ({"kind": "elu", "alpha": "0"}, True),
    (polynomial(1, 0, 1), False),  # z^2 + 1
    (polynomial(-1, 0, 1), False),  # two simple zeros
    (polynomial(4, 0, -4, 0, 1), True),  # (z^2 - 2)^2
    (polynomial(-8, 0, 12, 0, -6, 0, 1), False),  # (z^2 - 2)^3
    (polynomial(0, 0, 0, 0, 0, 0, 1), True),  # z^6
    (polynomial(-2, 5, -4, 1), True),  # (z - 1)^2 (z - 2)
    (HAT, True),
    (pieces([0], [0, -1], [0, 1]), True),  # |z|
    (pieces([0], [0, 0, -1], [0, 1]), False),  # -z^2, then z: changes its sign at 0
    (pieces([0, 2], [0, 1], [0, 2, -1], [-2, 1]), True),  # z, z (2 - z), z - 2: a minimum of value 0 at the break 2
]


@pytest.mark.parametrize(("given", "expected"), BY_HAND)
def test_decided(given: Any, expected: bool) -> None:
    (activation,) = activations(given)
    assert decide(activation, Fraction(1), Fraction(1)).exists is expected
    assert decide(activation, Fraction(-2, 3), Fraction(-5)).exists is expected
    # degenerate inputs: never, by hand (x = 0: f is v phi(0); y = 0: dF/dv = 2 v phi^2)
    assert not decide(activation, Fraction(0), Fraction(1)).exists
    assert not decide(activation, Fraction(1), Fraction(0)).exists


@pytest.mark.parametrize("coefficients", [(0,), (0, 0, 0)])
def test_the_zero_function_is_the_exception(coefficients: tuple[int, ...]) -> None:
    """phi = 0: every zero is a local extremum, F is constant, and nothing is sub-optimal: the printed equivalence fails."""
    (activation,) = activations(polynomial(*coefficients))
    answer = decide(activation, Fraction(1), Fraction(1))
    assert not answer.exists
    assert all(z.extremum for z in answer.zeros)
    with pytest.raises(NotCertifiable, match="phi = 0"):
        instances(activation, slug="zero", source="")


@pytest.mark.parametrize(
    "coefficients",
    [(1, 0, 1), (-1, 0, 1), (0, 0, 0, 1), (0, 1), (0, 0, 1), (1, -2, 1), (-2, 5, -4, 1), (-2, 0, 1), (0, 0, -1, 1)],
)
def test_against_all_critical_points(coefficients: tuple[int, ...]) -> None:
    """The solver's complete list has a minimum that is not global exactly if the decision says so."""
    (activation,) = activations(polynomial(*coefficients))
    problem = Problem.dense(widths=[1, 1, 1], activation=activation, inputs=[1], targets=[2])
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete
    bad = [c for c in found.components if c.kind.is_minimum and c.is_global is False]
    assert bool(bad) is decide(activation, Fraction(1), Fraction(2)).exists
    if not bad:
        assert all(c.is_global or not c.kind.is_minimum for c in found.components)


@pytest.mark.parametrize(("given", "expected"), [p for p in BY_HAND if p[1]])
def test_bad_minima_in_floating_point(given: Any, expected: bool) -> None:
    """F >= y^2 on a grid around the point, and F = 0 at the other one (y = -3, x = -1/2)."""
    (activation,) = activations(given)
    x, y = Fraction(-1, 2), Fraction(-3)
    if given == {"kind": "elu", "alpha": "0"}:
        with pytest.raises(NotCertifiable):  # the checker has no affine pieces of elu
            instances(activation, x=x, y=y, slug="elu", source="")
        return
    for instance in instances(activation, x=x, y=y, slug="neuron", source=""):
        problem, body = instance.problem.to_json(), instance.certificates[0][1].to_json()
        p, q = (floating.vector(body["points"][name]) for name in ("p", "q"))
        offsets = np.linspace(-1e-3, 1e-3, 41)
        grid = np.array([[p[0] + a, p[1] + b] for a in offsets for b in offsets])
        assert floating.loss(problem, grid).min() >= 9 - 1e-11
        assert abs(floating.loss(problem, q[None, :])[0]) < 1e-20
