"""From a float to a certificate that the independent checker accepts, or to an honest failure."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from numeric_tools import torch

from explorer.app.cases import cases
from explorer.app.main import run
from explorer.budget import Budget
from explorer.errors import Invalid, Unknown
from explorer.numeric.promotion import promote, simplest
from explorer.point import EnclosedPoint, Ln2Ring, Point
from explorer.problem import Problem

NOISE = 3e-9


def noisy(values: list[float]) -> list[float]:
    return [v + NOISE * (-1) ** k for k, v in enumerate(values)]


def test_a_rational_point():
    said = promote(cases("neuron-square").problem, noisy([0.0, -1.0]))
    assert said.point == Point.rational([0, -1])
    assert said.certificate is not None
    assert said.certificate.check().status == "verified"
    assert said.goal == "local-minimum"


def test_a_point_over_ln2():
    """The bad minimum of sigmoid-n2-w2 is (ln 2, ln 2, 1, 1) (derivation.md of the case)."""
    said = promote(cases("sigmoid-n2-w2").problem, noisy([math.log(2), math.log(2), 1.0, 1.0]))
    assert isinstance(said.point, Point)
    assert isinstance(said.point.field, Ln2Ring)
    assert said.goal == "local-minimum"
    assert said.succeeded


def test_a_box_where_the_coordinates_are_algebraic():
    """xyz-decay has four minima with F = 0.68..., not rational (expected.json)."""
    from explorer.numeric.backend import compiled
    from explorer.numeric.newton import descend

    problem = cases("xyz-decay").problem
    ends = descend(compiled(problem, device="cpu"), torch.tensor([[1.0, 1.0, 1.0]], dtype=torch.float64))
    said = promote(problem, ends.theta[0].tolist())
    assert isinstance(said.point, EnclosedPoint)
    assert said.goal == "strict-local-minimum"
    assert said.succeeded


def test_a_point_of_a_family_is_moved_to_a_simple_one():
    """vw = 1: (1/sqrt 2, sqrt 2) is no rational point, but one of its family near it is."""
    said = promote(cases("vw").problem, [math.sqrt(0.5), math.sqrt(2)])
    assert said.goal == "global-minimum"
    assert isinstance(said.point, Point)
    v, w = (c[0] for c in said.point.coordinates)
    assert v * w == 1
    assert said.moved is not None
    assert said.moved > 0


def test_honest_failures():
    """The minimum of (e^w - 3)^2 is w = ln 3: neither rational, nor over ln 2, nor a polynomial loss."""
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[3], output_activation="exp")
    said = promote(p, [math.log(3)])
    assert not said.succeeded
    assert said.certificate is None
    assert "no rational point" in said.because
    assert "not piecewise polynomial" in said.because
    # a regular point of F is not promoted to a critical one: Newton's method may leave, the certificate may not lie
    far = promote(cases("vw").problem, [3.0, 5.0], goal="global-minimum")
    assert far.certificate is None or far.certificate.check().status == "verified"
    wrong = promote(cases("neuron-square").problem, [0.0, -1.0], goal="global-minimum")
    assert wrong.certificate is None


def test_bad_questions():
    p = cases("vw").problem
    for theta in ([1.0], [1.0, math.nan], [1.0, math.inf]):
        with pytest.raises(Invalid):
            promote(p, theta)
    with pytest.raises(Unknown):
        promote(p, [1.0, 1.0], goal="world-peace")
    assert not promote(p, [1.0, 1.0], budget=Budget(1e-9)).succeeded


def test_the_simplest_fraction():
    assert simplest(0.33333333301, 1e-8) == Fraction(1, 3)
    assert simplest(-2.5, 1e-8) == Fraction(-5, 2)
    assert simplest(math.pi, 1e-8) is None


@pytest.mark.parametrize(
    ("slug", "how"),
    [
        ("xyz-decay", "box with one critical point"),
        ("neuron-square", "rational point"),
        ("sigmoid-n2-w1", "point over ln 2"),
        ("sigmoid-neuron-2", "none"),
    ],
)
def test_runs_are_promoted_from_the_command_line(slug, how, tmp_path, capsys):
    """crosscheck -o, promote, check: what each limit becomes is known from the derivation of its case."""
    kept, certificate = tmp_path / "run.json", tmp_path / "c.json"
    assert run(["crosscheck", slug, "--starts", "48", "--device", "cpu", "-o", str(kept)]) == 0
    capsys.readouterr()
    answers = []
    for limit in range(2):
        code = run(["promote", str(kept), "--limit", str(limit), "-o", str(certificate), "--json"])
        answers.append((code, json.loads(capsys.readouterr().out)))
    assert how in {a["how"] for _, a in answers}
    for code, a in answers:
        assert code == (0 if a["succeeded"] else 2)
        assert a["trust"] == ("verified" if a["succeeded"] else "numerical")
        assert a["because"]
    if how == "none":
        assert not certificate.exists()
    else:
        assert run(["check", slug, str(certificate)]) == 0
