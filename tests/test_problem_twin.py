"""The two readers of problem files, `explorer.reading` and the checker's own, agree: both accept or both refuse, and what
they accept has the same digest and the same parameter names in the same order.

They share no code, so each is the oracle of the other; neither is assumed to be right. Inputs: the specimens in
tests/problems and cases, generated problems of every kind, the same problems with one thing spoiled, and byte noise.
"""

from __future__ import annotations

import copy
import json
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import checker
from explorer.errors import Invalid
from explorer.reading import parse_problem
from explorer.strict import strict_json

TESTS = Path(__file__).parent
SPECIMENS = sorted((TESTS / "problems").glob("*/*.json")) + sorted((TESTS.parent / "cases").glob("*/problem.json"))


def fixed(examples):
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck))


def package(raw: bytes):
    """(digest, names) according to the package, or None."""
    try:
        problem = parse_problem(raw)
    except Invalid:
        return None
    return problem.digest, tuple(problem.parameters)


def independent(raw: bytes):
    """(digest, names) according to the checker, or None."""
    try:
        problem = checker.Problem(checker.parse_json(raw, "problem"))
    except checker.Malformed:
        return None
    return problem.digest, tuple(problem.names)


@pytest.mark.parametrize("path", SPECIMENS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_specimens(path):
    raw = path.read_bytes()
    assert package(raw) == independent(raw)
    if path.parent.name in ("accepted", "malformed"):  # the folder says which
        assert (independent(raw) is not None) == (path.parent.name == "accepted")


# -- generated problems -----------------------------------------------------------------------------------------------


@st.composite
def rational(draw, low=-9, high=9):
    """An integer, a text, or a text that is not in lowest terms: all of them numbers of a problem file."""
    p, q, k = draw(st.integers(low, high)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return draw(st.sampled_from([p, str(p), f"{p * k}/{q * k}", f"0{p}" if p >= 0 else f"-0{-p}"]))


positive = rational(1, 9)
NAMED = [
    "linear",
    "relu",
    "requ",
    "square",
    "cubic",
    "sigmoid",
    "tanh",
    "softplus",
    "swish",
    "exp",
    "sin",
    "erf",
    "gelu",
]


@st.composite
def piecewise(draw):
    """A continuous piecewise polynomial: line pieces through given knots."""
    count = draw(st.integers(1, 3))
    breaks = sorted(draw(st.sets(st.integers(-4, 4), min_size=count, max_size=count)))
    slopes = draw(st.lists(st.integers(-3, 3), min_size=count + 1, max_size=count + 1))
    pieces, offset = [[0, slopes[0]]], Fraction(0)
    for b, left, right in zip(breaks, slopes, slopes[1:], strict=False):
        offset += (left - right) * b
        pieces.append([str(offset), right])
    return {"kind": "piecewise-polynomial", "breaks": breaks, "pieces": pieces}


activation = st.one_of(
    st.sampled_from(NAMED),
    st.sampled_from(NAMED).map(lambda kind: {"kind": kind}),
    st.lists(rational(), min_size=1, max_size=4).map(lambda c: {"kind": "polynomial", "coefficients": c}),
    rational().map(lambda a: {"kind": "leaky_relu", "slope": a}),
    rational().map(lambda a: {"kind": "elu", "alpha": a}),
    piecewise(),
)
loose = st.one_of(
    st.lists(rational(), min_size=1, max_size=3).map(lambda c: {"activation": "polynomial", "coefficients": c}),
    rational().map(lambda a: {"activation": "leaky_relu", "slope": a}),
    rational().map(lambda a: {"activation": "elu", "alpha": a}),
)


@st.composite
def dense(draw):
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    layers, count = len(widths) - 1, draw(st.integers(1, 3))
    network = {"kind": "dense", "widths": widths}
    if layers > 1:
        shape = draw(st.integers(0, 3))
        if shape == 1:
            network["activation"] = draw(activation)
        elif shape == 2:
            network["activation"] = draw(st.lists(activation, min_size=layers - 1, max_size=layers - 1))
        elif shape == 3:
            network |= draw(loose)
    if draw(st.booleans()):
        network["output_activation"] = draw(activation)
    if draw(st.booleans()):
        network["bias"] = draw(st.one_of(st.booleans(), st.lists(st.booleans(), min_size=layers, max_size=layers)))
    rows = {
        key: draw(st.lists(st.lists(rational(), min_size=w, max_size=w), min_size=count, max_size=count))
        for key, w in (("inputs", widths[0]), ("targets", widths[-1]))
    }
    loss = {"kind": draw(st.sampled_from(["squared", "logistic"] if widths[-1] == 1 else ["squared"]))}
    if draw(st.booleans()):
        loss["weights"] = draw(st.one_of(positive, st.lists(positive, min_size=count, max_size=count)))
    body = {"format": "explorer.problem/1", "network": network, "data": rows, "loss": loss}
    kind = draw(st.sampled_from([None, "l2", "power", "neuron-cubic"]))
    weights = draw(rational(0, 9))
    if kind == "power":
        body["regularizer"] = {"kind": kind, "weights": weights, "exponent": draw(st.integers(1, 64))}
    elif kind:
        body["regularizer"] = {"kind": kind, "weights": weights}  # neuron-cubic: refused by both on most shapes
    elif draw(st.booleans()):
        body["regularizer"] = None
    return body


@st.composite
def monomial(draw):
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), min_size=1, max_size=3, unique=True))
    exponents = st.tuples(*[st.integers(0, 64)] * len(names))
    keys = draw(st.lists(exponents, min_size=1, max_size=4, unique=True))
    terms = [{"coefficient": draw(rational()), "exponents": list(key)} for key in keys]
    return {"format": "explorer.problem/1", "network": {"kind": "monomial", "parameters": names, "terms": terms}}


