"""Training, kernels and slices against closed forms (by hand, or from the papers that the modules name)."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from numeric_tools import DEVICES, torch

from explorer.errors import Invalid
from explorer.numeric import kernels
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.dynamics import (
    adam,
    conserved,
    gradient_descent,
    gradient_flow,
    noisy_descent,
    stochastic_descent,
)
from explorer.numeric.slices import blocks, connect, plane, random_slice, segment
from explorer.numeric.spec import Spec
from explorer.numeric.success import exact_probability, one_sample_relu, success_probability, wilson
from explorer.numeric.twin import Twin
from explorer.numeric.widths import larger
from explorer.paths.sections import filter_normalised
from explorer.problem import Problem

CPU = torch.device("cpu")


def parabola() -> Twin:
    """F = x^2 + 3 y^2."""
    return compiled(Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 3}), device="cpu")


@pytest.mark.parametrize("device", DEVICES)
def test_gradient_descent_and_flow_of_a_parabola(device):
    """x_k = (1 - 2 eta)^k x_0, y_k = (1 - 6 eta)^k y_0; x(t) = e^(-2t) x_0, y(t) = e^(-6t) y_0."""
    twin = compiled(Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 3}), device=device)
    start = torch.tensor([[1.0, 2.0], [-3.0, 0.5]], dtype=torch.float64, device=twin.device)
    run = gradient_descent(twin, start, steps=20, rate=0.05)
    assert torch.allclose(
        run.theta, start * torch.tensor([0.9**20, 0.7**20], dtype=torch.float64).to(start), rtol=1e-12
    )
    flow = gradient_flow(twin, start, time=1.5)
    assert torch.allclose(
        flow.theta, start * torch.tensor([math.exp(-3), math.exp(-9)]).to(start), rtol=1e-5, atol=1e-8
    )
    assert flow.losses[0].tolist() == [13.0, 9.75]


def test_the_first_step_of_adam_has_the_length_of_its_rate():
    """m^/sqrt(v^) = sign(g) after one step (by hand, epsilon aside)."""
    run = adam(parabola(), torch.tensor([[1.0, -2.0]], dtype=torch.float64), steps=1, rate=0.01)
    assert run.theta[0].tolist() == pytest.approx([0.99, -1.99], abs=1e-9)


def test_adam_is_the_adam_of_torch():
    twin = compiled(Problem.dense(widths=[1, 3, 1], inputs=[1, 2], targets=[1, -1], activation="tanh"), device="cpu")
    start = normal((1, twin.size), generator(3), CPU)
    theta = start[0].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([theta], lr=0.02)
    for _ in range(25):
        optimizer.zero_grad()
        twin.value(theta).backward()
        optimizer.step()
    assert torch.allclose(adam(twin, start, steps=25, rate=0.02).theta[0], theta.detach(), rtol=1e-9)


def test_full_batches_of_sgd_are_gradient_descent_and_seeds_count():
    p = Problem.dense(widths=[1, 2, 1], inputs=[1, 2, 3], targets=[1, 0, 2], activation="tanh")
    twin, start = compiled(p, device="cpu"), normal((4, 4), generator(0), CPU)
    full = stochastic_descent(twin, start, steps=10, rate=0.02, batch=3, seed=1)
    assert torch.allclose(full.theta, gradient_descent(twin, start, steps=10, rate=0.02).theta, rtol=1e-12)
    one = [stochastic_descent(twin, start, steps=10, rate=0.02, batch=1, seed=s).theta for s in (1, 1, 2)]
    assert torch.equal(one[0], one[1])
    assert not torch.equal(one[0], one[2])
    with pytest.raises(Invalid):
        stochastic_descent(twin, start, steps=1, rate=0.1, batch=4, seed=0)


def test_noisy_descent_reaches_the_variance_of_the_parabola():
    """Langevin on F = x^2 + 3 y^2 at temperature s^2: variance s^2 / 2 and s^2 / 6, up to O(rate) (Gibbs measure)."""
    run = noisy_descent(parabola(), torch.zeros(4000, 2, dtype=torch.float64), steps=400, rate=0.01, noise=0.5, seed=2)
    assert run.theta.var(0).tolist() == pytest.approx([0.25 / 2, 0.25 / 6], rel=0.1)


@pytest.mark.parametrize("activation", ["linear", "square", "relu"])
def test_conserved_quantities_of_gradient_flow(activation):
    p = Problem.dense(widths=[2, 3, 1], inputs=[[1, 2], [2, -1]], targets=[1, 2], activation=activation)
    twin = compiled(p, device="cpu")
    start = normal((5, twin.size), generator(1), CPU, scale=0.7)
    flow = gradient_flow(twin, start, time=0.5)
    assert float((flow.losses[0] - flow.losses[1]).max()) > 0.1  # something moved
    drift = (conserved(twin, flow.theta) - conserved(twin, start)).abs().max()
    assert float(drift) < (1e-2 if activation == "relu" else 1e-5)  # a step across a kink loses its order
    bad = compiled(Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], activation="tanh"), device="cpu")
    with pytest.raises(Invalid):
        conserved(bad, start[:, :2])


def test_success_probability_of_the_one_sample_network():
    """Exactly 1 - (5/8)^m under gradient flow (proof in the module); intervals at 99.9 %, step size small."""
    assert exact_probability(2) == Fraction(39, 64)
    for m in (1, 2, 5):
        found = success_probability(one_sample_relu(m), runs=1000, steps=600, rate=0.02, confidence=0.999, device="cpu")
        assert found.contains(exact_probability(m))
    assert not wilson(270, 1000, confidence=0.999).contains(exact_probability(1))
    w = wilson(5, 10, confidence=0.95)  # Wilson's interval of 5/10: 0.2366 .. 0.7634 (published tables)
    assert (w.low, w.high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))


# -- kernels -------------------------------------------------------------------------------------------------------


def circle(n: int):
    angles = torch.arange(n, dtype=torch.float64) * 0.7 + 0.1
    return torch.stack([torch.cos(angles), torch.sin(angles)], dim=1)


def test_the_gram_matrix_converges_to_its_limit():
    """Orthogonal inputs: H = I / 2 (by hand). Width 65,536: within 4 standard deviations of 1/2 per entry."""
    x = torch.eye(2, dtype=torch.float64)
    assert kernels.gram_limit(x).tolist() == [[0.5, 0.0], [0.0, 0.5]]
    w = normal((65_536, 2), generator(0), CPU)
    for points in (x, circle(5)):
        gap = (kernels.gram(w, points) - kernels.gram_limit(points)).abs().max()
        assert float(gap) < 4 * 0.5 / 256
    with pytest.raises(Invalid):
        kernels.gram_limit(2 * x)


def test_the_tangent_kernel_of_the_first_layer_is_the_gram_matrix():
    """With output weights +-1/sqrt m the first layer's kernel is H(W): the model of Du et al. as a plain network."""
    m, x = 16, circle(3)
    w = normal((m, 2), generator(1), CPU)
    a = torch.ones(m, dtype=torch.float64) / math.sqrt(m)
    p = Problem.dense(widths=[2, m, 1], inputs=[[1, 0]] * 3, targets=[0, 0, 0], activation="relu")
    spec = compiled(p, device="cpu").spec
    assert isinstance(spec, Spec)
    from dataclasses import replace

    twin = Twin(replace(spec, inputs=x))
    theta = torch.cat([w.flatten(), a])
    first, second = kernels.layer_kernels(twin, theta)
    assert torch.allclose(first, kernels.gram(w, x), atol=1e-14)
    assert torch.allclose(first + second, kernels.tangent_kernel(twin, theta), atol=1e-12)


