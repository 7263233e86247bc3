"""Units |z| with an l2 regularizer: u and -u are one function. Expected values by hand; random problems by the independent audit."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction as F

import audit_checks
import audit_problems
import pytest

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def even(widths, inputs, targets, weights, bias=False):
    return Problem.dense(
        widths=widths,
        inputs=inputs,
        targets=targets,
        activation={"kind": "leaky_relu", "slope": -1},
        bias=bias,
        regularizer={"kind": "l2", "weights": weights},
    )


def test_two_units_on_one_sample_by_hand():
    """F = (v1 |w1| + v2 |w2| - 1)^2 + (v1^2 + v2^2 + w1^2 + w2^2)/4. Active units have |w_j| = |v_j| and P = sum v_j |w_j| gives
    2 (P - 1) + 1/2 = 0: P = 3/4, F = 1/16 + 3/8 = 7/16, v_j > 0: v1^2 + v2^2 = 3/4, w_j = +-v_j: four quarters of circles without ends
    and their four ends (one unit zero). The origin: F = 1, a saddle (h^2 = 4 w^2 > w^2/4). (P - 1)^2 + P/2 is smallest at 3/4: minima.
    Half the Hessian inside a cell: the product's square, two balances, one null direction: (3, 1, 0).
    """
    found = critical_set(even([1, 2, 1], [1], [1], "1/4"), budget=Budget(20))
    assert found.coverage.complete
    assert found.global_value.as_fraction == F(7, 16)
    seen = Counter((c.dimension, c.kind, c.value.as_fraction, c.inertia and c.inertia.zero) for c in found.components)
    assert seen == {
        (1, Kind.MINIMUM, F(7, 16), 1): 4,
        (0, Kind.MINIMUM, F(7, 16), None): 4,
        (0, Kind.SADDLE, F(1), None): 1,
    }
    quarters = {c.equations[-4:] for c in found.components if c.dimension}
    assert {tuple(t[-3] for t in q if t.startswith("w1")) for q in quarters} == {(a, b) for a in "<>" for b in "<>"}


def test_each_unit_of_its_own_weight():
    # unit 2 costs more: m l = 1/4 against 1/16; only the unit with the smaller sqrt(m l) can be active together with g: 2 (P - 1) = -2 sqrt(m l)
    found = critical_set(even([1, 2, 1], [1], [1], ["1/4", "1/2", "1/4", "1/2"]), budget=Budget(20))
    assert found.coverage.complete
    # unit 1: P = 3/4, F = 7/16; unit 2: P = 1/2, F = 1/4 + 1/2 = 3/4; never both; and the origin
    assert Counter(c.value.as_fraction for c in found.components) == {F(7, 16): 2, F(3, 4): 2, F(1): 1}
    assert {c.kind for c in found.components if c.value.as_fraction == F(3, 4)} == {Kind.SADDLE}


@pytest.mark.parametrize("seed", [0, 2, 4, 5])
def test_random_problems_survive_the_audit(seed):
    problem = audit_problems.make("even-kinks", seed)
    found = critical_set(problem, budget=Budget(5))
    complaints = audit_checks.audit(problem, found, starts=40)
    assert not [c for c in complaints if "unconfirmed" not in c]
