"""Every construction of the catalogue has a false twin near by: the checker rejects the forged certificate, explorer refuses to write it.

The table `FALSE` has one entry per goal kind: a change of the problem or of the claim after which the claim is *false*, with the reason.
The test walks all statements of `refute` and `exhibit`; a new construction whose goal has no entry fails here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from independent import floating
from recipe_tools import forged, point

from explorer.certify import certify, exhibit, refute
from explorer.certify.certificate import Certificate, thawed
from explorer.certify.witnesses import EXHIBITS, REFUTATIONS
from explorer.errors import ExplorerError
from explorer.reading import parse_problem

Body = dict[str, Any]
Change = Callable[[Body, Body], None]
PAIRS = [("refute", s) for s in REFUTATIONS] + [("exhibit", s) for s in EXHIBITS]
MINIMUM_STEPS = ("stationary", "inertia", "strict-minimum", "flat-minimum", "stationary-in-box", "minimum-in-ball")


@cache
def certificates(verb: str, statement: str) -> tuple[tuple[str, Certificate], ...]:
    made = refute(statement) if verb == "refute" else exhibit(statement)
    return tuple((f"{i.slug}/{name}", c) for i in made for name, c in i.certificates)


def step(body: Body, rule: str) -> Body:
    return next(s for s in body["steps"] if s["rule"] == rule)


def scaled(text: str, factor: int) -> str:
    return str(Fraction(text) * factor)


# -- changes after which a claim is false ---------------------------------------------------------------------------------


def ends_exchanged(problem: Body, body: Body) -> None:
    """The claim from the lower point: F(better) < F(p) becomes false, and so does every path that never rises."""
    goal = body["goal"]
    goal["point"], goal["better"] = goal["better"], goal["point"]
    for s in body["steps"]:
        if "to" in s:
            s["point"], s["to"] = s["to"], s["point"]


def target_moved(problem: Body, body: Body) -> None:
    """F(p) = 0 no longer holds when a target moves."""
    row = problem["data"]["targets"][0]
    row[0] = str(Fraction(row[0]) + Fraction(1, 7))


def higher_level(problem: Body, body: Body) -> None:
    """F > level on the boundary of a bounded box (or on the wall) cannot hold for a level above all values there."""
    for s in body["steps"]:
        if s["rule"] in ("basin", "slice-basin", "wall"):
            s["level"] = str(Fraction(s["level"]) + 10**9)


def higher_side(problem: Body, body: Body) -> None:
    """F >= side on the side of p, where F(p) is smaller."""
    step(body, "wall")["side"] = "1000"


def ends_together(problem: Body, body: Body) -> None:
    """Two copies of p, a hundredth apart: on the segment between them F stays below the level."""
    where = body["points"][body["goal"]["point"]]
    near = thawed(where)
    first = near["coordinates"][-1]
    move = Fraction(1, 10**6)
    near["coordinates"][-1] = [str(Fraction(first[0]) + move), *first[1:]] if isinstance(first, list) else str(Fraction(first) + move)  # fmt: skip
    body["points"][body["goal"]["to"]] = near


def level_below_start(problem: Body, body: Body) -> None:
    """A path that starts at p cannot stay below F(p) - 1."""
    s = step(body, "path")
    s["level"] = str(Fraction(s["level"]) - 10**6)


def other_limit(problem: Body, body: Body) -> None:
    """F has one limit along the path."""
    s = step(body, "escape")
    s["limit"] = str(Fraction(s["limit"]) + 1)


def first_penalty_gone(problem: Body, body: Body) -> None:
    """A weight into a unit whose outgoing weights are 0 may grow at constant F: not coercive."""
    weights = problem["regularizer"]["weights"]
    weights[0] = "0"


def all_penalised(problem: Body, body: Body) -> None:
    """With a ridge on every parameter F is coercive: it has a minimum, not at F = 0, and no path to infinity with a limit."""
    count = len(parse_problem(json.dumps(problem)).parameters)
    problem["regularizer"] = {"kind": "l2", "weights": ["1/2"] * count}


def large_penalties(problem: Body, body: Body) -> None:
    """Penalties so large that the origin is a local minimum with all margins 0, where every unit is silent."""
    problem["regularizer"]["weights"] = [scaled(w, 10**6) for w in problem["regularizer"]["weights"]]
    for s in body["steps"]:  # so that the stated threshold moves along
        if s["rule"] == "zero-error":
            s["interpolations"] = [[[c, [scaled(v, 1) for v in w]] for c, w in terms] for terms in s["interpolations"]]


def other_kind(problem: Body, body: Body) -> None:
    """Minima claimed to be saddles, saddles claimed to be minima."""
    kinds = {
        "line-of-minima": "line-of-saddles", "line-of-saddles": "line-of-minima", "strict-saddle": "strict-local-minimum",
        "saddle": "strict-saddle", "local-maximum": "local-minimum",
    }  # fmt: skip
    body["goal"]["kind"] = kinds[body["goal"]["kind"]]
    for s in body["steps"]:
        if s["rule"] == "strict-saddle":
            s["rule"] = "strict-minimum"
        if s["rule"] == "morse-bott-maximum":
            s["rule"] = "morse-bott-minimum"


def falling_part(problem: Body, body: Body) -> None:
    """At the beginning of the segment F falls: it leaves p along a direction of descent."""
    step(body, "chord")["at"] = ["0", "1/100"]


def other_end(problem: Body, body: Body) -> None:
    """The flow has one limit; a point moved by 1/1000 is another one."""
    entry = body["points"]["q"]["coordinates"]
    entry[0] = str(Fraction(entry[0]) + Fraction(1, 1000))


def cubic_output(problem: Body, body: Body) -> None:
    """Square units and the target -1: on the line v = s, w = s - 3 through zeros of g = s (s - 3)^2 + 1 lies the local minimum s = 3
    of g > 0, so g^2 has a local minimum of value 1 there."""
    problem["network"]["activation"] = [{"kind": "square"}]
    problem["data"]["targets"] = [["-1"]]


def family_moved(problem: Body, body: Body) -> None:
    """The centres of the balls around p_k, moved by 1 in the first orbit for every k: the gradient is not 0 near there."""
    centre = body["points"]["p"]["centre"]
    centre[0][0] = str(Fraction(centre[0][0]) + 1)


FALSE: dict[str, Change] = {
    "uniform-spurious-minimum": family_moved,
    "not-global": ends_exchanged,
    "descending-path": ends_exchanged,
    "escape-path": other_limit,
    "infimum-at-infinity": other_limit,
    "unattained-infimum": other_limit,
    "not-coercive": all_penalised,
    "coercive": first_penalty_gone,
    "global-minimum": target_moved,
    "bounded-path": level_below_start,
    "barrier": ends_together,
    "exact-barrier": ends_together,
    "spurious-basin": higher_level,
    "spurious-valley": higher_side,
    "slice-basin": higher_level,
    "no-bad-slices": cubic_output,
    "local-minima-classify": large_penalties,
    "silent-unit-classifies": large_penalties,
    "no-local-minimum": all_penalised,
    "local-minima-interpolate": all_penalised,
    "line-of-minima": other_kind,
    "line-of-saddles": other_kind,
    "strict-saddle": other_kind,
    "saddle": other_kind,
    "local-maximum": other_kind,
    "interpolation-rises": falling_part,
    "interpolation-falls": other_end,
}
#: goals about a local minimum: the twin is searched among moved points and targets, and must have a gradient
MINIMA = ("spurious-local-minimum", "local-minimum", "strict-local-minimum")


@pytest.mark.parametrize(("verb", "statement"), PAIRS)
def test_every_construction_has_a_false_twin(verb: str, statement: str) -> None:
    found = certificates(verb, statement)
    assert found
    for name, certificate in found:
        kind = certificate.goal["kind"]
        if kind in MINIMA:
            minimum_twin(name, certificate)
            continue
        assert kind in FALSE, f"{name}: a construction of {kind} needs a false twin in this table"
        assert forged(certificate, FALSE[kind]).status in ("rejected", "malformed"), (name, FALSE[kind].__doc__)


def minimum_twin(name: str, certificate: Certificate) -> None:
    def minimum_only(problem: Body, body: Body) -> None:
        if body["goal"]["kind"] == "spurious-local-minimum":
            body["goal"] = {"kind": "local-minimum", "point": "p"}
        body["points"] = {"p": body["points"]["p"]}
        body["steps"] = [s for s in body["steps"] if s["rule"] in MINIMUM_STEPS]

    if "fitted" in certificate.to_json()["points"]["p"]:
        assert forged(certificate, curvature_flipped).status == "rejected", name
        return
    if (
        "coordinates" not in certificate.to_json()["points"]["p"]
    ):  # a box or a ball: moved, it no longer holds the critical point
        assert forged(certificate, box_moved).status == "rejected", name
        return
    for change in (target_moved, *(moved(k, by) for by in ("1/1000", "1", "-10", "10") for k in (0, -1))):
        problem, body = thawed(certificate.problem.to_json()), certificate.to_json()
        if problem["network"]["kind"] != "dense" and change is target_moved:
            continue
        minimum_only(problem, body)
        change(problem, body)
        if slope(problem, body["points"]["p"]) > 1e-4:
            break
    else:
        pytest.fail(f"{name}: no twin with a gradient")

    def twin(problem: Body, body: Body) -> None:
        minimum_only(problem, body)
        change(problem, body)

    assert forged(certificate, twin).status == "rejected", name
    with pytest.raises(ExplorerError):
        certify(parse_problem(json.dumps(problem)), "local-minimum", at=point(body["points"]["p"]))


def moved(k: int, by: str) -> Change:
    def change(problem: Body, body: Body) -> None:
        entries = body["points"]["p"]["coordinates"]
        if isinstance(entries[k], list):  # by a multiple of ln 2, so that most numbers stay exact
            c0, c1 = [Fraction(c) for c in (*entries[k], "0")][:2]
            c1 += Fraction(by) if Fraction(by).denominator == 1 else 1
            entries[k] = [str(c0), str(c1)] if c1 else [str(c0)]
        else:
            entries[k] = str(Fraction(entries[k]) + Fraction(by))

    return change


def curvature_flipped(problem: Body, body: Body) -> None:
    """y -> 2 c - y turns every residual round: W = 0 stays critical with the same F, and F now falls along W."""
    c = Fraction(body["points"]["p"]["output"])
    for row in problem["data"]["targets"]:
        row[0] = str(2 * c - Fraction(row[0]))
    body["goal"], body["points"] = {"kind": "local-minimum", "point": "p"}, {"p": body["points"]["p"]}
    body["steps"] = [s for s in body["steps"] if s["rule"] in MINIMUM_STEPS]


def box_moved(problem: Body, body: Body) -> None:
    """By more than its size; the minimum in it is isolated."""
    where = body["points"]["p"]
    for key in ("lower", "upper", "center", "centre"):
        if key in where:
            where[key][0] = str(Fraction(where[key][0]) + Fraction(1, 10))


def slope(problem: Body, where: Body) -> float:
    """The largest difference quotient of F at the point, in double precision (NumPy alone); one-sided slopes of equal sign at kinks."""
    theta = np.array([number(c) for c in where["coordinates"]])
    if problem["network"]["kind"] == "monomial":
        problem = problem | {"regularizer": None}
    assert problem.get("regularizer") is None
    moves = 1e-5 * np.eye(len(theta))
    plus, minus = (floating.loss(problem, theta + s * moves) for s in (1, -1))
    here = floating.loss(problem, theta[None, :])[0]
    down = np.minimum(plus, minus) - here  # a local minimum has none
    return float((-down / 1e-5).max())


def number(entry: Any) -> float:
    parts = [entry] if isinstance(entry, str) else entry
    return float(sum(float(Fraction(c)) * float(np.log(2)) ** k for k, c in enumerate(parts)))