def test_training_obeys_the_rate_of_du_et_al_and_stays_near():
    x = circle(4)
    y = torch.tensor([1.0, -1.0, 0.5, 0.0], dtype=torch.float64)
    narrow, wide = (kernels.train(x, y, width=m, rate=0.2, steps=100, seed=0) for m in (256, 16_384))
    assert all(b is not False for b in wide.below)
    assert wide.residual[-1] < wide.residual[0]
    assert wide.moved[-1] < narrow.moved[-1]
    assert wide.flips[-1] < narrow.flips[-1]
    assert wide.drift[-1] < narrow.drift[-1]
    assert wide.explicit_width > 1e6  # the theorem's own width is far beyond both
    # by hand: n = 2, lambda_0 = 1/2, C = 1, delta = 0.1: (8192/pi)(3/2) 64 / (1/16 * 0.001) = 4.005e9
    assert kernels.explicit_width(2, 0.5, 0.1) == pytest.approx(4.005e9, rel=1e-3)


# -- slices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_segments_planes_and_curves_on_a_double_well(device):
    """F = (x^2 + y^2 - 1)^2: minima on the unit circle. The straight line from (1, 0) to (-1, 0) climbs to 1, a curve
    can go round."""
    p = Problem.monomial(["x", "y"], {(4, 0): 1, (0, 4): 1, (2, 2): 2, (2, 0): -2, (0, 2): -2, (0, 0): 1})
    twin = compiled(p, device=device)
    a, b, c = (torch.tensor(v, dtype=torch.float64, device=device) for v in ([1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]))
    line = segment(twin, a, b)
    assert line.settings["barrier"] == pytest.approx(1.0)
    assert line.settings["never_rises"] is False
    assert segment(twin, torch.zeros_like(a), a).settings["never_rises"] is True
    for kind, highest in (("bezier", 0.2), ("polygonal", 0.4)):
        curve = connect(twin, a, b, kind=kind, steps=300)
        assert curve.straight_barrier == pytest.approx(1.0)
        assert curve.barrier < highest
        assert torch.equal(curve.control[0], a)
    area = plane(twin, a, b, c, count=9)
    assert area.values.shape == (9, 9)
    assert area.marks[1].at == (2.0, 0.0)
    with pytest.raises(Invalid):
        plane(twin, a, b, 3 * a)


