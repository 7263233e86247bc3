"""The statements of Du, Zhai, Poczos, Singh (2019): every example, and independent checks of the Gram machinery."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import mpmath
import pytest
import sympy

from explorer import checker
from explorer.budget import Budget
from explorer.certify.examining import certificate_of, examine
from explorer.gram import antipodal, chances
from explorer.gram.flow import ends_at
from explorer.gram.limit import lambda_0, limit_gram
from explorer.gram.training import Hidden, keeps_patterns
from explorer.point import Point
from explorer.problem import Problem
from explorer.statements.du2019 import STATEMENTS
from explorer.statements.du2019.instances import at, relu, sixty_degrees
from explorer.statements.nouns import Outcome, Verdict, Witness

EXAMPLES = [pytest.param(s, e, id=f"{s.id}-{e.name}") for s in STATEMENTS for e in s.examples]


@pytest.mark.parametrize(("statement", "example"), EXAMPLES)
def test_examples(statement, example):
    found = examine(statement, example.subject())
    assert found.outcome is example.outcome, found.because
    for certificate in found.certificates:
        assert certificate.check().status == "verified"
    if example.outcome is Outcome.REFUTED:
        assert found.certificates
    if example.repaired is not None:
        again = examine(statement, example.subject(), repaired=True)
        assert again.outcome is example.repaired, again.because


def test_all_entries_of_the_paper_are_there():
    assert len({s.id for s in STATEMENTS}) == len(STATEMENTS) == 23
    assert all(s.checkable for s in STATEMENTS)
    repaired = [s for s in STATEMENTS if s.verdict is Verdict.NEEDS_REPAIR]
    assert len(repaired) == 7
    for s in repaired:
        assert s.repair is not None
        assert any(e.outcome is Outcome.REFUTED and e.repaired is not None for e in s.examples)
    assert all(sum(e.smallest for e in s.examples) == 1 for s in STATEMENTS)
    assert not any(s.is_error for s in STATEMENTS), "no finding of this paper is an error: misprints and conventions"


@pytest.mark.parametrize("problem", ["monomial", "deep", "sigmoid", "relu-two-layers", "weighted", "logistic"])
def test_no_predicate_crashes_on_other_problems(problem):
    given = {
        "monomial": Problem.monomial(["x"], {(2,): 1}),
        "deep": Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1]),
        "sigmoid": Problem.dense(widths=[1, 2, 1], activation="sigmoid", inputs=[1, 2], targets=[1, 0], bias=True),
        "relu-two-layers": Problem.dense(widths=[2, 2, 1], activation="relu", inputs=[[1, 0], [0, 1]], targets=[1, 1]),
        "weighted": Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1], loss_weights=[2]),
        "logistic": Problem.dense(widths=[1, 1], inputs=[1], targets=[1], loss="logistic"),
    }[problem]
    for statement in STATEMENTS:
        examine(statement, given)


# -- the machinery, against independent methods ---------------------------------------------------------------------

CELL = [tuple(s if k == j else 0 for k in range(4)) for j in range(4) for s in (1, -1)] + [
    tuple(Fraction(s, 2) for s in signs) for signs in itertools.product((1, -1), repeat=4)
]


def by_mpmath(inputs):
    """The smallest eigenvalue of the limit Gram matrix from the formula, by mpmath's Jacobi method at 40 digits."""
    with mpmath.workdps(40):
        n = len(inputs)
        h = mpmath.matrix(n, n)
        for i, j in itertools.product(range(n), repeat=2):
            rho = mpmath.mpf(sum(a * b for a, b in zip(inputs[i], inputs[j], strict=True)).numerator)
            rho /= sum(a * b for a, b in zip(inputs[i], inputs[j], strict=True)).denominator
            h[i, j] = rho * (mpmath.pi - mpmath.acos(rho)) / (2 * mpmath.pi)
        return min(mpmath.eigsy(h, eigvals_only=True))


def pythagorean(rng):
    """A rational unit vector in the plane, from a random angle with rational tangent of the half."""
    t = Fraction(rng.randrange(-9, 10), rng.randrange(1, 10))
    return ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))


@pytest.mark.parametrize("seed", range(6))
def test_lambda_0_of_random_planar_inputs(seed):
    inputs = tuple({pythagorean(random.Random(10 * seed + k)) for k in range(4)})
    found, expected = lambda_0(inputs), by_mpmath(inputs)
    with mpmath.workdps(40):
        low, high = (mpmath.mpf(v.numerator) / v.denominator for v in (found.lower, found.upper))
        assert low - mpmath.mpf(10) ** -30 <= expected <= high + mpmath.mpf(10) ** -30
        assert high - low < mpmath.mpf(10) ** -9


