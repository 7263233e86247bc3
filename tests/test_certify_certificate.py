"""The nouns: canonical bytes, immutability, saving whole files; the writer's hypotheses against the checker's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from explorer.certify import Certificate, Instance, exhibit, refute
from explorer.certify.certificate import write_whole
from explorer.certify.encode import ORDER, assemble, element_json, number, point_json, simplest, trimmed
from explorer.certify.hypotheses import HYPOTHESES, holds
from explorer.certify.values import rounded_out
from explorer.errors import Invalid, NotCertifiable, Unknown
from explorer.point import EnclosedPoint, Ln2Ring, NumberField, Point, RationalField
from explorer.problem import Problem

F = Fraction
VW = Problem.dense(widths=[1, 1, 1], activation="linear", inputs=[1], targets=[1])


def saddle() -> Certificate:
    return assemble(
        VW,
        {"kind": "critical-inertia", "point": "p"},
        {"p": Point.rational([0, 0])},
        [{"rule": "inertia", "point": "p", "inertia": [1, 0, 1]}, {"rule": "stationary", "point": "p"}],
    )


def test_bytes_are_canonical() -> None:
    made = saddle()
    text = made.to_bytes().decode("ascii")
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert text.rstrip("\n") == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert made.rules == ("stationary", "inertia")  # in the order of the format, whatever the order of writing
    assert made == saddle()
    assert made.check().status == "verified"


def test_the_body_cannot_be_changed() -> None:
    made = saddle()
    with pytest.raises(TypeError):
        made.body["goal"] = {}
    with pytest.raises(TypeError):
        made.goal["kind"] = "global-minimum"
    with pytest.raises(AttributeError):
        made.body["steps"].append({})
    copy = made.to_json()
    copy["steps"].clear()
    assert made.rules == ("stationary", "inertia")


def test_a_certificate_knows_its_problem() -> None:
    other = Problem.dense(widths=[1, 1, 1], activation="linear", inputs=[1], targets=[2])
    with pytest.raises(Invalid, match="sha256"):
        Certificate(other, saddle().to_json())
    with pytest.raises(Invalid, match="this instance's problem"):
        Instance("other", other, (("saddle", saddle()),))
    with pytest.raises(Invalid, match="lower-case"):
        Instance("../up", VW, ())
    with pytest.raises(Invalid, match="once"):
        Instance("vw", VW, (("a", saddle()), ("a", saddle())))


def test_saving_and_checking_apart(tmp_path: Path) -> None:
    (made,) = refute("sun2020.claim-IV.1")
    folder = made.save(tmp_path / "deep" / made.slug)
    assert sorted(p.name for p in folder.iterdir()) == ["problem.json", "spurious-local-minimum.certificate.json"]
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    made.save(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before == made.to_files()
    checker = Path(__file__).resolve().parents[1] / "explorer" / "checker.py"
    files = [str(folder / name) for name in ("problem.json", "spurious-local-minimum.certificate.json")]
    done = subprocess.run(
        [sys.executable, "-I", str(checker), *files], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("VERIFIED p is a local minimum of F and not a global one")


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def broken(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_elements_and_points() -> None:
    assert trimmed((F(1), F(0), F(0))) == (F(1),)
    assert trimmed((F(0), F(0))) == (F(0),)
    assert element_json((F(1, 2),), RationalField()) == "1/2"
    assert element_json((F(0), F(-3)), Ln2Ring()) == ["0", "-3"]
    assert point_json(Point(Ln2Ring(), ((F(0), F(1)), (F(2), F(0))))) == {
        "field": "ln2",
        "coordinates": [["0", "1"], ["2"]],
    }
    golden = NumberField((F(-1), F(-1), F(1)), (F(1), F(2)))
    assert point_json(Point(golden, ((F(0), F(1)),))) == {
        "field": {"polynomial": ["-1", "-1", "1"], "interval": ["1", "2"]},
        "coordinates": [["0", "1"]],
    }
    assert point_json(EnclosedPoint((F(0),), (F(1, 2),))) == {"lower": ["0"], "upper": ["1/2"]}
    assert simplest(Point(Ln2Ring(), ((F(2), F(0)),))) == Point.rational([2])
    with pytest.raises(NotCertifiable, match="2000 digits"):
        number(F(10) ** 2000)
    with pytest.raises(NotCertifiable, match="rational"):
        element_json((F(0), F(1)), RationalField())


@pytest.mark.parametrize("value", ["0", "1", "-1/3", "12345678901234567890/7", "1/98765432109876543210", "12050"])
def test_rounding_goes_outward(value: str) -> None:
    low, high = rounded_out(F(value), F(value))
    assert low < F(value) < high
    assert high - low <= (abs(F(value)) / 2**36 if value != "0" else F(1, 2**36))


def test_hypotheses_agree_with_the_checker() -> None:
    problems = [
        VW,
        Problem.dense(
            widths=[2, 3, 3, 1], activation=["relu", "tanh"], bias=True, inputs=[[1, 2], [1, 3]], targets=[1, 2]
        ),
        Problem.dense(
            widths=[2, 2, 1], activation="relu", inputs=[[1, 2], [2, 1], [1, 1]], targets=[1, 1, -1], loss="logistic"
        ),
        Problem.dense(widths=[1, 4, 1], activation="sigmoid", bias=[True, True], inputs=[1, 1, 2], targets=[1, 2, 3]),
        Problem.dense(widths=[1, 1, 2], activation="square", output_activation="tanh", inputs=[1], targets=[[1, 2]]),
        Problem.dense(widths=[1, 1], activation=[], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": 1}),
        exhibit("sun2020.prop-IV.2")[0].problem,
    ]
    names = [*HYPOTHESES, "activation-sigmoid", "activation-relu", "activation-linear"]
    seen = set()
    for problem in problems:
        for name in names:
            point = {
                "p": Point.rational([0] * len(problem.parameters)),
                "q": Point.rational([1] * len(problem.parameters)),
            }
            goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": [name]}
            verdict = assemble(problem, goal, point, [{"rule": "hypothesis", "name": name}]).check()
            # without a proof of the minimum the goal fails in any case: "hypothesis" says that the property itself is false
            assert verdict.status == "rejected"
            assert (verdict.where != "hypothesis") == holds(problem, name), f"{problem.network} {name}: {verdict.line}"
            seen.add((name, holds(problem, name)))
    assert {(name, truth) for name in names for truth in (True, False)} <= seen | {("scalar-output", True)}
    with pytest.raises(Unknown):
        holds(VW, "nice")


def test_the_order_of_rules_is_the_checkers() -> None:
    from explorer import checker

    assert list(ORDER) == list(checker.RULE_ORDER)
