"""The command line as people and programs use it: exit codes, one JSON document, errors in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer.app import main as entry
from explorer.app.commands import NOT_BUILT
from explorer.app.main import run

ROOT = Path(__file__).resolve().parents[1]
CHECKER = ROOT / "explorer" / "checker.py"


def answer(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any, str]:
    """Exit code, the one JSON document on standard output, and standard error."""
    code = run([*args, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def command(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "explorer", *args],
        capture_output=True, text=True, cwd=cwd, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )  # fmt: skip


# -- the frame --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", sorted(NOT_BUILT))
def test_verbs_of_the_contract_that_are_not_built_say_so(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, document, err = answer(capsys, verb, "some", "--arguments", "7")
    assert code == 3
    assert document["error"]["kind"] == "NotBuilt"
    assert "not built yet" in err


def test_help_lists_every_verb_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = "tour cases statements solve examine refute exhibit certify check paths hunt crosscheck sweep export plot atlas repl doctor"
    assert run(["--help"]) == 0
    listed = {
        line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ") and line.split()
    }
    assert set(verbs.split()) <= listed


@pytest.mark.parametrize("verb", ["tour", "cases", "solve", "certify", "refute", "exhibit", "check", "repl", "doctor"])
def test_every_verb_takes_the_common_options(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert "--seed" in said
    assert "--budget" in said
    assert "--json" in said or verb == "repl"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["solve"], 1),
        (["solve", "vw", "--bogus"], 1),
        (["no-such-verb"], 1),
        (["certify", "vw"], 1),
        (["refute", "sun2020.claim-IV.1", "-o", "x", "--samples", "many"], 1),
        (["solve", "no-such-case"], 1),
        (["cases", "no-such-case"], 1),
        (["refute", "no.such-statement", "-o", "x"], 1),
        (["solve", "vw", "--budget", "-1"], 1),
        (["solve", "vw", "--budget", "nan"], 1),
        (["check"], 2),  # the checker's own codes: neither verified nor rejected
        (["check", "vw", "no-such-file"], 2),
    ],
)
def test_wrong_usage_is_one_line_and_one_document(
    args: list[str], code: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    got, document, err = answer(capsys, *args)
    assert got == code
    assert len(err.splitlines()) <= 1
    assert document.get("error", {"exit_code": code}).get("exit_code") == code
    assert not list(tmp_path.iterdir())


def test_an_unexpected_exception_is_an_internal_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(args: list[str]) -> int:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr(entry, "_invoke", broken)
    monkeypatch.delenv("EXPLORER_DEBUG", raising=False)
    code, document, err = answer(capsys, "cases")
    assert code == 3
    assert document["error"]["kind"] == "Internal"
    assert "Traceback" not in err
    assert "ZeroDivisionError: deep inside" in err
    monkeypatch.setenv("EXPLORER_DEBUG", "1")
    assert run(["cases"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_is_inconclusive(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(args: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "_invoke", interrupted)
    assert run(["cases"]) == 2
    assert capsys.readouterr().out == ""


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m explorer cases --json | head -c 1", shell=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "["
    assert done.stderr == ""


def test_bad_problem_files_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in {
        "float.json": '{"format": "explorer.problem/1", "network": 0.5}',
        "binary.json": "\x00\x01",
        "list.json": "[1]",
        "empty.json": "",
    }.items():
        path = tmp_path / name
        path.write_text(content)
        code, document, err = answer(capsys, "solve", str(path))
        assert code == 1
        assert document["error"]["kind"] == "Invalid"
        assert len(err.splitlines()) == 1


# -- cases, doctor ----------------------------------------------------------------------------------------------


def test_cases_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, listed, _ = answer(capsys, "cases")
    assert code == 0
    folders = {p.parent.name for p in (ROOT / "cases").glob("*/problem.json")}
    assert {c["slug"] for c in listed} == folders
    code, shown, _ = answer(capsys, "cases", "vw")
    assert code == 0
    assert shown["problem"]["network"]["widths"] == [1, 1, 1]
    assert run(["cases"]) == 0
    assert run(["cases", "vw"]) == 0
    assert "Case vw" in capsys.readouterr().out


def test_cases_of_an_installed_package(tmp_path: Path) -> None:
    """A wheel carries the cases inside the package; the checkout's folder must not be needed."""
    shutil.copytree(ROOT / "explorer", tmp_path / "explorer", ignore=shutil.ignore_patterns("__pycache__", "_cases"))
    shutil.copytree(ROOT / "cases" / "vw", tmp_path / "explorer" / "_cases" / "vw")
    done = command("cases", "--json", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert [c["slug"] for c in listed] == ["vw"]
    assert listed[0]["problem_path"].startswith(str(tmp_path))


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    code, found, _ = answer(capsys, "doctor")
    assert code == 0
    assert found["healthy"] is True
    assert {p["name"] for p in found["packages"]} >= {"sympy", "python-flint", "torch"}
    assert run(["doctor"]) == 0


# -- refute, check ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def refuted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("refuted")
    done = command("refute", "sun2020.claim-IV.1", "--samples", "3", "--width", "4", "--json", "-o", str(out))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    [instance] = document["instances"]
    assert all(c["trust"] == "verified" and c["fact"] for c in instance["certificates"])
    return Path(instance["folder"])


def test_refute_writes_what_the_checker_alone_accepts(refuted: Path, tmp_path: Path) -> None:
    """From a copy of the one checker file in an empty folder, without explorer on the path."""
    shutil.copy(CHECKER, tmp_path / "checker.py")
    certificates = sorted(refuted.glob("*.certificate.json"))
    assert certificates
    for certificate in certificates:
        done = subprocess.run(
            [sys.executable, "-I", "checker.py", str(refuted / "problem.json"), str(certificate)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        assert done.stdout.startswith("VERIFIED ")


def test_refute_is_deterministic(refuted: Path, tmp_path: Path) -> None:
    done = command("refute", "sun2020.claim-IV.1", "--samples", "3", "--width", "4", "-o", str(tmp_path))
    assert done.returncode == 0
    for path in refuted.iterdir():
        assert (tmp_path / refuted.name / path.name).read_bytes() == path.read_bytes()


def test_refute_with_inputs_and_bias(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = answer(
        capsys, "refute", "sun2020.claim-IV.1", "--inputs", "-1,0,1/2", "--width", "3", "--bias", "-o", str(tmp_path)
    )
    assert code == 0
    problem = json.loads(Path(document["instances"][0]["problem"]).read_text())
    assert problem["data"]["inputs"] == [["-1"], ["0"], ["1/2"]]
    assert problem["network"]["bias"][0] is True


def test_check_reports_the_worst_verdict(refuted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [good] = refuted.glob("*.certificate.json")
    problem = str(refuted / "problem.json")
    code, verdict, _ = answer(capsys, "check", problem, str(good))
    assert code == 0
    assert verdict["status"] == "verified"
    assert verdict["goal"] == "spurious-local-minimum"
    assert "flat-minimum" in verdict["rules"]
    assert "local minimum" in verdict["fact"]
    body = json.loads(good.read_text())
    body["goal"]["point"], body["goal"]["better"] = body["goal"]["better"], body["goal"]["point"]
    swapped = tmp_path / "swapped.certificate.json"
    swapped.write_text(json.dumps(body))
    junk = tmp_path / "junk.certificate.json"
    junk.write_text("{")
    assert run(["check", problem, str(swapped)]) == 1
    assert run(["check", problem, str(junk)]) == 2
    code, several, _ = (
        answer(capsys, "check", problem, str(good), str(swapped), str(junk))
        if not capsys.readouterr().err
        else (0, {}, "")
    )
    assert code == 2
    assert [v["status"] for v in several["verdicts"]] == ["verified", "rejected", "malformed"]
    assert several["status"] == "malformed"


def test_the_plainest_command_lines_say_what_typer_would(
    refuted: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """The short way of `check`, `cases` and `--version` against the same command line read by Typer."""
    problem, good = str(refuted / "problem.json"), str(next(refuted.glob("*.certificate.json")))
    lines = (
        ["--version"],
        ["cases"],
        ["check", problem, good],
        ["check", problem, good, problem],
        ["check", str(refuted), good],
        ["check", problem, str(tmp_path / "none.json")],
        ["check", "no-such-case", good],
        ["check", "vw", good],
    )

    def answers() -> list[tuple[int, str, str]]:
        return [(run(line), *capsys.readouterr()) for line in lines]

    short = answers()
    assert all(entry._at_once(line) is not None for line in lines)
    assert entry._at_once(["check", problem]) is None
    assert entry._at_once(["check", problem, good, "--json"]) is None
    capsys.readouterr()
    monkeypatch.setattr(entry, "_at_once", lambda args: None)
    assert answers() == short
    assert [code for code, _, _ in short] == [0, 0, 0, 2, 0, 2, 2, 1]


def test_check_loads_no_algebra(refuted: Path) -> None:
    [good] = refuted.glob("*.certificate.json")
    program = (
        "import sys; from explorer.app.main import run; code = run(sys.argv[1:]);"
        "print(sorted({'sympy', 'numpy', 'flint', 'mpmath', 'networkx', 'typer', 'rich'} & set(sys.modules)), code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", str(refuted / "problem.json"), str(good)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stderr.strip() == "[] 0"


def test_a_certificate_that_the_checker_rejects_is_never_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.app import certificates
    from explorer.app.checking import Line

    monkeypatch.setattr(certificates, "check_apart", lambda *paths: Line("rejected", "flat-minimum no"))
    code, document, _ = answer(capsys, "refute", "sun2020.claim-IV.1", "-o", str(tmp_path / "out"))
    assert code == 3
    assert "rejected" in document["error"]["got"]
    assert not (tmp_path / "out").exists()
