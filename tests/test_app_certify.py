"""``explorer certify`` and ``solve``: points are data, nothing false is written, the documents have the contract's keys."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from explorer.app.given import point_from_json, read_inputs
from explorer.app.main import run
from explorer.errors import Invalid
from explorer.point import EnclosedPoint, Ln2Ring, NumberField, RationalField
from explorer.problem import Problem
from explorer.reading import write_problem

#: F(x, y) = x^2 + y^2; the parameters are x and y
BOWL = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 1})


def answer(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    code = run([*args, "--json"])
    return code, json.loads(capsys.readouterr().out)


# -- certify ----------------------------------------------------------------------------------------------------


def test_certify_at_an_inline_point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "saddle.certificate.json"
    point = '{"w1_1_1": 1, "w2_1_1": "0"}'
    code, said = answer(capsys, "certify", "fig2", "--goal", "saddle", "--at", point, "-o", str(out))
    assert code == 0
    assert said["trust"] == "verified"
    assert said["fact"].startswith("p is a saddle of F")
    assert Path(said["certificate"]) == out
    assert run(["check", "fig2", str(out)]) == 0
    first = out.read_bytes()
    assert run(["certify", "fig2", "--goal", "saddle", "--at", point, "-o", str(out)]) == 0
    assert out.read_bytes() == first


def test_certify_at_a_point_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """w = (ln 2, ln 2), v = (1, 1) is the flat minimum of the two-sample sigmoid case, with value 25 (by hand)."""
    at, out = tmp_path / "at.json", tmp_path / "value.certificate.json"
    for body in (
        {"w1_1_1": {"ln2": [0, 1]}, "w1_2_1": {"ln2": ["0", "1"]}, "w2_1_1": 1, "w2_1_2": "1"},
        {"field": "ln2", "coordinates": [["0", "1"], ["0", "1"], ["1"], ["1"]]},
    ):
        at.write_text(json.dumps(body))
        code, said = answer(capsys, "certify", "sigmoid-n2-w2", "--goal", "value", "--at", str(at), "-o", str(out))
        assert code == 0
        assert said["fact"].startswith("F(p) = 25")


def test_certify_finds_the_points_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bad.certificate.json"
    code, said = answer(capsys, "certify", "fig2", "--goal", "spurious-local-minimum", "-o", str(out))
    assert code == 0
    assert "not a global one" in said["fact"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--goal", "no-such-goal", "--at", '{"w1_1_1": 1, "w2_1_1": 0}'], 1),
        (["--goal", "local-minimum", "--at", '{"w1_1_1": 1, "w2_1_1": 0}'], 2),  # a degenerate saddle, by hand
        (["--goal", "saddle", "--at", '{"w1_1_1": 1}'], 1),
        (["--goal", "saddle", "--at", '{"w1_1_1": 1, "w2_1_1": 0, "v": 1}'], 1),
        (["--goal", "saddle", "--at", '{"w1_1_1": 1.0, "w2_1_1": 0}'], 1),
        (["--goal", "saddle", "--at", '{"w1_1_1": "__import__(\'os\')", "w2_1_1": 0}'], 1),
        (["--goal", "saddle", "--at", "no-such-file"], 1),
        (["--goal", "not-global", "--at", '{"w1_1_1": 0, "w2_1_1": -8}', "--better", '{"w1_1_1": 1, "w2_1_1": 1}'], 2),
    ],
)
def test_nothing_false_or_malformed_is_written(
    args: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.certificate.json"
    got, said = answer(capsys, "certify", "fig2", *args, "-o", str(out))
    assert got == code
    assert said["error"]["exit_code"] == code
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_invalid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "x.json")
    code, said = answer(capsys, "certify", "fig2", "--goal", "saddle", "--at", '{"w1_1_1": 1, "w2_1_1": 0}', "-o", out)
    assert code == 1
    assert said["error"]["kind"] == "Invalid"


# -- points and inputs ------------------------------------------------------------------------------------------


def test_points_are_read_as_data() -> None:
    assert point_from_json({"x": 1, "y": "1/2"}, BOWL).coordinates == ((1,), (Fraction(1, 2),))  # type: ignore[union-attr]
    mixed = point_from_json({"x": 1, "y": {"ln2": ["1/2", "3", "0"]}}, BOWL)
    assert mixed.field == Ln2Ring()  # type: ignore[union-attr]
    assert mixed.coordinates == ((1,), (Fraction(1, 2), 3))  # type: ignore[union-attr]
    rational = point_from_json({"field": "rational", "coordinates": ["1", "-2"]}, BOWL)
    assert rational.field == RationalField()  # type: ignore[union-attr]
    root = {"polynomial": ["-2", "0", "1"], "interval": ["1", "2"]}
    algebraic = point_from_json({"field": root, "coordinates": [["0", "1"], ["1"]]}, BOWL)
    assert isinstance(algebraic.field, NumberField)  # type: ignore[union-attr]
    box = point_from_json({"lower": ["0", "0"], "upper": ["1", "1/2"]}, BOWL)
    assert box == EnclosedPoint((Fraction(0), Fraction(0)), (Fraction(1), Fraction(1, 2)))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"x": 1},
        {"x": 1, "y": 2, "z": 3},
        {"x": 1, "y": None},
        {"x": 1, "y": True},
        {"x": 1, "y": [1]},
        {"x": 1, "y": {"ln3": [1]}},
        {"x": 1, "y": {"ln2": []}},
        {"x": 1, "y": {"ln2": "1"}},
        {"field": "real", "coordinates": ["1", "2"]},
        {"field": "rational", "coordinates": ["1"]},
        {"field": "rational", "coordinates": "12"},
        {"field": "ln2", "coordinates": ["1", "2"]},
        {"field": {"polynomial": ["1"]}, "coordinates": [["1"], ["2"]]},
        {"field": {"polynomial": ["-2", "0", "1"], "interval": ["1"]}, "coordinates": [["1"], ["2"]]},
        {"lower": ["0", "0"]},
        {"lower": ["0"], "upper": ["1"]},
    ],
)
def test_malformed_points_are_invalid(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        point_from_json(body, BOWL)


def test_inputs() -> None:
    assert read_inputs("1, -1/2,3") == [1, Fraction(-1, 2), 3]
    assert read_inputs('[[1, "1/2"], [0, 3]]') == [[1, Fraction(1, 2)], [0, 3]]
    for wrong in ("1,,2", "1;2", "[1.5]", "[[1, 2]", '["a"]', "{}"):
        with pytest.raises(Invalid):
            read_inputs(wrong)


# -- solve ------------------------------------------------------------------------------------------------------


def test_the_document_of_solve(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = answer(capsys, "solve", "vw")
    assert code == 0
    assert said["format"] == "explorer.critical-set/1"
    assert said["coverage"]["complete"] is True
    assert said["coverage"]["trust"] in ("verified", "computed", "numerical")
    assert said["parameters"] == ["w1_1_1", "w2_1_1"]
    for component in said["components"]:
        assert {"dimension", "orbit", "sample", "value", "inertia", "index", "kind", "global", "trust"} <= set(
            component
        )
        assert set(component["sample"]) == set(said["parameters"])
    # by hand: F = (1 - v w)^2 has the saddle (0, 0), isolated, and the hyperbola of minima with F = 0
    assert said["summary"]["real_points"] == 1
    assert said["summary"]["by_index"] == {"1": 1}
    assert said["summary"]["global_value"]["exact"] == "0"


def test_numbers_beyond_floats_have_no_approximation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """F(x) = x^2 + 10^400 has the minimum 10^400 at 0 (by hand)."""
    path = tmp_path / "big.json"
    write_problem(Problem.monomial(["x"], {(2,): 1, (0,): 10**400}), path)
    code, said = answer(capsys, "solve", str(path))
    assert code == 0
    assert said["summary"]["global_value"] == {"exact": str(10**400), "approx": None}
    assert run(["solve", str(path)]) == 0
    assert "1.00000e+400" in capsys.readouterr().out


def test_what_is_not_solved_is_inconclusive(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = answer(capsys, "solve", "sigmoid-n3-w3-bias")
    assert code == 2
    assert said["coverage"]["complete"] is False
    assert said["coverage"]["reason"]
    assert run(["solve", "sigmoid-n3-w3-bias"]) == 2
    assert "not complete" in capsys.readouterr().out