problems = st.one_of(dense(), monomial())


@fixed(400)
@given(problems)
def test_generated_problems(body):
    raw = json.dumps(body).encode()
    assert package(raw) == independent(raw)


@fixed(200)
@given(dense().filter(lambda body: (body.get("regularizer") or {}).get("kind") != "neuron-cubic"))
def test_well_formed_dense_problems_are_accepted(body):
    assert independent(json.dumps(body).encode()) is not None


@fixed(200)
@given(monomial())
def test_well_formed_monomial_problems_are_accepted(body):
    assert independent(json.dumps(body).encode()) is not None


WEIRD = [
    None, True, False, 0, 1, -1, 2, 65, 10**6, 0.5, "", "0", "1", "-1", "1/2", "1/0", "2/4", "-0", "+1", "1e3", "0x1", "½",
    "٣", " 1", "1 ", "nan", "linear", "relu", "elu", "leaky_relu", "polynomial", "piecewise-polynomial", "sigmoid",
    "squared", "logistic", "l2", "power", "neuron-cubic", "dense", "monomial", [], {}, [[]], ["1"], [1, 2], ["1", ["1"]],
    [True], ["relu"], ["relu", "sin"], {"kind": "relu"}, {"kind": "elu", "alpha": "1"}, {"kind": "elu"}, {"kind": []},
    {"kind": "polynomial", "coefficients": []}, {"kind": "polynomial", "coefficients": ["0"]}, {"kind": "l2", "weights": "1"},
    {"kind": "power", "weights": "1", "exponent": 3}, {"kind": "l2", "weights": 1, "exponent": 2}, {"kind": "logistic"},
]  # fmt: skip
KEYS = [
    "format", "slug", "source", "network", "data", "loss", "regularizer", "kind", "widths", "activation", "bias", "weights",
    "output_activation", "slope", "alpha", "coefficients", "breaks", "pieces", "inputs", "targets", "exponent", "extra", "",
    "exponents", "coefficient", "parameters", "terms",
]  # fmt: skip


