"""Fuzz and resource attacks: whatever the two files hold, the checker answers with one verdict, soon and in little memory.

A random change may leave a certificate true (white space, a label, another spelling of a number in a problem file);
then the fact must be literally the old one, or mpmath (checker_oracle.py) must agree with the new one.
"""

from __future__ import annotations

import json
import random
import string
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from checker_oracle import holds
from checker_tools import CHECKER, Specimen, as_bytes, case_certificates, checker, run_alone, specimens, timed_check
from clock_tools import within

FILES = 6_000
SECONDS, MEGABYTES = 5.0, 500.0  # of one fuzzed file
TOKENS = [
    *(
        b"0",
        b"-0",
        b"1",
        b"1/2",
        b"-1/3",
        b"007",
        b"1e9",
        b"0.5",
        b"NaN",
        b"true",
        b"null",
        b'""',
        b"[]",
        b"{}",
        b'["0"]',
    ),
    *(b'"p"', b'"q"', b'"lower"', b'"field"', b'"ln2"', b'"rational"', b'"rule"', b'"kind"', b'"value"', b'"steps"'),
    *(b'"stationary"', b'"inertia"', b'"below"', b'"global"', b'"floor"', b'"sigmoid"', b'"relu"', b'"logistic"'),
    *(b"\\u0000", b"\\ud800", b"\xc3\xa9", b"\xff", b"\x00", b"9" * 50, b"[" * 20, b'{"a":' * 20, b"1/" + b"9" * 50),
]


def pairs() -> list[Specimen]:
    small = [s for s in case_certificates() if len(s.certificate) < 4_000]
    return [*specimens("accepted"), *small, *specimens("rejected")[::5]]


def altered(raw: bytes, others: list[bytes], rng: random.Random) -> tuple[str, bytes]:
    """One random change (sometimes two)."""
    what = rng.choice(
        ["flip", "byte", "delete", "insert", "double", "cut", "splice", "token", "digit", "swap", "files"]
    )
    at, end = rng.randrange(len(raw)), rng.randrange(len(raw))
    at, end = min(at, end), max(at, end)
    if what == "flip":
        out = raw[:at] + bytes([raw[at] ^ (1 << rng.randrange(8))]) + raw[at + 1 :]
    elif what == "byte":
        out = raw[:at] + bytes([rng.choice(string.printable.encode())]) + raw[at + 1 :]
    elif what == "delete":
        out = raw[:at] + raw[at + rng.randrange(1, 9) :]
    elif what == "insert":
        out = raw[:at] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5))) + raw[at:]
    elif what == "double":
        out = raw[:end] + raw[at:end] + raw[end:]
    elif what == "cut":
        out = raw[:at]
    elif what == "splice":
        other = rng.choice(others)
        out = raw[:at] + other[rng.randrange(len(other)) :]
    elif what == "token":
        out = raw[:at] + rng.choice(TOKENS) + raw[at + rng.randrange(4) :]
    elif what == "digit":
        places = [k for k, c in enumerate(raw) if c in b"0123456789"] or [at]
        k = rng.choice(places)
        out = raw[:k] + rng.choice([b"0", b"1", b"2", b"7", b"12", b"-1", b"1/3"]) + raw[k + 1 :]
    elif what == "swap":
        out = raw[:at] + raw[end : end + 6] + raw[at + 6 : end] + raw[at : at + 6] + raw[end + 6 :]
    else:
        out = rng.choice(others)
    return what, out


def acceptable(problem: bytes, certificate: bytes, fact: str, known: set[str]) -> str:
    """Why a verified fuzzed pair is no false accept, or an empty text."""
    if fact in known:
        return "the same fact"  # it names the problem by its digest: white space, labels, spellings
    return "true by mpmath" if holds(json.loads(problem), json.loads(certificate)) else ""


