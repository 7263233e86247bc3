"""The problem reader against specimens: what it refuses, what it accepts, and which files are the same problem.

The phrases in problems/malformed.expected.json and the groups in the file names of problems/accepted were written by
hand; the canonical form below was written from docs/certificate.md, without the code of the reader.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from explorer.errors import Invalid
from explorer.problem import Problem
from explorer.reading import MAX_BYTES, parse_problem, read_problem, write_problem

HERE = Path(__file__).parent / "problems"
MALFORMED = sorted((HERE / "malformed").glob("*.json"))
ACCEPTED = sorted((HERE / "accepted").glob("*.json"))
CASES = sorted((HERE.parents[1] / "cases").glob("*/problem.json"))
EXPECTED = json.loads((HERE / "malformed.expected.json").read_text(encoding="utf-8"))


#: specimens that are the same fault in two dresses
ONE_FAULT = [
    {"polynomial-no-coefficients", "polynomial-without-coefficients"},
    {"too-many-digits-text", "too-many-digits-denominator"},
    {"two-documents", "trailing-garbage"},
    {"nested-too-deep", "nested-very-deep", "nested-objects-very-deep"},
    {"data-missing", "data-null"},
    {"comment", "nul-byte"},
]


def name(path: Path) -> str:
    return path.stem


def group(path: Path) -> str:
    return path.stem.split("--")[0]


def test_the_table_and_the_folder_list_the_same_specimens():
    assert {p.stem for p in MALFORMED} == set(EXPECTED)
    assert len(MALFORMED) >= 60
    assert len(ACCEPTED) >= 40


@pytest.mark.parametrize("path", MALFORMED, ids=name)
def test_malformed(path):
    started = time.process_time()
    with pytest.raises(Invalid) as caught:
        read_problem(path)
    assert time.process_time() - started < 2
    sentence = str(caught.value)
    for phrase in EXPECTED[path.stem]:  # a fault of the file as a whole is told with its name
        assert phrase.replace("file: ", f"{path}: ") in sentence
    assert caught.value.exit_code == 1
    assert caught.value.remedy
    # one line that is safe to print: the file does not get to write to the terminal
    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) < 400


def test_each_fault_has_its_own_sentence():
    """Two different faults at the same place never read alike (file names are the faults)."""
    sentences: dict[str, set[str]] = {}
    for path in MALFORMED:
        with pytest.raises(Invalid) as caught:
            read_problem(path)
        sentences.setdefault(str(caught.value), set()).add(path.stem)
    assert [names for names in sentences.values() if len(names) > 1 and names not in ONE_FAULT] == []


@pytest.mark.parametrize("path", ACCEPTED + CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_accepted(path, tmp_path):
    problem = read_problem(path)
    assert problem.digest == independent_digest(json.loads(path.read_text(encoding="utf-8")))
    write_problem(problem, tmp_path / "again.json")
    again = read_problem(tmp_path / "again.json")
    assert again == problem
    assert (again.slug, again.source, again.digest) == (problem.slug, problem.source, problem.digest)
    first = (tmp_path / "again.json").read_bytes()
    write_problem(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == first


@pytest.mark.parametrize("path", ACCEPTED + CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_checker_reads_the_same_problem(path):
    checker = pytest.importorskip("explorer.checker")
    body = checker.parse_json(path.read_bytes(), "problem")
    assert checker.Problem(body).digest == read_problem(path).digest


def test_equal_mathematics_equal_digests():
    digests: dict[str, set[str]] = {}
    for path in ACCEPTED:
        digests.setdefault(group(path), set()).add(read_problem(path).digest)
    assert {g for g, found in digests.items() if len(found) > 1} == set()
    assert len({d for found in digests.values() for d in found}) == len(digests)


def test_equal_mathematics_equal_problems():
    for path in ACCEPTED:
        twins = [read_problem(p) for p in ACCEPTED if group(p) == group(path)]
        assert all(read_problem(path) == twin and hash(read_problem(path)) == hash(twin) for twin in twins)


def test_a_file_that_is_too_large_is_refused_without_being_parsed(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(50 * MAX_BYTES)
    started = time.process_time()
    with pytest.raises(Invalid, match=f"at most {MAX_BYTES} bytes"):
        read_problem(path)
    assert time.process_time() - started < 2


FILLERS = [
    '"\\"', "[[", '"a",', "1,", '{"a":', "\\", "1e5,", '"\\\\",', '{"a":1},', "[],", "1.5,", '{"a":1,"a":2},', "123456789,",
    "NaN ", "\u00e9", "-", "[1]",
]  # fmt: skip

#: in a process of its own, so that the limits on memory and processor time are those of one file
HOSTILE = """
import json, resource, sys
from explorer.errors import Invalid
from explorer.reading import MAX_BYTES, parse_problem
filler, closing = json.loads(sys.argv[1]), sys.argv[2]
raw = '{"format": "explorer.problem/1", "network": {"kind": "dense", "widths": ['.encode()
raw += filler.encode() * ((MAX_BYTES - 100) // len(filler.encode()))
raw = raw.rstrip(b",") + closing.encode() if closing else raw
resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))
resource.setrlimit(resource.RLIMIT_CPU, (5, 6))
try:
    parse_problem(raw)
