"""Statements with options, as the tests of the recipes use them, and how a certificate is forged."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from explorer.certify import Certificate, Instance, exhibit, refute
from explorer.certify.certificate import thawed
from explorer.checker import Verdict, check
from explorer.point import Ln2Ring, Point, RationalField
from explorer.reading import parse_problem

DING, LOGISTIC, OUTPUTS = "sun2020.quote-IV-ding", "explorer.bad-minimum-logistic", "explorer.bad-minimum-outputs"
RELU, YUN1, YUN2, CK = "sun2020.quote-IV-relu", "yun2019.thm-1", "yun2019.thm-2", "christof2022.affine-piece"
NEURON, NARROW, RANK = "sun2020.prop-IV.1", "sun2020.prop-IV.3", "sun2020.claim-VI.1"
SPLIT, WIDTH, V1, V2 = "fukumizu2000.splitting", "explorer.width-transition", "sun2020.conj-V.1", "sun2020.conj-V.2"
REFUTED = (RANK, V1, V2, "sun2020.claim-IV.1")

CROSS = [[3, 0], [0, 3], [-3, -3], [0, 0]]  # a simplex and a point inside it
SOLID = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1], [0, 0, 0]]


def polynomial(*coefficients: object) -> dict[str, Any]:
    return {"kind": "polynomial", "coefficients": [str(c) for c in coefficients]}


def pieces(breaks: list[object], *rows: list[object]) -> dict[str, Any]:
    return {"kind": "piecewise-polynomial", "breaks": breaks, "pieces": list(rows)}


ELU = {"kind": "elu", "alpha": "1"}
LEAKY = {"kind": "leaky_relu", "slope": "1/10"}
TWO_SLOPES = pieces([0], [0, 1], [0, "11/10"])
HAT = pieces([-1, 0, 1], [0], [1, 1], [1, -1], [0])
CLIPPED = pieces([-1, 1], [-1], [0, 1], [1])

PAIRS: list[tuple[str, dict[str, Any]]] = [
    # W = 0 with hidden biases: activations, widths, depths, dimensions
    *((DING, {"activation": a}) for a in ("sigmoid", "tanh", "swish", "square", "cubic", "exp", "gelu", "requ", "softplus")),
    (DING, {"activation": ELU}),
    (DING, {"activation": polynomial(1, 0, 1, 1)}),
    (DING, {"activation": "tanh", "width": 1}),
    (DING, {"activation": "exp", "samples": 7, "width": 9, "seed": 3}),
    (DING, {"activation": "sigmoid", "inputs": CROSS}),
    (DING, {"activation": "tanh", "inputs": SOLID, "width": 2}),
    (DING, {"activation": "gelu", "inputs": CROSS, "width": 1}),
    (DING, {"activation": "sigmoid", "depth": 4, "width": 2}),
    (DING, {"activation": "tanh", "depth": 5, "width": 2, "inputs": CROSS}),
    (DING, {"activation": "exp", "width": 2, "depth": 4, "seed": 5358}),  # its moved units must not be towers of exponentials
    (DING, {"activation": "sin,sigmoid"}),
    (DING, {"activation": ["erf", "swish", "exp"], "width": 2}),
    # one common weight, no bias
    *((DING, {"activation": a, "bias": False}) for a in ("sigmoid", "tanh", "swish", "square", "exp")),
    (DING, {"activation": ELU, "bias": False}),
    (DING, {"activation": "swish", "bias": False, "inputs": CROSS}),
    (DING, {"activation": polynomial(1, 0, 1, 1), "bias": False, "width": 1, "samples": 4}),
    # other losses and outputs
    (LOGISTIC, {}),
    (LOGISTIC, {"activation": "softplus", "samples": 5}),
    (LOGISTIC, {"activation": "sigmoid", "depth": 4, "width": 2}),
    (LOGISTIC, {"activation": "tanh", "inputs": CROSS, "width": 1}),
    (OUTPUTS, {}),
    (OUTPUTS, {"activation": "tanh", "inputs": CROSS, "depth": 3, "width": 2}),
    # affine regions
    (RELU, {}),
    (RELU, {"samples": 12, "width": 5, "seed": 2}),
    (RELU, {"inputs": CROSS}),
    (YUN1, {}),
    (YUN1, {"activation": TWO_SLOPES, "inputs": SOLID, "width": 3}),
    (YUN2, {}),
    (YUN2, {"activation": "tanh", "width": 3}),
    (CK, {}),
    (CK, {"activation": CLIPPED}),
    (CK, {"activation": "requ"}),
    # single neurons, both answers
    (NEURON, {}),
    *((NEURON, {"activation": a}) for a in ("relu", "requ", "cubic", "tanh", "sigmoid", "sin")),
    (NEURON, {"activation": polynomial(0, 0, 0, 0, 1), "seed": 1}),
    (NEURON, {"activation": polynomial(4, 0, -4, 0, 1), "inputs": ["-1/2"]}),
    (NEURON, {"activation": polynomial(-8, 0, 12, 0, -6, 0, 1)}),
    (NEURON, {"activation": {"kind": "leaky_relu", "slope": "-1/2"}}),
    (NEURON, {"activation": HAT}),
    # narrow networks, split units, conjectures
    (NARROW, {"activation": "sigmoid"}),
    *((NARROW, {"samples": n}) for n in (2, 3, 4, 5, 6)),
    (NARROW, {"inputs": ["-1/3", "0", "1", "7"], "seed": 2}),
    (RANK, {}),
    (SPLIT, {}),
    (WIDTH, {}),
    (WIDTH, {"activation": "sigmoid"}),
    (V1, {}),
    (V2, {}),
    (V2, {"width": 10}),
]  # fmt: skip


def name_of(pair: tuple[str, dict[str, Any]]) -> str:
    return pair[0] + "".join(f" {k}={json.dumps(v)}" for k, v in pair[1].items())


@cache
def _made(key: str) -> tuple[Instance, ...]:
    statement, options = json.loads(key)
    return (refute if statement in REFUTED else exhibit)(statement, **options)


def made(pair: tuple[str, dict[str, Any]]) -> tuple[Instance, ...]:
    """The instances of a pair, computed once."""
    return _made(json.dumps(pair))


def verdict_of(problem: dict[str, Any], body: dict[str, Any]) -> Verdict:
    return check(json.dumps(problem).encode("ascii"), json.dumps(body).encode("ascii"))


def forged(certificate: Certificate, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Verdict:
    """The verdict on the certificate after ``change`` (problem, body), its digest brought up to date."""
    problem, body = thawed(certificate.problem.to_json()), certificate.to_json()
    change(problem, body)
    body["problem"] = parse_problem(json.dumps(problem)).digest
    return verdict_of(problem, body)


def move(body: dict[str, Any], k: int) -> None:
    """One coordinate of p moved: by 1/1000, or by ln 2 where coordinates are in Q[ln 2], so that most values stay exact."""
    entries = body["points"]["p"]["coordinates"]
    if isinstance(entries[k], list):
        c0, c1 = [Fraction(c) for c in (*entries[k], "0")][:2]
        entries[k] = [str(c0), str(c1 + 1)] if c1 + 1 else [str(c0)]
    else:
        entries[k] = str(Fraction(entries[k]) + Fraction(1, 1000))


def point(body: dict[str, Any]) -> Point:
    """The exact point of a certificate's POINT object (rational or over ln 2)."""
    field = Ln2Ring() if body["field"] == "ln2" else RationalField()
    rows = [c if isinstance(c, list) else [c] for c in body["coordinates"]]
    return Point(field, tuple(tuple(map(Fraction, c)) for c in rows))