@pytest.mark.slow
def test_thousands_of_damaged_files(capsys):
    rng, pool = random.Random(20), pairs()
    problems, certificates = [s.problem for s in pool], [s.certificate for s in pool]
    known = {v.fact for s in pool if (v := checker.check(s.problem, s.certificate)).status == "verified"}
    counts: Counter[str] = Counter()
    slowest, wrong = 0.0, []
    for _ in range(FILES):
        specimen = rng.choice(pool)
        problem, certificate = specimen.problem, specimen.certificate
        for _ in range(rng.choice([1, 1, 1, 2])):
            if rng.random() < 0.35:
                _, problem = altered(problem or b"{", problems, rng)
            else:
                _, certificate = altered(certificate or b"{", certificates, rng)
        verdict, seconds = timed_check(problem, certificate, SECONDS)
        slowest = max(slowest, seconds)
        counts[verdict.status] += 1
        assert verdict.line.isascii()
        assert "\n" not in verdict.line
        assert verdict.where != "internal", (verdict.line, problem, certificate)
        if verdict.status == "verified":
            why = acceptable(problem, certificate, verdict.fact, known)
            counts[why] += 1
            if not why:
                wrong.append((verdict.line, problem, certificate))
    with capsys.disabled():
        print(f"\n{FILES} damaged files: {dict(counts)}; slowest {slowest:.2f} s")
    assert not wrong
    assert within(slowest, SECONDS)
    assert counts["malformed"] > 1_000
    assert counts["rejected"] > 500


def test_random_json_documents():
    """Documents that share only the vocabulary of the format."""
    rng = random.Random(3)
    words = [
        "format",
        "network",
        "kind",
        "dense",
        "widths",
        "data",
        "loss",
        "goal",
        "points",
        "steps",
        "rule",
        "p",
        "value",
    ]

    def anything(depth: int) -> Any:
        kind = rng.randrange(8 if depth else 5)
        if kind < 2:
            return rng.choice(words)
        if kind < 5:
            return rng.choice(
                [0, 1, -1, 10**30, True, None, "0", "1/2", "explorer.problem/1", "explorer.certificate/1"]
            )
        if kind < 6:
            return [anything(depth - 1) for _ in range(rng.randrange(4))]
        return {rng.choice(words): anything(depth - 1) for _ in range(rng.randrange(5))}

    for _ in range(1_500):
        verdict = checker.check(as_bytes(anything(5)), as_bytes(anything(5)))
        assert verdict.status == "malformed"
    for _ in range(300):
        raw = bytes(rng.randrange(256) for _ in range(rng.randrange(200)))
        assert checker.check(raw, raw).status == "malformed"


@pytest.mark.slow
def test_damaged_files_in_the_program(tmp_path, capsys):
    """A handful through the program: exit code 0, 1 or 2, one line, nothing on standard error, time and memory measured."""
    rng, pool = random.Random(21), pairs()
    worst_time = worst_memory = 0.0
    for k in range(30):
        specimen = rng.choice(pool)
        folder = tmp_path / str(k)
        folder.mkdir()
        (folder / "p.json").write_bytes(altered(specimen.problem, [p.problem for p in pool], rng)[1])
        (folder / "c.json").write_bytes(altered(specimen.certificate, [p.certificate for p in pool], rng)[1])
        run = run_alone(folder, ["p.json", "c.json"])
        assert run.code in (1, 2) or run.out.startswith("VERIFIED ")
        assert (run.out.count("\n"), run.err) == (1, "")
        worst_time, worst_memory = max(worst_time, run.cpu), max(worst_memory, run.megabytes)
    with capsys.disabled():
        print(f"\nprogram on damaged files: at most {worst_time:.2f} s and {worst_memory:.0f} MB")
    assert within(worst_time, SECONDS)
    assert worst_memory < MEGABYTES


# -- resource attacks: small files that ask for much work -------------------------------------------------------------


def monomial(names: list[str], terms: list[tuple[list[int], str]]) -> dict[str, Any]:
    return {
        "format": "explorer.problem/1",
        "network": {
            "kind": "monomial",
            "parameters": names,
            "terms": [{"coefficient": c, "exponents": e} for e, c in terms],
        },
    }


def dense(widths: list[int], inputs: Any, targets: Any, activation: str, **more: Any) -> dict[str, Any]:
    return {
        "format": "explorer.problem/1",
        "network": {"kind": "dense", "widths": widths, "activation": activation} | more,
        "data": {"inputs": inputs, "targets": targets},
        "loss": {"kind": "squared"},
    }


