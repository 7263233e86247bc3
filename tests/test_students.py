"""Student-teacher problems: files, closed form against sampling, automatic differentiation and known digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch
from checker_tools import checker

from explorer.certify.tied import Symmetry
from explorer.errors import Invalid, Unsupported
from explorer.model.landscape import landscape
from explorer.numeric.students import Students
from explorer.problem import Problem
from explorer.propose.continuation import downward
from explorer.propose.students import clusters, descend, least_curvature, pushed, value_and_gradient, xavier
from explorer.propose.tied import Shape
from explorer.reading import network_from_json, parse_problem
from explorer.solve.critical import critical_set

GIVEN = Problem.student_teacher(2, teacher=[[1, 0], ["-1/2", "1/3"], [0, 2]])


def rational_rows(rows: int, columns: int, *, seed: int) -> list[list[Fraction]]:
    draw = torch.randint(-40, 41, (rows, columns), generator=torch.Generator().manual_seed(seed))
    return [[Fraction(int(v), 16) for v in row] for row in draw]


@pytest.mark.parametrize(
    "problem", [Problem.student_teacher(3), Problem.student_teacher(4, teacher=3, inputs=5), GIVEN]
)
def test_files_and_digests_agree_with_the_checker(problem):
    import json

    raw = json.dumps(problem.to_json()).encode()
    assert parse_problem(raw) == problem
    assert checker.Problem(json.loads(raw)).digest == problem.digest
    assert list(problem.parameters) == checker.Problem(json.loads(raw)).names


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": 0, "students": 1, "teacher": {"orthonormal": 1}},
        {"inputs": 2, "students": True, "teacher": {"orthonormal": 1}},
        {"inputs": 2, "students": 1, "teacher": {"orthonormal": 3}},
        {"inputs": 2, "students": 1, "teacher": {"orthonormal": True}},
        {"inputs": 2, "students": 1, "teacher": {"vectors": [["0", "0"]]}},
        {"inputs": 2, "students": 1, "teacher": {"vectors": [["1"]]}},
        {"inputs": 2, "students": 1, "teacher": {"vectors": []}},
        {"inputs": 2, "students": 1, "teacher": {"vectors": "12"}},
        {"inputs": 2, "students": 1, "teacher": 2},
        {"inputs": 2, "students": 1, "teacher": {"orthonormal": 1, "vectors": [["1", "0"]]}},
        {"inputs": 2, "students": 1},
        {"inputs": 2, "students": 1, "teacher": {"orthonormal": 1}, "widths": [1]},
        {"inputs": 10**99, "students": 1, "teacher": {"vectors": [["1"]]}},
    ],
    ids=str,
)
def test_bad_files_are_refused_by_reader_and_checker(body):
    body = {"kind": "student-teacher-relu", **body}
    with pytest.raises(Invalid):
        network_from_json(body)
    with pytest.raises(checker.Malformed):
        checker.Problem({"format": "explorer.problem/1", "network": body})


def test_data_beside_a_student_teacher_loss_is_refused():
    body = Problem.student_teacher(2).to_json() | {"loss": {"kind": "squared"}}
    with pytest.raises(checker.Malformed):
        checker.Problem(body)
    import json

    with pytest.raises(Invalid):
        parse_problem(json.dumps(body))


def test_closed_form_agrees_with_sampling():
    """Monte Carlo over 400,000 inputs shares nothing with the closed form; six standard errors."""
    for problem in (Problem.student_teacher(4, teacher=3, inputs=4), GIVEN):
        twin = Students.of(problem)
        w = torch.randn(
            problem.network.students,
            problem.network.inputs,
            dtype=torch.float64,
            generator=torch.Generator().manual_seed(3),
        )
        mean, error = twin.sampled_loss(w, 400_000, seed=5)
        assert abs(twin.loss(w) - mean) < 6 * error


@pytest.mark.parametrize("problem", [Problem.student_teacher(3, teacher=2, inputs=3), GIVEN])
def test_checker_agrees_with_automatic_differentiation(problem):
    """Value, gradient and Hessian of the checker's closed form against torch's autograd of the loss alone (1e-9)."""
    net = problem.network
    rows = rational_rows(net.students, net.inputs, seed=8)
    flat = [v for row in rows for v in row]
    ring = checker.Intervals(checker.Meter())
    own = checker.StudentTeacher(ring, checker.Problem(problem.to_json()), flat)
    twin = Students.of(problem)
    w = torch.tensor([[float(v) for v in row] for row in rows], dtype=torch.float64)
    function = lambda x: twin.loss(x.reshape(w.shape))  # noqa: E731
    assert abs(float(ring.ends(own.value())[0]) - float(function(w.flatten()))) < 1e-12
    gradient = torch.autograd.functional.jacobian(function, w.flatten())
    hessian = torch.autograd.functional.hessian(function, w.flatten())
    found = [float(ring.ends(g)[0]) for g in own.gradient()]
    assert max(abs(a - float(b)) for a, b in zip(found, gradient, strict=True)) < 1e-11
    matrix, slack = own.matrix(Fraction(0))
    assert slack < 2**-80 * checker.ULP
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            assert abs(value / checker.ULP - float(hessian[i, j])) < 1e-9


def test_hessian_enclosure_holds_over_the_ball():
    """Random points of the ball: |H(x) - middle|_2, from autograd, never exceeds the checker's slack."""
    problem = Problem.student_teacher(3, teacher=3, inputs=3)
    flat = [v for row in rational_rows(3, 3, seed=9) for v in row]
    twin, radius = Students.of(problem), Fraction(1, 20)
    own = checker.StudentTeacher(checker.Intervals(checker.Meter()), checker.Problem(problem.to_json()), flat)
    rows, slack = own.matrix(radius)
    middle = torch.tensor(
        [[rows[max(i, j)][min(i, j)] / checker.ULP for j in range(9)] for i in range(9)], dtype=torch.float64
    )
    centre = torch.tensor([float(v) for v in flat], dtype=torch.float64)
    generator, worst = torch.Generator().manual_seed(1), 0.0
    for _ in range(60):
        step = torch.randn(9, dtype=torch.float64, generator=generator)
        x = centre + step / step.norm() * float(radius)
        h = torch.autograd.functional.hessian(lambda v: twin.loss(v.reshape(3, 3)), x)
        worst = max(worst, float(torch.linalg.matrix_norm(h - middle, 2)))
    assert 0.01 * slack / checker.ULP < worst <= slack / checker.ULP


