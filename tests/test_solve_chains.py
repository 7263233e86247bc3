"""Chains of single homogeneous units, solved by hand: F is a loss in the product of the weights on every orthant."""

from __future__ import annotations

from math import log
from typing import Any

import audit_checks
import audit_descents
import pytest
from audit_problems import make

from explorer.budget import Budget, Deadline
from explorer.errors import Unsupported
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.one_weight import chains
from explorer.solve.results import CriticalSet, Kind


def chain(activation: Any, xs: list[Any], ys: list[Any], **more: Any) -> Problem:
    return Problem.dense(widths=[1, 1, 1], inputs=xs, targets=ys, activation=activation, **more)


def sorted_kinds(found: CriticalSet) -> list[tuple[int, Kind, int | None]]:
    return sorted(((c.dimension, c.kind, c.orbit) for c in found.components), key=str)


def test_two_labels_at_one_input() -> None:
    # H(p) = log(1 + e^-p) + 2 log(1 + e^p): H' = -(1 - s) + 2s with s = s(p), so s = 1/3, p = -ln 2; H'(0) = 1/2, so 0 is a saddle
    found = critical_set(chain("linear", [1, 1], [1, -1], loss="logistic", loss_weights=[1, 2]))
    assert found.coverage.complete
    assert found.coverage.method == chains.METHOD
    assert sorted_kinds(found) == [(0, Kind.STRICT_SADDLE, 1), (1, Kind.MINIMUM, None), (1, Kind.MINIMUM, None)]
    assert found.global_value is not None
    assert found.global_value.approx == pytest.approx(log(3) + 2 * log(1.5))
    for c in found.components:
        if c.dimension:  # (w1, w2) with product -ln 2
            low = c.sample.lower  # type: ignore[union-attr]
            assert float(low[0] * low[1]) == pytest.approx(-log(2))
            assert (c.inertia.positive, c.inertia.zero) == (1, 1)  # type: ignore[union-attr]


def test_a_separated_sample_and_dead_units() -> None:
    # w1 > 0: log(1 + e^(-w1 w2)), falling to 0; w1 <= 0: log 2. On w1 = 0 the slope to the right is -w2/2: for w2 > 0 it falls there
    # (critical: the other slope is 0; a maximum), for w2 < 0 it rises (a minimum). w2 = 0, w1 > 0: the slope is -w1/2, not critical
    found = critical_set(chain("relu", [1], [1], loss="logistic"))
    assert found.coverage.complete
    assert found.global_value is None
    assert found.global_because.startswith("the infimum is 0, approached")
    assert all(c.is_global is False for c in found.components)
    kinds = {c.equations: c.kind for c in found.components}
    assert kinds[("w1_1_1 = 0", "w2_1_1 > 0")] is Kind.MAXIMUM
    assert kinds[("w1_1_1 = 0", "w2_1_1 < 0")] is Kind.MINIMUM
    assert kinds[("w1_1_1 < 0", "w2_1_1 > 0")] is Kind.MINIMUM  # open and flat
    assert kinds[("w1_1_1 < 0", "w2_1_1 = 0")] is Kind.MINIMUM
    assert [c.kind for c in found.components if not c.dimension] == [Kind.SADDLE]
    assert len(found.components) == 6


def test_lasso_of_a_product() -> None:
    # (v w - 2)^2 + |v| + |w|: |v| = |w| = r, G = (r^2 - 2)^2 + 2r, 2r^3 - 4r + 1 = 0: r = 0.2586.., 1.2670..; for v w < 0 G' > 0
    found = critical_set(chain("linear", [1], [2], regularizer={"kind": "power", "exponent": 1, "weights": 1}))
    assert found.coverage.complete
    assert sorted_kinds(found) == [
        (0, Kind.STRICT_MINIMUM, 1),
        (0, Kind.STRICT_MINIMUM, 2),
        (0, Kind.STRICT_SADDLE, 2),
    ]
    for c in found.components:
        if c.orbit == 2:
            r = abs(float(c.sample.lower[0]))  # type: ignore[union-attr]
            assert 2 * r**3 - 4 * r + 1 == pytest.approx(0, abs=1e-9)
            assert c.is_global == (c.kind is Kind.STRICT_MINIMUM)
        else:
            assert c.value.as_fraction == 4


def test_a_ridge_on_one_weight_only() -> None:
    # log(1 + e^-p) + 2 log(1 + e^p) + w2^2: no balance is possible, the origin is a saddle, and inf F = inf H is not attained
    more: dict[str, Any] = {"loss": "logistic", "loss_weights": [1, 2]}
    found = critical_set(chain("linear", [1, 1], [1, -1], regularizer={"kind": "l2", "weights": [0, 1]}, **more))
    assert found.coverage.complete
    assert sorted_kinds(found) == [(0, Kind.STRICT_SADDLE, 1)]
    assert found.global_value is None
    assert float(found.global_because.split()[4].rstrip(",")) == pytest.approx(log(3) + 2 * log(1.5), rel=1e-5)


def test_a_ridge_at_the_threshold_is_left_to_others() -> None:
    # H'(0) = -1/2 and 2 lambda = 1/2: the Hessian of F at 0 is singular
    problem = chain("linear", [1], [1], loss="logistic", regularizer={"kind": "l2", "weights": "1/4"})
    with pytest.raises(Unsupported, match="threshold"):
        chains.by_chain(problem, Deadline(20), lambda one, clock: critical_set(one))


def test_outputs_that_saturate() -> None:
    # (sigmoid(p) - 1/4)^2: p = -ln 3, H'(0) = 2 (1/4)(1/4) > 0; two hyperbolas and a saddle
    found = critical_set(chain("linear", [1], ["1/4"], output_activation="sigmoid"))
    assert found.coverage.complete
    assert sorted_kinds(found) == [(0, Kind.STRICT_SADDLE, 1), (1, Kind.MINIMUM, None), (1, Kind.MINIMUM, None)]
    assert found.global_value is not None
    assert found.global_value.lower <= 0 <= found.global_value.upper


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2000, 2001, 2003, 2005])
def test_descents_end_on_listed_components(seed: int) -> None:
    problem = make("chain", seed)
    found = critical_set(problem, budget=Budget(5))
    assert not [c for c in audit_checks.audit(problem, found, starts=30) if "unconfirmed" not in c]
    if found.coverage.complete and problem.network.depth == 2:  # deeper ones descend too slowly near the origin
        assert audit_descents.missed(problem, found, starts=16, steps=30)[1] == []