def places(body):
    """Every container of a JSON value."""
    found = [body]
    for value in body.values() if isinstance(body, dict) else body:
        if isinstance(value, dict | list):
            found += places(value)
    return found


def spoil(body, pick: random.Random):
    """Change one thing somewhere in a JSON value."""
    spot, how, value = (
        pick.choice(places(body)),
        pick.choice(["replace", "remove", "add"]),
        copy.deepcopy(pick.choice(WEIRD)),
    )
    if isinstance(spot, dict):
        key = pick.choice(KEYS) if how == "add" or not spot else pick.choice(sorted(spot))
    else:
        key = len(spot) if how == "add" or not spot else pick.randrange(len(spot))
    if isinstance(spot, list) and key == len(spot):
        spot.append(value)
    elif how == "remove" and spot:
        del spot[key]
    elif how == "replace" and isinstance(spot, list) and isinstance(spot[key], str):
        spot[key] = pick.choice(["0", "1", "-3/6", "7", 2, "2/4", value])  # often another good number
    else:
        spot[key] = value


@fixed(300)
@given(problems, st.randoms(use_true_random=False))
def test_spoiled_problems(body, pick):
    body = copy.deepcopy(body)
    spoil(body, pick)
    raw = json.dumps(body).encode()
    assert package(raw) == independent(raw)


@pytest.mark.slow
def test_spoiled_specimens():
    """20,000 mutants of the accepted specimens, one or two changes each, with a fixed seed."""
    pick, bodies = random.Random(2), [json.loads(p.read_bytes()) for p in SPECIMENS if p.parent.name == "accepted"]
    bodies = [body for body in bodies if len(json.dumps(body)) < 5_000]
    accepted = 0
    for _ in range(20_000):
        body = copy.deepcopy(pick.choice(bodies))
        for _ in range(pick.randint(1, 2)):
            spoil(body, pick)
        raw = json.dumps(body).encode()
        found = independent(raw)
        accepted += found is not None
        assert package(raw) == found, raw
    assert 1_000 < accepted < 19_000  # both verdicts occur often, so that agreement means something


@fixed(300)
@given(problems, st.data())
def test_byte_noise(body, data):
    raw = bytearray(json.dumps(body).encode())
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert package(bytes(raw)) == independent(bytes(raw))


# -- edges of the limits, by hand ----------------------------------------------------------------------------------------


def with_number(token: str) -> bytes:
    """A problem with one JSON token in the place of a number."""
    return (
        '{"format":"explorer.problem/1","network":{"kind":"monomial","parameters":["x"],'
        '"terms":[{"coefficient":' + token + ',"exponents":[1]}]}}'
    ).encode()


