"""Reports of the twin and every recipe, from the command line, against dense, exact and closed-form answers."""

from __future__ import annotations

import json
import math

import pytest
from numeric_tools import DEVICES, torch

from explorer.app.main import run
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.reports import reports
from explorer.numeric.success import one_sample_relu
from explorer.problem import Problem
from explorer.reading import write_problem


def asked(capsys, *args):
    code = run(["crosscheck", *args, "--device", "cpu", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_curvature_beside_the_exact_inertia(capsys):
    """xyz-decay: at the origin the Hessian is I/2 (trace 3/2), at the other minima 3 positive eigenvalues, at the saddles 2."""
    code, body = asked(capsys, "xyz-decay", "--starts", "6", "--report", "curvature")
    assert code == 0
    points = {p["name"]: p for p in body["reports"]["curvature"]["points"]}
    origin = points["component 2"]
    assert origin["trace_hutch_pp"]["mean"] == pytest.approx(1.5)
    assert origin["dense"]["ends"] == pytest.approx([0.5, 0.5])
    assert [points[f"component {k}"]["dense"]["positive"] for k in (1, 2, 3)] == [3, 3, 2]
    for p in points.values():
        assert p["dense"]["largest_error_of_the_ends"] < 1e-8
        assert sum(p["density"]["share"]) == pytest.approx(1)
    assert body["reports"]["curvature"]["trust"] == "numerical"


def test_kernels_of_a_linear_unit(capsys, tmp_path):
    """f(x) = v w x on one sample x = 2: K = (2 v)^2 + (2 w)^2; Du's model on one unit input has lambda_0 = 1/2."""
    p = Problem.dense(widths=[1, 1, 1], inputs=[2], targets=[2], activation="linear", slug="vw2")
    write_problem(p, tmp_path / "p.json")
    code, body = asked(capsys, str(tmp_path / "p.json"), "--starts", "6", "--report", "kernels", "--width", "128")
    assert code == 0
    said = body["reports"]["kernels"]
    for point in said["points"][:1]:  # a point of vw = 1
        assert point["least"] == point["largest"]
    assert said["training"]["lambda_0"] == pytest.approx(0.5)
    assert said["training"]["width"] == 128
    assert said["training"]["obeys_the_discrete_bound"] is True
    delta, c = 0.1, 1.0
    expected = 8192 / math.pi * (c**2 + 0.5) / (0.5**4 * delta**3)  # docstring of explicit_width, n = 1
    assert said["training"]["width_asked_by_theorem_4_1"] == pytest.approx(expected)


def test_dynamics_of_the_toy_with_a_known_probability(capsys, tmp_path):
    """(1 - v relu(w))^2: flow succeeds with probability 3/8, and keeps w^2 - v^2 (degree 1)."""
    write_problem(one_sample_relu(1), tmp_path / "p.json")
    _, body = asked(capsys, str(tmp_path / "p.json"), "--starts", "6", "--report", "dynamics")
    said = body["reports"]["dynamics"]
    assert said["exact_success_of_flow"] == "3/8"
    flow = next(m for m in said["methods"] if m["method"] == "gradient flow")
    low, high = flow["success"]["interval"]
    assert low <= 3 / 8 <= high
    assert said["conserved"]["quantities"] == 1
    assert said["conserved"]["drift"]["gradient flow"] < 1e-6
    assert said["conserved"]["drift"]["adam"] > 1e-3  # nothing is conserved there, and it shows


def test_bad_reports_and_budgets(capsys):
    assert asked(capsys, "vw", "--report", "poems")[0] == 1
    code, body = asked(capsys, "--recipe", "student-teacher", "--width", "2048", "--budget", "0.05")
    assert code == 2
    assert "budget" in body["error"]["message"]


@pytest.mark.parametrize("device", DEVICES)
def test_reports_are_the_same_twice(device):
    twin = compiled(
        Problem.dense(widths=[2, 3, 1], inputs=[[1, 0], [0, 1]], targets=[1, -1], activation="tanh"), device=device
    )
    theta = normal((twin.size,), generator(2), twin.device)
    first, second = (
        reports(["curvature", "kernels", "dynamics"], twin, [("p", theta)], seed=3, width=64) for _ in range(2)
    )
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("sigmoid", ["--width", "4096", "--samples", "3"]),
        ("deep-linear", ["--width", "24", "--samples", "6", "--depth", "4"]),
        ("dead-relu", ["--width", "512", "--samples", "8"]),
        ("requ", ["--width", "32", "--samples", "6"]),
        ("student-teacher", ["--width", "48", "--samples", "10"]),
    ],
)
def test_every_recipe_from_the_command_line(recipe, options, capsys):
    code, body = asked(capsys, "--recipe", recipe, *options, "--seed", "2")
    assert code == 0
    assert body["discrepancies"] == []
    assert body["recipe"] == recipe
    assert body["widths"][1] == int(options[1])
    assert len(body["widths"]) == (5 if recipe == "deep-linear" else 3)
    for p in body["points"]:
        assert p["value"] == pytest.approx(p["expected_value"], abs=1e-8, rel=1e-8)
        assert p["gradient"] <= 1e-7 * (1 + abs(p["value"]) + abs(p["eigenvalues"][1]))
        assert all(math.isfinite(b) for b in p["residual_bounds"])
        if recipe in ("sigmoid", "dead-relu", "student-teacher"):
            assert p["below_at_once"] == 0


def test_splitting_of_units(capsys):
    """fig2 with its unit split: F and the gradient stay what they were; the flat maximum escapes downward."""
    code, body = asked(capsys, "fig2", "--starts", "6", "--width", "256")
    assert code == 0
    assert body["larger"]["parameters"] == 512
    maximum = next(p for p in body["larger"]["points"] if p["name"] == "component 4")
    assert maximum["value"] == pytest.approx(1)
    assert maximum["below_after_descent"] > 0
    assert torch.isfinite(torch.tensor(maximum["eigenvalues"])).all()
