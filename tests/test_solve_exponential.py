"""Critical sets of sigmoid, tanh and exp networks.

Expected numbers: by hand (comments, cases/*/derivation.md), or from the float gradients written out below with NumPy,
which share nothing with explorer. The independent checker has the last word on boxes.
"""

from __future__ import annotations

from fractions import Fraction as F
from math import log

import mpmath
import numpy as np
import pytest

from explorer.budget import Budget
from explorer.certify import certify
from explorer.point import EnclosedPoint, Ln2Ring, Point
from explorer.problem import Problem
from explorer.reading import read_problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def net(width, inputs, targets, activation="sigmoid", **more):
    return Problem.dense(widths=[1, width, 1], inputs=inputs, targets=targets, activation=activation, **more)


def neuron(inputs, targets, activation="sigmoid", **more):
    return Problem.dense(widths=[1, 1], inputs=inputs, targets=targets, output_activation=activation, **more)


PHI = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda s: s * (1 - s), lambda s: s * (1 - s) * (1 - 2 * s)),
    "tanh": (np.tanh, lambda s: 1 - s * s, lambda s: -2 * s * (1 - s * s)),
    "exp": (np.exp, lambda s: s, lambda s: s),
}


def float_gradient(p, theta):
    """Gradient and Hessian of sum_i (sum_j v_j phi(w_j x_i) - y_i)^2 at theta = (w, v), by the chain rule."""
    phi, d1, d2 = PHI[p.network.activations[0].kind]
    x = np.array([float(r[0]) for r in p.data.inputs])
    y = np.array([float(r[0]) for r in p.data.targets])
    m = p.network.widths[1]
    w, v = np.asarray(theta[:m]), np.asarray(theta[m:])
    s = phi(np.outer(x, w))
    r = s @ v - y
    jw, jv = d1(s) * x[:, None] * v, s
    jac = np.hstack([jw, jv])
    hess = 2 * jac.T @ jac
    for j in range(m):
        hess[j, j] += 2 * np.sum(r * v[j] * d2(s[:, j]) * x * x)
        mixed = 2 * np.sum(r * d1(s[:, j]) * x)
        hess[j, m + j] += mixed
        hess[m + j, j] += mixed
    return 2 * jac.T @ r, hess, float(r @ r)


def centre(point):
    if isinstance(point, EnclosedPoint):
        return np.array([float(c) for c in point.centre])
    assert isinstance(point, Point)
    return np.array([float(e[0]) + (float(e[1]) * log(2) if len(e) > 1 else 0) for e in point.coordinates])


def test_two_minima_of_one_neuron():
    # Auer, Herbster and Warmuth 1996; the polynomial and its three positive roots: cases/sigmoid-neuron-2/derivation.md
    found = critical_set(neuron([1, 3], ["1/10", "2/5"]))
    assert found.coverage.complete
    minima = sorted(float(c.sample.centre[0]) for c in found.minima)
    assert minima == pytest.approx([-1.695925877941825898, -0.332982488324871851], abs=1e-14)
    assert len(found.components) == 3
    assert sum(c.is_global is True for c in found.components) == 1


@pytest.mark.parametrize("width", [1, 2])
def test_the_checker_accepts_the_boxes(width):
    p = neuron([1, 3], ["1/10", "2/5"]) if width == 1 else net(2, [1, 3], ["-8/3", "43/9"])
    found = critical_set(p)
    checked = 0
    for c in found.isolated:
        assert isinstance(c.sample, EnclosedPoint)
        verdict = certify(p, "critical-inertia", at=c.sample).check()
        assert verdict.status == "verified", verdict
        checked += 1
    assert checked == (3 if width == 1 else 1)


def test_an_exact_point():
    # sigma(ln 2) = 2/3 is the only target: one zero of F, at w = ln 2
    found = critical_set(neuron([1], ["2/3"]))
    assert [c.sample for c in found.components] == [Point(Ln2Ring(), ((F(0), F(1)),))]
    assert found.components[0].value.as_fraction == 0
    assert found.components[0].is_global is True


def test_an_infimum_that_is_not_attained():
    # sigma(w) < 1 = y: F' = 2 (sigma - 1) sigma' < 0 everywhere, F -> 0 as w -> infinity
    found = critical_set(neuron([1], [1]))
    assert found.coverage.complete
    assert found.components == ()
    assert found.global_value is None
    assert "infimum is 0" in found.global_because
    assert "not coercive" in found.coverage.reason


