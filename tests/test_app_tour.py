"""The tour: its certificates are accepted by the checker alone, and a result that differs from what is expected is an error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clock_tools import within

from explorer.app import tour as touring
from explorer.app.cases import Case, cases
from explorer.app.checking import Line
from explorer.app.expectations import belongs, differences, same_value
from explorer.app.main import run
from explorer.solve.results import Coverage, CriticalSet, Trust, Value

ROOT = Path(__file__).resolve().parents[1]


def solved(slug: str) -> CriticalSet:
    from explorer.solve.critical import critical_set

    return critical_set(cases(slug).problem)


@pytest.mark.slow
def test_the_whole_tour(tmp_path: Path) -> None:
    """Every built-in case: solved as expected, every certificate verified, under a minute of processor time."""
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "tour", "--json", "-o", str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["left_out"] == ["chain-5", "linear-2-2-2-2"]
    assert [c["case"] for c in document["cases"]] == [c.slug for c in cases() if c.slug not in document["left_out"]]
    assert document["failures"] == []
    for case in document["cases"]:
        assert case["certificates"], f"{case['case']}: nothing was proved"
        assert {c["status"] for c in case["certificates"]} == {"verified"}
        written = {p.name for p in (tmp_path / case["case"]).glob("*.certificate.json")}
        assert written == {f"{c['name']}.certificate.json" for c in case["certificates"]}
    assert within(document["cpu_seconds"], 60)


@pytest.mark.slow
def test_the_cases_that_the_tour_leaves_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = [c.slug for c in cases() if c.is_long]
    for slug in long:
        assert run(["tour", "--case", slug, "--json", "-o", str(tmp_path)]) == 0
        (stop,) = json.loads(capsys.readouterr().out)["cases"]
        assert {c["status"] for c in stop["certificates"]} == {"verified"}
        assert len(stop["certificates"]) > 20
    assert long == ["chain-5", "linear-2-2-2-2"]


def test_a_stop_is_deterministic_and_checked_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = []
    for out in (tmp_path / "a", tmp_path / "b"):
        assert run(["tour", "--case", "vw", "--case", "fig2", "--json", "-o", str(out)]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.json"))
    assert len(names) > 15
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(ROOT / "explorer" / "checker.py", alone)
    certificate = tmp_path / "a" / "fig2" / "component-03-spurious.certificate.json"
    done = subprocess.run(
        [sys.executable, "-I", "checker.py", str(certificate.parent / "problem.json"), str(certificate)],
        cwd=alone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("VERIFIED p is a local minimum")


def test_facts_without_a_certificate_are_listed_under_the_reason_that_they_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tour", "--case", "sigmoid-2-units", "--json", "-o", str(tmp_path)]) == 0
    (stop,) = json.loads(capsys.readouterr().out)["cases"]
    reasons = Counter(said.partition(": ")[2] for said in stop["unproved"])
    assert run(["tour", "--case", "sigmoid-2-units", "-o", str(tmp_path)]) == 0
    lines = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("computed only, sigmoid-2-units, ")
    ]
    assert len(lines) == len(reasons) < len(stop["unproved"])  # something is grouped, and no reason is left out
    for (why, many), line in zip(reasons.items(), lines, strict=True):
        assert line.endswith(f": {why}")
        assert f"{many} facts (" in line or line.count("component-") == many


def test_the_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tour", "--case", "vw", "-o", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "critical points" in said
    assert "verified by the independent checker" in said


def test_a_rejected_certificate_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touring, "check_apart", lambda *paths: Line("rejected", "value no"))
    assert run(["tour", "--case", "vw", "--json", "-o", str(tmp_path)]) == 3
    captured = capsys.readouterr()
    assert "WRONG" in captured.err
    assert json.loads(captured.out)["verified"] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"real_points": 2}, "real_points"),
        ({"by_index": {"0": 1}}, "by_index"),
        ({"morse_sum": 1}, "morse_sum"),
        ({"global_value": "1"}, "global value"),
        ({"surprise": 1}, "not understood"),
        ({"format": "explorer.expected/9"}, "format"),
        ({"facts": [{"goal": "local-minimum", "at": {"w1_1_1": "0", "w2_1_1": "0"}}]}, "not proved"),
        ({"facts": [{"goal": "global-minimum", "at": {"w1_1_1": "1", "w2_1_1": "1"}, "value": "7"}]}, "'7'"),
        ({"facts": [{"goal": "saddle", "at": {"w1_1_1": "0", "w2_1_1": "0"}, "inertia": [2, 0, 0]}]}, "[2, 0, 0]"),
    ],
)
def test_a_wrong_expectation_is_noticed(
    change: dict[str, Any],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "cases" / "vw"
    shutil.copytree(ROOT / "cases" / "vw", folder)
    body = json.loads((folder / "expected.json").read_text()) | change
    (folder / "expected.json").write_text(json.dumps(body))
    monkeypatch.setattr(touring, "cases", lambda *slug: Case("vw", folder) if slug else (Case("vw", folder),))
    assert run(["tour", "--case", "vw", "-o", str(tmp_path / "out")]) == 3
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"dimension": 2},
        {"kind": "strict minimum"},
        {"value": "1"},
        {"global": False},
        {"inertia": [2, 0, 0]},
        {"pieces": 3},
    ],
)
def test_a_wrong_stratum_is_noticed(change: dict[str, Any]) -> None:
    found, expected = solved("vw"), cases("vw").expected
    assert list(differences(expected, found)) == []
    first, *rest = expected["components"]
    assert list(differences(expected | {"components": [first | change, *rest]}, found))
    assert list(differences(expected | {"components": rest}, found)), "a component that nobody expects is a difference"


def test_what_is_not_decided_is_no_difference_and_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import explorer.solve.critical as solving

    full = solved("vw")
    part = replace(full, components=full.components[:1], coverage=Coverage(False, "none", Trust.COMPUTED, "time is up"))
    monkeypatch.setattr(solving, "critical_set", lambda problem, budget, box: part)
    assert run(["tour", "--case", "vw", "--json", "-o", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "NOT DECIDED: vw: expected all critical points, but time is up" in captured.err
    assert json.loads(captured.out)["failures"] == []


def test_a_single_point_must_be_the_one_that_is_named() -> None:
    point = next(c for c in solved("vw").components if c.dimension == 0)
    stratum = next(s for s in cases("vw").expected["components"] if s["dimension"] == 0)
    assert belongs(point, stratum)
    assert not belongs(point, stratum | {"sample": ["0", "1"]})
    assert not belongs(point, stratum | {"isolated": False})


def test_values_agree_when_they_can_be_equal() -> None:
    third = Value(Fraction(333333333, 10**9), Fraction(333333334, 10**9))
    assert same_value({"lower": "3333333333/10000000000", "upper": "3333333334/10000000000"}, third)
    assert not same_value({"lower": "34/100", "upper": "35/100"}, third)
    assert not same_value({"lower": "0", "upper": "1"}, third), "too wide to say anything"
    assert not same_value("1/3", third), "an enclosure is not an exact value"
    assert same_value("1/3", Value.rational(Fraction(1, 3)))


def test_every_case_says_what_is_expected() -> None:
    for case in cases():
        assert case.expected.get("format") == "explorer.expected/1", case.slug
        assert case.expected["derivation"], case.slug
        assert (case.folder / "derivation.md").is_file(), case.slug
