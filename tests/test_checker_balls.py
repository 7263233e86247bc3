"""Rule ``minimum-in-ball``: what it costs, and faults injected into certificates of student-teacher and ordinary networks."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from collections import Counter
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from checker_tools import as_bytes, checker

from explorer.certify import certify
from explorer.certify.convexity import polished
from explorer.point import BallPoint, Point
from explorer.problem import Problem

MP = mpmath.MPContext()
MP.dps = 200


def symmetric_start(k: int) -> list[Fraction]:
    """Safran and Shamir's point of type S_{k-1}, in the two digits that their README has for k = 7."""
    rows = [[Fraction(99, 100) if i == j else Fraction(-3, 100) for j in range(k)] for i in range(k)]
    for i in range(k - 1):
        rows[i][-1], rows[-1][i] = Fraction(26, 100), Fraction(19, 100)
    rows[-1][-1] = Fraction(-63, 100)
    return [v for row in rows for v in row]


def teacher(k: int) -> Point:
    return Point.rational([int(i == j) for i in range(k) for j in range(k)])


def spurious(k: int) -> tuple[Problem, Any]:
    problem = Problem.student_teacher(k)
    ball = polished(problem, symmetric_start(k))
    return problem, certify(problem, "spurious-local-minimum", at=ball, better=teacher(k))


@pytest.mark.parametrize(("k", "digits"), [(6, "0.0250805810"), (7, "0.0232027149")])
def test_the_values_of_safran_and_shamir(k, digits):
    """Table 1 of the paper (0.025 and 0.023) and, to ten digits, the authors' published points."""
    _, certificate = spurious(k)
    step = next(s for s in certificate.body["steps"] if s["rule"] == "value" and s["point"] == "p")
    low, high = Fraction(step["lower"]), Fraction(step["upper"])
    known = Fraction(digits)
    assert known <= high
    assert low <= known + Fraction(1, 10**10)
    assert high - low < Fraction(1, 10**10)
    assert certificate.check().fact.startswith("p is a strict local minimum of F and not a global one")


def test_arc_cosine_holds_against_mpmath():
    """Random and awkward arguments (near 0, near +-1, powers of 2): mpmath at 200 digits inside, the enclosure narrow."""
    ring, rng = checker.Intervals(checker.Meter(10**12)), random.Random(4)
    assert failures(ring, rng, 400) == 0


def failures(ring: Any, rng: random.Random, count: int) -> int:
    wrong, unit = 0, ring.unit
    for _ in range(count):
        size = rng.choice([1, 2, 8, 60, 128, 200, 250, 255, 256])
        x = rng.choice([1, -1]) * rng.choice([rng.getrandbits(size), unit - rng.getrandbits(size), 1 << (size - 1)])
        x = max(-unit, min(unit, x))
        low, high = ring.arccos_at(x)
        true = MP.acos(MP.mpf(x) / unit) * unit
        wrong += not (low <= true <= high and high - low < 1 << 132)
        positive = abs(x)
        low, high = ring.arctan_at(positive)
        wrong += not (low <= MP.atan(MP.mpf(positive) / unit) * unit <= high and high - low < 1 << 16)
        width = rng.getrandbits(rng.choice([1, 100, 250]))
        wide = ring.arccos((max(-unit, x - width), min(unit, x + width)))
        wrong += not wide[0] <= true <= wide[1]
    return wrong


@pytest.mark.slow
def test_arc_functions_on_a_hundred_thousand_arguments():
    assert failures(checker.Intervals(checker.Meter(10**12)), random.Random(5), 34_000) == 0


