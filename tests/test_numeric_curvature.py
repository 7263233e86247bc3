"""Spectra by products alone against dense linear algebra, and against exact inertia."""

from __future__ import annotations

import pytest
from numeric_tools import DEVICES, torch

from explorer.app.cases import cases
from explorer.errors import Invalid
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.curvature import density, hutch_pp, hutchinson, lanczos
from explorer.numeric.exact_points import floats
from explorer.numeric.points import eigenvalue_error
from explorer.problem import Problem
from explorer.solve.critical import critical_set

CPU = torch.device("cpu")


def network(width: int) -> Problem:
    inputs = [[i, (3 * i) % 7] for i in range(-5, 6)]
    return Problem.dense(widths=[2, width, 1], bias=True, inputs=inputs, targets=[[i * i % 5] for i in range(11)], activation="tanh")  # fmt: skip


@pytest.fixture(scope="module", params=DEVICES)
def thousand(request):
    """A network with 1,000 parameters, a random point, and its dense Hessian (the oracle: LAPACK)."""
    twin = compiled(network(250), device=request.param)
    assert twin.size == 1000
    theta = normal((twin.size,), generator(1), twin.device, scale=0.5)
    return twin, theta, torch.linalg.eigvalsh(twin.hessians(theta[None])[0])


def test_extreme_eigenvalues_of_a_thousand_parameters_within_1e_8(thousand):
    twin, theta, dense = thousand
    ritz = lanczos(twin.hvp(theta), normal((twin.size,), generator(2), twin.device), steps=250, tolerance=1e-9)
    scale = float(dense.abs().max())
    for k, exact in ((0, dense[0]), (-1, dense[-1])):
        assert abs(float(ritz.values[k] - exact)) <= 1e-8 * scale
        assert abs(float(ritz.values[k] - exact)) <= float(ritz.bounds[k]) + 1e-12 * scale  # the stated bound holds
    residual = twin.hvp(theta)(ritz.vectors[-1]) - ritz.values[-1] * ritz.vectors[-1]
    assert float(residual.norm()) <= float(ritz.bounds[-1]) + 1e-10 * scale


def test_several_ends_and_repeated_eigenvalues():
    """diag(-3, 1, 1, ..., 1, 5, 5) has the ends -3, 1 and 5, 5 (by construction); a Krylov space sees each value once."""
    d = torch.ones(40, dtype=torch.float64)
    d[0], d[-2:] = -3, 5
    ritz = lanczos(lambda v: d * v, normal((40,), generator(0), CPU), ends=1)
    assert ritz.values[0] == pytest.approx(-3)
    assert ritz.values[-1] == pytest.approx(5)
    start = torch.zeros(40, dtype=torch.float64)
    start[5] = 1.0  # an eigenvector: the first Krylov space is one-dimensional, the run must go on beside it
    ritz = lanczos(lambda v: d * v, start, ends=1)
    assert ritz.values[0] == pytest.approx(-3)
    assert ritz.values[-1] == pytest.approx(5)
    with pytest.raises(Invalid):
        lanczos(lambda v: v, start, ends=0)


@pytest.mark.parametrize("slug", ["xyz-decay", "linear-2-2-ridge", "fig2"])
def test_lanczos_agrees_with_exact_inertia(slug):
    """The sign of the ends of the spectrum against the inertia over a number field or a box."""
    problem = cases(slug).problem
    twin = compiled(problem, device="cpu")
    for c in critical_set(problem).components:
        assert c.inertia is not None
        theta = torch.tensor(floats(c.sample), dtype=torch.float64)
        ritz = lanczos(twin.hvp(theta), normal((twin.size,), generator(3), CPU), steps=twin.size)
        error = eigenvalue_error(twin.hessians(theta[None])[0]) + 1e-10
        if c.inertia.negative == 0:
            assert float(ritz.values[0]) >= -error
        if c.inertia.negative and not c.inertia.zero:
            assert float(ritz.values[0]) < 0
        if c.inertia.positive == 0:
            assert float(ritz.values[-1]) <= error


def test_trace_estimates_and_density_against_the_dense_spectrum(thousand):
    twin, theta, dense = thousand
    trace, size = float(dense.sum()), twin.size
    plain = hutchinson(twin.hvp(theta), size, generator(4), twin.device, samples=200)
    assert abs(plain.mean - trace) < 5 * plain.standard_error
    better = hutch_pp(twin.hvp(theta), size, generator(5), twin.device, products=90)
    assert abs(better.mean - trace) < 0.01 * abs(trace) + 5 * better.standard_error
    nodes, weights = density(twin.hvp(theta), size, generator(6), twin.device, vectors=6, steps=40)
    assert float(weights.sum()) == pytest.approx(1)
    # quadrature is exact for g(x) = x: the mean of z . H z over the probes, which are those of `hutchinson`
    probes = hutchinson(twin.hvp(theta), size, generator(6), twin.device, samples=6)
    assert float((weights * nodes).sum()) * size == pytest.approx(probes.mean, rel=1e-9)
    # and for g(x) = x^2: |H z|^2, whose mean is the sum of squares of the dense spectrum
    assert float((weights * nodes**2).sum()) * size == pytest.approx(float((dense**2).sum()), rel=0.5)
    # the outliers: the node near the top carries about one eigenvalue's share of the weight
    assert float(nodes.max()) == pytest.approx(float(dense[-1]), rel=1e-6)


def test_hutch_pp_is_exact_for_low_rank():
    """H = u u^T + 3 v v^T has trace |u|^2 + 3 |v|^2; a sketch of rank 10 holds its range."""
    u, v = normal((2, 50), generator(7), CPU)
    found = hutch_pp(lambda z: (z @ u)[:, None] * u + 3 * (z @ v)[:, None] * v, 50, generator(8), CPU, products=30)
    assert found.mean == pytest.approx(float(u @ u + 3 * v @ v), rel=1e-10)
