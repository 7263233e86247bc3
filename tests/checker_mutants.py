"""Single-field mutants of certificates and problems: every number, every name, every list and every object."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from checker_tools import ACTIVATIONS, GOALS, RULES

NUMBER = re.compile(r"-?[0-9]+(?:/[1-9][0-9]*)?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
OPTIONS = {  # what else may stand where such a name stands
    "rule": RULES,
    "kind": [*GOALS, *ACTIVATIONS, "squared", "logistic", "l2", "power", "dense", "monomial"],
    "proof": ["units", "first-layer-zero", "nonnegative", "squares", "cells"],
    "name": ["squared-loss", "hidden-bias", "no-hidden-bias", "at-least-three-samples", "activation-tanh"],
    "field": ["rational", "ln2"],
    "activation": [a for a in ACTIVATIONS if a not in ("polynomial", "leaky_relu", "elu", "piecewise-polynomial")],
    "output_activation": ["linear", "sigmoid", "square"],
}


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of ``body`` with ``value`` at ``path``; what lies beside the path is shared, not copied."""
    if not path:
        return value
    out = copy.copy(body)
    out[path[0]] = replaced(body[path[0]], path[1:], value)
    return out


@dataclass(frozen=True)
class Mutant:
    """``where`` is the path with list positions left out (its category), ``what`` says what was done."""

    where: str
    what: str
    root: Any
    path: tuple[Any, ...]
    value: Any

    @property
    def body(self) -> Any:
        return replaced(self.root, self.path, self.value)


def texts(value: Fraction, text: str) -> Iterator[tuple[str, str]]:
    """Other numbers near (and other spellings of) a number."""
    p, q = value.numerator, value.denominator
    near = {
        "+1": value + 1,
        "-1": value - 1,
        "numerator+1": Fraction(p + 1, q),
        "numerator-1": Fraction(p - 1, q),
        "denominator+1": Fraction(p, q + 1),
        "sign": -value,
        "zero": Fraction(0),
        "doubled": 2 * value,
        "a little more": value + Fraction(1, 10**9),
    }
    if len(str(abs(p))) > 1:
        near["digit dropped"] = Fraction(int(str(p)[:-1]), q)
    if q > 1:
        near["denominator dropped"] = Fraction(p)
    for what, other in near.items():
        if other != value:
            yield what, str(other)
    yield "not canonical", f"0{text}" if p >= 0 else f"-0{text[1:]}"


def at_leaf(value: Any, key: Any, names: list[str]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        yield "negated", not value
    elif isinstance(value, int):
        for what, other in (("+1", value + 1), ("-1", value - 1), ("zero", 0), ("sign", -value)):
            if other != value:
                yield what, other
        yield "as text", str(value)
        if value in (0, 1):
            yield "as truth value", bool(value)
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        yield from texts(Fraction(value), value)
        yield "as integer", int(Fraction(value))
    elif isinstance(value, str) and DIGEST.fullmatch(value):
        for k in range(7, len(value), 16):
            yield "digit changed", value[:k] + ("0" if value[k] != "0" else "1") + value[k + 1 :]
        yield "shortened", value[:-1]
    elif isinstance(value, str):
        pool = OPTIONS.get(key, [])
        if value in names:
            pool = [*names, "zz"]
        for other in pool:
            if other != value:
                yield f"now {other}", other
        yield "emptied", ""
        yield "with a blank", value + " "


def at_list(value: list[Any]) -> Iterator[tuple[str, Any]]:
    for k in range(len(value)):
        yield "entry removed", value[:k] + value[k + 1 :]
        yield "entry doubled", [*value[: k + 1], *value[k:]]
    for k in range(len(value) - 1):
        if value[k] != value[k + 1]:
            yield "entries exchanged", [*value[:k], value[k + 1], value[k], *value[k + 2 :]]
    yield "emptied", []
    yield "entry added", [*value, copy.deepcopy(value[-1]) if value else "0"]
    yield "zero added", [*value, "0"]


def at_object(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in value:
        yield f"{key} removed", {k: v for k, v in value.items() if k != key}
        yield f"{key} renamed", {("zz" if k == key else k): v for k, v in value.items()}
    yield "key added", value | {"note": "x"}


def walk(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, body
    children = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, child in children:
        yield from walk(child, (*path, key))


def category(path: tuple[Any, ...], points: list[str]) -> str:
    return ".".join("*" if k in points and path[0] == "points" else k for k in path if isinstance(k, str)) or "top"


def mutants(body: Any, points: list[str]) -> Iterator[Mutant]:
    """Every mutant of a JSON value that differs in one place."""
    for path, value in walk(body):
        where, key = category(path, points), path[-1] if path else None
        if isinstance(value, dict):
            found = at_object(value)
        elif isinstance(value, list):
            found = at_list(value)
        else:
            found = at_leaf(value, key, points)
        for what, other in found:
            yield Mutant(where, what, body, path, other)


def certificate_mutants(body: dict[str, Any]) -> Iterator[Mutant]:
    """Those, and what belongs to certificates: points exchanged or shared, steps moved to another point or put in."""
    points = list(body["points"])
    yield from mutants(body, points)
    for a in points:
        for b in points:
            if a < b:
                swapped = body["points"] | {a: body["points"][b], b: body["points"][a]}
                yield Mutant("points", "exchanged", body, ("points",), swapped)
            if a != b:
                yield Mutant("points", "copied", body, ("points", a), body["points"][b])
        for rule in ("stationary", "strict-minimum", "maximum", "strict-saddle", "global"):
            for k in range(len(body["steps"]) + 1):
                steps = [*body["steps"][:k], {"rule": rule, "point": a}, *body["steps"][k:]]
                yield Mutant("steps", f"{rule} put in", body, ("steps",), steps)
    goal = body["goal"]
    for kind in GOALS if "point" in goal else ():
        if "better" in goal:  # a goal about one point, from a certificate about two
            yield Mutant("goal", f"{kind} without better", body, ("goal",), {"kind": kind, "point": goal["point"]})
        else:
            yield Mutant("goal", f"{kind} with better", body, ("goal",), goal | {"kind": kind, "better": goal["point"]})
