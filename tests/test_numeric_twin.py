"""The float64 twin against SymPy and the exact layer, over the tables of activations, losses and regularizers."""

from __future__ import annotations

import random
from fractions import Fraction as Q

import pytest
import sympy as sp
from numeric_tools import DEVICES, rational_point, torch

from explorer.app.cases import cases
from explorer.errors import Invalid
from explorer.model import activations
from explorer.model.landscape import landscape
from explorer.problem import ACTIVATION_KEYS, Activation, Problem

from explorer.numeric.backend import TorchBackend, compiled, generator, normal  # isort: skip
from explorer.numeric.functions import absolute_power, activation, outer, second_order  # isort: skip
from explorer.numeric.spec import Spec, spec_of  # isort: skip
from explorer.numeric.twin import Twin  # isort: skip

Z = sp.Symbol("z", real=True)
ONE_OF_EACH = [
    *[Activation(k) for k, keys in ACTIVATION_KEYS.items() if not keys],
    Activation("polynomial", coefficients=(Q(-1, 8), Q(1, 4), Q(-1, 8))),
    Activation("leaky_relu", slope=Q(1, 3)),
    Activation("elu", alpha=Q(3, 2)),
    Activation("elu", alpha=Q(1)),
    Activation("piecewise-polynomial", breaks=(Q(1), Q(2)), pieces=((Q(0), Q(0), Q(1)), (Q(-1), Q(2)), (Q(3),))),
]
by_activation = pytest.mark.parametrize("a", ONE_OF_EACH, ids=lambda a: a.kind)


def test_every_kind_of_the_table_is_here():
    assert {a.kind for a in ONE_OF_EACH} == set(ACTIVATION_KEYS)


@by_activation
@pytest.mark.parametrize("device", DEVICES)
def test_activation_and_two_derivatives_agree_with_sympy_to_thirty_digits(a, device):
    """Expected values: the SymPy rows of the exact layer, evaluated with 30 digits away from the breaks."""
    points = (Q(-45, 2), Q(-7, 4), Q(-1, 2), Q(1, 4), Q(5, 4), Q(5, 2), Q(21))
    z = torch.tensor([float(q) for q in points], dtype=torch.float64, device=device)
    row = activations.row(a)
    expressions = (row.expression(a, Z), *row.derivatives(a, Z))
    for order, (found, expression) in enumerate(zip(second_order(activation(a), z), expressions, strict=True)):
        for q, value in zip(points, found.tolist(), strict=True):
            expected = float(expression.subs(Z, sp.Rational(q.numerator, q.denominator)).evalf(30))
            # values keep their digits even where they are as small as e^-253; derivatives such as s (1 - s) cancel
            assert value == pytest.approx(expected, rel=3e-14, abs=1e-14 if order else 1e-300)