def below(matrix: Any, modulus: Fraction) -> bool:
    """Whether matrix - modulus I is positive definite: exact elimination over the rationals."""
    rows = [[Fraction(v) for v in row] for row in matrix]
    for i, row in enumerate(rows):
        row[i] -= modulus
    for k, pivot in enumerate(rows):
        if pivot[k] <= 0:
            return False
        for row in rows[k + 1 :]:
            factor = row[k] / pivot[k]
            row[k:] = [a - factor * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def test_elimination_in_integers_against_rationals():
    """Matrices B^T D B + shift of sizes 1 to 9, some indefinite, badly scaled or nearly singular, in blocks of 1 to 4 rows: what is
    claimed is true by exact elimination over the rationals, and a modulus of at most 3/5 of what is true is always found."""
    rng, seen = random.Random(2), Counter()
    for _ in range(400):
        size, scale = rng.randint(1, 9), [rng.choice([1, 1, 2**-5, 2**6]) for _ in range(9)]
        b = [[rng.randint(-9, 9) for _ in range(size)] for _ in range(size)]
        d = [rng.choice([1, 1, 1, 3, -1 if rng.random() < 0.1 else 1]) for _ in range(size)]
        whole = [
            [sum(Fraction(b[k][i] * d[k] * b[k][j]) for k in range(size)) for j in range(size)] for i in range(size)
        ]
        shift = Fraction(rng.choice([0, 1, 1, -30]), rng.choice([1, 100, 10**6]))
        rows = [
            [int((whole[i][j] + shift * (i == j)) * Fraction(scale[i] * scale[j]) * checker.ULP) for j in range(size)]
            for i in range(size)
        ]
        least = Fraction(float(np.linalg.eigvalsh(np.array(rows, dtype=float))[0]) / checker.ULP)
        slack = int(abs(least) * checker.ULP * rng.choice([0, Fraction(1, 50), Fraction(1, 4)]))
        share = rng.choice([Fraction(1, 9), Fraction(3, 5), Fraction(99, 100), Fraction(101, 100), Fraction(2)])
        modulus = math.ceil(abs(share * (least * checker.ULP - slack))) + 1
        triangle = [row[: i + 1] for i, row in enumerate(rows)]
        found = checker.proved_above((triangle, slack), modulus, checker.Meter(10**12), rng.randint(1, 4))
        true = below(rows, Fraction(modulus + slack))
        assert true or not found
        assert found or not (true and share <= Fraction(3, 5) and least > Fraction(1, 10**9))
        seen[true, found] += 1
    assert min(seen[True, True], seen[False, False]) > 50


def test_a_matrix_of_one_hundred_and_more_rows():
    """A = tridiagonal (-1, 2, -1): eigenvalues 2 - 2 cos(pi j/(n+1)) by hand; the least is (pi/(n+1))^2 (1 - ...)."""
    size = 300
    least = 2 - 2 * MP.cos(MP.pi / (size + 1))
    rows = [[checker.ULP * (2 if i == j else -1 if i - j == 1 else 0) for j in range(i + 1)] for i in range(size)]
    for share, answer in ((0.6, True), (1.0001, False)):
        assert checker.proved_above((rows, 0), int(least * share * checker.ULP), checker.Meter(10**12)) is answer


def network(
    units: int, *, activation: str, samples: int, seed: int, loss: str = "squared"
) -> tuple[Problem, BallPoint]:
    """A strict minimum of a small regularized network, found by damped Newton steps with the checker's own derivatives."""
    rng = random.Random(seed)
    inputs = [[Fraction(rng.randint(-16, 16), 8), Fraction(rng.randint(-16, 16), 8)] for _ in range(samples)]
    targets = [rng.choice([-1, 1]) if loss == "logistic" else Fraction(rng.randint(-8, 8), 4) for _ in inputs]
    problem = Problem.dense(
        widths=[2, units, 1], activation=activation, bias=True, inputs=inputs, targets=targets, loss=loss,
        regularizer={"kind": "l2", "weights": "1/2"},
    )  # fmt: skip
    theta = np.array([rng.uniform(-1, 1) for _ in problem.parameters])
    for _ in range(60):
        gradient, hessian = derivatives(problem, theta)
        values, vectors = np.linalg.eigh(hessian)
        move = -vectors @ (vectors.T @ gradient / np.maximum(np.abs(values), 0.1))
        theta = theta + move / max(1.0, float(np.abs(move).max()))
        if np.abs(gradient).max() < 1e-9:
            break
    return problem, polished(problem, [Fraction(float(t)) for t in theta], radius=Fraction(1, 2**20))


def derivatives(problem: Problem, theta: Any) -> tuple[Any, Any]:
    ring = checker.Intervals(checker.Meter(10**12))
    _, gradient, (rows, _) = checker.around(
        checker.Problem(problem.to_json()), [Fraction(float(t)) for t in theta], Fraction(1, 2**90), ring
    )
    h = np.array([[rows[max(i, j)][min(i, j)] / checker.ULP for j in range(len(rows))] for i in range(len(rows))])
    return np.array([(a + b) / 2 / ring.unit for a, b in gradient]), h


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (3, "tanh", "squared"),
        (2, "sigmoid", "logistic"),
        (2, "softplus", "squared"),
        pytest.param(2, "gelu", "squared", marks=pytest.mark.slow),
    ],
)
def test_ordinary_networks_have_certified_strict_minima(units, activation, loss):
    problem, ball = network(units, activation=activation, samples=6, seed=3, loss=loss)
    certificate = certify(problem, "strict-local-minimum", at=ball)
    assert certificate.check().status == "verified"


