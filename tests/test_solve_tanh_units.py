"""Several tanh units: an odd activation, so that (w, v) and (-w, -v) are one unit. Expected values by hand (in the tests) and from
the independent audit (tests/audit_checks.py: random descents, kinds and values by floats, points found twice)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction as F
from math import asinh

import audit_checks
import numpy as np
import pytest

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def net(units, inputs, targets):
    return Problem.dense(widths=[1, units, 1], inputs=inputs, targets=targets, activation="tanh")


def inertia(c):
    return (c.inertia.positive, c.inertia.zero, c.inertia.negative)


def test_two_units_on_two_samples_by_hand():
    """x = 1, 2, y = (1, -3/4): with T = tanh u, psi(u) = -T (1 - (3/2) / (1 + T^2)) vanishes at u = 0 and at T^2 = 1/2, u = +-asinh 1.

    tanh u / tanh 2u is monotone for u > 0, so no unit has psi = psi' = 0: besides F = 0 (dimension 4 - 2) all output weights are 0
    and each w is one of three simple zeros: 9 points, one pair of eigenvalues of both signs per unit, F = 1 + 9/16.
    """
    found = critical_set(net(2, [1, 2], [1, "-3/4"]), budget=Budget(20))
    assert found.coverage.complete
    best, *rest = sorted(found.components, key=lambda c: c.value.lower)
    assert (best.dimension, best.kind, best.value.as_fraction) == (2, Kind.MINIMUM, 0)
    assert {(inertia(c), c.kind, c.value.as_fraction) for c in rest} == {((2, 0, 2), Kind.STRICT_SADDLE, F(25, 16))}
    seen = set()
    for c in rest:
        at = c.sample.centre if hasattr(c.sample, "centre") else [x[0] for x in c.sample.coordinates]
        assert [float(v) for v in at[2:]] == pytest.approx([0, 0], abs=1e-15)
        seen.add(tuple(round(float(w), 9) for w in at[:2]))
    u = round(asinh(1), 9)
    assert seen == {(a, b) for a in (-u, 0.0, u) for b in (-u, 0.0, u)}


def test_equal_and_opposite_units_by_counting():
    """One unit on x = 1, 2, 4, y = (1, -3/2, 2) has the critical points +-(u, V) with residual and the origin. Two units over (u, V):
    each is at +u or -u (4 ways), and v_1, v_2 with the signs of the shares of V: (+ +), (+ -), (- +) of dimension 1, (+ 0), (0 +) of
    dimension 0; or one is at +-u with weight +-V and the other at w = 0 without output (2 orders, 2 signs); and the origin."""
    one = critical_set(net(1, [1, 2, 4], [1, "-3/2", 2]), budget=Budget(20))
    assert one.coverage.complete
    assert len(one.components) == 3
    found = critical_set(net(2, [1, 2, 4], [1, "-3/2", 2]), budget=Budget(20))
    families = [c for c in found.components if not c.isolated]
    assert Counter(c.dimension for c in families) == {1: 12, 0: 8}
    assert len(found.isolated) == 4 + 1
    value = next(c.value for c in one.components if c.value.lower < 7)
    assert all(abs(c.value.approx - value.approx) < 1e-12 for c in families)
    opposite = [c for c in families if "up to sign" in c.description]
    assert len(opposite) == 10


@pytest.mark.parametrize("k", range(4))
def test_the_hessian_in_floats_at_the_samples(k):
    """The inertia of families rests on a formula: here the Hessian is differentiated in floats, independent of explorer."""
    x, y = np.array([1.0, 2, 4]), np.array([1, -1.5, 2])
    found = critical_set(net(2, [1, 2, 4], [1, "-3/2", 2]), budget=Budget(20))
    for c in found.components[k::4]:
        at = c.sample.centre if hasattr(c.sample, "centre") else [v[0] for v in c.sample.coordinates]
        w, v = np.array([float(a) for a in at[:2]]), np.array([float(a) for a in at[2:]])
        t = np.tanh(np.outer(w, x))
        r = v @ t - y
        s = 1 - t * t
        j = np.concatenate([v[:, None] * s * x, t])
        h = j @ j.T
        for a in range(2):
            h[a, a] += v[a] * np.sum(r * -2 * t[a] * s[a] * x * x)
            h[a, 2 + a] += np.sum(r * s[a] * x)
            h[2 + a, a] = h[a, 2 + a]
        eigenvalues = np.linalg.eigvalsh(h)
        assert np.abs(j @ r).max() < 1e-12
        small = np.abs(eigenvalues) < 1e-9
        assert (int(sum(eigenvalues > 1e-9)), int(sum(small)), int(sum(eigenvalues < -1e-9))) == inertia(c)


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        ([-1, 2], ["-9/10", "-3/5"]),
        ([2, 4], [-2, 0]),
        ([-2, 3], ["7/5", "7/5"]),
        ([1, 3, -2], ["-9/10", "4/5", "3/10"]),
    ],
)
def test_random_descents_end_on_the_list(inputs, targets):
    p = net(2, inputs, targets)
    found = critical_set(p, budget=Budget(20))
    assert found.coverage.complete or "fit 3 samples" in found.coverage.reason
    assert audit_checks.audit(p, found, starts=60) == []


def test_units_at_zero_with_any_output_weight_are_flagged():
    # sum c x y = 0: psi'(0) = 0 for f = 0, so that w = 0 with v free is critical: not decomposed, and said so
    found = critical_set(net(2, [1, 2], [1, "-1/2"]), budget=Budget(20))
    assert not found.coverage.complete
    assert "w = 0" in found.coverage.reason
