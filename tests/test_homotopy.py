"""Monodromy and parameter homotopies: counts that are known otherwise, certification, and that the audits can fail.

Where the numbers come from: 1-1-...-1 with k weights has 1 + (k - 1) 2^k complex critical points (by hand: all products
lambda_i w_i^2 are one number s, and P (P - 1) = -s with P^2 = s^k / prod lambda has k - 1 nonzero solutions for s up to
signs: 2^k (k - 1) points); 73 for two cubic units is counted by hand below; the others are the counts of msolve and of
Singular's vector space dimensions for the full systems (docs/performance.md).
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest

from explorer.algebra.msolve import find_msolve, multiplicity
from explorer.budget import Budget, Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.homotopy.certify import Certifier, all_apart
from explorer.homotopy.family import solve_family
from explorer.homotopy.model import applies, build, moments_are_free, patterns
from explorer.homotopy.precise import follow
from explorer.homotopy.solutions import solutions
from explorer.homotopy.track import DIVERGED, DONE, LONG, solve, solve_pivoted, track
from explorer.model.polynomial import evaluate, loss_polynomial
from explorer.problem import Problem
from explorer.solve import critical
from explorer.solve.classify import Target
from explorer.solve.critical import critical_set
from explorer.solve.finite import from_solution
from explorer.solve.monodromy import by_monodromy
from explorer.solve.results import Trust
from explorer.solve.structure import by_structure


def ridge(widths, activation="linear", samples=5, seed=1, bias=False, weights=None):
    """Random data with one decimal and generic ridge weights."""
    rng = random.Random(f"{widths} {activation} {samples} {seed} {bias}")
    count = sum(a * b for a, b in itertools.pairwise(widths)) + (sum(widths[1:-1]) if bias else 0)

    def row(n):
        return [F(round(10 * rng.gauss(0, 1)), 10) for _ in range(n)]

    return Problem.dense(
        widths=list(widths),
        activation=activation,
        inputs=[row(widths[0]) for _ in range(samples)],
        targets=[row(widths[-1]) for _ in range(samples)],
        bias=[bias] * (len(widths) - 2) + [False],
        regularizer={"kind": "l2", "weights": weights or [F(rng.randint(1, 99), 100) for _ in range(count)]},
    )


def target(p):
    return Target(p, loss_polynomial(p))


@pytest.mark.parametrize(
    ("widths", "activation", "samples", "bias"),
    [
        ((2, 2, 2), "linear", 5, False),
        ((2, 2, 2), "linear", 1, False),
        ((2, 1, 2, 2), "linear", 4, True),
        ((2, 2, 1), "square", 3, False),
        ((1, 2, 1), "cubic", 3, True),
        ((1, 1, 2, 1), "square", 3, True),
    ],
    ids=str,
)
def test_programs_compute_half_the_gradient_and_the_hessian(widths, activation, samples, bias):
    """Exactly, at random rational points of every pattern, against the expanded polynomial; dead weights have derivative 0."""
    p = ridge(widths, activation, samples, bias=bias)
    loss, rng = loss_polynomial(p), random.Random(0)
    size = len(loss.names)
    form = None if moments_are_free(p) else samples
    found = list(patterns(p.network))
    assert len({q.places for q in found}) == len(found)
    for q in found:
        point = [F(0)] * size
        for k in q.places:
            point[k] = F(rng.randint(1, 9), rng.choice([1, 2, -3]))
        gradient = [evaluate(terms, point) for terms in loss.gradient]
        assert all(gradient[k] == 0 for k in range(size) if k not in q.places)
        if not q.places:
            continue
        model = build(q.shape, inputs=widths[0], samples=form)
        values = model.parameters(p, q.places)
        out = model.newton.on_numbers([*(point[k] for k in q.places), *values, *([F(0)] * len(values))], F)
        d = model.size
        assert [2 * v for v in out[:d]] == [gradient[k] for k in q.places]
        for v, (i, j) in zip(out[d:], model.upper, strict=True):
            assert 2 * v == evaluate(loss.hessian[q.places[i]][q.places[j]], point)


def test_one_program_on_arrays_of_every_width():
    p = ridge((2, 2, 1), "square", 3)
    model = build(next(q.shape for q in patterns(p.network) if len(q.places) == 6), inputs=2, samples=None)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(model.move.inputs, 400)) + 1j * rng.normal(size=(model.move.inputs, 400))
    whole = model.move.on_arrays(list(x), 400)
    few = np.concatenate([model.move.on_arrays(list(x[:, k : k + 100]), 100) for k in range(0, 400, 100)], axis=1)
    assert np.abs(whole - few).max() < 1e-9 * np.abs(whole).max()


CHEAP = [
    *(((1,) * (k + 1), "linear", 3, False, 1 + (k - 1) * 2**k) for k in (2, 3, 4, 5, 6)),
    ((2, 1, 2), "linear", 5, False, 17),
    ((2, 2, 1), "linear", 5, False, 33),
    ((3, 1, 3), "linear", 5, False, 37),
    ((2, 1, 1, 2), "linear", 5, False, 81),
    ((1, 2, 1), "square", 3, False, 33),
    ((1, 2, 1), "cubic", 3, False, 73),
    ((1, 1, 1), "cubic", 3, True, 73),
    ((2, 2, 2), "linear", 5, False, 225),
]
DEAR = [
    ((1, 2, 2, 1), "linear", 5, False, 129),
    ((1, 3, 1), "square", 3, False, 105),
    ((2, 2, 1), "square", 3, False, 481),
    ((2, 2, 2, 1), "linear", 5, False, 641),
]


@pytest.mark.parametrize(
    ("widths", "activation", "samples", "bias", "count"),
    [*CHEAP, *(pytest.param(*row, marks=pytest.mark.slow) for row in DEAR)],
    ids=str,
)
def test_complex_counts_all_certified(widths, activation, samples, bias, count):
    """73 = 1 + 2 * 12 + 48 for two cubic units on one effective sample, f = v w^3 x^3, half gradient v w^3 m - b = s:
    s w^2 = +-k with k^2 = lambda mu / 3 and v = -+k w / lambda, so a single unit has 2 * 3 values of w^2, and two units have for
    each of the 4 choices of signs a cubic for s with 2 * 2 signs of the weights.
    """
    p = ridge(widths, activation, samples, bias=bias)
    family = solve_family(p, Deadline(120))
    assert family.saturated
    assert family.count == count
    (found,) = solutions(family, [p], Deadline(120))
    assert (found.count, found.complaints) == (count, ())
    assert sum((-1) ** k * n for k, n in found.by_index.items()) == 1  # coercive, nondegenerate


def test_shallow_chains_of_width_two_have_no_full_points():
    # 1-2-1: s v_j = -lambda_j w_j and s w_j = -mu_j v_j give s^2 = lambda_j mu_j for both units: not for generic weights
    family = solve_family(ridge((1, 2, 1)), Deadline(60))
    assert family.count == 1 + 2 * 4  # the origin and two single units (1-1-1 has 5)
    assert any(s is not None and s.count == 0 and "singular" in s.reason for s in family.starts)


def test_a_family_solved_once_serves_other_data():
    first = ridge((2, 1, 2))
    family = solve_family(first, Deadline(60))
    others = [ridge((2, 1, 2), seed=k) for k in range(2, 12)]
    for p, found in zip(others, solutions(family, others, Deadline(60)), strict=True):
        assert found.count == 17
        exact = by_monodromy(target(p), Deadline(60), family=family)
        assert exact is not None
        assert len(exact.roots) == sum(o.copies for o in found.real)
    with pytest.raises(Unsupported):
        solutions(family, [ridge((2, 1, 1))], Deadline(60))


@pytest.mark.slow
def test_equal_ridge_weights_send_solutions_to_infinity(monkeypatch):
    # two cubic units with equal weights: for two of the four choices of signs the cubic for s becomes s^3 + b s^2, which
    # loses the two solutions s = 0 (w^2 = k / s goes to infinity), each with 4 signs of the weights: 73 - 2 * 2 * 4 = 57
    p = ridge((1, 2, 1), "cubic", 3, weights=[F(1, 10)] * 4)
    if find_msolve() is not None:  # the second witness
        found = by_monodromy(target(p), Deadline(120))
        assert found is not None
        assert (found.complex_count, found.complete, found.complex_count_is) == (57, True, "numerical")
        assert "57 certified distinct complex solutions, and msolve counts as many modulo a prime" in found.reason
    monkeypatch.setenv("EXPLORER_MSOLVE", "")
    found = by_monodromy(target(p), Deadline(120))
    assert found is not None
    assert found.complex_count == 57
    assert not found.complete  # floats do not tell infinity from far away
    assert "16 generic solutions go to infinity, or too far to be followed" in found.reason
    assert "msolve, which would count modulo a prime, was not found" in found.reason


def test_statistics_report_what_goes_to_infinity_and_do_not_follow_it(monkeypatch):
    # equal weights lose 73 - 57 = 16 solutions (above)
    p, q = ridge((1, 2, 1), "cubic", 3, weights=[F(1, 10)] * 4), ridge((1, 2, 1), "cubic", 3, seed=2)
    family = solve_family(p, Deadline(60))

    def never(*_, **__):
        raise AssertionError("a single path was followed")

    monkeypatch.setattr("explorer.homotopy.family.follow", never)
    special, generic = solutions(family, [p, q], Deadline(60), real_only=True)
    assert special.complaints == ("16 generic solutions go to infinity, or too far to be followed",)
    assert generic.complaints == ()
    for found in (special, generic):
        assert sum((-1) ** k * n for k, n in found.by_index.items()) == 1  # none of the real points is among the lost


def test_paths_to_infinity_in_many_digits():
    # the same family on its way to equal weights: the constant term C of s^3 + b s^2 = C vanishes linearly in 1 - t, so that
    # s ~ (1 - t)^(1/2) for the solutions that are lost, and w^2 = k / s: four orbits grow like (1 - t)^(-1/4)
    p = ridge((1, 2, 1), "cubic", 3, weights=[F(1, 10)] * 4)
    family = solve_family(p, Deadline(60))
    start = next(s for s in family.starts if s is not None and s.model.size == 4)
    goal = start.model.parameters(p, range(4))
    p0 = start.parameters * np.exp(0.9j)
    ends = [follow(start.model, start.solutions[:, k], p0[:, 0], goal, Deadline(60)) for k in range(start.count)]
    assert sorted(round(e.growth, 4) for e in ends if e.status == DIVERGED) == [0.25] * 4
    arrived = [k for k, e in enumerate(ends) if e.status == DONE]
    assert len(arrived) == start.count - 4
    floats = np.array([[complex(v)] for v in goal])
    same = track(start.model, start.solutions[:, arrived], p0, floats, Deadline(60), settings=LONG)
    assert np.abs(same.theta - np.array([ends[k].theta for k in arrived]).T).max() < 1e-9


def test_elimination_with_pivots_where_leading_minors_vanish():
    rng = np.random.default_rng(0)
    h = rng.normal(size=(5, 5, 40)) + 1j * rng.normal(size=(5, 5, 40))
    h = h + h.swapaxes(0, 1)
    h[:2, :2] *= 1e-13
    side = rng.normal(size=(5, 40)) + 0j
    expected = np.linalg.solve(np.moveaxis(h, 2, 0), side.T[:, :, None])[:, :, 0].T
    (plain,), (pivoted,) = solve(h.copy(), [side]), solve_pivoted(h.copy(), [side])
    assert np.abs(pivoted - expected).max() < 1e-9 * np.abs(expected).max()
    assert np.abs(plain - expected).max() > 1e-5 * np.abs(expected).max()


@pytest.mark.skipif(find_msolve() is None, reason="needs the msolve program")
@pytest.mark.parametrize(("name", "count"), [("Db d1 w2", 2977), ("Db d1 w2 equal", 2673)])
def test_the_second_witness_counts_two_thousand_solutions(name, count):
    """2673: also the vdim of Singular 4.3.1 in characteristic 32003; 2977: also the number for generic data by monodromy."""
    weights = [F(1, 10)] * 6 if name.endswith("equal") else [F(k, 100) for k in (7, 31, 83, 41, 59, 97)]
    p = ridge((1, 2, 1), "cubic", 3, bias=True, weights=weights)
    binary = find_msolve()
    assert binary is not None
    assert multiplicity(target(p).gradient, binary, Deadline(60)) == count


def test_the_audits_notice_solutions_that_are_missing():
    """Without one representative the list of some problem is not its own conjugate (unless that one is), or the Morse sum fails."""
    p = ridge((2, 1, 2))
    family = solve_family(p, Deadline(60))
    noticed = 0
    for k in range(8):
        starts = tuple(
            s if s is None else replace(s, solutions=np.delete(s.solutions, k, axis=1)) for s in family.starts
        )
        thinned = by_monodromy(target(p), Deadline(60), family=replace(family, starts=starts))
        assert thinned is not None
        assert thinned.complex_count == 15
        noticed += not from_solution(target(p), thinned, Deadline(60)).coverage.complete
    assert noticed >= 4


def test_certification_refuses_what_is_not_a_solution():
    p = ridge((2, 1, 2))
    family = solve_family(p, Deadline(60))
    (found,) = solutions(family, [p], Deadline(60))
    model = family.whole
    certifier = Certifier(model, model.parameters(p, range(model.size)))
    orbit = next(o for o in found.orbits if len(o.pattern.places) == model.size)
    good = np.array(orbit.box.centre)[:, None]
    assert certifier.all(good, Deadline(60)) == [orbit.box]
    assert certifier.all(good + 2, Deadline(60)) == [None]
    assert certifier.all(np.zeros_like(good), Deadline(60))[0] is not None  # the origin is a critical point too
    assert not all_apart([orbit.box, orbit.box])
    assert all_apart([orbit.box, replace(orbit.box, centre=tuple(-v for v in orbit.box.centre))])


@pytest.mark.parametrize(
    "p",
    [
        Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1]),
        Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": [1, 0]}),
        Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], activation="tanh", regularizer={"kind": "l2", "weights": 1}),
        Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], activation="polynomial", coefficients=[1, 1], regularizer={"kind": "l2", "weights": 1}),
        Problem.monomial(["x"], {(2,): 1}),
    ],
    ids=["no ridge", "a weight 0", "tanh", "phi(0) = 1", "monomial"],
)  # fmt: skip
def test_where_it_does_not_apply(p):
    assert not applies(p)
    with pytest.raises(Unsupported):
        solve_family(p, Deadline(5))


def test_budgets_stop_it():
    with pytest.raises(BudgetExceeded):
        solve_family(ridge((3, 2, 3)), Deadline(0.05))


def test_same_input_same_solutions():
    p = ridge((2, 1, 2))
    a, b = (by_monodromy(target(p), Deadline(60)) for _ in range(2))
    assert a == b


def test_critical_set_falls_back_on_it_and_says_numerical(monkeypatch):
    p = ridge((2, 2, 1))

    def out_of_time(*_, **__):
        raise BudgetExceeded("budget", got="none left")

    monkeypatch.setattr(critical, "by_structure", out_of_time)
    monkeypatch.setattr(critical, "solve_zero_dimensional", out_of_time)
    found = critical_set(p, budget=Budget(60))
    assert found.coverage.complete
    assert found.coverage.trust is Trust.NUMERICAL
    assert "an exact engine was stopped" in found.coverage.method
    assert "33 certified distinct complex solutions, completeness by monodromy saturation" in found.coverage.reason
    assert found.morse_sum == 1


#: real points by index: two routes that share nothing but the loss polynomial and Krawczyk's test
ROUTES = [
    ((2, 2, 1), "linear", 5, False),
    ((3, 1, 3), "linear", 5, False),
    ((2, 1, 1, 2), "linear", 5, False),
    ((1, 1, 1, 1, 1), "linear", 3, False),
    ((1, 1, 2), "cubic", 3, False),
    ((1, 2, 1), "square", 3, False),
    ((2, 2, 2), "linear", 5, False),
    ((1, 2, 2, 1), "linear", 4, False),
    ((1, 3, 1), "square", 3, False),
    ((2, 2, 2, 1), "linear", 5, False),
]


@pytest.mark.slow
@pytest.mark.skipif(find_msolve() is None, reason="needs the msolve program")
@pytest.mark.parametrize(("widths", "activation", "samples", "bias"), ROUTES, ids=str)
def test_real_points_and_indices_by_algebra_and_by_monodromy(widths, activation, samples, bias):
    for seed in (1, 2):
        t = target(ridge(widths, activation, samples, seed, bias))
        algebra = by_structure(t, Deadline(100)) or critical.solve_zero_dimensional(t.gradient, Deadline(100))
        numerical = by_monodromy(t, Deadline(100))
        assert numerical is not None
        assert algebra.complete
        assert numerical.complete
        assert algebra.complex_count == numerical.complex_count
        a, b = (from_solution(t, s, Deadline(100)) for s in (algebra, numerical))
        assert a.by_index == b.by_index
        assert a.real_points == b.real_points
        assert sorted(round(c.value.approx, 9) for c in a.components) == sorted(
            round(c.value.approx, 9) for c in b.components
        )


def near_infinity():
    """2-2-2-2 with solutions of size 1000: the data of benchmarks/peers.py."""
    xs = [(-1, 0), (3, 5), (-15, -1), (3, 0), (7, -4)]
    ys = [(7, 8), (1, 24), (-4, -2), (-13, -18), (1, -1)]
    weights = (82, 34, 68, 72, 79, 33, 25, 99, 52, 64, 40, 85)
    return Problem.dense(
        widths=[2, 2, 2, 2],
        activation="linear",
        inputs=[[F(v, 10) for v in x] for x in xs],
        targets=[[F(v, 10) for v in y] for y in ys],
        regularizer={"kind": "l2", "weights": [F(k, 100) for k in weights]},
    )


@pytest.mark.nightly
def test_all_13441_where_some_are_large():
    """msolve 0.10.1 counts as many modulo a prime, in 110 s (docs/performance.md)."""
    found = critical_set(near_infinity(), budget=Budget(1000))
    assert found.coverage.complete
    assert "13441 certified distinct complex solutions, completeness by monodromy" in found.coverage.reason
    assert found.morse_sum == 1


@pytest.mark.nightly
def test_all_13441_of_2_2_2_2():
    p = ridge((2, 2, 2, 2))
    family = solve_family(p, Deadline(500))
    assert family.count == 13441  # the count of an independent floating-point study of this family
    (found,) = solutions(family, [p], Deadline(500))
    assert (found.count, found.complaints) == (13441, ())
    assert sum((-1) ** k * n for k, n in found.by_index.items()) == 1