except Invalid as error:
    print(type(error).__name__)
"""


@pytest.mark.slow
@pytest.mark.parametrize("closing", ["", "]}}"])
@pytest.mark.parametrize("filler", FILLERS)
def test_megabytes_of_anything_end_in_invalid(filler, closing):
    """Hostile text of the largest size: at most 5 s of processor time and 500 MB, and an answer."""
    command = [sys.executable, "-c", HOSTILE, json.dumps(filler), closing]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stdout.strip()) == (0, "Invalid"), run.stderr[-500:]


def test_many_numbers_in_a_row_of_the_wrong_shape_are_not_even_read():
    row = ",".join(["1"] * 900_000)
    raw = (
        '{"format": "explorer.problem/1", "network": {"kind": "dense", "widths": [1, 1, 1]}, "loss": {"kind": "squared"},'
        f' "data": {{"inputs": [[{row}]], "targets": [[1]]}}}}'
    )
    started = time.process_time()
    with pytest.raises(Invalid, match=r"data\.inputs\[0\]: expected 1 number, got a list of 900000"):
        parse_problem(raw)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("path", ["", "no/such/file.json", "bad\x00name.json"])
def test_unreadable_paths(path):
    with pytest.raises(Invalid, match="expected a readable problem file"):
        read_problem(path)


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(Invalid, match="expected a readable problem file"):
        read_problem(tmp_path)


# -- the canonical form, written a second time from docs/certificate.md --------------------------------------------


def independent_digest(body: dict) -> str:
    """SHA-256 of the canonical JSON of the normalised mathematics of a valid problem file."""
    out: dict = {"format": "explorer.problem/1", "data": None, "loss": None, "regularizer": None}
    net = body["network"]
    if net["kind"] == "monomial":
        terms = {tuple(t["exponents"]): number(t["coefficient"]) for t in net["terms"]}
        listed = [{"coefficient": terms[e], "exponents": list(e)} for e in sorted(terms)]
        out["network"] = {"kind": "monomial", "parameters": net["parameters"], "terms": listed}
    else:
        layers = len(net["widths"]) - 1
        given = net.get("activation", "linear")
        given = given if isinstance(given, list) else [given] * (layers - 1)
        loose = {k: v for k, v in net.items() if k in ("coefficients", "slope", "alpha", "breaks", "pieces")}
        bias = net.get("bias", False)
        if isinstance(bias, bool):
            bias = [bias and layer < layers - 1 for layer in range(layers)]
        out["network"] = {
            "kind": "dense",
            "widths": net["widths"],
            "activation": [activation(a, loose) for a in given],
            "bias": bias,
            "output_activation": activation(net.get("output_activation", "linear"), {}),
        }
        data = body["data"]
        out["data"] = {key: [[number(v) for v in row] for row in data[key]] for key in ("inputs", "targets")}
        out["loss"] = {
            "kind": body["loss"]["kind"],
            "weights": repeated(body["loss"].get("weights", 1), len(data["inputs"])),
        }
        reg = body.get("regularizer")
        if reg is not None:
            shapes = [(net["widths"][k], net["widths"][k + 1], bias[k]) for k in range(layers)]
            count = sum(rows * (cols + int(b)) for cols, rows, b in shapes)
            if reg["kind"] == "neuron-cubic":
                count = net["widths"][1]
            out["regularizer"] = {**reg, "weights": repeated(reg["weights"], count)}
    text = json.dumps(out, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def number(value: str | int) -> str:
    return str(Fraction(value))


def repeated(value: object, count: int) -> list[str]:
    return [number(v) for v in (value if isinstance(value, list) else [value] * count)]


def activation(value: object, loose: dict) -> dict:
    body = {"kind": value, **loose} if isinstance(value, str) else dict(value)
    out = {}
    for key, entry in body.items():
        if key == "kind":
            out[key] = entry
        elif key == "pieces":
            out[key] = [[number(c) for c in piece] for piece in entry]
        else:
            out[key] = [number(c) for c in entry] if isinstance(entry, list) else number(entry)
    return out


def test_the_digest_ignores_labels_only():
    problem = Problem.dense(widths=[1, 1], inputs=[1], targets=[2])
    renamed = Problem.dense(widths=[1, 1], inputs=[1], targets=[2], slug="other", source="elsewhere")
    changed = Problem.dense(widths=[1, 1], inputs=[1], targets=[3])
    assert problem == renamed
    assert problem.digest == renamed.digest != changed.digest