def test_the_constant_of_merged_samples_is_named():
    # F = (t + 1)^2 + (-t - 2)^2 with t = tanh w: 2 t^2 + 6 t + 5 rises for t > -3/2, so the infimum is its value 1 at t = -1. As one
    # sample it is 2 (t + 3/2)^2 + 1/2, and the infimum of that without the constant is 1/2
    found = critical_set(neuron([1, -1], [-1, 2], "tanh"))
    assert found.coverage.complete
    assert not found.components
    assert found.global_because.startswith("of F - 1/2: the infimum is 1/2, approached as the weight goes to infinity")


def test_the_exponential_family_by_hand():
    # v e^(wx) at x = 1, 2, y = (1, -2): two units fit exactly; f = 0: e^w - 2 e^(2w) = 0 at w = -ln 2 only
    found = critical_set(net(2, [1, 2], [1, -2], "exp"))
    assert found.coverage.complete
    (point,) = found.isolated
    assert point.sample == Point(Ln2Ring(), ((F(0), F(-1)), (F(0), F(-1)), (F(0),), (F(0),)))
    assert point.kind is Kind.STRICT_SADDLE
    assert point.value.as_fraction == 5
    assert (point.inertia.positive, point.inertia.negative) == (2, 2)


def test_duplicated_units_of_the_case_by_hand():
    # cases/sigmoid-n2-w2: v1 + v2 = 2, minima for v1, v2 > 0, strict saddles for v1 v2 < 0 (Fukumizu and Amari 2000)
    found = critical_set(net(2, [1, 3], ["-8/3", "43/9"]))
    by_signs = {}
    for c in found.components:
        if c.value.as_fraction == 25:
            v = [e[0] for e in c.sample.coordinates[2:]]
            assert sum(v) == 2
            by_signs[tuple((x > 0) - (x < 0) for x in v)] = (c.dimension, c.kind)
    assert by_signs == {
        (1, 1): (1, Kind.MINIMUM),
        (1, -1): (1, Kind.STRICT_SADDLE),
        (-1, 1): (1, Kind.STRICT_SADDLE),
        (1, 0): (0, Kind.SADDLE),
        (0, 1): (0, Kind.SADDLE),
    }


def test_three_units_on_three_samples():
    found = critical_set(read_problem("cases/sigmoid-n3-w3/problem.json"))
    assert found.coverage.complete
    # two different units with a common residual: r must be orthogonal to sigma(u_g x) and x sigma'(u_g x), g = 1, 2
    (low,) = {c.value for c in found.components if 0 < c.value.lower < 1}
    sample = next(c.sample for c in found.components if c.value == low)
    w = sorted({float(v) for v in np.round(centre(sample)[:3], 12)})
    assert len(w) == 2
    x = [1, 2, 3]
    with mpmath.workdps(30):
        rows = [
            [mpmath.sigmoid(u * t) if hasattr(mpmath, "sigmoid") else 1 / (1 + mpmath.exp(-u * t)) for t in x]
            for u in w
        ]
        rows += [[t * s * (1 - s) for t, s in zip(x, row, strict=True)] for row in rows[:2]]
        singular = mpmath.svd_r(mpmath.matrix(rows), compute_uv=False)
        assert singular[2] < 1e-11 * singular[0]
        assert singular[1] > 1e-3 * singular[0]
    assert Kind.UNDECIDED not in {c.kind for c in found.components}


FAMILIES = [
    net(2, [1, 3], ["-8/3", "43/9"]),
    net(2, [1, 3], ["-10/3", "35/9"]),
    net(2, [1, 2], ["-3", "4"]),
    net(2, [-1, 2], ["1", "-2"]),
    net(3, [1, 2, 3], ["3", "-1", "2"]),
    net(3, [1, 2], ["-3", "4"]),
    net(1, [1, 2, 3, 5], ["1", "-3/2", "2", "1"]),
    net(1, [1, 2, 3], ["1", "-3/2", "2"], "exp"),
    net(1, [1, 2, 4], ["1", "-3/2", "2"], "tanh"),
]