def test_time_of_the_checker():
    """The targets are 0.05 s for 10 parameters and 0.3 s for 50; three times that, for slow machines."""
    for k, limit in ((6, 0.3), (7, 0.9)):
        problem, certificate = spurious(k)
        raw, body = json.dumps(problem.to_json()).encode(), certificate.to_bytes()
        start = time.process_time()
        assert checker.check(raw, body).status == "verified"
        assert time.process_time() - start < limit


def test_arithmetic_for_a_deep_network():
    """358 parameters in two hidden layers, 10 samples: value, gradient and Hessian for a tenth of the checker's budget."""
    rng = random.Random(1)
    problem = Problem.dense(
        widths=[4, 14, 18, 1], activation="tanh", bias=True, inputs=[[rng.randint(-9, 9) for _ in range(4)] for _ in range(10)],
        targets=[[rng.randint(-9, 9)] for _ in range(10)], regularizer={"kind": "l2", "weights": "1/50"},
    )  # fmt: skip
    centre, meter = [Fraction(rng.randint(-99, 99), 64) for _ in range(358)], checker.Meter()
    checker.around(checker.Problem(problem.to_json()), centre, Fraction(1, 2**24), checker.Intervals(meter))
    assert checker.MAX_WORK - meter.left < checker.MAX_WORK // 10


# -- fault injection ----------------------------------------------------------------------------------------------


def faults(problem: Problem, body: dict[str, Any], rng: random.Random) -> tuple[str, dict[str, Any]]:
    """A certificate with one thing made false (and what that was)."""
    step, p = body["steps"][0], body["points"]["p"]
    kind = rng.choice(["centre", "modulus", "radius", "below", "value", "saddle"])
    new = json.loads(json.dumps(body))
    if kind == "centre":  # further than the gradient allows: |g| >= modulus * distance
        k, away = (
            rng.randrange(len(p["centre"])),
            rng.choice([-1, 1]) * Fraction(rng.randint(2, 60)) * Fraction(p["radius"]),
        )
        new["points"]["p"]["centre"][k] = str(Fraction(p["centre"][k]) + away)
    elif kind == "modulus":  # above the smallest eigenvalue of the Hessian at the centre
        new["steps"][0]["modulus"] = str(Fraction(step["modulus"]) * Fraction(rng.randint(168, 400), 100))
    elif kind == "radius":  # reaches a unit that is 0, or parallel vectors, or a region that is not convex
        new["points"]["p"]["radius"] = str(Fraction(rng.randint(3, 90), 3))
    elif kind == "below":
        new["steps"][-1]["lower"], new["steps"][-1]["upper"] = "p", "q"
        new["goal"]["point"], new["goal"]["better"] = "p", "q"
    elif kind == "value":
        shift = Fraction(rng.randint(1, 100), 100)
        at = next(s for s in new["steps"] if s["rule"] == "value" and s["point"] == "p")
        at["lower"], at["upper"] = str(Fraction(at["lower"]) + shift), str(Fraction(at["upper"]) + shift)
    elif problem.data is not None:  # a network: a point near 0, where its units are symmetric
        new["points"]["p"]["centre"] = [str(Fraction(rng.randint(-9, 9), 1000)) for _ in p["centre"]]
    else:  # another critical point or region offered as the minimum: W = teacher, or an average of two units
        centre = [Fraction(int(i == j)) for i in range(problem.network.students) for j in range(problem.network.inputs)]
        if rng.random() < 0.7:
            centre = [c + Fraction(rng.randint(-9, 9), 1000) for c in centre]
        new["points"]["p"]["centre"] = list(map(str, centre))
    return kind, new


def injected(problem: Problem, certificate: Any, trials: int, seed: int) -> Counter[str]:
    raw, body, rng, counts = (
        json.dumps(problem.to_json()).encode(),
        certificate.to_json(),
        random.Random(seed),
        Counter(),
    )
    for _ in range(trials):
        kind, bad = faults(problem, body, rng)
        status = checker.check(raw, as_bytes(bad)).status
        counts[f"{status} {kind}"] += 1
    return counts


def deep(activation: str) -> tuple[Problem, Any]:
    rng = random.Random(1)
    problem = Problem.dense(
        widths=[2, 3, 2, 1], activation=activation, bias=True, inputs=[[rng.randint(-16, 16) / Fraction(8) for _ in "xy"] for _ in range(8)],
        targets=[[rng.randint(-16, 16) / Fraction(8)] for _ in range(8)], regularizer={"kind": "l2", "weights": "1/50"},
    )  # fmt: skip
    return problem, certify(problem, "spurious-local-minimum")


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_no_fault_of_a_deep_network_is_accepted(activation):
    problem, certificate = deep(activation)
    assert certificate.check().status == "verified"
    counts = injected(problem, certificate, 60, 1)
    assert not [name for name in counts if name.startswith("verified")], counts
    assert len(counts) >= 6


