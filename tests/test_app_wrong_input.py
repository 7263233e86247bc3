"""Wrong input on the command line: one sentence (object, expected, got, remedy), the exit code of the contract, nothing written.

Each row was written from the contract (README: 0 conclusive, 1 invalid input, 2 inconclusive, 3 internal error; check: 2 for
what is no certificate), not from what the program said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.app import certificates
from explorer.app.main import run

ROOT = Path(__file__).resolve().parents[1]
POINT = '{"w1_1_1": 1, "w2_1_1": 1}'
GOAL = ["certify", "vw", "--goal", "global-minimum", "-o"]
REFUTE = ["refute", "sun2020.claim-IV.1", "-o", "out"]

WRONG = [
    # PROBLEM: what is named in the sentence
    (["solve", "no-such-file.json"], 1, "no-such-file.json: expected a problem file or the slug of a case"),
    (["solve", ""], 1, "'': expected a problem file or the slug of a case"),
    (["solve", "two\nlines"], 1, "expected a problem file or the slug of a case"),
    (["solve", "x" * 6000], 1, "expected a problem file or the slug of a case"),
    (["solve", "folder"], 1, "folder: expected a problem file"),
    (["solve", os.devnull], 1, "expected a problem file"),
    (["solve", "float.json"], 1, "float.json: data.inputs[0][0]: expected an exact number, got the decimal 0.1; write '1/10'"),
    (["solve", "cut.json"], 1, "cut.json: line 1, column 41: expected JSON"),
    (["solve", "empty"], 1, "empty: line 1, column 1: expected JSON, got an empty file"),
    (["solve", "binary"], 1, "binary: expected UTF-8 text"),
    (["examine", "sun2020.prop-IV.1", "float.json"], 1, "float.json: data.inputs[0][0]"),
    # numbers and boxes
    (["solve", "vw", "--budget", "abc"], 1, "--budget: expected a positive number of seconds, got 'abc'"),
    (["solve", "vw", "--budget", "-3"], 1, "--budget: expected a positive number of seconds, got '-3'"),
    (["cases", "--budget", "inf"], 1, "--budget: expected a positive number of seconds, got 'inf'"),
    (["doctor", "--seed", "1.5"], 1, "--seed: expected a whole number from 0, got '1.5'"),
    (["solve", "vw", "--seed", "-1"], 1, "--seed: expected a whole number from 0, got '-1'"),
    (["solve", "vw", "--box", "zzz"], 1, "--box: expected"),
    (["solve", "vw", "--box", "-1"], 1, "--box: expected a positive number"),
    (["solve", "vw", "--box", "0"], 1, "--box: expected a positive number"),
    (["solve", "vw", "--box", "1.5"], 1, "--box: expected an exact number"),
    (["solve", "vw", "--box", POINT], 1, "got a point"),
    # words and points
    (["solve", "vw", "and", "more"], 1, "see 'explorer solve --help'"),
    (["certify", "vw", "-o", "x"], 1, "Missing option '--goal'"),
    ([*GOAL[:3], "nonsense", "-o", "x"], 1, "expected one of value, critical-point"),
    ([*GOAL, "x", "--at", "no-such-file"], 1, "no-such-file: expected a file with a point, or inline JSON"),
    ([*GOAL, "x", "--at", "folder"], 1, "folder: expected a file with a point, or inline JSON"),
    ([*GOAL, "x", "--at", "float.json"], 1, "float.json: data.inputs[0][0]: expected an exact number"),
    ([*GOAL, "x", "--at", '{"w1_1_1": 0.5, "w2_1_1": 1}'], 1, "POINT: w1_1_1: expected an exact number"),
    ([*GOAL, "x", "--at", '{"v": 1}'], 1, "expected keys among w1_1_1, w2_1_1, got 'v'"),
    # places to write to: refused before the work
    ([*GOAL, "folder"], 1, "--out folder: expected a place to write to, got a folder; name a file"),
    ([*GOAL, "empty/x.json"], 1, "--out empty/x.json: expected a place to write to, got empty, which is a file"),
    ([*GOAL, "y" * 300], 1, "File name too long"),
    (["certify", "good.json", "--goal", "global-minimum", "-o", "good.json"], 1, "got the file that is read"),
    (["paths", "good.json", "--kind", "escape", "-o", "./good.json"], 1, "got the file that is read"),
    (["refute", "sun2020.claim-IV.1", "-o", "empty/below"], 1, "got empty, which is a file"),
    (["tour", "--case", "vw", "-o", "empty"], 1, "got empty, which is a file"),
    (["tour", "--case", "vw", "-o", str(ROOT / "cases")], 1, "got that of the built-in cases"),
    (["statements", "--pages", "empty"], 1, "got empty, which is a file"),
    (["plot", "vw", "-o", "folder"], 1, "got a folder"),
    (["crosscheck", "vw", "-o", "folder"], 1, "got a folder"),
    # statements and recipes
    (["examine", "no.such", "vw"], 1, "expected an id of the book, got 'no.such'"),
    (["statements", "no.such"], 1, "expected an id of the book, got 'no.such'"),
    (["statements", "--breaks", "no.such"], 1, "expected an id of the book"),
    (["statements", "--paper", "no.such"], 1, "expected one of sun2020"),
    (["refute", "no.such", "-o", "out"], 1, "refute no.such"),
    (["exhibit", "sun2020.claim-IV.1", "-o", "out"], 1, "use refute for this one"),
    ([*REFUTE, "--samples", "-1"], 1, "--samples: expected a whole number from 1, got '-1'"),
    ([*REFUTE, "--width", "many"], 1, "--width: expected a whole number from 1, got 'many'"),
    ([*REFUTE, "--inputs", "0.5,1"], 1, "--inputs[0]: expected an exact number"),
    ([*REFUTE, "--inputs", "["], 1, "expected JSON"),
    ([*REFUTE, "--samples", "3", "--width", "1"], 2, "expected width >= 3 samples"),
    (["tour", "--case", "no-such-case"], 1, "expected one of"),
    # paths, pictures, runs
    (["paths", "vw", "--kind", "sideways"], 1, "expected one of escape, descend, connect, coercive"),
    (["paths", "vw", "--kind", "connect", "--at", POINT], 1, "--to: expected a POINT, got none"),
    (["plot", "vw", "-o", "x.gif"], 1, "expected a file name that ends with .png"),
    (["plot", "vw", "--through", "walls", "-o", "x.svg"], 1, "through: expected a surface, got a slice"),
    (["plot", "vw", "--surface", "--curve", "bezier", "-o", "x.svg"], 1, "curve: expected a slice, got a surface"),
    (["plot", "vw", "--count", "0", "-o", "x.svg"], 1, "--count: expected a whole number from 2"),
    (["promote", "no-such-file"], 1, "no-such-file: expected"),
    (["promote", "binary"], 1, "binary: expected a run that"),
    # check: a rejection is 1, so wrong input is 2
    (["check", "vw", "empty", "--budget", "0"], 2, "--budget: expected a positive number of seconds, got '0'"),
    (["--debug", "check", "vw"], 2, "Missing argument 'CERTIFICATE...'"),
]  # fmt: skip


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good and bad input, where the command runs."""
    good = (ROOT / "cases" / "vw" / "problem.json").read_bytes()
    exact = b'{"format":"explorer.problem/1","network":{"kind":"dense","widths":[1,1]},"data":{"inputs":[[0.1]]}}'
    files = {"good.json": good, "float.json": exact, "cut.json": exact[:40], "empty": b"", "binary": b"\xff\xfe\x00"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("args", "code", "phrase"), WRONG, ids=[" ".join(a)[:60].replace("\n", " ") for a, _, _ in WRONG]
)
def test_wrong_input_is_one_sentence(
    args: list[str], code: int, phrase: str, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(desk)
    assert run([*args, "--json"]) == code
    out, err = capsys.readouterr()
    [line] = err.splitlines()
    assert phrase in line
    assert len(line) < 1200
    said = json.loads(out)["error"]
    assert line == f"explorer: {said['message']}"
    assert said["exit_code"] == code
    assert said.get("remedy") or said.get("expected") or said.get("got")
    assert contents(desk) == before


def test_an_unwritable_folder_is_refused_before_the_work(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # also where the tests run as a user who may do all
    monkeypatch.setattr(certificates, "certify_to_file", None)
    assert run([*GOAL, "out/x.json"]) == 1
    assert "where nothing may be written" in capsys.readouterr().err


def test_a_full_disk_names_the_file_that_was_asked_for(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def full(source: str, target: Path) -> None:
        if target.name == "out.certificate.json":
            raise OSError(28, "No space left on device", source)
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    before = contents(desk)
    assert run([*GOAL, "out.certificate.json"]) == 1
    assert "out.certificate.json: expected a place to read or write, got No space left" in capsys.readouterr().err
    assert contents(desk) == before


def started(*args: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "explorer", *args], text=True, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, **options,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this machine")
@pytest.mark.parametrize("args", [["cases", "--json"], ["solve", "no-such-case", "--json"]], ids=["answer", "error"])
def test_standard_output_that_takes_nothing(args: list[str]) -> None:
    with open("/dev/full", "w") as full, started(*args, stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(err.splitlines()) == 1
    assert err.startswith("explorer: ")


def test_a_reader_that_leaves_is_no_error() -> None:
    with started("cases", "--json", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_closed_streams_are_no_error() -> None:
    close = f"exec {sys.executable} -m explorer"
    for line, code in ((f"{close} cases >&-", 0), (f"{close} solve no-such-case >&- 2>&-", 1)):
        done = subprocess.run(line, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


#: A command that sends Ctrl-C to its whole process group at a given call of a given function: no clock says when.
INTERRUPTED = """
import importlib, os, signal, sys
from explorer.app.main import main
import explorer.app.commands

module, name, call, when = sys.argv.pop(1).split()
owner = importlib.import_module(module)
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
real, calls = getattr(owner, name), 0

def hooked(*args, **options):
    global calls
    calls += 1
    if when == "before" and calls == int(call):
        os.killpg(0, signal.SIGINT)
    result = real(*args, **options)
    if when == "after" and calls == int(call):
        os.killpg(0, signal.SIGINT)
    return result

setattr(owner, name, hooked)
main()
"""


@pytest.mark.parametrize(
    "moment",
    [
        "explorer.certify.recipes.sigmoid _grid 1 before",  # the search
        "tempfile mkstemp 1 before",
        "os replace 1 before",  # a file is written, and not yet in its place
        "os replace 2 before",  # the first of two files is in its place
        "subprocess Popen.__init__ 1 after",  # the checker's own process runs, and gets the signal as well
    ],
)
def test_an_interrupt_ends_the_work_and_leaves_nothing(moment: str, tmp_path: Path) -> None:
    """Ctrl-C, which goes to the whole group."""
    (tmp_path / "scratch").mkdir()
    command = [
        sys.executable,
        "-c",
        INTERRUPTED,
        moment,
        "refute",
        "sun2020.claim-IV.1",
        "--json",
        "-o",
        str(tmp_path / "out"),
    ]
    process = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "scratch")},
    )  # fmt: skip
    out, err = process.stdout, process.stderr
    assert process.returncode == 2
    assert err == "explorer: interrupted before an answer\n"
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    assert [p.name for p in tmp_path.rglob("*")] == ["scratch"]