@pytest.mark.parametrize(
    "p", FAMILIES, ids=lambda p: f"{p.network.activations[0].kind}-{p.network.widths[1]}-{len(p.data)}"
)
def test_samples_have_zero_gradient_and_the_stated_inertia(p):
    """Floats: the gradient vanishes at every sample, and the eigenvalues have the signs of the formula for families."""
    found = critical_set(p)
    assert found.coverage.complete, found.coverage.reason
    for c in found.components:
        grad, hess, value = float_gradient(p, centre(c.sample))
        scale = max(1.0, np.abs(hess).max())
        assert np.abs(grad).max() < 1e-9 * scale
        assert value == pytest.approx(c.value.approx, abs=1e-9 * scale)
        eigenvalues = np.linalg.eigvalsh(hess)
        assert sum(eigenvalues > 1e-9 * scale) == c.inertia.positive
        assert sum(eigenvalues < -1e-9 * scale) == c.inertia.negative


def test_random_searches_end_on_listed_components():
    """Newton's method from random starts, in floats: every limit with moderate weights lies on a listed component."""
    rng = np.random.default_rng(20)
    limits = 0
    for trial in range(8):
        width = 1 + trial % 2
        inputs = rng.choice(np.arange(-4, 6), size=2 + (trial % 4 == 0), replace=False).tolist()
        if 0 in inputs or (width == 2 and len(inputs) != 2):
            inputs = [1, 4]
        targets = [F(int(k), 4) for k in rng.integers(-12, 13, size=len(inputs))]
        if not any(targets):
            continue
        p = net(width, inputs, targets)
        found = critical_set(p, budget=Budget(60))
        assert found.coverage.complete, found.coverage.reason
        for _ in range(45):
            theta = rng.normal(size=2 * width) * ([1.5] * width + [4.0] * width)
            for _ in range(80):
                grad, hess, value = float_gradient(p, theta)
                step = np.linalg.lstsq(hess, grad, rcond=1e-10)[0]
                theta = theta - step * min(1.0, 1 / (np.abs(step).max() + 1e-300))
                if np.abs(theta).max() > 40 or not np.isfinite(theta).all():
                    break
            else:
                grad, hess, value = float_gradient(p, theta)
                saturated = np.abs(theta[:width]).max() * max(map(abs, inputs)) > 15
                if saturated or np.abs(step).max() > 1e-7 or np.abs(theta).max() > 50:
                    continue  # not converged: on its way to infinity
                limits += 1
                assert listed(found, theta, value, width), (inputs, targets, theta, value)
    assert limits > 60


def listed(found, theta, value, width):
    for c in found.components:
        if abs(c.value.approx - value) > 1e-7:
            continue
        at = centre(c.sample)
        if c.dimension == 0 and np.abs(at - theta).max() < 1e-4:
            return True
        if c.dimension > 0 and (value < 1e-9 or np.abs(at[:width] - theta[:width]).max() < 1e-4):
            return True  # zero loss, or the family v1 + v2 = V over these weights
    return False


def test_one_unit_with_bias_on_three_samples():
    # cases/sigmoid-n3-w1-bias: only (ln 2, 0, 3); with targets of both signs the curve of units with output weight 0
    found = critical_set(net(1, [-1, 0, 1], ["1", "3/2", "2"], bias=[True, False]))
    (only,) = found.components
    assert only.value.as_fraction == 0
    assert centre(only.sample) == pytest.approx([log(2), 0, 3], abs=1e-12)
    curve = critical_set(net(1, [0, 1, 3], [1, -2, 1], bias=[True, False])).components
    assert [(c.dimension, c.kind, c.value.as_fraction) for c in curve] == [(1, Kind.STRICT_SADDLE, 6)]
    w, b, v = centre(curve[0].sample)
    assert v == 0
    s = [1 / (1 + np.exp(-(w * x + b))) for x in (0, 1, 3)]
    assert abs(s[0] - 2 * s[1] + s[2]) < 1e-12


@pytest.mark.parametrize(
    ("p", "why"),
    [
        (net(1, [1, 2], [1, 2], "softplus"), "softplus"),
        (net(1, [1, 2], [1, 2], "swish"), "swish"),
        (net(2, [1, 2], [1, 2], bias=[True, False]), "2 incoming parameters"),
        (
            Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], activation="sigmoid", output_activation="sigmoid"),
            "nested",
        ),
        (net(2, [1, 2, 3, 5], [1, 2, 4, 1]), "three samples"),
    ],
    ids=["softplus", "swish", "two units with bias", "nested", "four samples"],
)
def test_what_is_not_covered_says_so(p, why):
    found = critical_set(p, budget=Budget(30))
    assert not found.coverage.complete
    assert why in found.coverage.reason