@by_activation
def test_reverse_mode_agrees_with_forward_mode(a):
    z = torch.tensor([-2.25, -0.5, 0.25, 1.75], dtype=torch.float64)
    phi = activation(a)
    slope = torch.func.vmap(torch.func.grad(phi))(z)
    curvature = torch.func.vmap(torch.func.grad(torch.func.grad(phi)))(z)
    _, once, second = second_order(phi, z)
    _, forward = torch.func.jvp(phi, (z,), (torch.ones_like(z),))
    torch.testing.assert_close(once, forward, rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(slope, forward, rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(curvature, second, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("a", "at", "left", "right"),
    [  # one-sided derivatives by hand
        (Activation("relu"), 0.0, 0.0, 1.0),
        (Activation("leaky_relu", slope=Q(1, 4)), 0.0, 0.25, 1.0),
        (Activation("elu", alpha=Q(3, 2)), 0.0, 1.5, 1.0),
        (Activation("requ"), 0.0, 0.0, 0.0),
        (Activation("piecewise-polynomial", breaks=(Q(2),), pieces=((Q(-1), Q(2)), (Q(3),))), 2.0, 2.0, 0.0),
    ],
    ids=lambda x: getattr(x, "kind", ""),
)
def test_the_convention_at_kinks(a, at, left, right):
    z = torch.tensor(at, dtype=torch.float64)
    for kink in (0.0, 0.5, 1.0):
        slope = torch.func.grad(activation(a, kink=kink))(z)
        assert float(slope) == (1 - kink) * left + kink * right
    values = {float(activation(a, kink=kink)(z)) for kink in (0.0, 0.5, 1.0)}
    assert len(values) == 1
    assert float(torch.func.grad(lambda t: absolute_power(t, 1))(torch.zeros((), dtype=torch.float64))) == 0.0


def test_the_logistic_loss_does_not_overflow_and_keeps_its_small_values():
    f = torch.tensor([800.0, -800.0, 40.0], dtype=torch.float64)
    said = outer("logistic", f, torch.ones_like(f)).tolist()
    assert said[0] == 0.0
    assert said[1] == 800.0  # ln(1 + e^800) = 800 + e^-800
    assert said[2] == pytest.approx(4.248354255291589e-18, rel=1e-12)  # e^-40 - e^-80/2, by hand


NETWORKS = {
    "one hidden layer, biases": {"widths": [2, 2, 1], "bias": [True, True], "activation": "tanh"},
    "several outputs, output activation": {"widths": [1, 2, 2], "bias": True, "activation": "sin", "output_activation": "sigmoid"},
    "two hidden layers": {"widths": [1, 2, 1, 1], "activation": ["swish", "square"], "bias": [False, True, True]},
    "no hidden layer": {"widths": [2, 1], "bias": [True], "output_activation": "tanh"},
    "relu": {"widths": [2, 3, 1], "activation": "relu"},
    "logistic": {"widths": [2, 2, 1], "activation": "exp", "loss": "logistic"},
    "weighted": {"widths": [2, 2, 1], "activation": "gelu", "loss_weights": ["1/3", 2, 5]},
    "l2": {"widths": [2, 2, 1], "activation": "erf", "regularizer": {"kind": "l2", "weights": "1/7"}},
    "power 3": {"widths": [2, 2, 1], "activation": "softplus", "regularizer": {"kind": "power", "weights": "1/7", "exponent": 3}},
    "power 1": {"widths": [2, 2, 2, 1], "activation": "cubic", "regularizer": {"kind": "power", "weights": "1/7", "exponent": 1}},
    "neuron-cubic": {"widths": [2, 2, 1], "activation": "requ", "bias": True, "regularizer": {"kind": "neuron-cubic", "weights": ["1/7", 2]}},
}  # fmt: skip


def problem(name: str) -> Problem:
    options = NETWORKS[name]
    outputs = options["widths"][-1]
    targets = {1: [1, -1, 1], 2: [[1, 0], [0, 1], [2, "1/2"]]}[outputs]
    inputs = [[1, "1/2"], [0, 1], [-1, "3/4"]] if options["widths"][0] == 2 else [[1], [0], ["-3/4"]]
    return Problem.dense(inputs=inputs, targets=targets, **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_value_gradient_and_hessian_agree_with_sympy(name):
    """Expected values: the SymPy loss of the exact layer and SymPy's own derivatives, with 30 digits at exact points."""
    p = problem(name)
    land, point = landscape(p), rational_point(len(p.parameters), seed=3)
    where = {s: sp.Rational(q.numerator, q.denominator) for s, q in zip(land.parameters, point, strict=True)}
    theta = torch.tensor([[float(q) for q in point]], dtype=torch.float64)
    f, g, h = (x[0] for x in compiled(p, device="cpu").quadratics(theta))
    evaluate = lambda e: float(sp.sympify(e).subs(where).evalf(30))  # noqa: E731
    assert float(f) == pytest.approx(evaluate(land.loss), rel=1e-13)
    scale = 1 + float(h.abs().max())
    for k, expression in enumerate(land.gradient):
        assert abs(float(g[k]) - evaluate(expression)) < 1e-13 * scale
    pairs = [(i, j) for i in range(len(point)) for j in range(i, len(point))]
    for i, j in random.Random(0).sample(pairs, min(14, len(pairs))):  # all entries are compared with torch.func below
        assert abs(float(h[i, j]) - evaluate(land.hessian[i, j])) < 1e-12 * scale


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", NETWORKS)
def test_closed_form_batched_and_transformed_agree(name, device):
    twin = compiled(problem(name), device=device)
    batch = normal((7, twin.size), generator(5), twin.device)
    f, g, h = twin.quadratics(batch)
    f2, g2 = twin.gradients(batch)
    torch.testing.assert_close(f, f2, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(g, g2, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(h, twin.generic_hessians(batch), rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(torch.func.vmap(twin.value)(batch), f, rtol=1e-13, atol=1e-14)
    v = normal((twin.size,), generator(6), twin.device)
    torch.testing.assert_close(twin.hvp(batch[0])(v), h[0] @ v, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(twin.generic_hvp(batch[0])(v), h[0] @ v, rtol=1e-11, atol=1e-11)
    assert f.dtype == torch.float64


def test_a_monomial_loss_with_zeros():
    """x^2 y + 3 y^2 + 5 at (0, 2): value 17, gradient (0, 12), Hessian ((4, 0), (0, 6)); by hand."""
    p = Problem.monomial(["x", "y"], {(2, 1): 1, (0, 2): 3, (0, 0): 5})
    f, g, h = compiled(p, device="cpu").quadratics(torch.tensor([[0.0, 2.0]], dtype=torch.float64))
    assert f.tolist() == [17.0]
    assert g.tolist() == [[0.0, 12.0]]
    assert h.tolist() == [[[4.0, 0.0], [0.0, 6.0]]]


def test_the_cubic_norm_has_derivatives_at_zero():
    """|v|^3 is C^2 with first and second derivative 0 at v = 0 (by hand); no nan from its square root."""
    p = Problem.dense(
        widths=[2, 1, 1], inputs=[[1, 1]], targets=[0], regularizer={"kind": "neuron-cubic", "weights": 3}
    )
    f, g, h = compiled(p, device="cpu").quadratics(torch.zeros(1, 3, dtype=torch.float64))
    assert f.tolist() == [0.0]
    assert g.tolist() == [[0.0] * 3]
    assert h.tolist() == [[[0.0] * 3] * 3]


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.slug)
def test_the_twin_agrees_with_the_exact_layer_on_every_case(case):
    """Exact values at rational points, and log 2-free ones only: SymPy's substitution is the oracle."""
    p = case.problem
    if len(p.parameters) > 12:
        pytest.skip("the expression is too large for a substitution")
    land, point = landscape(p), rational_point(len(p.parameters), seed=1)
    where = {s: sp.Rational(q.numerator, q.denominator) for s, q in zip(land.parameters, point, strict=True)}
    theta = torch.tensor([[float(q) for q in point]], dtype=torch.float64)
    assert float(compiled(p, device="cpu").values(theta)[0]) == pytest.approx(float(land.loss.subs(where).evalf(30)), rel=1e-12)  # fmt: skip


def test_same_seed_same_bits_and_no_global_generator():
    before = torch.random.get_rng_state().clone()
    first = TorchBackend("cpu").normal((5, 3), seed=11)
    again = TorchBackend("cpu").normal((5, 3), seed=11)
    assert torch.equal(first, again)
    assert not torch.equal(first, TorchBackend("cpu").normal((5, 3), seed=12))
    assert torch.equal(before, torch.random.get_rng_state())
    twin = compiled(problem("two hidden layers"), device="cpu")
    batch = normal((50, twin.size), generator(0), twin.device)
    assert all(torch.equal(a, b) for a, b in zip(twin.quadratics(batch), twin.quadratics(batch), strict=True))


def test_no_global_switch_of_torch_is_touched():
    before = (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, torch.get_default_dtype())
    compiled(problem("relu"), device="cpu").gradients(torch.ones(2, 9, dtype=torch.float64))
    assert before == (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, torch.get_default_dtype())  # fmt: skip


def test_devices_and_seeds_are_checked():
    for device in ("tpu9", "cuda:nine", 3):
        with pytest.raises(Invalid):
            TorchBackend(device)
    for seed in (-1, True, "0", 2**63):
        with pytest.raises(Invalid):
            generator(seed)


def test_chunks_do_not_change_the_result(monkeypatch):
    p = problem("one hidden layer, biases")
    spec = spec_of(p, torch.device("cpu"))
    assert isinstance(spec, Spec)
    batch = normal((40, spec.size), generator(2), spec.device)
    whole = Twin(spec).hessians(batch)
    monkeypatch.setattr("explorer.numeric.twin.CHUNK", 1)
    torch.testing.assert_close(Twin(spec).hessians(batch), whole, rtol=1e-14, atol=1e-14)