LONG = "9" * 2000
EDGES = {
    "2000 digits": (f'"{LONG}"', True),
    "-2000 digits": (f'"-{LONG}"', True),
    "2000 digits both sides": (f'"-{LONG}/{"8" * 1999}1"', True),
    "2001 digits": (f'"{LONG}9"', False),
    "2001 digits below": (f'"1/{LONG}9"', False),
    "integer of 2000 digits": (LONG, True),
    "integer of 2001 digits": (f"{LONG}9", False),
    "-0": ('"-0"', True),
    "integer -0": ("-0", True),
    "not lowest terms": ('"-6/4"', True),
    "leading zeros": ('"007"', True),
    "zero denominator": ('"1/00"', False),
    "denominator with leading zero": ('"1/02"', False),
    "newline": ('"1\\n"', False),
    "exponent": ("1e2", False),
    "float": ("1.0", False),
    "infinity": ("Infinity", False),
    "leading zero integer": ("01", False),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_of_numbers(name):
    """Expected answers from docs/certificate.md, section Numbers."""
    token, accepted = EDGES[name]
    raw = with_number(token)
    assert package(raw) == independent(raw)
    assert (independent(raw) is not None) == accepted


@pytest.mark.parametrize("token", ['"' + "0" * 2000 + '1"', f"-{LONG}"], ids=["leading zeros", "negative integer"])
def test_edges_on_which_it_is_enough_to_agree(token):
    raw = with_number(token)
    assert package(raw) == independent(raw)


def test_equal_digests_of_two_ways_to_write_one_problem():
    """Scalar or list weights, loose or inner parameters, defaults or not, labels: one digest (docs/certificate.md)."""
    data = {"inputs": [["1"], ["2"]], "targets": [[0], ["2/2"]]}
    short = {
        "format": "explorer.problem/1",
        "network": {"kind": "dense", "widths": [1, 2, 1], "activation": "elu", "alpha": "2/4", "bias": True},
        "data": data,
        "loss": {"kind": "squared"},
        "regularizer": {"kind": "l2", "weights": 1},
    }
    long = {
        "format": "explorer.problem/1",
        "slug": "other",
        "source": "elsewhere",
        "network": {
            "kind": "dense",
            "widths": [1, 2, 1],
            "activation": [{"kind": "elu", "alpha": "1/2"}],
            "bias": [True, False],
            "output_activation": "linear",
        },
        "data": {"inputs": [[1], [2]], "targets": [["0"], ["1"]]},
        "loss": {"kind": "squared", "weights": ["1", 1]},
        "regularizer": {"kind": "l2", "weights": ["1"] * 6},
    }
    found = {read(json.dumps(body).encode()) for body in (short, long) for read in (package, independent)}
    assert len(found) == 1
    assert None not in found


@pytest.mark.parametrize(
    "change",
    [
        ("network", "bias", [True, True]),
        ("network", "bias", False),
        ("network", "activation", "tanh"),
        ("network", "output_activation", "sigmoid"),
        ("network", "widths", [1, 3, 1]),
        ("data", "targets", [[0], ["-1"]]),
        ("data", "inputs", [["2"], ["1"]]),
        ("loss", "kind", "logistic"),
        ("loss", "weights", ["1", "2"]),
        ("regularizer", "weights", "2"),
        ("regularizer", "kind", "l2x"),
    ],
    ids=str,
)
def test_another_function_has_another_digest(change):
    body = {
        "format": "explorer.problem/1",
        "network": {"kind": "dense", "widths": [1, 2, 1], "activation": "sigmoid", "bias": True},
        "data": {"inputs": [["1"], ["2"]], "targets": [[0], ["1"]]},
        "loss": {"kind": "squared"},
        "regularizer": {"kind": "l2", "weights": 1},
    }
    before = independent(json.dumps(body).encode())
    part, key, value = change
    body[part][key] = value
    after = independent(json.dumps(body).encode())
    assert before is not None
    assert after is None or after[0] != before[0]
    assert package(json.dumps(body).encode()) == after


def test_a_file_may_be_as_long_for_one_reader_as_for_the_other():
    body = {"format": "explorer.problem/1", "network": {"kind": "monomial", "parameters": ["x"], "terms": [{"coefficient": "1", "exponents": [2]}]}}  # fmt: skip
    raw = json.dumps(body).encode()
    longest = raw + b" " * (checker.MAX_BYTES - len(raw))
    assert package(longest) == independent(longest) == package(raw)
    assert package(longest + b" ") is independent(longest + b" ") is None


@pytest.mark.parametrize(("more", "read"), [(0, True), (1, False)])
def test_a_file_may_hold_as_many_lists_for_one_reader_as_for_the_other(more, read):
    """300,000 lists and objects, the file's own object and the list of lists among them (docs/certificate.md, Limits)."""
    raw = b'{"lists": [' + b",".join([b"[]"] * (300_000 - 2 + more)) + b"]}"
    assert (reads(checker.parse_json, raw, "problem"), reads(strict_json, raw)) == (read, read)


def reads(reader, *arguments):
    try:
        reader(*arguments)
    except (checker.Malformed, Invalid):
        return False
    return True