def test_sympy_form_agrees_with_the_twin():
    problem = Problem.student_teacher(2, teacher=2, inputs=2)
    land = landscape(problem)
    values = [Fraction(3, 4), Fraction(-1, 5), Fraction(2, 7), Fraction(1)]
    at = {s: sp.Rational(v.numerator, v.denominator) for s, v in zip(land.parameters, values, strict=True)}
    w = torch.tensor([[float(v) for v in values]], dtype=torch.float64).reshape(2, 2)
    assert abs(float(land.loss.subs(at)) - float(Students.of(problem).loss(w))) < 1e-12
    gradient = torch.autograd.functional.jacobian(Students.of(problem).loss, w).flatten()
    assert all(abs(float(g.subs(at)) - float(t)) < 1e-10 for g, t in zip(land.gradient, gradient, strict=True))


def test_what_makes_no_sense_is_refused_in_words():
    problem = Problem.student_teacher(2)
    found = critical_set(problem)
    assert not found.coverage.complete
    assert "angles" in found.coverage.reason
    with pytest.raises(Unsupported):
        landscape(problem).at(dict.fromkeys(problem.parameters, 1))
    with pytest.raises(Unsupported):
        _ = Problem.student_teacher(10**6).parameters


def test_descents_curvatures_and_pushes():
    """Least eigenvalues and values as Safran and Shamir (2018, table 1) print them (k = 7: 0.014 and 0.023); with a student more
    than 6 units every descent ends at a global minimum; a push leaves the saddle of the two numbers at k = 5 downhill."""
    shape = Shape((6, 1), (0, 1), (0, 1))
    minimum = np.array(matrix(shape, next(shape.minima())), dtype=float)
    assert abs(least_curvature(minimum)[0] - 0.0141) < 1e-4
    on = descend(minimum[None] + 1e-3)
    ((value, members),) = clusters(on)
    assert (round(value, 7), len(members), on.stalled.sum()) == (0.0232027, 1, 0)
    runs = descend(xavier(7, 6, starts=12, seed=3), floor=1e-6)
    assert runs.low.all()
    assert not clusters(runs)
    assert not runs.stalled.any()
    pair = Shape((5,), (0,), (0,))
    saddle = np.array(matrix(pair, followed_down(pair)), dtype=float)
    here, slope = value_and_gradient(saddle[None])
    assert np.abs(slope).max() < 1e-8
    assert least_curvature(saddle)[0] < -1e-4
    assert value_and_gradient(pushed(saddle)[None])[0][0] < here[0]


def matrix(shape, entries):
    return Symmetry(shape.sizes, shape.rows, shape.columns).matrix(entries)


def followed_down(shape):
    """The critical point of two numbers, from the minimum at 30 units."""
    start = next(Shape((30,), (0,), (0,)).minima(starts=60))
    return downward(shape, 30, start)