def certificate(problem: dict[str, Any], kind: str, point: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    try:
        digest = checker.Problem(json.loads(json.dumps(problem))).digest
    except checker.Malformed:
        digest = "sha256:" + 64 * "0"
    goal = {"kind": kind, "point": "p"}
    body = {"format": "explorer.certificate/1", "problem": digest, "goal": goal, "points": {"p": point}}
    return body | {
        "steps": [
            {"rule": s.pop("rule")} | ({} if "proof" in s and "value" in s else {"point": "p"}) | s for s in steps
        ]
    }


def rational(*values: Any) -> dict[str, Any]:
    return {"field": "rational", "coordinates": [str(v) for v in values]}


def attacks() -> dict[str, tuple[Any, Any]]:
    """Name -> (problem, certificate). Nothing here is a true and provable statement."""
    rng, out = random.Random(1), {}
    big = "1" + "0" * 1_997 + "7"
    zero = {"rule": "value", "value": "0"}
    bounds = {"rule": "value", "lower": "0", "upper": "1"}
    for name, activation, step in (("square", "square", zero), ("cubic", "cubic", bounds)):
        p = dense([1] * 60, [["3"]], [["0"]], activation)  # numbers of 2^59 bits
        out[f"tower of {name} layers"] = p, certificate(p, "value", rational(*[3] * 59), dict(step))
    p = dense([1] * 60, [["1/3"]], [["0"]], "square")
    out["tower of small numbers"] = p, certificate(p, "value", rational(*["1/3"] * 59), dict(zero))
    for name, field, entry in (
        ("ln 2", "ln2", ["3"]),
        ("sqrt 2", {"polynomial": ["-2", "0", "1"], "interval": ["1", "2"]}, ["3", "1"]),
    ):
        p = dense([1] * 60, [["3"]], [["0"]], "square")
        point = {"field": field, "coordinates": [entry] * 59}
        out[f"tower over {name}"] = p, certificate(p, "value", point, {"rule": "value", "value": ["0"]})
    p = dense([1] * 40, [["1"]], [["0"]], "exp")
    out["tower of exponentials"] = p, certificate(p, "value", rational(*[9] * 39), dict(bounds))
    one = monomial(["x"], [([2], "1")])
    value = {"rule": "value", "value": ["0"]}
    modulus = ["-" + str(rng.randrange(1, 10**1990)), *(str(rng.randrange(1, 10**1990)) for _ in range(63)), "1"]
    point = {"field": {"polynomial": modulus, "interval": ["0", "1"]}, "coordinates": [["0", "1"]]}
    out["field of degree 64, 2000 digits"] = one, certificate(one, "value", point, dict(value))
    element = [str(rng.randrange(1, 10**1990)) for _ in range(64)]
    point = {"field": {"polynomial": ["-2", *["0"] * 63, "1"], "interval": ["1", "2"]}, "coordinates": [element]}
    out["element of degree 64, 2000 digits"] = one, certificate(one, "value", point, dict(value))
    close = Fraction(-1414213562373095048801688724209698078569671875376948073176679737990732478462, 10**75)
    point = {"field": {"polynomial": ["-2", "0", "1"], "interval": ["1", "2"]}, "coordinates": [[str(close), "1"]]}
    up = {"rule": "ascent-curve", "order": 1, "coefficient": ["1"], "curve": [[["1"]]]}
    out["sign of a tiny element"] = one, certificate(one, "not-local-maximum", point, up)
    names = [f"x{k}" for k in range(10)]
    p = monomial(names, [([6] * 10, "1")])
    family = [
        [["1", list(e)] for e in sorted({tuple(rng.randrange(40) for _ in range(16)) for _ in range(250)})]
        for _ in names
    ]
    step = {"rule": "morse-bott-minimum", "family": {"at": ["1"] * 16, "coordinates": family}}
    out["family of 16 parameters and 2500 terms"] = p, certificate(p, "local-minimum", rational(*[250] * 10), step)
    rows = [[str(rng.randrange(10**6)) for _ in range(200)] for _ in range(200)]
    p = dense([200, 1, 1], rows, [["0"]] * 200, "square")
    flat = {"rule": "flat-minimum", "proof": "units"}
    out["200 inputs of dimension 200"] = p, certificate(p, "local-minimum", rational(*[0] * 201), flat)
    p = dense([199, 100, 1], [["1"] * 199] * 500, [["0"]] * 500, "square")
    out["20000 parameters"] = p, certificate(p, "critical-point", rational(*[1] * 20_000), {"rule": "stationary"})
    rows = [[str((i * j * j + i) % 17 + 1) for j in range(20)] for i in range(400)]
    p = dense([20, 19, 1], rows, [["1"]] * 400, "square")
    inertia = {"rule": "inertia", "inertia": [1, 1, 1]}
    out["inertia of order 399"] = (
        p,
        certificate(p, "critical-inertia", rational(*(k % 7 + 1 for k in range(399))), inertia),
    )
    names = [f"x{k}" for k in range(64)]
    p = monomial(names, [([64] * 64, "1")])
    down = {"rule": "descent-curve", "order": 64, "coefficient": "-1", "curve": [["1"] * 64] * 64}
    out["curve of order 64 in 64 parameters"] = p, certificate(p, "not-local-minimum", rational(*[1] * 64), down)
    p = monomial(names, [([64] * 62 + [i // 65, i % 65], "1") for i in range(4_000)])
    out["4000 monomials at 2000 digits"] = p, certificate(p, "value", rational(*[big] * 64), dict(zero))
    p = dense([399, 1, 1], [["1"] * 399], [["1"]], "sigmoid")
    box = {"lower": ["0"] * 400, "upper": ["1"] * 400}
    newton = {"rule": "stationary-in-box", "preconditioner": [["1"] * 400] * 400}
    out["box of dimension 400"] = p, certificate(p, "critical-point", box, newton)
    p = dense([1, 1, 1], [["1"]], [["1"]], "sin")
    out["sine of a 2000-digit number"] = p, certificate(p, "value", rational(big, 1), dict(bounds))
    p = dense([1, 1000, 1], [[str(k)] for k in range(100)], [["1"]] * 100, "erf")
    point = rational(*(f"1/{k + 2}" for k in range(2_000)))
    out["100000 error functions"] = p, certificate(p, "value", point, dict(bounds))
    p = dense([15_000, 1], [["1"] * 15_000], [["0"]], "linear")
    del p["network"]["activation"]
    step = {"rule": "rank", "matrix": "product", "rank": 1}
    body = certificate(p, "rank", rational(*[1] * 15_000), step)
    out["product of wide matrices"] = p, body | {"goal": body["goal"] | {"ranks": ["product"]}}
    zeros = b"[" + b",".join([b"0"] * 700) + b"]"
    p = dense([700, 1], "ROWS", [[0]] * 5_000, "linear")
    del p["network"]["activation"]
    body = json.dumps(p).encode().replace(b'"ROWS"', b"[" + b",".join([zeros] * 5_000) + b"]")
    out["7 MB of zeros"] = body, certificate(one, "value", rational(0), dict(zero))
    huge = [str(10**1999 + i % 9 + 1) for i in range(1_000)]
    p = dense([1_000, 1], [huge], [["0"]], "linear")
    del p["network"]["activation"]
    ball = {"centre": ["1"] * 1_000, "radius": "1"}
    step = {"rule": "minimum-in-ball", "modulus": "1"}
    out["ball of dimension 1000 and huge inputs"] = p, certificate(p, "strict-local-minimum", ball, step)
    # 11 million numbers of 700 bits: 620 MB when they were not charged for
    rows = [[str((31 * i + 17 * j) % 97 - 48) for j in range(48)] for i in range(100)]
    p = dense([48, 48, 1], rows, [["1"]] * 100, "linear", output_activation="square")
    ball = {"centre": [str((-1) ** k * (10**60 + k)) for k in range(2_352)], "radius": "1/1000000"}
    step = {"rule": "minimum-in-ball", "modulus": "1/10"}
    out["ball of dimension 2352 around huge weights"] = p, certificate(p, "strict-local-minimum", ball, step)
    p = dense([399, 1, 1], [huge[:399]], [["0"]], "square")
    p["loss"]["weights"] = [big]
    box = {"lower": ["1"] * 400, "upper": ["2"] * 400}
    step = {"rule": "stationary-in-box", "preconditioner": [["1"] * 400] * 400}
    out["box of dimension 400 and huge inputs"] = p, certificate(p, "critical-point", box, step)
    groups = b",".join([b"[" * 12 + b"]" * 12] * 320_000)
    out["8 MB of brackets"] = one, b'{"a":[' + groups + b"]}"
    out["8 MB of objects"] = one, b'{"a":[' + b",".join([b'{"":[]}'] * 990_000) + b"]}"
    out["16 MB of brackets"] = one, b'{"a":[' + b",".join([b"[" * 12 + b"]" * 12] * 630_000) + b"]}"
    out["16 MB of text"] = b'{"a":"' + b"x" * 15_900_000 + b'"}', b"{}"
    out["8 MB of text"] = b'{"a":"' + b"x" * 7_900_000 + b'"}', b"{}"
    out["8 MB of escapes"] = b'{"a":"' + b'\\"' * 3_900_000 + b'"}', b"{}"
    out["8 MB of quotes"] = b'{"a":[' + b'"",' * 2_600_000 + b'""]}', b"{}"
    out["17 MB of text"] = b'{"a":"' + b"x" * 17_000_000 + b'"}', b"{}"
    out["ten million open brackets"] = b"[" * 7_900_000, b"{}"
    out["a number of a million digits"] = b'{"a":' + b"9" * 1_000_000 + b"}", b"{}"
    out["a text number of a million digits"] = one, certificate(one, "value", rational("9" * 1_000_000), dict(zero))
    return out


ATTACKS = attacks()


def test_what_is_kept_of_activations_is_bounded(monkeypatch):
    """One leaf of a tree may ask for millions of pre-activations: 800,000 of them took 600 MB when all were kept."""
    monkeypatch.setattr(checker, "MAX_KEPT", 50)
    p = checker.Problem(dense([1, 40, 1], [[k] for k in range(1, 9)], [[0]] * 8, "square"))
    series = checker.Taylor(checker.Coarse(checker.Meter()), 1)
    box = [(k * series.ring.unit, (k + 1) * series.ring.unit) for k in range(1, 81)]
    checker.Proof(p, {}, checker.Meter()).directional(series, box, [1] + [0] * 79)
    assert 0 < len(series.cache) <= 50


#: attacks that only the meter ends, after about 10 s each: the default run gives them a tenth of its limit
LONG = {
    "curve of order 64 in 64 parameters",
    "20000 parameters",
    "family of 16 parameters and 2500 terms",
    "100000 error functions",
    "inertia of order 399",
}


@pytest.mark.parametrize(
    ("name", "share"),
    [
        *(pytest.param(name, 10 if name in LONG else 1, marks=pytest.mark.slow) for name in ATTACKS),
        *(pytest.param(name, 1, marks=pytest.mark.nightly) for name in sorted(LONG)),
    ],
)
def test_resource_attacks(tmp_path, capsys, name, share):
    """Refused, in bounded time and memory: rejected ("limit") or malformed, never a crash, never a dead process."""
    for file, body in zip(("p.json", "c.json"), ATTACKS[name], strict=True):
        (tmp_path / file).write_bytes(as_bytes(body))
    source, limit = CHECKER.read_text(encoding="utf-8"), f"\nMAX_WORK = {checker.MAX_WORK:_}"
    assert source.count(limit) == 1
    program = source.replace(limit, f"\nMAX_WORK = {checker.MAX_WORK // share}")
    (tmp_path / "checker.py").write_text(program, encoding="utf-8")
    run = run_alone(tmp_path, ["p.json", "c.json"], cpu_limit=100)
    with capsys.disabled():
        print(f"\n{name}: {run.cpu:.1f} s, {run.megabytes:.0f} MB, {run.out.strip()[:90]}", end="")
    assert run.code in (1, 2), run
    assert run.err == ""
    assert run.megabytes < MEGABYTES
    assert share == 1 or run.out.startswith("REJECTED limit ")
    assert within(run.cpu, 60 / share), "MAX_WORK is too generous"


def test_a_tree_of_boxes_stops_at_its_own_limit(monkeypatch):
    """Far from 0 dF/dv > 0 (F = (v w^2)^2 + v^2 + w^2 rises with v > 0), so every leaf is good; only the limit ends the check. By measurement
    one unit of work takes 6 to 9 microseconds, so the real limit, 40,000,000, is 4 to 6 minutes."""
    problem = {
        "format": "explorer.problem/1", "network": {"kind": "dense", "widths": [1, 1, 1], "activation": "square"}, "loss": {"kind": "squared"},
        "data": {"inputs": [["1"]], "targets": [["0"]]}, "regularizer": {"kind": "l2", "weights": "1"},
    }  # fmt: skip
    raw = json.dumps(problem).encode()

    def halves(depth):
        return [1 + depth % 2, *halves(depth - 1), *halves(depth - 1)] if depth else [-2]

    def line(depth):
        step = {
            "rule": "complete-in-box",
            "lower": ["10", "10"],
            "upper": ["11", "11"],
            "points": [],
            "tree": halves(depth),
        }
        body = {
            "format": "explorer.certificate/1", "problem": checker.Problem(checker.parse_json(raw, "problem")).digest,
            "goal": {"kind": "critical-points-in-box", "points": []}, "points": {}, "steps": [step],
        }  # fmt: skip
        return checker.check(raw, json.dumps(body).encode()).line

    assert checker.TREE_WORK == 20 * checker.MAX_WORK
    monkeypatch.setattr(checker, "TREE_WORK", 20_000)
    assert "has exactly no critical point" in line(5)
    assert line(12) == "REJECTED limit the check needs more arithmetic than the checker allows"
