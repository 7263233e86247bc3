"""The checker on specimens: certificates that it must accept, forgeries that it must reject, files that are malformed.

Every specimen carries a note: what is expected and, in words, the mathematics that says so. The facts of the accepted
ones were derived by hand (or, where the note says so, computed with mpmath or SymPy), never taken from the checker.
"""

from __future__ import annotations

import json
import re

import pytest
from checker_tools import (
    ACTIVATIONS,
    CHECKER,
    GOALS,
    RULES,
    Specimen,
    case_certificates,
    checker,
    matches,
    run_alone,
    specimens,
)

from explorer.app.checking import check_apart

ACCEPTED, REJECTED, MALFORMED = (specimens(folder) for folder in ("accepted", "rejected", "malformed"))


def name(specimen: Specimen) -> str:
    return specimen.name


@pytest.mark.parametrize("specimen", ACCEPTED, ids=name)
def test_accepted(specimen):
    line = specimen.line()
    assert matches(line, specimen.note), line
    assert specimen.note["fact"], "an accepted specimen says which fact it expects"
    assert json.loads(specimen.certificate)["problem"] in line, "the fact names the problem by its digest"


@pytest.mark.parametrize("specimen", REJECTED, ids=name)
def test_rejected(specimen):
    line = specimen.line()
    assert matches(line, specimen.note), line
    assert specimen.note["text"], "a forgery comes with its mathematics"


@pytest.mark.parametrize("specimen", MALFORMED, ids=name)
def test_malformed(specimen):
    line = specimen.line()
    assert matches(line, specimen.note), line


def test_the_folders_are_full_and_agree_with_their_notes():
    assert len(ACCEPTED) >= 100
    assert len(REJECTED) >= 100
    assert len(MALFORMED) >= 150
    for group, word in ((ACCEPTED, "VERIFIED"), (REJECTED, "REJECTED "), (MALFORMED, "MALFORMED ")):
        assert all(specimen.note["expect"].startswith(word) for specimen in group)


def test_every_rule_and_every_goal_has_an_accepted_specimen():
    verdicts = [checker.check(specimen.problem, specimen.certificate) for specimen in ACCEPTED]
    assert {rule for verdict in verdicts for rule in verdict.rules} == set(RULES)
    assert {verdict.goal for verdict in verdicts} == set(GOALS)


def test_every_activation_and_every_kind_of_number_has_an_accepted_specimen():
    text = " ".join(s.problem.decode() for s in ACCEPTED)
    for kind in ACTIVATIONS:
        assert f'"{kind}"' in text, kind
    points = [p for s in ACCEPTED for p in json.loads(s.certificate)["points"].values()]
    points = [p for p in points if not {"centre", "teacher"} & set(p)]
    fields = {"box" if "lower" in p else p["field"] if isinstance(p["field"], str) else "number field" for p in points}
    assert fields == {"box", "rational", "ln2", "number field"}
    degrees = {len(p["field"]["polynomial"]) - 1 for p in points if isinstance(p.get("field"), dict)}
    assert degrees >= {1, 2, 3}


def test_every_rule_has_a_rejected_specimen():
    places = {specimen.note["expect"].split()[1] for specimen in REJECTED}
    assert places >= set(RULES) - {"ascent-curve", "morse-bott-maximum"}


def test_verdicts_do_not_depend_on_labels():
    """slug and source are for people: other labels, same line."""
    for specimen in ACCEPTED:
        body = json.loads(specimen.problem)
        body["slug"], body["source"] = "anything", "VERIFIED by hand"
        assert checker.check(json.dumps(body).encode(), specimen.certificate).line == specimen.line()


def test_case_certificates_are_verified():
    found = case_certificates()
    for specimen in found:
        assert specimen.line().startswith("VERIFIED "), specimen.name
    print(f"{len(found)} certificates of the built-in cases verified")


# -- the program: one file, standard library only, one line, three exit codes ----------------------------------------