def test_rank_formula_on_random_subsets_of_the_24_cell():
    """dim ker H from exact elimination against the count of antipodal pairs minus the rank of their directions."""
    rng, singular = random.Random(3), 0
    for _ in range(120):
        chosen = tuple(tuple(map(Fraction, x)) for x in rng.sample(CELL, rng.randrange(2, 13)))
        matrix = sympy.Matrix(limit_gram(chosen))
        assert len(chosen) - matrix.rank() == antipodal.nullity(chosen) == len(antipodal.kernel(chosen))
        for c in antipodal.kernel(chosen):
            assert not any(matrix * sympy.Matrix(c))
        singular += antipodal.nullity(chosen) > 0
    assert singular
    whole = tuple(tuple(map(Fraction, x)) for x in CELL)
    assert antipodal.nullity(whole) == 8, "12 antipodal pairs in dimension 4"


def test_exact_probabilities_at_60_degrees():
    """Against a run through all 4^m patterns with their probabilities 1/3, 1/6, 1/6, 1/3."""
    x = (tuple(map(Fraction, (1, 0, 0, 0))), (Fraction(1, 2),) * 4)
    law = {(1, 1): Fraction(1, 3), (1, 0): Fraction(1, 6), (0, 1): Fraction(1, 6), (0, 0): Fraction(1, 3)}
    for m in (1, 2, 3, 4):
        total = Fraction(0)
        for states in itertools.product(law, repeat=m):
            a, b, both = (
                Fraction(sum(s), m)
                for s in ([p for p, _ in states], [q for _, q in states], [p * q for p, q in states])
            )
            floor = Fraction(1, 4)  # 3/4 of lambda_0 = 1/3; a 2 x 2 matrix is >= floor by trace and determinant
            if a + b >= 2 * floor and (a - floor) * (b - floor) >= (both / 2) ** 2 and a >= floor:
                total += math.prod((law[s] for s in states), start=Fraction(1))
        assert chances.chance_of_floor(x, m, Fraction(1, 4)) == total
    assert [chances.chance_of_success_one_sample(m) for m in (1, 2, 3, 4)] == [
        1 - Fraction(3, 4) ** m for m in (1, 2, 3, 4)
    ]


def test_explicit_widths():
    """(8192/pi)(3/2) 64 16/10^-3 for two orthogonal inputs, C = 1, delta = 1/10: 4.0 * 10^9; a sixteenth of it for the flow."""
    width = chances.explicit_width(2, Fraction(1, 2), Fraction(1, 10), Fraction(1), descent=True)
    assert float(width) == pytest.approx(8192 / math.pi * 1.5 * 64 * 16 * 1000)
    flow = chances.explicit_width(2, Fraction(1, 2), Fraction(1, 10), Fraction(1), descent=False)
    assert float(width) == pytest.approx(16 * float(flow))


def test_arcsine_of_the_checker():
    ring = checker.Intervals(checker.Meter())
    for text in ("1/3", "-3/5", "999999/1000000", "-1/1000000", "119/169", "0"):
        low, high = ring.ends(ring.arcsine(Fraction(text)))
        with mpmath.workdps(90):
            exact = mpmath.asin(mpmath.mpf(Fraction(text).numerator) / Fraction(text).denominator)
            assert mpmath.mpf(low.numerator) / low.denominator <= exact <= mpmath.mpf(high.numerator) / high.denominator
        assert high - low < Fraction(1, 2**230)


def test_exact_training_agrees_with_floats():
    """The exact run of the two inputs at 60 degrees against a float run written here from the formulas."""
    subject = sixty_degrees()
    at = Hidden.of(subject.problem, subject.point)
    x, y = [[float(v) for v in row] for row in at.inputs], [float(v) for v in at.labels]
    w, v, eta = [[float(c) for c in row] for row in at.rows], [float(c) for c in at.outer], 1 / 48
    for _ in range(39):
        z = [[sum(a * b for a, b in zip(row, xi, strict=True)) for xi in x] for row in w]
        e = [sum(v[r] * max(z[r][i], 0) for r in range(4)) - y[i] for i in range(2)]
        for r in range(4):
            for k in range(4):
                w[r][k] -= eta * v[r] * sum(e[i] * x[i][k] for i in range(2) if z[r][i] >= 0)
    *_, last = at.run(Fraction(1, 48), 39)
    assert float(last.squared_error) == pytest.approx(
        2 * (127 / 128) ** 78
    )  # e = (-1, 1) is an eigenvector of H for 3/8
    assert all(
        float(a) == pytest.approx(b)
        for old, new in zip(last.rows, w, strict=True)
        for a, b in zip(old, new, strict=True)
    )


UNIT_PLANE = [
    (1, 0),
    (0, 1),
    (-1, 0),
    (Fraction(3, 5), Fraction(4, 5)),
    (Fraction(-5, 13), Fraction(12, 13)),
    (Fraction(8, 17), Fraction(-15, 17)),
]