def test_filter_normalisation_and_metadata():
    p = Problem.dense(widths=[2, 3, 1], bias=True, inputs=[[1, 2]], targets=[1], activation="tanh")
    twin = compiled(p, device="cpu")
    theta, direction = normal((2, twin.size), generator(4), CPU)
    d = torch.from_numpy(filter_normalised(theta.numpy(), direction.numpy(), blocks(twin)))
    for rows in (slice(0, 2), slice(2, 4), slice(4, 6), slice(9, 12)):  # three filters, and the output unit
        assert float(d[rows].norm()) == pytest.approx(float(theta[rows].norm()))
    s = random_slice(twin, theta, seed=7, extent=0.5, count=5)
    assert float(s.values[2, 2]) == pytest.approx(float(twin.values(theta[None])[0]))
    body = s.to_json()
    assert body["settings"]["seed"] == 7
    json.dumps(body, allow_nan=False)
    assert (random_slice(twin, theta, seed=7, extent=0.5, count=5).values == s.values).all()


# -- larger --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "width"),
    [("sigmoid", 300), ("deep-linear", 12), ("dead-relu", 64), ("requ", 8), ("student-teacher", 16)],
)
@pytest.mark.parametrize("device", DEVICES)
def test_recipes_have_the_values_of_their_formulas(recipe, width, device):
    said = larger(recipe, width=width, samples=4, seed=1, device=device)
    assert said["discrepancies"] == []
    for point in said["points"]:
        assert point["expected_value"] == pytest.approx(point["value"], abs=1e-8, rel=1e-8)
        assert point["gradient"] < 1e-6
    json.dumps(said, allow_nan=False)


def test_strata_of_a_deep_linear_network_by_rank():
    """Loss falls with the rank; the full rank attains the least squares value, from which no descent finds lower."""
    points = larger("deep-linear", width=8, samples=6, depth=2, seed=0, device="cpu")["points"]
    values = [p["value"] for p in points]
    assert values == sorted(values, reverse=True)
    assert points[0]["below_after_descent"] > 0
    assert points[-1]["below_at_once"] == points[-1]["below_after_descent"] == 0


def test_a_wrong_formula_would_be_noticed(monkeypatch):
    from dataclasses import replace

    from explorer.numeric import widths

    honest = widths.RECIPES["dead-relu"]

    def wrong(*arguments):
        made = honest(*arguments)
        return replace(made, points=(replace(made.points[0], value=made.points[0].value + 1e-3),))

    monkeypatch.setitem(widths.RECIPES, "dead-relu", wrong)
    assert larger("dead-relu", width=8, device="cpu")["discrepancies"]


def test_flow_that_is_cut_short_says_so():
    run = gradient_flow(parabola(), torch.tensor([[1.0, -2.0]], dtype=torch.float64), time=50.0, most=3)
    assert run.unfinished == 1
    assert gradient_flow(parabola(), torch.tensor([[1.0, -2.0]], dtype=torch.float64), time=1.0).unfinished == 0