def test_no_fault_is_accepted():
    counts = injected(*spurious(6), 60, 1)
    assert not [name for name in counts if name.startswith("verified")], counts
    assert len(counts) >= 6


@pytest.mark.nightly
def test_five_thousand_faults(capsys):
    counts = injected(*spurious(6), 4_000, 2) + injected(*spurious(7), 1_200, 3)
    counts += injected(*deep("tanh"), 600, 4) + injected(*deep("gelu"), 400, 5)
    with capsys.disabled():
        print(f"\n{sum(counts.values())} faults: {dict(sorted(counts.items()))}")
    assert not [name for name in counts if name.startswith("verified")]


def test_modulus_inflated_by_one_percent_above_the_truth():
    """The claimed modulus leaves 40 % of room; 1 % above the least eigenvalue (numpy) there is none."""
    problem, certificate = spurious(6)
    body = certificate.to_json()
    centre = np.array([float(Fraction(c)) for c in body["points"]["p"]["centre"]])
    _, h = derivatives(problem, centre)
    least = float(np.linalg.eigvalsh(h)[0])
    for factor, status in ((0.7, "verified"), (1.01, "rejected"), (1.000001, "rejected")):
        body["steps"][0]["modulus"] = str(Fraction(least * factor))
        assert checker.check(json.dumps(problem.to_json()).encode(), as_bytes(body)).status == status


def second_derivatives(students, teacher):
    """The Hessian of the student-teacher loss from its closed form at 90 digits, by second differences (error about 1e-50)."""
    mp = mpmath.MPContext()
    mp.dps = 90
    n, h = len(teacher[0]), mp.mpf(10) ** -25
    flat = [mp.mpf(v.numerator) / v.denominator for w in students for v in w]
    fixed = [[mp.mpf(v.numerator) / v.denominator for v in row] for row in teacher]

    def loss(theta):
        units = [(1, theta[k : k + n]) for k in range(0, len(theta), n)] + [(-1, row) for row in fixed]
        total = mp.mpf(0)
        for (s, w), (t, v) in itertools.combinations_with_replacement(units, 2):
            size = mp.sqrt(mp.fdot(w, w) * mp.fdot(v, v))
            angle = mp.mpf(0) if w is v else mp.acos(mp.fdot(w, v) / size)
            kernel = size * (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / (2 * mp.pi)
            total += kernel / 2 if w is v else s * t * kernel
        return total

    def moved(*ks):
        theta = list(flat)
        for k in ks:
            theta[abs(k) - 1] += h if k > 0 else -h
        return loss(theta)

    size = range(1, len(flat) + 1)
    return mp, [[(moved(i, j) - moved(i, -j) - moved(-i, j) + moved(-i, -j)) / (4 * h * h) for j in size] for i in size]


@pytest.mark.parametrize("seed", range(12))
def test_the_slack_of_a_student_teacher_hessian_covers_rounding_and_the_ball(seed):
    """|H - M|_2 <= slack for H at a point of the ball. A radius of 1e-32 leaves nothing but the rounding constants: units of 2^-96."""
    pick = random.Random(seed)
    n, m = pick.choice([(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)])

    def vector(scale):
        row = [Fraction(pick.randint(-99, 99), pick.randint(1, 40)) for _ in range(n)]
        row[pick.randrange(n)] += Fraction(pick.choice([-101, 101]), 2)
        return [v * scale for v in row]

    scales = [Fraction(1), Fraction(1, 3), Fraction(1, 1000), Fraction(500)]
    students = [vector(pick.choice(scales)) for _ in range(m)]
    teacher = [vector(pick.choice(scales)) for _ in range(pick.randint(1, 2))]
    for radius in (Fraction(1, 10**32), Fraction(1, 10**6)):
        net = {
            "kind": "student-teacher-relu",
            "inputs": n,
            "students": m,
            "teacher": {"vectors": [[str(v) for v in row] for row in teacher]},
        }
        problem = checker.Problem({"format": "explorer.problem/1", "network": net})
        ring = checker.Intervals(checker.Meter(10**9))
        rows, slack = checker.StudentTeacher(ring, problem, [v for w in students for v in w]).matrix(radius)
        there = [[v + radius * pick.randint(-100, 100) / (100 * n * m) for v in w] for w in students]
        mp, hessian = second_derivatives(there, teacher)
        rest = mp.matrix(len(rows), len(rows))
        for i, row in enumerate(rows):
            for j, entry in enumerate(row):
                rest[i, j] = rest[j, i] = hessian[i][j] - mp.mpf(entry) / checker.ULP
        assert max(abs(v) for v in mp.eigsy(rest, eigvals_only=True)) <= mp.mpf(slack) / checker.ULP