def one_of_each(each: int = 4) -> list[tuple[Specimen, int]]:
    picked = [(ACCEPTED[k], 0) for k in range(0, len(ACCEPTED), len(ACCEPTED) // (each + 1))]
    picked += [(REJECTED[k], 1) for k in range(0, len(REJECTED), len(REJECTED) // each)]
    return picked + [(MALFORMED[k], 2) for k in range(0, len(MALFORMED), len(MALFORMED) // each)]


@pytest.mark.parametrize(
    "flags", [("-I",), ("-I", "-S"), ("-I", "-O"), ("-I", "-OO", "-S", "-W", "error")], ids=" ".join
)
def test_program_alone_in_an_empty_folder(tmp_path, flags):
    """No explorer, no site-packages (-S), no assert statements (-O): the same line and the exit code of the verdict."""
    for k, (specimen, code) in enumerate(one_of_each(4 if flags == ("-I",) else 1)):
        folder = tmp_path / str(k)
        folder.mkdir()
        (folder / "p.json").write_bytes(specimen.problem)
        (folder / "c.json").write_bytes(specimen.certificate)
        run = run_alone(folder, ["p.json", "c.json"], flags=flags)
        assert (run.code, run.out, run.err) == (code, specimen.line() + "\n", "")


@pytest.mark.parametrize(
    "arguments",
    [[], ["p.json"], ["p.json", "c.json", "x"], ["no-such-file", "c.json"], [".", "."], ["--help"]],
    ids=str,
)
def test_program_without_two_readable_files(tmp_path, arguments):
    (tmp_path / "p.json").write_bytes(ACCEPTED[0].problem)
    (tmp_path / "c.json").write_bytes(ACCEPTED[0].certificate)
    run = run_alone(tmp_path, arguments)
    assert run.code == 2
    assert run.out.startswith("MALFORMED ")
    assert run.out.count("\n") == 1
    assert run.err == ""


def test_program_prints_one_ascii_line_for_hostile_file_names(tmp_path):
    for hostile in ("VERIFIED\nVERIFIED x", "\x1b[2J", "é"):
        run = run_alone(tmp_path, [hostile, hostile])
        assert run.code == 2
        assert run.out.isascii()
        assert run.out.count("\n") == 1


def test_as_explorer_starts_it(tmp_path):
    """From the compiled form, without garbage collection of the code and without OpenSSL: the same line."""
    for k, (specimen, _) in enumerate(one_of_each()):
        files = tmp_path / f"{k}.p.json", tmp_path / f"{k}.c.json"
        files[0].write_bytes(specimen.problem)
        files[1].write_bytes(specimen.certificate)
        status, _, text = specimen.line().partition(" ")
        assert check_apart(*files) == (status.lower(), text)


def test_the_file_imports_the_standard_library_only():
    source = CHECKER.read_text(encoding="utf-8")
    modules = set(re.findall(r"^\s*(?:import|from)\s+([a-zA-Z_]\w*)", source, re.MULTILINE))
    assert modules <= {
        "fractions",
        "hashlib",
        "itertools",
        "json",
        "math",
        "re",
        "sys",
        "functools",
        "operator",
        "struct",
    }
    assert not re.search(r"\bassert\b|\beval\(|\bexec\(|__import__|\bfloat\(", source)


def test_the_program_opens_two_files_and_no_connection(tmp_path):
    """An audit hook sees every file and every socket that the run touches."""
    specimen = ACCEPTED[0]
    (tmp_path / "p.json").write_bytes(specimen.problem)
    (tmp_path / "c.json").write_bytes(specimen.certificate)
    (tmp_path / "watch.py").write_text(
        "import sys, runpy\n"
        "seen = []\n"
        "def hook(event, arguments):\n"
        "    if event.startswith(('socket.', 'subprocess.', 'os.system', 'os.exec', 'urllib.', 'ctypes.')):\n"
        "        seen.append(event)\n"
        "    if event == 'open' and isinstance(arguments[0], str) and arguments[0].endswith('.json'):\n"
        "        seen.append(arguments[0])\n"
        "sys.addaudithook(hook)\n"
        "sys.argv = ['checker.py', 'p.json', 'c.json']\n"
        "try:\n"
        "    runpy.run_path('checker.py', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    print(end.code, seen, 'explorer' in sys.modules)\n"
    )
    run = run_alone(tmp_path, ["p.json", "c.json"])
    assert run.code == 0
    (tmp_path / "checker.py").rename(tmp_path / "kept.py")
    (tmp_path / "watch.py").rename(tmp_path / "checker.py")
    source = (tmp_path / "checker.py").read_text().replace("'checker.py', run_name", "'kept.py', run_name")
    (tmp_path / "checker.py").write_text(source)
    watched = run_alone(tmp_path, [])
    assert watched.out.splitlines()[-1] == "0 ['p.json', 'c.json'] False"
