"""Single neurons with a bias or two inputs, without a regularizer, by hand: separated samples, and searches that reach everywhere."""

from __future__ import annotations

from math import exp, log, log1p
from typing import Any

import numpy as np
import pytest
from audit_surface import Surface, limits

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def neuron(kind: Any, xs: list[Any], ys: list[Any], **more: Any) -> Problem:
    width = len(xs[0]) if isinstance(xs[0], list) else 1
    return Problem.dense(widths=[width, 1], inputs=xs, targets=ys, output_activation=kind, **more)


@pytest.mark.parametrize(
    ("problem", "infimum"),
    [
        # erf -> 1 at (1, 0) and -> -1 at (0, 1): twice log(1 + 1/e)
        (neuron("erf", [[1, 0], [0, 1]], [1, -1], loss="logistic"), 2 * log1p(exp(-1))),
        # sigmoid -> 1 and -> 0: log(1 + 1/e) + log 2
        (neuron("sigmoid", [2, -1], [1, -1], bias=[True], loss="logistic"), log1p(exp(-1)) + log(2)),
        # (s(z1) - 2)^2 -> 1 and (s(z2) + 1)^2 -> 1: targets outside the range
        (neuron("sigmoid", [1, 3], [2, -1], bias=[True]), 2.0),
        # the ridge on the weight alone lets the bias go: both samples want z -> infinity
        (
            neuron(
                "softplus", [1, -1], [1, 1], bias=[True], loss="logistic", regularizer={"kind": "l2", "weights": [1, 0]}
            ),
            0,
        ),
    ],
)
def test_separated_samples_have_no_critical_point(problem: Problem, infimum: float) -> None:
    found = critical_set(problem)
    assert found.coverage.complete
    assert not found.components
    assert float(found.global_because.split()[4].rstrip(",")) == pytest.approx(infimum, rel=1e-5, abs=1e-9)
    assert len(limits(Surface(problem), 100, np.random.default_rng(0))[0]) == 0 or infimum < 0.1


def test_samples_that_only_nearly_separate() -> None:
    # u = (1, 0) moves the first sample uphill in favour of its label and leaves the second one: no critical point, and no number is claimed
    found = critical_set(neuron("tanh", [[1, 0], [0, 1], [0, 1]], [1, 1, -1], loss="logistic"))
    assert found.coverage.complete
    assert not found.components
    assert found.global_because == "the infimum is not attained: F is differentiable and has no critical point"


def test_labels_that_disagree_are_not_separated() -> None:
    # u = 0 is a critical point: both labels at every input
    found = critical_set(
        neuron("tanh", [[1, 0], [1, 0], [0, 1], [0, 1]], [1, -1, 1, -1], loss="logistic"), budget=Budget(2)
    )
    assert not found.coverage.complete or any(c.sample for c in found.components)


def test_two_samples_are_fitted_exactly() -> None:
    # psi' > 0, so both residuals vanish: elu(w + b) = 2 and elu(b - w) = -1/2, w + b = 2, b - w = -ln 2; the limit of F far out is at least
    # (elu(-inf) + 1/2)^2 = 1/4 > 0
    found = critical_set(neuron({"kind": "elu", "alpha": 1}, [1, -1], [2, "-1/2"], bias=[True]))
    assert found.coverage.complete
    (only,) = found.components
    assert only.kind is Kind.STRICT_MINIMUM
    assert only.is_global
    w, b = ((float(lo) + float(hi)) / 2 for lo, hi in zip(only.sample.lower, only.sample.upper, strict=True))  # type: ignore[union-attr]
    assert (w, b) == (pytest.approx((2 + log(2)) / 2), pytest.approx((2 - log(2)) / 2))


def test_elu_is_searched_across_its_break() -> None:
    # (v elu(w) - 1)^2 + (v^2 + w^2)/4: at 0 the gradient vanishes and the Hessian is [[1/2, -2], [-2, 1/2]], of both signs; w = 0 is the break
    problem = Problem.dense(
        widths=[1, 1, 1],
        inputs=[1],
        targets=[1],
        activation={"kind": "elu", "alpha": 1},
        regularizer={"kind": "l2", "weights": "1/4"},
    )
    found = critical_set(problem)
    assert found.coverage.complete
    origin = next(c for c in found.components if abs(float(c.sample.lower[0])) < 1e-9)  # type: ignore[union-attr]
    assert origin.kind is Kind.STRICT_SADDLE
    # v = -1 branch and v > 0, w > 0 branch: v = w there, (w^2 - 1) w + w/4 = 0, w^2 = 3/4
    right = next(c for c in found.components if float(c.sample.lower[0]) > 0.1)  # type: ignore[union-attr]
    assert float(right.sample.lower[0]) ** 2 == pytest.approx(3 / 4)  # type: ignore[union-attr]
