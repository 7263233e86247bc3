"""Losses of one weight in special position, by hand: samples at 0, pieces that change sign, audits of the list."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log
from typing import Any

import numpy as np
import pytest
from audit_surface import Surface

from explorer.budget import Budget, Deadline
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve import critical
from explorer.solve.critical import critical_set
from explorer.solve.one_weight import line
from explorer.solve.results import Kind
from explorer.solve.values import CONTRADICTION, settle_globals


def neuron(kind: Any, xs: list[Any], ys: list[Any], **more: Any) -> Problem:
    return Problem.dense(widths=[1, 1], inputs=[[x] for x in xs], targets=ys, output_activation=kind, **more)


@pytest.mark.parametrize(
    ("problem", "infimum"),
    [
        # (softplus(w) + 1)^2 -> 1 as w -> -infinity, and the second sample is (ln 2 - 3)^2 for every w
        (neuron("softplus", [1, 0], [-1, 3]), 1 + (log(2) - 3) ** 2),
        # log(1 + e^-softplus(w)) -> 0, and the second one is log(1 + e^(-ln 2)) = log(3/2)
        (neuron("softplus", [1, 0], [1, 1], loss="logistic"), log(3 / 2)),
        # log(1 + e^-erf(w)) -> log(1 + 1/e), and log 2
        (neuron("erf", [1, 0], [1, 1], loss="logistic"), log(1 + 2.718281828459045**-1) + log(2)),
    ],
)
def test_samples_at_zero_count_in_the_infimum(problem: Problem, infimum: float) -> None:
    found = critical_set(problem)
    assert found.coverage.complete
    assert not found.components
    assert found.global_because.startswith("the infimum is about ")
    assert float(found.global_because.split()[4].rstrip(",")) == pytest.approx(infimum, rel=1e-5)


def test_a_limit_far_out_is_compared_with_all_samples() -> None:
    # F = swish(w)^2 + (0 - 3)^2 has its minimum at 0 with the value 9; the limit at -infinity is 9, too
    found = critical_set(neuron("swish", [1, 0], [0, 3]))
    assert found.coverage.complete
    assert not any(c.is_global for c in found.components if c.value.lower > 9)
    # F = (swish(w) - 1/2)^2 + 9 falls to 9 near w = 0.74, below the limit 37/4 at -infinity
    found = critical_set(neuron("swish", [1, 0], ["1/2", 3]))
    assert found.global_value is not None
    assert found.global_value.approx == pytest.approx(9)


def test_targets_0_of_the_logistic_loss_are_constants() -> None:
    # log(1 + e^0) = log 2 for every w
    found = critical_set(neuron("cubic", [1], [0], loss="logistic"), budget=Budget(3))
    assert found.coverage.complete
    assert [c.dimension for c in found.components] == [1]
    # log(1 + e^(-max(w, 0)^2)) + log 2: constant for w < 0, then falling to log 2
    found = critical_set(neuron("requ", [1, -1], [1, 0], loss="logistic"), budget=Budget(3))
    assert found.coverage.complete
    assert found.global_because.startswith("the infimum is about 0.693147")
    assert {(c.dimension, c.kind) for c in found.components} == {(0, Kind.MAXIMUM), (1, Kind.MINIMUM)}


#: |z| - 5: a last piece that has the other sign before its zero
DIPPED = {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["-5", "-1"], ["-5", "1"]]}


def test_forces_far_out_beyond_the_zero_of_a_piece() -> None:
    # F = log(1 + e^(|w| - 5)) + log(1 + e^(5 - |w|))/4: with u = |w| - 5, F' = 0 iff s(u) = s(-u)/4, e^u = 1/4
    found = critical_set(neuron(DIPPED, [1, 1], [-1, 1], loss="logistic", loss_weights=[1, "1/4"]))
    assert found.coverage.complete
    minima = [c for c in found.components if c.kind is Kind.STRICT_MINIMUM]
    places = sorted(float((c.sample.lower[0] + c.sample.upper[0]) / 2) for c in minima)
    assert places == pytest.approx([-5 + log(4), 5 - log(4)])
    # minimum of log(1 + t) + log(1 + 1/t)/4 at t = 1/4
    assert found.global_value is not None
    assert found.global_value.approx == pytest.approx(log(5 / 4) + log(5) / 4)
    assert not any(c.is_global for c in found.components if c.kind.is_maximum)


def test_a_list_whose_minima_and_maxima_do_not_alternate_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    # F = (sigmoid(w) - 3/4)^2 + w^2/100 has one minimum; without it the audit complains
    problem = neuron("sigmoid", [1], ["3/4"], regularizer={"kind": "l2", "weights": "1/100"})
    whole = line.by_line(problem, Deadline(None))
    assert whole.coverage.complete
    assert len(whole.components) == 1
    monkeypatch.setattr(line._Search, "_root", lambda *_: None)
    lost = line.by_line(problem, Deadline(None))
    assert not lost.coverage.complete
    assert "the audit failed" in lost.coverage.reason


def test_the_limit_is_the_sum_over_all_samples() -> None:
    # both sides: erf -> 1 and -1, targets 1 and 2 at x = 1, x = 0 adds 4: limits 0 + 1 + 4 and 4 + 9 + 4
    found = critical_set(neuron("erf", [1, 1, 0], [1, 2, 2]))
    assert found.coverage.complete
    assert found.global_because == "the infimum is 5, approached as the weight goes to infinity and not attained"
    assert all(c.value.lower > Fraction(5) for c in found.components)


def test_a_box_across_a_flat_piece_leaves_time_for_the_line() -> None:
    # log(1 + e^max(w, 0)) is constant on [-3, 0], which branch and prune cannot settle, and rises on [0, 3]
    box = EnclosedPoint((Fraction(-3),), (Fraction(3),))
    found = critical_set(neuron("relu", [1], [-1], loss="logistic"), box=box, budget=Budget(4))
    assert found.coverage.complete
    assert {(c.dimension, c.kind) for c in found.components} == {(0, Kind.MINIMUM), (1, Kind.MINIMUM)}


def test_a_strict_maximum_is_never_called_the_minimum() -> None:
    # a list that lost its minima: the maximum of sin(w)^2 + w^2/100 near pi/2 has others below it wherever they are
    top = next(
        c
        for c in critical_set(neuron("sin", [1], [0], regularizer={"kind": "l2", "weights": "1/100"})).components
        if c.kind is Kind.STRICT_MAXIMUM
    )
    settled, best, because = settle_globals(
        [top], floor=Fraction(0), floor_because="", coercive="it is coercive", complete=True
    )
    assert best is None
    assert settled[0].is_global is not True
    assert because == CONTRADICTION
    # and such a list is not called complete, whatever its method says
    whole = critical_set(neuron("sin", [1], [0], regularizer={"kind": "l2", "weights": "1/100"}))
    assert whole.coverage.complete
    assert critical._consistent(whole) is whole
    lost = critical._consistent(replace(whole, components=settled, global_value=None, global_because=because))
    assert not lost.coverage.complete
    assert "contradicts itself" in lost.coverage.reason


@pytest.mark.parametrize(
    ("problem", "kinds"),
    [
        # labels 1 at 1 and -1 at 3: F' far out is led by the smaller input, e^-|w|; checked on a grid below
        (neuron("sigmoid", [1, 3], [1, -1], loss="logistic"), None),
        (neuron("tanh", [1, -2, 3], [1, 1, -1], loss="logistic"), None),
        (neuron("erf", [1, -2, 3], ["1/2", 1, "-1/3"]), None),
        (neuron("gelu", [1, -2, 3], [1, 1, -1], loss="logistic"), None),
        (neuron("exp", [1, -2, 3], [1, 1, -1], loss="logistic"), None),
        # log(1 + e^(-w^2)) + log(1 + e^(4w^2)): with p = w^2 the derivative 4 s(4p) - s(-p) is at least 3/2: only w = 0
        (neuron("square", [1, 2], [1, -1], loss="logistic"), [Kind.STRICT_MINIMUM]),
        # forces of one rate at one input: log(1 + e^-f) + 2 log(1 + e^f) with f = sigmoid(w) > 0 has the slope 2 s(f) - s(-f) > 0 in f
        (neuron("sigmoid", [1, 1], [1, -1], loss="logistic", loss_weights=[1, 2]), []),
    ],
)
def test_forces_that_vanish_at_different_rates(problem: Problem, kinds: list[Kind] | None) -> None:
    found = critical_set(problem)
    assert found.coverage.complete
    if kinds is not None:
        assert [c.kind for c in found.components] == kinds
    surface = Surface(problem)
    grid = np.linspace(-12, 12, 200_001)[:, None]
    slope = surface.gradient(grid)[:, 0]
    slope = slope[np.isfinite(slope) & (slope != 0)]
    assert np.count_nonzero(np.diff(np.sign(slope))) == len(found.components)


def test_forces_that_cancel_to_leading_order_are_refused() -> None:
    # both labels at one input: for w -> -infinity sigmoid -> 0, and the forces -s(-f) and s(f) both tend to 1/2
    found = critical_set(neuron("sigmoid", [1, 1], [1, -1], loss="logistic"), budget=Budget(3))
    assert not found.coverage.complete
    assert "vanish at the same rate" in found.coverage.reason