def random_net(rng, *, spread):
    inputs = rng.sample(UNIT_PLANE, rng.randrange(1, 4))
    rows = [Fraction(rng.randrange(-9, 10), 3) * spread for _ in range(8)]
    outer = [Fraction(rng.choice((-1, 1)), 2) for _ in range(4)]
    net = at(relu(inputs, [Fraction(rng.randrange(-8, 9), 4) for _ in inputs], 4), rows, outer)
    return net, Hidden.of(net.problem, net.point)


def test_random_margin_certificates_and_runs():
    """Where the margin holds, an exact run never changes a pattern and contracts; the checker agrees with the criterion."""
    rng, shown = random.Random(8), 0
    for _ in range(250):
        subject, here = random_net(rng, spread=rng.choice((4, 16, 64)))
        trace = sum((here.gram[i][i] for i in range(len(here.inputs))), Fraction(0))
        if not keeps_patterns(here) or not trace:
            continue
        shown += 1
        rate = 1 / trace
        certificate = certificate_of(
            subject.problem, Witness("linear-descent", subject.point, options={"rate": rate}), Budget(5)
        )
        assert certificate.check().status == "verified"
        floor = Fraction(certificate.body["steps"][0]["floor"])
        before = here
        for after in list(here.run(rate, 6))[1:]:
            assert here.flips(after) == 0
            assert after.squared_error <= (1 - rate * floor) ** 2 * before.squared_error
            before = after
    assert shown >= 20


def test_random_flows_that_end():
    """Where the flow is said to end, small Euler steps in floats push an active unit over its kink, and never elsewhere."""
    rng, ends, goes_on = random.Random(9), 0, 0
    for _ in range(90):
        width = rng.randrange(1, 4)
        w = [Fraction(rng.choice([-3, -2, -1, 1, 2, 3, 4]), 2) for _ in range(width)]
        v = [Fraction(rng.choice((-2, -1, 1, 2)), 2) for _ in range(width)]
        label = Fraction(rng.randrange(-6, 7), 2)
        subject = at(relu([1], [label], width), w, v)
        here = Hidden.of(subject.problem, subject.point)
        said, shared = ends_at(here) is not None, sum(c * c for c, u in zip(v, w, strict=True) if u > 0)
        if any(u > 0 and u * shared == c * here.error[0] for c, u in zip(v, w, strict=True)):
            continue  # reaches its kink at time infinity only: floats cannot tell
        z, a, y, crossed = [float(c) for c in w], [float(c) for c in v], float(label), False
        for _ in range(3000):
            e = sum(c * max(u, 0) for c, u in zip(a, z, strict=True)) - y
            new = [u - 0.01 * c * e if u >= 0 else u for c, u in zip(a, z, strict=True)]
            crossed = crossed or any(u >= 0 > n for u, n in zip(z, new, strict=True))
            z = new
        assert crossed == said, (w, v, label)
        ends, goes_on = ends + said, goes_on + (not said)
    assert min(ends, goes_on) >= 20


def test_drift_of_the_gram_matrix_is_bounded_by_near_ties():
    """sum_ij |H_ij(W) - H_ij(0)| <= (2n/m) sum_i |S_i^c(R)|, R the largest movement (the core of Lemma 3.2)."""
    rng = random.Random(10)
    for _ in range(100):
        subject, here = random_net(rng, spread=1)
        moved = [c[0] + Fraction(rng.randrange(-4, 5), 8) for c in subject.point.coordinates[:8]]
        there = Hidden.of(subject.problem, Point.rational([*moved, *here.outer]))
        n = range(len(here.inputs))
        drift = sum(abs(here.gram[i][j] - there.gram[i][j]) for i in n for j in n)
        assert drift <= Fraction(2 * len(here.inputs), 4) * here.near_ties(here.distance(there))


def test_success_of_one_sample_against_gradient_descent():
    """n = 1, y < 0: small steps reach the label exactly if an active unit has a negative sign; (3/4)^m of the states fail."""
    for m in (1, 2, 3):
        failures = 0
        for state in itertools.product(((1.0, 1), (1.0, -1), (-1.0, 1), (-1.0, -1)), repeat=m):
            w, v = [s * (1 + k / 4) for k, (s, _) in enumerate(state)], [sign / math.sqrt(m) for _, sign in state]
            for _ in range(3000):
                e = sum(c * max(u, 0) for c, u in zip(v, w, strict=True)) + 1
                w = [u - 0.02 * c * e if u >= 0 else u for c, u in zip(v, w, strict=True)]
            reached = abs(sum(c * max(u, 0) for c, u in zip(v, w, strict=True)) + 1) < 1e-6
            assert reached == any(u > 0 and sign < 0 for u, sign in state)
            failures += not reached
        assert Fraction(failures, 4**m) == 1 - chances.chance_of_success_one_sample(m) == Fraction(3, 4) ** m
